//! The limiter bounds how many runs of a limit key are in flight, and how many are dispatched per
//! second, over all shards of a namespace.
//!
//! A [`Limiter`] holds the limits of some keys. For each key, an [`Allocator`] divides the limit
//! among the shards that have tasks of the key. A shard requests a share, works with it, and sends
//! another request about once per second, or sooner if the share does not suffice. So no task
//! passes through the limiter itself.
//!
//! **Concurrency** is leased in slots that do not expire. The runs in flight of a shard are stored
//! in its outbox, so a slot that expired under them could be granted twice. The slots that the
//! limiter has noted for a shard are never fewer than the slots that the shard counts as its own,
//! whatever is lost, repeated, reordered or restarted. The sum of all noted slots exceeds the limit
//! only after the limit was lowered; until the sum is within the limit again, the limiter grants
//! nothing. [`LeaseRequest`](scheduler_model::protocol::limiter::LeaseRequest) and [`Allocator`]
//! explain how this is ensured.
//!
//! **Rate** is granted in tokens from one bucket. A token expires
//! [`TOKENS_MILLIS`](scheduler_model::protocol::limiter::TOKENS_MILLIS) after it was *requested*,
//! so a shard uses it at most that long after it left the bucket. If a key had no rate before, its
//! bucket starts with one token. The bucket of a slow rate is stored each time a token is taken.
//! The buckets of other rates are empty after a restart.

mod allocator;
mod bucket;
mod keys;
mod lease;

pub use allocator::Allocator;
pub use keys::{Limiter, Write};
pub use lease::Lease;

/// The longest time between two requests of a shard that has due tasks of a key, in milliseconds. A
/// changed limit, or another shard that needs a slot, may go unnoticed for this long.
pub const RENEW_MILLIS: i64 = 1_000;
/// How long a shard keeps slots that it does not need, in milliseconds. A task that arrives in this
/// time is dispatched at once.
pub const LINGER_MILLIS: i64 = 1_000;
/// The wait after the first request without an answer, in milliseconds. Each further wait is twice
/// as long, up to [`LONGEST_RETRY_MILLIS`].
pub const FIRST_RETRY_MILLIS: i64 = 250;
/// See [`FIRST_RETRY_MILLIS`].
pub const LONGEST_RETRY_MILLIS: i64 = 15_000;
/// How long the limiter holds the request of a shard if no slot is free, in milliseconds. Then it
/// answers that there is none.
pub const HOLD_MILLIS: i64 = 1_000;
/// A shard that has sent no request for this time, in milliseconds, does not delay others. It keeps
/// the slots that it has.
const HEARD_MILLIS: i64 = 3_000;
