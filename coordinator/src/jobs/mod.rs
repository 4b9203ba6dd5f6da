//! Jobs without a request: those of every minute, and those of an instance's first request.

pub(crate) mod handler_tasks;
pub(crate) mod watchdog;
