//! The dispatcher consumes the queue of envelopes, runs their tasks, and reports the outcomes.
//!
//! In scope: reading envelopes, webhooks, calls of other Workers and of Durable Objects, registered
//! handlers, the number of tasks at once and their time limits, the meaning of an answer, the
//! report to the shard, and the acknowledgement of messages. Not in scope: when a failed task is
//! retried or given up, which the shard decides by the task's retry policy; and `queue` callbacks,
//! which the shard sends to the user's own queue.
//!
//! **Guarantee.** Each firing runs at least once. It runs again if a report is lost, if an
//! invocation dies, or if the queue delivers a message twice. The occurrence key `<id>@<time>` is
//! the same in all of these runs. Webhooks receive it as the header `Idempotency-Key`, handlers
//! from [`TaskContext::occurrence_key`]. A receiver that stores the keys of past runs can act only
//! once.
//!
//! **What counts as success.** A webhook succeeds with a status of 200 to 299 (`rules` has the
//! details), a function called by RPC if it returns, and a handler if it returns `Ok`. A failure is
//! retried by the task's policy, unless a retry cannot help. The permanent failures are status 410
//! (Gone), the statuses that the policy lists, a URL that may not be called, a request that cannot
//! be built, [`HandlerError::permanent`], and a record that cannot be parsed. An unregistered
//! handler and a missing binding are retried, because a deployment that has them may follow.
//!
//! **Isolation.** A task that fails, or whose record cannot be parsed, does not affect other tasks.
//! A message that is not an envelope returns to its queue; after the queue's last retry it goes to
//! the dead-letter queue, where a person can see it. At most [`MAX_IN_FLIGHT`] tasks run at once in
//! an invocation. A free place goes to the namespace, the destination (a host, a binding, a
//! handler) and the envelope with the fewest running tasks, so none of them delays the others. If a
//! destination does not answer, or is slow, its waiting tasks are returned early (see `turns`).
//! There is one exception: a panic in a handler ends the program, with the other tasks of its
//! isolate. Before that, its attempt is reported as failed (see `last_words`), and the tasks of its
//! envelope that had not ended go back to the shard. The queue delivers the other envelopes again.
//! A program that ends without a panic, for its memory or CPU time, reports nothing. Then each
//! further delivery of its message runs fewer of its tasks, and returns the others. A handler that
//! ends its isolate every time fails its attempt in the end (see `Plan::narrow`).
//!
//! **Acknowledgement.** The dispatcher acknowledges a message after its report has arrived, and
//! *also* if the report cannot be delivered. The shard still has the envelope in its outbox and
//! sends it again after the visibility timeout. If the dispatcher returned the message to the queue
//! instead, its tasks would run again within seconds, at each retry of the queue, and once more
//! when the shard sends the envelope. A message that has waited longer than the visibility timeout
//! may be one of several copies of an envelope, and the envelope of a message that is delivered
//! again may have been reported. So the dispatcher asks the shard first, and drops the message
//! unrun if the envelope is done.
//!
//! Tasks that cannot be started in time (see [`start_window_millis`]) or within the subrequests of
//! an invocation (see `subrequests`), or that are returned early, are reported as not started. The
//! shard fires them again without counting an attempt, either at once or when the circuit of their
//! destination allows it.

// The attribute refers to this crate by its external name, also in this crate's own tests.
#[cfg(test)]
extern crate self as scheduler_dispatcher;

mod binding;
mod exchange;
mod executor;
mod handlers;
mod last_words;
mod outcome;
mod plan;
mod report;
mod retry_after;
mod rules;
mod run;
mod signature;
mod stale;
mod subrequests;
mod task;
mod text;
mod turns;
mod webhook;
mod window;

pub use executor::MAX_IN_FLIGHT;
pub use handlers::{Handlers, TaskContext};
pub use outcome::TaskError as HandlerError;
pub use run::{consume, deliveries};
pub use scheduler_macros::task;
pub use task::{Schedule, Task, TaskFuture};
pub use window::start_window_millis;

/// Compiles the examples of README.md.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
