//! Compares rules of RFC 5545 with the crate `rrule`, if both read them alike.
//!
//! Only daily and coarser rules are compared, because the crate misses all Mondays of eight months
//! with `FREQ=SECONDLY;BYDAY=MO;BYMINUTE=1`. `rrule_by_definition` checks finer rules by their
//! definition.
//!
//! The crate walks from the start, so its runs are compared from there. It returns runs in the
//! order of their local times, and some of them twice where the clock jumps. Ours rise, each once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use chrono::{DateTime, TimeZone};
use proptest::prelude::*;
use rrule::{RRuleSet, Tz};
use scheduler_calendar::rrule::RRule;
use scheduler_calendar::time::UnixMillis;
use std::collections::BTreeSet;

#[path = "rrule_strategies/mod.rs"]
mod strategies;

/// The compared runs. The crate's last ones may be out of order.
const COMPARED: usize = 12;
const WALKED: usize = 2 * COMPARED;

/// 2100-01-01T00:00:00Z. The crate's time zones have no clock changes from then on.
const TABLES_END: i64 = 4_102_444_800;

fn theirs(text: &str, zone: chrono_tz::Tz, start: i64) -> Option<Vec<i64>> {
    let local =
        zone.from_utc_datetime(&DateTime::from_timestamp(start, 0)?.naive_utc()).naive_local();
    let head = local.format("%Y%m%dT%H%M%S");
    let set: RRuleSet =
        format!("DTSTART;TZID={}:{head}\nRRULE:{text}", zone.name()).parse().ok()?;
    // If the clock shows a time twice, the crate takes the first instant, which may not be the
    // start.
    if set.get_dt_start().timestamp() != start || set.get_dt_start().timezone() != Tz::Tz(zone) {
        return None;
    }
    // The search is limited: for a rule that never matches, the crate gives up after 100,000 steps,
    // and some of them take a while.
    let found = set.limit().into_iter().take(WALKED).map(|run| run.timestamp());
    let found: BTreeSet<i64> =
        found.filter(|run| zone == chrono_tz::UTC || *run < TABLES_END).collect();
    Some(found.into_iter().collect())
}

fn ours(text: &str, zone: chrono_tz::Tz, start: i64) -> Vec<i64> {
    let rule = RRule::parse(text, UnixMillis::new(start * 1_000), Some(zone.name())).unwrap();
    let first = rule.next_after(UnixMillis::new(i64::MIN));
    std::iter::successors(first, |run| rule.next_after(*run))
        .take(COMPARED)
        .map(|run| run.get() / 1_000)
        .collect()
}

/// Compares the runs of a rule if the crate reads it as we do. Returns whether any were compared.
fn check(text: &str, zone: chrono_tz::Tz, start: i64) -> bool {
    // The crate's first week begins with the start, so positions count from there. Ours begins
    // where weeks begin, as the first month and year do in both.
    if text.contains("WEEKLY") && text.contains("BYSETPOS") {
        return false;
    }
    let Some(theirs) = theirs(text, zone, start) else { return false };
    let ours = ours(text, zone, start);
    // Both give up on rare rules: the crate after 100,000 days, and we after about 400 years
    // without a run.
    let compared = theirs.len().min(COMPARED).min(ours.len());
    assert_eq!(
        ours.get(..compared),
        theirs.get(..compared),
        "{text}, {}, from {start}",
        zone.name()
    );
    if let Some(next) = theirs.get(compared).filter(|_| compared < COMPARED) {
        let last = ours.last().copied().unwrap_or(start);
        assert!(
            next - last > 400 * 365 * 86_400,
            "{text}, {}, from {start}: {next} is missing",
            zone.name()
        );
    }
    compared > 0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn runs_are_those_of_the_crate(text in strategies::rule(&strategies::COARSE), start in 1_000_000_000..2_000_000_000_i64) {
        check(&text, chrono_tz::UTC, start);
    }

    /// The start is shortly before a clock change.
    #[test]
    fn runs_are_those_of_the_crate_where_the_clock_jumps(
        text in strategies::rule(&strategies::COARSE),
        (zone, change) in prop::sample::select(vec![
            (chrono_tz::Europe::London, 1_774_746_000_i64),
            (chrono_tz::Europe::London, 1_792_890_000),
            (chrono_tz::America::New_York, 1_772_953_200),
            (chrono_tz::America::New_York, 1_793_512_800),
        ]),
        before in 0..200_000_i64,
    ) {
        check(&text, zone, change - before);
    }
}

/// The crate accepts the generated rules. Otherwise the tests above would compare nothing.
#[test]
fn rules_are_compared() {
    for rule in [
        "FREQ=DAILY",
        "FREQ=MONTHLY;BYDAY=-1FR",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
    ] {
        assert!(check(rule, chrono_tz::Europe::London, 1_774_000_000), "{rule}");
    }
}
