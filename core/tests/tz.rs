//! The tables of time zones: made here from the crate `chrono-tz`, and held against it.
//!
//! After an update of the crate: `UPDATE_TZ=1 cargo test -p scheduler-core --test tz`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use chrono::{DateTime, NaiveDateTime, Offset, TimeZone, offset::MappedLocalTime};
use chrono_tz::{GapInfo, TZ_VARIANTS};
use scheduler_core::tz::{Reading, Tz};

/// 1800-01-01T00:00:00Z.
const FROM: i64 = -5_364_662_400;
/// 2110-01-01T00:00:00Z: the crate's tables end in 2100.
const UNTIL: i64 = 4_417_977_600;
/// No two changes of a clock in the tables are closer than this; a look every hour finds the same ones.
const STEP: i64 = 86_400;

fn naive(second: i64) -> NaiveDateTime {
    DateTime::from_timestamp(second, 0).unwrap().naive_utc()
}

fn offset_at(zone: chrono_tz::Tz, second: i64) -> i64 {
    zone.offset_from_utc_datetime(&naive(second)).fix().local_minus_utc().into()
}

/// The crate's answer to which instants show a local time.
fn read(zone: chrono_tz::Tz, local: i64) -> Reading {
    let seconds = |offset: &chrono_tz::TzOffset| i64::from(offset.fix().local_minus_utc());
    match zone.offset_from_local_datetime(&naive(local)) {
        MappedLocalTime::Single(offset) => Reading::Once(local - seconds(&offset)),
        MappedLocalTime::Ambiguous(first, second) => {
            Reading::Twice { first: local - seconds(&first), second: local - seconds(&second) }
        }
        MappedLocalTime::None => {
            let (begin, offset) = GapInfo::new(&naive(local), &zone).unwrap().begin.unwrap();
            Reading::Gap { end: begin.and_utc().timestamp() - seconds(&offset) }
        }
    }
}

/// The instants at which the crate's clock is changed.
fn changes(zone: chrono_tz::Tz) -> Vec<i64> {
    let mut found = Vec::new();
    let (mut before, mut old) = (FROM, offset_at(zone, FROM));
    while before < UNTIL {
        let new = offset_at(zone, before + STEP);
        if new != old {
            let (mut low, mut high) = (before, before + STEP);
            while high - low > 1 {
                let middle = (low + high) / 2;
                if offset_at(zone, middle) == old {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            found.push(high);
        }
        (before, old) = (before + STEP, new);
    }
    found
}

fn number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap());
}

fn duration(seconds: i64, out: &mut Vec<u8>) {
    let (value, unit) = if seconds % 3_600 == 0 { (seconds / 3_600, 0) } else { (seconds, 1) };
    number((((value << 1) ^ (value >> 63)).cast_unsigned()) << 1 | unit, out);
}

/// The file that `core/src/tz.rs` describes.
fn file() -> Vec<u8> {
    let mut zones: Vec<_> = TZ_VARIANTS.into_iter().collect();
    zones.sort_by_key(|zone| zone.name());
    let mut tables: Vec<Vec<u8>> = Vec::new();
    let mut out = Vec::new();
    number(zones.len() as u64, &mut out);
    for zone in zones {
        let mut table = Vec::new();
        duration(offset_at(zone, FROM), &mut table);
        let mut before = FROM;
        for change in changes(zone) {
            duration(change - before, &mut table);
            duration(offset_at(zone, change), &mut table);
            before = change;
        }
        let known = tables.iter().position(|other| *other == table);
        let index = known.unwrap_or_else(|| {
            tables.push(table);
            tables.len() - 1
        });
        number(zone.name().len() as u64, &mut out);
        out.extend_from_slice(zone.name().as_bytes());
        number(index as u64, &mut out);
    }
    number(tables.len() as u64, &mut out);
    for table in tables {
        number(table.len() as u64, &mut out);
        out.extend(table);
    }
    out
}

#[test]
fn the_file_is_what_the_crate_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tz.bin");
    let file = file();
    if std::env::var_os("UPDATE_TZ").is_some() {
        std::fs::write(path, &file).unwrap();
    }
    assert!(
        std::fs::read(path).unwrap() == file,
        "tz.bin is out of date: run UPDATE_TZ=1 cargo test -p scheduler-core --test tz"
    );
}

#[test]
fn every_zone_of_the_crate_has_its_name() {
    let mut names: Vec<_> = TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
    names.sort_unstable();
    assert!(names.len() > 590);
    assert_eq!(Tz::all().map(Tz::name).collect::<Vec<_>>(), names);
    for name in names {
        assert_eq!(name.parse::<Tz>().unwrap().name(), name);
    }
    assert_eq!((Tz::UTC.name(), "UTC".parse()), ("UTC", Ok(Tz::UTC)));
    for wrong in ["", "utc", "Europe/london", "Europe/London ", "Europe", "Zulu/Zulu", "\u{0}"] {
        assert!(wrong.parse::<Tz>().is_err(), "{wrong:?}");
    }
}

#[test]
fn clocks_agree_with_the_crate_around_every_change() {
    let mut count = 0;
    for zone in TZ_VARIANTS {
        let ours: Tz = zone.name().parse().unwrap();
        for change in changes(zone) {
            let (old, new) = (offset_at(zone, change - 1), offset_at(zone, change));
            assert_eq!((ours.offset_at(change - 1), ours.offset_at(change)), (old, new), "{zone} at {change}");
            let (low, high) = (change + old.min(new), change + old.max(new));
            for local in [low - 1, low, low + 1, low.midpoint(high), high - 1, high, high + 1, low - 86_400, high + 86_400] {
                assert_eq!(ours.read(local), read(zone, local), "{local} in {zone} around {change}");
            }
            count += 1;
        }
    }
    assert!(count > 60_000, "only {count} changes");
}

#[test]
fn clocks_agree_with_the_crate_far_from_all_changes() {
    for zone in TZ_VARIANTS {
        let ours: Tz = zone.name().parse().unwrap();
        for second in [-62_135_596_800, FROM, 0, UNTIL, 253_402_300_799] {
            assert_eq!(ours.offset_at(second), offset_at(zone, second), "{zone} at {second}");
            assert_eq!(ours.read(second), read(zone, second), "{second} in {zone}");
        }
        for second in [i64::MIN, i64::MAX] {
            let _ = (ours.offset_at(second), ours.read(second));
        }
    }
}
