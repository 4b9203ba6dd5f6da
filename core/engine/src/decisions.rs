//! Decisions about runs with an attempt in flight.
//!
//! A dispatched envelope cannot be recalled, so its attempts end. If a cancel, pause, patch or
//! overwrite arrives in the meantime, the engine keeps it here, by envelope and index. It consults
//! the decision when it records the outcome of the attempt (`engine/outcome.rs`) and when it
//! redelivers the envelope (`engine/stopped.rs`). The commit of the request stores the decision,
//! and the commit that ends the envelope deletes it. An envelope without decisions costs nothing.
//!
//! The stored form: a byte with the version, then three bytes for each decision: the index and what
//! was decided. Version 2 adds the marks of pauses ([`PauseMark`]): the number of decisions, 16
//! bits, comes before the decisions. After them, each marked pause has its index, 16 bits, and its
//! mark. Earlier versions of the scheduler read only version 1, so the engine writes version 1 if
//! there are no marks. All numbers are little-endian.

use crate::pause_mark::PauseMark;
use crate::snapshot::StoredPatch;
use scheduler_calendar::ordered::collected;
use scheduler_model::bounds::{MAX_PATCHED_BYTES, MAX_PAUSES_BYTES};
use scheduler_model::format::codec::{CodecError, take_array};
use scheduler_model::numbers::EnvelopeSeq;
use std::collections::{BTreeMap, HashMap};

/// The version of the stored form without marks of pauses.
const VERSION: u8 = 1;
/// The version of the stored form with marks of pauses.
const VERSION_WITH_MARKS: u8 = 2;
/// Bytes of a stored decision: the index, and what was decided.
const DECISION_BYTES: usize = 3;
const CANCELLED: u8 = 1;
const PAUSED: u8 = 2;
const OMITTED: u8 = 4;
const PATCHED: u8 = 8;

/// An attempt in flight: its envelope, and its index there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct FlightRef {
    pub(super) seq: EnvelopeSeq,
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
/// The marks of the pauses in one envelope, by index.
pub(super) type Marks = BTreeMap<u32, PauseMark>;

/// All decisions of a shard, by envelope.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    envelopes: HashMap<EnvelopeSeq, OfEnvelope>,
    /// The marks of pauses, by envelope.
    marks: HashMap<EnvelopeSeq, Marks>,
    /// The bytes of each patched record, by envelope and index.
    patches: BTreeMap<FlightRef, usize>,
}

impl Decisions {
    /// Reads the stored decisions.
    pub(super) fn load(
        stored: &[(EnvelopeSeq, Vec<u8>)],
        patches: &[StoredPatch],
    ) -> Result<Self, String> {
        let (mut envelopes, mut marks) = (HashMap::new(), HashMap::new());
        for (seq, bytes) in stored {
            let (decisions, of_envelope) = decode(bytes).map_err(|problem| {
                format!("the decisions about envelope {seq} cannot be read: {problem}")
            })?;
            envelopes.insert(*seq, decisions);
            if !of_envelope.is_empty() {
                marks.insert(*seq, of_envelope);
            }
        }
        let patches = collected(
            patches
                .iter()
                .map(|of| (FlightRef { seq: of.seq, index: of.index }, of.bytes as usize)),
        );
        Ok(Self { envelopes, marks, patches })
    }

    pub(super) fn at(&self, flight: FlightRef) -> Decision {
        self.envelopes
            .get(&flight.seq)
            .and_then(|of| of.get(&flight.index))
            .copied()
            .unwrap_or_default()
    }

    /// Returns whether anything was decided about an envelope's tasks.
    pub(super) fn is_any(&self, seq: EnvelopeSeq) -> bool {
        self.envelopes.contains_key(&seq)
    }

    /// Returns the bytes of all patched records of an envelope's tasks.
    pub(super) fn patched_bytes(&self, seq: EnvelopeSeq) -> usize {
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

    /// Replaces the decision about a run. The mark of a pause ends with the pause.
    pub(super) fn insert(&mut self, flight: FlightRef, decision: Decision) {
        self.envelopes.entry(flight.seq).or_default().insert(flight.index, decision);
        if !decision.is_paused()
            && let Some(marks) = self.marks.get_mut(&flight.seq)
        {
            marks.remove(&flight.index);
        }
    }

    /// Sets the mark of the pause of a run, unless the marks of the other runs of its envelope
    /// leave no room for it.
    pub(super) fn mark(&mut self, flight: FlightRef, mark: PauseMark) {
        let marks = self.marks.entry(flight.seq).or_default();
        marks.remove(&flight.index);
        let bytes: usize = marks.values().map(|mark| 2 + mark.stored_bytes()).sum();
        if bytes + 2 + mark.stored_bytes() <= MAX_PAUSES_BYTES {
            marks.insert(flight.index, mark);
        }
    }

    /// Returns the mark of the pause of a run.
    pub(super) fn mark_of(&self, flight: FlightRef) -> Option<&PauseMark> {
        self.marks.get(&flight.seq)?.get(&flight.index)
    }

    /// Returns the marks of the pauses in an envelope.
    pub(super) fn marks(&self, seq: EnvelopeSeq) -> Marks {
        self.marks.get(&seq).cloned().unwrap_or_default()
    }

    /// Returns the stored form of the decisions about an envelope's tasks. It is empty if there are
    /// none.
    pub(super) fn encoded(&self, seq: EnvelopeSeq) -> Vec<u8> {
        let Some(decisions) = self.envelopes.get(&seq) else { return Vec::new() };
        encode(decisions, self.marks.get(&seq).unwrap_or(&Marks::new()))
    }

    /// Removes the decisions about an envelope's tasks. Returns whether there were any.
    pub(super) fn remove(&mut self, seq: EnvelopeSeq) -> bool {
        let had_any = self.envelopes.remove(&seq).is_some();
        self.marks.remove(&seq);
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
    pub(super) fn of(&self, seq: EnvelopeSeq) -> OfEnvelope {
        self.envelopes.get(&seq).cloned().unwrap_or_default()
    }
}

fn encode(decisions: &OfEnvelope, marks: &Marks) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + decisions.len() * DECISION_BYTES);
    if marks.is_empty() {
        bytes.push(VERSION);
    } else {
        bytes.push(VERSION_WITH_MARKS);
        put_u16(decisions.len() as u32, &mut bytes);
    }
    for (index, decision) in decisions {
        put_u16(*index, &mut bytes);
        bytes.push(decision.bits());
    }
    for (index, mark) in marks {
        put_u16(*index, &mut bytes);
        mark.encode(&mut bytes);
    }
    bytes
}

/// Appends an index or a number of tasks. An envelope holds at most `MAX_PAGE_TASKS`, so it has 16
/// bits.
fn put_u16(number: u32, out: &mut Vec<u8>) {
    debug_assert!(u16::try_from(number).is_ok(), "an envelope has no task {number}");
    out.extend_from_slice(&u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes());
}

fn decode(bytes: &[u8]) -> Result<(OfEnvelope, Marks), CodecError> {
    let rest = &mut &*bytes;
    let [version] = take_array(rest)?;
    let entries = match version {
        VERSION if rest.len().is_multiple_of(DECISION_BYTES) => rest.len() / DECISION_BYTES,
        VERSION_WITH_MARKS => usize::from(take_array(rest).map(u16::from_le_bytes)?),
        _ => return Err(CodecError::Number),
    };
    let (mut decisions, mut marks) = (OfEnvelope::new(), Marks::new());
    for _ in 0..entries {
        let [low, high, bits] = take_array(rest)?;
        decisions.insert(u16::from_le_bytes([low, high]).into(), Decision::of_bits(bits));
    }
    while !rest.is_empty() {
        let index = take_array(rest).map(u16::from_le_bytes)?;
        marks.insert(index.into(), PauseMark::take(rest)?);
    }
    Ok((decisions, marks))
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_calendar::time::UnixMillis;
    use scheduler_model::protocol::PauseReason;

    /// These bytes never change, because rows contain them.
    #[test]
    fn golden_bytes() {
        let stop = |stop| Decision { stop: Some(stop), ..Decision::default() };
        let decisions = OfEnvelope::from([
            (0, stop(Stop::Cancelled)),
            (3, Decision { omitted: true, ..stop(Stop::Paused) }),
            (258, Decision { patched: true, ..Decision::default() }),
        ]);
        let bytes = encode(&decisions, &Marks::new());
        assert_eq!(bytes, [1, 0, 0, 1, 3, 0, 6, 2, 1, 8]);
        assert_eq!(decode(&bytes), Ok((decisions, Marks::new())));
    }

    /// Pins the stored form for ever.
    #[test]
    fn golden_bytes_of_what_pauses_say() {
        let paused = Decision { stop: Some(Stop::Paused), ..Decision::default() };
        let decisions = OfEnvelope::from([(1, paused), (258, paused)]);
        let reason = PauseReason { by: Some("k".to_owned()), note: Some("é".to_owned()) };
        let marks = Marks::from([(258, PauseMark { at: UnixMillis::new(300), reason })]);
        let bytes = encode(&decisions, &marks);
        let mark = [2, 1, 0xac, 2, 1, b'k', 2, 0xc3, 0xa9];
        assert_eq!(bytes[..9], [2, 2, 0, 1, 0, 2, 2, 1, 2]);
        assert_eq!(bytes[9..], mark);
        assert_eq!(decode(&bytes), Ok((decisions, marks)));
    }

    #[test]
    fn what_a_pause_says_goes_with_the_pause_and_is_bounded() {
        let mut all = Decisions::default();
        let paused = Decision { stop: Some(Stop::Paused), ..Decision::default() };
        let mark = |bytes: usize| PauseMark {
            at: UnixMillis::LAST,
            reason: PauseReason { by: None, note: Some("x".repeat(bytes)) },
        };
        let seq = EnvelopeSeq::new(7);
        let flight = |index| FlightRef { seq, index };
        for index in 0..100 {
            all.insert(flight(index), paused);
            all.mark(flight(index), mark(500));
        }
        assert!(all.encoded(seq).len() <= 3 + 100 * DECISION_BYTES + MAX_PAUSES_BYTES);
        assert!((60..70).contains(&all.marks(seq).len()), "{}", all.marks(seq).len());
        all.insert(flight(0), Decision::default());
        assert_eq!((all.mark_of(flight(0)), all.mark_of(flight(1))), (None, Some(&mark(500))));
        assert!(all.remove(seq) && all.marks(seq).is_empty());
    }

    #[test]
    fn truncated_bytes_and_other_versions_are_refused() {
        for bytes in [&[][..], &[2], &[3], &[1, 0], &[1, 0, 0], &[1, 0, 0, 1, 9], &[2, 1, 0, 0, 0]]
        {
            assert!(decode(bytes).is_err(), "{bytes:?}");
            assert!(Decisions::load(&[(EnvelopeSeq::new(7), bytes.to_vec())], &[]).is_err());
        }
        for bits in 0..=u8::MAX {
            let decision = Decision::of_bits(bits);
            assert_eq!(Decision::of_bits(decision.bits()), decision);
        }
    }
}
