//! Pages of a request in which the engine replaces some entries before it stores them.

use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::{Directory, Entry, Page, PageBuilder};
use std::collections::BTreeMap;

/// The replacement of a one-shot task of a request. The task keeps something of the former task, or
/// this shard's law gives it another time.
pub(super) struct KeptEntry {
    pub(super) due: UnixMillis,
    /// `None` if the record stays as the request has it.
    pub(super) record: Option<Vec<u8>>,
}

/// Returns the record of an entry. Returns an empty slice if the record lies outside of the page.
pub(super) fn record_in<'a>(page: &'a Page, entry: &Entry) -> &'a [u8] {
    let start = entry.offset as usize;
    page.body.get(start..start + entry.len as usize).unwrap_or_default()
}

/// Builds a page again with the entries in `kept` replaced, by index. Entries that do not fire by
/// themselves go to the main order, whatever their key.
pub(super) fn rebuilt(page: &Page, mut kept: BTreeMap<usize, KeptEntry>) -> Vec<Page> {
    let lane = page.directory.lane();
    let (mut of_lane, mut of_main) = (Pages::default(), Pages::default());
    for (index, entry) in page.directory.iter().enumerate() {
        let (due, record) = match kept.remove(&index) {
            Some(KeptEntry { due, record }) => (due, record),
            None => (entry.due, None),
        };
        let record = record.as_deref().unwrap_or_else(|| record_in(page, &entry));
        if due.is_never() { &mut of_main } else { &mut of_lane }
            .push(Entry { due, ..entry }, record);
    }
    let mut pages = of_lane.finish();
    pages.iter_mut().for_each(|page| page.directory.set_lane(lane));
    pages.extend(of_main.finish());
    pages
}

#[derive(Default)]
struct Pages {
    builder: PageBuilder,
    /// Records that are larger than a new record may be, because of what they keep.
    grown: Vec<Page>,
}

impl Pages {
    fn push(&mut self, entry: Entry, record: &[u8]) {
        if !self
            .builder
            .push(entry.hash, entry.due, entry.flags, |out| out.extend_from_slice(record))
        {
            let entry = Entry { offset: 0, len: record.len() as u32, ..entry };
            self.grown.push(Page { directory: Directory::new(vec![entry]), body: record.to_vec() });
        }
    }

    fn finish(self) -> Vec<Page> {
        self.builder.finish().into_iter().chain(self.grown).collect()
    }
}
