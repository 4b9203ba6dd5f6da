//! Definitions that change the delay of a one-shot task, in short sequences.

use crate::definition_tests::{NONE, PATCH, PUT, at, once};
use crate::regressions::{NOW, Pair};
use scheduler_model::protocol::{Failure, Report, Status};
use scheduler_model::task::Record;

/// A due run waits for its limit. A new jitter or window delayed it again, past its expiry.
#[test]
fn a_run_that_is_due_stays_due_whatever_its_delay() {
    let task = |delay: &str| once(0, &format!(r#"{delay},"expireAfterSeconds":60,"limitKey":"k""#));
    for (first, then) in [
        ("", r#","jitterSeconds":600"#),
        ("", r#","windowSeconds":300"#),
        (r#","jitterSeconds":20"#, ""),
        (r#","jitterSeconds":20"#, r#","jitterSeconds":600"#),
    ] {
        for how in [PATCH, PUT] {
            let mut pair = Pair::new();
            pair.define(&task(first), PUT, -1_000);
            assert_eq!(pair.runs(20_000), NONE, "the limiter has not answered");
            let was = pair.found().unwrap().position.due;
            assert!((at(0)..=at(20_000)).contains(&was), "{was}");
            pair.define(&task(then), how, 21_000);
            pair.restart();
            let item = pair.found().unwrap();
            assert_eq!(
                (item.status, item.position.due),
                (Status::Scheduled, was),
                "{first}, then {then}"
            );
            // Its lateness does not count from a time before it was due.
            let record = Record::parse(item.record.get().as_bytes()).unwrap();
            assert!(record.start() >= was, "{}", item.record);
        }
    }
}

/// A run that is not due is planned by the new delay from its own time. It is not late if that time
/// has passed.
#[test]
fn a_run_that_is_not_due_is_planned_by_its_new_delay() {
    let task = |delay: &str| {
        once(
            0,
            &format!(
                r#"{delay},"misfire":{{"policy":"skip","graceSeconds":1}},"expireAfterSeconds":5"#
            ),
        )
    };
    let delays =
        [r#","windowSeconds":900"#, r#","jitterSeconds":600"#, r#","jitterSeconds":0.001"#, ""];
    let mut put_off = 0;
    for then in delays {
        let mut pair = Pair::new();
        pair.define(&task(r#","windowSeconds":1800"#), PUT, -1_000);
        let planned = pair.found().unwrap().position.due;
        assert!(planned > at(60_000), "{planned}");
        let expected = Record::parse(task(then).as_bytes()).unwrap().due().max(at(30_000));
        pair.define(&task(then), PATCH, 30_000);
        assert_eq!(pair.found().unwrap().position.due, expected, "{then}");
        put_off += usize::from(expected > at(30_000));
        pair.restart();
        assert_eq!(pair.runs(expected.since(NOW)), [0], "{then}");
    }
    assert!((1..delays.len() - 1).contains(&put_off), "{put_off}");
}

/// The first attempt is in flight and fails. The expiry counts from the time at which the run was
/// due.
#[test]
fn a_patch_of_the_delay_in_flight_does_not_move_the_expiry() {
    let task = |delay: &str| {
        once(
            0,
            &format!(
                r#"{delay},"expireAfterSeconds":600,"retry":{{"minBackoffSeconds":300,"jitter":0}}"#
            ),
        )
    };
    let mut pair = Pair::new();
    pair.define(&task(r#","jitterSeconds":3600"#), PUT, -1_000);
    let due = pair.found().unwrap().position.due.since(NOW);
    assert!(due > 400_000, "{due}");
    let sent = pair.wake(at(due)).sends;
    pair.define(&task(""), PATCH, due + 100);
    let failed = Failure { index: 0, error: "no".to_owned(), ..Failure::default() };
    pair.report(
        &Report { seq: sent[0].seq, failed: vec![failed], ..Report::default() },
        at(due + 200),
    );
    assert_eq!(pair.statuses(), [Status::Retrying]);
    assert_eq!(pair.runs(due + 300_200), [0]);
}
