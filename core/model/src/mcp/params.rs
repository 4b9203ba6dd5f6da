//! The parameters of requests.

use crate::input::{BoundedMap, FieldError, Text, cut, parse_object};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The most answers to questions that a call may have. A question needs one.
const MAX_INPUT_ANSWERS: usize = 8;

/// The most fields of such an answer.
const MAX_ANSWER_FIELDS: usize = 8;

/// The parameters that every request may have. Since the revision 2026-07-28, each names its
/// revision and the capabilities of the client.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Envelope<'a> {
    #[serde(rename = "_meta", borrow, default, deserialize_with = "crate::input::optional_object")]
    meta: Option<Meta<'a>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
struct Meta<'a> {
    #[serde(rename = "io.modelcontextprotocol/protocolVersion", borrow)]
    protocol_version: Option<Text<'a>>,
    #[serde(
        rename = "io.modelcontextprotocol/clientCapabilities",
        default,
        deserialize_with = "crate::input::optional_object"
    )]
    client_capabilities: Option<Capabilities>,
}

/// The capabilities of a client that matter here.
#[derive(Debug, Default, Deserialize, JsonSchema)]
struct Capabilities {
    /// It can ask its user.
    #[serde(default, deserialize_with = "crate::input::optional_object")]
    elicitation: Option<Elicitation>,
}

/// The ways in which a client can ask its user.
#[derive(Debug, Default, Deserialize, JsonSchema)]
struct Elicitation {
    #[schemars(with = "Option<serde_json::Value>")]
    form: Option<IgnoredAny>,
    #[schemars(with = "Option<serde_json::Value>")]
    url: Option<IgnoredAny>,
}

impl<'a> Envelope<'a> {
    /// Reads parameters, if there are any.
    ///
    /// # Errors
    /// Returns an error that names the member that cannot be read.
    pub fn parse(params: Option<&'a str>) -> Result<Self, FieldError> {
        params.map_or_else(|| Ok(Self::default()), |text| parse_object(text, "params"))
    }

    /// Returns whether the parameters have `_meta`.
    pub fn has_meta(&self) -> bool {
        self.meta.is_some()
    }

    /// Returns the revision that the request names.
    pub fn protocol_version(&self) -> Option<&str> {
        Some(self.meta.as_ref()?.protocol_version.as_ref()?.0.as_ref())
    }

    /// Returns whether the request names the capabilities of the client.
    pub fn has_capabilities(&self) -> bool {
        self.meta.as_ref().is_some_and(|meta| meta.client_capabilities.is_some())
    }

    /// Returns whether the client can show its user a form. A client that does not name the ways in
    /// which it asks can.
    pub fn asks_with_forms(&self) -> bool {
        let capabilities = self.meta.as_ref().and_then(|meta| meta.client_capabilities.as_ref());
        let asks = capabilities.and_then(|capabilities| capabilities.elicitation.as_ref());
        asks.is_some_and(|ways| ways.form.is_some() || ways.url.is_none())
    }
}

/// The parameters of `initialize`, with which a client of the revision 2025-11-25 begins.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InitializeParams<'a> {
    #[serde(borrow)]
    protocol_version: Option<Text<'a>>,
}

impl<'a> InitializeParams<'a> {
    /// Reads parameters.
    ///
    /// # Errors
    /// Returns an error that names the member that cannot be read.
    pub fn parse(params: Option<&'a str>) -> Result<Self, FieldError> {
        params.map_or_else(|| Ok(Self::default()), |text| parse_object(text, "params"))
    }

    /// Returns the revision that the client prefers.
    pub fn protocol_version(&self) -> Option<&str> {
        self.protocol_version.as_ref().map(|version| version.0.as_ref())
    }
}

/// The parameters of `tools/call`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallParams<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    input_responses: Option<BoundedMap<Text<'a>, &'a RawValue, MAX_INPUT_ANSWERS>>,
    #[serde(borrow)]
    request_state: Option<Text<'a>>,
}

/// The user's reaction to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The user has answered it.
    Accept,
    /// The user has refused to answer.
    Decline,
    /// The user has closed it.
    Cancel,
}

/// The answer to a question of an earlier call of the same tool.
#[derive(Debug, Deserialize)]
pub struct InputAnswer<'a> {
    /// The user's reaction.
    pub action: Action,
    #[serde(borrow)]
    content: Option<BoundedMap<Text<'a>, &'a RawValue, MAX_ANSWER_FIELDS>>,
}

impl<'a> CallParams<'a> {
    /// Reads parameters.
    ///
    /// # Errors
    /// Returns an error that names the member that is missing or cannot be read.
    pub fn parse(params: Option<&'a str>) -> Result<Self, FieldError> {
        let params =
            params.ok_or_else(|| FieldError::new("params.name", "is missing; name a tool"))?;
        parse_object(params, "params")
    }

    /// Returns the name of the tool.
    pub fn name(&self) -> &str {
        &self.name.0
    }

    /// Returns the JSON text of the arguments; `{}` if there are none.
    pub fn arguments(&self) -> &'a str {
        self.arguments.map_or("{}", RawValue::get)
    }

    /// Returns the state from an earlier answer. An honest client sends it back unchanged.
    pub fn request_state(&self) -> Option<&str> {
        self.request_state.as_ref().map(|state| state.0.as_ref())
    }

    /// Returns the answer to the question with this name, if the call has one.
    ///
    /// # Errors
    /// Returns an error if it cannot be read.
    pub fn answer(&self, question: &str) -> Result<Option<InputAnswer<'a>>, FieldError> {
        let answers = self.input_responses.as_ref().map_or(&[][..], |answers| &answers.0);
        let found = answers.iter().find(|(name, _)| name.0 == question);
        let field = || format!("params.inputResponses.{}", cut(question, 64));
        found.map(|(_, answer)| parse_object(answer.get(), &field())).transpose()
    }
}

impl<'a> InputAnswer<'a> {
    fn field(&self, name: &str) -> Option<&'a str> {
        let fields = self.content.as_ref()?;
        fields.0.iter().find(|(of, _)| of.0 == name).map(|(_, value)| value.get())
    }

    /// Returns the text in a field of the form.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        let Text(text) = serde_json::from_str(self.field(name)?).ok()?;
        Some(text)
    }

    /// Returns whether a field of the form is ticked.
    pub fn is_ticked(&self, name: &str) -> bool {
        self.field(name) == Some("true")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(meta: &str) -> Result<(Option<String>, bool, bool), String> {
        let text = format!(r#"{{"_meta":{meta},"name":5}}"#);
        let envelope = Envelope::parse(Some(&text)).map_err(|problem| problem.field.to_string())?;
        Ok((
            envelope.protocol_version().map(str::to_owned),
            envelope.has_capabilities(),
            envelope.asks_with_forms(),
        ))
    }

    #[test]
    fn a_request_says_which_revision_it_follows_and_what_its_client_can_do() {
        let version = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#;
        let with = |capabilities: &str| {
            envelope(&format!(
                r#"{{{version},"io.modelcontextprotocol/clientCapabilities":{capabilities}}}"#
            ))
        };
        let said = |has: bool, asks: bool| Ok((Some("2026-07-28".to_owned()), has, asks));
        assert_eq!(with("{}"), said(true, false));
        assert_eq!(with(r#"{"elicitation":{}}"#), said(true, true));
        assert_eq!(with(r#"{"elicitation":{"form":{}},"sampling":{}}"#), said(true, true));
        assert_eq!(with(r#"{"elicitation":{"url":{}}}"#), said(true, false));
        assert_eq!(with(r#"{"elicitation":{"url":{},"form":{}}}"#), said(true, true));
        assert_eq!(with("null"), said(false, false));
        assert!(with("[]").unwrap_err().ends_with("clientCapabilities"));
        assert_eq!(envelope("{\"progressToken\":1}"), Ok((None, false, false)));
        assert_eq!(envelope("null"), Ok((None, false, false)));
        assert_eq!(envelope("5"), Err("params._meta".to_owned()));
        assert!(
            envelope(r#"{"io.modelcontextprotocol/protocolVersion":5}"#)
                .unwrap_err()
                .ends_with("protocolVersion")
        );
        assert!(!Envelope::parse(None).unwrap().has_meta());
        assert_eq!(Envelope::parse(Some("[]")).unwrap_err().field, "params");
    }

    #[test]
    fn a_call_has_arguments_and_answers() {
        let text = r#"{"name":"a","arguments":{"x":[1]},"requestState":"s","inputResponses":{
            "zone":{"action":"accept","content":{"zone":"Asia/Tokyo","yes":true,"no":false}},
            "other":{"action":"decline"},"bad":{"action":"yes"},"odd":7}}"#;
        let call = CallParams::parse(Some(text)).unwrap();
        assert_eq!((call.name(), call.arguments()), ("a", r#"{"x":[1]}"#));
        assert_eq!(call.request_state(), Some("s"));
        let zone = call.answer("zone").unwrap().unwrap();
        assert_eq!(zone.action, Action::Accept);
        assert_eq!(zone.text("zone").as_deref(), Some("Asia/Tokyo"));
        assert_eq!(zone.text("yes"), None);
        assert!(zone.is_ticked("yes") && !zone.is_ticked("no") && !zone.is_ticked("gone"));
        assert_eq!(call.answer("other").unwrap().unwrap().action, Action::Decline);
        assert!(call.answer("gone").unwrap().is_none());
        for (name, field) in
            [("bad", "params.inputResponses.bad.action"), ("odd", "params.inputResponses.odd")]
        {
            assert_eq!(call.answer(name).unwrap_err().field, field);
        }
        assert_eq!(CallParams::parse(Some(r#"{"name":"a"}"#)).unwrap().arguments(), "{}");
        for (text, field) in [
            (None, "params.name"),
            (Some("{}"), "params.name"),
            (Some(r#"{"name":{}}"#), "params.name"),
        ] {
            assert_eq!(CallParams::parse(text).unwrap_err().field, field);
        }
        let many: String = (0..9).map(|n| format!("\"{n}\":{{}},")).collect();
        let text = format!(r#"{{"name":"a","inputResponses":{{{}}}}}"#, many.trim_end_matches(','));
        assert_eq!(CallParams::parse(Some(&text)).unwrap_err().field, "params.inputResponses");
    }
}
