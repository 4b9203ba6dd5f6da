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
//! All of them are read on the local clock of the schedule's time zone. A day begins when that clock
//! first shows its midnight, or would show it, and ends when the next day begins. So days follow one
//! another without gaps, whatever the clock does.
//!
//! # What becomes of a run
//! A run at an excluded time of day does not fire. A run on an excluded day does not fire, or moves
//! to the next or the previous day that is not excluded, at the same local time: see [`Instead`].
//! A run moves by at most [`MAX_MOVE_DAYS`]; one that would move farther does not fire.
//!
//! The runs of the schedule are the set of the instants that result, in order. So two runs at one
//! instant are one, and each run is later than the one before it, even if an earlier run of the rule
//! moves behind a later one. A moved run at a local time that the clock jumps over is at the first
//! instant after the gap. At a local time that the clock shows twice, it is at the first.
//!
//! # Bounded work
//! A search jumps over whole days and whole ranges. It ends after [`MAX_EXCLUSION_STEPS`]. If it has
//! not found a run by then, the schedule has no further run.

mod days;
mod error;
mod parse;
mod search;

pub use error::{BadItem, ExcludeError};
pub(crate) use search::Left;

use crate::rrule::RRule;
use crate::tz::Tz;
use days::Days;
use std::mem::size_of_val;

/// The most steps (see [`crate::steps`]) of a search for the next run: 0.4 milliseconds. They are
/// more than the days of ten years, or the weeks of thirty.
pub const MAX_EXCLUSION_STEPS: u32 = 10_000;

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
            && Self { timezone: other.timezone, ..self.clone() } == *other
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
