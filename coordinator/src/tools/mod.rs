//! The tools that language models call over `/mcp`: by what somebody wants, not one for each route.
//!
//! A tool makes requests to the HTTP API for its caller, within the request to `/mcp`, and says the
//! answers in a form that a model can act on: exact times in RFC 3339, the next runs of a schedule,
//! and errors that say what to do next. So a tool can do nothing that its API key cannot, and every
//! bound of the API holds. What is checked here beside that: a time that is meant on somebody's
//! clock has a time zone, and a change of many tasks is agreed to.

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
