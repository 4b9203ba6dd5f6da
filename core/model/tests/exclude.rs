//! What a recurring task leaves out: in requests, records, patches and previews.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use scheduler_calendar::steps::steps_taken;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{MAX_EXCLUDE_TEXT_BYTES, MAX_EXCLUDED_DATES, MAX_SCHEDULE_STEPS};
use scheduler_model::input::FieldError;
use scheduler_model::schedule::preview;
use scheduler_model::task::{
    Origin, Record, Targets, Validator, changes_only_exclude, merge_patch, parse_one,
};
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
            "leaves no run; without it, the next run would be at 1795856400000 (milliseconds since 1970). The search for a remaining run ends after 5000 steps",
        ),
        (
            r#""exclude":{"rules":["FREQ=DAILY;BYHOUR=0;BYMONTHDAY=1"]}"#,
            "exclude.rules[0]",
            "a rule excludes whole days",
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

/// Runs of a quarter of a year could move to one day.
#[test]
fn runs_move_only_in_schedules_with_few_of_them_on_a_day() {
    let weekend =
        |instead: &str| format!(r#""exclude":{{"weekdays":["SAT","SUN"],"instead":"{instead}"}}"#);
    let start = r#""startAt":"2026-12-01T00:00:00Z""#;
    let rule = |rule: &str| format!(r#""rrule":"{rule}",{start}"#);
    for (schedule, words) in [
        (r#""everySeconds":86399"#.to_owned(), "this one is an interval shorter than a day"),
        (r#""cron":"0 * * * * *""#.to_owned(), "this one has 1440"),
        (r#""cron":["0 * * * *","30 12 * * *"]"#.to_owned(), "this one has 25"),
        (rule("FREQ=HOURLY"), "FREQ finer than DAILY"),
        (
            rule("FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,5,10,15,20,25,30,35,40,45,50,55;BYSECOND=0,30"),
            "this one has 48",
        ),
    ] {
        for instead in ["next", "previous"] {
            let (field, detail) = refused(&format!("{schedule},{}", weekend(instead)));
            assert_eq!(field, "exclude.instead", "{schedule}");
            assert!(detail.contains(words) && detail.contains("24 times of day"), "{detail}");
        }
        checked(&format!("{schedule},{}", weekend("skip"))).unwrap();
        // A task of an earlier version may have it.
        let stored =
            format!(r#"{{"id":"a","anchor":0,{schedule},{},"callback":{{}}}}"#, weekend("next"));
        let stored = stored.replace("\"2026-12-01T00:00:00Z\"", "1796083200000");
        let record = Record::parse(stored.as_bytes()).unwrap();
        assert!(record.schedule().schedule(0).unwrap().next_after(NOW).is_some(), "{schedule}");
    }
    for schedule in [
        r#""everySeconds":86400"#.to_owned(),
        r#""cron":"0 * * * *""#.to_owned(),
        rule("FREQ=WEEKLY;BYHOUR=9,17;BYMINUTE=0,30"),
    ] {
        checked(&format!("{schedule},{}", weekend("next"))).unwrap();
    }
    // No day is left out, so no run moves.
    checked(r#""everySeconds":60,"exclude":{"times":["12:00-13:00"],"instead":"next"}"#).unwrap();
}

/// A task may be created only if its shard finds its runs in little time.
#[test]
fn a_schedule_whose_runs_take_long_to_find_is_refused() {
    // The 29th of February is a Tuesday once in 28 years, and the interval has its run on it once
    // in seventeen times.
    let days =
        r#""exclude":{"dates":["03-01/02-28"],"weekdays":["SUN","MON","WED","THU","FRI","SAT"]}"#;
    let (field, detail) =
        refused(&format!(r#""everySeconds":1468800,"anchor":"2026-12-01T09:00:00Z",{days}"#));
    assert_eq!(field, "exclude");
    assert!(detail.contains("5000 steps"), "{detail}");
    // Every 28 years is often enough.
    let rare = format!(r#""cron":"0 9 * * *",{days}"#);
    assert_eq!(
        runs(&rare, 3),
        ["2028-02-29T09:00:00+00:00", "2056-02-29T09:00:00+00:00", "2084-02-29T09:00:00+00:00"]
    );
    checked(&rare).unwrap();
    // The first run is near, and the search for the next one takes too long.
    let (field, detail) =
        refused(&format!(r#""everySeconds":1468800,"anchor":"2028-02-29T09:00:00Z",{days}"#));
    assert_eq!(field, "exclude");
    assert!(detail.contains("the one after 1835427600000"), "{detail}");
    checked(&format!(r#""everySeconds":1468800,"anchor":"2028-02-29T09:00:00Z","endAt":"2030-01-01T00:00:00Z",{days}"#)).unwrap();
}

/// Previews took up to a second.
#[test]
fn a_preview_is_bounded_whatever_is_left_out() {
    let rules = [
        "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1",
        "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=2,-2",
        "FREQ=WEEKLY;BYDAY=MO,TU,WE;BYSETPOS=2",
        "FREQ=WEEKLY;BYDAY=MO,TU,WE;BYSETPOS=-2;WKST=SU",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=3,-3",
        "FREQ=MONTHLY;BYMONTHDAY=-1,-2,-3,-4,-5,-6",
        "FREQ=YEARLY;BYMONTH=1,2,3,5,6,7;BYMONTHDAY=1,2,3,4,5,6,7,8,9,10,11,12,13,14",
        "FREQ=YEARLY;BYDAY=1MO,2TU,3WE,-1TH,-2FR,-3SA",
    ];
    let exclude = json!({ "rules": rules, "weekdays": ["SAT", "SUN"], "dates": ["02-01/04-20", "07-01/09-10"], "times": ["00:00-08:00", "09:30-11:00"] });
    let crons: Vec<String> =
        (0..16).map(|minute| format!("{minute} 9,17 {} * *", minute + 1)).collect();
    for instead in ["skip", "next", "previous"] {
        for jitter in [0, 3_600] {
            let mut exclude = exclude.clone();
            exclude["instead"] = json!(instead);
            let body = json!({
                "cron": crons[..12], "timezone": "America/Santiago", "exclude": exclude, "count": 100, "maxRuns": 1_000, "jitterSeconds": jitter,
            });
            let before = steps_taken();
            let shown = preview(&body.to_string(), NOW);
            let taken = steps_taken() - before;
            assert!(taken < MAX_SCHEDULE_STEPS / 4, "{instead}, {jitter}: {taken} steps");
            assert!(shown.is_ok(), "{instead}, {jitter}");
        }
    }
}

#[test]
fn as_many_runs_are_left_if_only_the_exclusions_change() {
    // Ten runs from 20 November on. Two of them are left.
    let stored = r#"{"id":"a","cron":"0 9 * * *","exclude":{"dates":["2026-11-22"]},"maxRuns":10,"firstRun":1795165200000,"finalRun":1796029200000,"callback":{"type":"handler","name":"log"}}"#;
    let record = Record::parse(stored.as_bytes()).unwrap();
    let left = |record: &Record<'_>| {
        let schedule = record.schedule().schedule(0).unwrap();
        let runs =
            std::iter::successors(schedule.next_after(NOW), |run| schedule.following(run.time));
        runs.map(|run| run.time.shown()).collect::<Vec<_>>()
    };
    assert_eq!(left(&record).len(), 3);
    let patch = r#"{"exclude":{"weekdays":["SAT","SUN"]}}"#;
    assert!(changes_only_exclude(patch));
    assert!(!changes_only_exclude(r#"{"exclude":null,"maxRuns":3}"#));
    assert!(!changes_only_exclude(r#"{"description":"x"}"#));
    for (patch, expected) in [
        (patch, ["2026-11-30T09:00:00Z", "2026-12-01T09:00:00Z", "2026-12-02T09:00:00Z"]),
        (
            r#"{"exclude":null}"#,
            ["2026-11-28T09:00:00Z", "2026-11-29T09:00:00Z", "2026-11-30T09:00:00Z"],
        ),
    ] {
        let text = merge_patch(stored, false, patch).unwrap();
        let mut task = parse_one(&text).unwrap();
        task.continue_from(record.schedule());
        let targets = Targets { handlers: &["log"], ..Targets::default() };
        let mut out = Vec::new();
        Validator::new(NOW, [7; 16], targets)
            .check(task)
            .unwrap()
            .write_record(&Origin::default(), &mut out);
        let after = Record::parse(&out).unwrap();
        assert_eq!(left(&after), expected);
        assert_eq!((after.max_runs, after.first_run), (Some(10), None));
    }
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
