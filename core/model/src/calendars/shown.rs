//! Calendars as the API shows them.

use super::calendar::{Calendar, CalendarName};
use super::update::{Failed, Update};
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::Serialize;

/// A calendar.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Calendar")]
pub struct ShownCalendar {
    /// What a list shows of it, too.
    #[serde(flatten)]
    listed: ListedCalendar,
    /// The tasks of the last update that could not be changed: the first ten. They keep the former
    /// items of the calendar. Absent if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Option<Vec<Failed>>")]
    failures: Vec<Failed>,
    /// Dates, dates of every year, and ranges of either.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Option<Vec<String>>")]
    dates: Vec<String>,
    /// Days of the week.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Option<Vec<String>>")]
    weekdays: Vec<String>,
    /// Times of day.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Option<Vec<String>>")]
    times: Vec<String>,
    /// Rules of RFC 5545.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Option<Vec<String>>")]
    rules: Vec<String>,
}

/// A calendar in a list, without its items.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedCalendar {
    /// Its name, by which tasks use it.
    #[schemars(with = "String")]
    name: CalendarName,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// The version of its items.
    version: String,
    /// When it was created, milliseconds since 1970.
    #[schemars(with = "i64")]
    created_at: UnixMillis,
    /// When it was last changed, milliseconds since 1970.
    #[schemars(with = "i64")]
    updated_at: UnixMillis,
    /// After a change of its items: the tasks that use it and have the current items, as far as
    /// they have been searched.
    tasks_updated: u64,
    /// After a change of its items: the tasks that use it and cannot have the current items.
    tasks_failed: u64,
    /// Whether tasks with former items may be left, because the update is under way.
    pending: bool,
}

impl From<&Calendar> for ListedCalendar {
    fn from(calendar: &Calendar) -> Self {
        let update = calendar.update.as_ref();
        Self {
            name: calendar.name.clone(),
            description: calendar.description.clone(),
            version: calendar.version(),
            created_at: calendar.created_at,
            updated_at: calendar.updated_at,
            tasks_updated: update.map_or(0, |update| update.tasks_updated),
            tasks_failed: update.map_or(0, |update| update.tasks_failed),
            pending: update.is_some_and(Update::is_pending),
        }
    }
}

impl From<&Calendar> for ShownCalendar {
    fn from(calendar: &Calendar) -> Self {
        let owned = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect();
        let update = calendar.update.as_ref();
        calendar.with_items(|lists| Self {
            listed: calendar.into(),
            failures: update.map_or_else(Vec::new, |update| update.failures.clone()),
            dates: owned(&lists.dates),
            weekdays: owned(&lists.weekdays),
            times: owned(&lists.times),
            rules: owned(&lists.rules),
        })
    }
}
