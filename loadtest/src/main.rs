//! Load tester of the scheduler. It drives a running server through its HTTP API, receives
//! everything that the server fires, and checks each task against the server's promises.
//!
//! ```text
//! export SCHEDULER_API_KEY=…             # printed by `make dev`
//! loadtest smoke                         # half a minute, a little of everything
//! loadtest steady --rate 1000 --spread 60
//! loadtest herd --tasks 500000           # all due at one instant
//! loadtest spread --tasks 100000 --bulk 1000
//! loadtest churn                         # overwrite and cancel while firing
//! loadtest bulk                          # schedule rate against the rate of merely parsing (bench server)
//! loadtest sink-rate                     # what the receiving side of this tool can take
//! ```
//!
//! Every number of a scenario can be changed: see `loadtest <scenario> --help`. Firings return to a
//! local sink (`--sink-port`, 8790 by default). Webhooks are posted to it directly. Tasks for a
//! queue of the user's own are posted by the example consumer, which must be started with
//! `SINK_URL=http://127.0.0.1:8790`.
//!
//! A run prints its report, and writes it to `target/loadtest/` as JSON, with a histogram of the
//! latenesses as SVG. **Exit status**: 0 if every task fired once at its time or was cancelled as
//! answered; 1 if any task was lost, early, wrongly cancelled or otherwise wrong, and the report
//! names each of them; 2 for usage and connection errors; 130 if the run was interrupted without a
//! defect so far. A run ends by itself; after Ctrl-C it reports what it has seen so far.
//!
//! In scope: behavior that is visible at the API and at the receiver. Not in scope: crashes, and
//! order within a shard, which the simulation of the core covers.

mod batch;
mod body;
mod bulk;
mod change;
mod cli;
mod client;
mod clock;
mod envelope;
mod files;
mod latency;
mod ledger;
mod plan;
mod price;
mod print;
mod progress;
mod report;
mod run;
mod scenario;
mod schedule;
mod session;
mod sink;
mod sink_rate;
mod stats;
mod svg;

use std::process::ExitCode;

use clap::Parser;

use cli::{BulkArgs, Cli, Command, RunArgs};
use scenario::Scenario;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Smoke(args) => scenario_run(Scenario::Smoke, &args).await,
        Command::Steady(args) => scenario_run(Scenario::Steady, &args).await,
        Command::Herd(args) => scenario_run(Scenario::Herd, &args).await,
        Command::Spread(args) => scenario_run(Scenario::Spread, &args).await,
        Command::Churn(args) => scenario_run(Scenario::Churn, &args).await,
        Command::Bulk(args) => bulk_run(&args).await,
        Command::SinkRate(args) => sink_rate::run(&args).await.map(|text| {
            print!("{text}");
            0
        }),
    };
    match done {
        Ok(status) => ExitCode::from(status),
        Err(problem) => {
            eprintln!("loadtest: {problem}");
            ExitCode::from(2)
        }
    }
}

async fn scenario_run(scenario: Scenario, args: &RunArgs) -> Result<u8, String> {
    let report = run::run(scenario, args).await?;
    print!("{}", report.text());
    let json = files::path(args.report.as_ref(), &format!("{}.json", scenario.name()));
    let svg = files::path(args.svg.as_ref(), &format!("{}.svg", scenario.name()));
    files::write(&json, &report.json()?)?;
    files::write(&svg, report.svg())?;
    println!("  written: {} and {}", json.display(), svg.display());
    Ok(report.exit_status)
}

async fn bulk_run(args: &BulkArgs) -> Result<u8, String> {
    let report = bulk::run(args).await?;
    print!("{}", report.text());
    let json = files::path(args.report.as_ref(), "bulk.json");
    files::write(&json, &report.json()?)?;
    println!("  written: {}", json.display());
    Ok(if report.is_complete() { 0 } else { 130 })
}
