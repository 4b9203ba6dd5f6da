//! Named async Rust functions that tasks may name as their callback.

use crate::outcome::{Outcome, TaskError as HandlerError};
use crate::plan::Job;
use crate::text::log_line;
use futures::future::LocalBoxFuture;
use scheduler_core::ids::OccurrenceKey;
use scheduler_core::limits::MAX_TIMEOUT_SECONDS;
use scheduler_core::time::UnixMillis;
use scheduler_platform::within;
use serde::de::DeserializeOwned;
use std::rc::Rc;
use std::time::Duration;
use worker::Env;

type Function = Box<dyn Fn(TaskContext) -> LocalBoxFuture<'static, Outcome>>;

/// The handlers of a deployment, by name.
///
/// ```no_run
/// use scheduler_dispatcher::{HandlerError, Handlers, TaskContext};
///
/// async fn greet(task: TaskContext) -> Result<(), HandlerError> {
///     let name: String = task.payload()?;
///     worker::console_log!("hello, {name}");
///     Ok(())
/// }
///
/// let handlers = Handlers::shipped().with("greet", greet);
/// assert_eq!(handlers.names(), ["log", "noop", "greet"]);
/// ```
#[derive(Default)]
pub struct Handlers {
    entries: Vec<(&'static str, Function)>,
}

impl Handlers {
    /// No handlers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those that come with the scheduler: `log` writes the task to the console, `noop` does nothing.
    pub fn shipped() -> Self {
        Self::new().with("log", log).with("noop", noop)
    }

    /// Registers an async function; the last one under a name counts. It may take up to a minute of waiting, runs beside at most
    /// 5 other tasks, may run more than once for the same occurrence (see [`TaskContext::occurrence_key`]), and must not panic:
    /// that would end its whole invocation.
    #[must_use]
    pub fn with<F, R>(mut self, name: &'static str, function: F) -> Self
    where
        F: Fn(TaskContext) -> R + 'static,
        R: Future<Output = Result<(), HandlerError>> + 'static,
    {
        let function: Function = Box::new(move |context| Box::pin(function(context)));
        match self.entries.iter_mut().find(|(known, _)| *known == name) {
            Some(entry) => entry.1 = function,
            None => self.entries.push((name, function)),
        }
        self
    }

    /// The registered names, in the order of registration.
    pub fn names(&self) -> Vec<&'static str> {
        self.entries.iter().map(|(name, _)| *name).collect()
    }

    /// Runs the handler of this name.
    pub(crate) async fn run(&self, name: &str, job: &Job<'_>, env: &Rc<Env>) -> Outcome {
        let Some((_, function)) = self.entries.iter().find(|(known, _)| *known == name) else {
            let known = self.names().join(", ");
            return Err(HandlerError::retry(format!("no handler {name:?} is registered in this deployment; there are: {known}")));
        };
        let limit = Duration::from_secs(MAX_TIMEOUT_SECONDS.into());
        within(limit, function(TaskContext::new(job, env))).await.unwrap_or_else(|| {
            Err(HandlerError::retry(format!("the handler {name:?} was not done after {MAX_TIMEOUT_SECONDS} s")))
        })
    }
}

/// What a handler is told of the task that it runs.
pub struct TaskContext {
    /// The task's id.
    pub id: String,
    /// When the task was due; of a recurring one, the occurrence.
    pub time: UnixMillis,
    /// Which attempt this is: 1 on the first.
    pub attempt: u32,
    /// The payload as JSON text; `null` when the task has none.
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
            payload_text: job.record.payload.map_or("null", |payload| payload.get()).to_owned(),
            env: Rc::clone(env),
        }
    }

    /// The payload as a type of the handler's.
    ///
    /// # Errors
    /// A permanent one when the payload is something else: it will be the same on every attempt.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, HandlerError> {
        serde_json::from_str(&self.payload_text)
            .map_err(|problem| HandlerError::permanent(format!("the payload cannot be read: {problem}")))
    }

    /// The name of this firing, the same on every attempt and redelivery: remember it to act once.
    pub fn occurrence_key(&self) -> OccurrenceKey {
        OccurrenceKey { id: self.id.clone(), time: self.time }
    }
}

/// What the platform refuses may go well the next time.
impl From<worker::Error> for HandlerError {
    fn from(problem: worker::Error) -> Self {
        Self::retry(problem.to_string())
    }
}

/// Writes a line of the task to the console: id, time, attempt, and the payload up to 1 KB.
async fn log(task: TaskContext) -> Result<(), HandlerError> {
    worker::console_log!("{}", log_line(&task.id, task.time.get(), task.attempt, &task.payload_text));
    Ok(())
}

/// Does nothing, successfully.
async fn noop(_task: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}
