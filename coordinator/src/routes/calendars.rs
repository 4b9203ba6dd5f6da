//! The routes for calendars.

use crate::handlers::calendars;
use crate::routes::prelude::*;
use scheduler_model::bounds::MAX_CALENDAR_BODY_BYTES;

/// Each route with its handler and its description for the API's document.
pub(super) static ROUTES: &[Route] = &[
    Route {
        #[cfg(test)]
        operation: Operation {
            id: "listCalendars",
            summary: "List calendars",
            description: "Lists the calendars of the namespace, in the order of their names and without their items.",
            answers: &[shows::<CalendarList>(200, "The calendars.")],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/calendars", Scope::Read, |call, _| {
            Box::pin(calendars::list(call))
        })
    },
    Route {
        body_limit: MAX_CALENDAR_BODY_BYTES,
        conditions: Conditions::Change,
        #[cfg(test)]
        operation: Operation {
            id: "putCalendar",
            summary: "Create or change a calendar",
            description: "Creates a calendar, or replaces its items and its description. If the items change, the tasks that name the calendar in `exclude` follow: the answer comes first, and `pending` says until when. They keep their counted runs, anchor and pause, and what waits of them.",
            body: Some(Body::Calendar),
            answers: &[
                shows::<ShownCalendar>(200, "Changed."),
                shows::<ShownCalendar>(201, "Made."),
            ],
            refusals: &[Invalid, TooMany],
            ..Operation::USUAL
        },
        ..Route::new(Method::Put, "/v1/calendars/{id}", Scope::Write, |call, name| {
            Box::pin(calendars::put(call, name))
        })
    },
    Route {
        conditions: Conditions::Read,
        #[cfg(test)]
        operation: Operation {
            id: "getCalendar",
            summary: "Get a calendar",
            description: "Returns a calendar with its items, and how far the update of its tasks has come.",
            answers: &[shows::<ShownCalendar>(200, "The calendar.")],
            refusals: &[Invalid, NoCalendar],
            ..Operation::USUAL
        },
        ..Route::new(Method::Get, "/v1/calendars/{id}", Scope::Read, |call, name| {
            Box::pin(calendars::get(call, name))
        })
    },
    Route {
        conditions: Conditions::Change,
        #[cfg(test)]
        operation: Operation {
            id: "deleteCalendar",
            summary: "Delete a calendar",
            description: "Deletes a calendar that no task names. It reads the recurring tasks of the namespace to find those that do.",
            answers: &[shows::<Deleted>(200, "Deleted.")],
            refusals: &[Invalid, NoCalendar, CalendarInUse],
            ..Operation::USUAL
        },
        ..Route::new(Method::Delete, "/v1/calendars/{id}", Scope::Write, |call, name| {
            Box::pin(calendars::delete(call, name))
        })
    },
];
