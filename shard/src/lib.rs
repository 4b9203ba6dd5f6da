//! The Durable Object of a shard around [`scheduler_engine`].
//!
//! In scope: loading the engine from SQL, applying its effects, setting the alarm, sending to
//! queues, and the requests of [`scheduler_model::protocol`]. Not in scope: decisions about time,
//! order, retries or cancels, which the engine takes.

mod alarm;
mod backlog;
mod config;
mod group_commit;
mod id_key;
mod limiter_client;
mod memory;
mod readers;
mod requests;
mod sends;
mod shell;
mod storage;

pub use shell::Shell;
