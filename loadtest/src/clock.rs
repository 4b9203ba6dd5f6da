//! The only reader of real clocks in this crate.
//!
//! Everywhere else in the workspace time is an argument. A load tester measures a running system,
//! so it needs the clock of the machine; it is read here and passed on as epoch milliseconds.
#![allow(
    clippy::disallowed_methods,
    reason = "a load tester measures real time; this module is the one place that reads it"
)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Returns the wall clock in milliseconds since the Unix epoch, comparable with the server's times
/// on the same machine.
pub(crate) fn now_millis() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A monotonic stopwatch, for rates: a step of the wall clock must not change them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Returns a stopwatch which starts now.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
