//! The body of a request to run one task.

use crate::bounds::MAX_PAYLOAD_BYTES;
use crate::input::{FieldError, at_most, check_nesting, parse_object};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// What a requested run uses in place of the task's own members.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunInput<'a> {
    /// The payload of this run only. Later runs have the payload of the task.
    #[serde(borrow, default, deserialize_with = "given")]
    #[schemars(with = "Option<serde_json::Value>", extend("x-maxBytes" = MAX_PAYLOAD_BYTES))]
    payload: Option<&'a RawValue>,
}

/// Reads a value that may be `null`, and keeps that `null`.
pub(super) fn given<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> RunInput<'a> {
    /// Reads a body, and returns its payload. An empty body has none.
    ///
    /// # Errors
    /// Returns an error that names the invalid field and the limit.
    pub fn payload_of(text: &'a str) -> Result<Option<&'a RawValue>, FieldError> {
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        let payload = parse_object::<Self>(text, "")?.payload;
        if let Some(payload) = payload {
            at_most("payload", payload.get().len(), MAX_PAYLOAD_BYTES)?;
            check_nesting("payload", payload.get())?;
        }
        Ok(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_names_a_payload_or_none() {
        let payload = |text| RunInput::payload_of(text).map(|payload| payload.map(RawValue::get));
        assert_eq!(payload(""), Ok(None));
        assert_eq!(payload("{}"), Ok(None));
        assert_eq!(payload(r#"{"payload":{"n": 1}}"#), Ok(Some(r#"{"n": 1}"#)));
        assert_eq!(payload(r#"{"payload":null}"#), Ok(Some("null")));
        let long = format!(r#"{{"payload":"{}"}}"#, "x".repeat(MAX_PAYLOAD_BYTES));
        let deep = format!(r#"{{"payload":{}{}}}"#, "[".repeat(101), "]".repeat(101));
        for (text, field) in [
            ("[]", "body"),
            (r#"{"ids":["a"]}"#, "ids"),
            (r#"{"time":5}"#, "time"),
            (&long, "payload"),
            (&deep, "payload"),
        ] {
            assert_eq!(payload(text).unwrap_err().field, field, "{text}");
        }
    }
}
