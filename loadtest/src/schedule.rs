//! Schedules the plan in batches, with several requests at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hyper::Method;
use hyper::body::Bytes;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use crate::batch::{Outcome, items};
use crate::body;
use crate::change::Pending;
use crate::clock::now_millis;
use crate::plan::Planned;
use crate::session::Session;

/// The number of consecutive failed requests, each with all its tries, after which scheduling is
/// given up.
const MAX_FAILURES_IN_A_ROW: u32 = 3;
/// The most times that an item is sent if its shard is busy, and the wait before the second time,
/// which grows by the same time before each further one.
const MAX_ITEM_TRIES: u32 = 8;
const ITEM_WAIT: Duration = Duration::from_millis(200);

/// Schedules all tasks of the plan. Sends their later changes to `changes`, which it closes at the
/// end.
pub(crate) async fn schedule(session: &Arc<Session>, changes: UnboundedSender<Pending>) {
    let next = Arc::new(AtomicU32::new(0));
    let failures = Arc::new(AtomicU32::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..session.settings.concurrency {
        let (session, changes) = (Arc::clone(session), changes.clone());
        let (next, failures) = (Arc::clone(&next), Arc::clone(&failures));
        workers.spawn(async move {
            let settings = &session.settings;
            loop {
                let from = next.fetch_add(settings.bulk, Ordering::Relaxed);
                if from >= settings.tasks {
                    return;
                }
                let to = from.saturating_add(settings.bulk).min(settings.tasks);
                if batch(&session, &changes, from, to).await {
                    failures.store(0, Ordering::Relaxed);
                } else if failures.fetch_add(1, Ordering::Relaxed) + 1 >= MAX_FAILURES_IN_A_ROW {
                    session.scheduling.given_up.store(true, Ordering::Relaxed);
                    return;
                }
            }
        });
    }
    drop(changes);
    while workers.join_next().await.is_some() {}
}

/// Schedules entries `from..to` in one request. Returns false if there was no usable answer.
async fn batch(session: &Session, changes: &UnboundedSender<Pending>, from: u32, to: u32) -> bool {
    let tasks: Vec<Planned> = (from..to).map(|n| session.plan.task(n)).collect();
    let ids = (from..to).zip(&tasks).map(|(n, task)| session.plan.own_id(n, task.kind));
    let mut wanted: Vec<Wanted> = (from..to).zip(ids).map(|(n, id)| Wanted { n, id }).collect();
    {
        let now = now_millis();
        let mut ledger = session.ledger.lock();
        (from..to).for_each(|n| ledger.sent(n, now));
    }
    let mut accepted = 0;
    let mut bytes = 0;
    let started = now_millis();
    for attempt in 0..MAX_ITEM_TRIES {
        if attempt > 0 {
            tokio::time::sleep(ITEM_WAIT * attempt).await;
        }
        let sent = request(session, changes, &wanted, attempt > 0).await;
        match sent {
            Ok(sent) => {
                accepted += sent.accepted;
                bytes += sent.bytes;
                wanted = sent.again;
            }
            Err(problem) => {
                session.problems.add(problem);
                break;
            }
        }
        if wanted.is_empty() {
            break;
        }
    }
    let answered = u64::from(to - from) - wanted.len() as u64;
    session.scheduling.request_answered(answered, accepted, bytes, now_millis() - started);
    let mut ledger = session.ledger.lock();
    wanted.iter().for_each(|wanted| ledger.unanswered(wanted.n));
    wanted.is_empty()
}

/// An entry to schedule, with its id if it already has one.
struct Wanted {
    n: u32,
    id: Option<String>,
}

/// The result of one request.
struct Sent {
    accepted: u64,
    bytes: usize,
    /// The items whose shard was busy.
    again: Vec<Wanted>,
}

/// Sends one request for `wanted`. `repeated` is true if some of them may have been accepted
/// before.
async fn request(
    session: &Session,
    changes: &UnboundedSender<Pending>,
    wanted: &[Wanted],
    repeated: bool,
) -> Result<Sent, String> {
    let ndjson = session.settings.ndjson;
    let text = body::batch(wanted.len(), ndjson, |out, item| {
        if let Some(Wanted { n, id }) = wanted.get(item) {
            session.writer.write(out, *n, id.as_deref(), &session.plan.task(*n));
        }
    });
    let bytes = text.len();
    let content_type = Some(body::content_type(ndjson));
    let answer =
        session.api.call(&Method::POST, "/v1/tasks/batch", content_type, Bytes::from(text)).await?;
    let items = items(&answer, wanted.len())?;
    let mut sent = Sent { accepted: 0, bytes, again: Vec::new() };
    let mut ledger = session.ledger.lock();
    for (Wanted { n, id }, item) in wanted.iter().zip(&items) {
        match item.outcome() {
            Outcome::Accepted(id) => {
                sent.accepted += 1;
                ledger.accepted(*n, id, answer.answered, answer.repeated || repeated);
                if let Some(change) = session.plan.task(*n).change {
                    // The receiver is dropped only if the run is interrupted.
                    let _ =
                        changes.send(Pending { at: change.at, n: *n, how: change.how, version: 1 });
                }
            }
            // The answer names the id of the task. If the item is sent again with this id, it
            // cannot create a second task.
            Outcome::Busy => {
                let given = item.id.as_deref().map(str::to_owned);
                sent.again.push(Wanted { n: *n, id: given.or_else(|| id.clone()) });
            }
            Outcome::Rejected(why) => ledger.rejected(*n, why),
        }
    }
    Ok(sent)
}
