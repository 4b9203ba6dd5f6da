//! Cancels and overwrites tasks at the planned times, while tasks fire.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use crate::batch::{Outcome, items};
use crate::body;
use crate::client::{Answer, path_segment};
use crate::clock::now_millis;
use crate::ledger::{CancelAnswer, OverwriteAnswer};
use crate::plan::{How, Planned};
use crate::session::Session;

/// The number of requests in flight at once.
const MAX_IN_FLIGHT: usize = 16;
/// The most tasks in a bulk cancel or a batch of overwrites.
const MAX_GROUP: usize = 100;
const JSON: Option<&str> = Some("application/json");

/// A planned change of entry `n`, which is the `version`-th of its id, at the epoch millisecond
/// `at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pending {
    pub(crate) at: i64,
    pub(crate) n: u32,
    pub(crate) how: How,
    pub(crate) version: u32,
}

/// Carries out changes until the sender is dropped and all changes are done, including those of new
/// versions.
pub(crate) async fn carry_out(session: &Arc<Session>, mut incoming: UnboundedReceiver<Pending>) {
    let mut waiting = BinaryHeap::new();
    let mut in_flight: JoinSet<Vec<Pending>> = JoinSet::new();
    let mut open = true;
    loop {
        for request in ready(&mut waiting, MAX_IN_FLIGHT.saturating_sub(in_flight.len())) {
            in_flight.spawn(carry_out_one(Arc::clone(session), request));
        }
        let has_room = in_flight.len() < MAX_IN_FLIGHT;
        let next =
            waiting.peek().filter(|_| has_room).map(|Reverse(next): &Reverse<Pending>| next.at);
        let wait = next
            .map(|at| Duration::from_millis(at.saturating_sub(now_millis()).max(1).unsigned_abs()));
        if !open && waiting.is_empty() && in_flight.is_empty() {
            return;
        }
        tokio::select! {
            pending = incoming.recv(), if open => match pending {
                Some(pending) => {
                    waiting.push(Reverse(pending));
                    while let Ok(pending) = incoming.try_recv() {
                        waiting.push(Reverse(pending));
                    }
                }
                None => open = false,
            },
            Some(done) = in_flight.join_next() => waiting.extend(done.unwrap_or_default().into_iter().map(Reverse)),
            () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
        }
    }
}

/// Removes the due changes from the heap, as at most `requests` requests. Each request has one kind
/// of change, and bulk requests are as large as possible.
fn ready(waiting: &mut BinaryHeap<Reverse<Pending>>, requests: usize) -> Vec<(How, Vec<Pending>)> {
    let now = now_millis();
    let mut full = Vec::new();
    let mut filling: BTreeMap<How, Vec<Pending>> = BTreeMap::new();
    while full.len() + filling.len() < requests {
        let Some(&Reverse(pending)) = waiting.peek().filter(|Reverse(pending)| pending.at <= now)
        else {
            break;
        };
        waiting.pop();
        let group = filling.entry(pending.how).or_default();
        group.push(pending);
        let most = if matches!(pending.how, How::Delete | How::Put) { 1 } else { MAX_GROUP };
        if group.len() >= most {
            full.extend(filling.remove_entry(&pending.how));
        }
    }
    full.extend(filling);
    full
}

/// Sends one request, and returns the later changes of the versions that it created.
async fn carry_out_one(session: Arc<Session>, (how, members): (How, Vec<Pending>)) -> Vec<Pending> {
    match how {
        How::Delete => {
            for pending in members {
                delete(&session, pending.n).await;
            }
            Vec::new()
        }
        How::BulkCancel => {
            bulk_cancel(&session, &members).await;
            Vec::new()
        }
        How::Put | How::BatchOverwrite => overwrite(&session, how, &members).await,
    }
}

async fn delete(session: &Session, n: u32) {
    let Some(id) = session.ledger.lock().id(n).map(str::to_owned) else {
        return;
    };
    session.ledger.lock().change_sent(n);
    let (answer, answered) = delete_id(session, &id).await;
    session.ledger.lock().cancel_answered(n, answer, answered);
}

/// Deletes the task with `id`. Returns the meaning of the answer, and its time.
async fn delete_id(session: &Session, id: &str) -> (CancelAnswer, i64) {
    #[derive(Deserialize)]
    struct Deleted {
        cancelled: bool,
        /// An attempt is in flight, so the task may or may not arrive.
        #[serde(default)]
        running: bool,
    }
    let path = format!("/v1/tasks/{}", path_segment(id));
    match session.api.call(&Method::DELETE, &path, None, Bytes::new()).await {
        Ok(answer) => {
            let deleted = serde_json::from_slice(&answer.body)
                .ok()
                .filter(|deleted: &Deleted| deleted.cancelled);
            let promise = match (answer.status, deleted) {
                (StatusCode::OK, Some(Deleted { running: true, .. })) => CancelAnswer::Ambiguous,
                (StatusCode::OK, Some(_)) => CancelAnswer::Cancelled,
                (StatusCode::NOT_FOUND | StatusCode::CONFLICT, _) if answer.repeated => {
                    CancelAnswer::Ambiguous
                }
                (StatusCode::NOT_FOUND | StatusCode::CONFLICT, _) => CancelAnswer::AlreadyFired,
                _ => {
                    session.problems.add(format!("DELETE {path}: {}", answer.describe()));
                    CancelAnswer::Ambiguous
                }
            };
            (promise, answer.answered)
        }
        Err(problem) => {
            session.problems.add(problem);
            (CancelAnswer::Ambiguous, now_millis())
        }
    }
}

async fn bulk_cancel(session: &Session, members: &[Pending]) {
    let (entries, ids): (Vec<u32>, Vec<String>) = {
        let mut ledger = session.ledger.lock();
        let known = members
            .iter()
            .filter_map(|pending| Some((pending.n, ledger.id(pending.n)?.to_owned())));
        let known: (Vec<u32>, Vec<String>) = known.unzip();
        known.0.iter().for_each(|&n| ledger.change_sent(n));
        known
    };
    let body = serde_json::json!({ "ids": ids }).to_string();
    let answer = session.api.call(&Method::POST, "/v1/tasks/cancel", JSON, Bytes::from(body)).await;
    let (cancelled, answered) =
        match answer.and_then(|answer| Ok((cancelled(&answer, ids.len())?, answer.answered))) {
            Ok(answer) => answer,
            Err(problem) => {
                session.problems.add(problem);
                (None, now_millis())
            }
        };
    let mut ledger = session.ledger.lock();
    match cancelled {
        Some(cancelled) => ledger.group_cancel_answered(&entries, cancelled, answered),
        None => entries
            .iter()
            .for_each(|&n| ledger.cancel_answered(n, CancelAnswer::Ambiguous, answered)),
    }
}

/// Returns how many of `tasks` a bulk cancel stopped. Returns `None` if an earlier try may have
/// stopped some, or if some are in flight and so may or may not arrive.
fn cancelled(answer: &Answer, tasks: usize) -> Result<Option<usize>, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Cancelled {
        cancelled: usize,
        not_found: usize,
        #[serde(default)]
        running: usize,
        done: bool,
    }
    let complain = |problem: &str| format!("cancel of {tasks}: {problem}: {}", answer.describe());
    if !answer.status.is_success() {
        return Err(complain("refused"));
    }
    let counts: Cancelled =
        serde_json::from_slice(&answer.body).map_err(|error| complain(&error.to_string()))?;
    if counts.cancelled + counts.not_found != tasks || !counts.done {
        return Err(complain("the counts do not add up to the number of ids"));
    }
    Ok((!answer.repeated && counts.running == 0).then_some(counts.cancelled))
}

/// Overwrites entries with new versions, one by `PUT` or several as a batch.
async fn overwrite(session: &Session, how: How, members: &[Pending]) -> Vec<Pending> {
    let mut versions = Vec::with_capacity(members.len());
    {
        let now = now_millis();
        let mut ledger = session.ledger.lock();
        for old in members {
            let Some(id) = ledger.id(old.n).map(str::to_owned) else {
                continue;
            };
            let version = old.version + 1;
            let planned = session.plan.overwriting(ledger.next(), version, now);
            let n = ledger.add(planned.kind, planned.via, planned.due);
            ledger.sent(n, now);
            ledger.change_sent(old.n);
            versions.push(Version { old: old.n, n, version, id, planned });
        }
    }
    match how {
        How::Put => {
            for version in &versions {
                put(session, version).await;
            }
        }
        How::BatchOverwrite | How::Delete | How::BulkCancel => {
            batch_overwrite(session, &versions).await
        }
    }
    let change = |version: &Version| {
        let change = version.planned.change?;
        Some(Pending { at: change.at, n: version.n, how: change.how, version: version.version })
    };
    let ledger = session.ledger.lock();
    versions.iter().filter(|version| ledger.is_accepted(version.n)).filter_map(change).collect()
}

/// A new version of a task that is being sent.
struct Version {
    old: u32,
    n: u32,
    version: u32,
    id: String,
    planned: Planned,
}

fn is_running(answer: &Answer) -> bool {
    #[derive(Deserialize)]
    struct Put {
        #[serde(default)]
        running: bool,
    }
    serde_json::from_slice(&answer.body).is_ok_and(|put: Put| put.running)
}

async fn put(session: &Session, version: &Version) {
    let mut text = String::new();
    session.writer.write(&mut text, version.n, None, &version.planned);
    let path = format!("/v1/tasks/{}", path_segment(&version.id));
    let answer = session.api.call(&Method::PUT, &path, JSON, Bytes::from(text)).await;
    let mut ledger = session.ledger.lock();
    match answer {
        Ok(answer) if answer.status.is_success() => {
            let promise = match answer.status {
                _ if answer.repeated => OverwriteAnswer::Unknown,
                // An attempt of the old version is in flight, so it may or may not arrive.
                StatusCode::OK if is_running(&answer) => OverwriteAnswer::Unknown,
                StatusCode::OK => OverwriteAnswer::Replaced,
                StatusCode::CREATED => OverwriteAnswer::Created,
                _ => OverwriteAnswer::Unknown,
            };
            ledger.accepted(version.n, &version.id, answer.answered, answer.repeated);
            ledger.overwrite_answered(version.old, promise, answer.sent, answer.answered);
        }
        Ok(answer) => {
            let problem = format!("PUT {path}: {}", answer.describe());
            ledger.rejected(version.n, &problem);
            ledger.cancel_answered(version.old, CancelAnswer::Ambiguous, answer.answered);
            session.problems.add(problem);
        }
        Err(problem) => {
            ledger.unanswered(version.n);
            ledger.cancel_answered(version.old, CancelAnswer::Ambiguous, now_millis());
            session.problems.add(problem);
        }
    }
}

async fn batch_overwrite(session: &Session, versions: &[Version]) {
    let text = body::batch(versions.len(), false, |out, item| {
        if let Some(version) = versions.get(item) {
            session.writer.write(out, version.n, Some(&version.id), &version.planned);
        }
    });
    let answer = session.api.call(&Method::POST, "/v1/tasks/batch", JSON, Bytes::from(text)).await;
    let mut ledger = session.ledger.lock();
    let parsed = answer
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|answer| Ok((answer, items(answer, versions.len())?)));
    match parsed {
        Ok((answer, items)) => {
            for (version, item) in versions.iter().zip(&items) {
                match item.outcome() {
                    Outcome::Accepted(id) => {
                        ledger.accepted(version.n, id, answer.answered, answer.repeated);
                        let unknown = OverwriteAnswer::Unknown;
                        ledger.overwrite_answered(
                            version.old,
                            unknown,
                            answer.sent,
                            answer.answered,
                        );
                    }
                    // This is not sent again. Either version may be stored, so nothing is required
                    // of either.
                    Outcome::Busy => {
                        ledger.unanswered(version.n);
                        ledger.cancel_answered(
                            version.old,
                            CancelAnswer::Ambiguous,
                            answer.answered,
                        );
                    }
                    Outcome::Rejected(why) => {
                        ledger.rejected(version.n, why);
                        ledger.cancel_answered(
                            version.old,
                            CancelAnswer::Ambiguous,
                            answer.answered,
                        );
                    }
                }
            }
        }
        Err(problem) => {
            for version in versions {
                ledger.unanswered(version.n);
                ledger.cancel_answered(version.old, CancelAnswer::Ambiguous, now_millis());
            }
            session.problems.add(problem);
        }
    }
}

/// Deletes all recurring tasks of the run, so that none fires after it.
pub(crate) async fn delete_crons(session: &Arc<Session>) {
    let mut live = session.ledger.lock().live_crons();
    let mut in_flight = JoinSet::new();
    loop {
        while in_flight.len() < MAX_IN_FLIGHT {
            let Some(n) = live.pop() else { break };
            // Every recurring task has an id of its own, so its id is known even if its creation
            // was never answered.
            let kind = session.ledger.lock().entry(n).map(|entry| entry.kind);
            let Some(id) = kind.and_then(|kind| session.plan.own_id(n, kind)) else {
                continue;
            };
            let session = Arc::clone(session);
            in_flight.spawn(async move {
                session.ledger.lock().cron_delete_sent(n, now_millis());
                let (answer, answered) = delete_id(&session, &id).await;
                // Without a clear answer, only the sending of the deletion is known.
                if answer != CancelAnswer::Ambiguous {
                    let found = answer == CancelAnswer::Cancelled;
                    session.ledger.lock().cron_delete_answered(n, found, answered);
                }
            });
        }
        if in_flight.join_next().await.is_none() {
            return;
        }
    }
}
