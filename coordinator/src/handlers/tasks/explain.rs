//! Why a task did or did not fire.

use crate::context::Call;
use crate::problem::Problem;
use crate::response::Answer;
use crate::sentences::sentence_of;
use scheduler_model::bounds::MAX_EXPLAINED_RUNS;
use scheduler_model::explain::Explanation;
use scheduler_model::protocol::{GetRequest, paths};

/// `GET /v1/tasks/{id}/explain` answers with what the shards of the task, one in each epoch, know
/// about it.
pub(crate) async fn explain(call: Call<'_>, id: String) -> Result<Answer, Problem> {
    let homes: Vec<_> =
        call.shards.map.homes(&id).map(|shard| (shard, GetRequest { id: id.clone() })).collect();
    let shards = &call.shards;
    let replies = shards
        .each(homes, |(shard, request)| async move {
            shards.ask::<_, Explanation>(shard, paths::EXPLAIN, &request).await
        })
        .await;
    let mut joined = Explanation::default();
    for reply in replies {
        joined.join(reply?);
    }
    if joined.reasons.is_empty() {
        return Err(Problem::no_task(&id));
    }
    joined.recent_runs.truncate(MAX_EXPLAINED_RUNS);
    let when = joined.when.take();
    if let Some(when) = &when {
        joined.name_calendars(when.get(), call.now);
    }
    joined.sentence = when.and_then(|when| sentence_of(when.get(), call.now));
    Ok(Answer::of(200, &joined))
}
