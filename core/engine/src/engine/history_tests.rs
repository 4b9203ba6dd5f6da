use super::*;
use crate::Config;
use crate::testing::Memory;
use scheduler_model::bounds::{
    MAX_DESTINATION_BYTES, MAX_HISTORY_AGE_MILLIS, MAX_HISTORY_ROWS, MAX_ID_BYTES,
    MAX_KEY_NAME_BYTES, MAX_TAG_BYTES, MAX_TAGS,
};
use scheduler_model::protocol::{MAX_ERROR_CHARS, RunFilter, TaskRun};

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

fn load(rows: &Memory) -> Engine {
    rows.load("1-0", Config::default())
}

/// Reports one run of `id` with an error of `error_bytes` bytes.
fn keep(engine: &mut Engine, rows: &mut Memory, id: &str, error_bytes: usize, now: UnixMillis) {
    let text = format!(r#"{{"time":5,"id":"{id}","callback":{{}}}}"#);
    let error = "x".repeat(error_bytes);
    let mut effects = Effects::default();
    let record = Record::parse(text.as_bytes()).unwrap();
    let report = Report::default();
    let tasks: Vec<_> = (0..20)
        .map(|_| (record.clone(), Ended::Failed { dead: false, error: error.as_str().into() }))
        .collect();
    engine.keep_outcomes(now, Some(&report), &tasks, &Dispatched::new(), now, &mut effects);
    rows.apply(&effects.writes);
}

/// Reads all runs of an id in pages of 100. Returns the number of runs and of pages.
fn count(engine: &Engine, rows: &Memory, id: &str, now: UnixMillis) -> (usize, usize) {
    let (mut runs, mut rounds, mut before) = (0, 0, None);
    loop {
        let reply = engine.runs(&RunsRequest::of_task(id, before, 100), now, rows).unwrap();
        runs += reply.items.len();
        rounds += 1;
        before = reply.looked.next;
        if before.is_none() {
            return (runs, rounds);
        }
    }
}

#[test]
fn reports_share_rows_and_a_restarted_shard_extends_the_newest_row() {
    let (mut rows, mut engine) = (Memory::default(), load(&Memory::default()));
    for n in 0..20 {
        keep(&mut engine, &mut rows, "a", 400, NOW.plus(n));
        engine = load(&rows);
    }
    // A report takes about 8.5 KB.
    assert_eq!(rows.history.len(), 7);
    assert!(rows.history.values().all(|row| row.body.len() <= HISTORY_ROW_BYTES));
    assert_eq!(count(&engine, &rows, "a", NOW), (400, 5));
    assert_eq!(count(&engine, &rows, "b", NOW), (0, 1));
}

#[test]
fn rows_beyond_the_limit_are_deleted() {
    let (mut rows, mut engine) = (Memory::default(), load(&Memory::default()));
    for n in 0..4 * (MAX_HISTORY_ROWS as i64 + 10) {
        keep(&mut engine, &mut rows, if n == 0 { "first" } else { "a" }, 350, NOW.plus(n));
    }
    assert_eq!(rows.history.len(), MAX_HISTORY_ROWS);
    assert_eq!(*rows.history.last_key_value().unwrap().0, MAX_HISTORY_ROWS as u64 + 10);
    // A read searches all rows, a bounded number in each request.
    assert_eq!(
        count(&engine, &rows, "first", NOW),
        (0, MAX_HISTORY_ROWS / MAX_HISTORY_ROWS_SCANNED)
    );
}

#[test]
fn old_rows_are_deleted_and_are_hidden_before_that() {
    let (mut rows, mut engine) = (Memory::default(), load(&Memory::default()));
    for n in 0..8 {
        keep(&mut engine, &mut rows, "a", 400, NOW.plus(n));
    }
    assert_eq!(rows.history.len(), 3);
    let later = NOW.plus(MAX_HISTORY_AGE_MILLIS + 5);
    assert_eq!(count(&engine, &rows, "a", later), (60, 1));
    keep(&mut engine, &mut rows, "a", 400, later.plus(10));
    keep(&mut engine, &mut rows, "a", 400, later.plus(10));
    assert_eq!(rows.history.keys().copied().collect::<Vec<_>>(), [3, 4]);
    assert_eq!(count(&engine, &rows, "a", later.plus(10)), (40, 1));
}

#[test]
fn a_damaged_row_is_an_error() {
    let (mut rows, mut engine) = (Memory::default(), load(&Memory::default()));
    keep(&mut engine, &mut rows, "a", 10, NOW);
    rows.history.values_mut().for_each(|row| row.body.truncate(20));
    let request = RunsRequest::of_task("a", None, 1);
    assert!(
        matches!(engine.runs(&request, NOW, &rows), Err(EngineError::Corrupt(problem)) if problem.contains("row 1"))
    );
}

/// The coordinator computes from this bound how many runs it may request.
#[test]
fn a_run_is_no_longer_than_its_bound() {
    let longest = TaskRun {
        id: Some("\u{1}".repeat(MAX_ID_BYTES).into()),
        time: Some(i64::MIN),
        stage: Some("onFailure".into()),
        attempt: Some(u32::MAX),
        target: Some("\u{1}".repeat(MAX_DESTINATION_BYTES).into()),
        tags: vec!["\u{1}".repeat(MAX_TAG_BYTES).into(); MAX_TAGS],
        by: Some("\u{1}".repeat(MAX_KEY_NAME_BYTES).into()),
        fired_at: Some(i64::MIN),
        started_at: Some(i64::MIN),
        finished_at: Some(i64::MIN),
        reported_at: i64::MIN,
        outcome: "dead-lettered".into(),
        status: Some(u16::MAX),
        error: Some("\u{1}".repeat(MAX_ERROR_CHARS).into()),
        excerpt: Some("\u{1}".repeat(MAX_EXCERPT_BYTES).into()),
    };
    let bytes = serde_json::to_string(&longest).unwrap().len();
    assert!(bytes <= scheduler_model::bounds::MAX_RUN_BYTES, "{bytes}");
}

/// Records one attempt for each of these tasks. The attempts with an error have failed.
fn keep_each(
    engine: &mut Engine,
    rows: &mut Memory,
    tasks: &[(&str, &str, &str)],
    now: UnixMillis,
) {
    let texts: Vec<String> = tasks
        .iter()
        .map(|(id, host, _)| {
            format!(
                r#"{{"time":5,"id":"{id}","tags":["t-{id}","all"],"callback":{{"type":"webhook","url":"https://{host}/x"}}}}"#
            )
        })
        .collect();
    let ended = |error: &str| match error {
        "" => Ended::Well,
        error => Ended::Failed { dead: false, error: error.to_owned().into() },
    };
    let tasks: Vec<_> = texts
        .iter()
        .zip(tasks)
        .map(|(text, (.., error))| (Record::parse(text.as_bytes()).unwrap(), ended(error)))
        .collect();
    let mut effects = Effects::default();
    let report = Report::default();
    engine.keep_outcomes(now, Some(&report), &tasks, &Dispatched::new(), now, &mut effects);
    rows.apply(&effects.writes);
}

/// Returns the ids on all pages of a request, and how many attempts it examined.
fn ids(engine: &Engine, rows: &Memory, mut request: RunsRequest) -> (Vec<String>, u64) {
    let (mut ids, mut attempts) = (Vec::new(), 0);
    loop {
        let reply = engine.runs(&request, NOW.plus(10_000), rows).unwrap();
        ids.extend(reply.items.iter().map(|item| {
            let run: serde_json::Value = serde_json::from_str(item.run.get()).unwrap();
            run["id"].as_str().unwrap().to_owned()
        }));
        attempts += reply.looked.attempts;
        assert_eq!(reply.looked.next.is_some(), reply.looked.back_to.is_some());
        match reply.looked.next {
            Some(next) => request.before = Some(next),
            None => return (ids, attempts),
        }
    }
}

#[test]
fn runs_of_all_tasks_are_filtered_and_name_their_targets() {
    let (mut rows, mut engine) = (Memory::default(), load(&Memory::default()));
    let error = "HTTP 503 after 12 ms";
    keep_each(&mut engine, &mut rows, &[("a", "a.example", ""), ("b", "b.example", error)], NOW);
    keep_each(&mut engine, &mut rows, &[("ab", "b.example", "no")], NOW.plus(1_000));
    let all = RunsRequest::of_all(RunFilter::default(), 1);
    assert_eq!(ids(&engine, &rows, all.clone()), (vec!["ab".into(), "b".into(), "a".into()], 3));
    let text = |text: &str| Some(text.to_owned());
    let none = RunFilter::default;
    for (filter, expected) in [
        (RunFilter { prefix: text("a"), ..none() }, &["ab", "a"][..]),
        (RunFilter { target: text("webhook:b.example"), ..none() }, &["ab", "b"]),
        (RunFilter { target: text("handler"), ..none() }, &[]),
        (RunFilter { tags: vec!["all".into(), "t-b".into()], ..none() }, &["b"]),
        (RunFilter { error: text("http 503"), ..none() }, &["b"]),
        (RunFilter { from: Some(NOW.plus(1)), ..none() }, &["ab"]),
        (RunFilter { to: Some(NOW.plus(1)), ..none() }, &["b", "a"]),
    ] {
        for limit in 1..4 {
            let request = RunsRequest::of_all(filter.clone(), limit);
            assert_eq!(ids(&engine, &rows, request).0, expected, "{filter:?} {limit}");
        }
    }
    let reply = engine.runs(&all, NOW, &rows).unwrap();
    let run: serde_json::Value = serde_json::from_str(reply.items[0].run.get()).unwrap();
    assert_eq!(
        run,
        serde_json::json!({
            "id": "ab", "time": 5, "attempt": 1, "target": "webhook:b.example",
            "tags": ["t-ab", "all"], "firedAt": NOW.get() + 1_000,
            "reportedAt": NOW.get() + 1_000, "outcome": "failed", "error": "no"
        })
    );
    assert_eq!(reply.looked.start, Some(RunPosition { row: 1, place: 3 }));
}

#[test]
fn a_request_reads_a_bounded_number_of_rows_and_skips_rows_of_other_times() {
    let (mut rows, mut engine) = (Memory::default(), load(&Memory::default()));
    for n in 0..40 {
        keep(&mut engine, &mut rows, "a", 400, NOW.plus(n * 100));
    }
    // A row has room for three reports of twenty attempts.
    let rare = RunFilter { prefix: Some("b".to_owned()), ..RunFilter::default() };
    let request = RunsRequest { max_rows: 4, ..RunsRequest::of_all(rare, 10) };
    let reply = engine.runs(&request, NOW.plus(9_000), &rows).unwrap();
    assert!(reply.items.is_empty());
    assert!((190..=240).contains(&reply.looked.attempts), "{:?}", reply.looked);
    let back_to = reply.looked.back_to.unwrap();
    assert!((NOW.plus(2_700)..=NOW.plus(2_900)).contains(&back_to), "{back_to:?}");
    assert_eq!(ids(&engine, &rows, request), (vec![], 800));
    // With times in the middle, the request reads neither the rows before nor the rows after them.
    let (from, to) = (Some(NOW.plus(1_000)), Some(NOW.plus(1_100)));
    let of_time = RunFilter { from, to, ..RunFilter::default() };
    let (found, attempts) = ids(&engine, &rows, RunsRequest::of_all(of_time, 100));
    assert_eq!(found.len(), 20);
    assert!(attempts <= 120, "{attempts}");
    // The bytes of a page are bounded, but it has at least one run.
    let request = RunsRequest { max_bytes: 1, ..RunsRequest::of_all(RunFilter::default(), 10) };
    assert_eq!(engine.runs(&request, NOW, &rows).unwrap().items.len(), 1);
}

#[test]
fn similar_errors_are_one_group_over_any_number_of_requests() {
    let (mut rows, mut engine) = (Memory::default(), load(&Memory::default()));
    for n in 0..10 {
        let error = format!("HTTP 503 after {n} ms");
        let tasks =
            [("a", "a.example", error.as_str()), ("b", "a.example", ""), ("c", "x.y", "no")];
        keep_each(&mut engine, &mut rows, &tasks, NOW.plus(n));
    }
    for limit in [1, 10] {
        let mut request = RunsRequest::of_all(RunFilter::default(), limit);
        let (mut counts, mut attempts) = (std::collections::BTreeMap::new(), 0);
        loop {
            let reply = engine.errors(&request, NOW.plus(100), &rows).unwrap();
            assert!(reply.groups.len() <= limit);
            for group in &reply.groups {
                *counts.entry(group.pattern.clone()).or_insert(0) += group.count;
                let example: serde_json::Value = serde_json::from_str(group.example.get()).unwrap();
                assert_eq!(example["reportedAt"].as_i64(), Some(group.last.get()));
                assert!(limit == 1 || group.first == NOW && group.last == NOW.plus(9));
            }
            attempts += reply.looked.attempts;
            match reply.looked.next {
                Some(next) => request.before = Some(next),
                None => break,
            }
        }
        let expected =
            [("HTTP 503 after <n> ms", 10), ("no", 10)].map(|(of, n)| (of.to_owned(), n));
        assert_eq!((counts, attempts), (expected.into(), 30), "{limit}");
    }
}
