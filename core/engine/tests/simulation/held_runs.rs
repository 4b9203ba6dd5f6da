//! Held runs: clients that change them, and what the reference says of those whose recurring task
//! has ended. A pause of the id pauses them, and at the end of the pause they wait for the run
//! before again.

use crate::changes;
use crate::clients::record_of;
use crate::model::{Firing, Model, Schedule, What, firing_of};
use crate::operations::{self, Answer, Request};
use crate::random::Random;
use crate::redefine::{Kind, define, redefine_id};
use crate::schedules::PutOff;
use crate::world::{Dropped, Event, World};
use scheduler_model::protocol::{Change, Filter, Status};
use scheduler_model::task::Record;
use std::collections::BTreeSet;

/// Held runs in a pause of their own.
#[derive(Debug, Default)]
pub(crate) struct HeldRuns {
    /// The paused runs that are held when they are resumed.
    paused: BTreeSet<Firing>,
    /// Runs whose pause the current request ends.
    resumed: Vec<Firing>,
    /// How many held runs were paused and resumed.
    pub(crate) counts: HeldCounts,
}

/// How many held runs were paused by themselves, and how many were resumed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeldCounts {
    pub(crate) paused: u64,
    pub(crate) resumed: u64,
}

impl HeldCounts {
    pub(crate) fn add(&mut self, other: Self) {
        self.paused += other.paused;
        self.resumed += other.resumed;
    }
}

impl Model {
    /// Returns whether a pause leaves the held runs of this id as they are, because they follow the
    /// pause of their recurring task.
    pub(crate) fn follow_their_task(&self, id: &str) -> bool {
        let recurs = |what| matches!(what, What::Recurring | What::PausedRecurring);
        self.waiting_of(id).iter().any(|((_, what), _)| recurs(*what))
    }

    /// Returns whether a paused run is held again when it is resumed.
    pub(crate) fn was_held(&self, firing: Firing) -> bool {
        self.held_runs.paused.contains(&firing)
    }

    /// Applies that a waiting run changes how it waits.
    pub(crate) fn note_held(&mut self, firing: Firing, was: What, then: What) {
        match (was, then) {
            (What::Held, What::PausedAgain) => {
                self.held_runs.paused.insert(firing);
                self.held_runs.counts.paused += 1;
            }
            (What::PausedAgain, _) => drop(self.held_runs.paused.remove(&firing)),
            _ => {}
        }
    }

    /// Ends the pause of a held run at the end of the request. Until then, it is in progress for
    /// the runs that the request adds.
    pub(crate) fn hold_again(&mut self, firing: Firing) {
        self.held_runs.resumed.push(firing);
    }

    /// Holds the resumed runs of a request again. Those that wait for no run start at once.
    pub(crate) fn release_again(&mut self, now: i64) {
        let resumed = std::mem::take(&mut self.held_runs.resumed);
        for firing in &resumed {
            self.change_held(*firing);
        }
        for firing in resumed {
            self.held_runs.counts.resumed += 1;
            self.release(&self.version(firing.version).id.clone(), now);
        }
    }
}

impl World {
    /// Plans changes of the held runs of a shard while clients change runs in flight. Drawn from the
    /// time, so that the draws of kept seeds stay as they were.
    pub(crate) fn plan_changes_of_held(&mut self, at: usize) {
        let mut random = Random::new(self.now.get().unsigned_abs() ^ 0x6865_6c64);
        if self.meddles == 0 || !random.chance(700) || held_ids(self, at).is_empty() {
            return;
        }
        for _ in 0..random.range(1, 6) {
            let when = self.now.plus(random.range(0, 2_000));
            let request = Request::Held { shard: at, draw: random.next() };
            self.plan(when, Event::Client { request, tries: 0 });
        }
    }
}

/// Returns the ids of a shard with held runs, and with paused runs that were held.
fn held_ids(world: &World, at: usize) -> Vec<String> {
    let is_held = |firing, what| what == What::Held || world.model.was_held(firing);
    let held = world.model.waiting.keys().filter(|(firing, what)| is_held(*firing, *what));
    let versions = held.map(|(firing, _)| world.model.version(firing.version));
    let ids: BTreeSet<&String> =
        versions.filter(|version| version.shard == at).map(|version| &version.id).collect();
    ids.into_iter().cloned().collect()
}

/// Changes a held run, or the task that it belongs to.
pub(crate) fn change_held(world: &mut World, at: usize, draw: u64) -> Result<Answer, Dropped> {
    let mut random = Random::new(draw);
    let ids = held_ids(world, at);
    if ids.is_empty() {
        return Ok(Answer::Shown);
    }
    let id = random.pick(&ids).clone();
    let what = random.below(20);
    world.trace(|| format!("{at}: change {what} of {id}, which has a held run"));
    let change = *random.pick(&[Change::Pause, Change::Resume]);
    match what {
        0..10 if world.model.follow_their_task(&id) => patch_away(world, at, &id, &mut random),
        0..13 => changes::change(world, at, &[id], change),
        13..16 => {
            let status = Some(*random.pick(&[Status::Held, Status::Paused]));
            let filter = Filter { status, ..Filter::default() };
            changes::change_matching(world, at, &filter, *random.pick(&[1, 2, 1_000]), change)
        }
        16 => changes::change(world, at, &[id], Change::Run),
        17 => operations::cancel(world, at, &[id]).map(Answer::Cancelled),
        _ => redefine_id(world, at, &id, &mut random),
    }
}

/// Gives a recurring task a single time, or none, by a patch.
fn patch_away(
    world: &mut World,
    at: usize,
    id: &str,
    random: &mut Random,
) -> Result<Answer, Dropped> {
    let item = world.get(at, id)?;
    let Some(item) = item.filter(|item| !item.is_attempt && item.status != Status::Running) else {
        return Ok(Answer::Shown);
    };
    let n = world.model.versions.len() as u64;
    let stored = firing_of(&Record::parse(item.record.get().as_bytes()).unwrap());
    let mut version = world.model.version(stored.version).clone();
    let is_none = random.chance(200);
    version.schedule = if is_none {
        Schedule::None
    } else {
        Schedule::Once(world.now.get() + random.range(-1_000, 20_000), PutOff::default())
    };
    version.late = version.late.fitting(false, is_none);
    let is_paused = item.status == Status::Paused || random.chance(200);
    version.says_paused = (is_paused && !is_none).then_some(true);
    version.record = record_of(&version, n, world.now, 0);
    world.model.versions.push(version);
    define(world, at, Kind::Patch, n, &item, false)
}
