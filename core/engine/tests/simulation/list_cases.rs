//! Lists of waiting tasks, runs in flight and dead letters, in short sequences.

use crate::large::each_second;
use crate::regressions::{NOW, Pair};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::Write;
use scheduler_model::bounds::MAX_ENVELOPE_BYTES;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{
    Append, CancelRequest, Change, Failure, Filter, Kind, ListItem, ListReply, ListRequest, Report,
    Status,
};
use std::collections::BTreeSet;

/// Returns a one-shot task with other fields, each followed by a comma.
fn task(id: &str, due: UnixMillis, fields: &str) -> (String, UnixMillis, String) {
    let record = format!(
        r#"{{"time":{due},"id":"{id}",{fields}"callback":{{"type":"handler","name":"log"}}}}"#
    );
    (id.to_owned(), due, record)
}

fn page(pair: &Pair, filter: &Filter, limit: usize, reply: Option<&ListReply>) -> ListReply {
    let after = reply.and_then(|reply| reply.next);
    let request = ListRequest { filter: filter.clone(), after, limit, ..ListRequest::default() };
    pair.engine.list(&request, &pair.storage).unwrap()
}

fn listed(pair: &Pair, filter: &Filter) -> Vec<ListItem> {
    let mut reply = page(pair, filter, 1_000, None);
    let mut items = std::mem::take(&mut reply.items);
    while reply.next.is_some() {
        reply = page(pair, filter, 1_000, Some(&reply));
        items.append(&mut reply.items);
    }
    items
}

fn id_of(item: &ListItem) -> String {
    let record: serde_json::Value = serde_json::from_str(item.record.get()).unwrap();
    record["id"].as_str().unwrap().to_owned()
}

fn ids(pair: &Pair, filter: &Filter) -> Vec<String> {
    listed(pair, filter).iter().map(id_of).collect()
}

fn with_status(status: Status) -> Filter {
    Filter { status: Some(status), ..Filter::default() }
}

fn failure(index: u32, error: &str, permanent: bool) -> Failure {
    Failure { index, error: error.to_owned(), permanent, ..Failure::default() }
}

/// A caller who reads page after page misses no run that fires, fails or dies in the meantime,
/// whatever page the caller has reached. Lists by the times of records, or with runs in flight at
/// the end, missed some.
#[test]
fn a_list_misses_no_run_that_fires_or_fails_between_its_pages() {
    for step in 1..12 {
        let mut pair = Pair::new();
        let retry = r#""retry":{"maxAttempts":2,"minBackoffSeconds":1,"jitter":0},"#;
        pair.append((0..20).map(|n| task(&format!("t{n:02}"), NOW.plus(1_000 * n), retry)));
        let (mut seen, mut reply) = (BTreeSet::new(), None::<ListReply>);
        let mut now = NOW;
        loop {
            let next = page(&pair, &Filter::default(), 1, reply.as_ref());
            seen.extend(next.items.iter().map(id_of));
            if next.next.is_none() {
                break;
            }
            reply = Some(next);
            // Runs in flight fail, and due tasks fire.
            now = now.plus(300 * step);
            let in_flight: Vec<EnvelopeSeq> = (pair.storage.outbox.iter())
                .filter(|(_, row)| row.destination.is_some())
                .map(|(seq, _)| *seq)
                .collect();
            for seq in in_flight {
                let tasks = pair.storage.outbox[&seq].hashes.len() as u32 / 8;
                let failed = (0..tasks).map(|index| failure(index, "no", false)).collect();
                pair.report(&Report { seq, failed, ..Report::default() }, now);
            }
            pair.wake(now);
        }
        assert_eq!(seen.len(), 20, "by {step}: {seen:?}");
    }
}

/// A cancel by filter in several steps scanned the waiting tasks before the runs in flight. A run
/// that failed between two steps was in neither part.
#[test]
fn a_cancel_in_steps_finds_runs_that_fail_between_its_steps() {
    let mut pair = Pair::new();
    pair.append(["a", "b", "c", "d"].map(|id| task(id, NOW, "")));
    pair.wake(NOW);
    let mut request = ListRequest { limit: 2, ..ListRequest::default() };
    let (reply, effects) = pair.engine.cancel_matching(&request, NOW, &pair.storage).unwrap();
    pair.commit(effects);
    assert_eq!((reply.cancelled, reply.running), (2, 2));
    let failed = (0..4).map(|index| failure(index, "no", false)).collect();
    pair.report(&Report { seq: EnvelopeSeq::new(1), failed, ..Report::default() }, NOW);
    request.after = reply.next;
    let (reply, effects) = pair.engine.cancel_matching(&request, NOW, &pair.storage).unwrap();
    pair.commit(effects);
    assert_eq!((reply.cancelled, reply.running), (2, 0));
    assert_eq!(pair.engine.stats(NOW).held(), 0);
}

#[test]
fn a_recurring_task_with_a_run_in_flight_is_one_item() {
    let mut pair = Pair::new();
    let append =
        Append { schedules: vec![each_second("a", r#""tags":["x"],"#, 0)], ..Append::default() };
    let (_, effects) = pair.engine.append(append, NOW.plus(-1), &pair.storage).unwrap();
    pair.commit(effects);
    pair.wake(NOW);
    let tagged = Filter { tag: Some("x".to_owned()), ..Filter::default() };
    for _ in 0..2 {
        for filter in [&Filter::default(), &tagged, &with_status(Status::Scheduled)] {
            let items = listed(&pair, filter);
            assert_eq!(items.len(), 1, "{filter:?}: {items:?}");
            assert_eq!((items[0].status, items[0].is_running), (Status::Scheduled, true));
        }
        assert_eq!(page(&pair, &Filter::default(), 1, None).total, Some(1));
        assert!(pair.engine.get("a", &pair.storage).unwrap().unwrap().is_running);
        // A list that does not show the task shows the run.
        let before = Filter { to: Some(NOW.plus(1)), ..tagged.clone() };
        let running = Filter { kind: Some(Kind::Recurring), ..with_status(Status::Running) };
        for filter in [&before, &running] {
            let items = listed(&pair, filter);
            assert_eq!(items.len(), 1, "{filter:?}: {items:?}");
            assert_eq!((items[0].status, items[0].due()), (Status::Running, NOW));
        }
        pair.restart();
    }
    // Without its task, the run is an item of its own. A cancelled run is no item.
    for (status, left) in [(Status::Scheduled, 1), (Status::Running, 0)] {
        let request =
            ListRequest { filter: with_status(status), limit: 9, ..ListRequest::default() };
        let (reply, effects) = pair.engine.cancel_matching(&request, NOW, &pair.storage).unwrap();
        pair.commit(effects);
        assert_eq!((reply.cancelled, listed(&pair, &tagged).len()), (1, left));
        assert_eq!(page(&pair, &Filter::default(), 1, None).total, Some(left as u64));
    }
}

/// A run of a task without a schedule is shown with that task, too.
#[test]
fn a_task_shows_that_it_runs_until_its_run_is_cancelled() {
    let mut pair = Pair::new();
    let record = r#"{"id":"a","callback":{"type":"handler","name":"log"}}"#;
    pair.append([("a".to_owned(), UnixMillis::NEVER, record.to_owned())]);
    pair.change_one("a", Change::Run, NOW);
    let item = listed(&pair, &Filter::default()).remove(0);
    assert!(!item.is_running, "its run has not begun");
    pair.wake(NOW);
    let items = listed(&pair, &Filter::default());
    assert_eq!(
        items.iter().map(|item| (item.status, item.is_running)).collect::<Vec<_>>(),
        [(Status::Unscheduled, true)]
    );
    let request =
        ListRequest { filter: with_status(Status::Running), limit: 9, ..ListRequest::default() };
    let (_, effects) = pair.engine.cancel_matching(&request, NOW, &pair.storage).unwrap();
    pair.commit(effects);
    let items = listed(&pair, &Filter::default());
    assert_eq!((items.len(), items[0].is_running), (1, false));
}

#[test]
fn filters_by_tags_host_and_error_cover_runs_in_flight_and_failed_runs() {
    let mut pair = Pair::new();
    let hook = |id: &str, url: &str, tags: &str| {
        let record = format!(
            r#"{{"time":{NOW},"id":"{id}","tags":[{tags}],"callback":{{"type":"webhook","url":"{url}"}}}}"#
        );
        (id.to_owned(), NOW, record)
    };
    pair.append([
        hook("a", "https://A.example:8443/x", r#""x","y""#),
        hook("b", "https://b.example/x", r#""x""#),
        task("c", NOW, r#""tags":["y"],"#),
        hook("later", "https://a.example/", r#""y","x","z""#),
    ]);
    let tags = |tag: &str, other: Option<&str>| Filter {
        tag: Some(tag.to_owned()),
        other_tag: other.map(str::to_owned),
        ..Filter::default()
    };
    let host = |host: &str| Filter { callback_host: Some(host.to_owned()), ..Filter::default() };
    let error = |error: &str| Filter { error: Some(error.to_owned()), ..Filter::default() };
    let check = |pair: &Pair| {
        assert_eq!(ids(pair, &tags("x", None)), ["a", "b", "later"]);
        assert_eq!(ids(pair, &tags("y", None)), ["a", "c", "later"]);
        assert_eq!(ids(pair, &tags("x", Some("y"))), ["a", "later"]);
        assert_eq!(ids(pair, &tags("x", Some("w"))), [""; 0]);
        assert_eq!(ids(pair, &host("a.example")), ["a", "later"]);
        assert_eq!(ids(pair, &host("example")), [""; 0]);
    };
    check(&pair);
    pair.wake(NOW);
    check(&pair);
    assert_eq!(ids(&pair, &error("http")), [""; 0]);
    assert_eq!(ids(&pair, &with_status(Status::Running)).len(), 4);
    let failed = (0..4).map(|index| failure(index, "HTTP 503", index == 3)).collect();
    pair.report(&Report { seq: EnvelopeSeq::new(1), failed, ..Report::default() }, NOW);
    assert_eq!(ids(&pair, &error("http 5")).len(), 4);
    assert_eq!(ids(&pair, &Filter { error: Some("503".into()), ..tags("z", None) }), ["later"]);
    // Runs that are in flight again have the error of the attempt before.
    pair.wake(NOW.plus(10_000));
    assert_eq!(
        ids(&pair, &Filter { error: Some("http".into()), ..with_status(Status::Running) }),
        ["a", "b", "c"]
    );
}

/// Tasks without a due time were in every list with `from`, and in none with `to`.
#[test]
fn from_and_to_apply_to_a_time_of_every_status() {
    let mut pair = Pair::new();
    let at = |seconds: i64| NOW.plus(1_000 * seconds);
    pair.append([
        task("dead", at(0), ""),
        task("runs", at(10), ""),
        task("paused", at(20), ""),
        task("early", at(30), ""),
        task("late", at(90), ""),
    ]);
    let record = r#"{"id":"without","callback":{"type":"handler","name":"log"}}"#;
    pair.append([("without".to_owned(), UnixMillis::NEVER, record.to_owned())]);
    pair.change_one("paused", Change::Pause, NOW);
    pair.wake(at(0));
    // The run died long after it was due.
    pair.report(
        &Report {
            seq: EnvelopeSeq::new(1),
            failed: vec![failure(0, "no", true)],
            ..Report::default()
        },
        at(15),
    );
    pair.wake(at(15));
    let within = |from: i64, to: i64| {
        let filter = Filter { from: Some(at(from)), to: Some(at(to)), ..Filter::default() };
        ids(&pair, &filter)
    };
    assert_eq!(within(0, 10), [""; 0]);
    assert_eq!(within(10, 15), ["runs"]);
    assert_eq!(within(10, 20), ["runs", "dead"]);
    assert_eq!(within(16, 40), ["early", "paused"]);
    assert_eq!(within(21, 1_000), ["early", "late"]);
    assert_eq!(ids(&pair, &Filter { from: Some(at(91)), ..Filter::default() }), [""; 0]);
    assert_eq!(ids(&pair, &Filter::default()).len(), 6);
}

/// A request reads a bounded part of the runs in flight, even if nearly all of them were cancelled.
#[test]
fn a_list_of_runs_in_flight_reads_a_bounded_part() {
    let mut pair = Pair::new();
    let names: Vec<String> = (0..8_000).map(|n| format!("t{n:05}")).collect();
    let fill = format!(r#""tags":["x"],"description":"{}","#, "x".repeat(1_000));
    for some in names.chunks(400) {
        pair.append(some.iter().map(|id| task(id, NOW, &fill)));
    }
    while pair.engine.next_wakeup().is_some_and(|at| at <= NOW.plus(10_000)) {
        pair.wake(NOW.plus(10_000));
    }
    let in_flight = pair.engine.stats(NOW).in_flight;
    assert_eq!(in_flight, 8_000);
    let read = |pair: &Pair, filter: &Filter| {
        let (mut seen, mut pages, mut reply) = (0, 0, None::<ListReply>);
        loop {
            pair.storage.take_read_bytes();
            let next = page(pair, filter, 1_000, reply.as_ref());
            let read = pair.storage.take_read_bytes();
            assert!(read <= 4_000_000 + 2 * MAX_ENVELOPE_BYTES, "{read} bytes");
            seen += next.items.len();
            pages += 1;
            if next.next.is_none() {
                return (seen, pages);
            }
            reply = Some(next);
        }
    };
    let tagged = |tag: &str| Filter { tag: Some(tag.to_owned()), ..Filter::default() };
    let (seen, pages) = read(&pair, &tagged("x"));
    assert!(seen == 8_000 && pages <= 9, "{seen} in {pages} pages");
    let (seen, pages) = read(&pair, &tagged("y"));
    assert!(seen == 0 && (3..=4).contains(&pages), "{seen} in {pages} pages");
    // The last task of each envelope is left.
    let kept: BTreeSet<String> = names.iter().skip(70).step_by(71).cloned().collect();
    let ids: Vec<String> = names.into_iter().filter(|id| !kept.contains(id)).collect();
    let mut left = &ids[..];
    while !left.is_empty() {
        let request = CancelRequest { ids: left.to_vec(), if_match: None };
        let (reply, effects) = pair.engine.cancel(&request, NOW, &pair.storage).unwrap();
        assert!(effects.writes.iter().all(|write| matches!(write, Write::Decide { .. })));
        pair.commit(effects);
        left = &left[reply.outcomes.len()..];
    }
    let (seen, pages) = read(&pair, &tagged("x"));
    assert!(seen == kept.len() && (2..=4).contains(&pages), "{seen} in {pages} pages");
}
