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

/// The name of the member that only the engine uses: [`Record::unfinished_version`].
pub(super) const UNFINISHED: &str = "unfinishedVersion";

/// A record's fields, in the order in which they are written.
///
/// A one-shot task is stored with its `time`. A recurring task is stored without it, and
/// [`write_occurrence`] puts the time of the occurrence in front when it fires. `attempt` and the
/// fields after it describe the former attempts of a failed occurrence.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Record<'a> {
    /// The requested due time; for a run of a recurring task, the occurrence. Absent in the stored
    /// record of a recurring task, and if there is no schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "The requested due time, milliseconds since 1970."
    )]
    pub time: Option<UnixMillis>,
    /// The task's id.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// A cron expression, or an array of several.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<crate::schedule::CronText>",
        description = "A cron expression, or a list of them."
    )]
    pub cron: Option<&'a RawValue>,
    /// The IANA time zone that `cron` and `rrule` are read in; absent: UTC.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Cow<'a, str>>,
    /// The times that were given as local ones: `timezone` is their zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<LocalTimes>,
    /// The interval at which it fires, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<f64>,
    /// The time from which the runs of the interval are computed. No run is earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "The time from which the runs of the interval are computed, milliseconds since 1970. No run is earlier."
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
    /// It does not recur after this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "It does not recur after this time, milliseconds since 1970."
    )]
    pub end_at: Option<UnixMillis>,
    /// What it leaves out: see [`crate::schedule::ExcludeInput`].
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<crate::schedule::ExcludeInput<'static>>",
        description = "The days and the times of day at which it does not fire."
    )]
    pub exclude: Option<&'a RawValue>,
    /// The most runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_runs: Option<u32>,
    /// The first run, if runs are counted. It is computed when the task is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "The first run, if runs are counted, milliseconds since 1970."
    )]
    pub first_run: Option<UnixMillis>,
    /// The last run, if runs are counted. It is computed when the task is accepted. Earlier
    /// versions stored it as `lastRun`.
    #[serde(skip_serializing_if = "Option::is_none", alias = "lastRun")]
    #[schemars(
        with = "Option<i64>",
        description = "The last run, if runs are counted, milliseconds since 1970."
    )]
    pub final_run: Option<UnixMillis>,
    /// The most by which each run is delayed at random, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter_seconds: Option<f64>,
    /// The most by which each run may be later, so that several fire together, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<f64>,
    /// What happens to missed runs: see [`crate::schedule::MisfireInput`].
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<crate::schedule::MisfireInput>",
        description = "What happens to missed runs."
    )]
    pub misfire: Option<&'a RawValue>,
    /// What happens to a run that comes due before the previous one has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Overlap>,
    /// How long after its due time a run may still start, in seconds.
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
    /// What to run: see [`super::Callback`].
    #[serde(borrow)]
    #[schemars(with = "super::Callback<'static>", description = "What happens when it fires.")]
    pub callback: &'a RawValue,
    /// What to run when a run has succeeded: see [`super::Callback`].
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<super::Callback<'static>>",
        description = "What happens when a run has succeeded."
    )]
    pub on_success: Option<&'a RawValue>,
    /// What to run when a run has failed for good.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<super::Callback<'static>>",
        description = "What happens when a run has failed for good."
    )]
    pub on_failure: Option<&'a RawValue>,
    /// The retry policy: see [`crate::retry::RetryInput`].
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
    /// 0 to 9. If absent, [`super::DEFAULT_PRIORITY`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        description = "Of tasks that are due together, those with a higher priority fire first."
    )]
    pub priority: Option<u8>,
    /// The key of the limit that bounds its runs.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(description = "The key of the limit that bounds its runs.")]
    pub limit_key: Option<Cow<'a, str>>,
    /// Whether a recurring task is paused. For any other task, its place in the order says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// When the task was paused. Absent if it is not paused, if an earlier version paused it, or if
    /// it was created paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "When the task was paused, milliseconds since 1970. Absent if it is not paused, if it was created paused, or if an earlier release paused it."
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
    /// For a paused task that a request has changed in part: its version before the request. It
    /// stays the version of the task until the last part. Answers leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub unfinished_version: Option<u64>,
    /// When the task was created. Absent if an earlier version created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "When the task was created, milliseconds since 1970. Absent if an earlier release created it."
    )]
    pub created_at: Option<UnixMillis>,
    /// When its definition was last changed. Absent if it was not.
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
    /// For a follow-up, the field that requested it: [`super::ON_SUCCESS`] or
    /// [`super::ON_FAILURE`].
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(
        description = "`onSuccess` or `onFailure`, if it is a follow-up. Its `callback` is the target that this field named."
    )]
    pub stage: Option<Cow<'a, str>>,
    /// For a follow-up, how the run ended: a [`crate::protocol::TaskRun`].
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<crate::protocol::TaskRun<'static>>",
        description = "How the run ended, if it is a follow-up."
    )]
    pub outcome: Option<&'a RawValue>,
    /// The number of the attempt; absent for the first.
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
    /// When the first attempt began, or a further one was resumed. The policy's limit on the time
    /// of all retries counts from here. Absent for the first attempt, and for further attempts that
    /// earlier versions stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "When the first attempt began, milliseconds since 1970. `retry.maxDurationSeconds` counts from here."
    )]
    pub first_attempt_at: Option<UnixMillis>,
    /// When the run was requested: a replay of a dead letter, a run before the task's time, or a run
    /// that was due and waited. Its lateness counts from here, and it never counts as missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "When the run was requested, milliseconds since 1970: for a replay of a dead letter, a run before the task's time, \
            or a run that was due and waited."
    )]
    pub replayed_at: Option<UnixMillis>,
    /// The time from which its lateness counts, if a new law or a shorter delay has moved its due
    /// time into the past.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "If a new law of its time zone, or a shorter delay, has moved its due time into the past, the time from which its \
            lateness counts, milliseconds since 1970."
    )]
    pub late_since: Option<UnixMillis>,
    /// For a paused further attempt, the earliest time at which it starts, even if it is resumed
    /// before. For a paused run that was held, [`UnixMillis::HELD`]: it waits for the run before,
    /// even if it is resumed before that has ended. Answers leave that value out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "Option<i64>",
        description = "For a paused further attempt, the earliest time at which it starts, milliseconds since 1970."
    )]
    pub not_before: Option<UnixMillis>,
}

/// Returns the fields of a schedule as the text of a record that has nothing else.
pub(crate) fn when(time: Option<UnixMillis>, schedule: &ScheduleFields<'_>) -> String {
    let mut out = Vec::new();
    let mut fields = RecordWriter::start(&mut out, time, "");
    fields.schedule(schedule);
    fields.members(b",\"callback\":{}");
    fields.finish();
    // The writer writes text only.
    String::from_utf8(out).unwrap_or_default()
}

impl<'a> Record<'a> {
    /// Reads a record. Unknown fields are ignored, so that an older reader can read a newer record.
    ///
    /// # Errors
    /// Returns an error if the text is not a record.
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
        fields.version(UNFINISHED, self.unfinished_version);
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

/// Returns the version of a record: xxh64 of its text. Writers compare versions, so that none
/// undoes the change of another. The mark of a pause is left out, because a pause does not change
/// what a writer has read. A request that is done in parts changes the version with its last part.
pub fn version_of(record: &[u8]) -> u64 {
    const MARKS: [&[u8]; 2] = [b",\"pausedAt\":", b",\"unfinishedVersion\":"];
    let is_marked = MARKS.iter().any(|mark| memchr::memmem::find(record, mark).is_some());
    let Some(marked) = Some(record).filter(|_| is_marked).and_then(|it| Record::parse(it).ok())
    else {
        return digest_of(record);
    };
    if let Some(version) = marked.unfinished_version {
        return version;
    }
    if marked.paused_at.is_none() {
        return digest_of(record);
    }
    let mut unmarked = Vec::with_capacity(record.len());
    Record { paused_at: None, paused_by: None, pause_note: None, ..marked }.write(&mut unmarked);
    digest_of(&unmarked)
}

/// Returns the xxh64 of a text.
pub fn digest_of(text: &[u8]) -> u64 {
    XxHash64::oneshot(0, text)
}

/// Appends to `out` the record of the occurrence of a recurring task at `time`. `stored` is the
/// record of the task.
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
