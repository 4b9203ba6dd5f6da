//! Dispatching from [lanes](crate::lanes), and requests to limiters for slots and tokens.

use super::Engine;
use crate::effects::{Effects, KeyedLeaseRequest, Write};
use crate::lanes::{Lane, NO_ROOM_ASKS_MILLIS, NO_ROOM_MILLIS};
use crate::requeue::RequeuedRecords;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::{Entry, Flags, Page};
use scheduler_model::numbers::{EnvelopeSeq, LaneNumber, PageNumber};
use scheduler_model::position::Position;
use scheduler_model::protocol::limiter::{Answer, RequestNumber};
use scheduler_model::task::Record;

impl Engine {
    /// Returns the watermark of a lane. Everything of the lane at or before this position has been
    /// dispatched.
    pub(super) fn watermark_of(&self, lane: LaneNumber) -> Position {
        self.lanes.lanes.get(&lane).map_or(self.state.watermark, |lane| lane.watermark)
    }

    pub(super) fn set_watermark(&mut self, lane: LaneNumber, watermark: Position) {
        match self.lanes.lanes.get_mut(&lane) {
            Some(lane) => lane.watermark = watermark,
            None => self.state.watermark = watermark,
        }
    }

    /// Returns the page that small appends to a lane extend.
    pub(super) fn open_page(&mut self, lane: LaneNumber) -> &mut Option<PageNumber> {
        match self.lanes.lanes.get_mut(&lane) {
            Some(lane) => &mut lane.open_page,
            None => &mut self.open_page,
        }
    }

    /// Requeues records, each in the lane of its key. If the shard has no lane left for a key, the
    /// records wait until there is one, because in the main order they would fire without a slot.
    pub(super) fn insert_requeued(&mut self, back: RequeuedRecords, effects: &mut Effects) {
        for (key, mut page) in back.into_pages() {
            self.key_requeued(&mut page);
            let lane = key.as_deref().map(|key| (key, self.lanes.reserve(key)));
            match lane {
                None => self.add_page(page, effects),
                Some((_, Some(lane))) => {
                    page.directory.set_lane(lane);
                    self.add_page(page, effects);
                }
                Some((key, None)) => {
                    for (_, mut waiting) in self.without_lane(&page, key).into_pages() {
                        self.key_requeued(&mut waiting);
                        self.add_page(waiting, effects);
                    }
                }
            }
        }
        self.save_lanes(effects);
    }

    fn key_requeued(&self, page: &mut Page) {
        let keyed = self.id_key.key_page(page);
        debug_assert!(
            keyed.is_ok(),
            "the engine has written these records, which begin with their ids: {keyed:?}"
        );
    }

    /// Returns the records of a page as those that wait for a lane of their key. Each record keeps
    /// the time before which it may not fire, because its entry does not have it.
    fn without_lane(&mut self, page: &Page, key: &str) -> RequeuedRecords {
        let mut waiting = RequeuedRecords::default();
        for Entry { hash, due, offset, len, flags } in page.directory.iter() {
            self.lanes.wait_for_lane(key, hash);
            let flags = flags.and(Flags::RETRY);
            let text = page.body.get(offset as usize..(offset + len) as usize).unwrap_or_default();
            let waits = due > self.state.watermark.due;
            match Record::parse(text).ok().filter(|_| waits) {
                Some(record) => {
                    let mut later = Vec::new();
                    Record { not_before: Some(due), ..record }.write(&mut later);
                    waiting.push_text(None, UnixMillis::NO_LANE, flags, &later);
                }
                None => waiting.push_text(None, UnixMillis::NO_LANE, flags, text),
            }
        }
        waiting
    }

    /// Stores the state if a lane was created, in the same commit as its tasks.
    pub(super) fn save_lanes(&mut self, effects: &mut Effects) {
        if self.lanes.must_save {
            effects.writes.push(self.save_state());
        }
    }

    /// Returns the write that stores the state alone.
    pub(super) fn save_state(&mut self) -> Write {
        if self.state.last_seq == EnvelopeSeq::default() {
            self.newest_is_cleared = true;
        }
        Write::SaveState { seq: self.state.last_seq, state: self.encode_state() }
    }

    /// Returns when the next task of a lane may be dispatched.
    pub(super) fn next_fire_of_lanes(&mut self) -> Option<UnixMillis> {
        if self.dispatch_room() == 0 {
            return None;
        }
        let numbers: Vec<LaneNumber> = self.lanes.lanes.keys().copied().collect();
        let fires = numbers.into_iter().filter_map(|number| {
            let head = self.tasks.head_of(number)?;
            let lane = self.lanes.lanes.get(&number)?;
            let at = lane.lease.fire_at(Some(head.due))?;
            Some(at.max(lane.lapses.resumes_at().unwrap_or(at)))
        });
        fires.min()
    }

    /// Returns when to search lanes for lapsed tasks next.
    pub(super) fn next_lapse(&self) -> Option<UnixMillis> {
        self.lanes.lanes.values().filter_map(|lane| lane.lapses.look_at()).min()
    }

    /// Records whether the dispatchers have room, before a wake-up dispatches anything.
    pub(super) fn note_room(&mut self, now: UnixMillis) {
        if self.dispatch_room() > 0 {
            self.lanes.had_room_at = now;
        }
        // The quiet periods follow the clock. If they began when there was last room, regular
        // reports could always fall into them.
        let phase = now.get().rem_euclid(NO_ROOM_MILLIS);
        let is_quiet = self.lanes.has_had_no_room(now) && phase >= NO_ROOM_ASKS_MILLIS;
        self.lanes.quiet_until =
            if is_quiet { now.plus(NO_ROOM_MILLIS - phase) } else { UnixMillis::ZERO };
    }

    /// Returns the time before which no lane requests slots.
    fn asks_from(&self) -> UnixMillis {
        if self.dispatch_room() > 0 { UnixMillis::ZERO } else { self.lanes.quiet_until }
    }

    /// Returns when to send the next request to a limiter.
    pub(super) fn next_ask(&mut self) -> Option<UnixMillis> {
        let from = self.asks_from();
        let tasks = &mut self.tasks;
        let asks = self.lanes.lanes.iter().filter_map(|(number, lane)| {
            let head = tasks.head_of(*number).map(|head| head.due.max(from));
            let at = lane.lease.ask_at(head)?;
            Some(at.max(lane.lapses.resumes_at().unwrap_or(at)))
        });
        asks.min()
    }

    /// Sends requests to the limiters of lanes that need or return slots or tokens. While the
    /// dispatchers have their maximum, a lane that uses no slot requests one. With none, tasks
    /// without a key would keep the lane from its turn. With more, tasks of other shards would wait
    /// for slots that nobody uses. Before a request is sent, storage contains that the incarnation
    /// of the shard has begun and that the limiter may note something for the lane.
    pub(super) fn ask_limiters(&mut self, now: UnixMillis, effects: &mut Effects) {
        let numbers: Vec<LaneNumber> = self.lanes.lanes.keys().copied().collect();
        let (from, is_full) = (self.asks_from(), self.dispatch_room() == 0);
        let is_stuck = is_full && self.lanes.has_had_no_room(now);
        for number in numbers {
            let head = self.tasks.head_of(number).map(|head| head.due.max(from));
            let may_ask = |lane: &Lane| lane.lapses.resumes_at().is_none_or(|at| at <= now);
            let lane = self.lanes.lanes.get_mut(&number).filter(|lane| may_ask(lane));
            if !lane.is_some_and(|lane| lane.lease.wants_to_ask(head, now)) {
                continue;
            }
            let request = self.lanes.next_number(&mut self.state.incarnation);
            let Some(lane) = self.lanes.lanes.get_mut(&number) else {
                return self.contradicts("a lane that asks its limiter does not exist");
            };
            let is_due = head.is_some_and(|due| due <= now);
            let most = if is_stuck || is_full && lane.lease.is_unused(now) { 1 } else { u32::MAX };
            let waiting = if is_due { self.tasks.due_in(number, now).clamp(1, most) } else { 0 };
            self.lanes.must_save |= !lane.held || !self.lanes.is_incarnation_stored;
            lane.held = true;
            let ask = lane.lease.ask(request, waiting, now);
            effects.asks.push(KeyedLeaseRequest { key: lane.key.clone(), request: ask });
        }
        self.save_lanes(effects);
    }

    /// Handles the reply of a limiter. The reply is `None` if the limiter considers the request
    /// old. See [`crate::limiter`].
    pub fn limit_answered(
        &mut self,
        key: &str,
        number: RequestNumber,
        answer: Option<&Answer>,
        now: UnixMillis,
    ) {
        // The lane may have been dropped since it sent the request.
        let Some(lane) = self.lanes.number_of(key) else { return };
        if let Some(of) = self.lanes.lanes.get_mut(&lane) {
            match answer {
                Some(answer) => of.lease.answered(answer, now),
                None => of.lease.fail(number, now),
            }
        }
        self.forget_lane(lane);
    }

    /// Handles a request to a limiter that failed. The shard sends it again later.
    pub fn limit_failed(&mut self, key: &str, number: RequestNumber, now: UnixMillis) {
        self.limit_answered(key, number, None, now);
    }

    /// Drops a lane without tasks, slots or tokens. This need not be stored at once, because after
    /// a crash the shard only sends one request too many.
    fn forget_lane(&mut self, number: LaneNumber) {
        let Some(lane) = self.lanes.lanes.get_mut(&number).filter(|lane| lane.lease.is_over())
        else {
            return;
        };
        self.unsaved |= lane.held;
        lane.held = false;
        let is_empty = self.tasks.head_of(number).is_none();
        if is_empty && !self.tasks.all_schedules().any(|(_, schedule)| schedule.lane == number) {
            self.lanes.lanes.remove(&number);
            self.unsaved = true;
        }
    }

    /// Drops lanes that are empty and unknown to their limiter, for instance because all their
    /// tasks were cancelled.
    pub(super) fn forget_lanes(&mut self) {
        let over: Vec<LaneNumber> = self
            .lanes
            .lanes
            .iter()
            .filter(|(_, lane)| lane.lease.is_over())
            .map(|(number, _)| *number)
            .collect();
        over.into_iter().for_each(|number| self.forget_lane(number));
    }

    /// Returns the number of due tasks in lanes.
    pub(super) fn waiting_for_limits(&self, now: UnixMillis) -> u64 {
        self.lanes.lanes.keys().map(|lane| u64::from(self.tasks.due_in(*lane, now))).sum()
    }
}

#[cfg(test)]
#[path = "full_tests.rs"]
mod full_tests;
#[cfg(test)]
#[path = "lanes_pair.rs"]
pub(super) mod pair;
#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
