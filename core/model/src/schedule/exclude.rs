//! What a recurring task leaves out, as requests and records have it.

use crate::bounds::{
    MAX_EXCLUDED_CALENDARS, MAX_EXCLUDED_DATES, MAX_EXCLUDED_RULES, MAX_EXCLUDED_TIMES,
    MAX_EXCLUDED_WEEKDAYS,
};
use crate::calendars::{Lists, Snapshot, bad_item, texts};
use crate::input::{Bounded, FieldError, Text, parse_object};
use crate::names::{Given, Named};
use scheduler_calendar::delay::Delay;
use scheduler_calendar::exclude::{
    ExcludeError, Exclusions, Instead, MAX_EXCLUSION_STEPS, names_times,
};
use scheduler_calendar::schedule::{Rule, Schedule};
use scheduler_calendar::steps::{TooManySteps, within};
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The name of the member.
pub(super) const EXCLUDE: &str = "exclude";
/// The beginning of the names of its members in an error.
const PREFIX: &str = "exclude.";

/// What a recurring schedule leaves out. The API's document shows the comments of the fields to
/// callers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(
    rename = "Exclude",
    description = "The days and the times of day at which a recurring task does not fire, on the clock of its `timezone`. At least one of \
                   `dates`, `weekdays`, `times`, `rules` and `calendars`."
)]
pub struct ExcludeInput<'a> {
    /// Dates (`2026-12-24`), dates of every year (`12-24`), and ranges of either with both ends
    /// included (`2026-12-24/2027-01-02`, `12-24/01-02`).
    #[serde(borrow, default)]
    #[schemars(with = "Option<Vec<String>>", length(max = MAX_EXCLUDED_DATES))]
    dates: Option<Bounded<Text<'a>, MAX_EXCLUDED_DATES>>,
    /// Days of the week, as `MON` to `SUN`.
    #[serde(borrow, default)]
    #[schemars(with = "Option<Vec<String>>", length(max = MAX_EXCLUDED_WEEKDAYS))]
    weekdays: Option<Bounded<Text<'a>, MAX_EXCLUDED_WEEKDAYS>>,
    /// Times of day, as `12:00-13:00`. The end is not a part of it. `22:00-06:00` goes past
    /// midnight, and `24:00` is the end of the day. A run at such a time never fires.
    #[serde(borrow, default)]
    #[schemars(with = "Option<Vec<String>>", length(max = MAX_EXCLUDED_TIMES))]
    times: Option<Bounded<Text<'a>, MAX_EXCLUDED_TIMES>>,
    /// Rules of RFC 5545 for whole days, from the day of `startAt`.
    #[serde(borrow, default)]
    #[schemars(with = "Option<Vec<String>>", length(max = MAX_EXCLUDED_RULES))]
    rules: Option<Bounded<Text<'a>, MAX_EXCLUDED_RULES>>,
    /// Names of calendars, whose items are added.
    #[serde(borrow, default)]
    #[schemars(with = "Option<Vec<String>>", length(max = MAX_EXCLUDED_CALENDARS))]
    calendars: Option<Bounded<&'a RawValue, MAX_EXCLUDED_CALENDARS>>,
    /// What becomes of a run on a day that is left out. `skip`: it does not fire. `next` and
    /// `previous`: it moves to the next or previous day that is not left out, at the same local
    /// time, within 92 days. Only `skip` below a day or over 24 runs a day.
    #[schemars(with = "Option<String>", extend("enum" = ["skip", "next", "previous", null], "default" = "skip"))]
    instead: Option<Given<Instead>>,
}

impl Named for Instead {
    const NAMES: &'static [&'static str] = &["skip", "next", "previous"];
    const VALUES: &'static [Self] = &[Self::Skip, Self::Next, Self::Previous];
    const FORMER: &'static [(&'static str, Self)] = &[];
}

/// The most times of day of a schedule whose runs move to another day: one for each hour.
const MAX_MOVED_TIMES: u32 = 24;

/// Checks what only new tasks may not leave out. Earlier versions have accepted it, so stored tasks
/// may have it. `rule` is the rule without exclusions.
///
/// # Errors
/// Returns an error if a rule of the task's own names times of day, if runs move that fire more
/// than once an hour, or if finding the first runs after `now` takes too long. The error names the
/// field.
pub(super) fn check_new(
    json: &str,
    schedule: &Schedule,
    now: UnixMillis,
) -> Result<(), FieldError> {
    let input: ExcludeInput<'_> = parse_object(json, EXCLUDE)?;
    if let Some(place) = texts(input.rules.as_ref()).position(names_times) {
        let problem = ExcludeError::RuleOfTimes.to_string();
        return Err(FieldError::new(format!("{PREFIX}rules[{place}]"), problem));
    }
    let Rule::Excluding(excluding) = schedule.rule() else { return Ok(()) };
    let moves = excluding.exclusions().instead() != Instead::Skip;
    let problem = match excluding.rule().times_of_day() {
        None => {
            "this one is an interval shorter than a day, or has a FREQ finer than DAILY".to_owned()
        }
        Some(times) if times > MAX_MOVED_TIMES => format!("this one has {times}"),
        Some(_) => String::new(),
    };
    if moves && !problem.is_empty() {
        let detail = format!(
            "moves the runs of a day to another day, which a schedule with up to {MAX_MOVED_TIMES} times of day may have; {problem}: leave \
             instead out, so that these runs do not fire"
        );
        return Err(FieldError::new(format!("{PREFIX}instead"), detail));
    }
    let most = u64::from(MAX_EXCLUSION_STEPS);
    let Ok(first) = within(most, || schedule.next_after(now)) else {
        let rule = Schedule::new(
            excluding.rule().clone(),
            UnixMillis::ZERO,
            schedule.last(),
            Delay::default(),
        );
        let next = rule.next_after(now).map_or_else(String::new, |next| {
            format!(
                "; without it, the next run would be at {} (milliseconds since 1970)",
                next.time
            )
        });
        let detail = format!(
            "leaves no run{next}. The search for a remaining run ends after {most} steps, and each day and each month that it looks at \
             takes some"
        );
        return Err(FieldError::new(EXCLUDE, detail));
    };
    let Some(first) = first else { return Ok(()) };
    within(most, || schedule.following(first.time)).map(drop).map_err(|TooManySteps| {
        let detail = format!(
            "leaves too few runs: to find the one after {} (milliseconds since 1970) takes more than {most} steps, the limit of a search; \
             leave out less, or give an endAt",
            first.time
        );
        FieldError::new(EXCLUDE, detail)
    })
}

/// Parses what a task leaves out. `start` is its `startAt`.
///
/// # Errors
/// Returns an error if an item is invalid. The error names it.
pub(super) fn exclusions(
    json: &str,
    timezone: Tz,
    start: Option<UnixMillis>,
) -> Result<Exclusions, FieldError> {
    let input: ExcludeInput<'_> = parse_object(json, EXCLUDE)?;
    let own = Lists {
        dates: texts(input.dates.as_ref()).collect(),
        weekdays: texts(input.weekdays.as_ref()).collect(),
        times: texts(input.times.as_ref()).collect(),
        rules: texts(input.rules.as_ref()).collect(),
    };
    let lengths = own.lengths();
    let snapshots = input
        .calendars
        .map_or(Ok(Vec::new()), |calendars| Snapshot::read(&calendars.0, EXCLUDE))?;
    let mut all = own;
    snapshots.iter().for_each(|snapshot| snapshot.items.add_to(&mut all));
    all.check_lengths(EXCLUDE, lengths)?;
    let instead = input.instead.map_or(Instead::Skip, |Given(instead)| instead);
    Exclusions::parse(all.items(), instead, timezone, start)
        .map_err(|bad| bad_item(&bad, PREFIX, EXCLUDE))
}
