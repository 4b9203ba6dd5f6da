//! The order in which the tasks of a batch of envelopes run, and when each envelope is reported.
//! Free of the platform, which is behind [`Host`]; tests have a host of their own.

use crate::outcome::{Attempt, Tally};
use crate::plan::{Job, Plan};
use crate::turns::Turns;
use futures::stream::{FuturesUnordered, StreamExt};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::protocol::Report;

/// Tasks that run at once in one invocation. The platform lets 6 connections wait for an answer; a
/// seventh would wait for its turn while its timeout runs.
pub const MAX_IN_FLIGHT: usize = 6;

/// Where tasks run and reports go.
pub(crate) trait Host {
    /// Returns the current time.
    fn now(&self) -> UnixMillis;
    /// Runs a task. Ends in bounded time.
    async fn run(&self, job: Job<'_>) -> Attempt;
    /// Reports an envelope, given by its place among the plans, and settles its message. Ends in
    /// bounded time.
    async fn report(&self, envelope: usize, report: Report);
}

/// The envelopes of an invocation, by their place among the plans.
struct Envelopes<'a> {
    turns: Turns<'a>,
    /// What is known of each; taken out when it is reported.
    tallies: Vec<Option<Tally>>,
}

impl Envelopes<'_> {
    /// Calls `note` with what is known of an envelope.
    fn note(&mut self, envelope: usize, note: impl FnOnce(&mut Tally)) {
        if let Some(Some(tally)) = self.tallies.get_mut(envelope) {
            note(tally);
        }
    }

    /// Records tasks that are not going to be started.
    fn hand_back(&mut self, tasks: Vec<(usize, u32)>) {
        for (envelope, index) in tasks {
            self.note(envelope, |tally| tally.add_not_started(index));
        }
    }

    /// Takes out the report of an envelope, once, when none of its tasks waits or runs any more.
    fn take_report(&mut self, envelope: usize, now: UnixMillis) -> Option<Report> {
        let is_done = self.turns.is_done(envelope);
        Some(self.tallies.get_mut(envelope)?.take_if(|_| is_done)?.into_report(now))
    }
}

/// Runs all plans, at most [`MAX_IN_FLIGHT`] tasks at once, and reports each plan when its last
/// task is done. [`Turns`] decides which task is next and what is given up early. From `last_start`
/// on, no task is started; the tasks that still wait are reported as not started.
pub(crate) async fn drive<H: Host>(host: &H, mut plans: Vec<Plan<'_>>, last_start: UnixMillis) {
    let turns = Turns::new(&mut plans, host.now());
    let mut envelopes =
        Envelopes { turns, tallies: plans.into_iter().map(|plan| Some(plan.tally)).collect() };
    let count = envelopes.tallies.len();
    let mut running = FuturesUnordered::new();
    let mut reports = FuturesUnordered::new();
    // The envelopes that may be complete: at the start those without a task to run, later those of
    // which a task has ended.
    let mut touched: Vec<usize> = (0..count).collect();
    loop {
        while running.len() < MAX_IN_FLIGHT {
            let Some((place, job)) = envelopes.turns.next() else { break };
            let now = host.now();
            if now >= last_start {
                envelopes.turns.release(place);
                let rest = envelopes.turns.rest();
                envelopes.hand_back(rest);
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
            running.push(async move {
                let (index, started_at) = (job.index, host.now());
                (place, index, started_at, host.run(job).await)
            });
        }
        for envelope in touched.drain(..) {
            reports.extend(
                envelopes
                    .take_report(envelope, host.now())
                    .map(|report| host.report(envelope, report)),
            );
        }
        // Biased, because that costs no random number, and the order of two things that are ready
        // does not matter.
        futures::select_biased! {
            (place, index, started_at, attempt) = running.select_next_some() => {
                let now = host.now();
                envelopes.turns.end(place, attempt.is_silent(), now.since(started_at));
                envelopes.note(place.envelope, |tally| tally.add(index, attempt, started_at, now));
                touched.push(place.envelope);
                let given_up = envelopes.turns.given_up(now);
                touched.extend(given_up.iter().map(|(envelope, _)| *envelope));
                envelopes.hand_back(given_up);
            }
            () = reports.select_next_some() => {}
            complete => return,
        }
    }
}

#[cfg(test)]
#[path = "drive_tests.rs"]
mod tests;
