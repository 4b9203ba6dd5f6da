//! Answers, and errors as `application/problem+json` (RFC 9457).

use crate::conditions::{Condition, ETag};
use futures::stream::{LocalBoxStream, Stream, StreamExt};
use scheduler_core::access::{Denied, NAMESPACE_HEADER};
use scheduler_core::input::cut;
use scheduler_core::limits::{MAX_ID_BYTES, MAX_LIMIT_KEY_BYTES, MAX_PROBLEM_BYTES, MAX_RUNS_OF_A_TASK};
use scheduler_core::task::{FieldError, version_of};
use serde::Serialize;
use std::time::Duration;
use worker::{Error, Response, ResponseBuilder, Result};

/// What goes back to the caller.
#[derive(Debug)]
pub(crate) struct Answer {
    status: u16,
    body: Vec<u8>,
    content_type: &'static str,
    retry_after_seconds: Option<u32>,
    is_replay: bool,
    tag: Option<ETag>,
    /// The methods that the path takes, where it does not take the request's.
    allow: Option<String>,
    is_head: bool,
    stream: Option<Streamed>,
}

/// A body that is written as it comes.
struct Streamed(LocalBoxStream<'static, String>);

impl std::fmt::Debug for Streamed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Streamed")
    }
}

impl Answer {
    /// JSON text.
    pub(crate) fn json(status: u16, body: Vec<u8>) -> Self {
        let content_type = "application/json";
        Self {
            status,
            body,
            content_type,
            retry_after_seconds: None,
            tag: None,
            is_replay: false,
            allow: None,
            is_head: false,
            stream: None,
        }
    }

    /// A value as JSON.
    pub(crate) fn of<T: Serialize>(status: u16, value: &T) -> Self {
        // The types that are answered with serialise without fail.
        Self::json(status, serde_json::to_vec(value).unwrap_or_default())
    }

    /// Says that it is the answer to an earlier request of the same `Idempotency-Key`, if it is.
    pub(crate) fn replayed(self, is_replay: bool) -> Self {
        Self { is_replay, ..self }
    }

    #[cfg(test)]
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Text that is written as it comes, and kept by no cache.
    pub(crate) fn stream(content_type: &'static str, text: impl Stream<Item = String> + 'static) -> Self {
        Self { content_type, stream: Some(Streamed(text.boxed_local())), ..Self::json(200, Vec::new()) }
    }

    /// With the version of the task that its body shows, as `ETag`.
    pub(crate) fn with_version(self, version: u64) -> Self {
        let state = version_of(&self.body);
        Self { tag: Some(ETag { version, state }), ..self }
    }

    /// The answer to a read under `If-None-Match`: 304 without a body if the caller has seen what it shows.
    pub(crate) fn unless_seen(self, if_none_match: Option<&Condition>) -> Self {
        match (if_none_match, self.tag) {
            (Some(condition), Some(tag)) if condition.has_seen(tag) => Self { status: 304, body: Vec::new(), ..self },
            _ => self,
        }
    }

    /// The answer to a HEAD: the head of the answer to the GET.
    pub(crate) fn without_body(self) -> Self {
        Self { is_head: true, ..self }
    }

    pub(crate) fn into_response(self) -> Result<Response> {
        let mut builder = ResponseBuilder::new().with_status(self.status);
        if self.status != 304 {
            builder = builder.with_header("content-type", self.content_type)?;
        }
        if let Some(allow) = &self.allow {
            builder = builder.with_header("allow", allow)?;
        }
        if let Some(seconds) = self.retry_after_seconds {
            builder = builder.with_header("retry-after", &seconds.to_string())?;
        }
        if self.is_replay {
            builder = builder.with_header("idempotent-replayed", "true")?;
        }
        if let Some(tag) = self.tag {
            builder = builder.with_header("etag", &tag.to_string())?;
        }
        if self.status == 401 {
            builder = builder.with_header("www-authenticate", "Bearer")?;
        }
        if self.status == 304 {
            return Ok(builder.empty());
        }
        if self.is_head {
            let length = if self.stream.is_some() { None } else { Some(self.body.len()) };
            if let Some(length) = length {
                builder = builder.with_header("content-length", &length.to_string())?;
            }
            return Ok(builder.empty());
        }
        if let Some(Streamed(text)) = self.stream {
            return builder.with_header("cache-control", "no-store")?.from_stream(text.map(Ok::<_, Error>));
        }
        Ok(builder.fixed(self.body))
    }
}

/// After so long a request that a full shard has refused may be sent again: there is room when tasks have fired or were cancelled, not sooner.
const FULL_RETRY_SECONDS: u32 = 60;

/// A refusal, as RFC 9457 writes it. `type` is a stable name for programs, `detail` is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    pub(crate) status: u16,
    pub(crate) detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip)]
    retry_after_seconds: Option<u32>,
    /// The methods that the path takes.
    #[serde(skip)]
    allow: Option<String>,
}

impl Problem {
    fn new(kind: &'static str, title: &'static str, status: u16, detail: impl Into<String>) -> Self {
        // It may repeat what the caller has sent.
        let detail = cut(detail.into(), MAX_PROBLEM_BYTES).into_owned();
        Self { kind, title, status, detail, field: None, retry_after_seconds: None, allow: None }
    }

    /// A field of the request does not hold.
    pub(crate) fn invalid(error: FieldError) -> Self {
        let detail = error.to_string();
        Self { field: Some(error.field.into_owned()), ..Self::new("/problems/invalid", "The request does not hold", 422, detail) }
    }

    /// The body is larger than the route takes.
    pub(crate) fn too_large(limit: usize) -> Self {
        let detail =
            format!("the body is longer than {limit} bytes, which is the limit of this route: send less, or several requests");
        Self::new("/problems/too-large", "The request is too large", 413, detail)
    }

    /// No or a wrong API key.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new("/problems/unauthorized", "An API key is needed", 401, detail)
    }

    /// The address has sent too many wrong API keys.
    pub(crate) fn guessing() -> Self {
        let detail = "too many wrong API keys have come from this address; wait a second before the next one. A right one of 24 bytes or more is let in all the same";
        let problem = Self::new("/problems/guessing", "Too many wrong API keys", 429, detail);
        Self { retry_after_seconds: Some(1), ..problem }
    }

    /// The API key may not do this, or not there.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new("/problems/forbidden", "The API key does not allow this", 403, detail)
    }

    /// No such API key.
    pub(crate) fn no_key(id: &str) -> Self {
        let detail = format!("there is no key {:?} (any more)", cut(id, 64));
        Self::new("/problems/no-key", "There is no such API key", 404, detail)
    }

    /// No such namespace.
    pub(crate) fn no_namespace(detail: impl Into<String>) -> Self {
        Self::new("/problems/no-namespace", "There is no such namespace", 404, detail)
    }

    /// No limit for this key.
    pub(crate) fn no_limit(key: &str) -> Self {
        let detail = format!("the key {:?} has no limit (any more); set one with PUT", cut(key, MAX_LIMIT_KEY_BYTES));
        Self::new("/problems/no-limit", "There is no such limit", 404, detail)
    }

    /// A namespace with tasks in it.
    pub(crate) fn not_empty(name: &str, tasks: u64) -> Self {
        let detail = format!(
            "the namespace {name:?} holds {tasks} tasks, those that run and dead letters among them; cancel them or wait until they are done"
        );
        Self::new("/problems/not-empty", "The namespace is not empty", 409, detail)
    }

    /// As many keys, namespaces or limits as there may be.
    pub(crate) fn too_many(detail: impl Into<String>) -> Self {
        Self::new("/problems/too-many", "There are too many", 409, detail)
    }

    /// An `Idempotency-Key` that stands for another request.
    pub(crate) fn key_reused(detail: impl Into<String>) -> Self {
        Self::new("/problems/idempotency-key-reused", "The Idempotency-Key was used for another request", 409, detail)
    }

    /// A quota is used up.
    pub(crate) fn quota(detail: impl Into<String>, retry_after_seconds: u32) -> Self {
        let problem = Self::new("/problems/quota", "A quota of the namespace is used up", 429, detail);
        Self { retry_after_seconds: Some(retry_after_seconds), ..problem }
    }

    /// As many follow the events as may.
    pub(crate) fn too_many_readers(detail: impl Into<String>, retry_after_seconds: u32) -> Self {
        let problem = Self::new("/problems/too-many-readers", "Too many readers follow the events", 429, detail);
        Self { retry_after_seconds: Some(retry_after_seconds), ..problem }
    }

    /// No such path.
    pub(crate) fn no_route(method: &str, path: &str) -> Self {
        let path = cut(path, 100);
        Self::new(
            "/problems/no-route",
            "There is no such path",
            404,
            format!("{method} {path}: see /openapi.json for what there is"),
        )
    }

    /// The path does not take the method.
    pub(crate) fn no_method(method: &str, path: &str, allowed: String) -> Self {
        let path = cut(path, 100);
        let detail = format!("{path} does not take {method}; it takes {allowed}: see /openapi.json");
        let problem = Self::new("/problems/no-method", "The path does not take this method", 405, detail);
        Self { allow: Some(allowed), ..problem }
    }

    /// No such task.
    pub(crate) fn no_task(id: &str) -> Self {
        let id = cut(id, MAX_ID_BYTES);
        let detail = format!(
            "there is no task {id:?} (any more): it was never created, was cancelled, or has fired; GET /v1/tasks/{}/runs tells how \
             attempts at it went",
            percent_encoding::utf8_percent_encode(&id, percent_encoding::NON_ALPHANUMERIC)
        );
        Self::new("/problems/no-task", "There is no such task", 404, detail)
    }

    /// It runs, and nothing of it is left to change.
    pub(crate) fn already_fired(id: &str) -> Self {
        let detail = format!(
            "task {:?} is running, and no other attempt of it waits to be changed: see GET …/explain",
            cut(id, MAX_ID_BYTES)
        );
        Self::new("/problems/already-fired", "The task has already fired", 409, detail)
    }

    /// Such a task cannot be changed so.
    pub(crate) fn not_applicable(id: &str) -> Self {
        let id = cut(id, MAX_ID_BYTES);
        let detail = format!(
            "task {id:?} cannot be changed so: a recurring task and a follow-up have no single time to change, and what does not fire by \
             itself (a task without a schedule, a dead letter) cannot be paused; what has fired (a further attempt, a follow-up, a dead \
             letter) cannot be patched"
        );
        Self::new("/problems/not-applicable", "The task cannot be changed so", 409, detail)
    }

    /// As many runs of the task wait as may.
    pub(crate) fn too_many_runs(id: &str) -> Self {
        let id = cut(id, MAX_ID_BYTES);
        let detail = format!(
            "{MAX_RUNS_OF_A_TASK} runs of task {id:?} wait, which is the limit of one id, so that no further run was added: wait until some \
             have fired, or cancel the task; GET /v1/tasks/{{id}}/explain says what they wait for"
        );
        Self::new("/problems/too-many-runs", "Too many runs of the task wait", 409, detail)
    }

    /// The shard was asked again, and its answer may be the work of the first try.
    pub(crate) fn unknown_outcome() -> Self {
        Self::unavailable("it is not known whether the change was made, for the answer of the first try was lost; read the task")
    }

    /// The task is not (any more) what the request takes it for.
    pub(crate) fn other_version(detail: impl Into<String>) -> Self {
        Self::new("/problems/other-version", "The task has another version", 412, detail)
    }

    /// The task has none of the versions that `If-Match` names, or there is none.
    pub(crate) fn not_matched() -> Self {
        Self::other_version("there is no task that If-Match allows; read it again")
    }

    /// The task has a version that `If-None-Match` names.
    pub(crate) fn seen_already() -> Self {
        Self::other_version("the task is one that If-None-Match names; it has not changed since")
    }

    /// How long to wait before the request is made again, where that helps.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after_seconds.map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// Whether it is [`Problem::other_version`].
    pub(crate) fn is_other_version(&self) -> bool {
        self.status == 412
    }

    /// A shard holds as much as it may.
    pub(crate) fn full(detail: String) -> Self {
        let problem = Self::new("/problems/shard-full", "A shard is full", 507, detail);
        Self { retry_after_seconds: Some(FULL_RETRY_SECONDS), ..problem }
    }

    /// A shard has too much to do.
    pub(crate) fn overloaded() -> Self {
        let detail = "a shard has more requests than it can take; send less, or raise the number of shards (SHARD_MAP)";
        let problem = Self::new("/problems/overloaded", "The scheduler is overloaded", 429, detail);
        Self { retry_after_seconds: Some(2), ..problem }
    }

    /// The bodies of other requests take the memory that there is.
    pub(crate) fn crowded() -> Self {
        let detail = "other requests of this instance are sending large bodies; send this one again in a second, fewer at once, or smaller ones";
        Self { detail: detail.to_owned(), retry_after_seconds: Some(1), ..Self::overloaded() }
    }

    /// A shard could not be reached, or failed.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        let problem = Self::new("/problems/unavailable", "A shard did not answer", 503, detail);
        Self { retry_after_seconds: Some(1), ..problem }
    }

    /// The deployment's settings do not hold.
    pub(crate) fn misconfigured(detail: impl Into<String>) -> Self {
        Self::new("/problems/misconfigured", "The deployment is not configured", 500, detail)
    }

    /// Whether the same request may succeed later.
    pub(crate) fn is_retryable(&self) -> bool {
        self.retry_after_seconds.is_some()
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let detail = denied.to_string();
        match denied {
            Denied::UnknownKey | Denied::Expired(_) => Self::unauthorized(detail),
            Denied::Scope(_) | Denied::Reach(_) | Denied::ReachAll => Self::forbidden(detail),
            Denied::Name(_) => Self::invalid(FieldError::new(NAMESPACE_HEADER, detail)),
            Denied::NoNamespace(_) => Self::no_namespace(detail),
        }
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let retry_after_seconds = problem.retry_after_seconds;
        let answer = Self::of(problem.status, &problem);
        Self { content_type: "application/problem+json", retry_after_seconds, allow: problem.allow, ..answer }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_core::limits::MAX_ERROR_FIELD_BYTES;

    /// Whatever a refusal repeats of a request, and however JSON writes that.
    #[test]
    fn refusals_are_short() {
        for sign in ["a", "\u{1}", "\"", "\\", "\u{7f}", "é", "\u{10ffff}"] {
            let long = sign.repeat(20_000);
            for problem in [
                Problem::invalid(FieldError::new(long.clone(), long.clone())),
                Problem::unauthorized(long.clone()),
                Problem::no_key(&long),
                Problem::no_limit(&long),
                Problem::no_route(&long, &long),
                Problem::no_method(&long, &long, "GET".to_owned()),
                Problem::no_task(&long),
                Problem::already_fired(&long),
                Problem::not_applicable(&long),
                Problem::full(long.clone()),
            ] {
                let (kind, bytes) = (problem.kind, Answer::from(problem).body.len());
                assert!(bytes <= MAX_PROBLEM_BYTES + MAX_ERROR_FIELD_BYTES + 160, "{kind}: {bytes} bytes of {sign:?}");
            }
        }
    }

    #[test]
    fn a_read_is_304_only_if_all_that_it_shows_has_been_seen() {
        let shown = |body: &str| Answer::json(200, body.into()).with_version(7);
        let tag = shown(r#"{"status":"scheduled","due":5}"#).tag.unwrap();
        let seen = Condition::parse("If-None-Match", &tag.to_string()).unwrap();
        for (body, status) in [
            (r#"{"status":"scheduled","due":5}"#, 304),
            (r#"{"status":"paused","due":5}"#, 200),
            (r#"{"status":"scheduled","due":6}"#, 200),
        ] {
            let answer = shown(body).unless_seen(Some(&seen));
            assert_eq!((answer.status, answer.body.is_empty()), (status, status == 304), "{body}");
            assert_eq!(answer.tag.map(|tag| tag.version), Some(7));
        }
        assert_eq!(shown("{}").unless_seen(None).status, 200);
        assert_eq!(Answer::json(404, Vec::new()).unless_seen(Some(&Condition::Any)).status, 404);
    }
}
