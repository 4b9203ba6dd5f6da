//! Why an input was not carried out.

use scheduler_model::access::MemoryUse;
use scheduler_model::bounds::{
    MAX_LANES, MAX_READERS, MAX_READERS_OF_A_KEY, MAX_REMEMBERED_PER_SHARD,
    MAX_SCHEDULES_PER_SHARD, READERS_RETRY_SECONDS,
};

/// Storage failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("storage: {0}")]
pub struct StorageError(pub String);

/// Why an input was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// No room for more pending tasks.
    #[error(
        "the shard holds {held} tasks, {dead} of them dead letters, and {asked} more would pass its limit of {limit}; discard dead letters, wait until tasks have fired, or raise the number of shards (SHARD_MAP)"
    )]
    Full {
        /// Tasks it holds, with their further attempts and dead letters.
        held: usize,
        /// Dead letters among them.
        dead: usize,
        /// Tasks to be added.
        asked: usize,
        /// How many it may hold.
        limit: usize,
    },
    /// The shards of an isolate hold together as much as they may, or those of a namespace do.
    #[error(
        "the shards of this instance hold {} bytes of memory together, {} of them for this namespace; the limit is {}, and a namespace leaves a fifth of what the others do not hold (ISOLATE_MEMORY_MB); raise the number of shards (SHARD_MAP), or wait until tasks have fired",
        .0.all, .0.own, .0.most
    )]
    IsolateFull(MemoryUse),
    /// No room for more recurring tasks.
    #[error(
        "the shard holds {held} recurring tasks and {asked} more would pass its limit of {MAX_SCHEDULES_PER_SHARD}; raise the number of shards (SHARD_MAP)"
    )]
    TooManySchedules {
        /// Recurring tasks it holds.
        held: usize,
        /// To be added.
        asked: usize,
    },
    /// No room for tasks of another key.
    #[error(
        "the shard has tasks of {held} keys of limits (limitKey) and {asked} more would pass its limit of {MAX_LANES}; wait until those of some keys are done, use fewer keys, or raise the number of shards (SHARD_MAP)"
    )]
    TooManyLanes {
        /// Keys that it has tasks of.
        held: usize,
        /// To be added.
        asked: usize,
    },
    /// As many tasks wait as the shard's share of a quota allows.
    #[error(
        "the namespace's quota pendingTasks is {quota}, and {share} of it is this shard's share; tasks held: {waiting}, dead letters among them: {dead}, tasks to add: {asked}; discard dead letters, wait until tasks have fired, cancel some, or raise the quota"
    )]
    PendingQuota {
        /// The quota of the namespace.
        quota: u64,
        /// The shard's share.
        share: u64,
        /// Tasks that wait, and dead letters.
        waiting: usize,
        /// Dead letters among them.
        dead: usize,
        /// Tasks to be added.
        asked: usize,
        /// Seconds until the next task is due.
        retry_after_seconds: u32,
    },
    /// The request alone adds more tasks than the shard's share of a quota, so that waiting does
    /// not help.
    #[error(
        "the namespace's quota pendingTasks is {quota}, and {share} of it is this shard's share, but the request adds {asked} tasks to this shard; split it into requests of at most {share}, or raise the quota"
    )]
    LargerThanShare {
        /// The quota of the namespace.
        quota: u64,
        /// The shard's share.
        share: u64,
        /// Tasks to be added.
        asked: usize,
    },
    /// Tasks were created as fast as the shard's share of a quota allows.
    #[error(
        "the namespace's quota createsPerSecond is {quota} over all shards, and the share of this one is used up; create tasks again in {wait_millis} ms, or raise the quota"
    )]
    RateQuota {
        /// The quota of the namespace, tasks a second.
        quota: u32,
        /// Milliseconds until the next may be taken.
        wait_millis: i64,
    },
    /// As many requests wait for events as may.
    #[error(
        "as many readers follow the events of a shard as may, {MAX_READERS} in all and {MAX_READERS_OF_A_KEY} with one API key; end some, or share one reader among several users"
    )]
    TooManyReaders,
    /// The key of a request has another request behind it.
    #[error(
        "the Idempotency-Key was used for another request within the last day; take a new key for each request"
    )]
    KeyReused,
    /// No room for more keys.
    #[error(
        "the shard remembers {MAX_REMEMBERED_PER_SHARD} values of Idempotency-Key, which is its limit; send requests without one, wait a day, or raise the number of shards (SHARD_MAP)"
    )]
    TooManyKeys,
    /// A part of the request is done, and the rest is more than one commit may write.
    #[error(
        "the request changes more than the shard writes in one step; it has done a part of it, so send the request again until it is done"
    )]
    Unfinished,
    /// The request holds what the coordinator's checks would not have let through.
    #[error("{0}")]
    BadRequest(String),
    /// What stands under the id is not what was expected.
    #[error("{0}")]
    Conflict(&'static str),
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Storage holds what was never written there.
    #[error(
        "stored data cannot be read: {0}; restore the shard from a point in time before it was damaged"
    )]
    Corrupt(String),
    /// What the engine holds in memory contradicts itself, or cannot be encoded: a bug.
    #[error("the shard's memory contradicts itself, so it starts again from storage: {0}")]
    Contradiction(&'static str),
}

/// Returns the error for a state that cannot occur. Tests and the simulation end here.
pub(super) fn contradiction(what: &'static str) -> EngineError {
    debug_assert!(false, "{what}");
    EngineError::Contradiction(what)
}

impl EngineError {
    /// Returns whether memory and storage may differ after this error, so that the engine must be
    /// dropped. Other errors refuse a request and change nothing.
    pub fn drops_engine(&self) -> bool {
        matches!(self, Self::Storage(_) | Self::Corrupt(_) | Self::Contradiction(_))
    }

    /// Returns when it makes sense to send the request again, where that can be said; seconds from
    /// now.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        match self {
            Self::PendingQuota { retry_after_seconds, .. } => Some(*retry_after_seconds),
            Self::RateQuota { wait_millis, .. } => {
                u32::try_from(wait_millis.saturating_add(999) / 1_000).ok()
            }
            Self::TooManyReaders => Some(READERS_RETRY_SECONDS),
            _ => None,
        }
    }
}
