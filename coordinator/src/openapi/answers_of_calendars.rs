//! The answers about calendars, as types that only provide schemas.
#![expect(dead_code, reason = "only their schemas are used")]

use scheduler_model::calendars::ListedCalendar;
use schemars::JsonSchema;

/// Calendars, in the order of their names.
#[derive(JsonSchema)]
pub(crate) struct CalendarList {
    calendars: Vec<ListedCalendar>,
    /// The names of the calendars whose stored form cannot be read. Their tasks keep the items that
    /// they have. A `PUT` writes such a calendar again. Absent if there are none.
    unreadable: Option<Vec<String>>,
}
