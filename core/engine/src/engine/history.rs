//! The history of a shard: recording how attempts ended, and reading it.
//!
//! A report writes one row in the commit that ends its envelope. So the history contains each
//! attempt with an accepted report exactly once.

use super::Engine;
use crate::config::Keep;
use crate::effects::Effects;
use crate::ended_run::{Ended, cut, runs_of, shown};
use crate::error::EngineError;
use crate::history::oldest_kept;
use crate::reader::Reader;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{HISTORY_ROW_BYTES, MAX_HISTORY_ROWS_SCANNED};
use scheduler_model::format::history::{ChunkBuilder, newest_first};
use scheduler_model::protocol::{
    EventKind, MAX_EXCERPT_BYTES, Report, RunItem, RunPosition, RunsReply, RunsRequest,
};
use scheduler_model::task::Record;

impl Engine {
    /// Records how the tasks of an envelope ended, as far as the settings ask for it.
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
        // A chunk is closed before it is larger than a row, because a firing may have many thousand
        // outcomes.
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

    fn note_outcomes(
        &mut self,
        to_queue: bool,
        tasks: &[(Record<'_>, Ended<'_>)],
        now: UnixMillis,
    ) {
        if !self.events.is_on(now) {
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
            self.events.note(kind, record, cut(error, MAX_EXCERPT_BYTES), now);
        }
    }

    /// Returns a page of the history of a task, the newest runs first. Reads a bounded number of
    /// rows, and returns the cursor for the rest.
    ///
    /// # Errors
    /// If storage fails or is damaged.
    pub fn runs(
        &self,
        request: &RunsRequest,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<RunsReply, EngineError> {
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
            let corrupt = |problem: String| {
                EngineError::Corrupt(format!("row {row} of the history: {problem}"))
            };
            let body = reader.history(*row)?;
            let found = newest_first(&body, Some(&request.id), end, oldest, left)
                .map_err(|problem| corrupt(problem.to_string()))?;
            for (place, past) in found {
                let run = serde_json::value::to_raw_value(&shown(&past))
                    .map_err(|problem| corrupt(problem.to_string()))?;
                let position = RunPosition { row: *row, place };
                items.push(RunItem { position, reported_at: past.reported_at, run });
            }
        }
        // If it stopped within a row, that row may have more. The next request finds out.
        let next = items.last().filter(|_| items.len() >= request.limit).map(|last| last.position);
        Ok(RunsReply { items, next })
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
