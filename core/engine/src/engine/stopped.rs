//! Redelivery of an envelope that contains stopped runs. None of these runs starts again.
//!
//! Dispatchers report by index, so their message keeps all records and lists the indexes to skip. A
//! user's own consumer does not know such a list, so its message omits the stopped runs. An
//! envelope whose runs are all stopped is not sent again; it ends.

use super::Engine;
use crate::decisions::{Decision, FlightRef};
use crate::effects::Effects;
use crate::envelopes::{lay_over, mark_paused, parse_envelope, records_of};
use crate::error::{EngineError, contradiction};
use crate::reader::Reader;
use crate::requeue::RequeuedRecords;
use scheduler_calendar::ordered::collected;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_PAGE_TASKS;
use scheduler_model::format::envelope::{EnvelopeBuilder, with_skip};
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::task::Record;
use std::collections::BTreeMap;

impl Engine {
    /// Returns the message of a redelivery, or `None` if every run of the envelope is stopped.
    /// Stores which runs a message to a user's queue omits, because that queue sends no report.
    pub(super) fn text_to_send_again(
        &mut self,
        seq: EnvelopeSeq,
        text: Vec<u8>,
        effects: &mut Effects,
    ) -> Result<Option<Vec<u8>>, EngineError> {
        let decisions = self.decisions.of(seq);
        let stopped: Vec<u32> =
            decisions.iter().filter(|(_, of)| of.stop.is_some()).map(|(index, _)| *index).collect();
        let Some(envelope) = self.outbox.get(&seq) else {
            return Err(contradiction("an envelope that is sent again is done"));
        };
        if !stopped.is_empty() && stopped.len() >= envelope.hashes.len() {
            return Ok(None);
        }
        if envelope.destination.is_reported() {
            return Ok(Some(if stopped.is_empty() { text } else { with_skip(&text, &stopped) }));
        }
        let changed = decisions.iter().filter(|(_, of)| of.omitted != of.stop.is_some());
        let changed: Vec<_> = changed
            .map(|(index, of)| {
                (FlightRef { seq, index: *index }, Decision { omitted: of.stop.is_some(), ..*of })
            })
            .collect();
        self.decide(changed, BTreeMap::new(), effects);
        if stopped.is_empty() {
            return Ok(Some(text));
        }
        let envelope = parse_envelope(&text, seq)?;
        let mut builder = EnvelopeBuilder::new(&self.shard, seq, envelope.fired_at, MAX_PAGE_TASKS);
        for (_, task) in (0..).zip(&envelope.tasks).filter(|(index, _)| !stopped.contains(index)) {
            builder.push(|out| out.extend_from_slice(task.get().as_bytes()));
        }
        Ok(Some(builder.finish()))
    }

    /// Ends an envelope without a report if all its runs are stopped. Paused runs become entries
    /// that wait to be resumed.
    pub(super) fn end_stopped(
        &mut self,
        seq: EnvelopeSeq,
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<(), EngineError> {
        // A refused envelope that is due twice has ended already. The decisions about it are
        // deleted, so its runs would not look stopped.
        if !self.outbox.contains_key(&seq) {
            return Ok(());
        }
        let text = reader.envelope(seq)?;
        let patched = self.patched_of(seq, reader)?;
        let marks = self.decisions.marks(seq);
        let (_, mut records) = records_of(&text, seq)?;
        lay_over(&mut records, &patched, seq)?;
        mark_paused(&mut records, &marks);
        let mut back = RequeuedRecords::default();
        for (index, record) in (0..).zip(&records) {
            back.push_unstarted(record, self.decisions.at(FlightRef { seq, index }), now);
        }
        self.insert_requeued(back, effects);
        self.finish(seq, now, reader, effects)
    }

    /// Requeues the paused runs that the message to a user's queue omitted. Returns the indexes of
    /// all omitted runs.
    pub(super) fn requeue_omitted(
        &mut self,
        seq: EnvelopeSeq,
        records: &[Record<'_>],
        now: UnixMillis,
        effects: &mut Effects,
    ) -> Vec<u32> {
        let mut back = RequeuedRecords::default();
        let omitted: BTreeMap<u32, Decision> =
            collected(self.decisions.of(seq).into_iter().filter(|(_, of)| of.omitted));
        let marks = self.decisions.marks(seq);
        for (index, decision) in &omitted {
            let Some(record) = records.get(*index as usize) else { continue };
            match marks.get(index) {
                Some(mark) => back.push_unstarted(&mark.on(record.clone()), *decision, now),
                None => back.push_unstarted(record, *decision, now),
            }
        }
        self.insert_requeued(back, effects);
        omitted.into_keys().collect()
    }

    /// Reads the records of those tasks of an envelope that were patched while it was in flight.
    pub(super) fn patched_of(
        &self,
        seq: EnvelopeSeq,
        reader: &dyn Reader,
    ) -> Result<BTreeMap<u32, Vec<u8>>, EngineError> {
        let mut records = BTreeMap::new();
        for (index, _) in self.decisions.of(seq).into_iter().filter(|(_, of)| of.patched) {
            records.insert(index, reader.patched(seq, index)?);
        }
        Ok(records)
    }
}
