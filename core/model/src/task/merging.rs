//! JSON merge patches (RFC 7396) of the members of a task.

use super::json_text::write_object;
use super::{ON_FAILURE, ON_SUCCESS};
use crate::bounds::MAX_NESTING;
use crate::input::{BoundedMap, FieldError, Text, in_plain_words};
use scheduler_calendar::ordered::{collected, sort_by_key};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The members of an object, each with its place in the object and the text of its value.
pub(super) type Members<'a> = BTreeMap<Cow<'a, str>, (usize, &'a RawValue)>;

/// The members that hold a callback. A callback of another type replaces the whole member.
const CALLBACKS: [&str; 3] = ["callback", ON_SUCCESS, ON_FAILURE];
/// The other members whose objects have a fixed set of members.
const POLICIES: [&str; 4] = ["retry", "misfire", "local", "exclude"];

/// Returns bytes that were joined from texts as a text.
pub(super) fn text_of(joined: Vec<u8>) -> Result<String, FieldError> {
    String::from_utf8(joined).map_err(|problem| {
        debug_assert!(false, "it was joined from texts: {problem}");
        FieldError::new("", "is no text")
    })
}

/// Reads an object. The last of several members with one name counts.
///
/// # Errors
/// Returns an error if the text is not an object.
pub(super) fn members_of(json: &str) -> Result<Members<'_>, String> {
    let members: BoundedMap<Text<'_>, &RawValue, { usize::MAX }> = serde_json::from_str(json)
        .map_err(|problem| format!("cannot be read: {}", in_plain_words(&problem.to_string())))?;
    let placed = members.0.into_iter().enumerate();
    Ok(collected(placed.map(|(place, (name, value))| (name.0, (place, value)))))
}

/// How a member of a task is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merging {
    /// A callback: a patch with another type replaces it.
    Callback,
    /// Another object with a fixed set of members.
    Policy,
    /// The caller's own data, or a value that is not an object.
    Data,
}

impl Merging {
    /// Returns how the member with this name is merged.
    pub(super) fn of(name: &str) -> Self {
        match name {
            name if CALLBACKS.contains(&name) => Self::Callback,
            name if POLICIES.contains(&name) => Self::Policy,
            _ => Self::Data,
        }
    }

    /// Appends to `out` the result of applying `patch` to the member `name`, whose value is
    /// `target`: RFC 7396, section 2. What the patch does not name stays byte for byte.
    ///
    /// # Errors
    /// Returns an error if the patch is nested too deep, or repeats a member that a new task may
    /// have only once.
    pub(super) fn write(
        self,
        name: &str,
        target: Option<&str>,
        patch: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), FieldError> {
        if self != Self::Data {
            check_repeats(name, patch, self == Self::Callback)?;
        }
        self.write_level(target, patch, 0, out)
            .map_err(|problem| FieldError::new(name.to_owned(), problem))
    }

    fn write_level(
        self,
        target: Option<&str>,
        patch: &str,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        if depth > MAX_NESTING {
            return Err(format!(
                "is more than {MAX_NESTING} levels deep, which is the limit of a patch"
            ));
        }
        if !patch.starts_with('{') {
            out.extend_from_slice(patch.as_bytes());
            return Ok(());
        }
        let patch = members_of(patch)?;
        // A value that is not an object is replaced whole.
        let mut target = target
            .filter(|target| target.starts_with('{'))
            .map_or_else(|| Ok(Members::new()), members_of)?;
        let is_another =
            |kind: &RawValue| target.get("type").map(|(_, kind)| kind.get()) != Some(kind.get());
        if self == Self::Callback
            && depth == 0
            && patch.get("type").is_some_and(|(_, kind)| is_another(kind))
        {
            target.clear();
        }
        // Members keep their places, so a patch that changes nothing changes no byte.
        let behind = target.values().map(|(place, _)| place + 1).max().unwrap_or_default();
        let mut members: BTreeMap<&str, (usize, Cow<'_, str>)> =
            collected(target.iter().map(|(name, (place, value))| {
                (name.as_ref(), (*place, Cow::Borrowed(value.get())))
            }));
        for (name, (place, value)) in &patch {
            if value.get() == "null" {
                members.remove(name.as_ref());
                continue;
            }
            let mut merged = Vec::new();
            let former = members.get(name.as_ref());
            let place = former.map_or(behind + place, |(place, _)| *place);
            self.write_level(
                former.map(|(_, value)| value.as_ref()),
                value.get(),
                depth + 1,
                &mut merged,
            )?;
            let merged = text_of(merged).map_err(|_| "is no text")?;
            members.insert(name.as_ref(), (place, Cow::Owned(merged)));
        }
        // Without former members there are no places to keep, and the order by name avoids a copy.
        if target.is_empty() {
            write_object(members.iter().map(|(name, (_, value))| (*name, value.as_ref())), out);
            return Ok(());
        }
        let mut members: Vec<(usize, &str, &str)> =
            members.iter().map(|(name, (place, value))| (*place, *name, value.as_ref())).collect();
        sort_by_key(&mut members, |(place, ..)| *place);
        write_object(members.into_iter().map(|(_, name, value)| (name, value)), out);
        Ok(())
    }
}

/// Refuses an object that has a member twice, and repeated headers in a callback. The body of a
/// callback is not checked, because it is the caller's own.
fn check_repeats(path: &str, json: &str, is_callback: bool) -> Result<(), FieldError> {
    if !json.starts_with('{') {
        return Ok(());
    }
    type Given<'a> = BoundedMap<Text<'a>, &'a RawValue, { usize::MAX }>;
    // The merge itself refuses a text that cannot be read.
    let Ok(BoundedMap(members)) = serde_json::from_str::<Given<'_>>(json) else { return Ok(()) };
    let mut names = BTreeSet::new();
    for (Text(name), value) in &members {
        if !names.insert(name) {
            return Err(repeated(format!("{path}.{name}"), name));
        }
        if is_callback && name == "headers" {
            check_repeats(&format!("{path}.headers"), value.get(), false)?;
        }
    }
    Ok(())
}

/// Returns the error for a repeated member, in the words of the reader of a new task.
pub(super) fn repeated(path: String, name: &str) -> FieldError {
    FieldError::new(path, format!("cannot be read: duplicate field `{name}`"))
}
