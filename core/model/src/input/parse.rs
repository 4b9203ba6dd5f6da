//! Reads JSON so that an error names the field.

use super::{FieldError, Object, TOO_MANY, in_plain_words, json_path};
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// How the reader's error of a required member that is not there begins.
const MISSING: &str = "missing field `";

/// Reads JSON; an error names the path of the field at fault, below `root` (which may be empty).
pub(crate) fn parse_naming_the_field<'a, T: serde::Deserialize<'a>>(
    text: &'a str,
    root: &str,
) -> Result<T, FieldError> {
    serde_json::from_str(text).map_err(|problem| {
        if root.is_empty() && text.trim_ascii().is_empty() {
            return FieldError::new("body", "is empty");
        }
        let mut detail = problem.to_string();
        let is_long = detail.starts_with(TOO_MANY);
        let missing =
            detail.strip_prefix(MISSING).and_then(|rest| Some(rest.split_once('`')?.0.to_owned()));
        if problem.is_data() || serde_json::from_str::<IgnoredAny>(text).is_ok() {
            // The field says where it is. The text may be a part of what was sent, or made from it.
            let place = format!(" at line {} column {}", problem.line(), problem.column());
            detail.truncate(detail.strip_suffix(&place).unwrap_or(&detail).len());
            // The reader of names for values says the same of another kind of value as of none.
            if detail == "expected value" {
                detail = "invalid type: expected a string".to_owned();
            }
        }
        let mut path = match is_long {
            true => json_path::path_of_holder(&problem, text),
            // The text has been cut off, so nothing in it is at fault.
            false if problem.is_eof() => String::new(),
            false => json_path::path_of(&problem, text),
        };
        if let Some(name) = &missing {
            // The object that lacks the member has ended.
            path.push_str(if path.is_empty() { "" } else { "." });
            path.push_str(name);
        }
        let field = match (root, path.as_str()) {
            ("", "") => Cow::Borrowed("body"),
            ("", _) => Cow::Owned(path),
            (root, "") => Cow::Owned(root.to_owned()),
            (root, path) if path.starts_with('[') => Cow::Owned(format!("{root}{path}")),
            (root, path) => Cow::Owned(format!("{root}.{path}")),
        };
        if missing.is_some() {
            FieldError::new(field, "is missing")
        } else {
            unreadable(field, &detail)
        }
    })
}

/// Reads a JSON object; an error names the path of the field at fault, below `root` (which may be
/// empty).
pub(crate) fn parse_object<'a, T: serde::Deserialize<'a>>(
    text: &'a str,
    root: &str,
) -> Result<T, FieldError> {
    parse_naming_the_field::<Object<T>>(text, root).map(|object| object.0)
}

/// Returns the error of a field whose JSON cannot be read.
pub(crate) fn unreadable(field: Cow<'static, str>, detail: &str) -> FieldError {
    if detail.starts_with(TOO_MANY) {
        let end = detail.rfind(" at line ").unwrap_or(detail.len());
        return FieldError::new(
            field,
            format!("{}: give fewer", detail.get(..end).unwrap_or_default()),
        );
    }
    FieldError::new(field, format!("cannot be read: {}", in_plain_words(detail)))
}
