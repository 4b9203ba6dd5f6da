//! Searches the runs that exclusions leave.
//!
//! Each step of a search jumps: to the next run of the rule, to the next day that is not excluded,
//! or to the end of an excluded time of day. So it ends with the calendar, after a number of steps
//! that depends neither on the number of runs nor on where the search begins.

use super::clock::Clock;
use super::days::Months;
use super::{DAY, Exclusions, Instead, MAX_MOVE_DAYS};
use crate::steps::{are_left, count_steps};
use crate::time::UnixMillis;
use chrono::NaiveDate;
use std::cell::Cell;

/// The most by which a run that moves, or the begin of a day, differs from the run that it moves
/// from, in milliseconds.
const FARTHEST_MOVE: i64 = (MAX_MOVE_DAYS + 3) * DAY;

/// After this many consecutive excluded runs, a search checks whether any run can be left while the
/// clock does not change.
const FEW_MISSES: u32 = 8;

/// A rule whose runs are searched. Days are numbers since 1970-01-01, and times of day are
/// milliseconds.
pub(crate) trait Source {
    /// Returns the first run strictly after `after`. May return `None` if that run is after
    /// `until`.
    fn next_until(&self, after: UnixMillis, until: UnixMillis) -> Option<UnixMillis>;

    /// Returns whether at most one of its runs moves to each day.
    fn moves_one_a_day(&self) -> bool;

    /// Returns the days of a month, from bit 1, on which runs may be while the clock does not
    /// change. `first` is the first day of the month, and `known` is a day with a run.
    fn days_of(&self, first: NaiveDate, known: i64) -> u32;

    /// Returns the first time of day at or after `from` at which runs may be while the clock does
    /// not change. `known` is the time of day of a run.
    fn time_from(&self, from: i64, known: i64) -> Option<i64>;

    /// Returns what `time_from` depends on.
    fn phase_of(&self, known: i64) -> i64;
}

/// A run that is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Left {
    pub(crate) time: UnixMillis,
    /// The run of the rule that has moved here; `None` if the rule has a run here.
    pub(crate) from: Option<UnixMillis>,
    /// The local time to which the run has moved, in milliseconds. The clock may jump over it.
    pub(crate) asked: i64,
}

impl Left {
    fn unmoved(time: UnixMillis) -> Self {
        Self { time, from: None, asked: 0 }
    }
}

/// One search.
struct Search<'s> {
    exclusions: &'s Exclusions,
    months: Months<'s>,
    clock: Clock,
    source: &'s dyn Source,
    /// The last time at which a run of the rule matters.
    until: UnixMillis,
    /// The runs that were excluded so far.
    misses: Cell<u32>,
    /// Whether any time of day of the rule is not excluded while the clock does not change, for the
    /// last [phase](Source::phase_of) that was asked for.
    has_open_time: Cell<Option<(i64, bool)>>,
}

impl Exclusions {
    fn search<'s>(&'s self, source: &'s dyn Source, until: UnixMillis) -> Search<'s> {
        Search {
            exclusions: self,
            months: Months::of(&self.days),
            clock: Clock::of(self.timezone),
            source,
            until,
            misses: Cell::new(0),
            has_open_time: Cell::new(None),
        }
    }

    /// Returns the first run strictly after `after`. May return `None` if that run is after
    /// `until`.
    pub(crate) fn next_after(
        &self,
        after: UnixMillis,
        until: UnixMillis,
        source: &dyn Source,
    ) -> Option<Left> {
        match self.instead {
            Instead::Skip => self.search(source, until).next_unmoved(after).map(Left::unmoved),
            _ => self.search(source, until.plus(FARTHEST_MOVE)).next_moved(after),
        }
    }

    /// Returns the first excluded run of the rule strictly after `after`, up to `until`, whatever
    /// becomes of it.
    pub(crate) fn next_left_out(
        &self,
        after: UnixMillis,
        until: UnixMillis,
        source: &dyn Source,
    ) -> Option<UnixMillis> {
        self.search(source, until).next_excluded(after, |_, _| None)
    }

    /// Returns the first excluded run of the rule strictly after `after`, up to `until`, that does
    /// not move to `after` or before it.
    pub(crate) fn next_excluded(
        &self,
        after: UnixMillis,
        until: UnixMillis,
        source: &dyn Source,
    ) -> Option<UnixMillis> {
        let search = self.search(source, until);
        search.next_excluded(after, |day, run| search.end_of_passed(day, run, after))
    }
}

impl Search<'_> {
    /// Takes a step. Returns `None` if no step is left.
    fn goes_on(&self) -> Option<()> {
        count_steps(1);
        are_left().then_some(())
    }

    /// Returns the first run of the rule after `after`, up to `until`.
    fn run_after(&self, after: UnixMillis, until: UnixMillis) -> Option<UnixMillis> {
        self.goes_on()?;
        self.source.next_until(after, until).filter(|run| *run <= until)
    }

    /// Returns the first run of the rule after `after`, up to `until`, that is not at an excluded
    /// time of day.
    fn next_open(&self, mut after: UnixMillis, until: UnixMillis) -> Option<UnixMillis> {
        loop {
            let run = self.run_after(after, until)?;
            match self.end_of_time(run, self.clock.day_of(run)) {
                None => return Some(run),
                Some(end) => after = self.after_time(run, end),
            }
        }
    }

    /// Returns the time after which the search continues behind a run at an excluded time of day
    /// that ends at `end`.
    fn after_time(&self, run: UnixMillis, end: UnixMillis) -> UnixMillis {
        let after = end.plus(-1).max(run);
        match self.end_of_steady(run) {
            Some(steady) if !self.has_open_time(run) => steady.max(after),
            _ => after,
        }
    }

    /// Returns the time after which the search continues behind a run on an excluded day, if `open`
    /// is the next day that is not excluded.
    fn after_day(&self, run: UnixMillis, day: i64, open: i64) -> UnixMillis {
        let after = self.clock.end_before(open).max(run);
        let Some(end) = self.end_of_steady(run) else { return after };
        let of_rule = |first: NaiveDate| self.source.days_of(first, day);
        let last = self.clock.day_of(end) + 1;
        let day = self.months.next_open_of(open, last, &of_rule);
        day.map_or(end, |day| self.clock.end_before(day).min(end)).max(after)
    }

    /// Counts an excluded run. After [`FEW_MISSES`] of them, returns the last instant of the steady
    /// time of the clock that contains the run.
    fn end_of_steady(&self, run: UnixMillis) -> Option<UnixMillis> {
        self.misses.set(self.misses.get().saturating_add(1));
        if self.misses.get() <= FEW_MISSES { None } else { self.clock.end_of_steady(run) }
    }

    /// Returns whether the rule may have a run at a time of day that is not excluded, while the
    /// clock does not change. `run` is one of its runs.
    fn has_open_time(&self, run: UnixMillis) -> bool {
        let known = self.clock.time_on(self.clock.day_of(run), run);
        let phase = self.source.phase_of(known);
        if let Some((_, has)) = self.has_open_time.get().filter(|(of, _)| *of == phase) {
            return has;
        }
        let has = self.exclusions.open_times().any(|(begin, end)| {
            count_steps(1);
            self.source.time_from(begin, known).is_some_and(|time| time < end)
        });
        self.has_open_time.set(Some((phase, has)));
        has
    }

    /// Returns the end of the excluded time of day at which a run is.
    fn end_of_time(&self, run: UnixMillis, day: i64) -> Option<UnixMillis> {
        if self.exclusions.times.is_empty() {
            return None;
        }
        let time = self.clock.time_on(day, run);
        let end = self.exclusions.excluded_until(time)?;
        Some(self.clock.end_of_time(run, end - time))
    }

    /// Returns whether a day exists and is not excluded.
    fn is_open(&self, day: i64) -> bool {
        !self.months.exclude(day) && self.clock.has_day(day)
    }

    /// Returns the first day from `day` to `last` that exists and is not excluded.
    fn next_open_day(&self, mut day: i64, last: i64) -> Option<i64> {
        loop {
            let open = self.months.next_open(day, last)?;
            if self.clock.has_day(open) {
                return Some(open);
            }
            day = open + 1;
        }
    }

    /// Returns the last day from `day` back to `least` that exists and is not excluded.
    fn previous_open_day(&self, mut day: i64, least: i64) -> Option<i64> {
        loop {
            let open = self.months.previous_open(day, least)?;
            if self.clock.has_day(open) {
                return Some(open);
            }
            day = open - 1;
        }
    }

    fn next_unmoved(&self, mut after: UnixMillis) -> Option<UnixMillis> {
        loop {
            let run = self.run_after(after, self.until)?;
            let day = self.clock.day_of(run);
            let open = self.next_open_day(day, i64::MAX)?;
            after = if open > day {
                self.after_day(run, day, open)
            } else {
                match self.end_of_time(run, day) {
                    None => return Some(run),
                    Some(end) => self.after_time(run, end),
                }
            };
        }
    }

    fn next_moved(&self, after: UnixMillis) -> Option<Left> {
        // Runs that move to an earlier day are not after `after`, and neither are the runs of an
        // excluded day that move back.
        let mut day = self.next_open_day(self.clock.day_of(after), i64::MAX)?;
        loop {
            if let Some(found) = self.first_on(day, after) {
                return Some(found);
            }
            // Between this day and the next run, nothing moves.
            let run = self.next_open(self.clock.end_before(day + 1), self.until)?;
            let of_run = self.clock.day_of(run).max(day + 1);
            let later = self.next_open_day(of_run, i64::MAX);
            let earlier = || {
                let earlier = self.previous_open_day(of_run, of_run - MAX_MOVE_DAYS);
                earlier.filter(|earlier| *earlier > day)
            };
            day = match self.exclusions.instead {
                Instead::Previous if later != Some(of_run) => earlier().or(later)?,
                _ => later?,
            };
        }
    }

    /// Returns the first run after `after` on a day that is not excluded: a run of the rule on that
    /// day, or one that moves there.
    fn first_on(&self, day: i64, after: UnixMillis) -> Option<Left> {
        let begin = self.clock.begin_of(day);
        let own = self
            .next_open(after.max(begin.plus(-1)), self.clock.end_before(day + 1))
            .map(Left::unmoved);
        // The excluded days next to it, whose runs move here.
        let (first, end) = if self.exclusions.instead == Instead::Next {
            let least = day - MAX_MOVE_DAYS;
            (self.previous_open_day(day - 1, least).map_or(least, |open| open + 1), day)
        } else {
            let last = day + MAX_MOVE_DAYS;
            (day + 1, self.next_open_day(day + 1, last).unwrap_or(last + 1))
        };
        let takes_one = self.source.moves_one_a_day();
        let least = if takes_one || after < begin { 0 } else { self.clock.time_after(day, after) };
        if first >= end || least >= DAY {
            return own;
        }
        let (mut before, last) = (self.clock.end_before(first), self.clock.end_before(end));
        let mut moved: Option<Left> = None;
        while let Some(run) = self.next_open(before, last) {
            let from = self.clock.day_of(run);
            let found = self.first_from(from, least, day);
            moved = moved.into_iter().chain(found).min();
            before = self.clock.end_before(from + 1).max(run);
        }
        let moved = moved.filter(|moved| moved.time > after);
        own.into_iter().chain(moved).min()
    }

    /// Returns the first run that moves from the day `from` to the day `to`, of the runs whose time
    /// of day is `least` or later.
    fn first_from(&self, from: i64, least: i64, to: i64) -> Option<Left> {
        let parts = self.clock.parts_of(from).into_iter();
        let parts = parts.filter(|(begin, end)| begin < end);
        parts.filter_map(|part| self.first_of_part(part, from, least, to)).min()
    }

    /// Does the same for a part of the day `from` in which the clock does not change.
    fn first_of_part(
        &self,
        (begin, end): (UnixMillis, UnixMillis),
        from: i64,
        mut least: i64,
        to: i64,
    ) -> Option<Left> {
        loop {
            let behind = from * DAY + least - self.clock.shown(begin);
            let after = begin.plus(if least == 0 { 0 } else { behind.max(0) }).plus(-1);
            let run = self.next_open(after, end.plus(-1))?;
            let asked = to * DAY + self.clock.time_on(from, run);
            let time = self.clock.instant(asked);
            let shown = self.clock.shown(time);
            // The clock may jump over the time, and show an excluded time instead.
            let is_excluded = shown != asked && {
                let day = self.clock.day_of(time);
                let time_of_day = self.clock.time_on(day, time);
                self.exclusions.excluded_until(time_of_day).is_some()
            };
            if !is_excluded {
                return Some(Left { time, from: Some(run), asked });
            }
            // So it does for all times up to the end of the gap.
            least = (shown - to * DAY).max(least + 1);
        }
    }

    /// Returns the first excluded run of the rule after `after`. `end_of_passed` returns, for an
    /// excluded day and a run on it, up to when the runs of that day do not count; `None` if the
    /// run counts.
    fn next_excluded(
        &self,
        mut after: UnixMillis,
        end_of_passed: impl Fn(i64, UnixMillis) -> Option<UnixMillis>,
    ) -> Option<UnixMillis> {
        loop {
            let run = self.run_after(after, self.until)?;
            let day = self.clock.day_of(run);
            if self.end_of_time(run, day).is_some() {
                return Some(run);
            }
            after = if self.is_open(day) {
                self.before_excluded(day, run)?.max(run)
            } else {
                match end_of_passed(day, run) {
                    None => return Some(run),
                    Some(end) => end.max(run),
                }
            };
        }
    }

    /// Returns a time after a run on an open day, so that no run in between is excluded.
    fn before_excluded(&self, day: i64, run: UnixMillis) -> Option<UnixMillis> {
        if self.exclusions.times.is_empty() {
            let last = self.clock.day_of(self.until);
            return Some(self.clock.end_before(self.months.next_excluded(day + 1, last)?));
        }
        self.before_excluded_time(day, run)
    }

    /// Returns a time after a run that is not at an excluded time of day, so that no run in between
    /// is.
    fn before_excluded_time(&self, day: i64, run: UnixMillis) -> Option<UnixMillis> {
        let time = self.clock.time_on(day, run);
        let parts = self.clock.parts_of(day);
        let end = parts.iter().map(|(_, end)| *end).find(|end| *end > run)?;
        let next = self.exclusions.next_excluded_time(time);
        Some(next.map_or(end, |next| run.plus(next - time).min(end)).plus(-1))
    }

    /// Returns up to when the runs of an excluded day move to `passed` or before it. Returns `None`
    /// if `run`, which is on that day, does not.
    fn end_of_passed(&self, day: i64, run: UnixMillis, passed: UnixMillis) -> Option<UnixMillis> {
        if self.exclusions.instead != Instead::Previous {
            return None;
        }
        let to = self.previous_open_day(day - 1, day - MAX_MOVE_DAYS)?;
        if self.clock.instant(to * DAY + self.clock.time_on(day, run)) > passed {
            return None;
        }
        let left = self.clock.time_after(to, passed);
        let end = self.clock.instant(day * DAY + left).plus(-1);
        if self.exclusions.times.is_empty() {
            return Some(end);
        }
        self.before_excluded_time(day, run).map(|before| before.min(end))
    }
}
