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

/// The numbers of batches that are sent at once. A batch takes some milliseconds, most of which is
/// waiting. The platform allows six open connections. Three are for the dispatchers. Of the other
/// three, a user's queue that does not answer occupies at most two.
const MAX_TO_DISPATCHERS: usize = 3;
const MAX_TO_USERS: usize = 3;
const MAX_TO_ONE_USER: usize = 2;

/// The most doublings of the visibility timeout that count here. If the engine doubles it more often,
/// the send was earlier than this assumes, and at worst an envelope waits once more.
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
    /// Of envelopes that the queue may have accepted before: the latest time at which it may have
    /// done so.
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
    /// Finds them among the writes of a wake-up. An envelope is sent again when the visibility
    /// timeout has passed since the send before, and the timeout doubles each time. The queue may
    /// have needed a while to accept it, by its own clock: half of that time is allowed for both.
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
}

/// The lines of all queues.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    lines: BTreeMap<String, Line>,
    last: u64,
    waiting_bytes: usize,
}

impl Lines {
    /// Adds envelopes behind those that wait. Those in `repeats` are sent apart from the others.
    pub(crate) fn add(&mut self, outgoing: Vec<Outgoing>, repeats: &Repeats) {
        let (again, first): (Vec<_>, Vec<_>) =
            outgoing.into_iter().partition(|envelope| repeats.0.contains_key(&envelope.seq));
        for envelopes in batches(first).into_iter().chain(batches(again)) {
            let Some(queue) = envelopes.first().map(|first| queue_of(first).to_owned()) else {
                continue;
            };
            self.waiting_bytes += bytes_of(&envelopes);
            let sent = envelopes.iter().filter_map(|envelope| repeats.0.get(&envelope.seq));
            let group = Group { last_sent: sent.min().copied(), envelopes };
            self.lines.entry(queue).or_default().waiting.push_back(group);
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

/// Returns the outcome of a send that has thrown this. If the connection was lost, the queue may
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
mod tests {
    use super::*;
    use scheduler_model::numbers::LaneNumber;
    use std::sync::Arc;

    #[test]
    fn a_lost_connection_is_no_refusal() {
        let is_refused = |text: &str| matches!(failed(text.to_owned()), Outcome::Refused(_));
        for refusal in [
            "Error: Queue sendBatch failed: Too Many Requests",
            "Error: Queue sendBatch failed: Network Authentication Required",
            "TypeError: Body of 128001 bytes exceeds the limit",
            "no binding of the type Queue",
        ] {
            assert!(is_refused(refusal), "{refusal}");
        }
        for lost in ["Error: Network connection lost.", "Error: disconnected: peer closed"] {
            assert!(!is_refused(lost), "{lost}");
        }
    }

    #[test]
    fn a_batch_has_one_queue_and_keeps_to_its_limits() {
        let destination = |n: u64| {
            if n.is_multiple_of(3) {
                Destination::Lane(LaneNumber::new((n / 3 % 9) as u8))
            } else {
                Destination::Queue("MINE".into())
            }
        };
        let outgoing: Vec<Outgoing> = (0..300)
            .map(|seq| Outgoing {
                seq: EnvelopeSeq::new(seq),
                destination: destination(seq),
                text: Arc::new(vec![b'x'; if seq < 30 { 60_000 } else { 10 }]),
            })
            .collect();
        let batches = batches(outgoing);
        let mut seen: Vec<_> = batches.iter().flatten().map(|sent| sent.seq.get()).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..300).collect::<Vec<_>>());
        for batch in &batches {
            assert!(batch.len() <= MAX_BATCH_MESSAGES);
            assert!(
                batch.iter().map(|envelope| envelope.text.len() + 100).sum::<usize>() <= 256_000
            );
            assert!(batch.iter().all(|envelope| queue_of(envelope) == queue_of(&batch[0])));
            assert!(batch.is_sorted_by_key(|envelope| envelope.seq));
        }
    }

    const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

    fn to(queue: &str, seqs: std::ops::Range<u64>) -> Vec<Outgoing> {
        let destination = match queue {
            "" => Destination::Dispatch,
            queue => Destination::Queue(queue.to_owned()),
        };
        // Each envelope fills a batch.
        let text = Arc::new(vec![b'x'; 200_000]);
        seqs.map(EnvelopeSeq::new)
            .map(|seq| Outgoing { seq, destination: destination.clone(), text: text.clone() })
            .collect()
    }

    fn queues(batches: &[Batch]) -> Vec<&str> {
        batches.iter().map(|batch| queue_of(&batch.group.envelopes[0])).collect()
    }

    #[test]
    fn a_queue_that_hangs_does_not_delay_the_others() {
        let mut lines = Lines::default();
        lines.add(to("A", 0..10), &Repeats::default());
        assert_eq!(queues(&lines.start(NOW)), ["A", "A"]);
        lines.add(to("", 10..20), &Repeats::default());
        lines.add(to("B", 20..30), &Repeats::default());
        let started = lines.start(NOW.plus(1));
        assert_eq!(
            queues(&started).iter().filter(|queue| **queue == DISPATCH_QUEUE_BINDING).count(),
            3
        );
        assert_eq!(queues(&started).iter().filter(|queue| **queue == "B").count(), 1);
        // The other queues answer and continue. A does not answer, and is given up after a while.
        for batch in &started {
            assert_eq!(lines.ended(batch.number, &Outcome::Taken).len(), 1);
        }
        assert_eq!(lines.next_look(), Some(NOW.plus(SLOW_MILLIS)));
        assert!(lines.give_up(NOW.plus(SLOW_MILLIS - 1)).is_empty());
        let given_up = lines.give_up(NOW.plus(SLOW_MILLIS));
        assert_eq!(
            given_up.iter().map(|(seq, _)| seq.get()).collect::<Vec<_>>(),
            (2..10).collect::<Vec<_>>()
        );
        assert!(given_up.iter().all(|(_, outcome)| matches!(outcome, Outcome::Refused(_))));
        // Nothing more goes to A until it has answered.
        lines.add(to("A", 30..32), &Repeats::default());
        let later = NOW.plus(SLOW_MILLIS + 1);
        assert!(!queues(&lines.start(later)).contains(&"A"));
        assert_eq!(lines.give_up(later).len(), 2);
        let [first, second] = [0, 1].map(EnvelopeSeq::new);
        assert_eq!(lines.ended(1, &Outcome::Unanswered), [(first, Outcome::Unanswered)]);
        assert_eq!(lines.ended(2, &Outcome::Taken), [(second, Outcome::Taken)]);
        lines.add(to("A", 32..33), &Repeats::default());
        assert!(queues(&lines.start(later)).contains(&"A"));
    }

    /// A batch has one outcome, and only that of repeats depends on the backlog of the queue.
    #[test]
    fn repeats_are_sent_apart_from_what_is_new() {
        let resent = |seq, attempts, sends| {
            let seq = EnvelopeSeq::new(seq);
            Write::Resent { seq, sent_at: NOW, attempts, sends }
        };
        let writes = [
            resent(3, 1, Sends::Sent),
            resent(5, 3, Sends::Sent),
            resent(6, 1, Sends::Unanswered),
            // A refused envelope has never left the shard.
            resent(7, 0, Sends::SentAfter(2)),
            resent(8, 1, Sends::SentAfter(1)),
            Write::DeleteEnvelope { seq: EnvelopeSeq::new(9) },
        ];
        let repeats = Repeats::among(&writes, 1_000);
        let mut lines = Lines::default();
        let text = Arc::new(vec![b'x']);
        let outgoing = (0..10).map(|seq| Outgoing {
            seq: EnvelopeSeq::new(seq),
            destination: Destination::Dispatch,
            text: text.clone(),
        });
        lines.add(outgoing.collect(), &repeats);
        let sent: Vec<_> = lines
            .start(NOW)
            .into_iter()
            .map(|batch| {
                let seqs = batch.group.envelopes.iter().map(|envelope| envelope.seq.get());
                (seqs.collect::<Vec<_>>(), batch.group.last_sent)
            })
            .collect();
        // The third redelivery has waited four times as long, and half of that counts.
        assert_eq!(
            sent,
            [(vec![0, 1, 2, 4, 7, 8, 9], None), (vec![3, 5, 6], Some(NOW.plus(-2_000)))]
        );
    }

    #[test]
    fn waiting_bytes_are_bounded_and_every_envelope_gets_an_outcome() {
        let mut lines = Lines::default();
        assert!(lines.has_room() && lines.is_empty());
        lines.add(to("", 0..50), &Repeats::default());
        assert!(!lines.has_room());
        let mut ended = Vec::new();
        for round in 0..10 {
            for batch in lines.start(NOW.plus(round)) {
                ended.extend(lines.ended(batch.number, &Outcome::Taken));
            }
        }
        assert!(lines.has_room() && !lines.is_empty());
        let running = lines.start(NOW.plus(99));
        assert_eq!(running.len(), 3);
        ended.extend(lines.cut_off());
        assert!(lines.has_room() && lines.is_empty());
        // An answer that arrives too late is ignored.
        assert!(lines.ended(running[0].number, &Outcome::Taken).is_empty());
        assert_eq!(ended.iter().filter(|(_, outcome)| *outcome == Outcome::Unanswered).count(), 3);
        ended.sort_by_key(|(seq, _)| *seq);
        assert!(ended.iter().map(|(seq, _)| seq.get()).eq(0..50));
    }
}
