//! What happens when a task fires.

mod binding;
mod destination;
mod fields;
mod message;
mod reserved;
mod schema;
mod target;
#[cfg(test)]
mod tests;
mod webhook;

pub use binding::{Call, DurableObject, Service};
pub use destination::webhook_host;
pub use message::{Body, HIDDEN, Message, Method};
pub use target::{callback_type, target_of};
pub use webhook::{Webhook, parse_url};

use crate::bounds::{MAX_CALLBACK_BYTES, MAX_TIMEOUT_SECONDS};
use crate::hosts::Hosts;
use crate::input::{FieldError, at_most, check_nesting, parse_object_taking, quoted};
use fields::{Fields, Kind, missing};
use schemars::JsonSchema;
use std::borrow::Cow;

/// What happens when a task fires.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Callback<'a> {
    /// A request to a URL.
    Webhook(#[schemars(with = "schema::Webhook")] Webhook<'a>),
    /// A call of another Worker through a service binding.
    Service(#[schemars(with = "schema::Service")] Service<'a>),
    /// A call of a Durable Object through a namespace's binding.
    DurableObject(#[schemars(with = "schema::DurableObject")] DurableObject<'a>),
    /// A Rust function that was registered under this name when the Worker was built.
    Handler {
        /// The registered name.
        name: Cow<'a, str>,
    },
    /// A message in a queue: the user's own consumer gets the record through this producer binding.
    Queue {
        /// The name of the binding.
        queue: Cow<'a, str>,
    },
}

/// What a deployment can call: the names that a callback may use, and the hosts that are allowed in
/// addition to public ones.
#[derive(Debug, Clone, Copy, Default)]
pub struct Targets<'a> {
    /// The handlers that were registered when the Worker was built.
    pub handlers: &'a [&'a str],
    /// Producer bindings that tasks may name.
    pub queues: &'a [String],
    /// Service bindings that tasks may name.
    pub services: &'a [String],
    /// Bindings of Durable Object namespaces that tasks may name.
    pub durable_objects: &'a [String],
    /// The hosts that webhooks may and may not call: see [`crate::hosts::check_host`].
    pub hosts: Hosts<'a>,
}

impl<'a> Callback<'a> {
    /// Reads the JSON of a callback without checking its values, so that it can read every record
    /// that was ever accepted.
    ///
    /// # Errors
    /// Returns an error that names the field and the problem.
    pub fn parse(text: &'a str) -> Result<Self, FieldError> {
        let fields: Fields<'a> = parse_object_taking(text, "callback", &|| Kind::members_of(text))?;
        fields.check_kind()?;
        Ok(match fields.kind() {
            Kind::Webhook => Self::Webhook(Webhook::read(fields)?),
            Kind::Service => Self::Service(Service::read(fields)?),
            Kind::DurableObject => Self::DurableObject(DurableObject::read(fields)?),
            Kind::Handler => Self::Handler {
                name: fields.name.ok_or_else(|| {
                    missing("callback.name", "give the name of a registered handler")
                })?,
            },
            Kind::Queue => Self::Queue {
                queue: fields.queue.ok_or_else(|| {
                    missing("callback.queue", "give the name of a producer binding")
                })?,
            },
        })
    }

    /// Reads and checks a callback of a request. Its length is checked first.
    ///
    /// # Errors
    /// Returns an error that names the field, the problem and the limit.
    pub fn given(text: &'a str, targets: Targets<'_>) -> Result<Self, FieldError> {
        at_most("callback", text.len(), MAX_CALLBACK_BYTES)?;
        check_nesting("callback", text)?;
        let callback = Self::parse(text)?;
        callback.check(targets)?;
        Ok(callback)
    }

    /// Checks the values of a callback: limits, URL and header names, and that the deployment has
    /// the target that it names.
    fn check(&self, targets: Targets<'_>) -> Result<(), FieldError> {
        match self {
            Self::Webhook(webhook) => webhook.check(targets.hosts),
            Self::Service(service) => service.check(targets.services),
            Self::DurableObject(object) => object.check(targets.durable_objects),
            Self::Handler { name } if targets.handlers.contains(&name.as_ref()) => Ok(()),
            Self::Handler { name } => Err(unknown(
                "callback.name",
                name,
                "handler is registered",
                targets.handlers.iter().copied(),
            )),
            Self::Queue { queue } => check_binding(
                "callback.queue",
                queue,
                "queue binding is allowed (QUEUE_BINDINGS)",
                targets.queues,
            ),
        }
    }

    /// Returns whether the record goes to the user's own consumer, not to the dispatchers.
    pub fn is_queue(&self) -> bool {
        matches!(self, Self::Queue { .. })
    }
}

fn check_binding(
    field: &'static str,
    given: &str,
    what: &str,
    allowed: &[String],
) -> Result<(), FieldError> {
    if allowed.iter().any(|known| known == given) {
        return Ok(());
    }
    Err(unknown(field, given, what, allowed.iter().map(String::as_str)))
}

fn unknown<'a>(
    field: &'static str,
    given: &str,
    what: &str,
    known: impl Iterator<Item = &'a str>,
) -> FieldError {
    let known: Vec<&str> = known.collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    FieldError::new(
        field,
        format!("is {}, but no such {what}; there are: {known}", quoted(given, 64)),
    )
}

fn check_timeout(seconds: u32) -> Result<(), FieldError> {
    if !(1..=MAX_TIMEOUT_SECONDS).contains(&seconds) {
        return Err(FieldError::new(
            "callback.timeoutSeconds",
            format!("is {seconds}; must be 1 to {MAX_TIMEOUT_SECONDS}"),
        ));
    }
    Ok(())
}
