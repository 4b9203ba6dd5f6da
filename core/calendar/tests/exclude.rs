//! What exclusions are read from, and what they leave out, by example.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use scheduler_calendar::clock_change::ClockChange;
use scheduler_calendar::cron::CronSchedule;
use scheduler_calendar::delay::Delay;
use scheduler_calendar::every::Every;
use scheduler_calendar::exclude::{
    Exclusions, Instead, Items, List, MAX_EXCLUSION_STEPS, names_times,
};
use scheduler_calendar::excluding::Excluding;
use scheduler_calendar::local_time::LocalTime;
use scheduler_calendar::schedule::{Rule, Schedule};
use scheduler_calendar::steps::{TooManySteps, steps_taken, within};
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz::Tz;

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
    // Earlier versions stored such a rule. Its day is left out as a whole.
    assert_eq!(
        read(items(&[], &[], &[], &["FREQ=DAILY;BYHOUR=0;BYMONTHDAY=1"])),
        read(items(&[], &[], &[], &["FREQ=DAILY;BYMONTHDAY=1"]))
    );
    assert!(names_times("FREQ=DAILY;byhour=0") && names_times("FREQ=DAILY;BYSECOND=0"));
    assert!(!names_times("FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1"));
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
    // A range that goes past the end of a month has no days that the month does not have.
    let range = read(items(&["02-20/03-02"], &[], &[], &[])).unwrap();
    assert_eq!(range, read(items(&["03-01/03-02", "02-20/02-29"], &[], &[], &[])).unwrap());
    // If no day is left out, it does not matter where runs of such days go.
    let times = |instead| {
        Exclusions::parse(items(&[], &[], &["12:00-13:00"], &[]), instead, Tz::UTC, None).unwrap()
    };
    assert_eq!(times(Instead::Next), times(Instead::Skip));
    let schedule =
        |rules: &[&str]| excluding("0 9 * * *", items(&[], &[], &[], rules), Instead::Skip);
    let [first, last, friday] =
        ["FREQ=MONTHLY;BYMONTHDAY=1", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=MONTHLY;BYDAY=1FR"];
    let one = schedule(&[first, last, last, friday]);
    assert!(one.has_times_of(&schedule(&[friday, first, last, first])));
    assert!(!one.has_times_of(&schedule(&[first, last])));
    assert!(!schedule(&[first, last]).has_times_of(&schedule(&[first, friday])));
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

const ALL_WAYS: [Instead; 3] = [Instead::Skip, Instead::Next, Instead::Previous];

/// Whatever is excluded, a search takes few steps, and one that finds nothing ends.
#[test]
fn a_search_is_bounded() {
    let now = UnixMillis::new(1_764_000_000_000);
    let steps = |schedule: &Schedule| {
        let before = steps_taken();
        let next = schedule.next_after(now);
        (next.is_some(), steps_taken() - before)
    };
    for instead in ALL_WAYS {
        // A long range costs as much as a day.
        let range = items(&["2020-01-01/9000-12-31"], &[], &[], &[]);
        let (has_run, taken) = steps(&excluding("* * * * * *", range, instead));
        assert!(has_run && taken < 4_000, "{taken} steps");
        let (has_run, taken) = steps(&excluding(
            "*/5 * * * * *",
            items(&[], &["SAT", "SUN"], &["08:00-18:00"], &[]),
            instead,
        ));
        assert!(has_run && taken < 100, "{taken} steps");
        // A search looks at most at each month up to the year 10000.
        for nothing in
            [items(&[], &[], &[], &["FREQ=DAILY"]), items(&["02-01/01-31"], &[], &[], &[])]
        {
            let (has_run, taken) = steps(&excluding("* * * * *", nothing, instead));
            assert!(!has_run && taken < 2 * 12 * 8_000, "{taken} steps");
        }
        // A caller that cannot wait ends the search, and then knows that it has no answer.
        let never = excluding("*/5 12 * * *", items(&[], &[], &["12:00-13:00"], &[]), instead);
        let before = steps_taken();
        let limit = u64::from(MAX_EXCLUSION_STEPS);
        assert_eq!(within(limit, || never.next_after(now)), Err(TooManySteps));
        assert!(steps_taken() - before < limit + 100);
    }
    let (has_run, taken) =
        steps(&excluding("0 9 29 2 *", items(&[], &["SAT", "SUN"], &[], &[]), Instead::Skip));
    assert!(has_run && taken < 300, "a leap day in twelve years: {taken} steps");
}

/// A search ended after 10,000 steps, so it found this run only if it began some years before.
#[test]
fn the_next_run_does_not_depend_on_where_the_search_begins() {
    let rules = [
        "FREQ=YEARLY;BYMONTH=1,3,4,5,6,7,8,9,10,11,12;BYMONTHDAY=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
        "FREQ=WEEKLY;BYDAY=MO,WE,TH,FR,SA,SU",
        "FREQ=MONTHLY;BYMONTHDAY=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1",
        "FREQ=YEARLY;BYMONTH=4;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1",
        "FREQ=YEARLY;BYMONTH=5;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1",
        "FREQ=YEARLY;BYMONTH=6;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1",
        "FREQ=YEARLY;BYMONTH=7;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1",
    ];
    // The 29th of February is a Tuesday once in 28 years, and once in 40 across 2100.
    let days = ["2028-02-29", "2056-02-29", "2084-02-29", "2124-02-29"];
    for instead in ALL_WAYS {
        let schedule = excluding("0 9 * * *", items(&[], &[], &[], &rules), instead);
        for [before, day] in days.array_windows() {
            let midnight = |day: &str| {
                format!("{day}T23:00").parse::<LocalTime>().unwrap().instant(Tz::UTC).unwrap()
            };
            let (begin, end) = (midnight(before), midnight(day));
            for after in (0..10).map(|part| begin.plus(end.since(begin) / 11 * part)) {
                let taken = steps_taken();
                let next = schedule.next_after(after).unwrap().time.shown();
                assert_eq!(next, format!("{day}T08:00:00Z"), "{instead:?} after {}", after.shown());
                let taken = steps_taken() - taken;
                assert!(taken <= u64::from(3 * MAX_EXCLUSION_STEPS), "{taken} steps");
            }
        }
    }
}

/// The list went from run to run up to the first that is excluded, and ended after 10,000 steps.
#[test]
fn the_next_excluded_run_is_found_without_looking_at_the_runs_before() {
    let now = UnixMillis::new(1_764_000_000_000);
    for times in [&[][..], &["12:00-13:00"]] {
        let schedule =
            excluding("* * * * * *", items(&["2099-05-14"], &[], times, &[]), Instead::Skip);
        let before = steps_taken();
        let found = schedule.next_excluded(now, UnixMillis::LAST).unwrap().shown();
        let expected =
            if times.is_empty() { "2099-05-13T22:00:00Z" } else { "2025-11-25T11:00:00Z" };
        assert_eq!(found, expected);
        assert!(steps_taken() - before < 1_500, "{} steps", steps_taken() - before);
    }
    // The clock goes back from 3:00 to 2:00, and shows an excluded time again.
    let schedule = excluding("*/5 * * * *", items(&[], &[], &["02:00-02:30"], &[]), Instead::Skip);
    let after: UnixMillis = UnixMillis::new(1_792_889_100_000); // 2:45
    let found = schedule.next_excluded(after, UnixMillis::LAST).unwrap();
    assert_eq!(found.shown(), "2026-10-25T01:00:00Z");
}

#[test]
fn until_is_an_instant_and_a_day_counts_if_it_begins_by_then() {
    // Midnight in Berlin is 23:00 in UTC.
    for (until, first) in [
        ("20261223T225959Z", "2026-12-24T08:00:00Z"),
        ("20261223T230000Z", "2026-12-25T08:00:00Z"),
        ("20261224T000000Z", "2026-12-25T08:00:00Z"),
        ("20261224T225959Z", "2026-12-25T08:00:00Z"),
    ] {
        let rule = format!("FREQ=DAILY;UNTIL={until}");
        let schedule = excluding("0 9 * * *", items(&[], &[], &[], &[&rule]), Instead::Skip);
        let next = schedule.next_after(UnixMillis::new(1_795_780_800_000)).unwrap();
        assert_eq!(next.time.shown(), first, "{until}");
    }
}

/// On 28 March 2027 the clock in Berlin jumps from 2:00 to 3:00.
#[test]
fn the_time_that_the_clock_shows_at_a_run_is_what_counts() {
    let day = |text: &str| {
        format!("2027-03-{text}")
            .parse::<LocalTime>()
            .unwrap()
            .instant("Europe/Berlin".parse().unwrap())
            .unwrap()
    };
    let runs = |times: &[&str]| -> Vec<String> {
        let schedule = excluding("30 2 * * *", items(&[], &[], times, &[]), Instead::Skip);
        let runs = std::iter::successors(schedule.next_after(day("26T12:00")), |run| {
            schedule.following(run.time)
        });
        let runs = runs.take_while(|run| run.time < day("30T00:00"));
        runs.map(|run| run.time.shown()).collect()
    };
    let moved = "2027-03-28T01:00:00Z";
    assert_eq!(runs(&["05:00-06:00"]), ["2027-03-27T01:30:00Z", moved, "2027-03-29T00:30:00Z"]);
    // The run that a change moves to 3:00 is the only one that is not between 2:00 and 3:00.
    assert_eq!(runs(&["02:00-03:00"]), [moved]);
    assert_eq!(runs(&["03:00-04:00"]), ["2027-03-27T01:30:00Z", "2027-03-29T00:30:00Z"]);
    // The same counts if an exclusion has moved the run into the gap.
    let moving = |times: &[&str]| {
        let closed = items(&["2027-03-27"], &[], times, &[]);
        let schedule = excluding("30 2 27 3 *", closed, Instead::Next);
        let next = schedule.next_after(day("26T12:00")).unwrap().time;
        (next.shown(), schedule.clock_change(next, day("26T12:00")))
    };
    let (time, change) = moving(&["05:00-06:00"]);
    assert_eq!((time.as_str(), change.map(ClockChange::name)), (moved, Some("gap-moved")));
    let explained = change.unwrap().explain("Europe/Berlin".parse().unwrap());
    assert!(explained.starts_with("2027-03-28 02:30:00 does not exist"), "{explained}");
    assert_eq!(moving(&["03:00-03:01"]).0, "2028-03-27T00:30:00Z");
}

/// Runs of 92 days moved to one day, about 90 in each second.
#[test]
fn one_run_of_an_interval_that_drifts_moves_to_a_day() {
    let zone: Tz = "Europe/Berlin".parse().unwrap();
    // From a Wednesday to a Tuesday, three months later.
    let closed = items(&["2026-09-02/2026-12-01"], &[], &[], &[]);
    for (instead, day) in [(Instead::Next, "2026-12-02"), (Instead::Previous, "2026-09-01")] {
        let exclusions = Exclusions::parse(closed, instead, zone, None).unwrap();
        let of = |millis| {
            let rule = Rule::Every(Every::new(UnixMillis::new(1_700_000_000_000), millis));
            let (first, last) = (UnixMillis::ZERO, UnixMillis::LAST);
            let rule = Excluding::new(rule, first, last, exclusions.clone());
            Schedule::new(Rule::Excluding(Box::new(rule)), first, last, Delay::default())
        };
        let at = |time: &str| {
            format!("{day}T{time}").parse::<LocalTime>().unwrap().instant(zone).unwrap()
        };
        let moved = |schedule: &Schedule| {
            let runs = std::iter::successors(schedule.next_after(at("00:00").plus(-1)), |run| {
                schedule.following(run.time)
            });
            let runs = runs.take_while(|run| run.time < at("00:02"));
            runs.filter(|run| schedule.moved_from(run.time).is_some()).count()
        };
        assert_eq!(moved(&of(1_001)), 1, "{instead:?}");
        // The times of an interval that divides a day are the same on each day.
        assert_eq!(moved(&of(1_000)), 0, "{instead:?}");
    }
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
