//! Small appends that arrive together share one commit, and rows.
//!
//! Every row is billed, and a single add costs one whether it carries one task or fifty. So while appends follow one another closely, a
//! small one waits a moment: what arrives meanwhile is carried out with it. A bulk append has a page of its own and waits for
//! nobody; it takes along what waits.

use crate::Shell;
use futures::channel::oneshot;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{EngineError, Gathering, StorageError};
use scheduler_model::bounds::OPEN_PAGE_APPEND_BYTES;
use scheduler_model::protocol::{Append, AppendReply};
use scheduler_platform::{now, sleep};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::Duration;

/// A small append within so long of the last one waits for others. A lone one, as of a user who tries the API out, never waits.
const CLOSE_MILLIS: i64 = 100;

/// How long. Little beside the way from a caller to a shard and back (10 to 100 ms), and with 1,000 adds a second on a shard it makes
/// five share a row.
const GATHER: Duration = Duration::from_millis(5);

type Outcome = Result<AppendReply, EngineError>;

/// The appends that wait for their commit.
#[derive(Default)]
pub(crate) struct Waiting {
    queue: RefCell<VecDeque<(Append, oneshot::Sender<Outcome>)>>,
    last: Cell<UnixMillis>,
}

impl Shell {
    /// Takes tasks in, together with what else has come.
    pub(crate) async fn append(&self, append: Append) -> Outcome {
        let (sender, outcome) = oneshot::channel();
        let is_small = append.schedules.is_empty() && append.pages.iter().all(|page| page.body.len() <= OPEN_PAGE_APPEND_BYTES);
        self.appends.queue.borrow_mut().push_back((append, sender));
        if is_small && now().since(self.appends.last.get()) < CLOSE_MILLIS {
            sleep(GATHER).await;
        }
        // Each request does this for all: so none waits for another that may have been given up by its caller.
        self.carry_out_appends();
        outcome.await.unwrap_or_else(|_| Err(EngineError::Storage(StorageError("the append was not carried out".to_owned()))))
    }

    fn carry_out_appends(&self) {
        loop {
            let (mut gathering, mut senders) = (Gathering::default(), Vec::new());
            let mut queue = self.appends.queue.borrow_mut();
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
            self.appends.last.set(now());
            let outcome = self.input(|engine, now, sql| {
                engine.meter_mut().shard_requests += senders.len() as u64;
                engine.append_all(gathering.into_requests(), now, sql)
            });
            let outcomes = match outcome {
                Ok((replies, _)) => replies,
                Err(problem) => vec![Err(problem); senders.len()],
            };
            for (sender, outcome) in senders.into_iter().zip(outcomes) {
                // A caller that has given up does not want to know.
                let _ = sender.send(outcome);
            }
        }
    }
}
