//! The items of a calendar: the members of `exclude` that say which days and times are left out.

use crate::bounds::{
    MAX_EXCLUDED_DATES, MAX_EXCLUDED_RULES, MAX_EXCLUDED_TIMES, MAX_EXCLUDED_WEEKDAYS,
};
use crate::input::{Bounded, FieldError, Text};
use scheduler_calendar::exclude::{BadItem, List};
use serde::{Deserialize, Serialize};

/// The items as a snapshot and the registry store them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Items<'a> {
    #[serde(borrow)]
    dates: Option<Bounded<Text<'a>, MAX_EXCLUDED_DATES>>,
    #[serde(borrow)]
    weekdays: Option<Bounded<Text<'a>, MAX_EXCLUDED_WEEKDAYS>>,
    #[serde(borrow)]
    times: Option<Bounded<Text<'a>, MAX_EXCLUDED_TIMES>>,
    #[serde(borrow)]
    rules: Option<Bounded<Text<'a>, MAX_EXCLUDED_RULES>>,
}

/// The items of some lists together, such as those of a task and of its calendars.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Lists<'i> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) dates: Vec<&'i str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) weekdays: Vec<&'i str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) times: Vec<&'i str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) rules: Vec<&'i str>,
}

/// Returns the texts of a list of a request.
pub(crate) fn texts<'i, const N: usize>(
    list: Option<&'i Bounded<Text<'_>, N>>,
) -> impl Iterator<Item = &'i str> {
    list.into_iter().flat_map(|list| &list.0).map(|Text(item)| item.as_ref())
}

impl Items<'_> {
    /// Appends the items to those of the lists.
    pub(crate) fn add_to<'i>(&'i self, lists: &mut Lists<'i>) {
        lists.dates.extend(texts(self.dates.as_ref()));
        lists.weekdays.extend(texts(self.weekdays.as_ref()));
        lists.times.extend(texts(self.times.as_ref()));
        lists.rules.extend(texts(self.rules.as_ref()));
    }
}

impl<'i> Lists<'i> {
    /// Returns the lists as [`scheduler_calendar`] reads them.
    pub(crate) fn items(&self) -> scheduler_calendar::exclude::Items<'_, &'i str> {
        scheduler_calendar::exclude::Items {
            dates: &self.dates,
            weekdays: &self.weekdays,
            times: &self.times,
            rules: &self.rules,
        }
    }

    /// Returns the lengths of the lists that have a limit.
    pub(crate) fn lengths(&self) -> [usize; 3] {
        [self.dates.len(), self.times.len(), self.rules.len()]
    }

    /// Checks that the lists together are no longer than the list of one task may be. `own` are the
    /// [lengths](Self::lengths) of the task's own lists. Weekdays may be repeated.
    ///
    /// # Errors
    /// Returns an error if one is longer. The error names the list, below `field`, and the limit.
    pub(crate) fn check_lengths(&self, field: &str, own: [usize; 3]) -> Result<(), FieldError> {
        let limits = [
            (List::Dates, MAX_EXCLUDED_DATES),
            (List::Times, MAX_EXCLUDED_TIMES),
            (List::Rules, MAX_EXCLUDED_RULES),
        ];
        for (((list, limit), length), own) in limits.into_iter().zip(self.lengths()).zip(own) {
            if length > limit {
                let detail = format!(
                    "has {own} items, and its calendars add {}; the limit is {limit} for all of them together",
                    length - own
                );
                return Err(FieldError::new(format!("{field}.{}", list.name()), detail));
            }
        }
        Ok(())
    }
}

/// Returns the error of an item. `prefix` is put before the name of its list, and `whole` is the
/// field of an error about all lists.
pub(crate) fn bad_item(bad: &BadItem, prefix: &str, whole: &'static str) -> FieldError {
    let detail = bad.problem.to_string();
    match bad.at {
        Some((list, Some(place))) => {
            FieldError::new(format!("{prefix}{}[{place}]", list.name()), detail)
        }
        Some((list, None)) => FieldError::new(format!("{prefix}{}", list.name()), detail),
        None => FieldError::new(whole, detail),
    }
}
