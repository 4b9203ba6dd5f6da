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
//! - **Days.** If one day field is restricted (not `*` or `?`), it alone decides. If both are
//!   restricted, a day that **either** allows counts, as on Unix. Some crons read `*/n` in one
//!   field with a restriction in the other as "and" and some as "or", so it is refused; `1-31/n`
//!   says "or".
//! - A day that a month does not have is skipped: `0 0 31 * *` fires in seven months of the year.
//! - A step starts again in every hour, day, month or week: `*/25` in the minute field means 0, 25
//!   and 50.
//! - An expression with anything that is not in the table is refused, and so is an expression that
//!   can never fire.
//!
//! # Time zone and daylight saving
//! Fields are read on the local clock of an IANA time zone; the default is UTC. What happens when
//! that clock jumps follows from the values of the hour, the minute and the second field, however
//! they are written (`0-4/1`, `0-4` and `0,1,2,3,4` are the same). A schedule **repeats** if at
//! least one of the three fields has evenly spaced values. These are all values of a `*/n` that has
//! at least two (so `*`, `*/15`, `0,30` in the minute field, `0,12` in the hour field), or three or
//! more values at equal distances (`8-18/2`, `0-4`, `5,25,45`). It fires at every instant at which
//! the clock shows a matching time. Every other schedule is at **fixed times** (`30 1 * * *`, `0
//! 2,14 * * *`, `15,45 9,17 * * *`). Each of these fires when the clock first reaches or passes it:
//!
//! | | gap (the clock jumps forward over a run) | overlap (the clock goes back and shows a run's time twice) |
//! |---|---|---|
//! | fixed times | fires at the first instant after the gap | fires in the first pass only |
//! | repeats | the run is absent | fires in both passes |
//!
//! Runs at the same instant are one run. For instance, one run fires for all runs in a gap and a
//! regular one at its end. The date fields are matched against the date that the run was meant for,
//! even if the gap ends on another date.
//!
//! For several expressions together ([`CronList`]), the set of all their times counts: see there.
//!
//! The zones are those of [`crate::tz`]. After the last known change, the yearly rule of a zone
//! applies forever.
//!
//! # Bounds
//! Occurrences are whole seconds from the year 1 to [`UnixMillis::LAST`]. The Gregorian calendar
//! repeats every date on every weekday within 40 years, and a search finds a day month by month, so
//! no expression takes more than a few hundred steps. The evaluation over bit sets is our own. The
//! crate `croner` keeps a table of 5,000 years (5.5 kB) per schedule, searches milliseconds to
//! seconds for days that do not exist, fails on a skipped day (Apia, 2011), and reads `JAN` in any
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
use crate::steps::count_steps;
use crate::time::UnixMillis;
use crate::tz::{Reading, Tz};
use chrono::{Datelike, NaiveDate};
use fields::{Fields, Month};

/// 0001-01-01T00:00:00Z in Unix seconds. There are no occurrences before it.
const FIRST_SECOND: i64 = -62_135_596_800;

/// [`UnixMillis::LAST`] in Unix seconds. There are no occurrences after it.
const LAST_SECOND: i64 = UnixMillis::LAST.get().div_euclid(1000);

/// A recurring schedule: a cron expression in a time zone. It takes 56 bytes, and none on the heap.
/// See the [module](self).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronSchedule {
    fields: Fields,
    timezone: Tz,
    repeats: bool,
}

/// Parses the IANA name of a time zone, in its exact spelling. The default is UTC.
pub fn timezone(name: Option<&str>) -> Result<Tz, CronError> {
    name.map_or(Ok(Tz::UTC), parse::timezone)
}

/// Returns the second after which an occurrence must be if it is after `after`. Occurrences are
/// whole seconds, and none is before the first one.
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
    /// Parses a cron expression and the IANA name of a time zone, in its exact spelling. The
    /// default zone is UTC.
    ///
    /// # Errors
    /// Returns an error if a part is invalid. The error names the field of the task, the part of
    /// the expression, and the accepted values.
    pub fn parse(expr: &str, timezone: Option<&str>) -> Result<Self, CronError> {
        let timezone = self::timezone(timezone)?;
        let fields = parse::expression(expr)?;
        let repeats = fields.repeat_on_the_clock();
        Ok(Self { fields, timezone, repeats })
    }

    /// Returns the first occurrence strictly after `after`, or `None` if there is none up to
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

    /// Returns the number of times of day that the expression names.
    pub(crate) fn times_of_day(&self) -> u32 {
        let Fields { hours, minutes, seconds, .. } = &self.fields;
        hours.count_ones() * minutes.count_ones() * seconds.count_ones()
    }

    /// Returns the allowed days of a month, from bit 1. `first` is the first day of the month.
    pub(crate) fn days_of(&self, first: NaiveDate) -> u32 {
        count_steps(1);
        if self.fields.months >> first.month() & 1 == 0 {
            return 0;
        }
        let weekday = first.weekday().num_days_from_sunday();
        self.fields.days_of_month(weekday, first.num_days_in_month().into())
    }

    /// Returns the first time of day at or after `second`, both in seconds.
    pub(crate) fn time_from(&self, second: i64) -> Option<i64> {
        let Fields { hours, minutes, seconds, .. } = self.fields;
        fields::next_time(hours, minutes, seconds, second)
    }

    /// Returns the time zone whose clock the fields are read on.
    pub fn timezone(&self) -> Tz {
        self.timezone
    }

    /// Returns the next run at fixed times. Every matching local time has one instant.
    ///
    /// That instant never decreases as the local time grows, so the first local time with an
    /// instant after `after` is the result. Usually it is the first one after the clock's reading
    /// at `after`.
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

    /// Returns the next run of a schedule that repeats. It has a run at every instant at which the
    /// clock shows a matching time.
    fn next_repeat(&self, after: i64, month: &mut Month) -> Option<i64> {
        local_clock::next_shown(self.timezone, after, |from| {
            self.fields.next_at_or_after(from, month)
        })
    }
}
