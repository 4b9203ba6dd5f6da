//! The local times of a task.

use scheduler_calendar::local_time::LocalTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The times of a task that were given as local times. The record has them in addition to their
/// instants, so that they follow the time zone when its law changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(description = "The times that were given as local times. `timezone` is their zone.")]
pub struct LocalTimes {
    /// When it fires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub time: Option<LocalTime>,
    /// It does not recur before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub start_at: Option<LocalTime>,
    /// It does not recur after this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub end_at: Option<LocalTime>,
    /// The anchor of the interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub anchor: Option<LocalTime>,
}

impl LocalTimes {
    /// Returns the local times, or `None` if there are none.
    pub fn unless_empty(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }
}
