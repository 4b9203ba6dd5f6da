//! A checked task, and the record that it becomes.

use super::Origin;
use super::follow_ups::FollowUps;
use super::policies::DEFAULT_PRIORITY;
use super::record_writer::RecordWriter;
use crate::bounds::{MAX_ORIGIN_BYTES, MAX_OUTCOME_BYTES, MAX_RECORD_BYTES};
use crate::ids::TaskId;
use crate::input::{FieldError, Text, at_most};
use crate::schedule::ScheduleFields;
use scheduler_calendar::rrule::MAX_RULE_BYTES;
use scheduler_calendar::time::UnixMillis;
use serde_json::value::RawValue;

/// A checked task.
#[derive(Debug)]
pub struct ValidTask<'a> {
    /// The task's name.
    pub id: TaskId<'a>,
    /// When it first fires; [`UnixMillis::NEVER`] if it has no schedule.
    pub due: UnixMillis,
    /// Whether it fires again and again.
    pub recurring: bool,
    /// Whether its record goes to the user's own consumer.
    pub to_queue: bool,
    /// Whether the shard must read its record when it is due, to decide whether it still fires.
    pub is_conditional: bool,
    /// Whether it fires once, at a time that was given as a local time.
    pub is_at_local_time: bool,
    pub(super) priority: Option<u8>,
    pub(super) limit_key: Option<Text<'a>>,
    pub(super) paused: Option<bool>,
    pub(super) has_open_anchor: bool,
    /// The requested time.
    pub(super) time: Option<UnixMillis>,
    pub(super) schedule: Option<Box<ScheduleFields<'a>>>,
    pub(super) description: Option<Text<'a>>,
    pub(super) tags: Option<&'a RawValue>,
    pub(super) callback: &'a RawValue,
    pub(super) is_callback_as_stored: bool,
    pub(super) follow_ups: Option<Box<FollowUps<'a>>>,
    pub(super) retry: Option<&'a RawValue>,
    pub(super) payload: Option<&'a RawValue>,
}

impl ValidTask<'_> {
    /// Appends the task's record to `out`, as [`super::Record::write`] would write it.
    pub fn write_record(&self, origin: &Origin, out: &mut Vec<u8>) {
        let mut fields = RecordWriter::start(out, self.time, self.id.as_str());
        if let Some(schedule) = &self.schedule {
            fields.schedule(schedule);
        }
        fields.text(
            "description",
            self.description.as_ref().map(|description| description.0.as_ref()),
        );
        fields.json("tags", self.tags);
        if self.is_callback_as_stored {
            fields.stored_json("callback", self.callback);
        } else {
            fields.json_with_numbers("callback", Some(self.callback));
        }
        fields.json_with_numbers(
            "onSuccess",
            self.follow_ups.as_ref().and_then(|follow_ups| follow_ups.on_success),
        );
        fields.json_with_numbers(
            "onFailure",
            self.follow_ups.as_ref().and_then(|follow_ups| follow_ups.on_failure),
        );
        fields.json_with_numbers("retry", self.retry);
        fields.json("payload", self.payload);
        fields.number("priority", self.priority.map(i64::from));
        fields.text("limitKey", self.limit_key());
        fields.flag("paused", self.is_paused() && self.recurring);
        fields.members(origin.members());
        fields.finish();
    }

    /// Returns its priority.
    pub fn priority(&self) -> u8 {
        self.priority.unwrap_or(DEFAULT_PRIORITY)
    }

    /// Returns the key of the limit that bounds its runs.
    pub fn limit_key(&self) -> Option<&str> {
        self.limit_key.as_ref().map(|key| key.0.as_ref())
    }

    /// Returns its place in the order of firing: its due time, or the place of paused tasks if it
    /// is paused.
    pub fn place(&self) -> UnixMillis {
        let waits = self.recurring || self.due != UnixMillis::NEVER;
        if self.is_paused() && waits { UnixMillis::PAUSED } else { self.due }
    }

    fn is_paused(&self) -> bool {
        self.paused == Some(true)
    }

    /// Returns whether the request says if the task is paused.
    pub fn says_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// Returns whether the check chose its anchor, because the request gives none.
    pub fn has_open_anchor(&self) -> bool {
        self.has_open_anchor
    }
}

impl ValidTask<'_> {
    /// Checks that the record fits a queue message. Only escapes and headers can make it too large.
    /// So it is written and measured only if its parts are more than half of the limit.
    pub(super) fn check_size(&self) -> Result<(), FieldError> {
        let raw = |value: Option<&RawValue>| value.map_or(0, |value| value.get().len());
        // A cron list may contain any amount of white space and escapes.
        let schedule = self.schedule.as_ref().map_or(0, |schedule| {
            raw(schedule.cron)
                + raw(schedule.misfire)
                + raw(schedule.exclude)
                + 2 * MAX_RULE_BYTES
                + schedule.words.as_ref().map_or(0, |words| words.len())
        });
        let parts = self.id.bytes()
            + schedule
            + self.description.as_ref().map_or(0, |text| text.0.len())
            + raw(self.tags)
            + raw(Some(self.callback))
            + self
                .follow_ups
                .as_ref()
                .map_or(0, |follow_ups| raw(follow_ups.on_success) + raw(follow_ups.on_failure))
            + raw(self.retry)
            + raw(self.payload);
        if parts < MAX_RECORD_BYTES / 2 {
            return Ok(());
        }
        let mut record = Vec::with_capacity(parts + 256);
        self.write_record(&Origin::default(), &mut record);
        let outcome = if self.follow_ups.is_some() { MAX_OUTCOME_BYTES } else { 0 };
        at_most("body", record.len(), MAX_RECORD_BYTES - MAX_ORIGIN_BYTES - outcome)
    }
}
