//! One run of a scenario: schedule, listen, wait until nothing is owed, clean up, judge.

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

/// How often the ledger is looked at while waiting.
const POLL: Duration = Duration::from_millis(50);
/// How often the server's counters are looked at while waiting.
const STATS_POLL: Duration = Duration::from_millis(500);
/// Time a recurring task is given at least: its last two seconds prove nothing, see
/// `ledger::CronLog`.
const CRON_LIFE_MILLIS: i64 = 5_000;
/// How long the server may take after the last firing to work off what it still holds, before its
/// meter is read.
const DRAIN: Duration = Duration::from_secs(15);
/// How long cleaning up may take when a run is cut short.
const CLEAN_UP: Duration = Duration::from_secs(5);

/// Runs a scenario to its end, to Ctrl-C or to its time limit, and gives the report.
///
/// # Errors
/// Usage, or no server to be had: nothing was scheduled.
pub(crate) async fn run(scenario: Scenario, args: &RunArgs) -> Result<Report, String> {
    let settings = settings(scenario, args)?;
    let api = Api::new(&args.target)?;
    let before = api.check().await?;
    let ledger = SharedLedger::default();
    let start = now_millis();
    // Tells this run's tasks from an earlier one's with the same seed.
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

/// Everything up to the last firing.
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

/// Waits until all that must fire has been received and the listening time is over, at most for the
/// grace.
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

/// Returns whether the server has counted all tasks of a run through a handler, which the sink
/// cannot see.
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

/// Returns the server's counters once it holds no more than before the run, so that the meter has
/// the outcomes in it too. After a run that was cut short they are read once, as they are.
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
