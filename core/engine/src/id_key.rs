//! Keyed hashes of ids ([`IdKey`]), and how rows are converted that were stored before shards had a
//! key.

use crate::envelopes::parse_envelope;
use crate::error::EngineError;
use scheduler_model::format::page::{Directory, Page, PageError};
use scheduler_model::id_key::IdKey;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::record_id::id_of_record;

/// Returns a stored directory with keyed hashes. Returns it unchanged if its hashes are keyed
/// already.
///
/// # Errors
/// Returns an error if the directory is invalid, or a record of the body has no id.
pub fn key_stored_page(
    key: IdKey,
    directory: Vec<u8>,
    body: Vec<u8>,
) -> Result<Vec<u8>, EngineError> {
    let corrupt = |problem: PageError| EngineError::Corrupt(problem.to_string());
    let directory = Directory::decode(directory, body.len()).map_err(corrupt)?;
    let mut page = Page { directory, body };
    key.key_page(&mut page).map_err(corrupt)?;
    Ok(page.directory.bytes().to_vec())
}

/// Returns the keyed hashes of a stored envelope's tasks, 8 bytes each, as in
/// [`crate::Write::InsertEnvelope`].
///
/// # Errors
/// Returns an error if the text is not an envelope, or one of its tasks has no id.
pub fn hashes_of_envelope(
    key: IdKey,
    seq: EnvelopeSeq,
    text: &[u8],
) -> Result<Vec<u8>, EngineError> {
    let mut hashes = Vec::new();
    for (index, task) in parse_envelope(text, seq)?.tasks.iter().enumerate() {
        let id = id_of_record(task.get().as_bytes()).ok_or_else(|| {
            EngineError::Corrupt(format!("task {index} of envelope {seq} has no id"))
        })?;
        hashes.extend_from_slice(&key.hash(&id).to_le_bytes());
    }
    Ok(hashes)
}
