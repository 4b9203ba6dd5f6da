//! Compares cron with two other implementations, on the expressions that they read as we do.
//!
//! The crate `cron` does not have five fields, `L`, `W` or `#`. It counts weekdays from 1 = Sunday
//! and requires both day fields to match. So it is compared in UTC, on expressions that restrict at
//! most one day field. The crate `croner` has the same language as ours. So it is compared on all
//! of it in UTC, and in zones where it handles a jumping clock as we do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds, Year};
use proptest::prelude::*;
use scheduler_calendar::cron::CronSchedule;
use scheduler_calendar::time::UnixMillis;
use std::str::FromStr;

/// The occurrences that are compared from one start.
const COMPARED: usize = 6;

/// An entry in the list of a field.
#[derive(Debug, Clone, Copy)]
enum Item {
    One(u32),
    Range(u32, u32),
    Step(u32),
    RangeStep(u32, u32, u32),
}

/// A field: every value, or a list.
#[derive(Debug, Clone)]
struct Field(Vec<Item>);

impl Field {
    /// Returns the field as text, with every value moved by `shift`.
    fn text(&self, shift: u32) -> String {
        if self.0.is_empty() {
            return "*".to_owned();
        }
        let items: Vec<String> = self
            .0
            .iter()
            .map(|item| match item {
                Item::One(value) => format!("{}", value + shift),
                Item::Range(first, last) => format!("{}-{}", first + shift, last + shift),
                Item::Step(step) => format!("*/{step}"),
                Item::RangeStep(first, last, step) => {
                    format!("{}-{}/{step}", first + shift, last + shift)
                }
            })
            .collect();
        items.join(",")
    }
}

/// Returns a field of values from `least` to `most`, with steps up to `most`, the longest that
/// `cron` accepts.
fn field(least: u32, most: u32) -> impl Strategy<Value = Field> {
    let range = move || (least..=most, least..=most).prop_map(|(a, b)| (a.min(b), a.max(b)));
    let item = prop_oneof![
        4 => (least..=most).prop_map(Item::One),
        2 => range().prop_map(|(first, last)| Item::Range(first, last)),
        1 => (1..=most).prop_map(Item::Step),
        1 => (range(), 1..=most).prop_map(|((first, last), step)| Item::RangeStep(first, last, step)),
    ];
    prop_oneof![
        1 => Just(Field(Vec::new())),
        2 => prop::collection::vec(item, 1..4).prop_map(Field),
    ]
}

/// Returns starts from 1990 to 2060, to the millisecond.
fn start() -> impl Strategy<Value = UnixMillis> {
    (631_152_000_000..2_840_140_800_000_i64).prop_map(UnixMillis::new)
}

fn ours(schedule: &CronSchedule, after: UnixMillis) -> Vec<i64> {
    std::iter::successors(schedule.next_after(after), |last| schedule.next_after(*last))
        .take(COMPARED)
        .map(UnixMillis::get)
        .collect()
}

proptest! {
    #[test]
    fn agrees_with_cron(
        second in field(0, 59),
        minute in field(0, 59),
        hour in field(0, 23),
        day in field(1, 31),
        month in field(1, 12),
        weekday in field(0, 6),
        by_weekday in any::<bool>(),
        after in start(),
    ) {
        let times = format!("{} {} {}", second.text(0), minute.text(0), hour.text(0));
        let month = month.text(0);
        let (expr, theirs) = if by_weekday {
            // Its weekdays begin with 1, and ours with 0. A step over all of them starts on Sunday
            // in both.
            (
                format!("{times} * {month} {}", weekday.text(0)),
                format!("{times} * {month} {}", weekday.text(1)),
            )
        } else {
            let expr = format!("{times} {} {month} *", day.text(0));
            (expr.clone(), expr)
        };
        let theirs = cron::Schedule::from_str(&theirs).expect(&theirs);
        let from = DateTime::from_timestamp_millis(after.get()).expect("in range");
        // The crate stops at the year 2100. So from a start more than four years before that, it
        // finds all occurrences or none.
        let expected: Vec<i64> = theirs.after(&from).take(COMPARED).map(|at| at.timestamp_millis()).collect();
        match CronSchedule::parse(&expr, None) {
            Ok(schedule) => {
                let found = ours(&schedule, after);
                prop_assert_eq!(&found[..expected.len()], &expected[..], "{}", expr);
                let end = UnixMillis::new(4_102_444_800_000); // 2100-01-01
                prop_assert!(expected.len() == COMPARED || found[expected.len()] >= end.get(), "{}", expr);
            }
            Err(error) => prop_assert!(expected.is_empty(), "{expr}: {error}"),
        }
    }

    #[test]
    fn agrees_with_croner(
        second in prop::option::of(field(0, 59)),
        minute in field(0, 59),
        hour in field(0, 23),
        day in day_of_month(),
        month in field(1, 12),
        weekday in day_of_week(),
        after in start(),
    ) {
        let second = second.map_or(String::new(), |second| format!("{} ", second.text(0)));
        let expr = format!("{second}{} {} {day} {} {weekday}", minute.text(0), hour.text(0), month.text(0));
        let theirs = croner(&expr);
        // Expressions that we refuse (days that do not exist, a step with a restriction) have their
        // own tests.
        if let Ok(schedule) = CronSchedule::parse(&expr, None) {
            prop_assert_eq!(ours(&schedule, after), croner_after(&theirs, after, Tz::UTC), "{}", expr);
        }
    }

    #[test]
    fn agrees_with_croner_where_the_clock_jumps(
        expr in prop_oneof![
            // One fixed time of day, usually one that some clock change affects.
            (0_u32..60, 0_u32..4).prop_map(|(minute, hour)| format!("{minute} {hour} * * *")),
            (0_u32..60, 0_u32..24).prop_map(|(minute, hour)| format!("{minute} {hour} * * *")),
            // Every hour.
            field(0, 59).prop_map(|minute| format!("{} * * * *", minute.text(0))),
        ],
        // No law has changed these zones since the release that the crate contains.
        zone in prop::sample::select(vec![
            Tz::Europe__London, Tz::America__New_York, Tz::Australia__Lord_Howe, Tz::Europe__Dublin,
            Tz::America__Sao_Paulo, Tz::Antarctica__Troll,
        ]),
        // The start is within two days before a Sunday, when most clocks change.
        week in 1043_u32..4600,
        within in 0_i64..172_800,
    ) {
        let sunday = i64::from(week) * 604_800 + 3 * 86_400;
        let after = UnixMillis::new((sunday - within) * 1000);
        let schedule = CronSchedule::parse(&expr, Some(zone.name())).expect(&expr);
        prop_assert_eq!(ours(&schedule, after), croner_after(&croner(&expr), after, zone), "{} {}", expr, zone);
    }
}

fn croner(expr: &str) -> croner::Cron {
    CronParser::builder()
        .seconds(Seconds::Optional)
        .year(Year::Disallowed)
        .build()
        .parse(expr)
        .expect(expr)
}

fn croner_after(schedule: &croner::Cron, after: UnixMillis, zone: Tz) -> Vec<i64> {
    let from =
        DateTime::<Utc>::from_timestamp_millis(after.get()).expect("in range").with_timezone(&zone);
    schedule
        .iter_after(from)
        .take(COMPARED)
        // The crate keeps the milliseconds of the start.
        .map(|at| at.timestamp() * 1000)
        .collect()
}

fn day_of_month() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => field(1, 31).prop_map(|field| field.text(0)),
        1 => Just("?".to_owned()),
        1 => (1_u32..32).prop_map(|day| format!("L,{day}")),
        1 => (1_u32..32, 1_u32..32).prop_map(|(one, other)| format!("{one}W,{other}W")),
        1 => (1_u32..32, 1_u32..32).prop_map(|(one, other)| format!("{one}W,{other}")),
        1 => prop::sample::select(vec!["L", "LW"]).prop_map(str::to_owned),
    ]
}

fn day_of_week() -> impl Strategy<Value = String> {
    let name =
        || prop::sample::select(vec!["SUN", "mon", "Tue", "WED", "THU", "FRI", "SAT", "7", "3"]);
    prop_oneof![
        3 => Just("*".to_owned()),
        3 => field(0, 7).prop_map(|field| field.text(0)),
        1 => name().prop_map(str::to_owned),
        1 => Just("MON-FRI".to_owned()),
        1 => (name(), 1_u32..6).prop_map(|(day, nth)| format!("{day}#{nth}")),
        1 => (name(), name(), 1_u32..6).prop_map(|(last, day, nth)| format!("{last}L,{day}#{nth}")),
        1 => (name(), 0_u32..7).prop_map(|(last, day)| format!("{last}#L,{day}")),
    ]
}
