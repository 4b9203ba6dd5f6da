use super::*;
use crate::effects::Write;
use crate::snapshot::StoredHistory;
use crate::{Config, Snapshot, StorageError};
use scheduler_model::bounds::{MAX_HISTORY_AGE_MILLIS, MAX_HISTORY_ROWS};
use scheduler_model::protocol::{MAX_ERROR_CHARS, TaskRun};
use std::collections::BTreeMap;

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

/// The rows of the history, and nothing else.
#[derive(Default)]
struct Rows(BTreeMap<u64, (UnixMillis, Vec<u8>)>);

impl Reader for Rows {
    fn body(&self, _: u32, _: u32, _: u32) -> Result<Vec<u8>, StorageError> {
        Err(StorageError("nothing is stored".to_owned()))
    }
    fn schedule(&self, _: u32) -> Result<Vec<u8>, StorageError> {
        Err(StorageError("nothing is stored".to_owned()))
    }
    fn envelope(&self, _: u64) -> Result<Vec<u8>, StorageError> {
        Err(StorageError("nothing is stored".to_owned()))
    }
    fn history(&self, row: u64) -> Result<Vec<u8>, StorageError> {
        self.0
            .get(&row)
            .map(|(_, body)| body.clone())
            .ok_or_else(|| StorageError(format!("no row {row}")))
    }
}

impl Rows {
    fn apply(&mut self, effects: Effects) {
        for write in effects.writes {
            match write {
                Write::InsertHistory { row, newest, body } => {
                    assert!(self.0.last_key_value().is_none_or(|(last, _)| *last < row));
                    self.0.insert(row, (newest, body));
                }
                Write::ExtendHistory { row, newest, tail } => {
                    let stored = self.0.get_mut(&row).unwrap();
                    stored.0 = newest;
                    stored.1.extend(tail);
                }
                Write::DropHistory { up_to } => self.0.retain(|row, _| *row > up_to),
                other => panic!("{other:?}"),
            }
        }
    }

    fn load(&self) -> Engine {
        let history = self.0.iter().map(|(row, (newest, body))| StoredHistory {
            row: *row,
            newest: *newest,
            bytes: body.len() as u32,
        });
        Engine::load(
            "1-0",
            Config::default(),
            Snapshot { history: history.collect(), ..Snapshot::default() },
        )
        .unwrap()
    }
}

/// Reports one run of `id` whose error is so long.
fn keep(engine: &mut Engine, rows: &mut Rows, id: &str, error_bytes: usize, now: UnixMillis) {
    let text = format!(r#"{{"time":5,"id":"{id}","callback":{{}}}}"#);
    let error = "x".repeat(error_bytes);
    let mut effects = Effects::default();
    let record = Record::parse(text.as_bytes()).unwrap();
    let report = Report::default();
    let tasks: Vec<_> = (0..20)
        .map(|_| (record.clone(), Ended::Failed { dead: false, error: error.as_str().into() }))
        .collect();
    engine.keep_outcomes(now, Some(&report), &tasks, now, &mut effects);
    rows.apply(effects);
}

/// Returns all runs of an id, a page of 100 at a time; how many, and in how many rounds.
fn count(engine: &Engine, rows: &Rows, id: &str, now: UnixMillis) -> (usize, usize) {
    let (mut runs, mut rounds, mut before) = (0, 0, None);
    loop {
        let reply =
            engine.runs(&RunsRequest { id: id.to_owned(), before, limit: 100 }, now, rows).unwrap();
        runs += reply.items.len();
        rounds += 1;
        before = reply.next;
        if before.is_none() {
            return (runs, rounds);
        }
    }
}

#[test]
fn reports_share_rows_up_to_their_size_and_a_restart_goes_on_with_the_newest() {
    let (mut rows, mut engine) = (Rows::default(), Rows::default().load());
    for n in 0..20 {
        keep(&mut engine, &mut rows, "a", 400, NOW.plus(n));
        engine = rows.load();
    }
    // Some 8.5 KB a report.
    assert_eq!(rows.0.len(), 7);
    assert!(rows.0.values().all(|(_, body)| body.len() <= HISTORY_ROW_BYTES));
    assert_eq!(count(&engine, &rows, "a", NOW), (400, 5));
    assert_eq!(count(&engine, &rows, "b", NOW), (0, 1));
}

#[test]
fn old_rows_go_by_number() {
    let (mut rows, mut engine) = (Rows::default(), Rows::default().load());
    for n in 0..4 * (MAX_HISTORY_ROWS as i64 + 10) {
        keep(&mut engine, &mut rows, if n == 0 { "first" } else { "a" }, 350, NOW.plus(n));
    }
    assert_eq!(rows.0.len(), MAX_HISTORY_ROWS);
    assert_eq!(*rows.0.last_key_value().unwrap().0, MAX_HISTORY_ROWS as u64 + 10);
    // Looked for in all rows, a bounded number at a time.
    assert_eq!(
        count(&engine, &rows, "first", NOW),
        (0, MAX_HISTORY_ROWS / MAX_HISTORY_ROWS_SCANNED)
    );
}

#[test]
fn old_rows_go_by_age_and_are_not_shown_before_they_do() {
    let (mut rows, mut engine) = (Rows::default(), Rows::default().load());
    for n in 0..8 {
        keep(&mut engine, &mut rows, "a", 400, NOW.plus(n));
    }
    assert_eq!(rows.0.len(), 3);
    let later = NOW.plus(MAX_HISTORY_AGE_MILLIS + 5);
    assert_eq!(count(&engine, &rows, "a", later), (60, 1));
    keep(&mut engine, &mut rows, "a", 400, later.plus(10));
    keep(&mut engine, &mut rows, "a", 400, later.plus(10));
    assert_eq!(rows.0.keys().copied().collect::<Vec<_>>(), [3, 4]);
    assert_eq!(count(&engine, &rows, "a", later.plus(10)), (40, 1));
}

#[test]
fn a_damaged_row_is_told() {
    let (mut rows, mut engine) = (Rows::default(), Rows::default().load());
    keep(&mut engine, &mut rows, "a", 10, NOW);
    rows.0.values_mut().for_each(|(_, body)| body.truncate(20));
    let request = RunsRequest { id: "a".to_owned(), before: None, limit: 1 };
    assert!(
        matches!(engine.runs(&request, NOW, &rows), Err(EngineError::Corrupt(problem)) if problem.contains("row 1"))
    );
}

/// The coordinator asks for no more runs than fit by this.
#[test]
fn a_run_is_no_longer_than_its_bound() {
    let longest = TaskRun {
        time: i64::MIN,
        stage: Some("onFailure".into()),
        attempt: u32::MAX,
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
