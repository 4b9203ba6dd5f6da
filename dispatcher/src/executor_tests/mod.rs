//! Tests of the executor: when tasks start, and what is reported of them.

mod fake;
mod places;
mod subrequests;

use super::*;
use fake::{FIRED_AT, Fake, envelope, mixed};
use scheduler_model::numbers::EnvelopeSeq;

#[test]
fn six_run_at_once_and_all_are_reported() {
    let fake = Fake::default();
    fake.execute(&[envelope(1, [10; 100]), envelope(2, [10; 20])], 1_000_000);
    assert_eq!(fake.most_in_flight.get(), MAX_IN_FLIGHT);
    assert_eq!(fake.now.get(), 120 / 6 * 10 + 1);
    for (at, tasks) in [(0, 100), (1, 20)] {
        let seq = EnvelopeSeq::new(at as u64 + 1);
        let report = fake.report(at);
        assert_eq!(
            report.done.iter().map(|done| done.index).collect::<Vec<_>>(),
            (0..tasks).collect::<Vec<_>>()
        );
        assert!(
            report.done.iter().all(|done| done.millis == 10 && done.started_at.get() % 10 == 0)
        );
        assert_eq!(
            report,
            Report { seq, fired_at: FIRED_AT, done: report.done.clone(), ..Report::default() }
        );
    }
}

#[test]
fn immediate_tasks_take_no_time_and_keep_their_order() {
    let fake = Fake::default();
    fake.execute(&[envelope(1, [0; 100])], 1_000_000);
    assert_eq!(fake.reported_at(0), 0);
    let expected = Report {
        seq: EnvelopeSeq::new(1),
        fired_at: FIRED_AT,
        quick_at: Some(UnixMillis::ZERO),
        ..Report::default()
    };
    assert_eq!(fake.report(0), expected);
    assert_eq!(*fake.started.borrow(), (0..100).map(|n| format!("1.{n}-0")).collect::<Vec<_>>());
}

#[test]
fn a_slow_envelope_does_not_hold_up_the_others() {
    let fake = Fake::default();
    fake.execute(
        &[envelope(1, [30_000; 100]), envelope(2, [10; 50]), envelope(3, [10; 50])],
        10_000_000,
    );
    // The slow envelope gets two of the six places while others wait, and no more.
    assert!(
        fake.reported_at(1) <= 300 && fake.reported_at(2) <= 300,
        "{:?}",
        fake.reports.borrow()
    );
    // Afterwards it gets all six.
    assert!(fake.reported_at(0) < 30_000 * (100 / 6 + 2));
}

#[test]
fn failures_are_reported_by_index_and_delay_nothing() {
    let fake = Fake::default();
    fake.execute(&[envelope(1, (0..20).map(|n| if n % 5 == 3 { 13 } else { 100 - n }))], 1_000_000);
    let report = fake.report(0);
    assert_eq!(
        report.failed.iter().map(|failure| failure.index).collect::<Vec<_>>(),
        [3, 8, 13, 18]
    );
    assert_eq!(
        report.details.iter().map(|detail| (detail.index, detail.millis)).collect::<Vec<_>>(),
        [(3, 13), (8, 13), (13, 13), (18, 13)]
    );
    assert_eq!(report.done.len(), 16);
    assert!(report.not_started.is_empty());
}

#[test]
fn after_the_last_start_waiting_tasks_are_returned_and_running_tasks_end() {
    let fake = Fake::default();
    fake.execute(&[envelope(1, [100; 10]), envelope(2, [100; 10]), envelope(3, [])], 150);
    // Two rounds of six tasks started at 0 and at 100. At 200 the last start was over.
    assert_eq!(fake.started.borrow().len(), 12);
    assert_eq!(fake.report(0).not_started, [6, 7, 8, 9]);
    assert_eq!(fake.report(1).not_started, [6, 7, 8, 9]);
    assert_eq!((fake.reported_at(0), fake.reported_at(1), fake.reported_at(2)), (200, 200, 0));
}

#[test]
fn after_the_last_start_an_envelope_without_running_tasks_is_reported_at_once() {
    let fake = Fake::default();
    fake.execute(&[envelope(1, [100; 3]), envelope(2, [5; 2])], 0);
    assert!(fake.started.borrow().is_empty());
    assert_eq!(
        (fake.report(0).not_started, fake.report(1).not_started),
        (vec![0, 1, 2], vec![0, 1])
    );
}

#[test]
fn unreadable_records_are_reported_with_the_rest() {
    let fake = Fake::default();
    let text = envelope(1, [5, 13, 5]).replace("1.0-5", "1.0-5\",\"time\":\"x");
    fake.execute(
        &[text, r#"{"v":1,"shard":"1-0","seq":2,"firedAt":5,"tasks":[1,2]}"#.to_owned()],
        1_000_000,
    );
    assert_eq!(
        fake.report(0).failed.iter().map(|f| (f.index, f.permanent)).collect::<Vec<_>>(),
        [(0, true), (1, false)]
    );
    assert_eq!(fake.report(1).failed.len(), 2);
}

#[test]
fn an_empty_batch_ends() {
    Fake::default().execute(&[], 1_000);
}

#[test]
fn expired_tasks_are_not_started_and_are_reported_as_expired() {
    let fake = Fake::default();
    // The tasks are due at 5. All but the last two expire after 150 ms.
    let text = envelope(1, [100; 20])
        .replace(",\"callback\"", ",\"expireAfterSeconds\":0.15,\"callback\"");
    let text = ["1.18-100", "1.19-100"].iter().fold(text, |text, id| {
        let of_it = format!(r#""id":"{id}","expireAfterSeconds":0.15"#);
        text.replace(&of_it, &format!(r#""id":"{id}""#))
    });
    fake.execute(&[text], 1_000_000);
    // Two rounds of six tasks started at 0 and at 100. At 200 the others had expired.
    assert_eq!(fake.started.borrow().len(), 14);
    let report = fake.report(0);
    assert_eq!(report.expired, (12..18).collect::<Vec<_>>());
    assert_eq!(report.done.len(), 14);
    // An envelope whose tasks have all expired is reported at once.
    let fake = Fake::default();
    fake.now.set(1_000);
    fake.execute(
        &[envelope(1, [5; 3]).replace(",\"callback\"", ",\"expireAfterSeconds\":0.1,\"callback\"")],
        1_000_000,
    );
    assert_eq!((fake.report(0).expired, fake.reported_at(0)), (vec![0, 1, 2], 1_000));
}

/// Each task is reported once and no place stays free, whatever the durations and whoever answers.
#[test]
fn every_task_is_accounted_for_once() {
    let mut seed = 1_u64;
    let mut below = |n: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % n
    };
    for _ in 0..300 {
        let texts: Vec<String> = (0..1 + below(6))
            .map(|seq| {
                let count = below(40);
                let tasks: Vec<_> = (0..count)
                    .map(|_| {
                        let name = ["x", "y", "hang", "hang z"][below(4) as usize];
                        (name, [0, 13, 14, 100, 6_000, 20_000][below(6) as usize])
                    })
                    .collect();
                mixed(["1-0", "1-1", "a:1-0"][below(3) as usize], seq, tasks)
            })
            .collect();
        let last_start = [0, 50, 10_000, 1_000_000][below(4) as usize];
        let fake = Fake::default();
        fake.execute(&texts, last_start);
        assert!(fake.most_in_flight.get() <= MAX_IN_FLIGHT);
        let mut started = 0;
        for (at, text) in texts.iter().enumerate() {
            let tasks = Plan::read(text).unwrap().jobs.len();
            let report = fake.report(at);
            let named = report
                .failed
                .iter()
                .map(|failure| failure.index)
                .chain(report.not_started.iter().copied());
            let named: std::collections::BTreeSet<u32> = named.collect();
            assert_eq!(
                named.len(),
                report.failed.len() + report.not_started.len(),
                "a task is reported twice"
            );
            assert!(
                report
                    .no_answer
                    .iter()
                    .all(|index| report.failed.iter().any(|failure| failure.index == *index))
            );
            assert!(report.done.iter().all(|done| !named.contains(&done.index)));
            started += tasks - report.not_started.len();
        }
        assert_eq!(started, fake.started.borrow().len());
    }
}

#[test]
fn the_task_that_panics_is_reported_as_failed_and_what_had_not_ended_as_not_started() {
    crate::last_words::listen();
    let fake = Fake::default();
    // The first envelope has an end, a failure and a record that cannot be read, before its
    // eighth task panics.
    let text = envelope(1, [2, 13, 50, 0, 3, 60, 70, 15, 5]);
    let text = text.replace("1.3-0", "1.3-0\",\"time\":\"x");
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        fake.execute(&[text], 1_000_000);
    }));
    assert!(ended.is_err());
    assert!(fake.reports.borrow().is_empty());
    let reports = fake.last_reports.borrow();
    let [(0, report)] = reports.as_slice() else { panic!("{reports:?}") };
    assert_eq!((report.seq, report.fired_at), (EnvelopeSeq::new(1), FIRED_AT));
    let failed: Vec<_> = report.failed.iter().map(|of| (of.index, of.permanent)).collect();
    assert_eq!(failed, [(3, true), (7, false)]);
    let error = &report.failed[1].error;
    assert!(error.starts_with("the dispatcher ended while this ran: panicked at"), "{error}");
    assert!(error.contains("unlucky for all"), "{error}");
    // The clock is at 2 ms, when the first task ends and the eighth starts.
    assert_eq!(report.done.iter().map(|done| done.index).collect::<Vec<_>>(), [0]);
    assert_eq!(report.not_started, [1, 2, 4, 5, 6, 8]);
}
