//! Checks the fields of a request by which a task recurs.

use super::exclude::{EXCLUDE, check_new};
use super::input::{CheckedSchedule, GivenKind, Recurrence, field_of, in_zone};
use super::members::{Company, MEMBERS};
use super::{Budget, LocalTimes, ScheduleFields};
use crate::bounds::{
    MAX_CRON_TEXT_BYTES, MAX_EXCLUDE_TEXT_BYTES, MAX_MISFIRE_TEXT_BYTES, MAX_SENTENCE_BYTES,
};
use crate::input::{FieldError, GivenTime, Object, TimeInput, at_most};
use crate::names::Given;
use crate::routing::id_hash;
use scheduler_calendar::rrule::MAX_COUNTED_RUNS;
use scheduler_calendar::schedule::Occurrence;
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz::Tz;
use serde_json::value::RawValue;

impl<'a> Recurrence<'a> {
    /// Checks the lengths of JSON texts before any of them is parsed.
    pub(super) fn check_lengths(&self) -> Result<(), FieldError> {
        let length = |given: Option<&RawValue>| given.map_or(0, |given| given.get().len());
        at_most("words", self.words.as_ref().map_or(0, |words| words.0.len()), MAX_SENTENCE_BYTES)?;
        at_most("cron", length(self.cron), MAX_CRON_TEXT_BYTES)?;
        at_most(EXCLUDE, length(self.exclude), MAX_EXCLUDE_TEXT_BYTES)?;
        at_most("misfire", length(self.misfire), MAX_MISFIRE_TEXT_BYTES)
    }

    /// Checks that each field belongs to the kind of schedule. `without_zone` says what to do about
    /// a time zone without a local time.
    pub(super) fn check_company(
        &self,
        kind: GivenKind,
        has_local: bool,
        without_zone: &str,
    ) -> Result<(), FieldError> {
        let misplaced = MEMBERS
            .iter()
            .find(|member| self.has(member.name) && !member.of.takes(kind, has_local));
        let Some(member) = misplaced else { return Ok(()) };
        let refusal = member.of.refusal();
        Err(match member.of {
            Company::Zoned => FieldError::new(member.name, format!("{refusal}; {without_zone}")),
            _ => FieldError::new(member.name, refusal),
        })
    }

    /// Returns whether the task has the form in which an answer shows a task without a schedule.
    pub(super) fn is_shown_unscheduled(&self) -> bool {
        self.kind.is_some_and(|kind| kind.get() == "\"no-schedule\"")
    }

    /// Returns whether a member of [`MEMBERS`] is given.
    fn has(&self, name: &str) -> bool {
        match name {
            "timezone" => self.timezone.is_some(),
            "anchor" => self.anchor.is_some(),
            "startAt" => self.start_at.is_some(),
            "endAt" => self.end_at.is_some(),
            "maxRuns" => self.max_runs.is_some(),
            EXCLUDE => self.exclude.is_some(),
            "jitterSeconds" => self.jitter_seconds.is_some(),
            "windowSeconds" => self.window_seconds.is_some(),
            "misfire" => self.misfire.is_some(),
            "overlap" => self.overlap.is_some(),
            "expireAfterSeconds" => self.expire_after_seconds.is_some(),
            "words" => self.words.is_some(),
            _ => false,
        }
    }

    /// Restores times that were given as local times, if the instants next to them are unchanged.
    /// So what an answer shows of a task defines the same task.
    pub(super) fn read_local(&mut self, time: &mut Option<TimeInput<'a>>) {
        let Some(Object(local)) = self.local.take() else { return };
        let Ok(Some(zone)) = self.zone() else { return };
        for (given, local) in [
            (time, local.time),
            (&mut self.start_at, local.start_at),
            (&mut self.end_at, local.end_at),
            (&mut self.anchor, local.anchor),
        ] {
            let (Some(input), Some(local)) = (given.as_ref(), local) else { continue };
            if let Ok(GivenTime::Instant(instant)) = input.read("time", true)
                && [local.instant(zone), local.instant_after_gap(zone)].contains(&Some(instant))
            {
                *given = Some(TimeInput::Text(local.to_string().into()));
            }
        }
    }

    fn max_runs(&self) -> Option<u32> {
        self.max_runs.map(|runs| runs.0)
    }

    /// Returns the time zone, if there is one.
    pub(super) fn zone(&self) -> Result<Option<Tz>, FieldError> {
        let read = self
            .timezone
            .as_ref()
            .map(|name| scheduler_calendar::cron::timezone(Some(&name.0)))
            .transpose();
        read.map_err(|problem| FieldError::new("timezone", problem.to_string()))
    }

    /// Checks the schedule of a recurring task. `id` is the id of the task.
    pub(super) fn check(
        &self,
        kind: GivenKind,
        id: &str,
        now: UnixMillis,
        budget: &mut Budget,
    ) -> Result<CheckedSchedule<'a>, FieldError> {
        let mut fields = self.fields(now)?;
        fields.policies()?;
        if fields.end_at.is_some_and(|end| fields.start_at.is_some_and(|start| end < start)) {
            return Err(FieldError::new("endAt", "is before startAt"));
        }
        let has_open_anchor =
            fields.anchor.is_some() && self.anchor.is_none() && !self.settles_anchor;
        let checked = |due, fields, schedule| CheckedSchedule {
            time: None,
            due,
            fields: Some(fields),
            schedule: Some(schedule),
            has_open_anchor,
        };
        if let Some(last) = self.goes_on {
            fields.final_run = last;
            self.check_runs(kind)?;
            let schedule = fields.schedule(id_hash(id))?;
            // A paused task, or one whose last run is due, may have no future run.
            let due = schedule.next_after(now).map_or(UnixMillis::NEVER, |next| next.due);
            return Ok(checked(due, fields, schedule));
        }
        if let Some(exclude) = self.exclude {
            // Fewer runs may be left, but not others, so the end of a counted schedule does not
            // matter.
            check_new(exclude.get(), &fields.schedule(id_hash(id))?, now)?;
        }
        if let Some(former) = &self.continues {
            self.check_runs(kind)?;
            budget.count_runs("maxRuns", "maxRuns", fields.max_runs.unwrap_or(0))?;
            // A task whose last run has passed starts over.
            if fields.continue_from(former, id_hash(id), now)? {
                let schedule = fields.schedule(id_hash(id))?;
                let due = schedule.next_after(now).map_or(UnixMillis::NEVER, |next| next.due);
                return Ok(checked(due, fields, schedule));
            }
        }
        let may_count = self.max_runs.is_some() || kind == GivenKind::Rrule;
        let to_count = if may_count { fields.counted_runs()? } else { 0 };
        self.check_runs(kind)?;
        let (field, what) =
            if self.max_runs.is_some() { ("maxRuns", "maxRuns") } else { ("rrule", "COUNT") };
        budget.count_runs(field, what, to_count)?;
        let Some((schedule, first)) = fields.settle(id_hash(id), now)? else {
            return Err(no_run(&fields, kind, now));
        };
        Ok(checked(first.due, fields, schedule))
    }

    /// Returns the fields to store, with the instants of the local times.
    fn fields(&self, now: UnixMillis) -> Result<Box<ScheduleFields<'a>>, FieldError> {
        let zone = self.zone()?;
        let (start_at, local_start) = in_zone("startAt", &self.start_at, zone)?.unzip();
        let (end_at, local_end) = in_zone("endAt", &self.end_at, zone)?.unzip();
        let (given_anchor, mut local_anchor) = in_zone("anchor", &self.anchor, zone)?.unzip();
        if self.every_seconds.is_some() && given_anchor.is_none() {
            local_anchor = local_start;
        }
        let local = LocalTimes {
            time: None,
            start_at: local_start.flatten(),
            end_at: local_end.flatten(),
            anchor: local_anchor.flatten(),
        };
        // In a gap, a run may be later than a bound: see `Every::from_local`.
        let of_local = zone.and_then(|zone| local.anchor?.instant_after_gap(zone));
        let anchor = match self.every_seconds {
            // Without another anchor, the first run is at the start, or one interval from now. The
            // anchor is stored, because the runs depend on it.
            Some(seconds) => of_local
                .or(given_anchor)
                .or(start_at)
                .or(Some(now.plus((seconds * 1_000.0).round() as i64))),
            None => None,
        };
        Ok(Box::new(ScheduleFields {
            cron: self.cron,
            timezone: self.timezone.as_ref().map(|timezone| timezone.0.clone()),
            local: local.unless_empty(),
            every_seconds: self.every_seconds,
            anchor,
            rrule: self.rrule.as_ref().map(|rule| rule.0.clone()),
            start_at,
            end_at,
            max_runs: self.max_runs(),
            exclude: self.exclude,
            jitter_seconds: self.jitter_seconds,
            window_seconds: self.window_seconds,
            misfire: self.misfire,
            overlap: self.overlap.map(|Given(overlap)| overlap),
            expire_after_seconds: self.expire_after_seconds,
            words: self.words.as_ref().map(|words| words.0.clone()),
            ..ScheduleFields::default()
        }))
    }

    fn check_runs(&self, kind: GivenKind) -> Result<(), FieldError> {
        let is_counted_off = kind != GivenKind::Every || self.exclude.is_some();
        match self.max_runs() {
            Some(0) => Err(FieldError::new("maxRuns", "is 0; must be 1 or more")),
            Some(runs) if is_counted_off && runs > MAX_COUNTED_RUNS => Err(FieldError::new(
                "maxRuns",
                format!(
                    "is {runs}; with cron, rrule or exclude, the limit is {MAX_COUNTED_RUNS}, because the runs have to be counted: give endAt instead"
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// Returns why there is no run at all.
fn no_run(fields: &ScheduleFields<'_>, kind: GivenKind, now: UnixMillis) -> FieldError {
    let local = fields.local.map(|local| LocalTimes { end_at: None, ..local });
    let without_end = ScheduleFields { end_at: None, local, ..fields.clone() };
    let next = without_end.schedule(0).ok().and_then(|schedule| schedule.next_after(now));
    match (next, fields.end_at) {
        (Some(next), Some(end)) => FieldError::new(
            "endAt",
            format!(
                "is {end}, before the first run, which would be at {} (milliseconds since 1970)",
                next.time
            ),
        ),
        _ if fields.exclude.is_some() => match without_exclusions(fields, now) {
            Some(next) => FieldError::new(
                EXCLUDE,
                format!(
                    "leaves no run; without it, the next run would be at {} (milliseconds since 1970)",
                    next.time
                ),
            ),
            None => FieldError::new(field_of(kind), NO_FUTURE),
        },
        _ if fields
            .rrule
            .as_deref()
            .is_some_and(|rule| rule.to_ascii_uppercase().contains("UNTIL")) =>
        {
            FieldError::new("rrule", "has an UNTIL before the next run; give a later one")
        }
        _ => FieldError::new(field_of(kind), NO_FUTURE),
    }
}

const NO_FUTURE: &str = "has no run after now; give a schedule that has one";

/// Returns the first run that there would be without `exclude`.
fn without_exclusions(fields: &ScheduleFields<'_>, now: UnixMillis) -> Option<Occurrence> {
    let all = ScheduleFields { exclude: None, ..fields.clone() };
    all.schedule(0).ok()?.next_after(now)
}
