//! A JSON merge patch (RFC 7396) of a stored record, as the text of a task that a caller would
//! give.

use super::json_text::write_object;
use super::merging::{Merging, members_of, repeated, text_of};
use super::read_only::is_read_only;
use super::{Callback, Record};
use crate::bounds::{MAX_PATCH_MEMBERS, MIN_TIME_MILLIS};
use crate::input::{BoundedMap, FieldError, GivenTime, Text, TimeInput, parse_naming_the_field};
use crate::schedule::{GivenKind, MEMBERS, SENTENCE, TIMES, WAYS, WORDS, with_names_of_today};
use scheduler_calendar::local_time::LocalTime;
use scheduler_calendar::ordered::collected;
use scheduler_calendar::time::UnixMillis;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A task's or a patch's fields, each as it stands: numbers keep all their digits, and objects all
/// their levels.
type Fields<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;

/// Returns the task that `patch` makes of `record`, as the text that a caller would give: RFC 7396
/// for every member. Members that the patch does not name stay, except those that do not belong to
/// the kind of schedule that the patch gives the task. Members that only answers show are ignored.
///
/// # Errors
/// If the patch is not an object, has too many members or levels, has a member twice, or removes
/// the schedule without giving another.
pub fn merge_patch(record: &str, paused: bool, patch: &str) -> Result<String, FieldError> {
    let mut fields = given_again(record, paused)?;
    let patch = given_fields(patch)?;
    check_local(&fields, &patch)?;
    let is_given = |name: &str| patch.get(name).is_some_and(|value| value.as_ref() != "null");
    let is_unscheduled = patch.get("type").is_some_and(|kind| kind.as_ref() == "\"no-schedule\"");
    // A sentence says everything about when; it is read in the zone of the task.
    let has_sentence = is_given(SENTENCE);
    if has_sentence {
        let of_times = MEMBERS.iter().filter(|member| member.decides_times);
        of_times.filter(|member| member.name != "timezone").for_each(|member| {
            fields.remove(member.name);
        });
    }
    // The words of another schedule would be wrong.
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
    // An earlier release accepted a retry policy beside a queue, where it has no effect.
    let goes_to_queue = fields.get("callback").is_some_and(|callback| {
        Callback::parse(callback).is_ok_and(|callback| callback.is_queue())
    });
    if goes_to_queue && !is_given("retry") && !is_given("callback") {
        fields.remove("retry");
    }
    for (name, value) in &patch {
        if value.as_ref() == "null" && name == "paused" {
            // A task that is not said to be paused stays as it is. To remove the word is to resume
            // the task.
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
    // The kind of a sentence is known only after it is read.
    if !has_sentence {
        drop_misplaced(&mut fields, &patch, way.map_or(GivenKind::NoSchedule, |(_, kind)| *kind));
    }
    let mut text = Vec::new();
    write_object(fields.iter().map(|(name, value)| (name.as_ref(), value.as_ref())), &mut text);
    text_of(text)
}

/// Returns the fields of a stored task as a caller would give them: without what only answers show,
/// and with local times as such.
fn given_again(record: &str, paused: bool) -> Result<Fields<'_>, FieldError> {
    let mut fields = fields_of::<{ usize::MAX }>(record)?;
    fields.retain(|name, _| !is_read_only(name));
    TIMES.iter().for_each(|name| write_early_time(&mut fields, name));
    if let Some(local) = fields.remove("local") {
        for (name, (_, value)) in members_of(&local)
            .unwrap_or_default()
            .into_iter()
            .filter(|(name, _)| TIMES.contains(&name.as_ref()))
        {
            fields.insert(Cow::Owned(name.into_owned()), Cow::Owned(value.get().to_owned()));
        }
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

/// Removes the members that do not belong to this kind of schedule. One that the patch names stays,
/// for the check to refuse.
fn drop_misplaced(fields: &mut Fields<'_>, patch: &Fields<'_>, kind: GivenKind) {
    // Whether a local time stays decides about the time zone.
    for may_have_local in [true, false] {
        let has_local = may_have_local
            || TIMES.iter().any(|name| fields.get(*name).is_some_and(|time| is_local(time)));
        for member in &MEMBERS {
            if !member.of.takes(kind, has_local) && !patch.contains_key(member.name) {
                fields.remove(member.name);
            }
        }
    }
}

/// Returns whether the JSON of a time is a local time.
fn is_local(json: &str) -> bool {
    let time = serde_json::from_str::<TimeInput<'_>>(json).ok();
    time.is_some_and(|time| matches!(time.read("time", true), Ok(GivenTime::Local(_))))
}

/// Reads a record. Of a member that comes twice the last counts.
fn fields_of<const N: usize>(json: &str) -> Result<Fields<'_>, FieldError> {
    let members = parse_naming_the_field::<BoundedMap<Text<'_>, &RawValue, N>>(json, "")?;
    Ok(collected(members.0.into_iter().map(|(name, value)| (name.0, Cow::Borrowed(value.get())))))
}

/// Reads a patch without the members that only answers show. A member that comes twice is refused,
/// as in a new task.
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

/// Refuses a local time in `local` that is neither the task's own nor beside its instant.
fn check_local(fields: &Fields<'_>, patch: &Fields<'_>) -> Result<(), FieldError> {
    let Some(given) = patch.get("local").filter(|local| local.starts_with('{')) else {
        return Ok(());
    };
    let read = |json: &str| serde_json::from_str::<LocalTime>(json).ok();
    for (name, (_, value)) in members_of(given).unwrap_or_default() {
        // The reader of a task refuses other names, and what is no local time.
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

/// Writes a stored time as RFC 3339 if no caller may give it as a number.
fn write_early_time(fields: &mut Fields<'_>, name: &'static str) {
    let millis = fields.get(name).and_then(|value| value.parse::<i64>().ok());
    if let Some(millis) = millis.filter(|millis| *millis < MIN_TIME_MILLIS) {
        let shown = Value::from(UnixMillis::new(millis).shown());
        fields.insert(Cow::Borrowed(name), Cow::Owned(shown.to_string()));
    }
}

/// Returns what a patch of `paused` and of nothing else says: `null` ends a pause, as `false` does.
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

/// Returns whether a patch changes when a task fires. One that does not leaves the runs that were
/// counted as they are.
pub fn changes_schedule(patch: &str) -> bool {
    decides_times(&given_fields(patch).unwrap_or_default())
}

/// Returns whether one of the fields decides when a task fires.
fn decides_times(fields: &Fields<'_>) -> bool {
    let of_times = MEMBERS.iter().filter(|member| member.decides_times).map(|member| member.name);
    let mut names = WAYS.iter().map(|(name, _)| *name).chain(of_times).chain(["type", SENTENCE]);
    names.any(|name| fields.contains_key(name))
}

/// Returns the time zone that a task has lost by a patch that does not name it: the schedule that
/// the patch gives, in fields or in words, has no time that is read in a zone. `after` is the record
/// of the checked task.
pub fn lost_timezone<'r>(
    patch: &str,
    before: &'r Record<'_>,
    after: &Record<'_>,
) -> Option<&'r str> {
    let fields = fields_of::<MAX_PATCH_MEMBERS>(patch).unwrap_or_default();
    let is_lost = after.timezone.is_none() && !fields.contains_key("timezone");
    before.timezone.as_deref().filter(|_| is_lost)
}

/// Returns whether a patch takes the anchor of an interval away.
pub fn removes_anchor(patch: &str) -> bool {
    let fields = fields_of::<MAX_PATCH_MEMBERS>(patch).unwrap_or_default();
    fields.get("anchor").is_some_and(|value| value.as_ref() == "null")
}

fn set(fields: &mut Fields<'_>, name: &'static str, json: &'static str) {
    fields.insert(Cow::Borrowed(name), Cow::Borrowed(json));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patched(record: &str, paused: bool, patch: &str) -> Value {
        serde_json::from_str(&merge_patch(record, paused, patch).unwrap()).unwrap()
    }

    const RECORD: &str = r#"{"time":1764000000005,"id":"a","description":"d","callback":{"type":"webhook","url":"https://a","headers":{"x":"1","y":"2"}},"retry":{"factor":2,"jitter":0},"payload":{"n":12345678901234567890123,"k":{"a":1}},"attempt":3,"failedAt":9,"error":"no"}"#;

    #[test]
    fn named_fields_change_and_others_stay() {
        let task = patched(
            RECORD,
            false,
            r#"{"description":null,"tags":["t"],"retry":{"factor":null,"maxAttempts":3},"callback":{"headers":{"x":null,"z":"3"}}}"#,
        );
        let expected = r#"{"time":1764000000005,"id":"a","tags":["t"],"callback":{"type":"webhook","url":"https://a","headers":{"y":"2","z":"3"}},"retry":{"jitter":0,"maxAttempts":3},"payload":{"n":12345678901234567890123,"k":{"a":1}}}"#;
        assert_eq!(task, serde_json::from_str::<Value>(expected).unwrap());
    }

    #[test]
    fn members_keep_their_places() {
        let record = r#"{"time":1764000000005,"id":"a","callback":{"type":"webhook","url":"https://a","headers":{"y":"2","x":"1"}},"payload":{"b":1,"a":{"d":2,"c":3}}}"#;
        let again = r#"{"payload":{"a":{"c":3,"d":2},"b":1},"callback":{"headers":{"x":"1","y":"2"},"url":"https://a","type":"webhook"}}"#;
        let text = merge_patch(record, false, again).unwrap();
        for member in ["callback", "payload"] {
            let of = |text: &str| fields_of::<64>(text).unwrap()[member].clone().into_owned();
            assert_eq!(of(&text), of(record), "{member}");
        }
        let text = merge_patch(record, false, r#"{"payload":{"0":1,"b":2}}"#).unwrap();
        assert!(text.contains(r#""payload":{"b":2,"a":{"d":2,"c":3},"0":1}"#), "{text}");
    }

    #[test]
    fn a_member_that_comes_twice_is_refused_where_a_new_task_may_have_it_once() {
        for (patch, field) in [
            (r#"{"time":1764000000007,"time":1764000000008}"#, "time"),
            (r#"{"time":null,"ti\u006de":1764000000008}"#, "time"),
            (r#"{"paused":true,"paused":false}"#, "paused"),
            (r#"{"payload":1,"payload":2}"#, "payload"),
            (r#"{"callback":{"url":"https://b","url":"https://c"}}"#, "callback.url"),
            (r#"{"callback":{"headers":{"x":"1","x":"2"}}}"#, "callback.headers.x"),
            (r#"{"onFailure":{"type":"handler","name":"a","name":"b"}}"#, "onFailure.name"),
            (r#"{"retry":{"factor":2,"factor":3}}"#, "retry.factor"),
            (r#"{"misfire":{"policy":"skip","policy":"fire"}}"#, "misfire.policy"),
        ] {
            let problem = merge_patch(RECORD, false, patch).expect_err(patch);
            assert_eq!(problem.field, field, "{patch}");
            assert!(problem.detail.contains("duplicate field"), "{problem}");
        }
        assert_eq!(only_pauses(r#"{"paused":true,"paused":false}"#), None);
        // The caller's own data, and what is ignored.
        for patch in [
            r#"{"payload":{"k":1,"k":2}}"#,
            r#"{"callback":{"body":{"k":1,"k":2}}}"#,
            r#"{"status":"paused","status":"scheduled"}"#,
        ] {
            assert!(merge_patch(RECORD, false, patch).is_ok(), "{patch}");
        }
    }

    #[test]
    fn a_local_time_that_is_shown_is_changed_by_its_own_member_only() {
        let at_nine = r#"{"time":1796144400000,"id":"a","timezone":"America/Vancouver","local":{"time":"2026-12-01T09:00:00"},"callback":{}}"#;
        for (record, patch) in [
            (at_nine, r#"{"local":{"time":"2026-12-01T10:00"}}"#),
            (RECORD, r#"{"local":{"time":"2026-12-01T10:00"}}"#),
        ] {
            let problem = merge_patch(record, false, patch).unwrap_err();
            assert_eq!(problem.field, "local.time", "{patch}");
        }
        for patch in [
            r#"{"local":{"time":"2026-12-01T09:00"}}"#,
            r#"{"time":1796144400000,"timezone":"America/Vancouver","local":{"time":"2026-12-01T09:00:00"}}"#,
            r#"{"time":1796144400001,"local":{"time":"2026-12-01T09:00:00"}}"#,
            r#"{"local":null}"#,
        ] {
            assert!(merge_patch(at_nine, false, patch).is_ok(), "{patch}");
        }
    }

    #[test]
    fn policies_of_earlier_versions_get_their_names_of_today() {
        let record = r#"{"id":"a","cron":"* * * * *","misfire":{"policy": "fireOnce"},"overlap":"queueOne","callback":{},"payload":"queueOne"}"#;
        let task = patched(record, false, r#"{"misfire":{"graceSeconds":5}}"#);
        assert_eq!(task["misfire"], serde_json::json!({"policy":"fire-once","graceSeconds":5}));
        assert_eq!((&task["overlap"], &task["payload"]), (&"queue-one".into(), &"queueOne".into()));
    }

    #[test]
    fn a_limit_key_is_set_and_taken_out() {
        assert_eq!(patched(RECORD, false, r#"{"limitKey":"stripe"}"#)["limitKey"], "stripe");
        let record = r#"{"id":"a","time":1764000000005,"callback":{},"limitKey":"stripe"}"#;
        assert_eq!(patched(record, false, r#"{"tags":[]}"#)["limitKey"], "stripe");
        assert_eq!(patched(record, false, r#"{"limitKey":null}"#).get("limitKey"), None);
        assert!(!changes_schedule(r#"{"limitKey":"stripe"}"#));
    }

    #[test]
    fn digits_of_a_payload_stay() {
        assert!(merge_patch(RECORD, false, "{}").unwrap().contains("12345678901234567890123"));
    }

    #[test]
    fn a_payload_is_merged_and_a_callback_of_another_type_is_replaced() {
        let task = patched(
            RECORD,
            false,
            r#"{"payload":{"k":{"b":2},"n":null,"type":"x"},"callback":{"type":"handler","name":"log"}}"#,
        );
        assert_eq!(task["payload"], serde_json::json!({"k":{"a":1,"b":2},"type":"x"}));
        assert_eq!(task["callback"], serde_json::json!({"type":"handler","name":"log"}));
        // A type within a payload is a member like any other.
        let record =
            r#"{"id":"a","time":1764000000005,"callback":{},"payload":{"type":"a","k":1}}"#;
        let payload = &patched(record, false, r#"{"payload":{"type":"b"}}"#)["payload"];
        assert_eq!(*payload, serde_json::json!({"type":"b","k":1}));
    }

    #[test]
    fn a_payload_is_replaced_in_two_steps_and_taken_out_by_null() {
        assert_eq!(patched(RECORD, false, r#"{"payload":null}"#).get("payload"), None);
        // RFC 7396: what is no object is replaced, and an object has no nulls.
        for (patch, payload) in
            [(r#"[1,null]"#, serde_json::json!([1, null])), ("7", serde_json::json!(7))]
        {
            let task = patched(RECORD, false, &format!(r#"{{"payload":{patch}}}"#));
            assert_eq!(task["payload"], payload);
        }
        let record = r#"{"id":"a","time":1764000000005,"callback":{},"payload":[1]}"#;
        let task =
            patched(record, false, r#"{"payload":{"a":{"b":null,"c":12345678901234567890}}}"#);
        assert_eq!(task["payload"].to_string(), r#"{"a":{"c":12345678901234567890}}"#);
    }

    #[test]
    fn what_only_answers_show_is_ignored() {
        let record = r#"{"id":"a","cron":"0 9 * * *","callback":{},"createdAt":5,"createdBy":"x"}"#;
        let shown = r#"{"status":"scheduled","due":9,"kind":"cron","createdAt":6,"createdBy":"y","updatedAt":7,"tags":["t"],"attempt":null}"#;
        assert_eq!(
            patched(record, false, shown),
            serde_json::json!({"id":"a","cron":"0 9 * * *","callback":{},"tags":["t"]})
        );
        assert_eq!(only_pauses(r#"{"paused":true,"status":"scheduled"}"#), Some(true));
    }

    #[test]
    fn a_policy_that_an_earlier_release_took_beside_a_queue_goes() {
        let record = r#"{"id":"a","time":1764000000005,"callback":{"type":"queue","queue":"Q"},"retry":{"factor":2}}"#;
        assert_eq!(patched(record, false, r#"{"tags":[]}"#).get("retry"), None);
        assert_eq!(patched(record, false, r#"{"retry":{"jitter":0}}"#)["retry"]["factor"], 2);
    }

    #[test]
    fn a_way_to_say_when_takes_the_place_of_the_former() {
        let record = r#"{"id":"a","cron":"* * * * *","timezone":"Europe/London","callback":{},"paused":true}"#;
        assert_eq!(
            patched(record, true, r#"{"time":1764000000007}"#),
            serde_json::json!({"id":"a","time":1764000000007_i64,"callback":{},"paused":true})
        );
        // The time zone stays where it can, also for a local time.
        for (patch, expected) in [
            (
                r#"{"cron":"0 9 * * *"}"#,
                serde_json::json!({"id":"a","cron":"0 9 * * *","timezone":"Europe/London","callback":{}}),
            ),
            (
                r#"{"time":"2026-12-01T09:00"}"#,
                serde_json::json!({"id":"a","time":"2026-12-01T09:00","timezone":"Europe/London","callback":{}}),
            ),
        ] {
            assert_eq!(patched(record, false, patch), expected);
        }
        assert_eq!(
            patched(record, false, r#"{"timezone":null}"#),
            serde_json::json!({"id":"a","cron":"* * * * *","callback":{}})
        );
        assert_eq!(patched(record, true, r#"{"paused":false}"#)["paused"], false);
        assert_eq!(patched(record, true, r#"{"paused":null}"#)["paused"], false);
        assert_eq!(
            patched(r#"{"id":"a","callback":{}}"#, false, r#"{"description":"x"}"#)["type"],
            "no-schedule"
        );
        assert_eq!(patched(RECORD, false, r#"{"type":"no-schedule"}"#).get("time"), None);
    }

    #[test]
    fn bounds_stay_and_what_was_counted_goes_with_any_patch() {
        let record = r#"{"id":"a","everySeconds":5,"anchor":1764000000007,"startAt":1764000000007,"endAt":1764000099000,"maxRuns":3,"firstRun":1764000000007,"finalRun":1764000010007,"jitterSeconds":1,"callback":{}}"#;
        let kept = serde_json::json!({"id":"a","everySeconds":5,"anchor":1764000000007_i64,"startAt":1764000000007_i64,"endAt":1764000099000_i64,"maxRuns":3,"jitterSeconds":1,"callback":{},"tags":[]});
        assert_eq!(patched(record, false, r#"{"tags":[]}"#), kept);
        // As an earlier version stored it.
        let stored = record.replace("finalRun", "lastRun");
        assert_eq!(patched(&stored, false, r#"{"tags":[]}"#), kept);
        assert_eq!(
            patched(record, false, r#"{"cron":"@daily","maxRuns":4}"#),
            serde_json::json!({"id":"a","cron":"@daily","startAt":1764000000007_i64,"endAt":1764000099000_i64,"maxRuns":4,"jitterSeconds":1,"callback":{}})
        );
        assert_eq!(
            patched(record, false, r#"{"everySeconds":6}"#),
            serde_json::json!({"id":"a","everySeconds":6,"anchor":1764000000007_i64,"startAt":1764000000007_i64,"endAt":1764000099000_i64,"maxRuns":3,"jitterSeconds":1,"callback":{}})
        );
        let unscheduled = serde_json::json!({"id":"a","type":"no-schedule","callback":{}});
        assert_eq!(patched(record, false, r#"{"type":"no-schedule"}"#), unscheduled);
        assert!(!changes_schedule(r#"{"tags":[],"jitterSeconds":5}"#));
        for patch in [
            r#"{"cron":"@daily"}"#,
            r#"{"maxRuns":null}"#,
            r#"{"endAt":1764000000005}"#,
            r#"{"timezone":"UTC"}"#,
        ] {
            assert!(changes_schedule(patch), "{patch}");
        }
    }

    /// A patch of a record with another field would be refused for a field that its caller has not
    /// named.
    #[test]
    fn what_a_record_says_and_no_caller_gives_is_left_out() {
        let fields = |schema: schemars::Schema| {
            schema.get("properties").unwrap().as_object().unwrap().clone()
        };
        let given = fields(schemars::schema_for!(crate::task::NewTask<'static>));
        for field in fields(schemars::schema_for!(crate::task::Record<'static>)).keys() {
            assert!(given.contains_key(field) || is_read_only(field), "{field}");
        }
    }

    #[test]
    fn null_takes_out_what_it_names_and_nothing_else() {
        assert_eq!(
            patched(RECORD, false, r#"{"cron":null,"rrule":null}"#)["time"],
            1_764_000_000_005_i64
        );
        let record = r#"{"id":"a","cron":"* * * * *","callback":{},"replayedAt":7}"#;
        assert_eq!(
            patched(record, false, r#"{"time":null,"delayInSeconds":null}"#),
            serde_json::json!({"id":"a","cron":"* * * * *","callback":{}})
        );
        // What belonged to the schedule goes with it.
        let record = r#"{"id":"a","cron":"* * * * *","timezone":"UTC","callback":{},"overlap":"skip","misfire":{"policy":"skip"},"endAt":1764000000009}"#;
        let unscheduled = patched(record, false, r#"{"cron":null,"type":"no-schedule"}"#);
        assert_eq!(unscheduled, serde_json::json!({"id":"a","type":"no-schedule","callback":{}}));
        assert_eq!(
            patched(record, false, r#"{"cron":null,"time":1764000000007}"#),
            serde_json::json!({"id":"a","time":1764000000007_i64,"callback":{},"misfire":{"policy":"skip"}})
        );
        assert_eq!(patched(record, false, r#"{"everySeconds":5}"#)["overlap"], "skip");
    }

    #[test]
    fn a_patch_of_the_pause_alone_is_told_from_others() {
        for (patch, says) in [
            (r#"{"paused":true}"#, Some(true)),
            (r#"{ "paused" : false }"#, Some(false)),
            (r#"{"paused":null}"#, Some(false)),
            (r#"{"paused":"true"}"#, None),
            (r#"{"paused":true,"tags":[]}"#, None),
            (r#"{"tags":[]}"#, None),
            ("{}", None),
            ("[]", None),
        ] {
            assert_eq!(only_pauses(patch), says, "{patch}");
        }
    }

    #[test]
    fn a_schedule_is_not_taken_away_by_null() {
        for (schedule, patch, field) in [
            (r#""time":1764000000005"#, r#"{"time":null}"#, "time"),
            (
                r#""time":1764000000005,"timezone":"UTC","local":{"time":"2026-12-01T09:00:00"}"#,
                r#"{"time":null,"timezone":null}"#,
                "time",
            ),
            (r#""cron":"* * * * *""#, r#"{"cron":null,"tags":["t"]}"#, "cron"),
            (r#""cron":"* * * * *""#, r#"{"cron":null,"time":null,"type":null}"#, "cron"),
            (r#""everySeconds":5,"anchor":7"#, r#"{"everySeconds":null}"#, "everySeconds"),
            (
                r#""rrule":"FREQ=DAILY","startAt":1764000000000"#,
                r#"{"rrule":null,"startAt":null}"#,
                "rrule",
            ),
        ] {
            let record = format!(r#"{{"id":"a",{schedule},"callback":{{}}}}"#);
            let problem = merge_patch(&record, false, patch).unwrap_err();
            assert_eq!(problem.field, field, "{patch}");
            assert!(problem.detail.contains("no-schedule"), "{problem}");
        }
        // Without one there is nothing to take away.
        assert_eq!(
            patched(r#"{"id":"a","callback":{}}"#, false, r#"{"time":null,"type":null}"#)["type"],
            "no-schedule"
        );
    }

    #[test]
    fn follow_ups_change_as_callbacks_do() {
        let record = r#"{"id":"a","time":1764000000005,"callback":{},"onSuccess":{"type":"webhook","url":"https://a","method":"PUT"},"onFailure":{"type":"handler","name":"log"}}"#;
        let task = patched(record, false, r#"{"onSuccess":{"method":null},"onFailure":null}"#);
        let expected = serde_json::json!({"id":"a","time":1764000000005_i64,"callback":{},"onSuccess":{"type":"webhook","url":"https://a"}});
        assert_eq!(task, expected);
    }

    #[test]
    fn local_times_stay_local() {
        let record = r#"{"time":1796144400000,"id":"a","timezone":"America/Vancouver","local":{"time":"2026-12-01T09:00:00"},"callback":{}}"#;
        assert_eq!(
            patched(record, false, r#"{"tags":[]}"#),
            serde_json::json!({"id":"a","time":"2026-12-01T09:00:00","timezone":"America/Vancouver","callback":{},"tags":[]})
        );
        assert_eq!(
            patched(record, false, r#"{"time":1764000000007}"#),
            serde_json::json!({"id":"a","time":1_764_000_000_007_i64,"callback":{}})
        );
        assert_eq!(
            patched(record, false, r#"{"time":"2026-12-02T10:00"}"#),
            serde_json::json!({"id":"a","time":"2026-12-02T10:00","timezone":"America/Vancouver","callback":{}})
        );
        assert_eq!(
            patched(record, false, r#"{"timezone":"Asia/Tokyo"}"#),
            serde_json::json!({"id":"a","time":"2026-12-01T09:00:00","timezone":"Asia/Tokyo","callback":{}})
        );
        let record = r#"{"id":"a","everySeconds":60,"timezone":"UTC","local":{"startAt":"2026-12-01T09:00:00","anchor":"2026-12-01T09:00:00"},"anchor":1,"startAt":1,"callback":{}}"#;
        let task = patched(record, false, r#"{"tags":[]}"#);
        assert_eq!(
            (&task["startAt"], &task["anchor"]),
            (&"2026-12-01T09:00:00".into(), &"2026-12-01T09:00:00".into())
        );
        assert_eq!(task.get("local"), None);
        // Without its local times, an interval has no time zone.
        let task = patched(record, false, r#"{"startAt":null,"anchor":1796144400000}"#);
        assert_eq!(task.get("timezone"), None);
    }

    #[test]
    fn early_times_of_stored_records_stay_what_they_are() {
        let record = r#"{"id":"a","everySeconds":5,"anchor":7,"startAt":0,"endAt":1764000000000,"callback":{}}"#;
        let task = patched(record, false, r#"{"tags":[]}"#);
        assert_eq!(
            (&task["anchor"], &task["startAt"]),
            (&"1970-01-01T00:00:00.007Z".into(), &"1970-01-01T00:00:00Z".into())
        );
        assert_eq!(task["endAt"], 1_764_000_000_000_i64);
        assert_eq!(
            patched(r#"{"id":"a","time":99999999999,"callback":{}}"#, false, "{}")["time"],
            "1973-03-03T09:46:39.999Z"
        );
        // A new one is left for the check to refuse.
        assert_eq!(patched(record, false, r#"{"time":5}"#)["time"], 5);
    }

    #[test]
    fn what_a_patch_does_not_name_stays_byte_for_byte() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(200), "}".repeat(200));
        let body = format!(r#"{{"n":12345678901234567890123,"e":1.0e-7,"deep":{deep}}}"#);
        let record = format!(
            r#"{{"id":"a","time":1764000000005,"callback":{{"type":"webhook","url":"https://a","body":{body}}}}}"#
        );
        for patch in [
            r#"{"callback":{"method":"PUT"}}"#,
            r#"{"callback":{"body":{"k":2}}}"#,
            r#"{"callback":{"headers":{"type":"x"}}}"#,
        ] {
            let task = merge_patch(&record, false, patch).unwrap();
            for kept in ["12345678901234567890123", "1.0e-7", deep.as_str(), r#""url":"https://a""#]
            {
                assert!(task.contains(kept), "{patch} loses {kept}: {task}");
            }
        }
        let record = r#"{"id":"a","callback":{"type":"webhook","headers":{"type":"a","x":"1"}}}"#;
        let headers = &patched(record, false, r#"{"callback":{"headers":{"type":"b"}}}"#)["callback"]
            ["headers"];
        assert_eq!(*headers, serde_json::json!({ "type": "b", "x": "1" }));
    }

    #[test]
    fn a_patch_has_few_members_and_few_levels() {
        let many: Vec<String> = (0..=MAX_PATCH_MEMBERS).map(|n| format!(r#""{n}":1"#)).collect();
        assert!(
            merge_patch(RECORD, false, &format!("{{{}}}", many.join(",")))
                .unwrap_err()
                .detail
                .contains("more than 64")
        );
        let deep =
            format!(r#"{{"callback":{{"body":{}1{}}}}}"#, r#"{"a":"#.repeat(200), "}".repeat(200));
        assert_eq!(merge_patch(RECORD, false, &deep).unwrap_err().field, "callback");
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        assert_eq!(merge_patch(RECORD, false, "[]").unwrap_err().field, "body");
        assert_eq!(merge_patch(RECORD, false, "").unwrap_err().field, "body");
    }
}
