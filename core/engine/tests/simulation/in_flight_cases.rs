//! Cancels, pauses, patches and overwrites of runs in flight, one by one. Each case has a restart
//! between the decision and its effect.

mod redeliveries;

use crate::regressions::{NOW, Pair, ids, record};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::testing;
use scheduler_engine::{Effects, Outgoing, Write};
use scheduler_model::format::envelope::Envelope;
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{
    Append, AppendReply, CancelRequest, Cancelled, Change, ChangeReply, ChangeRequest, Changed,
    Expected, Failure, Filter, ListRequest, Report, Status,
};
use scheduler_model::task::{Record, version_of};

const LATER: UnixMillis = UnixMillis::new(NOW.get() + 60_000);
const NEXT_DAY: UnixMillis = UnixMillis::new(NOW.get() + 86_400_000);

/// Returns a shard that has dispatched these tasks together, in one envelope.
fn in_flight(ids: &[&str]) -> Pair {
    let mut pair = Pair::new();
    pair.append(ids.iter().map(|id| ((*id).to_owned(), NOW, record(id, NOW, 0))));
    let effects = pair.wake(NOW);
    assert_eq!(effects.sends.len(), 1);
    pair
}

fn cancel(pair: &mut Pair, ids: &[&str]) -> (Vec<Cancelled>, Vec<u32>) {
    let request =
        CancelRequest { ids: ids.iter().map(|id| (*id).to_owned()).collect(), if_match: None };
    let (reply, effects) = pair.engine.cancel(&request, NOW, &pair.storage).unwrap();
    pair.commit(effects);
    pair.restart();
    (reply.outcomes, reply.running)
}

fn change(pair: &mut Pair, id: &str, change: Change) -> (Changed, bool) {
    let request = ChangeRequest { ids: vec![id.to_owned()], change, if_match: None, pause: None };
    let (ChangeReply { outcomes, running, .. }, effects) =
        pair.engine.change(&request, NOW, &pair.storage).unwrap();
    pair.commit(effects);
    pair.restart();
    (outcomes[0], running == [0])
}

fn put(pair: &mut Pair, record: &str, due: UnixMillis, expected: Option<Expected>) -> AppendReply {
    let id = Record::parse(record.as_bytes()).unwrap().id.into_owned();
    let append = Append { expected, ..testing::append([(id, due, record)]) };
    let (reply, effects) = pair.engine.append(append, NOW, &pair.storage).unwrap();
    pair.commit(effects);
    pair.restart();
    reply
}

fn failed(seq: u64, index: u32) -> Report {
    let failure = Failure { index, error: "HTTP 500".to_owned(), ..Failure::default() };
    Report { seq: EnvelopeSeq::new(seq), failed: vec![failure], ..Report::default() }
}

fn runs(pair: &Pair, id: &str) -> Vec<serde_json::Value> {
    let request = scheduler_model::protocol::RunsRequest::of_task(id, None, 10);
    let reply = pair.engine.runs(&request, LATER, &pair.storage).unwrap();
    reply.items.iter().map(|item| serde_json::from_str(item.run.get()).unwrap()).collect()
}

fn sent(effects: &Effects) -> Vec<(Vec<String>, Vec<u32>)> {
    let read = |outgoing: &Outgoing| {
        let envelope = Envelope::parse(std::str::from_utf8(&outgoing.text).unwrap()).unwrap();
        let ids = envelope
            .tasks
            .iter()
            .map(|task| Record::parse(task.get().as_bytes()).unwrap().id.into_owned());
        (ids.collect(), envelope.skip)
    };
    effects.sends.iter().map(read).collect()
}

/// Returns whether nothing waits, nothing is in flight, and no decision is stored.
fn is_at_rest(pair: &mut Pair) -> bool {
    let stats = pair.engine.stats(NOW);
    stats.held() == 0
        && pair.engine.is_idle()
        && pair.storage.decisions.is_empty()
        && pair.storage.patches.is_empty()
}

#[test]
fn a_cancel_in_flight_stops_further_attempts_whatever_the_outcome() {
    let not_started =
        Report { seq: EnvelopeSeq::new(1), not_started: vec![0], ..Report::default() };
    let expired = Report { seq: EnvelopeSeq::new(1), expired: vec![0], ..Report::default() };
    for (report, outcome) in
        [(failed(1, 0), Some("failed")), (not_started, None), (expired, Some("expired"))]
    {
        let mut pair = in_flight(&["a"]);
        assert_eq!(
            cancel(&mut pair, &["a", "nowhere"]),
            (vec![Cancelled::Cancelled, Cancelled::NotFound], vec![0])
        );
        // While the attempt runs, a repeated request is no error.
        assert_eq!(cancel(&mut pair, &["a"]), (vec![Cancelled::Cancelled], vec![0]));
        let explained = pair.engine.explain("a", NOW, &pair.storage).unwrap();
        assert!(
            explained.reasons.iter().any(|reason| reason.detail.contains("cancelled while it ran")),
            "{explained:?}"
        );
        pair.report(&report, LATER);
        let counters = pair.engine.stats(NOW).counters;
        assert_eq!((counters.succeeded, counters.dead_lettered), (0, 0), "{report:?}");
        assert_eq!(
            runs(&pair, "a")
                .first()
                .map(|run| run["outcome"].as_str().unwrap().to_owned())
                .as_deref(),
            outcome
        );
        assert!(
            outcome != Some("failed")
                || runs(&pair, "a")[0]["error"]
                    .as_str()
                    .unwrap()
                    .contains("cancelled while it ran")
        );
        assert!(is_at_rest(&mut pair), "{report:?}");
    }
}

#[test]
fn a_cancelled_run_that_succeeds_has_no_follow_up() {
    let mut pair = Pair::new();
    let follow_ups = r#""onSuccess":{"type":"handler","name":"log"},"onFailure":{"type":"handler","name":"log"},"payload""#;
    let text = record("a", NOW, 0).replacen("\"payload\"", follow_ups, 1);
    pair.append([("a".to_owned(), NOW, text)]);
    pair.wake(NOW);
    cancel(&mut pair, &["a"]);
    pair.report(&Report { seq: EnvelopeSeq::new(1), ..Report::default() }, LATER);
    assert_eq!(
        (pair.engine.stats(NOW).counters.succeeded, runs(&pair, "a")[0]["outcome"].as_str()),
        (1, Some("succeeded"))
    );
    assert!(is_at_rest(&mut pair));
}

#[test]
fn after_a_pause_in_flight_the_next_attempt_waits_with_its_count() {
    let mut pair = in_flight(&["a"]);
    assert_eq!(change(&mut pair, "a", Change::Pause), (Changed::Changed, true));
    assert_eq!(change(&mut pair, "a", Change::Pause), (Changed::Unchanged, true));
    let shown = pair.engine.get("a", &pair.storage).unwrap().unwrap();
    assert!(
        shown.status == Status::Running
            && Record::parse(shown.record.get().as_bytes()).unwrap().is_paused()
    );
    pair.report(&failed(1, 0), LATER);
    assert_eq!(pair.status("a"), Some(Status::Paused));
    assert!(pair.engine.is_idle());
    assert_eq!(change(&mut pair, "a", Change::Resume), (Changed::Changed, false));
    let effects = pair.wake(NEXT_DAY);
    assert!(String::from_utf8_lossy(&effects.sends[0].text).contains("\"attempt\":2"));
}

#[test]
fn a_pause_that_ends_before_the_report_changes_nothing() {
    let mut pair = in_flight(&["a"]);
    change(&mut pair, "a", Change::Pause);
    assert_eq!(change(&mut pair, "a", Change::Resume), (Changed::Changed, true));
    assert_eq!(change(&mut pair, "a", Change::Resume), (Changed::Unchanged, true));
    pair.report(&failed(1, 0), NOW);
    assert_eq!(pair.status("a"), Some(Status::Retrying));
}

#[test]
fn the_follow_up_of_a_paused_run_waits_to_be_resumed() {
    let mut pair = Pair::new();
    let follow_up = r#""onSuccess":{"type":"handler","name":"log"},"payload""#;
    pair.append([("a".to_owned(), NOW, record("a", NOW, 0).replacen("\"payload\"", follow_up, 1))]);
    pair.wake(NOW);
    change(&mut pair, "a", Change::Pause);
    pair.report(&Report { seq: EnvelopeSeq::new(1), ..Report::default() }, NOW);
    assert_eq!(pair.status("a"), Some(Status::Paused));
    assert!(pair.wake(LATER).sends.is_empty());
    change(&mut pair, "a", Change::Resume);
    assert_eq!(ids(&pair.wake(LATER.plus(1))), ["a"]);
}

#[test]
fn an_overwrite_ends_runs_in_flight_and_further_attempts() {
    let mut pair = in_flight(&["a"]);
    let reply = put(&mut pair, &record("a", LATER, 0), LATER, None);
    assert_eq!((reply.replaced, reply.running), (1, 1));
    // In the second overwrite, the new task waits, and the run in flight was replaced before.
    let reply = put(&mut pair, &record("a", LATER, 0), LATER, None);
    assert_eq!((reply.replaced, reply.running), (1, 0));
    pair.report(&failed(1, 0), NOW);
    assert_eq!(pair.engine.stats(NOW).held(), 1, "only the new task is left");
    assert_eq!(pair.status("a"), Some(Status::Scheduled));

    let mut pair = in_flight(&["a"]);
    pair.report(&failed(1, 0), NOW);
    assert_eq!(pair.status("a"), Some(Status::Retrying));
    let reply = put(&mut pair, &record("a", LATER, 0), LATER, None);
    assert_eq!((reply.replaced, reply.running), (1, 0));
    assert_eq!(pair.engine.stats(NOW).held(), 1);
}

#[test]
fn a_task_in_flight_exists_for_if_none_match_until_it_is_cancelled() {
    let mut pair = in_flight(&["a"]);
    let absent = |pair: &mut Pair| {
        let tasks = [("a", LATER, record("a", LATER, 0))];
        let append = Append { expected: Some(Expected::Absent), ..testing::append(tasks) };
        pair.engine.append(append, NOW, &pair.storage).map(|(reply, _)| reply.replaced)
    };
    assert!(absent(&mut pair).is_err());
    cancel(&mut pair, &["a"]);
    assert_eq!(absent(&mut pair), Ok(0));
}

#[test]
fn a_cancel_by_filter_covers_runs_in_flight_in_parts() {
    let mut pair = in_flight(&["a1", "a2", "b", "a3"]);
    pair.append([("a4".to_owned(), LATER, record("a4", LATER, 0))]);
    let filter = Filter { prefix: Some("a".to_owned()), ..Filter::default() };
    let mut request = ListRequest { filter, after: None, limit: 2, ..ListRequest::default() };
    let mut answers = Vec::new();
    loop {
        let (reply, effects) = pair.engine.cancel_matching(&request, NOW, &pair.storage).unwrap();
        pair.commit(effects);
        pair.restart();
        answers.push((reply.cancelled, reply.running));
        request.after = reply.next;
        if reply.next.is_none() {
            break;
        }
    }
    assert_eq!(answers, [(2, 2), (2, 1)], "runs in flight were due before");
    let report =
        Report { seq: EnvelopeSeq::new(1), not_started: vec![0, 1, 2, 3], ..Report::default() };
    pair.report(&report, NOW);
    assert_eq!((pair.engine.stats(NOW).held(), pair.status("b")), (1, Some(Status::Retrying)));
}

#[test]
fn a_pause_by_filter_covers_runs_in_flight_as_they_are_shown() {
    let mut pair = in_flight(&["a", "b"]);
    let by = |pair: &mut Pair, filter: Filter, change: Change| {
        let request = ListRequest { filter, after: None, limit: 100, ..ListRequest::default() };
        let (reply, effects) =
            pair.engine.change_matching(&request, change, None, NOW, &pair.storage).unwrap();
        pair.commit(effects);
        pair.restart();
        (reply.changed, reply.running)
    };
    let status = |status| Filter { status: Some(status), ..Filter::default() };
    assert_eq!(by(&mut pair, status(Status::Scheduled), Change::Pause), (0, 0));
    assert_eq!(
        by(
            &mut pair,
            Filter { prefix: Some("a".to_owned()), ..status(Status::Running) },
            Change::Pause
        ),
        (1, 1)
    );
    assert_eq!(by(&mut pair, status(Status::Running), Change::Run), (0, 0));
    assert_eq!(by(&mut pair, status(Status::Running), Change::Pause), (1, 1));
    assert_eq!(
        by(
            &mut pair,
            Filter { prefix: Some("b".to_owned()), ..status(Status::Paused) },
            Change::Resume
        ),
        (1, 1)
    );
    pair.report(
        &Report { seq: EnvelopeSeq::new(1), not_started: vec![0, 1], ..Report::default() },
        NOW,
    );
    assert_eq!(
        (pair.status("a"), pair.status("b")),
        (Some(Status::Paused), Some(Status::Retrying))
    );
}

#[test]
fn a_patch_in_flight_applies_to_further_attempts() {
    let mut pair = in_flight(&["a"]);
    pair.report(&failed(1, 0), NOW);
    // The second attempt is in flight.
    let effects = pair.wake(LATER);
    assert_eq!(ids(&effects), ["a"]);
    let version = |pair: &Pair| {
        version_of(pair.engine.get("a", &pair.storage).unwrap().unwrap().record.get().as_bytes())
    };
    let before = version(&pair);
    let patched = record("a", NOW, 0).replacen("\"payload\":\"", "\"payload\":\"new", 1);
    let reply = put(&mut pair, &patched, NOW, Some(Expected::Version(before)));
    assert_eq!((reply.created, reply.replaced, reply.running), (1, 1, 1));
    assert_eq!(reply.patched, Some(version(&pair)));
    assert_eq!(pair.engine.stats(NOW).pending, 0, "nothing new waits");
    // A redelivery contains the attempt in flight without the patch.
    let again = pair.wake(LATER.plus(400_000));
    assert!(!String::from_utf8_lossy(&again.sends[0].text).contains("\"payload\":\"new"));
    pair.report(&failed(2, 0), LATER.plus(400_000));
    let effects = pair.wake(LATER.plus(1_000_000));
    let text = String::from_utf8_lossy(&effects.sends[0].text).into_owned();
    assert!(text.contains("\"payload\":\"new") && text.contains("\"attempt\":3"), "{text}");
    pair.report(&Report { seq: EnvelopeSeq::new(3), ..Report::default() }, LATER.plus(1_000_000));
    assert!(is_at_rest(&mut pair));
}

#[test]
fn a_patch_of_the_time_and_a_reschedule_start_another_run() {
    for by_patch in [true, false] {
        let mut pair = in_flight(&["a"]);
        if by_patch {
            let version = version_of(
                pair.engine.get("a", &pair.storage).unwrap().unwrap().record.get().as_bytes(),
            );
            let reply =
                put(&mut pair, &record("a", LATER, 0), LATER, Some(Expected::Version(version)));
            assert_eq!((reply.replaced, reply.running, reply.patched), (1, 1, None));
        } else {
            assert_eq!(
                change(&mut pair, "a", Change::Reschedule(NOW.into())),
                (Changed::Unchanged, true)
            );
            assert_eq!(
                change(&mut pair, "a", Change::Reschedule(LATER.into())),
                (Changed::Changed, true)
            );
        }
        pair.report(&failed(1, 0), NOW);
        assert_eq!((pair.status("a"), pair.engine.stats(NOW).held()), (Some(Status::Scheduled), 1));
    }
}

#[test]
fn a_cancelled_recurring_task_ends_its_runs_in_flight() {
    let mut pair = Pair::new();
    let text = format!(
        r#"{{"id":"r","everySeconds":1,"anchor":{NOW},"callback":{{"type":"handler","name":"log"}}}}"#
    );
    let append = Append { schedules: vec![text.into_bytes()], ..Append::default() };
    let (_, effects) = pair.engine.append(append, NOW, &pair.storage).unwrap();
    pair.commit(effects);
    let effects = pair.wake(NOW.plus(1_000));
    assert_eq!(ids(&effects), ["r"]);
    assert_eq!(cancel(&mut pair, &["r"]), (vec![Cancelled::Cancelled], vec![0]));
    pair.report(&failed(1, 0), LATER);
    assert!(is_at_rest(&mut pair));
}

/// Each id is in an envelope of its own, of 60 KB. A cancel of all of them reads no more at a time
/// than a list does.
#[test]
fn a_cancel_of_many_in_flight_is_done_in_parts() {
    let mut pair = Pair::new();
    let names: Vec<String> = (0..150).map(|n| format!("t{n}")).collect();
    for part in names.chunks(10) {
        pair.append(part.iter().map(|id| (id.clone(), NOW, record(id, NOW, 60_000))));
    }
    let mut envelopes = 0;
    for round in 0..10 {
        envelopes += pair.wake(NOW.plus(round * 100)).sends.len();
    }
    assert_eq!(envelopes, names.len());
    let (mut left, mut rounds) = (names.clone(), 0);
    while !left.is_empty() {
        let request = CancelRequest { ids: left.clone(), if_match: None };
        let (reply, effects) = pair.engine.cancel(&request, NOW, &pair.storage).unwrap();
        let rows =
            effects.writes.iter().filter(|write| matches!(write, Write::Decide { .. })).count();
        assert_eq!(
            (rows, reply.running.len()),
            (reply.outcomes.len(), reply.outcomes.len()),
            "a row for each envelope"
        );
        assert!(rows <= 70, "{rows} envelopes of 60 KB were read");
        pair.commit(effects);
        left.drain(..reply.outcomes.len());
        rounds += 1;
    }
    assert_eq!(rounds, 3);
}

/// A change of many small runs counted the largest envelope for each of them, so it made several
/// parts although all runs were in one row.
#[test]
fn a_change_of_many_runs_in_one_envelope_is_one_part() {
    let names: Vec<String> = (0..1_000).map(|n| format!("t{n}")).collect();
    let mut pair = Pair::new();
    let text = |id: &str| {
        record(id, NOW, 0).replace("handler\",\"name\":\"log", "queue\",\"queue\":\"MINE")
    };
    pair.append_flagged(names.iter().map(|id| (id.clone(), NOW, text(id))), Flags::TO_QUEUE);
    assert!(pair.wake(NOW).sends.len() <= 3, "they share envelopes");
    for change in [Change::Pause, Change::Resume] {
        let request = ChangeRequest { ids: names.clone(), change, if_match: None, pause: None };
        let (reply, effects) = pair.engine.change(&request, NOW, &pair.storage).unwrap();
        pair.commit(effects);
        assert_eq!(
            (reply.outcomes, reply.in_part),
            (vec![Changed::Changed; names.len()], false),
            "{change:?}"
        );
    }
}

/// Of two runs of one id with nothing left to change, the cancelled one represented both. So the
/// other one was answered as cancelled, too.
#[test]
fn a_cancelled_run_does_not_represent_one_that_continues() {
    let mut pair = Pair::new();
    put(
        &mut pair,
        r#"{"id":"a","callback":{"type":"handler","name":"log"}}"#,
        UnixMillis::NEVER,
        None,
    );
    for _ in 0..2 {
        assert_eq!(change(&mut pair, "a", Change::Run).0, Changed::Changed);
    }
    assert_eq!(pair.wake(NOW).sends.len(), 1, "both runs share an envelope");
    // The task is removed, and then the first of its runs.
    for (status, running) in [(Some(Status::Unscheduled), 0), (Some(Status::Running), 1)] {
        let request = ListRequest {
            filter: Filter { status, ..Filter::default() },
            limit: 1,
            ..ListRequest::default()
        };
        let (reply, effects) = pair.engine.cancel_matching(&request, NOW, &pair.storage).unwrap();
        pair.commit(effects);
        assert_eq!((reply.cancelled, reply.running), (1, running));
    }
    assert_eq!(change(&mut pair, "a", Change::Resume), (Changed::Unchanged, true));
    assert_eq!(change(&mut pair, "a", Change::Pause), (Changed::Changed, true));
    assert_eq!(change(&mut pair, "a", Change::Pause), (Changed::Unchanged, true));
}

/// A patch of a cancelled run was answered as if somebody else had changed the task.
#[test]
fn a_cancelled_run_is_shown_as_cancelled_until_a_newer_one_exists() {
    let mut pair = in_flight(&["a"]);
    let is_cancelled = |pair: &Pair| {
        let item = pair.engine.get("a", &pair.storage).unwrap().unwrap();
        (item.status, item.is_cancelled)
    };
    assert_eq!(is_cancelled(&pair), (Status::Running, false));
    assert_eq!(cancel(&mut pair, &["a"]), (vec![Cancelled::Cancelled], vec![0]));
    assert_eq!(is_cancelled(&pair), (Status::Running, true));
    put(&mut pair, &record("a", LATER, 0), LATER, None);
    assert_eq!(is_cancelled(&pair), (Status::Scheduled, false));
    pair.wake(LATER);
    assert_eq!(is_cancelled(&pair), (Status::Running, false), "the new task is in flight, too");
}
