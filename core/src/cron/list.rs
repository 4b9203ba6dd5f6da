//! Several expressions as one schedule.
//!
//! What a change of the clock does follows from the set of all their times, so that `["0 1 * * *", "30 1 * * *"]` means what `0,30 1 * * *`
//! does. Of each local time that one of them names, the hours are looked at that are named on that day with the same minute and second,
//! likewise the minutes and the seconds: if one of these sets is evenly spaced, the time repeats, else it is fixed. Of one expression
//! these sets are its fields, so this is the rule of [`super`] for each.

use super::fields::{Fields, are_evenly_spaced};
use super::{CronSchedule, next_instant, zone};
use crate::schedule::{ClockChange, Jump, count_steps};
use crate::time::UnixMillis;
use crate::tz::{Reading, Tz};

const DAY: i64 = 86_400;

/// Seconds that are looked at in the time of a step (see [`count_steps`]).
const SECONDS_A_STEP: i64 = 10;

/// Expressions in one time zone. An instant that more than one names is one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CronList(Box<[CronSchedule]>);

impl CronSchedule {
    /// Returns the first instant after `after` at which the clock shows a time that it names, or has jumped over one; and whether it is a
    /// run whether that time repeats or is fixed.
    fn next_possible(&self, after: i64) -> Option<(i64, bool)> {
        match (self.next_fixed(after), self.next_repeat(after)) {
            (Some(fixed), Some(shown)) => Some((fixed.min(shown), fixed == shown)),
            (fixed, shown) => Some((fixed.or(shown)?, false)),
        }
    }
}

impl CronList {
    /// Makes a list of expressions in the same time zone.
    pub(crate) fn new(crons: Box<[CronSchedule]>) -> Self {
        Self(crons)
    }

    /// The time zone on whose clock the expressions are read.
    pub(crate) fn timezone(&self) -> Tz {
        self.0.first().map_or(Tz::UTC, CronSchedule::timezone)
    }

    /// The expressions.
    pub(crate) fn expressions(&self) -> &[CronSchedule] {
        &self.0
    }

    /// Bytes of memory on the heap.
    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val::<[CronSchedule]>(&self.0)
    }

    /// The first run strictly after `after`; `None` when there is none up to [`UnixMillis::LAST`].
    pub(crate) fn next_after(&self, after: UnixMillis) -> Option<UnixMillis> {
        next_instant(after, |mut after| {
            loop {
                let (at, is_run) = self.0.iter().filter_map(|cron| cron.next_possible(after)).min_by_key(|(at, _)| *at)?;
                if is_run || self.is_run(at) {
                    return Some(at);
                }
                after = self.last_before_next(at);
            }
        })
    }

    /// The runs strictly after `after`. Only the expressions that name one are asked for their next.
    pub(crate) fn runs_after(&self, after: UnixMillis) -> impl Iterator<Item = UnixMillis> + '_ {
        let next = |cron: &CronSchedule, after| next_instant(after, |after| cron.next_possible(after).map(|(at, _)| at));
        let mut upcoming: Vec<_> = self.0.iter().map(|cron| next(cron, after)).collect();
        std::iter::from_fn(move || {
            loop {
                let at = upcoming.iter().flatten().min().copied()?;
                for (cron, upcoming) in self.0.iter().zip(&mut upcoming).filter(|(_, upcoming)| **upcoming == Some(at)) {
                    *upcoming = next(cron, at);
                }
                if self.is_run(at.get().div_euclid(1_000)) {
                    return Some(at);
                }
            }
        })
    }

    /// Returns the last instant before the next that may be a run, where `at` is none: of the second pass of an overlap, the fixed times are
    /// passed over together.
    fn last_before_next(&self, at: i64) -> i64 {
        let tz = self.timezone();
        let local = zone::clock_at(tz, at);
        let Reading::Twice { first, second } = tz.read(local) else { return at };
        if second != at {
            return at;
        }
        let end = zone::change_between(tz, first, second) + tz.offset_at(first);
        let next = self.find(local + 1, end, true).unwrap_or(end);
        at + (next - local) - 1
    }

    /// Returns whether there is a run at an instant, Unix seconds.
    fn is_run(&self, at: i64) -> bool {
        let tz = self.timezone();
        let local = zone::clock_at(tz, at);
        if self.names(local) {
            let is_second = matches!(tz.read(local), Reading::Twice { second, .. } if second == at);
            return !is_second || self.repeats(local);
        }
        let jump = Jump::between(tz, at - 1, at).filter(|jump| jump.is_gap());
        jump.is_some_and(|jump| self.find(jump.from, jump.to, false).is_some())
    }

    /// What a change of the clock does to the run at `at`, where `previous` is the one before, or where the caller began to look; both
    /// Unix seconds.
    pub(crate) fn clock_change(&self, at: i64, previous: i64) -> Option<ClockChange> {
        let tz = self.timezone();
        let local = zone::clock_at(tz, at);
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

    /// Returns the first local time of a range that is named and repeats, or that is named and does not.
    fn find(&self, from: i64, to: i64, repeats: bool) -> Option<i64> {
        let mut begin = from;
        while begin < to {
            let end = to.min((begin.div_euclid(DAY) + 1) * DAY);
            let fields: Vec<&Fields> = self.on(begin).collect();
            count_steps(1 + ((end - begin) / SECONDS_A_STEP) as u32);
            let is_it = |local: &i64| names(&fields, *local) && self::repeats(&fields, *local) == repeats;
            if let Some(found) = (begin..end).find(is_it) {
                return Some(found);
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

    /// The expressions that name something on the day of a local time.
    fn on(&self, local: i64) -> impl Iterator<Item = &Fields> {
        let day = local.div_euclid(DAY);
        self.0.iter().map(|cron| &cron.fields).filter(move |fields| fields.allows_day(day))
    }
}

/// Returns whether one of the fields, which allow the day, names a local time.
fn names(fields: &[&Fields], local: i64) -> bool {
    let time = Time::of(local);
    fields.iter().any(|fields| time.hour_in(fields) && time.minute_in(fields) && time.second_in(fields))
}

/// Returns whether a local time that is named repeats, by the fields that allow its day.
fn repeats(fields: &[&Fields], local: i64) -> bool {
    let time = Time::of(local);
    let (mut hours, mut minutes, mut seconds) = (0, 0, 0);
    for fields in fields {
        let (hour, minute, second) = (time.hour_in(fields), time.minute_in(fields), time.second_in(fields));
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
