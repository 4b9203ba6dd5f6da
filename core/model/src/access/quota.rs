//! Quotas: how much a namespace may hold, and how fast it may be filled.
//!
//! Each shard enforces its share without a message to others, so a quota costs no step. The bounds,
//! for a quota on `n` shards:
//! - `pendingTasks` q: a shard refuses a create that would leave more than `⌈q/n⌉` of its tasks
//!   waiting. So creates make at most `q + n - 1` tasks wait at a time. Tasks that have fired and
//!   wait for a further attempt may come on top. A shard may refuse before the whole quota is
//!   reached, because the tasks of a request without ids go to one shard.
//! - `createsPerSecond` r: while a shard stays in memory, it accepts at most `(t + 1) r/n + k`
//!   tasks within any t seconds, where k is the number of tasks of its largest request. So a batch
//!   passes as a whole, and the shard accepts the next task only when the time for the batch has
//!   passed. The use is stored with the shard's counts. A crash forgets the use of the last five
//!   seconds.

use crate::bounds::{MAX_PENDING_PER_SHARD, MAX_SHARDS};
use crate::input::FieldError;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A greater quota would limit nothing, because no deployment could hold that many.
const MAX_PENDING_TASKS: u64 = MAX_PENDING_PER_SHARD as u64 * MAX_SHARDS as u64;
/// A higher rate would limit nothing. A shard counts in microseconds, and this is one task per
/// microsecond.
const MAX_CREATES_PER_SECOND: u32 = 1_000_000;

/// The limits of a namespace. An absent member sets no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Quota {
    /// The most waiting tasks: those that wait for their time, for a further attempt or to be
    /// resumed, and those without a schedule. A recurring task counts once.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "crate::input::whole")]
    #[schemars(range(min = 1, max = MAX_PENDING_TASKS))]
    pub pending_tasks: Option<u64>,
    /// The most tasks that may be created per second in the long run.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "crate::input::whole")]
    #[schemars(range(min = 1, max = MAX_CREATES_PER_SECOND))]
    pub creates_per_second: Option<u32>,
}

impl Quota {
    /// No limits.
    pub const NONE: Self = Self { pending_tasks: None, creates_per_second: None };
}

impl Quota {
    /// Checks that the numbers are in range.
    ///
    /// # Errors
    /// Returns an error if a number is out of range. The error names it and the range.
    pub fn check(&self) -> Result<(), FieldError> {
        let within = |field: &'static str, value: Option<u64>, most: u64| match value {
            Some(value) if value == 0 || value > most => Err(FieldError::new(
                field,
                format!("is {value}; must be 1 to {most}, or be left out for no limit"),
            )),
            _ => Ok(()),
        };
        within("quota.pendingTasks", self.pending_tasks, MAX_PENDING_TASKS)?;
        within(
            "quota.createsPerSecond",
            self.creates_per_second.map(u64::from),
            MAX_CREATES_PER_SECOND.into(),
        )
    }

    /// Returns the share that each of `shards` shards enforces, or `None` if nothing is limited.
    pub fn share(&self, shards: u16) -> Option<Share> {
        let shards = u64::from(shards.max(1));
        let share = Share {
            pending_tasks: self.pending_tasks.map(|tasks| tasks.div_ceil(shards)),
            create_micros: self
                .creates_per_second
                .map(|rate| (1_000_000 * shards).div_ceil(u64::from(rate.max(1)))),
            of: *self,
        };
        (share != Share::default()).then_some(share)
    }
}

/// The share of one shard of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Share {
    /// The most tasks that may wait.
    pub pending_tasks: Option<u64>,
    /// The microseconds that each created task uses up.
    pub create_micros: Option<u64>,
    /// The whole quota, which a refusal names.
    #[serde(default)]
    pub of: Quota,
}

/// How far creates may run ahead of the clock: a shard may use up to one second of its rate at
/// once.
const BURST_MICROS: i64 = 1_000_000;

/// The time up to which a shard's creates have used up its share, in microseconds since 1970. This
/// single number is the whole state. It is ahead of the clock by the used amount, and never behind
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Used(i64);

impl Used {
    /// Returns whether more can be accepted now. If not, returns the milliseconds until then.
    pub fn admits(self, now: UnixMillis) -> Result<(), i64> {
        let ahead = self.0.saturating_sub(now.get().saturating_mul(1_000));
        if ahead < BURST_MICROS { Ok(()) } else { Err((ahead - BURST_MICROS) / 1_000 + 1) }
    }

    /// Returns the state after the clock has gone back by `millis`.
    pub fn moved_back(self, millis: i64) -> Self {
        Self(self.0.saturating_sub(millis.saturating_mul(1_000)))
    }

    /// Returns the state after `tasks` were accepted at `micros` each.
    pub fn after(self, tasks: u64, micros: u64, now: UnixMillis) -> Self {
        let start = self.0.max(now.get().saturating_mul(1_000));
        Self(start.saturating_add(i64::try_from(tasks.saturating_mul(micros)).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_checked_and_shared_out() {
        let of = |pending_tasks, creates_per_second| Quota { pending_tasks, creates_per_second };
        assert_eq!(of(None, None).share(16), None);
        let share = |of: Quota, shards| {
            let share = of.share(shards).unwrap();
            assert_eq!(share.of, of);
            (share.pending_tasks, share.create_micros)
        };
        assert_eq!(share(of(Some(100), None), 16), (Some(7), None));
        assert_eq!(share(of(None, Some(10)), 4), (None, Some(400_000)));
        for (quota, field) in [
            (of(Some(0), None), "quota.pendingTasks"),
            (of(None, Some(1_000_001)), "quota.createsPerSecond"),
        ] {
            assert_eq!(quota.check().unwrap_err().field, field);
        }
        assert_eq!(of(Some(1), Some(1_000_000)).check(), Ok(()));
    }

    #[test]
    fn a_second_of_creates_may_come_at_once_and_the_stated_wait_suffices() {
        let (now, mut used, mut taken) = (UnixMillis::new(1_764_000_000_000), Used::default(), 0);
        while used.admits(now).is_ok() {
            used = used.after(1, 250_000, now);
            taken += 1;
        }
        assert_eq!(taken, 4);
        let wait = used.admits(now).unwrap_err();
        assert!(used.admits(now.plus(wait - 1)).is_err() && used.admits(now.plus(wait)).is_ok());
    }

    proptest! {
        /// The stated bound holds over every window that begins and ends with a request.
        #[test]
        fn no_window_accepts_more_than_the_bound(
            rate in 1u32..2_000, shards in 1u16..64,
            requests in prop::collection::vec((0i64..3_000, 1u64..40), 1..80),
        ) {
            let micros = Quota { pending_tasks: None, creates_per_second: Some(rate) }.share(shards).unwrap().create_micros.unwrap();
            let (mut now, mut used, mut taken) = (UnixMillis::new(1_764_000_000_000), Used::default(), Vec::new());
            for (gap, tasks) in requests {
                now = now.plus(gap);
                if used.admits(now).is_ok() {
                    used = used.after(tasks, micros, now);
                    taken.push((now, tasks));
                }
            }
            let largest = taken.iter().map(|(_, tasks)| *tasks).max().unwrap_or(0);
            for (first, (from, _)) in taken.iter().enumerate() {
                let mut sum = 0;
                for (to, tasks) in &taken[first..] {
                    sum += tasks;
                    let seconds = to.since(*from) as f64 / 1_000.0;
                    let bound = (seconds + 1.0) * f64::from(rate) / f64::from(shards) + largest as f64;
                    prop_assert!(sum as f64 <= bound + 1e-6, "{sum} in {seconds} s, bound {bound}");
                }
            }
        }

        #[test]
        fn shares_of_pending_tasks_sum_to_less_than_the_bound(tasks in 1u64..1_000_000, shards in 1u16..512) {
            let share = Quota { pending_tasks: Some(tasks), creates_per_second: None }.share(shards).unwrap().pending_tasks.unwrap();
            let sum = share * u64::from(shards);
            prop_assert!(sum >= tasks && sum < tasks + u64::from(shards));
        }
    }
}
