//! The messages between shard, coordinator and limiter.

use crate::limit::Limit;
use crate::namespace::Namespace;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

/// How long tokens can be used, milliseconds after they were requested: long enough for a shard
/// that fires ten times per second, short compared with what people mean by "a second".
pub const TOKENS_MILLIS: i64 = 750;
/// How long "no rate" holds, milliseconds after it was requested. A new `perSecond` holds
/// everywhere after this time.
pub const NO_RATE_MILLIS: i64 = 5_000;
/// The binding of the limiters' Durable Object namespace.
pub const LIMITERS_BINDING: &str = "LIMITERS";
/// Limiters of each namespace. Each handles some hundred requests per second, and each shard asks
/// about once a second for each key with due tasks. Never changed: the place of a key's limit
/// depends on it.
pub const LIMITERS: u64 = 8;

/// The requests to a limiter, as paths of POSTs with JSON. A refusal is answered with status 409
/// and [`Refused`].
pub mod paths {
    /// Body [`super::LimiterRequest`]; answer [`super::Answer`], or null if a newer request has
    /// been handled.
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
    /// Body [`super::Seen`]; answer: whether everything was deleted, because nothing has changed
    /// since then. For a namespace that has no tasks. Without a body, from a coordinator of an
    /// earlier version: deletes everything; answer null.
    pub const CLEAR: &str = "/clear";
}

/// Returns the name of the limiter that holds the limit of a key.
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

/// Orders the requests of a shard: by its incarnation, which is stored before its first request,
/// then by a count of the incarnation's requests for all keys. A count for each key would start
/// again when the tasks of the key are gone and come back, while the limiter remembers the old
/// count.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct RequestNumber(pub u32, pub u32);

/// Names an exchange of requests and answers about one key between a shard and a limiter. It ends
/// when either of them forgets it: a shard with its lane or its incarnation, a limiter with its own
/// incarnation or when it forgets the shard.
///
/// If a request does not name the current conversation, the limiter answers with the name of a new
/// one and grants nothing. So an old request that arrives late gets no slot that nobody would
/// return. And after a shard's storage was set back, its requests are not ignored for their lower
/// numbers. It is random for each incarnation of a limiter, then a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Conversation(pub u64, pub u64);

/// What a shard reports about a key, and requests.
///
/// The bound holds because of these rules of the shard. It accepts the answer to its newest request
/// only, and only once. If it counts fewer slots as its own than before, it does so before it says
/// so, and the request that says so has a new number. After a restart, it counts as its own the
/// slots of the runs in its outbox, which are no more than it last counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseRequest {
    /// Later requests have higher ones.
    pub number: RequestNumber,
    /// The slots that it counts as its own; at least `in_flight`.
    pub slots: u32,
    /// Runs that are dispatched and not reported.
    pub in_flight: u32,
    /// Tasks that are due and wait; at most 1 if the shard has dispatched all that it may and does
    /// not use its slots.
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
    /// The name of the shard that asks.
    pub shard: String,
    /// Its request.
    pub ask: LeaseRequest,
}

/// The answer of a limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The number of the request.
    pub number: RequestNumber,
    /// The slots that the shard has from now on: at least those that it reported; [`NO_LIMIT`] if
    /// there is no limit.
    pub slots: u32,
    /// The slots that it should have. If these are fewer, it returns slots as its runs end.
    pub target: u32,
    /// Runs that it may dispatch within [`TOKENS_MILLIS`] of its request; `None`: any number,
    /// within [`NO_RATE_MILLIS`].
    pub tokens: Option<u32>,
    /// When to ask again, milliseconds, if it did not get all that it needs.
    pub retry_after_millis: u32,
    /// Set if the request was not of the current conversation and was not carried out: ask again in
    /// this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Conversation>,
}

impl Answer {
    /// Returns the answer that asks the shard to repeat its request in this conversation.
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

    /// Returns whether the shard finds no slot for its waiting tasks, and may get one, so that
    /// waiting makes sense.
    pub fn lacks_slots(&self, ask: &LeaseRequest) -> bool {
        self.conversation.is_none()
            && ask.waiting > 0
            && self.slots <= ask.in_flight
            && (self.slots == 0 || self.slots < self.target)
    }
}

/// A limit and the key that it is for.
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
    description = "A limit, and what is known of the runs of its key."
)]
pub struct LimitShown {
    /// The key that tasks name as `limitKey`.
    pub key: String,
    /// Most runs in flight at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// The most runs that are dispatched per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_second: Option<f64>,
    /// Runs that were dispatched and not reported, by the last messages of the shards. While tasks
    /// wait, these are at most a second old.
    pub in_flight: u64,
    /// Tasks that were due and waited, by the last messages of the shards.
    pub waiting: u64,
    /// Whether the shards together have no more slots than `concurrency`: not for a moment after it
    /// was set or lowered, until the runs end that are in flight by then.
    pub in_effect: bool,
    /// The shards that have slots or wait for some.
    pub shards: Vec<HeldBy>,
}

/// What a shard has of a limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct HeldBy {
    /// The shard's name.
    pub shard: String,
    /// Its slots. Absent if the shard does not know of the limit yet, and so has no bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
    /// Runs that were dispatched and not reported, by its last message.
    pub in_flight: u32,
    /// Tasks that were due and waited, by its last message.
    pub waiting: u32,
}

/// A change that is not carried out; nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Refused {
    /// The problem, the limit, and what to do.
    pub detail: String,
}

/// What a limiter holds at one time. A clear that names another time was sent before something has
/// changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seen {
    /// Random for each incarnation of the limiter.
    #[serde(rename = "life")]
    pub incarnation: u64,
    /// Changes in that incarnation.
    pub changes: u64,
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
