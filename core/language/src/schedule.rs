//! A schedule as the fields of a task.

use serde::{Deserialize, Serialize};

/// The fields of a task that say when it fires, as the API defines them (see `docs/schedules.md`).
///
/// Exactly one of `time`, `cron`, `everySeconds` and `rrule` is present.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schedule {
    /// The time of a schedule that fires once: RFC 3339, or a local time in `timezone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
    /// One or more cron expressions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cron: Option<Cron>,
    /// The interval at which it fires, in seconds, with at most three decimals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<f64>,
    /// The anchor of the interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Time>,
    /// A rule of RFC 5545, which begins at `startAt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rrule: Option<String>,
    /// The IANA time zone of `cron`, `rrule` and local times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// No run is before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_at: Option<Time>,
    /// No run is after this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_at: Option<Time>,
    /// The number of runs after which it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_runs: Option<u32>,
}

/// One cron expression or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cron {
    /// One.
    One(String),
    /// Several. It fires when any of them matches.
    Several(Vec<String>),
}

impl Cron {
    /// Returns the simplest form of a list.
    pub(crate) fn of(mut expressions: Vec<String>) -> Self {
        match expressions.pop() {
            Some(only) if expressions.is_empty() => Self::One(only),
            Some(last) => {
                expressions.push(last);
                Self::Several(expressions)
            }
            None => Self::Several(expressions),
        }
    }

    /// Returns its expressions.
    pub fn expressions(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(several) => several,
        }
    }
}

/// A time in a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Time {
    /// Milliseconds since 1970.
    Millis(i64),
    /// RFC 3339, or a local time without an offset.
    Text(String),
}
