//! The order in which the tasks of a batch of envelopes run, and when each envelope is reported. Free of the platform: it
//! stands behind [`Host`], and tests put their own there.

use crate::outcome::{Attempt, Tally};
use crate::plan::{Job, Plan};
use futures::stream::{FuturesUnordered, StreamExt};
use scheduler_core::time::UnixMillis;
use scheduler_core::wire::Report;

/// Tasks that run at once in one invocation. The platform lets 6 connections wait for an answer; a seventh would wait
/// for its turn while its timeout runs.
pub const MAX_IN_FLIGHT: usize = 6;

/// Where tasks run and reports go.
pub(crate) trait Host {
    /// The current time.
    fn now(&self) -> UnixMillis;
    /// Runs a task. Ends in bounded time.
    async fn run(&self, job: Job<'_>) -> Attempt;
    /// Reports an envelope, given by its place among the plans, and settles its message. Ends in bounded time.
    async fn report(&self, envelope: usize, report: Report);
}

/// An envelope on its way.
struct Lane<'a> {
    waiting: std::vec::IntoIter<Job<'a>>,
    in_flight: usize,
    /// Taken out when the envelope is reported.
    tally: Option<Tally>,
}

impl Lane<'_> {
    /// The report, once, when nothing waits or runs any more.
    fn take_report(&mut self) -> Option<Report> {
        let is_done = self.waiting.len() == 0 && self.in_flight == 0;
        self.tally.take_if(|_| is_done).map(Tally::into_report)
    }
}

/// Runs all plans, at most [`MAX_IN_FLIGHT`] tasks at once, and reports each when its last task is done. From `last_start` on
/// nothing is started any more; what still waits then is reported as not started.
pub(crate) async fn drive<H: Host>(host: &H, plans: Vec<Plan<'_>>, last_start: UnixMillis) {
    let mut lanes: Vec<Lane<'_>> =
        plans.into_iter().map(|plan| Lane { waiting: plan.jobs.into_iter(), in_flight: 0, tally: Some(plan.tally) }).collect();
    let mut running = FuturesUnordered::new();
    let mut reports = FuturesUnordered::new();
    // Those without a task to run.
    for (at, lane) in lanes.iter_mut().enumerate() {
        reports.extend(lane.take_report().map(|report| host.report(at, report)));
    }
    loop {
        while running.len() < MAX_IN_FLIGHT {
            let Some((at, job)) = next_job(&mut lanes) else { break };
            if host.now() >= last_start {
                give_up(&mut lanes, at, &job);
                for (at, lane) in lanes.iter_mut().enumerate() {
                    reports.extend(lane.take_report().map(|report| host.report(at, report)));
                }
                break;
            }
            let Some(lane) = lanes.get_mut(at) else { continue };
            if job.record.expires_at().is_some_and(|end| host.now() > end) {
                if let Some(tally) = &mut lane.tally {
                    tally.add_expired(job.index);
                }
                reports.extend(lane.take_report().map(|report| host.report(at, report)));
                continue;
            }
            lane.in_flight += 1;
            running.push(async move {
                let (index, started_at) = (job.index, host.now());
                (at, index, started_at, host.run(job).await)
            });
        }
        // Biased: it costs no random number, and which of two things that are ready comes first does not matter.
        futures::select_biased! {
            (at, index, started_at, attempt) = running.select_next_some() => {
                if let Some(lane) = lanes.get_mut(at) {
                    lane.in_flight -= 1;
                    if let Some(tally) = &mut lane.tally {
                        tally.add(index, attempt, started_at, host.now());
                    }
                    reports.extend(lane.take_report().map(|report| host.report(at, report)));
                }
            }
            () = reports.select_next_some() => {}
            complete => return,
        }
    }
}

/// The next task: of the envelope with the fewest running, the first of these. So a slow envelope cannot take all the places
/// while others have tasks waiting.
fn next_job<'a>(lanes: &mut [Lane<'a>]) -> Option<(usize, Job<'a>)> {
    let (at, lane) =
        lanes.iter_mut().enumerate().filter(|(_, lane)| lane.waiting.len() > 0).min_by_key(|(_, lane)| lane.in_flight)?;
    lane.waiting.next().map(|job| (at, job))
}

/// Marks everything that waits as not started, `job` of the lane `at` included.
fn give_up(lanes: &mut [Lane<'_>], at: usize, job: &Job<'_>) {
    if let Some(tally) = lanes.get_mut(at).and_then(|lane| lane.tally.as_mut()) {
        tally.add_not_started(job.index);
    }
    for lane in lanes {
        for job in lane.waiting.by_ref() {
            if let Some(tally) = &mut lane.tally {
                tally.add_not_started(job.index);
            }
        }
    }
}

#[cfg(test)]
#[path = "drive_tests.rs"]
mod tests;
