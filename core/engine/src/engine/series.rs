//! The series of the shard: the beginnings of its points, and how they are read.

use super::Engine;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::numbers::LaneNumber;
use scheduler_model::protocol::{SeriesReply, SeriesRequest};
use scheduler_model::series::Counts;

/// The time between two counts of the late runs, in milliseconds. A count examines every page.
const LOOK_MILLIS: i64 = 5_000;
/// A run is late if its time has passed by more than this, in milliseconds. A run that comes due
/// between two firings waits for the next one, and is not late.
const LATE_MILLIS: i64 = 1_000;

impl Engine {
    /// Returns the counts since the shard was created, from which the series are computed.
    pub(super) fn totals(&self) -> Counts {
        let state = &self.state;
        Counts::of(&state.counters, &state.meter, &state.lateness)
    }

    /// Opens the points that contain the time of an input, and records the backlog.
    pub(super) fn note_series(&mut self, now: UnixMillis) {
        if self.series.must_open(now) {
            let totals = self.totals();
            self.series.open(now, &totals);
        }
        if self.series.looks_at_backlog(now, LOOK_MILLIS) {
            let backlog = self.backlog(now);
            self.series.note_backlog(backlog);
        }
    }

    /// Returns the number of late runs, including those that wait for limits.
    fn backlog(&mut self, now: UnixMillis) -> u64 {
        let late = now.plus(-LATE_MILLIS);
        // Usually no run is late, which the heads of the orders show.
        let is_late = |head: Option<UnixMillis>| head.is_some_and(|due| due < late);
        let numbers: Vec<LaneNumber> = self.lanes.numbers().collect();
        let mut backlog = 0;
        if is_late(self.tasks.head().map(|head| head.due)) {
            backlog += self.tasks.overdue(late);
        }
        for lane in numbers {
            if is_late(self.tasks.head_of(lane).map(|head| head.due)) {
                backlog += u64::from(self.tasks.due_in(lane, late.plus(-1)));
            }
        }
        backlog
    }

    /// Returns the points of one length.
    pub fn series(&mut self, request: &SeriesRequest, now: UnixMillis) -> SeriesReply {
        let backlog = self.backlog(now);
        self.series.note_backlog(backlog);
        SeriesReply { series: self.series.points(request.by, &self.totals()).to_text() }
    }
}

#[cfg(test)]
#[path = "series_tests.rs"]
mod tests;
