//! Compares hourly and finer rules of RFC 5545 with their definition, applied to every hour, minute
//! or second of some days.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use chrono::{DateTime, Datelike};
use proptest::prelude::*;
use scheduler_calendar::rrule::RRule;
use scheduler_calendar::time::UnixMillis;
use std::collections::HashMap;

#[path = "rrule_strategies/mod.rs"]
mod strategies;

const DAYS: i64 = 4;
const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

struct Definition<'a> {
    parts: HashMap<&'a str, &'a str>,
    /// The lists of numbers. Weekdays count from Monday, which is 0.
    lists: HashMap<&'a str, Vec<i64>>,
    start: i64,
}

impl<'a> Definition<'a> {
    fn new(text: &'a str, start: i64) -> Self {
        let parts: HashMap<&str, &str> =
            text.split(';').filter_map(|part| part.split_once('=')).collect();
        let number = |item: &str| {
            WEEKDAYS
                .iter()
                .position(|day| *day == item)
                .map_or_else(|| item.parse().unwrap(), |weekday| weekday as i64)
        };
        let lists = parts.iter().filter(|(part, _)| part.starts_with("BY"));
        let lists =
            lists.map(|(part, list)| (*part, list.split(',').map(number).collect())).collect();
        Self { parts, lists, start }
    }

    fn allows(&self, part: &str, values: &[i64]) -> bool {
        self.lists.get(part).is_none_or(|list| list.iter().any(|item| values.contains(item)))
    }

    /// Returns whether a second matches every part that restricts it.
    fn fits(&self, at: i64) -> bool {
        // Most seconds fail here, before the calendar is needed.
        if !(self.allows("BYSECOND", &[at % 60])
            && self.allows("BYMINUTE", &[at / 60 % 60])
            && self.allows("BYHOUR", &[at / 3_600 % 24]))
        {
            return false;
        }
        let time = DateTime::from_timestamp(at, 0).unwrap();
        let (day, length) = (i64::from(time.day()), i64::from(time.num_days_in_month()));
        self.allows("BYMONTH", &[time.month().into()])
            && self.allows("BYMONTHDAY", &[day, day - length - 1])
            && self.allows("BYDAY", &[time.weekday().num_days_from_monday().into()])
    }

    /// Returns the runs of some days from the start on.
    fn runs(&self) -> Vec<i64> {
        let unit = match self.parts["FREQ"] {
            "HOURLY" => 3_600,
            "MINUTELY" => 60,
            _ => 1,
        };
        let step =
            unit * self.parts.get("INTERVAL").map_or(1, |interval| interval.parse().unwrap());
        let origin = self.start - self.start.rem_euclid(unit);
        let mut runs = Vec::new();
        for begin in (origin..origin + DAYS * 86_400).step_by(step as usize) {
            // What the rule leaves open within its hour or minute comes from the start.
            let within = |at: &i64| {
                let same = |part: &str, value: i64, of_start: i64| {
                    self.parts.contains_key(part) || value == of_start
                };
                (unit < 3_600 || same("BYMINUTE", at / 60 % 60, self.start / 60 % 60))
                    && (unit < 60 || same("BYSECOND", at % 60, self.start % 60))
            };
            let set: Vec<i64> =
                (begin..begin + unit).filter(within).filter(|at| self.fits(*at)).collect();
            let chosen =
                match self.parts.get("BYSETPOS").map(|position| position.parse::<i64>().unwrap()) {
                    None => set,
                    Some(position) => {
                        let index =
                            if position > 0 { position - 1 } else { set.len() as i64 + position };
                        usize::try_from(index)
                            .ok()
                            .and_then(|index| set.get(index))
                            .copied()
                            .into_iter()
                            .collect()
                    }
                };
            runs.extend(chosen.into_iter().filter(|at| *at >= self.start));
        }
        runs
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn runs_are_those_of_the_definition(text in strategies::rule(&strategies::FINE), start in 1_700_000_000..1_800_000_000_i64) {
        let definition = Definition::new(&text, start);
        let expected = definition.runs();
        let end = start + (DAYS - 1) * 86_400;
        let rule = RRule::parse(&text, UnixMillis::new(start * 1_000), None).unwrap();
        let first = rule.next_after(UnixMillis::new(start * 1_000 - 1));
        let found: Vec<i64> = std::iter::successors(first, |run| rule.next_after(*run))
            .map(|run| run.get() / 1_000)
            .take_while(|run| *run < end)
            .take(5_000)
            .collect();
        let expected: Vec<i64> = expected.into_iter().take_while(|run| *run < end).take(5_000).collect();
        prop_assert_eq!(found, expected, "{} from {}", text, start);
    }
}
