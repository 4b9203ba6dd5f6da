//! One task.

use crate::clients::shards::Shards;
use crate::problem::Problem;
use crate::response::Answer;
use crate::routes::Call;
use scheduler_model::epochs::Best;
use scheduler_model::listing::write_task;
use scheduler_model::protocol::{GetRequest, ListItem, paths};
use scheduler_model::routing::ShardId;
use scheduler_model::task::version_of;

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
    let mut best = Best::default();
    for shard in shards.map.homes(id) {
        let item: Option<ListItem> = shards.ask(shard, paths::GET, &GetRequest { id: id.to_owned() }).await?;
        if best.answered(shard, item) {
            break;
        }
    }
    Ok(best.finish())
}
