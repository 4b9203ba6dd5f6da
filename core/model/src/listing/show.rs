//! Tasks as the API shows them.

use crate::dead_letter::DeadLetterId;
use crate::input::ShownTime;
use crate::protocol::{Kind, ListItem, Status};
use crate::schedule::with_names_of_today;
use crate::task::{Record, with_calendar_names, with_shown_times, write_text};
use scheduler_calendar::clock_change::ClockChange;
use scheduler_calendar::time::UnixMillis;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Appends a task of a list as the API shows it, with what the caller may see of its record.
pub fn write_item(item: &ListItem, record: &str, out: &mut Vec<u8>) {
    let write = if item.is_running { write_running } else { write_task };
    write(item.status, item.due(), record, out);
}

/// Appends a task with `"running":true`, because an attempt of it, or of the task that it replaced,
/// is in flight: see [`write_task`].
pub fn write_running(status: Status, due: UnixMillis, record: &str, out: &mut Vec<u8>) {
    let start = out.len();
    write_task(status, due, record, out);
    out.splice(start..=start, *b"{\"running\":true,");
}

/// Appends a task to `out` as the API shows it: its status, its due time, its kind and its record.
pub fn write_task(status: impl Serialize, due: UnixMillis, record: &str, out: &mut Vec<u8>) {
    let record = with_calendar_names(record);
    let record = by_todays_law(&record);
    let record = by_todays_names(&record);
    out.extend_from_slice(b"{\"status\":");
    // A status is always written as a string, and writing to a Vec does not fail.
    let start = out.len();
    let _ = serde_json::to_writer(&mut *out, &status);
    let status = serde_json::from_slice(out.get(start..).unwrap_or_default()).ok();
    if !due.is_never() {
        out.extend_from_slice(format!(",\"due\":{due}").as_bytes());
    }
    let schedule = ScheduleText::read(&record);
    if let Some(kind) = schedule.as_ref().map(ScheduleText::kind) {
        out.extend_from_slice(b",\"kind\":");
        let _ = serde_json::to_writer(&mut *out, &kind);
    }
    if status == Some(Status::Dead)
        && let Ok(letter) = Record::parse(record.as_bytes())
    {
        out.extend_from_slice(b",\"deadLetterId\":");
        write_text(&DeadLetterId::of(&letter).to_string(), out);
    }
    // The record of a paused task that does not recur has no `paused`, because its place in the
    // order says so.
    if status == Some(Status::Paused)
        && Record::parse(record.as_bytes()).is_ok_and(|record| !record.is_paused())
    {
        out.extend_from_slice(b",\"paused\":true");
    }
    if let Some((name, explanation)) = clock_change(&record, due) {
        out.extend_from_slice(format!(",\"clockChange\":\"{name}\",\"explanation\":").as_bytes());
        write_text(&explanation, out);
    }
    out.push(b',');
    let with_text =
        schedule.filter(ScheduleText::has_other_times).map(|_| with_shown_times(&record));
    let shown = with_text.as_deref().unwrap_or(&record);
    out.extend_from_slice(shown.as_bytes().get(1..).unwrap_or_default());
}

/// Returns the kind of schedule of a task. A run of a recurring task has the kind of that task. Any
/// other run fires once.
pub fn kind_of(record: &Record<'_>) -> Kind {
    let has = [record.cron.is_some(), record.every_seconds.is_some(), record.rrule.is_some()];
    kind_with(has, record.time.is_some())
}

/// The members of a record that say when a task fires, read without its other members.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScheduleText {
    time: Option<UnixMillis>,
    cron: Option<IgnoredAny>,
    every_seconds: Option<IgnoredAny>,
    anchor: Option<UnixMillis>,
    rrule: Option<IgnoredAny>,
    start_at: Option<UnixMillis>,
    end_at: Option<UnixMillis>,
    not_before: Option<UnixMillis>,
    unfinished_version: Option<u64>,
}

impl ScheduleText {
    /// Reads them; `None` if the text is not a record.
    fn read(record: &str) -> Option<Self> {
        serde_json::from_str(record).ok()
    }

    fn kind(&self) -> Kind {
        let has = [self.cron.is_some(), self.every_seconds.is_some(), self.rrule.is_some()];
        kind_with(has, self.time.is_some())
    }

    /// Returns whether an answer shows one of the times as text, or leaves one out.
    fn has_other_times(&self) -> bool {
        let times = [self.time, self.anchor, self.start_at, self.end_at];
        self.unfinished_version.is_some()
            || self.not_before == Some(UnixMillis::HELD)
            || times.into_iter().flatten().any(|time| ShownTime::from(time).is_text())
    }
}

fn kind_with([cron, every, rrule]: [bool; 3], time: bool) -> Kind {
    if cron {
        Kind::Cron
    } else if every {
        Kind::Every
    } else if rrule {
        Kind::Rrule
    } else if time {
        Kind::Once
    } else {
        Kind::NoSchedule
    }
}

/// Returns the name and an explanation of what a change of the clock does to the local time of a
/// task, or to its anchor as long as the anchor is in the future.
fn clock_change(record: &str, due: UnixMillis) -> Option<(&'static str, String)> {
    if !may_have_local_times(record) {
        return None;
    }
    let record = Record::parse(record.as_bytes()).ok()?;
    let (local, timezone) = (record.local?, record.timezone.as_deref()?.parse().ok()?);
    let anchor = local.anchor.filter(|anchor| anchor.instant_after_gap(timezone) >= Some(due));
    let of_anchor = || anchor.and_then(|local| ClockChange::of_anchor(local, timezone));
    let change =
        local.time.and_then(|local| ClockChange::of_one(local, timezone)).or_else(of_anchor)?;
    Some((change.name(), change.explain(timezone)))
}

/// Returns whether a record may have local times. A match may also be in its payload.
fn may_have_local_times(record: &str) -> bool {
    memchr::memmem::find(record.as_bytes(), b"\"local\":").is_some()
}

/// Returns the record of a recurring task with the instants that today's law gives to its bounds
/// and its anchor, if they were given as local times. The instants in the stored record follow the
/// law at the time of the write.
fn by_todays_law(record: &str) -> Cow<'_, str> {
    if !may_have_local_times(record) {
        return Cow::Borrowed(record);
    }
    let Ok(read) = Record::parse(record.as_bytes()) else { return Cow::Borrowed(record) };
    let [start_at, end_at, anchor] = read.schedule().instants();
    if !read.is_recurring()
        || (start_at, end_at, anchor) == (read.start_at, read.end_at, read.anchor)
    {
        return Cow::Borrowed(record);
    }
    let mut text = Vec::with_capacity(record.len());
    Record { start_at, end_at, anchor, ..read }.write(&mut text);
    String::from_utf8(text).map_or(Cow::Borrowed(record), Cow::Owned)
}

/// Returns a record with today's names of its policies. A record of an earlier version may have
/// former names.
fn by_todays_names(record: &str) -> Cow<'_, str> {
    let has = |text: &str| memchr::memmem::find(record.as_bytes(), text.as_bytes()).is_some();
    let has_misfire = has("\"misfire\":") && (has("\"fireOnce\"") || has("\"deadLetter\""));
    if !has_misfire && !has("\"overlap\":\"queueOne\"") {
        return Cow::Borrowed(record);
    }
    let Ok(read) = Record::parse(record.as_bytes()) else { return Cow::Borrowed(record) };
    let misfire = read.misfire.map(|misfire| with_names_of_today(misfire.get()).into_owned());
    let misfire = misfire.and_then(|misfire| RawValue::from_string(misfire).ok());
    let mut text = Vec::with_capacity(record.len());
    // The writer writes today's name of an overlap policy.
    Record { misfire: misfire.as_deref(), ..read.clone() }.write(&mut text);
    String::from_utf8(text).map_or(Cow::Borrowed(record), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Worker of an earlier version uses other names for two statuses.
    #[test]
    fn statuses_of_earlier_versions_are_read() {
        for (status, name, before) in [
            (Status::Running, "\"running\"", "\"fired\""),
            (Status::Dead, "\"dead-lettered\"", "\"dead\""),
        ] {
            assert_eq!(serde_json::to_string(&status).unwrap(), name);
            assert_eq!(serde_json::from_str::<Status>(name).unwrap(), status);
            assert_eq!(serde_json::from_str::<Status>(before).unwrap(), status);
        }
    }

    #[test]
    fn a_task_is_shown_with_what_runs_of_it() {
        let mut out = b"[".to_vec();
        let record = r#"{"time":1764000000000,"id":"a"}"#;
        write_running(Status::Running, UnixMillis::new(5), record, &mut out);
        let expected = br#"[{"running":true,"status":"running","due":5,"kind":"once","time":1764000000000,"id":"a"}"#;
        assert_eq!(out, expected);
    }

    #[test]
    fn policies_of_earlier_versions_are_shown_by_their_names_of_today() {
        let shown = |record: &str| {
            let mut out = Vec::new();
            write_task(Status::Scheduled, UnixMillis::NEVER, record, &mut out);
            String::from_utf8(out).unwrap()
        };
        let record = |misfire: &str, overlap: &str| {
            format!(
                r#"{{"id":"a","cron":"* * * * *","misfire":{{"policy": "{misfire}"}},"overlap":"{overlap}","callback":{{}},"payload":["queueOne","deadLetter"]}}"#
            )
        };
        for (former, today) in
            [("fireOnce", "fire-once"), ("deadLetter", "dead-letter"), ("skip", "skip")]
        {
            let expected = shown(&record(today, "queue-one"));
            assert!(expected.contains(&format!(r#""policy": "{today}"}},"overlap":"queue-one""#)));
            assert_eq!(shown(&record(former, "queueOne")), expected);
            assert_eq!(shown(&record(former, "queue-one")), expected);
        }
    }

    #[test]
    fn times_that_a_request_refuses_as_numbers_are_shown_as_text() {
        let shown = |record: &str| {
            let mut out = Vec::new();
            write_task(Status::Scheduled, UnixMillis::new(5), record, &mut out);
            String::from_utf8(out).unwrap()
        };
        let more = r#""callback":{},"payload":{"time":5,"anchor":5},"createdAt":5"#;
        assert_eq!(
            shown(&format!(
                r#"{{"id":"a","everySeconds":60,"anchor":7,"startAt":0,"endAt":1764000000000,"maxRuns":3,"firstRun":7,"finalRun":8,{more}}}"#
            )),
            format!(
                r#"{{"status":"scheduled","due":5,"kind":"every","id":"a","everySeconds":60,"anchor":"1970-01-01T00:00:00.007Z","startAt":"1970-01-01T00:00:00Z","endAt":1764000000000,"maxRuns":3,"firstRun":7,"finalRun":8,{more}}}"#
            )
        );
        let held = format!(r#"{{"id":"a","notBefore":{},{more}}}"#, UnixMillis::HELD);
        assert!(!shown(&held).contains("notBefore"), "{}", shown(&held));
        assert!(shown(&held.replace("653,", "652,")).contains("notBefore"));
        let in_part = format!(r#"{{"id":"a","unfinishedVersion":{},{more}}}"#, u64::MAX);
        assert!(!shown(&in_part).contains("unfinished"), "{}", shown(&in_part));
        let task = shown(&format!(r#"{{"time":20991224093000,"id":"a",{more}}}"#));
        let expected = r#"{"status":"scheduled","due":5,"kind":"once","time":"2635-03-09T23:34:53Z","id":"a","#;
        assert_eq!(task, format!("{expected}{more}}}"));
    }

    #[test]
    fn a_task_is_shown_with_its_kind() {
        for (record, kind) in [
            (r#"{"time":5,"id":"a","callback":{}}"#, "once"),
            (r#"{"id":"a","callback":{},"payload":{"cron":"@daily","time":5}}"#, "no-schedule"),
            (r#"{"time":5,"id":"a","cron":["@daily"],"callback":{}}"#, "cron"),
            (r#"{"id":"a","everySeconds":60,"anchor":5,"callback":{}}"#, "every"),
            (r#"{"id":"a","rrule":"FREQ=DAILY","startAt":5,"callback":{}}"#, "rrule"),
        ] {
            let mut out = Vec::new();
            write_task(Status::Scheduled, UnixMillis::NEVER, record, &mut out);
            let shown: serde_json::Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(shown["kind"], kind, "{record}");
            let of_record = kind_of(&Record::parse(record.as_bytes()).unwrap());
            assert_eq!(serde_json::to_value(of_record).unwrap(), kind);
        }
    }

    /// The records were written before a law moved Vancouver's clock by an hour.
    #[test]
    fn bounds_and_anchors_are_shown_by_todays_law() {
        let shown = |record: &str| {
            let mut out = Vec::new();
            write_task(Status::Scheduled, UnixMillis::NEVER, record, &mut out);
            String::from_utf8(out).unwrap()
        };
        let of = |hour: i64| {
            let at = |instant: i64| instant + hour * 3_600_000;
            let (start, end) = (at(1_796_140_800_000), at(1_796_745_600_000));
            format!(
                r#"{{"id":"a","timezone":"America/Vancouver","local":{{"startAt":"2026-12-01T09:00:00","endAt":"2026-12-08T09:00:00","anchor":"2026-12-01T09:00:00"}},"everySeconds":60,"anchor":{start},"startAt":{start},"endAt":{end},"callback":{{}},"payload":{{"local":1}}}}"#
            )
        };
        let today = shown(&of(0));
        assert!(today.contains(r#""startAt":1796140800000,"endAt":1796745600000"#));
        assert_eq!(shown(&of(1)), today);
        // Instants, one-shot tasks, and values that are not such fields stay unchanged.
        for record in [
            r#"{"id":"a","cron":"@daily","startAt":1764000000000,"callback":{},"payload":{"local":{"startAt":"2026-12-01T09:00:00"}}}"#,
            r#"{"time":1764000000000,"id":"a","timezone":"America/Vancouver","local":{"time":"2026-12-01T09:00:00"},"callback":{}}"#,
            r#"{"id":"a","local": nothing"#,
        ] {
            let kind = ScheduleText::read(record)
                .map(|schedule| serde_json::to_string(&schedule.kind()).unwrap());
            let kind = kind.map(|kind| format!("\"kind\":{kind},")).unwrap_or_default();
            let expected = format!(r#"{{"status":"scheduled",{kind}"#);
            assert_eq!(shown(record), record.replacen('{', &expected, 1));
        }
    }
}
