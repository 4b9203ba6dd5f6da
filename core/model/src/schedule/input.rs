//! Schedules in requests, and the check that makes them valid.

use super::members::{Company, MEMBERS};
use super::{Budget, MisfireInput, Overlap, ScheduleFields};
use crate::bounds::{
    MAX_CRON_EXPRESSIONS, MAX_CRON_TEXT_BYTES, MAX_DELAY_SECONDS, MAX_INTERVAL_SECONDS,
    MAX_LATENESS_SECONDS, MAX_MISFIRE_TEXT_BYTES, MIN_INTERVAL_SECONDS,
};
use crate::ids::TaskId;
use crate::input::{FieldError, GivenTime, Object, Text, TimeInput, Whole, at_most};
use crate::names::Given;
use crate::routing::id_hash;
use crate::schedule::LocalTimes;
use scheduler_calendar::local_time::LocalTime;
use scheduler_calendar::rrule::MAX_COUNTED_RUNS;
use scheduler_calendar::schedule::Schedule;
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The kind that a task in a request may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum GivenKind {
    Scheduled,
    Delayed,
    Cron,
    Every,
    Rrule,
    NoSchedule,
}

/// The fields that most one-shot tasks do not have: by which a task recurs, and is put off. What
/// stands at them is shown to callers.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
pub(crate) struct Recurrence<'a> {
    /// When it fires, again and again.
    #[schemars(with = "Option<CronText>")]
    pub(crate) cron: Option<&'a RawValue>,
    /// The IANA time zone that `cron`, `rrule` and local times are read in; without it, UTC, and no
    /// local times.
    pub(crate) timezone: Option<Text<'a>>,
    /// Fires at this interval, without drift, seconds; rounded to milliseconds.
    #[schemars(range(min = MIN_INTERVAL_SECONDS, max = MAX_INTERVAL_SECONDS))]
    pub(crate) every_seconds: Option<f64>,
    /// A run of the interval, before which there is none. Without it: `startAt`, else one interval
    /// from now.
    pub(crate) anchor: Option<TimeInput<'a>>,
    /// Fires by this rule of RFC 5545, which begins at `startAt`.
    pub(crate) rrule: Option<Text<'a>>,
    /// Does not recur before this time.
    pub(crate) start_at: Option<TimeInput<'a>>,
    /// Does not recur after this time.
    pub(crate) end_at: Option<TimeInput<'a>>,
    /// Recurs so often at most, counted from when it is created. Up to 100,000 for `cron` and
    /// `rrule`.
    #[schemars(with = "Option<u32>", range(min = 1))]
    pub(crate) max_runs: Option<Whole<u32>>,
    /// Puts each run off by a random amount of up to so much, seconds; the same amount each time it
    /// is asked for.
    #[schemars(range(min = 0, max = MAX_DELAY_SECONDS))]
    pub(crate) jitter_seconds: Option<f64>,
    /// Lets each run be up to so much later, seconds, to share firings with others.
    #[schemars(range(min = 0, max = MAX_DELAY_SECONDS))]
    pub(crate) window_seconds: Option<f64>,
    /// What becomes of runs that were missed. Without it they fire; those of a recurring task that
    /// a pause held up do not.
    #[schemars(with = "Option<MisfireInput>")]
    pub(crate) misfire: Option<&'a RawValue>,
    /// What becomes of a run of a recurring task that comes due while the one before has not been
    /// reported: `allow`: it fires beside it. `skip`: it does not fire. `queue-one`: it waits for
    /// the end of the one before, and further ones do not fire.
    #[schemars(extend("default" = "allow"))]
    pub(crate) overlap: Option<Given<Overlap>>,
    /// A run that has not started so long after it was due does not start any more, seconds.
    #[schemars(range(min = 0.001, max = MAX_LATENESS_SECONDS))]
    pub(crate) expire_after_seconds: Option<f64>,
    /// The kind as an answer shows it. It says that there is no schedule if nothing else does.
    #[schemars(skip)]
    pub(crate) kind: Option<&'a RawValue>,
    /// The local times of the task as an answer shows them. Beside each, the member of the same name
    /// has its instant. If both still say the same instant, the local time counts. If you have
    /// changed the other member, that counts.
    #[schemars(with = "Option<LocalTimes>")]
    pub(crate) local: Option<Object<LocalTimes>>,
    /// That it is the schedule of a task which goes on by it, and where its runs end, if they are
    /// counted. No caller gives it.
    #[schemars(skip)]
    pub(crate) goes_on: Option<Option<UnixMillis>>,
    /// Whether an anchor that is not given is to be settled anew, not kept: set by
    /// [`crate::task::NewTask::settle_anchor`].
    #[schemars(skip)]
    pub(crate) settles_anchor: bool,
}

/// The schema of `cron`.
#[derive(JsonSchema)]
#[schemars(inline, untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum CronText {
    /// One expression.
    One(String),
    /// Several: it fires when one of them does, and once when several do.
    Several(#[schemars(length(min = 1, max = MAX_CRON_EXPRESSIONS))] Vec<String>),
}

/// The fields of a request that say when a task fires.
#[derive(Debug, Default)]
pub(crate) struct ScheduleInput<'a> {
    pub(crate) kind: Option<GivenKind>,
    pub(crate) time: Option<TimeInput<'a>>,
    pub(crate) delay_in_seconds: Option<f64>,
    pub(crate) recurrence: Option<Box<Recurrence<'a>>>,
    /// Whether a preview begins at a local time.
    pub(crate) has_local_from: bool,
}

/// A checked schedule.
#[derive(Debug)]
pub(crate) struct CheckedSchedule<'a> {
    /// The requested time; `None` for a recurring task or one without a schedule.
    pub(crate) time: Option<UnixMillis>,
    /// When it first fires; [`UnixMillis::NEVER`] for a task without a schedule.
    pub(crate) due: UnixMillis,
    /// The fields of the record in addition to the time; `None` for most one-shot tasks.
    pub(crate) fields: Option<Box<ScheduleFields<'a>>>,
    /// The schedule of a recurring task.
    pub(crate) schedule: Option<Schedule>,
    /// Whether the anchor in the fields is not from the request.
    pub(crate) has_open_anchor: bool,
}

impl<'a> CheckedSchedule<'a> {
    /// Returns the schedule of a task that fires once, or not by itself.
    fn once(
        time: Option<UnixMillis>,
        due: UnixMillis,
        fields: Option<Box<ScheduleFields<'a>>>,
    ) -> Self {
        Self { time, due, fields, schedule: None, has_open_anchor: false }
    }
}

const WAYS: &str = "time, delayInSeconds, cron, everySeconds and rrule";

impl<'a> ScheduleInput<'a> {
    /// Checks the fields of the task with this id. `budget` is the rest of the budget for the
    /// request's schedules.
    ///
    /// # Errors
    /// If a field is invalid. The error names the first such field.
    pub(crate) fn check(
        mut self,
        id: &TaskId<'_>,
        now: UnixMillis,
        budget: &mut Budget,
    ) -> Result<CheckedSchedule<'a>, FieldError> {
        let mut rest = self.recurrence.take();
        if let Some(rest) = &mut rest {
            rest.read_local(&mut self.time);
        }
        let kind = self.kind(rest.as_deref())?;
        if let Some(rest) = &rest {
            rest.check_lengths()?;
            let times = [
                ("time", &self.time),
                ("startAt", &rest.start_at),
                ("endAt", &rest.end_at),
                ("anchor", &rest.anchor),
            ];
            let mut has_local = self.has_local_from;
            for (field, time) in times {
                // The time is checked before the other fields, so that an unreadable time is
                // reported first.
                let time = time.as_ref().map(|time| time.read(field, true)).transpose()?;
                has_local |= matches!(time, Some(GivenTime::Local(_)));
            }
            let given = times.into_iter().find_map(|(_, time)| time.as_ref());
            rest.check_company(
                kind,
                has_local,
                given.map_or("leave it out", TimeInput::without_zone),
            )?;
            rest.misfire.map_or(Ok(()), |misfire| MisfireInput::check(misfire.get()))?;
        }
        let mut local = LocalTimes::default();
        let time = match (kind, rest.as_deref()) {
            (GivenKind::NoSchedule, _) => {
                return Ok(CheckedSchedule::once(None, UnixMillis::NEVER, None));
            }
            (GivenKind::Delayed, _) => delayed(self.delay_in_seconds.unwrap_or_default(), now)?,
            (GivenKind::Cron | GivenKind::Every | GivenKind::Rrule, Some(rest)) => {
                return budget
                    .draw(field_of(kind), |budget| rest.check(kind, id.as_str(), now, budget));
            }
            _ => {
                let timezone = rest.as_deref().map(Recurrence::zone).transpose()?.flatten();
                let (time, given) = in_zone("time", &self.time, timezone)?.unzip();
                local.time = given.flatten();
                time.unwrap_or_default()
            }
        };
        let Some(rest) = rest else { return Ok(CheckedSchedule::once(Some(time), time, None)) };
        let fields = ScheduleFields {
            timezone: local
                .unless_empty()
                .and(rest.timezone.as_ref())
                .map(|timezone| timezone.0.clone()),
            local: local.unless_empty(),
            jitter_seconds: rest.jitter_seconds,
            window_seconds: rest.window_seconds,
            misfire: rest.misfire,
            expire_after_seconds: rest.expire_after_seconds,
            ..ScheduleFields::default()
        };
        fields.policies()?;
        let due = fields.delay(id_hash(id.as_str()))?.due(time, None);
        Ok(CheckedSchedule::once(Some(time), due, Some(Box::new(fields))))
    }

    /// Returns the kind of schedule by the field that is given.
    fn kind(&self, rest: Option<&Recurrence<'_>>) -> Result<GivenKind, FieldError> {
        let ways = [
            (self.time.is_some(), GivenKind::Scheduled, "time"),
            (self.delay_in_seconds.is_some(), GivenKind::Delayed, "delayInSeconds"),
            (rest.is_some_and(|rest| rest.cron.is_some()), GivenKind::Cron, "cron"),
            (
                rest.is_some_and(|rest| rest.every_seconds.is_some()),
                GivenKind::Every,
                "everySeconds",
            ),
            (rest.is_some_and(|rest| rest.rrule.is_some()), GivenKind::Rrule, "rrule"),
        ];
        let mut given =
            ways.iter().filter(|(is_given, ..)| *is_given).map(|(_, kind, field)| (*kind, *field));
        let kind = match (given.next(), given.next()) {
            (Some((kind, _)), None) => kind,
            (None, _) if self.kind == Some(GivenKind::NoSchedule) => GivenKind::NoSchedule,
            (None, _)
                if self.kind.is_none() && rest.is_some_and(Recurrence::is_shown_unscheduled) =>
            {
                GivenKind::NoSchedule
            }
            (None, _) => {
                return Err(FieldError::new(
                    "time",
                    format!(r#"is missing; give one of {WAYS}, or "type":"no-schedule""#),
                ));
            }
            (Some((_, first)), Some((_, second))) => {
                return Err(FieldError::new(
                    second,
                    format!("is given beside {first}; give only one of {WAYS}"),
                ));
            }
        };
        if self.kind.is_some_and(|given| given != kind) {
            return Err(FieldError::new(
                "type",
                format!("does not agree with which of {WAYS} is given"),
            ));
        }
        Ok(kind)
    }
}

impl<'a> Recurrence<'a> {
    /// Checks the lengths of JSON texts before any of them is parsed.
    fn check_lengths(&self) -> Result<(), FieldError> {
        let length = |given: Option<&RawValue>| given.map_or(0, |given| given.get().len());
        at_most("cron", length(self.cron), MAX_CRON_TEXT_BYTES)?;
        at_most("misfire", length(self.misfire), MAX_MISFIRE_TEXT_BYTES)
    }

    /// Checks that each field belongs to the kind of schedule. `without_zone` says what to do about
    /// a time zone without a local time.
    fn check_company(
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

    /// Returns whether the task is as an answer shows a task without a schedule.
    fn is_shown_unscheduled(&self) -> bool {
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
            "jitterSeconds" => self.jitter_seconds.is_some(),
            "windowSeconds" => self.window_seconds.is_some(),
            "misfire" => self.misfire.is_some(),
            "overlap" => self.overlap.is_some(),
            "expireAfterSeconds" => self.expire_after_seconds.is_some(),
            _ => false,
        }
    }

    /// Restores times that were given as local times, if the instants next to them are unchanged.
    /// So what an answer shows of a task defines the same task.
    fn read_local(&mut self, time: &mut Option<TimeInput<'a>>) {
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

    fn check(
        &self,
        kind: GivenKind,
        id: &str,
        now: UnixMillis,
        budget: &mut Budget,
    ) -> Result<CheckedSchedule<'a>, FieldError> {
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
        let mut fields = Box::new(ScheduleFields {
            cron: self.cron,
            timezone: self.timezone.as_ref().map(|timezone| timezone.0.clone()),
            local: local.unless_empty(),
            every_seconds: self.every_seconds,
            anchor,
            rrule: self.rrule.as_ref().map(|rule| rule.0.clone()),
            start_at,
            end_at,
            max_runs: self.max_runs(),
            jitter_seconds: self.jitter_seconds,
            window_seconds: self.window_seconds,
            misfire: self.misfire,
            overlap: self.overlap.map(|Given(overlap)| overlap),
            expire_after_seconds: self.expire_after_seconds,
            ..ScheduleFields::default()
        });
        fields.policies()?;
        if end_at.is_some_and(|end| start_at.is_some_and(|start| end < start)) {
            return Err(FieldError::new("endAt", "is before startAt"));
        }
        let has_open_anchor = anchor.is_some() && self.anchor.is_none() && !self.settles_anchor;
        let checked = |due, fields, schedule| CheckedSchedule {
            time: None,
            due,
            fields: Some(fields),
            schedule: Some(schedule),
            has_open_anchor,
        };
        if let Some(last) = self.goes_on {
            fields.final_run = last;
            check_runs(self.max_runs(), kind)?;
            let schedule = fields.schedule(id_hash(id))?;
            // A paused task, or one whose last run is due, may have no future run.
            let due = schedule.next_after(now).map_or(UnixMillis::NEVER, |next| next.due);
            return Ok(checked(due, fields, schedule));
        }
        let may_count = self.max_runs.is_some() || kind == GivenKind::Rrule;
        let to_count = if may_count { fields.counted_runs()? } else { 0 };
        check_runs(self.max_runs(), kind)?;
        let (field, what) =
            if self.max_runs.is_some() { ("maxRuns", "maxRuns") } else { ("rrule", "COUNT") };
        budget.count_runs(field, what, to_count)?;
        let Some((schedule, first)) = fields.settle(id_hash(id), now)? else {
            return Err(no_run(&fields, kind, now));
        };
        Ok(checked(first.due, fields, schedule))
    }
}

fn check_runs(runs: Option<u32>, kind: GivenKind) -> Result<(), FieldError> {
    match runs {
        Some(0) => Err(FieldError::new("maxRuns", "is 0; must be 1 or more")),
        Some(runs) if kind != GivenKind::Every && runs > MAX_COUNTED_RUNS => Err(FieldError::new(
            "maxRuns",
            format!(
                "is {runs}; for cron and rrule, whose runs have to be counted off, the limit is {MAX_COUNTED_RUNS}: give endAt instead"
            ),
        )),
        _ => Ok(()),
    }
}

/// Returns the field that says when a recurring task fires.
fn field_of(kind: GivenKind) -> &'static str {
    match kind {
        GivenKind::Rrule => "rrule",
        GivenKind::Every => "everySeconds",
        _ => "cron",
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
        _ if fields
            .rrule
            .as_deref()
            .is_some_and(|rule| rule.to_ascii_uppercase().contains("UNTIL")) =>
        {
            FieldError::new(
                "rrule",
                "has an UNTIL before the first run from now on; give a later one",
            )
        }
        _ => FieldError::new(field_of(kind), "never comes again; give a schedule with a future"),
    }
}

/// Returns a time of the request, and the local time if it is one. Returns `None` if it is not
/// given.
pub(super) fn in_zone(
    field: &'static str,
    input: &Option<TimeInput<'_>>,
    timezone: Option<Tz>,
) -> Result<Option<(UnixMillis, Option<LocalTime>)>, FieldError> {
    input.as_ref().map(|input| input.in_zone(field, timezone)).transpose()
}

pub(crate) fn delayed(seconds: f64, now: UnixMillis) -> Result<UnixMillis, FieldError> {
    let most = (UnixMillis::LAST.since(now) / 1_000).max(0);
    if !(0.0..=most as f64).contains(&seconds) {
        return Err(FieldError::new(
            "delayInSeconds",
            format!("is {seconds}; must be 0 to {most}"),
        ));
    }
    // Rounded up to whole milliseconds, so that the task is never early.
    Ok(now.plus((seconds * 1_000.0).ceil() as i64))
}
