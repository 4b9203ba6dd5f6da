//! Held runs of recurring tasks that have ended or were patched, and the pauses of their ids, in
//! short sequences.

use crate::definition_tests::{PATCH, PUT, at, every, once};
use crate::regressions::Pair;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{Change, Changed, Report, Status};

fn ended(seq: EnvelopeSeq) -> Report {
    Report { seq, ..Report::default() }
}

/// A task with a run in flight and a held run, which a patch has given a single time.
fn patched(paused: &str) -> (Pair, EnvelopeSeq) {
    let record = |more: &str| every(5, 5_000, &format!(r#","overlap":"queue-one"{more}"#));
    let mut pair = Pair::new();
    pair.define(&record(""), PUT, 0);
    let fired = pair.wake(at(5_000));
    pair.wake(at(10_000));
    assert_eq!(pair.statuses(), [Status::Scheduled, Status::Held]);
    if !paused.is_empty() {
        pair.change(Change::Pause, 11_000);
    }
    pair.define(&once(600_000, paused), PATCH.saying(), 12_000);
    (pair, fired.sends[0].seq)
}

/// The pause of the task did not stop the held run, because its recurring task was gone.
#[test]
fn a_pause_after_a_patch_to_a_single_time_stops_the_held_run() {
    for by_patch in [false, true] {
        let (mut pair, seq) = patched("");
        if by_patch {
            pair.define(&once(600_000, r#","paused":true"#), PATCH.saying(), 13_000);
        } else {
            assert_eq!(pair.change(Change::Pause, 13_000), Changed::Changed);
        }
        assert_eq!(pair.statuses(), [Status::Paused; 2]);
        pair.restart();
        if by_patch {
            pair.define(&once(600_000, ""), PATCH.saying(), 14_000);
        } else {
            assert_eq!(pair.change(Change::Resume, 14_000), Changed::Changed);
        }
        assert_eq!(pair.statuses(), [Status::Scheduled, Status::Held]);
        pair.change(Change::Pause, 15_000);
        pair.report(&ended(seq), at(16_000));
        assert_eq!(pair.runs(17_000), [0; 0]);
        pair.change(Change::Resume, 18_000);
        assert_eq!(pair.runs(18_000), [10_000]);
    }
}

/// A patch to a single time leaves the task paused. The held run waits for the end of the pause, as
/// it did before the patch.
#[test]
fn a_patch_of_a_paused_task_does_not_start_its_held_run() {
    let (mut pair, seq) = patched(r#","paused":true"#);
    assert_eq!(pair.statuses(), [Status::Held, Status::Paused]);
    pair.report(&ended(seq), at(16_000));
    assert_eq!(pair.statuses(), [Status::Paused; 2]);
    assert_eq!(pair.runs(17_000), [0; 0]);
    pair.change(Change::Resume, 18_000);
    assert_eq!(pair.runs(18_000), [10_000]);
}

/// A patch pauses the task and gives it a single time.
#[test]
fn a_patch_to_a_paused_single_time_stops_the_held_run() {
    let record = every(5, 5_000, r#","overlap":"queue-one""#);
    let mut pair = Pair::new();
    pair.define(&record, PUT, 0);
    let fired = pair.wake(at(5_000));
    pair.wake(at(10_000));
    pair.define(&once(600_000, r#","paused":true"#), PATCH.saying(), 12_000);
    assert_eq!(pair.statuses(), [Status::Paused; 2]);
    pair.report(&ended(fired.sends[0].seq), at(16_000));
    assert_eq!(pair.runs(17_000), [0; 0]);
    pair.change(Change::Resume, 18_000);
    assert_eq!(pair.runs(18_000), [10_000]);
}
