//! The policies for runs that are late, or that come due while the previous run is in progress.

use super::ScheduleFields;
use super::fields::millis;
use crate::bounds::{DEFAULT_GRACE_SECONDS, MAX_LATENESS_SECONDS};
use crate::input::{FieldError, parse_object};
use crate::names::{self, Given, Named};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// What happens to a missed run. A run is missed if it would fire later than it may, after an
/// outage, a pause or a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema)]
#[schemars(inline, rename_all = "kebab-case")]
pub enum Misfire {
    /// The run fires, however late. All missed runs of a recurring task fire, at most the last 100.
    #[default]
    Fire,
    /// The run fires. Of a recurring task, only the last missed run fires.
    FireOnce,
    /// It does not fire.
    Skip,
    /// It does not fire, and is kept as a dead letter.
    DeadLetter,
}

/// What happens to a run of a recurring task that comes due before the previous run is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema)]
#[schemars(inline, rename_all = "kebab-case")]
pub enum Overlap {
    /// Both run at the same time.
    #[default]
    Allow,
    /// It does not fire.
    Skip,
    /// It waits for the end of the previous run. Further runs do not fire.
    QueueOne,
}

impl Named for Misfire {
    const NAMES: &'static [&'static str] = &["fire", "fire-once", "skip", "dead-letter"];
    const VALUES: &'static [Self] = &[Self::Fire, Self::FireOnce, Self::Skip, Self::DeadLetter];
    const FORMER: &'static [(&'static str, Self)] =
        &[("fireOnce", Self::FireOnce), ("deadLetter", Self::DeadLetter)];
}

impl<'de> Deserialize<'de> for Misfire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        names::stored(deserializer)
    }
}

impl Named for Overlap {
    const NAMES: &'static [&'static str] = &["allow", "skip", "queue-one"];
    const VALUES: &'static [Self] = &[Self::Allow, Self::Skip, Self::QueueOne];
    const FORMER: &'static [(&'static str, Self)] = &[("queueOne", Self::QueueOne)];
}

impl<'de> Deserialize<'de> for Overlap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        names::stored(deserializer)
    }
}

impl Overlap {
    /// Returns the name in a record.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Skip => "skip",
            Self::QueueOne => "queue-one",
        }
    }
}

/// Returns the JSON of a stored `misfire` or `overlap` with the current names.
pub(crate) fn with_names_of_today(json: &str) -> Cow<'_, str> {
    let mut json = Cow::Borrowed(json);
    for (former, name) in [
        ("\"fireOnce\"", "\"fire-once\""),
        ("\"deadLetter\"", "\"dead-letter\""),
        ("\"queueOne\"", "\"queue-one\""),
    ] {
        if json.contains(former) {
            json = Cow::Owned(json.replace(former, name));
        }
    }
    json
}

/// A misfire policy of a request.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(
    rename = "Misfire",
    description = "What happens to a missed run. A run is missed if it would fire later than it may, after an outage, a pause or a restore."
)]
pub struct MisfireInput {
    /// `fire`: missed runs fire; of a recurring task, at most the last 100. `fire-once`: of a
    /// recurring task, only the last missed run fires. `skip`: missed runs do not fire.
    /// `dead-letter`: they do not fire, and are kept as dead letters.
    policy: Given<Misfire>,
    /// How late a run may fire without counting as missed, in seconds.
    #[schemars(range(min = 0, max = MAX_LATENESS_SECONDS), extend("default" = DEFAULT_GRACE_SECONDS))]
    grace_seconds: Option<f64>,
}

impl MisfireInput {
    /// Checks that a policy can be parsed and has current names.
    ///
    /// # Errors
    /// Returns an error if the policy is invalid. The error names the field.
    pub(super) fn check(json: &str) -> Result<(), FieldError> {
        parse_object::<Self>(json, "misfire").map(drop)
    }
}

/// The stored form of a misfire policy.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredMisfire {
    policy: Misfire,
    grace_seconds: Option<f64>,
}

/// The policies of a task for late and overlapping runs. Takes 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policies {
    /// What happens to a missed run.
    pub misfire: Misfire,
    /// Whether the task has a misfire policy. If it does, the policy also applies to runs that came
    /// due during a pause.
    pub catches_up: bool,
    /// How late a run may be without counting as missed, in milliseconds.
    pub grace_millis: i64,
    /// What happens to a run that comes due before the previous run has ended.
    pub overlap: Overlap,
    /// How long after its due time a run may still start, in milliseconds.
    pub expire_after_millis: Option<i64>,
}

impl Policies {
    /// Returns whether the record is needed to decide if a single run still fires.
    pub fn is_conditional(&self) -> bool {
        matches!(self.misfire, Misfire::Skip | Misfire::DeadLetter)
            || self.expire_after_millis.is_some()
    }
}

impl ScheduleFields<'_> {
    /// Returns the policies for late and overlapping runs.
    ///
    /// # Errors
    /// Returns an error if a field is invalid. The error names it.
    pub fn policies(&self) -> Result<Policies, FieldError> {
        let misfire: Option<StoredMisfire> =
            self.misfire.map(|misfire| parse_object(misfire.get(), "misfire")).transpose()?;
        let grace = misfire
            .as_ref()
            .and_then(|misfire| misfire.grace_seconds)
            .unwrap_or(DEFAULT_GRACE_SECONDS);
        let expire = |seconds| millis("expireAfterSeconds", seconds, 0.001, MAX_LATENESS_SECONDS);
        Ok(Policies {
            catches_up: misfire.is_some(),
            misfire: misfire.map_or(Misfire::default(), |misfire| misfire.policy),
            grace_millis: millis("misfire.graceSeconds", grace, 0.0, MAX_LATENESS_SECONDS)?,
            overlap: self.overlap.unwrap_or_default(),
            expire_after_millis: self.expire_after_seconds.map(expire).transpose()?,
        })
    }
}
