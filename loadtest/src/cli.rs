//! The command line. Every option of a run has a default that depends on the scenario, see
//! `scenario.rs`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::ledger::Via;

/// Drives a running scheduler and checks what it fires.
///
/// Exit status: 0 all right, 1 a task was lost, early, wrongly cancelled or otherwise wrong, 2
/// usage or connection error, 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "loadtest", version, args_override_self = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// 2,000 tasks over 5 s: webhooks, own consumer, recurring and cancelled ones. Done in half a
    /// minute.
    Smoke(RunArgs),
    /// 1,000 tasks a second for a minute, scheduled ahead.
    Steady(RunArgs),
    /// 500,000 tasks at one instant, all scheduled before it.
    Herd(RunArgs),
    /// 100,000 tasks over a minute.
    Spread(RunArgs),
    /// Tasks with ids of their own, overwritten and cancelled while they fire.
    Churn(RunArgs),
    /// Bulk schedule rate only, against the rate of the same requests merely parsed.
    Bulk(BulkArgs),
    /// How many tasks a second this tool's own sink takes on this machine.
    SinkRate(SinkRateArgs),
}

/// Which server.
#[derive(Clone, Debug, Args)]
pub(crate) struct TargetArgs {
    /// Base address of the scheduler; only this machine's own (loopback) is accepted.
    #[arg(long, default_value = "http://127.0.0.1:8787")]
    pub(crate) url: String,
    /// API key.
    #[arg(long, env = "SCHEDULER_API_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
    /// Seconds a request may take.
    #[arg(long, default_value_t = 30.0)]
    pub(crate) request_timeout: f64,
    /// Tries of a request that is answered 429 or 503 or not at all.
    #[arg(long, default_value_t = 8)]
    pub(crate) tries: u32,
    /// No progress bars.
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// Options of a scenario. What is not given is the scenario's own.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Number of tasks.
    #[arg(long)]
    pub(crate) tasks: Option<u32>,
    /// Tasks due per second; gives the number of tasks together with --spread, in place of --tasks.
    #[arg(long, conflicts_with = "tasks")]
    pub(crate) rate: Option<u32>,
    /// Tasks per request.
    #[arg(long)]
    pub(crate) bulk: Option<u32>,
    /// Requests at once.
    #[arg(long)]
    pub(crate) concurrency: Option<u32>,
    /// Seconds from the start of scheduling to the first due time; for the herd from the expected
    /// end of scheduling.
    #[arg(long)]
    pub(crate) due_in: Option<f64>,
    /// Seconds over which the due times are spread; 0: all at one instant.
    #[arg(long)]
    pub(crate) spread: Option<f64>,
    /// Count --due-in from the end of scheduling, expected at --expected-rate.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    pub(crate) due_after_scheduling: Option<bool>,
    /// Schedule rate (tasks/s) from which the end of scheduling is foretold; set it below the true
    /// one.
    #[arg(long)]
    pub(crate) expected_rate: Option<u32>,
    /// Size of the payload in bytes, at least what the marks of this tool need.
    #[arg(long)]
    pub(crate) payload_bytes: Option<u32>,
    /// Share of recurring tasks, 0 to 1: one fires every second or every other second until the
    /// end.
    #[arg(long)]
    pub(crate) cron_share: Option<f64>,
    /// Share of tasks cancelled, 0 to 1.
    #[arg(long)]
    pub(crate) cancel_share: Option<f64>,
    /// Share of tasks overwritten, 0 to 1; needs --own-ids.
    #[arg(long)]
    pub(crate) overwrite_share: Option<f64>,
    /// Share of the cancels and overwrites sent within half a second of the due time, 0 to 1; the
    /// rest comes earlier.
    #[arg(long)]
    pub(crate) race_share: Option<f64>,
    /// Give the tasks ids instead of having them generated.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    pub(crate) own_ids: Option<bool>,
    /// Send newline-delimited JSON instead of an array.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    pub(crate) ndjson: Option<bool>,
    /// How the tasks are to be fired; several, separated by commas, are mixed.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) via: Option<Vec<Via>>,
    /// Name of the queue binding for --via consumer.
    #[arg(long, default_value = "FIRED_TASKS")]
    pub(crate) queue: String,
    /// Port of the sink on 127.0.0.1; 0: any free one (then only webhooks can find it).
    #[arg(long, default_value_t = 8790)]
    pub(crate) sink_port: u16,
    /// Seed of everything random in the plan.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Seconds after its due time until a task that has not been received is lost.
    #[arg(long)]
    pub(crate) grace: Option<f64>,
    /// Seconds to go on listening after the last due time, for duplicates and cancelled tasks that
    /// fire.
    #[arg(long)]
    pub(crate) settle: Option<f64>,
    /// Seconds after which the run is cut short.
    #[arg(long, default_value_t = 900.0)]
    pub(crate) max_seconds: f64,
    /// Exit with status 1 for duplicates too. Delivery is at least once, so they are only counted
    /// otherwise.
    #[arg(long)]
    pub(crate) fail_on_duplicates: bool,
    /// Where the JSON report goes [default: target/loadtest/SCENARIO.json]
    #[arg(long)]
    pub(crate) report: Option<PathBuf>,
    /// Where the histogram of latenesses goes [default: target/loadtest/SCENARIO.svg]
    #[arg(long)]
    pub(crate) svg: Option<PathBuf>,
}

/// Options of the bulk measurement.
#[derive(Clone, Debug, Args)]
pub(crate) struct BulkArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Rounds per shape; each measures scheduling and parsing once, in alternating order.
    #[arg(long, default_value_t = 7)]
    pub(crate) rounds: u32,
    /// Tasks sent in each half of a round.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) tasks_per_round: u32,
    /// Requests at once.
    #[arg(long, default_value_t = 4)]
    pub(crate) concurrency: u32,
    /// Size of the payload in bytes.
    #[arg(long, default_value_t = 16)]
    pub(crate) payload_bytes: u32,
    /// Send newline-delimited JSON instead of an array.
    #[arg(long)]
    pub(crate) ndjson: bool,
    /// Name of the queue binding in the tasks.
    #[arg(long, default_value = "FIRED_TASKS")]
    pub(crate) queue: String,
    /// Seconds after which the measurement is cut short.
    #[arg(long, default_value_t = 600.0)]
    pub(crate) max_seconds: f64,
    /// Where the JSON report goes [default: target/loadtest/bulk.json]
    #[arg(long)]
    pub(crate) report: Option<PathBuf>,
}

/// Options of the sink's own measurement.
#[derive(Clone, Debug, Args)]
pub(crate) struct SinkRateArgs {
    /// Tasks to send to it.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) tasks: u32,
    /// Size of the payload in bytes.
    #[arg(long, default_value_t = 64)]
    pub(crate) payload_bytes: u32,
}
