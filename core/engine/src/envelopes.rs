//! Reading the text of an envelope.

use crate::error::EngineError;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::envelope::Envelope;
use scheduler_model::task::Record;
use std::collections::BTreeMap;

/// Parses the text of the envelope `seq`.
pub(super) fn parse_envelope(text: &[u8], seq: u64) -> Result<Envelope<'_>, EngineError> {
    let corrupt = |problem: String| EngineError::Corrupt(format!("envelope {seq}: {problem}"));
    let text = std::str::from_utf8(text).map_err(|problem| corrupt(problem.to_string()))?;
    Envelope::parse(text).map_err(|problem| corrupt(problem.to_string()))
}

/// Returns when an envelope was fired, and its records.
pub(super) fn records_of(
    text: &[u8],
    seq: u64,
) -> Result<(UnixMillis, Vec<Record<'_>>), EngineError> {
    let envelope = parse_envelope(text, seq)?;
    let records = envelope.tasks.iter().map(|task| Record::parse(task.get().as_bytes()));
    let corrupt = |problem| EngineError::Corrupt(format!("envelope {seq}: {problem}"));
    let records = records.collect::<Result<_, _>>().map_err(corrupt)?;
    Ok((envelope.fired_at, records))
}

/// Replaces dispatched records by their patched versions.
pub(super) fn lay_over<'a>(
    records: &mut [Record<'a>],
    patched: &'a BTreeMap<u32, Vec<u8>>,
    seq: u64,
) -> Result<(), EngineError> {
    for (index, text) in patched {
        let record = Record::parse(text).map_err(|problem| {
            EngineError::Corrupt(format!("a patch of envelope {seq}: {problem}"))
        })?;
        if let Some(slot) = records.get_mut(*index as usize) {
            *slot = record;
        }
    }
    Ok(())
}

/// Returns whether the text of an envelope may contain a follow-up. The name may also be part of a
/// payload.
pub(super) fn names_stage(envelope: &[u8]) -> bool {
    memchr::memmem::find(envelope, b"\"stage\":").is_some()
}

/// Returns whether the text of an envelope may contain a task with a follow-up for success. The
/// name may also be part of a payload.
pub(super) fn names_on_success(envelope: &[u8]) -> bool {
    memchr::memmem::find(envelope, b"\"onSuccess\":").is_some()
}
