//! Searches that look through whole pages, and lists from their end, in short sequences.

use crate::large::id;
use crate::regressions::{NOW, Pair, record};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::Config;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::position::Position;
use scheduler_model::protocol::{
    CallbackType, Change, CountRequest, Failure, Filter, LastOutcome, ListReply, ListRequest,
    Report, Status,
};
use std::collections::BTreeSet;

/// The number of tasks of about 600 bytes that fill about forty pages.
const TASKS: i64 = 4_000;

/// Creates tasks whose due order differs from the order of their creation: each page spans the
/// whole time.
fn interleaved() -> Pair {
    let mut pair = Pair::new();
    for first in (0..TASKS).step_by(500) {
        pair.append((first..first + 500).map(|n| {
            let due = NOW.plus(60_000 + n * 7_919 % TASKS * 1_000);
            let id = id(n as usize, 6);
            (id.clone(), due, record(&id, due, 500))
        }));
    }
    pair.storage.take_read_bytes();
    pair
}

fn by_text(text: &str) -> Filter {
    Filter { text: Some(text.to_owned()), ..Filter::default() }
}

fn page(pair: &Pair, filter: &Filter, after: Option<Position>, max_read: usize) -> ListReply {
    let max_read = Some(max_read);
    let filter = filter.clone();
    let request = ListRequest { filter, after, limit: 100, max_read, ..ListRequest::default() };
    pair.engine.list(&request, &pair.storage).unwrap()
}

/// Reads a list to its end. Returns the ids, and how many bytes each page has read.
fn read(pair: &Pair, filter: &Filter, max_read: usize) -> (Vec<String>, Vec<usize>) {
    let (mut ids, mut bytes, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let reply = page(pair, filter, after, max_read);
        bytes.push(pair.storage.take_read_bytes());
        ids.extend(reply.items.iter().map(|item| {
            let record: serde_json::Value = serde_json::from_str(item.record.get()).unwrap();
            record["id"].as_str().unwrap().to_owned()
        }));
        after = reply.next;
        if after.is_none() {
            return (ids, bytes);
        }
    }
}

/// Regression: the search read a row for each task, again for each page of the list.
#[test]
fn a_search_reads_each_page_once_and_a_bounded_part_at_a_time() {
    let pair = interleaved();
    let stored: usize = pair.storage.pages.values().map(|page| page.body.len()).sum();
    let most = 500_000;
    let (ids, bytes) = read(&pair, &by_text("nowhere"), most);
    assert_eq!(ids, [""; 0]);
    let (all, longest) = (bytes.iter().sum::<usize>(), *bytes.iter().max().unwrap());
    assert!(longest < most + 2 * 65_536, "{longest} bytes at a time");
    // The first ones are read one by one.
    assert!(all < stored + 100_000, "{all} bytes of {stored}");
    assert!(bytes.len() <= stored / most + 3, "{} pages", bytes.len());
    // The next request knows the results, and a request with another filter does not.
    let (_, again) = read(&pair, &by_text("nowhere"), most);
    assert_eq!(again.iter().sum::<usize>(), 0, "{again:?}");
    assert!(read(&pair, &by_text("elsewhere"), most).1.iter().sum::<usize>() > stored / 2);
}

#[test]
fn a_search_finds_what_comes_moves_and_goes_while_it_is_read() {
    let mut pair = interleaved();
    let filter = by_text(&id(77, 6)[..5]);
    let (before, _) = read(&pair, &filter, 500_000);
    assert!(before.len() > 5, "{before:?}");
    // An entry is added to a page, and entries of known pages are removed or moved.
    let new = "new-".to_owned() + &before[0];
    let due = NOW.plus(61_000);
    pair.append([(new.clone(), due, record(&new, due, 500))]);
    pair.change_one(&before[0], Change::Pause, NOW);
    let cancelled = ListRequest {
        filter: Filter { prefix: Some(before[1].clone()), ..Filter::default() },
        limit: 1,
        ..ListRequest::default()
    };
    let (_, effects) = pair.engine.cancel_matching(&cancelled, NOW, &pair.storage).unwrap();
    pair.commit(effects);
    let expected: BTreeSet<&String> =
        before.iter().filter(|id| **id != before[1]).chain([&new]).collect();
    for restarts in [false, true] {
        if restarts {
            pair.restart();
        }
        let (found, _) = read(&pair, &filter, 500_000);
        assert_eq!(found.iter().collect::<BTreeSet<_>>(), expected, "restarts: {restarts}");
        assert_eq!(found.len(), expected.len());
    }
}

/// A task that is overwritten before its page is full is replaced by another entry of that page.
#[test]
fn a_page_that_grows_is_looked_through_again() {
    let mut pair = Pair::new();
    pair.reconfigure(Config { misses_before_pages: 0, ..Config::default() });
    let due = |n: i64| NOW.plus(60_000 + n * 1_000);
    let mut expected = Vec::new();
    for n in (0..40_i64).rev() {
        let name = if n % 3 == 0 { format!("Wanted-{n:02}") } else { format!("other-{n:02}") };
        pair.append([(name.clone(), due(n), record(&name, due(n), 150))]);
        if n % 3 == 0 {
            expected.insert(0, name);
        }
        assert_eq!(read(&pair, &by_text("wanted"), 1).0, expected);
    }
}

/// A list reads each page of its tasks once, rather than a row for each task.
#[test]
fn the_tasks_of_a_list_are_read_page_by_page() {
    let pair = interleaved();
    let request = ListRequest { limit: 1_000, ..ListRequest::default() };
    pair.storage.take_reads();
    let reply = pair.engine.list(&request, &pair.storage).unwrap();
    let reads = pair.storage.take_reads();
    assert_eq!((reply.items.len(), reply.searched), (1_000, 1_000));
    assert!(reads <= pair.storage.pages.len(), "{reads} reads");
}

/// Creates tasks of `bytes` bytes that are due in the order of their creation.
fn in_order(tasks: i64, bytes: usize) -> Pair {
    let mut pair = Pair::new();
    for first in (0..tasks).step_by(2_500) {
        pair.append((first..(first + 2_500).min(tasks)).map(|n| {
            let (id, due) = (format!("task-{n:05}"), NOW.plus(60_000 + n * 1_000));
            (id.clone(), due, record(&id, due, bytes))
        }));
    }
    pair.storage.take_reads();
    pair
}

fn by_prefix(prefix: &str) -> Filter {
    Filter { prefix: Some(prefix.to_owned()), ..Filter::default() }
}

/// Matches every task of these tests.
fn of_handlers() -> Filter {
    Filter { callback_type: Some(CallbackType::Handler), ..Filter::default() }
}

/// Counts in steps until the count is complete. Returns what each step has counted, the rows that
/// it has read, and the bytes of these.
fn counts(pair: &Pair, filter: &Filter, max_read: usize) -> Vec<(u64, usize, usize)> {
    let (mut steps, mut after) = (Vec::new(), None);
    loop {
        let max_read = Some(max_read);
        let filter = filter.clone();
        let tasks = ListRequest { filter, after, limit: 0, max_read, ..ListRequest::default() };
        let request = CountRequest { tasks, change: None, pause: None };
        let reply = pair.engine.count_matching(&request, NOW, &pair.storage).unwrap();
        let read = (pair.storage.take_reads(), pair.storage.take_read_bytes());
        steps.push((reply.count, read.0, read.1));
        after = reply.next;
        if after.is_none() {
            return steps;
        }
    }
}

/// Regression: a count read a row for each task that matched, and stopped after 400 of them however
/// often it was repeated.
#[test]
fn a_count_reads_each_page_once_whether_its_tasks_match_or_not() {
    for pair in [in_order(TASKS, 200), interleaved()] {
        let pages = pair.storage.pages.len();
        let steps = counts(&pair, &of_handlers(), 8_000_000);
        let counted: Vec<(u64, usize)> = steps.iter().map(|step| (step.0, step.1)).collect();
        assert_eq!(counted, [(TASKS as u64, pages)]);
        // The results are known by then.
        assert_eq!(counts(&pair, &of_handlers(), 1), [(TASKS as u64, 0, 0)]);
    }
}

#[test]
fn a_count_with_a_small_bound_goes_on_to_its_end() {
    let pair = interleaved();
    let (stored, most) = (pair.storage.pages.len(), 500_000);
    let steps = counts(&pair, &of_handlers(), most);
    assert!(steps.len() > 1 && steps.iter().all(|step| step.2 < most + 65_536), "{steps:?}");
    assert_eq!(steps.iter().map(|step| step.0).sum::<u64>(), TASKS as u64);
    assert_eq!(steps.iter().map(|step| step.1).sum::<usize>(), stored);
    // A count that is not continued gets further each time.
    let pair = interleaved();
    let firsts: Vec<u64> = (0..TASKS)
        .map(|_| first_count(&pair, &of_handlers(), most))
        .take_while(|count| *count < TASKS as u64)
        .collect();
    assert!(firsts.len() > 1 && firsts.is_sorted_by(|one, other| one < other), "{firsts:?}");
}

fn first_count(pair: &Pair, filter: &Filter, max_read: usize) -> u64 {
    let (filter, max_read) = (filter.clone(), Some(max_read));
    let tasks = ListRequest { filter, limit: 1, max_read, ..ListRequest::default() };
    let request = CountRequest { tasks, change: None, pause: None };
    pair.engine.count_matching(&request, NOW, &pair.storage).unwrap().count
}

/// Regression: a list read a row for each task that matched, and a page ended after 400 of them.
#[test]
fn a_list_of_tasks_that_match_reads_their_pages() {
    let pair = in_order(20_000, 200);
    let pages = pair.storage.pages.len();
    let filter = &by_prefix("task-");
    let (mut after, mut sizes, mut reads) = (None, Vec::new(), Vec::new());
    loop {
        let (filter, max_read) = (filter.clone(), Some(8_000_000));
        let request =
            ListRequest { filter, after, limit: 1_000, max_read, ..ListRequest::default() };
        let reply = pair.engine.list(&request, &pair.storage).unwrap();
        (after, reads) = (reply.next, [reads, vec![pair.storage.take_reads()]].concat());
        sizes.push(reply.items.len());
        if after.is_none() {
            break;
        }
    }
    let full = sizes.iter().filter(|size| **size == 1_000).count();
    assert_eq!((full, sizes.iter().sum::<usize>()), (20, 20_000), "{sizes:?}");
    // Each page is read in up to four records, as a whole, and for each page of the list.
    assert!(reads.iter().sum::<usize>() <= 6 * pages + sizes.len(), "{reads:?} for {pages} pages");
    // A short list does not read whole pages for a few tasks.
    let pair = in_order(20_000, 200);
    let request = ListRequest { filter: filter.clone(), limit: 3, ..ListRequest::default() };
    pair.storage.take_read_bytes();
    assert_eq!(pair.engine.list(&request, &pair.storage).unwrap().items.len(), 3);
    assert_eq!(pair.storage.take_read_bytes(), 600);
}

/// Finds waiting tasks by how their last attempt ended, and by the type of their callback.
#[test]
fn filters_by_callback_type_and_last_outcome() {
    let mut pair = Pair::new();
    let task = |id: &str, due: UnixMillis, more: &str, callback: &str| {
        let record = format!(r#"{{"time":{due},"id":"{id}",{more}"callback":{callback}}}"#);
        (id.to_owned(), due, record)
    };
    let log = r#"{"type":"handler","name":"log"}"#;
    let once = r#""retry":{"maxAttempts":1},"#;
    let followed = format!(r#""retry":{{"maxAttempts":1}},"onFailure":{log},"onSuccess":{log},"#);
    pair.append([
        task("dead", NOW, once, log),
        task("again", NOW, "", log),
        task("failed", NOW, &followed, log),
        task("done", NOW, &followed, log),
    ]);
    pair.append([task("later", NOW.plus(9_000), "", r#"{"type":"webhook","url":"https://a.b/"}"#)]);
    pair.wake(NOW);
    let failed = [0, 1, 2]
        .map(|index| Failure { index, error: "no".to_owned(), ..Failure::default() })
        .to_vec();
    pair.report(&Report { seq: EnvelopeSeq::new(1), failed, ..Report::default() }, NOW);
    let ids = |filter: &Filter| read(&pair, filter, usize::MAX).0;
    let ended = |outcome| Filter { last_outcome: Some(outcome), ..Filter::default() };
    for (outcome, expected) in [
        (LastOutcome::Failed, vec!["again"]),
        (LastOutcome::DeadLettered, vec!["failed", "dead", "failed"]),
        (LastOutcome::Succeeded, vec!["done"]),
        (LastOutcome::Expired, vec![]),
        (LastOutcome::None, vec!["later"]),
    ] {
        assert_eq!(ids(&ended(outcome)), expected, "{outcome:?}");
    }
    let both = Filter { status: Some(Status::Dead), ..ended(LastOutcome::DeadLettered) };
    assert_eq!(ids(&both), ["dead", "failed"]);
    let of_type = |kind| Filter { callback_type: Some(kind), ..Filter::default() };
    assert_eq!(ids(&of_type(CallbackType::Webhook)), ["later"]);
    assert_eq!(ids(&of_type(CallbackType::Queue)), [""; 0]);
    assert_eq!(ids(&of_type(CallbackType::Handler)).len(), 5);
}

#[test]
fn a_list_by_paused_covers_what_is_in_flight() {
    let mut pair = Pair::new();
    let task = |id: &str, due: UnixMillis| (id.to_owned(), due, record(id, due, 150));
    pair.append([task("runs", NOW), task("stops", NOW)]);
    pair.append([task("paused", NOW.plus(9_000)), task("waits", NOW.plus(9_000))]);
    pair.wake(NOW);
    pair.change_one("paused", Change::Pause, NOW);
    pair.change_one("stops", Change::Pause, NOW);
    let ids = |filter: &Filter| read(&pair, filter, usize::MAX).0;
    let paused = |paused| Filter { paused: Some(paused), ..Filter::default() };
    assert_eq!(ids(&paused(true)), ["stops", "paused"]);
    assert_eq!(ids(&paused(false)), ["runs", "waits"]);
    let running = Filter { status: Some(Status::Running), ..paused(true) };
    assert_eq!(ids(&running), ["stops"]);
}

/// Lists in descending order, with attempts in flight of several envelopes among waiting tasks.
#[test]
fn a_list_from_its_end_is_the_list_in_the_other_order() {
    let mut pair = Pair::new();
    let task = |id: String, due: UnixMillis| (id.clone(), due, record(&id, due, 150));
    for second in 0..4 {
        let due = NOW.plus(second * 1_000);
        pair.append((0..3).map(|n| task(format!("t{second}-{n}"), due)));
        pair.wake(due);
    }
    pair.append((0..5).map(|n| task(format!("later-{n}"), NOW.plus(2_000 + n % 2))));
    let all = |from_the_end: bool, limit: usize| {
        let (mut items, mut after) = (Vec::new(), None);
        loop {
            let request = ListRequest { after, limit, ..ListRequest::default() };
            let reply = match from_the_end {
                false => pair.engine.list(&request, &pair.storage).unwrap(),
                true => pair.engine.list_from_the_end(&request, &pair.storage).unwrap(),
            };
            items.extend(
                reply.items.into_iter().map(|item| (item.due(), item.record.get().to_owned())),
            );
            after = reply.next;
            if after.is_none() {
                return items;
            }
        }
    };
    for limit in 1..=20 {
        let mut reversed = all(true, limit);
        reversed.reverse();
        assert_eq!(reversed, all(false, limit), "{limit} at a time");
        assert_eq!(reversed.len(), 17);
    }
}
