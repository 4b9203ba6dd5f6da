//! The settings of a shard.

use scheduler_engine::{Config, Keep};
use scheduler_platform::settings;
use worker::Env;

/// Reads the settings. A setting that is absent or out of bounds has its default value.
pub(crate) fn read(env: &Env) -> Config {
    let default = Config::default();
    let history = settings::history(
        env,
        [("off", Keep::Off), ("failures", Keep::Failures), ("all", Keep::All)],
    );
    Config {
        visibility_millis: settings::visibility_millis(env),
        history: history.unwrap_or(default.history),
        max_dispatched: settings::max_dispatched(env).unwrap_or(default.max_dispatched),
        ..default
    }
}
