//! Reschedules of ids that refer to more than a task: attempts, runs in flight, dead letters. An id
//! never has two tasks.

use crate::regressions::{NOW, Pair, record};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::testing;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{
    Append, CancelRequest, Change, ChangeRequest, Changed, Expected, Failure, Filter, ListRequest,
    Report, Status,
};
use scheduler_model::task::version_of;

const LATER: UnixMillis = UnixMillis::new(NOW.get() + 60_000);
const NEXT_DAY: UnixMillis = UnixMillis::new(NOW.get() + 86_400_000);

fn put(pair: &mut Pair, text: &str, due: UnixMillis, expected: Option<Expected>) {
    let append = Append { expected, ..testing::append([("a", due, text)]) };
    let (_, effects) = pair.engine.append(append, NOW, &pair.storage).unwrap();
    pair.commit(effects);
}

/// Returns a task without a schedule.
fn unscheduled() -> Pair {
    let mut pair = Pair::new();
    let text = record("a", NOW, 0).replacen(&format!("\"time\":{NOW},"), "", 1);
    put(&mut pair, &text, UnixMillis::NEVER, None);
    pair
}

fn change(pair: &mut Pair, change: Change, now: UnixMillis) -> Changed {
    let request = ChangeRequest { ids: vec!["a".to_owned()], change, if_match: None, pause: None };
    let (reply, effects) = pair.engine.change(&request, now, &pair.storage).unwrap();
    pair.commit(effects);
    pair.restart();
    reply.outcomes[0]
}

/// Reschedules by id, or by a filter. Returns how many were changed.
fn reschedule(pair: &mut Pair, by_id: bool) -> u64 {
    if by_id {
        return u64::from(
            change(pair, Change::Reschedule(NEXT_DAY.into()), NOW) == Changed::Changed,
        );
    }
    let filter = Filter { prefix: Some("a".to_owned()), ..Filter::default() };
    let request = ListRequest { filter, after: None, limit: 100, ..ListRequest::default() };
    let (reply, effects) = pair
        .engine
        .change_matching(&request, Change::Reschedule(NEXT_DAY.into()), None, NOW, &pair.storage)
        .unwrap();
    pair.commit(effects);
    pair.restart();
    reply.changed
}

fn statuses(pair: &Pair) -> Vec<Status> {
    let all = ListRequest { limit: 100, ..ListRequest::default() };
    let items = pair.engine.list(&all, &pair.storage).unwrap().items;
    let mut statuses: Vec<Status> = items.iter().map(|item| item.status).collect();
    statuses.sort_by_key(|status| format!("{status:?}"));
    statuses
}

/// Fires what is due, and reports that all of it fails.
fn fail(pair: &mut Pair, permanent: bool) {
    let effects = pair.wake(LATER);
    for outgoing in effects.sends {
        let tasks = String::from_utf8_lossy(&outgoing.text).matches("\"id\"").count() as u32;
        let failed =
            |index| Failure { index, error: "no".to_owned(), permanent, ..Failure::default() };
        let report = Report {
            seq: outgoing.seq,
            failed: (0..tasks).map(failed).collect(),
            ..Report::default()
        };
        pair.report(&report, LATER);
    }
}

#[test]
fn a_run_stays_a_run_while_its_task_waits() {
    for by_id in [true, false] {
        let mut pair = unscheduled();
        assert_eq!(change(&mut pair, Change::Run, NOW), Changed::Changed);
        assert_eq!(reschedule(&mut pair, by_id), 1);
        assert_eq!(statuses(&pair), [Status::Retrying, Status::Scheduled], "by id: {by_id}");
    }
}

#[test]
fn a_reschedule_moves_the_newest_of_several_dead_letters() {
    for by_id in [true, false] {
        let mut pair = unscheduled();
        change(&mut pair, Change::Run, NOW);
        change(&mut pair, Change::Run, NOW.plus(1));
        fail(&mut pair, true);
        assert_eq!(statuses(&pair), [Status::Dead, Status::Dead, Status::Unscheduled]);
        let request = CancelRequest { ids: vec!["a".to_owned()], if_match: None };
        let (_, effects) = pair.engine.cancel(&request, NOW, &pair.storage).unwrap();
        pair.commit(effects);
        assert_eq!(statuses(&pair), [Status::Dead, Status::Dead]);
        assert_eq!(reschedule(&mut pair, by_id), 1);
        assert_eq!(statuses(&pair), [Status::Dead, Status::Scheduled], "by id: {by_id}");
        // The other one stays as it is while the task waits.
        assert_eq!(reschedule(&mut pair, by_id), 0);
        assert_eq!(statuses(&pair), [Status::Dead, Status::Scheduled], "by id: {by_id}");
    }
}

/// Returns two runs in flight of an id: one of a task without a schedule, and one of the one-shot
/// task that a patch has made of it.
fn two_runs() -> Pair {
    let mut pair = unscheduled();
    change(&mut pair, Change::Run, NOW);
    assert_eq!(pair.wake(NOW).sends.len(), 1);
    let shown = pair.engine.get("a", &pair.storage).unwrap().unwrap();
    let read = version_of(shown.record.get().as_bytes());
    put(&mut pair, &record("a", NOW.plus(1), 0), NOW.plus(1), Some(Expected::Version(read)));
    pair
}

#[test]
fn a_reschedule_moves_the_newest_run_in_flight_and_ends_the_others() {
    for by_id in [true, false] {
        let mut pair = two_runs();
        assert_eq!(pair.wake(LATER).sends.len(), 1);
        assert_eq!(statuses(&pair), [Status::Running, Status::Running]);
        assert_eq!(reschedule(&mut pair, by_id), 1);
        assert_eq!(statuses(&pair), [Status::Scheduled], "by id: {by_id}");
    }
}

#[test]
fn a_reschedule_moves_the_newest_attempt_and_the_others_continue() {
    for by_id in [true, false] {
        let mut pair = two_runs();
        fail(&mut pair, false);
        let failed = Failure { index: 0, error: "no".to_owned(), ..Failure::default() };
        pair.report(
            &Report { seq: EnvelopeSeq::new(1), failed: vec![failed], ..Report::default() },
            LATER,
        );
        assert_eq!(statuses(&pair), [Status::Retrying, Status::Retrying]);
        assert_eq!(reschedule(&mut pair, by_id), 1);
        assert_eq!(statuses(&pair), [Status::Retrying, Status::Scheduled], "by id: {by_id}");
    }
}
