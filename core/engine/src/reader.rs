//! Reads of what is stored.

use crate::error::StorageError;
/// Reads of what is stored. Synchronous, as a Durable Object's SQL is.
pub trait Reader {
    /// `len` bytes of the body of a page from `offset`.
    ///
    /// # Errors
    /// When storage fails or has no such bytes.
    fn body(&self, page: u32, offset: u32, len: u32) -> Result<Vec<u8>, StorageError>;
    /// The record of a recurring task.
    ///
    /// # Errors
    /// When storage fails or has no such schedule.
    fn schedule(&self, number: u32) -> Result<Vec<u8>, StorageError>;
    /// The first `len` bytes of the record of a recurring task; all of a shorter one.
    ///
    /// # Errors
    /// When storage fails or has no such schedule.
    fn schedule_head(&self, number: u32, len: u32) -> Result<Vec<u8>, StorageError> {
        let mut record = self.schedule(number)?;
        record.truncate(len as usize);
        Ok(record)
    }
    /// The text of an envelope.
    ///
    /// # Errors
    /// When storage fails or has no such envelope.
    fn envelope(&self, seq: u64) -> Result<Vec<u8>, StorageError>;
    /// What is remembered of a key in the first of these periods that has it (see [`scheduler_model::idempotency`]).
    ///
    /// # Errors
    /// When storage fails. A reader that does not say otherwise fails, rather than take every request for new.
    fn remembered(&self, key: &[u8; 16], periods: &[i64]) -> Result<Option<Vec<u8>>, StorageError> {
        let _ = (key, periods);
        Err(StorageError("this storage does not remember keys".to_owned()))
    }
    /// The record that the further attempts of a task in flight have, by envelope and index: see [`Write::Patch`].
    ///
    /// # Errors
    /// When storage fails or has no such record. A reader that does not say otherwise has none.
    fn patched(&self, seq: u64, index: u32) -> Result<Vec<u8>, StorageError> {
        Err(StorageError(format!("this storage has no patch of task {index} of envelope {seq}")))
    }
    /// The body of a row of the history.
    ///
    /// # Errors
    /// When storage fails or has no such row.
    fn history(&self, row: u64) -> Result<Vec<u8>, StorageError>;
}
