//! Limits on the concurrency and the rate of the tasks that name a key: set, shown, lifted.

use crate::context::Call;
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_calendar::ordered::sort_by_key;
use scheduler_model::limit::{Limit, check_limit_key};
use scheduler_model::namespace::Namespace;
use scheduler_model::protocol::limiter::{LIMITERS_BINDING, LimitShown, Named, Refused, Seen, limiter_of, limiters, paths};
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

/// `PUT /v1/limits/{limitKey}`.
pub(crate) async fn put(mut call: Call<'_>, key: String) -> Result<Answer, Problem> {
    check_limit_key("limitKey", &key).map_err(Problem::invalid)?;
    let limit = Limit::parse(&call.text().await?).map_err(Problem::invalid)?;
    let name = limiter_of(call.shards.namespace(), &key);
    let is_new: bool = ask(call.env, &name, paths::PUT, &Named { key: key.clone(), limit }).await?;
    let shown: Option<LimitShown> = ask(call.env, &name, paths::GET, &key).await?;
    let shown = shown.ok_or_else(|| Problem::no_limit(&key))?;
    Ok(Answer::of(if is_new { 201 } else { 200 }, &shown))
}

/// `GET /v1/limits/{limitKey}`.
pub(crate) async fn get(call: Call<'_>, key: String) -> Result<Answer, Problem> {
    let name = limiter_of(call.shards.namespace(), &key);
    let shown: Option<LimitShown> = ask(call.env, &name, paths::GET, &key).await?;
    shown.map(|shown| Answer::of(200, &shown)).ok_or_else(|| Problem::no_limit(&key))
}

/// `GET /v1/limits`.
pub(crate) async fn list(call: Call<'_>) -> Result<Answer, Problem> {
    let asked = limiters(call.shards.namespace());
    let lists = futures::future::join_all(asked.map(|name| async move { ask(call.env, &name, paths::LIST, &()).await })).await;
    let mut limits: Vec<LimitShown> = lists.into_iter().collect::<Result<Vec<Vec<_>>, _>>()?.into_iter().flatten().collect();
    sort_by_key(&mut limits, |limit| limit.key.clone());
    Ok(Answer::of(200, &serde_json::json!({ "limits": limits })))
}

/// `DELETE /v1/limits/{limitKey}`.
pub(crate) async fn delete(call: Call<'_>, key: String) -> Result<Answer, Problem> {
    let name = limiter_of(call.shards.namespace(), &key);
    let was_there: bool = ask(call.env, &name, paths::DELETE, &key).await?;
    if was_there {
        Ok(Answer::of(200, &serde_json::json!({ "key": key, "deleted": true })))
    } else {
        Err(Problem::no_limit(&key))
    }
}

/// Forgets the limits of a namespace that has no tasks.
pub(crate) async fn clear(env: &Env, namespace: &Namespace) -> Result<(), Problem> {
    for name in limiters(namespace) {
        clear_one(env, &name).await?;
    }
    Ok(())
}

/// Has one limiter forget everything. It does so only if nothing has changed since it was looked at: a request that arrives late, when the
/// namespace was made again, must not clear that.
async fn clear_one(env: &Env, name: &str) -> Result<(), Problem> {
    for _ in 0..CLEARS {
        let seen: Seen = ask(env, name, paths::SEEN, &()).await?;
        if ask(env, name, paths::CLEAR, &Some(seen)).await? {
            return Ok(());
        }
    }
    Err(Problem::unavailable("the limits of the namespace are in use; delete the namespace again"))
}

async fn ask<Q: Serialize, A: DeserializeOwned>(env: &Env, limiter: &str, path: &str, request: &Q) -> Result<A, Problem> {
    let objects = Objects::bound(env, LIMITERS_BINDING).map_err(|problem| Problem::misconfigured(problem.to_string()))?;
    let body = serde_json::to_vec(request).unwrap_or_default();
    let mut last = String::new();
    for _ in 0..TRIES {
        last = match within(TRY, objects.post(limiter, path, &body)).await {
            Some(Ok((200, answer))) => match serde_json::from_slice(&answer) {
                Ok(answer) => return Ok(answer),
                Err(problem) => problem.to_string(),
            },
            Some(Ok((409, answer))) => {
                let detail = serde_json::from_slice(&answer)
                    .map_or_else(|_| "the limiter is full".to_owned(), |refused: Refused| refused.detail);
                return Err(Problem::too_many(detail));
            }
            Some(Ok((status, answer))) => format!("HTTP {status} {}", String::from_utf8_lossy(&answer)),
            Some(Err(problem)) => problem.to_string(),
            None => format!("no answer within {} s", TRY.as_secs()),
        };
    }
    worker::console_error!("limiter {limiter}: {path}: {last}");
    Err(Problem::unavailable("the object that keeps this limit did not answer"))
}
