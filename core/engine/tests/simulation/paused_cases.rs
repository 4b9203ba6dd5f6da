//! Definitions that change a paused task, in short sequences: how its runs are delayed, and which
//! of them overlap.

use crate::definition_tests::{PATCH, PUT, at, every};
use crate::regressions::Pair;
use scheduler_model::protocol::{Append, Change, Expected, Failure, Report, Status, Terms};
use scheduler_model::routing::id_hash;
use scheduler_model::task::version_of;

const JITTERS: [&str; 4] = ["0", "0.4", "30", "100"];

/// Returns a task that runs each minute, delayed by at most `jitter` seconds.
fn minutely(jitter: &str, more: &str) -> String {
    every(
        60,
        0,
        &format!(r#","jitterSeconds":{jitter}{more}"#)
            .replace(r#","jitterSeconds":0,"#, ",")
            .replace(r#","jitterSeconds":0""#, ""),
    )
}

impl Pair {
    /// Wakes the shard at each requested time. Returns the times of the runs that fire.
    fn runs_until(&mut self, until: i64) -> Vec<i64> {
        let mut runs = Vec::new();
        while let Some(next) =
            self.engine.next_wakeup().map(|next| next.since(at(0))).filter(|next| *next <= until)
        {
            runs.extend(self.runs(next));
        }
        runs
    }

    fn restart_if(&mut self, restarts: bool) {
        if restarts {
            self.restart();
        }
    }
}

/// The pause lasts two seconds. Patches begin and end it and change the delay of the runs. The run
/// after it was lost, because the pause began after the time at which that run would have been due
/// by the first patch.
#[test]
fn a_short_pause_by_patches_of_the_delay_loses_no_run() {
    for begins in JITTERS {
        for ends in JITTERS {
            for restarts in [false, true] {
                let mut pair = Pair::new();
                pair.define(&minutely("0", ""), PUT, 1);
                pair.define(&minutely(begins, r#","paused":true"#), PATCH.saying(), 7_500);
                pair.restart_if(restarts);
                pair.define(&minutely(ends, ""), PATCH.saying(), 9_100);
                pair.restart_if(restarts);
                assert_eq!(
                    pair.runs_until(239_999),
                    [60_000, 120_000, 180_000],
                    "{begins}, then {ends}, restarts: {restarts}"
                );
            }
        }
    }
}

/// A patch that leaves the task paused changes the delay. Runs from before the pause had fired, but
/// by the new delay they were still to come, so they fired again after it.
#[test]
fn a_patch_of_the_delay_in_a_pause_repeats_no_run() {
    for later in JITTERS {
        for (by_patch, restarts) in [(false, false), (true, true)] {
            let mut pair = Pair::new();
            pair.define(&minutely("0", ""), PUT, 1);
            assert_eq!(pair.runs_until(60_000), [60_000]);
            pair.change(Change::Pause, 60_100);
            pair.define(&minutely(later, r#","paused":true"#), PATCH, 60_200);
            pair.restart_if(restarts);
            if by_patch {
                pair.define(&minutely(later, ""), PATCH.saying(), 60_300);
            } else {
                pair.change(Change::Resume, 60_300);
            }
            pair.restart_if(restarts);
            assert_eq!(
                pair.runs_until(239_999),
                [120_000, 180_000],
                "{later}, by a patch: {by_patch}"
            );
        }
    }
}

/// A task whose policy fires missed runs fires each run once, whatever delay its definitions have
/// before, in and after a pause.
#[test]
fn a_task_that_fires_missed_runs_fires_each_run_once() {
    let define = |pair: &mut Pair, jitter: &str, more: &str, now: i64| {
        let more = format!(r#","misfire":{{"policy":"fire","graceSeconds":0}}{more}"#);
        pair.define(&minutely(jitter, &more), PATCH.saying(), now);
    };
    let expected: Vec<i64> = (1..=7).map(|minute| minute * 60_000).collect();
    for [before, begins, within, ends] in all_of_four() {
        for (from, to) in
            [(61_000, 61_500), (70_000, 115_000), (119_000, 250_000), (179_990, 240_010)]
        {
            let mut pair = Pair::new();
            pair.define(
                &minutely(before, r#","misfire":{"policy":"fire","graceSeconds":0}"#),
                PUT,
                59_999,
            );
            let mut runs = pair.runs_until(from);
            define(&mut pair, begins, r#","paused":true"#, from);
            define(&mut pair, within, r#","paused":true"#, from + 100);
            pair.restart_if(to % 1_000 == 10);
            assert_eq!(pair.runs_until(to), [0; 0], "it is paused");
            define(&mut pair, ends, "", to);
            pair.restart_if(to % 1_000 == 10);
            runs.extend(pair.runs_until(479_999));
            runs.sort_unstable();
            assert_eq!(
                runs, expected,
                "{before}, {begins}, {within}, {ends}, paused from {from} to {to}"
            );
        }
    }
}

fn all_of_four() -> impl Iterator<Item = [&'static str; 4]> {
    (0..256_usize).map(|n| [n, n / 4, n / 16, n / 64].map(|n| JITTERS[n % 4]))
}

/// Returns a task with this overlap policy, paused with a further attempt of the run of second 1.
/// Its misfire policy fires missed runs.
fn paused_with_an_attempt(overlap: &str) -> (Pair, impl Fn(&str) -> String) {
    let more = format!(
        r#","overlap":"{overlap}","misfire":{{"policy":"fire"}},"retry":{{"minBackoffSeconds":60}}"#
    );
    let record = move |fields: &str| every(1, 0, &format!("{more}{fields}"));
    let mut pair = Pair::new();
    pair.define(&record(""), PUT, 1);
    let fired = pair.wake(at(1_000));
    let failed = vec![Failure { index: 0, error: "no".to_owned(), ..Failure::default() }];
    pair.report(&Report { seq: fired.sends[0].seq, failed, ..Report::default() }, at(1_100));
    pair.change(Change::Pause, 1_500);
    assert_eq!(pair.statuses(), [Status::Paused; 2]);
    (pair, record)
}

/// The attempt continues with its task, so no other run of the task may start. One did, because the
/// attempt was not in the index for a moment: it is rewritten when a pause ends.
#[test]
fn a_missed_run_does_not_overlap_a_resumed_attempt() {
    for (overlap, is_held) in [("queue-one", true), ("skip", false)] {
        for by_patch in [false, true] {
            let (mut pair, record) = paused_with_an_attempt(overlap);
            if by_patch {
                pair.define(&record(""), PATCH.saying(), 4_500);
            } else {
                pair.change(Change::Resume, 4_500);
            }
            let mut expected = vec![Status::Scheduled, Status::Retrying];
            expected.extend(is_held.then_some(Status::Held));
            assert_eq!(pair.statuses(), expected, "{overlap}, by a patch: {by_patch}");
            // At 5 s, the next run is due and skipped. The wait of the attempt ends after a minute.
            let fired: Vec<usize> = [4_500, 5_000, 120_000]
                .map(|millis| crate::regressions::ids(&pair.wake(at(millis))).len())
                .to_vec();
            assert_eq!(fired, [0, 0, 1], "{overlap}, by a patch: {by_patch}");
        }
    }
}

/// The same with a repeated patch that counts the runs of another schedule. The runs of the first
/// try are owed.
#[test]
fn an_owed_run_does_not_overlap_a_resumed_attempt() {
    let (mut pair, record) = paused_with_an_attempt("queue-one");
    let counted = format!(r#","maxRuns":3,"firstRun":{},"finalRun":{}"#, at(2_000), at(4_000));
    let shown = pair.engine.get("a", &pair.storage).unwrap().unwrap();
    let append = Append {
        schedules: vec![record(&counted).into_bytes()],
        expected: Some(Expected::Version(version_of(shown.record.get().as_bytes()))),
        terms: Terms {
            again: true,
            tasks_only: true,
            said_paused: vec![id_hash("a")],
            ..Terms::default()
        },
        ..Append::default()
    };
    let (_, effects) = pair.engine.append(append, at(2_500), &pair.storage).unwrap();
    pair.commit(effects);
    assert_eq!(pair.statuses(), [Status::Scheduled, Status::Retrying, Status::Held]);
}
