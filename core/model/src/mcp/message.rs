//! A message of JSON-RPC 2.0.

use crate::input::{FieldError, Text, parse_object};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The most bytes of the id of a request as JSON. An answer repeats the id. Clients use counters or
/// UUIDs.
pub const MAX_MESSAGE_ID_BYTES: usize = 1_024;

/// A message of JSON-RPC 2.0, as a client of the Model Context Protocol posts it.
#[derive(Debug, Deserialize, JsonSchema)]
struct Given<'a> {
    /// The version of JSON-RPC.
    #[serde(borrow)]
    #[schemars(with = "String", extend("const" = "2.0"))]
    jsonrpc: Option<Text<'a>>,
    /// Names the request, and the answer repeats it: at most 1,024 bytes of JSON. A notification
    /// has none.
    #[serde(borrow, default, deserialize_with = "crate::input::not_null")]
    #[schemars(with = "Option<Id>")]
    id: Option<&'a RawValue>,
    /// What is asked for, such as `tools/list` or `tools/call`.
    #[serde(borrow)]
    #[schemars(with = "String")]
    method: Option<Text<'a>>,
    /// The parameters of the method. Their member `_meta` is about the request itself.
    #[serde(borrow)]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    params: Option<&'a RawValue>,
}

/// The schema of an id.
#[derive(JsonSchema)]
#[schemars(inline, untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Id {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
}

/// A message that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// The JSON text of its id; `None` for a notification.
    pub id: Option<&'a str>,
    /// Its method.
    pub method: Cow<'a, str>,
    /// The JSON text of its parameters, if it has some.
    pub params: Option<&'a str>,
}

/// Why a body is not a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAMessage {
    /// It is not JSON.
    NotJson(FieldError),
    /// It is JSON of another form.
    Invalid(FieldError),
}

impl<'a> Message<'a> {
    /// Reads the body of a request. Members that JSON-RPC does not have are ignored.
    ///
    /// # Errors
    /// Returns an error if it is not JSON, or not a single request or notification.
    pub fn parse(text: &'a str) -> Result<Self, NotAMessage> {
        let invalid = |field: &'static str, detail: &str| {
            NotAMessage::Invalid(FieldError::new(field, detail.to_owned()))
        };
        let given: Given<'a> = parse_object(text, "").map_err(|problem| {
            if serde_json::from_str::<IgnoredAny>(text).is_err() {
                return NotAMessage::NotJson(problem);
            }
            match text.trim_ascii_start().starts_with('[') {
                true => invalid("body", "is a list; send each message in a request of its own"),
                false => NotAMessage::Invalid(problem),
            }
        })?;
        if given.jsonrpc.is_none_or(|version| version.0 != "2.0") {
            return Err(invalid("jsonrpc", "must be \"2.0\""));
        }
        let Some(Text(method)) = given.method else {
            return Err(invalid(
                "method",
                "is missing; send a request or a notification, not a response",
            ));
        };
        let id = given.id.map(RawValue::get);
        if id.is_some_and(|id| !is_id(id)) {
            let detail = format!(
                "must be a string or a whole number of at most {MAX_MESSAGE_ID_BYTES} bytes"
            );
            return Err(invalid("id", &detail));
        }
        Ok(Self { id, method, params: given.params.map(RawValue::get) })
    }
}

impl JsonSchema for Message<'_> {
    fn schema_name() -> Cow<'static, str> {
        "McpMessage".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Given::json_schema(generator)
    }
}

/// Returns whether JSON text is an id: a string or a whole number that is not too long.
fn is_id(id: &str) -> bool {
    // JSON writes a whole number as digits, with a sign if it is negative.
    let is_whole = || id.strip_prefix('-').unwrap_or(id).bytes().all(|byte| byte.is_ascii_digit());
    id.len() <= MAX_MESSAGE_ID_BYTES && (id.starts_with('"') || is_whole())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_notifications_are_read() {
        let text =
            r#" {"jsonrpc":"2.0","id":"a-1","method":"tools/list","params":{"x":1},"more":[]}"#;
        let message = Message::parse(text).unwrap();
        assert_eq!(message.id, Some(r#""a-1""#));
        assert_eq!((message.method.as_ref(), message.params), ("tools/list", Some(r#"{"x":1}"#)));
        let message =
            Message::parse(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).unwrap();
        assert_eq!((message.id, message.params), (None, None));
        let message = Message::parse(r#"{"jsonrpc":"2.0","id":-7,"method":"a\/b"}"#).unwrap();
        assert_eq!((message.id, message.method.as_ref()), (Some("-7"), "a/b"));
    }

    #[test]
    fn what_is_no_message_says_why() {
        let long = format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"m"}}"#, "x".repeat(1_023));
        for (text, field) in [
            ("[]", "body"),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"m"}]"#, "body"),
            ("7", "body"),
            ("{}", "jsonrpc"),
            (r#"{"jsonrpc":2.0,"id":1,"method":"m"}"#, "jsonrpc"),
            (r#"{"jsonrpc":"1.0","id":1,"method":"m"}"#, "jsonrpc"),
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "method"),
            (r#"{"jsonrpc":"2.0","id":1,"method":null}"#, "method"),
            (r#"{"jsonrpc":"2.0","id":1,"method":5}"#, "method"),
            (r#"{"jsonrpc":"2.0","id":null,"method":"m"}"#, "id"),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"m"}"#, "id"),
            (r#"{"jsonrpc":"2.0","id":{},"method":"m"}"#, "id"),
            (&long, "id"),
        ] {
            match Message::parse(text) {
                Err(NotAMessage::Invalid(problem)) => assert_eq!(problem.field, field, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        for text in ["", "{", "{\"jsonrpc\":\"2.0\"", "\u{feff}{}", "nul"] {
            assert!(matches!(Message::parse(text), Err(NotAMessage::NotJson(_))), "{text}");
        }
    }
}
