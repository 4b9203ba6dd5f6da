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
use scheduler_calendar::exclude::{Exclusions, Instead, Items, List, MAX_MOVE_DAYS};
use scheduler_calendar::excluding::Excluding;
use scheduler_calendar::rrule::RRule;
use scheduler_calendar::schedule::{Rule, Schedule};
use scheduler_calendar::steps::steps_taken;
use scheduler_calendar::time::UnixMillis;
use std::collections::BTreeSet;

const DAY: i64 = 86_400_000;
/// The days after the first moment that are compared.
const COMPARED_DAYS: i64 = 40;

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

/// A rule with its definition.
type DayRule = (&'static str, fn(NaiveDate) -> bool);

const DAY_RULES: [DayRule; 4] = [
    ("FREQ=MONTHLY;BYMONTHDAY=-1", |date| (date + Days::new(1)).day() == 1),
    ("FREQ=MONTHLY;BYDAY=2TU", |date| {
        date.weekday().num_days_from_monday() == 1 && (8..15).contains(&date.day())
    }),
    ("RRULE:FREQ=YEARLY;BYMONTH=3,10;BYMONTHDAY=1,25,31", |date| {
        [3, 10].contains(&date.month()) && [1, 25, 31].contains(&date.day())
    }),
    ("FREQ=DAILY;UNTIL=20261016T120000Z", |date| {
        date <= NaiveDate::from_ymd_opt(2026, 10, 16).unwrap()
    }),
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
            || self.rules.iter().any(|at| DAY_RULES[*at].1(date))
            || self.begin_of(date) == self.begin_of(date + Days::new(1))
    }

    /// Returns where a run of the rule goes.
    fn goes(&self, run: i64) -> Option<i64> {
        let local = DateTime::from_timestamp_millis(run)
            .unwrap()
            .with_timezone(&self.other_zone())
            .naive_local();
        let mut date = local.date();
        let mut time = local.time();
        if run >= self.begin_of(date + Days::new(1)) {
            (date, time) = (date + Days::new(1), NaiveTime::MIN);
        }
        let minute = time.hour() * 60 + time.minute();
        let is_excluded_time = self.times.iter().any(|(begin, end)| {
            if begin < end {
                *begin <= minute && minute < *end
            } else {
                minute >= *begin || minute < *end
            }
        });
        if is_excluded_time {
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
                return Some(self.instant(to.and_time(time)));
            }
        }
        None
    }

    /// Returns the runs of some days, by the definition.
    fn by_definition(&self) -> BTreeSet<i64> {
        let (first, last) = self.bounds();
        let from = self.from() - (MAX_MOVE_DAYS + 3) * DAY;
        let to = self.from() + (COMPARED_DAYS + MAX_MOVE_DAYS + 3) * DAY;
        let rule = self.rule();
        let runs = std::iter::successors(rule.next_after(UnixMillis::new(from)), |run| {
            rule.next_after(*run)
        });
        runs.take_while(|run| run.get() <= to)
            .filter(|run| (first..=last).contains(run))
            .filter_map(|run| self.goes(run.get()))
            .filter(|run| (first.get()..=last.get()).contains(run))
            .collect()
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
        let found = std::iter::successors(schedule.next_after(UnixMillis::new(from)), |run| schedule.following(run.time));
        let found: Vec<i64> = found.map(|run| run.time.get()).take_while(|time| *time <= to).collect();
        prop_assert_eq!(&found, &expected);
        for moment in moments.into_iter().map(|moment| from + moment).chain(expected.iter().flat_map(|run| [run - 1, *run])) {
            let next = schedule.next_after(UnixMillis::new(moment)).map(|run| run.time.get());
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
        let runs = std::iter::successors(schedule.next_after(UnixMillis::new(given.from())), |run| schedule.following(run.time));
        for run in runs.take(40).map(|run| run.time) {
            let from = schedule.moved_from(run);
            let of_rule = from.unwrap_or(run);
            prop_assert_eq!(rule.next_after(of_rule.plus(-1)), Some(of_rule));
            prop_assert_eq!(given.goes(of_rule.get()), Some(run.get()));
        }
        let to = UnixMillis::new(given.from() + COMPARED_DAYS * DAY);
        let excluded = std::iter::successors(schedule.next_excluded(UnixMillis::new(given.from()), to), |run| schedule.next_excluded(*run, to));
        let excluded: Vec<UnixMillis> = excluded.take(40).collect();
        for run in &excluded {
            prop_assert_ne!(given.goes(run.get()), Some(run.get()), "{:?}", run);
        }
        prop_assert!(excluded.is_sorted());
    }
}

fn items<'a>(
    dates: &'a [&'a str],
    weekdays: &'a [&'a str],
    times: &'a [&'a str],
    rules: &'a [&'a str],
) -> Items<'a, &'a str> {
    Items { dates, weekdays, times, rules }
}

fn read(items: Items<'_, &str>) -> Result<Exclusions, String> {
    Exclusions::parse(items, Instead::Skip, "Europe/Berlin".parse().unwrap(), None).map_err(|bad| {
        format!("{:?} {}", bad.at.map(|(list, place)| (list.name(), place)), bad.problem)
    })
}

#[test]
fn errors_name_the_item_and_say_what_to_write() {
    for (items, expected) in [
        (
            items(&["2026-12-24", "24.12."], &[], &[], &[]),
            r#"Some(("dates", Some(1))) is "24.12."; write a date as 2026-12-24"#,
        ),
        (items(&["2026-02-29"], &[], &[], &[]), "a date that does not exist"),
        (items(&["1969-12-24"], &[], &[], &[]), "a date that does not exist"),
        (items(&["02-30"], &[], &[], &[]), "a date that does not exist"),
        (items(&["12-24/2027-01-01"], &[], &[], &[]), "write a date as"),
        (items(&["2026-12-24/2026-12-23"], &[], &[], &[]), "ends before it begins"),
        (items(&[""], &[], &[], &[]), "write a date as"),
        (items(&["2026-12-24/"], &[], &[], &[]), "write a date as"),
        (items(&["2026-1-24"], &[], &[], &[]), "write a date as"),
        (items(&["1-2026-12-24"], &[], &[], &[]), "write a date as"),
        (
            items(&[], &["saturday"], &[], &[]),
            r#"Some(("weekdays", Some(0))) is "saturday"; write MON"#,
        ),
        (
            items(&[], &["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"], &[], &[]),
            r#"Some(("weekdays", None)) has all seven days"#,
        ),
        (
            items(&[], &[], &["12-13"], &[]),
            r#"Some(("times", Some(0))) is "12-13"; write a range of times"#,
        ),
        (items(&[], &[], &["12:00-12:60"], &[]), "write a range of times"),
        (items(&[], &[], &["24:00-12:00"], &[]), "write a range of times"),
        (items(&[], &[], &["12:00-12:00"], &[]), "ends where it begins"),
        (items(&[], &[], &["12:00-06:00", "05:00-12:00"], &[]), "covers the whole day"),
        (items(&[], &[], &["00:00-24:00"], &[]), "covers the whole day"),
        (items(&[], &[], &[], &["FREQ=WEEKLY"]), "so its days depend on when it begins"),
        (items(&[], &[], &[], &["FREQ=HOURLY"]), "a rule excludes whole days"),
        (items(&[], &[], &[], &["BYDAY=MO"]), "has no FREQ"),
        (items(&[], &[], &[], &["FREQ=DAILY;COUNT=2"]), "give UNTIL"),
        (items(&[], &[], &[], &[]), "None excludes nothing"),
    ] {
        let problem = read(items).expect_err(expected);
        assert!(problem.contains(expected), "{problem}");
    }
    assert_eq!(List::Rules.name(), "rules");
}

#[test]
fn notation_does_not_matter() {
    let one = read(items(
        &["2026-12-24/2026-12-26", "12-31/01-01"],
        &["sat", "SUN"],
        &["22:00-06:00"],
        &[],
    ))
    .unwrap();
    let other = read(items(
        &["2026-12-26", "01-01", "2026-12-24", "2026-12-25", "12-31", "12-31"],
        &["SUN", "SAT", "SAT"],
        &["00:00-06:00", "22:00-23:00", "23:00-24:00"],
        &[],
    ))
    .unwrap();
    assert_eq!(one, other);
    assert_ne!(
        one,
        read(items(&["2026-12-24/2026-12-26"], &["SAT", "SUN"], &["22:00-06:00"], &[])).unwrap()
    );
}

fn excluding(rule: &str, given: Items<'_, &str>, instead: Instead) -> Schedule {
    let exclusions =
        Exclusions::parse(given, instead, "Europe/Berlin".parse().unwrap(), None).unwrap();
    let rule = Rule::Cron(CronSchedule::parse(rule, Some("Europe/Berlin")).unwrap());
    let rule = Excluding::new(rule, UnixMillis::ZERO, UnixMillis::LAST, exclusions);
    Schedule::new(
        Rule::Excluding(Box::new(rule)),
        UnixMillis::ZERO,
        UnixMillis::LAST,
        Delay::default(),
    )
}

/// Whatever is excluded, a search takes few steps, and one that finds nothing ends.
#[test]
fn a_search_is_bounded() {
    let now = UnixMillis::new(1_764_000_000_000);
    let steps = |schedule: &Schedule| {
        let before = steps_taken();
        let next = schedule.next_after(now);
        (next.is_some(), steps_taken() - before)
    };
    for instead in [Instead::Skip, Instead::Next, Instead::Previous] {
        // A long range costs as much as a day.
        let range = items(&["2020-01-01/9000-12-31"], &[], &[], &[]);
        let (has_run, taken) = steps(&excluding("* * * * * *", range, instead));
        assert!(has_run && taken < 5_000, "{taken} steps");
        let (has_run, taken) = steps(&excluding(
            "*/5 * * * * *",
            items(&[], &["SAT", "SUN"], &["08:00-18:00"], &[]),
            instead,
        ));
        assert!(has_run && taken < 500, "{taken} steps");
        for nothing in
            [items(&[], &[], &[], &["FREQ=DAILY"]), items(&["02-01/01-31"], &[], &[], &[])]
        {
            let (has_run, taken) = steps(&excluding("* * * * *", nothing, instead));
            assert!(!has_run && taken < 12_000, "{taken} steps");
        }
        let (has_run, taken) =
            steps(&excluding("*/5 12 * * *", items(&[], &[], &["12:00-13:00"], &[]), instead));
        assert!(!has_run && taken < 12_000, "{taken} steps");
    }
    let (has_run, _) =
        steps(&excluding("0 9 29 2 *", items(&[], &["SAT", "SUN"], &[], &[]), Instead::Skip));
    assert!(has_run, "a leap day in twelve years");
}

#[test]
fn the_next_working_day_has_the_local_time_and_merges_with_its_own_run() {
    let closed = items(&["2026-12-24/2026-12-27"], &["SAT", "SUN"], &[], &[]);
    // Wednesday, 23 December 2026, 12:00 in Berlin.
    let now = UnixMillis::new(1_798_023_600_000);
    let days = |schedule: &Schedule| -> Vec<String> {
        std::iter::successors(schedule.next_after(now), |run| schedule.following(run.time))
            .take(3)
            .map(|run| run.time.shown())
            .collect()
    };
    assert_eq!(
        days(&excluding("0 9 * * *", closed, Instead::Next)),
        ["2026-12-28T08:00:00Z", "2026-12-29T08:00:00Z", "2026-12-30T08:00:00Z"]
    );
    assert_eq!(
        days(&excluding("0 15 24 12 *", closed, Instead::Previous)).first().map(String::as_str),
        Some("2026-12-23T14:00:00Z")
    );
    let schedule = excluding("0 9 26 12 *", closed, Instead::Next);
    let run = schedule.next_after(now).unwrap();
    assert_eq!(run.time.shown(), "2026-12-28T08:00:00Z");
    assert_eq!(
        schedule.moved_from(run.time).map(UnixMillis::shown).as_deref(),
        Some("2026-12-26T08:00:00Z")
    );
}
