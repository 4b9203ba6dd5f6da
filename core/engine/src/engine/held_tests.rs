use super::*;
use crate::engine::lanes::pair::Pair;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{Append, ChangeRequest, Filter, ListRequest, Report, Status};

/// A recurring task that has ended with its second run. Its first run is in flight, and the second
/// one waits for it.
fn ended() -> (Pair, EnvelopeSeq) {
    let mut pair = Pair::new(usize::MAX);
    let rest = format!(
        r#""everySeconds":1,"anchor":{},"endAt":{},"overlap":"queue-one","#,
        pair.now,
        pair.now.plus(2_000)
    );
    pair.create("", "a", None, &rest);
    pair.now = pair.now.plus(1_000);
    let (seq, ..) = pair.wake()[0];
    pair.now = pair.now.plus(1_000);
    assert!(pair.wake().is_empty());
    assert_eq!(pair.status("a"), Some(Status::Held), "the recurring task has ended");
    (pair, seq)
}

fn change(pair: &mut Pair, change: Change) -> Changed {
    let request = ChangeRequest { ids: vec!["a".to_owned()], change, if_match: None, pause: None };
    pair.input(|engine, now, reader| engine.change(&request, now, reader)).outcomes[0]
}

/// Changes the waiting entries with this status. Returns how many changed.
fn change_all(pair: &mut Pair, status: Status, change: Change) -> u64 {
    let filter = Filter { status: Some(status), ..Filter::default() };
    let request = ListRequest { filter, limit: 100, ..ListRequest::default() };
    let reply = pair
        .input(|engine, now, reader| engine.change_matching(&request, change, None, now, reader));
    reply.changed
}

/// Wakes the shard ten milliseconds later. Returns the envelopes that it dispatches.
fn then(pair: &mut Pair) -> Vec<EnvelopeSeq> {
    pair.now = pair.now.plus(10);
    pair.wake().into_iter().map(|(seq, ..)| seq).collect()
}

fn ends(pair: &mut Pair, seq: EnvelopeSeq) {
    pair.report_with(&Report { seq, ..Report::default() });
}

#[test]
fn a_pause_stops_a_held_run_whose_task_has_ended() {
    for restarts in [false, true] {
        for by_filter in [false, true] {
            let (mut pair, seq) = ended();
            if by_filter {
                assert_eq!(change_all(&mut pair, Status::Held, Change::Pause), 1);
            } else {
                assert_eq!(change(&mut pair, Change::Pause), Changed::Changed);
            }
            assert_eq!(pair.status("a"), Some(Status::Paused));
            if restarts {
                pair.restart();
            }
            ends(&mut pair, seq);
            pair.now = pair.now.plus(60_000);
            assert!(pair.wake().is_empty(), "it is paused");
            assert_eq!(pair.engine.next_wakeup(), None);
            assert_eq!(change(&mut pair, Change::Pause), Changed::Unchanged);
            // No run is before it any more.
            if by_filter {
                assert_eq!(change_all(&mut pair, Status::Paused, Change::Resume), 1);
            } else {
                assert_eq!(change(&mut pair, Change::Resume), Changed::Changed);
            }
            assert_eq!(pair.status("a"), Some(Status::Retrying));
            assert_eq!(then(&mut pair).len(), 1);
        }
    }
}

#[test]
fn a_resumed_run_is_held_again_while_the_run_before_is_in_progress() {
    for restarts in [false, true] {
        let (mut pair, seq) = ended();
        for _ in 0..2 {
            change(&mut pair, Change::Pause);
            if restarts {
                pair.restart();
            }
            assert_eq!(change(&mut pair, Change::Resume), Changed::Changed);
            assert_eq!(change(&mut pair, Change::Resume), Changed::Unchanged);
            assert_eq!(pair.status("a"), Some(Status::Held));
            assert!(!pair.records(Status::Held)[0].as_object().unwrap().contains_key("notBefore"));
        }
        assert!(then(&mut pair).is_empty());
        ends(&mut pair, seq);
        assert_eq!(then(&mut pair).len(), 1);
    }
}

/// The run before fails in the pause, so its further attempt waits to be resumed, too.
#[test]
fn a_resumed_run_is_held_by_an_attempt_that_is_resumed_with_it() {
    let (mut pair, seq) = ended();
    change(&mut pair, Change::Pause);
    pair.fail(seq, false, "no");
    assert_eq!(pair.records(Status::Paused).len(), 2);
    change(&mut pair, Change::Resume);
    assert_eq!(pair.records(Status::Held).len(), 1);
    let attempt = pair.records(Status::Retrying);
    assert_eq!((attempt.len(), &attempt[0]["attempt"]), (1, &serde_json::json!(2)));
}

#[test]
fn a_paused_run_that_was_held_can_be_run_and_cancelled() {
    let (mut pair, _) = ended();
    change(&mut pair, Change::Pause);
    assert_eq!(change(&mut pair, Change::Run), Changed::Changed);
    assert_eq!(then(&mut pair).len(), 1, "overlap does not hold back a requested run");

    let (mut pair, seq) = ended();
    change(&mut pair, Change::Pause);
    pair.cancel("a");
    ends(&mut pair, seq);
    assert_eq!((pair.status("a"), pair.engine.next_wakeup()), (None, None));
}

#[test]
fn an_explanation_says_what_a_paused_run_waits_for() {
    let (mut pair, _) = ended();
    change(&mut pair, Change::Pause);
    let detail = pair.explain("a").reasons[0].detail.clone();
    assert!(detail.contains("when the run before has ended"), "{detail}");
}

/// The held run of a recurring task follows the pause of its task, as before.
#[test]
fn a_held_run_follows_the_pause_of_its_recurring_task() {
    let mut pair = Pair::new(usize::MAX);
    let rest = format!(r#""everySeconds":1,"anchor":{},"overlap":"queue-one","#, pair.now);
    pair.create("", "a", None, &rest);
    pair.now = pair.now.plus(1_000);
    let (seq, ..) = pair.wake()[0];
    pair.now = pair.now.plus(1_000);
    pair.wake();
    assert_eq!(change_all(&mut pair, Status::Held, Change::Pause), 0);
    assert_eq!(change(&mut pair, Change::Pause), Changed::Changed);
    assert_eq!(pair.records(Status::Held).len(), 1);
    ends(&mut pair, seq);
    assert_eq!(pair.records(Status::Paused).len(), 2);
    assert!(then(&mut pair).is_empty());
    change(&mut pair, Change::Resume);
    assert_eq!(then(&mut pair).len(), 1);
}

/// Two runs wait for the same run. They start one after the other, in the order of their times.
#[test]
fn several_resumed_runs_start_one_after_the_other() {
    let (mut pair, first) = ended();
    change(&mut pair, Change::Pause);
    ends(&mut pair, first);
    // Another recurring task of the id, whose first run waits for the paused run.
    let rest = format!(
        r#""everySeconds":5,"anchor":{},"endAt":{},"overlap":"queue-one","#,
        pair.now,
        pair.now.plus(5_000)
    );
    let record = format!(r#"{{"id":"a",{rest}"callback":{{"type":"handler","name":"log"}}}}"#);
    let append = Append { schedules: vec![record.into_bytes()], fresh: true, ..Append::default() };
    pair.input(|engine, now, reader| engine.append(append, now, reader));
    pair.now = pair.now.plus(5_000);
    pair.wake();
    assert_eq!(pair.records(Status::Held).len(), 1);
    change(&mut pair, Change::Pause);
    assert_eq!(pair.records(Status::Paused).len(), 2);
    let paused = pair.records(Status::Paused);
    let earliest = paused.iter().filter_map(|record| record["time"].as_i64()).min();
    change(&mut pair, Change::Resume);
    assert_eq!(pair.records(Status::Held).len(), 1);
    assert_eq!(pair.records(Status::Retrying)[0]["time"].as_i64(), earliest);
    let second = then(&mut pair)[0];
    assert!(then(&mut pair).is_empty());
    ends(&mut pair, second);
    assert_eq!(then(&mut pair).len(), 1);
}
