//! Handlers that declare how they are called, retried and scheduled. The attribute
//! [`task`](crate::task) generates them.

use crate::handlers::TaskContext;
use crate::outcome::TaskError as HandlerError;
use futures::future::LocalBoxFuture;
use scheduler_model::bounds::MAX_TIMEOUT_SECONDS;

/// A run of a handler.
pub type TaskFuture = LocalBoxFuture<'static, Result<(), HandlerError>>;

/// A handler and its declarations. The attribute [`task`](crate::task) implements it and checks
/// everything at compile time. For an implementation by hand, errors are found and logged when the
/// Worker runs.
pub trait Task {
    /// The name by which tasks call it.
    const NAME: &'static str;

    /// The retry policy, as the API's JSON, of tasks that name this handler and have no policy of
    /// their own.
    const RETRY: Option<&'static str> = None;

    /// How long one attempt may take, seconds; at most [`MAX_TIMEOUT_SECONDS`].
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
    /// The IANA time zone of the expression; UTC if absent.
    pub timezone: Option<&'static str>,
}
