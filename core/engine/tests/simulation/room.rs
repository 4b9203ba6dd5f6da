//! The room of one id: for dead letters, of which the newest are kept, and for waiting runs.

use crate::invariants::{violated, what_of};
use crate::model::{Firing, Kept, Model, What};
use crate::storage::{Storage, Waiting};
use crate::world::World;
use scheduler_engine::{Config, Effects, Keep, Write};
use scheduler_model::format::history::Outcome;
use scheduler_model::format::page::Flags;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(crate) struct Room {
    max_dead_letters: usize,
    pub(crate) max_runs: usize,
    /// Ends of runs in the current commit whose follow-ups are not settled yet, and whether the
    /// runs are paused.
    pub(crate) ended: Vec<(Firing, Kept, bool)>,
    /// The dead letters that were stored before the current commit, with the time of each failure.
    before: Vec<(Firing, i64)>,
    pub(crate) displaced: u64,
    pub(crate) without_room: u64,
    /// Requested runs that were not added, because the most runs of the id wait already.
    pub(crate) refused_runs: u64,
}

/// Returns the waiting dead letters, with the time of each failure.
fn letters(waiting: &[Waiting]) -> impl Iterator<Item = (Firing, i64)> + '_ {
    let dead = waiting.iter().filter(|waiting| what_of(waiting) == What::Dead);
    dead.map(|waiting| {
        (
            waiting.record.firing(),
            waiting.record.parse().failed_at.expect("a dead letter has failed").get(),
        )
    })
}

impl Room {
    pub(crate) fn of(config: Config) -> Self {
        Self {
            max_dead_letters: config.max_dead_letters,
            max_runs: config.max_runs,
            ..Self::default()
        }
    }
}

/// Returns whether these writes may add dead letters.
fn may_bring_any(effects: &Effects) -> bool {
    effects
        .writes
        .iter()
        .any(|write| matches!(write, Write::InsertPage { .. } | Write::ExtendPage { .. }))
}

impl Model {
    /// Records the stored dead letters before a commit that may add others.
    pub(crate) fn look_at_dead_letters(&mut self, storage: &Storage, effects: &Effects) {
        self.room.before.clear();
        if may_bring_any(effects) && self.waiting.keys().any(|(_, what)| *what == What::Dead) {
            self.room.before.extend(letters(&storage.waiting()));
        }
    }

    /// Returns whether one more run of an id may wait for a further attempt or as a follow-up.
    pub(crate) fn has_room_to_wait(&mut self, firing: Firing) -> bool {
        let has_room = self.has_room_for_a_run(firing);
        self.room.without_room += u64::from(!has_room);
        has_room
    }

    /// Returns whether a caller may add a run.
    pub(crate) fn has_room_for_a_run(&self, firing: Firing) -> bool {
        let waiting = self.waiting_of(&self.version(firing.version).id);
        let waits = |((_, what), count): &((Firing, What), u32)| match what {
            What::Again | What::PausedAgain => *count as usize,
            _ => 0,
        };
        waiting.iter().map(waits).sum::<usize>() < self.room.max_runs
    }

    /// Settles the follow-ups of the runs that ended in this commit. A follow-up without room has
    /// failed for good.
    pub(crate) fn follow_ended(&mut self, shard: usize, now: i64, keep: Keep) {
        for (firing, kept, is_paused) in std::mem::take(&mut self.room.ended) {
            let Some(follow_up) = self.follow(firing, &kept, is_paused, now) else { continue };
            let stage = follow_up.stage.name().to_owned();
            let (outcome, status, millis) = (Outcome::DeadLettered, None, None);
            let dead = Kept {
                attempt: 1,
                fired_at: now,
                reported_at: now,
                outcome,
                status,
                millis,
                stage,
                was_dispatched: false,
                target: self.target_of(follow_up),
                ..kept
            };
            if keep != Keep::Off {
                self.history.entry(shard).or_default().push(dead);
            }
        }
    }

    /// `dead-letters-are-bounded`: no id has more dead letters than are kept.
    pub(crate) fn dead_letters_are_bounded(&self, waiting: &[Waiting]) {
        let mut of: BTreeMap<&str, usize> = BTreeMap::new();
        for waiting in waiting.iter().filter(|waiting| {
            waiting.entry.is_some_and(|entry| entry.flags.has(Flags::DEAD_LETTER))
        }) {
            let count = of.entry(&waiting.record.facts().id).or_default();
            *count += 1;
            if *count > self.room.max_dead_letters {
                violated(
                    "dead-letters-are-bounded",
                    format!("{} has at least {count}", waiting.record.facts().id),
                );
            }
        }
    }
}

impl World {
    /// `the-oldest-give-way`: if an id has more dead letters than are kept, this commit removes the
    /// surplus, and no remaining one is older than a removed one.
    pub(crate) fn oldest_give_way(&mut self, at: usize, effects: &Effects) {
        if !may_bring_any(effects) {
            return;
        }
        let (most, now) = (self.model.room.max_dead_letters, self.now.get());
        let mut expected: BTreeMap<String, Vec<Firing>> = BTreeMap::new();
        for ((firing, what), count) in &self.model.waiting {
            let version = self.model.version(firing.version);
            if *what == What::Dead && version.shard == at {
                expected
                    .entry(version.id.clone())
                    .or_default()
                    .extend(std::iter::repeat_n(*firing, *count as usize));
            }
        }
        expected.retain(|_, letters| letters.len() > most);
        if expected.is_empty() {
            return;
        }
        let stored: Vec<(Firing, i64)> = letters(&self.shards[at].storage.waiting()).collect();
        for (id, mut missing) in expected {
            let too_many = missing.len() - most;
            let is_it = |(firing, _): &&(Firing, i64)| self.model.version(firing.version).id == id;
            let left: Vec<(Firing, i64)> = stored.iter().filter(is_it).copied().collect();
            let mut gone: Vec<(Firing, i64)> =
                self.model.room.before.iter().filter(is_it).copied().collect();
            for letter in &left {
                if let Some(place) = missing.iter().position(|firing| *firing == letter.0) {
                    missing.swap_remove(place);
                }
                if let Some(place) = gone.iter().position(|other| other == letter) {
                    gone.swap_remove(place);
                }
            }
            // A dead letter that did not exist before failed now.
            let failed = |firing: &Firing| {
                gone.iter().find(|(of, _)| of == firing).map_or(now, |(_, failed)| *failed)
            };
            let newest_gone = missing.iter().map(failed).max();
            // One that is new in this commit is the newest, although two of the same run that
            // failed within a millisecond have different times.
            let mut old_left = left.iter().filter(|letter| self.model.room.before.contains(letter));
            let is_oldest =
                self.model.clocks_step || old_left.all(|(_, failed)| Some(*failed) >= newest_gone);
            if missing.len() != too_many || !is_oldest {
                let detail = format!(
                    "{id}: {missing:?} were removed, {too_many} too many; left: {left:?}, gone: {gone:?}"
                );
                violated("the-oldest-give-way", detail);
            }
            self.model.room.displaced += too_many as u64;
            for firing in missing {
                self.model.cancel_one((firing, What::Dead));
                self.model.gone.insert(firing.version, "was displaced");
            }
        }
    }
}
