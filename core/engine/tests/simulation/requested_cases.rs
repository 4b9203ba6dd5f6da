//! Pauses of runs that do not wait for their own time: further attempts before their start, and
//! requested runs.

use crate::definition_tests::{PATCH, PUT, at, every, once};
use crate::regressions::Pair;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{Change, Changed, Failure, Report, Status};

/// With this policy, the second attempt starts exactly a minute after the first has failed.
const RETRY: &str = r#","retry":{"minBackoffSeconds":60,"jitter":0}"#;

fn failed(seq: EnvelopeSeq) -> Report {
    let failed = vec![Failure { index: 0, error: "no".to_owned(), ..Failure::default() }];
    Report { seq, failed, ..Report::default() }
}

/// Returns when the waiting entry is due, in milliseconds after the start.
fn due(pair: &Pair) -> i64 {
    pair.found().unwrap().position.due.since(at(0))
}

/// A resume started the attempt at once. So a short pause of all tasks sent every waiting attempt
/// to a receiver that had requested a wait.
#[test]
fn the_wait_before_an_attempt_continues_while_it_is_paused() {
    for paused_while_it_runs in [false, true] {
        let mut pair = Pair::new();
        pair.define(&once(1_000, RETRY), PUT, 0);
        let fired = pair.wake(at(1_000));
        if paused_while_it_runs {
            assert_eq!(pair.change(Change::Pause, 1_050), Changed::Changed);
        }
        pair.report(&failed(fired.sends[0].seq), at(1_100));
        if !paused_while_it_runs {
            assert_eq!(due(&pair), 61_100);
            assert_eq!(pair.change(Change::Pause, 1_200), Changed::Changed);
        }
        pair.restart();
        assert_eq!(pair.found().unwrap().status, Status::Paused);
        assert_eq!(pair.change(Change::Resume, 1_300), Changed::Changed);
        assert_eq!(due(&pair), 61_100, "paused while it runs: {paused_while_it_runs}");
        assert!(!pair.found().unwrap().record.get().contains("notBefore"));
        // The wait ends during a pause that is longer.
        pair.change(Change::Pause, 2_000);
        pair.change(Change::Resume, 70_000);
        assert_eq!(due(&pair), 70_000);
        // A run is requested now.
        pair.change(Change::Pause, 70_001);
        pair.change(Change::Run, 70_002);
        assert_eq!(due(&pair), 70_002);
    }
}

/// The same for a recurring task that is paused by a definition.
#[test]
fn the_wait_before_an_attempt_continues_while_a_definition_pauses_it() {
    let record = |more: &str| every(3_600, 1_000, &format!("{RETRY}{more}"));
    let mut pair = Pair::new();
    pair.define(&record(""), PUT, 0);
    let fired = pair.wake(at(1_000));
    pair.report(&failed(fired.sends[0].seq), at(1_100));
    pair.define(&record(r#","paused":true"#), PUT.saying(), 1_200);
    pair.define(&record(""), PUT.saying(), 1_300);
    assert_eq!(pair.statuses(), [Status::Retrying, Status::Scheduled]);
    assert_eq!(pair.runs(61_099), [] as [i64; 0]);
    assert_eq!(pair.runs(61_100), [1_000]);
}

/// A resume planned the task for its own time again, and lost the requested run.
#[test]
fn a_waiting_requested_run_continues_after_a_pause() {
    for more in [r#","limitKey":"k""#, r#","limitKey":"k","expireAfterSeconds":60"#] {
        for by_patch in [false, true] {
            let mut pair = Pair::new();
            let task = once(600_000, more);
            pair.define(&task, PUT, 0);
            assert_eq!(pair.change(Change::Run, 1_000), Changed::Changed);
            pair.wake(at(1_000));
            let paused = once(600_000, &format!(r#"{more},"paused":true"#));
            if by_patch {
                pair.define(&paused, PATCH.saying(), 2_000);
            } else {
                pair.change(Change::Pause, 2_000);
            }
            assert_eq!(pair.found().unwrap().status, Status::Paused);
            pair.restart();
            if by_patch {
                pair.define(&task, PATCH.saying(), 3_000);
            } else {
                pair.change(Change::Resume, 3_000);
            }
            assert!(due(&pair) <= 3_000, "due at {}, by a patch: {by_patch}", due(&pair));
            // With another time, it is the task itself again.
            pair.change(Change::Reschedule(at(700_000).into()), 4_000);
            assert_eq!(due(&pair), 700_000);
            assert!(!pair.found().unwrap().record.get().contains("replayedAt"));
        }
    }
}

/// A run that was requested after the task's time counted as missed while it waited for its limit.
#[test]
fn a_requested_run_is_never_missed() {
    for policy in ["skip", "dead-letter"] {
        let mut pair = Pair::new();
        let more = format!(
            r#","limitKey":"k","misfire":{{"policy":"{policy}","graceSeconds":1}},"paused":true"#
        );
        pair.define(&once(1_000, &more), PUT.saying(), 0);
        assert_eq!(pair.change(Change::Run, 60_000), Changed::Changed);
        for now in [60_000, 65_000, 90_000] {
            pair.wake(at(now));
            assert_eq!(
                pair.found().map(|item| item.status),
                Some(Status::Scheduled),
                "{policy} at {now}"
            );
        }
        assert!(pair.outcomes().is_empty(), "{:?}", pair.outcomes());
    }
}

/// The expiry of a requested run counts from the request, even if the task's own time is in the far
/// future.
#[test]
fn a_requested_run_expires_after_its_request() {
    let mut pair = Pair::new();
    pair.define(&once(600_000, r#","limitKey":"k","expireAfterSeconds":5"#), PUT, 0);
    pair.change(Change::Run, 1_000);
    pair.wake(at(6_000));
    assert!(pair.found().is_some());
    pair.wake(at(6_100));
    assert!(pair.found().is_none());
}
