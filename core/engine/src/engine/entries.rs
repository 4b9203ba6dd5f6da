//! What the engine knows of an entry or a recurring task, in memory and in storage.

use super::Engine;
use crate::entry_ref::EntryRef;
use crate::error::EngineError;
use crate::reader::Reader;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Flags;
use scheduler_model::record_id::{HEAD_BYTES, id_in, leading_id};

impl Engine {
    /// Returns the id of a live entry or schedule.
    pub(super) fn id_of(&self, at: EntryRef, reader: &dyn Reader) -> Result<String, EngineError> {
        match leading_id(&self.head_of(at, reader)?) {
            Some(id) => Ok(id.into_owned()),
            None => id_in(&self.record_of(at, reader)?).map_err(|problem| {
                EngineError::Corrupt(format!("record {} of page {}: {problem}", at.index, at.page))
            }),
        }
    }

    /// Reads the beginning of a record: its time and its id.
    pub(super) fn head_of(
        &self,
        at: EntryRef,
        reader: &dyn Reader,
    ) -> Result<Vec<u8>, EngineError> {
        if at.page == 0 {
            return Ok(reader.schedule_head(at.index, HEAD_BYTES)?);
        }
        let entry = self
            .tasks
            .page(at.page)
            .and_then(|page| page.directory.get(at.index as usize))
            .ok_or_else(|| {
                EngineError::Corrupt(format!("page {} has no entry {}", at.page, at.index))
            })?;
        Ok(reader.body(at.page, entry.offset, entry.len.min(HEAD_BYTES))?)
    }

    /// Adds the waiting task with this id and its further attempts to `found`, but no dead letters.
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

    pub(super) fn is_dead_letter(&self, at: EntryRef) -> bool {
        self.flags_of(at).has(Flags::DEAD_LETTER)
    }

    /// Returns the flags of an entry of a page; those of a task if there is none.
    pub(super) fn flags_of(&self, at: EntryRef) -> Flags {
        self.tasks
            .page(at.page)
            .and_then(|page| page.directory.get(at.index as usize))
            .map_or(Flags::TASK, |entry| entry.flags)
    }

    /// Reads the record of a live entry or a schedule.
    pub(super) fn record_of(
        &self,
        at: EntryRef,
        reader: &dyn Reader,
    ) -> Result<Vec<u8>, EngineError> {
        if at.page == 0 {
            return Ok(reader.schedule(at.index)?);
        }
        let entry = self
            .tasks
            .page(at.page)
            .and_then(|page| page.directory.get(at.index as usize))
            .ok_or_else(|| {
                EngineError::Corrupt(format!("page {} has no entry {}", at.page, at.index))
            })?;
        Ok(reader.body(at.page, entry.offset, entry.len)?)
    }

    /// Returns when an entry of a page is due; [`UnixMillis::NEVER`] if there is none.
    pub(super) fn due_of(&self, at: EntryRef) -> UnixMillis {
        let entry = self.tasks.page(at.page).and_then(|page| page.directory.get(at.index as usize));
        entry.map_or(UnixMillis::NEVER, |entry| entry.due)
    }
}

#[cfg(test)]
#[path = "id_key_tests.rs"]
mod tests;
