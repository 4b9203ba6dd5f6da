//! Requests for one id with many runs, or for many ids. Each reads a bounded number of bytes
//! ([`MAX_SHARD_REQUEST_BYTES`]), whatever is stored.

use crate::large::{each_second, id};
use crate::regressions::{NOW, Pair, record};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{MAX_EVENTS_BYTES, MAX_SHARD_REQUEST_BYTES};
use scheduler_model::explain::ReasonCode;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{
    Among, CancelRequest, Cancelled, Change, ChangeRequest, Changed, EventsRequest, Failure,
    Filter, ListRequest, NewTime, Report, Status,
};

const LARGE: usize = 60_000;

/// Lets a task with a large record fire `runs` times, every second, and leaves the runs in flight.
fn in_flight(runs: i64, more: &str) -> (Pair, UnixMillis) {
    let mut pair = Pair::new();
    let (_, effects) = {
        let append = scheduler_model::protocol::Append {
            schedules: vec![each_second("a", more, LARGE)],
            ..Default::default()
        };
        pair.engine.append(append, NOW.plus(-1), &pair.storage).unwrap()
    };
    pair.commit(effects);
    (0..runs).for_each(|run| drop(pair.wake(NOW.plus(run * 1_000))));
    (pair, NOW.plus(runs * 1_000))
}

/// Does the same, and reports that each run has failed.
fn failed(runs: i64, permanent: bool) -> (Pair, UnixMillis) {
    let (mut pair, now) = in_flight(runs, r#""retry":{"minBackoffSeconds":3600},"#);
    for seq in 1..=runs as u64 {
        let failed =
            vec![Failure { index: 0, error: "no".to_owned(), permanent, ..Failure::default() }];
        pair.report(&Report { seq: EnvelopeSeq::new(seq), failed, ..Report::default() }, now);
    }
    pair.storage.take_read_bytes();
    (pair, now)
}

/// An explanation read the records of all attempts, and described each of them.
#[test]
fn an_explanation_of_many_runs_reads_a_few() {
    let (pair, now) = failed(300, false);
    let explanation = pair.engine.explain("a", now, &pair.storage).unwrap();
    let read = pair.storage.take_read_bytes();
    assert!(read < 10 * LARGE, "{read} bytes for {} reasons", explanation.reasons.len());
    let of =
        |code| explanation.reasons.iter().filter(|reason| reason.code == code).collect::<Vec<_>>();
    // The task itself and four of its attempts.
    assert_eq!(of(ReasonCode::Retrying).len(), 5);
    assert_eq!(of(ReasonCode::Retrying)[4].detail, "And 296 more runs of it wait.");
}

#[test]
fn an_explanation_of_many_runs_in_flight_reads_a_few_envelopes() {
    let (mut pair, now) = in_flight(300, "");
    pair.storage.take_read_bytes();
    let explanation = pair.engine.explain("a", now, &pair.storage).unwrap();
    let read = pair.storage.take_read_bytes();
    assert!(read < 10 * LARGE, "{read} bytes");
    assert_eq!(explanation.in_flight.len(), 5);
    assert!(
        explanation
            .reasons
            .iter()
            .any(|reason| reason.detail == "And 295 more attempts of it are in flight."),
        "{:?}",
        explanation.reasons
    );
    // Without the task, the newest attempt is shown.
    let filter = Filter { status: Some(Status::Scheduled), ..Filter::default() };
    let request = ListRequest { filter, limit: 10, ..ListRequest::default() };
    let (_, effects) = pair.engine.cancel_matching(&request, now, &pair.storage).unwrap();
    pair.commit(effects);
    pair.storage.take_read_bytes();
    assert_eq!(pair.status("a"), Some(Status::Running));
    let read = pair.storage.take_read_bytes();
    assert!(read < 4 * LARGE, "{read} bytes");
}

/// The request read all of their envelopes in one step.
#[test]
fn runs_in_flight_of_one_id_are_cancelled_and_changed_in_parts() {
    let reschedule = Change::Reschedule(NewTime { at: NOW.plus(86_400_000), local: None });
    for change in [None, Some(Change::Pause), Some(reschedule)] {
        let (mut pair, now) = in_flight(300, "");
        let mut parts = 0;
        loop {
            pair.storage.take_read_bytes();
            let (is_done, effects) = match change {
                None => {
                    let request = CancelRequest { ids: vec!["a".to_owned()], if_match: None };
                    let (reply, effects) =
                        pair.engine.cancel(&request, now, &pair.storage).unwrap();
                    assert_eq!(reply.in_part, reply.outcomes.is_empty());
                    assert!(
                        reply.in_part
                            || reply.outcomes == [Cancelled::Cancelled] && reply.running == [0]
                    );
                    (!reply.in_part, effects)
                }
                Some(change) => {
                    let request = ChangeRequest {
                        ids: vec!["a".to_owned()],
                        change,
                        if_match: None,
                        pause: None,
                    };
                    let (reply, effects) =
                        pair.engine.change(&request, now, &pair.storage).unwrap();
                    assert_eq!(reply.in_part, reply.outcomes.is_empty());
                    (!reply.in_part, effects)
                }
            };
            let read = pair.storage.take_read_bytes();
            assert!(read < 25_000_000, "{read} bytes");
            pair.commit(effects);
            pair.restart();
            parts += 1;
            assert!(parts < 20, "the parts do not end");
            if is_done {
                break;
            }
        }
        // A recurring task has no time to move, so nothing is read for it.
        let is_moved = change == Some(reschedule);
        assert!(is_moved || parts >= 4, "{parts} parts of {change:?}");
        for seq in 1..=300 {
            let failed = vec![Failure { index: 0, error: "no".to_owned(), ..Failure::default() }];
            pair.report(&Report { seq: EnvelopeSeq::new(seq), failed, ..Report::default() }, now);
        }
        let paused = if change == Some(Change::Pause) { 301 } else { 0 };
        let stats = pair.engine.stats(now);
        assert_eq!((stats.paused, stats.in_flight), (paused, 0));
        assert_eq!(
            stats.pending,
            if is_moved { 301 } else { 0 },
            "no attempt of a stopped run waits"
        );
    }
}

/// The whole records were read to find the dead letters.
#[test]
fn dead_letters_are_found_by_the_beginnings_of_their_records() {
    let (mut pair, now) = failed(100, true);
    let request = CancelRequest { ids: vec!["a".to_owned()], if_match: None };
    let (reply, effects) =
        pair.engine.cancel_among(&request, Among::Dead, now, &pair.storage).unwrap();
    let read = pair.storage.take_read_bytes();
    assert!(read <= 101 * 512, "{read} bytes");
    pair.commit(effects);
    assert_eq!(
        (reply.outcomes, pair.engine.stats(now).dead_letters),
        (vec![Cancelled::Cancelled], 0)
    );
}

/// All dead letters were read to find the newest one.
#[test]
fn a_reschedule_of_one_of_many_dead_letters_reads_the_newest() {
    let mut pair = Pair::new();
    let retry = r#""retry":{"maxAttempts":1},"payload""#;
    for run in 0..60_i64 {
        let due = NOW.plus(run);
        pair.append([(
            "a".to_owned(),
            due,
            record("a", due, LARGE).replacen("\"payload\"", retry, 1),
        )]);
        let seq = pair.wake(due).sends[0].seq;
        pair.fail(seq, due, due);
    }
    assert_eq!(pair.engine.stats(NOW).dead_letters, 60);
    for by_filter in [false, true] {
        pair.storage.take_read_bytes();
        let (now, to) = (
            NOW.plus(100),
            Change::Reschedule(NewTime { at: NOW.plus(1_000 + i64::from(by_filter)), local: None }),
        );
        let effects = if by_filter {
            let filter = Filter { status: Some(Status::Scheduled), ..Filter::default() };
            let request = ListRequest { filter, limit: 100, ..ListRequest::default() };
            pair.engine.change_matching(&request, to, None, now, &pair.storage).unwrap().1
        } else {
            let request = ChangeRequest {
                ids: vec!["a".to_owned()],
                change: to,
                if_match: None,
                pause: None,
            };
            let (reply, effects) = pair.engine.change(&request, now, &pair.storage).unwrap();
            assert_eq!(reply.outcomes, [Changed::Changed]);
            effects
        };
        let read = pair.storage.take_read_bytes();
        assert!(read < 5 * LARGE, "{read} bytes, by filter: {by_filter}");
        pair.commit(effects);
        assert_eq!(pair.engine.stats(NOW).dead_letters, 59);
    }
}

/// While somebody read events, a cancel read each whole record, and each envelope once for each of
/// its tasks.
#[test]
fn a_cancel_with_a_reader_of_events_reads_a_bounded_part() {
    let mut pair = Pair::new();
    let due = NOW.plus(60_000);
    let names: Vec<String> = (0..1_500).map(|n| id(n, 90)).collect();
    for some in names.chunks(500) {
        pair.append(some.iter().map(|id| (id.clone(), due, record(id, due, LARGE))));
    }
    pair.append(
        (0..2_000).map(|n| (format!("small-{n}"), NOW, record(&format!("small-{n}"), NOW, 500))),
    );
    pair.wake(NOW);
    let mut request = EventsRequest {
        from: None,
        id: None,
        tag: None,
        kind: None,
        limit: 1_000,
        max_bytes: MAX_EVENTS_BYTES,
        wait_millis: 0,
        key: 0,
        reader: 0,
    };
    request.from = Some(pair.engine.events(&request, NOW).next);
    let mut left: Vec<String> =
        names.into_iter().chain((0..2_000).map(|n| format!("small-{n}"))).collect();
    while !left.is_empty() {
        pair.storage.take_read_bytes();
        let cancel = CancelRequest { ids: left.clone(), if_match: None };
        let (reply, effects) = pair.engine.cancel(&cancel, NOW, &pair.storage).unwrap();
        let read = pair.storage.take_read_bytes();
        assert!(read < MAX_SHARD_REQUEST_BYTES / 2, "{read} bytes");
        pair.commit(effects);
        assert!(!reply.outcomes.is_empty());
        left.drain(..reply.outcomes.len());
    }
    let mut seen = 0;
    loop {
        let reply = pair.engine.events(&request, NOW);
        assert!(!reply.is_gap, "each cancel has its event");
        seen += reply.events.len();
        request.from = Some(reply.next);
        if !reply.has_more {
            break;
        }
    }
    assert_eq!(seen, 3_500);
}
