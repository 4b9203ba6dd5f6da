//! Previews: the vectors of cron and of RFC 5545 as requests, explanations of clock changes, and
//! refusals.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use chrono::{DateTime, NaiveDateTime, TimeZone};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::input::FieldError;
use scheduler_model::schedule::{Preview, PreviewRun, preview};
use serde_json::{Value, json};

const CRON_VECTORS: &str = include_str!("../../calendar/tests/data/cron_vectors.txt");
const RRULE_VECTORS: &str = include_str!("../../calendar/tests/data/rrule_vectors.txt");
/// 2025-11-24T16:00:00Z.
const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

fn previewed(request: &Value) -> Preview {
    preview(&request.to_string(), NOW).unwrap_or_else(|problem| panic!("{request}: {problem}"))
}

fn utc(time: UnixMillis) -> String {
    DateTime::from_timestamp_millis(time.get()).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn lines(vectors: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    vectors
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
}

fn check_runs(runs: &[PreviewRun], zone: &str) {
    let tz: chrono_tz::Tz = zone.parse().unwrap();
    for run in runs {
        let local = DateTime::parse_from_rfc3339(&run.local).unwrap();
        assert_eq!(
            local.naive_local(),
            tz.timestamp_millis_opt(run.time.get()).unwrap().naive_local()
        );
        assert_eq!((run.time, run.clock_change.is_some()), (run.due, run.explanation.is_some()));
    }
}

#[test]
fn previews_match_the_cron_vectors() {
    let (mut count, mut changes) = (0, 0);
    for columns in lines(CRON_VECTORS) {
        let [expression, zone, after, expected] = columns[..] else {
            panic!("not four columns: {columns:?}")
        };
        let from = DateTime::parse_from_rfc3339(after).unwrap().timestamp_millis();
        let expected: Vec<&str> =
            if expected == "never" { Vec::new() } else { expected.split(' ').collect() };
        // A request begins in 1970 at the earliest, and needs a future run.
        if from < 0 || expected.is_empty() {
            continue;
        }
        let request = json!({ "cron": expression, "timezone": zone, "from": after, "count": 5 });
        let found = previewed(&request);
        assert_eq!(
            found.runs.iter().map(|run| utc(run.time)).collect::<Vec<_>>(),
            expected,
            "{request}"
        );
        assert_eq!(
            (found.timezone, found.more),
            (zone, expected.len() == 5 && !expected[4].starts_with("9999-12-31T23:59"))
        );
        check_runs(&found.runs, zone);
        // A list with one expression, or with the same expression twice, has the same runs.
        for list in [json!([expression]), json!([expression, expression])] {
            let request = json!({ "cron": list, "timezone": zone, "from": from, "count": 5 });
            assert_eq!(previewed(&request), found);
        }
        changes += found.runs.iter().filter(|run| run.clock_change.is_some()).count();
        count += 1;
    }
    assert!(count >= 140, "only {count} vectors were read");
    assert!(changes >= 30, "only {changes} runs have a clock change");
}

/// Clocks by the laws of 2026, and one clock under another name.
#[test]
fn previews_are_at_the_offsets_of_the_newest_laws() {
    for (zone, expected) in [
        ("America/Vancouver", "2026-12-01T09:00:00-07:00"),
        ("America/Edmonton", "2026-12-01T09:00:00-06:00"),
        ("America/Winnipeg", "2026-12-01T09:00:00-05:00"),
        ("Africa/Casablanca", "2026-12-01T09:00:00+00:00"),
        ("America/Havana", "2026-12-01T09:00:00-04:00"),
        ("US/Central", "2026-12-01T09:00:00-06:00"),
    ] {
        let from = "2026-12-01T00:00:00Z";
        let requests = [
            json!({ "cron": "0 9 * * *", "timezone": zone, "from": from, "count": 1 }),
            json!({ "time": "2026-12-01T09:00", "timezone": zone, "from": from }),
            json!({ "rrule": "FREQ=DAILY", "startAt": "2026-11-20T09:00", "timezone": zone, "from": from, "count": 1 }),
        ];
        for request in requests {
            assert_eq!(previewed(&request).runs[0].local, expected, "{request}");
        }
    }
}

#[test]
fn previews_match_the_rrule_vectors() {
    for columns in lines(RRULE_VECTORS) {
        let [rule, zone, start, expected] = columns[..] else {
            panic!("not four columns: {columns:?}")
        };
        let tz: chrono_tz::Tz = zone.parse().unwrap();
        let start = tz
            .from_local_datetime(&NaiveDateTime::parse_from_str(start, "%Y%m%dT%H%M%S").unwrap())
            .earliest()
            .unwrap();
        let from = start.timestamp_millis() - 1;
        let request = json!({ "rrule": rule, "startAt": start.timestamp_millis(), "timezone": zone, "from": from, "count": 12 });
        let found = previewed(&request);
        let expected: Vec<&str> = expected.split(' ').collect();
        assert_eq!(
            found.runs.iter().map(|run| utc(run.time)).collect::<Vec<_>>(),
            expected,
            "{request}"
        );
        check_runs(&found.runs, zone);
        // COUNT of the RFC equals `maxRuns` from the start on.
        if let Some((plain, count)) = rule.split_once(";COUNT=") {
            let digits = count.find(';').unwrap_or(count.len());
            let plain = format!("{plain}{}", &count[digits..]);
            let request = json!({
                "rrule": plain, "startAt": start.timestamp_millis(), "timezone": zone, "from": from, "count": 100,
                "maxRuns": count[..digits].parse::<u32>().unwrap()
            });
            assert_eq!(
                previewed(&request),
                previewed(&json!({
                    "rrule": rule, "startAt": start.timestamp_millis(), "timezone": zone, "from": from, "count": 100
                }))
            );
        }
    }
}

/// For one run each: the local time, the clock change, and a part of the explanation.
#[test]
fn changes_of_the_clock_are_explained() {
    let cron = |cron: &str, zone: &str, from: &str| json!({ "cron": cron, "timezone": zone, "from": from, "count": 3 });
    let rule = |rule: &str, zone: &str, start: &str| json!({ "rrule": rule, "timezone": zone, "startAt": start, "from": start, "count": 5 });
    for (request, local, change, part) in [
        (
            cron("30 1 * * *", "Europe/London", "2026-03-28T12:00:00Z"),
            "2026-03-29T02:00:00+01:00",
            "gap-moved",
            "2026-03-29 01:30:00 does not exist in Europe/London: the clock jumps from 01:00:00 to 02:00:00",
        ),
        (
            cron("0 9 * * *", "Pacific/Apia", "2011-12-29T20:00:00Z"),
            "2011-12-31T00:00:00+14:00",
            "gap-moved",
            "2011-12-30 09:00:00 does not exist in Pacific/Apia",
        ),
        (
            cron("30 1 * * *", "Europe/London", "2026-10-24T12:00:00Z"),
            "2026-10-25T01:30:00+01:00",
            "first-of-two",
            "The clock goes back from 2026-10-25 02:00:00 to 01:00:00 in Europe/London and shows this time twice.",
        ),
        (
            cron("30 * * * *", "Europe/London", "2026-10-25T00:00:00Z"),
            "2026-10-25T01:30:00+01:00",
            "first-pass",
            "in both passes",
        ),
        (
            cron("30 * * * *", "Europe/London", "2026-10-25T00:00:00Z"),
            "2026-10-25T01:30:00+00:00",
            "second-pass",
            "in both passes",
        ),
        (
            cron("*/30 * * * *", "Europe/London", "2026-03-29T00:20:00Z"),
            "2026-03-29T02:00:00+01:00",
            "gap-absent",
            "from 01:00:00 on",
        ),
        (
            rule("FREQ=DAILY", "America/New_York", "2026-03-07T02:30:00-05:00"),
            "2026-03-08T03:30:00-04:00",
            "gap-shifted",
            "2026-03-08 02:30:00 does not exist in America/New_York: the clock jumps from 02:00:00 to 03:00:00. As RFC 5545 says, it is read with the offset before the jump, so it fires at 03:30:00.",
        ),
        (
            rule("FREQ=HOURLY", "America/New_York", "2026-11-01T00:30:00-04:00"),
            "2026-11-01T01:30:00-04:00",
            "first-pass",
            "in both passes",
        ),
        (
            rule("FREQ=DAILY", "America/New_York", "2026-10-31T01:30:00-04:00"),
            "2026-11-01T01:30:00-04:00",
            "first-of-two",
            "in the first pass only",
        ),
    ] {
        let found = previewed(&request);
        let run = found
            .runs
            .iter()
            .find(|run| run.local == local)
            .unwrap_or_else(|| panic!("{request}: {found:?}"));
        assert_eq!(run.clock_change, Some(change), "{request}");
        let text = run.explanation.as_deref().unwrap();
        assert!(text.contains(part), "{text}");
        // The other runs are ordinary, or belong to the same clock change.
        let others = found.runs.iter().filter(|run| {
            run.local != local && run.clock_change.is_some_and(|name| !name.ends_with("pass"))
        });
        assert_eq!(others.count(), 0, "{found:?}");
    }
}

/// Far from any clock change, runs have no explanation.
#[test]
fn ordinary_runs_are_not_explained() {
    for request in [
        json!({ "cron": "30 1 * * *", "timezone": "Europe/London", "from": "2026-05-01T00:00:00Z", "count": 100 }),
        json!({ "cron": "* * * * *", "timezone": "America/New_York", "from": "2026-05-01T00:00:00Z", "count": 100 }),
        json!({ "cron": "0 0 1 * *", "timezone": "Europe/London", "from": "2026-01-01T00:00:00Z", "count": 100 }),
        json!({ "rrule": "FREQ=DAILY;COUNT=50", "startAt": "2026-05-01T01:30:00Z", "timezone": "Europe/London", "count": 100 }),
        json!({ "everySeconds": 1800, "from": "2026-03-29T00:20:00Z" }),
    ] {
        let found = previewed(&request);
        assert!(
            found.runs.len() >= 10 && found.runs.iter().all(|run| run.clock_change.is_none()),
            "{request}"
        );
    }
}

#[test]
fn a_preview_is_as_if_the_task_were_created_then() {
    let times = |request: Value| {
        previewed(&request).runs.iter().map(|run| run.time.since(NOW)).collect::<Vec<_>>()
    };
    assert_eq!(times(json!({ "everySeconds": 1.5, "count": 2 })), [1_500, 3_000]);
    assert_eq!(
        times(json!({ "everySeconds": 60, "startAt": NOW.get() + 5, "maxRuns": 2 })),
        [5, 60_005]
    );
    assert_eq!(times(json!({ "everySeconds": 60, "from": NOW.get() + 7, "count": 1 })), [60_007]);
    assert_eq!(times(json!({ "delayInSeconds": 2.5, "from": NOW.get() + 7 })), [2_507]);
    assert_eq!(times(json!({ "time": NOW.get() + 9 })), [9]);
    assert_eq!(times(json!({ "type": "no-schedule" })), [0_i64; 0]);
    let local = &previewed(&json!({ "everySeconds": 1.5, "count": 1 })).runs[0].local;
    assert_eq!(local, "2025-11-24T16:00:01.500+00:00");
    // A past time fires at once.
    let past = previewed(&json!({ "time": NOW.get() - 9 }));
    assert_eq!((past.runs[0].time, past.runs[0].due, past.more), (NOW.plus(-9), NOW, false));
    // The task's id determines its jitter. The preview says whether a schedule ends.
    let jittered = |id: &str| {
        previewed(&json!({ "id": id, "cron": "@daily", "jitterSeconds": 3600, "maxRuns": 3 }))
    };
    assert_eq!((jittered("a"), jittered("a").more), (jittered("a"), false));
    let dues = |id| jittered(id).runs.iter().map(|run| run.due.since(run.time)).collect::<Vec<_>>();
    assert!(
        dues("a") != dues("b")
            && dues("a").iter().all(|delay| (0..=3_600_000).contains(delay))
            && dues("a").len() == 3
    );
    assert_eq!(previewed(&json!({ "cron": "@daily" })).runs.len(), 10);
}

#[test]
fn bad_requests_name_the_field() {
    let field = |request: Value| -> FieldError {
        preview(&request.to_string(), NOW).expect_err(&request.to_string())
    };
    for (request, expected) in [
        (json!({}), "time"),
        (json!({ "cron": "61 * * * *" }), "cron"),
        (json!({ "cron": "@daily", "count": 0 }), "count"),
        (json!({ "cron": "@daily", "count": 101 }), "count"),
        (json!({ "cron": "@daily", "count": "5" }), "count"),
        (json!({ "cron": "@daily", "from": "soon" }), "from"),
        (json!({ "cron": "@daily", "from": -1 }), "from"),
        (json!({ "cron": "@daily", "pay": 1 }), "pay"),
        (json!({ "cron": "@daily", "maxRuns": 100_001 }), "maxRuns"),
        (json!({ "rrule": "FREQ=DAILY" }), "startAt"),
        (json!({ "everySeconds": 0 }), "everySeconds"),
        (json!([]), "body"),
    ] {
        assert_eq!(field(request).field, expected);
    }
}
