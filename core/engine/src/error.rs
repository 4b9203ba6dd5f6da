//! Errors of an input.

use scheduler_model::access::MemoryUse;
use scheduler_model::bounds::{
    MAX_LANES, MAX_READERS, MAX_READERS_OF_A_KEY, MAX_REMEMBERED_PER_SHARD,
    MAX_SCHEDULES_PER_SHARD, READERS_RETRY_SECONDS,
};

/// Storage failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("storage: {0}")]
pub struct StorageError(pub String);

/// The reason why an input was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The shard has no room for more tasks.
    #[error(
        "the shard holds {held} tasks, {dead} of them dead letters, and {asked} more would pass its limit of {limit}; discard dead letters, wait until tasks have fired, or raise the number of shards (SHARD_MAP)"
    )]
    Full {
        /// The tasks of the shard, with further attempts and dead letters.
        held: usize,
        /// Dead letters among them.
        dead: usize,
        /// The number of tasks to add.
        asked: usize,
        /// The most tasks of the shard.
        limit: usize,
    },
    /// The shards of an isolate, or those of a namespace, hold as much memory as they may.
    #[error(
        "the shards of this instance hold {} bytes of memory together, {} of them for this namespace; the limit is {}, and a namespace leaves a fifth of what the others do not hold (ISOLATE_MEMORY_MB); raise the number of shards (SHARD_MAP), or wait until tasks have fired",
        .0.all, .0.own, .0.most
    )]
    IsolateFull(MemoryUse),
    /// The shard has no room for more recurring tasks.
    #[error(
        "the shard holds {held} recurring tasks and {asked} more would pass its limit of {MAX_SCHEDULES_PER_SHARD}; raise the number of shards (SHARD_MAP)"
    )]
    TooManySchedules {
        /// The recurring tasks of the shard.
        held: usize,
        /// The number of recurring tasks to add.
        asked: usize,
    },
    /// The shard has no room for tasks with another limit key.
    #[error(
        "the shard has tasks of {held} keys of limits (limitKey) and {asked} more would pass its limit of {MAX_LANES}; wait until those of some keys are done, use fewer keys, or raise the number of shards (SHARD_MAP)"
    )]
    TooManyLanes {
        /// The number of keys with tasks on the shard.
        held: usize,
        /// The number of keys to add.
        asked: usize,
    },
    /// The shard has as many waiting tasks as its share of a quota allows.
    #[error(
        "the namespace's quota pendingTasks is {quota}, and {share} of it is this shard's share; tasks held: {waiting}, dead letters among them: {dead}, tasks to add: {asked}; discard dead letters, wait until tasks have fired, cancel some, or raise the quota"
    )]
    PendingQuota {
        /// The quota of the namespace.
        quota: u64,
        /// The shard's share.
        share: u64,
        /// Waiting tasks and dead letters.
        waiting: usize,
        /// Dead letters among them.
        dead: usize,
        /// The number of tasks to add.
        asked: usize,
        /// Seconds until the next task is due.
        retry_after_seconds: u32,
    },
    /// The request alone adds more tasks than the shard's share of a quota, so waiting does not
    /// help.
    #[error(
        "the namespace's quota pendingTasks is {quota}, and {share} of it is this shard's share, but the request adds {asked} tasks to this shard; split it into requests of at most {share}, or raise the quota"
    )]
    LargerThanShare {
        /// The quota of the namespace.
        quota: u64,
        /// The shard's share.
        share: u64,
        /// The number of tasks to add.
        asked: usize,
    },
    /// The shard's share of a rate quota is used up.
    #[error(
        "the namespace's quota createsPerSecond is {quota} over all shards, and the share of this one is used up; create tasks again in {wait_millis} ms, or raise the quota"
    )]
    RateQuota {
        /// The quota of the namespace, in tasks per second.
        quota: u32,
        /// Milliseconds until the next task can be accepted.
        wait_millis: i64,
    },
    /// No more requests may wait for events.
    #[error(
        "a shard serves at most {MAX_READERS} readers of events, and at most {MAX_READERS_OF_A_KEY} with one API key; end some of them, or share one reader among several users"
    )]
    TooManyReaders,
    /// The idempotency key was used for another request.
    #[error(
        "the Idempotency-Key was used for another request within the last day; use a new key for each request"
    )]
    KeyReused,
    /// The shard has no room for more idempotency keys.
    #[error(
        "the shard remembers {MAX_REMEMBERED_PER_SHARD} values of Idempotency-Key, which is its limit; send requests without one, wait a day, or raise the number of shards (SHARD_MAP)"
    )]
    TooManyKeys,
    /// The request changes more than one commit may write. A part of it is done.
    #[error(
        "the request changes more than the shard writes in one step; a part of it is done, so send the request again until it succeeds"
    )]
    Unfinished,
    /// The request contains what the checks of the coordinator would have refused.
    #[error("{0}")]
    BadRequest(String),
    /// The stored task is not what the request expects.
    #[error("{0}")]
    Conflict(&'static str),
    /// The change of the task would leave nothing of it.
    #[error(
        "nothing would be left of the task: its last run was missed in its pause and its misfire policy does not fire it, or its calendars leave out all its further runs; give it a schedule that goes on, or end it with resume or cancel"
    )]
    WouldEnd,
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Storage contains data that the engine has not written.
    #[error(
        "stored data cannot be read: {0}; restore the shard from a point in time before it was damaged"
    )]
    Corrupt(String),
    /// The memory of the engine contradicts itself or cannot be encoded. This is a bug.
    #[error("the shard's memory contradicts itself, so it starts again from storage: {0}")]
    Contradiction(&'static str),
}

/// Returns the error for a state that cannot occur. In tests and in the simulation, panics.
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

    /// Returns in how many seconds it makes sense to send the request again, if that is known.
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
