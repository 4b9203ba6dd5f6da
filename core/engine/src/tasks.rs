//! The tasks of a shard in memory: the directories of pages, the recurring tasks, a timer for the
//! head of each, and an index of ids.
//!
//! Each pending task takes 20 bytes in a directory and 10 to 21 bytes in the index (8 and a control
//! byte, at a load of 44 to 87 %). The tasks of a page also share about 120 bytes of the page
//! itself.

use crate::entry_ref::{EntryRef, PageEntry};
use crate::index::{IdIndex, Repeats};
use crate::mem_page::MemPage;
use crate::mem_schedule::MemSchedule;
use crate::policy::{Verdict, judge_occurrence, no_room_to_wait};
use crate::timers::TimerHeap;
use scheduler_calendar::schedule::Occurrence;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::{Directory, Entry, Flags};
use scheduler_model::numbers::{LaneNumber, PageNumber, ScheduleNumber};
use scheduler_model::position::Position;
use std::collections::BTreeMap;

/// Returns whether there may be many entries with the id of this one.
fn repeats(entry: &Entry) -> Repeats {
    let may_repeat = entry.flags.has(Flags::RETRY) || entry.flags.has(Flags::DEAD_LETTER);
    if may_repeat { Repeats::Often } else { Repeats::Never }
}

/// A schedule that has advanced to its next occurrence.
pub(super) struct Advanced<'a> {
    /// The occurrence before.
    pub(super) occurrence: Occurrence,
    /// The verdict on that occurrence by its lateness.
    pub(super) verdict: Verdict,
    /// The position of the last occurrence that the verdict covers, because other due occurrences
    /// may be skipped together with the first.
    pub(super) settled: Position,
    pub(super) schedule: &'a MemSchedule,
}

/// The number of entries of each kind.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) scheduled: usize,
    pub(super) unscheduled: usize,
    pub(super) paused: usize,
    pub(super) dead_letters: usize,
    pub(super) held: usize,
}

impl Counts {
    #[inline]
    fn of(&mut self, entry: &Entry) -> &mut usize {
        if entry.flags.has(Flags::DEAD_LETTER) {
            &mut self.dead_letters
        } else if entry.due == UnixMillis::HELD || entry.due == UnixMillis::NO_LANE {
            &mut self.held
        } else if entry.due == UnixMillis::PAUSED {
            &mut self.paused
        } else if entry.due.is_never() {
            &mut self.unscheduled
        } else {
            &mut self.scheduled
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Tasks {
    pages: BTreeMap<PageNumber, MemPage>,
    schedules: BTreeMap<ScheduleNumber, MemSchedule>,
    /// For each lane, the positions of the heads of its pages. Lane 0 also has one for each
    /// recurring task. Some positions may be outdated: see `is_current`.
    timers: Vec<TimerHeap>,
    /// Every live entry and every schedule, by the hash of its id.
    ids: IdIndex,
    counts: Counts,
    /// The last revision of a page.
    last_revision: u64,
}

impl Tasks {
    /// Makes room in the index for `more` tasks at once, so that it is built without growing.
    pub(super) fn reserve(&mut self, more: usize) {
        self.ids.reserve(more);
    }

    /// Adds a page. The entries before `fired` have fired, and those in `cancelled` are cancelled.
    pub(super) fn insert_page(
        &mut self,
        number: PageNumber,
        directory: Directory,
        body_len: u32,
        fired: usize,
        cancelled: Vec<u64>,
    ) {
        self.last_revision += 1;
        let revision = self.last_revision;
        let fired_entries = fired as u32;
        let mut page =
            MemPage { directory, body_len, fired: fired_entries, live: 0, cancelled, revision };
        let Self { ids, counts, .. } = self;
        ids.reserve(page.directory.len().saturating_sub(fired));
        let are_all_live = page.cancelled.is_empty();
        let (mut live, mut scheduled) = (0, 0);
        // This runs for each task of a start and of a bulk create. `for_each` skips the fired entries
        // at once, and a scheduled task needs one comparison of its kind.
        page.directory.iter().enumerate().skip(fired).for_each(|(index, entry)| {
            if !are_all_live && page.is_cancelled(index) {
                return;
            }
            live += 1;
            let at = PageEntry { page: number, index: index as u32 };
            let repeats = repeats(&entry);
            if repeats == Repeats::Never && !entry.due.is_never() {
                scheduled += 1;
                ids.insert_task(entry.hash, at);
            } else {
                *counts.of(&entry) += 1;
                ids.insert(entry.hash, EntryRef::Page(at), repeats);
            }
        });
        page.live = live;
        counts.scheduled += scheduled;
        self.pages.insert(number, page);
        self.push_head(number);
    }

    /// Adds an entry to a page without cancelled entries, after the entries that are due at the
    /// same time or earlier.
    pub(super) fn insert_entry(&mut self, number: PageNumber, entry: Entry) {
        let Some(page) = self.pages.get_mut(&number) else {
            debug_assert!(false, "page {number} does not exist");
            return;
        };
        self.last_revision += 1;
        page.revision = self.last_revision;
        let last = page.directory.len();
        let index = page.directory.insert(entry);
        page.body_len = page.body_len.max(entry.offset + entry.len);
        page.live += 1;
        *self.counts.of(&entry) += 1;
        // The entries after it have moved up by one, so their references move, too, the last one
        // first.
        for old in (index..last).rev() {
            let Some(moved) = page.directory.get(old + 1) else { continue };
            self.ids.move_up(moved.hash, PageEntry { page: number, index: old as u32 });
        }
        self.ids.insert(entry.hash, EntryRef::page(number, index), repeats(&entry));
        self.push_head(number);
    }

    pub(super) fn insert_schedule(&mut self, number: ScheduleNumber, schedule: MemSchedule) {
        let (hash, due) = (schedule.hash, schedule.due());
        self.schedules.insert(number, schedule);
        self.ids.insert(hash, EntryRef::Schedule(number), Repeats::Never);
        self.push_timer(LaneNumber::MAIN, EntryRef::Schedule(number).position(due));
    }

    /// Replaces a recurring task. Adds a timer only if the due time has changed, so frequent
    /// changes do not fill the heap.
    pub(super) fn change_schedule(&mut self, number: ScheduleNumber, schedule: MemSchedule) {
        let due = schedule.due();
        let was = self.schedules.insert(number, schedule).map(|schedule| schedule.due());
        if was != Some(due) {
            self.push_timer(LaneNumber::MAIN, EntryRef::Schedule(number).position(due));
        }
    }

    fn push_timer(&mut self, lane: LaneNumber, position: Position) {
        let at = usize::from(lane.get());
        if self.timers.len() <= at {
            self.timers.resize_with(at + 1, TimerHeap::default);
        }
        if let Some(timers) = self.timers.get_mut(at) {
            timers.push(position);
        }
    }

    fn pop_timer(&mut self, lane: LaneNumber) {
        if let Some(timers) = self.timers.get_mut(usize::from(lane.get())) {
            timers.pop();
        }
    }

    fn push_head(&mut self, number: PageNumber) {
        let Some(page) = self.pages.get(&number) else {
            debug_assert!(false, "page {number} does not exist");
            return;
        };
        let lane = page.directory.lane();
        if let Some((index, due)) = page.head() {
            self.push_timer(lane, EntryRef::page(number, index).position(due));
        }
    }

    /// Returns the earliest valid position of the main order.
    pub(super) fn head(&mut self) -> Option<Position> {
        self.head_of(LaneNumber::MAIN)
    }

    /// Returns the earliest valid position of a lane.
    pub(super) fn head_of(&mut self, lane: LaneNumber) -> Option<Position> {
        while let Some(position) =
            self.timers.get(usize::from(lane.get())).and_then(TimerHeap::peek)
        {
            if self.is_current(lane, position) {
                return Some(position);
            }
            self.pop_timer(lane);
        }
        None
    }

    /// Returns whether the task at a position goes to the user's own consumer.
    pub(super) fn is_for_queue(&self, at: Position) -> bool {
        match EntryRef::of(at) {
            EntryRef::Schedule(number) => {
                self.schedules.get(&number).is_some_and(|schedule| schedule.to_queue)
            }
            EntryRef::Page(at) => {
                self.entry(at).is_some_and(|entry| entry.flags.has(Flags::TO_QUEUE))
            }
        }
    }

    /// Returns the hashes of the ids with an entry that has this due time.
    pub(super) fn hashes_due(&self, due: UnixMillis) -> impl Iterator<Item = u64> + '_ {
        self.pages.values().flat_map(move |page| {
            let held = page.directory.before(due)..page.directory.before(due.plus(1));
            held.filter(|index| page.is_live(*index))
                .filter_map(|index| page.directory.get(index))
                .map(|entry| entry.hash)
        })
    }

    /// Returns the number of due entries of a lane.
    pub(super) fn due_in(&self, lane: LaneNumber, now: UnixMillis) -> u32 {
        let pages = self.pages.values().filter(|page| page.directory.lane() == lane);
        pages.map(|page| page.live_before(now.plus(1)) as u32).sum()
    }

    /// Returns the pages of a lane with due entries, ordered by their heads.
    pub(super) fn due_pages(&self, lane: LaneNumber, now: UnixMillis) -> Vec<PageNumber> {
        let of_lane = self.pages.iter().filter(|(_, page)| page.directory.lane() == lane);
        let heads = of_lane
            .filter_map(|(number, page)| Some((page.head()?.1, *number)))
            .filter(|(due, _)| *due <= now);
        let mut heads: Vec<(UnixMillis, PageNumber)> = heads.collect();
        heads.sort_unstable();
        heads.into_iter().map(|(_, number)| number).collect()
    }

    /// Returns whether a timer of a lane is still the head of its page or schedule. A page of
    /// another lane may have got the number since then.
    fn is_current(&self, lane: LaneNumber, position: Position) -> bool {
        match EntryRef::of(position) {
            EntryRef::Schedule(number) => {
                self.schedules.get(&number).is_some_and(|schedule| schedule.due() == position.due)
            }
            EntryRef::Page(at) => {
                let page = self.pages.get(&at.page).filter(|page| page.directory.lane() == lane);
                page.and_then(MemPage::head) == Some((at.index as usize, position.due))
            }
        }
    }

    /// Marks the head of a lane, an entry of a page, as fired, and returns it. Assumes that
    /// [`Self::head_of`] has returned its position.
    pub(super) fn fire_head(&mut self, lane: LaneNumber, head: PageEntry) -> Option<Entry> {
        self.pop_timer(lane);
        let page = self.pages.get_mut(&head.page)?;
        let entry = page.directory.get(head.index as usize)?;
        page.fired = head.index + 1;
        page.live = page.live.saturating_sub(1);
        let count = self.counts.of(&entry);
        *count = count.saturating_sub(1);
        self.ids.remove(entry.hash, EntryRef::Page(head));
        self.push_head(head.page);
        Some(entry)
    }

    /// Advances a recurring task, which is the head of the main order, to its next occurrence, and
    /// returns the former one. If `may_wait` is false, an occurrence that would fire is skipped
    /// together with all others that are due by now.
    pub(super) fn advance_schedule(
        &mut self,
        number: ScheduleNumber,
        may_wait: bool,
        now: UnixMillis,
    ) -> Option<Advanced<'_>> {
        self.pop_timer(LaneNumber::MAIN);
        let schedule = self.schedules.get_mut(&number)?;
        let occurrence = schedule.next?;
        let (mut verdict, mut settled) = judge_occurrence(schedule, occurrence, now);
        if verdict == Verdict::Fire && !may_wait {
            settled = schedule.schedule.last_due_until(occurrence, now);
            verdict = no_room_to_wait(occurrence, settled);
        }
        let next = schedule.schedule.following(settled.time);
        schedule.next = next;
        if let Some(next) = next {
            self.push_timer(LaneNumber::MAIN, EntryRef::Schedule(number).position(next.due));
        }
        let schedule = self.schedules.get(&number)?;
        Some(Advanced {
            occurrence,
            verdict,
            settled: EntryRef::Schedule(number).position(settled.due),
            schedule,
        })
    }

    /// Records the length of a schedule's new record in bytes.
    pub(super) fn set_record_bytes(&mut self, number: ScheduleNumber, bytes: usize) {
        if let Some(schedule) = self.schedules.get_mut(&number) {
            schedule.record_bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        }
    }

    /// Returns the length in bytes of the record of a live entry or a schedule.
    pub(super) fn record_bytes(&self, at: EntryRef) -> usize {
        let bytes = match at {
            EntryRef::Schedule(number) => {
                self.schedules.get(&number).map(|schedule| schedule.record_bytes)
            }
            EntryRef::Page(at) => self.entry(at).map(|entry| entry.len),
        };
        bytes.unwrap_or(0) as usize
    }

    /// Sets the next occurrence and the pause of a schedule.
    pub(super) fn set_next(
        &mut self,
        number: ScheduleNumber,
        next: Option<Occurrence>,
        paused_at: Option<UnixMillis>,
    ) {
        debug_assert!(self.schedules.contains_key(&number), "there is no schedule {number}");
        if let Some(schedule) = self.schedules.get_mut(&number) {
            (schedule.next, schedule.paused_at) = (next, paused_at);
            let due = schedule.due();
            self.push_timer(LaneNumber::MAIN, EntryRef::Schedule(number).position(due));
        }
    }

    pub(super) fn paused_schedules(&self) -> usize {
        self.schedules.values().filter(|schedule| schedule.paused_at.is_some()).count()
    }

    /// Marks fired entries of these orders that are due after `time` as cancelled. Returns their
    /// pages with the new bits.
    pub(super) fn cancel_fired(
        &mut self,
        time: UnixMillis,
        orders: &[LaneNumber],
    ) -> Vec<(PageNumber, Vec<u8>)> {
        let of_orders =
            self.pages.iter_mut().filter(|(_, page)| orders.contains(&page.directory.lane()));
        of_orders
            .filter_map(|(number, page)| {
                page.cancel_fired(time).then(|| (*number, page.cancelled_bits()))
            })
            .collect()
    }

    /// Returns the recurring tasks whose next occurrence is not the first one after `time`, and
    /// where their occurrences begin.
    pub(super) fn starts_behind(&self, time: UnixMillis) -> Vec<(ScheduleNumber, UnixMillis)> {
        let start = |(number, schedule): (&ScheduleNumber, &MemSchedule)| {
            let next = schedule.next?;
            (schedule.schedule.next_after(time) != Some(next)).then(|| (*number, next.due.plus(-1)))
        };
        self.schedules.iter().filter_map(start).collect()
    }

    /// Cancels a live entry of a page. The page may have no live entry afterwards.
    pub(super) fn kill(&mut self, at: PageEntry) {
        let Some(page) = self.pages.get_mut(&at.page) else { return };
        let index = at.index as usize;
        // The list of entries to cancel may name an entry twice.
        let Some(entry) = page.directory.get(index).filter(|_| page.is_live(index)) else { return };
        let was_head = page.head().is_some_and(|(head, _)| head == index);
        page.set_cancelled(index);
        page.live = page.live.saturating_sub(1);
        let count = self.counts.of(&entry);
        *count = count.saturating_sub(1);
        self.ids.remove(entry.hash, EntryRef::Page(at));
        if was_head {
            self.push_head(at.page);
        }
    }

    /// Removes a page without live entries.
    pub(super) fn remove_page(&mut self, number: PageNumber) {
        self.pages.remove(&number);
    }

    pub(super) fn remove_schedule(&mut self, number: ScheduleNumber) {
        if let Some(schedule) = self.schedules.get(&number) {
            self.ids.remove(schedule.hash, EntryRef::Schedule(number));
            self.schedules.remove(&number);
        }
    }

    /// Returns the live entries and schedules with this hash of the id.
    pub(super) fn find(&self, hash: u64) -> impl Iterator<Item = EntryRef> + '_ {
        self.ids.find(hash).filter(move |at| self.hash_of(*at) == Some(hash))
    }

    pub(super) fn hash_of(&self, at: EntryRef) -> Option<u64> {
        match at {
            EntryRef::Schedule(number) => self.schedules.get(&number).map(|schedule| schedule.hash),
            EntryRef::Page(at) => self.entry(at).map(|entry| entry.hash),
        }
    }

    /// Returns an entry of a page.
    pub(super) fn entry(&self, at: PageEntry) -> Option<Entry> {
        self.pages.get(&at.page)?.directory.get(at.index as usize)
    }

    pub(super) fn page(&self, number: PageNumber) -> Option<&MemPage> {
        self.pages.get(&number)
    }

    pub(super) fn pages(&self) -> impl Iterator<Item = (PageNumber, &MemPage)> {
        self.pages.iter().map(|(number, page)| (*number, page))
    }

    pub(super) fn schedule(&self, number: ScheduleNumber) -> Option<&MemSchedule> {
        self.schedules.get(&number)
    }

    pub(super) fn all_schedules(&self) -> impl Iterator<Item = (ScheduleNumber, &MemSchedule)> {
        self.schedules.iter().map(|(number, schedule)| (*number, schedule))
    }

    pub(super) fn last_page(&self) -> PageNumber {
        self.pages.last_key_value().map(|(number, _)| *number).unwrap_or_default()
    }

    pub(super) fn schedules(&self) -> usize {
        self.schedules.len()
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns the number of entries in memory. The limit on pending tasks bounds it.
    pub(super) fn held(&self) -> usize {
        self.ids.len()
    }

    /// Returns the number of entries and schedules of the main order that are due before `time` and
    /// have not fired.
    pub(super) fn overdue(&self, time: UnixMillis) -> u64 {
        let in_pages: usize = self
            .pages
            .values()
            .filter(|page| page.directory.lane() == LaneNumber::MAIN)
            .map(|page| page.live_before(time))
            .sum();
        let schedules = self.schedules.values().filter(|schedule| schedule.due() < time).count();
        (in_pages + schedules) as u64
    }

    /// Returns the allocated bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        let pages: usize = self
            .pages
            .values()
            .map(|page| {
                size_of::<(PageNumber, MemPage)>()
                    + page.directory.bytes().len()
                    + page.cancelled.len() * 8
            })
            .sum();
        let of_schedule = |schedule: &MemSchedule| {
            size_of::<(ScheduleNumber, MemSchedule)>() + schedule.schedule.memory_bytes()
        };
        let schedules: usize = self.schedules.values().map(of_schedule).sum();
        let timers = self.timers.iter().map(TimerHeap::len).sum::<usize>() * size_of::<Position>();
        pages + schedules + timers + self.ids.memory_bytes()
    }
}
