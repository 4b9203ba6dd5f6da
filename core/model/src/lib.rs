//! The scheduler's model: what callers send, tasks and their schedules, ids and routing, the stored
//! formats, and the messages between coordinator, dispatcher, shard and limiter.
//!
//! In scope: reading and checking what callers send, records, ids and routing, the stored formats,
//! the messages between the Workers, keys and namespaces, and the bound of everything that a caller
//! chooses. Not in scope: the state of a shard, which belongs to the engine, and HTTP, which
//! belongs to the coordinator. Nothing here reads a clock, draws random numbers or does I/O: times
//! and random bytes are arguments.

pub mod access;
pub mod address;
pub mod batch;
pub mod bounds;
pub mod calendars;
pub mod dead_letter;
pub mod epochs;
pub mod events;
pub mod explain;
pub mod forecast;
pub mod format;
pub mod histogram;
pub mod hosts;
pub mod id_key;
pub mod idempotency;
pub mod ids;
pub mod input;
pub mod json_equality;
pub mod limit;
pub mod list_query;
pub mod listing;
pub mod mcp;
pub mod meter;
pub mod names;
pub mod namespace;
pub mod numbers;
pub mod position;
pub mod protocol;
pub mod record_id;
pub mod retry;
pub mod routing;
pub mod runs;
pub mod schedule;
pub mod series;
pub mod statuses;
pub mod task;
pub mod tools;
mod words;
