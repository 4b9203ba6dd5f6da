//! Walks through waiting tasks and attempts in flight, in the order of a list or from its end.
//!
//! A walk merges pages, recurring tasks and envelopes in flight, each of which is in order. A walk
//! from the end does the same with the mirror images of positions
//! ([`Position::from_the_end`]). So the places of both rise.

use super::Engine;
use crate::decisions::FlightRef;
use crate::dues::Dues;
use crate::entry_ref::{EntryRef, PageEntry};
use crate::flights::{flight_at, position_of};
use crate::mem_page::MemPage;
use crate::outbox::InFlight;
use crate::timers::TimerHeap;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::numbers::{EnvelopeSeq, PageNumber};
use scheduler_model::position::Position;
use scheduler_model::protocol::{Filter, Kind, Status};
use std::cmp::Ordering;
use std::ops::Range;

/// The order of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// From the first due time.
    Forward,
    /// From the end.
    Backward,
    /// For a change of many, which takes several steps. First come the recurring tasks in the order
    /// of their numbers, and the runs that wait for a lane; then the others from the first due time.
    /// Between two steps, a recurring task fires, and its next run is due later. In the order of due
    /// times, the change would meet it again. A run that gets a lane is due at once, and the change
    /// would miss it. A run that begins to wait for a lane is at its place near the end of the list.
    Changing,
}

impl Direction {
    /// Returns the place of a position in a list, or the position at a place.
    pub(super) fn mirrored(self, position: Position) -> Position {
        match self {
            Self::Forward | Self::Changing => position,
            Self::Backward => position.from_the_end(),
        }
    }

    /// Returns the place before everything.
    pub(super) fn first_place(self) -> Position {
        let first = Position { due: UnixMillis::ZERO, page: 0, index: 0 };
        match self {
            Self::Forward | Self::Backward => first,
            Self::Changing => Position { due: BEGINNING, ..first },
        }
    }
}

/// The due time in the places of what comes first in the order of [`Direction::Changing`].
const BEGINNING: UnixMillis = UnixMillis::new(-1);

/// A walk through everything that a filter may match by its times, its status and its `paused`.
pub(super) struct Walk<'e> {
    engine: &'e Engine,
    filter: &'e Filter,
    dues: Dues,
    direction: Direction,
    places: TimerHeap,
    /// Whether the walk is among what comes first in the order of [`Direction::Changing`].
    is_beginning: bool,
}

impl Engine {
    /// Returns the place of a position in a list of this direction, for a caller.
    pub(super) fn place_of(&self, position: Position, direction: Direction) -> Position {
        match direction {
            Direction::Forward | Direction::Changing => position,
            Direction::Backward => direction.mirrored(self.ranked(position)),
        }
    }

    /// Returns a position whose index counts only the entries of the page that are due at the same
    /// time. Entries that are due earlier may be added to the page before the caller continues, and
    /// move this one up. Entries that are due at the same time are added behind it.
    pub(super) fn ranked(&self, position: Position) -> Position {
        let index = position.index.saturating_sub(self.first_of_due(position));
        Position { index, ..position }
    }

    /// Returns the position of a [ranked](Engine::ranked) one.
    pub(super) fn unranked(&self, position: Position) -> Position {
        let index = position.index.saturating_add(self.first_of_due(position));
        Position { index, ..position }
    }

    /// Returns the index of the first entry of a page that is due at the same time as this one; 0
    /// for anything else.
    fn first_of_due(&self, position: Position) -> u32 {
        if flight_at(position).is_some() {
            return 0;
        }
        let page = self.tasks.page(PageNumber::new(position.page));
        page.map_or(0, |page| page.directory.before(position.due) as u32)
    }

    /// Begins a walk after the place `after`, or at the beginning of the list.
    ///
    /// The size of its heap follows from the bound of a shard's memory: a page of one task takes
    /// six times as much there as its 16 bytes here, so a request to a full shard (40 MB) takes 7
    /// MB for a moment. It passes each cancelled entry once, which takes a few nanoseconds.
    pub(super) fn walk<'e>(
        &'e self,
        filter: &'e Filter,
        direction: Direction,
        after: Option<Position>,
    ) -> Walk<'e> {
        let is_beginning =
            direction == Direction::Changing && after.is_none_or(|place| place.due == BEGINNING);
        let dues = Dues::of(filter);
        let mut walk = Walk {
            engine: self,
            filter,
            dues: if is_beginning { dues.of_no_lane() } else { dues },
            direction,
            places: TimerHeap::default(),
            is_beginning,
        };
        let after = after.map(|place| match is_beginning {
            true => Position { due: UnixMillis::NO_LANE, ..place },
            false => direction.mirrored(place),
        });
        walk.places = walk.gathered(after);
        walk
    }
}

impl Iterator for Walk<'_> {
    type Item = Position;

    fn next(&mut self) -> Option<Self::Item> {
        let mut place = self.places.pop();
        if place.is_none() && self.is_beginning {
            self.is_beginning = false;
            self.dues = Dues::of(self.filter).but_no_lane();
            self.places = self.gathered(None);
            place = self.places.pop();
        }
        let place = place?;
        let position = self.direction.mirrored(place);
        let following = match flight_at(position) {
            Some(flight) => {
                let envelope = self.engine.outbox.get(&flight.seq);
                envelope.and_then(|envelope| self.following_flight(flight, envelope))
            }
            None => self.following_entry(position),
        };
        if let Some(following) = following {
            self.places.push(self.direction.mirrored(following));
        }
        Some(position)
    }
}

impl Walk<'_> {
    /// Returns the place for a caller of the position that the walk has returned last.
    pub(super) fn place_of(&self, position: Position) -> Position {
        if self.is_beginning {
            return Position { due: BEGINNING, ..position };
        }
        self.engine.place_of(position, self.direction)
    }

    /// Returns the first place behind `after` of each page, recurring task and envelope.
    fn gathered(&self, after: Option<Position>) -> TimerHeap {
        let engine = self.engine;
        let most = engine.tasks.pages().count()
            + engine.tasks.all_schedules().count()
            + engine.outbox.len();
        // No recurring entry of a page is `scheduled`.
        let recurring_only = self
            .filter
            .kind
            .is_some_and(|kind| Kind::Recurring.includes(kind) || kind == Kind::Recurring)
            && self.filter.status == Some(Status::Scheduled);
        let running_only = self.filter.status == Some(Status::Running);
        let pages = engine.tasks.pages().filter(|_| !recurring_only && !running_only);
        let of_pages = pages.filter_map(|(number, page)| self.first_in_page(number, page, after));
        let has_schedules = self.is_beginning || self.direction != Direction::Changing;
        let dues = if self.is_beginning { &Dues::of(self.filter) } else { &self.dues };
        let schedules = engine.tasks.all_schedules().filter(|_| has_schedules && !running_only);
        let of_schedules = schedules
            .filter(|(_, schedule)| dues.next(schedule.due()) == Some(schedule.due()))
            .map(|(number, schedule)| {
                let due = if self.is_beginning { UnixMillis::NO_LANE } else { schedule.due() };
                EntryRef::Schedule(number).position(due)
            })
            .filter(|position| self.is_behind(*position, after));
        let flights = engine.outbox.iter().filter(|_| !self.is_beginning);
        let of_flights =
            flights.filter_map(|(seq, envelope)| self.first_in_envelope(*seq, envelope, after));
        let positions = of_pages.chain(of_schedules).chain(of_flights);
        TimerHeap::of_at_most(most, positions.map(|position| self.direction.mirrored(position)))
    }

    /// Returns whether a position is behind `after`, in the direction of the walk.
    fn is_behind(&self, position: Position, after: Option<Position>) -> bool {
        after.is_none_or(|after| match self.direction {
            Direction::Forward | Direction::Changing => position > after,
            Direction::Backward => position < after,
        })
    }

    fn first_in_page(
        &self,
        number: PageNumber,
        page: &MemPage,
        after: Option<Position>,
    ) -> Option<Position> {
        let directory = &page.directory;
        // Within a page positions rise with the index. Those of another page with the due time of
        // `after` may be before or behind it.
        let start = match (after, self.direction) {
            (None, Direction::Forward | Direction::Changing) => 0,
            (None, Direction::Backward) => directory.len(),
            (Some(after), _) => {
                let same_due = directory.before(after.due)..directory.before(after.due.plus(1));
                match (number.get().cmp(&after.page), self.direction) {
                    (Ordering::Less, _) => same_due.end,
                    (Ordering::Greater, _) => same_due.start,
                    // A new entry may have moved the entries of this page up since the caller got
                    // the place.
                    (Ordering::Equal, Direction::Forward | Direction::Changing) => {
                        (after.index as usize + 1).clamp(same_due.start, same_due.end)
                    }
                    // The place has a rank: see [`Engine::ranked`].
                    (Ordering::Equal, Direction::Backward) => {
                        (same_due.start + after.index as usize).min(same_due.end)
                    }
                }
            }
        };
        match self.direction {
            Direction::Forward | Direction::Changing => self.next_in_page(number, page, start),
            Direction::Backward => self.previous_in_page(number, page, start),
        }
    }

    fn following_entry(&self, position: Position) -> Option<Position> {
        let EntryRef::Page(PageEntry { page: number, index }) = EntryRef::of(position) else {
            return None;
        };
        let page = self.engine.tasks.page(number)?;
        match self.direction {
            Direction::Forward | Direction::Changing => {
                self.next_in_page(number, page, index as usize + 1)
            }
            Direction::Backward => self.previous_in_page(number, page, index as usize),
        }
    }

    /// Returns the position of the first live entry of a page, from this index on, that the filter
    /// may match by its due time.
    fn next_in_page(&self, number: PageNumber, page: &MemPage, from: usize) -> Option<Position> {
        let mut from = from.max(page.fired());
        loop {
            let index = (from..page.directory.len()).find(|index| page.is_live(*index))?;
            let due = page.directory.get(index)?.due;
            let wanted = self.dues.next(due)?;
            if wanted == due {
                return Some(EntryRef::page(number, index).position(due));
            }
            from = page.directory.before(wanted).max(index + 1);
        }
    }

    /// Returns the position of the last live entry of a page, before this index, that the filter
    /// may match by its due time.
    fn previous_in_page(&self, number: PageNumber, page: &MemPage, end: usize) -> Option<Position> {
        let mut end = end.min(page.directory.len());
        loop {
            let index = (page.fired()..end).rev().find(|index| page.is_live(*index))?;
            let due = page.directory.get(index)?.due;
            let wanted = self.dues.previous(due)?;
            if wanted == due {
                return Some(EntryRef::page(number, index).position(due));
            }
            end = page.directory.before(wanted.plus(1)).min(index);
        }
    }

    /// Returns the place of the first attempt behind `after` of an envelope in flight. Its attempts
    /// are next to each other in the list, so `after` is before, among or behind all of them.
    fn first_in_envelope(
        &self,
        seq: EnvelopeSeq,
        envelope: &InFlight,
        after: Option<Position>,
    ) -> Option<Position> {
        let position = |index| position_of(FlightRef { seq, index }, envelope.sent_at);
        let mut all = self.flights_among(seq, envelope, 0..envelope.hashes.len() as u32);
        all.find(|index| self.is_behind(position(*index), after)).map(position)
    }

    fn following_flight(&self, flight: FlightRef, envelope: &InFlight) -> Option<Position> {
        let FlightRef { seq, index } = flight;
        let rest = match self.direction {
            Direction::Forward | Direction::Changing => index + 1..envelope.hashes.len() as u32,
            Direction::Backward => 0..index,
        };
        let index = self.flights_among(seq, envelope, rest).next()?;
        Some(position_of(FlightRef { seq, index }, envelope.sent_at))
    }

    /// Returns those of these attempts in flight that the filter may match by its status and its
    /// `paused`, in the direction of the walk.
    fn flights_among(
        &self,
        seq: EnvelopeSeq,
        envelope: &InFlight,
        indexes: Range<u32>,
    ) -> impl Iterator<Item = u32> {
        let is_any = matches!(self.filter.status, None | Some(Status::Running | Status::Paused));
        let indexes = if is_any && !envelope.hashes.is_empty() { indexes } else { 0..0 };
        let (direction, (first, end)) = (self.direction, (indexes.start, indexes.end));
        let in_order = indexes.map(move |index| match direction {
            Direction::Forward | Direction::Changing => index,
            Direction::Backward => first + (end - 1 - index),
        });
        in_order.filter(move |index| {
            self.engine.is_listed(FlightRef { seq, index: *index }, self.filter)
        })
    }
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
