//! The length of the points of a series, and their number.

use crate::bounds::{SERIES_HOURS, SERIES_MINUTES};
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The length of the points of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Resolution {
    /// Two hours, by minute.
    #[default]
    Minute,
    /// Seven days, by hour.
    Hour,
}

impl Resolution {
    /// Returns the length of a point, in milliseconds.
    pub const fn millis(self) -> i64 {
        match self {
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
        }
    }

    /// Returns the number of points that are kept, including the current one.
    pub const fn kept(self) -> usize {
        match self {
            Self::Minute => SERIES_MINUTES,
            Self::Hour => SERIES_HOURS,
        }
    }

    /// Returns the number of the point that contains a time: the number of whole points since 1970.
    pub const fn number(self, time: UnixMillis) -> i64 {
        time.get().div_euclid(self.millis())
    }

    /// Returns the number of the first point that is kept at this time.
    pub const fn first(self, now: UnixMillis) -> i64 {
        self.number(now).saturating_sub(self.kept() as i64 - 1)
    }

    /// Returns when the point with this number begins.
    pub const fn start(self, number: i64) -> UnixMillis {
        UnixMillis::new(number.saturating_mul(self.millis()))
    }
}
