//! The JSON of a callback: the fields of all kinds, and the kinds to which each belongs.

use super::{Body, Method};
use crate::bounds::{DEFAULT_TIMEOUT_SECONDS, MAX_HEADERS};
use crate::input::{BoundedMap, FieldError, Text};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Fields<'a> {
    r#type: Kind,
    #[serde(borrow)]
    pub(super) url: Option<Cow<'a, str>>,
    pub(super) method: Option<Method>,
    #[serde(borrow)]
    pub(super) headers: Option<BoundedMap<Text<'a>, Text<'a>, MAX_HEADERS>>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "crate::input::whole")]
    timeout_seconds: Option<u32>,
    #[serde(borrow)]
    pub(super) binding: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) path: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) function: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) queue: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Webhook,
    Service,
    DurableObject,
    Handler,
    Queue,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Service => "service",
            Self::DurableObject => "durable-object",
            Self::Handler => "handler",
            Self::Queue => "queue",
        }
    }

    /// Returns the members of callbacks of this kind.
    fn members(self) -> &'static [&'static str] {
        match self {
            Self::Webhook => &["type", "url", "method", "headers", "body", "timeoutSeconds"],
            Self::Service => &[
                "type",
                "binding",
                "path",
                "function",
                "method",
                "headers",
                "body",
                "timeoutSeconds",
            ],
            Self::DurableObject => &[
                "type",
                "binding",
                "name",
                "path",
                "function",
                "method",
                "headers",
                "body",
                "timeoutSeconds",
            ],
            Self::Handler => &["type", "name"],
            Self::Queue => &["type", "queue"],
        }
    }

    /// Returns whether callbacks of this kind have this field, which is given without `callback.`.
    fn takes(self, field: &str) -> bool {
        self.members().contains(&field)
    }

    /// Returns the members of callbacks of the type that a callback's JSON names; `None` if it
    /// names none.
    pub(super) fn members_of(text: &str) -> Option<&'static [&'static str]> {
        #[derive(Deserialize)]
        struct Typed {
            r#type: Kind,
        }
        serde_json::from_str::<Typed>(text).ok().map(|typed| typed.r#type.members())
    }
}

impl<'a> Fields<'a> {
    pub(super) fn kind(&self) -> Kind {
        self.r#type
    }

    /// Checks that every given field belongs to the given kind.
    pub(super) fn check_kind(&self) -> Result<(), FieldError> {
        let kind = self.r#type;
        for (is_given, path) in [
            (self.url.is_some(), "callback.url"),
            (self.method.is_some(), "callback.method"),
            (self.headers.is_some(), "callback.headers"),
            (self.body.is_some(), "callback.body"),
            (self.timeout_seconds.is_some(), "callback.timeoutSeconds"),
            (self.binding.is_some(), "callback.binding"),
            (self.path.is_some(), "callback.path"),
            (self.function.is_some(), "callback.function"),
            (self.name.is_some(), "callback.name"),
            (self.queue.is_some(), "callback.queue"),
        ] {
            if is_given && !kind.takes(path.trim_start_matches("callback.")) {
                return Err(FieldError::new(
                    path,
                    format!("does not belong to a {} callback; leave it out", kind.name()),
                ));
            }
        }
        Ok(())
    }

    pub(super) fn body(&self) -> Result<Option<Body<'a>>, FieldError> {
        self.body.map(Body::read).transpose()
    }

    pub(super) fn timeout_seconds(&self) -> u32 {
        self.timeout_seconds.unwrap_or(DEFAULT_TIMEOUT_SECONDS)
    }
}

/// Returns the error for a missing field.
pub(super) fn missing(field: &'static str, what: &str) -> FieldError {
    FieldError::new(field, format!("is missing; {what}"))
}
