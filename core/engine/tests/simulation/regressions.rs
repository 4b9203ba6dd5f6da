//! Failures that were found once, and cases that seeds reach too rarely: short sequences, each with
//! its reason.

mod pair;

pub(crate) use pair::{NOW, Pair, ids, record};

use crate::runner;
use scheduler_calendar::delay::Delay;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Config, Engine, Keep, Write};
use scheduler_model::bounds::{MAX_ENVELOPE_BYTES, MAX_OUTCOME_BYTES, MAX_RECORD_BYTES};
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{
    Append, Change, ChangeRequest, Changed, Detail, Failure, Report, Status,
};
use std::collections::BTreeSet;

/// A record of the largest size grows when it fails. It exceeded the limit for new records, was
/// dropped, and counted as a success.
#[test]
fn the_largest_record_is_retried_and_kept() {
    let mut pair = Pair::new();
    pair.append([("a".to_owned(), NOW, record("a", NOW, MAX_RECORD_BYTES))]);
    let mut now = NOW;
    for seq in 1..=10 {
        let effects = pair.wake(now);
        assert_eq!(ids(&effects), ["a"], "attempt {seq}");
        assert!(effects.sends[0].text.len() <= MAX_ENVELOPE_BYTES);
        // JSON needs six bytes for each of these characters.
        let failed = vec![Failure { index: 0, error: "\u{1}".repeat(1_000), ..Failure::default() }];
        pair.report(&Report { seq: EnvelopeSeq::new(seq), failed, ..Report::default() }, now);
        pair.restart();
        let expected = if seq == 10 { Status::Dead } else { Status::Retrying };
        assert_eq!(pair.status("a"), Some(expected), "after attempt {seq}");
        now = now.plus(3_600_000);
    }
    assert_eq!(pair.engine.stats(now).counters.succeeded, 0);
}

/// The follow-up of the largest record also has an outcome and attempts, and must still fit a
/// message.
#[test]
fn the_largest_follow_up_fits_a_message() {
    let mut pair = Pair::new();
    let retry = r#""retry":{"maxAttempts":3,"maxDurationSeconds":86400},"onFailure":{"type":"handler","name":"log"},"payload""#;
    let largest =
        record("a", NOW, MAX_RECORD_BYTES - MAX_OUTCOME_BYTES - retry.len() + "\"payload\"".len());
    let largest = largest.replacen("\"payload\"", retry, 1);
    assert_eq!(largest.len(), MAX_RECORD_BYTES - MAX_OUTCOME_BYTES);
    pair.append([("a".to_owned(), NOW, largest)]);
    let mut now = NOW;
    for seq in 1..=6 {
        let effects = pair.wake(now);
        assert_eq!(ids(&effects), ["a"], "attempt {seq}");
        assert!(
            effects.sends[0].text.len() <= MAX_ENVELOPE_BYTES,
            "attempt {seq}: {}",
            effects.sends[0].text.len()
        );
        // JSON needs six bytes for each of these characters.
        let failed = vec![Failure { index: 0, error: "\u{1}".repeat(1_000), ..Failure::default() }];
        let excerpt = "\u{1}".repeat(1_000);
        let details = vec![Detail {
            index: 0,
            status: Some(500),
            started_at: now,
            millis: u32::MAX,
            excerpt,
        }];
        pair.report(
            &Report { seq: EnvelopeSeq::new(seq), failed, details, ..Report::default() },
            now,
        );
        pair.restart();
        now = now.plus(3_600_000);
    }
    assert_eq!(pair.engine.stats(now).dead_letters, 2, "the run and its follow-up");
    assert!(pair.engine.is_idle());
}

/// A shard that was restored from a point in time assigns numbers of envelopes again. A report of
/// the earlier envelope must not end the new one.
#[test]
fn a_report_from_before_a_restore_ends_nothing() {
    let mut pair = Pair::new();
    pair.append([("a".to_owned(), NOW, record("a", NOW, 0))]);
    let before = pair.storage.snapshot();
    // What is committed here is not in the restored storage.
    assert_eq!(ids(&pair.engine.wake(NOW, &pair.storage).unwrap()), ["a"]);
    let config = Config { max_dispatched: usize::MAX, ..Config::default() };
    let mut restored = Engine::load("1-0", config, before).unwrap();
    // The task fires again some time later, in the envelope with the same number.
    let later = NOW.plus(60_000);
    let effects = restored.wake(later, &pair.storage).unwrap();
    assert_eq!(ids(&effects), ["a"]);
    let Some(Write::InsertEnvelope { seq, text, .. }) = effects.writes.first() else {
        panic!("{effects:?}")
    };
    pair.storage.outbox.insert(*seq, crate::storage::EnvelopeRow::of(text.clone()));
    for (fired_at, in_flight) in [(Some(NOW), 1), (Some(NOW.plus(1)), 1), (Some(later), 0)] {
        let report = Report { seq: *seq, fired_at, ..Report::default() };
        restored.report(&report, later, &pair.storage).unwrap();
        assert_eq!(restored.stats(later).in_flight, in_flight, "{fired_at:?}");
    }
}

/// A repeated report finds its envelope gone, so no follow-up is added twice, even if the history
/// keeps nothing.
#[test]
fn a_repeated_report_adds_no_second_follow_up() {
    for history in [Keep::All, Keep::Off] {
        let mut pair = Pair::new();
        pair.engine =
            Engine::load("1-0", Config { history, ..Config::default() }, pair.storage.snapshot())
                .unwrap();
        let log = r#"{"type":"handler","name":"log"}"#;
        let record = format!(r#"{{"time":{NOW},"id":"a","callback":{log},"onSuccess":{log}}}"#);
        pair.append([("a".to_owned(), NOW, record)]);
        assert_eq!(ids(&pair.wake(NOW)), ["a"]);
        let report = Report { seq: EnvelopeSeq::new(1), ..Report::default() };
        pair.report(&report, NOW);
        pair.report(&report, NOW);
        assert_eq!(pair.engine.stats(NOW).pending, 1);
        let why = |pair: &Pair| {
            pair.engine.explain("a", NOW, &pair.storage).unwrap().reasons.remove(0).detail
        };
        let of_it = "The follow-up onSuccess of the run of 2025-11-24T16:00:00";
        assert!(
            why(&pair).starts_with(of_it) && why(&pair).contains(" starts at "),
            "{}",
            why(&pair)
        );
        assert_eq!(ids(&pair.wake(NOW.plus(200))), ["a"]);
        assert!(
            why(&pair).starts_with(of_it) && why(&pair).contains("attempt 1 was dispatched"),
            "{}",
            why(&pair)
        );
        pair.report(&report, NOW.plus(200));
        pair.report(&Report { seq: EnvelopeSeq::new(2), ..Report::default() }, NOW.plus(200));
        assert!(pair.engine.is_idle(), "a follow-up has no follow-up");
    }
}

/// More tasks are due at one instant than a firing takes, by number or by bytes, with a restart
/// after each firing. The watermark is among equal times, and each task fires once, in order.
#[test]
fn many_tasks_of_one_instant_fire_once_each() {
    for (tasks, bytes) in [(41_000, 80), (90, 110_000)] {
        let mut pair = Pair::new();
        for request in 0..10 {
            let ids = (0..tasks / 10).map(|n| format!("{:05}", request * (tasks / 10) + n));
            pair.append(ids.map(|id| (id.clone(), NOW, record(&id, NOW, bytes))));
        }
        let mut fired = Vec::new();
        let mut rounds = 0;
        while pair.engine.next_wakeup().is_some_and(|at| at <= NOW) {
            fired.extend(ids(&pair.wake(NOW)));
            pair.restart();
            rounds += 1;
        }
        assert!(rounds > 1, "{rounds}");
        assert!(
            fired.is_sorted()
                && fired.len() == tasks
                && fired.iter().collect::<BTreeSet<_>>().len() == tasks
        );
        assert!(pair.storage.pages.is_empty());
    }
}

/// The same with recurring tasks: at the watermark's own instant, some occurrences have fired and
/// others have not.
#[test]
fn many_recurring_tasks_of_one_instant_fire_once_each() {
    let mut pair = Pair::new();
    let record = |n: usize| {
        format!(
            r#"{{"id":"{n:05}","cron":"0 0 * * * *","callback":{{"type":"handler","name":"log"}}}}"#
        )
    };
    let schedules = (0..4_010).map(|n| record(n).into_bytes()).collect();
    let append = Append { schedules, ..Append::default() };
    let (_, effects) = pair.engine.append(append, NOW, &pair.storage).unwrap();
    pair.commit(effects);
    let hour = NOW.plus(3_600_000);
    let mut fired = Vec::new();
    let mut rounds = 0;
    while pair.engine.next_wakeup().is_some_and(|at| at <= hour) {
        fired.extend(ids(&pair.wake(hour)));
        pair.restart();
        rounds += 1;
    }
    assert_eq!(rounds, 2, "a firing takes a few thousand");
    assert!(
        fired.is_sorted()
            && fired.len() == 4_010
            && fired.iter().collect::<BTreeSet<_>>().len() == 4_010
    );
}

/// The commit that fires the last run of a recurring task deletes its row. A restart before that
/// changes nothing. If the shard accepts a request later than it was sent, it counts the runs
/// again.
#[test]
fn a_schedule_that_has_ended_leaves_nothing() {
    let mut pair = Pair::new();
    let record = |first: i64, last: i64| {
        format!(
            r#"{{"id":"a","everySeconds":1,"anchor":{NOW},"maxRuns":3,"firstRun":{first},"finalRun":{last},"callback":{{"type":"handler","name":"log"}}}}"#
        )
    };
    let asked = record(NOW.get(), NOW.get() + 2_000);
    let append = Append { schedules: vec![asked.into_bytes()], ..Append::default() };
    let now = NOW.plus(4_500);
    let (_, effects) = pair.engine.append(append, now, &pair.storage).unwrap();
    pair.commit(effects);
    let stored = pair.engine.get("a", &pair.storage).unwrap().unwrap();
    assert_eq!(stored.record.get(), record(NOW.get() + 5_000, NOW.get() + 7_000));
    for second in 5..=7 {
        pair.restart();
        assert_eq!(pair.engine.next_wakeup(), Some(NOW.plus(second * 1_000)));
        assert_eq!(ids(&pair.wake(NOW.plus(second * 1_000))), ["a"]);
    }
    assert!(pair.storage.schedules.is_empty());
    for seq in 1..=3 {
        pair.report(&Report { seq: EnvelopeSeq::new(seq), ..Report::default() }, NOW.plus(9_000));
    }
    assert!(pair.engine.is_idle() && pair.status("a").is_none());
    pair.restart();
    assert!(pair.engine.is_idle() && pair.status("a").is_none());
}

/// A task whose end comes while it is paused is removed when it is resumed. A change that keeps the
/// schedule does not count its runs again: the last run stays, without a first one.
#[test]
fn a_counted_schedule_keeps_its_last_run() {
    let record = |more: &str| {
        format!(
            r#"{{"id":"a","everySeconds":1,"anchor":{},"maxRuns":3,{more}"finalRun":{},"callback":{{"type":"handler","name":"log"}}}}"#,
            NOW.get() + 1_000,
            NOW.get() + 3_000
        )
    };
    let append = |record: String, now| {
        let mut pair = Pair::new();
        let append = Append { schedules: vec![record.into_bytes()], ..Append::default() };
        let (_, effects) = pair.engine.append(append, now, &pair.storage).unwrap();
        pair.commit(effects);
        pair
    };
    let first = format!(r#""firstRun":{},"#, NOW.get() + 1_000);
    for (later, is_left) in [(2_500, true), (3_500, false)] {
        let mut pair = append(record(&first), NOW);
        for (change, now) in [(Change::Pause, 500), (Change::Resume, later)] {
            let request =
                ChangeRequest { ids: vec!["a".to_owned()], change, if_match: None, pause: None };
            let (reply, effects) =
                pair.engine.change(&request, NOW.plus(now), &pair.storage).unwrap();
            assert_eq!(reply.outcomes, [Changed::Changed]);
            pair.commit(effects);
        }
        for _ in 0..2 {
            assert_eq!(pair.engine.next_wakeup(), is_left.then(|| NOW.plus(3_000)));
            assert_eq!(pair.storage.schedules.len(), usize::from(is_left));
            pair.restart();
        }
    }
    let mut pair = append(record(""), NOW.plus(1_500));
    assert_eq!(pair.engine.get("a", &pair.storage).unwrap().unwrap().record.get(), record(""));
    for second in [2, 3] {
        assert_eq!(ids(&pair.wake(NOW.plus(second * 1_000))), ["a"]);
    }
    assert!(pair.storage.schedules.is_empty());
}

/// A delayed run is still to come after its own time. A restart and a repeated request find it.
#[test]
fn a_delayed_run_is_not_lost() {
    let record = r#"{"id":"a","cron":"0 * * * *","jitterSeconds":3000,"callback":{"type":"handler","name":"log"}}"#;
    let append = || Append { schedules: vec![record.as_bytes().to_vec()], ..Append::default() };
    let mut pair = Pair::new();
    let (_, effects) = pair.engine.append(append(), NOW, &pair.storage).unwrap();
    pair.commit(effects);
    let due = pair.engine.next_wakeup().unwrap();
    // NOW is a full hour, so the two runs are the one at NOW and the next one.
    assert!((1..3_000_000).contains(&due.since(NOW)), "{due}");
    pair.restart();
    let (_, effects) = pair.engine.append(append(), due.plus(-1), &pair.storage).unwrap();
    pair.commit(effects);
    assert_eq!(pair.engine.next_wakeup(), Some(due));
    let fired = pair.wake(due);
    assert!(
        String::from_utf8_lossy(&fired.sends[0].text)
            .contains(&format!("\"tasks\":[{{\"time\":{NOW},\"id\":\"a\""))
    );
    pair.report(&Report { seq: EnvelopeSeq::new(1), ..Report::default() }, due);
    let next = pair.engine.next_wakeup().unwrap();
    assert!((0..=3_000_000).contains(&next.since(NOW.plus(3_600_000))), "{next}");
    assert_eq!(pair.engine.stats(due).lateness.percentile(1.0), 0);
}

/// Tasks with overlapping windows fire together, and the meter counts the saved firings. A run that
/// a window has moved is not late.
#[test]
fn windows_share_firings_and_the_meter_counts_them() {
    let mut pair = Pair::new();
    let delay = Delay::new(0, 0, 60_000);
    pair.append((0..100).map(|n| {
        let time = NOW.plus(n * 1_000);
        let record = format!(r#"{{"time":{time},"id":"{n}","windowSeconds":60,"callback":{{"type":"handler","name":"log"}}}}"#);
        (n.to_string(), delay.due(time, None), record)
    }));
    let every = format!(
        r#"{{"id":"every","everySeconds":120,"anchor":{},"windowSeconds":60,"callback":{{"type":"handler","name":"log"}}}}"#,
        NOW.get() + 7_000
    );
    let (_, effects) = pair
        .engine
        .append(
            Append { schedules: vec![every.into_bytes()], ..Append::default() },
            NOW,
            &pair.storage,
        )
        .unwrap();
    pair.commit(effects);
    let (mut fired, mut firings) = (0, 0);
    while let Some(at) = pair.engine.next_wakeup().filter(|at| *at < NOW.plus(200_000)) {
        let effects = pair.wake(at);
        if !effects.sends.is_empty() {
            fired += ids(&effects).len();
            firings += 1;
            pair.report(&Report { seq: effects.sends[0].seq, ..Report::default() }, at);
        }
    }
    assert_eq!(fired, 102, "a hundred tasks and two runs of the recurring one");
    let stats = pair.engine.stats(NOW);
    // Of 101 requested instants, one is where its window has put other tasks.
    assert_eq!((firings, stats.meter.firings_saved), (5, 95));
    assert_eq!(stats.lateness.percentile(1.0), 0);
}

/// A task is added for a time at or before a watermark among equal times. It gets a place after all
/// of them, and it does not count as fired even if a restart assigns its page number again.
#[test]
fn a_late_task_with_a_reused_page_number_fires() {
    let mut pair = Pair::new();
    pair.append([("kept".to_owned(), NOW.plus(60_000), record("kept", NOW.plus(60_000), 10_000))]);
    pair.append([("first".to_owned(), NOW, record("first", NOW, 10_000))]);
    assert_eq!(ids(&pair.wake(NOW)), ["first"]);
    pair.restart();
    pair.append([("late".to_owned(), NOW.plus(-5_000), record("late", NOW.plus(-5_000), 10_000))]);
    assert_eq!(pair.storage.pages.keys().copied().collect::<Vec<_>>(), [1, 2]);
    pair.restart();
    assert_eq!(ids(&pair.wake(NOW.plus(1))), ["late"]);
}

/// Seeds that failed once.
#[test]
fn seeds_that_failed() {
    // 231: an id twice in one cancel. 1698: a repeated request creates a task again that was
    // cancelled in the meantime.
    for seed in [231, 1_698] {
        runner::run(seed, false);
    }
}

/// A dead letter that was replayed after its policy's time was over got one attempt, because the
/// time counted from when it was first due.
#[test]
fn a_replayed_dead_letter_has_its_whole_time_for_retries() {
    let mut pair = Pair::new();
    let retry = r#"{"minBackoffSeconds":1,"jitter":0,"factor":1,"maxDurationSeconds":10}"#;
    let record = format!(
        r#"{{"time":{NOW},"id":"a","callback":{{"type":"handler","name":"log"}},"retry":{retry}}}"#
    );
    pair.append([("a".to_owned(), NOW, record)]);
    let mut seq = 0;
    // Fails each attempt until the run is dead. Returns the number of attempts.
    let mut fail = |pair: &mut Pair, mut now: UnixMillis| {
        let mut attempts = 0;
        while pair.status("a") != Some(Status::Dead) {
            assert_eq!(ids(&pair.wake(now)), ["a"]);
            (seq, attempts) = (seq + 1, attempts + 1);
            let failed = vec![Failure { index: 0, error: "no".to_owned(), ..Failure::default() }];
            pair.report(&Report { seq: EnvelopeSeq::new(seq), failed, ..Report::default() }, now);
            pair.restart();
            now = now.plus(3_000);
        }
        attempts
    };
    assert_eq!(fail(&mut pair, NOW), 5);
    for round in 1..3 {
        let later = NOW.plus(round * 86_400_000);
        let request = ChangeRequest {
            ids: vec!["a".to_owned()],
            change: Change::Run,
            if_match: None,
            pause: None,
        };
        let (reply, effects) = pair.engine.change(&request, later, &pair.storage).unwrap();
        assert_eq!(reply.outcomes, [Changed::Changed]);
        pair.commit(effects);
        assert_eq!(fail(&mut pair, later), 5, "replay {round}");
    }
}
