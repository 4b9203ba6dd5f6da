//! Each kind of defect must be found, and nothing that is right, or that may be either, may be
//! called a defect.

use super::*;

const GRACE: i64 = 10_000;
const CREATED: i64 = 100_000;
const DUE: i64 = 200_000;
const END: i64 = DUE + GRACE + 60_000;

fn ledger(entries: usize) -> Ledger {
    let mut ledger = Ledger::default();
    for _ in 0..entries {
        let n = ledger.add(Kind::Once, Via::Consumer, DUE);
        ledger.sent(n, CREATED - 10);
        ledger.accepted(n, &format!("t{n}"), CREATED, false);
    }
    ledger
}

fn cron(step: i64) -> Ledger {
    let mut ledger = Ledger::default();
    let n = ledger.add(Kind::Cron { step }, Via::Consumer, 0);
    ledger.sent(n, CREATED - 10);
    ledger.accepted(n, "c", CREATED, false);
    ledger
}

/// Fires entry `n` under `id` for `time`. The shard is `late` ms late, and the sink receives it 5
/// ms later.
fn fire_as(ledger: &mut Ledger, n: u64, id: &str, time: i64, late: i64, seq: u64) {
    let arrival = Arrival {
        at_shard: Some(time + late),
        received: time + late + 5,
        envelope: Some((0, seq)),
    };
    ledger.fired(&Fired { n, id, time, attempt: 1, arrival, key_matches: true });
}

fn fire(ledger: &mut Ledger, n: u64, late: i64) {
    fire_as(ledger, n, &format!("t{n}"), DUE, late, n);
}

fn defects(ledger: &Ledger) -> Vec<(Class, String)> {
    ledger.verdict(END, GRACE).defects.into_iter().map(|defect| (defect.class, defect.id)).collect()
}

fn only(class: Class, id: &str) -> Vec<(Class, String)> {
    vec![(class, id.to_owned())]
}

#[test]
fn a_clean_run_has_no_defects_and_its_lateness_is_measured() {
    let mut ledger = ledger(3);
    assert_eq!(ledger.owed(), 3);
    (0..3).for_each(|n| fire(&mut ledger, n, 7));
    assert_eq!(ledger.owed(), 0);
    let verdict = ledger.verdict(END, GRACE);
    assert_eq!(verdict.defects, []);
    assert_eq!(verdict.shard_lateness, [7, 7, 7]);
    assert_eq!(verdict.consumer_lateness, [12, 12, 12]);
    assert_eq!((verdict.counts.accepted, verdict.counts.fired, verdict.received), (3, 3, 3));
    assert_eq!((verdict.first_due, verdict.last_received), (Some(DUE), Some(DUE + 12)));
}

#[test]
fn a_missing_task_is_pending_within_the_grace_and_then_lost() {
    let ledger = ledger(1);
    assert_eq!(defects(&ledger), only(Class::Lost, "t0"));
    let verdict = ledger.verdict(DUE + GRACE, GRACE);
    assert_eq!((verdict.defects.len(), verdict.counts.still_pending), (0, 1));
}

#[test]
fn a_task_received_after_the_grace_is_lost_too() {
    let mut ledger = ledger(1);
    fire(&mut ledger, 0, GRACE + 1);
    assert_eq!(defects(&ledger), only(Class::Lost, "t0"));
}

#[test]
fn a_task_fired_or_received_before_its_time_is_early() {
    let mut at_shard = ledger(1);
    fire(&mut at_shard, 0, -1);
    assert_eq!(defects(&at_shard), only(Class::Early, "t0"));

    let mut webhook = ledger(1);
    let arrival = Arrival { at_shard: None, received: DUE - 1, envelope: None };
    webhook.fired(&Fired { n: 0, id: "t0", time: DUE, attempt: 1, arrival, key_matches: true });
    assert_eq!(defects(&webhook), only(Class::Early, "t0"));
}

#[test]
fn an_early_duplicate_of_a_task_is_early() {
    let mut ledger = ledger(1);
    fire(&mut ledger, 0, 3);
    fire(&mut ledger, 0, -40);
    assert_eq!(defects(&ledger), only(Class::Early, "t0"));
}

#[test]
fn a_record_with_another_time_is_wrong() {
    let mut ledger = ledger(1);
    fire_as(&mut ledger, 0, "t0", DUE - 1_000, 1_500, 1);
    assert_eq!(defects(&ledger), only(Class::WrongTime, "t0"));
}

#[test]
fn a_record_with_another_id_or_key_is_wrong() {
    let mut other_id = ledger(1);
    fire_as(&mut other_id, 0, "somebody", DUE, 1, 1);
    assert_eq!(defects(&other_id), only(Class::WrongIdentity, "t0"));

    let mut before_the_answer = Ledger::default();
    let n = before_the_answer.add(Kind::Once, Via::Consumer, DUE);
    before_the_answer.sent(n, CREATED);
    fire_as(&mut before_the_answer, 0, "somebody", DUE, 1, 1);
    before_the_answer.accepted(n, "t0", DUE + 10, false);
    assert_eq!(defects(&before_the_answer), only(Class::WrongIdentity, "t0"));

    let mut other_key = ledger(1);
    let arrival = Arrival { at_shard: None, received: DUE, envelope: None };
    other_key.fired(&Fired { n: 0, id: "t0", time: DUE, attempt: 1, arrival, key_matches: false });
    assert_eq!(defects(&other_key), only(Class::WrongIdentity, "t0"));
}

#[test]
fn a_task_created_twice_may_fire_under_two_ids() {
    let mut ledger = Ledger::default();
    let n = ledger.add(Kind::Once, Via::Consumer, DUE);
    ledger.sent(n, CREATED);
    ledger.accepted(n, "second", CREATED, true);
    fire_as(&mut ledger, 0, "first", DUE, 1, 1);
    fire_as(&mut ledger, 0, "second", DUE, 1, 2);
    assert_eq!(defects(&ledger), []);
    assert_eq!(ledger.verdict(END, GRACE).duplicates.after_repeated_request, 1);
}

#[test]
fn a_cancelled_task_must_never_fire() {
    let mut kept = ledger(1);
    kept.cancel_answered(0, CancelAnswer::Cancelled, DUE - 500);
    assert_eq!((kept.owed(), defects(&kept)), (0, vec![]));

    let mut broken = ledger(1);
    broken.cancel_answered(0, CancelAnswer::Cancelled, DUE - 500);
    fire(&mut broken, 0, 1);
    assert_eq!(defects(&broken), only(Class::FiredThoughCancelled, "t0"));
}

#[test]
fn a_late_cancel_promises_a_firing() {
    let mut kept = ledger(1);
    kept.cancel_answered(0, CancelAnswer::AlreadyFired, DUE + 5);
    assert_eq!(kept.owed(), 1);
    fire(&mut kept, 0, 1);
    assert_eq!((kept.owed(), defects(&kept)), (0, vec![]));

    let mut broken = ledger(1);
    broken.cancel_answered(0, CancelAnswer::AlreadyFired, DUE + 5);
    assert_eq!(defects(&broken), only(Class::NeverFiredThoughAnswered, "t0"));
}

#[test]
fn already_fired_before_the_due_time_is_a_wrong_answer() {
    let mut ledger = ledger(1);
    ledger.cancel_answered(0, CancelAnswer::AlreadyFired, DUE - 1);
    fire(&mut ledger, 0, 1);
    assert_eq!(defects(&ledger), only(Class::DeniedWhilePending, "t0"));
}

#[test]
fn an_unanswered_cancel_allows_both() {
    for answered in [true, false] {
        for fires in [true, false] {
            let mut ledger = ledger(1);
            ledger.change_sent(0);
            if answered {
                ledger.cancel_answered(0, CancelAnswer::Ambiguous, DUE);
            }
            if fires {
                fire(&mut ledger, 0, 1);
            }
            assert_eq!((ledger.owed(), defects(&ledger)), (0, vec![]));
        }
    }
}

#[test]
fn a_uniform_bulk_cancel_is_binding_for_each_member() {
    let mut all = ledger(2);
    all.group_cancel_answered(&[0, 1], 2, DUE - 1);
    fire(&mut all, 1, 1);
    assert_eq!(defects(&all), only(Class::FiredThoughCancelled, "t1"));

    let mut none = ledger(2);
    none.group_cancel_answered(&[0, 1], 0, DUE + 1);
    fire(&mut none, 1, 1);
    assert_eq!(defects(&none), only(Class::NeverFiredThoughAnswered, "t0"));
}

#[test]
fn a_mixed_bulk_cancel_is_binding_for_the_number_of_firings() {
    let mut kept = ledger(3);
    kept.group_cancel_answered(&[0, 1, 2], 2, DUE + 1);
    assert_eq!(kept.owed(), 1);
    fire(&mut kept, 2, 1);
    assert_eq!((kept.owed(), defects(&kept)), (0, vec![]));

    let mut too_many = ledger(3);
    too_many.group_cancel_answered(&[0, 1, 2], 2, DUE + 1);
    fire(&mut too_many, 1, 1);
    fire(&mut too_many, 2, 900);
    assert_eq!(defects(&too_many), only(Class::FiredThoughCancelled, "t2"));

    let mut too_few = ledger(3);
    too_few.group_cancel_answered(&[0, 1, 2], 2, DUE + 1);
    assert_eq!(defects(&too_few), only(Class::NeverFiredThoughAnswered, "t0"));

    let mut not_due = ledger(3);
    not_due.group_cancel_answered(&[0, 1, 2], 2, DUE - 1);
    fire(&mut not_due, 0, 1);
    assert_eq!(defects(&not_due), only(Class::DeniedWhilePending, "t0"));
}

#[test]
fn a_replaced_version_must_not_fire_after_the_overwrite_is_sent() {
    let mut kept = ledger(1);
    kept.overwrite_answered(0, OverwriteAnswer::Replaced, DUE + 8, DUE + 12);
    fire(&mut kept, 0, 8);
    assert_eq!(defects(&kept), [], "fired before the overwrite was sent");

    let mut broken = ledger(1);
    broken.overwrite_answered(0, OverwriteAnswer::Replaced, DUE + 8, DUE + 12);
    fire(&mut broken, 0, 9);
    assert_eq!(defects(&broken), only(Class::FiredThoughReplaced, "t0"));
}

#[test]
fn a_batch_overwrite_forbids_only_firings_after_its_answer() {
    let mut kept = ledger(1);
    kept.overwrite_answered(0, OverwriteAnswer::Unknown, DUE + 8, DUE + 12);
    fire(&mut kept, 0, 12);
    assert_eq!(defects(&kept), []);

    let mut broken = ledger(1);
    broken.overwrite_answered(0, OverwriteAnswer::Unknown, DUE + 8, DUE + 12);
    fire(&mut broken, 0, 13);
    assert_eq!(defects(&broken), only(Class::FiredThoughReplaced, "t0"));
}

#[test]
fn a_replaced_webhook_is_judged_by_its_due_time() {
    let arrival = Arrival { at_shard: None, received: DUE + 500, envelope: None };
    for (answered, wrong) in [(DUE + 20, false), (DUE - 20, true)] {
        let mut ledger = ledger(1);
        ledger.overwrite_answered(0, OverwriteAnswer::Replaced, answered - 5, answered);
        ledger.fired(&Fired { n: 0, id: "t0", time: DUE, attempt: 1, arrival, key_matches: true });
        assert_eq!(!defects(&ledger).is_empty(), wrong);
    }
}

#[test]
fn an_overwrite_answered_created_promises_that_the_old_version_fired() {
    let mut ledger = ledger(1);
    ledger.overwrite_answered(0, OverwriteAnswer::Created, DUE + 8, DUE + 12);
    assert_eq!(defects(&ledger), only(Class::NeverFiredThoughAnswered, "t0"));
    fire(&mut ledger, 0, 1);
    assert_eq!(defects(&ledger), []);
}

#[test]
fn a_refused_task_is_a_defect_and_its_firing_another() {
    let mut ledger = Ledger::default();
    let n = ledger.add(Kind::Once, Via::Consumer, DUE);
    ledger.sent(n, CREATED);
    ledger.rejected(n, "payload: too long");
    assert_eq!(defects(&ledger), only(Class::Rejected, ""));
    fire(&mut ledger, 0, 1);
    let classes: Vec<Class> =
        ledger.verdict(END, GRACE).defects.iter().map(|defect| defect.class).collect();
    assert_eq!(classes, [Class::Rejected, Class::FiredThoughRejected]);
}

#[test]
fn an_unanswered_creation_requires_nothing() {
    let mut ledger = Ledger::default();
    for _ in 0..2 {
        let n = ledger.add(Kind::Once, Via::Consumer, DUE);
        ledger.sent(n, CREATED);
        ledger.unanswered(n);
    }
    fire(&mut ledger, 0, 1);
    let verdict = ledger.verdict(END, GRACE);
    assert_eq!((verdict.defects.len(), verdict.counts.unanswered), (0, 2));
}

#[test]
fn duplicates_are_counted_by_their_cause() {
    let mut ledger = ledger(2);
    fire(&mut ledger, 0, 1);
    fire(&mut ledger, 0, 1);
    fire_as(&mut ledger, 0, "t0", DUE, 1, 99);
    let hook = Arrival { at_shard: None, received: DUE + 9, envelope: None };
    for attempt in [1, 1, 2] {
        ledger.fired(&Fired {
            n: 1,
            id: "t1",
            time: DUE,
            attempt,
            arrival: hook,
            key_matches: true,
        });
    }
    let verdict = ledger.verdict(END, GRACE);
    assert_eq!(verdict.defects, []);
    let expected = Duplicates {
        total: 4,
        same_envelope: 1,
        other_envelope: 1,
        later_attempt: 1,
        webhook: 1,
        after_repeated_request: 0,
    };
    assert_eq!(verdict.duplicates, expected);
    assert_eq!(verdict.received, 2);
}

#[test]
fn a_firing_of_another_run_is_counted_apart() {
    let mut ledger = ledger(1);
    fire(&mut ledger, 0, 1);
    fire(&mut ledger, 7, 1);
    ledger.stranger();
    let verdict = ledger.verdict(END, GRACE);
    assert_eq!((verdict.strangers, verdict.defects.len()), (2, 0));
}

#[test]
fn a_task_accepted_after_its_time_is_not_in_the_lateness() {
    let mut ledger = Ledger::default();
    let n = ledger.add(Kind::Once, Via::Consumer, DUE);
    ledger.sent(n, DUE - 100);
    ledger.accepted(n, "t0", DUE + 1, false);
    fire(&mut ledger, 0, 50);
    let verdict = ledger.verdict(END, GRACE);
    assert_eq!((verdict.shard_lateness.len(), verdict.counts.accepted_after_due), (0, 1));
}

#[test]
fn a_handler_task_is_only_expected_in_the_servers_counters() {
    let mut ledger = Ledger::default();
    let n = ledger.add(Kind::Once, Via::HandlerNoop, DUE);
    ledger.sent(n, CREATED);
    ledger.accepted(n, "t0", CREATED, false);
    let verdict = ledger.verdict(END, GRACE);
    assert_eq!((ledger.owed(), verdict.defects.len(), verdict.counts.handler_expected), (0, 0, 1));
}

#[test]
fn a_mixed_bulk_cancel_of_handlers_is_expected_in_the_servers_counters() {
    let mut ledger = Ledger::default();
    for id in ["a", "b", "c"] {
        let n = ledger.add(Kind::Once, Via::HandlerNoop, DUE);
        ledger.sent(n, CREATED);
        ledger.accepted(n, id, CREATED, false);
    }
    ledger.group_cancel_answered(&[0, 1, 2], 1, DUE + 1);
    let verdict = ledger.verdict(END, GRACE);
    assert_eq!((ledger.owed(), verdict.defects.len(), verdict.counts.handler_expected), (0, 0, 2));
}

#[test]
fn all_occurrences_between_creation_and_deletion_are_required() {
    let delete = CREATED + 10_500;
    let occurrences = |skip: Option<i64>| {
        let mut ledger = cron(1_000);
        for time in (1..=8).map(|k| CREATED + k * 1_000).filter(|&time| Some(time) != skip) {
            fire_as(&mut ledger, 0, "c", time, 4, 1);
        }
        ledger.cron_delete_sent(0, delete);
        ledger.cron_delete_answered(0, true, delete + 3);
        ledger
    };
    let clean = occurrences(None);
    assert_eq!((clean.cron_missing(i64::MAX), defects(&clean)), (0, vec![]));
    assert_eq!(clean.verdict(END, GRACE).counts.cron_occurrences, 8);

    for gap in [1, 5, 8].map(|k| CREATED + k * 1_000) {
        let gapped = occurrences(Some(gap));
        assert_eq!(gapped.cron_missing(i64::MAX), 1);
        assert_eq!(defects(&gapped), only(Class::CronGap, "c"));
    }
}

#[test]
fn an_occurrence_near_the_deletion_may_be_missing_but_not_one_before_it() {
    let delete = CREATED + 3_500;
    let mut ledger = cron(1_000);
    fire_as(&mut ledger, 0, "c", CREATED + 1_000, 4, 1);
    ledger.cron_delete_sent(0, delete);
    ledger.cron_delete_answered(0, true, delete + 3);
    assert_eq!(defects(&ledger), []);
    fire_as(&mut ledger, 0, "c", CREATED + 3_000, 4, 1);
    assert_eq!(defects(&ledger), only(Class::CronGap, "c"));
}

#[test]
fn an_occurrence_after_the_deletion_or_off_the_step_is_a_defect() {
    let mut after = cron(1_000);
    after.cron_delete_sent(0, CREATED + 500);
    after.cron_delete_answered(0, true, CREATED + 510);
    fire_as(&mut after, 0, "c", CREATED + 1_000, 4, 1);
    assert_eq!(defects(&after), only(Class::FiredThoughCancelled, "c"));

    let mut off = cron(2_000);
    off.cron_delete_sent(0, CREATED + 500);
    off.cron_delete_answered(0, true, CREATED + 5_510);
    fire_as(&mut off, 0, "c", CREATED + 1_000, 4, 1);
    assert_eq!(defects(&off), only(Class::WrongTime, "c"));
}

#[test]
fn a_deletion_of_a_recurring_task_must_find_it() {
    let mut ledger = cron(1_000);
    ledger.cron_delete_sent(0, CREATED + 500);
    ledger.cron_delete_answered(0, false, CREATED + 510);
    assert_eq!(defects(&ledger), only(Class::DeniedWhilePending, "c"));
}

#[test]
fn live_recurring_tasks_may_exist_and_are_not_deleted() {
    let mut ledger = cron(1_000);
    let unanswered = ledger.add(Kind::Cron { step: 1_000 }, Via::Consumer, 0);
    ledger.add(Kind::Cron { step: 1_000 }, Via::Consumer, 0);
    ledger.sent(unanswered, CREATED);
    assert_eq!(ledger.live_crons(), [0, 1], "the third was never sent");
    ledger.cron_delete_sent(0, CREATED + 500);
    assert_eq!(ledger.live_crons(), [1]);
    ledger.cron_delete_sent(1, CREATED + 500);
    ledger.cron_delete_answered(1, false, CREATED + 510);
    assert_eq!(defects(&ledger), [], "it may never have been created");
}
