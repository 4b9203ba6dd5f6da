//! The bound on the waiting runs of one recurring task: what counts, and what it may not hold back.

use crate::circuits::{Circuit, LONGEST_OPEN_MILLIS, OPEN_AFTER, Open};
use crate::engine::lanes::pair::Pair;
use crate::{Config, Keep};
use scheduler_model::bounds::MAX_CATCH_UP_RUNS;
use scheduler_model::protocol::{Change, ChangeRequest, Changed, Filter, ListRequest, Status};
use std::collections::BTreeMap;

const CATCHES_UP: &str =
    r#""everySeconds":1,"anchor":1764000000000,"misfire":{"policy":"fire","graceSeconds":3600},"#;
const FAILS: &str =
    r#""everySeconds":10,"anchor":1764000000000,"retry":{"minBackoffSeconds":3600,"jitter":0},"#;

fn change(pair: &mut Pair, id: &str, change: Change) {
    let request = ChangeRequest { ids: vec![id.to_owned()], change, if_match: None, pause: None };
    loop {
        let reply = pair.change_within(&request, None).unwrap();
        if !reply.in_part {
            assert_eq!(reply.outcomes, [Changed::Changed]);
            return;
        }
    }
}

/// Pauses the waiting runs, but not their tasks. Returns how many are paused then.
fn pause_waiting(pair: &mut Pair) -> usize {
    let filter = Filter { status: Some(Status::Retrying), ..Filter::default() };
    let request = ListRequest { filter, limit: 20_000, ..ListRequest::default() };
    let reply = pair.input(|engine, now, reader| {
        engine.change_matching(&request, Change::Pause, None, now, reader)
    });
    assert_eq!(reply.next, None);
    pair.records(Status::Paused).len()
}

/// Lets the shard work for `millis`. Every attempt fails at once. Returns the number of attempts of
/// each id.
fn fail_for(pair: &mut Pair, millis: i64) -> BTreeMap<String, usize> {
    let (end, mut attempts) = (pair.now.plus(millis), BTreeMap::new());
    loop {
        let next = pair.engine.next_wakeup().unwrap().max(pair.now.plus(1));
        if next > end {
            pair.now = end;
            return attempts;
        }
        pair.now = next;
        pair.wake();
        for id in pair.ids_in_flight() {
            *attempts.entry(id).or_default() += 1;
        }
        for (seq, _) in pair.envelopes_in_flight() {
            pair.fail(seq, false, "HTTP 503");
        }
    }
}

/// Each resume added a hundred runs to those that waited already.
#[test]
fn a_resume_adds_no_more_runs_than_may_wait() {
    let mut pair = Pair::keeping(usize::MAX, Keep::All);
    pair.limit_both("k", None, Some(0.001));
    pair.create("k", "every", None, CATCHES_UP);
    for round in 0..15 {
        pair.live(pair.now.plus(5_000), 1_000);
        change(&mut pair, "every", Change::Pause);
        pair.now = pair.now.plus(200_000);
        change(&mut pair, "every", Change::Resume);
        let waiting = pair.records(Status::Retrying).len();
        assert_eq!(waiting, MAX_CATCH_UP_RUNS, "in round {round}");
    }
    let outcomes = pair.outcomes("every");
    let skipped = |(outcome, error): &&(String, String)| {
        outcome == "skipped"
            && error.starts_with(
                "waiting: 100 runs of the task wait already; so would all runs up to that of 1764",
            )
    };
    // One entry for the runs of each resume but the first, which had some room.
    assert!(outcomes.iter().filter(skipped).count() >= 15, "{outcomes:?}");
}

/// Nothing bounded the runs that a resume added while the destination did not answer.
#[test]
fn a_resume_adds_no_more_runs_than_may_wait_for_a_destination() {
    for key in ["", "k"] {
        let mut pair = Pair::keeping(usize::MAX, Keep::All);
        pair.create(key, "every", None, CATCHES_UP);
        let (since, until) = (pair.now, pair.now.plus(LONGEST_OPEN_MILLIS));
        pair.engine.circuits.circuits.push(Circuit {
            destination: "handler:log".to_owned(),
            failures: OPEN_AFTER,
            last: since,
            open: Some(Open {
                since,
                until,
                millis: LONGEST_OPEN_MILLIS,
                probe: None,
                waiting: Vec::new(),
            }),
        });
        for round in 0..4 {
            pair.live(pair.now.plus(5_000), 10_000_000);
            change(&mut pair, "every", Change::Pause);
            pair.now = pair.now.plus(120_000);
            change(&mut pair, "every", Change::Resume);
            let waiting = pair.records(Status::Retrying).len();
            assert!(waiting <= MAX_CATCH_UP_RUNS, "{waiting} with {key:?} in round {round}");
            assert!(waiting + 2 >= MAX_CATCH_UP_RUNS, "{waiting} with {key:?} in round {round}");
        }
    }
}

/// Paused runs were not counted, so each pause made room for a hundred others. At a thousand, a
/// failed attempt became a dead letter at once.
#[test]
fn paused_runs_count_among_those_that_wait() {
    let mut pair = Pair::keeping(usize::MAX, Keep::All);
    pair.limit_both("k", None, Some(0.001));
    let rest = r#""everySeconds":1,"anchor":1764000000000,"retry":{"maxAttempts":5,"minBackoffSeconds":1},"#;
    pair.create("k", "every", None, rest);
    for round in 0..12 {
        pair.live(pair.now.plus(120_000), 1_000);
        let paused = pause_waiting(&mut pair);
        // While no other run waits, one may, so that the shard asks the limiter.
        assert!(paused <= MAX_CATCH_UP_RUNS + round, "{paused} are paused in round {round}");
    }
    // The limit has room. The next run starts and fails, and is tried again.
    pair.limit_both("k", Some(1), None);
    pair.live(pair.now.plus(3_000), 10_000_000);
    let seq = pair.envelopes_in_flight()[0].0;
    pair.fail(seq, false, "HTTP 503");
    let ended = pair.outcomes("every").into_iter().find(|(outcome, _)| outcome != "skipped");
    assert_eq!(ended.unwrap(), ("failed".to_owned(), "HTTP 503".to_owned()));
}

/// A hundred further attempts that waited for their own time stopped a task with a key, although its
/// limit was idle, or did not exist.
#[test]
fn further_attempts_before_their_time_hold_no_run_back() {
    for concurrency in [Some(50), None] {
        let mut pair = Pair::keeping(usize::MAX, Keep::All);
        if concurrency.is_some() {
            pair.limit_both("k", concurrency, None);
        }
        pair.create("k", "every", None, FAILS);
        pair.create("", "plain", None, FAILS);
        let attempts = fail_for(&mut pair, 2_400_500);
        assert_eq!(attempts["every"], attempts["plain"], "under {concurrency:?}");
        assert!((239..=241).contains(&attempts["every"]), "{attempts:?} under {concurrency:?}");
        assert!(pair.outcomes("every").iter().all(|(outcome, _)| outcome == "failed"));
        // Paused ones do not stop it either while the limit has room.
        assert!(pause_waiting(&mut pair) > 2 * MAX_CATCH_UP_RUNS);
        let attempts = fail_for(&mut pair, 600_000);
        assert_eq!(attempts["every"], attempts["plain"], "under {concurrency:?}");
        assert_eq!(attempts["every"], 60, "under {concurrency:?}");
    }
}

/// The further attempts of a task with a key have the same bound as those of another task.
#[test]
fn further_attempts_of_a_task_with_a_key_are_bounded() {
    let config = Config { history: Keep::All, max_runs: 150, ..Config::default() };
    let mut pair = Pair::with(config);
    pair.limit_both("k", Some(50), None);
    pair.create("k", "every", None, FAILS);
    pair.create("", "plain", None, FAILS);
    fail_for(&mut pair, 1_700_500);
    let dead = |id: &str| {
        let outcomes = pair.outcomes(id);
        outcomes.iter().filter(|(outcome, _)| outcome == "dead-lettered").count()
    };
    assert_eq!((dead("every"), dead("plain")), (20, 20));
    assert_eq!(pair.records(Status::Retrying).len(), 300);
}

/// Attempts whose time has come wait for the limit, too, so fewer new runs may wait beside them.
#[test]
fn further_attempts_that_wait_for_the_limit_count() {
    let mut pair = Pair::keeping(usize::MAX, Keep::All);
    pair.limit_both("k", Some(50), None);
    pair.create("k", "every", None, FAILS);
    fail_for(&mut pair, 3_500_500);
    // From now on, one run takes the only slot. 110 seconds later, the first attempts come due.
    pair.limit_both("k", Some(1), None);
    pair.live(pair.now.plus(2_000_000), 10_000_000);
    let waiting = pair.records(Status::Retrying);
    let new = waiting.iter().filter(|record| record["attempt"].is_null()).count();
    assert!((45..=65).contains(&new), "{new} new runs wait");
    assert!(pair.outcomes("every")[0].1.starts_with("waiting: 100 runs of the task wait already"));
}
