//! Schedules in requests, and the check that makes them valid.

use super::{Budget, ExcludeInput, MisfireInput, Overlap, ScheduleFields};
use crate::bounds::{
    MAX_CRON_EXPRESSIONS, MAX_DELAY_SECONDS, MAX_INTERVAL_SECONDS, MAX_LATENESS_SECONDS,
    MAX_SENTENCE_BYTES, MIN_INTERVAL_SECONDS,
};
use crate::ids::TaskId;
use crate::input::{FieldError, GivenTime, Object, Text, TimeInput, Whole};
use crate::names::Given;
use crate::routing::id_hash;
use crate::schedule::LocalTimes;
use scheduler_calendar::local_time::LocalTime;
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
    /// A schedule in words.
    Words,
    NoSchedule,
}

/// The fields that most one-shot tasks do not have: how a task recurs, and how its runs are
/// delayed. The API's document shows the comments of the fields to callers.
#[derive(Debug, Default, JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
pub(crate) struct Recurrence<'a> {
    /// Recurs by a cron expression, or by several.
    #[schemars(with = "Option<CronText>")]
    pub(crate) cron: Option<&'a RawValue>,
    /// The IANA time zone of `cron`, `rrule`, `exclude` and local times. If absent, UTC, and no
    /// time may be a local time.
    pub(crate) timezone: Option<Text<'a>>,
    /// Recurs at this interval without drift, in seconds, rounded to milliseconds.
    #[schemars(range(min = MIN_INTERVAL_SECONDS, max = MAX_INTERVAL_SECONDS))]
    pub(crate) every_seconds: Option<f64>,
    /// The time from which the runs of the interval are computed. No run is earlier. If absent,
    /// `startAt`, or one interval from now.
    pub(crate) anchor: Option<TimeInput<'a>>,
    /// Recurs by this rule of RFC 5545, which begins at `startAt`.
    pub(crate) rrule: Option<Text<'a>>,
    /// When it fires, in English or German, such as `every monday at 10:00`. It replaces the fields
    /// that say when. The task gets the fields that the sentence means, and keeps the sentence in
    /// `words`. Local times are in `timezone`, unless the sentence names a zone. The limit is in
    /// bytes of UTF-8.
    #[schemars(rename = "schedule", length(max = MAX_SENTENCE_BYTES))]
    pub(crate) sentence: Option<Text<'a>>,
    /// The sentence in which the schedule was given. It is only shown and has no other effect. The
    /// limit is in bytes of UTF-8.
    #[schemars(length(max = MAX_SENTENCE_BYTES))]
    pub(crate) words: Option<Text<'a>>,
    /// Does not recur before this time.
    pub(crate) start_at: Option<TimeInput<'a>>,
    /// Does not recur after this time.
    pub(crate) end_at: Option<TimeInput<'a>>,
    /// The most runs, counted from the creation of the task. Up to 100,000 for `cron`, `rrule` and
    /// tasks with `exclude`.
    #[schemars(with = "Option<u32>", range(min = 1))]
    pub(crate) max_runs: Option<Whole<u32>>,
    /// The days and the times of day at which it does not fire.
    #[schemars(with = "Option<ExcludeInput<'static>>")]
    pub(crate) exclude: Option<&'a RawValue>,
    /// Delays each run by a random amount up to this, in seconds. The amount of a run never
    /// changes.
    #[schemars(range(min = 0, max = MAX_DELAY_SECONDS))]
    pub(crate) jitter_seconds: Option<f64>,
    /// Allows each run to be up to this much later, in seconds, so that several tasks fire
    /// together.
    #[schemars(range(min = 0, max = MAX_DELAY_SECONDS))]
    pub(crate) window_seconds: Option<f64>,
    /// What happens to missed runs. If absent, they fire, except runs of a recurring task that were
    /// missed because of a pause.
    #[schemars(with = "Option<MisfireInput>")]
    pub(crate) misfire: Option<&'a RawValue>,
    /// What happens to a run of a recurring task that comes due before the previous run is
    /// reported. `allow`: both run at the same time. `skip`: it does not fire. `queue-one`: it
    /// waits for the end of the previous run, and further runs do not fire.
    #[schemars(extend("default" = "allow"))]
    pub(crate) overlap: Option<Given<Overlap>>,
    /// How long after its due time a run may still start, in seconds.
    #[schemars(range(min = 0.001, max = MAX_LATENESS_SECONDS))]
    pub(crate) expire_after_seconds: Option<f64>,
    /// The kind as an answer shows it. `no-schedule` counts if no other field says when.
    #[schemars(skip)]
    pub(crate) kind: Option<&'a RawValue>,
    /// The local times of the task as an answer shows them. For each, the member of the same name
    /// has the instant. If both name the same instant, the local time counts. If you change the
    /// other member, that one counts.
    #[schemars(with = "Option<LocalTimes>")]
    pub(crate) local: Option<Object<LocalTimes>>,
    /// Set if it is the schedule of a task that continues, with the last run if its runs are
    /// counted. Not given by callers.
    #[schemars(skip)]
    pub(crate) goes_on: Option<Option<UnixMillis>>,
    /// Set if only what a task leaves out changes, and its runs are counted: the schedule that it
    /// has. As many runs are left as of that one. Not given by callers.
    #[schemars(skip)]
    pub(crate) continues: Option<Box<ScheduleFields<'a>>>,
    /// Whether an absent anchor is chosen again rather than kept: see
    /// [`crate::task::NewTask::settle_anchor`].
    #[schemars(skip)]
    pub(crate) settles_anchor: bool,
}

/// Calls `read_object!` for a type with a field `recurrence`, into which the members go that say
/// when a task recurs. The braces after `+` list further members of [`Recurrence`].
macro_rules! read_recurrence {
    ($type:ident, $what:literal, ignoring $is_ignored:expr, { $($own:tt)+ }
     $(+ { $($further:tt)+ })? $(, $box:ident: { $($rare:tt)+ })*) => {
        $crate::input::read_object!($type, $what, ignoring $is_ignored, { $($own)+ }, recurrence: {
            "cron" => cron,
            "timezone" => timezone,
            "everySeconds" => every_seconds,
            "anchor" => anchor,
            "rrule" => rrule,
            "startAt" => start_at,
            "endAt" => end_at,
            "maxRuns" => max_runs,
            "exclude" => exclude,
            $($($further)+)?
        } $(, $box: { $($rare)+ })*);
    };
}
pub(crate) use read_recurrence;

/// Does the same as `read_recurrence!`, and also reads all other members of [`Recurrence`].
macro_rules! read_whole_recurrence {
    ($type:ident, $what:literal, ignoring $is_ignored:expr, { $($own:tt)+ }
     $(, $box:ident: { $($rare:tt)+ })*) => {
        $crate::schedule::read_recurrence!($type, $what, ignoring $is_ignored, { $($own)+ } + {
            "jitterSeconds" => jitter_seconds,
            "windowSeconds" => window_seconds,
            "misfire" => misfire,
            "overlap" => overlap,
            "expireAfterSeconds" => expire_after_seconds,
            "local" => local,
            "kind" => kind,
            "schedule" => sentence,
            "words" => words,
        } $(, $box: { $($rare)+ })*);
    };
}
pub(crate) use read_whole_recurrence;

/// The schema of `cron`.
#[derive(JsonSchema)]
#[schemars(inline, untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum CronText {
    /// One expression.
    One(String),
    /// Several expressions. It fires when any of them matches, and once if several match at the
    /// same time.
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

const WAYS: &str = "time, delayInSeconds, cron, everySeconds, rrule and schedule";

impl<'a> ScheduleInput<'a> {
    /// Checks the fields of the task with this id. `budget` is the rest of the budget for the
    /// request's schedules.
    ///
    /// # Errors
    /// Returns an error if a field is invalid. The error names the first such field.
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
            // What a task leaves out is local, too.
            let mut has_local = self.has_local_from || rest.exclude.is_some();
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
            words: rest.words.map(|words| words.0),
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
                format!("does not fit the schedule, which one of {WAYS} gives; leave it out"),
            ));
        }
        Ok(kind)
    }
}

/// Returns the field that says when a recurring task fires.
pub(super) fn field_of(kind: GivenKind) -> &'static str {
    match kind {
        GivenKind::Rrule => "rrule",
        GivenKind::Every => "everySeconds",
        _ => "cron",
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
        // The largest delay changes with the clock, so the error states the last time instead.
        let detail =
            format!("is {seconds}; must be 0 or more, and end by 9999-12-31T23:59:59.999Z");
        return Err(FieldError::new("delayInSeconds", detail));
    }
    // Rounded up to whole milliseconds, so that the task is never early.
    Ok(now.plus((seconds * 1_000.0).ceil() as i64))
}
