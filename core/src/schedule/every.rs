//! An interval from an anchor.

use crate::time::UnixMillis;

/// Runs at an anchor and at every whole interval after it. There is no drift: each is reckoned from the anchor. 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Every {
    anchor: UnixMillis,
    /// Positive.
    interval_millis: i64,
}

impl Every {
    pub(super) fn new(anchor: UnixMillis, interval_millis: i64) -> Self {
        Self { anchor, interval_millis: interval_millis.max(1) }
    }

    /// The first run strictly after `after`.
    pub(super) fn next_after(self, after: UnixMillis) -> Option<UnixMillis> {
        if after < self.anchor {
            return Some(self.anchor);
        }
        let runs = after.since(self.anchor) / self.interval_millis + 1;
        let next = self.anchor.get().checked_add(runs.checked_mul(self.interval_millis)?)?;
        (next <= UnixMillis::LAST.get()).then(|| UnixMillis::new(next))
    }

    /// The run that is `further` runs after the one at `time`.
    pub(super) fn later(self, time: UnixMillis, further: u32) -> Option<UnixMillis> {
        let later = time.get().checked_add(i64::from(further).checked_mul(self.interval_millis)?)?;
        (later <= UnixMillis::LAST.get()).then(|| UnixMillis::new(later))
    }
}
