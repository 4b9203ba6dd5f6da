//! What a recurring task leaves out, as requests and records have it.

use crate::bounds::{
    MAX_EXCLUDED_DATES, MAX_EXCLUDED_RULES, MAX_EXCLUDED_TIMES, MAX_EXCLUDED_WEEKDAYS,
};
use crate::input::{Bounded, FieldError, Text, parse_object};
use crate::names::{Given, Named};
use scheduler_calendar::exclude::{Exclusions, Instead, Items, List};
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;

/// The name of the member.
pub(super) const EXCLUDE: &str = "exclude";

/// What a recurring schedule leaves out. The API's document shows the comments of the fields to
/// callers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(
    rename = "Exclude",
    description = "The days and the times of day at which a recurring task does not fire, on the clock of its `timezone`. At least one of \
                   `dates`, `weekdays`, `times` and `rules`."
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
    /// Rules of RFC 5545 whose days are left out. They begin on the day of `startAt`.
    #[serde(borrow, default)]
    #[schemars(with = "Option<Vec<String>>", length(max = MAX_EXCLUDED_RULES))]
    rules: Option<Bounded<Text<'a>, MAX_EXCLUDED_RULES>>,
    /// What becomes of a run on a day that is left out. `skip`: it does not fire. `next` and
    /// `previous`: it moves to the next or the previous day that is not left out, at the same local
    /// time, by at most 92 days.
    #[schemars(with = "Option<String>", extend("enum" = ["skip", "next", "previous", null], "default" = "skip"))]
    instead: Option<Given<Instead>>,
}

impl Named for Instead {
    const NAMES: &'static [&'static str] = &["skip", "next", "previous"];
    const VALUES: &'static [Self] = &[Self::Skip, Self::Next, Self::Previous];
    const FORMER: &'static [(&'static str, Self)] = &[];
}

/// Parses what a task leaves out. `start` is its `startAt`.
///
/// # Errors
/// If an item is invalid. The error names it.
pub(super) fn exclusions(
    json: &str,
    timezone: Tz,
    start: Option<UnixMillis>,
) -> Result<Exclusions, FieldError> {
    let input: ExcludeInput<'_> = parse_object(json, EXCLUDE)?;
    fn items<'i, 'a, const N: usize>(list: Option<&'i Bounded<Text<'a>, N>>) -> Vec<&'i str> {
        list.into_iter().flat_map(|list| &list.0).map(|Text(item)| item.as_ref()).collect()
    }
    let (dates, weekdays) = (items(input.dates.as_ref()), items(input.weekdays.as_ref()));
    let (times, rules) = (items(input.times.as_ref()), items(input.rules.as_ref()));
    let items = Items { dates: &dates, weekdays: &weekdays, times: &times, rules: &rules };
    let instead = input.instead.map_or(Instead::Skip, |Given(instead)| instead);
    Exclusions::parse(items, instead, timezone, start).map_err(|bad| {
        let field = match bad.at {
            Some((list, Some(place))) => format!("{EXCLUDE}.{}[{place}]", List::name(list)),
            Some((list, None)) => format!("{EXCLUDE}.{}", List::name(list)),
            None => EXCLUDE.to_owned(),
        };
        FieldError::new(field, bad.problem.to_string())
    })
}
