//! The context of a call of a tool: [`Job`].

use super::failure::Failure;
use crate::context::Call;
use crate::mcp::{Outcome, Seal, ToolCall};
use crate::response::Answer;
use serde::Serialize;
use worker::Method;

/// A call of a tool, with everything that is needed to carry it out.
pub(crate) struct Job<'a> {
    /// The request to `/mcp`.
    pub(crate) call: &'a Call<'a>,
    /// The call.
    pub(crate) asked: &'a ToolCall<'a>,
    /// The key that seals states for this caller.
    pub(crate) seal: Seal,
}

/// A header of a request.
pub(super) type Header<'a> = (&'static str, &'a str);

impl Job<'_> {
    /// Returns the JSON text of the arguments.
    pub(super) fn arguments(&self) -> &str {
        self.asked.arguments()
    }

    /// Reads from the API.
    pub(super) async fn get(&self, path: &str) -> Result<String, Failure> {
        self.send(Method::Get, path, &[], None).await
    }

    /// Sends a request to the API, and returns the body of its answer.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[Header<'_>],
        body: Option<&str>,
    ) -> Result<String, Failure> {
        let answer = self.call.request_within(method, path, headers, body).await?;
        Ok(text_of(answer))
    }
}

fn text_of(answer: Answer) -> String {
    String::from_utf8(answer.into_body()).unwrap_or_default()
}

/// Returns the outcome of a call with this answer.
pub(super) fn done(answer: &impl Serialize) -> Result<Outcome, Failure> {
    let text = serde_json::to_string(answer);
    text.map(Outcome::Done).map_err(|problem| Failure::Unreadable(problem.to_string()))
}
