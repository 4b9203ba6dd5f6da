//! Scheduling the plan in batches, several requests at once.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hyper::Method;
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use crate::body;
use crate::change::Pending;
use crate::client::Answer;
use crate::clock::now_millis;
use crate::plan::Planned;
use crate::session::Session;

/// Requests that fail one after the other, each with all its tries, before scheduling is given up.
const MAX_FAILURES_IN_A_ROW: u32 = 3;

/// The answer to a batch, as far as it matters here.
#[derive(Debug, Deserialize)]
pub(crate) struct BatchAnswer<'a> {
    #[serde(borrow)]
    pub(crate) results: Vec<Item<'a>>,
}

/// The result of one item: an id or an error.
#[derive(Debug, Deserialize)]
pub(crate) struct Item<'a> {
    #[serde(borrow, default)]
    pub(crate) id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) error: Option<&'a RawValue>,
}

/// The items of a batch's answer, one for each of `tasks`.
///
/// # Errors
/// Says why the answer is none.
pub(crate) fn items(answer: &Answer, tasks: usize) -> Result<Vec<Item<'_>>, String> {
    if !answer.status.is_success() {
        return Err(format!("batch of {tasks}: {}", answer.describe()));
    }
    let parsed: BatchAnswer<'_> = serde_json::from_slice(&answer.body)
        .map_err(|error| format!("batch of {tasks}: answer: {error}"))?;
    if parsed.results.len() != tasks {
        return Err(format!(
            "batch of {tasks}: the answer has {} results",
            parsed.results.len()
        ));
    }
    Ok(parsed.results)
}

/// Schedules all tasks of the plan; sends what is to be done to them later to `changes`, which it closes at the end.
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

/// Schedules entries `from..to` in one request; false when no usable answer came.
async fn batch(session: &Session, changes: &UnboundedSender<Pending>, from: u32, to: u32) -> bool {
    let tasks: Vec<Planned> = (from..to).map(|n| session.plan.task(n)).collect();
    let ndjson = session.settings.ndjson;
    let text = body::batch(tasks.len(), ndjson, |out, item| {
        if let (Some(task), Ok(item)) = (tasks.get(item), u32::try_from(item)) {
            let n = from + item;
            session
                .writer
                .write(out, n, session.plan.own_id(n, task.kind).as_deref(), task);
        }
    });
    let bytes = text.len();
    {
        let now = now_millis();
        let mut ledger = session.ledger.lock();
        (from..to).for_each(|n| ledger.sent(n, now));
    }
    let answer = session
        .api
        .call(
            &Method::POST,
            "/v1/tasks/batch",
            Some(body::content_type(ndjson)),
            Bytes::from(text),
        )
        .await;
    let parsed = answer
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|answer| Ok((answer, items(answer, tasks.len())?)));
    let (answer, items) = match parsed {
        Ok(parsed) => parsed,
        Err(problem) => {
            session.problems.add(problem);
            let mut ledger = session.ledger.lock();
            (from..to).for_each(|n| ledger.unanswered(n));
            return false;
        }
    };
    let mut accepted = 0;
    let mut ledger = session.ledger.lock();
    for ((n, item), task) in (from..to).zip(&items).zip(&tasks) {
        match (&item.id, item.error) {
            (Some(id), None) => {
                accepted += 1;
                ledger.accepted(n, id, answer.answered, answer.repeated);
                if let Some(change) = task.change {
                    // The receiver is gone only when the run is being cut short.
                    let _ = changes.send(Pending {
                        at: change.at,
                        n,
                        how: change.how,
                        version: 1,
                    });
                }
            }
            (_, error) => {
                ledger.rejected(n, error.map_or("neither an id nor an error", RawValue::get))
            }
        }
    }
    drop(ledger);
    session.scheduling.request_answered(
        u64::from(to - from),
        accepted,
        bytes,
        answer.answered - answer.sent,
    );
    true
}
