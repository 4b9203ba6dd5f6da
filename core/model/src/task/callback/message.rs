//! The parts of a request other than its URL: method, headers and body.

use super::fields::Fields;
use super::reserved::is_reserved;
use crate::input::{FieldError, Text, cut, parse_naming_the_field};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Shown in place of the value of a header, if the reader may not see the value.
pub const HIDDEN: &str = "<hidden>";

/// Header names and values, in the order in which they are given.
type Headers<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// POST.
    #[default]
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// GET, which sends no body.
    Get,
    /// DELETE, which sends no body.
    Delete,
}

impl JsonSchema for Method {
    fn schema_name() -> Cow<'static, str> {
        "Method".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": ["POST", "PUT", "PATCH", "GET", "DELETE"] })
    }
}

impl Method {
    /// Returns the name of the method as a request has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Get => "GET",
            Self::Delete => "DELETE",
        }
    }

    /// Returns whether its requests have a body.
    pub fn has_body(self) -> bool {
        !matches!(self, Self::Get | Self::Delete)
    }
}

/// What is sent in place of the record.
#[derive(Debug, Clone, PartialEq)]
pub enum Body<'a> {
    /// A JSON value other than a string; it is sent as JSON.
    Json(&'a str),
    /// A text; it is sent unchanged.
    Text(Cow<'a, str>),
}

impl<'a> Body<'a> {
    pub(super) fn read(value: &'a RawValue) -> Result<Self, FieldError> {
        let json = value.get();
        if !json.starts_with('"') {
            return Ok(Self::Json(json));
        }
        // The text is valid JSON, but its escapes may form half of a surrogate pair.
        parse_naming_the_field::<Text<'a>>(json, "callback.body").map(|text| Self::Text(text.0))
    }
}

/// The parts of a request other than its URL.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Message<'a> {
    /// The method.
    pub method: Method,
    /// The given headers: see [`Message::sent_headers`].
    headers: Headers<'a>,
    /// Sent in place of the record.
    pub body: Option<Body<'a>>,
}

impl<'a> Message<'a> {
    pub(super) fn read(fields: &mut Fields<'a>) -> Result<Self, FieldError> {
        Ok(Self {
            method: fields.method.unwrap_or_default(),
            headers: fields
                .headers
                .take()
                .into_iter()
                .flat_map(|headers| headers.0)
                .map(|(name, value)| (name.0, value.0))
                .collect(),
            body: fields.body()?,
        })
    }

    /// Returns the headers that are sent in addition to those that the dispatcher sets. It leaves
    /// out reserved ones, which records that an earlier version accepted may have.
    pub fn sent_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
            .filter(|(name, _)| !is_reserved(name))
    }

    pub(super) fn check(&self) -> Result<(), FieldError> {
        if self.body.is_some() && !self.method.has_body() {
            return Err(FieldError::new(
                "callback.body",
                format!(
                    "cannot be sent with {}; leave it out, or use POST, PUT or PATCH",
                    self.method.name()
                ),
            ));
        }
        for (at, (name, value)) in self.headers.iter().enumerate() {
            self.check_header(name, value)?;
            if self.headers.iter().take(at).any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                return Err(FieldError::new(
                    format!("callback.headers.{}", cut(name.as_ref(), 64)),
                    "is given twice; upper and lower case count as the same",
                ));
            }
        }
        Ok(())
    }

    fn check_header(&self, name: &str, value: &str) -> Result<(), FieldError> {
        let bad = |problem: &str| {
            Err(FieldError::new(format!("callback.headers.{}", cut(name, 64)), problem))
        };
        // A token of RFC 9110, section 5.6.2.
        if name.is_empty()
            || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
        {
            return bad("is not a header name; use letters, digits and -");
        }
        if is_reserved(name) {
            return bad(
                "cannot be set by a task, because receivers believe that the scheduler, the connection or a proxy has set it; leave it out",
            );
        }
        if name.eq_ignore_ascii_case("content-type") && self.body.is_none() {
            return bad("can be given together with a body only; the record is sent as JSON");
        }
        if value == HIDDEN {
            return bad(
                "has the value \"<hidden>\", which answers show in place of the value if the API key lacks the scope write; give the value, or leave the headers out of a PATCH",
            );
        }
        if !value.bytes().all(|b| b == b'\t' || (0x20..0x7f).contains(&b)) {
            return bad("has a value with characters other than printable ASCII");
        }
        Ok(())
    }
}
