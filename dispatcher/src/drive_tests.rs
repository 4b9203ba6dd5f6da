use super::*;
use crate::outcome::TaskError;
use futures::executor::block_on;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// A host under a virtual clock: a task named `id-<millis>` takes so long, and those of 13 ms fail. The clock jumps to the next
/// end when everything waits.
#[derive(Default)]
struct Fake {
    now: Cell<i64>,
    in_flight: Cell<usize>,
    most_in_flight: Cell<usize>,
    started: RefCell<Vec<String>>,
    reports: RefCell<Vec<(usize, i64, Report)>>,
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

    /// Runs `drive` to its end, moving the clock whenever it waits.
    fn drive(&self, texts: &[String], last_start: i64) {
        let plans = texts.iter().map(|text| Plan::read(text).unwrap()).collect();
        let mut driven = std::pin::pin!(drive(self, plans, UnixMillis::new(last_start)));
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
        let (_, _, report) = of_it.next().unwrap_or_else(|| panic!("envelope {envelope} was not reported"));
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
        if millis > 0 {
            self.sleep(millis).await;
        }
        self.in_flight.set(self.in_flight.get() - 1);
        let outcome = if millis == 13 { Err(TaskError::retry("unlucky")) } else { Ok(()) };
        outcome.into()
    }

    async fn report(&self, envelope: usize, report: Report) {
        self.reports.borrow_mut().push((envelope, self.now.get(), report));
        self.sleep(1).await;
    }
}

/// An envelope of tasks that take so long each.
fn envelope(seq: u64, millis: impl IntoIterator<Item = i64>) -> String {
    let tasks: Vec<String> = (0..)
        .zip(millis)
        .map(|(n, millis): (u32, i64)| {
            format!(r#"{{"time":5,"id":"{seq}.{n}-{millis}","callback":{{"type":"handler","name":"x"}}}}"#)
        })
        .collect();
    format!(r#"{{"v":1,"shard":"1-0","seq":{seq},"firedAt":5,"tasks":[{}]}}"#, tasks.join(","))
}

#[test]
fn six_run_at_once_and_all_are_reported() {
    let fake = Fake::default();
    fake.drive(&[envelope(1, [10; 100]), envelope(2, [10; 20])], 1_000_000);
    assert_eq!(fake.most_in_flight.get(), MAX_IN_FLIGHT);
    assert_eq!(fake.now.get(), 120 / 6 * 10 + 1);
    for (at, seq, tasks) in [(0, 1, 100), (1, 2, 20)] {
        let report = fake.report(at);
        assert_eq!(report.done.iter().map(|done| done.index).collect::<Vec<_>>(), (0..tasks).collect::<Vec<_>>());
        assert!(report.done.iter().all(|done| done.millis == 10 && done.started_at.get() % 10 == 0));
        assert_eq!(report, Report { seq, done: report.done.clone(), ..Report::default() });
    }
}

#[test]
fn tasks_that_end_at_once_take_no_time_and_keep_their_order() {
    let fake = Fake::default();
    fake.drive(&[envelope(1, [0; 100])], 1_000_000);
    assert_eq!(fake.reported_at(0), 0);
    assert_eq!(fake.report(0), Report { seq: 1, quick_at: Some(UnixMillis::ZERO), ..Report::default() });
    assert_eq!(*fake.started.borrow(), (0..100).map(|n| format!("1.{n}-0")).collect::<Vec<_>>());
}

#[test]
fn a_slow_envelope_does_not_hold_up_the_others() {
    let fake = Fake::default();
    fake.drive(&[envelope(1, [30_000; 100]), envelope(2, [10; 50]), envelope(3, [10; 50])], 10_000_000);
    // The slow one has got 2 of the 6 places, and not one more while others wait.
    assert!(fake.reported_at(1) <= 300 && fake.reported_at(2) <= 300, "{:?}", fake.reports.borrow());
    // Afterwards it has all of them.
    assert!(fake.reported_at(0) < 30_000 * (100 / 6 + 2));
}

#[test]
fn failures_are_reported_by_index_and_hold_up_nobody() {
    let fake = Fake::default();
    fake.drive(&[envelope(1, (0..20).map(|n| if n % 5 == 3 { 13 } else { 100 - n }))], 1_000_000);
    let report = fake.report(0);
    assert_eq!(report.failed.iter().map(|failure| failure.index).collect::<Vec<_>>(), [3, 8, 13, 18]);
    assert_eq!(
        report.details.iter().map(|detail| (detail.index, detail.millis)).collect::<Vec<_>>(),
        [(3, 13), (8, 13), (13, 13), (18, 13)]
    );
    assert_eq!(report.done.len(), 16);
    assert!(report.not_started.is_empty());
}

#[test]
fn past_the_last_start_what_waits_is_handed_back_and_what_runs_is_waited_for() {
    let fake = Fake::default();
    fake.drive(&[envelope(1, [100; 10]), envelope(2, [100; 10]), envelope(3, [])], 150);
    // Two rounds of 6 started at 0 and at 100; at 200 it was too late.
    assert_eq!(fake.started.borrow().len(), 12);
    assert_eq!(fake.report(0).not_started, [6, 7, 8, 9]);
    assert_eq!(fake.report(1).not_started, [6, 7, 8, 9]);
    assert_eq!((fake.reported_at(0), fake.reported_at(1), fake.reported_at(2)), (200, 200, 0));
}

#[test]
fn past_the_last_start_an_envelope_of_which_nothing_runs_is_handed_back_at_once() {
    let fake = Fake::default();
    fake.drive(&[envelope(1, [100; 3]), envelope(2, [5; 2])], 0);
    assert!(fake.started.borrow().is_empty());
    assert_eq!((fake.report(0).not_started, fake.report(1).not_started), (vec![0, 1, 2], vec![0, 1]));
}

#[test]
fn records_that_cannot_be_read_are_reported_with_the_rest() {
    let fake = Fake::default();
    let text = envelope(1, [5, 13, 5]).replace("1.0-5", "1.0-5\",\"time\":\"x");
    fake.drive(&[text, r#"{"v":1,"shard":"1-0","seq":2,"firedAt":5,"tasks":[1,2]}"#.to_owned()], 1_000_000);
    assert_eq!(fake.report(0).failed.iter().map(|f| (f.index, f.permanent)).collect::<Vec<_>>(), [(0, true), (1, false)]);
    assert_eq!(fake.report(1).failed.len(), 2);
}

#[test]
fn an_empty_batch_ends() {
    Fake::default().drive(&[], 1_000);
}

#[test]
fn what_has_expired_is_not_started_and_is_said_so() {
    let fake = Fake::default();
    // Due at 5, and all but the last two may start 150 ms after.
    let text = envelope(1, [100; 20]).replace(",\"callback\"", ",\"expireAfterSeconds\":0.15,\"callback\"");
    let text = ["1.18-100", "1.19-100"].iter().fold(text, |text, id| {
        let of_it = format!(r#""id":"{id}","expireAfterSeconds":0.15"#);
        text.replace(&of_it, &format!(r#""id":"{id}""#))
    });
    fake.drive(&[text], 1_000_000);
    // Two rounds of 6 started at 0 and at 100; at 200 it was too late for the rest of these.
    assert_eq!(fake.started.borrow().len(), 14);
    let report = fake.report(0);
    assert_eq!(report.expired, (12..18).collect::<Vec<_>>());
    assert_eq!(report.done.len(), 14);
    // One envelope of which all have expired is reported at once.
    let fake = Fake::default();
    fake.now.set(1_000);
    fake.drive(&[envelope(1, [5; 3]).replace(",\"callback\"", ",\"expireAfterSeconds\":0.1,\"callback\"")], 1_000_000);
    assert_eq!((fake.report(0).expired, fake.reported_at(0)), (vec![0, 1, 2], 1_000));
}
