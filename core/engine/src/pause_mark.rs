//! Marks of pauses: when a pause began, who asked for it, and why. The record of a paused task has
//! the mark. For a run in flight, the decision about it has the mark.

use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::codec::{CodecError, put_text, take_number, take_text, varint};
use scheduler_model::protocol::PauseReason;
use scheduler_model::task::Record;
use std::borrow::Cow;

/// When a pause began, who asked for it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PauseMark {
    pub(super) at: UnixMillis,
    pub(super) reason: PauseReason,
}

impl PauseMark {
    /// Returns the mark in a record; `None` if the task is not paused, or if an earlier version has
    /// paused it.
    pub(super) fn of(record: &Record<'_>) -> Option<Self> {
        let owned = |text: &Option<Cow<'_, str>>| text.clone().map(Cow::into_owned);
        let reason = PauseReason { by: owned(&record.paused_by), note: owned(&record.pause_note) };
        Some(Self { at: record.paused_at?, reason })
    }

    /// Returns the mark for a task that a definition pauses: the time and the key of the request.
    pub(super) fn of_request(given: &Record<'_>) -> Option<Self> {
        let by = given.created_by.clone().map(Cow::into_owned);
        Some(Self { at: given.created_at?, reason: PauseReason { by, note: None } })
    }

    /// Returns a record with this mark.
    pub(super) fn on<'a>(&'a self, record: Record<'a>) -> Record<'a> {
        let text = |text: &'a Option<String>| text.as_deref().map(Cow::Borrowed);
        Record {
            paused_at: Some(self.at),
            paused_by: text(&self.reason.by),
            pause_note: text(&self.reason.note),
            ..record
        }
    }

    /// Returns the most bytes of its stored form.
    pub(super) fn stored_bytes(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len) + 3;
        10 + text(&self.reason.by) + text(&self.reason.note)
    }

    /// Appends the stored form: the time, then the two texts, each of which is empty if it is
    /// absent.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        varint::put(self.at.get().unsigned_abs(), out);
        for text in [&self.reason.by, &self.reason.note] {
            put_text(text.as_deref().unwrap_or_default(), out);
        }
    }

    /// Takes the stored form off the front of `rest`.
    pub(super) fn take(rest: &mut &[u8]) -> Result<Self, CodecError> {
        let at = UnixMillis::new(take_number(rest)?);
        let mut text = || {
            let text = take_text(rest)?;
            Ok::<_, CodecError>((!text.is_empty()).then(|| text.to_owned()))
        };
        let reason = PauseReason { by: text()?, note: text()? };
        Ok(Self { at, reason })
    }
}
