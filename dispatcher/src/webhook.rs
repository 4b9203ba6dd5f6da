//! A webhook: a POST of the record.

use crate::outcome::{Outcome, TaskError, of_network_error, of_status, of_timeout};
use crate::plan::Job;
use scheduler_core::limits::MAX_TIMEOUT_SECONDS;
use scheduler_core::task::Webhook;
use scheduler_platform::within;
use std::time::Duration;
use worker::wasm_bindgen::JsValue;
use worker::{AbortController, Fetch, Headers, Method, Request, RequestInit, RequestRedirect};

/// Posts the record and says what the answer means. The timeout starts here: whoever calls this has a connection free for it.
pub(crate) async fn post(job: &Job<'_>, webhook: &Webhook<'_>) -> Outcome {
    // From a record that was checked when it came in; if it cannot be built now, it never can.
    let request =
        request(job, webhook).map_err(|problem| TaskError::permanent(format!("the request cannot be built: {problem}")))?;
    let seconds = webhook.timeout_seconds.clamp(1, MAX_TIMEOUT_SECONDS);
    let abort = AbortController::default();
    let signal = abort.signal();
    let fetch = Fetch::Request(request);
    let outcome = match within(Duration::from_secs(seconds.into()), fetch.send_with_signal(&signal)).await {
        Some(Ok(response)) => of_status(response.status_code(), &webhook.url),
        Some(Err(problem)) => Err(of_network_error(&problem.to_string(), &webhook.url)),
        None => Err(of_timeout(seconds, &webhook.url)),
    };
    // Frees the connection, whether it still waits for an answer or has a body that nobody reads.
    abort.abort();
    outcome
}

fn request(job: &Job<'_>, webhook: &Webhook<'_>) -> worker::Result<Request> {
    let headers = Headers::new();
    headers.set("user-agent", "durable-scheduler")?;
    for (name, value) in &webhook.headers {
        headers.set(name, value)?;
    }
    // After the user's, so that these hold.
    headers.set("content-type", "application/json")?;
    headers.set("idempotency-key", &job.idempotency_key())?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_headers(headers)
        .with_redirect(RequestRedirect::Manual)
        .with_body(Some(JsValue::from_str(job.text)));
    Request::new_with_init(&webhook.url, &init)
}
