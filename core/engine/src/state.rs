//! What a shard remembers beside its tasks. It is stored in the newest row of the outbox, so that it changes in the same commit
//! as the envelopes of a firing and costs no row of its own.

use crate::circuits::Circuit;
use crate::lanes::StoredLane;
use scheduler_model::access::Used;
use scheduler_model::histogram::Histogram;
use scheduler_model::meter::Meter;
use scheduler_model::position::Position;
use scheduler_model::protocol::Counters;
use serde::{Deserialize, Serialize};

/// Stored as JSON: a later version adds fields, and reads an older one's absence as the default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct State {
    /// Everything at or before this position has been dispatched.
    pub(super) watermark: Position,
    /// The last number given to an envelope.
    pub(super) last_seq: u64,
    pub(super) counters: Counters,
    pub(super) lateness: Histogram,
    pub(super) meter: Meter,
    /// What creates have used up of the share of a quota.
    pub(super) used: Used,
    /// Those that there are, when the state is written or read; else they are in [`super::lanes`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) lanes: Vec<StoredLane>,
    /// Those that are open, when the state is written or read; else they are in [`super::circuit`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) circuits: Vec<Circuit>,
    /// The release of the time zones by which every task at a local time is planned. Empty if there may be some of another release, or
    /// has never been any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) law: String,
    /// How often the shard has begun to ask limiters after a start.
    pub(super) life: u32,
}

impl State {
    pub(super) fn encode(&self) -> Vec<u8> {
        // These types have no maps with keys other than strings and write to memory: this does not fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}
