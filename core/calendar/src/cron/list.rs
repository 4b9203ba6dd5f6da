//! Several expressions as one schedule.
//!
//! The effect of a clock change follows from the set of all times of the expressions, so that `["0
//! 1 * * *", "30 1 * * *"]` means the same as `0,30 1 * * *`. For each local time, the rule
//! considers the hours that the expressions name on that day with the same minute and second, and
//! likewise the minutes and the seconds. If one of these sets is evenly spaced, the time repeats;
//! otherwise it is fixed. For a single expression these sets are its fields, so the rule is that of
//! [`super`].

use super::fields::{Fields, Month, are_evenly_spaced};
use super::walk::Clock;
use super::{CronSchedule, LAST_SECOND, next_instant, second_of};
use crate::clock_change::{ClockChange, Jump};
use crate::local_clock;
use crate::steps::count_steps;
use crate::time::UnixMillis;
use crate::tz::{Reading, Tz};

const DAY: i64 = 86_400;

/// The times of a day that a search can check in one expression during one step (see
/// [`count_steps`]).
const LOOKS_A_STEP: i64 = 10;

/// Expressions in one time zone. An instant that several of them name is one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronList(Box<[CronSchedule]>);

impl CronList {
    /// Makes a list of expressions in the same time zone. Drops duplicates.
    pub fn new(crons: Vec<CronSchedule>) -> Self {
        let mut distinct = Vec::with_capacity(crons.len());
        for cron in crons {
            if !distinct.contains(&cron) {
                distinct.push(cron);
            }
        }
        Self(distinct.into_boxed_slice())
    }

    /// Returns the time zone whose clock the expressions are read on.
    pub fn timezone(&self) -> Tz {
        self.0.first().map_or(Tz::UTC, CronSchedule::timezone)
    }

    /// Returns the expressions.
    pub fn expressions(&self) -> &[CronSchedule] {
        &self.0
    }

    /// Returns the bytes that the list takes on the heap.
    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val::<[CronSchedule]>(&self.0)
    }

    /// Returns the first run strictly after `after`, or `None` if there is none up to
    /// [`UnixMillis::LAST`].
    pub(crate) fn next_after(&self, after: UnixMillis) -> Option<UnixMillis> {
        next_instant(after, |mut after| {
            let mut clock = Clock::default();
            loop {
                let next = |cron: &CronSchedule| {
                    cron.next_possible(after, &mut clock, &mut Month::default())
                };
                let (at, is_run) = self.0.iter().filter_map(next).min_by_key(|(at, _)| *at)?;
                if is_run || self.is_run(at) {
                    return Some(at);
                }
                after = self.last_before_next(at);
            }
        })
    }

    /// Returns the runs strictly after `after`. Evaluates only the expressions that name the
    /// current run.
    pub(crate) fn runs_after(&self, after: UnixMillis) -> impl Iterator<Item = UnixMillis> + '_ {
        let mut clock = Clock::default();
        let mut next = move |cron: &CronSchedule, after, month: &mut Month| {
            cron.next_possible(after, &mut clock, month).filter(|(at, _)| *at <= LAST_SECOND)
        };
        let after = second_of(after);
        let upcoming = self.0.iter().map(|cron| {
            let mut month = Month::default();
            (next(cron, after, &mut month), month)
        });
        let mut upcoming: Vec<_> = upcoming.collect();
        std::iter::from_fn(move || {
            loop {
                let (at, _) = upcoming.iter().filter_map(|(next, _)| *next).min()?;
                let mut is_run = false;
                for (cron, (upcoming, month)) in self.0.iter().zip(&mut upcoming) {
                    if let Some((_, is_certain)) = upcoming.filter(|(upcoming, _)| *upcoming == at)
                    {
                        is_run |= is_certain;
                        *upcoming = next(cron, at, month);
                    }
                }
                if is_run || self.is_run(at) {
                    return Some(UnixMillis::new(at * 1_000));
                }
            }
        })
    }

    /// Returns the last instant before the next one that may be a run, if `at` is not a run. Skips
    /// the fixed times in the second pass of an overlap together.
    fn last_before_next(&self, at: i64) -> i64 {
        let tz = self.timezone();
        let local = local_clock::clock_at(tz, at);
        let Reading::Twice { first, second } = tz.read(local) else { return at };
        if second != at {
            return at;
        }
        let end = local_clock::change_between(tz, first, second) + tz.offset_at(first);
        let next = self.find(local + 1, end, true).unwrap_or(end);
        at + (next - local) - 1
    }

    /// Returns whether there is a run at an instant in Unix seconds.
    fn is_run(&self, at: i64) -> bool {
        let tz = self.timezone();
        let local = local_clock::clock_at(tz, at);
        if self.names(local) {
            let is_second = matches!(tz.read(local), Reading::Twice { second, .. } if second == at);
            return !is_second || self.repeats(local);
        }
        let jump = Jump::between(tz, at - 1, at).filter(|jump| jump.is_gap());
        jump.is_some_and(|jump| self.find(jump.from, jump.to, false).is_some())
    }

    /// Returns the effect of a clock change on the run at `at`. `previous` is the run before it, or
    /// the start of the caller's search. Both are Unix seconds.
    pub(crate) fn clock_change(&self, at: i64, previous: i64) -> Option<ClockChange> {
        let tz = self.timezone();
        let local = local_clock::clock_at(tz, at);
        if let Reading::Twice { first, second } = tz.read(local) {
            let jump = Jump::between(tz, first, second)?;
            return Some(match (self.repeats(local), at == first) {
                (false, _) => ClockChange::FirstOfTwo { jump },
                (true, true) => ClockChange::FirstPass { jump },
                (true, false) => ClockChange::SecondPass { jump },
            });
        }
        let jump = Jump::between(tz, previous.max(at - DAY), at).filter(|jump| jump.is_gap())?;
        let is_end = jump.to == local;
        if let Some(asked) = self.find(jump.from, jump.to, false).filter(|_| is_end) {
            return Some(ClockChange::Moved { jump, asked });
        }
        self.find(jump.from, jump.to, true).map(|asked| ClockChange::Absent { jump, asked })
    }

    /// Returns the first named local time of a range that repeats, or the first that does not.
    fn find(&self, from: i64, to: i64, repeats: bool) -> Option<i64> {
        let mut begin = from;
        while begin < to {
            let end = to.min((begin.div_euclid(DAY) + 1) * DAY);
            let fields: Vec<&Fields> = self.on(begin).collect();
            let is_it =
                |local: &i64| names(&fields, *local) && self::repeats(&fields, *local) == repeats;
            let found = (begin..end).find(is_it);
            let looked_at = (found.unwrap_or(end) - begin) * fields.len() as i64;
            count_steps(1 + (looked_at / LOOKS_A_STEP) as u32);
            if found.is_some() {
                return found;
            }
            begin = end;
        }
        None
    }

    fn names(&self, local: i64) -> bool {
        names(&self.on(local).collect::<Vec<_>>(), local)
    }

    fn repeats(&self, local: i64) -> bool {
        repeats(&self.on(local).collect::<Vec<_>>(), local)
    }

    /// Returns the expressions that name a time on the day of a local time.
    fn on(&self, local: i64) -> impl Iterator<Item = &Fields> {
        let day = local.div_euclid(DAY);
        count_steps(self.0.len() as u32);
        self.0.iter().map(|cron| &cron.fields).filter(move |fields| fields.allows_day(day))
    }
}

/// Returns whether one of the fields names a local time. All of them allow its day.
fn names(fields: &[&Fields], local: i64) -> bool {
    let time = Time::of(local);
    fields
        .iter()
        .any(|fields| time.hour_in(fields) && time.minute_in(fields) && time.second_in(fields))
}

/// Returns whether a named local time repeats, by the fields that allow its day.
fn repeats(fields: &[&Fields], local: i64) -> bool {
    let time = Time::of(local);
    let (mut hours, mut minutes, mut seconds) = (0, 0, 0);
    for fields in fields {
        let (hour, minute, second) =
            (time.hour_in(fields), time.minute_in(fields), time.second_in(fields));
        hours |= if minute && second { fields.hours } else { 0 };
        minutes |= if hour && second { fields.minutes } else { 0 };
        seconds |= if hour && minute { fields.seconds } else { 0 };
    }
    are_evenly_spaced(hours, minutes, seconds)
}

/// A time of day.
struct Time {
    hour: i64,
    minute: i64,
    second: i64,
}

impl Time {
    fn of(local: i64) -> Self {
        let second = local.rem_euclid(DAY);
        Self { hour: second / 3_600, minute: second / 60 % 60, second: second % 60 }
    }

    fn hour_in(&self, fields: &Fields) -> bool {
        fields.hours >> self.hour & 1 == 1
    }

    fn minute_in(&self, fields: &Fields) -> bool {
        fields.minutes >> self.minute & 1 == 1
    }

    fn second_in(&self, fields: &Fields) -> bool {
        fields.seconds >> self.second & 1 == 1
    }
}
