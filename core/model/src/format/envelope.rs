//! Envelopes: many fired tasks in one queue message.
//!
//! Text, version 1:
//! `{"v":1,"shard":"1-3","seq":42,"firedAt":1764000000005,"tasks":[record,record]}`. It is JSON, so
//! that a user's consumer can read it in any language. The records are the stored texts, joined
//! without parsing. An envelope that is sent to the dispatchers again may have `"skip":[1,3]`
//! before `tasks`: the indexes of tasks that must not be started.

use crate::bounds::{ENVELOPE_TARGET_BYTES, MAX_PAGE_TASKS};
use crate::numbers::EnvelopeSeq;
use scheduler_calendar::time::UnixMillis;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The written version, which is also the only one that is read.
pub const VERSION: u32 = 1;

/// An envelope as a reader parses it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope<'a> {
    v: u32,
    /// The shard that fired the envelope, and to which outcomes are reported.
    pub shard: &'a str,
    /// Its number in the shard's outbox.
    pub seq: EnvelopeSeq,
    /// When the shard fired it.
    pub fired_at: UnixMillis,
    /// The indexes of tasks that were stopped since. A dispatcher does not start them, and reports
    /// them as not started. A dispatcher of an earlier version, which does not know this field,
    /// starts them.
    #[serde(default)]
    pub skip: Vec<u32>,
    /// The records, in firing order. Parse one with [`crate::task::Record::parse`].
    #[serde(borrow)]
    pub tasks: Vec<&'a RawValue>,
}

/// Why a text is not an envelope.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// The text is not this JSON.
    #[error("not an envelope: {0}")]
    Json(#[from] serde_json::Error),
    /// The version is unknown.
    #[error("the envelope has version {0}; this reader knows {VERSION}")]
    Version(u32),
}

impl<'a> Envelope<'a> {
    /// Parses an envelope.
    ///
    /// # Errors
    /// Returns an error if the text is not an envelope, or has an unknown version.
    pub fn parse(text: &'a str) -> Result<Self, EnvelopeError> {
        let envelope: Self = serde_json::from_str(text)?;
        if envelope.v == VERSION { Ok(envelope) } else { Err(EnvelopeError::Version(envelope.v)) }
    }
}

/// Checks that the text of an envelope has this firing time, without parsing its tasks.
pub fn is_fired_at(text: &[u8], fired_at: UnixMillis) -> bool {
    let head =
        memchr::memmem::find(text, b",\"tasks\":[").and_then(|end| text.get(..end)).unwrap_or(text);
    let name = b"\"firedAt\":";
    let digits = memchr::memmem::find(head, name)
        .and_then(|at| head.get(at + name.len()..))
        .unwrap_or_default();
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end).is_some_and(|digits| digits == fired_at.to_string().as_bytes())
}

/// Returns the text of an envelope with the indexes of tasks that must not be started.
pub fn with_skip(text: &[u8], skip: &[u32]) -> Vec<u8> {
    // The name of a shard contains no quotes, so the first occurrence is the envelope's own.
    let Some(at) = memchr::memmem::find(text, b"\"tasks\":[") else { return text.to_vec() };
    let (head, tasks) = text.split_at(at);
    let indexes: Vec<String> = skip.iter().map(u32::to_string).collect();
    [head, b"\"skip\":[", indexes.join(",").as_bytes(), b"],", tasks].concat()
}

/// Joins records into one envelope.
#[derive(Debug)]
pub struct EnvelopeBuilder {
    seq: EnvelopeSeq,
    text: Vec<u8>,
    tasks: usize,
    max_tasks: usize,
}

impl EnvelopeBuilder {
    /// Returns an empty envelope for up to `max_tasks`.
    pub fn new(shard: &str, seq: EnvelopeSeq, fired_at: UnixMillis, max_tasks: usize) -> Self {
        // The name of a shard needs no escapes.
        let head = format!(
            "{{\"v\":{VERSION},\"shard\":\"{shard}\",\"seq\":{seq},\"firedAt\":{fired_at},\"tasks\":["
        );
        Self { seq, text: head.into_bytes(), tasks: 0, max_tasks: max_tasks.min(MAX_PAGE_TASKS) }
    }

    /// Returns the number of the envelope.
    pub fn seq(&self) -> EnvelopeSeq {
        self.seq
    }

    /// Returns whether a record of `bytes` still fits. An empty envelope has room for any record.
    pub fn has_room_for(&self, bytes: usize) -> bool {
        self.tasks == 0
            || (self.tasks < self.max_tasks && self.text.len() + bytes + 3 <= ENVELOPE_TARGET_BYTES)
    }

    /// Adds the record that `write` appends.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.tasks > 0 {
            self.text.push(b',');
        }
        write(&mut self.text);
        self.tasks += 1;
    }

    /// Returns the envelope's text.
    pub fn finish(mut self) -> Vec<u8> {
        self.text.extend_from_slice(b"]}");
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::{MAX_ENVELOPE_BYTES, MAX_RECORD_BYTES};

    /// These bytes never change, because users' consumers read them.
    #[test]
    fn golden_bytes() {
        let mut builder = EnvelopeBuilder::new(
            "1-3",
            EnvelopeSeq::new(42),
            UnixMillis::new(1_764_000_000_005),
            100,
        );
        builder
            .push(|out| out.extend_from_slice(br#"{"time":1764000000000,"id":"a","callback":{}}"#));
        builder
            .push(|out| out.extend_from_slice(br#"{"time":1764000000001,"id":"b","callback":{}}"#));
        let text = String::from_utf8(builder.finish()).unwrap();
        assert_eq!(
            text,
            r#"{"v":1,"shard":"1-3","seq":42,"firedAt":1764000000005,"tasks":[{"time":1764000000000,"id":"a","callback":{}},{"time":1764000000001,"id":"b","callback":{}}]}"#
        );
        let read = Envelope::parse(&text).unwrap();
        assert_eq!((read.shard, read.seq, read.tasks.len()), ("1-3", EnvelopeSeq::new(42), 2));
    }

    /// These bytes never change, because dispatchers of other deployments read them.
    #[test]
    fn golden_bytes_with_tasks_to_skip() {
        let text = br#"{"v":1,"shard":"a:1-3","seq":42,"firedAt":5,"tasks":[{"id":"\"tasks\":["},{"id":"b"},{"id":"c"}]}"#;
        let again = String::from_utf8(with_skip(text, &[0, 2])).unwrap();
        let expected = r#"{"v":1,"shard":"a:1-3","seq":42,"firedAt":5,"skip":[0,2],"tasks":[{"id":"\"tasks\":["},{"id":"b"},{"id":"c"}]}"#;
        assert_eq!(again, expected);
        let read = Envelope::parse(&again).unwrap();
        assert_eq!((read.skip, read.tasks.len()), (vec![0, 2], 3));
        assert_eq!(Envelope::parse(std::str::from_utf8(text).unwrap()).unwrap().skip, [0; 0]);
    }

    #[test]
    fn an_envelope_is_closed_by_size_and_by_count() {
        let mut builder = EnvelopeBuilder::new("1-3", EnvelopeSeq::new(1), UnixMillis::ZERO, 3);
        assert!(builder.has_room_for(MAX_RECORD_BYTES));
        builder.push(|out| out.resize(out.len() + 100, b'x'));
        assert!(!builder.has_room_for(ENVELOPE_TARGET_BYTES));
        assert!(builder.has_room_for(100));
        builder.push(|_| {});
        builder.push(|_| {});
        assert!(!builder.has_room_for(1));
    }

    #[test]
    fn the_largest_record_fits() {
        let mut builder =
            EnvelopeBuilder::new("65535-65535", EnvelopeSeq::new(u64::MAX), UnixMillis::NEVER, 1);
        builder.push(|out| out.resize(out.len() + MAX_RECORD_BYTES, b'x'));
        // A retry adds an attempt number, a time and an error of 500 characters with escapes to a
        // record.
        assert!(builder.finish().len() + 3_200 <= MAX_ENVELOPE_BYTES);
    }

    #[test]
    fn other_versions_are_refused() {
        assert!(matches!(
            Envelope::parse(r#"{"v":2,"shard":"1-3","seq":1,"firedAt":0,"tasks":[]}"#),
            Err(EnvelopeError::Version(2))
        ));
        assert!(Envelope::parse("{}").is_err());
    }
}
