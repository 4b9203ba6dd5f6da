//! Handlers for the end-to-end tests, which also serve as examples. A deployment does not register
//! them, because some of them run by themselves; only the variable `EXAMPLE_HANDLERS` does.

use scheduler_dispatcher::{HandlerError, Handlers, TaskContext, task};
use serde::Deserialize;
use worker::{Fetch, Headers, Method, Request, RequestInit, RequestRedirect};

/// The payload of [`post`].
#[derive(Deserialize)]
struct Post {
    url: String,
}

/// Posts to a URL, with the occurrence key, by which the receiver recognizes repeats of one run.
#[task(
    name = "example-post",
    retries = 2,
    min_backoff_seconds = 0.1,
    jitter = 0,
    timeout_seconds = 2
)]
async fn post(context: TaskContext, payload: Post) -> Result<(), HandlerError> {
    let headers = Headers::new();
    headers.set("idempotency-key", &context.occurrence_key().to_string())?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_headers(headers).with_redirect(RequestRedirect::Manual);
    let response = Fetch::Request(Request::new_with_init(&payload.url, &init)?).send().await?;
    match response.status_code() {
        200..=299 => Ok(()),
        status => Err(HandlerError::retry(format!("HTTP {status}"))),
    }
}

#[task(name = "example-tick", cron = "* * * * * *")]
async fn tick(context: TaskContext) -> Result<(), HandlerError> {
    worker::console_log!("tick of {}", context.time);
    Ok(())
}

#[task(name = "example-weekly", cron = "0 9 * * MON", timezone = "Europe/London", retries = 5)]
async fn weekly(_context: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

/// The same handler after a change of the code.
#[task(name = "example-weekly", cron = "0 10 * * MON", timezone = "Europe/London", retries = 5)]
async fn weekly_later(_context: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

/// Ends the instance of the wasm, as a defect would.
#[task(name = "example-panic", retries = 1)]
#[expect(clippy::panic, reason = "a test needs one")]
async fn panics(_context: TaskContext) -> Result<(), HandlerError> {
    panic!("a handler panics on demand")
}

/// Adds the handlers of a version. Version 1 has them all; version 2 has those that a later
/// deployment might still have.
pub(crate) fn add_to(handlers: Handlers, version: &str) -> Handlers {
    match version {
        "1" => handlers.with_task::<post>().with_task::<tick>().with_task::<weekly>(),
        "2" => handlers.with_task::<post>().with_task::<weekly_later>(),
        "panics" => handlers.with_task::<panics>(),
        _ => handlers,
    }
}
