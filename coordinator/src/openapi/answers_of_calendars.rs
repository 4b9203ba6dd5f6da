//! The answers about calendars, as types that only provide schemas.
#![expect(dead_code, reason = "only their schemas are used")]

use scheduler_model::calendars::ListedCalendar;
use schemars::JsonSchema;

/// Calendars, in the order of their names.
#[derive(JsonSchema)]
pub(crate) struct CalendarList {
    calendars: Vec<ListedCalendar>,
}
