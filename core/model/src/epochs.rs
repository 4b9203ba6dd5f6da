//! One id in several epochs of the shard map: which shards a request asks, in which order, and what
//! it makes of their answers.
//!
//! After a change of the map something may stand under one id in several epochs: a task in the
//! newest, and a dead letter or an attempt in an older one. A request by id means what one shard
//! would mean by it: what lives, in whatever epoch, and dead letters only if nothing does.
//!
//! **A shard that had to be asked again** may have carried out the request whose answer was lost.
//! If it then finds nothing, that may be why: so nothing else is asked for that id, or the request
//! would act on two things.

use crate::batch::ShardAppend;
use crate::protocol::{Among, Append, Cancelled, Change, Changed, ListItem, Status};
use crate::routing::{ShardId, ShardMap, id_hash};
use crate::task::Record;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What became of one id on a shard.
pub trait Outcome: Copy {
    /// There is nothing under it.
    const NOT_FOUND: Self;
    /// Returns whether nothing is there.
    fn is_not_found(self) -> bool;
    /// Returns whether it is known what became of it, so that no other epoch is to be asked for the
    /// one task that is meant.
    fn is_settled(self) -> bool;
    /// Returns whether the request was carried out, or need not be.
    fn is_done(self) -> bool;
    /// Returns what counts of what two epochs say.
    #[must_use]
    fn joined(self, other: Self) -> Self;
}

/// How a request by id is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// All that lives under an id, in every epoch at once.
    Everything,
    /// One task: that of the newest epoch that has one. Dead letters in every epoch.
    OneTask,
    /// One task, or one dead letter: an id never names two tasks.
    OneThing,
}

impl Means {
    /// Returns how a change is asked. To run and to move mean one task, wherever it is.
    pub fn of(change: Change) -> Self {
        match change {
            Change::Run => Self::OneTask,
            Change::Reschedule(_) => Self::OneThing,
            Change::Pause | Change::Resume => Self::Everything,
        }
    }
}

/// Returns whether a change is not sent again if it was not answered: done twice it would be two
/// runs, or would move two dead letters.
pub fn is_sent_once(change: Change, among: Among) -> bool {
    match change {
        Change::Run => true,
        Change::Reschedule(_) => among == Among::Dead,
        Change::Pause | Change::Resume => false,
    }
}

/// A request by id to the shards of all epochs: `next` says what to ask, `answered` takes the
/// answers.
#[derive(Debug)]
pub struct Search<O> {
    homes: Vec<Vec<ShardId>>,
    means: Means,
    is_single: bool,
    /// How many rounds have begun.
    round: usize,
    /// Among what this one asks.
    among: Among,
    outcomes: Vec<O>,
    /// Ids of which nothing more is asked: it is known what became of them, or a lost answer may
    /// have been the one that counts.
    is_closed: Vec<bool>,
    /// Ids of which an attempt is or was in flight: dead letters are not meant.
    has_fired: Vec<bool>,
    is_repeat: bool,
}

/// What to ask in a round: among what, and each shard about which ids, by their places in the
/// request.
pub type Round = (Among, BTreeMap<ShardId, Vec<usize>>);

impl<O: Outcome> Search<O> {
    /// Begins a request about these ids.
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

    /// Returns what to ask next; `None` at the end. Rounds in which there is nothing to ask are
    /// left out.
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

    /// Takes what a shard said of the ids at these places, and whether it had to be asked again.
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

    /// Returns the outcomes in the order of the ids, and whether a shard had to be asked again.
    pub fn finish(self) -> (Vec<O>, bool) {
        (self.outcomes, self.is_repeat)
    }
}

/// What became of the cancel of one id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelledId {
    /// What the shards say together.
    pub outcome: Cancelled,
    /// Whether an attempt of it is in flight, which ends.
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

    /// Of what several epochs say, a cancel counts most, then what was said first.
    fn joined(self, other: Self) -> Self {
        let is_more = other.outcome == Cancelled::Cancelled || self.outcome == Cancelled::NotFound;
        let outcome = if is_more { other.outcome } else { self.outcome };
        Self { outcome, is_running: self.is_running || other.is_running }
    }
}

/// What became of the change of one id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangedId {
    /// What the shards say together.
    pub outcome: Changed,
    /// Whether an attempt of it is in flight, which ends.
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

/// Of what the shards of several epochs say of an id, which counts most.
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

/// What stands under an id, by what counts more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// A dead letter.
    Dead,
    /// An attempt that is on its way.
    Fired,
    /// An attempt that waits.
    Attempt,
    /// A task that waits.
    Task,
}

impl Rank {
    /// Returns that of what a shard shows.
    pub fn of(item: &ListItem) -> Self {
        match item.status {
            Status::Dead => Self::Dead,
            Status::Running => Self::Fired,
            _ if item.is_attempt => Self::Attempt,
            _ => Self::Task,
        }
    }
}

/// Of what the shards show of an id, asked from the newest epoch on, that which is meant.
#[derive(Debug, Default)]
pub struct Best {
    best: Option<(ShardId, ListItem)>,
}

impl Best {
    /// Takes what a shard shows. Returns whether no other is to be asked.
    pub fn answered(&mut self, shard: ShardId, item: Option<ListItem>) -> bool {
        if let Some(item) = item
            && self.best.as_ref().is_none_or(|(_, best)| Rank::of(&item) > Rank::of(best))
        {
            self.best = Some((shard, item));
        }
        self.best.as_ref().is_some_and(|(_, best)| Rank::of(best) == Rank::Task)
    }

    /// Returns it, and where it is.
    pub fn finish(self) -> Option<(ShardId, ListItem)> {
        self.best
    }
}

/// Recurring tasks of a plan that may live on shards of older epochs, and go on there if the plan
/// names the schedules that they have.
#[derive(Debug, Default)]
pub struct GoingOn {
    /// The oldest epoch first.
    asks: BTreeMap<ShardId, (Append, Vec<String>)>,
    asked: Option<(ShardId, Vec<String>)>,
    gone_on: HashMap<String, ShardId>,
    /// Those that were not found by a shard that had to be asked again.
    doubtful: HashSet<String>,
}

impl GoingOn {
    /// Begins with a plan.
    pub fn new(map: &ShardMap, parts: &[ShardAppend]) -> Self {
        let mut asks: BTreeMap<ShardId, (Append, Vec<String>)> = BTreeMap::new();
        // A part of generated ids is of tasks that are new.
        for part in parts.iter().filter(|part| !part.append.fresh && !map.is_single()) {
            for record in &part.append.schedules {
                let Ok(id) = Record::parse(record).map(|record| record.id.into_owned()) else {
                    continue;
                };
                let (hash, terms) = (id_hash(&id), &part.append.terms);
                // Tasks of several parts may be asked of one shard. These lists are in order.
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

    /// Returns what to ask next; `None` at the end. The newest epoch first: where two have the same
    /// task, that is the one that goes on.
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

    /// Takes which of those that were asked for last go on, and whether the shard had to be asked
    /// again.
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

    /// Takes those that go on out of the plan. Returns their ids, with the shard of each. What is
    /// left in doubt counts its runs as the request has counted them: its last one may have fired
    /// meanwhile.
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

/// Returns which shards of other epochs are to drop what they have under these ids: other epochs
/// than the one where the task of each is, which is the newest if it is not given.
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
