//! The clocks of the shards, which may be wrong, and the limiter's clock.

use super::{Event, World};
use crate::circuits::stores_state;
use crate::in_flight::envelopes_of;
use crate::invariants::violated;
use crate::model::Send;
use crate::operations::Request;
use crate::storage::Storage;
use scheduler_calendar::time::UnixMillis;

impl World {
    /// Returns the time that all clocks should show.
    pub(crate) fn true_now(&self) -> UnixMillis {
        self.now.plus(-self.shift)
    }

    /// Runs `happen` by the clock of a shard.
    pub(crate) fn on_clock_of<T>(&mut self, of: usize, happen: impl FnOnce(&mut Self) -> T) -> T {
        let former = self.shift;
        let shift = self.offsets[of];
        (self.now, self.shift) = (self.now.plus(shift - former), shift);
        let outcome = happen(self);
        (self.now, self.shift) = (self.now.plus(former - shift), former);
        outcome
    }

    pub(crate) fn now_of_limiter(&self) -> UnixMillis {
        self.now.plus(self.offsets.last().copied().unwrap_or(0))
    }

    pub(super) fn clock_steps(&mut self, of: usize, offset: i64) {
        self.trace(|| format!("the clock of {of} is ahead by {offset}"));
        self.offsets[of] = offset;
    }

    /// Marks the tasks that a request adds or moves while the clock is ahead, because they may stay
    /// in the future.
    pub(crate) fn note_ahead(&mut self, request: &Request) {
        let shard = request.shard();
        let numbered = self.model.versions.iter().zip(0..);
        let of_them: Vec<u64> = match request {
            Request::Append { versions, .. } => versions.clone(),
            Request::Change { ids, .. } => numbered
                .filter(|(version, _)| ids.contains(&version.id))
                .map(|(_, number)| number)
                .collect(),
            Request::ChangeMatching { .. }
            | Request::Redefine { .. }
            | Request::DeadLetters { .. }
            | Request::InFlight { .. } => numbered
                .filter(|(version, _)| version.shard == shard)
                .map(|(_, number)| number)
                .collect(),
            _ => Vec::new(),
        };
        self.model.brought_ahead.extend(of_them);
    }

    /// Sets all clocks right from now on.
    pub(crate) fn set_clocks(&mut self) {
        let later: Vec<u64> = self
            .events
            .iter()
            .filter(|(_, event)| matches!(event, Event::Clock { .. }))
            .map(|(number, _)| *number)
            .collect();
        later.iter().for_each(|number| drop(self.events.remove(number)));
        (0..self.offsets.len()).for_each(|of| self.clock_steps(of, 0));
    }

    /// Passes the time to an engine, as its shell does before each input.
    /// `turning-back-changes-nothing`: what waits, and its place, are the same before and after.
    pub(super) fn observe(&mut self, at: usize) {
        self.ledger_observes(at);
        let now = self.now;
        let shard = &mut self.shards[at];
        let Some(engine) = shard.engine.as_mut() else { return };
        let effects = engine.observe(now);
        // Bounded waits begin at the latest when the shard learns that its clock has gone back.
        for (_, flight) in self.model.in_flight.range_mut(envelopes_of(at)) {
            flight.since = flight.since.min(now.get());
            if let Send::Refused { at, .. } | Send::Hung { at } = &mut flight.last_send {
                *at = (*at).min(now.get());
            }
        }
        if effects.writes.is_empty() {
            return;
        }
        let what = |storage: &Storage| -> Vec<_> {
            storage
                .waiting()
                .into_iter()
                .map(|waiting| (waiting.position, waiting.entry, waiting.record))
                .collect()
        };
        let before = what(&shard.storage);
        shard.storage.apply(&effects.writes);
        if what(&shard.storage) != before || shard.storage.watermark.due > now {
            violated(
                "turning-back-changes-nothing",
                format!("{:?} at {now} with {:?}", effects.writes, shard.storage.watermark),
            );
        }
        if stores_state(&effects) {
            self.model.circuits.store(at);
        }
        self.store_ledger(at, &effects);
        self.turned_back += 1;
        self.trace(|| format!("{at}: turned back, {} writes", effects.writes.len()));
    }
}
