//! Compares the tables of time zones with what Python's reader finds in the same data of IANA: see
//! `scripts/tz.py`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use scheduler_calendar::tz;
use scheduler_calendar::tz::{Reading, Tz};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

const EXPECTED: &str = include_str!("data/tz_changes.txt");

/// 1844-01-01T00:00:00Z, which is before the first change of any clock.
const FROM: i64 = -3_976_214_400;
/// 2101-01-01T00:00:00Z.
const UNTIL: i64 = 4_133_980_800;
/// 2520-01-01T00:00:00Z.
const FAR_UNTIL: i64 = 17_356_291_200;
/// No two changes of a clock are closer than this.
const DAY: i64 = 86_400;
const FAR_STEP: i64 = 40 * DAY;

/// Returns the changes of the clock: instants and new offsets.
fn changes(zone: Tz, from: i64, until: i64) -> Vec<(i64, i64)> {
    let mut found = Vec::new();
    let (mut before, mut old) = (from, zone.offset_at(from));
    while before < until {
        let new = zone.offset_at(before + DAY);
        if new != old {
            let (mut low, mut high) = (before, before + DAY);
            while high - low > 1 {
                let middle = low.midpoint(high);
                if zone.offset_at(middle) == old {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            found.push((high, new));
        }
        (before, old) = (before + DAY, new);
    }
    found
}

fn digest(text: &str) -> String {
    Sha256::digest(text)[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_change_of_every_zone_is_as_iana_says() {
    let mut lines = EXPECTED.lines();
    assert!(
        lines.next().unwrap().starts_with(&format!("# {}:", tz::release())),
        "tz.bin and tz_changes.txt: run make tz"
    );
    let (mut zones, mut count) = (0, 0);
    for line in lines {
        let columns: Vec<&str> = line.split('\t').collect();
        let [name, number, of_changes, of_far] = columns[..] else { panic!("{line}") };
        let zone: Tz = name.parse().expect(name);
        let changes = changes(zone, FROM, UNTIL);
        let mut text = format!("{}\n", zone.offset_at(FROM));
        changes.iter().for_each(|(instant, offset)| text += &format!("{instant} {offset}\n"));
        assert_eq!(
            (changes.len().to_string().as_str(), digest(&text).as_str()),
            (number, of_changes),
            "{name}"
        );
        let far: String = (UNTIL..FAR_UNTIL)
            .step_by(FAR_STEP as usize)
            .map(|instant| format!("{}\n", zone.offset_at(instant)))
            .collect();
        assert_eq!(digest(&far), of_far, "{name} after 2100");
        (zones, count) = (zones + 1, count + changes.len());
    }
    assert_eq!(zones, Tz::all().count());
    assert!(zones > 590 && count > 60_000, "{zones} zones, {count} changes");
}

/// Recent decisions of lawmakers. A release that changes one of these must change this list.
#[test]
fn clocks_follow_the_newest_laws() {
    // 2026-12-01T12:00:00Z.
    const DECEMBER: i64 = 1_796_126_400;
    for (name, hours) in [
        ("America/Vancouver", -7),
        ("America/Edmonton", -6),
        ("America/Winnipeg", -5),
        ("Africa/Casablanca", 0),
        ("America/Havana", -4),
        ("Europe/London", 0),
        ("America/New_York", -5),
    ] {
        assert_eq!(name.parse::<Tz>().unwrap().offset_at(DECEMBER), hours * 3_600, "{name}");
    }
}

#[test]
fn every_zone_has_its_name() {
    let names: Vec<&str> = Tz::all().map(Tz::name).collect();
    assert_eq!((names[0], Tz::UTC.name(), "UTC".parse()), ("UTC", "UTC", Ok(Tz::UTC)));
    assert!(names[1..].is_sorted());
    for name in names {
        assert_eq!(name.parse::<Tz>().unwrap().name(), name);
    }
    for wrong in
        ["", "utc", "Europe/london", "Europe/London ", "Europe", "Zulu/Zulu", "Factory", "\u{0}"]
    {
        assert!(wrong.parse::<Tz>().is_err(), "{wrong:?}");
    }
}

/// Every name that was ever accepted must stay, because schedules are stored with the name of their
/// zone.
#[test]
fn every_name_of_the_crate_exists() {
    for zone in chrono_tz::TZ_VARIANTS {
        assert!(zone.name().parse::<Tz>().is_ok(), "{zone}");
    }
}

/// Returns when the clock shows `local`, by trying every offset around that time.
fn by_trying(zone: Tz, local: i64, around: &[i64]) -> Reading {
    let shown: BTreeSet<i64> = around
        .iter()
        .map(|at| local - zone.offset_at(*at))
        .filter(|instant| instant + zone.offset_at(*instant) == local)
        .collect();
    match shown.into_iter().collect::<Vec<_>>()[..] {
        [instant] => Reading::Once(instant),
        [first, second] => Reading::Twice { first, second },
        [] => {
            // The first instant at which the clock shows a later time.
            let (mut low, mut high) = (local - 2 * DAY, local + 2 * DAY);
            while high - low > 1 {
                let middle = low.midpoint(high);
                if middle + zone.offset_at(middle) < local { low = middle } else { high = middle }
            }
            Reading::Gap { end: high }
        }
        _ => panic!("{local} is shown more than twice"),
    }
}

fn check_around(zone: Tz, change: i64) {
    let (old, new) = (zone.offset_at(change - 1), zone.offset_at(change));
    let (low, high) = (change + old.min(new), change + old.max(new));
    for local in
        [low - 1, low, low + 1, low.midpoint(high), high - 1, high, high + 1, low - DAY, high + DAY]
    {
        let around =
            [local - 2 * DAY, local - DAY, change - 1, change, local + DAY, local + 2 * DAY];
        assert_eq!(
            zone.read(local),
            by_trying(zone, local, &around),
            "{local} in {} around {change}",
            zone.name()
        );
    }
}

#[test]
fn local_times_are_read_as_the_clock_shows_them() {
    let mut count = 0;
    for zone in Tz::all() {
        for (change, _) in changes(zone, FROM, UNTIL + 500 * DAY) {
            check_around(zone, change);
            count += 1;
        }
    }
    assert!(count > 60_000, "only {count} changes");
}

/// The calendar repeats every 400 years, and so does a yearly rule.
#[test]
fn rules_apply_to_the_end_of_time() {
    const CYCLE: i64 = 146_097 * DAY;
    let mut with_rule = 0;
    for zone in Tz::all() {
        let changes = changes(zone, UNTIL, UNTIL + 3 * 366 * DAY);
        with_rule += usize::from(!changes.is_empty());
        for (change, offset) in changes {
            for cycle in [1, 5, 19] {
                let later = change + cycle * CYCLE;
                assert_eq!(
                    (zone.offset_at(later - 1), zone.offset_at(later)),
                    (zone.offset_at(change - 1), offset),
                    "{zone}"
                );
                check_around(zone, later);
            }
        }
        for second in [i64::MIN, i64::MIN + 1, 253_402_300_799, i64::MAX - 1, i64::MAX] {
            let _ = (zone.offset_at(second), zone.read(second));
        }
    }
    assert!(with_rule > 150, "{with_rule}");
}
