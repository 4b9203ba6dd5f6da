//! The shard Durable Object: a thin shell around [`scheduler_engine`].
//!
//! In scope: loading the engine from SQL, carrying out its effects, arming the alarm, sending to
//! queues, speaking [`scheduler_model::protocol`]. Not in scope: decisions about time, order, retries
//! or cancels, which the engine makes.

mod alarm;
mod config;
mod group_commit;
mod id_key;
mod limits;
mod memory;
mod readers;
mod requests;
mod sends;
mod shell;
mod storage;

pub use shell::Shell;
