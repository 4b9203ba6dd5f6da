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

/// The task of this id and where it is. Epochs are asked newest first; a dead letter or a running one gives way to one that waits.
pub(crate) async fn find(shards: &Shards, id: &str) -> Result<Option<(ShardId, ListItem)>, Problem> {
    let mut best: Option<(ShardId, ListItem)> = None;
    for shard in shards.map.homes(id) {
        let item: Option<ListItem> = shards.ask(shard, paths::GET, &GetRequest { id: id.to_owned() }).await?;
        let waits = item.as_ref().is_some_and(|item| !matches!(item.status, Status::Dead | Status::Fired));
        if waits || best.is_none() {
            best = item.map(|item| (shard, item));
        }
        if waits {
            break;
        }
    }
    Ok(best)
}
