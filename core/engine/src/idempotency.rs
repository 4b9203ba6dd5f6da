//! The idempotency keys that a shard stores.

use scheduler_calendar::time::UnixMillis;
use scheduler_model::idempotency::RequestSeed;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The number of stored keys by period.
pub(super) type Remembered = BTreeMap<i64, u64>;

/// What the shard stores about a request that it has carried out. It is JSON, so that a later
/// version can add fields.
#[derive(Serialize, Deserialize)]
pub(super) struct Done {
    /// When the request was carried out, by the shard's clock.
    pub(super) done: UnixMillis,
    #[serde(with = "scheduler_model::format::hex")]
    pub(super) request: [u8; 16],
    pub(super) made: RequestSeed,
    pub(super) created: u64,
    pub(super) replaced: u64,
    #[serde(default)]
    pub(super) went_on: u64,
}
