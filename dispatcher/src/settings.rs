//! The deployment's settings for targets, from the environment.

use crate::signature::Keys;
use scheduler_model::protocol::INTERNAL_BINDINGS;
use worker::{Env, console_error};

/// Service bindings that tasks may name, separated by commas.
const SERVICE_BINDINGS: &str = "SERVICE_BINDINGS";
/// Bindings of Durable Object namespaces that tasks may name, separated by commas.
const DURABLE_OBJECT_BINDINGS: &str = "DURABLE_OBJECT_BINDINGS";
/// Hosts that webhooks may call though they are not public, separated by commas.
const WEBHOOK_ALLOWED_HOSTS: &str = "WEBHOOK_ALLOWED_HOSTS";
/// The keys that webhooks are signed with, separated by commas; a secret.
pub(crate) const WEBHOOK_SIGNING_KEYS: &str = "WEBHOOK_SIGNING_KEYS";

/// The namespaces whose webhooks are signed with the deployment's keys themselves, separated by commas; `*` for all.
const WEBHOOK_SHARED_KEY_NAMESPACES: &str = "WEBHOOK_SHARED_KEY_NAMESPACES";

/// What tasks may reach beside the public web: checked when a task comes in, and again before each attempt, for a task may be older
/// than the settings.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// Service bindings.
    pub services: Vec<String>,
    /// Bindings of Durable Object namespaces.
    pub durable_objects: Vec<String>,
    /// Hosts; see [`scheduler_model::hosts::check_host`].
    pub hosts: Vec<String>,
}

impl Allowed {
    /// Reads the settings; what is absent allows nothing.
    pub fn read(env: &Env) -> Self {
        let bindings = |name| {
            let mut bindings = list(env, name);
            bindings.retain(|binding| !INTERNAL_BINDINGS.contains(&binding.as_str()));
            bindings
        };
        let (services, durable_objects) = (bindings(SERVICE_BINDINGS), bindings(DURABLE_OBJECT_BINDINGS));
        Self { services, durable_objects, hosts: list(env, WEBHOOK_ALLOWED_HOSTS) }
    }
}

/// Reads the signing keys, with a line in the log for each that does not hold.
pub(crate) fn keys(env: &Env) -> Keys {
    let text = env.secret(WEBHOOK_SIGNING_KEYS).map(|keys| keys.to_string()).unwrap_or_default();
    let (keys, problems) = Keys::read(&text);
    for problem in problems {
        console_error!("{WEBHOOK_SIGNING_KEYS}: {problem}; a key is whsec_ and 24 to 64 bytes in base64");
    }
    keys.shared_by(list(env, WEBHOOK_SHARED_KEY_NAMESPACES))
}

fn list(env: &Env, name: &str) -> Vec<String> {
    let text = env.var(name).map(|value| value.to_string()).unwrap_or_default();
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
