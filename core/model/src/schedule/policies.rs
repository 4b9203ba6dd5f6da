//! What becomes of runs that are late, or that come while the one before goes on.

use super::ScheduleFields;
use super::fields::millis;
use crate::bounds::{DEFAULT_GRACE_SECONDS, MAX_LATENESS_SECONDS};
use crate::input::{FieldError, parse_object};
use schemars::JsonSchema;
use serde::Deserialize;

/// What happens to a run that was missed: one that would fire later than it may, after an outage, a
/// pause or a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Misfire {
    /// The run fires, however late. Of a recurring task all missed runs fire, at most the last 100.
    #[default]
    Fire,
    /// It fires, but of a recurring task only the last that was missed.
    FireOnce,
    /// It does not fire.
    Skip,
    /// It does not fire, and is kept as a dead letter.
    DeadLetter,
}

/// What happens to a run of a recurring task that comes due while the one before has not been
/// reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Overlap {
    /// It fires beside it.
    #[default]
    Allow,
    /// It does not fire.
    Skip,
    /// It waits for the end of the one before; further ones do not fire.
    QueueOne,
}

impl Overlap {
    /// Returns its name in a record.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Skip => "skip",
            Self::QueueOne => "queueOne",
        }
    }
}

/// A misfire policy as it is given.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(
    rename = "Misfire",
    description = "What happens to a run that was missed: one that would fire later than it may, after an outage, a pause or a restore."
)]
pub struct MisfireInput {
    /// `fire`: it fires, of a recurring task all that were missed, at most the last 100.
    /// `fireOnce`: of a recurring task, only the last that was missed fires. `skip`: it does not
    /// fire. `deadLetter`: it does not fire, and is kept as a dead letter.
    policy: Misfire,
    /// How late a run may fire that was not missed, seconds.
    #[schemars(range(min = 0, max = MAX_LATENESS_SECONDS), extend("default" = DEFAULT_GRACE_SECONDS))]
    grace_seconds: Option<f64>,
}

/// What a task says of its late and overlapping runs. 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policies {
    /// What becomes of a run that was missed.
    pub misfire: Misfire,
    /// Whether the task says so itself: then it holds for what a pause has held up, too.
    pub catches_up: bool,
    /// By how much a run may be late without having been missed, milliseconds.
    pub grace_millis: i64,
    /// What becomes of a run that comes before the end of the one before.
    pub overlap: Overlap,
    /// A run that has not started so long after it was due does not start any more, milliseconds.
    pub expire_after_millis: Option<i64>,
}

impl Policies {
    /// Returns whether it takes the record to tell if a single run still fires.
    pub fn is_conditional(&self) -> bool {
        matches!(self.misfire, Misfire::Skip | Misfire::DeadLetter)
            || self.expire_after_millis.is_some()
    }
}

impl ScheduleFields<'_> {
    /// Returns what is said of late and overlapping runs.
    ///
    /// # Errors
    /// Names the field that does not hold.
    pub fn policies(&self) -> Result<Policies, FieldError> {
        let misfire: Option<MisfireInput> =
            self.misfire.map(|misfire| parse_object(misfire.get(), "misfire")).transpose()?;
        let grace =
            misfire.and_then(|misfire| misfire.grace_seconds).unwrap_or(DEFAULT_GRACE_SECONDS);
        let expire = |seconds| millis("expireAfterSeconds", seconds, 0.001, MAX_LATENESS_SECONDS);
        Ok(Policies {
            misfire: misfire.map_or(Misfire::default(), |misfire| misfire.policy),
            catches_up: misfire.is_some(),
            grace_millis: millis("misfire.graceSeconds", grace, 0.0, MAX_LATENESS_SECONDS)?,
            overlap: self.overlap.unwrap_or_default(),
            expire_after_millis: self.expire_after_seconds.map(expire).transpose()?,
        })
    }
}
