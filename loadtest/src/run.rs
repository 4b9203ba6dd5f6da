//! Runs a scenario: schedules, listens, waits until no firing is owed, cleans up, and judges.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::body::TaskWriter;
use crate::change;
use crate::cli::RunArgs;
use crate::client::Api;
use crate::clock::now_millis;
use crate::ledger::Via;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::report::{Ending, Report, RunFacts};
use crate::scenario::{Scenario, settings};
use crate::schedule::schedule;
use crate::session::{Problems, Scheduling, Session};
use crate::sink::{SharedLedger, Sink};
use crate::stats::Stats;

/// How often the ledger is checked during a wait.
const POLL: Duration = Duration::from_millis(50);
/// How often the server's counters are read during a wait.
const STATS_POLL: Duration = Duration::from_millis(500);
/// The shortest life of a recurring task. Its last two seconds prove nothing: see
/// `ledger::CronLog`.
const CRON_LIFE_MILLIS: i64 = 5_000;
/// How long the server may take after the last firing to finish its tasks before its meter is read.
const DRAIN: Duration = Duration::from_secs(15);
/// How long the clean-up may take if a run is interrupted.
const CLEAN_UP: Duration = Duration::from_secs(5);

/// Runs a scenario to its end, to Ctrl-C or to its time limit, and returns the report.
///
/// # Errors
/// Returns an error for wrong options or a missing server. Then nothing was scheduled.
pub(crate) async fn run(scenario: Scenario, args: &RunArgs) -> Result<Report, String> {
    let settings = settings(scenario, args)?;
    let api = Api::new(&args.target)?;
    let before = api.check().await?;
    let ledger = SharedLedger::default();
    let start = now_millis();
    // The start marks the tasks of this run, so that they differ from those of an earlier run with
    // the same seed.
    let run = start.unsigned_abs();
    let sink = Sink::start(args.sink_port, run, ledger.clone()).await?;
    let plan = Plan::new(settings.clone(), start, run);
    {
        let mut ledger = ledger.lock();
        for task in (0..settings.tasks).map(|n| plan.task(n)) {
            ledger.add(task.kind, task.via, task.due);
        }
    }
    let session = Arc::new(Session {
        writer: TaskWriter::new(run, &settings.queue, sink.port, settings.payload_bytes),
        api,
        settings,
        plan,
        ledger,
        problems: Problems::default(),
        scheduling: Scheduling::start(),
    });

    let progress = Progress::start(&session, args.target.quiet);
    let limit = Duration::from_millis(session.settings.max_millis.unsigned_abs());
    let ending = tokio::select! {
        () = work(&session, &before) => Ending::Complete,
        _ = tokio::signal::ctrl_c() => Ending::Interrupted,
        () = tokio::time::sleep(limit) => Ending::TimeLimit,
    };
    if ending != Ending::Complete {
        let _ = tokio::time::timeout(CLEAN_UP, change::delete_crons(&session)).await;
    }
    let after = drained(&session, &before, ending).await;
    drop(progress);

    let verdict = session.ledger.lock().verdict(now_millis(), session.settings.grace_millis);
    let facts = RunFacts {
        scenario,
        ending,
        start,
        before,
        after,
        fail_on_duplicates: args.fail_on_duplicates,
    };
    Ok(Report::new(&facts, &session, &sink.counters, verdict))
}

/// Schedules all tasks, and waits for the last firing.
async fn work(session: &Arc<Session>, before: &Stats) {
    let (changes, incoming) = mpsc::unbounded_channel();
    tokio::join!(schedule(session, changes), change::carry_out(session, incoming));

    let has_crons = !session.ledger.lock().live_crons().is_empty();
    if has_crons {
        let end = session.ledger.lock().horizon().max(now_millis() + CRON_LIFE_MILLIS);
        tokio::time::sleep(until(end)).await;
        change::delete_crons(session).await;
    }
    received(session, before).await;
}

/// Waits until everything that must fire has been received and the settle time is over, but not
/// longer than the grace.
async fn received(session: &Session, before: &Stats) {
    loop {
        let now = now_millis();
        let (owed, horizon) = {
            let ledger = session.ledger.lock();
            (ledger.owed(), ledger.horizon())
        };
        if now > horizon + session.settings.grace_millis {
            return;
        }
        let quiet = horizon + session.settings.settle_millis;
        if owed == 0
            && now >= quiet
            && session.ledger.lock().cron_missing(i64::MAX) == 0
            && handlers_done(session, before).await
        {
            return;
        }
        tokio::time::sleep(if owed > 0 { POLL } else { until(quiet).clamp(POLL, STATS_POLL) })
            .await;
    }
}

/// Returns whether the server has counted all handler tasks of the run, which the sink cannot see.
async fn handlers_done(session: &Session, before: &Stats) -> bool {
    if !session.settings.via.contains(&Via::HandlerNoop) {
        return true;
    }
    let verdict = session.ledger.lock().verdict(now_millis(), session.settings.grace_millis);
    match session.api.stats().await {
        Ok(stats) => {
            stats.succeeded.saturating_sub(before.succeeded) >= verdict.counts.handler_expected
        }
        Err(_) => false,
    }
}

/// Returns the server's counters once it holds no more tasks than before the run, so that the meter
/// includes all outcomes. After an interrupted run, it reads them once.
async fn drained(session: &Session, before: &Stats, ending: Ending) -> Option<Stats> {
    let mut latest = None;
    let reading = async {
        loop {
            match session.api.stats().await {
                Ok(stats) => {
                    let is_drained =
                        stats.pending <= before.pending && stats.in_flight <= before.in_flight;
                    latest = Some(stats);
                    if is_drained || ending != Ending::Complete {
                        return;
                    }
                }
                Err(problem) => return session.problems.add(problem),
            }
            tokio::time::sleep(STATS_POLL).await;
        }
    };
    let _ = tokio::time::timeout(DRAIN, reading).await;
    latest
}

fn until(time: i64) -> Duration {
    Duration::from_millis(u64::try_from(time - now_millis()).unwrap_or(0))
}
