use crate::budget::MAX_PLACED;
use crate::engine::lanes::pair::Pair;
use crate::testing;
use crate::{Config, EngineError, Keep};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{MAX_CATCH_UP_RUNS, MAX_LANES};
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::position::Position;
use scheduler_model::protocol::{
    Append, Change, ChangeRequest, Changed, Expected, Failure, Filter, Kind, ListRequest, Report,
    Status,
};
use scheduler_model::task::version_of;

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
fn held_without_a_lane(more: &str) -> (Pair, EnvelopeSeq) {
    let mut pair = Pair::new(usize::MAX);
    pair.limit_both("k", Some(1), None);
    let rest = r#""everySeconds":10,"anchor":1764000000000,"maxRuns":2,"overlap":"queue-one","onSuccess":{"type":"handler","name":"log"},"#;
    pair.create("k", "last", None, &format!("{rest}{more}"));
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

/// While all lanes were taken, a held run was put into the main order and ran without a slot. When a
/// lane was free, the wake-up that released a run with a policy for late runs read it before it was
/// stored, which failed again and again.
#[test]
fn a_run_without_a_lane_waits_for_one() {
    let policies = [
        "",
        r#""expireAfterSeconds":3600,"#,
        r#""misfire":{"policy":"skip","graceSeconds":3600},"#,
    ];
    for (restarts, more) in [false, true].into_iter().flat_map(|of| policies.map(|more| (of, more)))
    {
        let (mut pair, follow_up) = held_without_a_lane(more);
        pair.report(follow_up);
        if restarts {
            pair.restart();
        }
        let (dispatched, wakeups) = pair.live(pair.now.plus(60_000), 100);
        assert!(dispatched.is_empty() && wakeups < 10, "{dispatched:?}, {wakeups} wake-ups");
        assert_eq!(pair.status("last"), Some(Status::Retrying));
        // The run starts, with a slot, as soon as there is a lane.
        pair.cancel("of-7");
        let (dispatched, _) = pair.live(pair.now.plus(1_000), 100_000);
        assert_eq!(dispatched.len(), 1);
        assert_eq!(pair.envelopes_in_flight().remove(0).1.as_deref(), Some("k"));
    }
}

/// All lanes stayed taken, but the key had one of them again.
#[test]
fn a_run_whose_key_gets_a_lane_by_another_task_does_not_wait_for_a_free_lane() {
    for restarts in [false, true] {
        let (mut pair, follow_up) = held_without_a_lane("");
        pair.report(follow_up);
        let (dispatched, _) = pair.live(pair.now.plus(1_000), 100);
        assert!(dispatched.is_empty(), "{dispatched:?}");
        // The lane that is free for a moment goes to another task of the key.
        pair.cancel("of-7");
        pair.create("k", "other", Some(pair.now.plus(3_600_000)), "");
        if restarts {
            pair.restart();
        }
        let (dispatched, _) = pair.live(pair.now.plus(1_000), 100_000);
        assert_eq!((dispatched.len(), pair.status("last")), (1, Some(Status::Running)));
    }
}

/// The end of another run before it would release this run, too.
#[test]
fn a_held_run_without_a_lane_may_be_cancelled() {
    let (mut pair, follow_up) = held_without_a_lane("");
    pair.report(follow_up);
    pair.cancel("last");
    assert_eq!(pair.status("last"), None);
    pair.cancel("of-7");
    let (dispatched, wakeups) = pair.live(pair.now.plus(60_000), 100);
    assert!(dispatched.is_empty() && wakeups < 10, "{dispatched:?}, {wakeups} wake-ups");
}

/// A patch can give a run in flight a key for which no lane is left. The report of its failure
/// released the further attempt in the commit that held it, which failed, so the envelope was sent
/// and run again and again. The further attempt also lost its back-off when a lane was free.
#[test]
fn a_patched_run_whose_key_has_no_lane_waits_and_keeps_its_back_off() {
    for restarts in [false, true] {
        let mut pair = Pair::new(usize::MAX);
        for key in 0..MAX_LANES {
            let later = Some(pair.now.plus(86_400_000));
            pair.create(&format!("key-{key}"), &format!("of-{key}"), later, "");
        }
        let retry = r#""retry":{"minBackoffSeconds":3600,"maxBackoffSeconds":3600,"jitter":0},"#;
        let due = pair.now;
        pair.create("", "a", Some(due), retry);
        let seq = pair.wake().remove(0).0;
        let shown = pair.engine.get("a", pair.reader()).unwrap().unwrap();
        let version = version_of(shown.record.get().as_bytes());
        let patched = format!(
            r#"{{"time":{due},"id":"a",{retry}"callback":{{"type":"handler","name":"log"}},"limitKey":"k"}}"#
        );
        let mut append = Append {
            expected: Some(Expected::Version(version)),
            ..testing::append([("a", due, patched.as_bytes())])
        };
        append.terms.keys = vec!["k".to_owned()];
        let reply = pair.input(|engine, now, reader| engine.append(append, now, reader));
        assert!(reply.patched.is_some());
        pair.now = pair.now.plus(1_000);
        let failed = vec![Failure { index: 0, error: "no".to_owned(), ..Failure::default() }];
        let report = Report { seq, failed, ..Report::default() };
        pair.input(|engine, now, reader| Ok(((), engine.report(&report, now, reader)?)));
        assert_eq!(
            (pair.status("a"), pair.envelopes_in_flight().len()),
            (Some(Status::Retrying), 0)
        );
        if restarts {
            pair.restart();
        }
        let ends = pair.now.plus(3_600_000);
        pair.cancel("of-7");
        let (dispatched, _) = pair.live(ends.plus(-1), 10);
        assert!(dispatched.is_empty(), "{dispatched:?} before {ends}");
        let (dispatched, _) = pair.live(ends.plus(5_000), 10);
        let since = |at: &UnixMillis| at.since(ends);
        assert!(matches!(dispatched.as_slice(), [at] if since(at) < 5_000), "{dispatched:?}");
    }
}

/// Gives the task `id`, which is in flight, the key `key`.
fn set_key(pair: &mut Pair, id: &str, key: &str) {
    let shown = pair.engine.get(id, pair.reader()).unwrap().unwrap();
    let text = shown.record.get();
    let patched = format!(r#"{},"limitKey":"{key}"}}"#, text.strip_suffix('}').unwrap());
    let mut append = Append {
        expected: Some(Expected::Version(version_of(text.as_bytes()))),
        ..testing::append([(id, pair.now, patched.as_bytes())])
    };
    append.terms.keys = vec![key.to_owned()];
    pair.input(|engine, now, reader| engine.append(append, now, reader));
}

fn fail_all(pair: &mut Pair) {
    for (seq, _) in pair.envelopes_in_flight() {
        pair.fail(seq, false, "no");
    }
}

/// The ids of runs that wait for a lane stayed in memory after the runs were gone.
#[test]
fn ids_whose_waiting_runs_are_gone_are_forgotten() {
    let mut pair = Pair::with(Config { max_lanes: 1, ..Config::default() });
    pair.create("other", "of-other", Some(pair.now.plus(86_400_000)), "");
    for n in 0..2 * MAX_PLACED {
        let id = format!("id-{n}");
        pair.create("", &id, Some(pair.now), "");
        pair.wake();
        set_key(&mut pair, &id, &format!("key-{n}"));
        fail_all(&mut pair);
        assert_eq!(pair.status(&id), Some(Status::Retrying));
        pair.cancel(&id);
        pair.now = pair.now.plus(1_000);
        pair.wake();
    }
    let noted = pair.engine.lanes.noted();
    assert!(noted <= MAX_PLACED, "{noted} ids are noted, and no run waits");
}

/// Returns a shard in which the runs of some ids wait for the only lane, which "of-other" has.
fn waiting_for_a_lane(ids: u64) -> Pair {
    let mut pair = Pair::with(Config { max_lanes: 1, ..Config::default() });
    pair.create("other", "of-other", Some(pair.now.plus(86_400_000)), "");
    for n in 0..ids {
        let id = format!("id-{n}");
        pair.create("", &id, Some(pair.now), "");
        pair.wake();
        set_key(&mut pair, &id, &format!("key-{n}"));
        fail_all(&mut pair);
        assert_eq!(pair.status(&id), Some(Status::Retrying));
        pair.now = pair.now.plus(1_000);
    }
    pair.live(pair.now.plus(60_000), 10);
    pair
}

/// Each wake-up forgot the runs of one key only. So the shard woke once for each key, before a run
/// that still waited got the lane.
#[test]
fn ended_runs_of_many_keys_are_forgotten_in_one_wake_up() {
    let wakeups = |ids: u64| {
        let mut pair = waiting_for_a_lane(ids);
        (1..ids).for_each(|n| pair.cancel(&format!("id-{}", n - 1)));
        pair.cancel("of-other");
        let (dispatched, wakeups) = pair.live(pair.now.plus(60_000), 10);
        assert_eq!(dispatched.len(), 1);
        wakeups
    };
    assert_eq!(wakeups(2), wakeups(7));
}

/// Changes all tasks, one in each step, and lets the shard work after each. Returns the number of
/// changes that it reports.
fn in_steps(
    pair: &mut Pair,
    step: impl Fn(&mut Pair, &ListRequest) -> (u64, Option<Position>),
) -> u64 {
    let mut request = ListRequest { limit: 1, ..ListRequest::default() };
    let mut sum = 0;
    for _ in 0..40 {
        let (changed, next) = step(pair, &request);
        sum += changed;
        pair.live(pair.now.plus(1_000), 100_000);
        if next.is_none() {
            return sum;
        }
        request.after = next;
    }
    panic!("the change goes on and on: {sum} changes");
}

/// Runs what a filter matches in such steps.
fn run_in_steps(pair: &mut Pair, filter: &Filter) -> u64 {
    in_steps(pair, |pair, request| {
        let request = ListRequest { filter: filter.clone(), ..request.clone() };
        let reply = pair.input(|engine, now, reader| {
            engine.change_matching(&request, Change::Run, None, now, reader)
        });
        (reply.changed, reply.next)
    })
}

/// The step that cancelled or paused "of-other" freed its lane. A run that waited for it was then
/// due at once, before the place where the next step began, and started.
#[test]
fn a_change_of_many_misses_no_run_that_gets_a_lane_between_two_steps() {
    let mut pair = waiting_for_a_lane(5);
    let cancelled = in_steps(&mut pair, |pair, request| {
        let reply =
            pair.input(|engine, now, reader| engine.cancel_matching_by(request, None, now, reader));
        (reply.cancelled, reply.next)
    });
    assert_eq!(cancelled, 6);
    let list =
        pair.engine.list(&ListRequest { limit: 10, ..ListRequest::default() }, pair.reader());
    assert_eq!(list.unwrap().items.len(), 0);
    let (dispatched, _) = pair.live(pair.now.plus(86_400_000), 100_000);
    assert!(dispatched.is_empty(), "{dispatched:?}");

    let mut pair = waiting_for_a_lane(5);
    let paused = in_steps(&mut pair, |pair, request| {
        let reply = pair.input(|engine, now, reader| {
            engine.change_matching(request, Change::Pause, None, now, reader)
        });
        (reply.changed, reply.next)
    });
    assert_eq!(paused, 6);
    let (dispatched, _) = pair.live(pair.now.plus(86_400_000), 100_000);
    assert!(dispatched.is_empty(), "{dispatched:?}");
}

/// A recurring task that fired between two steps was run again by a later step.
#[test]
fn a_run_of_many_runs_a_recurring_task_once() {
    let mut pair = Pair::new(usize::MAX);
    for n in 0..5 {
        pair.create("", &format!("id-{n}"), None, r#""everySeconds":1,"anchor":1764000000000,"#);
    }
    let filter = Filter {
        kind: Some(Kind::Recurring),
        status: Some(Status::Scheduled),
        ..Filter::default()
    };
    let changed = run_in_steps(&mut pair, &filter);
    assert_eq!(changed, 5);
}

/// A resume or a replay of tasks with more keys than a shard has lanes was refused, although all
/// lanes were free.
#[test]
fn a_change_of_many_keys_changes_what_has_room() {
    let mut pair = Pair::with(Config { max_lanes: 3, ..Config::default() });
    let later = Some(pair.now.plus(86_400_000));
    for n in 0..5 {
        pair.create(&format!("key-{n}"), &format!("id-{n}"), later, "");
        let request = ChangeRequest {
            ids: vec![format!("id-{n}")],
            change: Change::Pause,
            if_match: None,
            pause: None,
        };
        pair.input(|engine, now, reader| engine.change(&request, now, reader));
        pair.live(pair.now.plus(6_000), 100);
    }
    let request = ListRequest { limit: 100, ..ListRequest::default() };
    let resume = |pair: &mut Pair| {
        pair.input(|engine, now, reader| {
            engine.change_matching(&request, Change::Resume, None, now, reader)
        })
    };
    let reply = resume(&mut pair);
    assert_eq!((reply.changed, reply.left, reply.next), (3, true, None));
    let reply = resume(&mut pair);
    assert_eq!((reply.changed, reply.left), (0, true));
    // By id, all of them are changed or none.
    let ids = (0..5).map(|n| format!("id-{n}"));
    let (ids, resumed): (Vec<_>, Vec<_>) =
        ids.partition(|id| pair.status(id) == Some(Status::Paused));
    let request = |ids: &[String]| ChangeRequest {
        ids: ids.to_vec(),
        change: Change::Resume,
        if_match: None,
        pause: None,
    };
    let refused = |pair: &mut Pair| pair.engine.change(&request(&ids), pair.now, &pair.stored);
    assert_eq!(refused(&mut pair).unwrap_err(), EngineError::TooManyLanes { held: 3, asked: 1 });
    pair.cancel(&resumed[0]);
    pair.live(pair.now.plus(6_000), 100);
    assert_eq!(refused(&mut pair).unwrap_err(), EngineError::TooManyLanes { held: 2, asked: 1 });
    let reply = pair.input(|engine, now, reader| engine.change(&request(&ids[..1]), now, reader));
    assert_eq!(reply.outcomes, [Changed::Changed]);
}

/// Each run waits for a lane of its own.
#[test]
fn dead_letters_of_more_keys_than_lanes_are_replayed_together() {
    let mut pair = Pair::with(Config { max_lanes: 3, ..Config::default() });
    for n in 0..5 {
        let id = format!("id-{n}");
        pair.create("", &id, Some(pair.now), "");
        pair.wake();
        set_key(&mut pair, &id, &format!("key-{n}"));
        for (seq, _) in pair.envelopes_in_flight() {
            pair.fail(seq, true, "no");
        }
        assert_eq!(pair.status(&id), Some(Status::Dead));
        pair.live(pair.now.plus(6_000), 100);
    }
    let filter = Filter { status: Some(Status::Dead), ..Filter::default() };
    let request = ListRequest { filter, limit: 100, ..ListRequest::default() };
    let reply = pair.input(|engine, now, reader| {
        engine.change_matching(&request, Change::Run, None, now, reader)
    });
    assert_eq!((reply.changed, reply.left), (5, false));
    let mut dispatched = 0;
    for _ in 0..10 {
        pair.live(pair.now.plus(6_000), 10_000);
        for (seq, _) in pair.envelopes_in_flight() {
            dispatched += 1;
            pair.report(seq);
        }
    }
    assert_eq!(dispatched, 5);
}

/// A request to run everything was refused, because some runs had no lane.
#[test]
fn a_run_of_many_leaves_alone_what_waits_only_for_a_lane() {
    let mut pair = waiting_for_a_lane(5);
    let filter = Filter { status: Some(Status::Retrying), ..Filter::default() };
    let changed = run_in_steps(&mut pair, &filter);
    assert_eq!(changed, 0);
    pair.cancel("of-other");
    let (dispatched, _) = pair.live(pair.now.plus(1_000), 100_000);
    assert_eq!(dispatched.len(), 1);
}
