//! What runs without a request: once a minute, and on the first request of an instance.

pub(crate) mod handler_tasks;
pub(crate) mod watchdog;
