//! Jobs without a request: those of the watchdog's trigger, those of an instance's first request,
//! and those of the registry's alarm.

pub(crate) mod calendars;
pub(crate) mod handler_tasks;
pub(crate) mod watchdog;
