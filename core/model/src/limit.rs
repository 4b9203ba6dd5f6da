//! Limits in requests, and the keys that name them.

use crate::bounds::{MAX_CONCURRENCY, MAX_LIMIT_KEY_BYTES, MAX_PER_SECOND, MIN_PER_SECOND};
use crate::ids::is_path_segment;
use crate::input::{FieldError, parse_object};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A limit on the runs of the tasks that name its key: at least one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(
    description = "A limit on the runs of the tasks that name its key; at least one of the two."
)]
#[schemars(extend("anyOf" = [{ "required": ["concurrency"] }, { "required": ["perSecond"] }]))]
pub struct Limit {
    /// The most runs in flight at a time: dispatched and not reported.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "crate::input::whole")]
    #[schemars(range(min = 1, max = MAX_CONCURRENCY))]
    pub concurrency: Option<u32>,
    /// The most runs that are dispatched per second. In any `t` seconds, these are at most
    /// `perSecond * (t + 1) + 1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = MIN_PER_SECOND, max = MAX_PER_SECOND))]
    pub per_second: Option<f64>,
}

impl Limit {
    /// Parses and checks the body of a request.
    ///
    /// # Errors
    /// Returns an error if a field cannot be read or is invalid. The error names it.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let limit: Self = parse_object(text, "")?;
        if limit == Self::default() {
            let detail = r#"has neither concurrency nor perSecond; give at least one, like {"concurrency":10}"#;
            return Err(FieldError::new("body", detail));
        }
        if let Some(given) =
            limit.concurrency.filter(|given| !(1..=MAX_CONCURRENCY).contains(given))
        {
            return Err(FieldError::new(
                "concurrency",
                format!("is {given}; must be 1 to {MAX_CONCURRENCY}"),
            ));
        }
        if let Some(given) =
            limit.per_second.filter(|given| !(MIN_PER_SECOND..=MAX_PER_SECOND).contains(given))
        {
            return Err(FieldError::new(
                "perSecond",
                format!("is {given}; must be {MIN_PER_SECOND} to {MAX_PER_SECOND}"),
            ));
        }
        Ok(limit)
    }
}

/// Checks a key: 1 to [`MAX_LIMIT_KEY_BYTES`] bytes without control characters, and neither `.` nor
/// `..`.
///
/// # Errors
/// Returns an error if the key is invalid. The error names `field`, the problem and the limit.
pub fn check_limit_key(field: &'static str, key: &str) -> Result<(), FieldError> {
    if key.is_empty() || key.len() > MAX_LIMIT_KEY_BYTES {
        return Err(FieldError::new(
            field,
            format!("is {} bytes long; must be 1 to {MAX_LIMIT_KEY_BYTES}", key.len()),
        ));
    }
    if key.chars().any(char::is_control) {
        return Err(FieldError::new(
            field,
            "has a control character, which a limit key may not have",
        ));
    }
    if !is_path_segment(key) {
        return Err(FieldError::new(
            field,
            format!("is {key:?}, which cannot be part of a URL path; use another"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_checked() {
        let limit = Limit::parse(r#"{"concurrency":3,"perSecond":0.5}"#).unwrap();
        assert_eq!(limit, Limit { concurrency: Some(3), per_second: Some(0.5) });
        for (text, field) in [
            ("{}", "body"),
            ("[]", "body"),
            (r#"{"concurrency":null}"#, "body"),
            (r#"{"concurrency":0}"#, "concurrency"),
            (r#"{"concurrency":-1}"#, "concurrency"),
            (r#"{"concurrency":2.5}"#, "concurrency"),
            (r#"{"concurrency":100001}"#, "concurrency"),
            (r#"{"perSecond":0}"#, "perSecond"),
            (r#"{"perSecond":1e6}"#, "perSecond"),
            (r#"{"perMinute":5}"#, "perMinute"),
        ] {
            let problem = Limit::parse(text).unwrap_err();
            assert!(problem.field == field || problem.detail.contains(field), "{text}: {problem}");
        }
    }

    #[test]
    fn keys_are_checked() {
        assert!(check_limit_key("limitKey", "stripe/live: späť").is_ok());
        for bad in ["", "a\nb", &"x".repeat(129), ".", ".."] {
            assert_eq!(check_limit_key("limitKey", bad).unwrap_err().field, "limitKey", "{bad:?}");
        }
    }
}
