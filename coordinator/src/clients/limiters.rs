//! Asking the limiters of a namespace.

use crate::problem::Problem;
use scheduler_model::namespace::Namespace;
use scheduler_model::protocol::limiter::{LIMITERS_BINDING, Refused, Seen, limiters, paths};
use scheduler_platform::{Objects, within};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use worker::Env;

/// Tries of one request, and the limit of each. All of them may be repeated.
const TRIES: usize = 2;
const TRY: Duration = Duration::from_secs(3);

/// How often a limiter is looked at and cleared: shards may give back their last slots meanwhile.
const CLEARS: usize = 5;

/// Forgets the limits of a namespace that has no tasks.
pub(crate) async fn clear(env: &Env, namespace: &Namespace) -> Result<(), Problem> {
    for name in limiters(namespace) {
        clear_one(env, &name).await?;
    }
    Ok(())
}

/// Has one limiter forget everything. It does so only if nothing has changed since it was looked
/// at: a request that arrives late, when the namespace was made again, must not clear that.
async fn clear_one(env: &Env, name: &str) -> Result<(), Problem> {
    for _ in 0..CLEARS {
        let seen: Seen = ask(env, name, paths::SEEN, &()).await?;
        if ask(env, name, paths::CLEAR, &Some(seen)).await? {
            return Ok(());
        }
    }
    Err(Problem::unavailable("the limits of the namespace are in use; delete the namespace again"))
}

/// Asks one limiter.
pub(crate) async fn ask<Q: Serialize, A: DeserializeOwned>(
    env: &Env,
    limiter: &str,
    path: &str,
    request: &Q,
) -> Result<A, Problem> {
    let objects = Objects::bound(env, LIMITERS_BINDING)
        .map_err(|problem| Problem::misconfigured(problem.to_string()))?;
    let body = serde_json::to_vec(request).unwrap_or_default();
    let mut last = String::new();
    for _ in 0..TRIES {
        last = match within(TRY, objects.post(limiter, path, &body)).await {
            Some(Ok((200, answer))) => match serde_json::from_slice(&answer) {
                Ok(answer) => return Ok(answer),
                Err(problem) => problem.to_string(),
            },
            Some(Ok((409, answer))) => {
                let detail = serde_json::from_slice(&answer).map_or_else(
                    |_| "the limiter is full".to_owned(),
                    |refused: Refused| refused.detail,
                );
                return Err(Problem::too_many(detail));
            }
            Some(Ok((status, answer))) => {
                format!("HTTP {status} {}", String::from_utf8_lossy(&answer))
            }
            Some(Err(problem)) => problem.to_string(),
            None => format!("no answer within {} s", TRY.as_secs()),
        };
    }
    worker::console_error!("limiter {limiter}: {path}: {last}");
    Err(Problem::unavailable("the object that keeps this limit did not answer"))
}
