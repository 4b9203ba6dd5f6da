//! Pauses of recurring tasks: where a pause begins, and which missed runs fire when it ends.

use crate::policy::{Verdict, expired, first_to_fire, late_and_others, verdict_on_missed};
use scheduler_calendar::schedule::{Occurrence, Schedule};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_CATCH_UP_RUNS;
use scheduler_model::schedule::{Overlap, Policies};

/// Returns where a pause begins. If the misfire policy fires missed runs, a run that was due before
/// the pause and has not fired belongs to the pause.
///
/// If the clock was ahead before, occurrences have fired whose time is still to come. The pause
/// begins after them.
pub(super) fn pause_start(
    of: &Schedule,
    next: Option<Occurrence>,
    catches_up: bool,
    since: UnixMillis,
) -> UnixMillis {
    let Some(next) = next else { return since };
    if next.due <= since {
        return if catches_up { next.due.plus(-1) } else { since };
    }
    if of.next_after(since) == Some(next) { since } else { next.due.plus(-1) }
}

/// Returns the time after which `new` has the runs that `former` has after `since`. So the next run
/// stays the same, whatever delays the two schedules have. Assumes that both name the same times.
pub(super) fn same_next_run(former: &Schedule, new: &Schedule, since: UnixMillis) -> UnixMillis {
    let of_new = new.next_after(since);
    let of_former = former.next_after(since).map(|next| new.occurrence(next.time));
    if of_new == of_former {
        return since;
    }
    // Without a next run, the last one has passed. Its new delay may make it due after `since`.
    of_former.map(|next| next.due.plus(-1)).or(of_new.map(|last| last.due)).unwrap_or(since)
}

/// Returns the occurrences that came due in a pause, with the verdict on each. Returns none if the
/// policy of the task drops missed runs. Occurrences that are skipped together, or that have
/// expired together, are one item with the first of them.
pub(super) fn missed_in_pause(
    schedule: &Schedule,
    policies: Policies,
    paused_at: UnixMillis,
    now: UnixMillis,
) -> Vec<(Occurrence, Verdict)> {
    let mut settled = Vec::new();
    let is_due = |run: &Occurrence| policies.catches_up && run.due <= now;
    let late = |run: Occurrence| now.since(run.due);
    let Some(mut first) = schedule.next_after(paused_at).filter(is_due) else { return settled };
    if let (Some(_), Some(limit)) = (expired(policies, late(first)), policies.expire_after_millis) {
        let last = schedule.last_due_until(first, now.plus(-limit - 1));
        settled.push((
            first,
            Verdict::Expire(late_and_others(
                "expired: it would have started",
                late(first),
                first,
                last,
            )),
        ));
        let Some(next) = schedule.following(last.time).filter(is_due) else { return settled };
        first = next;
    }
    let mut begin = Some(first);
    if late(first) > policies.grace_millis {
        let last = schedule.last_due_until(first, now.plus(-policies.grace_millis - 1));
        begin = first_to_fire(schedule, policies.misfire, first, last)
            .or_else(|| schedule.following(last.time).filter(is_due));
    }
    // If its runs must not overlap, one missed run of the task fires.
    let most = if policies.overlap == Overlap::Allow { MAX_CATCH_UP_RUNS } else { 1 };
    let last = schedule.last_due_until(first, now);
    begin = begin.map(|begin| schedule.last_runs(begin, last, most));
    if begin != Some(first) {
        let skipped =
            begin.map_or(last, |begin| schedule.last_due_until(first, begin.due.plus(-1)));
        settled.push((
            first,
            Verdict::Skip(late_and_others(
                "missed: it would have fired",
                late(first),
                first,
                skipped,
            )),
        ));
    }
    let runs = std::iter::successors(begin, |run| schedule.following(run.time))
        .take_while(|run| run.time <= last.time);
    settled.extend(runs.map(|run| {
        let is_missed = late(run) > policies.grace_millis;
        (run, if is_missed { verdict_on_missed(policies, late(run)) } else { Verdict::Fire })
    }));
    settled
}
