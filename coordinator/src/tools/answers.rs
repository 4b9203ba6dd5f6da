//! The answers of the API, as tools read them.

use crate::tools::failure::Failure;
use scheduler_model::input::ShownTime;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Reads an answer of the API.
pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Failure> {
    Ok(serde_json::from_str(text)?)
}

/// A task.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Task<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) status: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) kind: Cow<'a, str>,
    pub(super) running: Option<bool>,
    pub(super) due: Option<i64>,
    pub(super) time: Option<ShownTime>,
    #[serde(borrow)]
    pub(super) cron: Option<&'a RawValue>,
    pub(super) every_seconds: Option<f64>,
    #[serde(borrow)]
    pub(super) rrule: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) timezone: Option<Cow<'a, str>>,
    pub(super) start_at: Option<ShownTime>,
    pub(super) end_at: Option<ShownTime>,
    pub(super) max_runs: Option<u32>,
    #[serde(borrow)]
    pub(super) exclude: Option<&'a RawValue>,
    pub(super) final_run: Option<i64>,
    #[serde(borrow)]
    pub(super) words: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) description: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) tags: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) callback: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) payload: Option<&'a RawValue>,
    pub(super) created_at: Option<i64>,
    pub(super) updated_at: Option<i64>,
    #[serde(borrow)]
    pub(super) created_by: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) dead_letter_id: Option<Cow<'a, str>>,
    pub(super) failed_at: Option<i64>,
    #[serde(borrow)]
    pub(super) error: Option<Cow<'a, str>>,
    pub(super) changed: Option<bool>,
    pub(super) warnings: Vec<Warning>,
}

/// A warning about a task that was stored.
#[derive(Debug, Deserialize)]
pub(super) struct Warning {
    pub(super) detail: String,
}

/// A page of a list of tasks or of dead letters.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Page<'a> {
    #[serde(borrow)]
    pub(super) tasks: Vec<&'a RawValue>,
    #[serde(borrow)]
    pub(super) dead_letters: Vec<&'a RawValue>,
    pub(super) cursor: Option<String>,
    pub(super) total: Option<u64>,
}

/// An attempt.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Run<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) time: Option<i64>,
    #[serde(borrow)]
    pub(super) stage: Option<Cow<'a, str>>,
    pub(super) attempt: Option<u32>,
    #[serde(borrow)]
    pub(super) target: Option<Cow<'a, str>>,
    pub(super) started_at: Option<i64>,
    pub(super) finished_at: Option<i64>,
    pub(super) reported_at: i64,
    #[serde(borrow)]
    pub(super) outcome: Cow<'a, str>,
    pub(super) status: Option<u16>,
    #[serde(borrow)]
    pub(super) error: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) excerpt: Option<Cow<'a, str>>,
}

/// A group of similar failures.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Group<'a> {
    pub(super) error: String,
    pub(super) count: u64,
    pub(super) first_at: i64,
    pub(super) last_at: i64,
    #[serde(borrow)]
    pub(super) example: Run<'a>,
}

/// A page of a history.
#[derive(Debug, Deserialize)]
pub(super) struct Runs<'a> {
    #[serde(borrow)]
    pub(super) runs: Option<Vec<Run<'a>>>,
    #[serde(borrow)]
    pub(super) groups: Option<Vec<Group<'a>>>,
    pub(super) cursor: Option<String>,
}

/// The explanation of a task.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Explanation<'a> {
    pub(super) status: Option<String>,
    pub(super) sentence: Option<String>,
    pub(super) reasons: Vec<Reason>,
    #[serde(borrow)]
    pub(super) recent_runs: Vec<Run<'a>>,
}

/// A part of an explanation.
#[derive(Debug, Deserialize)]
pub(super) struct Reason {
    pub(super) code: String,
    pub(super) detail: String,
}

/// The result of a change of many tasks or dead letters.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Many {
    pub(super) cancelled: Option<u64>,
    pub(super) replayed: Option<u64>,
    pub(super) not_found: NotFound,
    pub(super) running: u64,
    pub(super) done: bool,
}

/// The tasks that were not found: their number, or their ids.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum NotFound {
    Count(u64),
    Ids(Vec<String>),
}

impl Default for NotFound {
    fn default() -> Self {
        Self::Count(0)
    }
}

impl NotFound {
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Count(count) => *count,
            Self::Ids(ids) => ids.len() as u64,
        }
    }
}

/// The statistics of the scheduler.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Stats {
    pub(super) pending: u64,
    pub(super) in_flight: u64,
    pub(super) schedules: u64,
    pub(super) paused: u64,
    pub(super) dead_letters: u64,
    pub(super) overdue: u64,
    pub(super) waiting_for_limits: u64,
    pub(super) lateness_millis: Lateness,
    pub(super) circuits: Vec<Circuit>,
}

/// How late runs were dispatched.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Lateness {
    pub(super) p50: u64,
    pub(super) p99: u64,
    pub(super) max: u64,
}

/// The circuit of a destination that does not answer.
#[derive(Debug, Deserialize)]
pub(super) struct Circuit {
    pub(super) destination: String,
    pub(super) since: i64,
    pub(super) until: i64,
    pub(super) waiting: u64,
}
