//! Envelopes that are sent again after a decision about their tasks.

use super::{LATER, NEXT_DAY, cancel, change, failed, in_flight, is_at_rest, runs, sent};
use crate::regressions::{NOW, Pair, record};
use scheduler_engine::Destination;
use scheduler_engine::testing;
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{CancelRequest, Change, ChangeRequest, Report, Status};

#[test]
fn a_redelivery_starts_no_stopped_run() {
    let mut pair = in_flight(&["a", "b", "c"]);
    cancel(&mut pair, &["a"]);
    change(&mut pair, "c", Change::Pause);
    let effects = pair.wake(NEXT_DAY);
    let all: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
    assert_eq!(
        sent(&effects),
        [(all, vec![0, 2])],
        "the indexes stay, because the report names them"
    );
    // The dispatcher reports that it has not started them.
    pair.report(
        &Report { seq: EnvelopeSeq::new(1), not_started: vec![0, 2], ..Report::default() },
        NEXT_DAY,
    );
    let counters = pair.engine.stats(NOW).counters;
    assert_eq!(
        (counters.succeeded, pair.status("a"), pair.status("c")),
        (1, None, Some(Status::Paused))
    );
}

#[test]
fn an_envelope_whose_runs_are_all_stopped_ends_without_a_redelivery() {
    let mut pair = in_flight(&["a", "b"]);
    cancel(&mut pair, &["a"]);
    change(&mut pair, "b", Change::Pause);
    let effects = pair.wake(NEXT_DAY);
    assert!(effects.sends.is_empty());
    assert_eq!((pair.status("a"), pair.status("b")), (None, Some(Status::Paused)));
    // A late report has no effect.
    pair.report(&failed(1, 1), NEXT_DAY);
    assert_eq!(pair.engine.stats(NOW).held(), 1);
    cancel(&mut pair, &["b"]);
    assert!(is_at_rest(&mut pair));
}

#[test]
fn a_redelivery_to_a_user_s_queue_omits_stopped_runs() {
    let mut pair = Pair::new();
    let to_queue = |id: &str| {
        record(id, NOW, 0).replacen(
            r#"{"type":"handler","name":"log"}"#,
            r#"{"type":"queue","queue":"Q"}"#,
            1,
        )
    };
    let tasks = ["a", "b", "c"].map(|id| (id, NOW, Flags::TO_QUEUE, to_queue(id)));
    let append = testing::append_flagged(tasks);
    let (_, effects) = pair.engine.append(append, NOW, &pair.storage).unwrap();
    pair.commit(effects);
    let effects = pair.wake(NOW);
    assert_eq!(effects.sends[0].destination, Destination::Queue("Q".to_owned()));
    // The queue has refused it.
    cancel(&mut pair, &["a"]);
    change(&mut pair, "c", Change::Pause);
    let effects = pair.wake(NOW.plus(60_000));
    assert_eq!(sent(&effects), [(vec!["b".to_owned()], vec![])]);
    // A message that was already sent contains what is cancelled later.
    cancel(&mut pair, &["b"]);
    let effects = pair.engine.sent(EnvelopeSeq::new(1), LATER, &pair.storage).unwrap();
    pair.commit(effects);
    let counters = pair.engine.stats(NOW).counters;
    assert_eq!(
        (counters.handed_over, pair.status("a"), pair.status("c")),
        (1, None, Some(Status::Paused))
    );
    assert_eq!((runs(&pair, "a").len(), runs(&pair, "b").len(), runs(&pair, "c").len()), (0, 1, 0));
    change(&mut pair, "c", Change::Resume);
    let effects = pair.wake(NEXT_DAY);
    assert_eq!(effects.sends[0].destination, Destination::Queue("Q".to_owned()));
}

/// An envelope was refused so often that its back-off reached the visibility timeout. It was due
/// twice. The first time ended it, and because its decisions were deleted then, the second time
/// requeued the cancelled run.
#[test]
fn a_refused_envelope_of_cancelled_runs_ends_once() {
    for is_paused in [false, true] {
        let mut pair = in_flight(&["a"]);
        let mut now = NOW;
        for _ in 0..12 {
            let refused = pair.engine.send_failed(EnvelopeSeq::new(1), now);
            pair.commit(refused);
            now = pair.engine.next_wakeup().unwrap();
            assert_eq!(pair.wake(now).sends.len(), 1);
        }
        let refused = pair.engine.send_failed(EnvelopeSeq::new(1), now);
        pair.commit(refused);
        let expected = if is_paused {
            let request = ChangeRequest {
                ids: vec!["a".to_owned()],
                change: Change::Pause,
                if_match: None,
                pause: None,
            };
            let (_, effects) = pair.engine.change(&request, now, &pair.storage).unwrap();
            pair.commit(effects);
            Some(Status::Paused)
        } else {
            let request = CancelRequest { ids: vec!["a".to_owned()], if_match: None };
            let (_, effects) = pair.engine.cancel(&request, now, &pair.storage).unwrap();
            pair.commit(effects);
            None
        };
        for _ in 0..3 {
            assert!(pair.wake(NEXT_DAY).sends.is_empty());
        }
        let held = pair.engine.stats(NEXT_DAY).held();
        assert_eq!(
            (pair.status("a"), held),
            (expected, u64::from(is_paused)),
            "paused: {is_paused}"
        );
        assert!(pair.engine.is_idle());
    }
}
