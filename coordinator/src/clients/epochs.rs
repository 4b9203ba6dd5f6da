//! One task in one epoch of the shard map: carries out what [`scheduler_model::epochs`] decides.

use crate::clients::by_ids::{ByIds, OfShard};
use crate::clients::shards::Shards;
use crate::problem::Problem;
use scheduler_model::access::Share;
use scheduler_model::batch::ShardAppend;
use scheduler_model::epochs::{Best, CancelledId, GoingOn, Means, Search, others};
use scheduler_model::protocol::{
    Among, AmongRequest, CancelRequest, Cancelled, GetRequest, GoOnReply, ListItem, paths,
};
use scheduler_model::routing::ShardId;
use std::collections::HashMap;

/// What all shards answer about ids.
pub(crate) struct Answered<O> {
    /// In the order of the ids.
    pub(crate) outcomes: Vec<O>,
    /// Whether a shard had to be asked again.
    pub(crate) is_repeat: bool,
    /// The task, if the request names one id: before a cancel, after a change.
    pub(crate) task: Option<ListItem>,
}

/// Cancels or changes tasks by their ids, in all epochs. `by` names the API key for the history;
/// `request` makes the request about some of the ids.
pub(crate) async fn by_ids<R: ByIds>(
    shards: &Shards,
    ids: &[String],
    means: Means,
    share: Option<Share>,
    by: Option<&str>,
    request: impl Fn(Vec<String>) -> R,
) -> Result<Answered<R::Outcome>, Problem> {
    let (mut search, request) = (Search::new(&shards.map, ids, means), &request);
    let mut task = Best::default();
    while let Some((among, by_shard)) = search.next_round() {
        let replies = shards
            .each(by_shard, |(shard, places)| async move {
                let of_shard = places.iter().filter_map(|at| ids.get(*at).cloned()).collect();
                let by = by.map(str::to_owned);
                let asked = AmongRequest { among, share, by, request: request(of_shard) };
                Ok::<_, Problem>((shard, places, shards.ask_by_ids(shard, asked).await?))
            })
            .await;
        for reply in replies {
            let (shard, places, OfShard { outcomes, is_repeat, task: of_shard }) = reply?;
            task.answered(shard, of_shard);
            search.answered(places, outcomes, is_repeat);
        }
    }
    let (outcomes, is_repeat) = search.finish();
    Ok(Answered { outcomes, is_repeat, task: task.finish().map(|(_, item)| item) })
}

/// Lets recurring tasks of a plan that live on shards of older epochs go on there, if the plan
/// names the schedules that they have, and takes them out of it. Gives the ids of those, with the
/// shard of each.
pub(crate) async fn go_on(
    shards: &Shards,
    parts: &mut [ShardAppend],
) -> Result<HashMap<String, ShardId>, Problem> {
    let mut going_on = GoingOn::new(&shards.map, parts);
    while let Some((shard, append)) = going_on.next_ask() {
        let mut is_repeat = false;
        let reply: GoOnReply = shards
            .send(shard, paths::GO_ON, |first| {
                is_repeat = !first;
                append.encode()
            })
            .await?;
        going_on.answered(reply.went_on, is_repeat);
    }
    Ok(going_on.finish(parts))
}

/// What was dropped from other epochs.
#[derive(Debug, Default)]
pub(crate) struct Dropped {
    pub(crate) cancelled: u64,
    /// Of these, those of which an attempt is in flight.
    pub(crate) running: u64,
}

/// Cancels what waits or runs under these ids in other epochs than the one where the task is, which
/// is the newest if it is not given, and says how many did. Dead letters stay.
pub(crate) async fn drop_others(
    shards: &Shards,
    ids: impl Iterator<Item = (&str, Option<ShardId>)>,
) -> Result<Dropped, Problem> {
    let replies = shards
        .each(others(&shards.map, ids), |(shard, ids)| async move {
            let asked = AmongRequest {
                among: Among::Live,
                share: None,
                by: None,
                request: CancelRequest { ids, if_match: None },
            };
            shards.ask_by_ids(shard, asked).await
        })
        .await;
    let mut dropped = Dropped::default();
    for reply in replies {
        for CancelledId { outcome, is_running } in reply?.outcomes {
            dropped.cancelled += u64::from(outcome == Cancelled::Cancelled);
            dropped.running += u64::from(is_running);
        }
    }
    Ok(dropped)
}

/// Returns the task of this id and its shard, chosen as one shard would choose: a task that waits
/// in any epoch, newest first, else an attempt that waits, else one in flight, else a dead letter.
pub(crate) async fn find(
    shards: &Shards,
    id: &str,
) -> Result<Option<(ShardId, ListItem)>, Problem> {
    let mut best = Best::default();
    for shard in shards.map.homes(id) {
        let item: Option<ListItem> =
            shards.ask(shard, paths::GET, &GetRequest { id: id.to_owned() }).await?;
        if best.answered(shard, item) {
            break;
        }
    }
    Ok(best.finish())
}
