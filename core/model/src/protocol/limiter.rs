//! The messages between shard, coordinator and limiter.

use crate::limit::Limit;
use crate::namespace::Namespace;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

/// How long tokens can be used after they were requested, in milliseconds. A shard that fires ten
/// times per second can use them, and the time is short compared with what people mean by "a
/// second".
pub const TOKENS_MILLIS: i64 = 750;
/// How long "no rate" is valid after it was requested, in milliseconds. After this time, a new
/// `perSecond` applies everywhere.
pub const NO_RATE_MILLIS: i64 = 5_000;
/// The binding of the limiters' Durable Object namespace.
pub const LIMITERS_BINDING: &str = "LIMITERS";
/// The number of limiters of each namespace. Each handles some hundred requests per second, and
/// each shard sends about one per second for each key with due tasks. This number never changes,
/// because the place of a key's limit depends on it.
pub const LIMITERS: u64 = 8;

/// The requests to a limiter, as paths of POSTs with JSON. The answer to a refused request has
/// status 409 and a [`Refused`].
pub mod paths {
    /// Body: a [`super::LimiterRequest`]. Answer: a [`super::Answer`], or null if a newer request
    /// was handled before.
    pub const ASK: &str = "/ask";
    /// Body: a [`super::Named`]. Answer: whether it is new.
    pub const PUT: &str = "/put";
    /// Body: a key. Answer: whether it had a limit.
    pub const DELETE: &str = "/delete";
    /// Body: a key. Answer: a [`super::LimitShown`], or null.
    pub const GET: &str = "/get";
    /// No body. Answer: a list of [`super::LimitShown`], ordered by key.
    pub const LIST: &str = "/list";
    /// No body. Answer: a [`super::Seen`].
    pub const SEEN: &str = "/seen";
    /// Deletes everything, for a namespace without tasks. Body: a [`super::Seen`]. Answer: whether
    /// everything was deleted, because nothing has changed since then. Coordinators of earlier
    /// versions send no body; then everything is deleted, and the answer is null.
    pub const CLEAR: &str = "/clear";
}

/// Returns the name of the limiter with the limit of a key.
pub fn limiter_of(namespace: &Namespace, key: &str) -> String {
    named(namespace, XxHash64::oneshot(0, key.as_bytes()) % LIMITERS)
}

/// Returns the names of all limiters of a namespace.
pub fn limiters(namespace: &Namespace) -> impl Iterator<Item = String> + '_ {
    (0..LIMITERS).map(|number| named(namespace, number))
}

fn named(namespace: &Namespace, number: u64) -> String {
    format!("{namespace}/{number}")
}

/// The number of slots that means "no limit".
pub const NO_LIMIT: u32 = u32::MAX;

/// Orders the requests of a shard: first by its incarnation, which is stored before its first
/// request, then by the count of the incarnation's requests for all keys. A count for each key
/// would restart when the tasks of the key are gone and come back, while the limiter remembers the
/// old count.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct RequestNumber(pub u32, pub u32);

/// Names an exchange of requests and answers about one key between a shard and a limiter. It ends
/// when either of them forgets it. A shard forgets it with its lane or its incarnation. A limiter
/// forgets it with its own incarnation, or when it forgets the shard.
///
/// If a request does not name the current conversation, the limiter answers with the name of a new
/// one and grants nothing. So an old request that arrives late gets no slot that nobody would
/// return. And if a shard's storage was restored, its requests are not ignored for their lower
/// numbers. The name is random for each incarnation of a limiter, followed by a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Conversation(pub u64, pub u64);

/// What a shard reports about a key, and what it requests.
///
/// The limit holds because the shard follows these rules. It accepts only the answer to its newest
/// request, and only once. Before it reports fewer slots, it counts fewer slots as its own, and the
/// report has a new number. After a restart, it counts as its own the slots of the runs in its
/// outbox, which are no more than it counted last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseRequest {
    /// Later requests have higher numbers.
    pub number: RequestNumber,
    /// The slots that the shard counts as its own; at least `in_flight`.
    pub slots: u32,
    /// Runs that are dispatched and not reported.
    pub in_flight: u32,
    /// Due tasks that wait. At most 1 if the shard has dispatched its maximum and does not use its
    /// slots.
    pub waiting: u32,
    /// The conversation of the limiter's last answer; `None` for the first request of a lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Conversation>,
}

/// A request to a limiter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimiterRequest {
    /// The key.
    pub key: String,
    /// The name of the shard.
    pub shard: String,
    /// The request.
    pub ask: LeaseRequest,
}

/// The answer of a limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The number of the request.
    pub number: RequestNumber,
    /// The slots that the shard has from now on: at least those that it reported. [`NO_LIMIT`] if
    /// there is no limit.
    pub slots: u32,
    /// The slots that the shard should have. If these are fewer, it returns slots as its runs end.
    pub target: u32,
    /// The runs that the shard may dispatch within [`TOKENS_MILLIS`] of its request. `None` means
    /// any number, within [`NO_RATE_MILLIS`].
    pub tokens: Option<u32>,
    /// When to send the next request, in milliseconds, if the shard did not get all that it needs.
    pub retry_after_millis: u32,
    /// Set if the request did not name the current conversation and was not carried out. The shard
    /// repeats it in this conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Conversation>,
}

impl Answer {
    /// Returns the answer that makes the shard repeat its request in this conversation.
    pub fn begin(ask: &LeaseRequest, conversation: Conversation) -> Self {
        Self {
            number: ask.number,
            slots: ask.slots,
            target: ask.slots,
            tokens: Some(0),
            retry_after_millis: 0,
            conversation: Some(conversation),
        }
    }

    /// Returns whether the shard has no slot for its waiting tasks and may get one, so that it
    /// makes sense to hold the request.
    pub fn lacks_slots(&self, ask: &LeaseRequest) -> bool {
        self.conversation.is_none()
            && ask.waiting > 0
            && self.slots <= ask.in_flight
            && (self.slots == 0 || self.slots < self.target)
    }
}

/// A limit and its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Named {
    /// The key.
    pub key: String,
    /// Its limit.
    pub limit: Limit,
}

/// A limit as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    rename = "ShownLimit",
    description = "A limit, and what is known about the runs of its key."
)]
pub struct LimitShown {
    /// The key that tasks name as `limitKey`.
    pub key: String,
    /// The most runs in flight at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// The most runs that are dispatched per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_second: Option<f64>,
    /// Runs that are dispatched and not reported, by the last messages of the shards. While tasks
    /// wait, these messages are at most a second old.
    pub in_flight: u64,
    /// Tasks that are due and wait, by the last messages of the shards.
    pub waiting: u64,
    /// Whether the shards together have no more slots than `concurrency`. After the limit is set or
    /// lowered, this is false until enough of the runs in flight have ended.
    pub in_effect: bool,
    /// The shards that have slots or wait for some.
    pub shards: Vec<HeldBy>,
}

/// What a shard holds of a limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct HeldBy {
    /// The shard's name.
    pub shard: String,
    /// Its slots. Absent if the shard does not know the limit yet, so that nothing bounds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
    /// Runs that are dispatched and not reported, by its last message.
    pub in_flight: u32,
    /// Tasks that are due and wait, by its last message.
    pub waiting: u32,
}

/// A refused change. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Refused {
    /// The problem, the limit, and what to do.
    pub detail: String,
}

/// The state of a limiter at some time. A clear that names another state was sent before something
/// has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seen {
    /// Random for each incarnation of the limiter.
    #[serde(rename = "life")]
    pub incarnation: u64,
    /// The number of changes in that incarnation.
    pub changes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These names never change, because a limit is found only by them.
    #[test]
    fn golden_names() {
        let shop: Namespace = "shop".parse().unwrap();
        assert_eq!(limiter_of(&Namespace::DEFAULT, "stripe"), "default/6");
        assert_eq!(limiter_of(&shop, "stripe"), "shop/6");
        assert!(limiters(&shop).eq((0..8).map(|number| format!("shop/{number}"))));
    }
}
