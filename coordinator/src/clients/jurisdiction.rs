//! Checks that the deployment still has the jurisdiction with which it began.
//!
//! The jurisdiction is part of the identity of each Durable Object. With another one, all keys and
//! tasks would seem to be lost, and new tasks would be stored where nobody looks for them later. So
//! the registry in no jurisdiction, which every setting reaches, remembers the first one.

use super::object::encoded;
use crate::problem::Problem;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::access::{REGISTRY_BINDING, REGISTRY_NAME, paths};
use scheduler_platform::settings::JURISDICTION;
use scheduler_platform::{Objects, Placement, now, within};
use std::cell::RefCell;
use std::time::Duration;
use worker::Env;

/// The time limit of the question.
pub(super) const TRY: Duration = Duration::from_secs(1);

/// The time after a question without an answer in which a deployment without a jurisdiction works
/// without one, so that requests do not wait for a registry that is down.
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
/// answer, a deployment in a jurisdiction does nothing. One in no jurisdiction continues: the
/// secret `API_KEYS` works without the registry.
///
/// # Errors
/// Returns a problem if the jurisdiction was changed, or if nobody knows.
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
    let known = match ask(env, &wanted).await {
        Ok(first) if first == wanted => Known::Unchanged,
        Ok(first) => Known::Changed(changed(&first, &wanted)),
        Err(problem) if wanted.is_empty() => {
            worker::console_error!("the registry did not say which jurisdiction it has: {problem}");
            Known::Unanswered { at: now() }
        }
        Err(problem) => {
            return Err(Problem::unavailable(format!(
                "the registry did not say whether {JURISDICTION} was {wanted:?} from the first day: {problem}"
            )));
        }
    };
    KNOWN.set(known.clone());
    if let Known::Changed(problem) = known { Err(problem) } else { Ok(()) }
}

async fn ask(env: &Env, wanted: &str) -> Result<String, String> {
    let registry = Objects::without_jurisdiction(env, REGISTRY_BINDING)
        .map_err(|problem| problem.to_string())?;
    let body = encoded(wanted);
    match within(TRY, registry.post(REGISTRY_NAME, paths::SETTLE, &body)).await {
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
