//! Flow control: how many runs of a key may be in flight, and how many a second may be handed on, over all shards of a namespace.
//!
//! A [`Limiter`] holds the limits of some keys, and for each an [`Allocator`] that divides it among the shards that have tasks of the
//! key: a shard asks, works with what it was given, and asks again about once a second, or when that does not suffice. So the limiter
//! is no part of the way of a task.
//!
//! **Concurrency** is leased in slots that do not expire: what a shard has in flight is stored in its outbox, so a slot that
//! expired under it could be given twice. What a limiter has noted of a shard is at no time less than what the shard takes itself to
//! have, whatever is lost, repeated, reordered or restarted, and all that is noted is at no time more than the limit, unless the limit
//! was lowered; then nothing is given out until it is. How that is kept is told at [`Ask`] and [`Allocator`].
//!
//! **Rate** is given out in tokens, out of one bucket, which end [`TOKENS_MILLIS`] after they were *asked* for: a token is
//! used at most that much later than it left the bucket. The bucket of a key that had no rate begins with one token. Of slow rates it is stored
//! with each token that is taken; buckets of other rates are empty after a restart.

mod allocator;
mod ask;
mod bucket;
mod lease;
mod limit;
mod limiter;

pub use allocator::{Allocator, HeldBy};
pub use ask::{Answer, Ask, Asked, Conversation, NO_LIMIT, RequestNumber};
pub use lease::Lease;
pub use limit::{Limit, check_limit_key};
pub use limiter::{LimitShown, Limiter, Named, Refused, Seen, Write};

use crate::namespace::Namespace;
use twox_hash::XxHash64;

/// How long tokens can be used, milliseconds after they were asked for. Long enough for a shard that fires ten times a second, short
/// beside what people mean by "a second".
pub const TOKENS_MILLIS: i64 = 750;
/// How long "no rate" holds, milliseconds after it was asked for: a `perSecond` that is set anew holds everywhere from then on.
pub const NO_RATE_MILLIS: i64 = 5_000;
/// A shard with tasks of a key that are due asks at least so often, milliseconds: so long may a change of the limit, or another shard
/// that wants a slot, go unnoticed.
pub const RENEW_MILLIS: i64 = 1_000;
/// A shard keeps slots that it has no use for so long, milliseconds: what comes meanwhile goes out at once.
pub const LINGER_MILLIS: i64 = 1_000;
/// The wait after a request that was not answered, milliseconds; doubled each time, up to the other.
pub const FIRST_RETRY_MILLIS: i64 = 250;
/// See [`FIRST_RETRY_MILLIS`].
pub const LONGEST_RETRY_MILLIS: i64 = 15_000;
/// A limiter lets a shard that finds no slot wait for one so long, milliseconds, before it answers that there is none.
pub const HOLD_MILLIS: i64 = 1_000;
/// A shard that has not asked for so long is not waited for, milliseconds. What it holds stays its own.
const HEARD_MILLIS: i64 = 3_000;

/// The binding of the limiters' Durable Object namespace.
pub const LIMITERS_BINDING: &str = "LIMITERS";
/// Limiters of each namespace. Each takes some hundred requests a second, and each shard asks about once a second for each key with
/// tasks that are due. Never changed: where a key's limit is found depends on it.
pub const LIMITERS: u64 = 8;

/// The requests that a limiter takes, as paths of POSTs with JSON. A refusal is answered with status 409 and [`Refused`].
pub mod paths {
    /// Body [`super::Asked`]; answer [`super::Answer`], or null for a request that a newer one has overtaken.
    pub const ASK: &str = "/ask";
    /// Body [`super::Named`]; answer: whether it is new.
    pub const PUT: &str = "/put";
    /// Body: a key; answer: whether it had a limit.
    pub const DELETE: &str = "/delete";
    /// Body: a key; answer [`super::LimitShown`], or null.
    pub const GET: &str = "/get";
    /// No body; answer: a list of [`super::LimitShown`], by key.
    pub const LIST: &str = "/list";
    /// No body; answer [`super::Seen`].
    pub const SEEN: &str = "/seen";
    /// Body [`super::Seen`]; answer: whether everything has gone, since nothing has changed since then. Of a namespace that has no tasks.
    /// Without a body, from a coordinator of an earlier version: everything goes; answer null.
    pub const CLEAR: &str = "/clear";
}

/// The name of the limiter that a key belongs to.
pub fn limiter_of(namespace: &Namespace, key: &str) -> String {
    limiter(namespace, XxHash64::oneshot(0, key.as_bytes()) % LIMITERS)
}

/// The names of all limiters of a namespace.
pub fn limiters(namespace: &Namespace) -> impl Iterator<Item = String> + '_ {
    (0..LIMITERS).map(|number| limiter(namespace, number))
}

fn limiter(namespace: &Namespace, number: u64) -> String {
    format!("{namespace}/{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pinned for ever: a limit is found only where this says.
    #[test]
    fn golden_names() {
        let shop: Namespace = "shop".parse().unwrap();
        assert_eq!(limiter_of(&Namespace::DEFAULT, "stripe"), "default/6");
        assert_eq!(limiter_of(&shop, "stripe"), "shop/6");
        assert!(limiters(&shop).eq((0..8).map(|number| format!("shop/{number}"))));
    }
}
