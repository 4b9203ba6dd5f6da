//! Reading tasks: one, and lists.

use crate::bounds::{MAX_DESCRIPTION_BYTES, MAX_ID_BYTES, MAX_TAG_BYTES};
use crate::input::FieldError;
use crate::position::Position;
use scheduler_calendar::schedule::RuleKind;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One task is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetRequest {
    /// The task's id.
    pub id: String,
}

/// What a task is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Status {
    /// It waits for its time.
    Scheduled,
    /// It waits for a further attempt, or for an attempt at a follow-up, which has a `stage`.
    Retrying,
    /// It waits for the previous run to end.
    Held,
    /// It was dispatched, and its outcome is not reported yet.
    Fired,
    /// It waits to be resumed.
    Paused,
    /// It failed for good, and is kept until you replay or discard it.
    Dead,
    /// It has no schedule, and waits for nothing.
    Unscheduled,
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

/// Which tasks are meant: those that fulfil every part that is given.
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
    /// The kind of schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The task is due at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i64>")]
    pub from: Option<UnixMillis>,
    /// The task is due before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i64>")]
    pub to: Option<UnixMillis>,
}

impl Filter {
    /// Returns the filter with its text in lower case, for a scan: it is compared with the
    /// description of each task.
    pub fn folded(&self) -> Self {
        Self { text: self.text.as_ref().map(|text| text.to_lowercase()), ..self.clone() }
    }

    /// Checks its texts: none is longer than what it is compared with. `path` stands before the
    /// names of the fields.
    ///
    /// # Errors
    /// Names the field and the limit.
    pub fn check(&self, path: &str) -> Result<(), FieldError> {
        let checks = [
            ("prefix", &self.prefix, MAX_ID_BYTES),
            ("text", &self.text, MAX_DESCRIPTION_BYTES),
            ("tag", &self.tag, MAX_TAG_BYTES),
        ];
        match checks.iter().find_map(|(name, text, limit)| {
            Some((name, text.as_ref()?.len(), limit)).filter(|(_, bytes, limit)| bytes > *limit)
        }) {
            Some((name, bytes, limit)) => Err(FieldError::new(
                format!("{path}{name}"),
                format!("is {bytes} bytes long; the limit is {limit}"),
            )),
            None => Ok(()),
        }
    }

    /// Returns whether it takes a look into the record to tell.
    pub fn reads_records(&self) -> bool {
        self.prefix.is_some() || self.text.is_some() || self.tag.is_some()
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
    /// Where it stands in the order of firing.
    pub position: Position,
    /// What it waits for.
    pub status: Status,
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

/// A part of the list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListReply {
    /// In the order of firing.
    pub items: Vec<ListItem>,
    /// Everything up to here has been looked at; `None` when there is nothing beyond.
    pub next: Option<Position>,
}
