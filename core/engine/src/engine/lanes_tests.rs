use super::*;
use crate::Config;
use crate::engine::lanes::pair::{Pair, load};
use crate::error::EngineError;
use crate::testing::{self, Memory, record};
use scheduler_model::bounds::MAX_LANES;
use scheduler_model::numbers::{EnvelopeSeq, LaneNumber};
use scheduler_model::protocol::{CancelRequest, Cancelled};
use std::collections::BTreeMap;

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

#[test]
fn many_tasks_behind_a_limit_are_written_once() {
    let mut pair = Pair::new(usize::MAX);
    pair.limit("stripe", 10);
    pair.append(&["stripe"], (0..100_000).map(|n| (1, format!("task-{n}")))).unwrap();
    let pages = pair.stored.pages.len();
    let (mut waiting, before) = (std::collections::VecDeque::new(), pair.stored.writes);
    let mut ran = 0;
    while ran < 2_000 {
        pair.now = pair.now.plus(100);
        waiting.extend(pair.wake());
        assert!(pair.in_flight() <= 10, "{} in flight", pair.in_flight());
        assert_eq!(
            pair.engine.stats(pair.now).waiting_for_limits,
            100_000 - ran - pair.in_flight() as u64
        );
        for (seq, lane, tasks) in waiting.drain(..) {
            assert_eq!(
                (lane.get(), tasks),
                (1, 1),
                "with ten slots each task is an envelope of its own"
            );
            pair.report(seq);
            ran += tasks as u64;
        }
    }
    let written = pair.stored.writes - before;
    // A task costs one row when it is dispatched and one when it is done. Deletions of empty pages
    // come on top.
    assert!(written <= 2 * ran as usize + 250, "{written} rows for {ran} tasks");
    assert!(pair.stored.pages.len() >= pages - 10);
    assert_eq!(pair.limiter.slots("stripe"), 10);
}

#[test]
fn a_restarted_shard_counts_the_runs_in_flight() {
    let mut pair = Pair::new(usize::MAX);
    pair.limit("stripe", 3);
    pair.append(&["stripe"], (0..10).map(|n| (1, format!("task-{n}")))).unwrap();
    pair.wake();
    pair.now = pair.now.plus(200);
    let dispatched = pair.wake();
    assert_eq!(dispatched.len(), 3);
    pair.engine = load(&pair.stored, usize::MAX);
    for _ in 0..50 {
        pair.now = pair.now.plus(200);
        assert!(pair.wake().is_empty(), "three are in flight");
    }
    pair.report(dispatched[0].0);
    pair.now = pair.now.plus(200);
    assert_eq!(pair.wake().len(), 1);
    // All waiting tasks are cancelled, and those in flight end. Neither the shard nor the limiter
    // keeps anything of the lane.
    let ids = (0..10).map(|n| format!("task-{n}")).collect();
    let (reply, effects) =
        pair.engine.cancel(&CancelRequest { ids, if_match: None }, pair.now, &pair.stored).unwrap();
    pair.commit(&effects);
    let cancelled =
        reply.outcomes.iter().filter(|outcome| **outcome == Cancelled::Cancelled).count();
    assert_eq!((cancelled, reply.running.len()), (9, 3));
    let seqs: Vec<EnvelopeSeq> = pair
        .stored
        .outbox
        .iter()
        .filter(|(_, row)| row.destination.is_some())
        .map(|(seq, _)| *seq)
        .collect();
    seqs.into_iter().for_each(|seq| pair.report(seq));
    for _ in 0..20 {
        pair.now = pair.now.plus(200);
        pair.wake();
    }
    assert_eq!((pair.limiter.slots("stripe"), pair.engine.next_wakeup()), (0, None));
    let saved = pair.engine.save();
    pair.commit(&saved);
    assert!(!String::from_utf8(pair.stored.state().cloned().unwrap()).unwrap().contains("stripe"));
}

#[test]
fn a_wide_lane_has_larger_envelopes_but_never_more_than_a_tenth_of_its_slots() {
    let mut pair = Pair::new(usize::MAX);
    pair.limit("wide", 200);
    pair.append(&["wide"], (0..500).map(|n| (1, format!("task-{n}")))).unwrap();
    pair.wake();
    pair.now = pair.now.plus(200);
    let sizes: Vec<usize> = pair.wake().into_iter().map(|(_, _, tasks)| tasks).collect();
    assert_eq!(sizes, [20; 10]);
}

#[test]
fn the_dispatched_tasks_are_bounded_and_lanes_take_turns() {
    let mut pair = Pair::new(250);
    pair.limit("a", 1_000);
    pair.limit("b", 1_000);
    let tasks = (0..3_000).map(|n| (n % 3, format!("task-{n}")));
    pair.append(&["a", "b"], tasks).unwrap();
    let mut by_lane: BTreeMap<LaneNumber, usize> = BTreeMap::new();
    for _ in 0..6 {
        pair.now = pair.now.plus(200);
        let dispatched = pair.wake();
        assert!(pair.in_flight() <= 250, "{} in flight", pair.in_flight());
        for (seq, lane, tasks) in dispatched {
            *by_lane.entry(lane).or_default() += tasks;
            pair.report(seq);
        }
    }
    let (least, most) = (by_lane.values().min().unwrap(), by_lane.values().max().unwrap());
    assert!(by_lane.len() == 3 && *least >= 300 && *most <= 700, "{by_lane:?}");
}

#[test]
fn a_request_beyond_the_most_lanes_is_refused() {
    let mut pair = Pair::new(usize::MAX);
    let keys: Vec<String> = (0..MAX_LANES).map(|n| n.to_string()).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    pair.append(&keys, (1..=MAX_LANES).map(|key| (key, format!("task-{key}")))).unwrap();
    let refused = pair.append(&["one more"], [(1, "x".to_owned())]).unwrap_err();
    assert_eq!(refused, EngineError::TooManyLanes { held: MAX_LANES, asked: 1 });
    assert!(refused.to_string().contains("limitKey"), "{refused}");
    pair.append(&["7"], [(1, "x".to_owned())]).unwrap();
    pair.append(&[], [(0, "y".to_owned())]).unwrap();
    // Lanes without tasks make room.
    let ids = vec!["task-1".to_owned()];
    let (_, effects) =
        pair.engine.cancel(&CancelRequest { ids, if_match: None }, pair.now, &pair.stored).unwrap();
    pair.commit(&effects);
    pair.append(&["one more"], [(1, "z".to_owned())]).unwrap();
    pair.engine = load(&pair.stored, usize::MAX);
    assert_eq!(pair.engine.stats(NOW).waiting_for_limits, MAX_LANES as u64 + 1);
}

/// A lease that had never used its slots computed a time in the past for returning them. So the
/// shard sent a request after each reply, a thousand times per second, and ignored the limiter's
/// "wait".
#[test]
fn a_waiting_shard_sends_few_requests_per_second() {
    for (concurrency, per_second) in
        [(None, Some(0.2)), (None, Some(2.0)), (Some(3), Some(0.2)), (Some(1), None)]
    {
        let mut pair = Pair::new(usize::MAX);
        pair.limit_both("y", concurrency, per_second);
        // In each round, the lane starts with tasks that come and go. Pauses separate the rounds.
        for round in 0..3 {
            let begun = pair.now;
            pair.append(&["y"], (0..4).map(|n| (1, format!("{round}-{n}")))).unwrap();
            let (dispatched, wakeups) = pair.live(begun.plus(30_000), 5_000);
            assert_eq!(
                dispatched.len(),
                4,
                "{concurrency:?} {per_second:?}, round {round}: {dispatched:?}"
            );
            assert!(
                wakeups < 30 * 3,
                "{concurrency:?} {per_second:?}, round {round}: {wakeups} wake-ups in 30 s"
            );
            pair.live(begun.plus(7 * 60_000), 5_000);
        }
    }
}

/// A lane that was dropped with its last task and created again numbered its requests from 1. The
/// limiter remembered higher numbers and answered none of them.
#[test]
fn a_key_whose_tasks_come_and_go_is_not_starved() {
    for (concurrency, per_second) in [(Some(2), None), (None, Some(50.0)), (Some(2), Some(50.0))] {
        let mut pair = Pair::new(usize::MAX);
        pair.limit_both("z", concurrency, per_second);
        for n in 0..60 {
            pair.append(&["z"], [(1, format!("task-{n}"))]).unwrap();
            let (dispatched, _) = pair.live(pair.now.plus(500), 100);
            assert_eq!(dispatched.len(), 1, "task {n} under {concurrency:?} {per_second:?}");
        }
        // The lane is dropped when its tasks have run, when they are cancelled, and when the shard
        // restarts.
        for round in 0..4 {
            pair.live(pair.now.plus(6_000), 100);
            assert_eq!(pair.engine.next_wakeup(), None, "nothing is left of the lane");
            if round == 2 {
                pair.append(&["z"], [(1, "cancelled".to_owned())]).unwrap();
                let request = CancelRequest { ids: vec!["cancelled".to_owned()], if_match: None };
                let (_, effects) = pair.engine.cancel(&request, pair.now, &pair.stored).unwrap();
                pair.commit(&effects);
            }
            if round == 3 {
                pair.engine = load(&pair.stored, usize::MAX);
            }
            pair.append(&["z"], [(1, format!("late-{round}"))]).unwrap();
            let (dispatched, _) = pair.live(pair.now.plus(1_000), 100);
            assert_eq!(
                dispatched.len(),
                1,
                "after a pause, round {round} under {concurrency:?} {per_second:?}"
            );
        }
    }
}

/// With a second between two firings, a shard that other tasks kept busy got tokens in each reply,
/// but they had expired before its next firing.
#[test]
fn a_busy_shard_fires_before_its_tokens_end() {
    for gap in [0, 100, 1_000, i64::MAX] {
        let mut stored = Memory::default();
        let mut engine = stored.load("1-0", Config { fire_gap_millis: gap, ..Config::default() });
        let tasks = [("a", NOW), ("b", NOW.plus(1))];
        let append = testing::append(tasks.map(|(id, due)| (id, due, record(id, due, ""))));
        let (_, effects) = engine.append(append, NOW, &stored).unwrap();
        stored.apply(&effects.writes);
        assert_eq!(engine.wake(NOW, &stored).unwrap().sends.len(), 1);
        let next = engine.next_wakeup().unwrap();
        assert!(
            next < NOW.plus(scheduler_model::protocol::limiter::TOKENS_MILLIS / 2 + 1),
            "with {gap}: in {} ms",
            next.since(NOW)
        );
    }
}
