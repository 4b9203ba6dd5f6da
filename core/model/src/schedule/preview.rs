//! Previews: the runs of a schedule, without creating a task.

use super::{
    Budget, CalendarExclusions, GivenKind, LocalTimes, Recurrence, ScheduleInput, Sentences,
    read_whole_recurrence,
};
use crate::bounds::{DEFAULT_PREVIEW_RUNS, MAX_ID_BYTES, MAX_PREVIEW_RUNS};
use crate::calendars::Calendars;
use crate::ids::TaskId;
use crate::input::{FieldError, Text, TimeInput, Whole, parse_naming_the_field};
use crate::task::{NewTask, add_properties, check_id, describe_read_only, is_read_only, when};
use scheduler_calendar::clock_change::ClockChange;
use scheduler_calendar::local_clock;
use scheduler_calendar::schedule::Schedule;
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz::Tz;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::json;

/// A schedule to preview. The API's document shows the comments of the fields to callers.
#[derive(Debug, Default, JsonSchema)]
#[schemars(
    rename_all = "camelCase",
    description = "A schedule to preview: the fields of a task that say when, and the number of runs to show. The other members of a \
                   task are accepted and ignored.",
    extend("additionalProperties" = false),
    transform = describe_others
)]
pub struct PreviewRequest<'a> {
    /// The number of runs to show.
    #[schemars(with = "Option<u32>", range(min = 1, max = MAX_PREVIEW_RUNS), extend("default" = DEFAULT_PREVIEW_RUNS))]
    count: Option<Whole<u32>>,
    /// The time at which the task would be created. If absent, now.
    from: Option<TimeInput<'a>>,
    /// The task's id, which determines its jitter.
    #[schemars(length(min = 1, max = MAX_ID_BYTES))]
    id: Option<Text<'a>>,
    /// May be left out; must agree with the field that says when.
    r#type: Option<GivenKind>,
    /// When it fires, once. One that is past fires at once.
    time: Option<TimeInput<'a>>,
    /// How long from then it fires, once, seconds.
    #[schemars(range(min = 0))]
    delay_in_seconds: Option<f64>,
    #[schemars(flatten)]
    recurrence: Option<Box<Recurrence<'a>>>,
}

read_whole_recurrence!(PreviewRequest, "a schedule", ignoring is_other_member, {
    "count" => count,
    "from" => from,
    "id" => id,
    "type" => r#type,
    "time" => time,
    "delayInSeconds" => delay_in_seconds,
});

/// Returns whether a member of a task does not affect its schedule.
fn is_other_member(name: &str) -> bool {
    NewTask::MEMBERS.contains(&name) || is_read_only(name)
}

/// Adds the members that a preview ignores to the schema of its body.
fn describe_others(schema: &mut Schema) {
    let others = NewTask::MEMBERS.iter().filter(|name| !PreviewRequest::MEMBERS.contains(name));
    let ignored =
        json!({ "description": "Ignored: a member of a task that does not affect its schedule." });
    add_properties(schema, others.map(|name| (*name, ignored.clone())));
    describe_read_only(schema);
}

/// The next runs of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// The zone of the local times: that of the schedule.
    pub timezone: &'static str,
    /// The runs, in order.
    pub runs: Vec<PreviewRun>,
    /// Whether there are more runs.
    pub more: bool,
    /// The runs that `exclude` leaves out or moves, before the last run shown: the first of them,
    /// up to the number of runs to show. Absent if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Option<Vec<ExcludedRun>>")]
    pub excluded: Vec<ExcludedRun>,
    /// The schedule as a sentence in English, which `/v1/parse` reads as the same schedule. Absent
    /// if its runs take long to compute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentence: Option<String>,
}

/// A run of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewRun {
    /// Its nominal time, milliseconds since 1970. It identifies the run.
    #[schemars(with = "i64")]
    pub time: UnixMillis,
    /// The nominal time in the time zone of the schedule, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub local: String,
    /// When it fires, milliseconds since 1970: the nominal time plus jitter and window.
    #[schemars(with = "i64")]
    pub due: UnixMillis,
    /// The time, milliseconds since 1970, from which `exclude` has moved it. Absent if it has not
    /// moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i64>")]
    pub moved_from: Option<UnixMillis>,
    /// What a change of the clock does to it. Absent on most runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["gap-moved", "gap-shifted", "gap-absent", "first-of-two", "first-pass", "second-pass"]))]
    pub clock_change: Option<&'static str>,
    /// The change of the clock, explained in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
}

/// A run of the rule that `exclude` leaves out or moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExcludedRun {
    /// Its time by the rule, milliseconds since 1970.
    #[schemars(with = "i64")]
    pub time: UnixMillis,
    /// The same in the time zone of the schedule, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub local: String,
    /// The calendars that leave it out. Absent if it is left out by the schedule's own items only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Option<Vec<String>>")]
    pub calendars: Vec<String>,
}

/// Returns the next runs of the schedule in a request's body, as if its task were created at
/// `from`, or otherwise at `now`.
///
/// # Errors
/// Returns an error if a field is invalid. The error names it.
pub fn preview(body: &str, now: UnixMillis) -> Result<Preview, FieldError> {
    preview_with(body, now, None).map(|(preview, _)| preview)
}

/// Does the same for a body that may have its schedule in words. Also returns the fields that say
/// when, as the text of an object.
///
/// # Errors
/// Returns an error that names the invalid field.
pub fn preview_with<'a>(
    body: &'a str,
    now: UnixMillis,
    sentences: Option<&'a Sentences<'a>>,
) -> Result<(Preview, String), FieldError> {
    preview_with_calendars(body, now, sentences, None)
}

/// Returns the names of the calendars that a request's body names, which is not checked yet.
/// `in_words` returns those that a schedule in words may name.
pub fn calendars_of_preview(body: &str, in_words: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let request: Result<PreviewRequest<'_>, _> = serde_json::from_str(body);
    let recurrence = request.ok().and_then(|request| request.recurrence);
    recurrence.map_or_else(Vec::new, |recurrence| recurrence.calendars(in_words))
}

/// Does the same as [`preview_with`] for a body that may name calendars.
///
/// # Errors
/// Returns an error that names the invalid field.
pub fn preview_with_calendars<'a>(
    body: &'a str,
    now: UnixMillis,
    sentences: Option<&'a Sentences<'a>>,
    calendars: Option<&'a Calendars>,
) -> Result<(Preview, String), FieldError> {
    let request: PreviewRequest<'_> = parse_naming_the_field(body, "")?;
    let count = request.count.map_or(DEFAULT_PREVIEW_RUNS, |count| count.0 as usize);
    if !(1..=MAX_PREVIEW_RUNS).contains(&count) {
        return Err(FieldError::new(
            "count",
            format!("is {count}; must be 1 to {MAX_PREVIEW_RUNS}"),
        ));
    }
    let timezone =
        request.recurrence.as_ref().map(|recurrence| recurrence.zone()).transpose()?.flatten();
    let (from, local_from) =
        super::input::in_zone("from", &request.from, timezone)?.unwrap_or((now, None));
    let mut input = ScheduleInput {
        kind: request.r#type,
        time: request.time,
        delay_in_seconds: request.delay_in_seconds,
        recurrence: request.recurrence,
        has_local_from: local_from.is_some(),
    };
    let mut budget = Budget::default();
    input.read_sentence(sentences, from, &mut budget)?;
    input.resolve_calendars(calendars, &mut budget)?;
    let timezone = input.recurrence.as_ref().map(|rest| rest.zone()).transpose()?.flatten();
    if let Some(id) = &request.id {
        check_id(&id.0, false)?;
    }
    let id = TaskId::Given(request.id.map(|id| id.0).unwrap_or_default());
    let checked = input.check(&id, from, &mut budget)?;
    let fields = checked.fields.as_deref().cloned().unwrap_or_default();
    let (when, by_calendar) = (when(checked.time, &fields), CalendarExclusions::of(&fields));
    let local = checked.fields.as_ref().and_then(|fields| fields.local).unwrap_or_default();
    let Some(schedule) = checked.schedule else {
        let timezone = timezone.unwrap_or(Tz::UTC);
        let change = local.time.and_then(|local| ClockChange::of_one(local, timezone));
        let once = checked.time.map(|time| run(time, checked.due.max(from), timezone, change));
        let runs = once.into_iter().collect();
        return Ok((
            Preview {
                timezone: timezone.name(),
                runs,
                more: false,
                excluded: Vec::new(),
                sentence: None,
            },
            when,
        ));
    };
    let field = fields.way();
    let work = |_: &mut Budget| {
        let asked = Asked { from, count, timezone: timezone.unwrap_or(Tz::UTC) };
        Ok(asked.runs_of(&schedule, local, &by_calendar))
    };
    budget.draw(field, work).map(|preview| (preview, when))
}

/// The runs that a request asks for.
struct Asked {
    from: UnixMillis,
    count: usize,
    timezone: Tz,
}

impl Asked {
    fn runs_of(
        &self,
        schedule: &Schedule,
        local: LocalTimes,
        by_calendar: &CalendarExclusions,
    ) -> Preview {
        let &Self { from, count, timezone } = self;
        let of_anchor = local.anchor.and_then(|anchor| {
            Some((anchor.instant_after_gap(timezone)?, ClockChange::of_anchor(anchor, timezone)?))
        });
        let mut runs = Vec::with_capacity(count);
        let mut next = schedule.next_after(from);
        let mut previous = from;
        while let Some(occurrence) = next.filter(|_| runs.len() < count) {
            let of_anchor = of_anchor
                .filter(|(anchor, _)| *anchor == occurrence.time)
                .map(|(_, change)| change);
            let change = of_anchor.or_else(|| schedule.clock_change(occurrence.time, previous));
            let moved_from = schedule.moved_from(occurrence.time);
            runs.push(PreviewRun {
                moved_from,
                ..run(occurrence.time, occurrence.due, timezone, change)
            });
            previous = occurrence.time;
            next = schedule.following(occurrence.time);
        }
        let until = runs.last().map_or(from, |run| run.time);
        let excluded = std::iter::successors(schedule.next_left_out(from, until), |time| {
            schedule.next_left_out(*time, until)
        });
        let excluded = excluded.take(count);
        let excluded = excluded
            .map(|time| ExcludedRun {
                time,
                local: local_clock::rfc3339(time, timezone),
                calendars: by_calendar.at(time),
            })
            .collect();
        let more = next.is_some();
        Preview { timezone: timezone.name(), runs, more, excluded, sentence: None }
    }
}

fn run(time: UnixMillis, due: UnixMillis, timezone: Tz, change: Option<ClockChange>) -> PreviewRun {
    let (clock_change, explanation) =
        change.map(|change| (change.name(), change.explain(timezone))).unzip();
    let local = local_clock::rfc3339(time, timezone);
    PreviewRun { time, local, due, moved_from: None, clock_change, explanation }
}
