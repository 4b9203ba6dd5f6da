//! Collects the figures of a run for the JSON file, and its exit status. `print.rs` prints them.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use serde::Serialize;

use crate::latency::{Summary, summarize};
use crate::ledger::{Class, Counts, Defect, Duplicates, Verdict};
use crate::price::{Bill, bill};
use crate::scenario::{Scenario, Settings};
use crate::session::Session;
use crate::sink::SinkCounters;
use crate::stats::{self, Stats};
use crate::svg::{self, Series};

/// The reason why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Ending {
    Complete,
    Interrupted,
    TimeLimit,
}

/// The facts about a run that are not in its session.
#[derive(Clone, Debug)]
pub(crate) struct RunFacts {
    pub(crate) scenario: Scenario,
    pub(crate) ending: Ending,
    /// The start in epoch milliseconds.
    pub(crate) start: i64,
    pub(crate) before: Stats,
    /// `None` if the server did not answer at the end.
    pub(crate) after: Option<Stats>,
    pub(crate) fail_on_duplicates: bool,
}

/// The whole report. Its fields are those of the JSON file.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pub(crate) scenario: Scenario,
    pub(crate) exit_status: u8,
    pub(crate) ending: Ending,
    pub(crate) target: String,
    pub(crate) start: i64,
    pub(crate) settings: Settings,
    pub(crate) warnings: Vec<String>,
    pub(crate) schedule: ScheduleFigures,
    pub(crate) fire: FireFigures,
    pub(crate) lateness_millis: Lateness,
    pub(crate) counts: Counts,
    pub(crate) duplicates: Duplicates,
    pub(crate) sink: SinkFigures,
    pub(crate) defect_counts: BTreeMap<Class, usize>,
    pub(crate) defects: Vec<Defect>,
    /// The number of handler tasks that the server has not counted as succeeded.
    pub(crate) handlers_missing: u64,
    pub(crate) failed_requests: u64,
    pub(crate) problems: Vec<String>,
    pub(crate) server: ServerFigures,
    pub(crate) cost: Option<Bill>,
    /// The reason why there is no bill.
    pub(crate) cost_unknown: Option<String>,
    #[serde(skip)]
    pub(crate) picture: String,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScheduleFigures {
    pub(crate) tasks_accepted: u64,
    pub(crate) seconds: f64,
    pub(crate) tasks_per_second: f64,
    pub(crate) requests: u64,
    pub(crate) body_bytes: u64,
    pub(crate) request_millis: Summary,
    /// The retries of all requests of the run.
    pub(crate) retries: u64,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FireFigures {
    /// Occurrences received, without duplicates.
    pub(crate) received: u64,
    pub(crate) one_shot: u64,
    /// The seconds from the first due time to the last arrival of a one-shot task.
    pub(crate) seconds: f64,
    pub(crate) tasks_per_second: f64,
    pub(crate) peak_in_one_second: u64,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Lateness {
    /// `firedAt - time`.
    pub(crate) at_shard: Summary,
    /// At the user's own consumer.
    pub(crate) at_consumer: Summary,
    pub(crate) at_webhook: Summary,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SinkFigures {
    pub(crate) posts: u64,
    pub(crate) envelopes: u64,
    pub(crate) hooks: u64,
    pub(crate) unreadable: u64,
    pub(crate) first_unreadable: Option<String>,
    /// The number of firings of other runs or clients.
    pub(crate) strangers: u64,
}

/// The server's counters before and after.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerFigures {
    pub(crate) before: Stats,
    pub(crate) after: Option<Stats>,
}

impl Report {
    /// Returns the report of a run.
    pub(crate) fn new(
        facts: &RunFacts,
        session: &Session,
        sink: &SinkCounters,
        mut verdict: Verdict,
    ) -> Self {
        let schedule = schedule_figures(session);
        let fire = fire_figures(&verdict);
        let picture = picture(facts, session, &verdict);
        let counts = verdict.counts;
        let succeeded = facts
            .after
            .as_ref()
            .map(|after| after.succeeded.saturating_sub(facts.before.succeeded));
        let sink = SinkFigures {
            posts: sink.posts.load(Ordering::Relaxed),
            envelopes: sink.envelopes.load(Ordering::Relaxed),
            hooks: sink.hooks.load(Ordering::Relaxed),
            unreadable: sink.unreadable.load(Ordering::Relaxed),
            first_unreadable: sink
                .first_problem
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
            strangers: verdict.strangers,
        };
        let mut defect_counts = BTreeMap::new();
        verdict
            .defects
            .iter()
            .for_each(|defect| *defect_counts.entry(defect.class).or_insert(0) += 1);
        let cost = bill_of(session, facts, counts, verdict.received);
        let mut report = Self {
            scenario: facts.scenario,
            exit_status: 0,
            ending: facts.ending,
            target: session.api.base().to_owned(),
            start: facts.start,
            settings: session.settings.clone(),
            warnings: Vec::new(),
            schedule,
            fire,
            lateness_millis: Lateness {
                at_shard: summarize(&mut verdict.shard_lateness),
                at_consumer: summarize(&mut verdict.consumer_lateness),
                at_webhook: summarize(&mut verdict.webhook_lateness),
            },
            counts,
            duplicates: verdict.duplicates,
            sink,
            defect_counts,
            defects: verdict.defects,
            handlers_missing: counts.handler_expected.saturating_sub(succeeded.unwrap_or(0)),
            failed_requests: session.problems.count(),
            problems: session.problems.first(),
            cost_unknown: cost.as_ref().err().cloned(),
            cost: cost.ok(),
            server: ServerFigures { before: facts.before.clone(), after: facts.after.clone() },
            picture,
        };
        report.warnings = report.warnings(session.scheduling.given_up.load(Ordering::Relaxed));
        report.exit_status = report.status(facts.fail_on_duplicates);
        report
    }

    /// Returns 1 for a defect of a task, 2 for failed requests, 130 for an interrupted run, and 0
    /// otherwise.
    fn status(&self, fail_on_duplicates: bool) -> u8 {
        let late_handlers = self.handlers_missing > 0 && self.ending == Ending::Complete;
        let duplicates = fail_on_duplicates && self.duplicates.total > 0;
        if !self.defects.is_empty() || late_handlers || duplicates || self.sink.unreadable > 0 {
            return 1;
        }
        if self.failed_requests > 0 {
            return 2;
        }
        if self.ending == Ending::Complete { 0 } else { 130 }
    }

    fn warnings(&self, given_up: bool) -> Vec<String> {
        let mut warnings = Vec::new();
        match self.ending {
            Ending::Complete => {}
            Ending::Interrupted => {
                warnings.push("interrupted: the report covers only the time until then".to_owned())
            }
            Ending::TimeLimit => warnings.push("ended early at --max-seconds".to_owned()),
        }
        if given_up {
            warnings
                .push("scheduling was given up, because the server no longer answered".to_owned());
        }
        if self.counts.accepted_after_due > 0 {
            warnings.push(format!(
                "{} tasks were accepted only after they were due, and are not in the lateness figures: raise --due-in \
                 or lower --expected-rate for a clean measurement",
                self.counts.accepted_after_due
            ));
        }
        let via_consumer = self.settings.via.contains(&crate::ledger::Via::Consumer);
        if via_consumer && self.sink.posts == 0 && self.counts.accepted > 0 {
            warnings.push(
                "no envelope came to the sink: the example consumer must run, with SINK_URL set to this sink \
                 (http://127.0.0.1:<--sink-port>)"
                    .to_owned(),
            );
        }
        if let Some(after) = &self.server.after {
            let more = |after: u64, before: u64| after.saturating_sub(before);
            let dead = more(after.dead_letters, self.server.before.dead_letters);
            let held = more(after.pending, self.server.before.pending)
                + more(after.in_flight, self.server.before.in_flight);
            if dead > 0 {
                warnings.push(format!("the server has {dead} more dead letters than before"));
            }
            if held > 0 {
                warnings.push(format!(
                    "the server still holds {held} tasks, so the cost does not cover their whole life"
                ));
            }
        }
        warnings
    }

    /// Returns the text of the JSON file.
    ///
    /// # Errors
    /// Never fails, because every field can be written as JSON.
    pub(crate) fn json(&self) -> Result<String, String> {
        serde_json::to_string_pretty(self)
            .map(|text| text + "\n")
            .map_err(|error| error.to_string())
    }

    /// Returns the histogram.
    pub(crate) fn svg(&self) -> &str {
        &self.picture
    }
}

fn schedule_figures(session: &Session) -> ScheduleFigures {
    let scheduling = &session.scheduling;
    let seconds = scheduling.micros.load(Ordering::Relaxed) as f64 / 1e6;
    let accepted = scheduling.accepted.load(Ordering::Relaxed);
    let mut durations = scheduling.durations.lock().unwrap_or_else(PoisonError::into_inner).clone();
    ScheduleFigures {
        tasks_accepted: accepted,
        seconds,
        tasks_per_second: rate(accepted, seconds),
        requests: scheduling.requests.load(Ordering::Relaxed),
        body_bytes: scheduling.body_bytes.load(Ordering::Relaxed),
        request_millis: summarize(&mut durations),
        retries: session.api.retries(),
    }
}

/// Returns the bill, without the cost of reading the counters.
///
/// # Errors
/// Returns the reason why the server's counters do not give a bill.
fn bill_of(
    session: &Session,
    facts: &RunFacts,
    counts: Counts,
    received: u64,
) -> Result<Bill, String> {
    let after = facts.after.as_ref().ok_or("the server did not return its counters at the end")?;
    let mut used = stats::used(&facts.before, after, counts.accepted, received)?;
    let readings = session.api.stats_calls();
    // A reading counts itself. So the difference includes all readings after the first, each with
    // one request to each shard.
    let own = readings.saturating_sub(1) * after.shards.len() as u64;
    used.shard_requests = used.shard_requests.checked_sub(own).ok_or_else(|| {
        format!(
            "the server counted fewer requests to its shards than the {own} of this tool's readings"
        )
    })?;
    // The check of /healthz is one more request than the readings.
    let requests = session.api.requests().saturating_sub(readings + 1);
    Ok(bill(used, requests, counts.accepted + counts.cron_occurrences))
}

fn fire_figures(verdict: &Verdict) -> FireFigures {
    let millis = verdict
        .last_received
        .zip(verdict.first_due)
        .map_or(0, |(last, first)| (last - first).max(1));
    let seconds = millis as f64 / 1e3;
    FireFigures {
        received: verdict.received,
        one_shot: verdict.counts.fired,
        seconds,
        tasks_per_second: rate(verdict.counts.fired, seconds),
        peak_in_one_second: verdict.peak_second,
    }
}

fn rate(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}

fn picture(facts: &RunFacts, session: &Session, verdict: &Verdict) -> String {
    let settings = &session.settings;
    let title = format!("Lateness, scenario {}", facts.scenario.name());
    let subtitle = format!(
        "{} tasks over {} s, {} per request, seed {}",
        settings.tasks,
        settings.spread_millis as f64 / 1e3,
        settings.bulk,
        settings.seed
    );
    let series = [
        Series { name: "at the shard (firedAt)", values: &verdict.shard_lateness },
        Series { name: "at the consumer", values: &verdict.consumer_lateness },
        Series { name: "at the webhook", values: &verdict.webhook_lateness },
    ];
    svg::histogram(&title, &subtitle, &series)
}
