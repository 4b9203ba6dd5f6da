//! Instants. All times in the scheduler are Unix milliseconds, passed in as arguments.

use serde::{Deserialize, Serialize};

/// An instant: milliseconds since 1970-01-01T00:00:00Z, without leap seconds (as in Unix time).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct UnixMillis(i64);

impl UnixMillis {
    /// 1970-01-01T00:00:00Z, which is before every time of a task.
    pub const ZERO: Self = Self(0);
    /// The due time of what never fires by itself. It is later than every time of a task: the
    /// largest number of 48 bits, the width of a due time in a page's directory.
    pub const NEVER: Self = Self((1 << 48) - 1);
    /// The due time of what waits to be resumed. It is later than every time of a task, and before
    /// [`Self::NEVER`].
    pub const PAUSED: Self = Self((1 << 48) - 2);
    /// The due time of a run that waits until the run before it ends.
    pub const HELD: Self = Self((1 << 48) - 3);
    /// The due time of a run that may start, and waits until its shard has room for the key of its
    /// limit.
    pub const NO_LANE: Self = Self((1 << 48) - 4);
    /// The first due time of a dead letter, which is later than every time at which anything fires.
    /// See [`Self::as_death`].
    pub const FIRST_DEATH: Self = Self(254_000_000_000_000);
    /// The last instant of a task, 9999-12-31T23:59:59.999Z, which is the last that RFC 3339 can
    /// write.
    pub const LAST: Self = Self(253_402_300_799_999);

    /// Returns the instant of these milliseconds since the Unix epoch.
    pub const fn new(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the milliseconds since the Unix epoch.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Returns whether an entry with this due time does not fire by itself.
    pub const fn is_never(self) -> bool {
        self.0 >= Self::FIRST_DEATH.0
    }

    /// Returns the due time of the dead letter of a run that failed for good at this time. The
    /// order of due times is the order of death up to the year 2840; later ones are equal.
    #[must_use]
    pub const fn as_death(self) -> Self {
        const LONGEST: i64 = UnixMillis::NO_LANE.0 - 1 - UnixMillis::FIRST_DEATH.0;
        let since = if self.0 < 0 {
            0
        } else if self.0 > LONGEST {
            LONGEST
        } else {
            self.0
        };
        Self(Self::FIRST_DEATH.0 + since)
    }

    /// Returns the time of death of the dead letter with this due time, or `None` if this is not
    /// the due time of a dead letter. Earlier versions gave dead letters the due time
    /// [`Self::NEVER`].
    pub const fn death(self) -> Option<Self> {
        if self.0 >= Self::FIRST_DEATH.0 && self.0 < Self::NO_LANE.0 {
            Some(Self(self.0 - Self::FIRST_DEATH.0))
        } else {
            None
        }
    }

    /// Returns this instant moved by `millis`. The result stops at the ends of `i64` instead of
    /// wrapping.
    #[must_use]
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Returns the instant in RFC 3339, in UTC, or the milliseconds if RFC 3339 cannot express it.
    pub fn shown(self) -> String {
        chrono::DateTime::from_timestamp_millis(self.0).map_or_else(
            || self.0.to_string(),
            |time| time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
        )
    }

    /// Returns the milliseconds from `earlier` to this instant. The result is negative if `earlier`
    /// is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl std::fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_times_of_dead_letters_are_in_the_order_of_death_and_between_all_others() {
        let times = [i64::MIN, 0, 1, 1_764_000_000_000, 27_000_000_000_000, i64::MAX];
        let dues: Vec<UnixMillis> =
            times.iter().map(|time| UnixMillis::new(*time).as_death()).collect();
        assert!(dues.is_sorted());
        for (time, due) in times.into_iter().zip(dues) {
            assert!(
                due > UnixMillis::LAST && due < UnixMillis::NO_LANE && due.is_never(),
                "{time}"
            );
            if (0..27_000_000_000_001).contains(&time) {
                assert_eq!(due.death(), Some(UnixMillis::new(time)));
            }
        }
        for other in [
            UnixMillis::LAST,
            UnixMillis::FIRST_DEATH.plus(-1),
            UnixMillis::NO_LANE,
            UnixMillis::HELD,
            UnixMillis::PAUSED,
            UnixMillis::NEVER,
        ] {
            assert_eq!(other.death(), None);
        }
        assert!(!UnixMillis::FIRST_DEATH.plus(-1).is_never());
    }
}
