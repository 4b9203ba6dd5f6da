//! Exclusions: the days and the times of day at which a recurring schedule does not run.
//!
//! # What they contain
//! | item | meaning |
//! |---|---|
//! | dates | `2026-12-24`, or a range with both ends included, `2026-12-24/2027-01-02` |
//! | yearly dates | `12-24`, or a range, `12-24/01-02`, in every year |
//! | weekdays | `SAT`, `SUN` |
//! | times of day | `12:00-13:00`, without its end; `22:00-06:00` goes past midnight |
//! | rules | the days of an RFC 5545 rule, as EXRULE has them |
//!
//! All of them are read on the local clock of the schedule's time zone. A day begins when that
//! clock first shows its midnight, or would show it, and ends when the next day begins. So days
//! follow one another without gaps, whatever the clock does.
//!
//! # What becomes of a run
//! A run at an excluded time of day does not fire. What counts is the time that the clock shows
//! when the run would fire, also if a change of the clock has moved the run to that time. A run on
//! an excluded day does not fire, or moves to the next or the previous day that is not excluded, at
//! the same local time: see [`Instead`]. A run moves by at most [`MAX_MOVE_DAYS`]; one that would
//! move farther does not fire.
//!
//! The runs of the schedule are the set of the instants that result, in order. So two runs at one
//! instant are one, and each run is later than the one before it, even if an earlier run of the
//! rule moves behind a later one. A moved run at a local time that the clock jumps over is at the
//! first instant after the gap, unless that time of day is excluded. At a local time that the clock
//! shows twice, it is at the first.
//!
//! The times of day of an interval that does not divide a day differ from day to day, and so do
//! those of an RFC 5545 rule with such an interval. Of the runs of these schedules, only the first
//! of those that move to a day fires there. Otherwise the runs of [`MAX_MOVE_DAYS`] could fire on
//! one day.
//!
//! # Bounded work
//! A search jumps over whole days, ranges and excluded times of day, up to the end of the calendar.
//! So its result is exact, and does not depend on where it begins. A schedule whose search takes
//! more than [`MAX_EXCLUSION_STEPS`] is for its caller to refuse: see [`crate::steps::within`]. The
//! longest searches, which end with the year 9999, take some tenths of a second.

mod clock;
mod days;
mod error;
mod parse;
mod search;

pub use error::{BadItem, ExcludeError};
pub use parse::names_times;
pub(crate) use search::{Left, Source};

use crate::rrule::RRule;
use crate::tz::Tz;
use days::Days;
use std::mem::size_of_val;

/// The most steps (see [`crate::steps`]) of a search for a run of a new schedule: 0.2 milliseconds,
/// as for RFC 5545 rules. A shard searches the next run of each of its schedules when it starts, of
/// which there are up to 20,000. They are enough to examine each month of 40 years with eight
/// rules.
pub const MAX_EXCLUSION_STEPS: u32 = 5_000;

/// The most days by which a run moves: a quarter of a year, so school holidays fit. It bounds the
/// days whose runs may move to one day.
pub const MAX_MOVE_DAYS: i64 = 92;

/// The milliseconds of a day.
const DAY: i64 = 86_400_000;

/// What becomes of a run on an excluded day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Instead {
    /// It does not fire.
    #[default]
    Skip,
    /// It moves to the next day that is not excluded.
    Next,
    /// It moves to the previous day that is not excluded.
    Previous,
}

/// What a schedule leaves out. Takes about 130 bytes, and on the heap 8 bytes for each date, range
/// and time of day, and some 140 for each rule. See the [module](self).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclusions {
    timezone: Tz,
    instead: Instead,
    days: Days,
    /// Times of day as milliseconds, from the first to the second without the second. They are
    /// sorted, and neither overlap nor touch.
    times: Box<[(u32, u32)]>,
}

impl Exclusions {
    /// Returns what becomes of a run on an excluded day.
    pub fn instead(&self) -> Instead {
        self.instead
    }

    /// Returns the time zone whose clock the exclusions are read on.
    pub fn timezone(&self) -> Tz {
        self.timezone
    }

    /// Returns whether these leave out the same as `other`. The time zones may have different names
    /// for the same clock.
    pub(crate) fn has_times_of(&self, other: &Self) -> bool {
        self.timezone.has_clock_of(other.timezone)
            && (self.instead, &self.times) == (other.instead, &other.times)
            && self.days.are_those_of(&other.days)
    }

    /// Returns the bytes of memory that the exclusions take.
    pub(crate) fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.days.bytes_on_heap() + size_of_val::<[(u32, u32)]>(&self.times)
    }

    /// Returns the end of the excluded time that contains this time of day, in milliseconds.
    fn excluded_until(&self, time: i64) -> Option<i64> {
        let at =
            self.times.partition_point(|(begin, _)| i64::from(*begin) <= time).checked_sub(1)?;
        self.times.get(at).map(|(_, end)| i64::from(*end)).filter(|end| time < *end)
    }

    /// Returns the times of day, in milliseconds, that are not excluded: where each begins, and
    /// where it ends.
    fn open_times(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        let begins = std::iter::once(0).chain(self.times.iter().map(|(_, end)| i64::from(*end)));
        let ends = self.times.iter().map(|(begin, _)| i64::from(*begin)).chain([DAY]);
        begins.zip(ends).filter(|(begin, end)| begin < end)
    }

    /// Returns when the first excluded time of day after this time begins, in milliseconds.
    fn next_excluded_time(&self, time: i64) -> Option<i64> {
        let at = self.times.partition_point(|(begin, _)| i64::from(*begin) <= time);
        self.times.get(at).map(|(begin, _)| i64::from(*begin))
    }
}

/// The items of exclusions as texts, which [`Exclusions::parse`] reads.
#[derive(Debug, Clone, Copy, Default)]
pub struct Items<'a, T> {
    /// Dates, yearly dates, and ranges of either.
    pub dates: &'a [T],
    /// Days of the week.
    pub weekdays: &'a [T],
    /// Times of day.
    pub times: &'a [T],
    /// Rules of RFC 5545.
    pub rules: &'a [T],
}

/// The list of [`Items`] that an invalid item is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// The dates.
    Dates,
    /// The days of the week.
    Weekdays,
    /// The times of day.
    Times,
    /// The rules.
    Rules,
}

impl List {
    /// Returns the name of the list.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dates => "dates",
            Self::Weekdays => "weekdays",
            Self::Times => "times",
            Self::Rules => "rules",
        }
    }
}

/// A rule whose days are excluded.
type DayRule = RRule;
