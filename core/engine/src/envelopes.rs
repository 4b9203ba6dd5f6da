//! Reading the text of an envelope.

use crate::error::EngineError;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::envelope::Envelope;
use scheduler_model::task::Record;
use std::collections::BTreeMap;

pub(super) fn parse_envelope(text: &[u8], seq: u64) -> Result<Envelope<'_>, EngineError> {
    let corrupt = |problem: String| EngineError::Corrupt(format!("envelope {seq}: {problem}"));
    let text = std::str::from_utf8(text).map_err(|problem| corrupt(problem.to_string()))?;
    Envelope::parse(text).map_err(|problem| corrupt(problem.to_string()))
}

/// When an envelope was fired, and its records.
pub(super) fn records_of(text: &[u8], seq: u64) -> Result<(UnixMillis, Vec<Record<'_>>), EngineError> {
    let corrupt = |problem: String| EngineError::Corrupt(format!("envelope {seq}: {problem}"));
    let text = std::str::from_utf8(text).map_err(|problem| corrupt(problem.to_string()))?;
    let envelope = Envelope::parse(text).map_err(|problem| corrupt(problem.to_string()))?;
    let records = envelope.tasks.iter().map(|task| Record::parse(task.get().as_bytes()));
    let records = records.collect::<Result<_, _>>().map_err(|problem| corrupt(problem.to_string()))?;
    Ok((envelope.fired_at, records))
}

/// Replaces dispatched records by their patched versions.
pub(super) fn lay_over<'a>(records: &mut [Record<'a>], patched: &'a BTreeMap<u32, Vec<u8>>, seq: u64) -> Result<(), EngineError> {
    for (index, text) in patched {
        let record =
            Record::parse(text).map_err(|problem| EngineError::Corrupt(format!("a patch of envelope {seq}: {problem}")))?;
        if let Some(slot) = records.get_mut(*index as usize) {
            *slot = record;
        }
    }
    Ok(())
}

/// Whether an envelope's text may hold a task that something follows when it succeeds. It may stand in a payload too.
pub(super) fn names_on_success(envelope: &[u8]) -> bool {
    memchr::memmem::find(envelope, b"\"onSuccess\":").is_some()
}
