//! Local times of tasks: given with a time zone, stored as given, and read by the current law of
//! the zone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use scheduler_calendar::time::UnixMillis;
use scheduler_model::input::FieldError;
use scheduler_model::schedule::preview;
use scheduler_model::task::{Origin, Record, Targets, Validator, parse_one};
use serde_json::Value;

/// 2025-11-24T16:00:00Z.
const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

/// Returns the record of a task with these fields.
fn record(fields: &str) -> Result<String, FieldError> {
    let text = format!(r#"{{"id":"a",{fields},"callback":{{"type":"handler","name":"log"}}}}"#);
    let targets = Targets { handlers: &["log"], ..Targets::default() };
    let mut out = Vec::new();
    Validator::new(NOW, [7; 16], targets)
        .check(parse_one(&text)?)?
        .write_record(&Origin::default(), &mut out);
    Ok(String::from_utf8(out).unwrap())
}

fn first_local(body: &str) -> String {
    let preview = serde_json::to_value(preview(body, NOW).expect(body)).unwrap();
    preview["runs"][0]["local"].as_str().unwrap().to_owned()
}

fn at(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
}

#[test]
fn a_task_fires_when_the_clock_shows_its_local_time() {
    for (time, zone, expected) in [
        // These offsets are permanent since 2026.
        ("2026-12-01T09:00", "America/Vancouver", "2026-12-01T09:00:00-07:00"),
        ("2026-12-01T09:00:30", "America/Edmonton", "2026-12-01T09:00:30-06:00"),
        ("2026-07-01T09:00", "Europe/London", "2026-07-01T09:00:00+01:00"),
        // A gap and an overlap, as for cron at fixed times.
        ("2026-03-29T01:30", "Europe/London", "2026-03-29T02:00:00+01:00"),
        ("2026-10-25T01:30", "Europe/London", "2026-10-25T01:30:00+01:00"),
    ] {
        assert_eq!(first_local(&format!(r#"{{"time":"{time}","timezone":"{zone}"}}"#)), expected);
        let stored: Value = serde_json::from_str(
            &record(&format!(r#""time":"{time}","timezone":"{zone}""#)).unwrap(),
        )
        .unwrap();
        assert_eq!(stored["time"], at(expected));
        assert_eq!(
            (&stored["timezone"], stored["local"]["time"].as_str().unwrap().get(..16)),
            (&zone.into(), time.get(..16))
        );
    }
}

#[test]
fn a_local_time_needs_a_zone_and_a_zone_needs_a_local_time() {
    let local = r#""2026-12-01T09:00""#;
    for (fields, field) in [
        (format!(r#""time":{local}"#), "time"),
        (format!(r#""cron":"@daily","startAt":{local}"#), "startAt"),
        (format!(r#""cron":"@daily","endAt":{local}"#), "endAt"),
        (format!(r#""everySeconds":60,"anchor":{local}"#), "anchor"),
        (format!(r#""rrule":"FREQ=DAILY","startAt":{local}"#), "startAt"),
    ] {
        let problem = record(&fields).expect_err(&fields);
        assert_eq!(problem.field, field);
        assert!(problem.detail.contains("timezone"), "{problem}");
        assert!(record(&format!(r#"{fields},"timezone":"Asia/Tokyo""#)).is_ok(), "{fields}");
        assert_eq!(
            record(&format!(r#"{fields},"timezone":"Mars""#)).unwrap_err().field,
            "timezone"
        );
    }
    for fields in
        [r#""time":"2026-12-01T09:00:00Z""#, r#""delayInSeconds":5"#, r#""everySeconds":60"#]
    {
        assert_eq!(
            record(&format!(r#"{fields},"timezone":"Asia/Tokyo""#)).unwrap_err().field,
            "timezone",
            "{fields}"
        );
    }
    assert_eq!(
        record(r#""time":"9999-12-31T23:59","timezone":"America/New_York""#).unwrap_err().field,
        "time"
    );
}

/// A shard reads a record whose instants were computed before the law changed: here, as if
/// Vancouver were still at -08:00 in winter.
#[test]
fn stored_schedules_follow_a_new_law() {
    let first = |record: &str, after: &str| {
        let record = Record::parse(record.as_bytes()).unwrap();
        let schedule = record.schedule().schedule(0).unwrap();
        schedule.next_after(UnixMillis::new(at(after))).map(|run| run.time.get())
    };
    let nine = |day: u32| at(&format!("2026-12-{day:02}T09:00:00-07:00"));
    let old_nine = |day: u32| at(&format!("2026-12-{day:02}T09:00:00-08:00"));
    // A cron schedule has no instants.
    let cron = r#"{"id":"a","cron":"0 9 * * *","timezone":"America/Vancouver","callback":{}}"#;
    assert_eq!(first(cron, "2026-12-01T00:00:00Z"), Some(nine(1)));
    // Bounds and anchors were given as local times.
    let started = format!(
        r#"{{"id":"a","cron":"0 9 * * *","timezone":"America/Vancouver","local":{{"startAt":"2026-12-03T09:00:00"}},"startAt":{},"callback":{{}}}}"#,
        old_nine(3)
    );
    assert_eq!(first(&started, "2026-12-01T00:00:00Z"), Some(nine(3)));
    let every = format!(
        r#"{{"id":"a","timezone":"America/Vancouver","local":{{"anchor":"2026-12-03T09:00:00"}},"everySeconds":86400,"anchor":{},"callback":{{}}}}"#,
        old_nine(3)
    );
    assert_eq!(first(&every, "2026-12-01T00:00:00Z"), Some(nine(3)));
    let rule = format!(
        r#"{{"id":"a","timezone":"America/Vancouver","local":{{"startAt":"2026-12-03T09:00:00","endAt":"2026-12-04T09:00:00"}},"rrule":"FREQ=DAILY","startAt":{},"endAt":{},"callback":{{}}}}"#,
        old_nine(3),
        old_nine(4)
    );
    assert_eq!(first(&rule, "2026-12-03T00:00:00Z"), Some(nine(3)));
    assert_eq!(first(&rule, "2026-12-03T20:00:00Z"), Some(nine(4)));
    assert_eq!(first(&rule, "2026-12-04T20:00:00Z"), None);
    // The last of the counted runs moves with the others, in both directions.
    for last in [old_nine(5), at("2026-12-05T09:00:00-06:00")] {
        let counted = format!(
            r#"{{"id":"a","cron":"0 9 * * *","timezone":"America/Vancouver","maxRuns":5,"firstRun":{},"finalRun":{last},"callback":{{}}}}"#,
            old_nine(1)
        );
        assert_eq!(first(&counted, "2026-12-04T20:00:00Z"), Some(nine(5)), "{last}");
        assert_eq!(first(&counted, "2026-12-05T20:00:00Z"), None, "{last}");
    }
}

/// The error names an unreadable time and not the fields next to it.
#[test]
fn an_unreadable_time_is_named_itself() {
    let preview = |text: &str| preview(text, NOW).unwrap_err();
    for (text, field, hint) in [
        (
            r#"{"time":"2026-12-01T25:00","timezone":"Europe/London"}"#,
            "time",
            "whose hour is not 00 to 23",
        ),
        (r#"{"time":1795704299,"timezone":"Europe/London"}"#, "time", "looks like seconds"),
        (
            r#"{"time":"2026-12-01","timezone":"Europe/London"}"#,
            "time",
            "write 2026-12-01T00:00:00Z",
        ),
        (
            r#"{"everySeconds":60,"anchor":"20261201","timezone":"Europe/London"}"#,
            "anchor",
            "looks like a date",
        ),
        (
            r#"{"everySeconds":60,"startAt":"2026-12-01T09:00:60","timezone":"Europe/London"}"#,
            "startAt",
            "60 seconds",
        ),
        (
            r#"{"time":"2026-12-01T09:00:00Z","timezone":"Europe/London"}"#,
            "timezone",
            "leave out the offset",
        ),
    ] {
        let problem = preview(text);
        assert_eq!(problem.field, field, "{text}: {problem}");
        assert!(problem.detail.contains(hint), "{text}: {problem}");
    }
}
