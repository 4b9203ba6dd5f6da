//! Recurrence rules of iCalendar: RFC 5545, section 3.3.10.
//!
//! # Rules
//! `FREQ=MONTHLY;BYDAY=-1FR;COUNT=10`, with or without `RRULE:` before it. The task's `startAt` is
//! DTSTART: the rule begins there, and takes what it leaves open from it (the day, the hour, the
//! minute, the second). The start is a run only if the rule matches it.
//!
//! | part | values |
//! |---|---|
//! | `FREQ` | `SECONDLY` `MINUTELY` `HOURLY` `DAILY` `WEEKLY` `MONTHLY` `YEARLY` |
//! | `INTERVAL` | 1 to 1,000,000 |
//! | `COUNT`, or `UNTIL` | 1 to 100,000 runs from `startAt`; the last instant, in UTC: `20261224T180000Z` |
//! | `BYMONTH` | 1 to 12 |
//! | `BYMONTHDAY` | 1 to 31, -1 (the last day) to -31; not with `WEEKLY` |
//! | `BYDAY` | `MO` to `SU`; in `MONTHLY` and `YEARLY` also `2TU`, `-1FR`: in the month, or in the year where a yearly rule has no `BYMONTH` |
//! | `BYHOUR` `BYMINUTE` `BYSECOND` | 0 to 23, 0 to 59, 0 to 59 |
//! | `BYSETPOS` | 1 to 366, -1 to -366: which of the runs of each month, year, ... |
//! | `WKST` | the day that weeks begin on, else `MO` |
//!
//! `BYYEARDAY` and `BYWEEKNO` are refused, as are all parts that the RFC does not have.
//!
//! # Time zone and daylight saving
//! Runs are computed on the local clock of the task's time zone. Hourly and finer rules fire
//! whenever that clock shows one of their times, as cron that repeats does. They have no run in a
//! gap, and runs in both passes of an overlap, unless they are at fixed times, as
//! `FREQ=HOURLY;BYHOUR=9` is. Fixed times, and daily and coarser rules, are handled as follows. A
//! run in a gap is read with the offset before the gap, so it is delayed by the width of the gap. A
//! run in an overlap fires in the first pass only. If the start was given as a local time in a gap,
//! only its own run moves. RFC 5545 is ambiguous here: section 3.3.10 says that an instance in a
//! gap is read like a DATE-TIME (3.3.5), and also that one with a "nonexistent local time" is
//! ignored and not counted. We follow the former, so that no run is lost. Two runs at the same
//! instant are one. COUNT counts instants: a run that is moved out of a gap counts, and two runs at
//! one instant count once.
//!
//! # Why not the crate `rrule`
//! It (0.14) walks through all runs from DTSTART: 70 ms for a rule that has run each minute of a
//! year. A shard needs the next run of 20,000 schedules when it starts. Rules that never match take
//! 10 to 190 ms, and the crate adds a regular expression engine to the wasm. Here the next run is
//! found from any time by arithmetic and bit sets, in at most [`MAX_STEPS`] steps. The tests
//! compare with the crate.

mod bounds;
mod days;
mod error;
mod parse;
mod search;
mod whole_days;

pub use bounds::{MAX_COUNTED_RUNS, MAX_INTERVAL, MAX_RULE_BYTES};
pub use error::RRuleError;
pub(crate) use whole_days::NotOfDays;

use crate::clock_change::{ClockChange, Jump};
use crate::cron::fields::{are_evenly_spaced, next_time};
use crate::local_clock;
use crate::local_time::LocalTime;
use crate::steps::{are_left, count_steps};
use crate::time::UnixMillis;
use crate::tz::{Reading, Tz};

/// The most steps (months, or positions within a day) of a search for the next run. A step takes
/// about 40 nanoseconds, so a search takes 0.2 milliseconds. Coarse rules step by month, and 5,000
/// months are more than the calendar's cycle of 400 years. Fine rules step through the allowed
/// hours, minutes or seconds. A rule without a run in that many steps has no further run.
pub const MAX_STEPS: u32 = 5_000;

/// The most steps for counting the runs of a rule: a fifth of a second of a request's time.
pub const MAX_COUNTING_STEPS: u32 = 5_000_000;

/// The seconds of a day.
const DAY: i64 = 86_400;

/// The widest gap before an instant that a search considers, in seconds. Apia skipped a day in
/// 2011.
const WIDEST_GAP: i64 = DAY;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Frequency {
    Secondly,
    Minutely,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

impl Frequency {
    /// Returns the seconds of the unit that the frequency counts by. For coarser frequencies,
    /// returns those of a day.
    fn unit(self) -> i64 {
        match self {
            Self::Secondly => 1,
            Self::Minutely => 60,
            Self::Hourly => 3_600,
            Self::Daily | Self::Weekly | Self::Monthly | Self::Yearly => DAY,
        }
    }
}

/// A recurrence rule with its start, in a time zone. Takes about 140 bytes, and a little more on
/// the heap for ordinals and positions. See the [module](self).
///
/// Sets are bits: `months` and `month_days` from bit 1, weekdays with Sunday at bit 0. An empty set
/// of months, days or weekdays restricts nothing. The sets of hours, minutes and seconds are never
/// empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RRule {
    frequency: Frequency,
    interval: u32,
    count: Option<u32>,
    /// Unix seconds, inclusive.
    until: Option<i64>,
    /// What the local clock shows at DTSTART, or the requested local time if the clock jumps over
    /// it.
    start: i64,
    /// The instant of DTSTART in Unix seconds. There is no run before it.
    start_at: i64,
    /// Whether it fires whenever the clock shows one of its times: in both passes of an overlap,
    /// and not in a gap.
    repeats: bool,
    timezone: Tz,
    months: u16,
    month_days: u32,
    /// Days counted from the end of the month: bit 1 is the last day.
    month_days_back: u32,
    weekdays: u8,
    /// Ordinal and weekday.
    ordinals: Box<[(i8, u8)]>,
    hours: u32,
    minutes: u64,
    seconds: u64,
    set_positions: Box<[i16]>,
    week_start: u8,
}

/// DTSTART.
#[derive(Debug, Clone, Copy)]
struct Start {
    at: UnixMillis,
    /// The local time, if the start was given as one.
    local: Option<LocalTime>,
}

/// The bounds of a search: its steps, and the last local time.
struct Search {
    steps: u32,
    /// Local seconds, inclusive.
    until: i64,
}

impl Search {
    /// Takes a step towards the local time `at`. Returns `None` if no step is left, or if `at` is
    /// beyond the end of the search.
    fn step(&mut self, at: i64) -> Option<()> {
        if at > self.until {
            return None;
        }
        self.count()
    }

    /// Takes a step that leads nowhere. Returns `None` if no step is left.
    fn count(&mut self) -> Option<()> {
        self.steps = self.steps.checked_sub(1)?;
        Some(())
    }
}

/// Counting the runs of a rule took more than [`MAX_COUNTING_STEPS`], or more steps than were left
/// (see [`crate::steps::within`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

impl RRule {
    /// Parses a rule that starts at `start`, in the zone with this IANA name. The default zone is
    /// UTC.
    ///
    /// # Errors
    /// Returns an error if a part is invalid. The error names the field of the task, the part of
    /// the rule, and the accepted values.
    pub fn parse(
        rule: &str,
        start: UnixMillis,
        timezone: Option<&str>,
    ) -> Result<Self, RRuleError> {
        parse::rule(rule, Start { at: start, local: None }, timezone)
    }

    /// Parses a rule that starts when the clock of the zone shows `start`. If the clock jumps over
    /// `start`, the rule begins after the gap, and its time of day is the requested one.
    ///
    /// # Errors
    /// Returns the errors of [`Self::parse`]; [`RRuleError::StartRange`] if the start is outside of
    /// the range of a task's instants.
    pub fn parse_local(
        rule: &str,
        start: LocalTime,
        timezone: Option<&str>,
    ) -> Result<Self, RRuleError> {
        let at = start
            .instant(crate::cron::timezone(timezone).map_err(RRuleError::Timezone)?)
            .ok_or(RRuleError::StartRange)?;
        parse::rule(rule, Start { at, local: Some(start) }, timezone)
    }

    /// Returns the time zone whose clock the rule is read on.
    pub fn timezone(&self) -> Tz {
        self.timezone
    }

    /// Returns whether this is the same rule as `other`. The time zones may have different names
    /// for the same clock.
    pub(crate) fn has_times_of(&self, other: &Self) -> bool {
        self.timezone.has_clock_of(other.timezone)
            && Self { timezone: other.timezone, ..self.clone() } == *other
    }

    /// Returns the number of times of day at which the rule has a run, at most, or `None` if its
    /// frequency is finer than a day.
    pub(crate) fn times_of_day(&self) -> Option<u32> {
        let (hours, minutes) = (self.hours.count_ones(), self.minutes.count_ones());
        let times = hours * minutes * self.seconds.count_ones();
        (self.frequency >= Frequency::Daily).then_some(times)
    }

    /// Returns the first time of day at or after `second`, both in seconds, at which the rule may
    /// have a run.
    pub(crate) fn time_from(&self, second: i64) -> Option<i64> {
        next_time(self.hours, self.minutes, self.seconds, second)
    }

    /// Returns whether the rule is finer than a day and has other times of day on each day.
    pub(crate) fn drifts(&self) -> bool {
        let step = self.frequency.unit() * i64::from(self.interval);
        step < DAY && DAY % step != 0
    }

    /// Returns the number of runs from the start on, if the rule has a `COUNT`.
    /// [`Self::next_after`] ignores it.
    pub fn count(&self) -> Option<u32> {
        self.count
    }

    /// Returns the bytes of memory that the rule takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + size_of_val::<[(i8, u8)]>(&self.ordinals)
            + size_of_val::<[i16]>(&self.set_positions)
    }

    /// Returns the first run strictly after `after`, or `None` if there is none up to
    /// [`UnixMillis::LAST`] or the rule's end.
    pub fn next_after(&self, after: UnixMillis) -> Option<UnixMillis> {
        self.next_until(after, UnixMillis::LAST)
    }

    /// Returns the first run strictly after `after`. Does not search after `until`.
    pub(crate) fn next_until(&self, after: UnixMillis, until: UnixMillis) -> Option<UnixMillis> {
        // A local clock differs from UTC by at most a day.
        let until = until.get().min(UnixMillis::LAST.get()).div_euclid(1_000);
        let mut search = Search { steps: MAX_STEPS, until: until + DAY };
        let next = self.next_instant(after, &mut search);
        count_steps(1 + MAX_STEPS - search.steps);
        next
    }

    /// Returns the time of run number `number`, from 1, strictly after `after`, or of the last run
    /// if there are fewer. Returns `None` if there is no run.
    pub fn nth_after(&self, after: UnixMillis, number: u32) -> Result<Option<UnixMillis>, TooLong> {
        let mut left = MAX_COUNTING_STEPS;
        let mut last = None;
        for _ in 0..number {
            let mut search = Search { steps: MAX_STEPS, until: i64::MAX };
            let Some(next) = self.next_instant(last.unwrap_or(after), &mut search) else { break };
            count_steps(1 + MAX_STEPS - search.steps);
            left = left.checked_sub(1 + MAX_STEPS - search.steps).ok_or(TooLong)?;
            if !are_left() {
                return Err(TooLong);
            }
            last = Some(next);
        }
        Ok(last)
    }

    fn next_instant(&self, after: UnixMillis, search: &mut Search) -> Option<UnixMillis> {
        // Runs are whole seconds, and none is before the start.
        let after = after.get().div_euclid(1_000).max(self.start_at - 1);
        if after >= UnixMillis::LAST.get() / 1_000 {
            return None;
        }
        let next = if self.repeats {
            local_clock::next_shown(self.timezone, after, |from| self.next_local(from, search))?
        } else {
            let shifted = self.shifted_after(after, search);
            let next = self.next_by_the_clock(after, search);
            match (shifted, next) {
                (Some(shifted), Some(next)) => shifted.min(next),
                (shifted, next) => shifted.or(next)?,
            }
        };
        let is_within =
            next <= self.until.unwrap_or(i64::MAX) && next <= UnixMillis::LAST.get() / 1_000;
        is_within.then(|| UnixMillis::new(next * 1_000))
    }

    /// Returns the first run after `after` whose local time is ahead of the clock. Instants rise
    /// with local times except in a gap: those in a gap are mixed with those of the same time after
    /// it.
    fn next_by_the_clock(&self, after: i64, search: &mut Search) -> Option<i64> {
        let tz = self.timezone;
        let mut from = local_clock::first_ahead(tz, after);
        let mut in_gap: Option<i64> = None;
        loop {
            let Some(local) = self.next_local(from, search) else { return in_gap };
            match tz.read(local) {
                Reading::Once(instant) | Reading::Twice { first: instant, .. }
                    if instant > after =>
                {
                    return Some(in_gap.map_or(instant, |other| other.min(instant)));
                }
                Reading::Gap { end } => {
                    let old = tz.offset_at(end - 1);
                    in_gap = in_gap.or(Some(local - old).filter(|instant| *instant > after));
                    // `max` keeps the search moving forward, whatever a zone's table contains.
                    from = local_clock::clock_at(tz, end).max(local + 1);
                }
                _ => from = local + 1,
            }
        }
    }

    /// Returns the first run after `after` whose local time is in a gap behind the clock. Such a
    /// run is later than the clock says.
    fn shifted_after(&self, after: i64, search: &mut Search) -> Option<i64> {
        let tz = self.timezone;
        let jump = Jump::between(tz, after - WIDEST_GAP, after).filter(|jump| jump.is_gap())?;
        let old = tz.offset_at(after - WIDEST_GAP);
        let local = self.next_local((after + 1 + old).max(jump.from), search)?;
        (local < jump.to).then_some(local - old)
    }

    /// Returns the effect of a clock change on the run at `at`. `previous` is the run before it, or
    /// the start of the caller's search. Both are Unix seconds.
    pub(crate) fn clock_change(&self, at: i64, previous: i64) -> Option<ClockChange> {
        let tz = self.timezone;
        let local = local_clock::clock_at(tz, at);
        if let Reading::Twice { first, second } = tz.read(local) {
            return Jump::between(tz, first, second).map(|jump| {
                match (self.repeats, at == first) {
                    (false, _) => ClockChange::FirstOfTwo { jump },
                    (true, true) => ClockChange::FirstPass { jump },
                    (true, false) => ClockChange::SecondPass { jump },
                }
            });
        }
        let before = if self.repeats { previous.max(at - WIDEST_GAP) } else { at - WIDEST_GAP };
        let jump = Jump::between(tz, before, at).filter(|jump| jump.is_gap())?;
        let next_in_gap = |from: i64| {
            let next = self.next_local(from, &mut Search { steps: MAX_STEPS, until: jump.to });
            next.filter(|local| *local < jump.to)
        };
        if self.repeats {
            return next_in_gap(jump.from).map(|asked| ClockChange::Absent { jump, asked });
        }
        let asked = local - (jump.to - jump.from);
        let is_asked = asked >= jump.from && next_in_gap(asked) == Some(asked);
        is_asked.then_some(ClockChange::Shifted { jump, asked })
    }

    /// Returns whether the rule fires whenever the clock shows one of its times: whether its
    /// frequency is hourly or finer, and the hours, the minutes or the seconds that it names are
    /// evenly spaced, as for cron.
    fn repeats_on_the_clock(&self) -> bool {
        let unit = self.frequency.unit();
        let step = unit * i64::from(self.interval);
        if unit >= DAY || step >= DAY {
            return false;
        }
        // The values of a field that the interval allows. If the interval allows other values on
        // another day, all of them count.
        let allowed = |set: u64, size: i64, of: i64| {
            let each = step / of;
            if of < unit {
                set
            } else if step % (of * size) == 0 {
                set & 1 << (self.start / of).rem_euclid(size)
            } else if step % of == 0 && size % each == 0 {
                let first = (self.start / of).rem_euclid(each);
                (first..size).step_by(each as usize).fold(0, |bits, value| bits | set & 1 << value)
            } else {
                set
            }
        };
        are_evenly_spaced(
            allowed(self.hours.into(), 24, 3_600) as u32,
            allowed(self.minutes, 60, 60),
            allowed(self.seconds, 60, 1),
        )
    }
}
