//! What shard and limiter say to each other.

use serde::{Deserialize, Serialize};

/// The number of slots that stands for "no limit".
pub const NO_LIMIT: u32 = u32::MAX;

/// Orders a shard's requests: by the shard's life, which is stored before the first request of it, then by a count of the life's requests
/// for all keys. Counted by key, it would begin again with a key whose tasks went and came, while the limiter remembers the old count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct RequestNumber(pub u32, pub u32);

/// Names an exchange of questions and answers about one key between a shard and a limiter. It ends when either of them forgets it: a shard
/// with its lane or its life, a limiter with its own life or when it forgets the shard.
///
/// A limiter answers a question that does not name the current conversation with the name of a new one, and grants nothing. So a question
/// from before, which arrives when nobody remembers it, gets no slot that nobody would give back; and one with a lower number than those
/// before, of a shard whose storage was set back, is not ignored. Random for each life of a limiter, then a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Conversation(pub u64, pub u64);

/// What a shard tells of a key, and asks for.
///
/// What makes the bound hold, on the shard's side: it takes the answer to its newest request only, and that once. Fewer slots than
/// before it takes itself to have before it says so, and a request that says so has a number of its own. After a restart it takes
/// itself to have what its outbox has in flight, which is no more than it last took itself to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ask {
    /// Later requests have higher ones.
    pub number: RequestNumber,
    /// The slots that it takes itself to have; at least `in_flight`.
    pub slots: u32,
    /// Runs that were handed on and not reported.
    pub in_flight: u32,
    /// Tasks that are due and wait.
    pub waiting: u32,
    /// What the limiter answered last; `None` for the first question of a lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Conversation>,
}

/// A request to a limiter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The key.
    pub key: String,
    /// The name of the shard that asks.
    pub shard: String,
    /// What it asks.
    pub ask: Ask,
}

/// What a limiter answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The request's.
    pub number: RequestNumber,
    /// The slots that the shard has from here on; never fewer than it said, and [`NO_LIMIT`] where there is no limit.
    pub slots: u32,
    /// The slots that it should have. Where that is less, it gives back as its runs end.
    pub target: u32,
    /// Runs that it may hand on within [`super::TOKENS_MILLIS`] of its request; `None`, within [`super::NO_RATE_MILLIS`], any number.
    pub tokens: Option<u32>,
    /// When there is a point in asking again, milliseconds, for who did not get all that it needs.
    pub retry_after_millis: u32,
    /// The question was not of the current conversation and is not carried out: it is to be asked again, in this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Conversation>,
}

impl Answer {
    /// Returns the answer to a question that is to be asked again, in this conversation.
    pub(super) fn begin(ask: &Ask, conversation: Conversation) -> Self {
        Self {
            number: ask.number,
            slots: ask.slots,
            target: ask.slots,
            tokens: Some(0),
            retry_after_millis: 0,
            conversation: Some(conversation),
        }
    }

    /// Whether the shard finds no slot for what waits, and may get one: then there is a point in waiting.
    pub fn lacks_slots(&self, ask: &Ask) -> bool {
        self.conversation.is_none()
            && ask.waiting > 0
            && self.slots <= ask.in_flight
            && (self.slots == 0 || self.slots < self.target)
    }
}
