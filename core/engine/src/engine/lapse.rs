//! Tasks that lapse while they wait in a lane: they expire, or their misfire policy skips them.
//!
//! The engine drops lapsed tasks before it assigns or requests slots and tokens. If it assigned
//! first, lapsed tasks would use up the rate, and under overload no task would run. It examines
//! only tasks with such a policy ([`Flags::CONDITIONAL`]). The result for a page is valid until its
//! first task lapses. So the engine reads a page once, and again when it drops a task of the page.
//!
//! Each search first judges the front of every lane, as many tasks as the next firings may need.
//! With what is left of its bytes, it judges pages behind the fronts, which take turns over the
//! next wake-ups. So a task lapses in time however many tasks are before it.

use super::Engine;
use crate::budget::{CONDITIONAL_BYTES, ENOUGH_TASKS, LAPSE_ENTRY_BYTES, MAX_LAPSE_BYTES};
use crate::effects::Effects;
use crate::entry_ref::{EntryRef, PageEntry};
use crate::error::{EngineError, contradiction};
use crate::lapses::{Judged, Lapses};
use crate::policy::{Undispatched, Verdict, judge_until};
use crate::reader::Reader;
use scheduler_calendar::ordered::sort_by_key;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::{Entry, Flags};
use scheduler_model::numbers::{LaneNumber, PageNumber};
use scheduler_model::position::Position;
use std::collections::BTreeMap;

/// A search of the lanes for lapsed tasks.
#[derive(Default)]
struct Look {
    bytes: usize,
    lapsed: Vec<(Position, Undispatched)>,
}

impl Engine {
    /// Removes the lapsed tasks of lanes and returns them. The caller drops them in the same
    /// commit.
    pub(super) fn take_lapsed(
        &mut self,
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<Vec<Undispatched>, EngineError> {
        let mut look = Look::default();
        let mut behind = Vec::new();
        for lane in self.lanes.that_may_lapse() {
            behind.push((lane, self.look_at_front(lane, now, reader, &mut look)?));
        }
        for (lane, pages) in behind {
            self.look_behind(lane, pages, now, reader, &mut look)?;
        }
        if look.lapsed.is_empty() {
            return Ok(Vec::new());
        }
        sort_by_key(&mut look.lapsed, |(at, _)| *at);
        let places: Vec<EntryRef> = look.lapsed.iter().map(|(at, _)| EntryRef::of(*at)).collect();
        self.kill(&places, effects);
        Ok(look.lapsed.into_iter().map(|(_, dropped)| dropped).collect())
    }

    /// Judges the first tasks of a lane, until enough of them may fire. Returns the pages behind
    /// them; none if the search has reached its bound before.
    fn look_at_front(
        &mut self,
        lane: LaneNumber,
        now: UnixMillis,
        reader: &dyn Reader,
        look: &mut Look,
    ) -> Result<Vec<PageNumber>, EngineError> {
        let mut lapses = self.take_lapses(lane)?;
        let pages = self.tasks.due_pages(lane, now);
        let mut rest = pages.iter();
        let (mut fit, mut is_cut) = (0, false);
        let mut found = BTreeMap::new();
        while fit < ENOUGH_TASKS
            && let Some(page) = rest.next().copied()
        {
            let known = lapses.pages.get(&page).copied().filter(|judged| now < judged.until);
            if look.bytes >= MAX_LAPSE_BYTES && known.is_none() {
                is_cut = true;
                break;
            }
            fit += self.judge_page(page, known, now, reader, look, &mut found)?;
        }
        // The results for pages that this search has not reached stay valid until their first task
        // lapses.
        lapses.pages.retain(|page, judged| {
            now < judged.until && !found.contains_key(page) && self.tasks.page(*page).is_some()
        });
        lapses.pages.append(&mut found);
        lapses.resumes_at = (is_cut && fit == 0).then_some(now.plus(1));
        lapses.look_at = is_cut.then_some(now.plus(1));
        self.set_lapses(lane, lapses);
        Ok(if is_cut { Vec::new() } else { rest.copied().collect() })
    }

    /// Judges those tasks of pages behind the front of a lane that are not judged, up to the bound
    /// of the search. Plans the next search, unless the search of the front has.
    fn look_behind(
        &mut self,
        lane: LaneNumber,
        pages: Vec<PageNumber>,
        now: UnixMillis,
        reader: &dyn Reader,
        look: &mut Look,
    ) -> Result<(), EngineError> {
        let mut lapses = self.take_lapses(lane)?;
        let mut is_cut = false;
        for page in lapses.in_turn(pages) {
            let known = lapses.pages.get(&page).copied();
            if known.is_some_and(|judged| self.is_judged_wholly(page, judged, now)) {
                continue;
            }
            if look.bytes >= MAX_LAPSE_BYTES {
                is_cut = true;
                break;
            }
            self.judge_page(page, known, now, reader, look, &mut lapses.pages)?;
            lapses.reached = Some(page);
        }
        // A search that goes on behind the front keeps to the gap between firings: each wake-up
        // fires what is due, and envelopes with few tasks cost more.
        let gap = now.plus(self.config.fire_gap_millis.max(1));
        let all = lapses.pages.values().map(|judged| judged.until);
        let first = all.min().filter(|until| !until.is_never()).map(|first| first.max(gap));
        lapses.look_at = lapses.look_at.or(if is_cut { Some(gap) } else { first });
        self.set_lapses(lane, lapses);
        Ok(())
    }

    fn take_lapses(&mut self, lane: LaneNumber) -> Result<Lapses, EngineError> {
        self.lanes
            .lapses(lane)
            .map(std::mem::take)
            .ok_or_else(|| contradiction("a lane with tasks that may lapse does not exist"))
    }

    fn set_lapses(&mut self, lane: LaneNumber, lapses: Lapses) {
        if let Some(of) = self.lanes.lapses(lane) {
            *of = lapses;
        }
    }

    /// Returns whether a result for a page covers all of its due tasks.
    fn is_judged_wholly(&self, page: PageNumber, judged: Judged, now: UnixMillis) -> bool {
        let page = self.tasks.page(page);
        page.is_some_and(|page| page.directory.before(now.plus(1)) <= judged.to as usize)
    }

    /// Judges the due tasks of a page that are not `known`. Returns how many of them may fire.
    fn judge_page(
        &self,
        number: PageNumber,
        known: Option<Judged>,
        now: UnixMillis,
        reader: &dyn Reader,
        look: &mut Look,
        found: &mut BTreeMap<PageNumber, Judged>,
    ) -> Result<usize, EngineError> {
        let Some(page) = self.tasks.page(number) else {
            return Err(contradiction("a page with due entries does not exist"));
        };
        let due = page.fired()..page.directory.before(now.plus(1));
        let from = known.map_or(0, |judged| judged.to as usize);
        look.bytes += LAPSE_ENTRY_BYTES * due.end.saturating_sub(from.max(due.start));
        let mut judged = Judged {
            to: due.end as u32,
            until: known.map_or(UnixMillis::NEVER, |judged| judged.until),
        };
        let mut fit = 0;
        let mut unknown: Vec<(u32, Entry)> = Vec::new();
        for index in due.filter(|index| page.is_live(*index)) {
            let Some(entry) = page.directory.get(index) else { continue };
            if index < from || !entry.flags.has(Flags::CONDITIONAL) {
                fit += 1;
            } else {
                unknown.push((index as u32, entry));
            }
        }
        let start = unknown.iter().map(|(_, entry)| entry.offset).min().unwrap_or(0);
        let end = unknown.iter().map(|(_, entry)| entry.offset + entry.len).max().unwrap_or(0);
        let body = if unknown.is_empty() {
            Vec::new()
        } else {
            reader.body(number, start, end.saturating_sub(start))?
        };
        look.bytes += body.len();
        for (index, entry) in unknown {
            let at = entry.offset.saturating_sub(start) as usize;
            let record = body.get(at..at + entry.len as usize).unwrap_or_default();
            match judge_until(record, entry.flags, now)? {
                (Verdict::Fire, until) => {
                    judged.until = judged.until.min(until);
                    fit += 1;
                }
                (verdict, _) => {
                    let at = EntryRef::Page(PageEntry { page: number, index });
                    let at = at.position(entry.due);
                    let dropped = Undispatched {
                        record: record.to_vec(),
                        hash: entry.hash,
                        flags: entry.flags,
                        verdict,
                    };
                    look.lapsed.push((at, dropped));
                    look.bytes += CONDITIONAL_BYTES;
                }
            }
        }
        found.insert(number, judged);
        Ok(fit)
    }

    /// Marks a page that was added to a lane, or has grown, to be judged.
    pub(super) fn note_lapses(&mut self, number: PageNumber) {
        let Some(page) =
            self.tasks.page(number).filter(|page| page.directory.lane() != LaneNumber::MAIN)
        else {
            return;
        };
        if page.directory.iter().any(|entry| entry.flags.has(Flags::CONDITIONAL))
            && let Some(lapses) = self.lanes.lapses(page.directory.lane())
        {
            lapses.note(number);
        }
    }

    /// Returns whether the head of a lane, which is due, may fire: it was judged, or it cannot
    /// lapse.
    pub(super) fn is_head_judged(&self, lane: LaneNumber, head: Position) -> bool {
        let Some(lapses) = self.lanes.lapses_of(lane).filter(|lapses| lapses.is_needed) else {
            return true;
        };
        let is_conditional = self.flags_of(EntryRef::of(head)).has(Flags::CONDITIONAL);
        !is_conditional || lapses.is_judged(head)
    }
}

#[cfg(test)]
#[path = "lapse_tests.rs"]
mod tests;
