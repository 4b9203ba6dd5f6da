//! Which runs of a recurring task are left if the items of its calendars change.
//!
//! The new items decide about the runs that the task has not come to, and about no others: a run
//! that has fired does not fire again, even if it would be later by the new items.

use scheduler_calendar::rrule::MAX_COUNTED_RUNS;
use scheduler_calendar::schedule::{Occurrence, Schedule};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::routing::id_hash;
use scheduler_model::task::Record;

/// The runs that may move to the day of another one: a schedule whose runs move has at most one for
/// each hour.
const MOST_MOVED: usize = 24;

/// The milliseconds of the longest day.
const LONGEST_DAY: i64 = 25 * 3_600_000;

/// What a task has not come to by its former items.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unsettled {
    /// The first run that the task has not come to.
    pub(super) next: Option<Occurrence>,
    /// The runs that are due after this time are left, as far as they have not fired.
    pub(super) after: UnixMillis,
}

impl Unsettled {
    /// Returns what is left of a task that is not paused. The runs after `since` are to come, and
    /// `next` may be due.
    ///
    /// If the clock was ahead before, runs have fired whose time is still to come.
    pub(super) fn of_scheduled(
        former: &Schedule,
        next: Option<Occurrence>,
        since: UnixMillis,
    ) -> Self {
        let is_first = |next: &Occurrence| former.next_after(since) == Some(*next);
        let after = next.filter(|next| !is_first(next)).map_or(since, |next| next.due.plus(-1));
        Self { next, after }
    }

    /// Returns what is left of a task that is paused since this time.
    pub(super) fn of_paused(former: &Schedule, since: UnixMillis) -> Self {
        Self { next: former.next_after(since), after: since }
    }

    /// Returns the time after which `new` has the runs that are left by its items; `None` if none is
    /// left.
    pub(super) fn since(&self, former: &Schedule, new: &Schedule) -> Option<UnixMillis> {
        let left = new.since_time_of_rule(self.first_of_rule(former));
        // Another delay may make the next run due before the time from which on runs are left.
        let at_next = self.next.and_then(|next| {
            left.following(next.time.plus(-1)).filter(|run| run.time == next.time)
        });
        let first = at_next
            .map(|run| new.occurrence(run.time))
            .filter(|run| run.due <= self.after)
            .or_else(|| left.next_after(self.after).map(|run| new.occurrence(run.time)));
        // Without later runs, the last one that has fired may have a longer delay.
        let first = first?;
        let is_next = new.next_after(self.after) == Some(first);
        Some(if is_next { self.after } else { first.due.plus(-1) })
    }

    /// Returns the first time of the rule whose run has not fired.
    fn first_of_rule(&self, former: &Schedule) -> UnixMillis {
        let Some(next) = self.next else { return self.after.plus(1) };
        // Several runs may have moved to the day of the next one, in another order.
        std::iter::successors(Some(next), |run| former.following(run.time))
            .take_while(|run| run.time.since(next.time) < LONGEST_DAY)
            .take(MOST_MOVED)
            .map(|run| former.moved_from(run.time).unwrap_or(run.time))
            .fold(self.after.plus(1), UnixMillis::min)
    }
}

/// Stores in a record where its runs end, if they are counted. Of the runs that the task has not come
/// to, as many are left as of `former`.
///
/// # Errors
/// Returns an error if the record is invalid.
pub(super) fn note_final_run(
    record: Vec<u8>,
    former: &Schedule,
    unsettled: &Unsettled,
) -> Result<Vec<u8>, String> {
    let mut read = Record::parse(&record).map_err(|problem| problem.to_string())?;
    let mut schedule =
        read.schedule().schedule(id_hash(&read.id)).map_err(|problem| problem.to_string())?;
    if read.max_runs.is_none() && schedule.last() == former.last() {
        return Ok(record);
    }
    let since = unsettled.since(former, &schedule);
    let first = since.and_then(|since| schedule.next_after(since));
    // If no run is left, or if it takes too many steps to count them, the former end stays.
    let mut last = former.last();
    if let Some(first) = first {
        let is_counted = match (read.max_runs, unsettled.next) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(_), Some(next)) => {
                let left = former.count_due(next, UnixMillis::LAST, MAX_COUNTED_RUNS.into()).runs;
                let left = u32::try_from(left).unwrap_or(MAX_COUNTED_RUNS);
                schedule.end_with_run(first.time, left).is_ok()
            }
        };
        if is_counted {
            last = schedule.last_time(first.time);
        }
    }
    read.final_run = Some(last);
    let mut text = Vec::with_capacity(record.len() + 32);
    read.write(&mut text);
    Ok(text)
}
