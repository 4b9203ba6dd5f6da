//! One task in one epoch of the shard map: where a request finds the task that it names, and what a definition leaves behind in older epochs.
//!
//! After a change of the map something may stand under one id in several epochs: a task in the newest, and a dead letter or an attempt in an
//! older one. A request by id means what one shard would mean by it: what lives, in whatever epoch, and dead letters only if nothing does.

use crate::answer::Problem;
use crate::cancel::cancel_on;
use crate::shards::Shards;
use scheduler_core::batch::ShardAppend;
use scheduler_core::routing::ShardId;
use scheduler_core::task::Record;
use scheduler_core::wire::{Among, AmongRequest, Append, CancelReply, CancelRequest, Cancelled, GoOnReply, paths};
use std::collections::{BTreeMap, HashMap};

/// What became of one id on a shard.
pub(crate) trait Outcome: Copy {
    /// There is nothing under it.
    const NOT_FOUND: Self;
    /// Whether nothing is there.
    fn is_not_found(self) -> bool;
    /// Whether no other epoch is to be asked for the one task that is meant.
    fn is_settled(self) -> bool;
    /// Returns what counts of what two epochs say.
    #[must_use]
    fn joined(self, other: Self) -> Self;
}

/// How a request by id is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// All that lives under an id, in every epoch at once.
    Everything,
    /// One task: that of the newest epoch that has one.
    OneTask,
}

/// Asks the shards of all epochs: the outcomes in the order of the ids, and whether a shard had to be asked again.
pub(crate) async fn ask<O: Outcome, F: Future<Output = Result<(Vec<O>, bool), Problem>>>(
    shards: &Shards,
    ids: &[String],
    means: Means,
    ask: impl Fn(ShardId, Vec<String>, Among) -> F,
) -> Result<(Vec<O>, bool), Problem> {
    let mut round = Round { outcomes: vec![O::NOT_FOUND; ids.len()], is_repeat: false };
    let homes: Vec<Vec<ShardId>> = ids.iter().map(|id| shards.map.homes(id).collect()).collect();
    let everywhere = |at: usize| homes.get(at).into_iter().flatten().copied().map(move |shard| (shard, at));
    if shards.map.is_single() {
        round.ask(shards, ids, (0..ids.len()).flat_map(everywhere), Among::All, &ask).await?;
        return Ok((round.outcomes, round.is_repeat));
    }
    match means {
        Means::Everything => round.ask(shards, ids, (0..ids.len()).flat_map(everywhere), Among::Live, &ask).await?,
        Means::OneTask => {
            for epoch in 0..homes.iter().map(Vec::len).max().unwrap_or(0) {
                let open = round.open(|outcome| !outcome.is_settled());
                let next = open.into_iter().filter_map(|at| Some((*homes.get(at)?.get(epoch)?, at)));
                round.ask(shards, ids, next, Among::Live, &ask).await?;
            }
        }
    }
    let open = round.open(Outcome::is_not_found);
    round.ask(shards, ids, open.into_iter().flat_map(everywhere), Among::Dead, &ask).await?;
    Ok((round.outcomes, round.is_repeat))
}

/// What is known so far of a request by id.
struct Round<O> {
    outcomes: Vec<O>,
    is_repeat: bool,
}

impl<O: Outcome> Round<O> {
    /// The places of the ids of which this holds.
    fn open(&self, is_open: impl Fn(O) -> bool) -> Vec<usize> {
        self.outcomes.iter().enumerate().filter(|(_, outcome)| is_open(**outcome)).map(|(at, _)| at).collect()
    }

    async fn ask<F: Future<Output = Result<(Vec<O>, bool), Problem>>>(
        &mut self,
        shards: &Shards,
        ids: &[String],
        places: impl Iterator<Item = (ShardId, usize)>,
        among: Among,
        ask: &impl Fn(ShardId, Vec<String>, Among) -> F,
    ) -> Result<(), Problem> {
        let mut by_shard: BTreeMap<ShardId, Vec<usize>> = BTreeMap::new();
        for (shard, at) in places {
            by_shard.entry(shard).or_default().push(at);
        }
        let replies = shards
            .each(by_shard, |(shard, items)| async move {
                let of_shard = items.iter().filter_map(|at| ids.get(*at).cloned()).collect();
                let (outcomes, is_repeat) = ask(shard, of_shard, among).await?;
                Ok::<_, Problem>((items, outcomes, is_repeat))
            })
            .await;
        for reply in replies {
            let (items, outcomes, again) = reply?;
            self.is_repeat |= again;
            for (at, outcome) in items.into_iter().zip(outcomes) {
                if let Some(slot) = self.outcomes.get_mut(at) {
                    *slot = slot.joined(outcome);
                }
            }
        }
        Ok(())
    }
}

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
        .each(by_shard, |(shard, ids)| async move {
            let asked = AmongRequest { among: Among::Live, share: None, request: CancelRequest { ids, if_match: None } };
            cancel_on(shards, shard, asked).await
        })
        .await;
    let mut dropped = Dropped::default();
    for reply in replies {
        let (CancelReply { outcomes, running, .. }, _) = reply?;
        dropped.cancelled += outcomes.iter().filter(|outcome| **outcome == Cancelled::Cancelled).count() as u64;
        dropped.running += running.len() as u64;
    }
    Ok(dropped)
}
