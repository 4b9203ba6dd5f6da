//! Checks that the deployment still has the jurisdiction with which it began.
//!
//! The jurisdiction is part of the identity of each Durable Object. With another one, all keys and
//! tasks would seem to be lost, and new tasks would be stored where nobody looks for them later. So
//! the registry without a jurisdiction, which can be reached under every setting, remembers the
//! first one.

use super::object::encoded;
use crate::problem::Problem;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::access::{REGISTRY_BINDING, REGISTRY_NAME, paths};
use scheduler_platform::settings::JURISDICTION;
use scheduler_platform::{Objects, Placement, now, within};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::time::Duration;
use worker::Env;

/// The time limit of the question.
const TRY: Duration = Duration::from_secs(1);

/// After a question without an answer, a deployment without a jurisdiction does not ask again for
/// this many milliseconds, so that requests do not wait for a registry that is down.
pub(super) const WAIT_MILLIS: i64 = 10_000;

/// What this instance knows. The settings and the answer cannot change while it lives.
#[derive(Clone)]
enum Known {
    Nothing,
    Unanswered { at: UnixMillis },
    Unchanged,
    Changed(Problem),
}

thread_local! {
    static KNOWN: RefCell<Known> = const { RefCell::new(Known::Nothing) };
}

/// Checks the jurisdiction, and asks the registry unless this instance has its answer. Without an
/// answer, a deployment in a jurisdiction refuses everything. A deployment without a jurisdiction
/// continues, because the secret `API_KEYS` works without the registry.
///
/// # Errors
/// Returns a problem if the jurisdiction was changed, or is unknown.
pub(super) async fn settle(env: &Env) -> Result<(), Problem> {
    match KNOWN.with_borrow(Known::clone) {
        Known::Unchanged => return Ok(()),
        Known::Changed(problem) => return Err(problem),
        Known::Unanswered { at } if now().since(at) < WAIT_MILLIS => return Ok(()),
        Known::Unanswered { .. } | Known::Nothing => {}
    }
    let wanted = Placement::of(env).map_err(Problem::misconfigured)?.jurisdiction;
    // The platform refuses a name that it does not know. It must not become the first one.
    Objects::bound(env, REGISTRY_BINDING)
        .map_err(|problem| Problem::misconfigured(problem.to_string()))?;
    let known = match ask::<_, String>(env, paths::SETTLE, &wanted).await {
        Ok(first) if first == wanted => Known::Unchanged,
        Ok(first) => Known::Changed(changed(&first, &wanted)),
        Err(problem) if wanted.is_empty() => {
            worker::console_error!("the registry did not say which jurisdiction it has: {problem}");
            Known::Unanswered { at: now() }
        }
        Err(problem) => {
            return Err(Problem::unavailable(format!(
                "the registry did not confirm that the deployment began with {JURISDICTION} {wanted:?}: {problem}"
            )));
        }
    };
    KNOWN.set(known.clone());
    if let Known::Changed(problem) = known { Err(problem) } else { Ok(()) }
}

/// Asks the registry without a jurisdiction, once.
pub(super) async fn ask<Q: Serialize + ?Sized, A: DeserializeOwned>(
    env: &Env,
    path: &str,
    question: &Q,
) -> Result<A, String> {
    let registry = Objects::without_jurisdiction(env, REGISTRY_BINDING)
        .map_err(|problem| problem.to_string())?;
    match within(TRY, registry.post(REGISTRY_NAME, path, encoded(question))).await {
        Some(Ok((200, answer))) => {
            serde_json::from_slice(&answer).map_err(|problem| problem.to_string())
        }
        Some(Ok((status, _))) => Err(format!("HTTP {status}")),
        Some(Err(problem)) => Err(problem.to_string()),
        None => Err(format!("no answer within {} s", TRY.as_secs())),
    }
}

fn changed(first: &str, wanted: &str) -> Problem {
    Problem::misconfigured(format!(
        "{JURISDICTION} is {wanted:?}, but the keys and tasks of this deployment are in {first:?}, where they must stay: nothing is lost, but \
         nothing runs until it is {first:?} again; for {wanted:?}, deploy the scheduler under another name"
    ))
}
