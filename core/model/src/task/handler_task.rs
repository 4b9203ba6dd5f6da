//! The recurring tasks of handlers. Each handler that is declared with a cron expression has one,
//! under an id that callers cannot use.

use super::{Callback, Record};
use crate::bounds::MAX_ID_BYTES;
use crate::ids::check_task_id;
use crate::input::FieldError;
use crate::retry::RetryInput;
use serde_json::value::RawValue;

/// The start of the ids of these tasks. The handler's name follows.
pub const HANDLER_TASK_PREFIX: &str = "handler:";

/// The longest name of a handler, in bytes: the prefix and the name are an id.
pub const MAX_HANDLER_NAME_BYTES: usize = MAX_ID_BYTES - HANDLER_TASK_PREFIX.len();

/// Checks the id of a task. An id that starts with [`HANDLER_TASK_PREFIX`] is refused unless
/// `takes_reserved` is set.
///
/// # Errors
/// Returns an error that says what an id must be.
pub(crate) fn check_id(id: &str, takes_reserved: bool) -> Result<(), FieldError> {
    check_task_id(id).map_err(|problem| FieldError::new("id", problem.to_string()))?;
    if id.starts_with(HANDLER_TASK_PREFIX) && !takes_reserved {
        return Err(FieldError::new(
            "id",
            format!(
                "starts with {HANDLER_TASK_PREFIX:?}, which is reserved for the tasks of handlers with a schedule of their own; give another id"
            ),
        ));
    }
    Ok(())
}

/// The task that a handler with a schedule should have.
#[derive(Debug, Clone, Copy)]
pub struct HandlerTask<'a> {
    /// The handler's name.
    pub name: &'a str,
    /// When it runs.
    pub cron: &'a str,
    /// The IANA time zone in which `cron` is read; UTC if absent.
    pub timezone: Option<&'a str>,
    /// The handler's retry policy, as JSON; the default policy if absent.
    pub retry: Option<&'a RawValue>,
}

impl HandlerTask<'_> {
    /// Returns the reserved id of the task.
    pub fn id(&self) -> String {
        format!("{HANDLER_TASK_PREFIX}{}", self.name)
    }

    /// Returns the task as a caller would give it, if callers could use its id.
    pub fn to_json(&self) -> String {
        // A text can always be written as JSON.
        let text = |text: &str| serde_json::to_string(text).unwrap_or_default();
        let (id, cron, name) = (text(&self.id()), text(self.cron), text(self.name));
        let timezone = self
            .timezone
            .map(|timezone| format!(r#","timezone":{}"#, text(timezone)))
            .unwrap_or_default();
        let retry = self.retry.map(|retry| format!(r#","retry":{retry}"#)).unwrap_or_default();
        format!(
            r#"{{"id":{id},"cron":{cron}{timezone}{retry},"callback":{{"type":"handler","name":{name}}}}}"#
        )
    }

    /// Returns whether `record` has the same schedule, callback and retry policy. Its other members
    /// are not compared.
    pub fn is(&self, record: &Record<'_>) -> bool {
        let policy = |raw: Option<&RawValue>| {
            raw.and_then(|raw| serde_json::from_str::<RetryInput>(raw.get()).ok())
        };
        record.id == self.id()
            && record
                .cron
                .and_then(|cron| serde_json::from_str::<String>(cron.get()).ok())
                .as_deref()
                == Some(self.cron)
            && record.timezone.as_deref() == self.timezone
            && runs(record, self.name)
            && policy(record.retry) == policy(self.retry)
    }
}

fn runs(record: &Record<'_>, handler: &str) -> bool {
    matches!(Callback::parse(record.callback.get()), Ok(Callback::Handler { name }) if name == handler)
}

/// Returns the handler whose own task this record is; `None` for any other task. Callers could use
/// such ids before they were reserved. So a task that does not run the handler of that name by cron
/// is a caller's, and must not be removed.
pub fn handler_of(record: &Record<'_>) -> Option<String> {
    let name = record.id.strip_prefix(HANDLER_TASK_PREFIX)?;
    (record.cron.is_some() && runs(record, name)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Origin, Targets, Validator, parse_one};
    use scheduler_calendar::time::UnixMillis;

    const RETRY: &str = r#"{"maxAttempts":6}"#;

    fn report(retry: &RawValue) -> HandlerTask<'_> {
        HandlerTask {
            name: "report",
            cron: "0 9 * * MON",
            timezone: Some("Europe/London"),
            retry: Some(retry),
        }
    }

    /// Returns the stored record of a task that the deployment itself creates.
    fn stored(task: &HandlerTask<'_>) -> Vec<u8> {
        let targets = Targets { handlers: &["report", "tick"], ..Targets::default() };
        let text = task.to_json();
        let mut validator = Validator::new(UnixMillis::new(1_764_000_000_000), [0; 16], targets)
            .with_reserved_ids();
        let mut record = Vec::new();
        validator
            .check(parse_one(&text).unwrap())
            .unwrap()
            .write_record(&Origin::default(), &mut record);
        record
    }

    #[test]
    fn what_is_stored_is_recognized() {
        let retry: &RawValue = serde_json::from_str(RETRY).unwrap();
        let report = report(retry);
        let text = stored(&report);
        let record = Record::parse(&text).unwrap();
        assert_eq!(record.id, "handler:report");
        assert!(report.is(&record));
        assert_eq!(handler_of(&record).as_deref(), Some("report"));

        let other: &RawValue = serde_json::from_str(r#"{"maxAttempts":7}"#).unwrap();
        for changed in [
            HandlerTask { name: "tick", ..report },
            HandlerTask { cron: "0 10 * * MON", ..report },
            HandlerTask { timezone: None, ..report },
            HandlerTask { timezone: Some("Europe/Paris"), ..report },
            HandlerTask { retry: None, ..report },
            HandlerTask { retry: Some(other), ..report },
        ] {
            assert!(!changed.is(&record), "{changed:?}");
            let text = stored(&changed);
            assert!(changed.is(&Record::parse(&text).unwrap()), "{changed:?}");
        }
    }

    #[test]
    fn what_else_a_record_holds_does_not_matter() {
        let tick = HandlerTask { name: "tick", cron: "@hourly", timezone: None, retry: None };
        let text = br#"{"id":"handler:tick","cron":"@hourly","description":"mine","callback":{"name":"tick", "type":"handler"}}"#;
        assert!(tick.is(&Record::parse(text).unwrap()));
    }

    #[test]
    fn tasks_of_callers_are_not_taken_for_a_handlers() {
        for text in [
            r#"{"id":"tick","cron":"@hourly","callback":{"type":"handler","name":"tick"}}"#,
            r#"{"id":"handler:tick","time":5,"callback":{"type":"handler","name":"tick"}}"#,
            r#"{"id":"handler:tick","cron":"@hourly","callback":{"type":"handler","name":"tock"}}"#,
            r#"{"id":"handler:tick","cron":"@hourly","callback":{"type":"queue","queue":"tick"}}"#,
        ] {
            assert_eq!(handler_of(&Record::parse(text.as_bytes()).unwrap()), None, "{text}");
        }
    }
}
