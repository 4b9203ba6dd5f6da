//! The command line. The default of every option depends on the scenario: see `scenario.rs`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::ledger::Via;

/// Drives a running scheduler and checks what it fires.
///
/// Exit status: 0 if all is right; 1 if a task was lost, early, wrongly cancelled or otherwise
/// wrong; 2 for a usage or connection error; 130 if interrupted.
#[derive(Debug, Parser)]
#[command(name = "loadtest", version, args_override_self = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// 2,000 tasks over 5 s: webhooks, own consumer, recurring and cancelled ones. Takes half a
    /// minute.
    Smoke(RunArgs),
    /// 1,000 tasks a second for a minute, created in advance.
    Steady(RunArgs),
    /// 500,000 tasks at one instant, all created before it.
    Herd(RunArgs),
    /// 100,000 tasks over a minute.
    Spread(RunArgs),
    /// Tasks with their own ids that are overwritten and cancelled while they fire.
    Churn(RunArgs),
    /// Only the rate of bulk creates, compared with the rate of the same requests when only parsed.
    Bulk(BulkArgs),
    /// The number of tasks a second that this tool's own sink can receive on this machine.
    SinkRate(SinkRateArgs),
}

/// The server to test.
#[derive(Clone, Debug, Args)]
pub(crate) struct TargetArgs {
    /// Base address of the scheduler, which must be on this machine (loopback).
    #[arg(long, default_value = "http://127.0.0.1:8787")]
    pub(crate) url: String,
    /// API key.
    #[arg(long, env = "SCHEDULER_API_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
    /// Time limit of a request in seconds.
    #[arg(long, default_value_t = 30.0)]
    pub(crate) request_timeout: f64,
    /// Tries of a request that is answered with 429 or 503, or not at all.
    #[arg(long, default_value_t = 8)]
    pub(crate) tries: u32,
    /// No progress bars.
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// Options of a scenario. An option that is absent has the scenario's default.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Number of tasks.
    #[arg(long)]
    pub(crate) tasks: Option<u32>,
    /// Tasks due per second. Together with --spread, it sets the number of tasks instead of
    /// --tasks.
    #[arg(long, conflicts_with = "tasks")]
    pub(crate) rate: Option<u32>,
    /// Tasks per request.
    #[arg(long)]
    pub(crate) bulk: Option<u32>,
    /// Requests at once.
    #[arg(long)]
    pub(crate) concurrency: Option<u32>,
    /// Seconds from the start of scheduling to the first due time; for the herd, from the expected
    /// end of scheduling.
    #[arg(long)]
    pub(crate) due_in: Option<f64>,
    /// Seconds over which the due times are spread; 0 means one instant.
    #[arg(long)]
    pub(crate) spread: Option<f64>,
    /// Count --due-in from the end of scheduling, which is computed from --expected-rate.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    pub(crate) due_after_scheduling: Option<bool>,
    /// Schedule rate (tasks/s) that predicts the end of scheduling. It should be lower than the
    /// real rate.
    #[arg(long)]
    pub(crate) expected_rate: Option<u32>,
    /// Size of the payload in bytes. It must have room for the marks of this tool.
    #[arg(long)]
    pub(crate) payload_bytes: Option<u32>,
    /// Share of recurring tasks, 0 to 1. A recurring task fires every second or every other second
    /// until the end.
    #[arg(long)]
    pub(crate) cron_share: Option<f64>,
    /// Share of cancelled tasks, 0 to 1.
    #[arg(long)]
    pub(crate) cancel_share: Option<f64>,
    /// Share of overwritten tasks, 0 to 1; needs --own-ids.
    #[arg(long)]
    pub(crate) overwrite_share: Option<f64>,
    /// Share of the cancels and overwrites within half a second of the due time, 0 to 1; the others
    /// are earlier.
    #[arg(long)]
    pub(crate) race_share: Option<f64>,
    /// Give the tasks ids instead of generated ones.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    pub(crate) own_ids: Option<bool>,
    /// Send newline-delimited JSON instead of an array.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    pub(crate) ndjson: Option<bool>,
    /// How the tasks fire. Several values, separated by commas, are mixed.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) via: Option<Vec<Via>>,
    /// Name of the queue binding for --via consumer.
    #[arg(long, default_value = "FIRED_TASKS")]
    pub(crate) queue: String,
    /// Port of the sink on 127.0.0.1; 0 means any free port, which only webhooks can find.
    #[arg(long, default_value_t = 8790)]
    pub(crate) sink_port: u16,
    /// Seed of all random numbers of the plan.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Seconds after its due time when a task that has not been received counts as lost.
    #[arg(long)]
    pub(crate) grace: Option<f64>,
    /// Seconds to listen after the last due time, for duplicates and for cancelled tasks that fire.
    #[arg(long)]
    pub(crate) settle: Option<f64>,
    /// Seconds after which the run ends early.
    #[arg(long, default_value_t = 900.0)]
    pub(crate) max_seconds: f64,
    /// Exit with status 1 for duplicates too. Delivery is at least once, so by default duplicates
    /// are only counted.
    #[arg(long)]
    pub(crate) fail_on_duplicates: bool,
    /// File for the JSON report [default: target/loadtest/SCENARIO.json]
    #[arg(long)]
    pub(crate) report: Option<PathBuf>,
    /// File for the histogram of latenesses [default: target/loadtest/SCENARIO.svg]
    #[arg(long)]
    pub(crate) svg: Option<PathBuf>,
}

/// Options of the bulk measurement.
#[derive(Clone, Debug, Args)]
pub(crate) struct BulkArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Rounds per shape. Each round measures scheduling and parsing once, in alternating order.
    #[arg(long, default_value_t = 7)]
    pub(crate) rounds: u32,
    /// Tasks in each half of a round.
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
    /// Seconds after which the measurement ends early.
    #[arg(long, default_value_t = 600.0)]
    pub(crate) max_seconds: f64,
    /// File for the JSON report [default: target/loadtest/bulk.json]
    #[arg(long)]
    pub(crate) report: Option<PathBuf>,
}

/// Options of the sink's measurement.
#[derive(Clone, Debug, Args)]
pub(crate) struct SinkRateArgs {
    /// Number of tasks to send to the sink.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) tasks: u32,
    /// Size of the payload in bytes.
    #[arg(long, default_value_t = 64)]
    pub(crate) payload_bytes: u32,
}
