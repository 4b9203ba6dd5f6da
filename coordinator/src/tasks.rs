//! One task.

use crate::answer::{Answer, Problem};
use crate::routes::Call;
use scheduler_core::listing::write_task;
use scheduler_core::wire::{GetRequest, ListItem, Status, paths};

/// `GET /v1/tasks/{id}`. Epochs are asked newest first; a dead letter or a running one gives way to one that waits.
pub(crate) async fn get(call: Call<'_>, id: String) -> Result<Answer, Problem> {
    let mut best: Option<ListItem> = None;
    let homes: Vec<_> = call.shards.map.homes(&id).collect();
    for shard in homes {
        let item: Option<ListItem> = call.shards.ask(shard, paths::GET, &GetRequest { id: id.clone() }).await?;
        let waits = item.as_ref().is_some_and(|item| !matches!(item.status, Status::Dead | Status::Fired));
        if waits || best.is_none() {
            best = item;
        }
        if waits {
            break;
        }
    }
    let item = best.ok_or_else(|| Problem::no_task(&id))?;
    let mut out = Vec::new();
    write_task(item.status, item.position.due, item.record.get(), &mut out);
    Ok(Answer::json(200, out))
}
