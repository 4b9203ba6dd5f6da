//! One task.

use crate::clients::epochs::find;
use crate::context::Call;
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_model::listing::write_item;
use scheduler_model::task::version_of;

/// `GET /v1/tasks/{id}`.
pub(crate) async fn get(call: Call<'_>, id: String) -> Result<Answer, Problem> {
    let if_match = call.if_match()?;
    let Some((_, item)) = find(&call.shards, &id).await? else {
        // `If-Match` cannot hold for a task that does not exist.
        return Err(if if_match.is_some() {
            Problem::not_matched()
        } else {
            Problem::no_task(&id)
        });
    };
    let record = item.record.get();
    let version = version_of(record.as_bytes());
    if if_match.is_some_and(|condition| !condition.allows(version)) {
        return Err(Problem::not_matched());
    }
    let mut out = Vec::new();
    write_item(&item, &call.visible(record), &mut out);
    Ok(Answer::json(200, out).with_version(version).unless_seen(call.if_none_match()?.as_ref()))
}
