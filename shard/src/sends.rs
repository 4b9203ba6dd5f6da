//! Sends envelopes to queues, in batches and several at a time. A queue that does not answer does
//! not delay the others.
//!
//! Each queue has a line. The envelopes of a firing are cut into batches, which start when there is
//! room. A batch without an answer within [`SEND_MILLIS`] is given up, although the queue may have
//! accepted it. Once a batch has waited for [`SLOW_MILLIS`], nothing more goes to its queue: the
//! shell itself refuses the envelopes in the line. So the engine retries them after its back-off,
//! and they do not occupy memory.

use crate::backlog;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Destination, Outgoing, Sends, Write};
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::DISPATCH_QUEUE_BINDING;
use scheduler_model::task::envelope_for_consumer;
use scheduler_platform::within;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;
use worker::wasm_bindgen::JsValue;
use worker::{BatchMessageBuilder, Env, QueueContentType, RawMessageBuilder};

/// The limits of `sendBatch`: 100 messages, and 256,000 bytes in total, with about 100 bytes of
/// metadata for each message.
const MAX_BATCH_MESSAGES: usize = 100;
const MAX_BATCH_BYTES: usize = 250_000;
const METADATA_BYTES: usize = 100;

/// How long a queue may take to answer, in milliseconds. A healthy queue answers in tens of
/// milliseconds.
pub(crate) const SEND_MILLIS: i64 = 30_000;

/// A queue that has not answered for this many milliseconds receives nothing more.
const SLOW_MILLIS: i64 = 5_000;

/// The numbers of batches that are sent at once. A batch takes a few milliseconds, and spends most
/// of them waiting. The platform allows six open connections. Three are for the dispatchers. Of the
/// other three, a user's queue that does not answer occupies at most two.
const MAX_TO_DISPATCHERS: usize = 3;
const MAX_TO_USERS: usize = 3;
const MAX_TO_ONE_USER: usize = 2;

/// The most doublings of the visibility timeout that are considered here. If the engine doubles it
/// more often, the send was earlier than this assumes, and at worst an envelope waits once more.
const MAX_DOUBLINGS: u32 = 4;

/// Nothing is fired while this many bytes wait in lines. It is the size of two firings.
const MAX_WAITING_BYTES: usize = 8_000_000;

/// The result of sending an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Taken,
    Refused(String),
    /// The queue may have accepted it.
    Unanswered,
}

/// Envelopes that are sent together.
#[derive(Debug)]
pub(crate) struct Batch {
    number: u64,
    group: Group,
}

/// Envelopes of one queue, before they have a number.
#[derive(Debug)]
struct Group {
    envelopes: Vec<Outgoing>,
    /// The latest time at which the queue may have accepted these envelopes before; `None` if it
    /// cannot have accepted them.
    last_sent: Option<UnixMillis>,
}

/// A batch that is being sent: its start time, and its envelopes.
#[derive(Debug)]
struct Running {
    started: UnixMillis,
    seqs: Vec<EnvelopeSeq>,
}

#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Group>,
    running: BTreeMap<u64, Running>,
}

/// The envelopes of a wake-up that the dispatchers' queue may have accepted before, each with the
/// latest time at which it may have done so.
#[derive(Debug, Default)]
pub(crate) struct Repeats(HashMap<EnvelopeSeq, UnixMillis>);

impl Repeats {
    /// Finds these envelopes among the writes of a wake-up. An envelope is sent again when the
    /// visibility timeout has passed since the previous send, and the timeout doubles each time.
    /// The queue may have accepted the previous send later, and by another clock, so half of the
    /// timeout is allowed for both.
    pub(crate) fn among(writes: &[Write], visibility_millis: i64) -> Self {
        let repeats = writes.iter().filter_map(|write| match write {
            Write::Resent { seq, sent_at, attempts, sends: Sends::Sent | Sends::Unanswered }
                if *attempts > 0 =>
            {
                let doublings = (*attempts - 1).min(MAX_DOUBLINGS);
                let waited = visibility_millis.saturating_mul(1 << doublings);
                Some((*seq, sent_at.plus(-waited / 2)))
            }
            _ => None,
        });
        Self(repeats.collect())
    }

    /// Returns the latest time at which the dispatchers' queue may have accepted an envelope
    /// before. An envelope for a user's queue has none: it ends when the queue accepts it, so it
    /// must be sent.
    fn last_sent(&self, envelope: &Outgoing) -> Option<UnixMillis> {
        let last_sent = self.0.get(&envelope.seq).copied();
        last_sent.filter(|_| queue_of(envelope) == DISPATCH_QUEUE_BINDING)
    }
}

/// The lines of all queues.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    lines: BTreeMap<String, Line>,
    last: u64,
    waiting_bytes: usize,
}

impl Lines {
    /// Adds envelopes behind those that wait. Those in `repeats` are sent apart from the others,
    /// and from those that were sent at another time, because the queue may hold some and not
    /// others.
    pub(crate) fn add(&mut self, outgoing: Vec<Outgoing>, repeats: &Repeats) {
        let mut by_time: BTreeMap<Option<UnixMillis>, Vec<Outgoing>> = BTreeMap::new();
        for envelope in outgoing {
            by_time.entry(repeats.last_sent(&envelope)).or_default().push(envelope);
        }
        for (last_sent, outgoing) in by_time {
            for envelopes in batches(outgoing) {
                let Some(queue) = envelopes.first().map(|first| queue_of(first).to_owned()) else {
                    continue;
                };
                self.waiting_bytes += bytes_of(&envelopes);
                let group = Group { last_sent, envelopes };
                self.lines.entry(queue).or_default().waiting.push_back(group);
            }
        }
    }

    /// Returns whether more tasks may be fired.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting_bytes < MAX_WAITING_BYTES
    }

    /// Returns whether no envelope waits and none is being sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.values().all(|line| line.waiting.is_empty() && line.running.is_empty())
    }

    /// Returns the time at which the lines must be checked even if no batch has been answered.
    pub(crate) fn next_look(&self) -> Option<UnixMillis> {
        let waiting = self.lines.values().filter(|line| !line.waiting.is_empty());
        waiting.filter_map(|line| line.oldest().map(|oldest| oldest.plus(SLOW_MILLIS))).min()
    }

    /// Removes and returns the batches that may be started now.
    pub(crate) fn start(&mut self, now: UnixMillis) -> Vec<Batch> {
        let is_user = |queue: &str| queue != DISPATCH_QUEUE_BINDING;
        let mut to_users: usize = self
            .lines
            .iter()
            .filter(|(queue, _)| is_user(queue))
            .map(|(_, line)| line.running.len())
            .sum();
        let mut started = Vec::new();
        for (queue, line) in &mut self.lines {
            loop {
                let has_room = if is_user(queue) {
                    line.running.len() < MAX_TO_ONE_USER && to_users < MAX_TO_USERS
                } else {
                    line.running.len() < MAX_TO_DISPATCHERS
                };
                if !has_room || line.is_slow(now) {
                    break;
                }
                let Some(group) = line.waiting.pop_front() else { break };
                to_users += usize::from(is_user(queue));
                self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes_of(&group.envelopes));
                self.last += 1;
                let seqs = group.envelopes.iter().map(|envelope| envelope.seq).collect();
                line.running.insert(self.last, Running { started: now, seqs });
                started.push(Batch { number: self.last, group });
            }
        }
        started
    }

    /// Records that a batch has been answered, and returns the outcomes of its envelopes. It
    /// ignores a batch that was already given up.
    pub(crate) fn ended(&mut self, number: u64, outcome: &Outcome) -> Vec<(EnvelopeSeq, Outcome)> {
        let running = self.lines.values_mut().find_map(|line| line.running.remove(&number));
        running.into_iter().flat_map(|batch| batch.seqs).map(|seq| (seq, outcome.clone())).collect()
    }

    /// Removes the batches that wait for queues that do not answer, and returns their outcomes.
    pub(crate) fn give_up(&mut self, now: UnixMillis) -> Vec<(EnvelopeSeq, Outcome)> {
        let mut given_up = Vec::new();
        for line in self.lines.values_mut().filter(|line| line.is_slow(now)) {
            for Group { envelopes, .. } in line.waiting.drain(..) {
                self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes_of(&envelopes));
                given_up.extend(
                    envelopes
                        .iter()
                        .map(|envelope| (envelope.seq, refused("the queue does not answer"))),
                );
            }
        }
        given_up
    }

    /// Ends all batches, because nobody waits for the answers any more.
    pub(crate) fn cut_off(&mut self) -> Vec<(EnvelopeSeq, Outcome)> {
        self.waiting_bytes = 0;
        let mut cut = Vec::new();
        for line in std::mem::take(&mut self.lines).into_values() {
            cut.extend(
                line.running
                    .into_values()
                    .flat_map(|batch| batch.seqs)
                    .map(|seq| (seq, Outcome::Unanswered)),
            );
            cut.extend(
                line.waiting
                    .iter()
                    .flat_map(|group| &group.envelopes)
                    .map(|envelope| (envelope.seq, refused("there was no time to send it"))),
            );
        }
        cut
    }
}

impl Line {
    fn oldest(&self) -> Option<UnixMillis> {
        self.running.values().map(|batch| batch.started).min()
    }

    fn is_slow(&self, now: UnixMillis) -> bool {
        self.oldest().is_some_and(|oldest| now.since(oldest) >= SLOW_MILLIS)
    }
}

fn refused(why: &str) -> Outcome {
    Outcome::Refused(why.to_owned())
}

fn bytes_of(batch: &[Outgoing]) -> usize {
    batch.iter().map(|envelope| envelope.text.len()).sum()
}

/// Sends a batch. Returns its number and the outcome. A batch whose envelopes may still be in the
/// queue counts as accepted: the dispatchers have not reached them yet, and another copy would run
/// their tasks twice.
pub(crate) async fn send(env: &Env, batch: Batch) -> (u64, Outcome) {
    let Group { envelopes, last_sent } = &batch.group;
    if let Some(last_sent) = last_sent
        && let Some(first) = envelopes.first()
        && backlog::reaches(env, queue_of(first), *last_sent).await
    {
        return (batch.number, Outcome::Taken);
    }
    let limit = Duration::from_millis(SEND_MILLIS.unsigned_abs());
    let outcome = match within(limit, send_batch(env, envelopes)).await {
        Some(Ok(())) => Outcome::Taken,
        Some(Err(problem)) => failed(problem.to_string()),
        None => Outcome::Unanswered,
    };
    (batch.number, outcome)
}

/// Returns the outcome of a send that threw `problem`. If the connection was lost, the queue may
/// have accepted the batch. The platform throws `Queue sendBatch failed: ` and the status for any
/// answer but 200, and other errors before it sends anything. Source: `api/queue.c++` of workerd.
fn failed(problem: String) -> Outcome {
    let text = problem.to_ascii_lowercase();
    let is_lost = ["connection", "network", "disconnected"].iter().any(|word| text.contains(word));
    if is_lost && !text.contains("sendbatch failed: ") {
        Outcome::Unanswered
    } else {
        Outcome::Refused(problem)
    }
}

/// Cuts envelopes into batches of one queue each, in order.
fn batches(outgoing: Vec<Outgoing>) -> Vec<Vec<Outgoing>> {
    let mut open: Vec<(Vec<Outgoing>, usize)> = Vec::new();
    let mut closed = Vec::new();
    for envelope in outgoing {
        let bytes = envelope.text.len() + METADATA_BYTES;
        let of_same_queue = open.iter().position(|(batch, _)| {
            batch.first().is_some_and(|first| queue_of(first) == queue_of(&envelope))
        });
        match of_same_queue.and_then(|at| open.get_mut(at)) {
            Some((batch, size))
                if batch.len() < MAX_BATCH_MESSAGES && *size + bytes <= MAX_BATCH_BYTES =>
            {
                batch.push(envelope);
                *size += bytes;
            }
            Some(full) => closed.push(std::mem::replace(full, (vec![envelope], bytes)).0),
            None => open.push((vec![envelope], bytes)),
        }
    }
    closed.extend(open.into_iter().map(|(batch, _)| batch));
    closed
}

/// Returns the binding of the queue that `envelope` goes to.
fn queue_of(envelope: &Outgoing) -> &str {
    match &envelope.destination {
        Destination::Dispatch | Destination::Lane(_) => DISPATCH_QUEUE_BINDING,
        Destination::Queue(binding) => binding,
    }
}

async fn send_batch(env: &Env, batch: &[Outgoing]) -> worker::Result<()> {
    let Some(first) = batch.first() else { return Ok(()) };
    let queue = env.queue(queue_of(first))?;
    let mut messages = BatchMessageBuilder::new();
    for envelope in batch {
        // The envelope is JSON that this program wrote, so it is UTF-8. It is sent as text, so that
        // a consumer in any language can read it.
        let text = String::from_utf8_lossy(&envelope.text);
        let text = match envelope.destination {
            Destination::Queue(_) => JsValue::from_str(&envelope_for_consumer(&text)),
            Destination::Dispatch | Destination::Lane(_) => JsValue::from_str(&text),
        };
        messages = messages
            .message(RawMessageBuilder::new(text).build_with_content_type(QueueContentType::Text));
    }
    queue.send_raw_batch(messages.build()).await
}

#[cfg(test)]
#[path = "sends_tests.rs"]
mod tests;
