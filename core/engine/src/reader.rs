//! Reads from storage.

use crate::error::StorageError;
use scheduler_model::numbers::{EnvelopeSeq, PageNumber, ScheduleNumber};

/// Reads from storage. Reads are synchronous, as the SQL of a Durable Object is.
pub trait Reader {
    /// Returns `len` bytes of the body of a page from `offset`.
    ///
    /// # Errors
    /// Returns an error if storage fails or has no such bytes.
    fn body(&self, page: PageNumber, offset: u32, len: u32) -> Result<Vec<u8>, StorageError>;
    /// Returns the record of a recurring task.
    ///
    /// # Errors
    /// Returns an error if storage fails or has no such schedule.
    fn schedule(&self, number: ScheduleNumber) -> Result<Vec<u8>, StorageError>;
    /// Returns the first `len` bytes of the record of a recurring task, or all bytes of a shorter
    /// record.
    ///
    /// # Errors
    /// Returns an error if storage fails or has no such schedule.
    fn schedule_head(&self, number: ScheduleNumber, len: u32) -> Result<Vec<u8>, StorageError> {
        let mut record = self.schedule(number)?;
        record.truncate(len as usize);
        Ok(record)
    }
    /// Returns the text of an envelope.
    ///
    /// # Errors
    /// Returns an error if storage fails or has no such envelope.
    fn envelope(&self, seq: EnvelopeSeq) -> Result<Vec<u8>, StorageError>;
    /// Returns what is stored under an idempotency key, from the first of these periods that has
    /// the key (see [`scheduler_model::idempotency`]).
    ///
    /// # Errors
    /// Returns an error if storage fails. The default implementation always fails, because
    /// otherwise every request would look new.
    fn remembered(&self, key: &[u8; 16], periods: &[i64]) -> Result<Option<Vec<u8>>, StorageError> {
        let _ = (key, periods);
        Err(StorageError("this storage does not remember keys".to_owned()))
    }
    /// Returns the record for the further attempts of a task in flight, by envelope and index: see
    /// [`crate::Write::Patch`].
    ///
    /// # Errors
    /// Returns an error if storage fails or has no such record. The default implementation has
    /// none.
    fn patched(&self, seq: EnvelopeSeq, index: u32) -> Result<Vec<u8>, StorageError> {
        Err(StorageError(format!("this storage has no patch of task {index} of envelope {seq}")))
    }
    /// Returns the body of a row of the history.
    ///
    /// # Errors
    /// Returns an error if storage fails or has no such row.
    fn history(&self, row: u64) -> Result<Vec<u8>, StorageError>;
    /// Returns whether this also reads what the current commit has added.
    fn reads_the_commit(&self) -> bool {
        false
    }
}
