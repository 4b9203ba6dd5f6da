use super::*;
use crate::cron::CronList;
use crate::steps::steps_taken;
use crate::time::UnixMillis;

/// Zones whose clocks change by an hour, by half an hour, by a day, at midnight, rarely, and never.
const ZONES: [&str; 7] = [
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Asia/Pyongyang",
    "Africa/Casablanca",
    "UTC",
];

fn cron(text: &str, zone: &str) -> CronSchedule {
    CronSchedule::parse(text, Some(zone)).expect(text)
}

/// Returns instants before and after each change of a clock, before and after 2100.
fn around_changes(tz: Tz) -> Vec<i64> {
    const DAY: i64 = 86_400;
    let days = (10_000..20_500).chain(51_000..51_800).map(|day| day * DAY);
    let changes = days.filter(|day| tz.offset_at(*day) != tz.offset_at(day + DAY));
    let changes: Vec<i64> =
        changes.map(|day| crate::local_clock::change_between(tz, day, day + DAY)).collect();
    changes
        .iter()
        .flat_map(|at| [-90_000, -7_300, -3_600, -1, 0, 1_799, 3_601, 90_000].map(|by| at + by))
        .collect()
}

#[test]
fn a_walk_finds_the_same_runs_as_single_searches() {
    let lists: [&[&str]; 9] = [
        &["*/7 * * * * *"],
        &["*/20 * * * *"],
        &["30 1,2 * * *"],
        &["0 0 * * *"],
        &["0 0 29 2 *"],
        &["*/15 * * * *", "*/15 2 * * *", "30 2 * * *"],
        &["15 2 * * *", "45 2 * * *", "30 1,2,3 L * *"],
        &["0 * * * *", "0 0 1 * *", "0 0 * * MON#1"],
        &["0 1 * * *", "30 1 * * *", "0 3 1 */3 *"],
    ];
    for zone in ZONES {
        let starts: Vec<UnixMillis> = around_changes(zone.parse().expect(zone))
            .into_iter()
            .map(|at| UnixMillis::new(at * 1_000))
            .collect();
        for expressions in lists {
            let crons: Vec<_> = expressions.iter().map(|text| cron(text, zone)).collect();
            let list = CronList::new(crons.clone());
            for start in starts.iter().chain(&[UnixMillis::ZERO, UnixMillis::LAST]) {
                let one_by_one =
                    std::iter::successors(list.next_after(*start), |run| list.next_after(*run));
                let one_by_one: Vec<_> = one_by_one.take(20).collect();
                let walked: Vec<_> = list.runs_after(*start).take(20).collect();
                assert_eq!(walked, one_by_one, "{expressions:?} in {zone} after {start:?}");
                if let [cron] = &crons[..] {
                    let alone: Vec<_> = cron.runs_after(*start).take(20).collect();
                    let by_search =
                        std::iter::successors(cron.next_after(*start), |run| cron.next_after(*run));
                    assert_eq!(
                        alone,
                        by_search.take(20).collect::<Vec<_>>(),
                        "{expressions:?} in {zone} after {start:?}"
                    );
                    assert_eq!(alone, walked, "{expressions:?} in {zone} after {start:?}");
                }
            }
        }
    }
}

/// Returns the steps that it takes to count runs.
fn steps(expressions: &[String], zone: &str, after: i64, runs: usize) -> u64 {
    let list = CronList::new(expressions.iter().map(|text| cron(text, zone)).collect());
    let before = steps_taken();
    assert_eq!(list.runs_after(UnixMillis::new(after * 1_000)).take(runs).count(), runs);
    steps_taken() - before
}

/// 2026-05-28T20:26:40Z.
const SUMMER: i64 = 1_780_000_000;

#[test]
fn equal_expressions_are_evaluated_once() {
    let one = steps(&["* * * * * *".to_owned()], "Europe/Berlin", SUMMER, 10_000);
    for spelling in ["* * * * * *", "0-59 * * * * *", "*/1 0-59 0-23 1-31 * ?"] {
        let mut equal = vec![spelling.to_owned(); 15];
        equal.push("* * * * * *".to_owned());
        assert_eq!(steps(&equal, "Europe/Berlin", SUMMER, 10_000), one, "{spelling}");
    }
}

/// A run takes one step for each expression that names it, and little more. Neither the days of the
/// month nor the clock changes are searched for each run.
#[test]
fn a_run_between_two_changes_of_the_clock_takes_one_step() {
    let every_second = |n| format!("0-{} * * * * *", 59 - n);
    let every_day = |n| format!("0 0,{} * * *", n + 1);
    for (zone, runs, most) in [
        ("UTC", 20_000, 320_000),
        ("Europe/Berlin", 20_000, 320_000),
        ("Pacific/Apia", 20_000, 320_000),
    ] {
        let expressions: Vec<_> = (0..16).map(every_second).collect();
        let taken = steps(&expressions, zone, SUMMER, runs);
        assert!(taken <= most + 1_000, "{taken} steps for {runs} runs in {zone}");
    }
    // One of the seventeen runs of a day is named by all expressions. The days of a month are
    // searched once.
    let expressions: Vec<_> = (0..16).map(every_day).collect();
    let taken = steps(&expressions, "Europe/Berlin", SUMMER, 17_000);
    assert!(taken <= 17_000 * 2 + 1_000 * 16, "{taken} steps for a thousand days");
}

/// Near a clock change, the additional searches are counted, so that the budget of a request bounds
/// its time.
#[test]
fn an_overlap_takes_more_steps() {
    let expressions: Vec<_> = (0..16).map(|n| format!("0-{} * * * * *", 59 - n)).collect();
    let usual = steps(&expressions, "Europe/Berlin", SUMMER, 7_200);
    // 2026-10-25T00:00:00Z, an hour before the clock goes back.
    let in_overlap = steps(&expressions, "Europe/Berlin", 1_792_886_400, 7_200);
    assert!(in_overlap > 4 * usual, "{in_overlap} steps, and {usual} elsewhere");
    let before = steps_taken();
    let tz: Tz = "Europe/Berlin".parse().expect("a valid zone");
    tz.offset_at(SUMMER);
    assert_eq!(steps_taken() - before, 1);
    tz.offset_at(5_000_000_000);
    assert!(steps_taken() - before > 2, "after 2100 the rule is evaluated");
}

#[test]
fn a_clock_shows_each_local_time_of_a_steady_time_once() {
    let mut found = 0;
    for zone in ZONES {
        let tz: Tz = zone.parse().expect(zone);
        for around in around_changes(tz) {
            for at in [around - 7_200, around - 1, around, around + 1, around + 1_800] {
                let local = at + tz.offset_at(at);
                let Some(steady) = tz.steady_at(at) else {
                    assert!(matches!(tz.read(local), Reading::Twice { .. }), "{at} in {zone}");
                    continue;
                };
                found += 1;
                assert!(steady.contains(at));
                assert_eq!(
                    (steady.offset, tz.read(local)),
                    (tz.offset_at(at), Reading::Once(at)),
                    "{at} in {zone}"
                );
                // The same holds for later instants within the steady time.
                for later in (1..60).map(|n| at + n * 127).filter(|later| steady.contains(*later)) {
                    assert_eq!(
                        tz.read(later + steady.offset),
                        Reading::Once(later),
                        "{later} in {zone}"
                    );
                }
            }
        }
    }
    assert!(found > 5_000, "{found}");
}
