//! The scenarios by name, with the defaults of each, and the bounds of every option.

use serde::Serialize;

use crate::cli::RunArgs;
use crate::ledger::Via;

/// The most tasks of a run. The ledger keeps about 150 bytes for each.
const MAX_TASKS: u32 = 5_000_000;
/// The most items in a request of the batch route.
const MAX_BULK: u32 = 20_000;
/// The largest payload of the API.
const MAX_PAYLOAD_BYTES: u32 = 65_536;
/// The largest request body. The platform's limit is 100 MB.
const MAX_BODY_BYTES: u64 = 8_000_000;
const MAX_CONCURRENCY: u32 = 256;
/// The longest time option, a day.
const MAX_SECONDS: f64 = 86_400.0;

/// The scenarios.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scenario {
    Smoke,
    Steady,
    Herd,
    Spread,
    Churn,
}

impl Scenario {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Steady => "steady",
            Self::Herd => "herd",
            Self::Spread => "spread",
            Self::Churn => "churn",
        }
    }
}

/// The options of a run, complete and within bounds. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settings {
    pub(crate) tasks: u32,
    pub(crate) bulk: u32,
    pub(crate) concurrency: u32,
    pub(crate) due_in_millis: i64,
    pub(crate) spread_millis: i64,
    pub(crate) due_after_scheduling: bool,
    pub(crate) expected_rate: u32,
    pub(crate) payload_bytes: u32,
    pub(crate) cron_share: f64,
    pub(crate) cancel_share: f64,
    pub(crate) overwrite_share: f64,
    pub(crate) race_share: f64,
    pub(crate) own_ids: bool,
    pub(crate) ndjson: bool,
    pub(crate) via: Vec<Via>,
    pub(crate) queue: String,
    pub(crate) seed: u64,
    pub(crate) grace_millis: i64,
    pub(crate) settle_millis: i64,
    pub(crate) max_millis: i64,
}

impl Settings {
    /// Returns the time from the start of scheduling to the first due time, in milliseconds.
    pub(crate) fn first_due_after_millis(&self) -> i64 {
        let scheduling = i64::from(self.tasks) * 1_000 / i64::from(self.expected_rate.max(1));
        self.due_in_millis + if self.due_after_scheduling { scheduling } else { 0 }
    }
}

/// The settings of a scenario without options.
struct Defaults {
    tasks: u32,
    bulk: u32,
    due_in: f64,
    spread: f64,
    cron_share: f64,
    cancel_share: f64,
    overwrite_share: f64,
    race_share: f64,
    own_ids: bool,
    via: &'static [Via],
    grace: f64,
}

fn defaults(scenario: Scenario) -> Defaults {
    let plain = Defaults {
        tasks: 100_000,
        bulk: 1_000,
        due_in: 10.0,
        spread: 60.0,
        cron_share: 0.0,
        cancel_share: 0.0,
        overwrite_share: 0.0,
        race_share: 0.2,
        own_ids: false,
        via: &[Via::Consumer],
        grace: 30.0,
    };
    match scenario {
        Scenario::Smoke => Defaults {
            tasks: 2_000,
            bulk: 200,
            due_in: 2.0,
            spread: 5.0,
            cron_share: 0.01,
            cancel_share: 0.05,
            via: &[Via::Consumer, Via::Webhook],
            grace: 15.0,
            ..plain
        },
        Scenario::Steady => Defaults { tasks: 60_000, ..plain },
        Scenario::Herd => {
            Defaults { tasks: 500_000, due_in: 5.0, spread: 0.0, grace: 60.0, ..plain }
        }
        Scenario::Spread => plain,
        Scenario::Churn => Defaults {
            tasks: 20_000,
            bulk: 500,
            due_in: 3.0,
            spread: 20.0,
            cancel_share: 0.2,
            overwrite_share: 0.3,
            race_share: 0.7,
            own_ids: true,
            ..plain
        },
    }
}

/// Returns the settings of `scenario`, with the given options in place of its defaults.
///
/// # Errors
/// Returns the option that is out of bounds, and its limit.
pub(crate) fn settings(scenario: Scenario, args: &RunArgs) -> Result<Settings, String> {
    let plain = defaults(scenario);
    let spread_millis = millis("--spread", args.spread.unwrap_or(plain.spread))?;
    let tasks = match args.rate {
        Some(rate) => u32::try_from(i64::from(rate) * spread_millis / 1_000).unwrap_or(u32::MAX),
        None => args.tasks.unwrap_or(plain.tasks),
    };
    let settings = Settings {
        tasks: within("--tasks", tasks, 1, MAX_TASKS)?,
        bulk: within("--bulk", args.bulk.unwrap_or(plain.bulk), 1, MAX_BULK)?,
        concurrency: within("--concurrency", args.concurrency.unwrap_or(4), 1, MAX_CONCURRENCY)?,
        due_in_millis: millis("--due-in", args.due_in.unwrap_or(plain.due_in))?,
        spread_millis,
        due_after_scheduling: args.due_after_scheduling.unwrap_or(scenario == Scenario::Herd),
        expected_rate: within(
            "--expected-rate",
            args.expected_rate.unwrap_or(20_000),
            1,
            u32::MAX,
        )?,
        payload_bytes: within(
            "--payload-bytes",
            args.payload_bytes.unwrap_or(64),
            0,
            MAX_PAYLOAD_BYTES,
        )?,
        cron_share: share("--cron-share", args.cron_share.unwrap_or(plain.cron_share))?,
        cancel_share: share("--cancel-share", args.cancel_share.unwrap_or(plain.cancel_share))?,
        overwrite_share: share(
            "--overwrite-share",
            args.overwrite_share.unwrap_or(plain.overwrite_share),
        )?,
        race_share: share("--race-share", args.race_share.unwrap_or(plain.race_share))?,
        own_ids: args.own_ids.unwrap_or(plain.own_ids),
        ndjson: args.ndjson.unwrap_or(false),
        via: args.via.clone().unwrap_or_else(|| plain.via.to_vec()),
        queue: args.queue.clone(),
        seed: args.seed,
        grace_millis: millis("--grace", args.grace.unwrap_or(plain.grace))?,
        settle_millis: millis("--settle", args.settle.unwrap_or(2.0))?,
        max_millis: millis("--max-seconds", args.max_seconds)?,
    };
    check_together(&settings, args.sink_port)?;
    Ok(settings)
}

fn check_together(settings: &Settings, sink_port: u16) -> Result<(), String> {
    let shares = settings.cron_share + settings.cancel_share + settings.overwrite_share;
    if shares > 1.0 {
        return Err(format!(
            "--cron-share, --cancel-share and --overwrite-share add up to {shares}, but they exclude each other: use \
             at most 1 in all"
        ));
    }
    if settings.overwrite_share > 0.0 && !settings.own_ids {
        return Err(
            "--overwrite-share needs --own-ids: a generated id cannot be given again in a batch"
                .to_owned(),
        );
    }
    let body = u64::from(settings.bulk) * (u64::from(settings.payload_bytes) + 300);
    if body > MAX_BODY_BYTES {
        return Err(format!(
            "--bulk {} times --payload-bytes {} makes requests of {body} bytes: at most {MAX_BODY_BYTES}, lower one",
            settings.bulk, settings.payload_bytes
        ));
    }
    if settings.via.is_empty() {
        return Err("--via: name at least one of consumer, webhook, handler-noop".to_owned());
    }
    let handler = settings.via.contains(&Via::HandlerNoop);
    if handler
        && (settings.cron_share > 0.0 || settings.via.iter().any(|&via| via != Via::HandlerNoop))
    {
        return Err("--via handler-noop: only the server's counters tell that a handler ran, so it goes neither with \
                    another --via nor with --cron-share"
            .to_owned());
    }
    if sink_port == 0 && settings.via.contains(&Via::Consumer) {
        return Err(
            "--sink-port 0 with --via consumer: the consumer could not know the port, give one"
                .to_owned(),
        );
    }
    Ok(())
}

fn within(option: &str, value: u32, least: u32, most: u32) -> Result<u32, String> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(format!("{option} {value}: must be between {least} and {most}"))
}

/// Checks an option in seconds, and returns it in milliseconds.
///
/// # Errors
/// Returns the option and its limits.
pub(crate) fn millis(option: &str, seconds: f64) -> Result<i64, String> {
    if seconds.is_finite() && (0.0..=MAX_SECONDS).contains(&seconds) {
        return Ok((seconds * 1_000.0).round() as i64);
    }
    Err(format!("{option} {seconds}: must be between 0 and {MAX_SECONDS} seconds"))
}

fn share(option: &str, value: f64) -> Result<f64, String> {
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    Err(format!("{option} {value}: must be between 0 and 1"))
}

#[cfg(test)]
pub(crate) mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    /// Returns the settings of a command line, in the same way as `main`.
    pub(crate) fn parse(line: &str) -> Result<Settings, String> {
        let cli = Cli::try_parse_from(line.split(' ')).map_err(|error| error.to_string())?;
        match cli.command {
            Command::Smoke(args) => settings(Scenario::Smoke, &args),
            Command::Steady(args) => settings(Scenario::Steady, &args),
            Command::Herd(args) => settings(Scenario::Herd, &args),
            Command::Spread(args) => settings(Scenario::Spread, &args),
            Command::Churn(args) => settings(Scenario::Churn, &args),
            Command::Bulk(_) | Command::SinkRate(_) => Err("not a scenario".to_owned()),
        }
    }

    #[test]
    fn every_scenario_has_valid_defaults() {
        for name in ["smoke", "steady", "herd", "spread", "churn"] {
            parse(&format!("loadtest {name}")).unwrap();
        }
    }

    #[test]
    fn the_herd_waits_for_the_end_of_scheduling() {
        let herd = parse("loadtest herd --tasks 100000 --expected-rate 50000 --due-in 3").unwrap();
        assert_eq!((herd.first_due_after_millis(), herd.spread_millis), (5_000, 0));
        assert_eq!(parse("loadtest spread --due-in 3").unwrap().first_due_after_millis(), 3_000);
    }

    #[test]
    fn a_rate_gives_the_number_of_tasks() {
        assert_eq!(parse("loadtest steady --rate 500 --spread 10").unwrap().tasks, 5_000);
        assert_eq!(parse("loadtest steady").unwrap().tasks, 60_000);
    }

    #[test]
    fn options_override_and_flags_take_an_optional_value() {
        let churn = parse(
            "loadtest churn --own-ids --via consumer,webhook --cancel-share 0.5 --ndjson true",
        )
        .unwrap();
        assert_eq!(churn.via, [Via::Consumer, Via::Webhook]);
        assert!(churn.own_ids && churn.ndjson && churn.cancel_share == 0.5);
        assert!(!parse("loadtest spread --own-ids false").unwrap().own_ids);
    }

    #[test]
    fn an_option_out_of_bounds_is_named() {
        for (line, option) in [
            ("loadtest smoke --tasks 0", "--tasks"),
            ("loadtest smoke --tasks 5000001", "--tasks"),
            ("loadtest smoke --bulk 20001", "--bulk"),
            ("loadtest smoke --concurrency 0", "--concurrency"),
            ("loadtest smoke --due-in 86401", "--due-in"),
            ("loadtest smoke --spread NaN", "--spread"),
            ("loadtest smoke --cancel-share 1.1", "--cancel-share"),
            ("loadtest smoke --cancel-share 0.6 --cron-share 0.6", "--cron-share"),
            ("loadtest churn --own-ids false", "--own-ids"),
            ("loadtest spread --bulk 20000 --payload-bytes 65536", "--payload-bytes"),
            ("loadtest smoke --via handler-noop", "--via handler-noop"),
            ("loadtest spread --sink-port 0", "--sink-port"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(option), "{line}: {error}");
        }
    }
}
