//! Times, time zones and recurring schedules: cron, intervals and RFC 5545 rules.
//!
//! In scope: reading and writing times, the time zone database, clock changes, when a schedule runs
//! next, and how many steps a search may take. Not in scope: tasks, records and requests. Nothing
//! here reads a clock: the current time is an argument.

pub mod clock_change;
pub mod cron;
pub mod delay;
pub mod every;
pub mod excerpt;
pub mod exclude;
pub mod excluding;
pub mod local_clock;
pub mod local_time;
pub mod ordered;
pub mod rrule;
pub mod schedule;
pub mod steps;
pub mod time;
pub mod tz;
pub mod varint;
