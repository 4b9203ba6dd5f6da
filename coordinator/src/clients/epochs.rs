//! One task in one epoch of the shard map: carries out what [`scheduler_model::epochs`] decides.

use crate::clients::by_ids::ByIds;
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

/// Cancels or changes tasks by their ids, in all epochs. Returns the outcomes in the order of the
/// ids, and whether a shard had to be asked again. `by` names the API key for the history;
/// `request` makes the request about some of the ids.
pub(crate) async fn by_ids<R: ByIds>(
    shards: &Shards,
    ids: &[String],
    means: Means,
    share: Option<Share>,
    by: Option<&str>,
    request: impl Fn(Vec<String>) -> R,
) -> Result<(Vec<R::Outcome>, bool), Problem> {
    let (mut search, request) = (Search::new(&shards.map, ids, means), &request);
    while let Some((among, by_shard)) = search.next_round() {
        let replies = shards
            .each(by_shard, |(shard, places)| async move {
                let of_shard = places.iter().filter_map(|at| ids.get(*at).cloned()).collect();
                let by = by.map(str::to_owned);
                let asked = AmongRequest { among, share, by, request: request(of_shard) };
                let (outcomes, is_repeat) = shards.ask_by_ids(shard, asked).await?;
                Ok::<_, Problem>((places, outcomes, is_repeat))
            })
            .await;
        for reply in replies {
            let (places, outcomes, is_repeat) = reply?;
            search.answered(places, outcomes, is_repeat);
        }
    }
    Ok(search.finish())
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
        for CancelledId { outcome, is_running } in reply?.0 {
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
