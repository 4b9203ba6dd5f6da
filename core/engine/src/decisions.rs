//! Decisions about runs with an attempt in flight.
//!
//! A dispatched envelope cannot be recalled, so its attempts end. If a cancel, pause, patch or
//! overwrite arrives in the meantime, the engine keeps it here, by envelope and index. It consults
//! the decision when it records the outcome of the attempt (`engine/outcome.rs`) and when it
//! redelivers the envelope (`engine/stopped.rs`). The commit of the request stores the decision,
//! and the commit that ends the envelope deletes it. An envelope without decisions costs nothing.

use crate::snapshot::StoredPatch;
use scheduler_calendar::ordered::collected;
use scheduler_model::bounds::MAX_PATCHED_BYTES;
use std::collections::{BTreeMap, HashMap};

/// The version of the stored form.
const VERSION: u8 = 1;
/// Bytes of a stored decision: the index, and what was decided.
const DECISION_BYTES: usize = 3;
const CANCELLED: u8 = 1;
const PAUSED: u8 = 2;
const OMITTED: u8 = 4;
const PATCHED: u8 = 8;

/// An attempt in flight: its envelope, and its index there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct FlightRef {
    pub(super) seq: u64,
    pub(super) index: u32,
}

/// Why a run gets no further attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The run was cancelled, or another task has replaced it.
    Cancelled,
    /// The run waits to be resumed.
    Paused,
}

/// What was decided about one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Decision {
    pub(super) stop: Option<Stop>,
    /// The last message to the user's queue omits the run.
    pub(super) omitted: bool,
    /// Further attempts use a patched record, which has a row of its own.
    pub(super) patched: bool,
}

impl Decision {
    pub(super) fn is_cancelled(self) -> bool {
        self.stop == Some(Stop::Cancelled)
    }

    pub(super) fn is_paused(self) -> bool {
        self.stop == Some(Stop::Paused)
    }

    fn bits(self) -> u8 {
        let stop = match self.stop {
            None => 0,
            Some(Stop::Cancelled) => CANCELLED,
            Some(Stop::Paused) => PAUSED,
        };
        stop | if self.omitted { OMITTED } else { 0 } | if self.patched { PATCHED } else { 0 }
    }

    fn of_bits(bits: u8) -> Self {
        let has = |bit| bits & bit != 0;
        let stop = if has(CANCELLED) {
            Some(Stop::Cancelled)
        } else {
            has(PAUSED).then_some(Stop::Paused)
        };
        Self { stop, omitted: has(OMITTED), patched: has(PATCHED) }
    }
}

/// The decisions about the tasks of one envelope, by index.
type OfEnvelope = BTreeMap<u32, Decision>;

/// All decisions of a shard, by envelope.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    envelopes: HashMap<u64, OfEnvelope>,
    /// The bytes of each patched record, by envelope and index.
    patches: BTreeMap<FlightRef, usize>,
}

impl Decisions {
    /// Reads the stored decisions.
    pub(super) fn load(stored: &[(u64, Vec<u8>)], patches: &[StoredPatch]) -> Result<Self, String> {
        let read = |(seq, bytes): &(u64, Vec<u8>)| match decode(bytes) {
            Some(decisions) => Ok((*seq, decisions)),
            None => Err(format!("the decisions about envelope {seq} cannot be read")),
        };
        let patches = collected(
            patches
                .iter()
                .map(|of| (FlightRef { seq: of.seq, index: of.index }, of.bytes as usize)),
        );
        Ok(Self { envelopes: stored.iter().map(read).collect::<Result<_, _>>()?, patches })
    }

    pub(super) fn at(&self, flight: FlightRef) -> Decision {
        self.envelopes
            .get(&flight.seq)
            .and_then(|of| of.get(&flight.index))
            .copied()
            .unwrap_or_default()
    }

    /// Returns whether anything was decided about an envelope's tasks.
    pub(super) fn is_any(&self, seq: u64) -> bool {
        self.envelopes.contains_key(&seq)
    }

    /// Returns the bytes of all patched records of an envelope's tasks.
    pub(super) fn patched_bytes(&self, seq: u64) -> usize {
        self.patches
            .range(FlightRef { seq, index: 0 }..=FlightRef { seq, index: u32::MAX })
            .map(|(_, bytes)| bytes)
            .sum()
    }

    /// Returns whether a patched record of `bytes` fits beside those of the other tasks of its
    /// envelope.
    pub(super) fn has_room_for_patch(&self, flight: FlightRef, bytes: usize) -> bool {
        let own = self.patches.get(&flight).copied().unwrap_or(0);
        self.patched_bytes(flight.seq) - own + bytes <= MAX_PATCHED_BYTES
    }

    /// Replaces the decision about a run.
    pub(super) fn insert(&mut self, flight: FlightRef, decision: Decision) {
        self.envelopes.entry(flight.seq).or_default().insert(flight.index, decision);
    }

    /// Returns the stored form of the decisions about an envelope's tasks. It is empty if there are
    /// none.
    pub(super) fn encoded(&self, seq: u64) -> Vec<u8> {
        self.envelopes.get(&seq).map(encode).unwrap_or_default()
    }

    /// Removes the decisions about an envelope's tasks. Returns whether there were any.
    pub(super) fn remove(&mut self, seq: u64) -> bool {
        let had_any = self.envelopes.remove(&seq).is_some();
        if had_any {
            self.patches.retain(|flight, _| flight.seq != seq);
        }
        had_any
    }

    /// Records the size of a patched record.
    pub(super) fn note_patch(&mut self, flight: FlightRef, bytes: usize) {
        self.patches.insert(flight, bytes);
    }

    /// Returns the decisions about an envelope's tasks. Usually there are none.
    pub(super) fn of(&self, seq: u64) -> OfEnvelope {
        self.envelopes.get(&seq).cloned().unwrap_or_default()
    }
}

fn encode(decisions: &OfEnvelope) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + decisions.len() * DECISION_BYTES);
    bytes.push(VERSION);
    for (index, decision) in decisions {
        // An envelope holds at most MAX_PAGE_TASKS tasks, so an index has 16 bits.
        debug_assert!(u16::try_from(*index).is_ok(), "an envelope has no task {index}");
        bytes.extend_from_slice(&u16::try_from(*index).unwrap_or(u16::MAX).to_le_bytes());
        bytes.push(decision.bits());
    }
    bytes
}

fn decode(bytes: &[u8]) -> Option<OfEnvelope> {
    let (version, rest) = bytes.split_first()?;
    let (entries, cut_off) = rest.as_chunks::<DECISION_BYTES>();
    if *version != VERSION || !cut_off.is_empty() {
        return None;
    }
    let read = |[low, high, bits]: &[u8; DECISION_BYTES]| {
        (u32::from(u16::from_le_bytes([*low, *high])), Decision::of_bits(*bits))
    };
    Some(collected(entries.iter().map(read)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These bytes never change, because rows contain them.
    #[test]
    fn golden_bytes() {
        let stop = |stop| Decision { stop: Some(stop), ..Decision::default() };
        let decisions = OfEnvelope::from([
            (0, stop(Stop::Cancelled)),
            (3, Decision { omitted: true, ..stop(Stop::Paused) }),
            (258, Decision { patched: true, ..Decision::default() }),
        ]);
        let bytes = encode(&decisions);
        assert_eq!(bytes, [1, 0, 0, 1, 3, 0, 6, 2, 1, 8]);
        assert_eq!(decode(&bytes), Some(decisions));
    }

    #[test]
    fn truncated_bytes_and_other_versions_are_refused() {
        for bytes in [&[][..], &[2], &[1, 0], &[1, 0, 0], &[1, 0, 0, 1, 9]] {
            assert_eq!(decode(bytes), None, "{bytes:?}");
            assert!(Decisions::load(&[(7, bytes.to_vec())], &[]).is_err());
        }
        for bits in 0..=u8::MAX {
            let decision = Decision::of_bits(bits);
            assert_eq!(Decision::of_bits(decision.bits()), decision);
        }
    }
}
