//! Reading tasks: one, and lists.

use crate::bounds::{
    MAX_DESCRIPTION_BYTES, MAX_FILTERED_ERROR_BYTES, MAX_HOST_BYTES, MAX_ID_BYTES, MAX_TAG_BYTES,
};
use crate::input::FieldError;
use crate::names::{self, Named};
use crate::position::Position;
use scheduler_calendar::schedule::RuleKind;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// One task is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetRequest {
    /// The task's id.
    pub id: String,
}

/// What a task is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Status {
    /// It waits for its time.
    Scheduled,
    /// It waits for a further attempt, or for an attempt at a follow-up, which has a `stage`.
    Retrying,
    /// It waits for the previous run to end.
    Held,
    /// An attempt is in flight: it was dispatched, and its outcome is not reported yet.
    Running,
    /// It waits to be resumed.
    Paused,
    /// It failed for good, and is kept until you replay or discard it.
    #[serde(rename = "dead-lettered")]
    Dead,
    /// It has no schedule, and waits for nothing.
    Unscheduled,
}

impl Named for Status {
    const NAMES: &'static [&'static str] =
        &["scheduled", "retrying", "held", "running", "paused", "dead-lettered", "unscheduled"];
    const VALUES: &'static [Self] = &[
        Self::Scheduled,
        Self::Retrying,
        Self::Held,
        Self::Running,
        Self::Paused,
        Self::Dead,
        Self::Unscheduled,
    ];
    const FORMER: &'static [(&'static str, Self)] =
        &[("fired", Self::Running), ("dead", Self::Dead)];
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        names::stored(deserializer)
    }
}

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

/// Which tasks are meant: those that fulfil every part that is given. Without any part, all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Filter {
    /// The id starts with this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The description contains this, upper and lower case alike.
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
    /// The error of the last attempt contains this, upper and lower case alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The kind of schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
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

    /// Returns whether only the record of a task tells if it is meant.
    pub fn reads_records(&self) -> bool {
        [&self.prefix, &self.text, &self.tag, &self.callback_host, &self.error]
            .into_iter()
            .any(Option::is_some)
    }
}

/// A part of the list is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ListRequest {
    /// Which tasks.
    pub filter: Filter,
    /// Those after this position only.
    pub after: Option<Position>,
    /// The largest number of items on the page.
    pub limit: usize,
    /// Records of no more bytes than this together, or one; absent: what a shard looks at in one
    /// request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<usize>,
}

/// A task as a list shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListItem {
    /// Its place in the list.
    pub position: Position,
    /// When it is due, if its place does not say so: an attempt in flight is listed by the time at
    /// which it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<UnixMillis>,
    /// What it waits for.
    pub status: Status,
    /// Whether a run of this task is in flight beside it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_running: bool,
    /// Whether it is an attempt of a run, or of a follow-up, and not a task: whatever its status
    /// says.
    #[serde(default)]
    pub is_attempt: bool,
    /// Whether it is in flight, and was cancelled: this attempt ends, and nothing is left to
    /// change.
    #[serde(default)]
    pub is_cancelled: bool,
    /// The stored record.
    pub record: Box<RawValue>,
}

impl ListItem {
    /// Returns when it is due; not before [`UnixMillis::HELD`] if it does not fire by itself.
    pub fn due(&self) -> UnixMillis {
        self.due.unwrap_or(self.position.due)
    }
}

/// A part of the list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ListReply {
    /// In the order of their places.
    pub items: Vec<ListItem>,
    /// Everything up to here has been looked at; `None` when there is nothing beyond.
    pub next: Option<Position>,
    /// The number of items of the whole list. Only with the first part of a list without a filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}
