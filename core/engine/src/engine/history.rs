//! The history of a shard: keeping how attempts ended, dropping what is old, and showing it.
//!
//! A report adds one row's worth of writing, in the commit that ends its envelope: so every attempt whose report was accepted stands in
//! it once. In memory there are two numbers for each row.

use super::{Effects, Engine, EngineError, Reader, Write};
use scheduler_calendar::ordered::collected;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{HISTORY_ROW_BYTES, MAX_HISTORY_AGE_MILLIS, MAX_HISTORY_ROWS, MAX_HISTORY_ROWS_SCANNED};
use scheduler_model::format::history::{ChunkBuilder, Outcome, Past, Ran, Run, newest_first};
use scheduler_model::protocol::{
    EventKind, MAX_ERROR_CHARS, MAX_EXCERPT_BYTES, Report, RunItem, RunPosition, RunsReply, RunsRequest, TaskRun,
};
use scheduler_model::task::Record;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// Most rows dropped in one commit: a shard that was idle for a month does not lose all of them at once.
const MAX_DROPPED_AT_ONCE: usize = 64;

/// What is kept of how attempts end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// Nothing.
    Off,
    /// What did not go as it should.
    Failures,
    /// Everything.
    #[default]
    All,
}

/// What is stored of a row of the history, without its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredHistory {
    /// Its number.
    pub row: u64,
    /// When its newest outcome was reported.
    pub newest: UnixMillis,
    /// The length of its body.
    pub bytes: u32,
}

/// The rows that there are.
#[derive(Debug, Default)]
pub(super) struct Log {
    rows: BTreeMap<u64, (UnixMillis, u32)>,
}

impl Log {
    pub(super) fn load(rows: Vec<StoredHistory>) -> Self {
        Self { rows: collected(rows.into_iter().map(|row| (row.row, (row.newest, row.bytes)))) }
    }

    /// Adds a chunk: to the newest row while it has room, else in a new one; then old rows go.
    fn add(&mut self, chunk: ChunkBuilder, now: UnixMillis, effects: &mut Effects) {
        let Some(chunk) = chunk.finish() else { return };
        let len = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
        if let Some(mut open) = self.rows.last_entry() {
            let row = *open.key();
            let (newest, bytes) = open.get_mut();
            if *bytes as usize + chunk.len() <= HISTORY_ROW_BYTES {
                // Not back in time, should the clock have gone back; an empty row has no outcome that is newer.
                *newest = if *bytes == 0 { now } else { now.max(*newest) };
                *bytes += len;
                effects.writes.push(Write::ExtendHistory { row, newest: *newest, tail: chunk });
                return;
            }
        }
        let row = self.rows.last_key_value().map_or(1, |(last, _)| last + 1);
        self.rows.insert(row, (now, len));
        effects.writes.push(Write::InsertHistory { row, newest: now, body: chunk });
        self.drop_old(now, effects);
    }

    /// Drops rows that are too many or too old; never the newest, whose number must not be given again.
    fn drop_old(&mut self, now: UnixMillis, effects: &mut Effects) {
        let oldest = oldest_kept(now);
        let mut up_to = None;
        for _ in 0..MAX_DROPPED_AT_ONCE {
            let Some(first) = self.rows.first_entry() else { break };
            let is_old = first.get().0 < oldest;
            let row = *first.key();
            if self.rows.len() <= 1 || !(is_old || self.rows.len() > MAX_HISTORY_ROWS) {
                break;
            }
            self.rows.remove(&row);
            up_to = Some(row);
        }
        effects.writes.extend(up_to.map(|up_to| Write::DropHistory { up_to }));
    }

    /// Drops all rows. An empty one stands for them, since their numbers must not be given again.
    pub(super) fn purge(&mut self, effects: &mut Effects) {
        let Some((last, (newest, bytes))) = self.rows.last_key_value().map(|(row, of)| (*row, *of)) else { return };
        if self.rows.len() == 1 && bytes == 0 {
            return;
        }
        self.rows = BTreeMap::from([(last + 1, (newest, 0))]);
        effects.writes.push(Write::InsertHistory { row: last + 1, newest, body: Vec::new() });
        effects.writes.push(Write::DropHistory { up_to: last });
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.rows.len() * size_of::<(u64, (UnixMillis, u32))>()
    }
}

fn oldest_kept(now: UnixMillis) -> UnixMillis {
    now.plus(-MAX_HISTORY_AGE_MILLIS)
}

/// What became of one task of an envelope.
#[derive(Debug, Clone, Default)]
pub(super) enum Ended<'a> {
    /// It was not started, and comes again.
    NotStarted,
    /// It succeeded, or the user's queue has taken it.
    #[default]
    Well,
    /// It did not fire, for this reason.
    Skipped(&'a str),
    /// It came too late to start, for this reason.
    Expired(&'a str),
    /// It failed.
    Failed {
        /// For good.
        dead: bool,
        /// Why.
        error: Cow<'a, str>,
    },
}

/// How the attempts of a report went, by their index in the envelope.
struct Timings<'a> {
    report: &'a Report,
    done: HashMap<u32, (Option<u16>, Ran)>,
    failed: HashMap<u32, (Option<u16>, Ran, &'a str)>,
}

impl<'a> Timings<'a> {
    fn of(report: &'a Report) -> Self {
        let done = report.done.iter().map(|done| {
            let ran = Ran { started_at: done.started_at, millis: done.millis };
            (done.index, (done.status, ran))
        });
        let failed = report.details.iter().map(|detail| {
            let ran = Ran { started_at: detail.started_at, millis: detail.millis };
            (detail.index, (detail.status, ran, detail.excerpt.as_str()))
        });
        Self { report, done: done.collect(), failed: failed.collect() }
    }

    /// Status, times and excerpt.
    fn at(&self, index: u32, ended: &Ended<'_>) -> (Option<u16>, Option<Ran>, &'a str) {
        if matches!(ended, Ended::Failed { .. }) {
            return match self.failed.get(&index) {
                Some((status, ran, excerpt)) => (*status, Some(*ran), cut(excerpt, MAX_EXCERPT_BYTES)),
                None => (None, None, ""),
            };
        }
        if matches!(ended, Ended::Skipped(_) | Ended::Expired(_)) {
            return (None, None, "");
        }
        match self.done.get(&index) {
            Some((status, ran)) => (*status, Some(*ran), ""),
            None => (None, self.report.quick_at.map(|started_at| Ran { started_at, millis: 0 }), ""),
        }
    }
}

/// The most of a text that ends with a whole character within `bytes`.
fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

/// How each of an envelope's tasks ended, without those that were not started. Without a report, a queue has taken them.
pub(super) fn runs_of<'a>(
    report: Option<&'a Report>,
    tasks: &'a [(Record<'_>, Ended<'_>)],
) -> impl Iterator<Item = (&'a Record<'a>, Run<'a>)> {
    let timings = report.map(Timings::of);
    (0_u32..).zip(tasks).filter_map(move |(index, (record, ended))| {
        let (outcome, error) = match ended {
            Ended::NotStarted => return None,
            Ended::Skipped(reason) => (Outcome::Skipped, Cow::Borrowed(*reason)),
            Ended::Expired(reason) => (Outcome::Expired, Cow::Borrowed(*reason)),
            Ended::Well if report.is_none() => (Outcome::HandedOver, Cow::Borrowed("")),
            Ended::Well => (Outcome::Succeeded, Cow::Borrowed("")),
            Ended::Failed { dead, error } => {
                let outcome = if *dead { Outcome::DeadLettered } else { Outcome::Failed };
                (outcome, error.chars().take(MAX_ERROR_CHARS).collect())
            }
        };
        let (status, ran, excerpt) = timings.as_ref().map_or((None, None, ""), |timings| timings.at(index, ended));
        let run = Run {
            id: Cow::Borrowed(record.id.as_ref()),
            due: record.time.unwrap_or(UnixMillis::ZERO),
            attempt: record.attempt_number(),
            outcome,
            ran,
            status,
            error,
            excerpt: Cow::Borrowed(excerpt),
            stage: Cow::Borrowed(record.stage.as_deref().unwrap_or_default()),
        };
        Some((record, run))
    })
}

impl Engine {
    /// Writes down how the tasks of an envelope ended, as far as the settings ask for it.
    pub(super) fn keep_outcomes(
        &mut self,
        fired_at: UnixMillis,
        report: Option<&Report>,
        tasks: &[(Record<'_>, Ended<'_>)],
        now: UnixMillis,
        effects: &mut Effects,
    ) {
        self.note_outcomes(report.is_none(), tasks, now);
        if self.config.history == Keep::Off {
            return;
        }
        // Closed before it would be larger than a row: a firing may have many thousand outcomes.
        let mut chunk = ChunkBuilder::new(fired_at, now);
        for (_, run) in runs_of(report, tasks) {
            if run.outcome.is_good() && self.config.history == Keep::Failures {
                continue;
            }
            if !chunk.is_empty() && chunk.bytes() + run.most_bytes() > HISTORY_ROW_BYTES {
                let full = std::mem::replace(&mut chunk, ChunkBuilder::new(fired_at, now));
                self.log.add(full, now, effects);
            }
            chunk.push(&run);
        }
        self.log.add(chunk, now, effects);
    }

    fn note_outcomes(&mut self, to_queue: bool, tasks: &[(Record<'_>, Ended<'_>)], now: UnixMillis) {
        if !self.feed.is_on(now) {
            return;
        }
        for (record, ended) in tasks {
            let (kind, error) = match ended {
                Ended::NotStarted => continue,
                Ended::Skipped(reason) => (EventKind::Skipped, *reason),
                Ended::Expired(reason) => (EventKind::Expired, *reason),
                Ended::Well if to_queue => (EventKind::HandedOver, ""),
                Ended::Well => (EventKind::Succeeded, ""),
                Ended::Failed { dead: true, error } => (EventKind::DeadLettered, error.as_ref()),
                Ended::Failed { dead: false, error } => (EventKind::Failed, error.as_ref()),
            };
            self.feed.note(kind, record, cut(error, MAX_EXCERPT_BYTES), now);
        }
    }

    /// A part of a task's history, the newest first. Looks into a bounded number of rows, and says where to go on.
    ///
    /// # Errors
    /// When storage fails or is damaged.
    pub fn runs(&self, request: &RunsRequest, now: UnixMillis, reader: &dyn Reader) -> Result<RunsReply, EngineError> {
        let mut items: Vec<RunItem> = Vec::new();
        let before = request.before.unwrap_or(RunPosition { row: u64::MAX, place: u32::MAX });
        let oldest = oldest_kept(now);
        for (scanned, (row, (newest, _))) in self.log.rows.range(..=before.row).rev().enumerate() {
            if *newest < oldest {
                break;
            }
            let end = if *row == before.row { before.place } else { u32::MAX };
            let left = request.limit.saturating_sub(items.len());
            if scanned >= MAX_HISTORY_ROWS_SCANNED || left == 0 {
                let next = match items.last() {
                    Some(last) if left == 0 => last.position,
                    _ => RunPosition { row: *row, place: end },
                };
                return Ok(RunsReply { items, next: Some(next) });
            }
            let corrupt = |problem: String| EngineError::Corrupt(format!("row {row} of the history: {problem}"));
            let body = reader.history(*row)?;
            let found =
                newest_first(&body, Some(&request.id), end, oldest, left).map_err(|problem| corrupt(problem.to_string()))?;
            for (place, past) in found {
                let run = serde_json::value::to_raw_value(&shown(&past)).map_err(|problem| corrupt(problem.to_string()))?;
                let position = RunPosition { row: *row, place };
                items.push(RunItem { position, reported_at: past.reported_at, run });
            }
        }
        // A row that was left within may hold more; the next request finds out.
        let next = items.last().filter(|_| items.len() >= request.limit).map(|last| last.position);
        Ok(RunsReply { items, next })
    }
}

/// A run as the API shows it.
pub(super) fn shown<'a>(past: &'a Past<'_>) -> TaskRun<'a> {
    let run = &past.run;
    let text = |text: &'a str| (!text.is_empty()).then_some(Cow::Borrowed(text));
    TaskRun {
        due: run.due.get(),
        stage: text(&run.stage),
        attempt: run.attempt,
        fired_at: past.fired_at.get(),
        started_at: run.ran.map(|ran| ran.started_at.get()),
        finished_at: run.ran.map(|ran| ran.started_at.plus(i64::from(ran.millis)).get()),
        reported_at: past.reported_at.get(),
        outcome: run.outcome.name(),
        status: run.status,
        error: text(&run.error),
        excerpt: text(&run.excerpt),
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
