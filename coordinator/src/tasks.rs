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
    let (_, item) = find(&call.shards, &id).await?.ok_or_else(|| Problem::no_task(&id))?;
    let record = item.record.get();
    let version = version_of(record.as_bytes());
    if call.if_none_match()?.is_some_and(|condition| condition.names(version)) {
        return Ok(Answer::not_modified(version));
    }
    let mut out = Vec::new();
    write_task(item.status, item.position.due, record, &mut out);
    Ok(Answer::json(200, out).with_version(version))
}

/// The task of this id and where it is. Epochs are asked newest first; a dead letter gives way to one that runs, and both to one that waits.
pub(crate) async fn find(shards: &Shards, id: &str) -> Result<Option<(ShardId, ListItem)>, Problem> {
    let mut best: Option<(ShardId, ListItem)> = None;
    for shard in shards.map.homes(id) {
        let item: Option<ListItem> = shards.ask(shard, paths::GET, &GetRequest { id: id.to_owned() }).await?;
        let rank = |status| match status {
            Status::Dead => 0,
            Status::Fired => 1,
            _ => 2,
        };
        let waits = item.as_ref().is_some_and(|item| rank(item.status) == 2);
        let is_better = |item: &ListItem| best.as_ref().is_none_or(|(_, best)| rank(item.status) > rank(best.status));
        if item.as_ref().is_some_and(is_better) {
            best = item.map(|item| (shard, item));
        }
        if waits {
            break;
        }
    }
    Ok(best)
}
