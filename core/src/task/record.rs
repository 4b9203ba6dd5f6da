//! The record: a task as it is stored, fired, delivered and shown. JSON text, written once.

use crate::ids::OccurrenceKey;
use crate::time::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A record's fields, in the order in which they are written.
///
/// A one-shot task is stored with its `time`. A recurring one is stored without, and fired with the time of the occurrence put
/// in front: [`write_occurrence`]. `attempt` and what follows it describe the past of an occurrence that failed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
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
        // Writing to a Vec cannot fail, nor can serialising these types (no maps with keys that are not strings).
        let _ = serde_json::to_writer(out, self);
    }

    /// The attempt that this record is: 1 on the first.
    pub fn attempt_number(&self) -> u32 {
        self.attempt.unwrap_or(1)
    }

    /// The name of this firing; the time is 0 where the record has none.
    pub fn occurrence_key(&self) -> OccurrenceKey {
        OccurrenceKey { id: self.id.clone().into_owned(), time: self.time.unwrap_or(UnixMillis::ZERO) }
    }
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
        let text = br#"{"time":5,"id":"a\"b","description":"d","tags":["x"],"callback":{"type":"handler","name":"log"},"retry":{"factor":2},"payload":{"n": 1},"attempt":2,"failedAt":7,"error":"no"}"#;
        let record = Record::parse(text).unwrap();
        assert_eq!(record.occurrence_key().to_string(), "a\"b@5");
        let mut out = Vec::new();
        record.write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), String::from_utf8(text.to_vec()).unwrap());
    }

    #[test]
    fn an_occurrence_gets_its_time_in_front() {
        let mut out = Vec::new();
        write_occurrence(br#"{"id":"a","cron":"* * * * *","callback":{}}"#, UnixMillis::new(60_000), &mut out);
        assert_eq!(Record::parse(&out).unwrap().time, Some(UnixMillis::new(60_000)));
        assert_eq!(out, br#"{"time":60000,"id":"a","cron":"* * * * *","callback":{}}"#);
    }
}
