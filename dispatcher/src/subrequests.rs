//! Counts the subrequests of an invocation, which the platform limits: 50 on its free plan.
//!
//! Beyond the limit, every request fails, including the report. An envelope with more webhooks than
//! that could never be reported, and would run again and again. So the dispatcher reserves the
//! subrequests of the reports, starts a task only if the rest covers the most that a task takes,
//! and reports the other tasks as not started. Their shards fire them again, in another invocation.

use crate::plan::Work;
use crate::rules::MAX_REDIRECTS;
use crate::window::REPORT_TRIES;

/// The most subrequests of one task: a webhook with all its redirects.
pub(crate) const MAX_PER_TASK: u32 = 1 + MAX_REDIRECTS;

/// The subrequests that an invocation makes for itself: it asks the registry for the jurisdiction
/// and the shard map.
const OWN: u32 = 3;

/// The subrequests of an envelope besides its tasks: a question to its shard, and a report.
const PER_ENVELOPE: u32 = 2;

/// Returns the most envelopes that an invocation takes, so that it can run a task and report every
/// envelope. The queue delivers the other messages again.
pub(crate) fn max_envelopes(limit: u32) -> usize {
    let left = limit.saturating_sub(OWN + (REPORT_TRIES - 1) + MAX_PER_TASK);
    (left / PER_ENVELOPE).max(1) as usize
}

/// The subrequests that are left for tasks.
#[derive(Debug)]
pub(crate) struct Subrequests {
    left: u32,
}

impl Subrequests {
    /// Reserves what an invocation with this number of envelopes needs besides its tasks. One
    /// report may need all its tries. Leaves enough for one task in any case, because otherwise
    /// nothing would ever run.
    pub(crate) fn of(limit: u32, envelopes: usize) -> Self {
        let envelopes = u32::try_from(envelopes).unwrap_or(u32::MAX);
        let kept = OWN
            .saturating_add(envelopes.saturating_mul(PER_ENVELOPE))
            .saturating_add(REPORT_TRIES - 1);
        Self { left: limit.saturating_sub(kept).max(MAX_PER_TASK) }
    }

    /// Returns whether any task may be started.
    pub(crate) fn suffice(&self) -> bool {
        self.left >= MAX_PER_TASK
    }

    /// Takes the most that a task can need.
    pub(crate) fn take(&mut self, work: &Work<'_>) {
        // A handler may send requests of its own, which nobody can count.
        let most = if matches!(work, Work::Webhook(_)) { MAX_PER_TASK } else { 1 };
        self.left = self.left.saturating_sub(most);
    }

    /// Gives back what a task has not used.
    pub(crate) fn give_back(&mut self, spare: u32) {
        self.left = self.left.saturating_add(spare);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_envelopes_as_an_invocation_takes_can_all_be_reported() {
        for (limit, most) in [(50, 19), (10_000, 4_994), (13, 1), (10, 1), (0, 1)] {
            assert_eq!(max_envelopes(limit), most, "{limit}");
            let used = OWN + PER_ENVELOPE * most as u32 + (REPORT_TRIES - 1) + MAX_PER_TASK;
            // One envelope is taken in any case.
            assert!(used <= limit || most == 1, "{limit}: {used}");
            assert!(Subrequests::of(limit, most).suffice());
        }
    }
}
