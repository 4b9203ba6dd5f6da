//! Explains why a task did or did not fire, and when it will.

use super::Engine;
use super::history::json;
use crate::budget::MAX_IN_FLIGHT_TASKS;
use crate::config::Keep;
use crate::decisions::{Decision, FlightRef, Stop};
use crate::ended_run::of_task;
use crate::entry_ref::EntryRef;
use crate::envelopes::records_of;
use crate::error::EngineError;
use crate::last_attempt::LastAttempt;
use crate::reader::Reader;
use crate::sentences::{
    counted, explain_excluded, explain_policies, explain_time, noted, paused_since, run_of, starts,
};
use scheduler_calendar::ordered::sort_by_key;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::address::task_path;
use scheduler_model::bounds::MAX_EXPLAINED_RUNS;
use scheduler_model::dead_letter::DeadLetterId;
use scheduler_model::explain::{Explanation, Flight, FlightDecision, NextRun, ReasonCode};
use scheduler_model::format::history::Outcome;
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::{LaneNumber, ScheduleNumber};
use scheduler_model::protocol::RunsRequest;
use scheduler_model::schedule::Overlap;
use scheduler_model::task::Record;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What the history says about the end of a task.
#[derive(Default)]
struct Ending {
    /// The newest attempt. `None` if the task was cancelled after it.
    last: Option<LastAttempt>,
    /// When the task was cancelled and by which key, if it has not fired since.
    cancelled: Option<(UnixMillis, String)>,
}

impl Engine {
    /// Explains the state of the task with this id. Returns no reason if the shard knows nothing
    /// about it.
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged.
    pub fn explain(
        &self,
        id: &str,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<Explanation, EngineError> {
        let item = self.get(id, reader)?;
        let record = item.as_ref().map(|item| Record::parse(item.record.get().as_bytes()));
        let record = record.and_then(Result::ok);
        let mut explanation = Explanation {
            status: item.as_ref().map(|item| item.status),
            created_at: record.as_ref().and_then(|record| record.created_at),
            updated_at: record.as_ref().and_then(|record| record.updated_at),
            created_by: record.as_ref().and_then(|record| owned(&record.created_by)),
            paused_at: record.as_ref().and_then(|record| record.paused_at),
            paused_by: record.as_ref().and_then(|record| owned(&record.paused_by)),
            pause_note: record.as_ref().and_then(|record| owned(&record.pause_note)),
            when: record.as_ref().and_then(|record| RawValue::from_string(record.when()).ok()),
            ..Explanation::default()
        };
        let Ending { last, cancelled } = self.explain_history(id, now, reader, &mut explanation)?;
        let mut of_hash: Vec<EntryRef> =
            self.tasks.find(self.id_hash(id)).filter(|at| !self.is_dead_letter(*at)).collect();
        // The task itself comes first, then further attempts of earlier occurrences, then the
        // newest dead letters.
        sort_by_key(&mut of_hash, |at| (self.flags_of(*at).has(Flags::RETRY), self.due_of(*at)));
        let more = of_hash.len().saturating_sub(MAX_EXPLAINED_RUNS);
        let mut found = Vec::new();
        for at in of_hash.into_iter().take(MAX_EXPLAINED_RUNS) {
            if self.id_of(at, reader)? == id {
                found.push(at);
            }
        }
        let is_waiting = !found.is_empty();
        let mut dead = Vec::new();
        // Examines more dead letters than it reports, because another id may have the same hash.
        let letters_of_hash = self.dead_letters_of(self.id_hash(id));
        for at in letters_of_hash.iter().copied().take(2 * MAX_EXPLAINED_RUNS) {
            let text = self.record_of(at, reader)?;
            if Record::parse(&text).is_ok_and(|record| record.id == id) {
                dead.push(at);
            }
        }
        for at in found {
            self.explain_waiting(at, now, reader, &mut explanation)?;
        }
        if more > 0 {
            // The other runs usually wait for the same reason as the last one that is explained.
            let code = explanation
                .reasons
                .last()
                .map(|reason| reason.code)
                .filter(|code| *code == ReasonCode::Limited);
            explanation.add(
                code.unwrap_or(ReasonCode::Retrying),
                format!(
                    "And {}.",
                    counted(more as u64, "more run of it waits", "more runs of it wait")
                ),
            );
        }
        self.explain_in_flight(id, reader, &mut explanation)?;
        let shown = dead.len().min(MAX_EXPLAINED_RUNS);
        for at in dead.into_iter().take(shown) {
            self.explain_waiting(at, now, reader, &mut explanation)?;
        }
        let letters = letters_of_hash.len();
        if letters > shown && shown > 0 {
            let more = (letters - shown) as u64;
            let more =
                counted(more, "more dead letter of it is kept", "more dead letters of it are kept");
            explanation.add(ReasonCode::DeadLettered, format!("And {more}."));
        }
        if letters >= self.config.max_dead_letters {
            let detail = format!(
                "It has {letters} dead letters, the most that are kept of an id: a further one takes the place of the oldest."
            );
            explanation.add(ReasonCode::DeadLettered, detail);
        }
        let is_running =
            explanation.in_flight.iter().any(|of| of.decided != Some(FlightDecision::Cancelled));
        if let Some((at, by)) = cancelled.filter(|_| !is_waiting && !is_running) {
            let by = if by.is_empty() {
                "a key of the deployment".to_owned()
            } else {
                format!("the API key {by:?}")
            };
            explanation
                .add(ReasonCode::Cancelled, format!("It was cancelled at {} by {by}.", at.shown()));
        }
        if let Some(last) = last.filter(|_| explanation.reasons.is_empty()) {
            let keeps_all =
                self.config.history == Keep::All && self.state.counters.dead_letters_displaced == 0;
            let (code, detail) = last.explain(keeps_all);
            explanation.add(code, detail);
        }
        Ok(explanation)
    }

    /// Adds the newest attempts of the history and the last dispatched run. Returns what the
    /// history says about the end of the task.
    fn explain_history(
        &self,
        id: &str,
        now: UnixMillis,
        reader: &dyn Reader,
        explanation: &mut Explanation,
    ) -> Result<Ending, EngineError> {
        let (mut ending, mut fired_since) = (Ending::default(), None);
        let mut is_newest = true;
        // The last run is usually among the newest attempts, so the search ends with them.
        let Explanation { recent_runs, last_run, .. } = explanation;
        let request = RunsRequest::of_task(id, None, usize::MAX);
        self.look_back(&request, usize::MAX, now, reader, &mut |_, past| {
            let is_run = past.run.stage.is_empty() && past.run.was_dispatched;
            let is_recent = recent_runs.len() < MAX_EXPLAINED_RUNS;
            if std::mem::take(&mut is_newest) {
                ending.last = LastAttempt::of(past);
            }
            if past.run.outcome != Outcome::Cancelled {
                fired_since = fired_since.max(Some(past.fired_at));
            } else if is_recent
                && ending.cancelled.is_none()
                && fired_since <= Some(past.reported_at)
            {
                ending.cancelled = Some((past.reported_at, past.run.by.clone().into_owned()));
            }
            if is_recent || is_run {
                let run = json(&of_task(past))?;
                if is_run && last_run.is_none() {
                    *last_run = Some(run.clone());
                }
                if is_recent {
                    recent_runs.push(run);
                }
            }
            Ok(recent_runs.len() < MAX_EXPLAINED_RUNS || last_run.is_none())
        })?;
        Ok(ending)
    }

    fn explain_waiting(
        &self,
        at: EntryRef,
        now: UnixMillis,
        reader: &dyn Reader,
        explanation: &mut Explanation,
    ) -> Result<(), EngineError> {
        let text = self.record_of(at, reader)?;
        let record = Record::parse(&text)
            .map_err(|problem| EngineError::Corrupt(format!("{at}: {problem}")))?;
        if let EntryRef::Schedule(number) = at {
            self.explain_schedule(number, &record, now, explanation);
            return Ok(());
        }
        let (flags, due) = (self.flags_of(at), self.due_of(at));
        let run = run_of(record.time, record.stage.as_deref());
        let error = record.error.as_deref().unwrap_or("no error is known");
        if flags.has(Flags::DEAD_LETTER) {
            let died = record.failed_at.map(|at| format!(" at {}", at.shown())).unwrap_or_default();
            let path = DeadLetterId::of(&record).path();
            let detail = format!(
                "{run} failed for good{died}, at attempt {}: {}. Replay it with POST {path}/replay, or discard it with DELETE {path}.",
                record.attempt_number(),
                error.trim_end_matches('.')
            );
            explanation.add(ReasonCode::DeadLettered, detail);
        } else if due == UnixMillis::NO_LANE {
            let detail = format!(
                "{run} waits until its shard, which has tasks of {} keys of limits, has room for its key.",
                self.config.max_lanes
            );
            explanation.add(ReasonCode::Limited, detail);
        } else if due == UnixMillis::HELD {
            explanation.add(
                ReasonCode::Held,
                format!("{run} waits for the end of the run before, as its overlap policy queue-one says."),
            );
        } else if due == UnixMillis::PAUSED {
            let path = task_path(&record.id);
            let then = if record.not_before == Some(UnixMillis::HELD) {
                " and when the run before has ended"
            } else {
                ""
            };
            explanation.add(
                ReasonCode::Paused,
                format!(
                    "It is paused{}: it fires when it is resumed (POST {path}/resume){then}.{}",
                    paused_since(record.paused_at, &record),
                    noted(&record)
                ),
            );
        } else if due == UnixMillis::NEVER {
            let path = task_path(&record.id);
            explanation.add(
                ReasonCode::Unscheduled,
                format!("It has no schedule: it fires when you request it (POST {path}/run)."),
            );
        } else if flags.has(Flags::RETRY)
            && record.attempt_number() == 1
            && self.explain_limited(&run, at, due, now, explanation)
        {
            // The first attempt of such a run waits for nothing else.
        } else if flags.has(Flags::RETRY) {
            let attempt = record.attempt_number();
            let detail = if attempt > 1 {
                let starts = starts(&format!("attempt {attempt}"), due, now);
                format!("{run}: the attempt before failed ({error}); {starts}.")
            } else if let Some(at) = record.replayed_at {
                format!("{run} was requested at {}; {}.", at.shown(), starts("it", due, now))
            } else {
                format!("{}.", starts(&run, due, now))
            };
            explanation.add(ReasonCode::Retrying, detail);
            self.explain_circuit(&record, now, explanation);
            self.explain_late(at, due, now, explanation);
        } else {
            let time = record.time.unwrap_or(due);
            let next = NextRun { time, due };
            explanation.next_run = Some(next);
            explain_time(&record, next, now, explanation);
            self.explain_circuit(&record, now, explanation);
            self.explain_late(at, due, now, explanation);
            explain_policies(record.policies(), explanation);
        }
        Ok(())
    }

    fn explain_schedule(
        &self,
        number: ScheduleNumber,
        record: &Record<'_>,
        now: UnixMillis,
        explanation: &mut Explanation,
    ) {
        let Some(schedule) = self.tasks.schedule(number) else { return };
        let policies = schedule.policies;
        if let Some(since) = schedule.paused_at {
            let then = if policies.catches_up {
                "its misfire policy decides about the runs until then"
            } else {
                "the runs until then do not fire"
            };
            explanation.add(
                ReasonCode::Paused,
                format!(
                    "It is paused{}: it continues when it is resumed (POST {}/resume), and {then}.{}",
                    paused_since(Some(record.paused_at.unwrap_or(since)), record),
                    task_path(&record.id),
                    noted(record),
                ),
            );
            return;
        }
        let Some(next) = schedule.next else { return };
        let next = NextRun { time: next.time, due: next.due };
        explanation.next_run = Some(next);
        explain_time(record, next, now, explanation);
        explain_excluded(&schedule.schedule, next, now, explanation);
        self.explain_circuit(record, now, explanation);
        self.explain_overdue(next.due, now, explanation);
        if policies.overlap != Overlap::Allow && self.is_running(self.id_hash(&record.id)) {
            let is_next_held = self.held_of(self.id_hash(&record.id)).next().is_some();
            let then = if policies.overlap == Overlap::Skip || is_next_held {
                "is skipped"
            } else {
                "waits for it"
            };
            explanation.add(
                ReasonCode::Overlap,
                format!(
                    "The run before has not ended: if it has not by then, the next one {then}."
                ),
            );
        }
        explain_policies(policies, explanation);
    }

    /// Explains that a due entry waits for its turn or is overdue.
    fn explain_late(
        &self,
        at: EntryRef,
        due: UnixMillis,
        now: UnixMillis,
        explanation: &mut Explanation,
    ) {
        if !self.explain_limited("It", at, due, now, explanation) {
            self.explain_overdue(due, now, explanation);
        }
    }

    /// Explains that an entry waits for its limit. Returns whether it does.
    fn explain_limited(
        &self,
        what: &str,
        at: EntryRef,
        due: UnixMillis,
        now: UnixMillis,
        explanation: &mut Explanation,
    ) -> bool {
        let lane = match at {
            EntryRef::Schedule(_) => LaneNumber::MAIN,
            EntryRef::Page(at) => {
                self.tasks.page(at.page).map_or(LaneNumber::MAIN, |page| page.directory.lane())
            }
        };
        let Some((key, in_flight)) = self.lanes.describe(lane).filter(|_| due <= now) else {
            return false;
        };
        let in_flight = counted(
            in_flight.into(),
            "run of the key is in flight",
            "runs of the key are in flight",
        );
        let waiting = counted(self.tasks.due_in(lane, now) as u64, "task waits", "tasks wait");
        let detail = format!(
            "{what} waits for its turn by the limit of its key {key:?}: on its shard {in_flight}, and {waiting}. GET /v1/limits shows those of all shards."
        );
        explanation.add(ReasonCode::Limited, detail);
        true
    }

    fn explain_overdue(&self, due: UnixMillis, now: UnixMillis, explanation: &mut Explanation) {
        let late = now.since(due);
        if late <= self.config.fire_gap_millis {
            return;
        }
        let why = if self.in_flight_tasks() >= MAX_IN_FLIGHT_TASKS || self.dispatch_room() == 0 {
            "the shard has dispatched as many tasks as it may and waits for reports of their outcomes"
        } else {
            "the shard has not come to it yet; if its alarm is late, the watchdog wakes it within five minutes"
        };
        explanation.add(ReasonCode::Overdue, format!("It is {} s late: {why}.", late / 1_000));
    }

    /// Explains the attempts in flight, newest first.
    fn explain_in_flight(
        &self,
        id: &str,
        reader: &dyn Reader,
        explanation: &mut Explanation,
    ) -> Result<(), EngineError> {
        let hash = self.id_hash(id);
        if !self.in_flight.contains_key(&hash) {
            return Ok(());
        }
        let of_it =
            self.outbox.iter().rev().filter(|(_, envelope)| envelope.hashes.contains(&hash));
        for (seq, envelope) in of_it.take(MAX_EXPLAINED_RUNS) {
            if explanation.in_flight.len() >= MAX_EXPLAINED_RUNS {
                break;
            }
            let text = reader.envelope(*seq)?;
            let (fired_at, records) = records_of(&text, *seq)?;
            let room = MAX_EXPLAINED_RUNS - explanation.in_flight.len();
            for (index, record) in
                (0..).zip(&records).filter(|(_, record)| record.id == id).take(room)
            {
                let decision = self.decisions.at(FlightRef { seq: *seq, index });
                let flight = Flight {
                    time: record.time.unwrap_or(UnixMillis::ZERO),
                    attempt: record.attempt_number(),
                    fired_at,
                    sent_again: envelope.attempts,
                    sent_again_at: envelope.resend_at,
                    decided: decided_of(decision),
                };
                let again = if flight.sent_again > 0 {
                    format!(
                        " It was sent again {}.",
                        counted(flight.sent_again.into(), "time", "times")
                    )
                } else {
                    String::new()
                };
                let then = flight.sent_again_at.shown();
                let then = match flight.decided {
                    Some(FlightDecision::Cancelled) => {
                        " It was cancelled while it ran: this attempt ends, and no other starts."
                            .to_owned()
                    }
                    Some(FlightDecision::Paused) => {
                        format!(
                            " It was paused while it ran: without a report by {then}, or if this attempt fails, it waits to be resumed."
                        )
                    }
                    None => format!(" Without a report it is sent again at {then}."),
                };
                let patched = if decision.patched {
                    " It was patched while it ran: a further attempt has the new fields."
                } else {
                    ""
                };
                let detail = format!(
                    "{}: attempt {} was dispatched at {} and has not been reported.{again}{then}{patched}",
                    run_of(record.time, record.stage.as_deref()),
                    flight.attempt,
                    fired_at.shown(),
                );
                explanation.add(ReasonCode::InFlight, detail);
                explanation.in_flight.push(flight);
            }
        }
        let more = self
            .in_flight
            .get(&hash)
            .map_or(0, |attempts| *attempts as usize)
            .saturating_sub(explanation.in_flight.len());
        if more > 0 && !explanation.in_flight.is_empty() {
            let more = counted(
                more as u64,
                "more attempt of it is in flight",
                "more attempts of it are in flight",
            );
            explanation.add(ReasonCode::InFlight, format!("And {more}."));
        }
        Ok(())
    }
}

fn owned(text: &Option<Cow<'_, str>>) -> Option<String> {
    text.clone().map(Cow::into_owned)
}

fn decided_of(decision: Decision) -> Option<FlightDecision> {
    decision.stop.map(|stop| match stop {
        Stop::Cancelled => FlightDecision::Cancelled,
        Stop::Paused => FlightDecision::Paused,
    })
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
