//! The reference: what waits, what is due, and when a shard must wake up.

use super::{LaneText, StateText, Storage};
use crate::late::{Due, fate_of_entry, settle, settle_overlaps};
use crate::model::Model;
use crate::stored::Stored;
use scheduler_calendar::schedule::Occurrence;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::testing::PageRow;
use scheduler_engine::{Config, Destination, Sends, Write};
use scheduler_model::format::page::Entry;
use scheduler_model::numbers::LaneNumber;
use scheduler_model::position::Position;
use std::rc::Rc;

/// A waiting task, by the reference.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) position: Position,
    /// The entry of a page; `None` for a recurring task.
    pub(crate) entry: Option<Entry>,
    /// As stored. The record of a recurring task has no time.
    pub(crate) record: Rc<Stored>,
}

/// Returns how long an envelope waits after a queue has refused it `times` times in a row: a
/// second, doubled each time up to the visibility timeout.
pub(crate) fn send_back_off(times: u32, config: Config) -> i64 {
    (1..times)
        .fold(1_000, |wait: i64, _| (wait * 2).min(config.visibility_millis))
        .min(config.visibility_millis)
}

impl Storage {
    fn lane(&self, number: LaneNumber) -> &LaneText {
        self.lanes.iter().find(|lane| lane.number == number).expect("a lane with tasks is stored")
    }

    pub(crate) fn key_of_lane(&self, number: LaneNumber) -> &str {
        &self.lane(number).key
    }

    fn watermark_of(&self, row: &PageRow) -> Position {
        match row.directory.lane() {
            LaneNumber::MAIN => self.watermark,
            lane => self.lane(lane).watermark,
        }
    }

    /// Returns the last time up to which everything in an order was dispatched.
    pub(crate) fn last_dispatched(&self) -> UnixMillis {
        let of_lanes = self.lanes.iter().map(|lane| lane.watermark.due);
        of_lanes.fold(self.watermark.due, UnixMillis::max)
    }

    /// Returns the time up to which everything in the order of a page was dispatched.
    pub(crate) fn dispatched_up_to(&self, page: u32) -> UnixMillis {
        self.watermark_of(&self.pages[&page]).due
    }

    /// Returns whether a page belongs to a limit key.
    pub(crate) fn is_in_lane(&self, page: u32) -> bool {
        self.lane_of(page) != LaneNumber::MAIN
    }

    /// Returns the lane of a page: 0 if it is of the main order, or if there is none.
    pub(crate) fn lane_of(&self, page: u32) -> LaneNumber {
        self.pages.get(&page).map_or(LaneNumber::MAIN, |row| row.directory.lane())
    }

    pub(crate) fn has_lanes(&self) -> bool {
        !self.lanes.is_empty()
    }

    /// Returns the number of dispatched tasks with a limit key.
    pub(crate) fn in_flight_of(&self, key: &str) -> usize {
        let of_lane = |destination: &Option<Destination>| match destination {
            Some(Destination::Lane(lane)) => self.key_of_lane(*lane) == key,
            _ => false,
        };
        self.outbox
            .values()
            .filter(|row| of_lane(&row.destination))
            .map(|row| row.hashes.len() / 8)
            .sum()
    }

    /// Returns whether a task of a key was due at `time` and waits in its lane.
    pub(crate) fn waits_in_lane(&self, key: &str, time: UnixMillis) -> bool {
        let Some(lane) = self.lanes.iter().find(|lane| lane.key == key) else { return false };
        let of_lane = self.pages.iter().filter(|(_, row)| row.directory.lane() == lane.number);
        of_lane.into_iter().any(|(page, _)| {
            let is_dead = |index: usize| {
                self.dead.get(page).is_some_and(|bits| {
                    bits.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
                })
            };
            self.entries[page]
                .iter()
                .enumerate()
                .take_while(|(_, (entry, _))| entry.due <= time)
                .any(|(index, (entry, _))| {
                    !is_dead(index)
                        && Position { due: entry.due, page: *page, index: index as u32 }
                            > lane.watermark
                })
        })
    }

    pub(crate) fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// Returns the keys of the runs that wait for a lane.
    pub(crate) fn keys_without_lane(&self) -> Vec<String> {
        let waits = |waiting: &Waiting| waiting.position.due == UnixMillis::NO_LANE;
        let key = |waiting: Waiting| waiting.record.parse().limit_key.map(|key| key.into_owned());
        self.waiting().into_iter().filter(waits).filter_map(key).collect()
    }

    /// Returns whether a key has a lane.
    pub(crate) fn has_lane(&self, key: &str) -> bool {
        self.lanes.iter().any(|lane| lane.key == key)
    }

    /// Returns every live entry and recurring task, in the total order.
    pub(crate) fn waiting(&self) -> Vec<Waiting> {
        self.waiting_until(UnixMillis::new(i64::MAX))
    }

    /// Returns those that are due until a time.
    fn waiting_until(&self, until: UnixMillis) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        for (page, row) in &self.pages {
            let watermark = self.watermark_of(row);
            let dead = self.dead.get(page);
            // The entries of a directory are ordered by due times.
            for (index, (entry, record)) in self.entries[page]
                .iter()
                .enumerate()
                .take_while(|(_, (entry, _))| entry.due <= until)
            {
                let is_dead = dead.is_some_and(|bits| {
                    bits.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
                });
                let position = Position { due: entry.due, page: *page, index: index as u32 };
                if !is_dead && position > watermark {
                    waiting.push(Waiting {
                        position,
                        entry: Some(*entry),
                        record: Rc::clone(record),
                    });
                }
            }
        }
        for (number, definition) in &self.definitions {
            let due = self.next_occurrence(*number).map_or(UnixMillis::NEVER, |next| next.due);
            if due > until {
                continue;
            }
            let position = Position { due, page: 0, index: *number };
            waiting.push(Waiting { position, entry: None, record: Rc::clone(&definition.record) });
        }
        waiting.sort_by_key(|waiting| waiting.position);
        waiting
    }

    /// Returns the first occurrence after the start of the row that comes after the watermark.
    fn next_occurrence(&self, number: u32) -> Option<Occurrence> {
        let definition = &self.definitions[&number];
        if definition.paused {
            return None;
        }
        loop {
            let next = match definition.passed.get() {
                None => definition.schedule.next_after(self.schedules[&number].since)?,
                Some(passed) => definition.schedule.following(passed.time)?,
            };
            if (Position { due: next.due, page: 0, index: number }) > self.watermark {
                return Some(next);
            }
            definition.passed.set(Some(next));
        }
    }

    /// Returns when the runs of recurring tasks are due that wait and are due before `until`.
    pub(crate) fn runs_before(&self, until: UnixMillis) -> Vec<UnixMillis> {
        let mut runs = Vec::new();
        for (number, definition) in &self.definitions {
            let mut next = self.next_occurrence(*number);
            while let Some(run) = next.filter(|run| run.due < until) {
                runs.push(run.due);
                next = definition.schedule.following(run.time);
            }
        }
        runs
    }

    /// Returns the watermark of the main order after these writes.
    pub(crate) fn watermark_after(&self, writes: &[Write]) -> Position {
        let state = writes.iter().rev().find_map(|write| match write {
            Write::InsertEnvelope { state, .. } => state.as_ref(),
            Write::ClearEnvelope { state, .. } | Write::SaveState { state, .. } => Some(state),
            _ => None,
        });
        state.map_or(self.watermark, |state| {
            serde_json::from_slice::<StateText>(state).unwrap().watermark
        })
    }

    /// Returns what a wake-up at `now` must settle, in the total order, with the fate of each, if
    /// the wake-up has reached `reached` in the main order. Also returns what of the main order is
    /// due after that.
    pub(crate) fn due(
        &self,
        model: &Model,
        now: UnixMillis,
        reached: Position,
    ) -> (Vec<Due>, Vec<Due>) {
        let mut due = Vec::new();
        for waiting in self.waiting_until(now) {
            if waiting.entry.is_some() {
                let fate = fate_of_entry(model, &waiting, now);
                due.push(Due::new(waiting, fate, Vec::new()));
                continue;
            }
            let definition = &self.definitions[&waiting.position.index];
            let next = self.next_occurrence(waiting.position.index);
            for (at, fate, passed_over) in
                settle(&definition.schedule, definition.policies, next, now)
            {
                let record = definition.record.occurrence(at.time);
                let waiting = Waiting {
                    position: Position { due: at.due, ..waiting.position },
                    entry: None,
                    record,
                };
                due.push(Due::new(waiting, fate, passed_over));
            }
        }
        due.sort_by_key(|due| due.waiting.position);
        let is_settled = |due: &Due| {
            due.waiting.position <= reached || self.is_in_lane(due.waiting.position.page)
        };
        let (mut due, behind): (Vec<Due>, Vec<Due>) = due.into_iter().partition(is_settled);
        settle_overlaps(model, &mut due);
        (due, behind)
    }

    /// Returns the number of tasks that the dispatchers have and have not reported.
    pub(crate) fn dispatched(&self) -> usize {
        self.outbox.values().filter(|row| row.is_dispatched()).map(|row| row.hashes.len() / 8).sum()
    }

    /// Returns the same number after these writes.
    pub(crate) fn dispatched_with(&self, writes: &[Write]) -> usize {
        let tasks = |write: &Write| match write {
            Write::InsertEnvelope { destination, hashes, .. } if destination.is_reported() => {
                hashes.len() / 8
            }
            _ => 0,
        };
        self.dispatched() + writes.iter().map(tasks).sum::<usize>()
    }

    /// Returns whether the main order may dispatch its head. If the dispatchers have no room for
    /// it, everything behind it waits.
    pub(crate) fn may_go_out(&self, head: &Waiting, config: Config) -> bool {
        config.dispatch_room(self.dispatched()) > 0 || head.record.parse().goes_to_queue()
    }

    /// Returns when an engine that was just loaded must wake up next.
    pub(crate) fn next_wakeup(&self, config: Config) -> Option<UnixMillis> {
        if !self.keys_without_lane().is_empty() {
            return Some(UnixMillis::ZERO);
        }
        let head =
            self.waiting().into_iter().find(|waiting| !self.is_in_lane(waiting.position.page));
        let head =
            head.filter(|head| !head.position.due.is_never() && self.may_go_out(head, config));
        let fire = head.map(|waiting| waiting.position.due);
        let resend =
            self.outbox.values().filter_map(|row| match (row.sends, row.destination.as_ref()?) {
                (Sends::Refused(times) | Sends::SentAfter(times), _) => {
                    Some(row.sent_at.plus(send_back_off(times, config)))
                }
                (Sends::Sent | Sends::Unanswered, Destination::Queue(_)) => Some(row.sent_at),
                (Sends::Unanswered, Destination::Dispatch | Destination::Lane(_)) => {
                    Some(row.sent_at.plus(config.visibility_millis))
                }
                (Sends::Sent, Destination::Dispatch | Destination::Lane(_)) => {
                    Some(row.sent_at.plus(config.visibility_millis << row.attempts.min(4)))
                }
            });
        fire.into_iter().chain(resend).min()
    }
}
