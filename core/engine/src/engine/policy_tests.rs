use super::*;
use crate::testing::Memory;
use crate::{Config, Snapshot, Write};
use scheduler_model::format::envelope::Envelope;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{Append, Report};

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

/// Returns the times of the runs that are dispatched.
fn dispatched(effects: &Effects) -> Vec<i64> {
    let mut times = Vec::new();
    for outgoing in &effects.sends {
        let envelope = Envelope::parse(std::str::from_utf8(&outgoing.text).unwrap()).unwrap();
        let time = |task: &&serde_json::value::RawValue| {
            Record::parse(task.get().as_bytes()).unwrap().time.unwrap().get()
        };
        times.extend(envelope.tasks.iter().map(time));
    }
    times
}

fn load(stored: &Memory) -> Engine {
    stored.load("1-0", Config::default())
}

/// Returns a shard with a task that fires every second, beginning one second after `NOW`.
fn every_second(more: &str) -> (Engine, Memory) {
    let mut stored = Memory::default();
    let mut engine = Engine::load("1-0", Config::default(), Snapshot::default()).unwrap();
    let record = format!(
        r#"{{"id":"a","everySeconds":1,"anchor":{NOW}{more},"callback":{{"type":"handler","name":"log"}}}}"#
    );
    let append = Append { schedules: vec![record.into_bytes()], ..Append::default() };
    let (_, effects) = engine.append(append, NOW, &stored).unwrap();
    stored.apply(&effects.writes);
    (engine, stored)
}

fn wake(engine: &mut Engine, stored: &mut Memory, after: i64) -> Vec<i64> {
    let effects = engine.wake(NOW.plus(after), stored).unwrap();
    stored.apply(&effects.writes);
    dispatched(&effects).into_iter().map(|time| time - NOW.get()).collect()
}

fn seconds(from: i64, to: i64) -> Vec<i64> {
    (from..=to).map(|second| second * 1_000).collect()
}

/// Creates a task that fires each second, and wakes the shard after an hour without a wake-up.
/// Returns what fires then, and what fires a second later.
fn after_an_hour(more: &str) -> (Vec<i64>, Vec<i64>, Engine) {
    let (mut engine, mut stored) = every_second(more);
    let first = wake(&mut engine, &mut stored, 3_600_000);
    // A restarted shard continues after the skipped runs.
    let mut engine = if more.len().is_multiple_of(2) { load(&stored) } else { engine };
    let then = wake(&mut engine, &mut stored, 3_601_000);
    (first, then, engine)
}

#[test]
fn missed_runs_fire_as_the_policy_says() {
    let grace = seconds(3_540, 3_600);
    for more in ["", " "] {
        // Runs that are at most a minute late fire, and the last hundred before them.
        let (first, then, engine) = after_an_hour(more);
        assert_eq!(first, seconds(3_540 - 100, 3_600));
        assert_eq!(then, [3_601_000]);
        assert_eq!(engine.state.counters.skipped, 1);

        let (first, then, _) =
            after_an_hour(&format!(r#"{more},"misfire":{{"policy":"fire-once"}}"#));
        assert_eq!(first, seconds(3_539, 3_600));
        assert_eq!(then, [3_601_000]);

        let (first, then, engine) =
            after_an_hour(&format!(r#"{more},"misfire":{{"policy":"skip"}}"#));
        assert_eq!((first, then), (grace.clone(), vec![3_601_000]));
        assert_eq!((engine.state.counters.fired, engine.state.counters.skipped), (62, 1));

        let (first, then, engine) =
            after_an_hour(&format!(r#"{more},"misfire":{{"policy":"dead-letter"}}"#));
        assert_eq!((first, then), (grace.clone(), vec![3_601_000]));
        assert_eq!((engine.state.counters.dead_lettered, engine.state.counters.skipped), (100, 1));
    }
    let (first, _, _) = after_an_hour(r#","misfire":{"policy":"skip","graceSeconds":0}"#);
    assert_eq!(first, [3_600_000]);
}

#[test]
fn expired_runs_do_not_fire() {
    let (first, then, engine) = after_an_hour(r#","expireAfterSeconds":5"#);
    assert_eq!((first, then), (seconds(3_595, 3_600), vec![3_601_000]));
    assert_eq!(engine.state.counters.expired, 1);
}

#[test]
fn a_run_that_is_not_dispatched_is_passed_by_the_watermark() {
    let (mut engine, mut stored) =
        every_second(r#","endAt":1764000010000,"misfire":{"policy":"skip","graceSeconds":1}"#);
    assert_eq!(wake(&mut engine, &mut stored, 60_000), [0; 0]);
    assert_eq!(engine.watermark().due, NOW.plus(10_000));
    assert_eq!(engine.stats(NOW).schedules, 0);
    assert!(engine.next_wakeup().is_none());
    assert_eq!(load(&stored).watermark(), engine.watermark());
}

#[test]
fn runs_do_not_overlap() {
    let (mut engine, mut stored) = every_second(r#","overlap":"skip""#);
    assert_eq!(wake(&mut engine, &mut stored, 5_000), [1_000]);
    assert_eq!(wake(&mut engine, &mut stored, 6_000), [0; 0]);
    assert_eq!(engine.state.counters.skipped, 5);

    let (mut engine, mut stored) = every_second(r#","overlap":"queue-one""#);
    assert_eq!(wake(&mut engine, &mut stored, 5_000), [1_000]);
    assert_eq!((engine.stats(NOW).pending, engine.state.counters.skipped), (2, 3));
}

#[test]
fn runs_missed_in_a_pause_fire_if_the_policy_says_so() {
    let expected: [(&str, Vec<i64>); 5] = [
        ("", vec![]),
        (r#","misfire":{"policy":"fire","graceSeconds":2}"#, seconds(11, 20)),
        (r#","misfire":{"policy":"fire-once","graceSeconds":2}"#, seconds(18, 20)),
        (r#","misfire":{"policy":"skip","graceSeconds":2}"#, seconds(19, 20)),
        (r#","misfire":{"policy":"fire","graceSeconds":2},"overlap":"skip""#, seconds(20, 20)),
    ];
    for (more, made_up) in expected {
        let (mut engine, mut stored) = every_second(more);
        let change = |engine: &mut Engine, stored: &mut Memory, change, after: i64| {
            let request = scheduler_model::protocol::ChangeRequest {
                ids: vec!["a".to_owned()],
                change,
                if_match: None,
                pause: None,
            };
            let (_, effects) = engine.change(&request, NOW.plus(after), stored).unwrap();
            stored.apply(&effects.writes);
        };
        wake(&mut engine, &mut stored, 10_000);
        // Earlier runs have ended, so nothing overlaps.
        let rows = stored.outbox.iter().filter(|(_, row)| row.is_dispatched());
        for seq in rows.map(|(seq, _)| *seq).collect::<Vec<_>>() {
            let report = Report { seq, ..Report::default() };
            let effects = engine.report(&report, NOW.plus(10_100), &stored).unwrap();
            stored.apply(&effects.writes);
        }
        change(&mut engine, &mut stored, scheduler_model::protocol::Change::Pause, 10_500);
        // A shard that was restarted in the pause knows when the pause began.
        let mut engine = load(&stored);
        change(&mut engine, &mut stored, scheduler_model::protocol::Change::Resume, 20_500);
        let fired = wake(&mut engine, &mut stored, 20_600);
        assert_eq!(fired, made_up, "{more}");
    }
}

/// Returns a shard with this number of tasks that fire every second. All are paused.
fn paused(tasks: usize, more: &str) -> (Engine, Memory) {
    let mut stored = Memory::default();
    let mut engine = Engine::load("1-0", Config::default(), Snapshot::default()).unwrap();
    let record = |n: usize| {
        format!(
            r#"{{"id":"a{n}","everySeconds":1,"anchor":{NOW}{more},"callback":{{"type":"handler","name":"log"}},"paused":true}}"#
        )
    };
    let append = Append {
        schedules: (0..tasks).map(|n| record(n).into_bytes()).collect(),
        ..Append::default()
    };
    let (_, effects) = engine.append(append, NOW, &stored).unwrap();
    stored.apply(&effects.writes);
    (engine, stored)
}

#[test]
fn the_end_of_many_pauses_takes_several_steps() {
    let (mut engine, mut stored) = paused(1_000, r#","misfire":{"policy":"fire"}"#);
    let mut ids: Vec<String> = (0..1_000).map(|n| format!("a{n}")).collect();
    let mut steps = 0;
    while !ids.is_empty() {
        let request = scheduler_model::protocol::ChangeRequest {
            ids: ids.clone(),
            change: scheduler_model::protocol::Change::Resume,
            if_match: None,
            pause: None,
        };
        let (reply, effects) = engine.change(&request, NOW.plus(500_000), &stored).unwrap();
        stored.apply(&effects.writes);
        assert!((1..=201).contains(&reply.outcomes.len()), "{}", reply.outcomes.len());
        assert!(
            reply
                .outcomes
                .iter()
                .all(|outcome| *outcome == scheduler_model::protocol::Changed::Changed)
        );
        ids.drain(..reply.outcomes.len());
        steps += 1;
    }
    // One step resumes 198 tasks, with 101 runs and one outcome of skipped runs each, and a part of
    // the next task.
    assert_eq!((steps, engine.stats(NOW).counters.skipped), (6, 1_000));
    assert_eq!(engine.stats(NOW).pending, 1_000 * 101);
}

#[test]
fn runs_missed_in_a_pause_do_not_overlap_a_run_in_progress() {
    for (overlap, waiting, skipped) in [("allow", 21, 0), ("skip", 1, 2), ("queue-one", 2, 1)] {
        let (mut engine, mut stored) =
            every_second(&format!(r#","misfire":{{"policy":"fire"}},"overlap":"{overlap}""#));
        assert_eq!(wake(&mut engine, &mut stored, 1_000), [1_000]);
        for (change, after) in [
            (scheduler_model::protocol::Change::Pause, 1_500),
            (scheduler_model::protocol::Change::Resume, 21_500),
        ] {
            let request = scheduler_model::protocol::ChangeRequest {
                ids: vec!["a".to_owned()],
                change,
                if_match: None,
                pause: None,
            };
            let (_, effects) = engine.change(&request, NOW.plus(after), &stored).unwrap();
            stored.apply(&effects.writes);
        }
        let stats = engine.stats(NOW);
        assert_eq!((stats.pending, stats.counters.skipped), (waiting, skipped), "{overlap}");
    }
}

#[test]
fn a_restart_does_not_record_skipped_runs_again() {
    let mut stored = Memory::default();
    let mut engine = Engine::load("1-0", Config::default(), Snapshot::default()).unwrap();
    let record = |n: usize| {
        format!(
            r#"{{"id":"a{n}","everySeconds":1,"anchor":{NOW},"expireAfterSeconds":5,"callback":{{"type":"handler","name":"log"}}}}"#
        )
    };
    let append = Append {
        schedules: (0..1_000).map(|n| record(n).into_bytes()).collect(),
        ..Append::default()
    };
    let (_, effects) = engine.append(append, NOW, &stored).unwrap();
    stored.apply(&effects.writes);
    let effects = engine.wake(NOW.plus(60_000), &stored).unwrap();
    let skipped = engine.stats(NOW).counters.expired;
    assert!((100..1_000).contains(&skipped), "a firing is bounded: {skipped}");
    let saved: Vec<_> = effects
        .writes
        .iter()
        .filter_map(|write| match write {
            Write::SetSchedule { since, .. } => *since,
            _ => None,
        })
        .collect();
    assert_eq!(saved, vec![NOW.plus(54_000); skipped as usize]);
}

#[test]
fn a_held_run_waits_while_its_task_is_paused() {
    let (mut engine, mut stored) = every_second(r#","overlap":"queue-one""#);
    assert_eq!(wake(&mut engine, &mut stored, 1_000), [1_000]);
    assert_eq!(wake(&mut engine, &mut stored, 2_000), [0; 0]);
    let change = |engine: &mut Engine, stored: &mut Memory, change, after| {
        let request = scheduler_model::protocol::ChangeRequest {
            ids: vec!["a".to_owned()],
            change,
            if_match: None,
            pause: None,
        };
        let (_, effects) = engine.change(&request, NOW.plus(after), stored).unwrap();
        stored.apply(&effects.writes);
    };
    change(&mut engine, &mut stored, scheduler_model::protocol::Change::Pause, 2_500);
    let report = Report { seq: EnvelopeSeq::new(1), ..Report::default() };
    let effects = engine.report(&report, NOW.plus(3_000), &stored).unwrap();
    stored.apply(&effects.writes);
    assert_eq!(wake(&mut engine, &mut stored, 4_000), [0; 0]);
    assert_eq!(engine.stats(NOW).paused, 2);
    change(&mut engine, &mut stored, scheduler_model::protocol::Change::Resume, 5_500);
    assert_eq!(wake(&mut engine, &mut stored, 5_600), [2_000]);
}
