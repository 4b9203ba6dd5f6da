//! The body of a request that makes or changes a namespace.

use super::quota::Quota;
use crate::input::{FieldError, parse_object};
use schemars::JsonSchema;
use serde::Deserialize;

/// A namespace's settings as a request gives them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NamespaceInput {
    /// What it may have.
    #[serde(deserialize_with = "crate::input::object")]
    pub quota: Quota,
}

impl NamespaceInput {
    /// Reads and checks a body; an empty one gives the defaults.
    ///
    /// # Errors
    /// Names the field that cannot be read or is out of range.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        if text.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let given: Self = parse_object(text, "")?;
        given.quota.check()?;
        Ok(given)
    }
}
