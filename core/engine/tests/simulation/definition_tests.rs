//! What happens to a task when a definition replaces it, in short sequences: a repeated definition,
//! and patches.

mod pair;

use pair::times;
pub(crate) use pair::{How, NONE, PATCH, PUT, at, every, once};

use crate::regressions::{Pair, ids};
use scheduler_engine::EngineError;
use scheduler_model::protocol::{
    Among, Append, CancelRequest, Cancelled, Change, ChangeRequest, Changed, Failure, Report,
    Status, Terms,
};
use scheduler_model::routing::id_hash;

/// A deploy sends each definition again, sometimes with a changed description. The task keeps its
/// schedule and runs.
#[test]
fn a_definition_repeated_each_second_does_not_keep_a_task_from_firing() {
    for (more, expected) in [("", vec![5_000, 10_000]), (r#","maxRuns":2"#, vec![5_000, 10_000])] {
        let mut pair = Pair::new();
        let mut fired = Vec::new();
        for second in 0..13 {
            let now = second * 1_000;
            if second < 10 {
                let reply = pair.define(
                    &every(5, now + 5_000, &format!(r#"{more},"description":"{second}""#)),
                    PUT,
                    now,
                );
                assert_eq!((reply.created, reply.replaced), (1, u64::from(second > 0)));
                assert_eq!(
                    reply.went_on,
                    u64::from(second > 0),
                    "the anchor differs from the one that was sent"
                );
                assert!(pair.shown().contains(&format!(r#""anchor":{}"#, at(5_000))));
                assert!(pair.shown().contains(&format!(r#""description":"{second}""#)));
            }
            if second % 4 == 3 {
                pair.restart();
            }
            fired.extend(pair.runs(now));
        }
        assert_eq!(fired, expected, "{more}");
        assert_eq!(pair.found().is_none(), !more.is_empty(), "counted runs stay counted");
    }
}

#[test]
fn a_definition_with_another_schedule_starts_a_new_task() {
    for other in [every(6, 8_000, ""), every(5, 8_000, r#","maxRuns":4"#), every(5, 9_000, "")] {
        let mut pair = Pair::new();
        pair.define(&every(5, 5_000, r#","paused":true"#), PUT.saying(), 0);
        let how = How { open_anchor: false, ..PUT };
        pair.define(&other, how, 3_000);
        assert_eq!(pair.found().unwrap().status, Status::Scheduled);
        assert_eq!(
            pair.runs(8_000),
            if other.contains("9000") { vec![] } else { vec![8_000] },
            "{other}"
        );
    }
}

#[test]
fn a_pause_stays_unless_the_definition_says_otherwise() {
    for (record, first) in [(every(5, 5_000, ""), 5_000), (once(5_000, ""), 5_000)] {
        let mut pair = Pair::new();
        pair.define(&record, PUT, 0);
        assert_eq!(pair.change(Change::Pause, 1_000), Changed::Changed);
        pair.define(&record, PUT, 2_000);
        assert_eq!(pair.found().unwrap().status, Status::Paused, "{record}");
        pair.restart();
        assert_eq!(pair.runs(4_000), NONE);
        pair.define(&record, PUT.saying(), 4_500);
        assert_eq!(pair.found().unwrap().status, Status::Scheduled, "{record}");
        assert_eq!(pair.runs(5_000), [first], "{record}");
    }
    let mut pair = Pair::new();
    pair.define(&every(5, 5_000, ""), PUT, 0);
    pair.define(&every(5, 5_000, r#","paused":true"#), PUT.saying(), 1_000);
    assert_eq!(pair.found().unwrap().status, Status::Paused);
    assert_eq!(pair.runs(12_000), NONE);
}

/// A run that is due when the definition is repeated, after an outage or a restart, fires once.
#[test]
fn a_missed_run_fires_once_when_the_definition_is_repeated() {
    let mut pair = Pair::new();
    pair.define(&every(60, 5_000, ""), PUT, 0);
    pair.restart();
    pair.define(&every(60, 70_000, ""), PUT, 10_000);
    assert_eq!(pair.runs(10_001), [5_000]);
    pair.restart();
    pair.define(&every(60, 71_000, ""), PUT, 11_000);
    assert_eq!(pair.runs(11_001), NONE);
    assert_eq!(pair.engine.next_wakeup(), Some(at(65_000)));
}

/// Pending runs stay: a held run, a further attempt, and a requested run.
#[test]
fn pending_runs_stay_when_the_definition_is_repeated() {
    let record = |at| every(5, at, r#","overlap":"queue-one""#);
    let mut pair = Pair::new();
    pair.define(&record(5_000), PUT, 0);
    let first = pair.wake(at(5_000));
    assert_eq!(times(&first), [5_000]);
    assert_eq!(times(&pair.wake(at(10_000))), NONE);
    assert_eq!(pair.statuses(), [Status::Scheduled, Status::Held]);
    pair.define(&record(16_000), PUT, 11_000);
    assert_eq!(pair.statuses(), [Status::Scheduled, Status::Held]);
    pair.report(&Report { seq: first.sends[0].seq, ..Report::default() }, at(12_000));
    assert_eq!(pair.runs(12_000), [10_000]);

    for is_recurring in [true, false] {
        let record = if is_recurring {
            every(60, 60_000, "")
        } else {
            r#"{"id":"a","callback":{"type":"handler","name":"log"}}"#.to_owned()
        };
        let mut pair = Pair::new();
        pair.define(&record, PUT, 0);
        assert_eq!(pair.change(Change::Run, 1_000), Changed::Changed);
        pair.define(&record, PUT, 1_001);
        let fired = pair.wake(at(1_002));
        assert_eq!(times(&fired), [1_000]);
        let failed = Failure { index: 0, error: "no".to_owned(), ..Failure::default() };
        pair.report(
            &Report { seq: fired.sends[0].seq, failed: vec![failed], ..Report::default() },
            at(1_003),
        );
        pair.define(&record, PUT, 1_004);
        assert!(pair.statuses().contains(&Status::Retrying), "{record}");
        assert_eq!(pair.runs(40_000), [1_000]);
    }
}

/// The coordinator repeats a create if its answer was lost. By then the task may have run.
#[test]
fn a_repeated_create_does_not_restart_the_count() {
    let counted = |from: i64| {
        every(
            1,
            1_000,
            &format!(r#","maxRuns":3,"firstRun":{},"finalRun":{}"#, at(from), at(from + 2_000)),
        )
    };
    let cron = format!(
        r#"{{"id":"a","cron":"* * * * * *","maxRuns":3,"firstRun":{},"finalRun":{},"callback":{{"type":"handler","name":"log"}}}}"#,
        at(1_000),
        at(3_000)
    );
    let rule = format!(
        r#"{{"id":"a","rrule":"FREQ=SECONDLY;COUNT=3","startAt":{},"finalRun":{},"callback":{{"type":"handler","name":"log"}}}}"#,
        at(1_000),
        at(3_000)
    );
    for record in [counted(1_000), cron, rule] {
        let mut pair = Pair::new();
        pair.define(&record, PUT, 0);
        let mut fired = pair.runs(1_000);
        pair.define(&record, PUT, 1_200);
        fired.extend((2..9).flat_map(|second| pair.runs(second * 1_000)));
        assert_eq!(fired, [1_000, 2_000, 3_000], "{record}");
        assert!(pair.found().is_none());
    }
}

/// A requested run waits for its limit, and keeps waiting when a patch changes the description.
#[test]
fn a_patch_does_not_undo_a_run_that_waits_for_its_limit() {
    for more in [r#","limitKey":"k""#, r#","expireAfterSeconds":5,"limitKey":"k""#] {
        let mut pair = Pair::new();
        pair.define(&once(600_000, more), PUT, 0);
        assert_eq!(pair.change(Change::Run, 1_000), Changed::Changed);
        assert_eq!(pair.runs(1_000), NONE, "the limiter has not answered");
        let changed = pair
            .shown()
            .replace(r#""callback""#, r#""description":"d","callback""#)
            .replace(r#","replayedAt":1764000001000"#, "");
        pair.define(&changed, PATCH, 2_000);
        let item = pair.found().unwrap();
        assert!(item.position.due <= at(2_000), "{item:?}");
        assert!(item.record.get().contains("replayedAt"), "{}", item.record);
        assert!(item.record.get().contains("description"));
    }
    // A requested run that waits for nothing is due as before.
    let mut pair = Pair::new();
    pair.define(&once(600_000, ""), PUT, 0);
    pair.change(Change::Run, 1_000);
    pair.define(&once(600_000, r#","description":"d""#), PATCH, 1_001);
    assert_eq!(ids(&pair.wake(at(1_002))), ["a"]);
}

/// A patch that ends a pause does the same as `resume`, and a patch that begins one the same as
/// `pause`.
#[test]
fn a_patch_of_the_pause_affects_further_attempts() {
    for by_patch in [true, false] {
        let record = |more: &str| every(5, 5_000, &format!(r#","overlap":"skip"{more}"#));
        let mut pair = Pair::new();
        pair.define(&record(""), PUT, 0);
        let fired = pair.wake(at(5_000));
        let failed = Failure { index: 0, error: "no".to_owned(), ..Failure::default() };
        pair.report(
            &Report { seq: fired.sends[0].seq, failed: vec![failed], ..Report::default() },
            at(5_100),
        );
        assert_eq!(pair.statuses(), [Status::Retrying, Status::Scheduled]);
        if by_patch {
            pair.define(&record(r#","paused":true"#), PATCH.saying(), 5_200);
        } else {
            pair.change(Change::Pause, 5_200);
        }
        assert_eq!(pair.statuses(), [Status::Paused; 2]);
        assert_eq!(pair.runs(60_000), NONE);
        if by_patch {
            pair.define(&record(""), PATCH.saying(), 61_000);
        } else {
            pair.change(Change::Resume, 61_000);
        }
        assert_eq!(pair.statuses(), [Status::Retrying, Status::Scheduled]);
        assert_eq!(pair.runs(61_000), [5_000], "the further attempt");
        assert_eq!(pair.runs(65_000), [65_000], "the task runs again");
    }
}

/// A held run that was released during a pause waits until the pause ends, in whatever way it ends.
#[test]
fn a_held_run_released_in_a_pause_waits_for_its_end() {
    for (overlap, how) in [
        ("queue-one", PATCH.saying()),
        ("queue-one", How { is_patch: true, ..PUT }.saying()),
        ("queue-one", PUT.saying()),
    ] {
        let record = every(5, 5_000, &format!(r#","overlap":"{overlap}""#));
        let mut pair = Pair::new();
        pair.define(&record, PUT, 0);
        let first = pair.wake(at(5_000));
        pair.wake(at(10_000));
        assert_eq!(pair.statuses(), [Status::Scheduled, Status::Held]);
        pair.change(Change::Pause, 11_000);
        pair.report(&Report { seq: first.sends[0].seq, ..Report::default() }, at(12_000));
        assert_eq!(pair.statuses(), [Status::Paused; 2]);
        pair.define(&record, how, 21_000);
        assert_eq!(pair.runs(21_000), [10_000]);
        assert_eq!(pair.runs(25_000), [25_000]);
    }
}

/// A patch applies to a task. What is left of a run, paused or not, is not a task, whatever its
/// status.
#[test]
fn an_attempt_cannot_be_patched() {
    let follow_up = r#","onFailure":{"type":"handler","name":"log"},"retry":{"maxAttempts":1}"#;
    for (more, permanent) in [("", false), (follow_up, true)] {
        let mut pair = Pair::new();
        pair.define(&once(1_000, more), PUT, 0);
        let fired = pair.wake(at(1_000));
        let failed = Failure { index: 0, error: "no".to_owned(), permanent, ..Failure::default() };
        pair.report(
            &Report { seq: fired.sends[0].seq, failed: vec![failed], ..Report::default() },
            at(1_100),
        );
        for change in [None, Some(Change::Pause)] {
            if let Some(change) = change {
                assert_eq!(pair.change(change, 1_200), Changed::Changed);
                assert_eq!(pair.found().unwrap().status, Status::Paused);
            }
            let item = pair.found().unwrap();
            assert!(item.is_attempt);
            let refused = pair.try_define(&once(1_000, r#","description":"d""#), PATCH, 1_300);
            assert!(matches!(refused, Err(EngineError::Conflict(_))), "{refused:?}");
            assert_eq!(pair.shown(), item.record.get(), "attempts and error are kept");
        }
        assert_eq!(pair.change(Change::Resume, 1_400), Changed::Changed);
        // A follow-up starts at once, and a further attempt after its wait.
        let due = pair.found().unwrap().position.due;
        assert_eq!(due <= at(1_400), permanent);
        let fired = pair.wake(due);
        let text = String::from_utf8_lossy(&fired.sends[0].text).into_owned();
        assert!(
            text.contains(if permanent { r#""stage":"onFailure""# } else { r#""attempt":2"# }),
            "{text}"
        );
    }
    let mut pair = Pair::new();
    pair.define(&every(5, 5_000, ""), PUT, 0);
    assert!(!pair.found().unwrap().is_attempt);
}

#[test]
fn a_paused_task_stays_paused_when_it_is_rescheduled() {
    let mut pair = Pair::new();
    pair.define(&once(5_000, ""), PUT, 0);
    assert_eq!(pair.change(Change::Pause, 100), Changed::Changed);
    assert_eq!(pair.change(Change::Reschedule(at(2_000).into()), 200), Changed::Changed);
    assert_eq!(pair.change(Change::Reschedule(at(2_000).into()), 300), Changed::Unchanged);
    assert_eq!(pair.found().unwrap().status, Status::Paused);
    assert_eq!(pair.runs(6_000), NONE);
    assert_eq!(pair.change(Change::Resume, 6_000), Changed::Changed);
    assert_eq!(pair.runs(6_000), [2_000]);
    // A further attempt starts again from the first when it is resumed.
    let mut pair = Pair::new();
    pair.define(&once(1_000, ""), PUT, 0);
    let fired = pair.wake(at(1_000));
    let failed = Failure { index: 0, error: "no".to_owned(), ..Failure::default() };
    pair.report(
        &Report { seq: fired.sends[0].seq, failed: vec![failed], ..Report::default() },
        at(1_100),
    );
    pair.change(Change::Pause, 1_200);
    assert_eq!(pair.change(Change::Reschedule(at(3_000).into()), 1_300), Changed::Changed);
    assert_eq!(pair.statuses(), [Status::Paused]);
    assert_eq!(pair.runs(9_000), NONE);
    pair.change(Change::Resume, 9_000);
    assert_eq!(pair.runs(9_000), [3_000]);
}

/// If a paused task gets another schedule, that schedule has no runs before the patch.
#[test]
fn a_new_schedule_of_a_paused_task_has_no_missed_runs() {
    for misfire in ["fire", "fire-once", "dead-letter"] {
        let more = format!(r#","misfire":{{"policy":"{misfire}"}}"#);
        let mut pair = Pair::new();
        pair.define(&every(31_536_000, 5_000, &more), PUT, 0);
        pair.change(Change::Pause, 1_000);
        let every_second = every(1, 0, &format!(r#"{more},"paused":true"#));
        pair.define(&every_second, PATCH.saying(), 600_500);
        pair.restart();
        assert_eq!(pair.change(Change::Resume, 602_500), Changed::Changed);
        let made_up = pair.runs(602_500);
        // Two runs of the new schedule since the patch. Both are late by less than the grace.
        assert_eq!(made_up, [601_000, 602_000], "{misfire}");
        assert_eq!(pair.statuses(), [Status::Scheduled]);
    }
}

/// A pause may continue past the end of a schedule. The task still exists and can be changed.
#[test]
fn a_task_that_is_paused_past_its_end_can_be_changed() {
    for more in [
        format!(r#","endAt":{}"#, at(9_000)),
        format!(r#","maxRuns":1,"firstRun":{0},"finalRun":{0}"#, at(5_000)),
    ] {
        let mut pair = Pair::new();
        pair.define(&every(5, 5_000, &more), PUT, 0);
        pair.change(Change::Pause, 1_000);
        let described = every(
            5,
            5_000,
            &format!(r#"{more},"description":"d","paused":true"#)
                .replace(&format!(r#","firstRun":{}"#, at(5_000)), ""),
        );
        assert_eq!(pair.define(&described, PATCH.saying(), 60_000).replaced, 1);
        assert!(pair.shown().contains("description"));
        assert_eq!(pair.found().unwrap().status, Status::Paused);
        pair.restart();
        assert_eq!(pair.change(Change::Resume, 61_000), Changed::Changed);
        assert!(pair.found().is_none());
    }
}

/// A dead letter and a task have the same id, as in two epochs of the shard map. A request finds
/// the one that it means. A repeated request leaves the dead letter alone, whatever the first one
/// has done.
#[test]
fn a_request_says_whether_it_means_dead_letters() {
    let dead_and = |lives: bool| {
        let mut pair = Pair::new();
        pair.define(&once(1_000, r#","retry":{"maxAttempts":1}"#), PUT, 0);
        let fired = pair.wake(at(1_000));
        let failed =
            Failure { index: 0, error: "no".to_owned(), permanent: true, ..Failure::default() };
        pair.report(
            &Report { seq: fired.sends[0].seq, failed: vec![failed], ..Report::default() },
            at(1_100),
        );
        if lives {
            pair.define(&once(60_000, ""), PUT, 2_000);
        }
        pair
    };
    let sorted = |pair: &Pair| {
        let mut statuses = pair.statuses();
        statuses.sort_by_key(|status| format!("{status:?}"));
        statuses
    };
    let ids = || vec!["a".to_owned()];
    for (lives, among, found) in [
        (true, Among::All, true),
        (true, Among::Live, true),
        (true, Among::Dead, true),
        (false, Among::All, true),
        (false, Among::Live, false),
        (false, Among::Dead, true),
        (false, Among::All.again(), false),
        (false, Among::Dead.again(), true),
    ] {
        let mut pair = dead_and(lives);
        let request = CancelRequest { ids: ids(), if_match: None };
        let (reply, effects) =
            pair.engine.cancel_among(&request, among, at(3_000), &pair.storage).unwrap();
        pair.commit(effects);
        assert_eq!(
            reply.outcomes,
            [if found { Cancelled::Cancelled } else { Cancelled::NotFound }],
            "{lives} {among:?}"
        );
        let left = match (lives, among) {
            (true, Among::Dead) => vec![Status::Scheduled],
            (true, _) => vec![Status::Dead],
            (false, Among::Live) => vec![Status::Dead],
            (false, _) => vec![],
        };
        assert_eq!(sorted(&pair), left, "{lives} {among:?}");

        let mut pair = dead_and(lives);
        let request = ChangeRequest {
            ids: ids(),
            change: Change::Reschedule(at(90_000).into()),
            if_match: None,
        };
        let (reply, effects) =
            pair.engine.change_among(&request, among, None, at(3_000), &pair.storage).unwrap();
        pair.commit(effects);
        assert_eq!(
            reply.outcomes,
            [if found { Changed::Changed } else { Changed::NotFound }],
            "{lives} {among:?}"
        );
        let left = match (lives, among) {
            (true, Among::Dead) => vec![Status::Scheduled, Status::Scheduled],
            (true, _) => vec![Status::Dead, Status::Scheduled],
            (false, Among::Live) => vec![Status::Dead],
            (false, _) => vec![Status::Scheduled],
        };
        assert_eq!(sorted(&pair), left, "{lives} {among:?}");
    }
}

/// A task of an older epoch continues where it is if the request has its schedule. The request
/// leaves other tasks alone.
#[test]
fn a_task_continues_on_its_own_shard() {
    let mut pair = Pair::new();
    pair.define(&every(5, 5_000, ""), PUT, 0);
    pair.change(Change::Pause, 1_000);
    let hash = id_hash("a");
    let mut go_on = |record: &str, now| {
        let terms = Terms { open_anchors: vec![hash], ..Terms::default() };
        let append =
            Append { schedules: vec![record.as_bytes().to_vec()], terms, ..Append::default() };
        let (reply, effects) = pair.engine.go_on_here(append, at(now), &pair.storage).unwrap();
        let writes = effects.writes.len();
        pair.commit(effects);
        (reply.unwrap().went_on, writes, pair.shown())
    };
    let (went_on, writes, shown) = go_on(&every(5, 9_000, r#","description":"d""#), 4_000);
    assert_eq!((went_on, writes), (vec![true], 1));
    assert!(
        shown.contains(&format!(r#""anchor":{}"#, at(5_000)))
            && shown.contains(r#""paused":true"#)
            && shown.contains("\"d\"")
    );
    let other = every(6, 9_000, "").replace(r#""id":"a""#, r#""id":"b""#);
    for record in [every(6, 9_000, ""), other] {
        let (went_on, writes, _) = go_on(&record, 4_000);
        assert_eq!((went_on, writes), (vec![false], 0), "{record}");
    }
}
