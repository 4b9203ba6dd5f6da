//! The handlers of the requests, one file for each resource.

pub(crate) mod calendars;
pub(crate) mod dead_letters;
pub(crate) mod events;
pub(crate) mod forecast;
pub(crate) mod keys;
pub(crate) mod mcp;
pub(crate) mod namespaces;
pub(crate) mod open;
pub(crate) mod parse;
pub(crate) mod preview;
pub(crate) mod rate_limits;
pub(crate) mod runs;
pub(crate) mod series;
pub(crate) mod stats;
pub(crate) mod tasks;
