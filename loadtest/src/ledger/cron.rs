//! The occurrences of one recurring task. All between its creation and its deletion must arrive,
//! and no others.

use std::collections::BTreeMap;

use super::{Arrival, Fired};

/// Occurrences within this many milliseconds before a deletion may be missing, because the deletion
/// rightly stops one that was due but not dispatched.
const DELETION_RACE_MILLIS: i64 = 2_000;

/// See the module. Times are epoch milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct CronLog {
    step: i64,
    pub(crate) occurrences: BTreeMap<i64, Arrival>,
    pub(crate) delete_sent: Option<i64>,
    pub(crate) delete_answered: Option<i64>,
    /// The deletion of the existing task was answered with 404 or 409.
    pub(crate) delete_refused: bool,
}

impl CronLog {
    pub(crate) fn new(step: i64) -> Self {
        Self {
            step: step.max(1),
            occurrences: BTreeMap::new(),
            delete_sent: None,
            delete_answered: None,
            delete_refused: false,
        }
    }

    /// Records an occurrence, and returns its first arrival if it is a duplicate.
    pub(crate) fn record(&mut self, fired: &Fired<'_>) -> Option<Arrival> {
        let first = self.occurrences.get(&fired.time).copied();
        if first.is_none() {
            self.occurrences.insert(fired.time, fired.arrival);
        }
        first
    }

    /// Returns the occurrences that must have been received and were not: all after the creation
    /// was `answered`, up to `limit`, and before any deletion. All occurrences before the last
    /// received one are among them.
    pub(crate) fn missing(&self, answered: i64, limit: i64) -> impl Iterator<Item = i64> {
        let undisturbed = self.delete_sent.map_or(i64::MAX, |sent| sent - DELETION_RACE_MILLIS);
        let last_seen = self.occurrences.keys().next_back().copied().unwrap_or(i64::MIN);
        // Without a deletion and a limit, the occurrences never end, so only gaps count.
        let demanded =
            if self.delete_sent.is_none() && limit == i64::MAX { last_seen } else { undisturbed };
        let end = demanded.max(last_seen).min(limit);
        let exists = answered != 0;
        let first = (answered.div_euclid(self.step) + 1) * self.step;
        (0..)
            .map(move |k| first + k * self.step)
            .take_while(move |&time| exists && time <= end)
            .filter(|time| !self.occurrences.contains_key(time))
    }

    /// Returns the occurrences that the expression does not allow: those that are not a multiple of
    /// the step, or before the creation was sent.
    pub(crate) fn off_time(&self, sent: i64) -> impl Iterator<Item = i64> {
        self.occurrences
            .keys()
            .copied()
            .filter(move |time| time.rem_euclid(self.step) != 0 || *time < sent)
    }

    /// Returns the occurrences that were due, or dispatched, after the deletion was answered.
    pub(crate) fn after_deletion(&self) -> impl Iterator<Item = i64> {
        let deleted = self.delete_answered.unwrap_or(i64::MAX);
        self.occurrences
            .iter()
            .filter(move |(time, arrival)| {
                **time > deleted || arrival.at_shard.is_some_and(|at| at > deleted)
            })
            .map(|(time, _)| *time)
    }
}
