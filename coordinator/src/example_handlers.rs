//! Handlers that the end-to-end tests run, and an example to copy. Not in a deployment, for some of
//! them run by themselves: they are registered only where the variable `EXAMPLE_HANDLERS` says so.

use scheduler_dispatcher::{HandlerError, Handlers, TaskContext, task};
use serde::Deserialize;
use worker::{Fetch, Headers, Method, Request, RequestInit, RequestRedirect};

/// Where to post.
#[derive(Deserialize)]
struct Post {
    url: String,
}

/// Posts to a URL, with the key by which repeats of one run are told.
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

/// The same after a change of the code.
#[task(name = "example-weekly", cron = "0 10 * * MON", timezone = "Europe/London", retries = 5)]
async fn weekly_later(_context: TaskContext) -> Result<(), HandlerError> {
    Ok(())
}

/// Adds those of a version: 1 has them all, 2 is what a later deploy might have left of them.
pub(crate) fn add_to(handlers: Handlers, version: &str) -> Handlers {
    match version {
        "1" => handlers.with_task::<post>().with_task::<tick>().with_task::<weekly>(),
        "2" => handlers.with_task::<post>().with_task::<weekly_later>(),
        _ => handlers,
    }
}
