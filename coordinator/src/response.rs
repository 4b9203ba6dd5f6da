//! The answers to callers.

use crate::conditions::{Condition, ETag};
use crate::problem::Problem;
use crate::request_id::{self, OfRequest};
use futures::stream::{LocalBoxStream, Stream, StreamExt};
use scheduler_model::task::digest_of;
use scheduler_platform::text_stream;
use serde::Serialize;
use std::rc::Rc;
use worker::{Response, ResponseBuilder, Result};

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    status: u16,
    body: Vec<u8>,
    content_type: &'static str,
    retry_after_seconds: Option<u32>,
    is_replay: bool,
    tag: Option<ETag>,
    /// The methods that the path accepts, if it does not accept the request's method.
    allow: Option<String>,
    is_head: bool,
    stream: Option<Streamed>,
    /// The id of the request.
    request_id: Option<Rc<str>>,
}

/// A body that is written in pieces.
struct Streamed(LocalBoxStream<'static, String>);

impl std::fmt::Debug for Streamed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Streamed")
    }
}

impl Answer {
    /// Returns an answer with JSON text.
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
            request_id: None,
        }
    }

    /// Returns an answer with a value as JSON.
    pub(crate) fn of<T: Serialize>(status: u16, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::json(status, body),
            Err(problem) => Self::not_written(&problem),
        }
    }

    /// Returns the refusal in place of an answer that cannot be written as JSON. Every answer
    /// consists of members that can be written, so this is a defect.
    fn not_written(problem: &serde_json::Error) -> Self {
        Self::from(Problem::unavailable(format!("the answer cannot be written: {problem}")))
    }

    /// Returns the answer to a delete, except of a task.
    pub(crate) fn deleted(id: &str) -> Self {
        #[derive(Serialize)]
        struct Deleted<'a> {
            id: &'a str,
            deleted: bool,
        }
        Self::of(200, &Deleted { id, deleted: true })
    }

    /// Adds the header that marks the answer to an earlier request with the same `Idempotency-Key`,
    /// if `is_replay`.
    pub(crate) fn replayed(self, is_replay: bool) -> Self {
        Self { is_replay, ..self }
    }

    /// Returns an answer with Markdown text.
    pub(crate) fn markdown(text: String) -> Self {
        Self { content_type: "text/markdown; charset=utf-8", ..Self::json(200, text.into_bytes()) }
    }

    /// Returns a refusal with more members. `members` is the inside of a JSON object.
    pub(crate) fn refusal_with(problem: Problem, members: &[u8]) -> Self {
        let mut answer = Self::from(problem);
        if answer.body.pop().is_some() {
            answer.body.reserve(members.len() + 2);
            answer.body.push(b',');
            answer.body.extend_from_slice(members);
            answer.body.push(b'}');
        }
        answer
    }

    #[cfg(test)]
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    #[cfg(test)]
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the body of the answer.
    pub(crate) fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// Returns the answer to a message that was accepted and needs no other answer.
    pub(crate) fn accepted() -> Self {
        Self::json(202, Vec::new())
    }

    /// Returns an answer with text that is written in pieces and never cached.
    pub(crate) fn stream(
        content_type: &'static str,
        text: impl Stream<Item = String> + 'static,
    ) -> Self {
        Self {
            content_type,
            stream: Some(Streamed(text.boxed_local())),
            ..Self::json(200, Vec::new())
        }
    }

    /// Adds the `ETag` with the version of the task that the body shows.
    pub(crate) fn with_version(self, version: u64) -> Self {
        let state = digest_of(&self.body);
        Self { tag: Some(ETag { version, state }), ..self }
    }

    /// Adds members at the front of the body's object. The `ETag` does not cover them.
    pub(crate) fn with_members(mut self, members: &str) -> Self {
        if !members.is_empty() && self.body.first() == Some(&b'{') {
            self.body.splice(1..1, format!("{members},").into_bytes());
        }
        self
    }

    /// Returns the answer to a read with `If-None-Match`, which is 304 without a body if the caller
    /// has already seen the state that it shows.
    pub(crate) fn unless_seen(self, if_none_match: Option<&Condition>) -> Self {
        match (if_none_match, self.tag) {
            (Some(condition), Some(tag)) if condition.has_seen(tag) => {
                Self { status: 304, body: Vec::new(), ..self }
            }
            _ => self,
        }
    }

    /// Sets the id of the request, also for the log lines of a stream.
    pub(crate) fn of_request(self, id: Rc<str>) -> Self {
        let stream = self
            .stream
            .map(|Streamed(inner)| Streamed(OfRequest { id: id.clone(), inner }.boxed_local()));
        Self { stream, request_id: Some(id), ..self }
    }

    /// Returns the answer to a HEAD: the head of the answer to a GET.
    pub(crate) fn without_body(self) -> Self {
        Self { is_head: true, ..self }
    }

    pub(crate) fn into_response(self) -> Result<Response> {
        let mut builder = ResponseBuilder::new().with_status(self.status);
        if !matches!(self.status, 202 | 304) {
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
        if let Some(id) = &self.request_id {
            builder = builder.with_header(request_id::HEADER, id)?;
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
            let stream = text_stream(text)?;
            return Ok(builder.with_header("cache-control", "no-store")?.stream(stream));
        }
        Ok(builder.fixed(self.body))
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        // A problem has texts and a number only, so writing it as JSON does not fail.
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let answer = Self::json(problem.kind.status(), body);
        Self {
            content_type: "application/problem+json",
            retry_after_seconds: problem.retry_after_seconds,
            allow: problem.allow,
            ..answer
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_is_304_only_if_the_state_has_been_seen() {
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
