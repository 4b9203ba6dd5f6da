//! What the schedules of a phrase are built from and what is built.

use crate::calendar::Zone;
use crate::{Assumption, Language, Reason, Refusal, Schedule, Span};
use chrono::{NaiveDate, NaiveDateTime};

/// Where and when a phrase is read.
pub(crate) struct Context {
    /// Milliseconds since 1970.
    pub(crate) now: i64,
    /// The caller's zone.
    pub(crate) zone: Zone,
    /// The whole phrase.
    pub(crate) whole: Span,
    /// Whether the phrase speaks to a person: a time of day is then not assumed.
    pub(crate) is_reminder: bool,
    pub(crate) language: Language,
    /// What the words took for granted.
    pub(crate) assumptions: Vec<Assumption>,
}

/// The same, in the time zone of the schedule.
pub(super) struct Local<'a> {
    pub(super) context: &'a Context,
    pub(super) zone: Zone,
    pub(super) now: NaiveDateTime,
}

impl Local<'_> {
    pub(super) fn today(&self) -> NaiveDate {
        self.now.date()
    }

    pub(super) fn refuse<T>(
        &self,
        reason: Reason,
        span: Span,
        message: impl Into<String>,
    ) -> Result<T, Refusal> {
        Err(Refusal::new(reason, span, message))
    }
}

/// A schedule and what was made of the phrase beyond it.
pub(crate) struct Built {
    pub(crate) schedule: Schedule,
    /// Parts that turned out to say nothing about the schedule, such as the length of a meeting.
    pub(crate) unused: Vec<Span>,
    /// Whether the time of day is an assumption.
    pub(crate) assumes_time: bool,
    /// Whether the day is.
    pub(crate) assumes_day: bool,
    /// Whether the anchor of the interval follows from the time at which the phrase is read.
    pub(crate) assumes_anchor: bool,
}

impl Built {
    pub(super) fn new(schedule: Schedule) -> Self {
        Self {
            schedule,
            unused: Vec::new(),
            assumes_time: false,
            assumes_day: false,
            assumes_anchor: false,
        }
    }
}
