//! Sentences of explanations.

use scheduler_calendar::schedule::Schedule;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::explain::{Explanation, NextRun, ReasonCode};
use scheduler_model::schedule::{Misfire, Policies};
use scheduler_model::task::Record;

/// Returns the subject of a sentence about a run, or about its follow-up `stage`.
pub(super) fn run_of(time: Option<UnixMillis>, stage: Option<&str>) -> String {
    let time = time.map(|time| format!(" of {}", time.shown())).unwrap_or_default();
    match stage {
        Some(stage) => format!("The follow-up {stage} of the run{time}"),
        None => format!("The run{time}"),
    }
}

/// Returns a number with the form of the phrase that fits it: `1 task waits`, `2 tasks wait`.
pub(super) fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// Returns a clause that says when something starts, or that it was due and waits.
pub(super) fn starts(what: &str, due: UnixMillis, now: UnixMillis) -> String {
    if due > now {
        format!("{what} starts at {}", due.shown())
    } else {
        format!("{what} was due at {} and waits for its turn", due.shown())
    }
}

/// Describes when a task was paused and by which key, as far as that is known.
pub(super) fn paused_since(at: Option<UnixMillis>, record: &Record<'_>) -> String {
    let at = at.map(|at| format!(" since {}", at.shown())).unwrap_or_default();
    let by = record.paused_by.as_ref().map(|by| format!(", by the API key {by:?}"));
    at + &by.unwrap_or_default()
}

/// Returns the note of a pause as a sentence; empty if there is none.
pub(super) fn noted(record: &Record<'_>) -> String {
    record.pause_note.as_ref().map(|note| format!(" Note: {note}")).unwrap_or_default()
}

/// Explains when a run fires, and why not at its own time.
pub(super) fn explain_time(
    record: &Record<'_>,
    NextRun { time, due }: NextRun,
    now: UnixMillis,
    explanation: &mut Explanation,
) {
    let fires = if due > now {
        format!("It fires at {}.", due.shown())
    } else {
        format!("It was due at {} and waits for its turn.", due.shown())
    };
    explanation.add(ReasonCode::Scheduled, fires);
    if due <= time {
        return;
    }
    let is_put_off = record.is_recurring() || record.due() == due;
    let requested = record.replayed_at.map(|at| format!("; it was requested at {}", at.shown()));
    let why = match (record.jitter_seconds, record.window_seconds) {
        _ if requested.is_some() => requested.unwrap_or_default(),
        (Some(_), Some(_)) if is_put_off => ": jitterSeconds and windowSeconds put it off".into(),
        (Some(_), None) if is_put_off => ": jitterSeconds puts it off".into(),
        (None, Some(_)) if is_put_off => ": windowSeconds puts it off".into(),
        _ if record.late_since.is_some() => ", which a change has moved into the past".into(),
        _ if record.updated_at.or(record.created_at).is_some_and(|given| given > time) => {
            ", which was past when it was given".into()
        }
        _ => String::new(),
    };
    let detail = format!("The time of this run is {}{why}.", time.shown());
    explanation.add(ReasonCode::PutOff, detail);
}

/// Explains what `exclude` does to the next run, or to those before it.
pub(super) fn explain_excluded(
    schedule: &Schedule,
    next: NextRun,
    now: UnixMillis,
    explanation: &mut Explanation,
) {
    let detail = match (schedule.moved_from(next.time), schedule.next_excluded(now, next.time)) {
        (Some(from), _) => {
            format!("exclude has moved this run from {} to {}.", from.shown(), next.time.shown())
        }
        (None, Some(first)) => format!("exclude leaves out the run at {}.", first.shown()),
        (None, None) => return,
    };
    explanation.add(ReasonCode::Excluded, detail);
}

/// Explains what the policies of a task do with a late run.
pub(super) fn explain_policies(of: Policies, explanation: &mut Explanation) {
    let grace = of.grace_millis as f64 / 1_000.0;
    match of.misfire {
        Misfire::Skip => explanation
            .add(ReasonCode::Misfire, format!("More than {grace} s late it would be skipped.")),
        Misfire::DeadLetter => explanation.add(
            ReasonCode::Misfire,
            format!("More than {grace} s late it would be kept as a dead letter."),
        ),
        Misfire::FireOnce => {
            explanation.add(
                ReasonCode::Misfire,
                format!("Of runs more than {grace} s late, only the last would fire."),
            );
        }
        Misfire::Fire => {}
    }
    if let Some(limit) = of.expire_after_millis {
        explanation.add(
            ReasonCode::Expiry,
            format!("It does not start later than {} s after it is due.", limit as f64 / 1_000.0),
        );
    }
}
