//! The keys of requests that a shard remembers.

use scheduler_calendar::time::UnixMillis;
use scheduler_model::idempotency::RequestSeed;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many keys are remembered of each period.
pub(super) type Remembered = BTreeMap<i64, u64>;

/// What is stored of a request that was carried out. JSON: a later version adds fields.
#[derive(Serialize, Deserialize)]
pub(super) struct Done {
    /// When, by the shard's clock.
    pub(super) done: UnixMillis,
    #[serde(with = "scheduler_model::format::hex")]
    pub(super) request: [u8; 16],
    pub(super) made: RequestSeed,
    pub(super) created: u64,
    pub(super) replaced: u64,
    #[serde(default)]
    pub(super) went_on: u64,
}
