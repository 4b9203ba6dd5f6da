//! Compares exclusions with their definition, applied to every run of a rule.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveTime, TimeZone, Timelike};
use chrono_tz::Tz as OtherTz;
use proptest::collection::vec;
use proptest::prelude::*;
use scheduler_calendar::cron::CronSchedule;
use scheduler_calendar::delay::Delay;
use scheduler_calendar::every::Every;
use scheduler_calendar::exclude::{Exclusions, Instead, Items, MAX_MOVE_DAYS};
use scheduler_calendar::excluding::Excluding;
use scheduler_calendar::rrule::RRule;
use scheduler_calendar::schedule::{Rule, Schedule};
use scheduler_calendar::steps::within;
use scheduler_calendar::time::UnixMillis;
use std::collections::{BTreeMap, BTreeSet};

const DAY: i64 = 86_400_000;
/// The days after the first moment that are compared.
const COMPARED_DAYS: i64 = 40;

/// More steps than a search takes that finds a run within the compared days.
const MOST_STEPS: u64 = 20_000;

/// Returns the next run, or `None` if none is found within [`MOST_STEPS`].
fn near(schedule: &Schedule, after: UnixMillis) -> Option<UnixMillis> {
    within(MOST_STEPS, || schedule.next_after(after)).ok()?.map(|run| run.time)
}

/// Returns the runs after a time, up to the first that is not found within [`MOST_STEPS`].
fn runs_after(schedule: &Schedule, after: UnixMillis) -> impl Iterator<Item = UnixMillis> {
    std::iter::successors(near(schedule, after), |run| near(schedule, *run))
}

/// Zones whose clocks change at night, over midnight, by half an hour, and by a whole day.
const ZONES: [&str; 7] = [
    "UTC",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "America/St_Johns",
    "Pacific/Apia",
];

/// Days with clock changes in some of these zones, and others.
const BEGINS: [&str; 7] = [
    "2026-03-10",
    "2026-10-05",
    "2011-12-10",
    "2006-10-10",
    "2006-03-20",
    "2026-08-20",
    "2027-12-20",
];

#[derive(Debug, Clone)]
struct Given {
    zone: &'static str,
    rule: &'static str,
    begin: &'static str,
    /// First day after the begin, and further days.
    dates: Vec<(u64, u64)>,
    yearly: Vec<(u64, u64)>,
    weekdays: BTreeSet<u32>,
    /// Minutes of the day.
    times: Vec<(u32, u32)>,
    rules: BTreeSet<usize>,
    instead: Instead,
    /// Days after the begin.
    first: Option<i64>,
    last: Option<i64>,
}

const WEEKDAYS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

/// A rule with its definition. The second argument is when the day begins.
type DayRule = (&'static str, fn(NaiveDate, i64) -> bool);

const DAY_RULES: [DayRule; 5] = [
    ("FREQ=MONTHLY;BYMONTHDAY=-1", |date, _| (date + Days::new(1)).day() == 1),
    ("FREQ=MONTHLY;BYDAY=2TU", |date, _| {
        date.weekday().num_days_from_monday() == 1 && (8..15).contains(&date.day())
    }),
    ("RRULE:FREQ=YEARLY;BYMONTH=3,10;BYMONTHDAY=1,25,31", |date, _| {
        [3, 10].contains(&date.month()) && [1, 25, 31].contains(&date.day())
    }),
    ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", |date, _| {
        let is_workday = |date: NaiveDate| date.weekday().num_days_from_monday() < 5;
        let mut later = date.iter_days().skip(1).take_while(|later| later.month() == date.month());
        is_workday(date) && !later.any(is_workday)
    }),
    // 2026-10-16T04:30:00Z: on some clocks of this test the day before, on others the same day.
    ("FREQ=DAILY;UNTIL=20261016T043000Z", |_, begin| begin <= 1_792_125_000_000),
];

fn given() -> impl Strategy<Value = Given> {
    let rules = [
        "0 9 * * *",
        "30 1 * * *",
        "0 */5 * * *",
        "15 0 * * *",
        "0 9 * * SAT",
        "0 0 1 * *",
        "*/20 23 * * *",
        "0 2 * * *",
        "every 25200000",
        "every 5400000",
        "every 86400000",
        "every 3333333",
        "every 90061000",
        "rrule FREQ=DAILY",
        "rrule FREQ=WEEKLY;BYDAY=SU,MO",
        "rrule FREQ=HOURLY;INTERVAL=7",
    ];
    let short = || (0..80_u64, prop_oneof![3 => 0..4_u64, 1 => 0..100_u64]);
    let minutes = (0..48_u32, 0..48_u32).prop_filter("not empty", |(begin, end)| begin != end);
    (
        (prop::sample::select(ZONES.to_vec()), prop::sample::select(rules.to_vec()), prop::sample::select(BEGINS.to_vec())),
        vec(short(), 0..4),
        vec(short(), 0..2),
        prop::collection::btree_set(0..7_u32, 0..4),
        prop_oneof![2 => Just(Vec::new()), 1 => vec(minutes.prop_map(|(begin, end)| (begin * 30, end * 30)), 1..3)],
        prop_oneof![3 => Just(BTreeSet::new()), 1 => prop::collection::btree_set(0..DAY_RULES.len(), 1..3)],
        prop::sample::select(vec![Instead::Skip, Instead::Next, Instead::Previous]),
        (prop::option::weighted(0.3, -10..20_i64), prop::option::weighted(0.3, 5..40_i64)),
    )
        .prop_map(|((zone, rule, begin), dates, yearly, weekdays, times, rules, instead, (first, last))| Given {
            zone, rule, begin, dates, yearly, weekdays, times, rules, instead, first, last,
        })
}

impl Given {
    fn other_zone(&self) -> OtherTz {
        self.zone.parse().unwrap()
    }

    fn begin(&self) -> NaiveDate {
        self.begin.parse().unwrap()
    }

    fn range(&self, (first, further): (u64, u64)) -> (NaiveDate, NaiveDate) {
        let first = self.begin() + Days::new(first);
        (first, first + Days::new(further))
    }

    /// Returns the midnight of the begin as an instant, whatever the zone.
    fn from(&self) -> i64 {
        self.begin().and_time(NaiveTime::MIN).and_utc().timestamp_millis()
    }

    fn rule(&self) -> Rule {
        let start = UnixMillis::new(self.from() - 200 * DAY);
        match self.rule.split_once(' ').unwrap() {
            ("every", millis) => {
                Rule::Every(Every::new(start.plus(12_345_678), millis.parse().unwrap()))
            }
            ("rrule", rule) => Rule::Ical(Box::new(
                RRule::parse(rule, start.plus(9 * 3_600_000), Some(self.zone)).unwrap(),
            )),
            _ => Rule::Cron(CronSchedule::parse(self.rule, Some(self.zone)).unwrap()),
        }
    }

    fn bounds(&self) -> (UnixMillis, UnixMillis) {
        let bound = |days: i64| UnixMillis::new(self.from() + days * DAY + DAY / 3);
        (self.first.map_or(UnixMillis::ZERO, bound), self.last.map_or(UnixMillis::LAST, bound))
    }

    /// Returns the exclusions, or `None` if there are none or they leave no time of day.
    fn exclusions(&self) -> Option<Exclusions> {
        let range = |range: &(u64, u64), form: &str| {
            let (first, last) = self.range(*range);
            format!("{}/{}", first.format(form), last.format(form))
        };
        let dates: Vec<String> = self
            .dates
            .iter()
            .map(|dates| range(dates, "%Y-%m-%d"))
            .chain(self.yearly.iter().map(|dates| range(dates, "%m-%d")))
            .collect();
        let weekdays: Vec<String> =
            self.weekdays.iter().map(|day| WEEKDAYS[*day as usize].to_owned()).collect();
        let time = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let times: Vec<String> = self
            .times
            .iter()
            .map(|(begin, end)| format!("{}-{}", time(*begin), time(*end)))
            .collect();
        let rules: Vec<String> = self.rules.iter().map(|at| DAY_RULES[*at].0.to_owned()).collect();
        let items = Items { dates: &dates, weekdays: &weekdays, times: &times, rules: &rules };
        Exclusions::parse(items, self.instead, self.zone.parse().unwrap(), None).ok()
    }

    fn schedule(&self) -> Option<Schedule> {
        let (first, last) = self.bounds();
        let rule = Excluding::new(self.rule(), first, last, self.exclusions()?);
        Some(Schedule::new(Rule::Excluding(Box::new(rule)), first, last, Delay::default()))
    }

    /// Returns the first instant at which the clock shows a local time, or the end of its gap.
    fn instant(&self, mut local: chrono::NaiveDateTime) -> i64 {
        loop {
            if let Some(time) = self.other_zone().from_local_datetime(&local).earliest() {
                return time.timestamp_millis();
            }
            // Gaps end at whole minutes.
            local =
                local.with_second(0).unwrap().with_nanosecond(0).unwrap() + Duration::minutes(1);
        }
    }

    fn begin_of(&self, date: NaiveDate) -> i64 {
        self.instant(date.and_time(NaiveTime::MIN))
    }

    fn excludes(&self, date: NaiveDate) -> bool {
        let is_yearly = |dates: &(u64, u64)| {
            let (first, last) = self.range(*dates);
            let key = |date: NaiveDate| (date.month(), date.day());
            let (first, last, date) = (key(first), key(last), key(date));
            if first <= last {
                first <= date && date <= last
            } else {
                date >= first || date <= last
            }
        };
        self.dates.iter().any(|dates| {
            let (first, last) = self.range(*dates);
            first <= date && date <= last
        }) || self.yearly.iter().any(is_yearly)
            || self.weekdays.contains(&date.weekday().num_days_from_monday())
            || self.rules.iter().any(|at| DAY_RULES[*at].1(date, self.begin_of(date)))
            || self.begin_of(date) == self.begin_of(date + Days::new(1))
    }

    /// Returns the date and the time of day that the clock shows at a run. A day ends when the next
    /// one begins.
    fn clock_at(&self, run: i64) -> (NaiveDate, NaiveTime) {
        let local = DateTime::from_timestamp_millis(run)
            .unwrap()
            .with_timezone(&self.other_zone())
            .naive_local();
        let next = local.date() + Days::new(1);
        if run >= self.begin_of(next) {
            (next, NaiveTime::MIN)
        } else {
            (local.date(), local.time())
        }
    }

    fn excludes_time(&self, time: NaiveTime) -> bool {
        let minute = time.hour() * 60 + time.minute();
        self.times.iter().any(|(begin, end)| {
            if begin < end {
                *begin <= minute && minute < *end
            } else {
                minute >= *begin || minute < *end
            }
        })
    }

    /// Returns where a run of the rule goes.
    fn goes(&self, run: i64) -> Option<i64> {
        let (date, time) = self.clock_at(run);
        if self.excludes_time(time) {
            return None;
        }
        if !self.excludes(date) {
            return Some(run);
        }
        for days in 1..=MAX_MOVE_DAYS as u64 {
            let to = match self.instead {
                Instead::Skip => return None,
                Instead::Next => date + Days::new(days),
                Instead::Previous => date - Days::new(days),
            };
            if !self.excludes(to) {
                let to = to.and_time(time);
                let moved = self.instant(to);
                let (_, time) = self.clock_at(moved);
                let jumps = self.other_zone().from_local_datetime(&to).earliest().is_none();
                return (!jumps || !self.excludes_time(time)).then_some(moved);
            }
        }
        None
    }

    /// Returns whether the rule is finer than a day and has other times on each day.
    fn drifts(&self) -> bool {
        ["every 25200000", "every 3333333", "rrule FREQ=HOURLY;INTERVAL=7"].contains(&self.rule)
    }

    /// Returns the runs of the rule of some days, within the bounds.
    fn of_rule(&self) -> Vec<i64> {
        let (first, last) = self.bounds();
        let from = self.from() - (MAX_MOVE_DAYS + 3) * DAY;
        let to = self.from() + (COMPARED_DAYS + MAX_MOVE_DAYS + 3) * DAY;
        let rule = self.rule();
        let runs = std::iter::successors(rule.next_after(UnixMillis::new(from)), |run| {
            rule.next_after(*run)
        });
        let runs = runs.take_while(|run| run.get() <= to);
        runs.filter(|run| (first..=last).contains(run)).map(UnixMillis::get).collect()
    }

    /// Returns the runs of some days, by the definition.
    fn by_definition(&self) -> BTreeSet<i64> {
        let (first, last) = self.bounds();
        let mut left = BTreeSet::new();
        // The first run that moves to each day.
        let mut moved: BTreeMap<NaiveDate, i64> = BTreeMap::new();
        for run in self.of_rule() {
            match self.goes(run) {
                None => {}
                Some(to) if to == run || !self.drifts() => drop(left.insert(to)),
                Some(to) => {
                    let first = moved.entry(self.clock_at(to).0).or_insert(to);
                    *first = to.min(*first);
                }
            }
        }
        left.extend(moved.into_values());
        left.retain(|run| (first.get()..=last.get()).contains(run));
        left
    }

    /// Returns the runs of the rule that do not fire at their time, within the compared days, and
    /// where they go.
    fn excluded(&self) -> Vec<(i64, Option<i64>)> {
        let compared = self.from() + 1..=self.from() + COMPARED_DAYS * DAY;
        let runs = self.of_rule().into_iter().filter(|run| compared.contains(run));
        runs.map(|run| (run, self.goes(run))).filter(|(run, to)| *to != Some(*run)).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The runs are those of the definition, in order, and the next run follows from any moment.
    #[test]
    fn runs_are_those_of_the_definition(given in given(), moments in vec(0..COMPARED_DAYS * DAY, 0..20)) {
        let Some(schedule) = given.schedule() else { return Ok(()) };
        let all = given.by_definition();
        let (from, to) = (given.from(), given.from() + COMPARED_DAYS * DAY);
        let expected: Vec<i64> = all.range(from + 1..=to).copied().collect();
        let found = runs_after(&schedule, UnixMillis::new(from));
        let found: Vec<i64> = found.map(UnixMillis::get).take_while(|time| *time <= to).collect();
        prop_assert_eq!(&found, &expected);
        for moment in moments.into_iter().map(|moment| from + moment).chain(expected.iter().flat_map(|run| [run - 1, *run])) {
            let next = near(&schedule, UnixMillis::new(moment)).map(UnixMillis::get);
            // Runs after the compared days may be in the set, or not.
            let next = next.filter(|next| *next <= to);
            prop_assert_eq!(next, expected.iter().copied().find(|run| *run > moment), "after {}", moment);
        }
    }

    /// Each run either is a run of the rule, or says which run of the rule has moved to it.
    #[test]
    fn a_moved_run_says_where_it_comes_from(given in given()) {
        let Some(schedule) = given.schedule() else { return Ok(()) };
        let rule = given.rule();
        for run in runs_after(&schedule, UnixMillis::new(given.from())).take(40) {
            let from = schedule.moved_from(run);
            let of_rule = from.unwrap_or(run);
            prop_assert_eq!(rule.next_after(of_rule.plus(-1)), Some(of_rule));
            prop_assert_eq!(given.goes(of_rule.get()), Some(run.get()));
        }
    }

    /// The excluded runs are those of the definition. One that has moved to an earlier time, which
    /// has passed, is not among the next ones.
    #[test]
    fn excluded_runs_are_those_of_the_definition(given in given(), moments in vec(0..COMPARED_DAYS * DAY, 0..20)) {
        let Some(schedule) = given.schedule() else { return Ok(()) };
        let (from, to) = (UnixMillis::new(given.from()), UnixMillis::new(given.from() + COMPARED_DAYS * DAY));
        let expected = given.excluded();
        let found = std::iter::successors(schedule.next_left_out(from, to), |run| schedule.next_left_out(*run, to));
        let runs: Vec<i64> = expected.iter().map(|(run, _)| *run).collect();
        prop_assert_eq!(found.map(UnixMillis::get).collect::<Vec<i64>>(), runs);
        for moment in moments.into_iter().map(|moment| given.from() + moment) {
            let is_next = |(run, to): &&(i64, Option<i64>)| *run > moment && to.is_none_or(|to| to > moment);
            prop_assert_eq!(
                schedule.next_excluded(UnixMillis::new(moment), to).map(UnixMillis::get),
                expected.iter().find(is_next).map(|(run, _)| *run),
                "after {}", moment
            );
        }
    }
}
