//! Reads the real clocks. No other module of this crate does.
//!
//! Everywhere else in the workspace, time is an argument. A load tester measures a running system,
//! so it needs the machine's clock. This module reads it, and passes it on as epoch milliseconds.
#![allow(
    clippy::disallowed_methods,
    reason = "a load tester measures real time, and only this module reads it"
)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Returns the wall clock in milliseconds since the Unix epoch, which can be compared with the
/// times of a server on the same machine.
pub(crate) fn now_millis() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A monotonic stopwatch for rates, which must not change when the wall clock steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Returns a stopwatch that starts now.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Returns the time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
