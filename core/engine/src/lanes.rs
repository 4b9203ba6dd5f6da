//! Lanes. A lane holds the tasks of a limit key in an order of their own, which advances as the
//! limit permits.
//!
//! A shard has the main order, lane 0, and a lane for each limit key of its tasks. A page belongs
//! to one lane. Each lane has a watermark and a heap with the heads of its pages. So the shard
//! neither examines nor rewrites the tasks that wait for their turn, however many they are, and no
//! other task waits behind them. Tasks that do not fire by themselves are in lane 0, whatever their
//! key.
//!
//! The runs in flight of a lane are those in the outbox with [`Destination::Lane`]. Everything else
//! of its [`Lease`] may be lost: see there.
//!
//! [`Destination::Lane`]: crate::Destination::Lane

use crate::changes::Changes;
use crate::entry_ref::PageEntry;
use crate::error::EngineError;
use crate::lapses::Lapses;
use crate::limiter::Lease;
use scheduler_calendar::ordered::collected;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_DISPATCH_TASKS;
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::{LaneNumber, PageNumber};
use scheduler_model::position::Position;
use scheduler_model::protocol::limiter::RequestNumber;
use scheduler_model::task::Record;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// The largest fraction of a lane's slots that one envelope uses. The slots of an envelope return
/// when the last of its tasks is done. So the slots of a lane return in at least ten parts, and a
/// lane with many slots still fills its envelopes.
const PARTS_OF_SLOTS: u32 = 10;

/// How long a shard that has dispatched its maximum keeps one unused slot of each key, in
/// milliseconds. Then it returns the slots that it does not use, and requests one again once in
/// each such period.
pub(super) const NO_ROOM_MILLIS: i64 = 10_000;

/// How long a lane may request slots in each period, in milliseconds. If it never did, tasks
/// without a key would take all the room that reports make.
pub(super) const NO_ROOM_ASKS_MILLIS: i64 = 2_000;

/// What the state stores of a lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoredLane {
    number: LaneNumber,
    key: String,
    watermark: Position,
    /// Whether the limiter may have noted something for the lane.
    #[serde(default)]
    held: bool,
}

/// A lane in memory.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) key: String,
    pub(super) watermark: Position,
    pub(super) held: bool,
    pub(super) lease: Lease,
    /// The page that small appends extend, if there is one.
    pub(super) open_page: Option<PageNumber>,
    pub(super) lapses: Lapses,
}

/// The lanes of a shard, by number from 1.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    pub(super) lanes: BTreeMap<LaneNumber, Lane>,
    /// Selects the lane that takes the first turn of the next firing.
    turn: usize,
    /// Whether the same commit has to store the lanes.
    pub(super) must_save: bool,
    /// Whether storage contains that this incarnation of the shard has begun.
    pub(super) is_incarnation_stored: bool,
    /// The number of requests to limiters in this incarnation, over all lanes. A lane that is
    /// dropped and created again must not begin at 1, because its limiter remembers the numbers
    /// that it has seen.
    questions: u32,
    /// The most lanes.
    most: usize,
    /// For each key without a lane, the hashes of the ids with runs that wait for one. The runs of
    /// some may be gone.
    without: BTreeMap<String, BTreeSet<u64>>,
    /// The number of hashes in `without`.
    noted: usize,
    /// The hashes of further ids with such runs, whose keys are not known, each with the last entry
    /// that was looked at.
    unplaced: BTreeMap<u64, Option<PageEntry>>,
    /// The last key of `without` that got a new lane. The keys take turns by name from here, so
    /// that none waits for ever while others come.
    last_placed: String,
    /// When the dispatchers last had room for tasks of this shard.
    pub(super) had_room_at: UnixMillis,
    /// While the dispatchers have no room, no lane requests slots before this time.
    pub(super) quiet_until: UnixMillis,
}

impl Lanes {
    pub(super) fn load(
        stored: Vec<StoredLane>,
        in_flight: &BTreeMap<LaneNumber, u32>,
        most: usize,
    ) -> Self {
        let lane = |stored: StoredLane| {
            let in_flight = in_flight.get(&stored.number).copied().unwrap_or_default();
            let lease = Lease::new(in_flight, stored.held);
            (
                stored.number,
                Lane {
                    key: stored.key,
                    watermark: stored.watermark,
                    held: stored.held,
                    lease,
                    open_page: None,
                    lapses: Lapses::default(),
                },
            )
        };
        Self { lanes: collected(stored.into_iter().map(lane)), most, ..Self::default() }
    }

    /// Returns what to store, and assumes that it will be stored.
    pub(super) fn store(&mut self) -> Vec<StoredLane> {
        (self.must_save, self.is_incarnation_stored) = (false, true);
        let stored = |(number, lane): (&LaneNumber, &Lane)| StoredLane {
            number: *number,
            key: lane.key.clone(),
            watermark: lane.watermark,
            held: lane.held,
        };
        self.lanes.iter().map(stored).collect()
    }

    /// Returns all lanes, each with the number of its tasks that may be dispatched.
    pub(super) fn rooms(&self, now: UnixMillis) -> Vec<(LaneNumber, usize)> {
        self.lanes.iter().map(|(number, lane)| (*number, lane.lease.room(now) as usize)).collect()
    }

    /// Returns the lanes with tasks that may lapse. Each time, another lane is the first.
    pub(super) fn that_may_lapse(&self) -> Vec<LaneNumber> {
        let mut lanes: Vec<LaneNumber> = self
            .lanes
            .iter()
            .filter(|(_, lane)| lane.lapses.is_needed())
            .map(|(number, _)| *number)
            .collect();
        if !lanes.is_empty() {
            let first = self.turn % lanes.len();
            lanes.rotate_left(first);
        }
        lanes
    }

    pub(super) fn lapses(&mut self, lane: LaneNumber) -> Option<&mut Lapses> {
        self.lanes.get_mut(&lane).map(|lane| &mut lane.lapses)
    }

    pub(super) fn lapses_of(&self, lane: LaneNumber) -> Option<&Lapses> {
        self.lanes.get(&lane).map(|lane| &lane.lapses)
    }

    /// Returns whether there are as many lanes as there may be.
    pub(super) fn is_full(&self) -> bool {
        self.lanes.len() >= self.most
    }

    /// Records that runs of the id with this hash wait until there is a lane for `key`.
    pub(super) fn wait_for_lane(&mut self, key: &str, hash: u64) {
        let is_new = self.without.entry(key.to_owned()).or_default().insert(hash);
        self.noted += usize::from(is_new);
    }

    /// Records that runs of the id with this hash, from after the entry `after`, wait for lanes of
    /// unknown keys.
    pub(super) fn wait_for_lanes(&mut self, hash: u64, after: Option<PageEntry>) {
        self.unplaced.insert(hash, after);
    }

    /// Returns the number of ids that are recorded as waiting for a known key.
    pub(super) fn noted(&self) -> usize {
        self.noted
    }

    /// Returns the keys without a lane, each with the hashes of the ids whose runs wait for one.
    pub(super) fn waits(&self) -> impl Iterator<Item = (&str, &BTreeSet<u64>)> {
        self.without.iter().map(|(key, hashes)| (key.as_str(), hashes))
    }

    /// Forgets which runs wait for a lane of this key.
    pub(super) fn forget_waits_of(&mut self, key: &str) {
        let hashes = self.without.remove(key).unwrap_or_default();
        self.noted = self.noted.saturating_sub(hashes.len());
    }

    /// Forgets which runs wait for lanes.
    pub(super) fn forget_waits(&mut self) {
        self.without.clear();
        self.unplaced.clear();
        self.noted = 0;
    }

    /// Returns whether any run waits for a lane.
    pub(super) fn has_without(&self) -> bool {
        !self.without.is_empty() || !self.unplaced.is_empty()
    }

    /// Returns whether a run that waits for a lane may have one now.
    pub(super) fn can_place(&self) -> bool {
        !self.unplaced.is_empty()
            || !self.without.is_empty()
                && (!self.is_full()
                    || self.lanes.values().any(|lane| self.without.contains_key(&lane.key)))
    }

    /// Removes and returns hashes of ids whose runs may have a lane now, each with the last entry
    /// that was looked at: at least one if there is any, and about `most`. The caller records those
    /// again that still have no lane.
    pub(super) fn take_placeable(&mut self, most: usize) -> BTreeMap<u64, Option<PageEntry>> {
        let mut taken = std::mem::take(&mut self.unplaced);
        if let Some(rest) = taken.keys().nth(most).copied() {
            self.unplaced = taken.split_off(&rest);
        }
        let mut free = self.most.saturating_sub(self.lanes.len());
        let turn = (Bound::Excluded(self.last_placed.as_str()), Bound::Unbounded);
        let before = ..=self.last_placed.clone();
        let mut keys = Vec::new();
        for key in self.without.range::<str, _>(turn).chain(self.without.range(before)) {
            let key = key.0;
            let is_new = self.number_of(key).is_none();
            if is_new {
                if free == 0 {
                    continue;
                }
                free -= 1;
            }
            keys.push((key.clone(), is_new));
        }
        for (key, is_new) in keys {
            if taken.len() >= most {
                break;
            }
            let hashes = self.without.remove(&key).unwrap_or_default();
            self.noted = self.noted.saturating_sub(hashes.len());
            // All runs of these ids are looked at, also those before the last entry.
            taken.extend(hashes.into_iter().map(|hash| (hash, None)));
            if is_new {
                self.last_placed = key;
            }
        }
        taken
    }

    pub(super) fn number_of(&self, key: &str) -> Option<LaneNumber> {
        self.lanes.iter().find(|(_, lane)| lane.key == key).map(|(number, _)| *number)
    }

    /// Checks that each of these keys has a lane or can get one.
    pub(super) fn have_room_for<'a>(
        &self,
        keys: impl Iterator<Item = &'a str>,
    ) -> Result<(), EngineError> {
        let new: BTreeSet<&str> = collected(keys.filter(|key| self.number_of(key).is_none()));
        if !new.is_empty() && self.lanes.len() + new.len() > self.most {
            return Err(EngineError::TooManyLanes { held: self.lanes.len(), asked: new.len() });
        }
        Ok(())
    }

    /// Returns whether an entry that a change adds has a lane, or needs none, and notes in `changes`
    /// that the commit creates its lane. A run that is started again needs none, because it can wait
    /// for one.
    pub(super) fn take_for(
        &self,
        record: &Record<'_>,
        due: UnixMillis,
        flags: Flags,
        changes: &mut Changes,
    ) -> bool {
        let Some(key) = self.key_without_lane(record, due, flags) else { return true };
        if changes.new_lanes.contains(key) {
            return true;
        }
        if self.lanes.len() + changes.new_lanes.len() >= self.most {
            changes.lacks_lane = true;
            return false;
        }
        changes.new_lanes.insert(key.to_owned())
    }

    /// Returns the limit key of an entry if the entry needs a lane, and the key has none.
    pub(super) fn key_without_lane<'r>(
        &self,
        record: &'r Record<'_>,
        due: UnixMillis,
        flags: Flags,
    ) -> Option<&'r str> {
        let key = record.limit_key.as_deref()?;
        let needs_one = !due.is_never() && !flags.has(Flags::RETRY);
        (needs_one && self.number_of(key).is_none()).then_some(key)
    }

    /// Returns the error for a task whose key has no lane.
    pub(super) fn no_room(&self) -> EngineError {
        EngineError::TooManyLanes { held: self.lanes.len(), asked: 1 }
    }

    /// Returns the lane of a key, and creates it if there is none. Returns `None` if there is no
    /// room, which [`Self::have_room_for`] checks.
    pub(super) fn reserve(&mut self, key: &str) -> Option<LaneNumber> {
        if let Some(number) = self.number_of(key) {
            return Some(number);
        }
        if self.is_full() {
            return None;
        }
        let number =
            (1..=u8::MAX).map(LaneNumber::new).find(|number| !self.lanes.contains_key(number))?;
        let lane = Lane {
            key: key.to_owned(),
            watermark: Position::default(),
            held: false,
            lease: Lease::new(0, false),
            open_page: None,
            lapses: Lapses::default(),
        };
        self.lanes.insert(number, lane);
        self.must_save = true;
        Some(number)
    }

    /// Returns the main order and the lanes in the order of their turns in this firing. Each time,
    /// another one is the first.
    pub(super) fn order(&mut self) -> Vec<LaneNumber> {
        let mut order: Vec<LaneNumber> =
            std::iter::once(LaneNumber::MAIN).chain(self.lanes.keys().copied()).collect();
        self.turn = (self.turn + 1) % order.len();
        order.rotate_left(self.turn);
        order
    }

    /// Returns the number of tasks of a lane that may be dispatched now.
    pub(super) fn room(&self, lane: LaneNumber, now: UnixMillis) -> usize {
        self.lanes.get(&lane).map_or(0, |lane| lane.lease.room(now) as usize)
    }

    pub(super) fn dispatch(&mut self, lane: LaneNumber, runs: usize, now: UnixMillis) {
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.lease.dispatch(u32::try_from(runs).unwrap_or(u32::MAX), now);
        }
    }

    /// Undoes the dispatch of a run of a lane, because this firing does not dispatch it after all.
    pub(super) fn undo_dispatch(&mut self, lane: LaneNumber) {
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.lease.undo_dispatch(1);
        }
    }

    pub(super) fn end(&mut self, lane: LaneNumber, runs: usize, now: UnixMillis) {
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.lease.end(u32::try_from(runs).unwrap_or(u32::MAX), now);
        }
    }

    /// Returns the most tasks that one envelope of a lane may contain.
    pub(super) fn envelope_tasks(&self, lane: LaneNumber) -> usize {
        let slots = self.lanes.get(&lane).map_or(0, |lane| lane.lease.slots());
        ((slots / PARTS_OF_SLOTS) as usize).clamp(1, MAX_DISPATCH_TASKS)
    }

    /// Returns the key of a lane and the number of its runs in flight, or `None` for the main
    /// order.
    pub(super) fn describe(&self, lane: LaneNumber) -> Option<(&str, u32)> {
        self.lanes.get(&lane).map(|lane| (lane.key.as_str(), lane.lease.in_flight()))
    }

    /// Returns the number of the next request in this `incarnation`. If the numbers of the
    /// incarnation are used up, starts another incarnation.
    pub(super) fn next_number(&mut self, incarnation: &mut u32) -> RequestNumber {
        match self.questions.checked_add(1) {
            Some(next) => self.questions = next,
            None => {
                *incarnation = incarnation.saturating_add(1);
                (self.questions, self.is_incarnation_stored) = (1, false);
            }
        }
        RequestNumber(*incarnation, self.questions)
    }

    /// Corrects the times after the clock has gone back: bounded waits begin now at the latest.
    pub(super) fn begin_waits_by(&mut self, now: UnixMillis) {
        for lane in self.lanes.values_mut() {
            lane.lease.begin_waits_by(now);
            lane.lapses.begin_waits_by(now);
        }
        self.had_room_at = self.had_room_at.min(now);
        self.quiet_until = self.quiet_until.min(now.plus(NO_ROOM_MILLIS));
    }

    /// Returns whether the dispatchers have had no room for the time after which lanes return their
    /// last unused slots.
    pub(super) fn has_had_no_room(&self, now: UnixMillis) -> bool {
        now.since(self.had_room_at) >= NO_ROOM_MILLIS
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = LaneNumber> + '_ {
        self.lanes.keys().copied()
    }

    pub(super) fn contains(&self, lane: LaneNumber) -> bool {
        self.lanes.contains_key(&lane)
    }
}

#[cfg(test)]
mod tests {
    use super::Lanes;

    /// A key with a late name got no lane while keys with earlier names kept coming.
    #[test]
    fn keys_that_wait_for_a_lane_take_turns() {
        let mut lanes = Lanes { most: 1, ..Lanes::default() };
        lanes.wait_for_lane("m", 1);
        lanes.wait_for_lane("z", 2);
        let mut order = Vec::new();
        for hash in 3..7 {
            lanes.wait_for_lane("a", hash);
            order.extend(lanes.take_placeable(1).into_keys());
        }
        assert_eq!(order, [3, 1, 2, 4, 5, 6]);
    }
}
