//! Access to an entry of a page or a recurring task, in memory and in storage.

use super::Engine;
use crate::entry_ref::{EntryRef, PageEntry};
use crate::error::EngineError;
use crate::mem_schedule::MemSchedule;
use crate::reader::Reader;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::{Entry, Flags};
use scheduler_model::numbers::ScheduleNumber;
use scheduler_model::record_id::{HEAD_BYTES, id_in, leading_id};

impl Engine {
    /// Returns the id of a live entry or schedule.
    pub(super) fn id_of(&self, at: EntryRef, reader: &dyn Reader) -> Result<String, EngineError> {
        match leading_id(&self.head_of(at, reader)?) {
            Some(id) => Ok(id.into_owned()),
            None => id_in(&self.record_of(at, reader)?)
                .map_err(|problem| EngineError::Corrupt(format!("{at}: {problem}"))),
        }
    }

    /// Reads the beginning of a record, which contains its time and its id.
    pub(super) fn head_of(
        &self,
        at: EntryRef,
        reader: &dyn Reader,
    ) -> Result<Vec<u8>, EngineError> {
        match at {
            EntryRef::Schedule(number) => Ok(reader.schedule_head(number, HEAD_BYTES)?),
            EntryRef::Page(at) => {
                let entry = self.entry(at)?;
                Ok(reader.body(at.page, entry.offset, entry.len.min(HEAD_BYTES))?)
            }
        }
    }

    /// Returns an entry of a page, which must exist.
    pub(super) fn entry(&self, at: PageEntry) -> Result<Entry, EngineError> {
        let entry = self.tasks.entry(at);
        entry.ok_or_else(|| EngineError::Corrupt(format!("there is no {at}")))
    }

    /// Adds the waiting task with this id and its further attempts to `found`. Leaves out dead
    /// letters.
    pub(super) fn find_live(
        &self,
        id: &str,
        reader: &dyn Reader,
        found: &mut Vec<EntryRef>,
    ) -> Result<(), EngineError> {
        for at in self.tasks.find(self.id_hash(id)) {
            if !self.is_dead_letter(at) && self.id_of(at, reader)? == id {
                found.push(at);
            }
        }
        Ok(())
    }

    /// Returns the recurring task with this number, which a search has found.
    pub(super) fn known_schedule(
        &self,
        number: ScheduleNumber,
    ) -> Result<&MemSchedule, EngineError> {
        self.tasks
            .schedule(number)
            .ok_or_else(|| EngineError::Corrupt(format!("there is no schedule {number}")))
    }

    pub(super) fn is_dead_letter(&self, at: EntryRef) -> bool {
        self.flags_of(at).has(Flags::DEAD_LETTER)
    }

    /// Returns the flags of an entry of a page. Returns default flags for a recurring task, or if
    /// there is no such entry.
    pub(super) fn flags_of(&self, at: EntryRef) -> Flags {
        match at {
            EntryRef::Schedule(_) => Flags::TASK,
            EntryRef::Page(at) => self.tasks.entry(at).map_or(Flags::TASK, |entry| entry.flags),
        }
    }

    /// Reads the record of a live entry or a schedule.
    pub(super) fn record_of(
        &self,
        at: EntryRef,
        reader: &dyn Reader,
    ) -> Result<Vec<u8>, EngineError> {
        match at {
            EntryRef::Schedule(number) => Ok(reader.schedule(number)?),
            EntryRef::Page(at) => {
                let entry = self.entry(at)?;
                Ok(reader.body(at.page, entry.offset, entry.len)?)
            }
        }
    }

    /// Returns when an entry of a page is due. Returns [`UnixMillis::NEVER`] for a recurring task,
    /// or if there is no such entry.
    pub(super) fn due_of(&self, at: EntryRef) -> UnixMillis {
        match at {
            EntryRef::Schedule(_) => UnixMillis::NEVER,
            EntryRef::Page(at) => self.tasks.entry(at).map_or(UnixMillis::NEVER, |entry| entry.due),
        }
    }
}

#[cfg(test)]
#[path = "id_key_tests.rs"]
mod tests;
