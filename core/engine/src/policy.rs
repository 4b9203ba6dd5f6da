//! The policies of late runs: missed runs, runs that come due while the run before is in progress,
//! and expired runs.

use crate::error::EngineError;
use crate::mem_schedule::{CaughtUp, MemSchedule};
use scheduler_calendar::schedule::{Occurrence, Schedule};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{MAX_CATCH_UP_RUNS, MAX_DEFERRED_RUNS};
use scheduler_model::format::page::Flags;
use scheduler_model::schedule::{Misfire, Policies};
use scheduler_model::task::Record;

/// What happens to a due entry or occurrence.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Verdict {
    /// It is dispatched.
    #[default]
    Fire,
    /// It waits until the previous run ends.
    Hold,
    /// It is skipped for this reason.
    Skip(String),
    /// It has expired for this reason.
    Expire(String),
    /// It becomes a dead letter for this reason.
    DeadLetter(String),
    /// The run waits until this time, because its destination does not answer.
    Wait(UnixMillis),
}

/// A due run that is not dispatched: its record, the hash of its id, the flags of its entry, and
/// the verdict.
pub(super) struct Undispatched {
    pub(super) record: Vec<u8>,
    pub(super) hash: u64,
    pub(super) flags: Flags,
    pub(super) verdict: Verdict,
}

impl Undispatched {
    /// Returns whether the verdict ends a run that had started.
    pub(super) fn ends_a_run(&self) -> bool {
        self.flags.has(Flags::RETRY) && !matches!(self.verdict, Verdict::Wait(_))
    }
}

/// Judges a due entry by its record.
pub(super) fn judge(record: &[u8], flags: Flags, now: UnixMillis) -> Result<Verdict, EngineError> {
    judge_until(record, flags, now).map(|(verdict, _)| verdict)
}

/// Judges as [`judge`] does. Also returns until when the verdict to fire stays valid.
pub(super) fn judge_until(
    record: &[u8],
    flags: Flags,
    now: UnixMillis,
) -> Result<(Verdict, UnixMillis), EngineError> {
    let record = Record::parse(record)
        .map_err(|problem| EngineError::Corrupt(format!("a record that is due: {problem}")))?;
    let policies = record.policies();
    let late = now.since(record.start());
    if let Some(expired) = expired(policies, late) {
        let error = record.error.as_deref().unwrap_or_default();
        let verdict = if has_failed(&record) {
            Verdict::DeadLetter(format!("{expired}; the last attempt had failed: {error}"))
        } else {
            Verdict::Expire(expired)
        };
        return Ok((verdict, now));
    }
    let expires = policies
        .expire_after_millis
        .map_or(UnixMillis::NEVER, |limit| record.start().plus(limit + 1));
    // A run that was dispatched before, or that was requested, is not missed.
    if flags.has(Flags::RETRY)
        || record.replayed_at.is_some()
        || matches!(policies.misfire, Misfire::Fire | Misfire::FireOnce)
    {
        return Ok((Verdict::Fire, expires));
    }
    if late <= policies.grace_millis {
        return Ok((Verdict::Fire, expires.min(record.start().plus(policies.grace_millis + 1))));
    }
    let is_skipped = policies.misfire == Misfire::Skip;
    Ok((
        if is_skipped { Verdict::Skip(missed(late)) } else { Verdict::DeadLetter(missed(late)) },
        now,
    ))
}

/// Returns whether an attempt of the run has failed. Such a run becomes a dead letter instead of
/// disappearing.
pub(super) fn has_failed(record: &Record<'_>) -> bool {
    record.attempt_number() > 1
}

/// Returns the reason for a missed run that is `late` milliseconds late.
fn missed(late: i64) -> String {
    format!("missed: it would have fired {} s late", late / 1_000)
}

/// Returns the reason why a run that is `late` milliseconds late has expired, or `None` if it has
/// not.
pub(super) fn expired(policies: Policies, late: i64) -> Option<String> {
    policies
        .expire_after_millis
        .filter(|limit| late > *limit)
        .map(|_| format!("expired: it would have started {} s late", late / 1_000))
}

/// Judges a due occurrence of a schedule, without regard to runs in progress. Also returns the last
/// occurrence that the verdict covers, because later ones may be skipped together with it.
///
/// Each wake-up judges again. A missed run for which there was no room is no longer the last one if
/// others were missed since then.
pub(super) fn judge_occurrence(
    of: &mut MemSchedule,
    occurrence: Occurrence,
    now: UnixMillis,
) -> (Verdict, Occurrence) {
    let policies = of.policies;
    let late = now.since(occurrence.due);
    let schedule = of.schedule.as_ref();
    if expired(policies, late).is_some() {
        let limit = policies.expire_after_millis.unwrap_or(0);
        let last = schedule.last_due_until(occurrence, now.plus(-limit - 1));
        let reason = late_and_others("expired: it would have started", late, occurrence, last);
        return (Verdict::Expire(reason), last);
    }
    let is_kept = of.caught_up.now == now && occurrence.due <= of.caught_up.to;
    if late <= policies.grace_millis || is_kept {
        return (
            if late > policies.grace_millis {
                verdict_on_missed(policies, late)
            } else {
                Verdict::Fire
            },
            occurrence,
        );
    }
    let last = schedule.last_due_until(occurrence, now.plus(-policies.grace_millis - 1));
    let first = first_to_fire(schedule, policies.misfire, occurrence, last);
    if first == Some(occurrence) {
        // No further run up to the last missed one is skipped.
        of.caught_up = CaughtUp { now, to: last.due };
        return (verdict_on_missed(policies, late), occurrence);
    }
    let skipped =
        first.map_or(last, |first| schedule.last_due_until(occurrence, first.due.plus(-1)));
    of.caught_up = CaughtUp { now, to: last.due };
    (
        Verdict::Skip(late_and_others("missed: it would have fired", late, occurrence, skipped)),
        skipped,
    )
}

/// Returns the first of the missed occurrences from `first` to `last` that is not skipped.
pub(super) fn first_to_fire(
    schedule: &Schedule,
    misfire: Misfire,
    first: Occurrence,
    last: Occurrence,
) -> Option<Occurrence> {
    match misfire {
        Misfire::Skip => None,
        Misfire::FireOnce => Some(last),
        Misfire::Fire | Misfire::DeadLetter => {
            Some(schedule.last_runs(first, last, MAX_CATCH_UP_RUNS))
        }
    }
}

/// Returns the reason why the runs from `first` to `last` are not dispatched. The first of them is
/// `late` milliseconds late.
pub(super) fn late_and_others(
    what: &str,
    late: i64,
    first: Occurrence,
    last: Occurrence,
) -> String {
    and_others(format!("{what} {} s late", late / 1_000), first, last)
}

/// Adds to the reason for a skipped run that others are skipped with it.
fn and_others(why: String, first: Occurrence, last: Occurrence) -> String {
    if first == last {
        why
    } else {
        format!("{why}; so would all runs up to that of {}", last.time)
    }
}

/// Returns the verdict on a missed run that is not skipped and is `late` milliseconds late.
pub(super) fn verdict_on_missed(policies: Policies, late: i64) -> Verdict {
    if policies.misfire == Misfire::DeadLetter {
        Verdict::DeadLetter(missed(late))
    } else {
        Verdict::Fire
    }
}

/// Returns the verdict on the runs of a recurring task from `first` to `last` if the most runs are
/// waiting already.
pub(super) fn no_room_to_wait(first: Occurrence, last: Occurrence) -> Verdict {
    let why = format!("waiting: {MAX_CATCH_UP_RUNS} runs of the task wait already");
    Verdict::Skip(and_others(why, first, last))
}

/// Returns the verdict on the runs of a recurring task from `first` to `last` if their destination
/// does not answer and the most runs of the task wait already.
pub(super) fn no_room_to_defer(destination: &str, first: Occurrence, last: Occurrence) -> Verdict {
    Verdict::Skip(and_others(too_many_deferred(destination), first, last))
}

/// Returns the reason why a run of a recurring task is skipped if its destination does not answer
/// and the most runs of the task wait already.
pub(super) fn too_many_deferred(destination: &str) -> String {
    format!(
        "circuit: {destination} does not answer, and {MAX_DEFERRED_RUNS} runs of the task wait already"
    )
}
