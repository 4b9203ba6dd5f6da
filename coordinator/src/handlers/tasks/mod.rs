//! Tasks: created, read, listed, changed and cancelled; and how attempts at them went.

mod batch_answer;
pub(crate) mod bulk;
pub(crate) mod cancel;
pub(crate) mod change;
mod changed;
pub(crate) mod create;
pub(crate) mod explain;
pub(crate) mod get;
mod idempotency;
pub(crate) mod list;
pub(crate) mod patch;
mod precondition;
pub(crate) mod runs;
mod warnings;
