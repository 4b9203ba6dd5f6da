//! The update of the tasks that use a changed calendar.
//!
//! It searches the recurring tasks of all shards of the namespace, list by list, and changes those
//! with former items. The registry stores the update after each list, so after a crash it continues
//! with the same list. It finds the tasks of this list that it has already changed up to date.
//!
//! A search is not the last one while a request that has read the former items may still store a
//! task, and while tasks are left: because they were due, another writer changed them, or their
//! shard failed.

use crate::bounds::{
    CALENDAR_RETRY_MILLIS, CALENDAR_SETTLE_MILLIS, MAX_CALENDAR_RETRY_MILLIS, MAX_UPDATE_FAILURES,
    PATIENT_SEARCHES,
};
use crate::position::Position;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far an update has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    /// When the items were changed.
    changed_at: UnixMillis,
    /// When the update continues; absent if it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<UnixMillis>,
    /// The number of the current search, from 1.
    search: u32,
    /// When the current search began.
    began_at: UnixMillis,
    /// The next list.
    #[serde(default)]
    place: Place,
    /// The tasks with the current items, found by this search.
    found: u64,
    /// The tasks that this search could not change.
    refused: u64,
    /// Whether this search has left tasks to the next one.
    left: bool,
    /// The results of the last whole search, or of the present one if it is the first.
    pub tasks_updated: u64,
    /// The tasks that could not be changed.
    pub tasks_failed: u64,
    /// The first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failed>,
}

/// A list of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    /// The place of the shard among all shards of the namespace.
    pub shard: usize,
    /// The tasks of the shard after this position.
    pub after: Option<Position>,
}

/// A task that could not be changed. It keeps the former items of the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FailedUpdate")]
pub struct Failed {
    /// The task's id.
    pub id: String,
    /// The field, the problem and the limit, for people.
    pub detail: String,
}

/// The results of a list.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// The tasks that have the current items now.
    pub found: u64,
    /// The tasks that cannot have them.
    pub refused: Vec<Failed>,
    /// Whether tasks are left to a later search.
    pub left: bool,
    /// The next list; `None` if this was the last one of all shards.
    pub next: Option<Place>,
}

impl Update {
    /// Returns the update that a change begins.
    pub(super) fn begin(now: UnixMillis) -> Self {
        Self {
            changed_at: now,
            due: Some(now),
            search: 1,
            began_at: now,
            place: Place::default(),
            found: 0,
            refused: 0,
            left: false,
            tasks_updated: 0,
            tasks_failed: 0,
            failures: Vec::new(),
        }
    }

    /// Returns whether tasks with former items may be left.
    pub fn is_pending(&self) -> bool {
        self.due.is_some()
    }

    /// Returns when the update continues; `None` if it is done.
    pub fn due(&self) -> Option<UnixMillis> {
        self.due
    }

    /// Returns the next list.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Returns when the current search began.
    pub fn began_at(&self) -> UnixMillis {
        self.began_at
    }

    /// Returns whether a task that is due is left to a later search.
    pub fn leaves_due_tasks(&self) -> bool {
        self.search <= PATIENT_SEARCHES
    }

    /// Returns whether this is the same update, at the same list, as `other`.
    pub fn is_at(&self, other: &Self) -> bool {
        (self.changed_at, self.search, self.place) == (other.changed_at, other.search, other.place)
    }

    /// Records the results of a list, and continues with the next one.
    pub fn note(&mut self, step: Step, now: UnixMillis) {
        if self.search > 1 && self.place == Place::default() {
            (self.found, self.refused) = (0, 0);
        }
        if self.place == Place::default() {
            self.failures.clear();
        }
        self.found += step.found;
        self.refused += step.refused.len() as u64;
        self.left |= step.left;
        let room = MAX_UPDATE_FAILURES.saturating_sub(self.failures.len());
        self.failures.extend(step.refused.into_iter().take(room));
        if self.search == 1 || step.next.is_none() {
            (self.tasks_updated, self.tasks_failed) = (self.found, self.refused);
        }
        self.due = Some(now);
        match step.next {
            Some(next) => self.place = next,
            None => self.end_search(now),
        }
    }

    fn end_search(&mut self, now: UnixMillis) {
        let settled = self.changed_at.plus(CALENDAR_SETTLE_MILLIS);
        if !self.left && self.began_at >= settled {
            self.due = None;
            return;
        }
        let wait = if self.left { self.wait() } else { 0 };
        let next = now.plus(wait).max(settled);
        self.due = Some(next);
        self.search += 1;
        self.began_at = next;
        self.place = Place::default();
        self.left = false;
    }

    fn wait(&self) -> i64 {
        CALENDAR_RETRY_MILLIS.saturating_mul(self.search.into()).min(MAX_CALENDAR_RETRY_MILLIS)
    }

    /// Postpones the same list, because it could not be read.
    pub fn postpone(&mut self, now: UnixMillis) {
        self.due = Some(now.plus(self.wait()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

    fn place(shard: usize) -> Option<Place> {
        Some(Place { shard, after: None })
    }

    #[test]
    fn the_last_search_begins_after_open_requests_have_ended() {
        let mut update = Update::begin(NOW);
        assert_eq!((update.due(), update.place()), (Some(NOW), Place::default()));
        update.note(Step { found: 3, next: place(1), ..Step::default() }, NOW.plus(1));
        assert_eq!((update.tasks_updated, update.is_pending()), (3, true));
        update.note(Step { found: 2, ..Step::default() }, NOW.plus(2));
        assert_eq!(update.tasks_updated, 5);
        let settled = NOW.plus(CALENDAR_SETTLE_MILLIS);
        assert_eq!((update.due(), update.place()), (Some(settled), Place::default()));
        // The counts stay until the second search is whole.
        update.note(Step { found: 4, next: place(1), ..Step::default() }, settled);
        assert_eq!(update.tasks_updated, 5);
        let stored = serde_json::to_string(&update).unwrap();
        assert_eq!(serde_json::from_str::<Update>(&stored).unwrap(), update);
        update.note(Step { found: 2, ..Step::default() }, settled.plus(1));
        assert_eq!((update.tasks_updated, update.due()), (6, None));
    }

    #[test]
    fn tasks_that_are_left_need_another_search() {
        let mut update = Update::begin(NOW);
        let settled = NOW.plus(CALENDAR_SETTLE_MILLIS);
        update.note(Step::default(), NOW);
        for search in 2..=PATIENT_SEARCHES {
            assert!(update.leaves_due_tasks(), "{search}");
            update.note(Step { left: true, ..Step::default() }, settled);
            assert!(update.is_pending());
        }
        assert!(!update.leaves_due_tasks());
        let due = update.due().unwrap();
        assert!(due > settled && due <= settled.plus(MAX_CALENDAR_RETRY_MILLIS));
        update.note(Step { found: 1, ..Step::default() }, due);
        assert!(!update.is_pending());
    }

    #[test]
    fn some_tasks_that_cannot_be_changed_are_named() {
        let mut update = Update::begin(NOW);
        let failed =
            |n: usize| Failed { id: n.to_string(), detail: "exclude leaves no run".into() };
        let refused = (0..MAX_UPDATE_FAILURES + 5).map(failed).collect();
        update.note(Step { refused, ..Step::default() }, NOW);
        assert_eq!(update.tasks_failed as usize, MAX_UPDATE_FAILURES + 5);
        assert_eq!(update.failures.len(), MAX_UPDATE_FAILURES);
        // A later search finds that they can be changed.
        update.note(Step { found: 15, ..Step::default() }, NOW.plus(CALENDAR_SETTLE_MILLIS));
        assert_eq!((update.tasks_failed, update.failures.len()), (0, 0));
        assert_eq!((update.tasks_updated, update.is_pending()), (15, false));
    }

    #[test]
    fn a_list_that_cannot_be_read_is_tried_again() {
        let mut update = Update::begin(NOW);
        update.note(Step { next: place(1), ..Step::default() }, NOW);
        let before = update.clone();
        update.postpone(NOW);
        assert!(update.is_at(&before) && update.due() > Some(NOW));
        assert!(!update.is_at(&Update::begin(NOW.plus(1))));
    }
}
