//! Creates, reads, lists, changes and cancels tasks, and shows the attempts at them.

pub(crate) mod batch;
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
pub(crate) mod stream;
mod stream_answer;
mod warnings;
