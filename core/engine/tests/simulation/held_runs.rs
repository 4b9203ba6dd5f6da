//! Held runs whose recurring task has ended, by the reference: a pause of the id pauses them, and at
//! the end of the pause they wait for the run before again.

use crate::model::{Firing, Model, What};
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
