//! A host with a virtual clock, and envelopes for it.

use super::super::{Host, LastReport, execute};
use crate::outcome::{Attempt, TaskError};
use crate::plan::{Job, Plan, Work};
use crate::subrequests::Subrequests;
use futures::executor::block_on;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::protocol::Report;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// The time at which the envelopes were fired.
pub(super) const FIRED_AT: Option<UnixMillis> = Some(UnixMillis::new(5));

/// A host with a virtual clock. A task named `id-<millis>` takes that long, and a task of 13 ms
/// fails. A task of 14 ms, and every task of a handler named `hang…`, gets no answer. A task of
/// 15 ms panics at its start. A webhook to a path `/n` follows `n` redirects. When everything
/// waits, the clock jumps to the next end.
#[derive(Default)]
pub(super) struct Fake {
    pub(super) now: Cell<i64>,
    in_flight: Cell<usize>,
    pub(super) most_in_flight: Cell<usize>,
    pub(super) subrequests: Cell<u32>,
    hanging: Cell<usize>,
    pub(super) most_hanging: Cell<usize>,
    pub(super) started: RefCell<Vec<String>>,
    pub(super) reports: RefCell<Vec<(usize, i64, Report)>>,
    pub(super) last_reports: Rc<RefCell<Vec<(usize, Report)>>>,
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
    pub(super) fn execute(&self, texts: &[String], last_start: i64) {
        self.execute_within(texts, last_start, 10_000);
    }

    /// Does the same within a number of subrequests.
    pub(super) fn execute_within(&self, texts: &[String], last_start: i64, limit: u32) {
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

    pub(super) fn report(&self, envelope: usize) -> Report {
        let reports = self.reports.borrow();
        let mut of_it = reports.iter().filter(|(at, _, _)| *at == envelope);
        let (_, _, report) =
            of_it.next().unwrap_or_else(|| panic!("envelope {envelope} was not reported"));
        assert!(of_it.next().is_none(), "envelope {envelope} was reported twice");
        report.clone()
    }

    pub(super) fn reported_at(&self, envelope: usize) -> i64 {
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
pub(super) fn envelope(seq: u64, millis: impl IntoIterator<Item = i64>) -> String {
    mixed("1-0", seq, millis.into_iter().map(|millis| ("x", millis)))
}

/// Returns an envelope of `shard` with a task for each pair of a handler and the milliseconds that
/// the task takes.
pub(super) fn mixed<'a>(
    shard: &str,
    seq: u64,
    tasks: impl IntoIterator<Item = (&'a str, i64)>,
) -> String {
    let tasks: Vec<String> = (0..)
        .zip(tasks)
        .map(|(n, (name, millis)): (u32, _)| {
            format!(r#"{{"time":5,"id":"{seq}.{n}-{millis}","callback":{{"type":"handler","name":"{name}"}}}}"#)
        })
        .collect();
    format!(r#"{{"v":1,"shard":"{shard}","seq":{seq},"firedAt":5,"tasks":[{}]}}"#, tasks.join(","))
}
