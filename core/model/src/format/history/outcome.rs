//! How an attempt ended.

use std::borrow::Cow;

/// How an attempt ended. Programs must expect others: later versions know more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The target took it.
    Succeeded,
    /// It failed, and is tried again.
    Failed,
    /// It failed for good: the task is kept as a dead letter.
    DeadLettered,
    /// The user's own queue has taken it; what its consumer does is not known.
    HandedOver,
    /// It was not started, since it came later than the task allows.
    Expired,
    /// It was not started, for another reason that the task gives.
    Skipped,
    /// The task was cancelled: no attempt, but its end.
    Cancelled,
    /// It was written by a later version.
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

    /// Returns whether it went as it should. All else is kept also where only failures are.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Succeeded | Self::HandedOver)
    }

    /// Returns whether the attempt was dispatched, and not left out or cancelled before.
    pub fn has_run(self) -> bool {
        !matches!(self, Self::Expired | Self::Skipped | Self::Cancelled)
    }

    /// Returns its name in answers.
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

    /// Returns its number in the stored format, and in a set of outcomes.
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
