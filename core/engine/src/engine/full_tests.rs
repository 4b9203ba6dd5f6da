//! Lanes of a shard that has dispatched as many tasks as it may.

use super::pair::Pair;
use scheduler_model::numbers::EnvelopeSeq;

/// Returns a shard that has dispatched two tasks without a key and may dispatch no more. Six tasks
/// of a key with three slots wait in it.
fn full() -> Pair {
    let mut pair = Pair::new(2);
    pair.limit_both("stripe", Some(3), None);
    for n in 0..2 {
        pair.create("", &format!("main-{n}"), Some(pair.now), "");
    }
    assert_eq!(pair.wake().iter().map(|(.., tasks)| tasks).sum::<usize>(), 2);
    for n in 0..6 {
        pair.create("stripe", &format!("task-{n}"), Some(pair.now), "");
    }
    pair
}

/// A full shard kept slots for all of its due tasks, and no other shard could use them.
#[test]
fn a_full_shard_keeps_one_slot_for_ten_seconds() {
    let mut pair = full();
    let begun = pair.now;
    pair.live(begun.plus(3_000), 1);
    assert_eq!(pair.slots("stripe"), 1, "the lane keeps one slot until there is room");
    pair.live(begun.plus(15_000), 1);
    assert_eq!(pair.slots("stripe"), 0);
    // The lane does not send the same request to its limiter each second.
    let (_, wakeups) = pair.live(begun.plus(115_000), 1);
    assert!(wakeups <= 10 * 6, "{wakeups} wake-ups in 100 s");
    pair.envelopes_in_flight().into_iter().for_each(|(seq, _)| pair.report(seq));
    let room_at = pair.now;
    assert_eq!(pair.live(room_at.plus(5_000), 1).0.len(), 6, "there is room again");
}

/// Without a slot, a lane would lose all room to the tasks without a key. If runs take 13 seconds,
/// reports always come at the same time after the shard became full.
#[test]
fn a_lane_of_a_full_shard_gets_its_turns() {
    for runs_for in [500, 5_000, 13_000, 27_000] {
        let mut pair = full();
        for n in 0..400 {
            pair.create("", &format!("herd-{n}"), Some(pair.now), "");
        }
        pair.envelopes_in_flight().into_iter().for_each(|(seq, _)| pair.report(seq));
        let (dispatched, _) = pair.live(pair.now.plus(40 * runs_for), runs_for);
        let left = pair
            .records(scheduler_model::protocol::Status::Scheduled)
            .iter()
            .filter(|record| record["limitKey"] == "stripe")
            .count();
        assert!(left <= 3, "{left} of 6 wait, after {} runs of {runs_for} ms", dispatched.len());
    }
}

/// A shard at its bound fired again at each report, without a gap. So each envelope stayed as small
/// as the one whose report had made room for it.
#[test]
fn a_full_shard_dispatches_whole_envelopes_and_keeps_its_gap() {
    let mut pair = Pair::new(1_000);
    let sizes = |pair: &mut Pair| -> Vec<(EnvelopeSeq, usize)> {
        pair.wake().into_iter().map(|(seq, .., tasks)| (seq, tasks)).collect()
    };
    for n in 0..30 {
        pair.create("", &format!("early-{n}"), Some(pair.now), "");
    }
    let small = sizes(&mut pair);
    assert!(matches!(small.as_slice(), [(_, 30)]), "{small:?}");
    pair.now = pair.now.plus(1_000);
    for n in 0..1_100 {
        pair.create("", &format!("herd-{n}"), Some(pair.now), "");
    }
    let fired_at = pair.now;
    let whole: Vec<usize> = sizes(&mut pair).into_iter().map(|(_, tasks)| tasks).collect();
    assert_eq!(whole, [100; 9], "70 more would fit, but are no whole envelope");
    let next = pair.engine.next_wakeup();
    assert!(next.is_none_or(|at| at.since(fired_at) > 1_000), "{next:?} after {fired_at}");
    pair.report(small[0].0);
    let next = pair.engine.next_wakeup().expect("there is room, and something is due");
    assert_eq!(next.since(fired_at), 100, "the gap between two firings");
    pair.now = next;
    let whole: Vec<usize> = sizes(&mut pair).into_iter().map(|(_, tasks)| tasks).collect();
    assert_eq!(whole, [100]);
}

/// Reports came, but none made room for a whole envelope, so lanes returned their last slots.
#[test]
fn a_lane_keeps_its_slot_while_small_reports_come() {
    let mut pair = Pair::new(1_000);
    pair.limit_both("stripe", Some(3), None);
    let mut small = Vec::new();
    for (envelope, tasks) in std::iter::repeat_n(10, 90).chain([100]).enumerate() {
        for n in 0..tasks {
            pair.create("", &format!("main-{envelope}-{n}"), Some(pair.now), "");
        }
        small.extend(pair.wake().into_iter().map(|(seq, .., tasks)| (seq, tasks)));
        pair.now = pair.now.plus(1_000);
    }
    let last = small.pop();
    assert!(small.len() == 90 && small.iter().all(|(_, tasks)| *tasks == 10), "{small:?}");
    assert!(matches!(last, Some((_, 100))), "{last:?}");
    for n in 0..6 {
        pair.create("stripe", &format!("task-{n}"), Some(pair.now), "");
    }
    pair.live(pair.now.plus(3_000), 1);
    for (seq, _) in small.into_iter().take(9) {
        pair.report(seq);
        pair.live(pair.now.plus(4_000), 1);
        assert_eq!(pair.slots("stripe"), 1, "after the report of envelope {seq}");
    }
}

/// With a bound of less than ten envelopes, the gap would leave the dispatchers without work.
#[test]
fn a_shard_with_a_small_bound_fires_again_at_each_report() {
    for (bound, gap) in [(1, 0), (20, 0), (990, 0), (1_000, 100)] {
        let mut pair = Pair::new(bound);
        for n in 0..2 * bound {
            pair.create("", &format!("herd-{n}"), Some(pair.now), "");
        }
        let fired = pair.wake();
        assert_eq!(fired.iter().map(|(.., tasks)| tasks).sum::<usize>(), bound);
        fired.into_iter().for_each(|(seq, ..)| pair.report(seq));
        let next = pair.engine.next_wakeup().expect("as many again are due");
        assert_eq!(next.since(pair.now), gap, "with a bound of {bound}");
    }
}
