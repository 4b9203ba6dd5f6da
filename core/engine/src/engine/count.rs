//! Dry runs: counting the tasks that a request by filter would cancel or change.
//!
//! A count needs few records, so it examines many more tasks than a change does.

use super::Engine;
use super::found::Found;
use super::walk::Direction;
use crate::budget::MAX_SCANNED_BYTES;
use crate::changes::{Changes, Moved};
use crate::entry_ref::EntryRef;
use crate::error::EngineError;
use crate::reader::Reader;
use crate::scan::{Seen, Spent, Then};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Flags;
use scheduler_model::protocol::{Change, Changed, CountReply, CountRequest, PauseReason};

impl Engine {
    /// Counts the tasks that a request by filter would cancel or change, within a bounded amount of
    /// work, and returns the first of them. Ignores quotas and the room of the shard.
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged.
    pub fn count_matching(
        &self,
        CountRequest { tasks, change, pause }: &CountRequest,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<CountReply, EngineError> {
        let mut reply = CountReply::default();
        let (mut spent, mut moved) = (Spent::counting(tasks), Moved::default());
        let (mut first, mut first_bytes) = (Vec::new(), 0);
        let most_bytes = tasks.max_bytes.unwrap_or(MAX_SCANNED_BYTES);
        reply.next =
            self.scan(tasks, Direction::Forward, false, &mut spent, reader, |spent, seen| {
                let found = match seen {
                    Seen::Waiting(candidate, record) => {
                        let at = candidate.at;
                        let would = match change {
                            None => true,
                            Some(change) => {
                                let change = (*change, pause);
                                self.would_change(at, change, now, (spent, &mut moved), reader)?
                            }
                        };
                        would.then(|| Found::waiting(candidate, record)).transpose()?
                    }
                    Seen::InFlight(of) => {
                        let would = match change {
                            None => true,
                            Some(Change::Reschedule(_))
                                if self
                                    .moved_flight(of.flight, &of.record.id, &mut moved, reader)?
                                    .is_none() =>
                            {
                                false
                            }
                            Some(change) => {
                                let mut planned = Changes::saying(pause.clone());
                                let (flight, record) = (of.flight, &of.record);
                                self.plan_for_flight(flight, record, *change, now, &mut planned)
                                    == Changed::Changed
                            }
                        };
                        reply.running += u64::from(would);
                        would.then(|| self.item_in_flight(of)).transpose()?.map(Found::Read)
                    }
                };
                spent.read += std::mem::take(&mut moved.bytes);
                reply.count += u64::from(found.is_some());
                if let Some(found) = found
                    && first.len() < tasks.limit
                    && (first.is_empty() || first_bytes < most_bytes)
                {
                    first_bytes += self.bytes_of(&found);
                    first.push(found);
                }
                Ok(Then::Continue)
            })?;
        reply.first = self.read_found(first, reader)?;
        Ok(reply)
    }

    /// Returns whether a change by filter would change a waiting entry.
    fn would_change(
        &self,
        at: EntryRef,
        (change, pause): (Change, &Option<PauseReason>),
        now: UnixMillis,
        (spent, moved): (&mut Spent, &mut Moved),
        reader: &dyn Reader,
    ) -> Result<bool, EngineError> {
        let mut planned = Changes::saying(pause.clone());
        if self.settled_by(at, change, now, &planned).is_some() {
            return Ok(false);
        }
        Ok(match change {
            // It is paused already, but the note may be a new one.
            Change::Pause if self.settled(at, change, now).is_some() => {
                spent.read += spent.row_bytes(self.tasks.record_bytes(at));
                self.plan_change(at, change, now, reader, &mut planned)? == Some(Changed::Changed)
            }
            Change::Pause | Change::Resume => true,
            // It waits for an earlier time, so the change moves it whatever its record says.
            Change::Reschedule(to) if self.is_before(at, to.at) => {
                self.is_moved(at, moved, reader)?
            }
            // What waits for nothing but a lane, a slot or room may not change.
            Change::Run if self.due_of(at) == UnixMillis::NO_LANE || self.is_due(at, now) => {
                spent.read += spent.row_bytes(self.tasks.record_bytes(at));
                self.plan_change(at, change, now, reader, &mut planned)? == Some(Changed::Changed)
            }
            Change::Run => !self.adds_a_run(at) || !self.has_most_runs_of(at),
            Change::Reschedule(_) => {
                if !self.is_moved(at, moved, reader)? {
                    return Ok(false);
                }
                spent.read += spent.row_bytes(self.tasks.record_bytes(at));
                // Without a lane for its limit key, it would change as soon as there is one.
                let outcome = self.plan_change(at, change, now, reader, &mut planned)?;
                outcome.is_none_or(|outcome| outcome == Changed::Changed)
            }
        })
    }

    /// Returns whether a one-shot task waits for a time before this one.
    fn is_before(&self, at: EntryRef, time: UnixMillis) -> bool {
        let flags = self.flags_of(at);
        let is_task = !flags.has(Flags::RETRY) && !flags.has(Flags::DEAD_LETTER);
        matches!(at, EntryRef::Page(_)) && is_task && self.due_of(at) < time
    }

    /// Returns whether `run` adds a run in addition to this task.
    fn adds_a_run(&self, at: EntryRef) -> bool {
        match at {
            EntryRef::Schedule(_) => true,
            EntryRef::Page(_) => {
                self.due_of(at) == UnixMillis::NEVER && !self.flags_of(at).has(Flags::DEAD_LETTER)
            }
        }
    }
}

#[cfg(test)]
#[path = "count_tests.rs"]
mod tests;
