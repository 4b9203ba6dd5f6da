//! Forgetting: what a shard keeps of tasks that are gone. A namespace that is deleted and made again starts with nothing.

use super::Engine;
use crate::budget::PURGED_KEYS;
use crate::effects::{Effects, Write};
use crate::state::State;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::protocol::{PurgeReply, PurgeRequest};

impl Engine {
    /// Forgets as [`Engine::purge`] does, if the shard has fired nothing since it was looked at. A request that comes late, when the
    /// namespace was made again and its tasks have run, forgets nothing of these.
    pub fn purge_as_seen(&mut self, seen: Option<PurgeRequest>) -> (PurgeReply, Effects) {
        if seen.is_some_and(|seen| seen.last_envelope != self.state.last_seq) {
            return (PurgeReply { tasks: 0, done: false }, Effects::default());
        }
        self.purge()
    }

    /// Forgets history, remembered keys and counts, if the shard holds no task; else nothing changes. To be repeated until it is
    /// done.
    ///
    /// What keeps a late message from being taken for a new one stays: the watermark, the numbers of envelopes and of the rows of the
    /// history, and the life that requests to limiters name.
    pub fn purge(&mut self) -> (PurgeReply, Effects) {
        // The time says which of them are overdue, and nothing else.
        let tasks = self.stats(UnixMillis::ZERO).held();
        let mut effects = Effects::default();
        if tasks > 0 {
            return (PurgeReply { tasks, done: false }, effects);
        }
        self.events.forget();
        self.log.purge(&mut effects);
        self.forget_keys(&mut effects);
        // A shard that was never used is not written to.
        if !effects.writes.is_empty() || self.state.counters.created > 0 {
            self.state = State {
                watermark: self.state.watermark,
                last_seq: self.state.last_seq,
                life: self.state.life,
                ..State::default()
            };
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
