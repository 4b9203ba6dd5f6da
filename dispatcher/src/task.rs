//! Handlers that say themselves how they are called, tried again and scheduled: what the attribute
//! [`task`](crate::task) makes.

use crate::handlers::TaskContext;
use crate::outcome::TaskError as HandlerError;
use futures::future::LocalBoxFuture;
use scheduler_model::bounds::MAX_TIMEOUT_SECONDS;

/// A run of a handler.
pub type TaskFuture = LocalBoxFuture<'static, Result<(), HandlerError>>;

/// A handler and what is declared beside it. The attribute [`task`](crate::task) implements it, and
/// checks all of it at compile time; written by hand, what does not hold is found when the Worker
/// runs, and logged.
pub trait Task {
    /// The name by which tasks call it.
    const NAME: &'static str;

    /// The retry policy of tasks that name this handler and have none of their own, as the API's
    /// JSON.
    const RETRY: Option<&'static str> = None;

    /// How long one attempt may wait, seconds; at most [`MAX_TIMEOUT_SECONDS`].
    const TIMEOUT_SECONDS: u32 = MAX_TIMEOUT_SECONDS;

    /// When it runs by itself.
    const SCHEDULE: Option<Schedule> = None;

    /// Runs it once.
    fn run(context: TaskContext) -> TaskFuture;
}

/// When a handler runs by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// The cron expression.
    pub cron: &'static str,
    /// The IANA time zone that it is read in; without it, UTC.
    pub timezone: Option<&'static str>,
}
