//! Finding tasks by filter.
//!
//! A scan examines waiting tasks and attempts in flight in the order of a list. If a filter needs
//! the records of waiting tasks, the scan first reads them one by one. If most of these do not
//! match, it looks through the whole pages that they are in, each once, and remembers which of
//! their records match (`searches.rs`). A count looks through every page. A list looks through a
//! page once single records of it have cost as much as the page.

use super::Engine;
use super::walk::Direction;
use crate::budget::{LOOK_BYTES, READ_RECORD_BYTES};
use crate::entry_ref::{EntryRef, PageEntry};
use crate::error::EngineError;
use crate::flights::flight_at;
use crate::reader::Reader;
use crate::scan::{
    Candidate, Seen, Spent, Then, WholePages, known_outcome, matches_entry, needs_death, status_of,
};
use scheduler_calendar::ordered::sort;
use scheduler_model::bounds::SEARCHED_ROW_BYTES;
use scheduler_model::format::page::Entry;
use scheduler_model::numbers::PageNumber;
use scheduler_model::position::Position;
use scheduler_model::protocol::{Filter, ListRequest};
use scheduler_model::task::Record;

impl Engine {
    /// Calls `found` for each task, further attempt, attempt in flight and dead letter that the
    /// request matches, in the order of the direction, until `found` stops it. `found` counts its
    /// matches. `reads` says whether `found` reads the records of waiting tasks. Returns the cursor
    /// for the rest.
    pub(super) fn scan(
        &self,
        request: &ListRequest,
        direction: Direction,
        reads: bool,
        spent: &mut Spent,
        reader: &dyn Reader,
        mut found: impl FnMut(&mut Spent, Seen<'_>) -> Result<Then, EngineError>,
    ) -> Result<Option<Position>, EngineError> {
        let filter = &request.filter.folded();
        spent.search = self.searches.take(filter);
        let mut last = request.after;
        let mut walk = self.walk(filter, direction, request.after);
        while let Some(position) = walk.next() {
            if spent.is_all() {
                self.searches.keep(std::mem::take(&mut spent.search));
                return Ok(last);
            }
            spent.scanned += 1;
            let then = if let Some(flight) = flight_at(position) {
                self.look_at_flight(flight, position, filter, spent, reader, &mut found)?
            } else {
                let candidate = self.candidate(EntryRef::of(position));
                match self.look_at(&candidate, filter, spent, reader)? {
                    None => Then::Continue,
                    Some(record) => {
                        if reads && record.is_none() {
                            spent.bytes += self.tasks.record_bytes(candidate.at);
                        }
                        found(spent, Seen::Waiting(candidate, record))?
                    }
                }
            };
            if then != Then::StopBefore {
                last = Some(walk.place_of(position));
            }
            if then != Then::Continue {
                self.searches.keep(std::mem::take(&mut spent.search));
                return Ok(last.or(Some(direction.first_place())));
            }
        }
        self.searches.keep(std::mem::take(&mut spent.search));
        Ok(None)
    }

    /// Examines a waiting entry, and counts the bytes that it reads. Returns `None` if the
    /// [folded](Filter::folded) filter does not match it. Otherwise returns its record, if that was
    /// read for it alone.
    pub(super) fn look_at(
        &self,
        candidate: &Candidate,
        filter: &Filter,
        spent: &mut Spent,
        reader: &dyn Reader,
    ) -> Result<Option<Option<Vec<u8>>>, EngineError> {
        if !candidate.may_match(filter) {
            return Ok(None);
        }
        let needs_death = needs_death(filter, candidate.status, candidate.position.due);
        let needs_record = needs_death || candidate.needs_record(filter);
        if needs_record
            && !needs_death
            && let EntryRef::Page(entry) = candidate.at
            && let Some(is_match) = self.look_through(entry, filter, spent, reader)?
        {
            let is_meant = is_match && self.is_within(candidate, None, filter, spent, reader)?;
            spent.bytes += if is_meant { LOOK_BYTES } else { 0 };
            return Ok(is_meant.then_some(None));
        }
        let text = if needs_record { Some(self.record_of(candidate.at, reader)?) } else { None };
        spent.read += text.as_ref().map_or(0, |text| spent.row_bytes(text.len()));
        let is_meant = self.is_within(candidate, text.as_deref(), filter, spent, reader)?
            && text.as_ref().is_none_or(|text| {
                Record::parse(text).is_ok_and(|record| {
                    matches_entry(filter, &record, known_outcome(candidate.status))
                })
            });
        if is_meant {
            spent.bytes += text.as_ref().map_or(LOOK_BYTES, Vec::len);
        } else {
            spent.search.misses += usize::from(needs_record);
        }
        Ok(is_meant.then_some(text))
    }

    /// Returns whether the times of a filter match a waiting entry.
    fn is_within(
        &self,
        candidate: &Candidate,
        record: Option<&[u8]>,
        filter: &Filter,
        spent: &mut Spent,
        reader: &dyn Reader,
    ) -> Result<bool, EngineError> {
        if filter.from.is_none() && filter.to.is_none() {
            return Ok(true);
        }
        let time = self.time_of(candidate, record, spent, reader)?;
        Ok(time.is_some_and(|time| {
            filter.from.is_none_or(|from| time >= from) && filter.to.is_none_or(|to| time < to)
        }))
    }

    /// Returns whether a filter matches the record of an entry, from what the search remembers of
    /// its page. Looks through the page if that is cheaper than reading its records one by one.
    /// Returns `None` if the record must be read by itself.
    fn look_through(
        &self,
        PageEntry { page: number, index }: PageEntry,
        filter: &Filter,
        spent: &mut Spent,
        reader: &dyn Reader,
    ) -> Result<Option<bool>, EngineError> {
        let Some(page) = self.tasks.page(number) else { return Ok(None) };
        let index = index as usize;
        if let Some(is_match) = spent.search.matches(number, page, index) {
            return Ok(Some(is_match));
        }
        spent.search.is_by_pages |= spent.search.misses >= self.config.misses_before_pages;
        let is_whole = spent.search.is_by_pages
            || match spent.whole_pages {
                WholePages::AfterMisses => false,
                WholePages::IfCheaper => {
                    let page_bytes = (page.body_len as usize).max(SEARCHED_ROW_BYTES);
                    spent.search.bytes_one_by_one(number) >= page_bytes
                }
                WholePages::Always => true,
            };
        if !is_whole {
            if spent.whole_pages == WholePages::IfCheaper {
                let len = page.directory.get(index).map_or(0, |entry| entry.len as usize);
                spent.search.read_one(number, len.max(SEARCHED_ROW_BYTES));
            }
            return Ok(None);
        }
        let body = reader.body(number, 0, page.body_len)?;
        spent.read += spent.row_bytes(body.len());
        let mut matching = Vec::new();
        let live = (page.fired()..page.directory.len()).filter(|index| page.is_live(*index));
        for index in live {
            let Some(entry) = page.directory.get(index) else { continue };
            let start = entry.offset as usize;
            let text = body.get(start..start + entry.len as usize).unwrap_or_default();
            if !spent.search.sieve.may_match(text) {
                continue;
            }
            spent.read += READ_RECORD_BYTES;
            let outcome = known_outcome(status_of(&entry).0);
            if Record::parse(text).is_ok_and(|record| matches_entry(filter, &record, outcome)) {
                matching.push(index);
            }
        }
        spent.search.remember(number, page, matching.into_iter());
        Ok(spent.search.matches(number, page, index))
    }

    /// Reads the records of these entries, those of one page together, and calls `found` with each
    /// and its index among them.
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged, and the errors of `found`.
    pub(super) fn read_records(
        &self,
        entries: &[EntryRef],
        reader: &dyn Reader,
        mut found: impl FnMut(usize, Vec<u8>) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let page_of = |entry: &EntryRef| match entry {
            EntryRef::Page(at) => Some(at.page),
            EntryRef::Schedule(_) => None,
        };
        let mut by_page: Vec<(Option<PageNumber>, usize)> =
            entries.iter().map(page_of).zip(0..).collect();
        sort(&mut by_page);
        for of_page in by_page.chunk_by(|one, other| one.0.is_some() && one.0 == other.0) {
            let mut spans = Vec::with_capacity(of_page.len());
            for (_, at) in of_page {
                match entries.get(*at).copied() {
                    Some(EntryRef::Page(entry)) if of_page.len() > 1 => {
                        let Entry { offset, len, .. } = self.entry(entry)?;
                        spans.push((*at, offset, offset + len));
                    }
                    Some(entry) => found(*at, self.record_of(entry, reader)?)?,
                    None => {}
                }
            }
            let first = spans.iter().map(|(_, start, _)| *start).min();
            let end = spans.iter().map(|(.., end)| *end).max();
            let Some((Some(page), _)) = of_page.first().copied() else { continue };
            let (Some(first), Some(end)) = (first, end) else { continue };
            let body = reader.body(page, first, end - first)?;
            for (at, start, end) in spans {
                let text = body.get((start - first) as usize..(end - first) as usize);
                found(at, text.unwrap_or_default().to_vec())?;
            }
        }
        Ok(())
    }
}
