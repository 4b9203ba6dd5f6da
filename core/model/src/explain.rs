//! Explanations of why a task did or did not fire.

use crate::protocol::{Status, TaskRun};
use crate::schedule::CalendarExclusions;
use crate::task::Record;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Why a task has the status that it has.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// What it waits for. Absent if nothing of it waits or is in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// When the task was created, milliseconds since 1970, as the task says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i64>")]
    pub created_at: Option<UnixMillis>,
    /// When its definition was last changed, milliseconds since 1970, as the task says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i64>")]
    pub updated_at: Option<UnixMillis>,
    /// The name of the API key that created it, as the task says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// When the task was paused, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i64>")]
    pub paused_at: Option<UnixMillis>,
    /// The name of the API key that paused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_by: Option<String>,
    /// Why it was paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_note: Option<String>,
    /// The schedule of the task as a sentence in English, which `/v1/parse` reads as the same
    /// schedule. Absent if the task has no schedule, or nothing of it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentence: Option<String>,
    /// The fields that say when, as the text of a record. A shard sends them to the coordinator,
    /// which writes the sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub when: Option<Box<RawValue>>,
    /// The reasons, the most important first.
    pub reasons: Vec<Reason>,
    /// When it fires next, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_run: Option<NextRun>,
    /// Some of the attempts that were dispatched and not reported, newest first.
    pub in_flight: Vec<Flight>,
    /// The last attempt of a run that was dispatched and has ended: neither a follow-up nor a run
    /// that was skipped, expired or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<TaskRun<'static>>")]
    pub last_run: Option<Box<RawValue>>,
    /// The last attempts, newest first: some of those that `/runs` lists.
    #[schemars(with = "Vec<TaskRun<'static>>")]
    pub recent_runs: Vec<Box<RawValue>>,
}

/// A part of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The code, for programs.
    pub code: ReasonCode,
    /// The text, for people.
    pub detail: String,
}

/// The kinds of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ReasonCode {
    /// It waits for its time. If that has passed, it waits for its turn.
    Scheduled,
    /// It fires later than its requested time.
    PutOff,
    /// `exclude` leaves out a run before the next one, or has moved the next one.
    Excluded,
    /// Its time has passed, and it has not fired.
    Overdue,
    /// Its time has passed, and it waits until the limit of its key has room for it.
    Limited,
    /// Its destination does not answer, so its due runs wait.
    CircuitOpen,
    /// It is paused.
    Paused,
    /// It has no schedule.
    Unscheduled,
    /// It waits for the end of the previous run.
    Held,
    /// A further attempt, a requested run or a follow-up of it waits.
    Retrying,
    /// An attempt is dispatched and not reported.
    InFlight,
    /// A run of it has failed for good, and is kept until you replay or discard it.
    DeadLettered,
    /// It was cancelled, and nothing of it waits.
    Cancelled,
    /// Its last run has ended, and nothing of it waits.
    Done,
    /// Its last run was skipped, and nothing of it waits.
    Skipped,
    /// Its last run expired, and nothing of it waits.
    Expired,
    /// The previous run has not ended, and runs may not overlap.
    Overlap,
    /// What would happen to it if it were late.
    Misfire,
    /// The latest time at which it may start.
    Expiry,
}

/// When a task fires next. Milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NextRun {
    /// Its nominal time, which identifies the run.
    #[schemars(with = "i64")]
    pub time: UnixMillis,
    /// When it fires.
    #[schemars(with = "i64")]
    pub due: UnixMillis,
}

/// An attempt that is dispatched and not reported. Times are milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Flight {
    /// The nominal time of the run.
    #[schemars(with = "i64")]
    pub time: UnixMillis,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// When it was dispatched.
    #[schemars(with = "i64")]
    pub fired_at: UnixMillis,
    /// How often its envelope was sent again.
    pub sent_again: u32,
    /// When its envelope is sent again if no report arrives.
    #[schemars(with = "i64")]
    pub sent_again_at: UnixMillis,
    /// What was decided about its run after the dispatch. This attempt runs to its end in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<FlightDecision>,
}

/// What was decided about a run while an attempt of it was in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum FlightDecision {
    /// It was cancelled, or another task has replaced it.
    Cancelled,
    /// It was paused: further attempts wait until it is resumed.
    Paused,
}

impl ReasonCode {
    /// Returns whether the code says how the last run of a finished task ended.
    fn is_end(self) -> bool {
        matches!(self, Self::Done | Self::Skipped | Self::Expired)
    }
}

impl Explanation {
    /// Adds a reason.
    pub fn add(&mut self, code: ReasonCode, detail: impl Into<String>) {
        self.reasons.push(Reason { code, detail: detail.into() });
    }

    /// Adds to the reason about `exclude` which calendars leave out the run. `when` are the fields
    /// that say when, as the text of a record.
    pub fn name_calendars(&mut self, when: &str, now: UnixMillis) {
        let Some(next) = self.next_run else { return };
        let excluded = |reason: &&mut Reason| reason.code == ReasonCode::Excluded;
        let Some(reason) = self.reasons.iter_mut().find(excluded) else { return };
        let Ok(record) = Record::parse(when.as_bytes()) else { return };
        let fields = record.schedule();
        // A delay does not change which runs are left out.
        let Ok(schedule) = fields.schedule(0) else { return };
        let run = schedule.moved_from(next.time);
        let Some(run) = run.or_else(|| schedule.next_excluded(now, next.time)) else { return };
        let names = CalendarExclusions::of(&fields).at(run);
        let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
        let calendars = match names.len() {
            0 => return,
            1 => "calendar",
            _ => "calendars",
        };
        let of = format!(" It is left out by the {calendars} {}.", names.join(", "));
        reason.detail.push_str(&of);
    }

    /// Adds the explanation of a shard of an older epoch. A task that waits counts more than one
    /// that does not.
    pub fn join(&mut self, mut other: Self) {
        let waits = |status: Option<Status>| {
            status.is_some_and(|status| !matches!(status, Status::Dead | Status::Running))
        };
        if waits(other.status) && !waits(self.status) || self.status.is_none() {
            std::mem::swap(self, &mut other);
        }
        self.next_run = self.next_run.or(other.next_run);
        self.when = self.when.take().or(other.when.take());
        self.last_run = self.last_run.take().or(other.last_run.take());
        self.reasons.append(&mut other.reasons);
        // A shard on which nothing of the task is left explains how its last run ended.
        if self.status.is_some() {
            self.reasons.retain(|reason| !reason.code.is_end());
        }
        self.in_flight.append(&mut other.in_flight);
        self.recent_runs.append(&mut other.recent_runs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_task_on_one_shard_hides_the_end_on_another() {
        let waits = || {
            let mut waits =
                Explanation { status: Some(Status::Scheduled), ..Explanation::default() };
            waits.add(ReasonCode::Scheduled, "It fires.");
            waits
        };
        let ended = || {
            let mut ended = Explanation::default();
            ended.add(ReasonCode::Skipped, "It was skipped.");
            ended
        };
        for (mut one, other, codes) in [
            (waits(), ended(), vec![ReasonCode::Scheduled]),
            (ended(), waits(), vec![ReasonCode::Scheduled]),
            (Explanation::default(), ended(), vec![ReasonCode::Skipped]),
        ] {
            one.join(other);
            assert_eq!(one.reasons.iter().map(|of| of.code).collect::<Vec<_>>(), codes);
        }
    }
}
