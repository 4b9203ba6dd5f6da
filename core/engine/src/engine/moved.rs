//! Selects what a reschedule moves. The moved entry becomes the task, and an id never has two
//! tasks. So a reschedule moves one entry or run of each id.

use super::Engine;
use crate::changes::Moved;
use crate::decisions::FlightRef;
use crate::entry_ref::EntryRef;
use crate::error::{EngineError, contradiction};
use crate::lateness::leading_time;
use crate::reader::Reader;
use scheduler_calendar::ordered::sort;
use scheduler_model::bounds::MAX_DEAD_LETTERS_OF_A_TASK;
use scheduler_model::format::page::Flags;
use scheduler_model::task::Record;
use std::collections::hash_map::Entry;

/// The most attempts or dead letters of one id whose records a request reads to find one that can
/// be moved. It is the most dead letters that an id has.
const MAX_LOOKED_AT: usize = MAX_DEAD_LETTERS_OF_A_TASK;

impl Engine {
    /// Returns the newest run among these attempts or dead letters that can be moved. Runs of
    /// recurring tasks and follow-ups cannot be moved.
    pub(super) fn newest_movable(
        &self,
        found: &[EntryRef],
        bytes: &mut usize,
        reader: &dyn Reader,
    ) -> Result<Option<EntryRef>, EngineError> {
        // The newest comes first, because it can usually be moved, and then the others are not
        // read.
        let mut newest_first = Vec::with_capacity(found.len());
        for at in found {
            let head = self.head_of(*at, reader)?;
            *bytes += head.len();
            newest_first.push((leading_time(&head), *at));
        }
        sort(&mut newest_first);
        for (_, at) in newest_first.into_iter().rev().take(MAX_LOOKED_AT) {
            let text = self.record_of(at, reader)?;
            *bytes += text.len();
            let record = Record::parse(&text)
                .map_err(|problem| EngineError::Corrupt(format!("{at}: {problem}")))?;
            if !record.is_recurring() && record.stage.is_none() {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Returns whether this entry is a task rather than an attempt or a dead letter.
    pub(super) fn is_task(&self, at: EntryRef) -> bool {
        let flags = self.flags_of(at);
        !flags.has(Flags::RETRY) && !flags.has(Flags::DEAD_LETTER)
    }

    /// Returns whether a reschedule by filter moves this entry. It moves every task. It moves the
    /// newest attempt if no task waits with its id, and the newest dead letter if nothing with its
    /// id waits or is in flight.
    pub(super) fn is_moved(
        &self,
        at: EntryRef,
        moved: &mut Moved,
        reader: &dyn Reader,
    ) -> Result<bool, EngineError> {
        if self.is_task(at) {
            return Ok(true);
        }
        let hash = self.tasks.hash_of(at);
        let hash = hash.ok_or_else(|| contradiction("an entry that was scanned does not exist"))?;
        if let Some(chosen) = moved.entries.get(&hash) {
            return Ok(*chosen == Some(at));
        }
        let id = self.id_of(at, reader)?;
        let mut found = Vec::new();
        self.find_live(&id, reader, &mut found)?;
        if found.is_empty() && !self.has_flight(&id, reader)? {
            self.find_dead_letters(&id, reader, &mut found)?;
        }
        let has_task = found.iter().any(|at| self.is_task(*at));
        let chosen =
            if has_task { None } else { self.newest_movable(&found, &mut moved.bytes, reader)? };
        moved.entries.insert(hash, chosen);
        Ok(chosen == Some(at))
    }

    /// Returns the other attempts in flight with the id of this one if a reschedule by filter moves
    /// this one. It does if this is the newest and nothing waits.
    pub(super) fn moved_flight(
        &self,
        flight: FlightRef,
        id: &str,
        moved: &mut Moved,
        reader: &dyn Reader,
    ) -> Result<Option<Vec<FlightRef>>, EngineError> {
        let hash = self.id_hash(id);
        if self.tasks.find(hash).any(|at| !self.is_dead_letter(at)) {
            return Ok(None);
        }
        if self.in_flight.get(&hash).is_none_or(|attempts| *attempts < 2) {
            return Ok(Some(Vec::new()));
        }
        if let Entry::Vacant(place) = moved.flights.entry(hash) {
            place.insert(self.flights_of_ids(&[id.to_owned()], |_| true, reader)?);
        }
        let of_id = moved.flights.get(&hash).map_or(&[][..], Vec::as_slice);
        Ok(of_id
            .split_first()
            .filter(|(newest, _)| **newest == flight)
            .map(|(_, others)| others.to_vec()))
    }
}
