//! Purging what a shard keeps of tasks that are gone, so that a namespace that is deleted and
//! created again starts empty.

use super::Engine;
use crate::budget::PURGED_KEYS;
use crate::effects::{Effects, Write};
use crate::series::Series;
use crate::state::State;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::protocol::{PurgeReply, PurgeRequest};

impl Engine {
    /// Purges as [`Engine::purge`] does, if the shard has fired nothing since the sender of the
    /// request looked at it. So a late request purges nothing if the namespace was created again
    /// and its tasks have run.
    pub fn purge_as_seen(&mut self, seen: Option<PurgeRequest>) -> (PurgeReply, Effects) {
        if seen.is_some_and(|seen| seen.last_envelope != self.state.last_seq) {
            return (PurgeReply { tasks: 0, done: false }, Effects::default());
        }
        self.purge()
    }

    /// Purges history, remembered keys and counts if the shard holds no task; otherwise changes
    /// nothing. The caller repeats it until it is done.
    ///
    /// The watermark, the numbers of envelopes and of the rows of the history, and the incarnation
    /// in requests to limiters stay. They distinguish late messages from new ones.
    pub fn purge(&mut self) -> (PurgeReply, Effects) {
        // The time only affects the number of overdue tasks.
        let tasks = self.stats(UnixMillis::ZERO).held();
        let mut effects = Effects::default();
        if tasks > 0 {
            return (PurgeReply { tasks, done: false }, effects);
        }
        self.events.forget();
        self.log.purge(&mut effects);
        self.forget_keys(&mut effects);
        // Writes nothing to a shard that was never used.
        if !effects.writes.is_empty() || self.state.counters.created > 0 {
            self.state = State {
                watermark: self.state.watermark,
                last_seq: self.state.last_seq,
                incarnation: self.state.incarnation,
                ..State::default()
            };
            self.series = Series::default();
            effects.writes.append(&mut self.save().writes);
        }
        (PurgeReply { tasks, done: self.remembered.is_empty() }, effects)
    }

    fn forget_keys(&mut self, effects: &mut Effects) {
        let mut left = PURGED_KEYS;
        while left > 0
            && let Some(mut oldest) = self.remembered.first_entry()
        {
            let count = left.min(*oldest.get());
            effects.writes.push(Write::Forget { period: *oldest.key(), count });
            *oldest.get_mut() -= count;
            left -= count;
            if *oldest.get() == 0 {
                oldest.remove();
            }
        }
    }
}

#[cfg(test)]
#[path = "purge_tests.rs"]
mod tests;
