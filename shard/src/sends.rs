//! Sending envelopes to queues, as many at a time as a queue takes.

use futures::StreamExt;
use scheduler_core::engine::{Destination, Outgoing};
use scheduler_core::wire::DISPATCH_QUEUE_BINDING;
use worker::wasm_bindgen::JsValue;
use worker::{BatchMessageBuilder, Env, QueueContentType, RawMessageBuilder};

/// The most that `sendBatch` takes: 100 messages, 256,000 bytes in all with about 100 of metadata each.
const MAX_BATCH_MESSAGES: usize = 100;
const MAX_BATCH_BYTES: usize = 250_000;
const METADATA_BYTES: usize = 100;

/// Batches on their way at once. A batch takes some milliseconds, most of it waiting; six connections may be open.
const MAX_BATCHES_AT_ONCE: usize = 4;

/// Sends envelopes and tells of each whether its queue has taken it.
pub(crate) async fn send_all(env: &Env, outgoing: Vec<Outgoing>) -> Vec<(u64, Result<(), String>)> {
    let sends = batches(outgoing).into_iter().map(|batch| async move {
        let outcome = send_batch(env, &batch).await.map_err(|problem| problem.to_string());
        batch.into_iter().map(|envelope| (envelope.seq, outcome.clone())).collect::<Vec<_>>()
    });
    futures::stream::iter(sends).buffered(MAX_BATCHES_AT_ONCE).concat().await
}

/// Cuts envelopes into batches of one queue each, in order.
fn batches(outgoing: Vec<Outgoing>) -> Vec<Vec<Outgoing>> {
    let mut open: Vec<(Vec<Outgoing>, usize)> = Vec::new();
    let mut closed = Vec::new();
    for envelope in outgoing {
        let bytes = envelope.text.len() + METADATA_BYTES;
        let of_same_queue =
            open.iter().position(|(batch, _)| batch.first().is_some_and(|first| queue_of(first) == queue_of(&envelope)));
        match of_same_queue.and_then(|at| open.get_mut(at)) {
            Some((batch, size)) if batch.len() < MAX_BATCH_MESSAGES && *size + bytes <= MAX_BATCH_BYTES => {
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

/// The binding of the queue that an envelope goes to.
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
        // The envelope is JSON that was written by this program: UTF-8. Text is sent as it is, in any language to be read.
        let text = JsValue::from_str(&String::from_utf8_lossy(&envelope.text));
        messages = messages.message(RawMessageBuilder::new(text).build_with_content_type(QueueContentType::Text));
    }
    queue.send_raw_batch(messages.build()).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn batches_hold_one_queue_and_what_a_queue_takes() {
        let destination =
            |n: u64| if n.is_multiple_of(3) { Destination::Lane((n / 3 % 9) as u8) } else { Destination::Queue("MINE".into()) };
        let outgoing: Vec<Outgoing> = (0..300)
            .map(|seq| Outgoing {
                seq,
                destination: destination(seq),
                text: Arc::new(vec![b'x'; if seq < 30 { 60_000 } else { 10 }]),
            })
            .collect();
        let batches = batches(outgoing);
        let mut seen: Vec<u64> = batches.iter().flatten().map(|envelope| envelope.seq).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..300).collect::<Vec<_>>());
        for batch in &batches {
            assert!(batch.len() <= MAX_BATCH_MESSAGES);
            assert!(batch.iter().map(|envelope| envelope.text.len() + 100).sum::<usize>() <= 256_000);
            assert!(batch.iter().all(|envelope| queue_of(envelope) == queue_of(&batch[0])));
            assert!(batch.is_sorted_by_key(|envelope| envelope.seq));
        }
    }
}
