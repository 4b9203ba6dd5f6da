//! Sends requests about dead letters, by their ids, to the shards of all epochs of the shard map.

use crate::clients::object::encoded;
use crate::clients::shards::Shards;
use crate::problem::Problem;
use scheduler_model::dead_letter::DeadLetterId;
use scheduler_model::protocol::{
    ChangedLetter, DeadLettersReply, DeadLettersRequest, LetterOutcome, ListItem,
};
use scheduler_model::routing::ShardId;
use std::collections::BTreeMap;

/// The outcomes of a request about dead letters.
pub(crate) struct Letters {
    /// The outcomes, in the order of the request.
    pub(crate) outcomes: Vec<LetterOutcome>,
    /// The run that was requeued, if one dead letter was replayed.
    pub(crate) item: Option<ListItem>,
}

/// Sends a request about dead letters to the shards that may keep them. It asks the shards of the
/// newest epoch first, and the others only about the ids that were not found. A dead letter is in
/// one epoch.
///
/// If a shard is asked again, it may already have carried out the first request, whose answer was
/// lost. Then the outcome of a dead letter that is not found is unknown.
pub(crate) async fn each_epoch(
    shards: &Shards,
    path: &str,
    letters: Vec<DeadLetterId>,
    changed: Option<ChangedLetter>,
) -> Result<Letters, Problem> {
    let mut all = Letters { outcomes: vec![LetterOutcome::NotFound; letters.len()], item: None };
    let mut is_repeat = false;
    for epoch in 0.. {
        let mut by_shard: BTreeMap<ShardId, Vec<usize>> = BTreeMap::new();
        for (at, letter) in letters.iter().enumerate() {
            if all.outcomes.get(at) == Some(&LetterOutcome::NotFound)
                && let Some(shard) = shards.map.homes(&letter.task).nth(epoch)
            {
                by_shard.entry(shard).or_default().push(at);
            }
        }
        if by_shard.is_empty() {
            break;
        }
        let (letters, changed) = (&letters, &changed);
        let replies = shards
            .each(by_shard, |(shard, places)| async move {
                let of_shard = places.iter().filter_map(|at| letters.get(*at).cloned()).collect();
                let request = DeadLettersRequest { letters: of_shard, changed: changed.clone() };
                let (reply, is_repeat) = on_shard(shards, shard, path, request).await?;
                Ok::<_, Problem>((places, reply, is_repeat))
            })
            .await;
        for reply in replies {
            let (places, reply, was_repeat) = reply?;
            is_repeat |= was_repeat;
            for (at, outcome) in places.into_iter().zip(reply.outcomes) {
                if let Some(slot) = all.outcomes.get_mut(at) {
                    *slot = outcome;
                }
            }
            all.item = all.item.or(reply.item);
        }
    }
    if is_repeat && all.outcomes.contains(&LetterOutcome::NotFound) {
        return Err(Problem::unknown_outcome());
    }
    Ok(all)
}

/// Asks one shard, which does a part at a time. Returns whether a request had to be sent again.
async fn on_shard(
    shards: &Shards,
    shard: ShardId,
    path: &str,
    mut request: DeadLettersRequest,
) -> Result<(DeadLettersReply, bool), Problem> {
    let (mut all, mut is_repeat) = (DeadLettersReply::default(), false);
    while !request.letters.is_empty() {
        let body = encoded(&request);
        let reply: DeadLettersReply = shards
            .send(shard, path, |first| {
                is_repeat |= !first;
                body.clone()
            })
            .await?;
        if reply.outcomes.is_empty() {
            return Err(Problem::unavailable(
                "a shard did not return the outcomes of dead letters",
            ));
        }
        request.letters.drain(..reply.outcomes.len().min(request.letters.len()));
        all.outcomes.extend(reply.outcomes);
        all.item = all.item.or(reply.item);
    }
    Ok((all, is_repeat))
}
