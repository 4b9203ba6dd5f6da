//! One task in one epoch of the shard map: where a definition finds the task that it is of, and what it leaves behind in older epochs.

use crate::answer::Problem;
use crate::cancel::cancel_on;
use crate::shards::Shards;
use scheduler_core::batch::ShardAppend;
use scheduler_core::routing::ShardId;
use scheduler_core::task::Record;
use scheduler_core::wire::{Append, CancelReply, CancelRequest, Cancelled, GoOnReply, paths};
use std::collections::{BTreeMap, HashMap};

/// Lets recurring tasks of a plan that live on shards of older epochs go on there, if the plan names the schedules that they have, and takes
/// them out of it. Gives the ids of those, with the shard of each.
pub(crate) async fn go_on(shards: &Shards, parts: &mut [ShardAppend]) -> Result<HashMap<String, ShardId>, Problem> {
    let mut gone_on = HashMap::new();
    let mut by_shard: BTreeMap<ShardId, (Append, Vec<String>)> = BTreeMap::new();
    if shards.map.is_single() {
        return Ok(gone_on);
    }
    // A part of generated ids is of tasks that are new.
    for part in parts.iter().filter(|part| !part.append.fresh) {
        for record in &part.append.schedules {
            let Ok(id) = Record::parse(record).map(|record| record.id.into_owned()) else { continue };
            for shard in shards.map.homes(&id).filter(|shard| *shard != part.shard) {
                let (append, ids) = by_shard.entry(shard).or_default();
                append.terms.open_anchors.clone_from(&part.append.terms.open_anchors);
                append.terms.said_paused.clone_from(&part.append.terms.said_paused);
                append.schedules.push(record.clone());
                ids.push(id.clone());
            }
        }
    }
    // The newest first: where two have the same task, that is the one that goes on.
    for (shard, (mut append, ids)) in by_shard.into_iter().rev() {
        let is_left = |id: &String| !gone_on.contains_key(id);
        let left: Vec<bool> = ids.iter().map(is_left).collect();
        let mut keeps = left.iter();
        append.schedules.retain(|_| keeps.next().copied().unwrap_or(false));
        if append.schedules.is_empty() {
            continue;
        }
        let ids: Vec<String> = ids.into_iter().filter(|id| !gone_on.contains_key(id)).collect();
        let reply: GoOnReply = shards.send(shard, paths::GO_ON, |_| append.encode()).await?;
        let gone = ids.into_iter().zip(reply.went_on).filter(|(_, went_on)| *went_on);
        gone_on.extend(gone.map(|(id, _)| (id, shard)));
    }
    if !gone_on.is_empty() {
        for part in parts {
            part.append
                .schedules
                .retain(|record| !Record::parse(record).is_ok_and(|record| gone_on.contains_key(record.id.as_ref())));
        }
    }
    Ok(gone_on)
}

/// What was dropped from other epochs.
#[derive(Debug, Default)]
pub(crate) struct Dropped {
    pub(crate) cancelled: u64,
    /// Of these, those of which an attempt is in flight.
    pub(crate) running: u64,
}

/// Cancels what waits or runs under these ids in other epochs than the one where the task is, which is the newest if it is not given, and
/// says how many did. Dead letters stay.
pub(crate) async fn drop_others(shards: &Shards, ids: impl Iterator<Item = (&str, Option<ShardId>)>) -> Result<Dropped, Problem> {
    let mut by_shard = BTreeMap::<_, Vec<String>>::new();
    for (id, lives_on) in ids {
        let lives_on = lives_on.unwrap_or_else(|| shards.map.home(id));
        for shard in shards.map.homes(id).filter(|shard| *shard != lives_on) {
            by_shard.entry(shard).or_default().push(id.to_owned());
        }
    }
    let replies = shards
        .each(by_shard, |(shard, ids)| async move { cancel_on(shards, shard, CancelRequest { ids, if_match: None }).await })
        .await;
    let mut dropped = Dropped::default();
    for reply in replies {
        let (CancelReply { outcomes, running }, _) = reply?;
        dropped.cancelled += outcomes.iter().filter(|outcome| **outcome == Cancelled::Cancelled).count() as u64;
        dropped.running += running.len() as u64;
    }
    Ok(dropped)
}
