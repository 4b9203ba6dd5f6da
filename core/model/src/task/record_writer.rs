//! Writes the text of a record.

use super::json_text::{write_json, write_text};
use super::text::{on_one_line, with_whole_numbers, without_nulls};
use crate::schedule::{Overlap, ScheduleFields};
use scheduler_calendar::time::UnixMillis;
use serde_json::value::RawValue;

/// Writes a record's text, field by field in the order of [`super::Record`]. An absent field writes
/// nothing. Records are written by the million, and this is several times as fast as the general
/// serializer.
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

    #[inline]
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

    pub(super) fn version(&mut self, name: &str, value: Option<u64>) {
        if let Some(value) = value {
            self.name(name);
            write_json(value, self.out);
        }
    }

    /// Writes the fields of a schedule, without the time of a one-shot task.
    pub(super) fn schedule(&mut self, schedule: &ScheduleFields<'_>) {
        let millis = |time: Option<UnixMillis>| time.map(UnixMillis::get);
        self.json("cron", schedule.cron);
        self.text("timezone", schedule.timezone.as_deref());
        if let Some(local) = &schedule.local {
            self.name("local");
            write_json(local, self.out);
        }
        self.seconds("everySeconds", schedule.every_seconds);
        self.number("anchor", millis(schedule.anchor));
        self.text("rrule", schedule.rrule.as_deref());
        self.number("startAt", millis(schedule.start_at));
        self.number("endAt", millis(schedule.end_at));
        self.json_with_numbers("exclude", schedule.exclude);
        self.number("maxRuns", schedule.max_runs.map(i64::from));
        self.number("firstRun", millis(schedule.first_run));
        self.number("finalRun", millis(schedule.final_run));
        self.seconds("jitterSeconds", schedule.jitter_seconds);
        self.seconds("windowSeconds", schedule.window_seconds);
        self.json_with_numbers("misfire", schedule.misfire);
        self.text("overlap", schedule.overlap.map(Overlap::name));
        self.seconds("expireAfterSeconds", schedule.expire_after_seconds);
        self.text("words", schedule.words.as_deref());
    }

    /// Writes whole seconds without a decimal point.
    fn seconds(&mut self, name: &str, value: Option<f64>) {
        let Some(seconds) = value else { return };
        // Every limit on seconds is far below 2^53, up to which a float represents each whole
        // number exactly.
        if seconds.fract() == 0.0 {
            self.number(name, Some(seconds as i64));
        } else {
            self.name(name);
            write_json(seconds, self.out);
        }
    }

    // Inline, together with the name: every task of a bulk request has some of these members, and
    // the crate is compiled for size.
    #[inline]
    pub(super) fn json(&mut self, name: &str, value: Option<&RawValue>) {
        if let Some(value) = value {
            self.name(name);
            self.out.extend_from_slice(on_one_line(value.get()).as_bytes());
        }
    }

    /// Writes a value whose text [is as stored](super::text::is_as_stored).
    #[inline]
    pub(super) fn stored_json(&mut self, name: &str, value: &RawValue) {
        self.name(name);
        self.out.extend_from_slice(value.get().as_bytes());
    }

    /// Does the same as [`Self::json`], but drops members that are null and writes whole numbers as
    /// integers. The member `body` stays as it is, because it is the caller's.
    pub(super) fn json_with_numbers(&mut self, name: &str, value: Option<&RawValue>) {
        if let Some(value) = value {
            self.name(name);
            let text = without_nulls(value.get());
            self.out.extend_from_slice(on_one_line(&with_whole_numbers(&text)).as_bytes());
        }
    }

    pub(super) fn flag(&mut self, name: &str, value: bool) {
        if value {
            self.name(name);
            self.out.extend_from_slice(b"true");
        }
    }

    /// Writes members that are already formatted, each after a comma.
    pub(super) fn members(&mut self, members: &[u8]) {
        self.out.extend_from_slice(members);
    }

    pub(super) fn finish(self) {
        self.out.push(b'}');
    }
}
