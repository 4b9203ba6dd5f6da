//! The filter of a request for many tasks.

use super::Status;
use crate::bounds::{
    MAX_DESCRIPTION_BYTES, MAX_FILTERED_ERROR_BYTES, MAX_HOST_BYTES, MAX_ID_BYTES, MAX_TAG_BYTES,
};
use crate::input::FieldError;
use scheduler_calendar::schedule::RuleKind;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of schedule of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Kind {
    /// It fires once.
    Once,
    /// It recurs: any of the next three.
    Recurring,
    /// It recurs by cron expressions.
    Cron,
    /// It recurs at an interval.
    Every,
    /// It recurs by a rule of RFC 5545.
    Rrule,
    /// It does not fire by itself.
    NoSchedule,
}

impl From<RuleKind> for Kind {
    fn from(kind: RuleKind) -> Self {
        match kind {
            RuleKind::Cron => Self::Cron,
            RuleKind::Every => Self::Every,
            RuleKind::Rrule => Self::Rrule,
        }
    }
}

impl Kind {
    /// Returns whether a filter for this kind selects tasks of kind `other`.
    pub fn includes(self, other: Self) -> bool {
        self == other
            || self == Self::Recurring && matches!(other, Self::Cron | Self::Every | Self::Rrule)
    }
}

/// The type of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum CallbackType {
    /// A request to a URL.
    Webhook,
    /// A call of another Worker.
    Service,
    /// A call of a Durable Object.
    DurableObject,
    /// A function in the Worker itself.
    Handler,
    /// A message in one of your queues.
    Queue,
}

/// How the last attempt ended, as far as the task records it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum LastOutcome {
    /// No attempt is known: it is the first one, or the task recurs or has no schedule.
    None,
    /// It failed, and a further attempt waits, is paused or is in flight.
    Failed,
    /// It failed for good: a dead letter.
    DeadLettered,
    /// The run succeeded, and its follow-up waits, is paused or is in flight.
    Succeeded,
    /// The run expired, and its follow-up waits, is paused or is in flight.
    Expired,
}

/// Selects the tasks that match every part that is given. Without parts, it selects all.
///
/// A shard refuses a part that it does not know, because without that part the request would select
/// more tasks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Filter {
    /// The id starts with this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The id or the description contains this, in upper or lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The tags include this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The tags include this, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_tag: Option<String>,
    /// The callback is a webhook to this host, in lower case and without a port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_host: Option<String>,
    /// The type of the callback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_type: Option<CallbackType>,
    /// The error of the last attempt contains this, in upper or lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How the last attempt ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_outcome: Option<LastOutcome>,
    /// The kind of schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Whether it is paused, or will be when its attempt in flight has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// The time of the task is this time or later. This is its due time; if it is paused or held,
    /// the requested time; for a dead letter, the time of death. A task without this time is not
    /// selected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i64>")]
    pub from: Option<UnixMillis>,
    /// The time of the task is before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i64>")]
    pub to: Option<UnixMillis>,
}

impl Filter {
    /// Returns the filter for a scan, with the texts in lower case that are compared in lower case.
    pub fn folded(&self) -> Self {
        Self { text: self.text.as_ref().map(|text| text.to_lowercase()), ..self.clone() }
    }

    /// Checks its texts. None may be empty, because it would select everything, and none may be
    /// longer than the text that it is compared with. `path` is put before the names of the fields.
    ///
    /// # Errors
    /// Returns an error that names the field, and the limit if a text is too long.
    pub fn check(&self, path: &str) -> Result<(), FieldError> {
        for (name, text, limit) in [
            ("prefix", &self.prefix, MAX_ID_BYTES),
            ("text", &self.text, MAX_DESCRIPTION_BYTES),
            ("tag", &self.tag, MAX_TAG_BYTES),
            ("tag", &self.other_tag, MAX_TAG_BYTES),
            ("callbackHost", &self.callback_host, MAX_HOST_BYTES),
            ("error", &self.error, MAX_FILTERED_ERROR_BYTES),
        ] {
            let Some(text) = text else { continue };
            let detail = match text.len() {
                0 => "is empty and would select every task; leave it out".to_owned(),
                bytes if bytes > limit => format!("is {bytes} bytes long; the limit is {limit}"),
                _ => continue,
            };
            return Err(FieldError::new(format!("{path}{name}"), detail));
        }
        Ok(())
    }

    /// Returns whether the filter needs the records of tasks, apart from its kind and its last
    /// outcome.
    pub fn reads_records(&self) -> bool {
        let texts = [&self.prefix, &self.text, &self.tag, &self.callback_host, &self.error];
        self.callback_type.is_some() || texts.into_iter().any(Option::is_some)
    }

    /// Returns the parts that need the records of tasks.
    #[must_use]
    pub fn of_records(&self) -> Self {
        Self { status: None, paused: None, from: None, to: None, ..self.clone() }
    }
}
