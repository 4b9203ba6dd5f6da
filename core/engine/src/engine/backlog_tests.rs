use crate::Keep;
use crate::engine::lanes::pair::Pair;
use scheduler_model::bounds::{MAX_CATCH_UP_RUNS, MAX_LANES};
use scheduler_model::protocol::Status;

/// Runs that found no slot waited without a bound, until their shard refused every task.
#[test]
fn delayed_runs_are_bounded_for_each_task() {
    for misfire in ["", r#""misfire":{"policy":"skip"},"#, r#""misfire":{"policy":"dead-letter"},"#]
    {
        for (concurrency, per_second) in [(None, Some(0.01)), (Some(1), None)] {
            let mut pair = Pair::keeping(usize::MAX, Keep::All);
            pair.limit_both("k", concurrency, per_second);
            pair.create(
                "k",
                "every",
                None,
                &format!(r#""everySeconds":1,"anchor":1764000000000,{misfire}"#),
            );
            let begun = pair.now;
            pair.live(begun.plus(900_000), 10_000_000);
            let waiting = pair.engine.stats(pair.now).waiting_for_limits;
            assert_eq!(
                waiting, MAX_CATCH_UP_RUNS as u64,
                "under {concurrency:?} {per_second:?} {misfire}"
            );
            let (outcome, error) = pair.outcomes("every").remove(0);
            assert!(
                outcome == "skipped"
                    && error.starts_with("waiting: 100 runs of the task wait already"),
                "{error}"
            );
            assert!(
                pair.outcomes("every").iter().all(|(outcome, _)| outcome == "skipped"),
                "nothing is missed"
            );
        }
    }
}

/// Runs that come due together are skipped together, and one entry of the history names them.
#[test]
fn runs_skipped_after_an_outage_share_one_history_entry() {
    let mut pair = Pair::keeping(usize::MAX, Keep::All);
    pair.limit_both("k", Some(1), None);
    pair.create(
        "k",
        "every",
        None,
        r#""everySeconds":1,"anchor":1764000000000,"misfire":{"policy":"fire","graceSeconds":3600},"#,
    );
    pair.live(pair.now.plus(5_500), 10_000_000);
    pair.restart();
    pair.now = pair.now.plus(1_800_000);
    pair.live(pair.now.plus(300), 10_000_000);
    assert_eq!(pair.engine.stats(pair.now).waiting_for_limits, MAX_CATCH_UP_RUNS as u64);
    let outcomes = pair.outcomes("every");
    assert_eq!(outcomes.len(), 1, "{outcomes:?}");
    assert!(outcomes[0].1.contains("; so would all runs up to that of 17640018"), "{outcomes:?}");
    // Another task of the same key has a bound of its own.
    pair.create("k", "other", None, r#""everySeconds":1,"anchor":1764000000000,"#);
    pair.live(pair.now.plus(60_000), 10_000_000);
    assert!(pair.outcomes("other").is_empty());
}

/// Returns a shard that holds the last run of a schedule. The lane of its key was freed while the
/// follow-up of the run before was in flight.
fn held_without_a_lane() -> (Pair, u64) {
    let mut pair = Pair::new(usize::MAX);
    pair.limit_both("k", Some(1), None);
    let rest = r#""everySeconds":10,"anchor":1764000000000,"maxRuns":2,"overlap":"queue-one","onSuccess":{"type":"handler","name":"log"},"#;
    pair.create("k", "last", None, rest);
    let begun = pair.now;
    // The first run ends, and its follow-up is dispatched.
    while pair.envelopes_in_flight().is_empty() {
        pair.now = pair.now.plus(200);
        pair.wake();
    }
    let run = pair.envelopes_in_flight().remove(0);
    assert_eq!(run.1.as_deref(), Some("k"));
    pair.report(run.0);
    while pair.now < begun.plus(25_000) {
        pair.now = pair.now.plus(200);
        pair.wake();
    }
    let follow_up = pair.envelopes_in_flight().remove(0);
    assert_eq!((pair.status("last"), follow_up.1), (Some(Status::Held), None));
    for key in 0..MAX_LANES {
        pair.create(
            &format!("key-{key}"),
            &format!("of-{key}"),
            Some(pair.now.plus(3_600_000)),
            "",
        );
    }
    (pair, follow_up.0)
}

/// While all lanes were taken, a held run was put into the main order and ran without a slot.
#[test]
fn a_held_run_without_a_lane_stays_held() {
    for restarts in [false, true] {
        let (mut pair, follow_up) = held_without_a_lane();
        pair.report(follow_up);
        if restarts {
            pair.restart();
        }
        let (dispatched, wakeups) = pair.live(pair.now.plus(60_000), 100);
        assert!(dispatched.is_empty() && wakeups < 10, "{dispatched:?}, {wakeups} wake-ups");
        assert_eq!(pair.status("last"), Some(Status::Held));
        // The run starts, with a slot, as soon as there is a lane.
        pair.cancel("of-7");
        let (dispatched, _) = pair.live(pair.now.plus(1_000), 100_000);
        assert_eq!(dispatched.len(), 1);
        assert_eq!(pair.envelopes_in_flight().remove(0).1.as_deref(), Some("k"));
    }
}

/// The end of another run before it would release this run, too.
#[test]
fn a_held_run_without_a_lane_may_be_cancelled() {
    let (mut pair, follow_up) = held_without_a_lane();
    pair.report(follow_up);
    pair.cancel("last");
    assert_eq!(pair.status("last"), None);
    pair.cancel("of-7");
    let (dispatched, wakeups) = pair.live(pair.now.plus(60_000), 100);
    assert!(dispatched.is_empty() && wakeups < 10, "{dispatched:?}, {wakeups} wake-ups");
}
