use super::*;
use crate::Config;
use crate::engine::lanes::pair::Pair;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{ChangeRequest, Filter, ListItem, ListRequest, Status};

/// Three waiting tasks, one of them paused; a dead letter; and one task in flight.
fn pair() -> Pair {
    let mut pair = Pair::with(Config { max_dispatched: usize::MAX, ..Config::default() });
    pair.create("", "dead", Some(pair.now), r#""retry":{"maxAttempts":1},"#);
    pair.wake();
    pair.fail(EnvelopeSeq::new(1), true, "no");
    pair.now = pair.now.plus(1_000);
    pair.create("", "runs", Some(pair.now), "");
    pair.wake();
    for id in ["a", "b", "c"] {
        pair.create("", id, Some(pair.now.plus(9_000_000)), r#""tags":["x"],"#);
    }
    let ids = vec!["c".to_owned()];
    let request = ChangeRequest { ids, change: Change::Pause, if_match: None, pause: None };
    pair.change_within(&request, None).unwrap();
    pair
}

fn counted(pair: &Pair, filter: Filter, change: Option<Change>) -> (u64, u64, Vec<ListItem>) {
    let tasks = ListRequest { filter, limit: 2, ..ListRequest::default() };
    let request = CountRequest { tasks, change, pause: None };
    let reply = pair.engine.count_matching(&request, pair.now, &pair.stored).unwrap();
    assert_eq!(reply.next, None);
    (reply.count, reply.running, reply.first)
}

#[test]
fn a_count_is_of_what_the_request_would_change() {
    let pair = pair();
    let later = Change::Reschedule(pair.now.plus(60_000).into());
    let same = Change::Reschedule(pair.now.plus(9_000_000).into());
    for (change, count, running) in [
        (None, 5, 1),
        (Some(Change::Pause), 3, 1),
        (Some(Change::Resume), 1, 0),
        // A run request does not start a run that is in flight.
        (Some(Change::Run), 4, 0),
        (Some(later), 5, 1),
        (Some(same), 2, 1),
    ] {
        let of_all = counted(&pair, Filter::default(), change);
        assert_eq!((of_all.0, of_all.1), (count, running), "{change:?}");
        assert_eq!(of_all.2.len() as u64, count.min(2));
    }
    let tagged = Filter { tag: Some("x".to_owned()), ..Filter::default() };
    assert_eq!(counted(&pair, tagged, Some(Change::Pause)).0, 2);
    let dead = Filter { status: Some(Status::Dead), ..Filter::default() };
    let (count, _, first) = counted(&pair, dead, None);
    assert_eq!((count, first[0].status), (1, Status::Dead));
}

/// The reply says that there may be more. A further count uses the results of the first one.
#[test]
fn a_count_that_reads_records_stops_and_gets_further_the_next_time() {
    let mut pair = Pair::with(Config { misses_before_pages: 0, ..Config::default() });
    for page in 0..6 {
        let (due, fill) = (pair.now.plus(9_000_000 + page), "x".repeat(40_000));
        let more = format!(r#""tags":["t"],"description":"{fill}","#);
        pair.create("", &format!("t{page}"), Some(due), &more);
    }
    let filter = Filter { tag: Some("t".to_owned()), ..Filter::default() };
    let tasks = ListRequest { filter, limit: 1, max_read: Some(100_000), ..ListRequest::default() };
    let request = CountRequest { tasks, change: Some(Change::Pause), pause: None };
    let mut counts = Vec::new();
    loop {
        let reply = pair.engine.count_matching(&request, pair.now, &pair.stored).unwrap();
        assert_eq!(reply.first.len(), 1);
        counts.push(reply.count);
        if reply.next.is_none() {
            break;
        }
    }
    assert_eq!(counts.last(), Some(&6));
    assert!(counts.len() > 1 && counts.is_sorted_by(|one, other| one < other), "{counts:?}");
}

/// A pause with a note also changes a paused task, unless it has this note already.
#[test]
fn a_count_of_a_pause_with_a_note_is_of_what_the_pause_changes() {
    let mut pair = pair();
    let reason =
        |note: &str| PauseReason { by: Some("ops".to_owned()), note: Some(note.to_owned()) };
    let count = |pair: &Pair, note: &str| {
        let tasks = ListRequest { limit: 2, ..ListRequest::default() };
        let (change, pause) = (Some(Change::Pause), Some(reason(note)));
        let request = CountRequest { tasks, change, pause };
        pair.engine.count_matching(&request, pair.now, &pair.stored).unwrap().count
    };
    assert_eq!(count(&pair, "one"), 4);
    let tasks = ListRequest { limit: 1_000, ..ListRequest::default() };
    let changed =
        pair.input(|engine, now, reader| engine.pause_matching(&tasks, reason("one"), now, reader));
    assert_eq!(changed.changed, 4);
    assert_eq!((count(&pair, "one"), count(&pair, "other")), (0, 4));
}

/// Moving tasks that are due before the new time needs no records.
#[test]
fn a_count_of_tasks_that_are_put_off_reads_none_of_them() {
    let mut pair = Pair::with(Config::default());
    for n in 0..50 {
        pair.create("", &format!("t{n}"), Some(pair.now.plus(60_000)), "");
    }
    let tasks = ListRequest { limit: 1, max_read: Some(1), ..ListRequest::default() };
    let change = Some(Change::Reschedule(pair.now.plus(120_000).into()));
    let request = CountRequest { tasks, change, pause: None };
    let reply = pair.engine.count_matching(&request, pair.now, &pair.stored).unwrap();
    assert_eq!((reply.count, reply.next), (50, None));
}
