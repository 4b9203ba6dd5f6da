//! One-shot tasks at a local time, and changes of the law of their zone.
//!
//! Such a task keeps its local time and its zone. It also keeps the instant that they denote by the
//! current law, which determines its place in the order. Its entry has [`Flags::LOCAL`]. The state
//! names the release of the time zones by which all such tasks are planned. A start-up with another
//! release searches for pages with such entries, which costs a look at one byte of each page.
//! Wake-ups plan these tasks again before anything fires, a bounded part each. The commit of the
//! last part stores the release. After a crash, planning starts again with the first part; this
//! does not change tasks that are planned already.
//!
//! | a task that waits | what a new law does |
//! |---|---|
//! | for its time, also in a lane, also if that is past by now | moves it; if the new time is past, it fires at once |
//! | for a resume | moves the time at which it is due then |
//! | because it was sent `run`, or because its time was past when it came | nothing: it fires at once |
//! | for a further attempt, for its destination, or in flight; a dead letter | nothing: its run is named by its time |
//!
//! A recurring task has no entry, because its occurrences are computed when it is loaded.

use super::Engine;
use crate::budget::MAX_REPLANNED_BYTES;
use crate::effects::Effects;
use crate::entry_ref::EntryRef;
use crate::error::EngineError;
use crate::event_buffer::event;
use crate::reader::Reader;
use crate::rebuilt_page::{KeptEntry, rebuilt, record_in};
use crate::replan::{Replanned, replanned};
use crate::requeue::RequeuedRecords;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::{Directory, Flags, Page};
use scheduler_model::numbers::PageNumber;
use scheduler_model::protocol::EventKind;
use scheduler_model::task::Record;
use std::collections::BTreeMap;

impl Engine {
    /// Collects, at start-up, the pages whose tasks a changed law may move.
    pub(super) fn compare_law(&mut self) {
        if self.state.law == self.config.law.release {
            return;
        }
        let pages = self.tasks.pages().filter(|(_, page)| page.directory.has_local());
        self.to_replan.pages = pages.map(|(number, _)| number).collect();
        if self.to_replan.is_any() {
            // Until all tasks are planned, they follow no single release.
            self.state.law.clear();
        }
    }

    /// Handles a page to which tasks were added. If it has the first task at a local time, the same
    /// commit stores the law by which it is planned. While some tasks are not planned by the
    /// current law, added entries may come from such tasks, so the page is planned again, too.
    pub(super) fn note_law(
        &mut self,
        number: PageNumber,
        added: &Directory,
        effects: &mut Effects,
    ) {
        if !added.has_local()
            || self.state.law == self.config.law.release
            || self.to_replan.is_at_work
        {
            return;
        }
        if !self.to_replan.is_any() {
            self.config.law.release.clone_into(&mut self.state.law);
            effects.writes.push(self.save_state());
            return;
        }
        self.to_replan.pages.insert(number);
        if !std::mem::replace(&mut self.to_replan.is_noted, true) {
            effects.writes.push(self.save_state());
        }
    }

    /// Plans a part of the tasks at a local time by the current law.
    pub(super) fn replan(
        &mut self,
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<(), EngineError> {
        let (mut killed, mut back, mut bytes) = (Vec::new(), RequeuedRecords::default(), 0);
        while bytes < MAX_REPLANNED_BYTES {
            let Some(number) = self.to_replan.pages.pop_first() else { break };
            bytes += self.replan_page(number, now, reader, &mut killed, &mut back)?;
        }
        self.to_replan.resumes_at = now.plus(1);
        let has_moved = !killed.is_empty();
        self.kill(&killed, effects);
        self.to_replan.is_at_work = true;
        self.insert_requeued(back, effects);
        self.to_replan.is_at_work = false;
        if !self.to_replan.is_any() {
            self.to_replan.is_noted = false;
            self.config.law.release.clone_into(&mut self.state.law);
        }
        if has_moved || !self.to_replan.is_any() {
            effects.writes.push(self.save_state());
        }
        Ok(())
    }

    /// Plans the tasks of one page. Returns the bytes that it has read and will write.
    fn replan_page(
        &mut self,
        number: PageNumber,
        now: UnixMillis,
        reader: &dyn Reader,
        killed: &mut Vec<EntryRef>,
        back: &mut RequeuedRecords,
    ) -> Result<usize, EngineError> {
        // A cancel may have removed the page since it was collected.
        let Some(page) = self.tasks.page(number) else { return Ok(0) };
        let live = page
            .directory
            .iter()
            .enumerate()
            .skip(page.fired())
            .filter(|(index, _)| page.is_live(*index));
        let local: Vec<_> = live.filter(|(_, entry)| entry.flags.has(Flags::LOCAL)).collect();
        let start = local.iter().map(|(_, entry)| entry.offset).min().unwrap_or(0);
        let end = local.iter().map(|(_, entry)| entry.offset + entry.len).max().unwrap_or(0);
        if end == start {
            return Ok(0);
        }
        let body = reader.body(number, start, end - start)?;
        let mut bytes = body.len();
        for (index, entry) in local {
            let at = entry.offset.saturating_sub(start) as usize;
            let corrupt = |problem| {
                EngineError::Corrupt(format!("record {index} of page {number}: {problem}"))
            };
            let text = body.get(at..at + entry.len as usize).unwrap_or_default();
            let record = Record::parse(text).map_err(|problem| corrupt(problem.to_string()))?;
            let Some(Replanned { due, record: text }) =
                replanned(&record, entry.due, &self.config.law, now)
            else {
                continue;
            };
            let moved = Record::parse(&text).map_err(|problem| corrupt(problem.to_string()))?;
            bytes += text.len();
            back.push(&moved, due, entry.flags);
            killed.push(EntryRef::page(number, index));
            if self.events.is_on(now) {
                self.events.push(event(EventKind::Rescheduled, &moved, "", now));
            }
        }
        Ok(bytes)
    }

    /// Plans tasks of a request that were planned by another law because their sender has another
    /// version. Returns how many there were.
    pub(super) fn by_law(&self, pages: Vec<Page>, now: UnixMillis) -> (Vec<Page>, u64) {
        if !pages.iter().any(|page| page.directory.has_local()) {
            return (pages, 0);
        }
        let (mut planned, mut moved) = (Vec::with_capacity(pages.len()), 0);
        for page in pages {
            let mut kept = BTreeMap::new();
            for (index, entry) in
                page.directory.iter().enumerate().filter(|(_, entry)| entry.flags.has(Flags::LOCAL))
            {
                // Later checks refuse an invalid record.
                let Ok(record) = Record::parse(record_in(&page, &entry)) else { continue };
                if let Some(Replanned { due, record }) =
                    replanned(&record, entry.due, &self.config.law, now)
                {
                    kept.insert(index, KeptEntry { due, record: Some(record) });
                }
            }
            moved += kept.len() as u64;
            planned.extend(if kept.is_empty() { vec![page] } else { rebuilt(&page, kept) });
        }
        (planned, moved)
    }
}
