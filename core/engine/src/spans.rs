//! What a firing reads: one span of each page's body, and each recurring task's record once.

use crate::error::EngineError;
use crate::reader::Reader;
use scheduler_model::format::page::Entry;
use scheduler_model::numbers::{PageNumber, ScheduleNumber};
use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;

/// The part of a page's body that a firing needs. Tasks that fire together are stored together.
struct Span {
    from: u32,
    to: u32,
    bytes: Vec<u8>,
}

/// The spans of a firing's pages.
#[derive(Default)]
pub(super) struct Spans {
    pages: HashMap<PageNumber, Span>,
}

impl Spans {
    /// Adds the record of an entry. Returns how many more bytes must be read, including those
    /// between it and the other records of its page.
    pub(super) fn add(&mut self, page: PageNumber, entry: &Entry) -> usize {
        let end = entry.offset.saturating_add(entry.len);
        match self.pages.entry(page) {
            Place::Vacant(place) => {
                place.insert(Span { from: entry.offset, to: end, bytes: Vec::new() });
                entry.len as usize
            }
            Place::Occupied(mut place) => {
                let span = place.get_mut();
                let before = span.to - span.from;
                (span.from, span.to) = (span.from.min(entry.offset), span.to.max(end));
                (span.to - span.from - before) as usize
            }
        }
    }

    /// Reads the spans.
    pub(super) fn read(&mut self, reader: &dyn Reader) -> Result<(), EngineError> {
        for (page, span) in &mut self.pages {
            span.bytes = reader.body(*page, span.from, span.to - span.from)?;
        }
        Ok(())
    }

    /// Returns the record of an entry that was added before the spans were read.
    pub(super) fn record(&self, page: PageNumber, entry: &Entry) -> Result<&[u8], EngineError> {
        let record = self.pages.get(&page).and_then(|span| {
            let start = entry.offset.checked_sub(span.from)? as usize;
            span.bytes.get(start..start.checked_add(entry.len as usize)?)
        });
        record.ok_or_else(|| EngineError::Corrupt("a record lies beyond its page".to_owned()))
    }
}

/// The records of recurring tasks with due runs.
#[derive(Default)]
pub(super) struct ScheduleRecords {
    records: HashMap<ScheduleNumber, Vec<u8>>,
}

impl ScheduleRecords {
    /// Returns the record of a recurring task, which is read once.
    pub(super) fn get(
        &mut self,
        number: ScheduleNumber,
        reader: &dyn Reader,
    ) -> Result<&[u8], EngineError> {
        match self.records.entry(number) {
            Place::Occupied(place) => Ok(place.into_mut()),
            Place::Vacant(place) => Ok(place.insert(reader.schedule(number)?)),
        }
    }
}
