//! Parses JSON with errors that name the field.

use super::not_an_object::not_an_object;
use super::{FieldError, Object, TOO_MANY, in_plain_words, json_path, unknown_name};
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// The beginning of the reader's error for a missing required member.
const MISSING: &str = "missing field `";

/// Parses JSON. An error names the path of the invalid field, below `root`, which may be empty.
pub(crate) fn parse_naming_the_field<'a, T: serde::Deserialize<'a>>(
    text: &'a str,
    root: &str,
) -> Result<T, FieldError> {
    serde_json::from_str(text).map_err(|problem| refused(&problem, text, root, &|| None))
}

/// Parses a JSON object. An error names the path of the invalid field, below `root`, which may be
/// empty.
pub(crate) fn parse_object<'a, T: serde::Deserialize<'a>>(
    text: &'a str,
    root: &str,
) -> Result<T, FieldError> {
    parse_naming_the_field::<Object<T>>(text, root).map(|object| object.0)
}

/// Parses a JSON object of a type that several requests use. The error for an unknown member lists
/// only the members that `takes` returns, or all members of the type if it returns `None`.
pub(crate) fn parse_object_taking<'a, T: serde::Deserialize<'a>>(
    text: &'a str,
    root: &str,
    takes: &dyn Fn() -> Option<&'static [&'static str]>,
) -> Result<T, FieldError> {
    let object = serde_json::from_str::<Object<T>>(text);
    object.map(|object| object.0).map_err(|problem| refused(&problem, text, root, takes))
}

/// Returns the error for a text that cannot be parsed.
fn refused(
    problem: &serde_json::Error,
    text: &str,
    root: &str,
    takes: &dyn Fn() -> Option<&'static [&'static str]>,
) -> FieldError {
    if root.is_empty() && text.trim_ascii().is_empty() {
        return FieldError::new("body", "is empty");
    }
    let mut detail = problem.to_string();
    let is_long = detail.starts_with(TOO_MANY);
    let missing =
        detail.strip_prefix(MISSING).and_then(|rest| Some(rest.split_once('`')?.0.to_owned()));
    if problem.is_data() || serde_json::from_str::<IgnoredAny>(text).is_ok() {
        // The field names the place. The text may be a part of what was sent, or derived from it.
        let place = format!(" at line {} column {}", problem.line(), problem.column());
        detail.truncate(detail.strip_suffix(&place).unwrap_or(&detail).len());
        // The reader of names reports another kind of value in the same way as a missing value.
        if detail == "expected value" {
            detail = "invalid type: expected a string".to_owned();
        }
    }
    let mut path = match is_long {
        true => json_path::path_of_holder(problem, text),
        // The text is truncated, so no value in it is invalid.
        false if problem.is_eof() => String::new(),
        false => json_path::path_of(problem, text),
    };
    if let Some(name) = &missing {
        // The object without the member has ended.
        path.push_str(if path.is_empty() { "" } else { "." });
        path.push_str(name);
    }
    let unknown = Unknown::of(&detail).map(|unknown| {
        let taken = takes().filter(|_| path == unknown.name);
        let known = taken.map_or(unknown.known, <[_]>::to_vec);
        unknown_name(unknown.name, &known, "member of this object")
    });
    let field = match (root, path.as_str()) {
        ("", "") => Cow::Borrowed("body"),
        ("", _) => Cow::Owned(path),
        (root, "") => Cow::Owned(root.to_owned()),
        (root, path) if path.starts_with('[') => Cow::Owned(format!("{root}{path}")),
        (root, path) => Cow::Owned(format!("{root}.{path}")),
    };
    match unknown {
        Some(unknown) => FieldError::new(field, unknown),
        None if missing.is_some() => FieldError::new(field, "is missing"),
        None => unreadable(field, &detail),
    }
}

/// The reader's error for a member that the type does not have.
struct Unknown<'a> {
    name: &'a str,
    known: Vec<&'a str>,
}

impl<'a> Unknown<'a> {
    fn of(detail: &'a str) -> Option<Self> {
        let rest = detail.strip_prefix("unknown field `")?;
        // The name may contain any characters. The names of known members have no backticks.
        let (name, known) = rest
            .rsplit_once("`, expected ")
            .or_else(|| Some((rest.strip_suffix("`, there are no fields")?, "")))?;
        Some(Self { name, known: known.split('`').skip(1).step_by(2).collect() })
    }
}

/// Returns the error for a field whose JSON cannot be parsed.
pub(crate) fn unreadable(field: Cow<'static, str>, detail: &str) -> FieldError {
    if detail.starts_with(TOO_MANY) {
        let end = detail.rfind(" at line ").unwrap_or(detail.len());
        return FieldError::new(
            field,
            format!("{}: give fewer", detail.get(..end).unwrap_or_default()),
        );
    }
    let detail = in_plain_words(detail);
    match not_an_object(&field, &detail) {
        Some(detail) => FieldError::new(field, detail),
        None => FieldError::new(field, format!("cannot be read: {detail}")),
    }
}
