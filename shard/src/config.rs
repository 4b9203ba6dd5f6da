//! A shard's settings, from the Worker's environment.

use scheduler_engine::{Config, Keep};
use scheduler_model::bounds::MAX_ISOLATE_BYTES;
use worker::Env;

/// The variable with the seconds after which an unreported envelope is sent again.
const VISIBILITY_VARIABLE: &str = "VISIBILITY_TIMEOUT_SECONDS";

/// Bounds of that: shorter than a dispatcher's longest webhook would send every slow task again; longer than a queue keeps a
/// message (4 days) would never matter.
const VISIBILITY_SECONDS: std::ops::RangeInclusive<i64> = 1..=345_600;

/// The variable that says what is kept of how attempts end.
const HISTORY_VARIABLE: &str = "HISTORY";

/// The variable with the most tasks that a shard has handed to the dispatchers and not had reported.
const DISPATCHED_VARIABLE: &str = "MAX_DISPATCHED_TASKS";

/// Bounds of that: what is handed on takes memory, so no more than a shard may have in flight at all.
const DISPATCHED_TASKS: std::ops::RangeInclusive<usize> = 1..=250_000;

/// The variable with the megabytes that the loaded shards of an isolate may hold together.
const ISOLATE_VARIABLE: &str = "ISOLATE_MEMORY_MB";

/// Bounds of that. An isolate of the platform has 128 MB; elsewhere it may have more.
const ISOLATE_MEGABYTES: std::ops::RangeInclusive<usize> = 1..=4_000;

/// Reads how many bytes the loaded shards of an isolate may hold together.
pub fn isolate_bytes(env: &Env) -> usize {
    let Ok(given) = env.var(ISOLATE_VARIABLE) else { return MAX_ISOLATE_BYTES };
    let given = given.to_string();
    let megabytes = given.trim().parse::<usize>().ok().filter(|megabytes| ISOLATE_MEGABYTES.contains(megabytes));
    if megabytes.is_none() {
        worker::console_error!("{ISOLATE_VARIABLE} is {given}, which is not a whole number from 1 to 4000; using the default");
    }
    megabytes.map_or(MAX_ISOLATE_BYTES, |megabytes| megabytes * 1_000_000)
}

/// Reads the settings; what is absent or out of bounds takes the default, with a line in the log.
pub(crate) fn read(env: &Env) -> Config {
    let default = Config::default();
    Config {
        visibility_millis: visibility(env).unwrap_or(default.visibility_millis),
        history: history(env).unwrap_or(default.history),
        max_dispatched: max_dispatched(env).unwrap_or(default.max_dispatched),
        ..default
    }
}

fn visibility(env: &Env) -> Option<i64> {
    let given = env.var(VISIBILITY_VARIABLE).ok()?.to_string();
    let seconds = given.trim().parse::<i64>().ok().filter(|seconds| VISIBILITY_SECONDS.contains(seconds));
    if seconds.is_none() {
        worker::console_error!(
            "{VISIBILITY_VARIABLE} is {given}, which is not a whole number from 1 to 345600; using the default"
        );
    }
    seconds.map(|seconds| seconds * 1_000)
}

fn max_dispatched(env: &Env) -> Option<usize> {
    let given = env.var(DISPATCHED_VARIABLE).ok()?.to_string();
    let tasks = given.trim().parse().ok().filter(|tasks| DISPATCHED_TASKS.contains(tasks));
    if tasks.is_none() {
        worker::console_error!(
            "{DISPATCHED_VARIABLE} is {given}, which is not a whole number from 1 to 250000; using the default"
        );
    }
    tasks
}

fn history(env: &Env) -> Option<Keep> {
    let given = env.var(HISTORY_VARIABLE).ok()?.to_string();
    let keep = match given.trim() {
        "off" => Some(Keep::Off),
        "failures" => Some(Keep::Failures),
        "all" => Some(Keep::All),
        _ => None,
    };
    if keep.is_none() {
        worker::console_error!("{HISTORY_VARIABLE} is {given}, which is none of off, failures and all; using the default");
    }
    keep
}
