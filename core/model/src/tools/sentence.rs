//! The arguments of `parse_schedule`.

use crate::bounds::MAX_SMALL_BODY_BYTES;
use crate::input::{FieldError, Text, parse_object};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// The arguments of `parse_schedule`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParseSchedule<'a> {
    /// What the user says, word for word: up to 500 characters outside of double quotes.
    #[serde(borrow)]
    #[schemars(length(min = 1, max = MAX_SMALL_BODY_BYTES))]
    text: Text<'a>,
    /// The IANA time zone of the user, such as Europe/Berlin. Times of a clock are read in it,
    /// unless the sentence names another zone. Do not guess it: ask the user.
    #[serde(borrow)]
    timezone: Option<Text<'a>>,
    /// The language of the sentence. Without it, the words decide.
    #[serde(borrow)]
    #[schemars(extend("enum" = ["en", "de", null]))]
    language: Option<Text<'a>>,
}

impl<'a> ParseSchedule<'a> {
    /// Reads arguments.
    ///
    /// # Errors
    /// Returns an error that names an argument that is missing, unknown or cannot be read. Their
    /// values are checked when the sentence is read.
    pub fn parse(text: &'a str) -> Result<Self, FieldError> {
        parse_object(text, "")
    }

    /// Returns whether the call names the time zone in which the sentence is read.
    pub fn has_timezone(&self) -> bool {
        self.timezone.is_some()
    }

    /// Returns the body of the request that reads the sentence, with a time zone if one is given.
    pub fn body(&self, timezone: Option<&str>) -> String {
        let own = self.timezone.as_ref().map(|timezone| timezone.0.as_ref());
        let mut body = json!({ "text": self.text.0 });
        if let Some(timezone) = timezone.or(own) {
            body["timezone"] = timezone.into();
        }
        if let Some(language) = &self.language {
            body["language"] = language.0.as_ref().into();
        }
        body.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_becomes_the_body_of_a_request() {
        let plain = ParseSchedule::parse(r#"{"text":"every \"day\"","timezone":null}"#).unwrap();
        assert!(!plain.has_timezone());
        assert_eq!(plain.body(None), r#"{"text":"every \"day\""}"#);
        assert_eq!(plain.body(Some("UTC")), r#"{"text":"every \"day\"","timezone":"UTC"}"#);
        let full = r#"{"language":"de","text":"täglich","timezone":"Asia/Tokyo"}"#;
        let full = ParseSchedule::parse(full).unwrap();
        assert!(full.has_timezone());
        let body = r#"{"language":"de","text":"täglich","timezone":"Asia/Tokyo"}"#;
        assert_eq!(full.body(None), body);
    }

    #[test]
    fn arguments_are_named_in_errors() {
        for (text, field) in [
            ("{}", "text"),
            (r#"{"text":5}"#, "text"),
            (r#"{"text":"daily","from":5}"#, "from"),
            (r#"{"text":"daily","timezone":5}"#, "timezone"),
        ] {
            assert_eq!(ParseSchedule::parse(text).unwrap_err().field, field, "{text}");
        }
    }
}
