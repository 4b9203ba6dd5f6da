//! Combines small appends that arrive together into one commit, so that they share its rows.
//!
//! Every row is billed, and a row costs the same with one task or with fifty. So while appends
//! arrive at short intervals, a small append waits a moment, and is committed together with those
//! that arrive meanwhile. A bulk append has a page of its own and does not wait. It commits the
//! waiting appends together with itself.

use futures::channel::oneshot;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{EngineError, Gathering, StorageError};
use scheduler_model::bounds::OPEN_PAGE_APPEND_BYTES;
use scheduler_model::protocol::{Append, AppendReply};
use scheduler_platform::{now, sleep};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::Duration;

/// A small append waits for others if the last commit was less than this many milliseconds ago. A
/// single append, such as that of a user who tries the API, does not wait.
const CLOSE_MILLIS: i64 = 100;

/// How long a small append waits. This is short compared with the round trip from a caller to a
/// shard (10 to 100 ms). At 1,000 adds per second on a shard, five share a row.
const GATHER: Duration = Duration::from_millis(5);

pub(crate) type Outcome = Result<AppendReply, EngineError>;

/// The appends that wait for their commit.
#[derive(Default)]
pub(crate) struct Waiting {
    queue: RefCell<VecDeque<(Append, oneshot::Sender<Outcome>)>>,
    last: Cell<UnixMillis>,
}

impl Waiting {
    /// Adds an append to those that wait, and commits them together. `commit` applies the appends
    /// of one commit, and returns an outcome for each.
    pub(crate) async fn append(
        &self,
        append: Append,
        commit: impl Fn(Gathering, usize) -> Result<Vec<Outcome>, EngineError>,
    ) -> Outcome {
        let (sender, outcome) = oneshot::channel();
        let is_small = append.schedules.is_empty()
            && append.pages.iter().all(|page| page.body.len() <= OPEN_PAGE_APPEND_BYTES);
        self.queue.borrow_mut().push_back((append, sender));
        if is_small && now().since(self.last.get()) < CLOSE_MILLIS {
            sleep(GATHER).await;
        }
        // Every request does this for all appends. So no append depends on another request, whose
        // caller may have disconnected.
        self.carry_out(commit);
        outcome.await.unwrap_or_else(|_| {
            Err(EngineError::Storage(StorageError("the append was not carried out".to_owned())))
        })
    }

    fn carry_out(&self, commit: impl Fn(Gathering, usize) -> Result<Vec<Outcome>, EngineError>) {
        loop {
            let (mut gathering, mut senders) = (Gathering::default(), Vec::new());
            let mut queue = self.queue.borrow_mut();
            while let Some((append, sender)) = queue.pop_front() {
                match gathering.add(append) {
                    None => senders.push(sender),
                    Some(of_the_next_commit) => {
                        queue.push_front((of_the_next_commit, sender));
                        break;
                    }
                }
            }
            drop(queue);
            if senders.is_empty() {
                return;
            }
            self.last.set(now());
            let outcomes = commit(gathering, senders.len())
                .unwrap_or_else(|problem| vec![Err(problem); senders.len()]);
            for (sender, outcome) in senders.into_iter().zip(outcomes) {
                // The receiver may have been dropped.
                let _ = sender.send(outcome);
            }
        }
    }
}
