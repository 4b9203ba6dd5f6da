//! Lists, reads, replays and discards dead letters by their own ids.

use crate::clients::dead_letters::{Letters, each_epoch};
use crate::context::Call;
use crate::cursors::{List, ListName, parse_with_name};
use crate::handlers::tasks::bulk::{self, Action, Done};
use crate::handlers::tasks::list::{page_of, shown_list};
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::dead_letter::DeadLetterId;
use scheduler_model::list_query::{ListQuery, parse_list_query};
use scheduler_model::listing::{Order, write_task};
use scheduler_model::protocol::{Change, Filter, LetterOutcome, ListItem, Status, paths};
use scheduler_model::routing::ShardId;
use scheduler_model::task::{ChosenLetters, DeadLettersInput, Record, ReplayInput};
use serde::Serialize;

/// The query parameters: those of a list of tasks, except `status`, `paused`, `lastOutcome` and
/// `order`.
pub(crate) const QUERY: &[&str] = &[
    "prefix",
    "text",
    "tag",
    "callbackHost",
    "callbackType",
    "error",
    "kind",
    "from",
    "to",
    "limit",
    "cursor",
];

/// A replay of many dead letters includes those that died up to this many milliseconds after the
/// request, because the clocks of the shards may be ahead by as much. The bound exists so that a
/// run that fails again meanwhile is not replayed a second time.
const CLOCKS_AHEAD_MILLIS: i64 = 5_000;

/// What a request does to dead letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Replay,
    Discard,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DoneToMany {
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discarded: Option<u64>,
    /// Present only if the request names ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_found: Option<Vec<String>>,
    done: bool,
}

/// `GET /v1/dead-letters` answers with one page of the dead letters of all shards, newest first.
pub(crate) async fn list(call: Call<'_>) -> Result<Answer, Problem> {
    let (query, given) =
        call.query_of_list(|parameters| parse_with_name(parameters, parse_list_query))?;
    let name = ListName::new(List::DeadLetters, call.shards.namespace(), &query.filter);
    name.check(given)?;
    let order = Order::NewestFirst;
    let page = page_of(&call.shards, ListQuery { order, ..query }).await?;
    Ok(shown_list(&call, "deadLetters", order, name, page))
}

/// `GET /v1/dead-letters/{id}` answers with a dead letter.
pub(crate) async fn get(call: Call<'_>, id: String) -> Result<Answer, Problem> {
    let (_, item) = find(&call, &id).await?;
    let mut out = Vec::new();
    write_task(item.status, item.position.due, &call.visible(item.record.get()), &mut out);
    Ok(Answer::json(200, out))
}

/// Returns a dead letter, and the shard that keeps it.
async fn find(call: &Call<'_>, id: &str) -> Result<(ShardId, ListItem), Problem> {
    let letter = parsed(id)?;
    for shard in call.shards.map.homes(&letter.task) {
        let item: Option<ListItem> = call.shards.ask(shard, paths::DEAD_LETTER, &letter).await?;
        if let Some(item) = item {
            return Ok((shard, item));
        }
    }
    Err(Problem::no_dead_letter(id))
}

fn parsed(id: &str) -> Result<DeadLetterId, Problem> {
    id.parse().map_err(|_| Problem::no_dead_letter(id))
}

/// `POST /v1/dead-letters/{id}/replay` answers with the requeued run.
pub(crate) async fn replay(mut call: Call<'_>, id: String) -> Result<Answer, Problem> {
    let letter = parsed(&id)?;
    let text = call.text().await?;
    let input = ReplayInput::parse(&text).map_err(Problem::invalid)?;
    let changed = if input.is_change() {
        let (_, item) = find(&call, &id).await?;
        let record = Record::parse(item.record.get().as_bytes())
            .map_err(|problem| Problem::unavailable(format!("its record: {problem}")))?;
        Some(input.changed(&record, call.now, call.targets()).map_err(Problem::invalid)?)
    } else {
        None
    };
    let Letters { outcomes, item } =
        each_epoch(&call.shards, paths::REPLAY, vec![letter], changed).await?;
    check_outcome(&id, outcomes.first().copied())?;
    let Some(item) = item else {
        return Err(Problem::unavailable("a shard did not return the run"));
    };
    let mut out = Vec::new();
    write_task(item.status, item.position.due, item.record.get(), &mut out);
    Ok(Answer::json(200, out))
}

/// `DELETE /v1/dead-letters/{id}` discards a dead letter.
pub(crate) async fn discard(call: Call<'_>, id: String) -> Result<Answer, Problem> {
    let letter = parsed(&id)?;
    let Letters { outcomes, .. } =
        each_epoch(&call.shards, paths::DISCARD, vec![letter], None).await?;
    check_outcome(&id, outcomes.first().copied())?;
    Ok(Answer::of(200, &serde_json::json!({ "id": id, "deleted": true })))
}

fn check_outcome(id: &str, outcome: Option<LetterOutcome>) -> Result<(), Problem> {
    match outcome {
        Some(LetterOutcome::Done) => Ok(()),
        Some(LetterOutcome::TooLarge) => Err(Problem::too_large_payload()),
        Some(LetterOutcome::NotFound) | None => Err(Problem::no_dead_letter(id)),
    }
}

/// `POST /v1/dead-letters/replay` and `POST /v1/dead-letters/discard` replay or discard many dead
/// letters.
pub(crate) async fn many(mut call: Call<'_>, verb: Verb) -> Result<Answer, Problem> {
    let text = call.text().await?;
    let (count, not_found, done) = match DeadLettersInput::parse(&text).map_err(Problem::invalid)? {
        ChosenLetters::Ids(ids) => {
            let (count, not_found) = by_ids(&call, ids, verb).await?;
            (count, Some(not_found), true)
        }
        ChosenLetters::Counted(filter) => {
            let change = (verb == Verb::Replay).then_some(Change::Run);
            return bulk::dry_run(&call, &of_dead(filter, None), change, None).await;
        }
        ChosenLetters::Matching(filter) => {
            let latest = call.now.plus(CLOCKS_AHEAD_MILLIS);
            let Done { tasks, is_complete, .. } = match verb {
                Verb::Replay => {
                    let action = Action::Change(Change::Run, call.share);
                    bulk::by_filter(&call.shards, &of_dead(filter, Some(latest)), action).await?
                }
                Verb::Discard => {
                    bulk::by_filter(
                        &call.shards,
                        &of_dead(filter, None),
                        Action::Cancel(call.key_name()),
                    )
                    .await?
                }
            };
            (tasks, None, is_complete)
        }
    };
    let (replayed, discarded) = match verb {
        Verb::Replay => (Some(count), None),
        Verb::Discard => (None, Some(count)),
    };
    Ok(Answer::of(200, &DoneToMany { replayed, discarded, not_found, done }))
}

/// Returns `filter` restricted to dead letters, and to times of death up to `latest`.
fn of_dead(filter: Filter, latest: Option<UnixMillis>) -> Filter {
    let to = filter.to.into_iter().chain(latest).min();
    Filter { status: Some(Status::Dead), to, ..filter }
}

/// Returns the number of dead letters that are done, and the ids that were not found.
async fn by_ids(
    call: &Call<'_>,
    ids: Vec<String>,
    verb: Verb,
) -> Result<(u64, Vec<String>), Problem> {
    let letters: Vec<DeadLetterId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
    let path = match verb {
        Verb::Replay => paths::REPLAY,
        Verb::Discard => paths::DISCARD,
    };
    let Letters { outcomes, .. } = each_epoch(&call.shards, path, letters, None).await?;
    let (mut outcomes, mut not_found) = (outcomes.into_iter(), Vec::new());
    let mut count = 0;
    for id in ids {
        // An id that cannot be parsed was not sent to a shard.
        let is_done =
            id.parse::<DeadLetterId>().is_ok() && outcomes.next() == Some(LetterOutcome::Done);
        if is_done {
            count += 1;
        } else {
            not_found.push(id);
        }
    }
    Ok((count, not_found))
}
