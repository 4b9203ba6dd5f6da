//! Jobs without a request: those of the watchdog's trigger, and those of an instance's first request.

pub(crate) mod handler_tasks;
pub(crate) mod watchdog;
