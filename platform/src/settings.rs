//! The settings of the deployment. Only this module reads variables and secrets.

use scheduler_model::bounds::{
    DEFAULT_REQUEST_BYTES, DEFAULT_VISIBILITY_MILLIS, MAX_ISOLATE_BYTES, MAX_REQUEST_BYTES,
};
use scheduler_model::hosts::{Hosts, own_pattern};
use scheduler_model::protocol::INTERNAL_BINDINGS;
use scheduler_model::routing::{ShardMap, ShardMapError};
use serde_json::value::RawValue;
use std::ops::RangeInclusive;
use worker::Env;

/// The number of shards of each epoch.
const SHARD_MAP: &str = "SHARD_MAP";

/// Where the platform places new Durable Objects.
pub(crate) const LOCATION: &str = "LOCATION";

/// The jurisdiction that all Durable Objects stay in.
pub const JURISDICTION: &str = "JURISDICTION";

/// The language model that may rewrite refused sentences; empty for none.
pub const WORDS_MODEL: &str = "WORDS_MODEL";

/// The address of the model; empty for the binding `AI`.
pub const WORDS_MODEL_URL: &str = "WORDS_MODEL_URL";

/// The API key of the model; a secret.
const WORDS_MODEL_KEY: &str = "WORDS_MODEL_KEY";

/// The queue bindings that tasks may name, separated by commas.
const QUEUE_BINDINGS: &str = "QUEUE_BINDINGS";

/// The service bindings that tasks may name, separated by commas.
const SERVICE_BINDINGS: &str = "SERVICE_BINDINGS";

/// The bindings of Durable Object namespaces that tasks may name, separated by commas.
const DURABLE_OBJECT_BINDINGS: &str = "DURABLE_OBJECT_BINDINGS";

/// Hosts that webhooks may call although they are not public, separated by commas.
const WEBHOOK_ALLOWED_HOSTS: &str = "WEBHOOK_ALLOWED_HOSTS";

/// The host names of the scheduler itself, separated by commas.
const OWN_HOSTS: &str = "OWN_HOSTS";

/// The keys that sign webhooks, separated by commas; a secret.
pub const WEBHOOK_SIGNING_KEYS: &str = "WEBHOOK_SIGNING_KEYS";

/// The namespaces that sign their webhooks with the deployment's own keys, separated by commas; `*`
/// means all.
const WEBHOOK_SHARED_KEY_NAMESPACES: &str = "WEBHOOK_SHARED_KEY_NAMESPACES";

/// The callback of tasks that name none, as JSON.
const DEFAULT_CALLBACK: &str = "DEFAULT_CALLBACK";

/// The API keys, separated by commas; a secret.
const API_KEYS: &str = "API_KEYS";

/// The number of seconds after which a shard sends an envelope without a report again.
const VISIBILITY_TIMEOUT_SECONDS: &str = "VISIBILITY_TIMEOUT_SECONDS";

/// The bounds of the timeout. A queue keeps a message for four days, so a longer timeout would have
/// no effect.
const VISIBILITY_SECONDS: RangeInclusive<u32> = 1..=345_600;

/// The outcomes that the history keeps.
const HISTORY: &str = "HISTORY";

/// The highest number of tasks that a shard may have dispatched without a report.
const MAX_DISPATCHED_TASKS: &str = "MAX_DISPATCHED_TASKS";

/// The bounds of that number. Dispatched tasks take memory, so the upper bound is the number of
/// tasks that a shard may have in flight.
const DISPATCHED_TASKS: RangeInclusive<u32> = 1..=250_000;

/// The number of megabytes that the loaded shards of an isolate may hold together.
const ISOLATE_MEMORY_MB: &str = "ISOLATE_MEMORY_MB";

/// The bounds of that number. An isolate of the platform has 128 MB; elsewhere it may have more.
const ISOLATE_MEGABYTES: RangeInclusive<u32> = 1..=4_000;

/// The number of mebibytes (1,048,576 bytes) that the body of a batch may have.
const MAX_BODY_MIB: &str = "MAX_BODY_MIB";

/// The bounds of that number. Clients rely on the default, so it can only be raised.
const BODY_MEBIBYTES: RangeInclusive<u32> =
    (DEFAULT_REQUEST_BYTES >> 20) as u32..=(MAX_REQUEST_BYTES >> 20) as u32;

/// The number of subrequests that the platform allows an invocation.
const SUBREQUESTS: &str = "SUBREQUESTS";

/// The bounds of that number. The free plan has 50, and tests use fewer. A paid plan may have up to
/// ten million.
const SUBREQUEST_COUNTS: RangeInclusive<u32> = 10..=10_000_000;

/// The number of subrequests on the platform's paid plan. Source: "Limits" in its documentation of
/// Workers, in November 2026.
const DEFAULT_SUBREQUESTS: u32 = 10_000;

/// Set only for measurements. It adds a route that parses a request and answers.
const BENCH_PARSE_ONLY: &str = "BENCH_PARSE_ONLY";

/// Set only by tests. It names the handlers to register in addition to those of the scheduler.
const EXAMPLE_HANDLERS: &str = "EXAMPLE_HANDLERS";

/// Parses the shard map.
///
/// # Errors
/// Returns an error if the map is not set or cannot be parsed.
pub fn shard_map(env: &Env) -> Result<ShardMap, String> {
    let text = text(env, SHARD_MAP)
        .ok_or_else(|| format!("{SHARD_MAP} is not set; write the number of shards, like 16"))?;
    text.parse().map_err(|problem: ShardMapError| problem.to_string())
}

/// Returns the text of a variable without spaces around it. The text is empty if the variable is
/// not set.
pub(crate) fn trimmed(env: &Env, name: &str) -> String {
    text(env, name).unwrap_or_default().trim().to_owned()
}

/// A language model that may rewrite refused sentences.
#[derive(Debug, Clone)]
pub struct Model {
    /// The name of the model, as its provider spells it.
    pub name: String,
    /// The address that takes chats; empty for the binding `AI`.
    pub url: String,
    /// The API key for the address; empty for none.
    pub key: String,
}

/// Returns the language model, if there is one.
pub fn model(env: &Env) -> Option<Model> {
    let name = trimmed(env, WORDS_MODEL);
    let key = secret(env, WORDS_MODEL_KEY).unwrap_or_default();
    (!name.is_empty()).then(|| Model { name, url: trimmed(env, WORDS_MODEL_URL), key })
}

/// The targets that tasks may call besides the public web. They are checked when a task is created
/// and before each attempt, because the settings may have changed in between.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// The service bindings.
    pub services: Vec<String>,
    /// The bindings of Durable Object namespaces.
    pub durable_objects: Vec<String>,
    /// Hosts that webhooks may call although they are not public.
    public_exceptions: Vec<String>,
    /// The scheduler's own hosts.
    own_hosts: Vec<String>,
}

impl Allowed {
    /// Reads the settings. A missing setting allows nothing.
    pub fn read(env: &Env) -> Self {
        Self {
            services: bindings(env, SERVICE_BINDINGS),
            durable_objects: bindings(env, DURABLE_OBJECT_BINDINGS),
            public_exceptions: list(env, WEBHOOK_ALLOWED_HOSTS),
            own_hosts: list(env, OWN_HOSTS).iter().map(|entry| own_pattern(entry)).collect(),
        }
    }

    /// Returns the hosts that webhooks may and may not call.
    pub fn hosts(&self) -> Hosts<'_> {
        Hosts { allowed: &self.public_exceptions, own: &self.own_hosts }
    }
}

/// Returns the queue bindings that tasks may name.
pub fn queue_bindings(env: &Env) -> Vec<String> {
    bindings(env, QUEUE_BINDINGS)
}

/// Returns the callback of tasks that name none: the configured callback, or a callback for the
/// first queue that tasks may name.
///
/// # Errors
/// Returns an error if the setting is not JSON.
pub fn default_callback(env: &Env) -> Result<Option<Box<RawValue>>, String> {
    default_callback_of(text(env, DEFAULT_CALLBACK), queue_bindings(env).first())
}

fn default_callback_of(
    set: Option<String>,
    first_queue: Option<&String>,
) -> Result<Option<Box<RawValue>>, String> {
    let text = set.filter(|set| !set.trim().is_empty());
    let text = text.or_else(|| {
        Some(serde_json::json!({ "type": "queue", "queue": first_queue? }).to_string())
    });
    let read = text.map(|text| serde_json::from_str(&text)).transpose();
    read.map_err(|problem| format!("{DEFAULT_CALLBACK} is not JSON: {problem}"))
}

/// Returns the API keys of the deployment.
pub fn api_keys(env: &Env) -> Vec<String> {
    split(&secret(env, API_KEYS).or_else(|| text(env, API_KEYS)).unwrap_or_default())
}

/// Returns the text of the keys that sign webhooks. It is empty if there are none.
pub fn webhook_signing_keys(env: &Env) -> String {
    secret(env, WEBHOOK_SIGNING_KEYS).unwrap_or_default()
}

/// Returns the namespaces that sign their webhooks with the deployment's own keys.
pub fn shared_key_namespaces(env: &Env) -> Vec<String> {
    list(env, WEBHOOK_SHARED_KEY_NAMESPACES)
}

/// Returns the milliseconds after which a shard sends an envelope without a report again.
pub fn visibility_millis(env: &Env) -> i64 {
    number(env, VISIBILITY_TIMEOUT_SECONDS, &VISIBILITY_SECONDS)
        .map_or(DEFAULT_VISIBILITY_MILLIS, |seconds| i64::from(seconds) * 1_000)
}

/// Returns the highest number of tasks that a shard may have dispatched without a report, if it is
/// set.
pub fn max_dispatched(env: &Env) -> Option<usize> {
    number(env, MAX_DISPATCHED_TASKS, &DISPATCHED_TASKS).map(|tasks| tasks as usize)
}

/// Returns the number of bytes that the loaded shards of an isolate may hold together.
pub fn isolate_bytes(env: &Env) -> usize {
    number(env, ISOLATE_MEMORY_MB, &ISOLATE_MEGABYTES)
        .map_or(MAX_ISOLATE_BYTES, |megabytes| megabytes as usize * 1_000_000)
}

/// Returns the number of bytes that the body of a batch may have.
pub fn max_body_bytes(env: &Env) -> usize {
    number(env, MAX_BODY_MIB, &BODY_MEBIBYTES)
        .map_or(DEFAULT_REQUEST_BYTES, |mebibytes| (mebibytes as usize) << 20)
}

/// Returns the number of subrequests that an invocation may make.
pub fn subrequests(env: &Env) -> u32 {
    number(env, SUBREQUESTS, &SUBREQUEST_COUNTS).unwrap_or(DEFAULT_SUBREQUESTS)
}

/// Returns the element of `known` whose name is the value of the variable for the history, if it is
/// set.
pub fn history<T>(env: &Env, known: [(&str, T); 3]) -> Option<T> {
    let given = text(env, HISTORY)?;
    let names = known.each_ref().map(|(name, _)| *name).join(", ");
    let kept = known.into_iter().find(|(name, _)| *name == given.trim());
    if kept.is_none() {
        worker::console_error!("{HISTORY} is {given}, which is none of {names}; using the default");
    }
    kept.map(|(_, kept)| kept)
}

/// Returns whether the route for measurements exists.
pub fn is_bench(env: &Env) -> bool {
    text(env, BENCH_PARSE_ONLY).is_some_and(|text| text == "1")
}

/// Returns the name of the example handlers to register. It is empty if there are none.
pub fn example_handlers(env: &Env) -> String {
    text(env, EXAMPLE_HANDLERS).unwrap_or_default()
}

/// Parses a whole number. If it is out of bounds, logs that and returns `None`.
fn number(env: &Env, name: &str, bounds: &RangeInclusive<u32>) -> Option<u32> {
    let given = text(env, name)?;
    let number = number_in(&given, bounds);
    if number.is_none() {
        let (least, most) = (bounds.start(), bounds.end());
        worker::console_error!(
            "{name} is {given}, which is not a whole number from {least} to {most}; using the default"
        );
    }
    number
}

fn number_in(given: &str, bounds: &RangeInclusive<u32>) -> Option<u32> {
    given.trim().parse().ok().filter(|number| bounds.contains(number))
}

/// Returns a list of bindings that tasks may name. It never contains the scheduler's own bindings.
fn bindings(env: &Env, name: &str) -> Vec<String> {
    let mut bindings = list(env, name);
    bindings.retain(|binding| !INTERNAL_BINDINGS.contains(&binding.as_str()));
    bindings
}

fn list(env: &Env, name: &str) -> Vec<String> {
    split(&text(env, name).unwrap_or_default())
}

fn split(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn text(env: &Env, name: &str) -> Option<String> {
    env.var(name).ok().map(|value| value.to_string())
}

fn secret(env: &Env, name: &str) -> Option<String> {
    env.secret(name).ok().map(|value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    /// Tasks may not name the scheduler's own bindings. If the configuration adds such a binding,
    /// this test requires an entry for it.
    #[test]
    fn every_own_binding_of_the_scheduler_is_internal() {
        let file = include_str!("../../wrangler.toml");
        let named = |section: &'static str, key: &'static str| {
            let parts = file.split("[[").filter(move |part| part.starts_with(section));
            parts.filter_map(move |part| {
                part.lines()
                    .find_map(|line| line.strip_prefix(key)?.trim_matches([' ', '=', '"']).into())
            })
        };
        let bindings: Vec<&str> = named("durable_objects.bindings", "name")
            .chain(named("queues.producers", "binding"))
            .collect();
        assert!(bindings.len() >= INTERNAL_BINDINGS.len(), "{bindings:?}");
        for binding in bindings.iter().filter(|binding| **binding != "FIRED_TASKS") {
            assert!(INTERNAL_BINDINGS.contains(binding), "{binding} is not in INTERNAL_BINDINGS");
        }
    }

    #[test]
    fn the_default_callback_is_the_configured_one_or_the_first_queue() {
        let of = |set: Option<&str>, queue: Option<&str>| {
            let queue = queue.map(str::to_owned);
            default_callback_of(set.map(str::to_owned), queue.as_ref())
                .map(|callback| callback.map(|raw| raw.get().to_owned()))
        };
        let queue = Some(r#"{"queue":"A\"B","type":"queue"}"#.to_owned());
        assert_eq!(of(None, Some("A\"B")), Ok(queue.clone()));
        assert_eq!(of(Some(" "), Some("A\"B")), Ok(queue));
        assert_eq!(of(None, None), Ok(None));
        let log = r#"{"type":"handler","name":"log"}"#;
        assert_eq!(of(Some(log), Some("A")), Ok(Some(log.to_owned())));
        assert!(
            of(Some("log"), Some("A")).unwrap_err().starts_with("DEFAULT_CALLBACK is not JSON")
        );
    }

    /// A variable that other code reads too could have other bounds there.
    #[test]
    fn no_other_module_reads_the_environment() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let mut files = Vec::new();
        for member in ["coordinator", "shard", "registry", "limiter", "dispatcher", "platform"] {
            sources(&root.join(member).join("src"), &mut files);
        }
        assert!(files.len() > 80, "{} files", files.len());
        for file in files.iter().filter(|file| !file.ends_with("platform/src/settings.rs")) {
            let source = std::fs::read_to_string(file).unwrap();
            for reads in ["env.var(", "env.secret(", ".env.var(", "Env::var", "Env::secret"] {
                assert!(
                    !source.contains(reads),
                    "{} has {reads}: add it to settings.rs",
                    file.display()
                );
            }
        }
    }

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { sources(&path, found) } else { found.push(path) }
        }
    }

    #[test]
    fn numbers_are_parsed_within_their_bounds() {
        for (given, number) in [
            ("1", Some(1)),
            (" 345600 ", Some(345_600)),
            ("0", None),
            ("345601", None),
            ("-1", None),
            ("1s", None),
        ] {
            assert_eq!(number_in(given, &VISIBILITY_SECONDS), number, "{given:?}");
        }
    }
    #[test]
    fn the_body_of_a_batch_can_only_be_raised_and_up_to_its_bound() {
        for (given, number) in [("8", Some(8)), ("16", Some(16)), ("7", None), ("17", None)] {
            assert_eq!(number_in(given, &BODY_MEBIBYTES), number, "{given:?}");
        }
    }
}
