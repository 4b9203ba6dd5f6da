//! Requests for runs that are due already, and wait for a slot of their limit or for room.

use super::*;
use crate::config::Keep;

use crate::engine::lanes::pair::Pair;
use scheduler_model::protocol::{
    Among, ChangeReply, ChangeRequest, ListRequest, RunRequest, Status,
};

fn change(pair: &mut Pair, id: &str) -> ChangeReply {
    let request = ChangeRequest {
        ids: vec![id.to_owned()],
        change: Change::Run,
        if_match: None,
        pause: None,
    };
    pair.input(|engine, now, reader| engine.change(&request, now, reader))
}

fn run(pair: &mut Pair, id: &str) -> Changed {
    change(pair, id).outcomes[0]
}

/// Requests runs of all tasks, in as many steps as it takes. Returns the steps, and how many tasks
/// changed.
fn run_all(pair: &mut Pair) -> (usize, u64) {
    let (mut after, mut changed) = (None, 0);
    for step in 1..=20 {
        let request = ListRequest { limit: 1_000, after, ..ListRequest::default() };
        let reply = pair.input(|engine, now, reader| {
            engine.change_matching(&request, Change::Run, None, now, reader)
        });
        pair.now = pair.now.plus(100);
        (after, changed) = (reply.next, changed + reply.changed);
        if after.is_none() {
            return (step, changed);
        }
    }
    panic!("the request does not end; {changed} changed");
}

/// A key with one slot that a run has for an hour.
fn occupied(max_dispatched: usize) -> Pair {
    let mut pair = Pair::keeping(max_dispatched, Keep::All);
    pair.limit_both("k", Some(1), None);
    pair.create("k", "runs", Some(pair.now), "");
    let until = pair.now.plus(10);
    assert_eq!(pair.live(until, 3_600_000).0.len(), 1);
    pair
}

const SKIPS: &str = r#""misfire":{"policy":"skip","graceSeconds":7},"#;
const EXPIRES: &str = r#""expireAfterSeconds":7,"#;
const POLICIES: [&str; 3] =
    [SKIPS, r#""misfire":{"policy":"dead-letter","graceSeconds":7},"#, EXPIRES];

#[test]
fn the_lateness_of_a_waiting_run_counts_from_the_request_for_it() {
    for rest in POLICIES {
        for by_filter in [false, true] {
            let mut pair = occupied(usize::MAX);
            let begun = pair.now;
            pair.create("k", "a", Some(begun.plus(1)), rest);
            pair.live(begun.plus(5_000), 60_000);
            if by_filter {
                assert_eq!(run_all(&mut pair), (1, 1));
            } else {
                assert_eq!(run(&mut pair, "a"), Changed::Changed);
            }
            let requested = pair.records(Status::Scheduled)[0]["replayedAt"].as_i64().unwrap();
            assert_eq!(requested, begun.plus(5_000).get());
            // The first request counts, so a further one changes nothing.
            pair.now = begun.plus(6_000);
            let writes = pair.writes();
            assert_eq!((run(&mut pair, "a"), run_all(&mut pair)), (Changed::Unchanged, (1, 0)));
            assert_eq!(pair.writes(), writes, "{rest}");
            if by_filter {
                pair.restart();
            }
            pair.live(begun.plus(11_000), 60_000);
            assert_eq!(pair.status("a"), Some(Status::Scheduled), "{rest}");
            pair.live(begun.plus(20_000), 60_000);
            let expected = if rest == EXPIRES { None } else { Some(Status::Scheduled) };
            assert_eq!(pair.status("a"), expected, "{rest}");
        }
    }
}

/// A task without such a policy fires in any case, so a request for it writes nothing.
#[test]
fn a_request_for_a_waiting_run_without_policies_changes_nothing() {
    let mut pair = occupied(usize::MAX);
    pair.create("k", "a", Some(pair.now.plus(1)), "");
    pair.now = pair.now.plus(5_000);
    let writes = pair.writes();
    assert_eq!((run(&mut pair, "a"), run_all(&mut pair)), (Changed::Unchanged, (1, 0)));
    assert_eq!(pair.writes(), writes);
}

#[test]
fn a_requested_run_keeps_its_place_in_its_lane() {
    let mut pair = occupied(usize::MAX);
    let begun = pair.now;
    for (n, id) in ["a", "b", "c"].into_iter().enumerate() {
        pair.create("k", id, Some(begun.plus(10 * (n as i64 + 1))), r#""expireAfterSeconds":60,"#);
    }
    pair.live(begun.plus(1_000), 60_000);
    for id in ["b", "a"] {
        assert_eq!(run(&mut pair, id), Changed::Changed);
    }
    let waiting: Vec<String> = pair
        .records(Status::Scheduled)
        .iter()
        .map(|record| record["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(waiting, ["a", "b", "c"], "in the order of the lane");
}

/// The shard has dispatched as many tasks as it may.
#[test]
fn the_lateness_of_a_run_that_waits_for_room_counts_from_the_request_for_it() {
    for rest in POLICIES {
        let mut pair = Pair::keeping(1, Keep::All);
        pair.create("", "runs", Some(pair.now), "");
        let begun = pair.now.plus(1);
        assert_eq!(pair.live(begun, 11_500).0.len(), 1);
        pair.create("", "a", Some(begun.plus(1)), rest);
        pair.live(begun.plus(5_000), 60_000);
        assert_eq!(run(&mut pair, "a"), Changed::Changed);
        assert_eq!(run(&mut pair, "a"), Changed::Unchanged);
        assert!(pair.live(begun.plus(11_000), 60_000).0.is_empty(), "there is no room");
        assert_eq!(pair.live(begun.plus(13_000), 60_000).0.len(), 1, "{rest}");
    }
}

/// A recurring task that has ended with `runs` runs, which wait for their limit. Each record has a
/// payload of about `bytes`.
fn ended(runs: i64, bytes: usize) -> Pair {
    let mut pair = occupied(usize::MAX);
    let rest = format!(
        r#""everySeconds":1,"anchor":{},"endAt":{},"expireAfterSeconds":600,"payload":"{}","#,
        pair.now,
        pair.now.plus(1_000 * runs),
        "x".repeat(bytes)
    );
    pair.create("k", "a", None, &rest);
    let until = pair.now.plus(1_000 * runs + 5_000);
    pair.live(until, 3_600_000);
    assert_eq!(pair.engine.stats(pair.now).waiting_for_limits, runs as u64);
    pair
}

#[test]
fn the_expiry_of_a_waiting_run_of_an_ended_task_counts_from_the_request_for_it() {
    let mut pair = ended(2, 0);
    let requested = pair.now;
    assert_eq!((run(&mut pair, "a"), run(&mut pair, "a")), (Changed::Changed, Changed::Unchanged));
    for record in pair.records(Status::Retrying) {
        assert_eq!(record["replayedAt"].as_i64(), Some(requested.get()));
    }
    pair.live(requested.plus(599_000), 3_600_000);
    assert_eq!(pair.records(Status::Retrying).len(), 2);
    pair.live(requested.plus(602_000), 3_600_000);
    assert_eq!(pair.status("a"), None);
}

/// Each part of such a request found the runs of the part before again, and the request never
/// ended.
#[test]
fn a_request_for_many_large_waiting_runs_ends() {
    let mut pair = ended(60, 100_000);
    for part in 1..=4 {
        let reply = change(&mut pair, "a");
        pair.now = pair.now.plus(100);
        if !reply.in_part {
            assert_eq!(reply.outcomes, [Changed::Changed], "part {part}");
            let requested = pair
                .records(Status::Retrying)
                .iter()
                .filter(|of| of["replayedAt"].is_i64())
                .count();
            assert!(requested >= 30, "{requested} of 60");
            return;
        }
    }
    panic!("the request does not end");
}

#[test]
fn a_request_by_filter_for_many_large_waiting_runs_ends() {
    let mut pair = occupied(usize::MAX);
    let due = pair.now.plus(1);
    let rest = format!(r#""expireAfterSeconds":600,"payload":"{}","#, "x".repeat(100_000));
    for n in 0..100 {
        pair.create("k", &format!("a{n}"), Some(due), &rest);
    }
    pair.now = pair.now.plus(5_000);
    let (steps, changed) = run_all(&mut pair);
    assert_eq!(changed, 100, "in {steps} steps");
    assert!(steps > 1);
    assert_eq!(run_all(&mut pair).1, 0);
}

/// A further request with a payload of its own moved the expiry of the run.
#[test]
fn a_further_request_with_a_payload_keeps_the_time_of_the_first_one() {
    for rest in POLICIES {
        let mut pair = occupied(usize::MAX);
        let begun = pair.now;
        pair.create("k", "a", Some(begun.plus(1)), rest);
        pair.live(begun.plus(5_000), 60_000);
        assert_eq!(run(&mut pair, "a"), Changed::Changed);
        pair.now = begun.plus(6_000);
        let request =
            RunRequest { ids: vec!["a".to_owned()], if_match: None, payload: "7".to_owned() };
        pair.input(|engine, now, reader| engine.run_among(&request, Among::All, None, now, reader));
        let record = &pair.records(Status::Scheduled)[0];
        assert_eq!(record["replayedAt"].as_i64(), Some(begun.plus(5_000).get()), "{rest}");
        assert_eq!(record["payload"].as_i64(), Some(7));
    }
}
