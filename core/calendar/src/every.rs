//! An interval from an anchor.

use crate::local_time::LocalTime;
use crate::time::UnixMillis;
use crate::tz::Tz;

const DAY_MILLIS: i64 = 86_400_000;

/// Runs at an anchor and at every whole interval after it. Each run is computed from the anchor, so
/// there is no drift. Takes 24 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every {
    anchor: UnixMillis,
    /// The instant from which the runs after the anchor are computed: the anchor, or up to a day
    /// before it.
    origin: UnixMillis,
    /// Positive.
    interval_millis: i64,
}

impl Every {
    /// Makes an interval from the instant of its anchor and its length in milliseconds, at least 1.
    pub fn new(anchor: UnixMillis, interval_millis: i64) -> Self {
        Self { anchor, origin: anchor, interval_millis: interval_millis.max(1) }
    }

    /// Makes an interval from an anchor on a local clock. If the clock jumps over the anchor, the
    /// first run is delayed by the width of the gap. Later runs of an interval of whole days are at
    /// the requested time of day. Returns `None` if the anchor is out of range.
    pub fn from_local(anchor: LocalTime, timezone: Tz, interval_millis: i64) -> Option<Self> {
        let every = Self::new(anchor.instant_after_gap(timezone)?, interval_millis);
        let is_of_days = every.interval_millis % DAY_MILLIS == 0;
        let moved_by = if is_of_days { anchor.width_of_gap(timezone) } else { 0 };
        Some(Self { origin: every.anchor.plus(-moved_by), ..every })
    }

    /// Returns the first run strictly after `after`.
    pub fn next_after(self, after: UnixMillis) -> Option<UnixMillis> {
        if after < self.anchor {
            return Some(self.anchor);
        }
        let runs = after.since(self.origin) / self.interval_millis + 1;
        let next = self.origin.get().checked_add(runs.checked_mul(self.interval_millis)?)?;
        (next <= UnixMillis::LAST.get()).then(|| UnixMillis::new(next))
    }

    /// Returns the run that is `further` runs after the one at `time`.
    pub fn later(self, time: UnixMillis, further: u32) -> Option<UnixMillis> {
        let from = if time == self.anchor && further > 0 { self.origin } else { time };
        let later =
            from.get().checked_add(i64::from(further).checked_mul(self.interval_millis)?)?;
        (later <= UnixMillis::LAST.get()).then(|| UnixMillis::new(later))
    }
}
