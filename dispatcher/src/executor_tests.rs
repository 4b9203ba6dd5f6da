use super::*;
use crate::outcome::TaskError;
use crate::plan::Work;
use crate::turns::MAX_UNPROVEN;
use futures::executor::block_on;
use scheduler_model::numbers::EnvelopeSeq;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// The time at which the envelopes were fired.
const FIRED_AT: Option<UnixMillis> = Some(UnixMillis::new(5));

/// A host with a virtual clock. A task named `id-<millis>` takes that long, and a task of 13 ms
/// fails. A task of 14 ms, and every task of a handler named `hang…`, gets no answer. When
/// everything waits, the clock jumps to the next end. A task of 15 ms panics at its start. A webhook to a path `/n` follows `n` redirects.
#[derive(Default)]
struct Fake {
    now: Cell<i64>,
    in_flight: Cell<usize>,
    most_in_flight: Cell<usize>,
    subrequests: Cell<u32>,
    hanging: Cell<usize>,
    most_hanging: Cell<usize>,
    started: RefCell<Vec<String>>,
    reports: RefCell<Vec<(usize, i64, Report)>>,
    last_reports: Rc<RefCell<Vec<(usize, Report)>>>,
    sleeps: RefCell<BinaryHeap<Reverse<(i64, usize)>>>,
    wakers: RefCell<Vec<Option<Waker>>>,
}

impl Fake {
    async fn sleep(&self, millis: i64) {
        let until = self.now.get() + millis;
        let id = self.wakers.borrow().len();
        self.wakers.borrow_mut().push(None);
        self.sleeps.borrow_mut().push(Reverse((until, id)));
        poll_fn(|cx| {
            if self.now.get() >= until {
                return Poll::Ready(());
            }
            self.wakers.borrow_mut()[id] = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Runs `execute` to its end, and moves the clock whenever it waits.
    fn execute(&self, texts: &[String], last_start: i64) {
        self.execute_within(texts, last_start, 10_000);
    }

    /// Does the same within a number of subrequests.
    fn execute_within(&self, texts: &[String], last_start: i64, limit: u32) {
        let plans = texts.iter().map(|text| Plan::read(text).unwrap()).collect();
        let subrequests = Subrequests::of(limit, texts.len());
        let mut driven =
            std::pin::pin!(execute(self, plans, UnixMillis::new(last_start), subrequests));
        block_on(poll_fn(|cx| {
            if driven.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            if let Some(Reverse((until, id))) = self.sleeps.borrow_mut().pop() {
                self.now.set(self.now.get().max(until));
                if let Some(waker) = self.wakers.borrow_mut()[id].take() {
                    waker.wake();
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }));
    }

    fn report(&self, envelope: usize) -> Report {
        let reports = self.reports.borrow();
        let mut of_it = reports.iter().filter(|(at, _, _)| *at == envelope);
        let (_, _, report) =
            of_it.next().unwrap_or_else(|| panic!("envelope {envelope} was not reported"));
        assert!(of_it.next().is_none(), "envelope {envelope} was reported twice");
        report.clone()
    }

    fn reported_at(&self, envelope: usize) -> i64 {
        self.reports.borrow().iter().find(|(at, _, _)| *at == envelope).unwrap().1
    }
}

impl Host for Fake {
    fn now(&self) -> UnixMillis {
        UnixMillis::new(self.now.get())
    }

    async fn run(&self, job: Job<'_>) -> Attempt {
        self.started.borrow_mut().push(job.record.id.to_string());
        self.in_flight.set(self.in_flight.get() + 1);
        self.most_in_flight.set(self.most_in_flight.get().max(self.in_flight.get()));
        let millis: i64 = job.record.id.rsplit_once('-').unwrap().1.parse().unwrap();
        assert!(millis != 15, "unlucky for all");
        let hangs = matches!(&job.work, Work::Handler(name) if name.starts_with("hang"));
        self.hanging.set(self.hanging.get() + usize::from(hangs));
        self.most_hanging.set(self.most_hanging.get().max(self.hanging.get()));
        if millis > 0 {
            self.sleep(millis).await;
        }
        self.hanging.set(self.hanging.get() - usize::from(hangs));
        self.in_flight.set(self.in_flight.get() - 1);
        let outcome = match millis {
            _ if hangs => Err(TaskError::retry("timed out").silent()),
            13 => Err(TaskError::retry("unlucky")),
            14 => Err(TaskError::retry("timed out").silent()),
            _ => Ok(()),
        };
        let redirects = match &job.work {
            Work::Webhook(webhook) => webhook.url.rsplit_once('/').unwrap().1.parse().unwrap(),
            _ => 0,
        };
        self.subrequests.set(self.subrequests.get() + 1 + redirects);
        let spare = if matches!(job.work, Work::Webhook(_)) { 3 - redirects } else { 0 };
        Attempt { spare, ..outcome.into() }
    }

    async fn report(&self, envelope: usize, report: Report) {
        self.reports.borrow_mut().push((envelope, self.now.get(), report));
        self.sleep(1).await;
    }

    fn last_report(&self, envelope: usize) -> LastReport {
        let reports = Rc::clone(&self.last_reports);
        Rc::new(move |report| reports.borrow_mut().push((envelope, report.clone())))
    }
}

/// Returns an envelope with a task for each of `millis`, which is how long it takes.
fn envelope(seq: u64, millis: impl IntoIterator<Item = i64>) -> String {
    mixed("1-0", seq, millis.into_iter().map(|millis| ("x", millis)))
}

/// Returns an envelope of `shard` with a task for each pair of a handler and the milliseconds that
/// the task takes.
fn mixed<'a>(shard: &str, seq: u64, tasks: impl IntoIterator<Item = (&'a str, i64)>) -> String {
    let tasks: Vec<String> = (0..)
        .zip(tasks)
        .map(|(n, (name, millis)): (u32, _)| {
            format!(r#"{{"time":5,"id":"{seq}.{n}-{millis}","callback":{{"type":"handler","name":"{name}"}}}}"#)
        })
        .collect();
    format!(r#"{{"v":1,"shard":"{shard}","seq":{seq},"firedAt":5,"tasks":[{}]}}"#, tasks.join(","))
}

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

#[test]
fn a_hanging_destination_does_not_delay_the_others_of_its_envelope() {
    let fake = Fake::default();
    let tasks = [("hang", 10_000); 30].into_iter().chain([("good", 20); 5]);
    fake.execute(&[mixed("1-0", 1, tasks)], 1_000_000);
    let report = fake.report(0);
    assert!(report.done.iter().all(|done| done.started_at.get() <= 100), "{report:?}");
    assert_eq!(
        report.done.iter().map(|done| done.index).collect::<Vec<_>>(),
        (30..35).collect::<Vec<_>>()
    );
    // The hanging destination got the six places once the others were done, and no second round.
    assert_eq!(report.no_answer, (0..6).collect::<Vec<_>>());
    assert_eq!(report.failed.len(), 6);
    assert_eq!(report.not_started, (6..30).collect::<Vec<_>>());
    assert!(fake.reported_at(0) <= 10_100);
}

#[test]
fn a_hanging_destination_does_not_delay_another_envelope_or_namespace() {
    for shard in ["1-0", "1-1", "other:1-0"] {
        let fake = Fake::default();
        fake.execute(
            &[mixed("1-0", 1, [("hang", 10_000); 30]), mixed(shard, 2, [("good", 20); 5])],
            1_000_000,
        );
        assert!(fake.reported_at(1) <= 100, "{shard}: {:?}", fake.reported_at(1));
        assert_eq!(fake.report(0).no_answer.len(), 6);
        assert!(fake.reported_at(0) <= 10_100);
    }
}

#[test]
fn an_unproven_destination_gets_two_places_while_others_wait() {
    let fake = Fake::default();
    let tasks = [("hang", 10_000); 40].into_iter().chain([("good", 100); 50]);
    let others = mixed("1-1", 2, [("better", 100); 100]);
    let more = mixed("1-2", 3, [("best", 100); 100]);
    let last = mixed("1-3", 4, [("good", 100); 100]);
    let many = [mixed("1-0", 1, tasks), others, more, last, mixed("1-4", 5, [("good", 100); 100])];
    fake.execute(&many, 1_000_000);
    assert_eq!(fake.most_hanging.get(), MAX_UNPROVEN);
    assert_eq!(fake.most_in_flight.get(), MAX_IN_FLIGHT);
    // The others had the other four places for their 450 tasks of 100 ms.
    assert!(fake.now.get() <= 450 * 100 / 4 + 500, "{}", fake.now.get());
    let report = fake.report(0);
    assert_eq!((report.no_answer, report.not_started.len()), (vec![0, 1], 38));
}

#[test]
fn several_hanging_destinations_leave_a_place_for_the_good_one() {
    let fake = Fake::default();
    let hanging = (0..5)
        .flat_map(|n| [["hang a", "hang b", "hang c", "hang d", "hang e"][n]; 10])
        .map(|name| (name, 10_000));
    fake.execute(&[mixed("1-0", 1, hanging.chain([("good", 10); 40]))], 1_000_000);
    let report = fake.report(0);
    assert!(report.done.iter().all(|done| done.started_at.get() <= 400), "{report:?}");
    assert_eq!(report.done.len(), 40);
}

#[test]
fn a_destination_that_recovers_is_not_given_up() {
    let fake = Fake::default();
    fake.execute(
        &[envelope(
            1,
            [14, 20, 20, 20, 20, 20].into_iter().chain([20; 40]).chain([14]).chain([20; 40]),
        )],
        1_000_000,
    );
    let report = fake.report(0);
    assert_eq!((report.no_answer, report.done.len()), (vec![0, 46], 85));
    assert!(report.not_started.is_empty());
}

#[test]
fn a_failure_is_an_answer() {
    let fake = Fake::default();
    fake.execute(&[envelope(1, [13; 50])], 1_000_000);
    let report = fake.report(0);
    assert_eq!((report.failed.len(), report.no_answer.len(), report.not_started.len()), (50, 0, 0));
}

#[test]
fn only_slow_destinations_are_given_up_after_a_while() {
    let fake = Fake::default();
    fake.execute(&[mixed("1-0", 1, [("slow", 8_000); 100])], 1_000_000);
    let report = fake.report(0);
    // Four rounds of six tasks had started by then.
    assert_eq!(
        (report.done.len(), report.not_started.len(), fake.reported_at(0)),
        (24, 76, 32_000)
    );
    let fake = Fake::default();
    fake.execute(
        &[mixed("1-0", 1, [("slow", 8_000); 100]), mixed("1-1", 2, [("steady", 3_000); 100])],
        1_000_000,
    );
    assert!(fake.report(1).not_started.is_empty());
    assert_eq!(fake.report(1).done.len(), 100);
    assert!(fake.reported_at(0) <= 40_000, "{}", fake.reported_at(0));
}

#[test]
fn namespaces_share_the_places() {
    let fake = Fake::default();
    let mut texts: Vec<String> =
        (0..9).map(|n| mixed(&format!("1-{n}"), n, [("x", 100); 100])).collect();
    texts.push(mixed("small:1-0", 9, [("x", 100); 30]));
    fake.execute(&texts, 10_000_000);
    // The small namespace gets three of the six places.
    assert!(fake.reported_at(9) <= 1_100, "{}", fake.reported_at(9));
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

/// Returns an envelope with a webhook for each number of redirects.
fn webhooks(seq: u64, redirects: impl IntoIterator<Item = u32>) -> String {
    let tasks: Vec<String> = (0..)
        .zip(redirects)
        .map(|(n, redirects): (u32, _)| {
            format!(r#"{{"time":5,"id":"{seq}.{n}-10","callback":{{"type":"webhook","url":"https://h{n}.example/{redirects}"}}}}"#)
        })
        .collect();
    format!(r#"{{"v":1,"shard":"1-0","seq":{seq},"firedAt":5,"tasks":[{}]}}"#, tasks.join(","))
}

/// Such an envelope could never be reported, and ran for ever.
#[test]
fn sixty_webhooks_are_reported_within_fifty_subrequests() {
    for (redirects, started) in [(0, 38), (3, 10)] {
        let fake = Fake::default();
        fake.execute_within(&[webhooks(1, [redirects; 60])], 1_000_000, 50);
        assert_eq!(fake.started.borrow().len(), started, "{redirects} redirects");
        // The report, all its tries, and what the invocation asks by itself.
        assert!(fake.subrequests.get() + 5 + 1 + 3 <= 50, "{redirects} redirects");
        let report = fake.report(0);
        assert_eq!((report.done.len(), report.not_started.len()), (started, 60 - started));
        assert!(report.failed.is_empty());
    }
}

#[test]
fn the_last_subrequests_go_to_the_reports_of_all_envelopes() {
    let fake = Fake::default();
    let texts: Vec<String> = (1..=10).map(|seq| webhooks(seq, [1; 10])).collect();
    fake.execute_within(&texts, 1_000_000, 50);
    let started = fake.started.borrow().len();
    assert!(started >= 10, "{started}");
    assert!(fake.subrequests.get() + 10 + 4 + 10 + 3 <= 50, "{}", fake.subrequests.get());
    let reported = |of: fn(&Report) -> usize| (0..10).map(|at| of(&fake.report(at))).sum::<usize>();
    assert_eq!(reported(|report| report.done.len()), started);
    assert_eq!(reported(|report| report.not_started.len()), 100 - started);
}

/// Without this, an envelope would come back for ever without a run.
#[test]
fn every_invocation_starts_a_task_however_low_the_limit_is() {
    let fake = Fake::default();
    fake.execute_within(&[webhooks(1, [3; 5])], 1_000_000, 1);
    assert_eq!(fake.started.borrow().len(), 1);
    assert_eq!(fake.report(0).not_started.len(), 4);
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
