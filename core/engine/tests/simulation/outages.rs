//! Queues that refuse, or do not answer, for minutes, with restarts in between.

use crate::regressions::{NOW, Pair, ids};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Destination, Effects};
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{Report, Status};

fn record(id: &str, due: UnixMillis, more: &str) -> String {
    format!(r#"{{"time":{due},"id":"{id}"{more},"callback":{{"type":"handler","name":"log"}}}}"#)
}

/// Refuses an envelope at each send until `until`, with a restart after each step if `restarts`
/// says so. Returns when it is sent next.
fn refuse_until(
    pair: &mut Pair,
    until: UnixMillis,
    mut restarts: impl FnMut() -> bool,
) -> UnixMillis {
    let mut now = NOW;
    loop {
        let effects = pair.wake(now);
        assert_eq!(effects.sends.len(), 1, "at {}", now.since(NOW));
        let refused = pair.engine.send_failed(EnvelopeSeq::new(1), now);
        pair.commit(refused);
        if restarts() {
            pair.restart();
        }
        let next = pair.engine.next_wakeup().unwrap();
        if next > until {
            return next;
        }
        now = next;
    }
}

/// A queue that was down for four minutes got the refused envelope after 82 minutes if the shard
/// had restarted in between, because refused sends counted as redeliveries. After a single refusal,
/// it was 301 seconds.
#[test]
fn a_restart_does_not_delay_a_refused_envelope() {
    for (until, next) in [(0, 1), (128, 255), (1_000, 1_111)] {
        let until = NOW.plus(until * 1_000);
        for restart in [false, true] {
            let mut pair = Pair::new();
            pair.append([("a".to_owned(), NOW, record("a", NOW, ""))]);
            assert_eq!(
                refuse_until(&mut pair, until, || restart).since(NOW),
                next * 1_000,
                "{restart}"
            );
            // The shard restarts between a refusal and the next send.
            pair.restart();
            assert_eq!(pair.engine.next_wakeup(), Some(NOW.plus(next * 1_000)));
        }
    }
}

/// Nobody knows the result of a send during which the shard crashed. While the queue is down, the
/// envelope is sent again like a refused one. After that, it is sent again like an accepted one.
#[test]
fn a_crash_during_a_send_is_judged_by_the_sends_before() {
    let mut pair = Pair::new();
    pair.append([("a".to_owned(), NOW, record("a", NOW, ""))]);
    let next = refuse_until(&mut pair, NOW.plus(10_000), || false);
    assert_eq!(pair.wake(next).sends.len(), 1);
    pair.restart();
    let again = next.plus(8_000);
    assert_eq!(pair.engine.next_wakeup(), Some(again));
    assert_eq!(pair.wake(again).sends.len(), 1);
    let effects = pair.engine.sent(EnvelopeSeq::new(1), again, &pair.storage).unwrap();
    assert_eq!(effects.writes.len(), 1, "the queue has accepted it at last");
    pair.commit(effects);
    pair.restart();
    // The queue may have accepted an earlier send, so the next wait is twice as long.
    assert_eq!(pair.engine.next_wakeup(), Some(again.plus(600_000)));
}

/// A queue that hangs may have accepted the envelope. The shard sends it again after the visibility
/// timeout, however often this happens.
#[test]
fn a_queue_that_hangs_does_not_lengthen_the_wait() {
    let mut pair = Pair::new();
    pair.append([("a".to_owned(), NOW, record("a", NOW, ""))]);
    let mut now = NOW;
    for round in 0..10 {
        assert_eq!(pair.wake(now).sends.len(), 1, "{round}");
        now = now.plus(30_000);
        let effects = pair.engine.send_unanswered(EnvelopeSeq::new(1), now);
        pair.commit(effects);
        if round % 3 == 2 {
            pair.restart();
        }
        assert_eq!(pair.engine.next_wakeup(), Some(now.plus(300_000)), "{round}");
        now = now.plus(300_000);
    }
    // The shard restarts during a send.
    assert_eq!(pair.wake(now).sends.len(), 1);
    pair.restart();
    assert_eq!(pair.engine.next_wakeup(), Some(now.plus(300_000)));
}

/// A user's own queue gets the envelope again after the back-off.
#[test]
fn a_user_s_queue_gets_the_envelope_again_after_the_back_off() {
    let mut pair = Pair::new();
    let record =
        format!(r#"{{"time":{NOW},"id":"a","callback":{{"type":"queue","queue":"MINE"}}}}"#);
    pair.append_flagged([("a".to_owned(), NOW, record)], Flags::TO_QUEUE);
    let mut now = NOW;
    for round in 0..6 {
        let effects = pair.wake(now);
        assert_eq!(effects.sends[0].destination, Destination::Queue("MINE".to_owned()));
        let hangs = round % 2 == 0;
        let effects = if hangs {
            pair.engine.send_unanswered(EnvelopeSeq::new(1), now)
        } else {
            pair.engine.send_failed(EnvelopeSeq::new(1), now)
        };
        pair.commit(effects);
        if round % 3 == 0 {
            pair.restart();
        }
        assert_eq!(pair.engine.next_wakeup(), Some(now.plus(1_000 << round)), "{round}");
        now = now.plus(1_000 << round);
    }
}

/// A refused envelope cannot have been started. So if its task expires, it is expired and no dead
/// letter. An envelope that may have been accepted may have been started.
#[test]
fn a_refused_envelope_does_not_count_as_dispatched_before() {
    let expired =
        |seq| Report { seq: EnvelopeSeq::new(seq), expired: vec![0], ..Report::default() };
    type Send = fn(&mut Pair, UnixMillis) -> Effects;
    let refused: Send = |pair, now| pair.engine.send_failed(EnvelopeSeq::new(1), now);
    let hung: Send = |pair, now| pair.engine.send_unanswered(EnvelopeSeq::new(1), now);
    let taken: Send =
        |pair, now| pair.engine.sent(EnvelopeSeq::new(1), now, &pair.storage).unwrap();
    for (first, status) in
        [(refused, None), (hung, Some(Status::Dead)), (taken, Some(Status::Dead))]
    {
        for restart in [false, true] {
            let mut pair = Pair::new();
            pair.append([("a".to_owned(), NOW, record("a", NOW, r#","expireAfterSeconds":60"#))]);
            assert_eq!(ids(&pair.wake(NOW)), ["a"]);
            let effects = first(&mut pair, NOW);
            pair.commit(effects);
            if restart {
                pair.restart();
            }
            let later = pair.engine.next_wakeup().unwrap();
            assert_eq!(pair.wake(later).sends.len(), 1);
            pair.report(&expired(1), later.plus(70_000));
            assert_eq!(pair.status("a"), status, "{restart}");
        }
    }
}
