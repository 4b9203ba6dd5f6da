//! The tools that language models call over `/mcp`. There is one for each thing that a user may
//! want, not one for each route.
//!
//! A tool makes requests to the HTTP API for its caller, within the request to `/mcp`, and writes
//! the answers in a form that a model can act on: exact times in RFC 3339, the next runs of a
//! schedule, and errors that say what to do next. So a tool can do nothing that its API key cannot,
//! and every bound of the API holds. In addition, the tools check that a local time has a time
//! zone, and that the user agrees to a change of many tasks.

mod agreement;
mod answers;
mod change;
mod explain;
mod failure;
mod health;
mod job;
mod look_up;
mod many;
mod parse;
mod parsed;
mod runs;
mod schedule;
#[cfg(test)]
mod schemas;
mod shapes;
mod table;
mod upcoming;
mod zone;

pub(crate) use job::Job;
pub(crate) use table::{INSTRUCTIONS, all, find};
