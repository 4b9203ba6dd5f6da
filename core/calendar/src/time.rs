//! Instants. Everything in the scheduler is in Unix milliseconds, passed in as an argument.

use serde::{Deserialize, Serialize};

/// An instant: milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored (as Unix time does).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct UnixMillis(i64);

impl UnixMillis {
    /// 1970-01-01T00:00:00Z, before every time that a task may ask for.
    pub const ZERO: Self = Self(0);
    /// Later than every time that a task may ask for: the due time of what never fires by itself.
    /// The largest number of 48 bits, the width of a due time in a page's directory.
    pub const NEVER: Self = Self((1 << 48) - 1);
    /// The due time of what waits to be resumed: later than every time that a task may ask for, and
    /// before [`Self::NEVER`].
    pub const PAUSED: Self = Self((1 << 48) - 2);
    /// The due time of a run that waits for the end of the run before it.
    pub const HELD: Self = Self((1 << 48) - 3);
    /// The last instant that a task may ask for, 9999-12-31T23:59:59.999Z: the last that RFC 3339
    /// can write.
    pub const LAST: Self = Self(253_402_300_799_999);

    /// From milliseconds since the Unix epoch.
    pub const fn new(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the milliseconds since the Unix epoch.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Returns whether what is due then does not fire by itself.
    pub const fn is_never(self) -> bool {
        self.0 >= Self::HELD.0
    }

    /// This instant moved by `millis`; stops at the ends of `i64` instead of wrapping.
    #[must_use]
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// As people read it: RFC 3339, in UTC; the milliseconds where that cannot write it.
    pub fn shown(self) -> String {
        chrono::DateTime::from_timestamp_millis(self.0).map_or_else(
            || self.0.to_string(),
            |time| time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
        )
    }

    /// Returns the milliseconds from `earlier` to this instant; negative when `earlier` is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl std::fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
