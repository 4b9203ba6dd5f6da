//! The record: a task as it is stored, fired, delivered and shown. JSON text, written once.

use super::text::on_one_line;
use crate::ids::OccurrenceKey;
use crate::time::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use twox_hash::XxHash64;

/// A record's fields, in the order in which they are written.
///
/// A one-shot task is stored with its `time`. A recurring one is stored without, and fired with the time of the occurrence put
/// in front: [`write_occurrence`]. `attempt` and what follows it describe the past of an occurrence that failed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Record<'a> {
    /// The due time that was asked for; of a recurring task, the occurrence. Absent on what is stored without.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i64>", description = "The due time that was asked for, milliseconds since 1970.")]
    pub time: Option<UnixMillis>,
    /// The task's id.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// The cron expression of a recurring task.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub cron: Option<Cow<'a, str>>,
    /// The IANA time zone that the expression is read in; absent: UTC.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Cow<'a, str>>,
    /// What the task is, in the user's words.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub description: Option<Cow<'a, str>>,
    /// A JSON array of strings.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<String>>", description = "Labels to find it by.")]
    pub tags: Option<&'a RawValue>,
    /// How to run it: see [`super::Callback`].
    #[serde(borrow)]
    #[schemars(with = "super::Callback<'static>", description = "What happens when it fires.")]
    pub callback: &'a RawValue,
    /// See [`crate::retry::RetryInput`].
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::retry::RetryInput>", description = "When it is tried again after a failure.")]
    pub retry: Option<&'a RawValue>,
    /// The user's data.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub payload: Option<&'a RawValue>,
    /// That a recurring task waits to be resumed. Of others, their place in the order says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// Which attempt this is; absent on the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// When the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i64>", description = "When the last attempt failed, milliseconds since 1970.")]
    pub failed_at: Option<UnixMillis>,
    /// Why the last attempt failed.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'a, str>>,
    /// When it was told to run as a dead letter: the time that its retries may take counts from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i64>", description = "When it was replayed as a dead letter, milliseconds since 1970.")]
    pub replayed_at: Option<UnixMillis>,
}

impl<'a> Record<'a> {
    /// Reads a record. Unknown fields are passed over, so that an older reader can read a newer record.
    ///
    /// # Errors
    /// When the text is not a record.
    pub fn parse(text: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// Appends the record's text to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut fields = RecordWriter::start(out, self.time, &self.id);
        fields.text("cron", self.cron.as_deref());
        fields.text("timezone", self.timezone.as_deref());
        fields.text("description", self.description.as_deref());
        fields.json("tags", self.tags);
        fields.json("callback", Some(self.callback));
        fields.json("retry", self.retry);
        fields.json("payload", self.payload);
        fields.flag("paused", self.is_paused());
        fields.number("attempt", self.attempt.map(i64::from));
        fields.number("failedAt", self.failed_at.map(UnixMillis::get));
        fields.text("error", self.error.as_deref());
        fields.number("replayedAt", self.replayed_at.map(UnixMillis::get));
        fields.finish();
    }

    /// The attempt that this record is: 1 on the first.
    pub fn attempt_number(&self) -> u32 {
        self.attempt.unwrap_or(1)
    }

    /// Whether it waits to be resumed, as far as the record says.
    pub fn is_paused(&self) -> bool {
        self.paused == Some(true)
    }

    /// Whether it fires again and again.
    pub fn is_recurring(&self) -> bool {
        self.cron.is_some()
    }

    /// Whether it goes to the user's own consumer.
    pub fn goes_to_queue(&self) -> bool {
        super::Callback::parse(self.callback.get()).is_ok_and(|callback| callback.is_queue())
    }

    /// The name of this firing; the time is 0 where the record has none.
    pub fn occurrence_key(&self) -> OccurrenceKey {
        OccurrenceKey { id: self.id.clone().into_owned(), time: self.time.unwrap_or(UnixMillis::ZERO) }
    }
}

/// Writes a record's text, field after field in the order of [`Record`]; absent ones leave nothing. Records are written by the
/// million, and this is several times as fast as the general serialiser.
pub(super) struct RecordWriter<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> RecordWriter<'o> {
    pub(super) fn start(out: &'o mut Vec<u8>, time: Option<UnixMillis>, id: &str) -> Self {
        out.push(b'{');
        if let Some(time) = time {
            out.extend_from_slice(b"\"time\":");
            write_json(time.get(), out);
            out.push(b',');
        }
        out.extend_from_slice(b"\"id\":");
        write_text(id, out);
        Self { out }
    }

    fn name(&mut self, name: &str) {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    pub(super) fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.name(name);
            write_text(value, self.out);
        }
    }

    pub(super) fn number(&mut self, name: &str, value: Option<i64>) {
        if let Some(value) = value {
            self.name(name);
            write_json(value, self.out);
        }
    }

    pub(super) fn json(&mut self, name: &str, value: Option<&RawValue>) {
        if let Some(value) = value {
            self.name(name);
            self.out.extend_from_slice(on_one_line(value.get()).as_bytes());
        }
    }

    pub(super) fn flag(&mut self, name: &str, value: bool) {
        if value {
            self.name(name);
            self.out.extend_from_slice(b"true");
        }
    }

    pub(super) fn finish(self) {
        self.out.push(b'}');
    }
}

/// The version of a record: another whenever its text is, for writers that must not undo each other. xxh64 of the text.
pub fn version_of(record: &[u8]) -> u64 {
    XxHash64::oneshot(0, record)
}

fn write_json(value: impl Serialize, out: &mut Vec<u8>) {
    // Writing numbers and strings to a Vec cannot fail.
    let _ = serde_json::to_writer(out, &value);
}

/// Appends `text` as a JSON string. Most texts need no escape, which eight bytes at a time can tell.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    if needs_escape(text.as_bytes()) {
        return write_json(text, out);
    }
    out.reserve(text.len() + 2);
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Whether a JSON string of these bytes escapes any: a quote, a backslash or a control character.
fn needs_escape(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // The high bit of each byte that is less than `n` (at most 128), or is zero; bytes from 128 are left out.
    let less = |word: u64, n: u64| word.wrapping_sub(ONES * n) & !word & HIGH;
    let zero = |word: u64| less(word, 1);
    let (words, rest) = bytes.as_chunks::<8>();
    words.iter().any(|word| {
        let word = u64::from_le_bytes(*word);
        less(word, 0x20) | zero(word ^ (ONES * u64::from(b'"'))) | zero(word ^ (ONES * u64::from(b'\\'))) != 0
    }) || rest.iter().any(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\')
}

/// Appends a recurring task's stored record to `out` as the record of its occurrence at `time`.
pub fn write_occurrence(stored: &[u8], time: UnixMillis, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"time\":");
    out.extend_from_slice(time.get().to_string().as_bytes());
    out.push(b',');
    out.extend_from_slice(stored.get(1..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_in_order_and_read_back() {
        let text = br#"{"time":5,"id":"a\"b","description":"d","tags":["x"],"callback":{"type":"handler","name":"log"},"retry":{"factor":2},"payload":{"n": 1},"attempt":2,"failedAt":7,"error":"no","replayedAt":9}"#;
        let record = Record::parse(text).unwrap();
        assert_eq!(record.occurrence_key().to_string(), "a\"b@5");
        let mut out = Vec::new();
        record.write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), String::from_utf8(text.to_vec()).unwrap());
    }

    #[test]
    fn texts_are_written_as_the_general_serialiser_writes_them() {
        for special in ['"', '\\', '\n', '\0', '\u{1f}', ' ', '~', '\u{7f}', '\u{80}', 'ä', '\u{2028}', '😀'] {
            for before in 0..10 {
                for after in 0..10 {
                    let text = format!("{}{special}{}", "a".repeat(before), "z".repeat(after));
                    let mut out = Vec::new();
                    write_text(&text, &mut out);
                    assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&text).unwrap());
                }
            }
        }
    }

    #[test]
    fn an_occurrence_gets_its_time_in_front() {
        let mut out = Vec::new();
        write_occurrence(br#"{"id":"a","cron":"* * * * *","callback":{}}"#, UnixMillis::new(60_000), &mut out);
        assert_eq!(Record::parse(&out).unwrap().time, Some(UnixMillis::new(60_000)));
        assert_eq!(out, br#"{"time":60000,"id":"a","cron":"* * * * *","callback":{}}"#);
    }
}
