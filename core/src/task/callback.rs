//! What happens when a task fires.

use super::FieldError;
use crate::limits::{DEFAULT_TIMEOUT_SECONDS, MAX_CALLBACK_BYTES, MAX_HEADERS, MAX_TIMEOUT_SECONDS, MAX_URL_BYTES};
use schemars::JsonSchema;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use url::Url;

/// What happens when a task fires.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Callback<'a> {
    /// A POST of the record to a URL.
    Webhook(Webhook<'a>),
    /// A Rust function that was registered under this name when the Worker was built.
    Handler {
        /// The registered name.
        name: Cow<'a, str>,
    },
    /// The record goes to the user's own consumer, through this producer binding.
    Queue {
        /// The name of the binding.
        queue: Cow<'a, str>,
    },
}

/// A POST of the record to a URL.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(inline, rename_all = "camelCase", deny_unknown_fields)]
pub struct Webhook<'a> {
    /// http or https.
    #[schemars(length(max = MAX_URL_BYTES), extend("format" = "uri"))]
    pub url: Cow<'a, str>,
    /// Sent beside those that the dispatcher sets.
    #[schemars(with = "Option<BTreeMap<String, String>>", extend("maxProperties" = MAX_HEADERS))]
    pub headers: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    /// How long an attempt may take, seconds.
    #[schemars(with = "Option<u32>", range(min = 1, max = MAX_TIMEOUT_SECONDS), extend("default" = DEFAULT_TIMEOUT_SECONDS))]
    pub timeout_seconds: u32,
}

/// What a deployment can run: the names that a callback may use.
#[derive(Debug, Clone, Copy, Default)]
pub struct Targets<'a> {
    /// Handlers registered at build.
    pub handlers: &'a [&'a str],
    /// Producer bindings that tasks may name.
    pub queues: &'a [String],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields<'a> {
    r#type: Kind,
    #[serde(borrow)]
    url: Option<Cow<'a, str>>,
    #[serde(borrow)]
    headers: Option<BTreeMap<Cow<'a, str>, Cow<'a, str>>>,
    timeout_seconds: Option<u32>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    queue: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Webhook,
    Handler,
    Queue,
}

/// Headers that the dispatcher, the connection or the framing set.
const RESERVED_HEADERS: [&str; 8] =
    ["host", "content-length", "content-type", "connection", "transfer-encoding", "upgrade", "te", "idempotency-key"];

impl<'a> Callback<'a> {
    /// Reads a callback's JSON, its shape only: what a record that was accepted once still is.
    ///
    /// # Errors
    /// Names the field and the problem.
    pub fn parse(text: &'a str) -> Result<Self, FieldError> {
        let fields: Fields<'a> = super::parse_naming_the_field(text, "callback")?;
        let missing = |field: &'static str, what: &str| FieldError::new(field, format!("is missing; {what}"));
        let unexpected =
            |field: &'static str, of: &str| FieldError::new(field, format!("does not belong to a {of} callback; leave it out"));
        if !matches!(fields.r#type, Kind::Webhook) {
            for (given, field) in [
                (fields.url.is_some(), "callback.url"),
                (fields.headers.is_some(), "callback.headers"),
                (fields.timeout_seconds.is_some(), "callback.timeoutSeconds"),
            ] {
                if given {
                    return Err(unexpected(field, if matches!(fields.r#type, Kind::Queue) { "queue" } else { "handler" }));
                }
            }
        }
        if fields.name.is_some() && !matches!(fields.r#type, Kind::Handler) {
            return Err(unexpected("callback.name", if matches!(fields.r#type, Kind::Queue) { "queue" } else { "webhook" }));
        }
        if fields.queue.is_some() && !matches!(fields.r#type, Kind::Queue) {
            return Err(unexpected("callback.queue", if matches!(fields.r#type, Kind::Handler) { "handler" } else { "webhook" }));
        }
        Ok(match fields.r#type {
            Kind::Webhook => Self::Webhook(Webhook {
                url: fields.url.ok_or_else(|| missing("callback.url", "give the URL to POST to"))?,
                headers: fields.headers.unwrap_or_default(),
                timeout_seconds: fields.timeout_seconds.unwrap_or(DEFAULT_TIMEOUT_SECONDS),
            }),
            Kind::Handler => Self::Handler {
                name: fields.name.ok_or_else(|| missing("callback.name", "give the name of a registered handler"))?,
            },
            Kind::Queue => Self::Queue {
                queue: fields.queue.ok_or_else(|| missing("callback.queue", "give the name of a producer binding"))?,
            },
        })
    }

    /// Checks a callback's values: limits, URL, header names, and that this deployment has what it names.
    ///
    /// # Errors
    /// Names the field, the problem and the limit.
    pub fn check(&self, text: &str, targets: Targets<'_>) -> Result<(), FieldError> {
        if text.len() > MAX_CALLBACK_BYTES {
            return Err(FieldError::new("callback", format!("is {} bytes long; the limit is {MAX_CALLBACK_BYTES}", text.len())));
        }
        match self {
            Self::Webhook(webhook) => webhook.check(),
            Self::Handler { name } if targets.handlers.contains(&name.as_ref()) => Ok(()),
            Self::Handler { name } => {
                Err(unknown("callback.name", name, "handler is registered", targets.handlers.iter().copied()))
            }
            Self::Queue { queue } if targets.queues.iter().any(|known| known == queue) => Ok(()),
            Self::Queue { queue } => Err(unknown(
                "callback.queue",
                queue,
                "queue binding is allowed (QUEUE_BINDINGS)",
                targets.queues.iter().map(String::as_str),
            )),
        }
    }

    /// Whether the record goes to the user's own consumer and not to the dispatchers.
    pub fn is_queue(&self) -> bool {
        matches!(self, Self::Queue { .. })
    }
}

fn unknown<'a>(field: &'static str, given: &str, what: &str, known: impl Iterator<Item = &'a str>) -> FieldError {
    let known: Vec<&str> = known.collect();
    let given: String = given.chars().take(64).collect();
    FieldError::new(field, format!("is {given:?}, but no such {what}; there are: {}", known.join(", ")))
}

impl Webhook<'_> {
    fn check(&self) -> Result<(), FieldError> {
        if self.url.len() > MAX_URL_BYTES {
            return Err(FieldError::new(
                "callback.url",
                format!("is {} bytes long; the limit is {MAX_URL_BYTES}", self.url.len()),
            ));
        }
        match Url::parse(&self.url) {
            Err(problem) => return Err(FieldError::new("callback.url", format!("is not a URL: {problem}"))),
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                return Err(FieldError::new("callback.url", format!("has the scheme {}; must be http or https", url.scheme())));
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                return Err(FieldError::new(
                    "callback.url",
                    "has a user name or password in it; send an Authorization header instead",
                ));
            }
            Ok(_) => {}
        }
        if !(1..=MAX_TIMEOUT_SECONDS).contains(&self.timeout_seconds) {
            return Err(FieldError::new(
                "callback.timeoutSeconds",
                format!("is {}; must be 1 to {MAX_TIMEOUT_SECONDS}", self.timeout_seconds),
            ));
        }
        if self.headers.len() > MAX_HEADERS {
            return Err(FieldError::new(
                "callback.headers",
                format!("has {} headers; the limit is {MAX_HEADERS}", self.headers.len()),
            ));
        }
        for (name, value) in &self.headers {
            check_header(name, value)?;
        }
        Ok(())
    }
}

fn check_header(name: &str, value: &str) -> Result<(), FieldError> {
    let shown: String = name.chars().take(64).collect();
    let bad = |problem: &str| Err(FieldError::new("callback.headers", format!("{shown:?} {problem}")));
    // A token of RFC 9110, section 5.6.2.
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)) {
        return bad("is not a header name; use letters, digits and -");
    }
    if RESERVED_HEADERS.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
        return bad("is set by the dispatcher; leave it out");
    }
    if !value.bytes().all(|b| b == b'\t' || (0x20..0x7f).contains(&b)) {
        return bad("has a value with characters other than printable ASCII");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<(), FieldError> {
        let queues = ["FIRED_TASKS".to_owned()];
        let targets = Targets { handlers: &["log", "noop"], queues: &queues };
        Callback::parse(text)?.check(text, targets)
    }

    #[test]
    fn good_callbacks_pass() {
        for text in [
            r#"{"type":"webhook","url":"https://example.com/x"}"#,
            r#"{"type":"webhook","url":"http://127.0.0.1:8790/hook","headers":{"x-a":"b"},"timeoutSeconds":60}"#,
            r#"{"type":"handler","name":"log"}"#,
            r#"{"queue":"FIRED_TASKS","type":"queue"}"#,
        ] {
            assert_eq!(checked(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn bad_callbacks_name_the_field() {
        for (text, field) in [
            (r#"{"type":"webhook"}"#, "callback.url"),
            (r#"{"type":"webhook","url":"x"}"#, "callback.url"),
            (r#"{"type":"webhook","url":"ftp://a/b"}"#, "callback.url"),
            (r#"{"type":"webhook","url":"https://u:p@a/b"}"#, "callback.url"),
            (r#"{"type":"webhook","url":"https://a","timeoutSeconds":0}"#, "callback.timeoutSeconds"),
            (r#"{"type":"webhook","url":"https://a","timeoutSeconds":"1"}"#, "callback.timeoutSeconds"),
            (r#"{"type":"webhook","url":"https://a","headers":{"a b":"c"}}"#, "callback.headers"),
            (r#"{"type":"webhook","url":"https://a","headers":{"Host":"c"}}"#, "callback.headers"),
            (r#"{"type":"webhook","url":"https://a","headers":{"a":"c\r\nd"}}"#, "callback.headers"),
            (r#"{"type":"webhook","url":"https://a","name":"log"}"#, "callback.name"),
            (r#"{"type":"handler"}"#, "callback.name"),
            (r#"{"type":"handler","name":"none"}"#, "callback.name"),
            (r#"{"type":"handler","name":"log","url":"https://a"}"#, "callback.url"),
            (r#"{"type":"queue"}"#, "callback.queue"),
            (r#"{"type":"queue","queue":"OTHER"}"#, "callback.queue"),
            (r#"{"type":"email"}"#, "callback.type"),
            (r#"{"url":"https://a"}"#, "callback"),
            (r#"{"type":"handler","name":"log","nmae":1}"#, "callback.nmae"),
            (r#"[]"#, "callback"),
        ] {
            assert_eq!(checked(text).unwrap_err().field, field, "{text}: {:?}", checked(text));
        }
    }
}
