//! A rule together with what it leaves out.

use crate::clock_change::ClockChange;
use crate::exclude::{Exclusions, Left, Source};
use crate::local_time::LocalTime;
use crate::schedule::{Rule, RuleKind};
use crate::time::UnixMillis;
use chrono::NaiveDate;

/// A rule whose runs exclusions leave out or move. Its times are those that result.
///
/// The bounds apply twice: a run counts if the rule has it within the bounds, and a
/// [`Schedule`](crate::schedule::Schedule) has it if it is within them after it has moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluding {
    rule: Rule,
    /// A run of the rule before this time does not count.
    first: UnixMillis,
    /// A run of the rule after this time does not count.
    last: UnixMillis,
    exclusions: Exclusions,
}

/// The rule alone, within the bounds.
impl Source for Excluding {
    fn next_until(&self, after: UnixMillis, until: UnixMillis) -> Option<UnixMillis> {
        let run = self.rule.next_until(after.max(self.first.plus(-1)), until.min(self.last));
        run.filter(|run| *run <= self.last)
    }

    fn moves_one_a_day(&self) -> bool {
        self.rule.drifts()
    }

    fn days_of(&self, first: NaiveDate, known: i64) -> u32 {
        self.rule.days_of(first, known)
    }

    fn time_from(&self, from: i64, known: i64) -> Option<i64> {
        self.rule.time_from(from, known)
    }

    fn phase_of(&self, known: i64) -> i64 {
        self.rule.phase_of(known)
    }
}

impl Excluding {
    /// Makes a rule of the runs of `rule` from `first` to `last`, both included, that `exclusions`
    /// leave.
    pub fn new(rule: Rule, first: UnixMillis, last: UnixMillis, exclusions: Exclusions) -> Self {
        Self { rule, first, last, exclusions }
    }

    /// Returns the same without the runs of the rule before `first`, to whatever time they move.
    pub(crate) fn since_time_of_rule(&self, first: UnixMillis) -> Self {
        Self { first: self.first.max(first), ..self.clone() }
    }

    /// Returns the rule without exclusions.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Returns what it leaves out.
    pub fn exclusions(&self) -> &Exclusions {
        &self.exclusions
    }

    /// Returns the first time strictly after `after`. May return `None` if that time is after
    /// `until`.
    pub(crate) fn next_until(&self, after: UnixMillis, until: UnixMillis) -> Option<UnixMillis> {
        self.next_left(after, until).map(|left| left.time)
    }

    fn next_left(&self, after: UnixMillis, until: UnixMillis) -> Option<Left> {
        let after = after.max(UnixMillis::ZERO.plus(-1));
        if after >= UnixMillis::LAST {
            return None;
        }
        let left = self.exclusions.next_after(after, until, self);
        left.filter(|left| left.time <= UnixMillis::LAST)
    }

    /// Returns the time by the rule of the run that has moved to `time`, or `None` if the rule has
    /// that run.
    pub(crate) fn moved_from(&self, time: UnixMillis) -> Option<UnixMillis> {
        self.left_at(time)?.from
    }

    fn left_at(&self, time: UnixMillis) -> Option<Left> {
        self.next_left(time.plus(-1), time).filter(|left| left.time == time)
    }

    /// Returns the first time of the rule strictly after `after`, up to `until`, that does not stay
    /// as it is, unless it moves to `after` or before it.
    pub(crate) fn next_excluded(&self, after: UnixMillis, until: UnixMillis) -> Option<UnixMillis> {
        self.exclusions.next_excluded(after, until, self)
    }

    /// Returns the first time of the rule strictly after `after`, up to `until`, that does not stay
    /// as it is.
    pub(crate) fn next_left_out(&self, after: UnixMillis, until: UnixMillis) -> Option<UnixMillis> {
        self.exclusions.next_left_out(after, until, self)
    }

    /// Returns whether the rule and the exclusions are those of `other`, in whatever notation.
    pub(crate) fn has_times_of(&self, other: &Self) -> bool {
        self.rule.has_times_of(&other.rule)
            && (self.first, self.last) == (other.first, other.last)
            && self.exclusions.has_times_of(&other.exclusions)
    }

    /// Returns the kind of the rule.
    pub(crate) fn kind(&self) -> RuleKind {
        self.rule.kind()
    }

    /// Returns the bytes of memory that it takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        size_of::<Self>() - size_of::<Exclusions>()
            + self.rule.bytes_on_heap()
            + self.exclusions.memory_bytes()
    }

    /// Returns the effect of a clock change on the run at `at`. `previous` is the run before. A run
    /// that has moved is handled like the run of a one-shot task at a local time.
    pub(crate) fn clock_change(&self, at: UnixMillis, previous: UnixMillis) -> Option<ClockChange> {
        match self.left_at(at) {
            Some(Left { from: Some(_), asked, .. }) => {
                ClockChange::of_one(LocalTime::of_millis(asked), self.exclusions.timezone())
            }
            _ => self.rule.clock_change(at, previous),
        }
    }
}
