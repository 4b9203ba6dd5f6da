//! Clock changes and their effect: on lists of cron expressions, on hourly and finer rules, and on
//! starts and anchors in a gap.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Timelike};
use chrono_tz::Tz;
use proptest::prelude::*;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::schedule::{Preview, preview};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn shown(schedule: &Value) -> Preview {
    preview(&schedule.to_string(), UnixMillis::new(1_764_000_000_000))
        .unwrap_or_else(|problem| panic!("{schedule}: {problem}"))
}

/// Returns date, hour, minute and offset of the runs.
fn runs(schedule: &Value) -> Vec<String> {
    shown(schedule).runs.into_iter().map(|run| run.local).collect()
}

fn changes(schedule: &Value) -> Vec<Option<&'static str>> {
    shown(schedule).runs.into_iter().map(|run| run.clock_change).collect()
}

/// The clocks of New York jump from 02:00 to 03:00 on 2026-03-08, those of London from 01:00 to
/// 02:00 on 2026-03-29.
#[test]
fn a_rule_that_starts_in_a_gap_keeps_the_requested_time() {
    for (zone, start, rule, expected) in [
        (
            "America/New_York",
            "2026-03-08T02:30",
            "FREQ=DAILY",
            ["2026-03-08T03:30:00-04:00", "2026-03-09T02:30:00-04:00", "2026-03-10T02:30:00-04:00"],
        ),
        (
            "Europe/London",
            "2026-03-29T01:15:30",
            "FREQ=WEEKLY;COUNT=3",
            ["2026-03-29T02:15:30+01:00", "2026-04-05T01:15:30+01:00", "2026-04-12T01:15:30+01:00"],
        ),
        // The gap is only half an hour.
        (
            "Australia/Lord_Howe",
            "2026-10-04T02:10",
            "FREQ=MONTHLY",
            ["2026-10-04T02:40:00+11:00", "2026-11-04T02:10:00+11:00", "2026-12-04T02:10:00+11:00"],
        ),
        // A repeating rule skips the gap.
        (
            "America/New_York",
            "2026-03-08T02:30",
            "FREQ=HOURLY",
            ["2026-03-08T03:30:00-04:00", "2026-03-08T04:30:00-04:00", "2026-03-08T05:30:00-04:00"],
        ),
    ] {
        let schedule = json!({"rrule": rule, "startAt": start, "timezone": zone, "count": 3});
        assert_eq!(runs(&schedule), expected, "{schedule}");
    }
}

#[test]
fn an_interval_of_days_from_a_gap_keeps_the_requested_time() {
    for (interval, field, expected) in [
        (
            86_400,
            "anchor",
            ["2026-03-08T03:30:00-04:00", "2026-03-09T02:30:00-04:00", "2026-03-10T02:30:00-04:00"],
        ),
        (
            172_800,
            "anchor",
            ["2026-03-08T03:30:00-04:00", "2026-03-10T02:30:00-04:00", "2026-03-12T02:30:00-04:00"],
        ),
        (
            86_400,
            "startAt",
            ["2026-03-08T03:30:00-04:00", "2026-03-09T02:30:00-04:00", "2026-03-10T02:30:00-04:00"],
        ),
        // Other intervals are real time from the instant on.
        (
            5_400,
            "anchor",
            ["2026-03-08T03:30:00-04:00", "2026-03-08T05:00:00-04:00", "2026-03-08T06:30:00-04:00"],
        ),
    ] {
        let schedule = json!({"everySeconds": interval, field: "2026-03-08T02:30", "timezone": "America/New_York", "count": 3});
        assert_eq!(runs(&schedule), expected, "{schedule}");
        assert_eq!(changes(&schedule), [Some("gap-shifted"), None, None], "{schedule}");
        let counted = json!({"everySeconds": interval, field: "2026-03-08T02:30", "timezone": "America/New_York", "maxRuns": 2});
        assert_eq!(runs(&counted), expected[..2], "{counted}");
    }
    // A skipped day: Samoa had no 2011-12-30.
    let apia = json!({"everySeconds": 86_400, "anchor": "2011-12-30T12:00", "timezone": "Pacific/Apia",
        "from": "2011-12-29T00:00", "count": 2});
    assert_eq!(runs(&apia), ["2011-12-31T12:00:00+14:00", "2012-01-01T12:00:00+14:00"]);
}

/// London's clock goes back from 02:00 to 01:00 on 2026-10-25, at 01:00Z, and forward from 01:00 on
/// 2026-03-29, at 01:00Z.
#[test]
fn hourly_and_finer_rules_fire_whenever_the_clock_shows_their_times() {
    let of = |rule: &str, from: &str, count: u32| json!({"rrule": rule, "startAt": "2026-01-01T00:00", "timezone": "Europe/London", "from": from, "count": count});
    let back = of("FREQ=HOURLY", "2026-10-24T23:30:00Z", 4);
    assert_eq!(
        runs(&back),
        [
            "2026-10-25T01:00:00+01:00",
            "2026-10-25T01:00:00+00:00",
            "2026-10-25T02:00:00+00:00",
            "2026-10-25T03:00:00+00:00"
        ]
    );
    assert_eq!(changes(&back), [Some("first-pass"), Some("second-pass"), None, None]);
    let back = of("FREQ=MINUTELY;INTERVAL=20", "2026-10-25T00:30:00Z", 3);
    assert_eq!(
        runs(&back),
        ["2026-10-25T01:40:00+01:00", "2026-10-25T01:00:00+00:00", "2026-10-25T01:20:00+00:00"]
    );
    let back = of("FREQ=SECONDLY;INTERVAL=15", "2026-10-25T00:59:31Z", 3);
    assert_eq!(
        runs(&back),
        ["2026-10-25T01:59:45+01:00", "2026-10-25T01:00:00+00:00", "2026-10-25T01:00:15+00:00"]
    );
    let forward = of("FREQ=MINUTELY;INTERVAL=30", "2026-03-29T00:15:00Z", 3);
    assert_eq!(
        runs(&forward),
        ["2026-03-29T00:30:00+00:00", "2026-03-29T02:00:00+01:00", "2026-03-29T02:30:00+01:00"]
    );
    assert_eq!(changes(&forward), [None, Some("gap-absent"), None]);
    // Rules that name single times are at fixed times, as for cron.
    for rule in [
        "FREQ=HOURLY;BYHOUR=1;BYMINUTE=30",
        "FREQ=MINUTELY;BYHOUR=1;BYMINUTE=30",
        "FREQ=HOURLY;INTERVAL=24;BYMINUTE=30",
    ] {
        let rule = if rule.contains("INTERVAL") {
            json!({"rrule": rule, "startAt": "2026-01-01T01:00", "timezone": "Europe/London", "from": "2026-10-25T00:00:00Z", "count": 2})
        } else {
            of(rule, "2026-10-25T00:00:00Z", 2)
        };
        assert_eq!(
            runs(&rule),
            ["2026-10-25T01:30:00+01:00", "2026-10-26T01:30:00+00:00"],
            "{rule}"
        );
    }
}

/// A rule that starts in the first or the second pass counts only its own runs, and has the runs of
/// the second pass before its time of day.
#[test]
fn a_rule_can_start_in_either_pass_of_an_overlap() {
    let first = json!({"rrule": "FREQ=MINUTELY;INTERVAL=15;COUNT=5", "startAt": "2026-10-25T01:30", "timezone": "Europe/London"});
    assert_eq!(
        runs(&first),
        [
            "2026-10-25T01:30:00+01:00",
            "2026-10-25T01:45:00+01:00",
            "2026-10-25T01:00:00+00:00",
            "2026-10-25T01:15:00+00:00",
            "2026-10-25T01:30:00+00:00"
        ]
    );
    for (rule, expected) in [
        ("FREQ=HOURLY;COUNT=2", ["2026-10-25T01:30:00+00:00", "2026-10-25T02:30:00+00:00"]),
        ("FREQ=DAILY;COUNT=2", ["2026-10-26T01:30:00+00:00", "2026-10-27T01:30:00+00:00"]),
    ] {
        let second =
            json!({"rrule": rule, "startAt": "2026-10-25T01:30:00Z", "timezone": "Europe/London"});
        assert_eq!(runs(&second), expected, "{rule}");
    }
}

#[test]
fn a_list_has_the_same_runs_as_one_expression_with_the_same_times() {
    for (list, one) in [
        (json!(["0 1 * * *", "30 1 * * *"]), "0,30 1 * * *"),
        (json!(["0 0 * * *", "0 1 * * *", "0 2 * * *"]), "0 0-2 * * *"),
        (json!(["30 1 * * *", "15,45 1 * * *", "0 1 * * *"]), "*/15 1 * * *"),
        // An expression that repeats by itself does not repeat if the times of the whole list are
        // not evenly spaced.
        (json!(["0,30 1 * * *", "10 1 * * *"]), "0,10,30 1 * * *"),
        (json!(["*/30 1 * * *", "*/30 1 * * *"]), "*/30 1 * * *"),
        (json!(["0 0 1 * * *", "20 0 1 * * *", "40 0 1 * * *"]), "*/20 0 1 * * *"),
        (json!(["30 1 * * SUN", "30 1 * * MON-SAT", "0 1 * * *"]), "0,30 1 * * *"),
    ] {
        for from in ["2026-10-24T12:00:00Z", "2026-03-28T12:00:00Z"] {
            let of = |cron: &Value| json!({"cron": cron, "timezone": "Europe/London", "from": from, "count": 12});
            let (listed, single) = (shown(&of(&list)), shown(&of(&json!(one))));
            assert_eq!(listed, single, "{list} from {from}");
            let of = |cron: &Value| json!({"cron": cron, "timezone": "Europe/London", "from": from, "maxRuns": 12, "count": 100});
            assert_eq!(runs(&of(&list)), runs(&of(&json!(one))), "{list}, counted from {from}");
        }
    }
}

/// In the second pass, sixteen expressions skip thousands of fixed times. This takes at most a few
/// milliseconds.
#[test]
fn fixed_times_of_a_second_pass_are_skipped_together() {
    let many = "0-56,59 0-56,59 1 * * *";
    let of = |cron: &Value| json!({"cron": cron, "timezone": "Europe/London", "from": "2026-10-25T01:00:00Z", "count": 3});
    let expected = runs(&of(&json!(many)));
    assert_eq!(expected[0], "2026-10-26T01:00:00+00:00");
    assert_eq!(runs(&of(&json!(vec![many; 16]))), expected);
    // A repeating time among them is found.
    let mixed = json!([many, "20,30,40 58 1 * * *"]);
    assert_eq!(runs(&of(&mixed))[..2], ["2026-10-25T01:58:20+00:00", "2026-10-25T01:58:30+00:00"]);
}

/// Times of day in minutes, by day. Even days have one set, and odd days another.
type Minutes = BTreeSet<u32>;

/// Returns whether a time repeats, by the definition: whether the hours with the same minute, or
/// the minutes, are evenly spaced.
fn repeats(set: &Minutes, minute: u32) -> bool {
    let even = |values: Vec<u32>, size: u32| {
        let steps: BTreeSet<u32> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let (Some(step), Some(first)) = (steps.first(), values.first()) else { return false };
        steps.len() == 1 && (values.len() > 2 || *first == 0 && values[1] + step >= size)
    };
    even(set.iter().filter(|at| *at % 60 == minute % 60).map(|at| at / 60).collect(), 24)
        || even(set.iter().filter(|at| *at / 60 == minute / 60).map(|at| at % 60).collect(), 60)
}

/// Returns the runs of a day and a half by the definition, minute by minute.
fn by_definition(set: &Minutes, zone: Tz, from: i64) -> BTreeSet<i64> {
    let mut runs = BTreeSet::new();
    let end = from + 36 * 3_600;
    let local_from = DateTime::from_timestamp(from, 0).unwrap().naive_utc() - TimeDelta::days(2);
    for at in 0..6 * 1_440 {
        let local: NaiveDateTime =
            local_from.with_minute(0).unwrap().with_second(0).unwrap() + TimeDelta::minutes(at);
        let minute = local.hour() * 60 + local.minute();
        if !set.contains(&minute) {
            continue;
        }
        let found = match zone.from_local_datetime(&local) {
            LocalResult::Single(instant) => vec![instant.timestamp()],
            LocalResult::Ambiguous(first, second) if repeats(set, minute) => {
                vec![first.timestamp(), second.timestamp()]
            }
            LocalResult::Ambiguous(first, _) => vec![first.timestamp()],
            LocalResult::None if repeats(set, minute) => vec![],
            // The first instant after the gap is at a whole minute.
            LocalResult::None => {
                let after = (1..).find_map(|more| {
                    zone.from_local_datetime(&(local + TimeDelta::minutes(more))).earliest()
                });
                vec![after.unwrap().timestamp()]
            }
        };
        runs.extend(found.into_iter().filter(|run| (from + 1..=end).contains(run)));
    }
    runs
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lists_follow_the_definition(
        parts in prop::collection::vec(
            (prop::collection::btree_set(0_u32..4, 1..4), prop::collection::btree_set(prop::sample::select(vec![0_u32, 10, 15, 20, 30, 40, 45]), 1..4)),
            2..5,
        ),
        (zone, change) in prop::sample::select(vec![
            (chrono_tz::Europe::London, 1_774_746_000_i64),
            (chrono_tz::Europe::London, 1_792_890_000),
            (chrono_tz::America::New_York, 1_772_953_200),
            (chrono_tz::America::New_York, 1_793_512_800),
            (chrono_tz::Australia::Lord_Howe, 1_775_314_800),
            (chrono_tz::Australia::Lord_Howe, 1_791_041_400),
        ]),
        before in 0_i64..100_000,
    ) {
        let list = |set: &BTreeSet<u32>| set.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let cron: Vec<String> = parts.iter().map(|(hours, minutes)| format!("{} {} * * *", list(minutes), list(hours))).collect();
        let set: Minutes =
            parts.iter().flat_map(|(hours, minutes)| hours.iter().flat_map(|hour| minutes.iter().map(move |minute| hour * 60 + minute))).collect();
        let from = change - before;
        let schedule = json!({"cron": cron, "timezone": zone.name(), "from": from * 1_000, "count": 100});
        let expected = by_definition(&set, zone, from);
        let found: BTreeSet<i64> = shown(&schedule).runs.iter().map(|run| run.time.get() / 1_000).filter(|run| *run <= from + 36 * 3_600).collect();
        prop_assert_eq!(found, expected, "{}", schedule);
    }
}

/// A preview shows where a single time was moved, and why.
#[test]
fn a_preview_explains_a_single_local_time() {
    for (time, local, change) in [
        ("2026-03-29T01:30", "2026-03-29T02:00:00+01:00", Some("gap-moved")),
        ("2026-10-25T01:30", "2026-10-25T01:30:00+01:00", Some("first-of-two")),
        ("2026-07-01T01:30", "2026-07-01T01:30:00+01:00", None),
    ] {
        let schedule = json!({"time": time, "timezone": "Europe/London"});
        let preview = shown(&schedule);
        assert_eq!(
            (preview.timezone, preview.runs[0].local.as_str(), preview.runs[0].clock_change),
            ("Europe/London", local, change)
        );
        assert_eq!(preview.runs[0].explanation.is_some(), change.is_some());
    }
}

#[test]
fn an_interval_from_a_local_anchor_is_shown_in_its_zone() {
    let preview = shown(
        &json!({"everySeconds": 3_600, "anchor": "2026-07-01T09:00", "timezone": "Asia/Kolkata", "count": 1}),
    );
    assert_eq!(
        (preview.timezone, preview.runs[0].local.as_str()),
        ("Asia/Kolkata", "2026-07-01T09:00:00+05:30")
    );
}
