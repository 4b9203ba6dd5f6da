//! Compares cron, at every kind of change of every zone's clock, with a walk through the time
//! around it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use scheduler_calendar::cron::CronSchedule;
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz::Tz;
use std::collections::HashSet;

/// 1973-01-01T00:00:00Z. From then on, every zone was whole minutes from UTC, so a walk by minutes
/// meets every time.
const FROM: i64 = 94_694_400;

/// 2038-01-01T00:00:00Z.
const UNTIL: i64 = 2_145_916_800;

fn offset(zone: Tz, second: i64) -> i64 {
    zone.offset_at(second)
}

/// Returns the instants at which the zone's clock changes. A search in steps of a week finds them.
fn changes(zone: Tz, from: i64, until: i64) -> Vec<i64> {
    const WEEK: i64 = 7 * 86_400;
    let mut found = Vec::new();
    let (mut before, mut old) = (from, offset(zone, from));
    while before < until {
        let new = offset(zone, before + WEEK);
        if new != old {
            let (mut low, mut high) = (before, before + WEEK);
            while high - low > 1 {
                let middle = (low + high) / 2;
                if offset(zone, middle) == old {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            found.push(high);
        }
        (before, old) = (before + WEEK, new);
    }
    found
}

/// Returns the occurrences by the rule, minute by minute. A repeating schedule fires whenever the
/// clock shows a matching time. A schedule at fixed times fires when the clock first reaches or
/// passes a matching time.
fn by_walking(
    zone: Tz,
    hours: &dyn Fn(i64) -> bool,
    minutes: &dyn Fn(i64) -> bool,
    repeats: bool,
    from: i64,
    until: i64,
) -> Vec<i64> {
    let matches =
        |local: i64| minutes(local.rem_euclid(3600) / 60) && hours(local.rem_euclid(86_400) / 3600);
    let mut found = Vec::new();
    let mut reached = from + offset(zone, from);
    for second in ((from + 60)..until).step_by(60) {
        let local = second + offset(zone, second);
        let fires = if repeats {
            matches(local)
        } else {
            ((reached + 60)..=local).step_by(60).any(matches)
        };
        if fires {
            found.push(second * 1000);
        }
        reached = reached.max(local);
    }
    found
}

#[test]
fn every_kind_of_change_of_every_zone_follows_the_rule() {
    let mut seen = HashSet::new();
    for zone in Tz::all() {
        for change in changes(zone, FROM, UNTIL) {
            let (old, new) = (offset(zone, change - 1), offset(zone, change));
            // The same jump at the same time of day is the same case.
            if !seen.insert((new - old, (change + old).rem_euclid(86_400))) {
                continue;
            }
            let (start, end) = (change - 26 * 3600, change + 50 * 3600);
            let hour = (change + old).rem_euclid(86_400) / 3600;
            let before = (hour + 23) % 24;
            let all = |_: i64| true;
            let every_second = |at: i64| at % 2 == 0;
            let around = |at: i64| at == hour || at == before;
            let every_quarter = |at: i64| at % 15 == 0;
            let every_ten = |at: i64| at % 10 == 0;
            let on_the_hour = |at: i64| at == 0;
            let two_times = |at: i64| at == 7 || at == 19;
            for (expr, minutes, hours, repeats) in [
                (
                    "*/15 * * * *".to_owned(),
                    &every_quarter as &dyn Fn(i64) -> bool,
                    &all as &dyn Fn(i64) -> bool,
                    true,
                ),
                ("0 */2 * * *".to_owned(), &on_the_hour, &every_second, true),
                // A step within some hours continues through the change. Two times are fixed,
                // unless `*/23` names exactly these two.
                (format!("*/10 {before},{hour} * * *"), &every_ten, &around, true),
                (format!("7,19 {before},{hour} * * *"), &two_times, &around, hour == 0),
            ] {
                let expected = by_walking(zone, hours, minutes, repeats, start, end);
                let schedule = CronSchedule::parse(&expr, Some(zone.name())).expect(&expr);
                let next_after =
                    |millis| schedule.next_after(UnixMillis::new(millis)).map(UnixMillis::get);
                let found: Vec<i64> =
                    std::iter::successors(next_after(start * 1000), |last| next_after(*last))
                        .take_while(|at| *at < end * 1000)
                        .collect();
                assert_eq!(found, expected, "{expr} in {zone} around {change}");
                // Every start is checked, in addition to the chain of occurrences.
                for after in ((start + 1)..end).step_by(599) {
                    if let Some(next) = expected.iter().find(|at| **at > after * 1000) {
                        assert_eq!(
                            next_after(after * 1000),
                            Some(*next),
                            "{expr} in {zone} after {after}"
                        );
                    }
                }
            }
        }
    }
    assert!(seen.len() > 50, "only {} kinds of change were found", seen.len());
}
