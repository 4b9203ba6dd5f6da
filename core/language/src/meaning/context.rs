//! The input and the result of building the schedules of a phrase.

use crate::calendar::Zone;
use crate::{Assumption, Language, Reason, Refusal, Schedule, Span};
use chrono::{NaiveDate, NaiveDateTime};

/// The circumstances in which a phrase is read.
pub(crate) struct Context {
    /// Milliseconds since 1970.
    pub(crate) now: i64,
    /// The caller's zone.
    pub(crate) zone: Zone,
    /// The whole phrase.
    pub(crate) whole: Span,
    /// Whether the phrase speaks to a person. Then no time of day is assumed.
    pub(crate) is_reminder: bool,
    /// Whether somebody is to wake up. Then an hour without am or pm is in the morning.
    pub(crate) is_waking: bool,
    pub(crate) language: Language,
    /// The assumptions of the words.
    pub(crate) assumptions: Vec<Assumption>,
    /// An end that may be that of an exception.
    pub(crate) open_end: Option<Span>,
}

/// The context in the time zone of the schedule.
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

/// A schedule, with the other results from the phrase.
pub(crate) struct Built {
    pub(crate) schedule: Schedule,
    /// Parts that the schedule does not use, such as the length of a meeting.
    pub(crate) unused: Vec<Span>,
    /// Whether the time of day is an assumption.
    pub(crate) assumes_time: bool,
    /// Whether the day is an assumption.
    pub(crate) assumes_day: bool,
    /// Whether the anchor of the interval depends on the time at which the phrase is read.
    pub(crate) assumes_anchor: bool,
    /// Milliseconds since 1970.
    pub(crate) first_run: i64,
}

impl Built {
    pub(super) fn new(schedule: Schedule) -> Self {
        Self {
            schedule,
            unused: Vec::new(),
            assumes_time: false,
            assumes_day: false,
            assumes_anchor: false,
            first_run: 0,
        }
    }
}
