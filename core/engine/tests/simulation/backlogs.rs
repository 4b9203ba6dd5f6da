//! `backlogs-are-bounded`: the runs of a recurring task that wait for its limit or its destination,
//! and what may be added to them.

use crate::invariants::{hold, what_of};
use crate::late::Fate;
use crate::model::{Firing, Model, What};
use crate::storage::{Storage, Waiting};
use crate::world::World;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_CATCH_UP_RUNS;

/// The stored runs of one id, in addition to its task.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Backlog {
    /// Those that are due.
    asking: usize,
    /// Those that wait to be resumed, or for a lane.
    others: usize,
    /// All of them, held runs and further attempts before their time included.
    all: usize,
}

impl Storage {
    /// Returns the stored runs of an id. Those that are due by `until` count as due.
    pub(crate) fn backlog(&self, id: &str, until: UnixMillis) -> Backlog {
        let mut backlog = Backlog::default();
        for waiting in self.waiting().iter().filter(|waiting| *waiting.record.facts().id == *id) {
            let is_run = matches!(what_of(waiting), What::Again | What::PausedAgain | What::Held);
            let due = waiting.position.due;
            backlog.all += usize::from(is_run);
            backlog.asking += usize::from(is_run && due <= until);
            let waits_longer = due == UnixMillis::PAUSED || due == UnixMillis::NO_LANE;
            backlog.others += usize::from(is_run && waits_longer);
        }
        backlog
    }

    /// Returns the last due time that counts as due, because a lane raises what is added to it.
    pub(crate) fn due_by(&self, now: UnixMillis) -> UnixMillis {
        self.last_dispatched().max(now).plus(1)
    }

    fn count(&self, firing: Firing) -> usize {
        let is_it = |waiting: &&Waiting| {
            matches!(what_of(waiting), What::Again | What::PausedAgain)
                && waiting.record.firing() == firing
        };
        self.waiting().iter().filter(is_it).count()
    }
}

impl Backlog {
    /// Returns how many more runs may wait for their limit: a hundred with those that wait already,
    /// or the only one that asks for a slot.
    pub(crate) fn room(self, max_runs: usize) -> usize {
        let room = MAX_CATCH_UP_RUNS.saturating_sub(self.asking + self.others);
        if self.asking == 0 && self.others < max_runs { room.max(1) } else { room }
    }
}

impl Model {
    /// Returns how many runs of an id wait or are in flight.
    pub(crate) fn going_on(&self, id: &str) -> usize {
        let waits = |((_, what), count): ((Firing, What), u32)| match what {
            What::Again | What::PausedAgain | What::Held => count as usize,
            _ => 0,
        };
        self.waiting_of(id).into_iter().map(waits).sum::<usize>() + self.in_flight_of(id).len()
    }
}

impl World {
    /// Settles runs of a version that come outside of the order. Those that find no room to wait are
    /// skipped together.
    pub(crate) fn run_all_beside(
        &mut self,
        at: usize,
        runs: impl IntoIterator<Item = (Firing, Fate)>,
        replays: Option<i64>,
    ) {
        let (mut added, mut first_skipped, mut last) = (0, None, None);
        for (firing, fate) in runs {
            if fate != Fate::Fires {
                self.run_beside(at, firing, fate, replays);
                continue;
            }
            let known = |what| self.model.waiting.get(&(firing, what)).copied().unwrap_or(0);
            let before = known(What::Again) + known(What::PausedAgain);
            if self.shards[at].storage.count(firing) > before as usize {
                hold("backlogs-are-bounded", first_skipped.is_none(), || {
                    format!("{firing:?} waits, and {first_skipped:?} before it was skipped")
                });
                added += 1;
                self.run_beside(at, firing, fate, replays);
            } else if first_skipped.is_none() {
                first_skipped = Some(firing);
                self.has_no_room_beside(at, firing);
                self.run_beside(at, firing, Fate::Skipped, None);
            }
            last = Some(firing);
        }
        if let Some(firing) = last.filter(|_| added > 0) {
            self.had_room_beside(at, firing, added);
        }
    }

    /// Checks that the most runs wait for their limit or for their destination.
    fn has_no_room_beside(&self, at: usize, firing: Firing) {
        let (version, storage) = (self.model.version(firing.version), &self.shards[at].storage);
        let backlog = storage.backlog(&version.id, storage.due_by(self.now));
        let going_on = backlog.all + self.model.in_flight_of(&version.id).len();
        let is_full = version.key.is_some() && backlog.asking + backlog.others >= MAX_CATCH_UP_RUNS
            || self.model.is_silent(at, firing) && going_on >= MAX_CATCH_UP_RUNS;
        hold("backlogs-are-bounded", is_full, || {
            format!("{firing:?} of {} is skipped beside {backlog:?}, {going_on}", version.id)
        });
    }

    /// Checks that not more runs than may wait for their limit after some were added.
    fn had_room_beside(&self, at: usize, firing: Firing, added: usize) {
        let (version, storage) = (self.model.version(firing.version), &self.shards[at].storage);
        if version.key.is_none() || self.model.is_silent(at, firing) {
            return;
        }
        let backlog = storage.backlog(&version.id, self.now);
        let is_only_one = added == 1 && backlog.asking <= 1;
        let is_bounded = backlog.asking + backlog.others <= MAX_CATCH_UP_RUNS || is_only_one;
        hold("backlogs-are-bounded", is_bounded, || {
            format!("{added} runs of {} were added, so {backlog:?} wait", version.id)
        });
    }
}
