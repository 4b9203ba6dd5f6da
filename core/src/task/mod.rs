//! A task: how it is given, what makes it valid, and the record that it becomes.
//!
//! A request's text is read once into [`NewTask`]s that borrow from it, each is checked into a [`ValidTask`], and that writes
//! its record straight into the page it will be stored in.

mod callback;
mod change_input;
mod filter_input;
mod follow_ups;
mod handler_task;
mod json_path;
mod new_task;
mod patch;
mod policies;
mod record;
mod text;
mod time_input;
#[cfg(test)]
mod wrong_types_tests;

pub use callback::{Body, Call, Callback, DurableObject, Message, Method, Service, Targets, Webhook, parse_url};
pub use change_input::ChangeInput;
pub use filter_input::FilterInput;
pub use follow_ups::{ON_FAILURE, ON_SUCCESS};
pub(crate) use handler_task::check_id;
pub use handler_task::{HANDLER_TASK_PREFIX, HandlerTask, MAX_HANDLER_NAME_BYTES, handler_of};
pub use new_task::{NewTask, ValidTask, Validator, parse_batch, parse_one};
pub use patch::{changes_schedule, merge_patch};
pub use policies::{DEFAULT_PRIORITY, MAX_PRIORITY};
pub use record::{Record, version_of, write_occurrence, write_text};
pub(crate) use text::{Text, put, read_object};
pub use time_input::parse_time;
pub(crate) use time_input::{GivenTime, TimeInput};

use crate::input::{Object, TOO_MANY, cut, in_plain_words};
use crate::limits::{MAX_ERROR_DETAIL_BYTES, MAX_ERROR_FIELD_BYTES};
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::fmt;

/// A field of the caller's that does not hold: which, and its problem with the limit or with what to do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[non_exhaustive]
pub struct FieldError {
    /// The field, as a path: `callback.url`, `tags[3]`; `body` for the whole.
    pub field: Cow<'static, str>,
    /// The problem and the limit, to be read after the field's name.
    pub detail: String,
}

impl FieldError {
    /// A new error.
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

/// Reads JSON; an error names the path of the field at fault, below `root` (which may be empty).
pub(crate) fn parse_naming_the_field<'a, T: serde::Deserialize<'a>>(text: &'a str, root: &str) -> Result<T, FieldError> {
    serde_json::from_str(text).map_err(|problem| {
        let mut detail = problem.to_string();
        let is_long = detail.starts_with(TOO_MANY);
        // The reader of names for values says the same of another kind of value as of none.
        if detail.starts_with("expected value") && serde_json::from_str::<IgnoredAny>(text).is_ok() {
            detail.replace_range(.."expected value".len(), "invalid type: expected a string");
        }
        let path = match is_long {
            true => json_path::path_of_holder(&problem, text),
            // The text has been cut off, so nothing in it is at fault.
            false if problem.is_eof() => String::new(),
            false => json_path::path_of(&problem, text),
        };
        let field = match (root, path.as_str()) {
            ("", "") => Cow::Borrowed("body"),
            ("", _) => Cow::Owned(path),
            (root, "") => Cow::Owned(root.to_owned()),
            (root, path) if path.starts_with('[') => Cow::Owned(format!("{root}{path}")),
            (root, path) => Cow::Owned(format!("{root}.{path}")),
        };
        unreadable(field, &detail)
    })
}

/// Reads a JSON object; an error names the path of the field at fault, below `root` (which may be empty).
pub(crate) fn parse_object<'a, T: serde::Deserialize<'a>>(text: &'a str, root: &str) -> Result<T, FieldError> {
    parse_naming_the_field::<Object<T>>(text, root).map(|object| object.0)
}

/// The error of a field whose JSON cannot be read.
pub(crate) fn unreadable(field: Cow<'static, str>, detail: &str) -> FieldError {
    if detail.starts_with(TOO_MANY) {
        let end = detail.rfind(" at line ").unwrap_or(detail.len());
        return FieldError::new(field, format!("{}: give fewer", detail.get(..end).unwrap_or_default()));
    }
    FieldError::new(field, format!("cannot be read: {}", in_plain_words(detail)))
}
