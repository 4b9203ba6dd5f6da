//! Cancelling.

use crate::clients::epochs;
use crate::clients::shards::{MAX_PARTS, Shards};
use crate::context::Call;
use crate::handlers::tasks::change::{checked_filter, distinct};
use crate::problem::Problem;
use crate::response::Answer;
use scheduler_model::bounds::MAX_LIST_LIMIT;
use scheduler_model::epochs::{CancelledId, Means};
use scheduler_model::input::FieldError;
use scheduler_model::protocol::{
    AmongRequest, CancelMatchingReply, CancelReply, CancelRequest, Cancelled, Filter, ListRequest, paths,
};
use scheduler_model::routing::ShardId;
use scheduler_model::task::ChangeInput;
use serde::Serialize;
use std::collections::HashSet;

/// Rounds of a cancel by filter on one shard: each looks at up to 20,000 tasks, so this covers a full shard; what is left is
/// said by `done`.
const MAX_ROUNDS: usize = 60;

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct CancelledMany {
    cancelled: u64,
    not_found: u64,
    already_fired: u64,
    #[serde(skip_serializing_if = "is_zero")]
    running: u64,
    done: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
pub(crate) fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// `DELETE /v1/tasks/{id}`.
pub(crate) async fn one(call: Call<'_>, id: String) -> Result<Answer, Problem> {
    let if_match = call.version_to_match(&id).await?;
    let (outcomes, is_repeat) = cancel_ids(&call.shards, vec![id.clone()], if_match).await?;
    let is_running = outcomes.first().is_some_and(|of| of.is_running);
    let outcome = outcomes.first().map_or(Cancelled::NotFound, |of| of.outcome);
    // Of what is not there, `If-Match` does not hold.
    let is_gone = outcome == Cancelled::NotFound && call.if_match()?.is_some();
    told(&id, if is_gone { Cancelled::OtherVersion } else { outcome }, is_repeat)?;
    let cancelled = serde_json::json!({ "id": id, "cancelled": true });
    Ok(Answer::of(200, &if is_running { with_running(cancelled) } else { cancelled }))
}

/// Says that an attempt is in flight: it ends, and no other starts as it was.
pub(crate) fn with_running(mut answer: serde_json::Value) -> serde_json::Value {
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("running".to_owned(), true.into());
    }
    answer
}

/// What became of the cancel of one task. Where the shard was asked again, that there is nothing to cancel may be the work of the
/// request whose answer was lost.
fn told(id: &str, outcome: Cancelled, is_repeat: bool) -> Result<(), Problem> {
    match outcome {
        Cancelled::Cancelled => Ok(()),
        _ if is_repeat => Err(Problem::unknown_outcome()),
        Cancelled::AlreadyFired => Err(Problem::already_fired(id)),
        Cancelled::OtherVersion => Err(Problem::not_matched()),
        Cancelled::NotFound => Err(Problem::no_task(id)),
    }
}

/// `POST /v1/tasks/cancel`.
pub(crate) async fn many(mut call: Call<'_>) -> Result<Answer, Problem> {
    let text = call.text().await?;
    // The same as of a change, which has a time in a reschedule only.
    let request = ChangeInput::parse(&text).map_err(Problem::invalid)?;
    request.check_untimed().map_err(Problem::invalid)?;
    let counts = match (request.ids, request.filter) {
        (Some(ids), None) => {
            let mut counts = CancelledMany { done: true, ..CancelledMany::default() };
            for CancelledId { outcome, is_running } in cancel_ids(&call.shards, distinct(ids), None).await?.0 {
                counts.running += u64::from(is_running);
                match outcome {
                    Cancelled::Cancelled => counts.cancelled += 1,
                    Cancelled::AlreadyFired => counts.already_fired += 1,
                    // Only one that asks for a version is told of another.
                    Cancelled::NotFound | Cancelled::OtherVersion => counts.not_found += 1,
                }
            }
            counts
        }
        (None, Some(filter)) => cancel_matching(&call.shards, checked_filter(&filter)?).await?,
        _ => return Err(Problem::invalid(FieldError::new("body", "must have either ids or filter"))),
    };
    Ok(Answer::of(200, &counts))
}

/// Cancels by id, in every epoch: the outcomes in the order of the ids, and whether a shard had to be asked again.
async fn cancel_ids(shards: &Shards, ids: Vec<String>, if_match: Option<u64>) -> Result<(Vec<CancelledId>, bool), Problem> {
    let ask = |shard, ids, among| async move {
        let asked = AmongRequest { among, share: None, request: CancelRequest { ids, if_match } };
        let (CancelReply { outcomes, running, .. }, is_repeat) = cancel_on(shards, shard, asked).await?;
        let running: HashSet<u32> = running.into_iter().collect();
        let of_ids = (0..).zip(outcomes);
        let of_ids = of_ids.map(|(place, outcome)| CancelledId { outcome, is_running: running.contains(&place) });
        Ok((of_ids.collect(), is_repeat))
    };
    epochs::ask(shards, &ids, Means::Everything, ask).await
}

/// Cancels by id on one shard, and says whether it had to be asked again. It does so much at a time; the rest is asked for again.
pub(crate) async fn cancel_on(
    shards: &Shards,
    shard: ShardId,
    mut asked: AmongRequest<CancelRequest>,
) -> Result<(CancelReply, bool), Problem> {
    let mut all = CancelReply { outcomes: Vec::with_capacity(asked.request.ids.len()), ..CancelReply::default() };
    let (mut is_repeat, mut parts) = (false, 0);
    while !asked.request.ids.is_empty() {
        let (mut reply, again): (CancelReply, bool) = shards.ask_among(shard, paths::CANCEL, &asked).await?;
        if reply.outcomes.is_empty() && !reply.in_part {
            return Err(Problem::unavailable("a shard did not say what became of a cancel"));
        }
        parts += u32::from(reply.in_part);
        if parts > MAX_PARTS {
            return Err(Problem::unavailable("a part of the cancel is done; send the request again until it is done"));
        }
        asked.request.ids.drain(..reply.outcomes.len().min(asked.request.ids.len()));
        let before = u32::try_from(all.outcomes.len()).unwrap_or(u32::MAX);
        all.running.extend(reply.running.iter().map(|place| place.saturating_add(before)));
        all.outcomes.append(&mut reply.outcomes);
        is_repeat |= again;
    }
    Ok((all, is_repeat))
}

async fn cancel_matching(shards: &Shards, filter: Filter) -> Result<CancelledMany, Problem> {
    let filter = &filter;
    let replies = shards
        .each(shards.map.all(), |shard| async move {
            let mut request = ListRequest { filter: filter.clone(), after: None, limit: MAX_LIST_LIMIT * 20, max_bytes: None };
            let (mut cancelled, mut running) = (0, 0);
            for _ in 0..MAX_ROUNDS {
                let reply: CancelMatchingReply = shards.ask(shard, paths::CANCEL_MATCHING, &request).await?;
                cancelled += reply.cancelled;
                running += reply.running;
                request.after = reply.next;
                if reply.next.is_none() {
                    return Ok::<_, Problem>((cancelled, running, true));
                }
            }
            Ok((cancelled, running, false))
        })
        .await;
    let mut counts = CancelledMany { done: true, ..CancelledMany::default() };
    for reply in replies {
        let (cancelled, running, done) = reply?;
        counts.cancelled += cancelled;
        counts.running += running;
        counts.done &= done;
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_that_finds_nothing_to_cancel_does_not_say_so() {
        assert_eq!(told("a", Cancelled::Cancelled, false), Ok(()));
        assert_eq!(told("a", Cancelled::Cancelled, true), Ok(()));
        for (outcome, status) in [(Cancelled::NotFound, 404), (Cancelled::OtherVersion, 412), (Cancelled::AlreadyFired, 409)] {
            assert_eq!(told("a", outcome, false).map_err(|problem| problem.kind.status()), Err(status));
            let unknown = told("a", outcome, true).unwrap_err();
            assert_eq!(unknown.kind.status(), 503);
            assert!(unknown.detail.contains("not known"), "{}", unknown.detail);
        }
    }
}
