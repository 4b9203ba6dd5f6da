//! Handlers: async Rust functions that tasks name as their callback.

use crate::outcome::{Outcome, TaskError as HandlerError};
use crate::plan::Job;
use crate::task::{Schedule, Task, TaskFuture};
use crate::text::log_line;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_TIMEOUT_SECONDS;
use scheduler_model::ids::OccurrenceKey;
use scheduler_model::task::HandlerTask;
use scheduler_platform::within;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::rc::Rc;
use std::time::Duration;
use worker::Env;

type Function = Box<dyn Fn(TaskContext) -> TaskFuture>;

/// A registered handler.
struct Handler {
    name: &'static str,
    function: Function,
    timeout_seconds: u32,
    retry: Option<&'static RawValue>,
    schedule: Option<Schedule>,
}

/// The handlers of a deployment, by name.
///
/// ```no_run
/// use scheduler_dispatcher::{HandlerError, Handlers, TaskContext, task};
///
/// #[task(retries = 3, cron = "0 9 * * MON", timezone = "Europe/London")]
/// async fn greet(task: TaskContext, name: Option<String>) -> Result<(), HandlerError> {
///     worker::console_log!("hello, {}", name.unwrap_or_default());
///     Ok(())
/// }
///
/// async fn part(_task: TaskContext) -> Result<(), HandlerError> {
///     Ok(())
/// }
///
/// let handlers = Handlers::shipped().with_task::<greet>().with("part", part);
/// assert_eq!(handlers.names(), ["log", "noop", "greet", "part"]);
/// ```
///
/// A registered function runs beside at most five other tasks. It may run more than once for the
/// same occurrence (see [`TaskContext::occurrence_key`]). It must not panic, because a panic ends
/// its whole invocation.
///
/// **Schedules.** A handler with a schedule has a recurring task with the id `handler:<name>`.
/// Workers have no deploy hook, so the first request to a new instance of the Worker creates and
/// updates these tasks. The watchdog does so too, every quarter of an hour, and removes the task of
/// a handler that was removed from the code. The API can read, list and cancel these tasks, but it
/// cannot create them. A cancelled task is created again within a quarter of an hour; to stop it,
/// remove the schedule from the code. While two versions of a Worker are deployed side by side,
/// each version updates the tasks by its own declarations.
#[derive(Default)]
pub struct Handlers {
    entries: Vec<Handler>,
}

impl Handlers {
    /// Returns an empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the handlers of the scheduler itself: `log` writes the task to the console, `noop`
    /// does nothing.
    pub fn shipped() -> Self {
        Self::new().with("log", log).with("noop", noop)
    }

    /// Registers a handler that the attribute [`task`](crate::task) declares. If several handlers
    /// have the same name, the last one counts.
    #[must_use]
    pub fn with_task<T: Task + 'static>(self) -> Self {
        self.with_handler(Handler {
            name: T::NAME,
            function: Box::new(T::run),
            timeout_seconds: T::TIMEOUT_SECONDS.clamp(1, MAX_TIMEOUT_SECONDS),
            retry: T::RETRY.and_then(|retry| serde_json::from_str(retry).ok()),
            schedule: T::SCHEDULE,
        })
    }

    /// Registers any async function, with the longest timeout and the default retries. If several
    /// handlers have the same name, the last one counts.
    #[must_use]
    pub fn with<F, R>(self, name: &'static str, function: F) -> Self
    where
        F: Fn(TaskContext) -> R + 'static,
        R: Future<Output = Result<(), HandlerError>> + 'static,
    {
        let function: Function = Box::new(move |context| Box::pin(function(context)));
        self.with_handler(Handler {
            name,
            function,
            timeout_seconds: MAX_TIMEOUT_SECONDS,
            retry: None,
            schedule: None,
        })
    }

    fn with_handler(mut self, handler: Handler) -> Self {
        match self.entries.iter_mut().find(|known| known.name == handler.name) {
            Some(known) => *known = handler,
            None => self.entries.push(handler),
        }
        self
    }

    /// Returns the registered names, in the order of registration.
    pub fn names(&self) -> Vec<&'static str> {
        self.entries.iter().map(|handler| handler.name).collect()
    }

    /// Returns the retry policies of the handlers that declare one, as JSON.
    pub fn retries(&self) -> Vec<(&'static str, &'static RawValue)> {
        self.entries.iter().filter_map(|handler| Some((handler.name, handler.retry?))).collect()
    }

    /// Returns the recurring tasks of the handlers that have a schedule.
    pub fn tasks(&self) -> Vec<HandlerTask<'static>> {
        let task = |handler: &Handler| {
            let Schedule { cron, timezone } = handler.schedule?;
            Some(HandlerTask { name: handler.name, cron, timezone, retry: handler.retry })
        };
        self.entries.iter().filter_map(task).collect()
    }

    /// Runs the handler with this name.
    pub(crate) async fn run(&self, name: &str, job: &Job<'_>, env: &Rc<Env>) -> Outcome {
        let Some(handler) = self.entries.iter().find(|known| known.name == name) else {
            let known = self.names().join(", ");
            return Err(HandlerError::retry(format!(
                "no handler {name:?} is registered in this deployment; there are: {known}"
            )));
        };
        let seconds = handler.timeout_seconds;
        let limit = Duration::from_secs(seconds.into());
        within(limit, (handler.function)(TaskContext::new(job, env))).await.unwrap_or_else(|| {
            Err(HandlerError::retry(format!("the handler {name:?} was not done after {seconds} s"))
                .silent())
        })
    }
}

/// What a handler knows about the task that it runs.
pub struct TaskContext {
    /// The task's id.
    pub id: String,
    /// The time at which the task was due; of a recurring task, the time of the occurrence.
    pub time: UnixMillis,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// `onSuccess` or `onFailure`, if this is a follow-up of a run.
    pub stage: Option<String>,
    /// The outcome of the run that this is a follow-up of: a JSON object as in `GET
    /// /v1/tasks/{id}/runs`. `null` if this is not a follow-up.
    pub outcome_text: String,
    /// The payload as JSON text; `null` if the task has none.
    pub payload_text: String,
    /// The Worker's bindings, variables and secrets.
    pub env: Rc<Env>,
}

impl TaskContext {
    fn new(job: &Job<'_>, env: &Rc<Env>) -> Self {
        Self {
            id: job.record.id.as_ref().to_owned(),
            time: job.time,
            attempt: job.record.attempt_number(),
            stage: job.record.stage.as_deref().map(str::to_owned),
            outcome_text: job.record.outcome.map_or("null", |outcome| outcome.get()).to_owned(),
            payload_text: job.record.payload.map_or("null", |payload| payload.get()).to_owned(),
            env: Rc::clone(env),
        }
    }

    /// Returns the payload as a `T`.
    ///
    /// # Errors
    /// Returns a permanent error if the payload does not fit the type, because the payload is the
    /// same on every attempt.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, HandlerError> {
        serde_json::from_str(&self.payload_text).map_err(|problem| {
            HandlerError::permanent(format!("the payload cannot be read: {problem}"))
        })
    }

    /// Returns the key of this occurrence, which is the same on every attempt and redelivery. A
    /// handler that stores the key can act only once.
    pub fn occurrence_key(&self) -> OccurrenceKey {
        OccurrenceKey { id: self.id.clone(), time: self.time, stage: self.stage.clone() }
    }
}

/// An error of the platform is retried, because the next attempt may succeed.
impl From<worker::Error> for HandlerError {
    fn from(problem: worker::Error) -> Self {
        Self::retry(problem.to_string())
    }
}

/// Writes a line about the task to the console: its id, its time, the stage of a follow-up, the
/// attempt, and the first KB of the payload.
async fn log(task: TaskContext) -> Result<(), HandlerError> {
    worker::console_log!(
        "{}",
        log_line(
            &task.id,
            task.time.get(),
            task.stage.as_deref(),
            task.attempt,
            &task.payload_text
        )
    );
    Ok(())
}

/// Does nothing, and succeeds.
async fn noop(_task: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

#[cfg(test)]
#[path = "handlers_tests.rs"]
mod tests;
