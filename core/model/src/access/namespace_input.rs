//! The body of a request that creates or changes a namespace.

use super::quota::Quota;
use crate::input::{FieldError, optional_object, parse_object};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

/// A namespace's settings as a request gives them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NamespaceInput {
    /// What it may have. Null is no limit.
    #[serde(deserialize_with = "quota")]
    #[schemars(with = "Option<Quota>")]
    pub quota: Quota,
}

/// Parses a quota. Null means no limit.
fn quota<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Quota, D::Error> {
    Ok(optional_object(deserializer)?.unwrap_or_default())
}

impl NamespaceInput {
    /// Parses and checks a body. An empty body means the defaults.
    ///
    /// # Errors
    /// Returns an error if a field cannot be read or is out of range. The error names it.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        if text.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let given: Self = parse_object(text, "")?;
        given.quota.check()?;
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_may_be_absent_or_null() {
        for text in ["", "{}", r#"{"quota":null}"#, r#"{"quota":{"pendingTasks":null}}"#] {
            assert_eq!(NamespaceInput::parse(text).unwrap().quota, Quota::NONE, "{text}");
        }
        for (text, field) in [
            ("null", "body"),
            (r#"{"quota":[]}"#, "quota"),
            (r#"{"quota":{"pendingTasks":[1]}}"#, "quota.pendingTasks"),
        ] {
            assert_eq!(NamespaceInput::parse(text).unwrap_err().field, field, "{text}");
        }
    }
}
