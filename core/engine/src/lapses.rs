//! The tasks of a lane that may lapse while they wait.

use scheduler_calendar::time::UnixMillis;
use scheduler_model::numbers::PageNumber;
use scheduler_model::position::Position;
use std::collections::BTreeMap;

/// The results of the last search of a lane for lapsed tasks.
#[derive(Debug, Default)]
pub(super) struct Lapses {
    /// Whether the lane has tasks that may lapse.
    pub(super) is_needed: bool,
    pub(super) pages: BTreeMap<PageNumber, Judged>,
    /// When to search next, or `None` if no task is known to lapse.
    pub(super) look_at: Option<UnixMillis>,
    /// When the last search continues, if it reached its bound before it found a task that may
    /// fire.
    pub(super) resumes_at: Option<UnixMillis>,
    /// The last page behind the front of the lane that a search has judged.
    pub(super) reached: Option<PageNumber>,
}

/// A result for a page: the entries before the index `to` may fire until the first of them lapses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judged {
    pub(super) to: u32,
    pub(super) until: UnixMillis,
}

impl Lapses {
    /// Marks a new or changed page with tasks that may lapse.
    pub(super) fn note(&mut self, page: PageNumber) {
        self.is_needed = true;
        self.pages.remove(&page);
    }

    pub(super) fn is_needed(&self) -> bool {
        self.is_needed
    }

    /// Returns when to search again.
    pub(super) fn look_at(&self) -> Option<UnixMillis> {
        self.look_at
    }

    /// Returns when the search continues. Before that, the head of the lane is not judged.
    pub(super) fn resumes_at(&self) -> Option<UnixMillis> {
        self.resumes_at
    }

    /// Returns pages in the order of their turns: by number, from the one after the last judged. If
    /// the first pages always came first and lapsed again and again, the others would get no turn.
    pub(super) fn in_turn(&self, mut pages: Vec<PageNumber>) -> Vec<PageNumber> {
        pages.sort_unstable();
        let passed = pages.partition_point(|page| Some(*page) <= self.reached);
        pages.rotate_left(passed);
        pages
    }

    /// Corrects the times after the clock has gone back: a search that was cut continues now, and
    /// so does one that was planned by the clock that was ahead.
    pub(super) fn begin_waits_by(&mut self, now: UnixMillis) {
        let next = now.plus(1);
        self.resumes_at = self.resumes_at.map(|at| at.min(next));
        self.look_at = self.look_at.map(|at| at.min(next));
    }

    /// Returns whether the entry at this position was judged and may fire.
    pub(super) fn is_judged(&self, at: Position) -> bool {
        self.pages.get(&PageNumber::new(at.page)).is_some_and(|judged| at.index < judged.to)
    }
}
