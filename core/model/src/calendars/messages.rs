//! The messages about calendars between coordinator and registry.

use super::calendar::{Calendar, CalendarName};
use crate::namespace::Namespace;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The requests to the registry, as paths of POSTs with JSON. The answer to a refused request has
/// status 409 and an [`crate::access::Refused`].
pub mod paths {
    /// Body: a [`super::CalendarOf`]. Answer: a [`super::Calendar`], or null.
    pub const GET: &str = "/calendars/get";
    /// Body: a [`super::Namespace`]. Answer: its calendars, in the order of their names.
    pub const LIST: &str = "/calendars/list";
    /// Body: a [`super::Resolve`]. Answer: a [`super::Resolved`].
    pub const RESOLVE: &str = "/calendars/resolve";
    /// Body: a [`super::PutCalendar`]. Answer: a [`super::Put`].
    pub const PUT: &str = "/calendars/put";
    /// Body: a [`super::DeleteCalendar`]. Answer: a [`super::Deleted`].
    pub const DELETE: &str = "/calendars/delete";
    /// Body: a [`super::Namespace`] that is about to be deleted. Answer: how many calendars it had.
    pub const CLEAR: &str = "/calendars/clear";
}

/// A calendar by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarOf {
    /// Its namespace.
    pub namespace: Namespace,
    /// Its name.
    pub name: CalendarName,
}

/// The calendars to return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolve {
    /// Their namespace.
    pub namespace: Namespace,
    /// Their names; all of the namespace if absent.
    pub names: Option<Vec<CalendarName>>,
}

/// The calendars of a request.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Resolved {
    /// Those that exist.
    pub calendars: Vec<Calendar>,
    /// Some names of the namespace, if another one does not exist.
    pub exist: Vec<CalendarName>,
    /// The number of calendars of the namespace, if another one does not exist.
    pub count: usize,
    /// The names of those whose stored form cannot be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
}

/// What must be under a name before a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expects {
    /// No calendar.
    Absent,
    /// A calendar with this [tag](Calendar::tag).
    Tag(u64),
}

/// A calendar to create or to change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PutCalendar {
    /// The calendar.
    pub of: CalendarOf,
    /// What it is for.
    pub description: Option<String>,
    /// Its items.
    pub items: Box<RawValue>,
    /// What must be there.
    pub expects: Option<Expects>,
}

/// The answer to [`PutCalendar`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Put {
    /// The calendar is stored.
    Done {
        /// Whether there was none.
        is_new: bool,
        /// The calendar.
        calendar: Box<Calendar>,
    },
    /// Something else is there than the request expects.
    Other,
}

/// A calendar to delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteCalendar {
    /// The calendar.
    pub of: CalendarOf,
    /// What must be there.
    pub expects: Option<Expects>,
}

/// The answer to [`DeleteCalendar`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deleted {
    /// It is gone.
    Done,
    /// There was none.
    Absent,
    /// Something else is there than the request expects.
    Other,
}
