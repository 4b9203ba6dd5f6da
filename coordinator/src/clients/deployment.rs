//! Checks that the deployment still has the settings under which its tasks are stored: the
//! jurisdiction, and the shard map.
//!
//! The numbers of the [`ShardMap`] decide where each task is. With other numbers, tasks would fire,
//! but nobody would find them. The registry without a jurisdiction remembers the map, as it
//! remembers the jurisdiction.

use super::jurisdiction::{self, WAIT_MILLIS};
use super::shards::Shards;
use crate::problem::Problem;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::access::{MapAnswer, MapQuestion, paths};
use scheduler_model::protocol::{ListReply, ListRequest, paths::LIST};
use scheduler_model::routing::{ShardId, ShardMap};
use scheduler_platform::now;
use scheduler_platform::settings::shard_map;
use std::cell::RefCell;
use worker::Env;

/// The number of shards that a deployment had by default before the registry remembered it.
const EARLIER_SHARDS: u16 = 16;

/// What this instance knows. The settings and the answer cannot change while it lives.
#[derive(Clone)]
enum Known {
    Nothing,
    /// The registry has not answered. For a while, the map counts as unchanged, so that requests do
    /// not wait for a registry that is down.
    Unanswered {
        at: UnixMillis,
    },
    Settled,
    Changed(Problem),
}

thread_local! {
    static KNOWN: RefCell<Known> = const { RefCell::new(Known::Nothing) };
}

/// Checks both settings, and asks the registry unless this instance has its answers.
///
/// # Errors
/// Returns a problem if one of them was changed, or if the jurisdiction is unknown.
pub(crate) async fn settle(env: &Env) -> Result<(), Problem> {
    match KNOWN.with_borrow(Known::clone) {
        Known::Settled => return jurisdiction::settle(env).await,
        Known::Changed(problem) => return Err(problem),
        Known::Unanswered { at } if now().since(at) < WAIT_MILLIS => {
            return jurisdiction::settle(env).await;
        }
        Known::Unanswered { .. } | Known::Nothing => {}
    }
    let map = shard_map(env).map_err(Problem::misconfigured)?;
    // The registry is asked for the map first, because it recognizes a new deployment by the
    // missing jurisdiction.
    let answer = ask(env, &map, false).await;
    // In a wrong jurisdiction, `look` would ask other shards.
    jurisdiction::settle(env).await?;
    let answer = match answer {
        Ok(MapAnswer::Unknown) => look(env, &map).await,
        answer => answer,
    };
    let known = match answer {
        Ok(MapAnswer::Settled) => Known::Settled,
        Ok(MapAnswer::Changed(before)) => Known::Changed(changed(&before, &map)),
        Ok(MapAnswer::Unknown) => Known::Unanswered { at: now() },
        Err(problem) => {
            worker::console_error!("the registry did not say which shard map it has: {problem}");
            Known::Unanswered { at: now() }
        }
    };
    KNOWN.set(known.clone());
    if let Known::Changed(problem) = known { Err(problem) } else { Ok(()) }
}

async fn ask(env: &Env, map: &ShardMap, is_checked: bool) -> Result<MapAnswer, String> {
    let question = MapQuestion { map: map.to_string(), is_checked };
    jurisdiction::ask(env, paths::SETTLE_SHARDS, &question).await
}

/// Looks for tasks on the shards of the earlier default that `map` does not have, and lets the
/// registry remember the map if there are none. This happens once in the life of a deployment.
async fn look(env: &Env, map: &ShardMap) -> Result<MapAnswer, String> {
    let of_first = map.all().filter(|shard| shard.epoch == 1).map(|shard| shard.index + 1).max();
    let shards = Shards::new(env).map_err(|problem| problem.detail)?;
    for index in of_first.unwrap_or(EARLIER_SHARDS)..EARLIER_SHARDS {
        let request = ListRequest { limit: 1, ..ListRequest::default() };
        let reply: ListReply = shards
            .ask(ShardId { epoch: 1, index }, LIST, &request)
            .await
            .map_err(|problem| problem.detail)?;
        if !reply.items.is_empty() || reply.next.is_some() {
            return Ok(MapAnswer::Changed(EARLIER_SHARDS.to_string()));
        }
    }
    ask(env, map, true).await
}

fn changed(before: &str, map: &ShardMap) -> Problem {
    Problem::misconfigured(format!(
        "SHARD_MAP is {:?}, but the tasks of this deployment are stored under {before:?}, and would not be found: nothing is lost, but nothing \
         runs until SHARD_MAP begins with these numbers again; for another number of shards, append it, like {:?}",
        map.to_string(),
        format!("{before},{}", map.shards())
    ))
}
