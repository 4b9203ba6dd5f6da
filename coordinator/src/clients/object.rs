//! A request to one Durable Object that answers in JSON and may be asked again.

use crate::problem::Problem;
use crate::request_id;
use scheduler_platform::{Objects, within};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use worker::Env;

/// The tries of a request that no answer may replace, and the limit of each.
pub(super) const TRIES: [Duration; 2] = [Duration::from_secs(3); 2];

/// The object that a request is for.
pub(super) struct Target<'a> {
    /// The binding of its namespace.
    pub(super) binding: &'static str,
    /// Its name.
    pub(super) name: &'a str,
    /// What it is called in the log.
    pub(super) kind: &'static str,
    /// What to answer if no try has an answer.
    pub(super) no_answer: &'static str,
}

/// Why an object refuses a request: it is full.
#[derive(Deserialize)]
struct Refused {
    /// The problem, the limit, and what to do.
    detail: String,
}

/// Asks an object, once for each of `limits`: how long to wait for an answer. Repeats the request
/// after an error, so the object must allow that.
///
/// # Errors
/// - What the object refuses, with its own text.
/// - `no_answer` of the target if the last try fails, too; the log says why.
/// - A binding that is not there.
pub(super) async fn ask<Q: Serialize, A: DeserializeOwned>(
    env: &Env,
    target: &Target<'_>,
    path: &str,
    request: &Q,
    limits: &[Duration],
) -> Result<A, Problem> {
    let Target { binding, name, kind, no_answer } = *target;
    let objects = Objects::bound(env, binding)
        .map_err(|problem| Problem::misconfigured(problem.to_string()))?;
    let body = serde_json::to_vec(request).unwrap_or_default();
    let mut last = String::new();
    for limit in limits {
        last = match within(*limit, objects.post(name, path, &body)).await {
            Some(Ok((200, answer))) => match serde_json::from_slice(&answer) {
                Ok(answer) => return Ok(answer),
                Err(problem) => problem.to_string(),
            },
            Some(Ok((409, answer))) => {
                let detail = serde_json::from_slice(&answer).map_or_else(
                    |_| format!("the {kind} is full"),
                    |refused: Refused| refused.detail,
                );
                return Err(Problem::too_many(detail));
            }
            Some(Ok((status, answer))) => {
                format!("HTTP {status} {}", String::from_utf8_lossy(&answer))
            }
            Some(Err(problem)) => problem.to_string(),
            None => format!("no answer within {} s", limit.as_secs()),
        };
    }
    request_id::log(format_args!("{kind} {name}: {path}: {last}"));
    Err(Problem::unavailable(no_answer))
}
