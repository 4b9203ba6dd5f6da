//! Recurring schedules: cron, intervals and RFC 5545 rules, with bounds, jitter and windows.
//!
//! An occurrence has a **nominal time**, which names it and never changes, and a **due time**, at
//! which it fires. They differ only by jitter and window (see [`Delay`]). Both rise strictly from
//! one occurrence to the next.

mod times;

use crate::clock_change::ClockChange;
use crate::cron::{CronList, CronSchedule, have_same_times};
use crate::delay::Delay;
use crate::every::Every;
use crate::excluding::Excluding;
use crate::rrule::{MAX_COUNTING_STEPS, RRule, TooLong};
use crate::steps::{are_left, steps_taken};
use crate::time::UnixMillis;
use std::slice;

/// The number of runs that are tried one after another before a range is halved.
const FEW_RUNS: usize = 3;

/// One run of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// The nominal time, which names the occurrence.
    pub time: UnixMillis,
    /// When it fires: not before its nominal time, and before the nominal time of the next
    /// occurrence.
    pub due: UnixMillis,
}

/// The result of [`Schedule::count_due`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// How many occurrences.
    pub runs: u64,
    /// How many of them were examined one by one.
    pub looked_at: u64,
    /// The first occurrence that is not counted.
    pub next: Option<Occurrence>,
}

/// The rule of a schedule, without bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// A cron expression.
    Cron(CronSchedule),
    /// Several cron expressions. An instant that several of them name is one occurrence.
    Crons(CronList),
    /// An interval.
    Every(Every),
    /// An RFC 5545 rule. It is boxed because it is by far the largest, and rare.
    Ical(Box<RRule>),
    /// Another rule, and what it leaves out.
    Excluding(Box<Excluding>),
}

/// The kind of a [`Rule`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleKind {
    /// One cron expression or several.
    Cron,
    /// An interval.
    Every,
    /// An RFC 5545 rule.
    Rrule,
}

impl Rule {
    /// Returns the first time strictly after `after`.
    pub fn next_after(&self, after: UnixMillis) -> Option<UnixMillis> {
        match self {
            Self::Cron(cron) => cron.next_after(after),
            Self::Crons(crons) => crons.next_after(after),
            Self::Every(every) => every.next_after(after),
            Self::Ical(rule) => rule.next_after(after),
            Self::Excluding(rule) => rule.next_until(after, UnixMillis::LAST),
        }
    }

    /// Returns the first time strictly after `after`. May return `None` if that time is after
    /// `until`.
    pub(crate) fn next_until(&self, after: UnixMillis, until: UnixMillis) -> Option<UnixMillis> {
        match self {
            Self::Ical(rule) => rule.next_until(after, until),
            Self::Excluding(rule) => rule.next_until(after, until),
            _ => self.next_after(after),
        }
    }

    /// Returns whether the rule names the same times as `other`, in whatever notation.
    pub(crate) fn has_times_of(&self, other: &Self) -> bool {
        match (self.crons(), other.crons(), self, other) {
            (Some(one), Some(other), ..) => have_same_times(one, other),
            (_, _, Self::Ical(one), Self::Ical(other)) => one.has_times_of(other),
            (_, _, Self::Excluding(one), Self::Excluding(other)) => one.has_times_of(other),
            _ => self == other,
        }
    }

    fn crons(&self) -> Option<&[CronSchedule]> {
        match self {
            Self::Cron(cron) => Some(slice::from_ref(cron)),
            Self::Crons(crons) => Some(crons.expressions()),
            Self::Every(_) | Self::Ical(_) | Self::Excluding(_) => None,
        }
    }

    /// Returns its kind.
    pub(crate) fn kind(&self) -> RuleKind {
        match self {
            Self::Cron(_) | Self::Crons(_) => RuleKind::Cron,
            Self::Every(_) => RuleKind::Every,
            Self::Ical(_) => RuleKind::Rrule,
            Self::Excluding(rule) => rule.kind(),
        }
    }

    /// Returns the bytes of memory that the rule takes on the heap.
    pub(crate) fn bytes_on_heap(&self) -> usize {
        match self {
            Self::Crons(crons) => crons.memory_bytes(),
            Self::Ical(rule) => rule.memory_bytes(),
            Self::Excluding(rule) => rule.memory_bytes(),
            Self::Cron(_) | Self::Every(_) => 0,
        }
    }

    /// Returns the effect of a clock change on the run at `at`. `previous` is the run before.
    pub(crate) fn clock_change(&self, at: UnixMillis, previous: UnixMillis) -> Option<ClockChange> {
        let second = |time: UnixMillis| time.get().div_euclid(1_000);
        match self {
            Self::Cron(cron) => cron.clock_change(second(at), second(previous)),
            Self::Crons(crons) => crons.clock_change(second(at), second(previous)),
            Self::Every(_) => None,
            Self::Ical(rule) => rule.clock_change(second(at), second(previous)),
            Self::Excluding(rule) => rule.clock_change(at, previous),
        }
    }
}

/// A recurring schedule of about 100 bytes. With one cron expression or an interval, it has nothing
/// on the heap. See the [module](self).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    rule: Rule,
    /// There is no occurrence before this time.
    first: UnixMillis,
    /// There is no occurrence after this time.
    last: UnixMillis,
    delay: Delay,
}

impl Schedule {
    /// Makes a schedule of the nominal times of `rule` from `first` to `last`, both included.
    pub fn new(rule: Rule, first: UnixMillis, last: UnixMillis, delay: Delay) -> Self {
        Self { rule, first, last, delay }
    }

    /// Returns its rule.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Returns the bound after which there is no occurrence.
    pub fn last(&self) -> UnixMillis {
        self.last
    }

    /// Ends the schedule with run number `runs`, counted from 1, unless it ends earlier. `first` is
    /// the nominal time of run number 1.
    ///
    /// # Errors
    /// Returns an error if counting the runs takes too many steps.
    pub fn end_with_run(&mut self, first: UnixMillis, runs: u32) -> Result<(), TooLong> {
        self.last = self.last.min(self.time_of_run(first, runs)?);
        Ok(())
    }

    /// Returns the nominal time of the last occurrence of a schedule with an end. `first` is the
    /// time of the first one. Without exclusions, the end of a counted schedule is its last
    /// occurrence.
    pub fn last_time(&self, first: UnixMillis) -> UnixMillis {
        if !matches!(self.rule, Rule::Excluding(_)) {
            return self.last;
        }
        // There is an occurrence at `low`, and none after `high`.
        let (mut low, mut high) = (first, self.last);
        while low < high {
            let middle = low.plus(high.since(low) / 2);
            match self.time_after(middle) {
                Some(later) => low = later,
                None => high = middle,
            }
        }
        low
    }

    /// Returns the same schedule without the occurrences that the rule has before `first`. Exclusions
    /// may have moved them to a later time.
    #[must_use]
    pub fn since_time_of_rule(&self, first: UnixMillis) -> Self {
        match &self.rule {
            Rule::Excluding(rule) => {
                let rule = Rule::Excluding(Box::new(rule.since_time_of_rule(first)));
                Self { rule, ..self.clone() }
            }
            _ => Self { first: self.first.max(first), ..self.clone() },
        }
    }

    /// Returns the first occurrence that fires strictly after `due`.
    pub fn next_after(&self, due: UnixMillis) -> Option<Occurrence> {
        if self.delay.is_none() {
            return self.time_after(due).map(|time| Occurrence { time, due: time });
        }
        // An occurrence whose nominal time has passed may still be due later. Only the last such
        // occurrence can be, because each one fires before the time of the next.
        if let Some(time) = self.last_time_until(due) {
            let occurrence = self.occurrence(time);
            if occurrence.due > due {
                return Some(occurrence);
            }
        }
        self.time_after(due).map(|time| self.occurrence(time))
    }

    /// Returns the occurrence after the one with this nominal time.
    pub fn following(&self, time: UnixMillis) -> Option<Occurrence> {
        self.time_after(time).map(|time| self.occurrence(time))
    }

    /// Returns the occurrence with this nominal time.
    pub fn occurrence(&self, time: UnixMillis) -> Occurrence {
        if self.delay.is_none() {
            return Occurrence { time, due: time };
        }
        Occurrence { time, due: self.delay.due(time, self.room_of(time, self.delay)) }
    }

    /// Counts the occurrences from `first` on that are due before `end`.
    ///
    /// For an interval without delay, computes the number. For any other rule, counts at most
    /// `most` occurrences one by one.
    pub fn count_due(&self, first: Occurrence, end: UnixMillis, most: u64) -> Counted {
        let until = end.plus(-1).min(self.last);
        if let Rule::Every(every) = &self.rule
            && self.delay.is_none()
            && first.time <= until
        {
            let runs = 1 + every.runs_between(first.time, until);
            return Counted { runs, looked_at: 1, next: self.following(until) };
        }
        let (mut runs, mut next) = (0, Some(first));
        while let Some(run) = next.filter(|run| run.due < end && runs < most) {
            runs += 1;
            next = self.following(run.time);
        }
        Counted { runs, looked_at: runs, next }
    }

    /// Returns whether the schedule has the nominal times of `other`, in whatever notation and with
    /// whatever delay.
    pub fn has_times_of(&self, other: &Self) -> bool {
        self.rule.has_times_of(&other.rule) && self.first == other.first && self.last == other.last
    }

    /// Returns when an occurrence would fire without the window, or `None` if there is no window.
    pub fn due_without_window(&self, of: Occurrence) -> Option<UnixMillis> {
        let delay = self.delay.has_window().then(|| self.delay.without_window())?;
        Some(delay.due(of.time, self.room_of(of.time, delay)))
    }

    /// Returns the next time of the rule, even outside of the bounds, if it is so near that it
    /// limits the delay.
    fn room_of(&self, time: UnixMillis, delay: Delay) -> Option<UnixMillis> {
        self.rule.next_until(time, time.plus(delay.longest()))
    }

    /// Returns the last occurrence from `first` on that is due by `at`, or `first` if no later one
    /// is.
    pub fn last_due_until(&self, first: Occurrence, at: UnixMillis) -> Occurrence {
        // No occurrence after `high` is due by `at`. `low` is due by `at`, or is the first one. Due
        // times rise with nominal times.
        let (mut low, mut high) = (first, at);
        while low.time < high {
            // The range is halved each time, starting with at most the span of all times: about 48
            // rounds.
            let middle = low.time.plus(high.since(low.time) / 2);
            match self.following(middle).filter(|later| later.due <= at) {
                Some(later) => low = later,
                None => high = middle,
            }
        }
        low
    }

    /// Returns where the last `most` occurrences from `first` to `last` begin, or `first` if there
    /// are no more than that.
    pub fn last_runs(&self, first: Occurrence, last: Occurrence, most: usize) -> Occurrence {
        let runs = |from: Occurrence| {
            std::iter::successors(Some(from), |run| self.following(run.time))
                .take_while(|run| run.time <= last.time)
        };
        // This is the most that is walked at a time. A range with fewer occurrences is not halved
        // further.
        let few = most.saturating_mul(2);
        let begin_of = |from: Occurrence, count: usize| {
            runs(from).nth(count.saturating_sub(most)).unwrap_or(from)
        };
        let count = runs(first).take(few + 1).count();
        if count <= few {
            return begin_of(first, count);
        }
        // From `low` on there are more than `few` occurrences. From the first one after `high` on
        // there are fewer than `most`.
        let (mut low, mut high) = (first.time, last.time);
        // Most rules have even gaps. For these, the guess from the gap after the last occurrence is
        // right.
        let gap = self.following(last.time).map_or(0, |next| next.time.since(last.time));
        let mut probe =
            last.time.plus(-gap.saturating_mul(i64::try_from(most).unwrap_or(i64::MAX)));
        while low < high {
            let at =
                if low < probe && probe < high { probe } else { low.plus(high.since(low) / 2) };
            let Some(run) = self.following(at).filter(|run| run.time <= last.time) else { break };
            match runs(run).take(few + 1).count() {
                count if count > few => (low, probe) = (run.time, low),
                count if count >= most => return begin_of(run, count),
                count => {
                    high = at;
                    // The next guess goes back by the missing number, and half as many again, if
                    // the gaps there are similar.
                    let span = last
                        .time
                        .since(run.time)
                        .max(1)
                        .saturating_mul(most.saturating_mul(3) as i64);
                    probe = last.time.plus(-(span / (2 * count.max(1)) as i64));
                }
            }
        }
        last
    }

    /// Returns the kind of its rule.
    pub fn kind(&self) -> RuleKind {
        self.rule.kind()
    }

    /// Returns the bytes of memory that the schedule takes.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.rule.bytes_on_heap()
    }

    /// Returns the effect of a clock change on the occurrence at `time`. `previous` is the time of
    /// the occurrence before.
    pub fn clock_change(&self, time: UnixMillis, previous: UnixMillis) -> Option<ClockChange> {
        self.rule.clock_change(time, previous)
    }

    /// Returns the time by the rule of an occurrence that an exclusion has moved to `time`. Returns
    /// `None` if it has not moved.
    pub fn moved_from(&self, time: UnixMillis) -> Option<UnixMillis> {
        match &self.rule {
            Rule::Excluding(rule) => rule.moved_from(time),
            _ => None,
        }
    }

    /// Returns the first time of the rule strictly after `after`, up to `until`, that an exclusion
    /// leaves out or moves. Does not return one that an exclusion moves to `after` or before it.
    pub fn next_excluded(&self, after: UnixMillis, until: UnixMillis) -> Option<UnixMillis> {
        self.excluding(after, until, Excluding::next_excluded)
    }

    /// Returns the first time of the rule strictly after `after`, up to `until`, that an exclusion
    /// leaves out or moves, to whatever time.
    pub fn next_left_out(&self, after: UnixMillis, until: UnixMillis) -> Option<UnixMillis> {
        self.excluding(after, until, Excluding::next_left_out)
    }

    /// Searches excluded times within the bounds.
    fn excluding(
        &self,
        after: UnixMillis,
        until: UnixMillis,
        search: fn(&Excluding, UnixMillis, UnixMillis) -> Option<UnixMillis>,
    ) -> Option<UnixMillis> {
        match &self.rule {
            // The rule has no run before its own begin.
            Rule::Excluding(rule) => search(rule, after, until.min(self.last)),
            _ => None,
        }
    }

    /// Returns the first nominal time strictly after `after`, within the bounds.
    fn time_after(&self, after: UnixMillis) -> Option<UnixMillis> {
        self.rule.next_after(after.max(self.first.plus(-1))).filter(|time| *time <= self.last)
    }

    /// Returns the last nominal time at or before `at`, if it is so late that a delay can move it
    /// past `at`.
    fn last_time_until(&self, at: UnixMillis) -> Option<UnixMillis> {
        let end = at.min(self.last);
        let until = |after: UnixMillis| {
            self.rule.next_until(after.max(self.first.plus(-1)), end).filter(|time| *time <= end)
        };
        // There is no occurrence after `high` up to `at`, and `low` is one.
        let mut low = until(at.plus(-self.delay.longest()))?;
        // Most schedules have few runs in that time.
        for _ in 0..FEW_RUNS {
            match until(low) {
                Some(later) => low = later,
                None => return Some(low),
            }
        }
        let mut high = at;
        while low < high {
            // The range is halved each time. A delay is at most two days, so there are about 28
            // rounds.
            let middle = low.plus(high.since(low) / 2);
            match until(middle) {
                Some(later) => low = later,
                None => high = middle,
            }
        }
        Some(low)
    }

    /// Returns the nominal time of run number `number`, counted from 1, or of the last run if there
    /// are fewer. `first` is the nominal time of the first run.
    fn time_of_run(&self, first: UnixMillis, number: u32) -> Result<UnixMillis, TooLong> {
        let further = number.saturating_sub(1);
        match &self.rule {
            Rule::Every(every) => Ok(every.later(first, further).unwrap_or(UnixMillis::LAST)),
            Rule::Ical(rule) => Ok(rule.nth_after(first, further)?.unwrap_or(first)),
            Rule::Cron(cron) => self.count_off(cron.runs_after(first), first, further),
            Rule::Crons(crons) => self.count_off(crons.runs_after(first), first, further),
            Rule::Excluding(rule) => {
                let runs = std::iter::successors(rule.next_until(first, self.last), |run| {
                    rule.next_until(*run, self.last)
                });
                self.count_off(runs, first, further)
            }
        }
    }

    /// Returns the time that is `further` runs after `first`. `runs` are the runs after it.
    fn count_off(
        &self,
        runs: impl Iterator<Item = UnixMillis>,
        first: UnixMillis,
        further: u32,
    ) -> Result<UnixMillis, TooLong> {
        let before = steps_taken();
        let mut last = first;
        for next in runs.take(further as usize).take_while(|next| *next <= self.last) {
            last = next;
            let taken = steps_taken().wrapping_sub(before);
            if taken > u64::from(MAX_COUNTING_STEPS) || !are_left() {
                return Err(TooLong);
            }
        }
        Ok(last)
    }
}
