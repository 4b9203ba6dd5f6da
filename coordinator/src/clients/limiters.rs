//! Sends requests to the limiters of a namespace.

use super::object::{self, TRIES, Target};
use crate::problem::Problem;
use scheduler_model::namespace::Namespace;
use scheduler_model::protocol::limiter::{LIMITERS_BINDING, Seen, limiters, paths};
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::Env;

/// The most times that one limiter is read and cleared. More than one may be needed, because shards
/// may return their last slots meanwhile.
const CLEARS: usize = 5;

/// Removes the limits of a namespace that has no tasks.
pub(crate) async fn clear(env: &Env, namespace: &Namespace) -> Result<(), Problem> {
    for name in limiters(namespace) {
        clear_one(env, &name).await?;
    }
    Ok(())
}

/// Clears one limiter. The limiter does so only if it has not changed since it was read. Otherwise
/// a late request could clear the limits of a namespace that was created again.
async fn clear_one(env: &Env, name: &str) -> Result<(), Problem> {
    for _ in 0..CLEARS {
        let seen: Seen = ask(env, name, paths::SEEN, &()).await?;
        if ask(env, name, paths::CLEAR, &Some(seen)).await? {
            return Ok(());
        }
    }
    Err(Problem::unavailable("the limits of the namespace are in use; delete the namespace again"))
}

/// Sends a request to one limiter. Every request to a limiter may be repeated.
pub(crate) async fn ask<Q: Serialize, A: DeserializeOwned>(
    env: &Env,
    limiter: &str,
    path: &str,
    request: &Q,
) -> Result<A, Problem> {
    let target = Target {
        binding: LIMITERS_BINDING,
        name: limiter,
        kind: "limiter",
        no_answer: "the limiter of this limit did not answer",
    };
    object::ask(env, &target, path, request, &TRIES).await
}
