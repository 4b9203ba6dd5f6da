//! Clients that read a list page by page while everything else goes on.
//!
//! A list is read in each of its three orders: by due time, from the end, and dead letters with the
//! newest first. Reading injects no fault and moves no other draw.

use crate::invariants::{key_of, violated};
use crate::model::{Firing, What};
use crate::random::Random;
use crate::storage::{Storage, Waiting};
use crate::world::World;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::position::Position;
use scheduler_model::protocol::{ListItem, ListRequest};
use std::collections::{BTreeMap, BTreeSet};

/// How often a reader asks for a page, permille of the events.
const READS: u64 = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Due,
    FromTheEnd,
    DeadLetters,
}

/// What waits and where, as far as a list depends on it. If any of it changes, a reader may miss it.
/// A recurring task has the number of its schedule, which is new if the task is created again.
type Unmoved = (Firing, What, UnixMillis, u32, Option<u32>);

/// A client in the middle of a list.
#[derive(Debug)]
struct Reading {
    shard: usize,
    order: Order,
    request: ListRequest,
    /// What has waited in the same place since the first page, and whether a page has shown it.
    waits: BTreeMap<Unmoved, bool>,
}

/// At most one client reads at a time.
#[derive(Debug)]
pub(crate) struct Readers {
    random: Random,
    reading: Option<Reading>,
    /// The lists that were read to their end on more than one page.
    pub(crate) lists: u64,
    /// What these lists had to show.
    pub(crate) shown: u64,
}

impl Readers {
    pub(crate) fn new(seed: u64) -> Self {
        let random = Random::new(seed.rotate_left(53) ^ 0x7265_6164_6572);
        Self { random, reading: None, lists: 0, shown: 0 }
    }
}

/// Returns what a list in this order has to show, if it stays where it is.
fn wanted(storage: &Storage, order: Order) -> Vec<(Position, Unmoved)> {
    let one = |waiting: &Waiting| {
        let (firing, what) = key_of(waiting);
        let Position { due, page, index } = waiting.position;
        (waiting.position, (firing, what, due, page, (page == 0).then_some(index)))
    };
    let mut all: Vec<_> = storage.waiting().iter().map(one).collect();
    if order == Order::DeadLetters {
        all.retain(|(_, (_, what, ..))| *what == What::Dead);
    }
    all
}

/// Returns the position of an item by its place in this order.
fn position_of(item: &ListItem, order: Order, storage: &Storage) -> Position {
    let of_rank = |ranked: Position| {
        let first =
            storage.pages.get(&ranked.page).map_or(0, |row| row.directory.before(ranked.due));
        Position { index: ranked.index + first as u32, ..ranked }
    };
    match order {
        Order::Due => item.position,
        Order::FromTheEnd => of_rank(item.position.from_the_end()),
        Order::DeadLetters => of_rank(item.position.newest_first()),
    }
}

impl World {
    /// Sometimes begins a list or reads its next page.
    pub(crate) fn read_on(&mut self) {
        if !self.readers.random.chance(READS) {
            return;
        }
        let Some(mut reading) = self.readers.reading.take().or_else(|| self.begin_to_read()) else {
            return;
        };
        if self.shards[reading.shard].engine.is_none() || !self.read_page(&mut reading) {
            self.readers.reading = Some(reading);
        }
    }

    fn begin_to_read(&mut self) -> Option<Reading> {
        let random = &mut self.readers.random;
        let shard = random.below(self.shards.len() as u64) as usize;
        let order = *random.pick(&[Order::Due, Order::FromTheEnd, Order::DeadLetters]);
        let (limit, max_read) = (*random.pick(&[1, 1, 2, 5]), *random.pick(&[None, Some(1)]));
        let request = ListRequest { limit, max_read, ..ListRequest::default() };
        let mut waits = BTreeMap::new();
        let mut alike = BTreeSet::new();
        for (_, unmoved) in wanted(&self.shards[shard].storage, order) {
            if waits.insert(unmoved, false).is_some() {
                alike.insert(unmoved);
            }
        }
        waits.retain(|unmoved, _| !alike.contains(unmoved));
        (!waits.is_empty()).then_some(Reading { shard, order, request, waits })
    }

    /// Reads a page. Returns whether it was the last one.
    ///
    /// `readers-miss-nothing`: a list that is read to its end has shown everything that has stayed
    /// where it is since the first page, whatever was added, fired or removed between two pages.
    fn read_page(&mut self, reading: &mut Reading) -> bool {
        let Reading { shard, order, request, waits } = reading;
        let reply = self.look(*shard, |engine, _, storage| match order {
            Order::Due => engine.list(request, storage),
            Order::FromTheEnd => engine.list_from_the_end(request, storage),
            Order::DeadLetters => engine.dead_letters(request, storage),
        });
        let Ok(reply) = reply else { return false };
        let storage = &self.shards[*shard].storage;
        let now: BTreeMap<_, _> = wanted(storage, *order).into_iter().collect();
        let still: BTreeSet<_> = now.values().collect();
        waits.retain(|unmoved, _| still.contains(unmoved));
        for item in &reply.items {
            let shown = now.get(&position_of(item, *order, storage));
            if let Some(seen) = shown.and_then(|unmoved| waits.get_mut(unmoved)) {
                *seen = true;
            }
        }
        let is_first = request.after.is_none();
        request.after = reply.next;
        if reply.next.is_some() {
            return false;
        }
        if let Some((missed, _)) = waits.iter().find(|(_, seen)| !**seen) {
            let id = &self.model.version(missed.0.version).id;
            violated(
                "readers-miss-nothing",
                format!("{order:?} on shard {shard}: {id} {missed:?}"),
            );
        }
        self.readers.lists += u64::from(!is_first);
        self.readers.shown += if is_first { 0 } else { waits.len() as u64 };
        true
    }
}
