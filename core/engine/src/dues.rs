//! The due times at which a filter may match an entry of a page or a recurring task.
//!
//! The times of a filter are compared with due times, and for dead letters with the times of death.
//! A run that does not fire by itself has its time in the record. Dead letters that earlier
//! versions stored have the time of death in the record, and are never due. Paused recurring tasks
//! are never due either.

use scheduler_calendar::time::UnixMillis;
use scheduler_model::protocol::{Filter, Status};

/// The due times that a filter may match, as ranges in rising order, both ends included.
#[derive(Debug)]
pub(super) struct Dues([Option<(UnixMillis, UnixMillis)>; 6]);

impl Dues {
    /// Returns the due times that a filter may match, from its times, its status and its `paused`.
    pub(super) fn of(filter: &Filter) -> Self {
        let wants = |statuses: &[Status]| {
            filter.status.is_none_or(|status| statuses.contains(&status))
                && filter.paused.is_none_or(|paused| {
                    statuses.iter().any(|status| (*status == Status::Paused) == paused)
                })
        };
        let (from, to) = (filter.from.unwrap_or(UnixMillis::ZERO), filter.to);
        let range = |is_wanted: bool, first: UnixMillis, last: UnixMillis| {
            (is_wanted && first <= last).then_some((first, last))
        };
        let live = to.unwrap_or(UnixMillis::FIRST_DEATH).min(UnixMillis::FIRST_DEATH).plus(-1);
        let dead = to.map_or(UnixMillis::NO_LANE, UnixMillis::as_death).plus(-1);
        let never = [
            Status::Scheduled,
            Status::Retrying,
            Status::Unscheduled,
            Status::Paused,
            Status::Dead,
        ];
        let one = |is_wanted: bool, due: UnixMillis| range(is_wanted, due, due);
        Self([
            range(wants(&[Status::Scheduled, Status::Retrying]), from, live),
            range(wants(&[Status::Dead]), from.as_death(), dead),
            one(wants(&[Status::Retrying]), UnixMillis::NO_LANE),
            one(wants(&[Status::Held]), UnixMillis::HELD),
            one(wants(&[Status::Paused]), UnixMillis::PAUSED),
            one(wants(&never), UnixMillis::NEVER),
        ])
    }

    /// Returns only the due time of the runs that wait for a lane.
    pub(super) fn of_no_lane(self) -> Self {
        self.filtered(|first| first == UnixMillis::NO_LANE)
    }

    /// Returns these due times but that of the runs that wait for a lane.
    pub(super) fn but_no_lane(self) -> Self {
        self.filtered(|first| first != UnixMillis::NO_LANE)
    }

    fn filtered(self, is_kept: impl Fn(UnixMillis) -> bool) -> Self {
        Self(self.0.map(|range| range.filter(|(first, _)| is_kept(*first))))
    }

    /// Returns the first due time at `due` or later; `None` if there is none.
    pub(super) fn next(&self, due: UnixMillis) -> Option<UnixMillis> {
        let mut ranges = self.0.iter().flatten();
        ranges.find(|(_, last)| due <= *last).map(|(first, _)| due.max(*first))
    }

    /// Returns the last due time at `due` or earlier; `None` if there is none.
    pub(super) fn previous(&self, due: UnixMillis) -> Option<UnixMillis> {
        let mut ranges = self.0.iter().rev().flatten();
        ranges.find(|(first, _)| due >= *first).map(|(_, last)| due.min(*last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> UnixMillis {
        UnixMillis::new(millis)
    }

    #[test]
    fn due_times_are_found_in_both_directions() {
        let all = Dues::of(&Filter::default());
        let (death, no_lane) = (at(7).as_death(), UnixMillis::NO_LANE);
        for due in
            [at(0), at(5), death, no_lane, UnixMillis::HELD, UnixMillis::PAUSED, UnixMillis::NEVER]
        {
            assert_eq!((all.next(due), all.previous(due)), (Some(due), Some(due)));
        }
        let timed = Dues::of(&Filter { from: Some(at(5)), to: Some(at(8)), ..Filter::default() });
        for (due, next, previous) in [
            (at(0), Some(at(5)), None),
            (at(7), Some(at(7)), Some(at(7))),
            (at(8), Some(at(5).as_death()), Some(at(7))),
            (at(9).as_death(), Some(no_lane), Some(at(7).as_death())),
            (no_lane, Some(no_lane), Some(no_lane)),
        ] {
            assert_eq!((timed.next(due), timed.previous(due)), (next, previous), "{due}");
        }
        let none = Dues::of(&Filter { from: Some(at(8)), to: Some(at(5)), ..Filter::default() });
        assert_eq!(none.next(at(0)), Some(no_lane));
    }

    #[test]
    fn a_status_narrows_them() {
        let of = |status, paused| Dues::of(&Filter { status, paused, ..Filter::default() });
        let (paused, never) = (Some(UnixMillis::PAUSED), Some(UnixMillis::NEVER));
        for (status, is_paused, first) in [
            (Some(Status::Scheduled), None, Some(at(0))),
            (Some(Status::Dead), None, Some(at(0).as_death())),
            (Some(Status::Held), None, Some(UnixMillis::HELD)),
            (Some(Status::Paused), None, paused),
            (Some(Status::Unscheduled), None, never),
            (Some(Status::Running), None, None),
            (None, Some(true), paused),
            (None, Some(false), Some(at(0))),
            (Some(Status::Dead), Some(true), never),
        ] {
            assert_eq!(of(status, is_paused).next(at(0)), first, "{status:?} {is_paused:?}");
        }
        // A paused recurring task is never due.
        assert_eq!(of(Some(Status::Paused), None).previous(UnixMillis::NEVER), never);
        let not_paused = of(None, Some(false));
        assert_eq!(not_paused.next(UnixMillis::PAUSED), never);
        assert_eq!(not_paused.previous(UnixMillis::PAUSED), Some(UnixMillis::HELD));
    }
}
