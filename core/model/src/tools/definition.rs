//! The definition of a task in the arguments of a tool.

use crate::bounds::MAX_IDEMPOTENCY_KEY_BYTES;
use crate::input::{
    BoundedMap, FieldError, GivenTime, Text, TimeInput, parse_naming_the_field, parse_object,
    unknown_name,
};
use crate::schedule::TIMES;
use crate::task::NewTask;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The members of a task that a model may set. The others are for programs.
const MEMBERS: &[&str] = &[
    "id",
    "description",
    "time",
    "delayInSeconds",
    "cron",
    "everySeconds",
    "anchor",
    "rrule",
    "timezone",
    "startAt",
    "endAt",
    "maxRuns",
    "exclude",
    "words",
    "overlap",
    "callback",
    "payload",
    "tags",
    "retry",
    "limitKey",
    "paused",
];

/// The argument with the time zone.
pub const TIMEZONE: &str = "timezone";

/// The argument that identifies the call.
const IDEMPOTENCY_KEY: &str = "idempotencyKey";

/// The members that are always in local times.
const BY_THE_CLOCK: &[&str] = &["cron", "rrule", "exclude"];

/// The most members that are read, more than there are, so that the error of an unknown member
/// names it.
const MAX_MEMBERS: usize = 32;

/// Members of a task, each as its JSON text.
#[derive(Debug, Default)]
pub(super) struct Definition<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Definition<'a> {
    /// Reads an object with members among `taken`. `root` is its path.
    pub(super) fn parse(
        text: &'a str,
        root: &'static str,
        taken: &[&str],
    ) -> Result<Self, FieldError> {
        let members: BoundedMap<Text<'a>, &'a RawValue, MAX_MEMBERS> = parse_object(text, root)?;
        let dot = if root.is_empty() { "" } else { "." };
        let mut read: Vec<(Cow<'a, str>, &'a RawValue)> = Vec::new();
        for (Text(name), value) in members.0 {
            let field = || format!("{root}{dot}{name}");
            if !taken.contains(&name.as_ref()) {
                return Err(FieldError::new(
                    field(),
                    unknown_name(&name, taken, "member of this object"),
                ));
            }
            if read.iter().any(|(other, _)| *other == name) {
                return Err(FieldError::new(field(), "is given twice; give it once"));
            }
            read.push((name, value));
        }
        Ok(Self(read))
    }

    /// Returns the members of a change: those of a definition except the id.
    pub(super) fn changeable() -> Vec<&'static str> {
        MEMBERS.iter().copied().filter(|name| *name != "id").collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether a member is present, even if it is null.
    pub(super) fn names(&self, name: &str) -> bool {
        self.0.iter().any(|(of, _)| of == name)
    }

    /// Returns the JSON text of a member that is present and not null.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(of, _)| of == name);
        found.map(|(_, value)| value.get()).filter(|value| *value != "null")
    }

    /// Returns whether it has local times and names no time zone.
    pub(super) fn lacks_timezone(&self) -> bool {
        self.get(TIMEZONE).is_none() && self.is_by_the_clock()
    }

    fn is_by_the_clock(&self) -> bool {
        BY_THE_CLOCK.iter().any(|name| self.get(name).is_some())
            || TIMES.iter().filter_map(|name| self.get(name)).any(is_local)
    }

    /// Appends an object with these members, and with a time zone if one is given.
    pub(super) fn write(&self, timezone: Option<&str>, out: &mut String) {
        out.push('{');
        let members = self.0.iter().filter(|(name, _)| timezone.is_none() || name != TIMEZONE);
        let mut separator = "";
        for (name, value) in members {
            out.push_str(&format!("{separator}\"{name}\":{}", value.get()));
            separator = ",";
        }
        if let Some(timezone) = timezone {
            out.push_str(&format!("{separator}\"{TIMEZONE}\":{}", Value::from(timezone)));
        }
        out.push('}');
    }

    /// Returns the schema of an object with the members `taken`. The descriptions are those of the
    /// HTTP API, unless a tool differs.
    pub(super) fn schema(taken: &[&str], generator: &mut SchemaGenerator) -> Schema {
        let task = NewTask::json_schema(generator).to_value();
        let mut properties = serde_json::Map::new();
        for name in taken {
            let mut property = task["properties"][name].clone();
            if *name == TIMEZONE {
                property["description"] = "The IANA time zone of the user, such as Europe/Berlin. Required with `cron`, `rrule` and `exclude`, \
                    and with a time that has no offset. Do not guess it: ask the user. Write UTC only if the user means UTC."
                    .into();
            }
            properties.insert((*name).to_owned(), property);
        }
        json_schema!({ "type": "object", "properties": properties, "additionalProperties": false })
    }
}

/// Returns whether a JSON text is a time without an offset.
pub(super) fn is_local(text: &str) -> bool {
    let time = serde_json::from_str::<TimeInput<'_>>(text);
    time.is_ok_and(|time| matches!(time.read("time", true), Ok(GivenTime::Local(_))))
}

/// Checks that a text is valid as the value of the header `Idempotency-Key`.
fn check_idempotency_key(key: &str) -> Result<(), FieldError> {
    let is_good = (1..=MAX_IDEMPOTENCY_KEY_BYTES).contains(&key.len())
        && key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_good {
        return Ok(());
    }
    let detail = format!("must be 1 to {MAX_IDEMPOTENCY_KEY_BYTES} printable ASCII characters");
    Err(FieldError::new(IDEMPOTENCY_KEY, detail))
}

/// The arguments of `schedule_task`.
#[derive(Debug)]
pub struct ScheduleTask<'a> {
    definition: Definition<'a>,
    idempotency_key: Option<Cow<'a, str>>,
}

impl<'a> ScheduleTask<'a> {
    /// Reads arguments.
    ///
    /// # Errors
    /// Returns an error that names an argument that is unknown, is repeated or cannot be read.
    /// Their values are checked when the task is created.
    pub fn parse(text: &'a str) -> Result<Self, FieldError> {
        let taken: Vec<&str> = MEMBERS.iter().copied().chain([IDEMPOTENCY_KEY]).collect();
        let mut definition = Definition::parse(text, "", &taken)?;
        let key = definition.get(IDEMPOTENCY_KEY).map(|key| {
            let Text(key) = parse_naming_the_field(key, IDEMPOTENCY_KEY)?;
            check_idempotency_key(&key)?;
            Ok(key)
        });
        definition.0.retain(|(name, _)| name != IDEMPOTENCY_KEY);
        Ok(Self { definition, idempotency_key: key.transpose()? })
    }

    /// Returns whether it has local times and names no time zone.
    pub fn lacks_timezone(&self) -> bool {
        self.definition.lacks_timezone()
    }

    /// Returns whether the task has an id of the caller's choice.
    pub fn has_id(&self) -> bool {
        self.definition.get("id").is_some()
    }

    /// Returns the `Idempotency-Key` of the request.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// Returns the body of the request that creates the task, with a time zone if one is given.
    pub fn body(&self, timezone: Option<&str>) -> String {
        let mut body = String::new();
        self.definition.write(timezone, &mut body);
        body
    }
}

impl JsonSchema for ScheduleTask<'_> {
    fn schema_name() -> Cow<'static, str> {
        "ScheduleTask".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Definition::schema(MEMBERS, generator);
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            let key = json_schema!({
                "type": "string",
                "minLength": 1,
                "maxLength": MAX_IDEMPOTENCY_KEY_BYTES,
                "description": "Names this call, so that repeating it within a day creates no second task. Printable ASCII.",
            });
            properties.insert(IDEMPOTENCY_KEY.to_owned(), key.to_value());
            properties["id"]["description"] = "A name for the task, to find it again. It must be new. Without it, an id is generated."
                .into();
        }
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_becomes_the_body_of_a_create() {
        let text = r#"{"cron":"0 10 * * MON","payload":{"a":[1.50]},"timezone":"Asia/Tokyo","idempotencyKey":"k\u0041"}"#;
        let task = ScheduleTask::parse(text).unwrap();
        assert_eq!(task.idempotency_key(), Some("kA"));
        assert!(!task.has_id() && !task.lacks_timezone());
        let body = r#"{"cron":"0 10 * * MON","payload":{"a":[1.50]},"timezone":"Asia/Tokyo"}"#;
        assert_eq!(task.body(None), body);
        let task = ScheduleTask::parse(r#"{"timezone":null,"id":"a"}"#).unwrap();
        assert!(task.has_id());
        assert_eq!(task.body(Some("Z\"")), r#"{"id":"a","timezone":"Z\""}"#);
        assert_eq!(ScheduleTask::parse("{}").unwrap().body(Some("UTC")), r#"{"timezone":"UTC"}"#);
        assert_eq!(ScheduleTask::parse("{}").unwrap().body(None), "{}");
    }

    #[test]
    fn times_of_a_clock_need_a_time_zone() {
        for (text, lacks) in [
            (r#"{"cron":"0 10 * * *"}"#, true),
            (r#"{"cron":"0 10 * * *","timezone":null}"#, true),
            (r#"{"cron":"0 10 * * *","timezone":"UTC"}"#, false),
            (r#"{"cron":null,"delayInSeconds":5}"#, false),
            (r#"{"rrule":"FREQ=DAILY","startAt":"2026-12-01T09:00:00Z"}"#, true),
            (r#"{"time":"2026-12-01T09:00"}"#, true),
            (r#"{"time":"2026-12-01T09:00:00+01:00"}"#, false),
            (r#"{"time":1796083200000}"#, false),
            (r#"{"time":{}}"#, false),
            (r#"{"everySeconds":60}"#, false),
            (r#"{"everySeconds":60,"anchor":"2026-12-01T09:00"}"#, true),
            (r#"{"everySeconds":60,"endAt":"2026-12-01T09:00"}"#, true),
        ] {
            assert_eq!(ScheduleTask::parse(text).unwrap().lacks_timezone(), lacks, "{text}");
        }
    }

    #[test]
    fn unknown_and_repeated_arguments_are_refused() {
        for (text, field, detail) in [
            (r#"{"jitterSeconds":5}"#, "jitterSeconds", "is not a member"),
            (r#"{"timeZone":"UTC"}"#, "timeZone", "did you mean `timezone`?"),
            (r#"{"id":"a","id":"b"}"#, "id", "twice"),
            (r#"{"idempotencyKey":5}"#, "idempotencyKey", "cannot be read"),
            (r#"{"idempotencyKey":""}"#, "idempotencyKey", "printable"),
            (r#"{"idempotencyKey":"a\nb"}"#, "idempotencyKey", "printable"),
            ("[]", "body", "cannot be read"),
            ("5", "body", "cannot be read"),
        ] {
            let problem = ScheduleTask::parse(text).unwrap_err();
            assert_eq!(problem.field, field, "{text}");
            assert!(problem.detail.contains(detail), "{text}: {}", problem.detail);
        }
    }

    #[test]
    fn every_member_is_one_of_a_task() {
        let schema = ScheduleTask::json_schema(&mut SchemaGenerator::default()).to_value();
        for name in MEMBERS {
            assert!(NewTask::MEMBERS.contains(name), "{name}");
            assert!(schema["properties"][name]["description"].is_string(), "{name} is described");
        }
    }
}
