//! Generates rules of RFC 5545 that are accepted by construction.

#![allow(dead_code, reason = "each test uses a part")]

use proptest::collection::vec;
use proptest::prelude::*;

pub(crate) const FINE: [&str; 3] = ["SECONDLY", "MINUTELY", "HOURLY"];
pub(crate) const COARSE: [&str; 4] = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"];
pub(crate) const ALL: [&str; 7] =
    ["SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"];

fn list(
    part: &'static str,
    item: impl Strategy<Value = String> + 'static,
) -> BoxedStrategy<Option<String>> {
    prop_oneof![
        2 => Just(None),
        1 => vec(item, 1..4).prop_map(move |items| Some(format!("{part}={}", items.join(",")))),
    ]
    .boxed()
}

fn number(least: i32, most: i32) -> impl Strategy<Value = String> {
    (least..=most).prop_map(|number| number.to_string())
}

fn weekday() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["MO", "TU", "WE", "TH", "FR", "SA", "SU"]).prop_map(str::to_owned)
}

/// An ordinal is not combined with plain weekdays, because libraries disagree on whether a day must
/// match both.
fn by_day(ordinals: bool) -> BoxedStrategy<Option<String>> {
    let ordinal = (prop_oneof![-5..=-1_i32, 1..=5_i32], weekday())
        .prop_map(|(nth, day)| format!("{nth}{day}"));
    if ordinals {
        prop_oneof![list("BYDAY", weekday()), list("BYDAY", ordinal)].boxed()
    } else {
        list("BYDAY", weekday())
    }
}

/// Returns a rule with one of these frequencies, usually one that has runs.
pub(crate) fn rule(frequencies: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(frequencies).prop_flat_map(|frequency| {
        let day_of_month = prop_oneof![number(1, 31), number(-31, -1)];
        let by_month_day = if frequency == "WEEKLY" { Just(None).boxed() } else { list("BYMONTHDAY", day_of_month) };
        let interval = prop_oneof![3 => Just(1_u32), 2 => 2..9_u32, 1 => 9..400_u32];
        let position = prop_oneof![5 => Just(None), 1 => prop_oneof![number(1, 4), number(-4, -1)].prop_map(Some)];
        let week_start = prop::option::of(weekday());
        (
            interval,
            list("BYMONTH", number(1, 12)),
            by_month_day,
            by_day(matches!(frequency, "MONTHLY" | "YEARLY")),
            (list("BYHOUR", number(0, 23)), list("BYMINUTE", number(0, 59)), list("BYSECOND", number(0, 59))),
            position,
            week_start,
        )
            .prop_map(move |(interval, month, month_day, day, (hour, minute, second), position, week_start)| {
                let mut parts = vec![format!("FREQ={frequency}")];
                if interval > 1 {
                    parts.push(format!("INTERVAL={interval}"));
                }
                let filters = parts.len();
                parts.extend([month, month_day, day, hour, minute, second].into_iter().flatten());
                if parts.len() > filters {
                    parts.extend(position.map(|position| format!("BYSETPOS={position}")));
                }
                parts.extend(week_start.map(|day| format!("WKST={day}")));
                parts.join(";")
            })
    })
}
