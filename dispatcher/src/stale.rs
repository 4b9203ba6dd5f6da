//! Recognizes messages whose envelope is done.

use scheduler_model::namespace::ShardName;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{OutboxRequest, paths};
use scheduler_platform::{Objects, within};
use std::time::Duration;

/// The time limit of the question to the shard.
const TRY: Duration = Duration::from_secs(5);

/// Returns whether the shard has ended the envelope `seq`, because a dispatcher has reported
/// another copy of it. If the shard does not answer, or runs an earlier version, the envelope
/// counts as open, and its tasks run.
pub(crate) async fn is_done(shards: &Objects, shard: &ShardName, seq: EnvelopeSeq) -> bool {
    // It has one number, so writing it as JSON does not fail.
    let body = serde_json::to_vec(&OutboxRequest { seq }).unwrap_or_default();
    match within(TRY, shards.post(&shard.to_string(), paths::OUTBOX, &body)).await {
        Some(Ok((200, answer))) => matches!(serde_json::from_slice(&answer), Ok(false)),
        _ => false,
    }
}
