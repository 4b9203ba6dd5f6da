//! The arguments of `change_task`.

use super::definition::{Definition, TIMEZONE, is_local};
use super::of_one::check_id;
use crate::address::task_path;
use crate::bounds::MAX_ID_BYTES;
use crate::input::{FieldError, InstantInput, Text, parse_object};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What to do to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Step {
    /// Change its definition by `changes`.
    Update,
    /// Hold it until it is resumed.
    Pause,
    /// Let a paused task fire again.
    Resume,
    /// Fire it now, in addition to its schedule.
    RunNow,
    /// Move a task that fires once to `time`, or to `delayInSeconds` from now.
    Reschedule,
}

/// The arguments of `change_task`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeTask<'a> {
    /// The id of the task, as find_tasks shows it.
    #[serde(borrow)]
    #[schemars(length(min = 1, max = MAX_ID_BYTES))]
    id: Text<'a>,
    /// What to do.
    action: Step,
    /// Of an update: the members to change, a JSON merge patch. A member that is null is removed.
    #[serde(borrow)]
    #[schemars(with = "Option<Changes>")]
    changes: Option<&'a RawValue>,
    /// Of a reschedule: when it fires instead, in RFC 3339 with an offset, or a local time with
    /// `timezone`.
    #[serde(borrow)]
    #[schemars(with = "Option<InstantInput>")]
    time: Option<&'a RawValue>,
    /// Of a reschedule: how long from now it fires instead, seconds.
    #[serde(borrow)]
    #[schemars(with = "Option<f64>", range(min = 0))]
    delay_in_seconds: Option<&'a RawValue>,
    /// Of a reschedule: the IANA time zone of a local `time`.
    #[serde(borrow)]
    timezone: Option<Text<'a>>,
}

/// The schema of the changes of a task.
enum Changes {}

impl JsonSchema for Changes {
    fn schema_name() -> Cow<'static, str> {
        "TaskChanges".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Definition::schema(&Definition::changeable(), generator)
    }
}

impl<'a> ChangeTask<'a> {
    /// Reads arguments.
    ///
    /// # Errors
    /// Returns an error that names an argument that is missing, unknown, or does not belong to the
    /// action.
    pub fn parse(text: &'a str) -> Result<Self, FieldError> {
        let read: Self = parse_object(text, "")?;
        check_id(&read.id)?;
        let belongs = |name: &'static str, is_given: bool, step: Step, of: &str| {
            let detail = || format!("belongs to the action {of} only; leave it out");
            match is_given && read.action != step {
                true => Err(FieldError::new(name, detail())),
                false => Ok(()),
            }
        };
        belongs("changes", read.changes.is_some(), Step::Update, "update")?;
        for (name, is_given) in [
            ("time", read.time.is_some()),
            ("delayInSeconds", read.delay_in_seconds.is_some()),
            (TIMEZONE, read.timezone.is_some()),
        ] {
            belongs(name, is_given, Step::Reschedule, "reschedule")?;
        }
        match (read.action, read.definition()?) {
            (Step::Update, None) => {
                Err(FieldError::new("changes", "is missing; give the members to change"))
            }
            (Step::Update, Some(changes)) if changes.is_empty() => {
                Err(FieldError::new("changes", "is empty; give the members to change"))
            }
            _ => Ok(read),
        }
    }

    fn definition(&self) -> Result<Option<Definition<'a>>, FieldError> {
        let parse = |changes: &'a RawValue| {
            Definition::parse(changes.get(), "changes", &Definition::changeable())
        };
        self.changes.map(parse).transpose()
    }

    /// Returns the id.
    pub fn id(&self) -> &str {
        &self.id.0
    }

    /// Returns the action.
    pub fn action(&self) -> Step {
        self.action
    }

    /// Returns whether an update keeps the time zone that the task may have.
    pub fn keeps_timezone(&self) -> bool {
        self.action == Step::Update
            && matches!(self.definition(), Ok(Some(of)) if !of.names(TIMEZONE))
    }

    /// Returns whether the call has local times and names no time zone. For an update, the task may
    /// have a time zone that it [keeps](Self::keeps_timezone).
    pub fn lacks_timezone(&self) -> bool {
        match self.action {
            Step::Update => matches!(self.definition(), Ok(Some(of)) if of.lacks_timezone()),
            Step::Reschedule => {
                self.timezone.is_none() && self.time.is_some_and(|time| is_local(time.get()))
            }
            Step::Pause | Step::Resume | Step::RunNow => false,
        }
    }

    /// Returns the path of the request.
    pub fn path(&self) -> String {
        let task = task_path(self.id());
        match self.action {
            Step::Update => task,
            Step::Pause => format!("{task}/pause"),
            Step::Resume => format!("{task}/resume"),
            Step::RunNow => format!("{task}/run"),
            Step::Reschedule => format!("{task}/reschedule"),
        }
    }

    /// Returns the body of the request, with a time zone if one is given.
    pub fn body(&self, timezone: Option<&str>) -> String {
        let mut body = String::new();
        match self.action {
            Step::Update => {
                if let Ok(Some(changes)) = self.definition() {
                    changes.write(timezone, &mut body);
                }
            }
            Step::Reschedule => {
                let timezone = timezone.or(self.timezone.as_ref().map(|zone| zone.0.as_ref()));
                let zone = timezone.map(|zone| serde_json::Value::from(zone).to_string());
                let members = [
                    ("time", self.time.map(RawValue::get)),
                    ("delayInSeconds", self.delay_in_seconds.map(RawValue::get)),
                    (TIMEZONE, zone.as_deref()),
                ];
                let given = members
                    .into_iter()
                    .filter_map(|(name, value)| Some(format!("\"{name}\":{}", value?)));
                body = format!("{{{}}}", given.collect::<Vec<_>>().join(","));
            }
            Step::Pause | Step::Resume | Step::RunNow => {}
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_becomes_a_request() {
        for (text, path, body) in [
            (r#"{"id":"a/b","action":"pause"}"#, "/v1/tasks/a%2Fb/pause", ""),
            (r#"{"id":"a","action":"resume"}"#, "/v1/tasks/a/resume", ""),
            (r#"{"id":"a","action":"run_now"}"#, "/v1/tasks/a/run", ""),
            (
                r#"{"id":"a","action":"update","changes":{"cron":null,"everySeconds":60}}"#,
                "/v1/tasks/a",
                r#"{"cron":null,"everySeconds":60}"#,
            ),
            (
                r#"{"id":"a","action":"reschedule","time":"2026-12-01T09:00","timezone":"UTC"}"#,
                "/v1/tasks/a/reschedule",
                r#"{"time":"2026-12-01T09:00","timezone":"UTC"}"#,
            ),
            (
                r#"{"id":"a","action":"reschedule","delayInSeconds":5}"#,
                "/v1/tasks/a/reschedule",
                r#"{"delayInSeconds":5}"#,
            ),
        ] {
            let change = ChangeTask::parse(text).unwrap();
            assert_eq!(
                (change.path().as_str(), change.body(None).as_str()),
                (path, body),
                "{text}"
            );
        }
        let local = r#"{"id":"a","action":"reschedule","time":"2026-12-01T09:00"}"#;
        let change = ChangeTask::parse(local).unwrap();
        assert!(change.lacks_timezone());
        assert_eq!(change.body(Some("UTC")), r#"{"time":"2026-12-01T09:00","timezone":"UTC"}"#);
        let cron = r#"{"id":"a","action":"update","changes":{"cron":"0 9 * * *"}}"#;
        let change = ChangeTask::parse(cron).unwrap();
        assert!(change.lacks_timezone() && change.keeps_timezone());
        assert_eq!(change.body(Some("UTC")), r#"{"cron":"0 9 * * *","timezone":"UTC"}"#);
        // A change that removes the time zone names none either.
        let null = r#"{"id":"a","action":"update","changes":{"cron":"0 9 * * *","timezone":null}}"#;
        let change = ChangeTask::parse(null).unwrap();
        assert!(change.lacks_timezone() && !change.keeps_timezone());
        assert_eq!(change.body(Some("UTC")), r#"{"cron":"0 9 * * *","timezone":"UTC"}"#);
    }

    #[test]
    fn arguments_go_with_their_action() {
        for (text, field) in [
            (r#"{"action":"pause"}"#, "id"),
            (r#"{"id":"","action":"pause"}"#, "id"),
            (r#"{"id":"a"}"#, "action"),
            (r#"{"id":"a","action":"stop"}"#, "action"),
            (r#"{"id":"a","action":"pause","changes":{"tags":[]}}"#, "changes"),
            (r#"{"id":"a","action":"pause","time":5}"#, "time"),
            (r#"{"id":"a","action":"update","timezone":"UTC"}"#, "timezone"),
            (r#"{"id":"a","action":"update"}"#, "changes"),
            (r#"{"id":"a","action":"update","changes":{}}"#, "changes"),
            (r#"{"id":"a","action":"update","changes":[]}"#, "changes"),
            (r#"{"id":"a","action":"update","changes":{"id":"b"}}"#, "changes.id"),
            (r#"{"id":"a","action":"pause","force":true}"#, "force"),
        ] {
            assert_eq!(ChangeTask::parse(text).unwrap_err().field, field, "{text}");
        }
    }
}
