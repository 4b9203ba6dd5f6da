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
        assert!(batch.iter().map(|envelope| envelope.text.len() + 100).sum::<usize>() <= 256_000);
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

/// A batch has one outcome, and only that of repeats depends on the backlog of the queue: each
/// on how far it reaches back.
#[test]
fn repeats_are_sent_apart_from_what_is_new_and_by_their_age() {
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
        // A user's queue must get it, however old its messages are.
        resent(10, 1, Sends::Unanswered),
    ];
    let repeats = Repeats::among(&writes, 1_000);
    let mut lines = Lines::default();
    let text = Arc::new(vec![b'x']);
    let outgoing = (0..10).map(EnvelopeSeq::new).map(|seq| Outgoing {
        seq,
        destination: Destination::Dispatch,
        text: text.clone(),
    });
    let users = Destination::Queue("MINE".into());
    let outgoing = outgoing.chain([Outgoing {
        seq: EnvelopeSeq::new(10),
        destination: users,
        text: text.clone(),
    }]);
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
        [
            (vec![0, 1, 2, 4, 7, 8, 9], None),
            (vec![5], Some(NOW.plus(-2_000))),
            (vec![3, 6], Some(NOW.plus(-500))),
            (vec![10], None),
        ]
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
