//! Definitions that leave nothing of a task, by the reference, as `docs/changes.md` says: they end
//! its pause, and its last run was in it, or new items of its calendar leave out all its later runs.

use crate::definitions::Moment;
use crate::model::{Model, Schedule, What};
use crate::renewals::NextRun;
use crate::schedules::Recurring;
use scheduler_model::schedule::Misfire;
use scheduler_model::task::Record;

/// A definition of a recurring task, and the recurring task that waits under its id.
struct Redefined {
    what: What,
    /// By the rule of the task, which the definition may leave open.
    of_new: Recurring,
    old: Recurring,
    is_same: bool,
    /// Whether only the items of a calendar differ.
    renews: bool,
    next: Option<NextRun>,
}

impl Model {
    fn redefined(&self, n: u64) -> Option<Redefined> {
        let version = self.version(n);
        let is_recurring = |what: What| matches!(what, What::Recurring | What::PausedRecurring);
        let waiting = self.waiting_of(&version.id);
        let ((former, what), _) = waiting.iter().find(|((_, what), _)| is_recurring(*what))?;
        let old = self.version(former.version).schedule;
        let (Schedule::Recurring(new), Schedule::Recurring(old)) = (version.schedule, old) else {
            return None;
        };
        let is_same = new.is_same(&old, version.open_anchor);
        Some(Redefined {
            what: *what,
            of_new: Recurring { rule: old.rule, ..new },
            old,
            is_same,
            renews: !is_same && new.differs_in_items(&old, version.open_anchor),
            next: self.next_run.get(&former.version).copied(),
        })
    }

    /// Returns whether a definition leaves nothing of the task that it means: no run to come, none
    /// that waits, and no missed one that fires or is kept.
    pub(crate) fn would_end(&self, n: u64, moment: Moment) -> bool {
        let version = self.version(n);
        let id = &version.id;
        let Some(Redefined { what, of_new, old, is_same, renews, next }) = self.redefined(n) else {
            return false;
        };
        let mut next = if renews {
            let next = self.renewed(id, (&of_new, &old), next, moment);
            if next.is_none() {
                return true;
            }
            next
        } else if is_same {
            next.map(|(time, _, runs)| (time, of_new.due(id, time), runs))
        } else {
            return false;
        };
        let is_run = |what: What| matches!(what, What::Again | What::PausedAgain | What::Held);
        if version.says_paused != Some(false)
            || what != What::PausedRecurring
            || self.waiting_of(id).iter().any(|((_, what), _)| is_run(*what))
        {
            return false;
        }
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
}
