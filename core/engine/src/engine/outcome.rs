//! The end of an envelope: a queue accepts it, or a dispatcher reports it.

use super::Engine;
use crate::config::Keep;
use crate::decisions::Decision;
use crate::effects::{Destination, Effects, Write};
use crate::ended_run::Ended;
use crate::envelopes::{lay_over, mark_paused, names_on_success, names_stage, records_of};
use crate::error::{EngineError, contradiction};
use crate::policy::has_failed;
use crate::reader::Reader;
use crate::remains::Remains;
use crate::requeue::{again, due_unstarted, queue_flag};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::envelope::is_fired_at;
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{Failure, MAX_ERROR_CHARS, Report};
use scheduler_model::retry::{RetryInput, RetryPolicy};
use scheduler_model::task::Record;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

impl Engine {
    /// Handles that a queue has accepted an envelope. An envelope for a user's own consumer is done
    /// then. An envelope for the dispatchers waits for their report (invariant 3).
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged; the caller must then drop the engine.
    pub fn sent(
        &mut self,
        seq: EnvelopeSeq,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<Effects, EngineError> {
        let mut effects = Effects::default();
        let Some(envelope) = self.outbox.get(&seq) else { return Ok(effects) };
        if envelope.destination.is_reported() {
            self.taken(seq, now, &mut effects);
        } else {
            let mut ended = Ends { runs: envelope.hashes.len() as u64, follow_ups: 0 };
            let text = reader.envelope(seq)?;
            if self.config.history == Keep::All
                || self.events.is_on(now)
                || self.decisions.is_any(seq)
                || names_stage(&text)
            {
                let patched = self.patched_of(seq, reader)?;
                let (fired_at, mut records) = records_of(&text, seq)?;
                let dispatched = lay_over(&mut records, &patched, seq)?;
                let omitted = self.requeue_omitted(seq, &records, now, &mut effects);
                let mut tasks: Vec<_> =
                    records.into_iter().map(|record| (record, Ended::Well)).collect();
                for index in &omitted {
                    if let Some((_, ended)) = tasks.get_mut(*index as usize) {
                        *ended = Ended::NotStarted;
                    }
                }
                ended = Ends::of(&tasks);
                self.keep_outcomes(fired_at, None, &tasks, &dispatched, now, &mut effects);
            }
            self.state.counters.handed_over += ended.runs;
            self.state.counters.follow_ups_succeeded += ended.follow_ups;
            self.finish(seq, now, reader, &mut effects)?;
        }
        Ok(effects)
    }

    /// Handles the report of a dispatcher. Failed tasks are retried by their policy or become dead
    /// letters, unless a decision was made while they were in flight. The same commit ends the
    /// envelope. A repeated report changes nothing.
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged. The caller must then drop the engine.
    pub fn report(
        &mut self,
        report: &Report,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<Effects, EngineError> {
        let mut effects = Effects::default();
        let Some(tasks) = self.outbox.get(&report.seq).map(|envelope| envelope.hashes.len()) else {
            return Ok(effects);
        };
        let text = reader.envelope(report.seq)?;
        if report.fired_at.is_some_and(|fired_at| !is_fired_at(&text, fired_at)) {
            return Ok(effects);
        }
        self.learn(&text, report, now)?;
        let all_went_well =
            report.failed.is_empty() && report.not_started.is_empty() && report.expired.is_empty();
        let is_recorded = self.config.history == Keep::All || self.events.is_on(now);
        let well = if all_went_well
            && !is_recorded
            && !names_on_success(&text)
            && !names_stage(&text)
            && !self.decisions.is_any(report.seq)
        {
            Ends { runs: tasks as u64, follow_ups: 0 }
        } else {
            let patched = self.patched_of(report.seq, reader)?;
            self.requeue(&text, &patched, report, now, &mut effects)?
        };
        self.state.counters.succeeded += well.runs;
        self.state.counters.follow_ups_succeeded += well.follow_ups;
        self.finish(report.seq, now, reader, &mut effects)?;
        Ok(effects)
    }

    /// Requeues the failed and the unstarted tasks of an envelope, adds the follow-ups of ended
    /// runs, and records all outcomes. Returns the indexes of the tasks that succeeded.
    fn requeue(
        &mut self,
        text: &[u8],
        patched: &BTreeMap<u32, Vec<u8>>,
        report: &Report,
        now: UnixMillis,
        effects: &mut Effects,
    ) -> Result<Ends, EngineError> {
        let marks = self.decisions.marks(report.seq);
        let (fired_at, mut records) = records_of(text, report.seq)?;
        let dispatched = lay_over(&mut records, patched, report.seq)?;
        mark_paused(&mut records, &marks);
        let decisions = self.decisions.of(report.seq);
        let decided = |index: u32| decisions.get(&index).copied().unwrap_or_default();
        let mut tasks: Vec<_> = records.into_iter().map(|record| (record, Ended::Well)).collect();
        let mut seen = vec![false; tasks.len()];
        // Returns whether the envelope has this index and the report has not named it before.
        let mut first = |index: u32| {
            seen.get_mut(index as usize).is_some_and(|seen| !std::mem::replace(seen, true))
        };
        let mut remains = Remains::default();
        // The times are by the dispatcher's clock. If the report has no time, the attempt has just
        // started.
        let started: HashMap<u32, UnixMillis> =
            report.details.iter().map(|detail| (detail.index, detail.started_at)).collect();
        for failure in report.failed.iter().filter(|failure| first(failure.index)) {
            let Some((record, ended)) = tasks.get_mut(failure.index as usize) else { continue };
            let counters = &mut self.state.counters;
            match record.stage {
                None => counters.failed += 1,
                Some(_) => counters.follow_ups_failed += 1,
            }
            if decided(failure.index).is_cancelled() {
                *ended = Ended::Failed {
                    dead: false,
                    error: Cow::Owned(with_cancel_note(&failure.error)),
                };
                continue;
            }
            let began = started.get(&failure.index).map_or(now, |at| (*at).max(fired_at).min(now));
            *ended = self.requeue_failed(
                record.clone(),
                failure,
                decided(failure.index),
                (began, now),
                &mut remains,
            );
        }
        for index in report.not_started.iter().filter(|index| first(**index)) {
            let Some((record, ended)) = tasks.get_mut(*index as usize) else { continue };
            if let Some(due) = due_unstarted(decided(*index), now) {
                self.keep_waiting(record, due, again(record), &mut remains);
            }
            *ended = Ended::NotStarted;
        }
        // If the queue may have accepted the envelope before, its runs may have started. If the
        // queue has refused it, they have not.
        let is_repeat = self.outbox.get(&report.seq).is_some_and(|envelope| envelope.attempts > 0);
        for index in report.expired.iter().filter(|index| first(**index)) {
            let Some((record, ended)) = tasks.get_mut(*index as usize) else { continue };
            if !decided(*index).is_cancelled() && (has_failed(record) || is_repeat) {
                let why = if is_repeat {
                    "expired: it was dispatched before, and its outcome was not reported"
                } else {
                    "expired: no further attempt had started in time"
                };
                // The dead letter keeps the last error.
                let error = record.error.clone().or(Some(Cow::Borrowed(why)));
                let dead = Record { failed_at: Some(now), error, ..record.clone() };
                self.keep_dead(&dead, queue_flag(record), &mut remains);
                *ended = Ended::Failed { dead: true, error: Cow::Borrowed(why) };
            } else {
                self.state.counters.expired += 1;
                *ended = Ended::Expired("expired: no dispatcher had started it in time");
            }
        }
        for (index, decision) in &decisions {
            let Some((record, _)) = tasks.get_mut(*index as usize) else { continue };
            if decision.is_cancelled() {
                // A cancelled run has no follow-up, whatever the outcome of its attempt.
                (record.on_success, record.on_failure) = (None, None);
            }
            // A follow-up of a paused run waits until the task is resumed, too.
            record.paused = decision.is_paused().then_some(true);
        }
        self.follow_up(fired_at, Some(report), &tasks, now, &mut remains);
        self.keep_outcomes(fired_at, Some(report), &tasks, &dispatched, now, effects);
        self.put_remains(remains, now, effects)?;
        Ok(Ends::of(&tasks))
    }

    /// Removes an envelope that is done. The newest row stays, because it holds the state.
    pub(super) fn finish(
        &mut self,
        seq: EnvelopeSeq,
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<(), EngineError> {
        let Some(envelope) = self.outbox.remove(&seq) else {
            return Err(contradiction("an envelope ended twice"));
        };
        self.forget_decisions(seq, effects);
        if envelope.destination.is_reported() {
            self.dispatched = self.dispatched.saturating_sub(envelope.hashes.len());
            self.lanes.had_room_at = self.lanes.had_room_at.max(now);
        }
        if let Destination::Lane(lane) = envelope.destination {
            self.lanes.end(lane, envelope.hashes.len(), now);
        }
        self.unsaved = true;
        for hash in &envelope.hashes {
            if let Some(count) = self.in_flight.get_mut(hash) {
                *count -= 1;
                if *count == 0 {
                    self.in_flight.remove(hash);
                }
            }
        }
        self.release_held(envelope.hashes.iter().copied(), now, reader, effects)?;
        // A new lane has stored the state before the end of the envelope was counted.
        for write in &mut effects.writes {
            if let Write::SaveState { state, .. } = write {
                *state = self.encode_state();
            }
        }
        if seq == self.state.last_seq {
            self.newest_is_cleared = true;
            effects.writes.push(Write::ClearEnvelope { seq, state: self.encode_state() });
        } else {
            effects.writes.push(Write::DeleteEnvelope { seq });
        }
        Ok(())
    }
}

/// The attempts of an envelope that succeeded: runs and follow-ups.
struct Ends {
    runs: u64,
    follow_ups: u64,
}

impl Ends {
    fn of(tasks: &[(Record<'_>, Ended<'_>)]) -> Self {
        let mut ends = Self { runs: 0, follow_ups: 0 };
        for (record, _) in tasks.iter().filter(|(_, ended)| matches!(ended, Ended::Well)) {
            *(if record.stage.is_none() { &mut ends.runs } else { &mut ends.follow_ups }) += 1;
        }
        ends
    }
}

/// Adds to the error of an attempt that its run was cancelled, because this explains why no further
/// attempt follows.
fn with_cancel_note(error: &str) -> String {
    const WHY: &str = "cancelled while it ran, so it is not tried again; ";
    WHY.chars().chain(error.chars()).take(MAX_ERROR_CHARS).collect()
}

impl Engine {
    /// Requeues a failed task for its next attempt or as a dead letter, and returns which of the
    /// two. `began` is when this attempt started.
    fn requeue_failed<'a>(
        &mut self,
        record: Record<'a>,
        failure: &'a Failure,
        decision: Decision,
        (began, now): (UnixMillis, UnixMillis),
        remains: &mut Remains,
    ) -> Ended<'a> {
        let attempt = record.attempt_number();
        // A further attempt that an earlier version stored does not say when the first one began.
        // Then the due time counts.
        let first =
            if attempt > 1 { record.first_attempt_at.unwrap_or(record.start()) } else { began };
        // The policy was checked when it was stored. If this version cannot read it, the default
        // policy applies, because a failed run must be either retried or kept.
        let policy = record
            .retry
            .and_then(|retry| serde_json::from_str::<RetryInput>(retry.get()).ok())
            .and_then(|input| RetryPolicy::try_from(input).ok())
            .unwrap_or_default();
        let key = record.occurrence_key().to_string();
        let next = if failure.permanent {
            None
        } else {
            policy.next_attempt(&key, attempt, first, now, failure.earliest(now))
        };
        // No attempt is scheduled for a time at which the run has expired.
        let next = next.filter(|next| record.expires_at().is_none_or(|end| *next <= end));
        let to_queue = if decision.patched { queue_flag(&record) } else { Flags::TASK };
        let mut failed = Record {
            // A dead letter has the number of its attempts. A further attempt has its own number.
            attempt: Some(if next.is_some() { attempt.saturating_add(1) } else { attempt }),
            failed_at: Some(now),
            error: Some(Cow::Owned(cut(&failure.error))),
            first_attempt_at: Some(first),
            ..record
        };
        let mut error = Cow::Borrowed(failure.error.as_str());
        if let Some(next) = next {
            let is_paused = decision.is_paused();
            failed.not_before = Some(next).filter(|_| is_paused);
            let due = if is_paused { UnixMillis::PAUSED } else { next };
            let Err(why) = self.keep_run(&failed, due, to_queue.and(Flags::RETRY), remains) else {
                return Ended::Failed { dead: false, error };
            };
            error = Cow::Owned(cut(&format!("{why}; the attempt had failed: {}", failure.error)));
            (failed.attempt, failed.error, failed.not_before) =
                (Some(attempt), Some(error.clone()), None);
        }
        self.keep_dead(&failed, to_queue, remains);
        Ended::Failed { dead: true, error }
    }
}

fn cut(error: &str) -> String {
    error.chars().take(MAX_ERROR_CHARS).collect()
}
