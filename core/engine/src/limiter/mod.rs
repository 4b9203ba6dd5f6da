//! Flow control: how many runs of a key may be in flight, and how many a second may be dispatched,
//! over all shards of a namespace.
//!
//! A [`Limiter`] holds the limits of some keys, and for each an [`Allocator`] that divides it among
//! the shards that have tasks of the key: a shard asks, works with what it was given, and asks
//! again about once a second, or when that does not suffice. So the limiter is no part of the way
//! of a task.
//!
//! **Concurrency** is leased in slots that do not expire: what a shard has in flight is stored in
//! its outbox, so a slot that expired under it could be given twice. What a limiter has noted of a
//! shard is at no time less than what the shard takes itself to have, whatever is lost, repeated,
//! reordered or restarted, and all that is noted is at no time more than the limit, unless the
//! limit was lowered; then nothing is given out until it is. How that is kept is told at
//! [`Ask`](scheduler_model::protocol::limiter::Ask) and [`Allocator`].
//!
//! **Rate** is given out in tokens, out of one bucket. Tokens end
//! [`TOKENS_MILLIS`](scheduler_model::protocol::limiter::TOKENS_MILLIS) after they were *asked*
//! for: a token is used at most that much later than it left the bucket. The bucket of a key that
//! had no rate begins with one token. Of slow rates it is stored with each token that is taken;
//! buckets of other rates are empty after a restart.

mod allocator;
mod bucket;
mod keys;
mod lease;

pub use allocator::Allocator;
pub use keys::{Limiter, Write};
pub use lease::Lease;

/// A shard with tasks of a key that are due asks at least so often, milliseconds: so long may a
/// change of the limit, or another shard that wants a slot, go unnoticed.
pub const RENEW_MILLIS: i64 = 1_000;
/// A shard keeps slots that it has no use for so long, milliseconds: what comes meanwhile goes out
/// at once.
pub const LINGER_MILLIS: i64 = 1_000;
/// The wait after a request that was not answered, milliseconds; doubled each time, up to the
/// other.
pub const FIRST_RETRY_MILLIS: i64 = 250;
/// See [`FIRST_RETRY_MILLIS`].
pub const LONGEST_RETRY_MILLIS: i64 = 15_000;
/// A limiter lets a shard that finds no slot wait for one so long, milliseconds, before it answers
/// that there is none.
pub const HOLD_MILLIS: i64 = 1_000;
/// A shard that has not asked for so long is not waited for, milliseconds. What it holds stays its
/// own.
const HEARD_MILLIS: i64 = 3_000;
