//! A shard's settings, from the Worker's environment.

use scheduler_core::engine::Config;
use worker::Env;

/// The variable with the seconds after which an unreported envelope is sent again.
const VISIBILITY_VARIABLE: &str = "VISIBILITY_TIMEOUT_SECONDS";

/// Bounds of that: shorter than a dispatcher's longest webhook would send every slow task again; longer than a queue keeps a
/// message (4 days) would never matter.
const VISIBILITY_SECONDS: std::ops::RangeInclusive<i64> = 1..=345_600;

/// Reads the settings; what is absent or out of bounds takes the default, with a line in the log.
pub(crate) fn read(env: &Env) -> Config {
    let default = Config::default();
    let Ok(given) = env.var(VISIBILITY_VARIABLE) else { return default };
    match given.to_string().trim().parse::<i64>() {
        Ok(seconds) if VISIBILITY_SECONDS.contains(&seconds) => Config { visibility_millis: seconds * 1_000, ..default },
        _ => {
            worker::console_error!(
                "{VISIBILITY_VARIABLE} is {given}, which is not a whole number from 1 to 345600; using {}",
                default.visibility_millis / 1_000
            );
            default
        }
    }
}
