//! The error of a field of a request.

use super::cut;
use crate::bounds::{MAX_ERROR_DETAIL_BYTES, MAX_ERROR_FIELD_BYTES};
use std::borrow::Cow;
use std::fmt;

/// An invalid field of a request: its name, and the problem with the limit or with what to do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct FieldError {
    /// The field, as a path: `callback.url`, `tags[3]`; `body` for the whole.
    pub field: Cow<'static, str>,
    /// The problem and the limit, to be read after the field's name.
    #[schemars(description = "The field, the problem and the limit, for people.")]
    pub detail: String,
}

impl FieldError {
    /// Returns a new error.
    pub fn new(field: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        // Both may repeat what the caller has sent.
        let detail = cut(detail.into(), MAX_ERROR_DETAIL_BYTES).into_owned();
        Self { field: cut(field, MAX_ERROR_FIELD_BYTES), detail }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.detail)
    }
}

impl std::error::Error for FieldError {}
