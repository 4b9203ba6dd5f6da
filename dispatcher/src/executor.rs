//! Runs the tasks of a batch of envelopes in order, and reports each envelope. The platform is
//! behind the trait [`Host`], and tests implement a host of their own.

use crate::last_words::{LastWords, watched};
use crate::outcome::{Attempt, Tally, TaskError};
use crate::plan::{Job, Plan};
use crate::subrequests::Subrequests;
use crate::turns::Turns;
use futures::stream::{FuturesUnordered, StreamExt};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::protocol::Report;
use std::cell::RefCell;
use std::rc::Rc;

/// The number of tasks that run at once in one invocation. The platform lets six connections wait
/// for an answer. A seventh would wait for its turn while its timeout runs.
pub const MAX_IN_FLIGHT: usize = 6;

/// Runs tasks, and sends reports.
pub(crate) trait Host {
    /// Returns the current time.
    fn now(&self) -> UnixMillis;
    /// Runs a task. It ends in bounded time.
    async fn run(&self, job: Job<'_>) -> Attempt;
    /// Reports the envelope at this index of the plans, and settles its message. It ends in bounded
    /// time.
    async fn report(&self, envelope: usize, report: Report);
    /// Returns a function that sends a report of the envelope at this index without waiting,
    /// because the program ends.
    fn last_report(&self, envelope: usize) -> LastReport;
}

/// Sends a report from a program that ends.
pub(crate) type LastReport = Rc<dyn Fn(&Report)>;

/// The envelopes of an invocation, each at the index of its plan.
struct Envelopes<'a> {
    turns: Turns<'a>,
    /// The tally of each envelope; `None` after its report. A panic needs it too.
    tallies: Rc<RefCell<Vec<Option<Tally>>>>,
    last_reports: Vec<LastReport>,
}

impl Envelopes<'_> {
    /// Calls `note` with the tally of `envelope`, if it is not reported yet.
    fn note(&mut self, envelope: usize, note: impl FnOnce(&mut Tally)) {
        if let Some(Some(tally)) = self.tallies.borrow_mut().get_mut(envelope) {
            note(tally);
        }
    }

    /// Records that `tasks` are not started.
    fn note_not_started(&mut self, tasks: Vec<(usize, u32)>) {
        for (envelope, index) in tasks {
            self.note(envelope, |tally| tally.add_not_started(index));
        }
    }

    /// Takes the report of `envelope`, once, when none of its tasks waits or runs any more.
    fn take_report(&mut self, envelope: usize, now: UnixMillis) -> Option<Report> {
        let is_done = self.turns.is_done(envelope);
        let tally = self.tallies.borrow_mut().get_mut(envelope)?.take_if(|_| is_done)?;
        Some(tally.into_report(now))
    }

    /// Returns what reports a panic of the task at `index` of `envelope`.
    fn last_words(&self, envelope: usize, index: u32) -> Option<LastWords> {
        let (tallies, send) = (Rc::clone(&self.tallies), self.last_reports.get(envelope)?.clone());
        Some(Rc::new(move |panic: &str| {
            let problem = TaskError::retry(format!("the dispatcher ended while this ran: {panic}"));
            if let Ok(tallies) = tallies.try_borrow()
                && let Some(Some(tally)) = tallies.get(envelope)
            {
                send(&tally.clone().into_last_report(index, &problem));
            }
        }))
    }
}

/// Runs all plans with at most [`MAX_IN_FLIGHT`] tasks at once, and reports each plan when its last
/// task is done. [`Turns`] decides which task is next and which destinations are given up early.
/// From `last_start` on, and when the subrequests are used up, no task is started, and the tasks
/// that still wait are reported as not started.
pub(crate) async fn execute<H: Host>(
    host: &H,
    mut plans: Vec<Plan<'_>>,
    last_start: UnixMillis,
    mut subrequests: Subrequests,
) {
    let turns = Turns::new(&mut plans, host.now());
    let tallies: Vec<_> = plans.into_iter().map(|plan| Some(plan.tally)).collect();
    let count = tallies.len();
    let mut envelopes = Envelopes {
        turns,
        tallies: Rc::new(RefCell::new(tallies)),
        last_reports: (0..count).map(|envelope| host.last_report(envelope)).collect(),
    };
    let mut running = FuturesUnordered::new();
    let mut reports = FuturesUnordered::new();
    // The envelopes that may be complete: at the start, those without a task to run; later, those
    // whose tasks have ended.
    let mut touched: Vec<usize> = (0..count).collect();
    loop {
        while running.len() < MAX_IN_FLIGHT {
            if !subrequests.suffice() {
                // The running tasks give back what they do not use.
                if running.is_empty() {
                    let rest = envelopes.turns.rest();
                    touched.extend(rest.iter().map(|(envelope, _)| *envelope));
                    envelopes.note_not_started(rest);
                }
                break;
            }
            let Some((place, job)) = envelopes.turns.next() else { break };
            let now = host.now();
            if now >= last_start {
                envelopes.turns.release(place);
                let rest = envelopes.turns.rest();
                envelopes.note_not_started(rest);
                envelopes.note(place.envelope, |tally| tally.add_not_started(job.index));
                touched = (0..count).collect();
                break;
            }
            if job.record.expires_at().is_some_and(|end| now > end) {
                envelopes.turns.release(place);
                envelopes.note(place.envelope, |tally| tally.add_expired(job.index));
                touched.push(place.envelope);
                continue;
            }
            subrequests.take(&job.work);
            let last_words = envelopes.last_words(place.envelope, job.index);
            running.push(async move {
                let (index, started_at) = (job.index, host.now());
                (place, index, started_at, watched(last_words, host.run(job)).await)
            });
        }
        for envelope in touched.drain(..) {
            reports.extend(
                envelopes
                    .take_report(envelope, host.now())
                    .map(|report| host.report(envelope, report)),
            );
        }
        // The biased macro needs no random number, and the order of two futures that are ready does
        // not matter.
        futures::select_biased! {
            (place, index, started_at, attempt) = running.select_next_some() => {
                let now = host.now();
                subrequests.give_back(attempt.spare);
                envelopes.turns.end(place, attempt.is_silent(), now.since(started_at));
                envelopes.note(place.envelope, |tally| tally.add(index, attempt, started_at, now));
                touched.push(place.envelope);
                let given_up = envelopes.turns.given_up(now);
                touched.extend(given_up.iter().map(|(envelope, _)| *envelope));
                envelopes.note_not_started(given_up);
            }
            () = reports.select_next_some() => {}
            complete => return,
        }
    }
}

#[cfg(test)]
#[path = "executor_tests/mod.rs"]
mod tests;
