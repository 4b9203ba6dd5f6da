//! Requests by id when the shard map has several epochs: which shards get a request, in which
//! order, and how their answers are joined.
//!
//! After a change of the map, several epochs may have something under the same id: a task in the
//! newest, and a dead letter or an attempt in an older one. A request by id means what it would
//! mean for a single shard: what lives, in whatever epoch, and dead letters only if nothing lives.
//!
//! **A shard that got a request twice** may have carried out the request whose answer was lost. If
//! it then finds nothing, this may be the reason. So no further request is sent for that id,
//! because it might affect a second thing.

use crate::batch::ShardAppend;
use crate::protocol::{Among, Append, Cancelled, Change, Changed, ListItem, Status};
use crate::routing::{ShardId, ShardMap, id_hash};
use crate::task::Record;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The result for one id on a shard.
pub trait Outcome: Copy {
    /// The shard has nothing under the id.
    const NOT_FOUND: Self;
    /// Returns whether the shard has nothing under the id.
    fn is_not_found(self) -> bool;
    /// Returns whether the result is certain. If it is, no request for the same task goes to
    /// another epoch.
    fn is_settled(self) -> bool;
    /// Returns whether the request was carried out or needs nothing.
    fn is_done(self) -> bool;
    /// Returns the joined result of two epochs.
    #[must_use]
    fn joined(self, other: Self) -> Self;
}

/// What a request by id refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// Everything that lives under the id, in every epoch at once.
    Everything,
    /// One task: that of the newest epoch with one. Dead letters in every epoch.
    OneTask,
    /// One task or one dead letter, because an id never has two tasks.
    OneThing,
}

impl Means {
    /// Returns what a change refers to. A requested run and a reschedule refer to one task, in
    /// whatever epoch.
    pub fn of(change: Change) -> Self {
        match change {
            Change::Run => Self::OneTask,
            Change::Reschedule(_) => Self::OneThing,
            Change::Pause | Change::Resume => Self::Everything,
        }
    }
}

/// Returns whether a change is not repeated without an answer. Repeating it would add two runs, or
/// move two dead letters.
pub fn is_sent_once(change: Change, among: Among) -> bool {
    match change {
        Change::Run => true,
        Change::Reschedule(_) => among == Among::Dead,
        Change::Pause | Change::Resume => false,
    }
}

/// A request by id to the shards of all epochs. `next_round` returns what to send, and `answered`
/// takes the answers.
#[derive(Debug)]
pub struct Search<O> {
    homes: Vec<Vec<ShardId>>,
    means: Means,
    is_single: bool,
    /// The number of rounds so far.
    round: usize,
    /// What the current round refers to.
    among: Among,
    outcomes: Vec<O>,
    /// Ids for which no further request is sent, because their result is certain or a lost answer
    /// may have been the decisive one.
    is_closed: Vec<bool>,
    /// Ids with an attempt that is or was in flight. The request does not refer to their dead
    /// letters.
    has_fired: Vec<bool>,
    is_repeat: bool,
}

/// A round of requests: what they refer to, and for each shard the ids, by their places in the
/// request.
pub type Round = (Among, BTreeMap<ShardId, Vec<usize>>);

impl<O: Outcome> Search<O> {
    /// Starts a request for these ids.
    pub fn new(map: &ShardMap, ids: &[String], means: Means) -> Self {
        Self {
            homes: ids.iter().map(|id| map.homes(id).collect()).collect(),
            means,
            is_single: map.is_single(),
            round: 0,
            among: Among::All,
            outcomes: vec![O::NOT_FOUND; ids.len()],
            is_closed: vec![false; ids.len()],
            has_fired: vec![false; ids.len()],
            is_repeat: false,
        }
    }

    /// Returns the next round, or `None` at the end. Skips rounds without a request.
    pub fn next_round(&mut self) -> Option<Round> {
        let epochs = self.homes.iter().map(Vec::len).max().unwrap_or(0);
        let rounds = match self.means {
            _ if self.is_single => 1,
            Means::Everything => 2,
            Means::OneTask => epochs + 1,
            Means::OneThing => 2 * epochs,
        };
        while self.round < rounds {
            let round = self.round;
            self.round += 1;
            let (among, epoch) = match self.means {
                _ if self.is_single => (Among::All, None),
                Means::Everything if round == 0 => (Among::Live, None),
                Means::OneTask | Means::OneThing if round < epochs => (Among::Live, Some(round)),
                Means::OneThing => (Among::Dead, Some(round - epochs)),
                Means::Everything | Means::OneTask => (Among::Dead, None),
            };
            self.among = among;
            let mut by_shard: BTreeMap<ShardId, Vec<usize>> = BTreeMap::new();
            for (at, homes) in self.homes.iter().enumerate() {
                let is_set = |of: &[bool]| of.get(at).is_none_or(|is_set| *is_set);
                let is_over =
                    is_set(&self.is_closed) || among == Among::Dead && is_set(&self.has_fired);
                let homes = epoch
                    .map_or(homes.as_slice(), |epoch| homes.get(epoch..=epoch).unwrap_or_default());
                for shard in homes.iter().filter(|_| !is_over) {
                    by_shard.entry(*shard).or_default().push(at);
                }
            }
            if !by_shard.is_empty() {
                return Some((among, by_shard));
            }
        }
        None
    }

    /// Takes the answer of a shard for the ids at these places, and whether the shard got the
    /// request twice.
    pub fn answered(&mut self, places: Vec<usize>, outcomes: Vec<O>, is_repeat: bool) {
        self.is_repeat |= is_repeat;
        let is_of_dead = self.among == Among::Dead;
        for (at, outcome) in places.into_iter().zip(outcomes) {
            let state =
                (self.outcomes.get_mut(at), self.is_closed.get_mut(at), self.has_fired.get_mut(at));
            if let (Some(slot), Some(is_closed), Some(has_fired)) = state {
                *slot = slot.joined(outcome);
                *has_fired |= !is_of_dead && !outcome.is_not_found();
                *is_closed |=
                    is_repeat || if is_of_dead { outcome.is_done() } else { outcome.is_settled() };
            }
        }
    }

    /// Returns the outcomes in the order of the ids, and whether a shard got a request twice.
    pub fn finish(self) -> (Vec<O>, bool) {
        (self.outcomes, self.is_repeat)
    }
}

/// The result of a cancel for one id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelledId {
    /// The joined result of the shards.
    pub outcome: Cancelled,
    /// Whether an attempt is in flight, which ends.
    pub is_running: bool,
}

impl Outcome for CancelledId {
    const NOT_FOUND: Self = Self { outcome: Cancelled::NotFound, is_running: false };

    fn is_not_found(self) -> bool {
        self.outcome == Cancelled::NotFound
    }

    fn is_settled(self) -> bool {
        !matches!(self.outcome, Cancelled::NotFound | Cancelled::AlreadyFired)
    }

    fn is_done(self) -> bool {
        self.outcome == Cancelled::Cancelled
    }

    /// Of the results of several epochs, a cancel counts most. Otherwise the first result counts.
    fn joined(self, other: Self) -> Self {
        let is_more = other.outcome == Cancelled::Cancelled || self.outcome == Cancelled::NotFound;
        let outcome = if is_more { other.outcome } else { self.outcome };
        Self { outcome, is_running: self.is_running || other.is_running }
    }
}

/// The result of a change for one id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangedId {
    /// The joined result of the shards.
    pub outcome: Changed,
    /// Whether an attempt is in flight, which ends.
    pub is_running: bool,
}

impl Outcome for ChangedId {
    const NOT_FOUND: Self = Self { outcome: Changed::NotFound, is_running: false };

    fn is_not_found(self) -> bool {
        self.outcome == Changed::NotFound
    }

    fn is_settled(self) -> bool {
        !matches!(self.outcome, Changed::NotFound | Changed::AlreadyFired)
    }

    fn is_done(self) -> bool {
        matches!(self.outcome, Changed::Changed | Changed::Unchanged)
    }

    fn joined(self, other: Self) -> Self {
        let outcome =
            if weight(other.outcome) > weight(self.outcome) { other.outcome } else { self.outcome };
        Self { outcome, is_running: self.is_running || other.is_running }
    }
}

/// Returns how much a result counts when the results of several epochs are joined.
fn weight(outcome: Changed) -> u8 {
    match outcome {
        Changed::NotFound => 0,
        Changed::AlreadyFired => 1,
        Changed::NotApplicable => 2,
        Changed::TooManyRuns | Changed::TooLarge => 3,
        Changed::OtherVersion => 4,
        Changed::Unchanged => 5,
        Changed::Changed => 6,
    }
}

/// What is under an id. Later variants count more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// A dead letter.
    Dead,
    /// An attempt in flight.
    Fired,
    /// A waiting attempt.
    Attempt,
    /// A waiting task.
    Task,
}

impl Rank {
    /// Returns the rank of what a shard shows.
    pub fn of(item: &ListItem) -> Self {
        match item.status {
            Status::Dead => Self::Dead,
            Status::Running => Self::Fired,
            _ if item.is_attempt => Self::Attempt,
            _ => Self::Task,
        }
    }
}

/// Selects what a request refers to among what the shards show, from the newest epoch on.
#[derive(Debug, Default)]
pub struct Best {
    best: Option<(ShardId, ListItem)>,
}

impl Best {
    /// Takes what a shard shows. Returns whether no request to another shard is needed.
    pub fn answered(&mut self, shard: ShardId, item: Option<ListItem>) -> bool {
        if let Some(item) = item
            && self.best.as_ref().is_none_or(|(_, best)| Rank::of(&item) > Rank::of(best))
        {
            self.best = Some((shard, item));
        }
        self.best.as_ref().is_some_and(|(_, best)| Rank::of(best) == Rank::Task)
    }

    /// Returns the selected item and its shard.
    pub fn finish(self) -> Option<(ShardId, ListItem)> {
        self.best
    }
}

/// Recurring tasks of a plan that may be on shards of older epochs. They continue there if the plan
/// has their schedules.
#[derive(Debug, Default)]
pub struct GoingOn {
    /// The requests; the oldest epoch comes first.
    asks: BTreeMap<ShardId, (Append, Vec<String>)>,
    asked: Option<(ShardId, Vec<String>)>,
    gone_on: HashMap<String, ShardId>,
    /// Tasks that a shard did not find although it got the request twice.
    doubtful: HashSet<String>,
}

impl GoingOn {
    /// Starts with a plan.
    pub fn new(map: &ShardMap, parts: &[ShardAppend]) -> Self {
        let mut asks: BTreeMap<ShardId, (Append, Vec<String>)> = BTreeMap::new();
        // A part with generated ids contains only new tasks.
        for part in parts.iter().filter(|part| !part.append.fresh && !map.is_single()) {
            for record in &part.append.schedules {
                let Ok(id) = Record::parse(record).map(|record| record.id.into_owned()) else {
                    continue;
                };
                let (hash, terms) = (id_hash(&id), &part.append.terms);
                // One shard may get the tasks of several parts. These lists are sorted.
                let of_it = |hashes: &[u64]| hashes.binary_search(&hash).ok().map(|_| hash);
                for shard in map.homes(&id).filter(|shard| *shard != part.shard) {
                    let (append, ids) = asks.entry(shard).or_default();
                    append.terms.open_anchors.extend(of_it(&terms.open_anchors));
                    append.terms.said_paused.extend(of_it(&terms.said_paused));
                    append.schedules.push(record.clone());
                    ids.push(id.clone());
                }
            }
        }
        Self { asks, ..Self::default() }
    }

    /// Returns the next request, or `None` at the end. The newest epoch comes first: if two epochs
    /// have the same task, the one in the newer epoch continues.
    pub fn next_ask(&mut self) -> Option<(ShardId, Append)> {
        while let Some((shard, (mut append, ids))) = self.asks.pop_last() {
            let is_left =
                |id: &String| !self.gone_on.contains_key(id) && !self.doubtful.contains(id);
            let mut keeps = ids.iter().map(is_left);
            append.schedules.retain(|_| keeps.next().unwrap_or(false));
            if !append.schedules.is_empty() {
                self.asked = Some((shard, ids.iter().filter(|id| is_left(id)).cloned().collect()));
                return Some((shard, append));
            }
        }
        None
    }

    /// Takes the answer to the last request: which tasks continue, and whether the shard got the
    /// request twice.
    pub fn answered(&mut self, went_on: Vec<bool>, is_repeat: bool) {
        let Some((shard, ids)) = self.asked.take() else { return };
        for (id, went_on) in ids.into_iter().zip(went_on) {
            if went_on {
                self.gone_on.insert(id, shard);
            } else if is_repeat {
                self.doubtful.insert(id);
            }
        }
    }

    /// Removes the tasks that continue from the plan. Returns their ids, each with its shard. The
    /// runs of uncertain tasks count as in the request, because their last run may have fired in
    /// the meantime.
    pub fn finish(self, parts: &mut [ShardAppend]) -> HashMap<String, ShardId> {
        for part in
            parts.iter_mut().filter(|_| !self.gone_on.is_empty() || !self.doubtful.is_empty())
        {
            part.append.schedules.retain(|record| {
                let Ok(record) = Record::parse(record) else { return true };
                part.append.terms.again |= self.doubtful.contains(record.id.as_ref());
                !self.gone_on.contains_key(record.id.as_ref())
            });
        }
        self.gone_on
    }
}

/// Returns which shards of other epochs must remove what they have under these ids. The task of
/// each id is in the given epoch, or in the newest one if none is given.
pub fn others<'a>(
    map: &ShardMap,
    ids: impl Iterator<Item = (&'a str, Option<ShardId>)>,
) -> BTreeMap<ShardId, Vec<String>> {
    let mut by_shard = BTreeMap::<_, Vec<String>>::new();
    for (id, lives_on) in ids {
        let lives_on = lives_on.unwrap_or_else(|| map.home(id));
        for shard in map.homes(id).filter(|shard| *shard != lives_on) {
            by_shard.entry(shard).or_default().push(id.to_owned());
        }
    }
    by_shard
}

#[cfg(test)]
#[path = "epochs_tests.rs"]
mod tests;
