//! Sending an envelope again, some of whose runs were stopped while it was in flight: none of these starts another time.
//!
//! The dispatchers report by index, so their message keeps all records and names those that are to be left alone. A user's own
//! consumer knows nothing of that: its message goes out without them. An envelope of which nothing is left ends here.

use super::decided::{Decision, FlightRef};
use super::outcome::{PutBack, records_of};
use super::{Effects, Engine, EngineError, Reader};
use crate::envelope::{EnvelopeBuilder, with_skip};
use crate::limits::MAX_PAGE_TASKS;
use crate::task::Record;
use crate::time::UnixMillis;
use std::collections::BTreeMap;

impl Engine {
    /// Returns what is sent when an envelope goes out again; `None` if every run in it was stopped. What a message to a user's queue
    /// leaves out is stored, since that queue reports nothing.
    pub(super) fn text_to_send_again(
        &mut self,
        seq: u64,
        text: Vec<u8>,
        effects: &mut Effects,
    ) -> Result<Option<Vec<u8>>, EngineError> {
        let decisions = self.decided.of(seq);
        let stopped: Vec<u32> = decisions.iter().filter(|(_, of)| of.stop.is_some()).map(|(index, _)| *index).collect();
        let Some(envelope) = self.outbox.get(&seq) else { return Ok(Some(text)) };
        if !stopped.is_empty() && stopped.len() >= envelope.hashes.len() {
            return Ok(None);
        }
        if envelope.destination.is_reported() {
            return Ok(Some(if stopped.is_empty() { text } else { with_skip(&text, &stopped) }));
        }
        let changed = decisions.iter().filter(|(_, of)| of.left_out != of.stop.is_some());
        let changed: Vec<_> = changed
            .map(|(index, of)| (FlightRef { seq, index: *index }, Decision { left_out: of.stop.is_some(), ..*of }))
            .collect();
        self.decide(changed, effects);
        if stopped.is_empty() {
            return Ok(Some(text));
        }
        let envelope = super::flights::parse(&text, seq)?;
        let mut builder = EnvelopeBuilder::new(&self.shard, seq, envelope.fired_at, MAX_PAGE_TASKS);
        for (_, task) in (0..).zip(&envelope.tasks).filter(|(index, _)| !stopped.contains(index)) {
            builder.push(|out| out.extend_from_slice(task.get().as_bytes()));
        }
        Ok(Some(builder.finish()))
    }

    /// Ends an envelope that has gone unanswered and of which every run was stopped. Those that are paused wait to be resumed.
    pub(super) fn end_stopped(
        &mut self,
        seq: u64,
        now: UnixMillis,
        reader: &impl Reader,
        effects: &mut Effects,
    ) -> Result<(), EngineError> {
        // One that was refused, and is due twice, has ended already: what was decided about it is forgotten, so its runs would look unstopped.
        if !self.outbox.contains_key(&seq) {
            return Ok(());
        }
        let text = reader.envelope(seq)?;
        let patched = self.patched_of(seq, reader)?;
        let (_, mut records) = records_of(&text, seq)?;
        lay_over(&mut records, &patched, seq)?;
        let mut back = PutBack::default();
        for (index, record) in (0..).zip(&records) {
            back.push_unstarted(record, self.decided.at(FlightRef { seq, index }), now);
        }
        self.put_in(back, effects);
        self.finish(seq, now, reader, effects)
    }

    /// Puts back what the message that a user's queue has taken did not hold, and returns the indexes of all that it did not.
    pub(super) fn put_back_left_out(
        &mut self,
        seq: u64,
        records: &[Record<'_>],
        now: UnixMillis,
        effects: &mut Effects,
    ) -> Vec<u32> {
        let mut back = PutBack::default();
        let left_out: BTreeMap<u32, Decision> = self.decided.of(seq).into_iter().filter(|(_, of)| of.left_out).collect();
        for (index, decision) in &left_out {
            if let Some(record) = records.get(*index as usize) {
                back.push_unstarted(record, *decision, now);
            }
        }
        self.put_in(back, effects);
        left_out.into_keys().collect()
    }

    /// Reads the records of those tasks of an envelope that were patched while it was in flight.
    pub(super) fn patched_of(&self, seq: u64, reader: &impl Reader) -> Result<BTreeMap<u32, Vec<u8>>, EngineError> {
        let patched = self.decided.of(seq).into_iter().filter(|(_, of)| of.patched);
        patched.map(|(index, _)| Ok((index, reader.patched(seq, index)?))).collect()
    }
}

/// Puts patched records in the place of those that were dispatched.
pub(super) fn lay_over<'a>(records: &mut [Record<'a>], patched: &'a BTreeMap<u32, Vec<u8>>, seq: u64) -> Result<(), EngineError> {
    for (index, text) in patched {
        let record =
            Record::parse(text).map_err(|problem| EngineError::Corrupt(format!("a patch of envelope {seq}: {problem}")))?;
        if let Some(slot) = records.get_mut(*index as usize) {
            *slot = record;
        }
    }
    Ok(())
}
