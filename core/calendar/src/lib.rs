//! Times, time zones and recurring schedules: cron, intervals and RFC 5545 rules.
//!
//! Nothing here knows of tasks, records or requests, and nothing reads a clock.

pub mod clock_change;
pub mod cron;
pub mod delay;
pub mod every;
pub mod local_clock;
pub mod local_time;
pub mod ordered;
pub mod rrule;
pub mod schedule;
pub mod steps;
pub mod time;
pub mod tz;
