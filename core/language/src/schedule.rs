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
    /// What it leaves out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude: Option<Exclude>,
}

impl Schedule {
    /// Returns whether its runs may end.
    pub(crate) fn may_end(&self) -> bool {
        let rule = self.rrule.as_deref().unwrap_or_default();
        self.time.is_some()
            || self.end_at.is_some()
            || self.max_runs.is_some()
            || rule.contains("COUNT")
            || rule.contains("UNTIL")
    }
}

/// A date without runs, because it has passed.
const PAST_DATE: &str = "1970-01-01";

/// What a schedule leaves out, in the notation of the API.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exclude {
    /// Dates, dates of every year, and ranges of either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<String>,
    /// Days of the week.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weekdays: Vec<String>,
    /// Times of day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<String>,
    /// Rules whose days are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Names of calendars of the namespace, whose items are left out, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calendars: Vec<String>,
    /// What becomes of a run on a day that is left out, unless it is skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

impl Exclude {
    /// Returns what it leaves out, or `None` if that is nothing.
    pub(crate) fn unless_empty(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }

    /// Returns it without its calendars, or something that leaves out no run if nothing else is
    /// left.
    pub(crate) fn without_calendars(&self) -> Self {
        let mut own = Self { calendars: Vec::new(), ..self.clone() };
        if own == (Self { instead: own.instead.clone(), ..Self::default() }) {
            own.dates.push(PAST_DATE.to_owned());
        }
        own
    }
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
