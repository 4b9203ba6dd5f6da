//! One task.

use crate::answer::{Answer, Problem};
use crate::routes::Call;
use crate::shards::Shards;
use scheduler_core::listing::write_task;
use scheduler_core::routing::ShardId;
use scheduler_core::task::version_of;
use scheduler_core::wire::{GetRequest, ListItem, Status, paths};

/// `GET /v1/tasks/{id}`.
pub(crate) async fn get(call: Call<'_>, id: String) -> Result<Answer, Problem> {
    let if_match = call.if_match()?;
    let Some((_, item)) = find(&call.shards, &id).await? else {
        // Of what is not there, `If-Match` does not hold.
        return Err(if if_match.is_some() { Problem::not_matched() } else { Problem::no_task(&id) });
    };
    let record = item.record.get();
    let version = version_of(record.as_bytes());
    if if_match.is_some_and(|condition| !condition.allows(version)) {
        return Err(Problem::not_matched());
    }
    let mut out = Vec::new();
    write_task(item.status, item.position.due, record, &mut out);
    Ok(Answer::json(200, out).with_version(version).unless_seen(call.if_none_match()?.as_ref()))
}

/// The task of this id and where it is, as one shard would find it: a task that waits in whatever epoch, newest first, else an attempt that
/// waits, else one that is on its way, else a dead letter.
pub(crate) async fn find(shards: &Shards, id: &str) -> Result<Option<(ShardId, ListItem)>, Problem> {
    let mut best: Option<(ShardId, ListItem)> = None;
    for shard in shards.map.homes(id) {
        let item: Option<ListItem> = shards.ask(shard, paths::GET, &GetRequest { id: id.to_owned() }).await?;
        let Some(item) = item else { continue };
        let is_better = best.as_ref().is_none_or(|(_, best)| rank(&item) > rank(best));
        if is_better {
            best = Some((shard, item));
        }
        if best.as_ref().is_some_and(|(_, best)| rank(best) == Rank::Task) {
            break;
        }
    }
    Ok(best)
}

/// What stands under an id, by what counts more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Dead,
    Fired,
    Attempt,
    Task,
}

pub(crate) fn rank(item: &ListItem) -> Rank {
    match item.status {
        Status::Dead => Rank::Dead,
        Status::Fired => Rank::Fired,
        _ if item.is_attempt => Rank::Attempt,
        _ => Rank::Task,
    }
}
