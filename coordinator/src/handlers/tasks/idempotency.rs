//! Creates with an `Idempotency-Key`: see [`scheduler_model::idempotency`].

use crate::clients::shards::Shards;
use crate::context::Call;
use crate::problem::Problem;
use scheduler_model::batch::{Plan, ShardAppend};
use scheduler_model::idempotency::{HEADER, IdempotencyKey, RequestSeed};
use scheduler_model::ids::TaskId;
use scheduler_model::input::FieldError;
use scheduler_model::protocol::{Append, AppendReply, Terms};
use scheduler_platform::random_bytes;
use sha2::{Digest, Sha256};

/// Returns the key of a request with a digest of the request; `None` for a request without a key.
/// `kind` distinguishes requests whose body is read in different ways.
pub(crate) fn key_of(
    call: &Call<'_>,
    kind: &str,
    body: &str,
) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(key) = call.request.headers().get(HEADER).ok().flatten() else { return Ok(None) };
    of_text(call, &key, kind, body).map(Some)
}

/// Returns the key of the part with the number `part` of a stream with a key; `None` for a stream
/// without one. A repeat of the stream has the same parts, so each of them takes effect once.
pub(crate) fn key_of_part(
    call: &Call<'_>,
    part: u64,
    body: &str,
) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(key) = call.request.headers().get(HEADER).ok().flatten() else { return Ok(None) };
    // This checks the key of the caller. That of the part is a digest of it.
    of_text(call, &key, "", "")?;
    let digest = Sha256::digest(format!("{key}\n{part}").as_bytes());
    let key: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    of_text(call, &key, "part", body).map(Some)
}

fn of_text(call: &Call<'_>, key: &str, kind: &str, body: &str) -> Result<IdempotencyKey, Problem> {
    let random =
        random_bytes().map_err(|_| Problem::unavailable("the platform gave no random numbers"))?;
    let route = format!("{} {} {kind}", call.request.method().as_ref(), call.request.path());
    IdempotencyKey::new(key, &route, body, RequestSeed { at: call.now, random })
        .map_err(Problem::invalid)
}

/// The result of a request.
pub(crate) struct Done<'a> {
    pub(crate) items: Vec<Result<TaskId<'a>, FieldError>>,
    /// See [`Plan::duplicates`].
    pub(crate) duplicates: Vec<(u32, u32)>,
    /// Each part with the answer of its shard.
    pub(crate) parts: Vec<(ShardAppend, Result<AppendReply, Problem>)>,
    /// Whether an earlier request has done all of it.
    pub(crate) is_replay: bool,
}

/// Carries out a request, or the parts of it that an earlier request has not carried out. `plan`
/// must return the same plan for the same key. It does not if the calendars of the namespace have
/// changed meanwhile: a repeat that would create other tasks is refused.
pub(crate) async fn carry_out<'a>(
    call: &Call<'_>,
    asked: &IdempotencyKey,
    plan: impl Fn(&IdempotencyKey) -> Result<Plan<'a>, Problem>,
) -> Result<Done<'a>, Problem> {
    let (shards, began) = (&call.shards, asked.made);
    let first = plan(asked);
    let recalled;
    let (asked, first) = if first.as_ref().is_ok_and(|first| !first.appends.is_empty()) {
        (asked, first?)
    } else if let Some(made) = recall(shards, asked).await {
        // Its times, for example that of a sentence, have passed since it was carried out.
        recalled = asked.as_made(made);
        (&recalled, plan(&recalled)?)
    } else {
        // A request that is refused for its content does not use up its key.
        let Plan { items, duplicates, .. } = first?;
        return Ok(Done { items, duplicates, parts: Vec::new(), is_replay: false });
    };
    let (home, rest) = asked.split(first.appends, &shards.map);
    let (home, reply) = send(shards, asked, call.share, home).await;
    // If the key belongs to another request, or the home shard stores nothing, no shard has stored
    // anything.
    let reply = reply?;
    let (once, items, duplicates, home, rest) =
        match reply.done_before.filter(|made| *made != asked.made) {
            None => (asked.clone(), first.items, first.duplicates, home, rest),
            Some(made) => {
                let once = asked.as_made(made);
                let again = plan(&once)?;
                let (home, rest) = once.split(again.appends, &shards.map);
                check_part(again.items.len(), tasks_of(&home), &reply)?;
                (once, again.items, again.duplicates, home, rest)
            }
        };
    let (once, all) = (&once, items.len());
    let mut parts = shards
        .each(rest, |part| async move {
            let tasks = tasks_of(&part);
            let (part, reply) = send(shards, once, call.share, part).await;
            (part, reply.and_then(|reply| check_part(all, tasks, &reply).map(|()| reply)))
        })
        .await;
    parts.push((home, Ok(reply)));
    let was_done = |(_, reply): &(ShardAppend, Result<AppendReply, Problem>)| {
        reply.as_ref().is_ok_and(|reply| reply.done_before.is_some_and(|made| made != began))
    };
    Ok(Done { is_replay: parts.iter().all(was_done), items, duplicates, parts })
}

/// Returns the seed with which an earlier request carried out this one, if there was one and its
/// shard can say so. Stores nothing.
async fn recall(shards: &Shards, asked: &IdempotencyKey) -> Option<RequestSeed> {
    let terms = Terms { once: Some(asked.clone()), recall_only: true, ..Terms::default() };
    let mut append = Append { terms, ..Append::default() };
    shards.append(asked.home(&shards.map), &mut append).await.ok()?.done_before
}

/// Returns how many tasks a shard gets.
fn tasks_of(part: &ShardAppend) -> usize {
    let pages = part.append.pages.iter().map(|page| page.directory.len());
    pages.sum::<usize>() + part.append.schedules.len()
}

/// Refuses a repeat of a request with `all` tasks if its shard carried out another number of
/// `tasks` the first time: an answer would name tasks that do not exist, or leave some out.
fn check_part(all: usize, tasks: usize, reply: &AppendReply) -> Result<(), Problem> {
    let is_other = reply.done_before.is_some() && reply.created != tasks as u64;
    // A single task that was refused does not use up its key.
    if all <= 1 || !is_other {
        return Ok(());
    }
    Err(Problem::key_reused(
        "this request was carried out before, when other tasks of it were valid, for example because its calendars have changed since: \
         to create the tasks that were refused, send them with another key",
    ))
}

async fn send(
    shards: &Shards,
    once: &IdempotencyKey,
    share: Option<scheduler_model::access::Share>,
    mut part: ShardAppend,
) -> (ShardAppend, Result<AppendReply, Problem>) {
    let terms = std::mem::take(&mut part.append.terms);
    part.append.terms = Terms { once: Some(once.clone()), share, ..terms };
    let reply = shards.append(part.shard, &mut part.append).await;
    (part, reply)
}
