//! Counts the runs that come due in each part of a coming period.
//!
//! It counts what the shard will fire if nothing changes: each entry that waits with a due time, in
//! the main order and in lanes, and each occurrence of a recurring task that is not paused. It does
//! not count entries that wait for something other than their time (a resume, the end of the
//! previous run), nor attempts in flight. All of that is in memory, so it reads nothing.

use super::Engine;
use crate::error::EngineError;
use scheduler_calendar::schedule::{Counted, Occurrence, Schedule};
use scheduler_calendar::steps::steps_taken;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{FORECAST_RUN_STEPS, MAX_FORECAST_BUCKETS, MAX_FORECAST_STEPS};
use scheduler_model::forecast::Buckets;
use scheduler_model::numbers::ScheduleNumber;
use scheduler_model::protocol::ForecastReply;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The next occurrence of a recurring task that is not counted yet: its due time, its task, and its
/// nominal time.
type Uncounted = Reverse<(UnixMillis, ScheduleNumber, UnixMillis)>;

impl Engine {
    /// Counts the runs that come due in each of these buckets.
    ///
    /// # Errors
    /// [`EngineError::BadRequest`] if there is no bucket, or more than [`MAX_FORECAST_BUCKETS`].
    pub fn forecast(&self, buckets: &Buckets) -> Result<ForecastReply, EngineError> {
        self.forecast_within(buckets, MAX_FORECAST_STEPS)
    }

    /// Does the same in at most `most_steps` steps, plus those of one more search.
    pub(super) fn forecast_within(
        &self,
        buckets: &Buckets,
        most_steps: u64,
    ) -> Result<ForecastReply, EngineError> {
        let len = buckets.len();
        if !(1..=MAX_FORECAST_BUCKETS).contains(&len) {
            return Err(EngineError::BadRequest(format!("a forecast has {len} buckets")));
        }
        let mut one_shot = vec![0; len];
        for (_, page) in self.tasks.pages() {
            page.count_due(buckets, &mut one_shot);
        }
        let mut recurring = vec![0; len];
        let counted_until = self.count_recurring(buckets, most_steps, &mut recurring);
        Ok(ForecastReply { one_shot, recurring, counted_until })
    }

    /// Counts occurrences bucket by bucket: those of all recurring tasks in one bucket before the
    /// next. Returns the time before which all are counted.
    fn count_recurring(
        &self,
        buckets: &Buckets,
        most_steps: u64,
        counts: &mut [u64],
    ) -> UnixMillis {
        let before = steps_taken();
        let searched = || steps_taken().wrapping_sub(before);
        let mut uncounted: BinaryHeap<Uncounted> = BinaryHeap::new();
        for (number, schedule) in self.tasks.all_schedules() {
            if searched() >= most_steps {
                return buckets.from();
            }
            let Some(next) = schedule.next else { continue };
            let first = if next.due >= buckets.from() {
                Some(next)
            } else {
                schedule.schedule.next_after(buckets.from().plus(-1))
            };
            uncounted.extend(first.and_then(|first| within(buckets, number, first)));
        }
        let mut looked_at = 0_u64;
        while let Some(Reverse((due, number, time))) = uncounted.pop() {
            let Some((bucket, count)) =
                buckets.at(due).and_then(|at| Some((at, counts.get_mut(at)?)))
            else {
                continue;
            };
            let spent = searched().saturating_add(looked_at.saturating_mul(FORECAST_RUN_STEPS));
            let Some(schedule) = self.tasks.schedule(number).filter(|_| spent < most_steps) else {
                return buckets.start(bucket);
            };
            let most = (most_steps - spent).div_ceil(FORECAST_RUN_STEPS);
            let run = Occurrence { time, due };
            let of_bucket = count_in(&schedule.schedule, run, buckets.end(bucket), most);
            *count += of_bucket.runs;
            looked_at = looked_at.saturating_add(of_bucket.looked_at);
            uncounted.extend(of_bucket.next.and_then(|next| within(buckets, number, next)));
        }
        buckets.to()
    }
}

/// Returns the entry of an occurrence that is not counted yet, if it is due before the end of the
/// last bucket.
fn within(buckets: &Buckets, number: ScheduleNumber, next: Occurrence) -> Option<Uncounted> {
    (next.due < buckets.to()).then_some(Reverse((next.due, number, next.time)))
}

/// Counts the occurrences from `first` on that are due before `end`. Examines at most `most` of
/// them one by one, or fewer if their searches take many steps.
fn count_in(schedule: &Schedule, first: Occurrence, end: UnixMillis, most: u64) -> Counted {
    /// After this many runs, the steps of their searches count.
    const AT_ONCE: u64 = 64;
    let before = steps_taken();
    let mut all = Counted { runs: 0, looked_at: 0, next: Some(first) };
    while let Some(run) = all.next.filter(|run| run.due < end) {
        let searched = steps_taken().wrapping_sub(before) / FORECAST_RUN_STEPS;
        let left = most.saturating_sub(all.looked_at + searched);
        if left == 0 {
            break;
        }
        let Counted { runs, looked_at, next } = schedule.count_due(run, end, left.min(AT_ONCE));
        all = Counted { runs: all.runs + runs, looked_at: all.looked_at + looked_at, next };
    }
    all
}

#[cfg(test)]
#[path = "forecast_tests.rs"]
mod tests;
