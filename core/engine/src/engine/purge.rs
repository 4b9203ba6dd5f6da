//! Purges what a shard keeps about deleted tasks, so that a namespace is empty if it is deleted and
//! created again.

use super::Engine;
use crate::budget::PURGED_KEYS;
use crate::effects::{Effects, Write};
use crate::series::Series;
use crate::state::State;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::protocol::{PurgeReply, PurgeRequest};

impl Engine {
    /// Purges as [`Engine::purge`] does, unless the shard has fired since the sender of the request
    /// read its state. So a late request purges nothing if the namespace was created again and its
    /// tasks have run.
    pub fn purge_as_seen(&mut self, seen: Option<PurgeRequest>) -> (PurgeReply, Effects) {
        if seen.is_some_and(|seen| seen.last_envelope != self.state.last_seq) {
            return (PurgeReply { tasks: 0, done: false }, Effects::default());
        }
        self.purge()
    }

    /// Purges history, idempotency keys and counts if the shard holds no task. Otherwise it changes
    /// nothing. The caller repeats the call until the purge is complete.
    ///
    /// The watermark, the numbers of envelopes and of history rows, and the incarnation in requests
    /// to limiters stay, because they distinguish late messages from new ones.
    pub fn purge(&mut self) -> (PurgeReply, Effects) {
        // The time affects only the number of overdue tasks.
        let tasks = self.stats(UnixMillis::ZERO).held();
        let mut effects = Effects::default();
        if tasks > 0 {
            return (PurgeReply { tasks, done: false }, effects);
        }
        self.events.forget();
        self.log.purge(&mut effects);
        self.forget_keys(&mut effects);
        // A shard that was never used gets no write.
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
