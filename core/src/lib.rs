//! The scheduler without its platform: the task model, ids and routing, the formats of pages and envelopes, the timers and the
//! engine of a shard.
//!
//! In scope: everything that can be wrong about time, order, crashes and retries. Not in scope: HTTP, SQL, queues and
//! clocks. Nothing here reads a clock or a source of randomness; both are arguments, so that every run can be replayed.

pub mod access;
pub mod batch;
pub mod clock_change;
pub mod cron;
pub mod delay;
pub mod engine;
pub mod envelope;
pub mod epochs;
pub mod events;
pub mod every;
pub mod explain;
pub mod flow;
pub mod hex;
pub mod histogram;
pub mod history;
pub mod hosts;
pub mod id_key;
pub mod ids;
pub mod input;
pub mod limit;
pub mod limits;
pub mod list_query;
pub mod listing;
mod local_clock;
pub mod local_time;
pub mod meter;
pub mod namespace;
pub mod once;
pub mod ordered;
pub mod page;
pub mod position;
mod record_id;
pub mod recurrence;
pub mod registry;
pub mod retry;
pub mod routing;
pub mod rrule;
pub mod runs;
pub mod schedule;
pub mod statuses;
mod steps;
pub mod task;
pub mod time;
pub mod timers;
pub mod tz;
pub mod wire;
mod words;
