//! Creates many tasks.

use crate::clients::epochs;
use crate::context::Call;
use crate::handlers::tasks::batch_answer::Batch;
use crate::handlers::tasks::create::planned;
use crate::handlers::tasks::idempotency::{self, Done};
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_language::calendars_in;
use scheduler_model::batch::{Plan, ShardAppend};
use scheduler_model::idempotency::IdempotencyKey;
use scheduler_model::ids::TaskId;
use scheduler_model::input::FieldError;
use scheduler_model::protocol::AppendReply;
use scheduler_model::task::{NewTask, calendars_of, parse_batch};
use scheduler_platform::settings;
use std::collections::HashMap;

/// The tasks of a request, or of a part of a stream: each with its fields, or its error.
pub(super) type Given<'a> = Vec<Result<NewTask<'a>, FieldError>>;

/// What was done with the tasks of a request, or of a part of a stream.
pub(super) struct Outcome<'a> {
    /// The items in order, each with its id or its error.
    pub(super) items: Vec<Result<TaskId<'a>, FieldError>>,
    /// See [`Plan::duplicates`].
    pub(super) duplicates: Vec<(u32, u32)>,
    /// For each shard, its items and its reply.
    pub(super) parts: Vec<(Vec<u32>, Result<AppendReply, Problem>)>,
    /// The tasks that were dropped from other epochs.
    pub(super) moved: u64,
    /// Whether an earlier request with the same key has done all of it.
    pub(super) is_replay: bool,
    /// Why tasks of other epochs were not dropped, although their new ones were created.
    pub(super) not_moved: Option<Problem>,
}

/// `POST /v1/tasks/batch`.
pub(crate) async fn batch(mut call: Call<'_>) -> Result<Answer, Problem> {
    let content_type =
        call.request.headers().get("content-type").ok().flatten().unwrap_or_default();
    let is_lines = content_type.to_ascii_lowercase().contains("ndjson");
    call.body_limit = settings::max_body_bytes(call.env);
    let text = call.text().await?;
    let given = || parse_batch(&text, is_lines).map_err(Problem::invalid);
    let tasks = given()?;
    if settings::is_bench(call.env)
        && call.request.url().is_ok_and(|url| url.query() == Some("mode=parse"))
    {
        return Ok(Answer::json(200, format!("{{\"parsed\":{}}}", tasks.len()).into_bytes()));
    }
    let once = idempotency::key_of(&call, if is_lines { "lines" } else { "array" }, &text)?;
    let mut outcome = create_many(&call, once.as_ref(), tasks, given).await?;
    if let Some(problem) = outcome.not_moved.take() {
        return Err(problem);
    }
    let lines = is_lines.then_some(text.as_str());
    let batch = Batch { items: &outcome.items, duplicates: &outcome.duplicates, lines };
    let parts = outcome.parts.into_iter().map(|(items, reply)| (items, reply.err()));
    batch.answer(parts.collect()).map(|answer| answer.replayed(outcome.is_replay))
}

/// Creates tasks. `given` returns `tasks` again, because a request with a key may be planned
/// several times.
pub(super) async fn create_many<'a>(
    call: &'a Call<'_>,
    once: Option<&IdempotencyKey>,
    tasks: Given<'a>,
    given: impl Fn() -> Result<Given<'a>, Problem>,
) -> Result<Outcome<'a>, Problem> {
    call.load_calendars_named(calendars_of(&tasks, &calendars_in)).await?;
    let mut gone_on = HashMap::new();
    let mut outcome = match once {
        None => {
            let Plan { items, mut appends, duplicates } = planned(call, tasks, None)?;
            let shards = &call.shards;
            gone_on = epochs::go_on(shards, &mut appends).await?;
            let parts = shards
                .each(appends, |part| async move {
                    let ShardAppend { shard, mut append, items, .. } = part;
                    (items, shards.append(shard, &mut append).await)
                })
                .await;
            Outcome { items, duplicates, parts, moved: 0, is_replay: false, not_moved: None }
        }
        Some(once) => {
            drop(tasks);
            let plan = |once: &IdempotencyKey| planned(call, given()?, Some(once));
            let Done { items, duplicates, parts, is_replay } =
                idempotency::carry_out(call, once, plan).await?;
            // The home shard of the key may have stored the key only.
            let parts = parts.into_iter().filter(|(part, _)| !part.items.is_empty());
            let parts = parts.map(|(part, reply)| (part.items, reply)).collect();
            Outcome { items, duplicates, parts, moved: 0, is_replay, not_moved: None }
        }
    };
    if !call.shards.map.is_single() {
        // This takes only tasks that the new shard has accepted. A task that it has refused still
        // waits in its former place.
        let taken = outcome.parts.iter().filter(|(_, reply)| reply.is_ok());
        let taken = taken
            .flat_map(|(part, _)| part)
            .filter_map(|item| outcome.items.get(*item as usize)?.as_ref().ok())
            .filter(|id| !id.is_generated());
        let taken = taken.map(|id| (id.as_str(), gone_on.get(id.as_str()).copied()));
        match epochs::drop_others(&call.shards, taken).await {
            Ok(dropped) => outcome.moved = dropped.cancelled,
            Err(problem) => outcome.not_moved = Some(problem),
        }
    }
    Ok(outcome)
}
