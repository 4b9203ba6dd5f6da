//! The dispatcher: the consumer of the queue of envelopes. It runs the tasks in them and reports
//! what became of them.
//!
//! In scope: reading envelopes, webhooks, calls of other Workers and of Durable Objects, registered
//! handlers, how many run at once and for how long, what an answer means, the report to the shard,
//! and which messages are acknowledged. Not in scope: when a failed task is tried again and when it
//! is given up (the shard decides, by the task's retry policy), and `queue` callbacks (the shard
//! sends those to the user's own queue).
//!
//! **Guarantee.** Each firing runs at least once. It runs again when a report is lost, when an
//! invocation dies on the way, or when the queue delivers a message twice. The occurrence key
//! `<id>@<time>` is the same in all of these runs: webhooks get it as the header `Idempotency-Key`,
//! handlers from [`TaskContext::occurrence_key`]; a receiver that remembers the keys it has seen
//! acts once.
//!
//! **What counts as success.** An answer with a status of 200 to 299 (`rules` has the whole of it);
//! a function called by RPC that returns; a handler's `Ok`. Every failure is tried again as the
//! task's policy says, save those that cannot get better by themselves: status 410 (Gone) and those
//! that the policy lists, a URL that may not be called, a request that cannot be built,
//! [`HandlerError::permanent`], and a record that cannot be read. A handler that is not registered
//! and a binding that is not there are tried again, since the deployment that has them may be on
//! its way.
//!
//! **Isolation.** A task that fails, or whose record cannot be read, takes nothing from its
//! neighbours. A message that is no envelope goes back to its queue, and after the queue's last
//! retry to the dead-letter queue, for a person to see. At most [`MAX_IN_FLIGHT`] tasks run at once
//! in an invocation, and a free place goes to the namespace, the destination (a host, a binding, a
//! handler) and the envelope with the fewest tasks running, so none of them holds up the others.
//! The rest of the tasks of a destination that does not answer, or that is slow, is handed back
//! early (see `turns`). Only a panic in a handler is beyond this: it ends the invocation, and the
//! shard sends the envelopes again.
//!
//! **Acknowledgement.** A message is acknowledged when its report is in, and *also* when the report
//! cannot be delivered: the shard still has the envelope in its outbox and sends it again after the
//! visibility timeout. Handing it back to the queue instead would run its tasks again within
//! seconds, once per queue retry for as long as the shard is away, and then once more when the
//! shard sends it.
//!
//! Tasks that cannot be started in time (see [`start_window_millis`]), or that are handed back
//! early, are reported as not started; the shard fires them again without counting an attempt, at
//! once or when the circuit of their destination lets it.

// The attribute names this crate from outside, in our own tests too.
#[cfg(test)]
extern crate self as scheduler_dispatcher;

mod binding;
mod drive;
mod exchange;
mod handlers;
mod outcome;
mod plan;
mod report;
mod retry_after;
mod rules;
mod run;
mod signature;
mod task;
mod text;
mod turns;
mod webhook;
mod window;

pub use drive::MAX_IN_FLIGHT;
pub use handlers::{Handlers, TaskContext};
pub use outcome::TaskError as HandlerError;
pub use run::consume;
pub use scheduler_macros::task;
pub use task::{Schedule, Task, TaskFuture};
pub use window::start_window_millis;

/// Compiles what README.md shows.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
