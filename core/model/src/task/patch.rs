//! A JSON merge patch (RFC 7396) of a stored record. The result is the text of a task as a caller
//! would give it.

use super::json_text::write_object;
use super::merging::{Merging, members_of, repeated, text_of};
use super::read_only::is_read_only;
use super::record::UNFINISHED;
use super::{Callback, Record};
use crate::bounds::MAX_PATCH_MEMBERS;
use crate::calendars::with_names;
use crate::input::{
    BoundedMap, FieldError, GivenTime, ShownTime, Text, TimeInput, parse_naming_the_field,
};
use crate::schedule::{GivenKind, MEMBERS, SENTENCE, TIMES, WAYS, WORDS, with_names_of_today};
use scheduler_calendar::local_time::LocalTime;
use scheduler_calendar::ordered::collected;
use scheduler_calendar::time::UnixMillis;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The fields of a task or a patch, as their JSON texts: numbers keep all digits, and objects all
/// levels.
type Fields<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;

/// Returns the task that results from applying `patch` to `record`, as the text that a caller would
/// give. Every member follows RFC 7396. Members that the patch does not name stay, except those
/// that do not belong to the kind of schedule that the patch gives the task. Members that only
/// answers show are ignored.
///
/// # Errors
/// Returns an error if the patch is not an object, has too many members or levels, has a member
/// twice, or removes the schedule without giving another.
pub fn merge_patch(record: &str, paused: bool, patch: &str) -> Result<String, FieldError> {
    let mut fields = given_again(record, paused)?;
    let patch = given_fields(patch)?;
    check_local(&fields, &patch)?;
    let is_given = |name: &str| patch.get(name).is_some_and(|value| value.as_ref() != "null");
    let is_unscheduled = patch.get("type").is_some_and(|kind| kind.as_ref() == "\"no-schedule\"");
    // A sentence replaces everything that decides when the task fires, except the time zone, in
    // which it is read.
    let has_sentence = is_given(SENTENCE);
    if has_sentence {
        let of_times = MEMBERS.iter().filter(|member| member.decides_times);
        of_times.filter(|member| member.name != "timezone").for_each(|member| {
            fields.remove(member.name);
        });
    }
    // The words describe the former schedule.
    if decides_times(&patch) && !patch.contains_key(WORDS) {
        fields.remove(WORDS);
    }
    if is_unscheduled || has_sentence || WAYS.iter().any(|(name, _)| is_given(name)) {
        WAYS.iter().for_each(|(name, _)| drop(fields.remove(*name)));
    } else if let Some((name, _)) =
        WAYS.iter().find(|(name, _)| patch.contains_key(*name) && fields.contains_key(*name))
    {
        let detail = r#"is null, which leaves the task without a schedule; give another one, or "type":"no-schedule""#;
        return Err(FieldError::new(*name, detail));
    }
    // An earlier release accepted a retry policy with a queue, where it has no effect.
    let goes_to_queue = fields.get("callback").is_some_and(|callback| {
        Callback::parse(callback).is_ok_and(|callback| callback.is_queue())
    });
    if goes_to_queue && !is_given("retry") && !is_given("callback") {
        fields.remove("retry");
    }
    for (name, value) in &patch {
        if value.as_ref() == "null" && name == "paused" {
            // A task keeps its pause unless the text says otherwise, so removing the member means
            // to resume.
            set(&mut fields, "paused", "false");
        } else if value.as_ref() == "null" {
            fields.remove(name);
        } else {
            let mut merged = Vec::with_capacity(value.len());
            Merging::of(name).write(name, fields.get(name).map(Cow::as_ref), value, &mut merged)?;
            fields.insert(name.clone(), Cow::Owned(text_of(merged)?));
        }
    }
    let way = WAYS.iter().find(|(name, _)| fields.contains_key(*name));
    if way.is_none() && !has_sentence && !fields.contains_key("type") {
        set(&mut fields, "type", "\"no-schedule\"");
    }
    // The kind of schedule of a sentence is known only after the sentence is read.
    if !has_sentence {
        drop_misplaced(&mut fields, &patch, way.map_or(GivenKind::NoSchedule, |(_, kind)| *kind));
    }
    let mut text = Vec::new();
    write_object(fields.iter().map(|(name, value)| (name.as_ref(), value.as_ref())), &mut text);
    text_of(text)
}

/// Returns the fields of a stored task as a caller would give them: without members that only
/// answers show, and with local times in place of instants.
fn given_again(record: &str, paused: bool) -> Result<Fields<'_>, FieldError> {
    let mut fields = fields_of::<{ usize::MAX }>(record)?;
    fields.retain(|name, _| !is_read_only(name) && name != UNFINISHED);
    TIMES.iter().for_each(|name| write_as_shown(&mut fields, name));
    if let Some(local) = fields.remove("local") {
        for (name, (_, value)) in members_of(&local)
            .unwrap_or_default()
            .into_iter()
            .filter(|(name, _)| TIMES.contains(&name.as_ref()))
        {
            fields.insert(Cow::Owned(name.into_owned()), Cow::Owned(value.get().to_owned()));
        }
    }
    if let Some(exclude) = fields.get_mut("exclude") {
        *exclude = Cow::Owned(with_names(exclude).into_owned());
    }
    for name in ["misfire", "overlap"] {
        if let Some(policy) = fields.get_mut(name) {
            *policy = Cow::Owned(with_names_of_today(policy).into_owned());
        }
    }
    fields.remove("paused");
    if paused {
        set(&mut fields, "paused", "true");
    }
    Ok(fields)
}

/// Removes the members that do not belong to this kind of schedule. A member that the patch names
/// stays, so that the check refuses it.
fn drop_misplaced(fields: &mut Fields<'_>, patch: &Fields<'_>, kind: GivenKind) {
    // Whether the time zone stays depends on whether a local time does.
    for may_have_local in [true, false] {
        let has_local = may_have_local
            || fields.contains_key("exclude")
            || TIMES.iter().any(|name| fields.get(*name).is_some_and(|time| is_local(time)));
        for member in &MEMBERS {
            if !member.of.takes(kind, has_local) && !patch.contains_key(member.name) {
                fields.remove(member.name);
            }
        }
    }
}

/// Returns whether the JSON text of a time is a local time.
fn is_local(json: &str) -> bool {
    let time = serde_json::from_str::<TimeInput<'_>>(json).ok();
    time.is_some_and(|time| matches!(time.read("time", true), Ok(GivenTime::Local(_))))
}

/// Reads a record. The last of several members with one name counts.
fn fields_of<const N: usize>(json: &str) -> Result<Fields<'_>, FieldError> {
    let members = parse_naming_the_field::<BoundedMap<Text<'_>, &RawValue, N>>(json, "")?;
    Ok(collected(members.0.into_iter().map(|(name, value)| (name.0, Cow::Borrowed(value.get())))))
}

/// Reads a patch without the members that only answers show. It refuses a repeated member, as the
/// reader of a new task does.
fn given_fields(json: &str) -> Result<Fields<'_>, FieldError> {
    type Patch<'a> = BoundedMap<Text<'a>, &'a RawValue, MAX_PATCH_MEMBERS>;
    let mut fields = Fields::new();
    for (Text(name), value) in parse_naming_the_field::<Patch<'_>>(json, "")?.0 {
        if is_read_only(&name) {
            continue;
        }
        if fields.contains_key(&name) {
            return Err(repeated(name.clone().into_owned(), &name));
        }
        fields.insert(name, Cow::Borrowed(value.get()));
    }
    Ok(fields)
}

/// Refuses a local time in `local`, unless it is the task's own or the patch also gives the
/// instant.
fn check_local(fields: &Fields<'_>, patch: &Fields<'_>) -> Result<(), FieldError> {
    let Some(given) = patch.get("local").filter(|local| local.starts_with('{')) else {
        return Ok(());
    };
    let read = |json: &str| serde_json::from_str::<LocalTime>(json).ok();
    for (name, (_, value)) in members_of(given).unwrap_or_default() {
        // The reader of a task refuses other names and values that are not local times.
        let Some(given) = read(value.get()).filter(|_| TIMES.contains(&name.as_ref())) else {
            continue;
        };
        let is_own = fields.get(name.as_ref()).and_then(|time| read(time)) == Some(given);
        if !is_own && !patch.contains_key(name.as_ref()) {
            let detail = format!(
                "is the local time that an answer shows; to change it, give {name} as a local time"
            );
            return Err(FieldError::new(format!("local.{name}"), detail));
        }
    }
    Ok(())
}

/// Writes a stored time as an answer shows it, because the number may be one that a request refuses.
fn write_as_shown(fields: &mut Fields<'_>, name: &'static str) {
    let millis = fields.get(name).and_then(|value| value.parse::<i64>().ok());
    let shown = millis.map(|millis| ShownTime::from(UnixMillis::new(millis)));
    if let Some(text) = shown.and_then(|shown| serde_json::to_string(&shown).ok()) {
        fields.insert(Cow::Borrowed(name), Cow::Owned(text));
    }
}

/// Returns whether a patch pauses or resumes the task and changes nothing else; `None` for any
/// other patch. `null` resumes, as `false` does.
pub fn only_pauses(patch: &str) -> Option<bool> {
    let fields = given_fields(patch).ok()?;
    if fields.len() != 1 {
        return None;
    }
    match fields.get("paused")?.as_ref() {
        "true" => Some(true),
        "false" | "null" => Some(false),
        _ => None,
    }
}

/// Returns whether a patch changes when a task fires. If it does not, the counted runs stay as they
/// are.
pub fn changes_schedule(patch: &str) -> bool {
    decides_times(&given_fields(patch).unwrap_or_default())
}

/// Returns whether a patch changes what a task leaves out, in fields or in words. If it does not,
/// the task keeps the snapshots of its calendars.
pub fn changes_exclude(patch: &str) -> bool {
    given_fields(patch)
        .is_ok_and(|fields| ["exclude", SENTENCE].iter().any(|name| fields.contains_key(*name)))
}

/// Returns whether a patch changes what a task leaves out, and nothing else of when it fires. If
/// so, as many counted runs are left as before.
pub fn changes_only_exclude(patch: &str) -> bool {
    let fields = given_fields(patch).unwrap_or_default();
    names_of_times().filter(|name| fields.contains_key(*name)).eq(["exclude"])
}

/// Returns whether one of the fields affects when a task fires.
fn decides_times(fields: &Fields<'_>) -> bool {
    names_of_times().any(|name| fields.contains_key(name))
}

/// Returns the names of the fields that affect when a task fires.
fn names_of_times() -> impl Iterator<Item = &'static str> {
    let of_times = MEMBERS.iter().filter(|member| member.decides_times).map(|member| member.name);
    WAYS.iter().map(|(name, _)| *name).chain(of_times).chain(["type", SENTENCE])
}

/// Returns the time zone that a patch removes without naming it, because the schedule that it
/// gives, in fields or in words, has no time that is read in a zone. `after` is the record of the
/// checked task.
pub fn lost_timezone<'r>(
    patch: &str,
    before: &'r Record<'_>,
    after: &Record<'_>,
) -> Option<&'r str> {
    let fields = fields_of::<MAX_PATCH_MEMBERS>(patch).unwrap_or_default();
    let is_lost = after.timezone.is_none() && !fields.contains_key("timezone");
    before.timezone.as_deref().filter(|_| is_lost)
}

/// Returns whether a patch removes the anchor of an interval.
pub fn removes_anchor(patch: &str) -> bool {
    let fields = fields_of::<MAX_PATCH_MEMBERS>(patch).unwrap_or_default();
    fields.get("anchor").is_some_and(|value| value.as_ref() == "null")
}

fn set(fields: &mut Fields<'_>, name: &'static str, json: &'static str) {
    fields.insert(Cow::Borrowed(name), Cow::Borrowed(json));
}

#[cfg(test)]
#[path = "patch_tests.rs"]
mod tests;
