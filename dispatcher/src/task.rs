//! The declaration of a handler: its name, timeout, retries and schedule. The attribute
//! [`task`](crate::task) generates it.

use crate::handlers::TaskContext;
use crate::outcome::TaskError as HandlerError;
use futures::future::LocalBoxFuture;
use scheduler_model::bounds::MAX_TIMEOUT_SECONDS;

/// A run of a handler.
pub type TaskFuture = LocalBoxFuture<'static, Result<(), HandlerError>>;

/// A handler and its declarations. The attribute [`task`](crate::task) implements this trait and
/// checks the declarations at compile time. Errors in an implementation by hand are found when the
/// Worker runs, and are logged.
pub trait Task {
    /// The name that tasks use as their callback.
    const NAME: &'static str;

    /// The retry policy, as the API's JSON, for tasks that name this handler and have no policy of
    /// their own.
    const RETRY: Option<&'static str> = None;

    /// The time limit of one attempt in seconds; at most [`MAX_TIMEOUT_SECONDS`].
    const TIMEOUT_SECONDS: u32 = MAX_TIMEOUT_SECONDS;

    /// The schedule of the handler's own recurring task.
    const SCHEDULE: Option<Schedule> = None;

    /// Runs the handler once.
    fn run(context: TaskContext) -> TaskFuture;
}

/// The schedule of a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// The cron expression.
    pub cron: &'static str,
    /// The IANA time zone of the expression; UTC if absent.
    pub timezone: Option<&'static str>,
}
