//! How an attempt ended.

use std::borrow::Cow;

/// How an attempt ended. Programs must expect unknown outcomes, because later versions may add
/// some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The target accepted the run.
    Succeeded,
    /// The attempt failed, and a further one follows.
    Failed,
    /// The run failed for good, and is kept as a dead letter.
    DeadLettered,
    /// The user's own queue has accepted the run. The outcome in its consumer is unknown.
    HandedOver,
    /// The run was not started, because it was later than the task allows.
    Expired,
    /// The run was not started, for another reason that the task names.
    Skipped,
    /// The task was cancelled. This entry is not an attempt but the end of the task.
    Cancelled,
    /// A later version wrote this outcome.
    Other(u8),
}

impl Outcome {
    /// Every outcome that this version knows.
    pub const KNOWN: [Self; 7] = [
        Self::Succeeded,
        Self::Failed,
        Self::DeadLettered,
        Self::HandedOver,
        Self::Expired,
        Self::Skipped,
        Self::Cancelled,
    ];

    /// Returns whether the outcome is a success. A history of failures only keeps all other
    /// outcomes.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Succeeded | Self::HandedOver)
    }

    /// Returns whether the attempt was dispatched, instead of being skipped or cancelled before.
    pub fn has_run(self) -> bool {
        !matches!(self, Self::Expired | Self::Skipped | Self::Cancelled)
    }

    /// Returns the name in answers.
    pub fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::DeadLettered => "dead-lettered",
            Self::HandedOver => "handed-over",
            Self::Expired => "expired",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::Other(code) => return Cow::Owned(format!("other-{code}")),
        })
    }

    /// Returns the number in the stored format and in a set of outcomes.
    pub fn code(self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::Failed => 1,
            Self::DeadLettered => 2,
            Self::HandedOver => 3,
            Self::Expired => 4,
            Self::Skipped => 5,
            Self::Cancelled => 6,
            Self::Other(code) => code,
        }
    }

    pub(super) fn of_code(code: u8) -> Self {
        Self::KNOWN.into_iter().find(|known| known.code() == code).unwrap_or(Self::Other(code))
    }
}
