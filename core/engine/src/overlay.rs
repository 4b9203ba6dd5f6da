//! Reads that include the writes of the current input, which storage does not have yet.

use crate::effects::Write;
use crate::error::StorageError;
use crate::reader::Reader;
use scheduler_model::numbers::{EnvelopeSeq, PageNumber, ScheduleNumber};
use std::collections::BTreeMap;

/// A reader that also has the page bodies of writes that are not applied yet.
pub(super) struct Overlay<'r> {
    reader: &'r dyn Reader,
    /// By page: the offset of the bytes, and the bytes.
    bodies: BTreeMap<PageNumber, (u32, Vec<u8>)>,
}

impl<'r> Overlay<'r> {
    /// Adds writes to a reader. `body_len` returns the length of a page's body after all of them.
    pub(super) fn new(
        reader: &'r dyn Reader,
        writes: &[Write],
        body_len: impl Fn(PageNumber) -> Option<u32>,
    ) -> Self {
        let mut bodies: BTreeMap<PageNumber, (u32, Vec<u8>)> = BTreeMap::new();
        for write in writes {
            match write {
                Write::InsertPage { page, body, .. } => {
                    drop(bodies.insert(*page, (0, body.clone())))
                }
                Write::ExtendPage { page, tail, .. } => {
                    bodies.entry(*page).or_default().1.extend_from_slice(tail)
                }
                Write::DeletePage { page, .. } => drop(bodies.remove(page)),
                _ => {}
            }
        }
        for (page, (from, bytes)) in &mut bodies {
            *from = body_len(*page).map_or(0, |len| {
                len.saturating_sub(u32::try_from(bytes.len()).unwrap_or(u32::MAX))
            });
        }
        Self { reader, bodies }
    }
}

impl Reader for Overlay<'_> {
    fn reads_the_commit(&self) -> bool {
        true
    }

    fn body(&self, page: PageNumber, offset: u32, len: u32) -> Result<Vec<u8>, StorageError> {
        let written = self.bodies.get(&page).and_then(|(from, bytes)| {
            let start = offset.checked_sub(*from)? as usize;
            bytes.get(start..start.checked_add(len as usize)?)
        });
        written.map_or_else(|| self.reader.body(page, offset, len), |bytes| Ok(bytes.to_vec()))
    }

    fn schedule(&self, number: ScheduleNumber) -> Result<Vec<u8>, StorageError> {
        self.reader.schedule(number)
    }

    fn envelope(&self, seq: EnvelopeSeq) -> Result<Vec<u8>, StorageError> {
        self.reader.envelope(seq)
    }

    fn remembered(&self, key: &[u8; 16], periods: &[i64]) -> Result<Option<Vec<u8>>, StorageError> {
        self.reader.remembered(key, periods)
    }

    fn history(&self, row: u64) -> Result<Vec<u8>, StorageError> {
        self.reader.history(row)
    }

    fn patched(&self, seq: EnvelopeSeq, index: u32) -> Result<Vec<u8>, StorageError> {
        self.reader.patched(seq, index)
    }
}
