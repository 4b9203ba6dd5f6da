//! Compares schedules with brute force: intervals, unions, bounds, jitter and windows.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use proptest::collection::vec;
use proptest::prelude::*;
use scheduler_calendar::cron::CronSchedule;
use scheduler_calendar::schedule::{Occurrence, Schedule};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::schedule::ScheduleFields;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// 2025-11-24T16:00:00Z.
const NOW: i64 = 1_764_000_000_000;
const HASH: u64 = 0x0123_4567_89ab_cdef;

fn at(millis: i64) -> UnixMillis {
    UnixMillis::new(millis)
}

/// The owned input of a property.
#[derive(Debug, Clone)]
struct Given {
    rule: Rule,
    start: Option<i64>,
    end: Option<i64>,
    jitter: f64,
    window: f64,
    exclude: Option<Exclude>,
}

/// What is left out. [`NOW`] is on a Monday, and so are all moments that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exclude {
    /// Two times of day.
    Times,
    /// Mondays.
    Today,
    /// Sundays, whose runs move to Monday.
    Yesterday,
    /// Tuesdays, whose runs move to Monday.
    Tomorrow,
}

const DAY: i64 = 86_400_000;

impl Exclude {
    fn json(self) -> &'static str {
        match self {
            Self::Times => r#"{"times":["16:10-16:25","17:00-17:01"]}"#,
            Self::Today => r#"{"weekdays":["MON"]}"#,
            Self::Yesterday => r#"{"weekdays":["SUN"],"instead":"next"}"#,
            Self::Tomorrow => r#"{"weekdays":["TUE"],"instead":"previous"}"#,
        }
    }
}

#[derive(Debug, Clone)]
enum Rule {
    Crons(Vec<&'static str>),
    Every { anchor: i64, millis: i64 },
    Ical(&'static str),
}

impl Given {
    fn with<T>(&self, max_runs: Option<u32>, run: impl FnOnce(ScheduleFields<'_>) -> T) -> T {
        let mut fields = ScheduleFields {
            start_at: self.start.map(at),
            end_at: self.end.map(at),
            max_runs,
            jitter_seconds: Some(self.jitter),
            window_seconds: Some(self.window),
            ..ScheduleFields::default()
        };
        let exclude =
            self.exclude.map(|exclude| RawValue::from_string(exclude.json().to_owned()).unwrap());
        fields.exclude = exclude.as_deref();
        let crons: Box<RawValue>;
        match &self.rule {
            Rule::Crons(expressions) => {
                crons = RawValue::from_string(serde_json::to_string(expressions).unwrap()).unwrap();
                fields.cron = Some(&crons);
            }
            Rule::Every { anchor, millis } => {
                fields.every_seconds = Some(*millis as f64 / 1_000.0);
                fields.anchor = Some(at(*anchor));
            }
            Rule::Ical(rule) => {
                fields.rrule = Some(Cow::Borrowed(rule));
                fields.start_at = Some(at(self.start.unwrap_or(NOW) / 1_000 * 1_000));
            }
        }
        run(fields)
    }

    fn schedule(&self) -> Schedule {
        self.with(None, |fields| fields.schedule(HASH).unwrap())
    }

    /// Returns whether the rule is finer than a day and has other times of day on each day.
    fn drifts(&self) -> bool {
        match &self.rule {
            Rule::Crons(_) => false,
            Rule::Every { millis, .. } => *millis < DAY && DAY % millis != 0,
            Rule::Ical(rule) => rule.contains("INTERVAL=13"),
        }
    }

    /// Returns the nominal times in a range, by going through the whole range.
    fn times(&self, from: i64, to: i64) -> Vec<i64> {
        let moved = |by: i64| -> Vec<i64> {
            let mut times = self.of_rule(from, to);
            let others = if self.drifts() {
                // Only the first run of the other day moves. The whole range is on one day.
                let begin = from.div_euclid(DAY) * DAY - by;
                let first = self.of_rule(begin - 1, begin + DAY - 1).into_iter().take(1);
                first.filter(|time| (from + 1..=to).contains(&(time + by))).collect()
            } else {
                self.of_rule(from - by, to - by)
            };
            times.extend(others.into_iter().map(|time| time + by));
            let start = match self.rule {
                Rule::Ical(_) => self.start.unwrap_or(NOW) / 1_000 * 1_000,
                _ => self.start.unwrap_or(0),
            };
            let within = |time: &i64| *time >= start && self.end.is_none_or(|end| *time <= end);
            let times: BTreeSet<i64> = times.into_iter().filter(within).collect();
            times.into_iter().collect()
        };
        match self.exclude {
            None => self.of_rule(from, to),
            Some(Exclude::Times) => {
                let minute = |time: i64| time.rem_euclid(DAY) / 60_000;
                let times = self.of_rule(from, to).into_iter();
                times.filter(|time| !matches!(minute(*time), 970..985 | 1_020)).collect()
            }
            Some(Exclude::Today) => Vec::new(),
            Some(Exclude::Yesterday) => moved(DAY),
            Some(Exclude::Tomorrow) => moved(-DAY),
        }
    }

    /// Returns the nominal times of the rule in a range.
    fn of_rule(&self, from: i64, to: i64) -> Vec<i64> {
        let start = self.start.unwrap_or(0);
        let within = |time: &i64| *time >= start && self.end.is_none_or(|end| *time <= end);
        let mut times = BTreeSet::new();
        match &self.rule {
            Rule::Crons(expressions) => {
                for expression in expressions {
                    let cron = CronSchedule::parse(expression, None).unwrap();
                    let all = std::iter::successors(cron.next_after(at(from)), |time| {
                        cron.next_after(*time)
                    });
                    times.extend(all.map(UnixMillis::get).take_while(|time| *time <= to));
                }
            }
            Rule::Every { anchor, millis } => {
                let mut time = *anchor;
                while time <= to {
                    times.insert(time);
                    time += millis;
                }
            }
            Rule::Ical(rule) => {
                let begin = at(self.start.unwrap_or(NOW) / 1_000 * 1_000);
                let rule = scheduler_calendar::rrule::RRule::parse(rule, begin, None).unwrap();
                let all =
                    std::iter::successors(rule.next_after(at(from)), |time| rule.next_after(*time));
                times.extend(all.map(UnixMillis::get).take_while(|time| *time <= to));
                // The start of a rule has no fraction of a second.
                return times
                    .into_iter()
                    .filter(|time| self.end.is_none_or(|end| *time <= end))
                    .collect();
            }
        }
        times.into_iter().filter(within).filter(|time| *time > from).collect()
    }
}

fn rule() -> impl Strategy<Value = Rule> {
    let expressions = vec![
        "* * * * * *",
        "*/7 * * * * *",
        "0 * * * *",
        "0 0 * * *",
        "1,2,50 30 * * * *",
        "*/20 * * * *",
        "0 9 * * MON",
    ];
    prop_oneof![
        2 => vec(prop::sample::select(expressions), 1..4).prop_map(Rule::Crons),
        2 => (NOW - 50_000_000..NOW + 5_000_000_i64, prop_oneof![1_000..5_000_i64, 60_000..90_000_000_i64])
            .prop_map(|(anchor, millis)| Rule::Every { anchor, millis }),
        1 => prop::sample::select(vec!["FREQ=SECONDLY;INTERVAL=13", "FREQ=HOURLY;BYMINUTE=0,1,59", "FREQ=DAILY;BYHOUR=0,16"])
            .prop_map(Rule::Ical),
    ]
}

fn given() -> impl Strategy<Value = Given> {
    let bound = || prop::option::of(NOW - 4_000_000..NOW + 20_000_000_i64);
    let seconds = || prop_oneof![Just(0.0), 0.0..3.0_f64, 0.0..4_000.0_f64];
    let exclude = prop::sample::select(vec![
        Exclude::Times,
        Exclude::Today,
        Exclude::Yesterday,
        Exclude::Tomorrow,
    ]);
    let exclude = prop::option::weighted(0.5, exclude);
    (rule(), bound(), bound(), seconds(), seconds(), exclude).prop_map(
        |(rule, start, end, jitter, window, exclude)| Given {
            rule,
            start,
            end,
            jitter,
            window,
            exclude,
        },
    )
}

fn all_after(schedule: &Schedule, due: i64) -> impl Iterator<Item = Occurrence> {
    std::iter::successors(schedule.next_after(at(due)), |last| schedule.following(last.time))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every occurrence exists once, in order, and none is earlier or later than it may be.
    #[test]
    fn occurrences_are_those_of_brute_force(given in given()) {
        let schedule = given.schedule();
        let longest = ((given.jitter + given.window) * 1_000.0).round() as i64 + 1;
        let (from, to) = (NOW - longest - 4_000_000, NOW + 8_000_000);
        let times = given.times(from, to);
        let found: Vec<Occurrence> = all_after(&schedule, from).take_while(|run| run.time.get() <= to).take(3_000).collect();
        // The first one may have a nominal time before the range and be delayed into it.
        let found: Vec<&Occurrence> = found.iter().filter(|run| run.time.get() > from).collect();
        let compared = found.len().min(3_000).min(times.len());
        prop_assert!(compared >= times.len().min(2_900), "{} of {}", found.len(), times.len());
        prop_assert!(found.iter().map(|run| run.time.get()).take(compared).eq(times.iter().copied().take(compared)));
        for pair in found.windows(2) {
            prop_assert!(pair[0].due < pair[1].time && pair[1].time <= pair[1].due);
        }
        for run in &found {
            let delay = run.due.since(run.time);
            prop_assert!((0..=longest).contains(&delay), "{delay}");
            prop_assert_eq!(schedule.occurrence(run.time), **run);
        }
    }

    /// The last run that is due by a moment, and the start of the last few runs, are found without
    /// going through all runs.
    #[test]
    fn the_last_runs_are_those_of_brute_force(
        given in given(), moments in vec(NOW - 1_000_000..NOW + 8_000_000_i64, 1..10), most in 1usize..60,
    ) {
        let schedule = given.schedule();
        let runs: Vec<Occurrence> =
            all_after(&schedule, NOW - 1_000_000).take_while(|run| run.due.get() <= NOW + 9_000_000).take(2_000).collect();
        let Some((first, last)) = runs.first().copied().zip(runs.last().copied()) else { return Ok(()) };
        for moment in moments.into_iter().filter(|moment| *moment < last.due.get()) {
            let until: Vec<_> = runs.iter().copied().filter(|run| run.due.get() <= moment).collect();
            let found = schedule.last_due_until(first, at(moment));
            prop_assert_eq!(found, until.last().copied().unwrap_or(first));
            let of_last = until.len().saturating_sub(most);
            prop_assert_eq!(schedule.last_runs(first, found, most), until.get(of_last).copied().unwrap_or(first));
        }
    }

    /// From any moment, the next run is the first of all runs that are due after it. So a restarted
    /// shard finds its place.
    #[test]
    fn the_next_follows_from_any_moment(given in given(), moments in vec(NOW - 1_000_000..NOW + 8_000_000_i64, 1..20)) {
        let schedule = given.schedule();
        let longest = ((given.jitter + given.window) * 1_000.0).round() as i64 + 1;
        let runs: Vec<Occurrence> = all_after(&schedule, NOW - 1_000_000 - longest)
            .take_while(|run| run.due.get() <= NOW + 9_000_000)
            .take(3_000)
            .collect();
        let Some(last) = runs.last() else { return Ok(()) };
        for moment in moments.into_iter().chain(runs.iter().take(20).flat_map(|run| [run.due.get(), run.due.get() - 1, run.time.get()])) {
            if moment >= last.due.get() || moment < NOW - 1_000_000 {
                continue;
            }
            let expected = runs.iter().find(|run| run.due.get() > moment).copied();
            prop_assert_eq!(schedule.next_after(at(moment)), expected, "after {}", moment);
        }
    }

    /// Counts the requested number of runs, from the first one after a moment on.
    #[test]
    fn runs_are_counted(given in given(), runs in 1..50_u32, since in NOW - 1_000_000..NOW + 1_000_000_i64) {
        let without = given.schedule();
        let expected: Vec<Occurrence> = all_after(&without, since).take(runs as usize).collect();
        given.with(Some(runs), |mut fields| {
            let settled = fields.settle(HASH, at(since)).unwrap();
            let found: Vec<Occurrence> = match &settled {
                None => Vec::new(),
                Some((schedule, first)) => {
                    assert_eq!(schedule.next_after(at(since)), Some(*first));
                    all_after(schedule, since).collect()
                }
            };
            prop_assert_eq!(&found, &expected);
            // The stored form yields the same without counting.
            let stored = fields.schedule(HASH).unwrap();
            if settled.is_some() {
                prop_assert_eq!(all_after(&stored, since).collect::<Vec<_>>(), expected);
            }
            Ok(())
        })?;
    }
}

#[test]
fn an_interval_does_not_drift() {
    let given = Given {
        rule: Rule::Every { anchor: 0, millis: 86_400_000 / 7 },
        start: None,
        end: None,
        jitter: 0.0,
        window: 0.0,
        exclude: None,
    };
    let schedule = given.schedule();
    let far = UnixMillis::LAST.plus(-86_400_000);
    let next = schedule.next_after(far).unwrap().time;
    assert_eq!(next.get() % (86_400_000 / 7), 0);
    assert_eq!(schedule.next_after(UnixMillis::LAST), None);
    assert_eq!(schedule.next_after(at(i64::MIN)).unwrap().time, at(0));
}

#[test]
fn an_instant_that_several_expressions_name_is_one_run() {
    let rule = Rule::Crons(vec!["0 * * * *", "*/30 * * * *", "0 0 * * *"]);
    let given = Given { rule, start: None, end: None, jitter: 0.0, window: 0.0, exclude: None };
    let runs: Vec<i64> =
        all_after(&given.schedule(), NOW).take(4).map(|run| run.time.get() - NOW).collect();
    assert_eq!(runs, [1_800_000, 3_600_000, 5_400_000, 7_200_000]);
}

/// A shard may hold 20,000 of them: 12 MB at most for common schedules.
#[test]
fn a_schedule_is_small() {
    let bytes = |rule| {
        Given { rule, start: None, end: None, jitter: 1.0, window: 1.0, exclude: None }
            .schedule()
            .memory_bytes()
    };
    assert!(bytes(Rule::Crons(vec!["* * * * *"])) <= 200);
    assert!(
        bytes(Rule::Every { anchor: 0, millis: 1_000 }) <= 104,
        "{}",
        bytes(Rule::Every { anchor: 0, millis: 1_000 })
    );
    assert!(bytes(Rule::Ical("FREQ=MONTHLY;BYDAY=1MO,-1FR;BYSETPOS=1")) <= 300);
    assert!(bytes(Rule::Crons(vec!["* * * * *"; 8])) <= 576);
    let with_exclude = |exclude| {
        let rule = Rule::Crons(vec!["* * * * *"]);
        let exclude = Some(exclude);
        Given { rule, start: None, end: None, jitter: 1.0, window: 1.0, exclude }
            .schedule()
            .memory_bytes()
    };
    let bytes = with_exclude(Exclude::Times);
    assert!(bytes <= 200 + 250 + 2 * 8, "{bytes}");
}

/// Each run of a rule with distant runs costs many steps. Counting too many of them is refused.
#[test]
fn counting_is_bounded_by_work_too() {
    let rule = Rule::Ical("FREQ=SECONDLY;INTERVAL=1201;BYMINUTE=0;BYSECOND=0");
    let given = Given { rule, start: None, end: None, jitter: 0.0, window: 0.0, exclude: None };
    let settle = |runs| {
        given.with(Some(runs), |mut fields| {
            fields.settle(HASH, at(NOW)).map(|settled| settled.is_some())
        })
    };
    assert_eq!(settle(100), Ok(true));
    let problem = settle(100_000).unwrap_err();
    assert!(problem.field == "rrule" && problem.detail.contains("give endAt"), "{problem}");
}
