//! Which tasks a request means.

use super::Status;
use crate::bounds::{
    MAX_DESCRIPTION_BYTES, MAX_FILTERED_ERROR_BYTES, MAX_HOST_BYTES, MAX_ID_BYTES, MAX_TAG_BYTES,
};
use crate::input::FieldError;
use scheduler_calendar::schedule::RuleKind;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of schedule a task has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Kind {
    /// It fires once.
    Once,
    /// It fires again and again: any of the next three.
    Recurring,
    /// It fires again and again, by cron expressions.
    Cron,
    /// It fires again and again, at an interval.
    Every,
    /// It fires again and again, by a rule of RFC 5545.
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
    /// Returns whether a task of kind `other` is meant.
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
    /// A function that is built into the Worker.
    Handler,
    /// A message in a queue of yours.
    Queue,
}

/// How the last attempt ended, as far as a task keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum LastOutcome {
    /// Nothing is known of an attempt: it is the first one, or the task recurs or has no schedule.
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

/// Which tasks are meant: those that fulfil every part that is given. Without any part, all.
///
/// A shard refuses a part that it does not know: without it, a request would mean more tasks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Filter {
    /// The id starts with this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The id or the description contains this, upper and lower case alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The tags include this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The tags include this as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_tag: Option<String>,
    /// The callback is a webhook to this host, in lower case and without a port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_host: Option<String>,
    /// The type of the callback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_type: Option<CallbackType>,
    /// The error of the last attempt contains this, upper and lower case alike.
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
    /// Whether it waits to be resumed, or will when its attempt in flight has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// The time of the task is this time or later: when it is due; of what is paused or held, the
    /// requested time; of a dead letter, when it failed. What has no such time is not meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i64>")]
    pub from: Option<UnixMillis>,
    /// The time of the task is before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i64>")]
    pub to: Option<UnixMillis>,
}

impl Filter {
    /// Returns the filter with the text in lower case that is compared so, for a scan.
    pub fn folded(&self) -> Self {
        Self { text: self.text.as_ref().map(|text| text.to_lowercase()), ..self.clone() }
    }

    /// Checks its texts: none is empty, which would select everything, and none is longer than what
    /// it is compared with. `path` is written before the names of the fields.
    ///
    /// # Errors
    /// Names the field, and the limit if it is too long.
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
