//! Sets of quarters of an hour.

use chrono::{DateTime, NaiveDateTime, TimeDelta};

/// 2026-11-25T09:15:00Z.
pub(crate) const NOW: i64 = 1_795_598_100_000;
const QUARTER: i64 = 900_000;
/// Quarters of an hour from the day of [`NOW`] on: 400 days, and two for zones.
const SLOTS: usize = 402 * 96;
/// A set of quarters of an hour, as bits.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Set(Vec<u64>);

impl Set {
    /// Returns the quarters that begin at such a time.
    pub(crate) fn of(has: impl Fn(NaiveDateTime) -> bool) -> Self {
        let first = start();
        Self::by(|slot| has(first + TimeDelta::minutes(slot as i64 * 15)))
    }

    fn by(mut has: impl FnMut(usize) -> bool) -> Self {
        let word = |word: usize| (0..64).filter(|bit| word * 64 + bit < SLOTS).collect::<Vec<_>>();
        let bits = (0..SLOTS.div_ceil(64)).map(|at| {
            word(at).into_iter().fold(0, |bits, bit| bits | u64::from(has(at * 64 + bit)) << bit)
        });
        Self(bits.collect())
    }

    pub(crate) fn none() -> Self {
        Self(vec![0; SLOTS.div_ceil(64)])
    }

    fn has(&self, slot: usize) -> bool {
        self.0.get(slot / 64).is_some_and(|bits| bits >> (slot % 64) & 1 == 1)
    }

    fn with(&self, other: &Self, both: impl Fn(u64, u64) -> u64) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, other)| both(*one, *other)).collect())
    }

    pub(crate) fn and(&self, other: &Self) -> Self {
        self.with(other, |one, other| one & other)
    }

    pub(crate) fn or(&self, other: &Self) -> Self {
        self.with(other, |one, other| one | other)
    }

    pub(crate) fn without(&self, other: &Self) -> Self {
        self.with(other, |one, other| one & !other)
    }

    /// Returns the set on the clock of a zone this many quarters ahead.
    pub(crate) fn ahead(&self, quarters: usize) -> Self {
        Self::by(|slot| self.has(slot + quarters))
    }

    /// Returns the first of its quarters that begin after now.
    pub(crate) fn first(&self, count: usize) -> Self {
        let mut left = count;
        let now = slot_of(NOW);
        Self::by(|slot| {
            let is_run = self.has(slot) && slot > now && left > 0;
            left -= usize::from(is_run);
            is_run
        })
    }

    /// Returns the first `count` of its quarters that begin after an instant.
    pub(crate) fn runs(&self, after: i64, count: usize) -> Vec<i64> {
        let first = start().and_utc().timestamp_millis();
        let slots = (slot_of(after) + 1..SLOTS).filter(|slot| self.has(*slot));
        slots.take(count).map(|slot| first + slot as i64 * QUARTER).collect()
    }
}

/// Returns the last quarter of an hour that has begun at an instant.
fn slot_of(instant: i64) -> usize {
    usize::try_from((instant - start().and_utc().timestamp_millis()) / QUARTER).unwrap()
}

pub(crate) fn start() -> NaiveDateTime {
    DateTime::from_timestamp_millis(NOW).unwrap().naive_utc().date().and_hms_opt(0, 0, 0).unwrap()
}
