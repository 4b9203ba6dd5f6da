//! Helpers of the benchmarks: records and pages as real requests create them, and a storage in
//! memory.
//!
//! In scope: benchmarks of the core crates on the host. Not in scope: the platform, which the
//! scripts beside this file measure, and correctness, which the tests check.

use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Effects, Reader, StorageError, Write};
use scheduler_model::format::page::{Flags, Page, PageBuilder};
use scheduler_model::numbers::{EnvelopeSeq, PageNumber, ScheduleNumber};
use scheduler_model::routing::id_hash;
use std::collections::HashMap;

/// Returns a record of about 130 bytes, the size of a webhook task with a small payload.
pub fn record(id: &str, time: i64) -> Vec<u8> {
    format!(r#"{{"time":{time},"id":"{id}","callback":{{"type":"queue","queue":"FIRED_TASKS"}},"payload":{{"order":12345}}}}"#)
        .into_bytes()
}

/// Returns pages for the tasks in `range`, with the ids that `id` returns and the due times that
/// `due` returns.
pub fn pages(
    range: std::ops::Range<u64>,
    id: impl Fn(u64) -> String,
    due: impl Fn(u64) -> i64,
) -> Vec<Page> {
    let mut builder = PageBuilder::default();
    for n in range {
        let (id, due) = (id(n), due(n));
        let text = record(&id, due);
        assert!(builder.push(id_hash(&id), UnixMillis::new(due), Flags::TO_QUEUE, |out| {
            out.extend_from_slice(&text)
        }));
    }
    builder.finish()
}

/// A storage in memory, from which the engine reads what it has written. Unlike the storage of
/// `scheduler_engine::testing`, it checks nothing, because its time is measured together with the
/// engine's.
#[derive(Debug, Default, Clone)]
pub struct Memory {
    bodies: HashMap<PageNumber, Vec<u8>>,
    envelopes: HashMap<EnvelopeSeq, Vec<u8>>,
    history: HashMap<u64, Vec<u8>>,
}

impl Memory {
    /// Applies the writes of an input.
    pub fn apply(&mut self, effects: &Effects) {
        for write in &effects.writes {
            match write {
                Write::InsertPage { page, body, .. } => {
                    self.bodies.insert(*page, body.clone());
                }
                Write::ExtendPage { page, tail, .. } => {
                    self.bodies.entry(*page).or_default().extend_from_slice(tail)
                }
                Write::DeletePage { page, .. } => {
                    self.bodies.remove(page);
                }
                Write::InsertEnvelope { seq, text, .. } => {
                    self.envelopes.insert(*seq, text.to_vec());
                }
                Write::ClearEnvelope { seq, .. } | Write::DeleteEnvelope { seq } => {
                    self.envelopes.remove(seq);
                }
                Write::InsertHistory { row, body, .. } => {
                    self.history.insert(*row, body.clone());
                }
                Write::ExtendHistory { row, tail, .. } => {
                    self.history.entry(*row).or_default().extend_from_slice(tail)
                }
                _ => {}
            }
        }
    }
}

impl Reader for Memory {
    fn body(&self, page: PageNumber, offset: u32, len: u32) -> Result<Vec<u8>, StorageError> {
        let body = self.bodies.get(&page).ok_or_else(|| StorageError(format!("no page {page}")))?;
        body.get(offset as usize..(offset + len) as usize)
            .map(<[u8]>::to_vec)
            .ok_or_else(|| StorageError(format!("page {page} is short")))
    }

    fn schedule(&self, number: ScheduleNumber) -> Result<Vec<u8>, StorageError> {
        Err(StorageError(format!("no schedule {number}")))
    }

    fn envelope(&self, seq: EnvelopeSeq) -> Result<Vec<u8>, StorageError> {
        self.envelopes.get(&seq).cloned().ok_or_else(|| StorageError(format!("no envelope {seq}")))
    }

    fn history(&self, row: u64) -> Result<Vec<u8>, StorageError> {
        self.history
            .get(&row)
            .cloned()
            .ok_or_else(|| StorageError(format!("no row {row} of the history")))
    }
}
