//! The deployment's settings, from the environment.

use crate::problem::Problem;
use scheduler_model::protocol::INTERNAL_BINDINGS;
use scheduler_model::routing::{ShardMap, ShardMapError};
use serde_json::value::RawValue;
use worker::Env;

/// How many shards each epoch has.
const SHARD_MAP: &str = "SHARD_MAP";
/// The producer bindings that tasks may name, separated by commas.
const QUEUE_BINDINGS: &str = "QUEUE_BINDINGS";
/// The callback of tasks that have none, as JSON.
const DEFAULT_CALLBACK: &str = "DEFAULT_CALLBACK";
/// The bearer keys, separated by commas; a secret.
const API_KEYS: &str = "API_KEYS";
/// Set by measurements only: offers the route that parses and answers.
const BENCH_PARSE_ONLY: &str = "BENCH_PARSE_ONLY";
/// Set by tests only: which handlers there are beside the shipped ones.
const EXAMPLE_HANDLERS: &str = "EXAMPLE_HANDLERS";

/// Reads the shard map.
pub(crate) fn shard_map(env: &Env) -> Result<ShardMap, Problem> {
    let text = text(env, SHARD_MAP)
        .ok_or_else(|| Problem::misconfigured(format!("{SHARD_MAP} is not set; write the number of shards, like 16")))?;
    text.parse().map_err(|problem: ShardMapError| Problem::misconfigured(problem.to_string()))
}

/// Returns the producer bindings that tasks may name: those of the variable, but none of the scheduler's own.
pub(crate) fn queue_bindings(env: &Env) -> Vec<String> {
    let mut bindings = list(env, QUEUE_BINDINGS);
    bindings.retain(|binding| !INTERNAL_BINDINGS.contains(&binding.as_str()));
    bindings
}

/// The callback of tasks that have none: as it is set, or to the first queue that tasks may name.
pub(crate) fn default_callback(env: &Env) -> Result<Option<Box<RawValue>>, Problem> {
    default_callback_of(text(env, DEFAULT_CALLBACK), queue_bindings(env).first())
}

fn default_callback_of(set: Option<String>, first_queue: Option<&String>) -> Result<Option<Box<RawValue>>, Problem> {
    let text = set.filter(|set| !set.trim().is_empty());
    let text = text.or_else(|| Some(serde_json::json!({ "type": "queue", "queue": first_queue? }).to_string()));
    let read = text.map(|text| serde_json::from_str(&text)).transpose();
    read.map_err(|problem| Problem::misconfigured(format!("{DEFAULT_CALLBACK} is not JSON: {problem}")))
}

/// The keys that open the API; none when it is closed.
pub(crate) fn api_keys(env: &Env) -> Vec<String> {
    let secret = env.secret(API_KEYS).ok().map(|secret| secret.to_string());
    split(&secret.or_else(|| text(env, API_KEYS)).unwrap_or_default())
}

/// Whether the route for measurements is offered.
pub(crate) fn is_bench(env: &Env) -> bool {
    text(env, BENCH_PARSE_ONLY).is_some_and(|text| text == "1")
}

/// Which example handlers are registered; empty: none.
pub(crate) fn example_handlers(env: &Env) -> String {
    text(env, EXAMPLE_HANDLERS).unwrap_or_default()
}

fn text(env: &Env, name: &str) -> Option<String> {
    env.var(name).ok().map(|value| value.to_string())
}

fn list(env: &Env, name: &str) -> Vec<String> {
    split(&text(env, name).unwrap_or_default())
}

fn split(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A binding that the deployment's file adds for the scheduler itself must be one that no task can name.
    #[test]
    fn every_binding_of_the_schedulers_own_is_internal() {
        let file = include_str!("../../wrangler.toml");
        let named = |section: &'static str, key: &'static str| {
            let parts = file.split("[[").filter(move |part| part.starts_with(section));
            parts.filter_map(move |part| {
                part.lines().find_map(|line| line.strip_prefix(key)?.trim_matches([' ', '=', '"']).into())
            })
        };
        let bindings: Vec<&str> = named("durable_objects.bindings", "name").chain(named("queues.producers", "binding")).collect();
        assert!(bindings.len() >= INTERNAL_BINDINGS.len(), "{bindings:?}");
        for binding in bindings.iter().filter(|binding| **binding != "FIRED_TASKS") {
            assert!(INTERNAL_BINDINGS.contains(binding), "{binding} is not in INTERNAL_BINDINGS");
        }
    }

    #[test]
    fn the_default_callback_is_the_one_that_is_set_or_the_first_queue() {
        let of = |set: Option<&str>, queue: Option<&str>| {
            let queue = queue.map(str::to_owned);
            default_callback_of(set.map(str::to_owned), queue.as_ref()).map(|callback| callback.map(|raw| raw.get().to_owned()))
        };
        let queue = Some(r#"{"queue":"A\"B","type":"queue"}"#.to_owned());
        assert_eq!(of(None, Some("A\"B")), Ok(queue.clone()));
        assert_eq!(of(Some(" "), Some("A\"B")), Ok(queue));
        assert_eq!(of(None, None), Ok(None));
        let log = r#"{"type":"handler","name":"log"}"#;
        assert_eq!(of(Some(log), Some("A")), Ok(Some(log.to_owned())));
        assert_eq!(of(Some("log"), Some("A")).map_err(|problem| problem.kind.status()), Err(500));
    }
}
