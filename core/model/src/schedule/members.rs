//! Which member of a task belongs to which kind of schedule. The check of a definition and a patch
//! use this list.

use super::GivenKind;
use super::exclude::EXCLUDE;

/// The members that say when a task fires, each with its kind. A task has exactly one of them, or
/// `"type":"no-schedule"`.
pub(crate) const WAYS: [(&str, GivenKind); 5] = [
    ("time", GivenKind::Scheduled),
    ("delayInSeconds", GivenKind::Delayed),
    ("cron", GivenKind::Cron),
    ("everySeconds", GivenKind::Every),
    ("rrule", GivenKind::Rrule),
];

/// The member that says when in words. It replaces one of [`WAYS`] and the members that decide
/// about times.
pub(crate) const SENTENCE: &str = "schedule";

/// The member that shows the sentence of a schedule.
pub(crate) const WORDS: &str = "words";

/// The members that may be a local time, with a `timezone`.
pub(crate) const TIMES: [&str; 4] = ["time", "startAt", "endAt", "anchor"];

/// A member that belongs to some of [`WAYS`].
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) of: Company,
    /// Whether it affects at which times the task fires. The others affect what happens to a run.
    pub(crate) decides_times: bool,
}

/// The kinds of schedule that a member belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Company {
    /// A schedule with a time zone: `cron`, `rrule`, `exclude`, or local times.
    Zoned,
    /// `everySeconds`.
    Interval,
    /// A recurring schedule.
    Recurring,
    /// Any schedule.
    Scheduled,
}

/// All such members, in the order in which they are checked.
pub(crate) const MEMBERS: [Member; 12] = [
    member("timezone", Company::Zoned, true),
    member("anchor", Company::Interval, true),
    member("startAt", Company::Recurring, true),
    member("endAt", Company::Recurring, true),
    member("maxRuns", Company::Recurring, true),
    member(EXCLUDE, Company::Recurring, true),
    member("jitterSeconds", Company::Scheduled, false),
    member("windowSeconds", Company::Scheduled, false),
    member("misfire", Company::Scheduled, false),
    member("overlap", Company::Recurring, false),
    member("expireAfterSeconds", Company::Scheduled, false),
    member(WORDS, Company::Scheduled, false),
];

const fn member(name: &'static str, of: Company, decides_times: bool) -> Member {
    Member { name, of, decides_times }
}

impl Company {
    /// Returns whether a task of this kind may have such a member. `has_local` says whether one of
    /// its times is a local time, or it leaves out local days and times.
    pub(crate) fn takes(self, kind: GivenKind, has_local: bool) -> bool {
        let recurs = matches!(kind, GivenKind::Cron | GivenKind::Every | GivenKind::Rrule);
        match self {
            Self::Zoned => has_local || recurs && kind != GivenKind::Every,
            Self::Interval => kind == GivenKind::Every,
            Self::Recurring => recurs,
            Self::Scheduled => kind != GivenKind::NoSchedule,
        }
    }

    /// Returns why a task of another kind is refused.
    pub(crate) fn refusal(self) -> &'static str {
        match self {
            Self::Zoned => "belongs to cron, rrule, exclude and local times only",
            Self::Interval => "belongs to everySeconds only",
            Self::Recurring => "belongs to recurring tasks (cron, everySeconds, rrule) only",
            Self::Scheduled => "belongs to tasks that fire by themselves; this one has no schedule",
        }
    }
}
