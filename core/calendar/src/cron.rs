//! Recurring schedules: Unix cron in a time zone.
//!
//! # Expressions
//! Five fields, or six with the second first, separated by spaces:
//!
//! | field | values | beside `*`, lists `a,b`, ranges `a-b` and steps `*/n`, `a-b/n` |
//! |---|---|---|
//! | second (optional, else 0) | 0-59 | |
//! | minute | 0-59 | |
//! | hour | 0-23 | |
//! | day-of-month | 1-31 | `?` as `*`; `L` the last day; `L-3` three before it; `LW` the last Monday-Friday; `15W` the Monday-Friday nearest to the 15th within the month |
//! | month | 1-12, JAN-DEC | |
//! | day-of-week | 0-7, SUN-SAT (0 and 7 are Sunday) | `?` as `*`; `FRI#2` the second Friday; `FRIL` or `FRI#L` the last |
//!
//! or one of `@yearly` `@annually` `@monthly` `@weekly` `@daily` `@midnight` `@hourly`. Case does
//! not matter.
//!
//! - **Days.** With one day field restricted (not `*` or `?`), it alone decides. With both
//!   restricted, a day that **either** allows will do, as on Unix. `*/n` in one beside a
//!   restriction in the other is read as "and" by some crons and as "or" by others, so it is
//!   refused; `1-31/n` says "or".
//! - A day that a month does not have is skipped: `0 0 31 * *` fires in seven months of the year.
//! - A step starts again with every hour, day, month or week: `*/25` in the minute field is 0, 25
//!   and 50.
//! - What is not in the table is refused, never guessed at; so is an expression that can never
//!   fire.
//!
//! # Time zone and daylight saving
//! Fields are read on the local clock of an IANA time zone, UTC when none is given. What happens
//! when that clock jumps follows from the values of the hour, the minute and the second field,
//! however they are written (`0-4/1`, `0-4` and `0,1,2,3,4` are the same). A schedule **repeats**
//! when at least one of the three holds evenly spaced values: all that `*/n` means if these are two
//! or more (so `*`, `*/15`, `0,30` in the minute field, `0,12` in the hour field), or three or more
//! values at equal distances (`8-18/2`, `0-4`, `5,25,45`). It fires at every instant at which the
//! clock shows a matching time. Every other schedule is at **fixed times** (`30 1 * * *`, `0 2,14 *
//! * *`, `15,45 9,17 * * *`): each fires when the clock first reaches or passes it. That is:
//!
//! | | gap (the clock jumps forward over a run) | overlap (the clock goes back and shows a run's time twice) |
//! |---|---|---|
//! | fixed times | fires at the first instant after the gap | fires in the first pass only |
//! | repeats | the run is absent | fires in both passes |
//!
//! Runs that come to the same instant are one: of a gap's runs, and a regular one at its end, one
//! fires. The date fields are matched against the date that the run was meant for, even if the gap
//! ends on another.
//!
//! Of several expressions together ([`CronList`]), the set of all their times counts: see there.
//!
//! The zones are those of [`crate::tz`]: after the last change that is known, a zone's yearly rule
//! goes on for ever.
//!
//! # Bounds
//! Occurrences are whole seconds from the year 1 to [`UnixMillis::LAST`]. The Gregorian calendar
//! repeats every date on every weekday within 40 years at most, and a day is found month by month,
//! so no expression takes more than some hundreds of steps. Evaluation is our own, over bit sets:
//! the crate `croner` keeps a table of 5,000 years (5.5 kB) per schedule, searches milliseconds to
//! seconds for days that do not exist, fails on a skipped day (Apia, 2011) and reads `JAN` in any
//! field as a number.

mod bounds;
mod error;
mod explain;
pub(crate) mod fields;
mod list;
mod parse;
mod same;
mod walk;

pub use bounds::{MAX_EXPRESSION_BYTES, MAX_TIMEZONE_BYTES};
pub use error::{CronError, Part, Problem};
pub use list::CronList;
pub(crate) use same::have_same_times;

use crate::local_clock;
use crate::time::UnixMillis;
use crate::tz::{Reading, Tz};
use fields::{Fields, Month};

/// 0001-01-01T00:00:00Z in Unix seconds: there are no occurrences before it.
const FIRST_SECOND: i64 = -62_135_596_800;

/// [`UnixMillis::LAST`] in Unix seconds: there are no occurrences after it.
const LAST_SECOND: i64 = UnixMillis::LAST.get().div_euclid(1000);

/// A recurring schedule: a cron expression in a time zone, 56 bytes, nothing on the heap. See the
/// [module](self).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronSchedule {
    fields: Fields,
    timezone: Tz,
    repeats: bool,
}

/// Reads the IANA name of a time zone (exact spelling; UTC when absent).
pub fn timezone(name: Option<&str>) -> Result<Tz, CronError> {
    name.map_or(Ok(Tz::UTC), parse::timezone)
}

/// Returns the second that an occurrence is after if it is after `after`: occurrences are whole
/// seconds, and none is before the first.
fn second_of(after: UnixMillis) -> i64 {
    after.get().div_euclid(1000).max(FIRST_SECOND - 1)
}

/// Searches in Unix seconds for the first occurrence strictly after `after`, up to
/// [`UnixMillis::LAST`].
fn next_instant(after: UnixMillis, next: impl FnOnce(i64) -> Option<i64>) -> Option<UnixMillis> {
    let after = second_of(after);
    if after >= LAST_SECOND {
        return None;
    }
    next(after).filter(|next| *next <= LAST_SECOND).map(|next| UnixMillis::new(next * 1000))
}

impl CronSchedule {
    /// Reads a cron expression and the IANA name of a time zone (exact spelling; UTC when absent).
    ///
    /// # Errors
    /// Names the field of the task, the part of the expression, and what is accepted there.
    pub fn parse(expr: &str, timezone: Option<&str>) -> Result<Self, CronError> {
        let timezone = self::timezone(timezone)?;
        let fields = parse::expression(expr)?;
        let repeats = fields.repeat_on_the_clock();
        Ok(Self { fields, timezone, repeats })
    }

    /// Returns the first occurrence strictly after `after`; `None` when there is none up to
    /// [`UnixMillis::LAST`].
    pub fn next_after(&self, after: UnixMillis) -> Option<UnixMillis> {
        next_instant(after, |after| self.next_run(after, &mut Month::default()))
    }

    /// Returns the runs strictly after `after`.
    pub(crate) fn runs_after(&self, after: UnixMillis) -> impl Iterator<Item = UnixMillis> + '_ {
        self.walk(second_of(after)).map(|at| UnixMillis::new(at * 1_000))
    }

    fn next_run(&self, after: i64, month: &mut Month) -> Option<i64> {
        if self.repeats { self.next_repeat(after, month) } else { self.next_fixed(after, month) }
    }

    /// Returns the time zone on whose clock the fields are read.
    pub fn timezone(&self) -> Tz {
        self.timezone
    }

    /// Returns the next run at fixed times: every local time that matches has one instant.
    ///
    /// That instant never decreases as the local time grows, so the first local time with an
    /// instant after `after` is the one; nearly always it is the first after the clock's reading at
    /// `after`.
    fn next_fixed(&self, after: i64, month: &mut Month) -> Option<i64> {
        let tz = self.timezone;
        let mut from = local_clock::first_ahead(tz, after);
        loop {
            let local = self.fields.next_at_or_after(from, month)?;
            let instant = match tz.read(local) {
                Reading::Once(instant) => instant,
                Reading::Twice { first, .. } => first,
                Reading::Gap { end } => end,
            };
            if instant > after {
                return Some(instant);
            }
            from = local + 1;
        }
    }

    /// Returns the next run of a schedule that repeats: every instant at which the clock shows a
    /// matching time.
    fn next_repeat(&self, after: i64, month: &mut Month) -> Option<i64> {
        local_clock::next_shown(self.timezone, after, |from| {
            self.fields.next_at_or_after(from, month)
        })
    }
}
