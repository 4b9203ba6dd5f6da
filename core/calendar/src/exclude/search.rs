//! Searches the runs that exclusions leave.

use super::{DAY, Exclusions, Instead, MAX_EXCLUSION_STEPS, MAX_MOVE_DAYS};
use crate::local_clock::{change_between, clock_at};
use crate::steps::{count_steps, steps_taken};
use crate::time::UnixMillis;
use crate::tz::{Reading, Tz};
use std::ops::ControlFlow;

/// The most by which a run that moves, or the begin of a day, differs from the run that it moves
/// from, in milliseconds.
const FARTHEST_MOVE: i64 = (MAX_MOVE_DAYS + 3) * DAY;

/// Returns the first run of the rule strictly after a time. May return `None` if that run is after
/// the second time.
pub(crate) type Runs<'r> = &'r dyn Fn(UnixMillis, UnixMillis) -> Option<UnixMillis>;

/// A run that is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Left {
    pub(crate) time: UnixMillis,
    /// The run of the rule that has moved here; `None` if the rule has a run here.
    pub(crate) from: Option<UnixMillis>,
}

/// One search, with the steps that it has taken.
struct Search<'s> {
    exclusions: &'s Exclusions,
    runs: Runs<'s>,
    /// The last time at which a run of the rule matters.
    until: UnixMillis,
    /// The count of [`steps_taken`] when the search began.
    begun: u64,
}

impl Exclusions {
    /// Returns the first run strictly after `after`. May return `None` if that run is after `until`.
    pub(crate) fn next_after(
        &self,
        after: UnixMillis,
        until: UnixMillis,
        runs: Runs<'_>,
    ) -> Option<Left> {
        let until = match self.instead {
            Instead::Skip => until,
            _ => until.plus(FARTHEST_MOVE),
        };
        let search = Search { exclusions: self, runs, until, begun: steps_taken() };
        match self.instead {
            Instead::Skip => search.next_unmoved(after).map(|time| Left { time, from: None }),
            _ => search.next_moved(after),
        }
    }

    /// Returns the first excluded run of the rule strictly after `after`, up to `until`, whatever
    /// becomes of it.
    pub(crate) fn next_excluded(
        &self,
        after: UnixMillis,
        until: UnixMillis,
        runs: Runs<'_>,
    ) -> Option<UnixMillis> {
        let begun = steps_taken();
        let mut run = after;
        while steps_taken().wrapping_sub(begun) < u64::from(MAX_EXCLUSION_STEPS) {
            run = runs(run, until).filter(|run| *run <= until)?;
            if self.excluded_until(self.time_on(self.day_of(run), run)).is_some()
                || self.days.excluded_until(self.day_of(run)).is_some()
            {
                return Some(run);
            }
        }
        None
    }

    /// Returns what the clock shows, in milliseconds.
    fn clock(&self, at: UnixMillis) -> i64 {
        at.get() + 1_000 * self.timezone.offset_at(at.get().div_euclid(1_000))
    }

    /// Returns the instant of a local time in milliseconds: the first of two, or the end of a gap.
    fn instant(&self, local: i64) -> UnixMillis {
        if self.timezone == Tz::UTC {
            return UnixMillis::new(local);
        }
        let (second, millis) = (local.div_euclid(1_000), local.rem_euclid(1_000));
        UnixMillis::new(match self.timezone.read(second) {
            Reading::Once(second) | Reading::Twice { first: second, .. } => second * 1_000 + millis,
            Reading::Gap { end } => end * 1_000,
        })
    }

    /// Returns when a day begins.
    fn begin_of(&self, day: i64) -> UnixMillis {
        self.instant(day.saturating_mul(DAY))
    }

    /// Returns the day that contains an instant.
    fn day_of(&self, at: UnixMillis) -> i64 {
        let day = self.clock(at).div_euclid(DAY);
        // If the clock goes back over midnight, it shows the end of a day again after the next day
        // has begun.
        if self.timezone != Tz::UTC && at >= self.begin_of(day + 1) { day + 1 } else { day }
    }

    /// Returns the time of a day, in milliseconds, at which the clock is at an instant of that day.
    fn time_on(&self, day: i64, at: UnixMillis) -> i64 {
        (self.clock(at) - day * DAY).max(0)
    }

    /// Returns the first time of a day, in milliseconds, whose instant is after `after`.
    fn time_after(&self, day: i64, after: UnixMillis) -> i64 {
        // Instants rise with local times or stay the same.
        let (mut low, mut high) = (0, DAY);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.instant(day * DAY + middle) > after {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// Returns the parts of a day in which the clock does not change: where each begins, and the
    /// first instant after it. Assumes that the clock changes at most once a day.
    fn parts_of(&self, day: i64) -> [(UnixMillis, UnixMillis); 2] {
        let (begin, end) = (self.begin_of(day), self.begin_of(day + 1));
        let whole = [(begin, end), (end, end)];
        if self.timezone == Tz::UTC || begin >= end {
            return whole;
        }
        let (first, last) = (begin.get().div_euclid(1_000), end.get().div_euclid(1_000) - 1);
        if self.timezone.offset_at(first) == self.timezone.offset_at(last) {
            return whole;
        }
        let change = UnixMillis::new(1_000 * change_between(self.timezone, first, last));
        [(begin, change), (change, end)]
    }

    /// Returns when the clock leaves the excluded time of day that it shows at `at`, and that ends
    /// `left` milliseconds later unless the clock changes before.
    fn end_of_time(&self, at: UnixMillis, left: i64) -> UnixMillis {
        let (from, to) = (at.get().div_euclid(1_000), at.plus(left).get().div_euclid(1_000));
        let offset = |at| clock_at(self.timezone, at) - at;
        if self.timezone == Tz::UTC || offset(from) == offset(to) {
            return at.plus(left);
        }
        UnixMillis::new(1_000 * change_between(self.timezone, from, to))
    }
}

impl Search<'_> {
    /// Returns whether steps are left.
    fn goes_on(&self) -> Option<()> {
        count_steps(1);
        let taken = steps_taken().wrapping_sub(self.begun);
        (taken < u64::from(MAX_EXCLUSION_STEPS)).then_some(())
    }

    /// Returns the first run of the rule after `after` that is not at an excluded time of day.
    fn next_open(&self, mut after: UnixMillis, until: UnixMillis) -> Option<UnixMillis> {
        loop {
            let run = (self.runs)(after, until)?;
            if self.exclusions.times.is_empty() {
                return Some(run);
            }
            let time = self.exclusions.time_on(self.exclusions.day_of(run), run);
            let Some(end) = self.exclusions.excluded_until(time) else { return Some(run) };
            self.goes_on()?;
            after = self.exclusions.end_of_time(run, end - time).plus(-1).max(run);
        }
    }

    /// Returns whether a day exists and is not excluded. Otherwise, returns the last day up to which
    /// all days are excluded.
    fn open(&self, day: i64) -> ControlFlow<i64> {
        match self.exclusions.days.excluded_until(day) {
            Some(last) => ControlFlow::Break(last),
            None if !self.exists(day) => ControlFlow::Break(day),
            None => ControlFlow::Continue(()),
        }
    }

    fn exists(&self, day: i64) -> bool {
        self.exclusions.timezone == Tz::UTC
            || self.exclusions.begin_of(day) < self.exclusions.begin_of(day + 1)
    }

    /// Returns the first day from `day` on that is not excluded.
    fn next_open_day(&self, mut day: i64) -> Option<i64> {
        while let ControlFlow::Break(last) = self.open(day) {
            self.goes_on()?;
            day = last + 1;
        }
        Some(day)
    }

    /// Returns the last day up to `day` that is not excluded, and not before `least`.
    fn previous_open_day(&self, mut day: i64, least: i64) -> Option<i64> {
        while day >= least {
            match self.exclusions.days.excluded_since(day) {
                Some(first) => day = first - 1,
                None if !self.exists(day) => day -= 1,
                None => return Some(day),
            }
        }
        None
    }

    fn next_unmoved(&self, mut after: UnixMillis) -> Option<UnixMillis> {
        loop {
            let run = self.next_open(after, self.until)?;
            let day = self.exclusions.day_of(run);
            let open = self.next_open_day(day)?;
            if open == day {
                return Some(run);
            }
            self.goes_on()?;
            after = self.exclusions.begin_of(open).plus(-1);
        }
    }

    fn next_moved(&self, after: UnixMillis) -> Option<Left> {
        // Runs that move to an earlier day are not after `after`, and so are none of those of an
        // excluded day that move back.
        let mut day = self.next_open_day(self.exclusions.day_of(after))?;
        loop {
            if let Some(found) = self.first_on(day, after) {
                return Some(found);
            }
            self.goes_on()?;
            // Between this day and the next run, nothing moves.
            let run = self.next_open(self.exclusions.begin_of(day + 1).plus(-1), self.until)?;
            let of_run = self.exclusions.day_of(run).max(day + 1);
            let later = self.next_open_day(of_run)?;
            let earlier = || {
                let earlier = self.previous_open_day(of_run, of_run - MAX_MOVE_DAYS);
                earlier.filter(|earlier| *earlier > day)
            };
            day = match self.exclusions.instead {
                Instead::Previous if later > of_run => earlier().unwrap_or(later),
                _ => later,
            };
        }
    }

    /// Returns the first run after `after` on a day that is not excluded: a run of the rule on that
    /// day, or one that moves there.
    fn first_on(&self, day: i64, after: UnixMillis) -> Option<Left> {
        let exclusions = self.exclusions;
        let (begin, end) = (exclusions.begin_of(day), exclusions.begin_of(day + 1));
        let own = self
            .next_open(after.max(begin.plus(-1)), end)
            .filter(|run| *run < end)
            .map(|time| Left { time, from: None });
        let step = if exclusions.instead == Instead::Next { -1 } else { 1 };
        let mut excluded = (1..=MAX_MOVE_DAYS)
            .map(|days| day + step * days)
            .take_while(|source| self.open(*source).is_break())
            .peekable();
        if excluded.peek().is_none() {
            return own;
        }
        let least = if after < begin { 0 } else { exclusions.time_after(day, after) };
        if least >= DAY {
            return own;
        }
        let moved = excluded.filter_map(|source| self.first_from(source, least, day)).min();
        [own, moved].into_iter().flatten().min()
    }

    /// Returns the first run that moves from the day `source` to the day `to`, of the runs whose
    /// time of day is `least` or later.
    fn first_from(&self, source: i64, least: i64, to: i64) -> Option<Left> {
        let exclusions = self.exclusions;
        let of_part = |(begin, end): (UnixMillis, UnixMillis)| {
            let from = match least {
                0 => begin,
                _ => {
                    let behind = source * DAY + least - exclusions.clock(begin);
                    begin.plus(behind.max(0))
                }
            };
            let run = self.next_open(from.plus(-1), end).filter(|run| *run < end)?;
            let time = exclusions.instant(to * DAY + exclusions.time_on(source, run));
            Some(Left { time, from: Some(run) })
        };
        exclusions
            .parts_of(source)
            .into_iter()
            .filter(|(begin, end)| begin < end)
            .filter_map(of_part)
            .min()
    }
}
