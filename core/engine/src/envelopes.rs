//! Reads the text of an envelope.

use crate::decisions::Marks;
use crate::error::EngineError;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::envelope::Envelope;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::task::Record;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Parses the text of the envelope `seq`.
pub(super) fn parse_envelope(text: &[u8], seq: EnvelopeSeq) -> Result<Envelope<'_>, EngineError> {
    let corrupt = |problem: String| EngineError::Corrupt(format!("envelope {seq}: {problem}"));
    let text = std::str::from_utf8(text).map_err(|problem| corrupt(problem.to_string()))?;
    Envelope::parse(text).map_err(|problem| corrupt(problem.to_string()))
}

/// Returns the firing time of an envelope, and its records.
pub(super) fn records_of(
    text: &[u8],
    seq: EnvelopeSeq,
) -> Result<(UnixMillis, Vec<Record<'_>>), EngineError> {
    let envelope = parse_envelope(text, seq)?;
    let records = envelope.tasks.iter().map(|task| Record::parse(task.get().as_bytes()));
    let corrupt = |problem| EngineError::Corrupt(format!("envelope {seq}: {problem}"));
    let records = records.collect::<Result<_, _>>().map_err(corrupt)?;
    Ok((envelope.fired_at, records))
}

/// The callbacks that attempts of an envelope called whose tasks were patched while they were in
/// flight.
pub(super) type Dispatched<'a> = BTreeMap<u32, &'a RawValue>;

/// Replaces dispatched records by their patched versions. Returns the callbacks that they had.
pub(super) fn lay_over<'a>(
    records: &mut [Record<'a>],
    patched: &'a BTreeMap<u32, Vec<u8>>,
    seq: EnvelopeSeq,
) -> Result<Dispatched<'a>, EngineError> {
    let mut dispatched = Dispatched::new();
    for (index, text) in patched {
        let record = Record::parse(text).map_err(|problem| {
            EngineError::Corrupt(format!("a patch of envelope {seq}: {problem}"))
        })?;
        let slot = records.get_mut(*index as usize).ok_or_else(|| {
            EngineError::Corrupt(format!("envelope {seq} has no task {index} to patch"))
        })?;
        dispatched.insert(*index, slot.callback);
        *slot = record;
    }
    Ok(dispatched)
}

/// Adds the marks of pauses to the records of their runs.
pub(super) fn mark_paused<'a>(records: &mut [Record<'a>], marks: &'a Marks) {
    for (index, mark) in marks {
        if let Some(record) = records.get_mut(*index as usize) {
            *record = mark.on(record.clone());
        }
    }
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
