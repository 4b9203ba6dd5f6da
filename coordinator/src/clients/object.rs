//! Sends a request to a Durable Object that answers in JSON, and repeats it if necessary.

use crate::problem::Problem;
use crate::request_id;
use scheduler_platform::{Objects, within};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use worker::Env;

/// The time limit of each try, for a request that needs an answer.
pub(super) const TRIES: [Duration; 2] = [Duration::from_secs(3); 2];

/// The object that a request is for.
pub(super) struct Target<'a> {
    /// The binding of the object's namespace.
    pub(super) binding: &'static str,
    /// The name of the object.
    pub(super) name: &'a str,
    /// The kind of the object, as the log shows it.
    pub(super) kind: &'static str,
    /// The problem to answer with if every try fails.
    pub(super) no_answer: &'static str,
}

/// The refusal of an object that is full.
#[derive(Deserialize)]
struct Refused {
    /// The problem, the limit, and what to do.
    detail: String,
}

/// Sends a request to an object, once for each of `limits`, which are the times to wait for an
/// answer. Repeats the request after an error, so the object must accept repeated requests.
///
/// # Errors
/// - The object's refusal, with its own text.
/// - The target's `no_answer` if the last try fails too; the log has the reason.
/// - A missing binding.
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
    let body = encoded(request);
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

/// Returns a request to an object as JSON. The requests consist of numbers, texts, lists and
/// structs of these, so writing them does not fail. If it did, the body would be empty, which every
/// object refuses.
pub(super) fn encoded<Q: Serialize + ?Sized>(request: &Q) -> Vec<u8> {
    serde_json::to_vec(request).unwrap_or_default()
}
