//! Makes one attempt over HTTP: its request, its time limit, and the excerpt of the answer.

use crate::outcome::{Attempt, TaskError, of_timeout};
use crate::plan::Job;
use crate::rules::Answer;
use crate::signature::Signed;
use crate::text::excerpt;
use futures::StreamExt;
use scheduler_model::access::NAMESPACE_HEADER;
use scheduler_model::bounds::MAX_TIMEOUT_SECONDS;
use scheduler_model::protocol::MAX_EXCERPT_BYTES;
use scheduler_model::task::Message;
use scheduler_platform::{now, within};
use std::borrow::Cow;
use std::time::Duration;
use worker::wasm_bindgen::JsValue;
use worker::{
    AbortController, AbortSignal, CacheMode, Headers, Method, Request, RequestInit,
    RequestRedirect, Response, ResponseBody,
};

/// An answer whose head has been judged.
pub(crate) struct Judged {
    pub(crate) status: u16,
    /// Absent on success.
    pub(crate) failure: Option<TaskError>,
    pub(crate) response: Response,
    /// The request lasts until this is dropped.
    pub(crate) abort: Abort,
}

/// Aborts a request when dropped. This frees the connection of a request that still waits for its
/// answer, or whose answer has a body that nobody reads.
pub(crate) struct Abort(Option<AbortController>);

impl Abort {
    pub(crate) fn new() -> Self {
        Self(Some(AbortController::default()))
    }

    pub(crate) fn signal(&self) -> AbortSignal {
        self.0.as_ref().map_or_else(AbortSignal::abort, AbortController::signal)
    }
}

impl Drop for Abort {
    fn drop(&mut self) {
        if let Some(controller) = self.0.take() {
            controller.abort();
        }
    }
}

/// Returns the enforced time limit of a task, in seconds.
pub(crate) fn limit_seconds(given: u32) -> u32 {
    given.clamp(1, MAX_TIMEOUT_SECONDS)
}

/// How long an attempt waits for the body of a failed answer. The body only adds details to an
/// error. Without this limit, a target that sends a head and then nothing would hold a place for
/// its whole timeout.
const EXCERPT_WAIT: Duration = Duration::from_secs(2);

/// Makes an attempt within `seconds`. The time starts with this call, because the caller has a free
/// connection for it. If the answer is a failure and there is time left, it reads the first bytes
/// of the body.
pub(crate) async fn attempt(
    seconds: u32,
    target: &str,
    work: impl Future<Output = Result<Judged, TaskError>>,
) -> Attempt {
    let limit = Duration::from_secs(limit_seconds(seconds).into());
    let begun = now();
    let Judged { status, failure, mut response, abort } = match within(limit, work).await {
        None => return Err(of_timeout(limit_seconds(seconds), target)).into(),
        Some(Err(problem)) => return Err(problem).into(),
        Some(Ok(judged)) => judged,
    };
    let mut bytes = Vec::new();
    if failure.is_some() {
        let spent = Duration::from_millis(u64::try_from(now().since(begun)).unwrap_or(0));
        // If the time runs out, the bytes that have arrived are kept.
        let _: Option<()> = within(
            limit.saturating_sub(spent).min(EXCERPT_WAIT),
            read_start(&mut response, &mut bytes),
        )
        .await;
    }
    drop(abort);
    let excerpt = excerpt(&bytes);
    let outcome = failure.map_or(Ok(()), |problem| Err(problem.saying(&excerpt)));
    Attempt { outcome, status: Some(status), excerpt, spare: 0 }
}

/// Reads a body until it ends, or until `bytes` has enough for an excerpt.
async fn read_start(response: &mut Response, bytes: &mut Vec<u8>) {
    if !matches!(response.body(), ResponseBody::Stream(_)) {
        return;
    }
    let Ok(mut stream) = response.stream() else { return };
    while bytes.len() < MAX_EXCERPT_BYTES {
        match stream.next().await {
            Some(Ok(chunk)) => bytes.extend(chunk.into_iter().take(MAX_EXCERPT_BYTES)),
            Some(Err(_)) | None => return,
        }
    }
}

/// The body of a request, and its content type.
pub(crate) type Content<'a> = Option<(Cow<'a, str>, &'static str)>;

/// Returns the request of a task that sends `content`. `given` says whether to send the headers
/// that the task names. The dispatcher's own headers are always sent.
pub(crate) fn request(
    job: &Job<'_>,
    message: &Message<'_>,
    url: &str,
    content: &Content<'_>,
    given: bool,
    signed: Option<&Signed>,
) -> worker::Result<Request> {
    let headers = Headers::new();
    headers.set("user-agent", "durable-scheduler")?;
    if let Some((_, content_type)) = content {
        headers.set("content-type", content_type)?;
    }
    for (name, value) in message.sent_headers() {
        // A header that describes the body is sent with it.
        if given || name.eq_ignore_ascii_case("content-type") {
            headers.set(name, value)?;
        }
    }
    // The dispatcher's headers come after the user's, so that they win.
    headers.set("idempotency-key", &job.idempotency_key())?;
    for (name, value) in job.attempt_headers() {
        headers.set(name, &value)?;
    }
    if let Some(signed) = signed {
        headers.set("webhook-id", &signed.id)?;
        headers.set("webhook-timestamp", &signed.timestamp)?;
        headers.set("webhook-signature", &signed.signature)?;
        headers.set(NAMESPACE_HEADER, job.namespace.as_str())?;
    }
    let mut init = RequestInit::new();
    init.with_method(Method::from(message.method.name().to_owned()))
        .with_headers(headers)
        .with_redirect(RequestRedirect::Manual)
        // Without this, the platform may answer a GET from its cache.
        .with_cache(CacheMode::NoStore)
        .with_body(content.as_ref().map(|(text, _)| JsValue::from_str(text)));
    Request::new_with_init(url, &init)
}

/// Calls `judge` with the head of an answer, and returns its result.
pub(crate) fn with_head<T>(response: &Response, judge: impl FnOnce(&Answer<'_>) -> T) -> T {
    let header = |name: &str| response.headers().get(name).ok().flatten();
    let status = response.status_code();
    if (200..=299).contains(&status) {
        // The other headers do not matter.
        return judge(&Answer { status, ..Answer::default() });
    }
    let (location, retry_after) = (header("location"), header("retry-after"));
    judge(&Answer { status, location: location.as_deref(), retry_after: retry_after.as_deref() })
}
