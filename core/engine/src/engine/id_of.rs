//! Reads the id of a stored task from the head of its record.

use super::tasks::EntryRef;
use super::{Engine, EngineError, Reader};
use scheduler_model::record_id::{HEAD_BYTES, id_in, leading_id};

impl Engine {
    /// Returns the id of a live entry or schedule.
    pub(super) fn id_of(&self, at: EntryRef, reader: &dyn Reader) -> Result<String, EngineError> {
        match leading_id(&self.head_of(at, reader)?) {
            Some(id) => Ok(id.into_owned()),
            None => id_in(&self.record_of(at, reader)?)
                .map_err(|problem| EngineError::Corrupt(format!("record {} of page {}: {problem}", at.index, at.page))),
        }
    }

    /// Reads the beginning of a record: its time and its id.
    pub(super) fn head_of(&self, at: EntryRef, reader: &dyn Reader) -> Result<Vec<u8>, EngineError> {
        if at.page == 0 {
            return Ok(reader.schedule_head(at.index, HEAD_BYTES)?);
        }
        let entry = self
            .tasks
            .page(at.page)
            .and_then(|page| page.directory.get(at.index as usize))
            .ok_or_else(|| EngineError::Corrupt(format!("page {} has no entry {}", at.page, at.index)))?;
        Ok(reader.body(at.page, entry.offset, entry.len.min(HEAD_BYTES))?)
    }
}
