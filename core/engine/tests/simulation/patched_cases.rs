//! Tasks whose destination is patched while an attempt is in flight. Whatever they cause later goes
//! to the new destination.

use crate::definition_tests::{PATCH, PUT, at};
use crate::regressions::Pair;
use scheduler_engine::Destination;
use scheduler_model::protocol::{Change, Failure, Report, Status};

const HANDLER: &str = r#"{"type":"handler","name":"log"}"#;
const QUEUE: &str = r#"{"type":"queue","queue":"OTHER"}"#;

fn once(time: i64, callback: &str, more: &str) -> String {
    format!(r#"{{"time":{},"id":"a"{more},"callback":{callback}}}"#, at(time))
}

/// Returns a dead letter of a task that was sent to the dispatchers and patched to go to a queue
/// while its attempt was in flight. `end` completes the report of the attempt.
fn dead_letter(more: &str, restarts: bool, end: impl Fn(&mut Report)) -> Pair {
    let mut pair = Pair::new();
    pair.define(&once(1_000, HANDLER, more), PUT, 0);
    let sent = pair.wake(at(1_000)).sends;
    assert_eq!(sent[0].destination, Destination::Dispatch);
    pair.define(&once(1_000, QUEUE, more), PATCH, 1_100);
    let mut report = Report { seq: sent[0].seq, ..Report::default() };
    end(&mut report);
    pair.report(&report, at(400_000));
    assert_eq!(pair.statuses(), [Status::Dead]);
    if restarts {
        pair.restart();
    }
    pair
}

fn fail(report: &mut Report) {
    report.failed =
        vec![Failure { index: 0, error: "no".to_owned(), permanent: true, ..Failure::default() }];
}

fn goes_to_the_queue(pair: &mut Pair, now: i64) {
    let sent = pair.wake(at(now)).sends;
    assert_eq!(
        sent.iter().map(|sent| sent.destination.clone()).collect::<Vec<_>>(),
        [Destination::Queue("OTHER".to_owned())]
    );
}

/// The replay went to the dispatchers, which cannot send it to the user's queue.
#[test]
fn a_dead_letter_that_was_patched_to_a_queue_is_replayed_there() {
    for restarts in [false, true] {
        let mut pair = dead_letter("", restarts, fail);
        assert_eq!(pair.change(Change::Run, 401_000), scheduler_model::protocol::Changed::Changed);
        goes_to_the_queue(&mut pair, 401_000);
    }
}

#[test]
fn a_dead_letter_that_was_patched_to_a_queue_is_rescheduled_to_it() {
    for restarts in [false, true] {
        let mut pair = dead_letter("", restarts, fail);
        pair.change(Change::Reschedule(at(402_000).into()), 401_000);
        goes_to_the_queue(&mut pair, 402_000);
    }
}

/// The attempt was sent again, and no dispatcher had started it in time.
#[test]
fn an_expired_run_that_was_patched_to_a_queue_is_replayed_there() {
    let mut pair = Pair::new();
    let record = |callback| once(1_000, callback, r#","expireAfterSeconds":60"#);
    pair.define(&record(HANDLER), PUT, 0);
    let sent = pair.wake(at(1_000)).sends;
    pair.define(&record(QUEUE), PATCH, 1_100);
    assert_eq!(pair.wake(at(302_000)).sends.len(), 1, "a redelivery after the visibility timeout");
    pair.report(&Report { seq: sent[0].seq, expired: vec![0], ..Report::default() }, at(400_000));
    assert_eq!(pair.statuses(), [Status::Dead]);
    pair.change(Change::Run, 401_000);
    goes_to_the_queue(&mut pair, 401_000);
}
