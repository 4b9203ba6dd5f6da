//! What a recurring task leaves out: in requests, records, patches and previews.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{MAX_EXCLUDE_TEXT_BYTES, MAX_EXCLUDED_DATES};
use scheduler_model::input::FieldError;
use scheduler_model::schedule::preview;
use scheduler_model::task::{Origin, Record, Targets, Validator, merge_patch, parse_one};
use serde_json::json;

/// 2026-11-27T12:00:00Z, a Friday.
const NOW: UnixMillis = UnixMillis::new(1_795_780_800_000);

fn checked(fields: &str) -> Result<String, FieldError> {
    let body = format!(r#"{{"id":"a",{fields},"callback":{{"type":"handler","name":"log"}}}}"#);
    let targets = Targets { handlers: &["log"], ..Targets::default() };
    let mut validator = Validator::new(NOW, [7; 16], targets);
    let task = validator.check(parse_one(&body)?)?;
    let mut out = Vec::new();
    task.write_record(&Origin::default(), &mut out);
    Ok(String::from_utf8(out).unwrap())
}

fn refused(fields: &str) -> (String, String) {
    let problem = checked(fields).expect_err(fields);
    (problem.field.to_string(), problem.detail)
}

/// Returns the local times of the next runs.
fn runs(fields: &str, count: usize) -> Vec<String> {
    let body = format!(r#"{{{fields},"count":{count}}}"#);
    preview(&body, NOW).expect(fields).runs.into_iter().map(|run| run.local).collect()
}

#[test]
fn a_record_has_what_its_task_leaves_out() {
    let fields = r#""cron":"0 9 * * *","timezone":"Europe/Berlin","exclude":{"dates":["12-24/12-26"],"weekdays":["SAT","SUN"],"instead":"next"}"#;
    let record = checked(fields).unwrap();
    assert_eq!(
        record,
        format!(r#"{{"id":"a",{fields},"callback":{{"type":"handler","name":"log"}}}}"#)
    );
    // The record gives the same schedule, and the fields of an answer can be sent again.
    let read = Record::parse(record.as_bytes()).unwrap();
    let schedule = read.schedule().schedule(0).unwrap();
    let next = schedule.next_after(NOW).unwrap();
    assert_eq!(next.time.shown(), "2026-11-30T08:00:00Z");
    let mut again = Vec::new();
    read.write(&mut again);
    assert_eq!(String::from_utf8(again).unwrap(), record);
    // Line breaks and members that are null are not stored.
    let spaced =
        checked("\"cron\":\"@daily\",\"exclude\":{\"weekdays\":[\n\"SAT\"],\"dates\":null}")
            .unwrap();
    assert!(!spaced.contains("dates") && !spaced.contains('\n'), "{spaced}");
    // A record without it is as before.
    let plain = r#""cron":"0 9 * * *","maxRuns":3"#;
    assert!(!checked(plain).unwrap().contains("exclude"));
}

#[test]
fn each_kind_of_schedule_leaves_out_days_and_times() {
    let weekend = r#""exclude":{"weekdays":["SAT","SUN"]}"#;
    assert_eq!(
        runs(&format!(r#""cron":"0 9 * * *","timezone":"Europe/Berlin",{weekend}"#), 2),
        ["2026-11-30T09:00:00+01:00", "2026-12-01T09:00:00+01:00"]
    );
    assert_eq!(
        runs(&format!(r#""rrule":"FREQ=DAILY","startAt":"2026-11-20T18:00:00Z",{weekend}"#), 2),
        ["2026-11-27T18:00:00+00:00", "2026-11-30T18:00:00+00:00"]
    );
    // An interval has a time zone for what it leaves out. Without one, days are those of UTC.
    let interval = r#""everySeconds":43200,"anchor":"2026-11-27T23:30:00Z""#;
    assert_eq!(
        runs(&format!("{interval},{weekend}"), 2),
        ["2026-11-27T23:30:00+00:00", "2026-11-30T11:30:00+00:00"]
    );
    assert_eq!(
        runs(&format!(r#"{interval},"timezone":"Europe/Berlin",{weekend}"#), 2),
        ["2026-11-30T00:30:00+01:00", "2026-11-30T12:30:00+01:00"]
    );
    assert_eq!(
        runs(r#""cron":"0 * * * *","exclude":{"times":["13:00-15:00","18:30-12:00"]}"#, 4),
        [
            "2026-11-27T15:00:00+00:00",
            "2026-11-27T16:00:00+00:00",
            "2026-11-27T17:00:00+00:00",
            "2026-11-27T18:00:00+00:00"
        ]
    );
    // A rule begins on the day of startAt, as EXRULE does.
    assert_eq!(
        runs(
            r#""rrule":"FREQ=WEEKLY;BYDAY=FR","startAt":"2026-11-27T18:00:00Z","exclude":{"rules":["FREQ=WEEKLY;INTERVAL=2"]}"#,
            2
        ),
        ["2026-12-04T18:00:00+00:00", "2026-12-18T18:00:00+00:00"]
    );
}

#[test]
fn bounds_apply_before_and_after_a_run_moves() {
    let weekend = r#""exclude":{"weekdays":["SAT","SUN"],"instead":"next"}"#;
    let saturdays = r#""cron":"0 9 * * SAT""#;
    assert_eq!(
        runs(&format!(r#"{saturdays},"startAt":"2026-11-28T10:00:00Z",{weekend}"#), 1),
        ["2026-12-07T09:00:00+00:00"]
    );
    // The run of 5 December would move behind the end.
    assert_eq!(
        runs(&format!(r#"{saturdays},"endAt":"2026-12-06T00:00:00Z",{weekend}"#), 9),
        ["2026-11-30T09:00:00+00:00"]
    );
    let (field, detail) =
        refused(&format!(r#"{saturdays},"endAt":"2026-11-29T00:00:00Z",{weekend}"#));
    assert_eq!(field, "endAt");
    assert!(detail.contains("before the first run"), "{detail}");
    // The number of runs is the number of those that are left.
    let record = checked(&format!(r#""cron":"0 9 * * *","maxRuns":3,{weekend}"#)).unwrap();
    let read = Record::parse(record.as_bytes()).unwrap();
    let shown = |time: Option<UnixMillis>| time.unwrap().shown();
    assert_eq!(shown(read.first_run), "2026-11-30T09:00:00Z");
    assert_eq!(shown(read.final_run), "2026-12-02T09:00:00Z");
    let record = checked(r#""everySeconds":86400,"anchor":"2026-11-27T13:00:00Z","maxRuns":3,"exclude":{"weekdays":["SAT","SUN"]}"#).unwrap();
    let read = Record::parse(record.as_bytes()).unwrap();
    assert_eq!(shown(read.final_run), "2026-12-01T13:00:00Z");
    // COUNT counts the runs of the rule.
    let record = checked(r#""rrule":"FREQ=DAILY;COUNT=3","startAt":"2026-11-27T13:00:00Z","exclude":{"weekdays":["SAT","SUN"]}"#).unwrap();
    let read = Record::parse(record.as_bytes()).unwrap();
    assert_eq!(shown(read.final_run), "2026-11-27T13:00:00Z");
}

#[test]
fn a_preview_shows_what_is_left_out_and_what_moves() {
    let body = r#"{"cron":"0 9 * * *","timezone":"Europe/Berlin","exclude":{"dates":["2026-11-28/2026-11-29"],"instead":"next"},"count":2}"#;
    let shown = serde_json::to_value(preview(body, NOW).unwrap()).unwrap();
    assert_eq!(
        shown["excluded"],
        json!([
            { "time": 1_795_852_800_000_i64, "local": "2026-11-28T09:00:00+01:00" },
            { "time": 1_795_939_200_000_i64, "local": "2026-11-29T09:00:00+01:00" },
        ])
    );
    // The rule has a run on Monday, too.
    assert_eq!(shown["runs"][0]["local"], "2026-11-30T09:00:00+01:00");
    assert_eq!(shown["runs"][0].get("movedFrom"), None);
    let body = r#"{"cron":"0 9 28 11 *","timezone":"Europe/Berlin","exclude":{"dates":["11-28/11-29"],"instead":"next"},"count":1}"#;
    let shown = serde_json::to_value(preview(body, NOW).unwrap()).unwrap();
    assert_eq!(shown["runs"][0]["local"], "2026-11-30T09:00:00+01:00");
    assert_eq!(shown["runs"][0]["movedFrom"], 1_795_852_800_000_i64);
    let plain =
        serde_json::to_value(preview(r#"{"cron":"@daily","count":1}"#, NOW).unwrap()).unwrap();
    assert_eq!(plain.get("excluded"), None);
}

#[test]
fn errors_name_the_field_and_the_limit() {
    let daily = r#""cron":"0 9 * * *""#;
    for (fields, field, words) in [
        (r#""exclude":{}"#, "exclude", "excludes nothing"),
        (r#""exclude":{"instead":"next"}"#, "exclude", "excludes nothing"),
        (r#""exclude":["SAT"]"#, "exclude", "object"),
        (r#""exclude":{"days":["SAT"]}"#, "exclude.days", "dates"),
        (r#""exclude":{"dates":["Christmas"]}"#, "exclude.dates[0]", "write a date as 2026-12-24"),
        (r#""exclude":{"dates":["12-24",7]}"#, "exclude.dates[1]", "string"),
        (r#""exclude":{"weekdays":["SAT","Saturday"]}"#, "exclude.weekdays[1]", "write MON"),
        (
            r#""exclude":{"weekdays":["MON","TUE","WED","THU","FRI","SAT","SUN"]}"#,
            "exclude.weekdays",
            "no day",
        ),
        (r#""exclude":{"times":["9-10"]}"#, "exclude.times[0]", "12:00-13:00"),
        (r#""exclude":{"rules":["FREQ=WEEKLY"]}"#, "exclude.rules[0]", "give startAt"),
        (r#""exclude":{"dates":["12-24"],"instead":"never"}"#, "exclude.instead", "skip"),
        (
            r#""exclude":{"times":["08:00-10:00"]}"#,
            "exclude",
            "leaves no run; without it, the next run would be at 1795856400000",
        ),
        (
            r#""exclude":{"rules":["FREQ=DAILY"],"instead":"next"}"#,
            "exclude",
            "more than ten years",
        ),
    ] {
        let (at, detail) = refused(&format!("{daily},{fields}"));
        assert_eq!(at, field, "{detail}");
        assert!(detail.contains(words), "{detail}");
    }
    for (fields, field, words) in [
        (
            r#""time":"2099-01-01T00:00:00Z","exclude":{"dates":["12-24"]}"#,
            "exclude",
            "recurring tasks",
        ),
        (r#""everySeconds":60,"timezone":"UTC""#, "timezone", "exclude"),
        (
            r#""everySeconds":60,"timezone":"Nowhere","exclude":{"dates":["12-24"]}"#,
            "timezone",
            "not a known time zone",
        ),
        (
            r#""everySeconds":60,"maxRuns":100001,"exclude":{"dates":["12-24"]}"#,
            "maxRuns",
            "100000",
        ),
        (
            r#""rrule":"FREQ=DAILY;COUNT=9","startAt":"2026-12-01T00:00:00Z","exclude":{"dates":["12-24"],"instead":"next"}"#,
            "rrule",
            "give maxRuns",
        ),
        (
            r#""rrule":"FREQ=DAILY\nEXDATE:20261224T000000Z","startAt":"2026-12-01T00:00:00Z""#,
            "rrule",
            "leave out days with exclude",
        ),
    ] {
        let (at, detail) = refused(fields);
        assert_eq!(at, field, "{detail}");
        assert!(detail.contains(words), "{detail}");
    }
    let dates = vec!["2026-12-24"; MAX_EXCLUDED_DATES + 1];
    let (at, detail) = refused(&format!(r#"{daily},"exclude":{}"#, json!({ "dates": dates })));
    assert_eq!(at, "exclude.dates");
    assert!(detail.contains("300"), "{detail}");
    let (at, detail) = refused(&format!(
        r#"{daily},"exclude":{{"dates":["{}"]}}"#,
        "x".repeat(MAX_EXCLUDE_TEXT_BYTES)
    ));
    assert_eq!(at, "exclude");
    assert!(detail.contains("16384"), "{detail}");
}

#[test]
fn a_patch_changes_a_part_of_it() {
    let stored =
        checked(r#""cron":"0 9 * * *","exclude":{"dates":["12-24"],"weekdays":["SAT"]}"#).unwrap();
    let patched = |patch: &str| merge_patch(&stored, false, patch).unwrap();
    assert!(
        patched(r#"{"exclude":{"weekdays":["SUN"]}}"#)
            .contains(r#""exclude":{"dates":["12-24"],"weekdays":["SUN"]}"#)
    );
    assert!(patched(r#"{"exclude":{"dates":null}}"#).contains(r#""exclude":{"weekdays":["SAT"]}"#));
    assert!(!patched(r#"{"exclude":null}"#).contains("exclude"));
    assert!(!patched(r#"{"time":"2099-01-01T00:00:00Z"}"#).contains("exclude"));
    assert!(patched(r#"{"cron":null,"everySeconds":60}"#).contains("exclude"));
    assert!(
        merge_patch(&stored, false, r#"{"exclude":{"dates":["12-25"],"dates":null}}"#).is_err()
    );
    // The time zone of an interval stays as long as something is left out.
    let stored =
        checked(r#""everySeconds":60,"timezone":"Europe/Berlin","exclude":{"dates":["12-24"]}"#)
            .unwrap();
    let patched = |patch: &str| merge_patch(&stored, false, patch).unwrap();
    assert!(patched(r#"{"overlap":"skip"}"#).contains("Europe/Berlin"));
    assert!(!patched(r#"{"exclude":null}"#).contains("Europe/Berlin"));
    assert!(!patched(r#"{"time":"2099-01-01T00:00:00Z"}"#).contains("Europe/Berlin"));
}
