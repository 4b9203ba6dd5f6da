//! Definitions that leave nothing of a task, by the reference, as `docs/changes.md` says: they end
//! its pause, and its last run was in it, or new items of its calendar leave out all its later runs.

use crate::definitions::Moment;
use crate::model::{Model, Schedule, What};
use crate::schedules::Recurring;
use scheduler_model::schedule::Misfire;
use scheduler_model::task::Record;

impl Model {
    /// Returns whether a definition leaves nothing of the task that it means: no run to come, none
    /// that waits, and no missed one that fires or is kept.
    pub(crate) fn would_end(&self, n: u64, moment: Moment) -> bool {
        let version = self.version(n);
        if self.has_no_run_by_new_items(n, moment) {
            return true;
        }
        if version.says_paused != Some(false) {
            return false;
        }
        let id = &version.id;
        let waiting = self.waiting_of(id);
        let is_run = |what: What| matches!(what, What::Again | What::PausedAgain | What::Held);
        let paused = waiting.iter().find(|((_, what), _)| *what == What::PausedRecurring);
        let Some(((former, _), _)) = paused else { return false };
        if waiting.iter().any(|((_, what), _)| is_run(*what)) {
            return false;
        }
        let (Schedule::Recurring(new), Schedule::Recurring(old)) =
            (version.schedule, self.version(former.version).schedule)
        else {
            return false;
        };
        let next = self.next_run.get(&former.version).copied();
        let of_new = Recurring { rule: old.rule, ..new };
        let mut next = if new.is_same(&old, version.open_anchor) {
            next.map(|(time, _, runs)| (time, of_new.due(id, time), runs))
        } else if new.differs_in_items(&old, version.open_anchor) {
            self.renewed(id, (&of_new, &old), next, moment)
        } else {
            return false;
        };
        let mut last_missed = None;
        while let Some((time, due, runs)) = next {
            if due > moment.start {
                return false;
            }
            if due <= moment.clock {
                last_missed = Some(due);
            }
            let is_counted = of_new.max_runs.is_none_or(|most| runs + 1 < most);
            let following = of_new.following(id, time).filter(|_| is_counted);
            next = following.map(|(time, due)| (time, due, runs + 1));
        }
        // Of the missed runs, the last one is the least late.
        let policies = Record::parse(&version.record).unwrap().policies();
        let is_kept = last_missed.filter(|_| policies.catches_up).is_some_and(|due| {
            let late = moment.clock - due;
            let is_expired = policies.expire_after_millis.is_some_and(|limit| late > limit);
            !is_expired && (late <= policies.grace_millis || policies.misfire != Misfire::Skip)
        });
        !is_kept
    }
    /// Returns whether new items of its calendar leave out all runs that a task has not come to.
    fn has_no_run_by_new_items(&self, n: u64, moment: Moment) -> bool {
        let version = self.version(n);
        let is_recurring = |what: What| matches!(what, What::Recurring | What::PausedRecurring);
        let waiting = self.waiting_of(&version.id);
        let former = waiting.iter().find(|((_, what), _)| is_recurring(*what));
        let Some(((former, _), _)) = former else { return false };
        let (Schedule::Recurring(new), Schedule::Recurring(old)) =
            (version.schedule, self.version(former.version).schedule)
        else {
            return false;
        };
        let next = self.next_run.get(&former.version).copied();
        let of_new = Recurring { rule: old.rule, ..new };
        !new.is_same(&old, version.open_anchor)
            && new.differs_in_items(&old, version.open_anchor)
            && self.renewed(&version.id, (&of_new, &old), next, moment).is_none()
    }
}
