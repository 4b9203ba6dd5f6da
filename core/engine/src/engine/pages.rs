//! Adds and cancels entries of pages.

use super::Engine;
use crate::effects::{Effects, Write};
use crate::entry_ref::EntryRef;
use scheduler_model::bounds::{MAX_PAGE_TASKS, OPEN_PAGE_APPEND_BYTES, OPEN_PAGE_BYTES};
use scheduler_model::format::page::Page;
use scheduler_model::numbers::PageNumber;
use std::collections::BTreeSet;

impl Engine {
    /// Cancels live entries and recurring tasks in memory, and writes a row for each page or
    /// schedule that changes.
    pub(super) fn kill(&mut self, refs: &[EntryRef], effects: &mut Effects) {
        let mut touched = BTreeSet::new();
        for at in refs {
            match *at {
                EntryRef::Schedule(number) => {
                    self.tasks.remove_schedule(number);
                    effects.writes.push(Write::DeleteSchedule { number });
                }
                EntryRef::Page(at) => {
                    let had_cancelled =
                        self.tasks.page(at.page).is_some_and(|page| page.has_cancelled());
                    touched.insert((at.page, had_cancelled));
                    self.tasks.kill(at);
                }
            }
        }
        let mut last = None;
        for (number, had_cancelled) in touched {
            // `had_cancelled` is the value at the first kill of the page: (page, false) sorts
            // before (page, true).
            if last == Some(number) {
                continue;
            }
            last = Some(number);
            let Some(page) = self.tasks.page(number) else {
                return self.contradicts("the page of a cancelled entry does not exist");
            };
            if page.live() == 0 {
                effects.writes.push(Write::DeletePage { page: number, has_dead: had_cancelled });
                self.tasks.remove_page(number);
            } else {
                effects.writes.push(Write::SetDead { page: number, bits: page.cancelled_bits() });
            }
        }
    }

    /// Adds a page with keyed hashes. A small page extends the open page instead.
    pub(super) fn add_page(&mut self, mut page: Page, effects: &mut Effects) {
        if page.directory.is_empty() {
            return;
        }
        page.directory.set_keyed();
        // The first free place is strictly later than everything that was dispatched.
        let lane = page.directory.lane();
        page.directory.raise_to(self.watermark_of(lane).due.plus(1));
        if page.body.len() <= OPEN_PAGE_APPEND_BYTES
            && let Some(number) = self.open_page_for(&page)
        {
            self.extend(number, page, effects);
            return;
        }
        let number = self.next_page();
        if page.body.len() <= OPEN_PAGE_APPEND_BYTES {
            *self.open_page(lane) = Some(number);
        }
        let body_len = page.body.len() as u32;
        effects.writes.push(Write::InsertPage {
            page: number,
            directory: page.directory.bytes().to_vec(),
            body: page.body,
        });
        self.note_law(number, &page.directory, effects);
        self.tasks.insert_page(number, page.directory, body_len, 0, Vec::new());
        self.note_lapses(number);
    }

    /// Returns the number of the open page if it has room for this page. A page with cancelled
    /// entries has no room, because the bits of its entries would move.
    fn open_page_for(&mut self, more: &Page) -> Option<PageNumber> {
        let number = (*self.open_page(more.directory.lane()))?;
        let page = self.tasks.page(number)?;
        // Another page may have got the number since then.
        let fits = page.directory.lane() == more.directory.lane()
            && page.body_len as usize + more.body.len() <= OPEN_PAGE_BYTES
            && page.directory.len() + more.directory.len() <= MAX_PAGE_TASKS
            && !page.has_cancelled();
        fits.then_some(number)
    }

    fn extend(&mut self, number: PageNumber, more: Page, effects: &mut Effects) {
        self.note_law(number, &more.directory, effects);
        let Some(offset) = self.tasks.page(number).map(|page| page.body_len) else {
            return self.contradicts("the open page does not exist");
        };
        for entry in more.directory.iter() {
            self.tasks.insert_entry(
                number,
                scheduler_model::format::page::Entry { offset: offset + entry.offset, ..entry },
            );
        }
        let Some(page) = self.tasks.page(number) else {
            return self.contradicts("the open page does not exist");
        };
        effects.writes.push(Write::ExtendPage {
            page: number,
            directory: page.directory.bytes().to_vec(),
            tail: more.body,
        });
        self.note_lapses(number);
    }
}
