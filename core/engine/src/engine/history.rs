//! The history of a shard: records how attempts ended, and reads it.
//!
//! A report writes one row in the commit that ends its envelope. So the history contains each
//! attempt with an accepted report exactly once.

use super::Engine;
use crate::config::Keep;
use crate::effects::Effects;
use crate::ended_run::{Ended, cut, of_all, of_task, runs_of};
use crate::envelopes::Dispatched;
use crate::error::EngineError;
use crate::history::oldest_kept;
use crate::reader::Reader;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{HISTORY_ROW_BYTES, MAX_HISTORY_ROWS_SCANNED};
use scheduler_model::format::history::{ChunkBuilder, Past, Run, search};
use scheduler_model::protocol::{
    ErrorGroup, EventKind, GroupsReply, Looked, MAX_EXCERPT_BYTES, Report, RunItem, RunPosition,
    RunsReply, RunsRequest, TaskRun,
};
use scheduler_model::runs::{RunMatcher, pattern_of};
use scheduler_model::task::Record;
use serde_json::value::RawValue;
use std::collections::{HashMap, HashSet};

impl Engine {
    /// Records how the tasks of an envelope ended, if the settings include these outcomes.
    pub(super) fn keep_outcomes(
        &mut self,
        fired_at: UnixMillis,
        report: Option<&Report>,
        tasks: &[(Record<'_>, Ended<'_>)],
        dispatched: &Dispatched<'_>,
        now: UnixMillis,
        effects: &mut Effects,
    ) {
        self.note_outcomes(report.is_none(), tasks, now);
        if self.config.history == Keep::Off {
            return;
        }
        // A firing may have thousands of outcomes, so a chunk is closed before it is larger than a
        // row.
        let mut chunk = ChunkBuilder::new(fired_at, now);
        for (_, run) in runs_of(report, tasks, dispatched) {
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

    /// Records that the key `by` has cancelled the tasks with these ids, if the settings include
    /// cancels. A row has room for some hundred ids.
    pub(super) fn keep_cancelled(
        &mut self,
        ids: &[String],
        by: Option<&str>,
        now: UnixMillis,
        effects: &mut Effects,
    ) {
        let Some(by) = by.filter(|_| self.config.history != Keep::Off) else { return };
        // A task and its further attempts get one entry.
        let mut seen = HashSet::new();
        let mut chunk = ChunkBuilder::new(now, now);
        for id in ids.iter().filter(|id| seen.insert(id.as_str())) {
            let run = Run::cancelled(id, by);
            if !chunk.is_empty() && chunk.bytes() + run.most_bytes() > HISTORY_ROW_BYTES {
                let full = std::mem::replace(&mut chunk, ChunkBuilder::new(now, now));
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

    /// Returns a page of the history, newest runs first. Reads a bounded number of rows, and
    /// returns how far it has searched.
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged.
    pub fn runs(
        &self,
        request: &RunsRequest,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<RunsReply, EngineError> {
        let (mut items, mut bytes) = (Vec::new(), 0);
        let looked =
            self.look_back(request, request.limit, now, reader, &mut |position, past| {
                let is_of_task = request.id.is_some();
                let run = json(&if is_of_task { of_task(past) } else { of_all(past) })?;
                bytes += run.get().len();
                items.push(RunItem { position, reported_at: past.reported_at, run });
                Ok(items.len() < request.limit && bytes < request.max_bytes)
            })?;
        Ok(RunsReply { items, looked })
    }

    /// Returns the attempts with an error in a part of the history, grouped by what their errors
    /// have in common. `limit` of the request is the most groups that the reply has.
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged.
    pub fn errors(
        &self,
        request: &RunsRequest,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<GroupsReply, EngineError> {
        let (mut groups, mut bytes): (Vec<ErrorGroup>, usize) = (Vec::new(), 0);
        let mut places: HashMap<String, usize> = HashMap::new();
        let looked = self.look_back(request, usize::MAX, now, reader, &mut |_, past| {
            if past.run.error.is_empty() {
                return Ok(true);
            }
            let at = past.reported_at;
            let pattern = pattern_of(&past.run.error);
            if let Some(group) = places.get(&pattern).and_then(|place| groups.get_mut(*place)) {
                group.count += 1;
                (group.first, group.last) = (group.first.min(at), group.last.max(at));
                return Ok(true);
            }
            let example = json(&of_all(past))?;
            bytes += pattern.len() + example.get().len();
            places.insert(pattern.clone(), groups.len());
            groups.push(ErrorGroup { pattern, count: 1, first: at, last: at, example });
            Ok(groups.len() < request.limit && bytes < request.max_bytes)
        })?;
        Ok(GroupsReply { groups, looked })
    }

    /// Calls `found` for each run that matches the request, newest first, until `found` returns
    /// false. Passes at most the newest `limit` runs of each row. Returns how far it has searched.
    pub(super) fn look_back(
        &self,
        request: &RunsRequest,
        limit: usize,
        now: UnixMillis,
        reader: &dyn Reader,
        found: &mut dyn FnMut(RunPosition, &Past<'_>) -> Result<bool, EngineError>,
    ) -> Result<Looked, EngineError> {
        let matcher = RunMatcher::new(&request.filter);
        let before = request.before.unwrap_or(RunPosition::END);
        let oldest = oldest_kept(now);
        let is_time = |at: UnixMillis| at >= oldest && matcher.is_time(at);
        let is_run = |run: &Run<'_>| matcher.is_run(run);
        let from = request.filter.from.unwrap_or(UnixMillis::ZERO).max(oldest);
        let most_rows = request.max_rows.min(MAX_HISTORY_ROWS_SCANNED);
        let mut looked = Looked::default();
        let mut read = 0;
        let mut rows = self.log.rows.range(..=before.row).rev().peekable();
        while let Some((row, (newest, _))) = rows.next() {
            // Rows are ordered by time unless the clock has gone back. So nothing in this row was
            // reported before the newest run of the row before it.
            let is_after = request
                .filter
                .to
                .is_some_and(|to| rows.peek().is_some_and(|(_, (older, _))| *older >= to));
            if *newest < from || is_after {
                continue;
            }
            let end = if *row == before.row { before.place } else { u32::MAX };
            if read >= most_rows {
                looked.next = Some(RunPosition { row: *row, place: end });
                looked.back_to = Some(*newest);
                return Ok(looked);
            }
            read += 1;
            let body = reader.history(*row)?;
            let searched = search(&body, request.id.as_deref(), end, is_time, is_run, limit)
                .map_err(|problem| {
                    EngineError::Corrupt(format!("row {row} of the history: {problem}"))
                })?;
            let start = RunPosition { row: *row, place: searched.count };
            looked.start.get_or_insert(start);
            for (place, past) in &searched.found {
                let position = RunPosition { row: *row, place: *place };
                if !found(position, past)? {
                    // The row may contain more runs. The next request continues here.
                    looked.attempts += u64::from(searched.count - place);
                    (looked.next, looked.back_to) = (Some(position), Some(past.reported_at));
                    return Ok(looked);
                }
            }
            looked.attempts += u64::from(searched.count);
        }
        Ok(looked)
    }
}

/// Returns a run as JSON text.
pub(super) fn json(run: &TaskRun<'_>) -> Result<Box<RawValue>, EngineError> {
    // Numbers and texts always become JSON.
    serde_json::value::to_raw_value(run)
        .map_err(|problem| EngineError::Corrupt(format!("a run of the history: {problem}")))
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
