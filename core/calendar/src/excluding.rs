//! A rule together with what it leaves out.

use crate::clock_change::ClockChange;
use crate::exclude::{Exclusions, Left};
use crate::schedule::{Rule, RuleKind};
use crate::time::UnixMillis;

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

impl Excluding {
    /// Makes a rule of the runs of `rule` from `first` to `last`, both included, that `exclusions`
    /// leave.
    pub fn new(rule: Rule, first: UnixMillis, last: UnixMillis, exclusions: Exclusions) -> Self {
        Self { rule, first, last, exclusions }
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
        let left =
            self.exclusions.next_after(after, until, &|after, until| self.of_rule(after, until));
        left.filter(|left| left.time <= UnixMillis::LAST)
    }

    /// Returns the first time of the rule alone strictly after `after`, within the bounds.
    fn of_rule(&self, after: UnixMillis, until: UnixMillis) -> Option<UnixMillis> {
        let run = self.rule.next_until(after.max(self.first.plus(-1)), until.min(self.last));
        run.filter(|run| *run <= self.last)
    }

    /// Returns the time by the rule of the run that has moved to `time`, or `None` if the rule has
    /// that run.
    pub(crate) fn moved_from(&self, time: UnixMillis) -> Option<UnixMillis> {
        self.next_left(time.plus(-1), time).filter(|left| left.time == time)?.from
    }

    /// Returns the first time of the rule strictly after `after`, up to `until`, that does not stay
    /// as it is.
    pub(crate) fn next_excluded(&self, after: UnixMillis, until: UnixMillis) -> Option<UnixMillis> {
        self.exclusions.next_excluded(after, until, &|after, until| self.of_rule(after, until))
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

    /// Returns the effect of a clock change on the run at `at`, unless it has moved. `previous` is
    /// the run before.
    pub(crate) fn clock_change(&self, at: UnixMillis, previous: UnixMillis) -> Option<ClockChange> {
        if self.moved_from(at).is_some() {
            return None;
        }
        self.rule.clock_change(at, previous)
    }
}
