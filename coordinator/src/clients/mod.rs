//! The Durable Objects that the coordinator asks: shards and registry.

pub(crate) mod by_ids;
pub(crate) mod epochs;
pub(crate) mod registry;
pub(crate) mod shards;
