//! Sends requests to the Durable Objects (shards, registry and limiters), and to a language model.

pub(crate) mod by_ids;
pub(crate) mod calendars;
pub(crate) mod dead_letters;
pub(crate) mod deployment;
pub(crate) mod epochs;
mod jurisdiction;
pub(crate) mod limiters;
pub(crate) mod model;
mod object;
pub(crate) mod registry;
pub(crate) mod shards;
