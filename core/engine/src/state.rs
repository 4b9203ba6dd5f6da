//! The state of a shard beside its tasks. The newest row of the outbox stores it, so that it
//! changes in the same commit as the envelopes of a firing and costs no row of its own.

use crate::circuits::Circuit;
use crate::lanes::StoredLane;
use crate::series::SeriesText;
use scheduler_model::access::Used;
use scheduler_model::histogram::Histogram;
use scheduler_model::meter::Meter;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::position::Position;
use scheduler_model::protocol::Counters;
use serde::{Deserialize, Serialize};

/// Stored as JSON. A later version can add fields, which have their defaults if an earlier one has
/// stored the state.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct State {
    /// Everything at or before this position has been dispatched.
    pub(super) watermark: Position,
    /// The number of the last envelope.
    pub(super) last_seq: EnvelopeSeq,
    pub(super) counters: Counters,
    pub(super) lateness: Histogram,
    pub(super) meter: Meter,
    /// How much of its share of a quota the shard has used for creates.
    pub(super) used: Used,
    /// The lanes, only while the state is read or written. Otherwise they are in
    /// [`crate::lanes::Lanes`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) lanes: Vec<StoredLane>,
    /// The open circuits, only while the state is read or written. Otherwise they are in
    /// [`crate::circuits::Circuits`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) circuits: Vec<Circuit>,
    /// The series, only while the state is written. [`crate::series::Series::load`] reads them.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub(super) series: Option<SeriesText>,
    /// The release of the time zones by which every task at a local time is planned. Empty if
    /// another release may have planned some, or if there has never been such a task.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) law: String,
    /// How often the shard has begun to ask limiters after a start.
    #[serde(rename = "life")]
    pub(super) incarnation: u32,
}

impl State {
    /// Returns the form to store.
    ///
    /// # Errors
    /// None is expected: these types have only strings as keys of maps, and it writes to memory.
    pub(super) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}
