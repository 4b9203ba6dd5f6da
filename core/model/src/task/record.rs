//! The record: a task as it is stored, fired, delivered and shown. JSON text, written once.

mod derived;

use super::record_writer::RecordWriter;
use crate::schedule::{LocalTimes, Overlap, ScheduleFields};
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use twox_hash::XxHash64;

/// A record's fields, in the order in which they are written.
///
/// A one-shot task is stored with its `time`. A recurring one is stored without, and fired with the
/// time of the occurrence put in front: [`write_occurrence`]. `attempt` and what follows it
/// describe the past of an occurrence that failed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Record<'a> {
    /// The due time that was asked for; of a recurring task, the occurrence. Absent on what is
    /// stored without.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "The due time that was asked for, milliseconds since 1970."
    )]
    pub time: Option<UnixMillis>,
    /// The task's id.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// A cron expression, or an array of several.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<crate::schedule::CronText>",
        description = "When it fires, again and again."
    )]
    pub cron: Option<&'a RawValue>,
    /// The IANA time zone that `cron` and `rrule` are read in; absent: UTC.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Cow<'a, str>>,
    /// The times that were given as local ones: `timezone` is their zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<LocalTimes>,
    /// The interval at which it fires, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<f64>,
    /// A run of the interval, before which there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "A run of the interval, before which there is none, milliseconds since 1970."
    )]
    pub anchor: Option<UnixMillis>,
    /// The rule of RFC 5545 by which it fires, beginning at `startAt`.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub rrule: Option<Cow<'a, str>>,
    /// It does not recur before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "It does not recur before this time, milliseconds since 1970."
    )]
    pub start_at: Option<UnixMillis>,
    /// Nor after this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "It does not recur after this time, milliseconds since 1970."
    )]
    pub end_at: Option<UnixMillis>,
    /// How often it recurs at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_runs: Option<u32>,
    /// The first run, where runs are counted; worked out when it was taken in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "The first run, where runs are counted, milliseconds since 1970."
    )]
    pub first_run: Option<UnixMillis>,
    /// The last run to come, where runs are counted; worked out when it was taken in. Earlier
    /// versions stored it as `lastRun`.
    #[serde(skip_serializing_if = "Option::is_none", alias = "lastRun")]
    #[schemars(
        with = "Option<i64>",
        description = "The time of the last run, where runs are counted, milliseconds since 1970."
    )]
    pub final_run: Option<UnixMillis>,
    /// By how much each run is put off at most, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter_seconds: Option<f64>,
    /// By how much later each run may be, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<f64>,
    /// What becomes of runs that were missed: see [`crate::schedule::MisfireInput`].
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<crate::schedule::MisfireInput>",
        description = "What becomes of runs that were missed."
    )]
    pub misfire: Option<&'a RawValue>,
    /// What becomes of a run that comes before the end of the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Overlap>,
    /// A run does not start later than so long after it was due, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire_after_seconds: Option<f64>,
    /// The sentence that the schedule was given in.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(description = "The sentence that the schedule was given in.")]
    pub words: Option<Cow<'a, str>>,
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
    /// What is run once it has succeeded: see [`super::Callback`].
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<super::Callback<'static>>",
        description = "What happens once a run has succeeded."
    )]
    pub on_success: Option<&'a RawValue>,
    /// What is run once it has failed for good.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<super::Callback<'static>>",
        description = "What happens once a run has failed for good."
    )]
    pub on_failure: Option<&'a RawValue>,
    /// See [`crate::retry::RetryInput`].
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<crate::retry::RetryInput>",
        description = "When it is tried again after a failure."
    )]
    pub retry: Option<&'a RawValue>,
    /// The user's data.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub payload: Option<&'a RawValue>,
    /// 0 to 9; absent: [`super::DEFAULT_PRIORITY`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        description = "Of tasks that are due together, those with a higher priority fire first."
    )]
    pub priority: Option<u8>,
    /// The key of the limit that bounds its runs.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(description = "The key of the limit that bounds its runs.")]
    pub limit_key: Option<Cow<'a, str>>,
    /// That a recurring task waits to be resumed. Of others, their place in the order says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// When the task was paused, while it is paused. Absent if an earlier version paused it, or if
    /// it was created paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "When the task was paused, milliseconds since 1970. Absent if it is not paused, if it was created so, or if an earlier release paused it."
    )]
    pub paused_at: Option<UnixMillis>,
    /// The name of the API key that paused it.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(
        description = "The name of the API key that paused it. Absent for a key of the deployment's secret, which has no name."
    )]
    pub paused_by: Option<Cow<'a, str>>,
    /// Why it was paused.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(description = "Why it was paused: the `note` of the request.")]
    pub pause_note: Option<Cow<'a, str>>,
    /// When the task was created; absent on what earlier versions stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "When the task was created, milliseconds since 1970. Absent if an earlier release created it."
    )]
    pub created_at: Option<UnixMillis>,
    /// When its definition was last changed; absent if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "When its definition was last changed, milliseconds since 1970. Absent if it was not."
    )]
    pub updated_at: Option<UnixMillis>,
    /// The name of the API key that created it.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(
        description = "The name of the API key that created it. Absent for a key of the deployment's secret, which has no name."
    )]
    pub created_by: Option<Cow<'a, str>>,
    /// Of a follow-up, the field of the task that asked for it: [`super::ON_SUCCESS`] or
    /// [`super::ON_FAILURE`].
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(
        description = "`onSuccess` or `onFailure`, if it is a follow-up. Its `callback` is the target that this field named."
    )]
    pub stage: Option<Cow<'a, str>>,
    /// Of a follow-up, how the run ended: a [`crate::protocol::TaskRun`].
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<crate::protocol::TaskRun<'static>>",
        description = "How the run ended, if it is a follow-up."
    )]
    pub outcome: Option<&'a RawValue>,
    /// Which attempt this is; absent on the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// When the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "When the last attempt failed, milliseconds since 1970."
    )]
    pub failed_at: Option<UnixMillis>,
    /// Why the last attempt failed.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'a, str>>,
    /// When the first attempt began, or a further one was resumed: the time that its retries may
    /// take counts from here. Absent on the first attempt, and on further attempts that earlier
    /// versions stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "When the first attempt began, milliseconds since 1970. `retry.maxDurationSeconds` counts from here."
    )]
    pub first_attempt_at: Option<UnixMillis>,
    /// When a run of it was requested, of a dead letter or before its time. Its lateness counts
    /// from here, and it is never missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "When a run of the dead letter, or of the task before its time, was requested, milliseconds since 1970."
    )]
    pub replayed_at: Option<UnixMillis>,
    /// Its lateness counts from here, because a new law or a shorter delay has moved its due time
    /// into the past.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "If a new law of its time zone, or a shorter delay, has moved its due time into the past, the time from which its \
            lateness counts, milliseconds since 1970."
    )]
    pub late_since: Option<UnixMillis>,
    /// Of a paused further attempt: it starts no earlier than this, also if it is resumed before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "Of a paused further attempt, the earliest time at which it starts, milliseconds since 1970."
    )]
    pub not_before: Option<UnixMillis>,
}

/// Returns the fields that say when as the text of a record without more.
pub(crate) fn when(time: Option<UnixMillis>, schedule: &ScheduleFields<'_>) -> String {
    let mut out = Vec::new();
    let mut fields = RecordWriter::start(&mut out, time, "");
    fields.schedule(schedule);
    fields.members(b",\"callback\":{}");
    fields.finish();
    // It was written as text.
    String::from_utf8(out).unwrap_or_default()
}

impl<'a> Record<'a> {
    /// Reads a record. Unknown fields are passed over, so that an older reader can read a newer
    /// record.
    ///
    /// # Errors
    /// When the text is not a record.
    pub fn parse(text: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// Appends the record's text to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut fields = RecordWriter::start(out, self.time, &self.id);
        fields.schedule(&self.schedule());
        fields.text("description", self.description.as_deref());
        fields.json("tags", self.tags);
        fields.json("callback", Some(self.callback));
        fields.json(super::ON_SUCCESS, self.on_success);
        fields.json(super::ON_FAILURE, self.on_failure);
        fields.json("retry", self.retry);
        fields.json("payload", self.payload);
        fields.number("priority", self.priority.map(i64::from));
        fields.text("limitKey", self.limit_key.as_deref());
        fields.flag("paused", self.is_paused());
        fields.number("pausedAt", self.paused_at.map(UnixMillis::get));
        fields.text("pausedBy", self.paused_by.as_deref());
        fields.text("pauseNote", self.pause_note.as_deref());
        fields.number("createdAt", self.created_at.map(UnixMillis::get));
        fields.number("updatedAt", self.updated_at.map(UnixMillis::get));
        fields.text("createdBy", self.created_by.as_deref());
        fields.text("stage", self.stage.as_deref());
        fields.json("outcome", self.outcome);
        fields.number("attempt", self.attempt.map(i64::from));
        fields.number("failedAt", self.failed_at.map(UnixMillis::get));
        fields.text("error", self.error.as_deref());
        fields.number("firstAttemptAt", self.first_attempt_at.map(UnixMillis::get));
        fields.number("replayedAt", self.replayed_at.map(UnixMillis::get));
        fields.number("lateSince", self.late_since.map(UnixMillis::get));
        fields.number("notBefore", self.not_before.map(UnixMillis::get));
        fields.finish();
    }
}

/// Returns the version of a record: another whenever its text is, for writers that must not undo
/// each other. A pause does not change what a writer has read, so its mark does not count. xxh64 of
/// the text without it.
pub fn version_of(record: &[u8]) -> u64 {
    const MARK: &[u8] = b",\"pausedAt\":";
    let marked = memchr::memmem::find(record, MARK).and_then(|_| Record::parse(record).ok());
    let Some(marked) = marked.filter(|record| record.paused_at.is_some()) else {
        return digest_of(record);
    };
    let mut unmarked = Vec::with_capacity(record.len());
    Record { paused_at: None, paused_by: None, pause_note: None, ..marked }.write(&mut unmarked);
    digest_of(&unmarked)
}

/// Returns a digest of a text: xxh64.
pub fn digest_of(text: &[u8]) -> u64 {
    XxHash64::oneshot(0, text)
}

/// Appends a recurring task's stored record to `out` as the record of its occurrence at `time`.
pub fn write_occurrence(stored: &[u8], time: UnixMillis, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"time\":");
    out.extend_from_slice(time.get().to_string().as_bytes());
    out.push(b',');
    debug_assert!(stored.starts_with(b"{\""), "what is stored is a record");
    out.extend_from_slice(stored.get(1..).unwrap_or_default());
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
