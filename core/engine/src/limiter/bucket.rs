//! The token bucket of a key's rate.

use scheduler_calendar::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// A millionth of a token, in the unit of the bucket. The unit is 10^-12 of a token. At the lowest
/// rate, one token in a thousand seconds, a million units arrive per millisecond. So a rate that is
/// rounded down to whole units loses less than a millionth of itself.
const MILLIONTH: u64 = 1_000_000;
/// A token in the unit of the bucket.
const TOKEN: u64 = 1_000_000 * MILLIONTH;
/// A bucket holds at least one token, and otherwise what arrives in this time, in milliseconds.
const FULL_IN_MILLIS: u64 = 250;

/// The highest rate whose bucket is stored each time a token is taken: one row in ten seconds.
/// Buckets of higher rates start empty after a restart of the limiter, so that no token is granted
/// twice. That delays a run by ten seconds at most.
const STORED_UP_TO_PER_SECOND: f64 = 0.1;

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Bucket {
    /// Whole millionths of a token. Earlier versions stored no finer part.
    millionths: u64,
    /// The units beyond them: less than [`MILLIONTH`].
    #[serde(skip_serializing_if = "is_zero")]
    rest: u64,
    /// The time up to which the bucket is filled, or `None` if it has not started.
    #[serde(skip_serializing_if = "Option::is_none")]
    filled: Option<UnixMillis>,
}

fn is_zero(rest: &u64) -> bool {
    *rest == 0
}

impl Bucket {
    /// The bucket of a key that had no rate before: its first run does not wait.
    pub(super) const WITH_FIRST: Self =
        Self { millionths: TOKEN / MILLIONTH, rest: 0, filled: None };

    /// Returns whether the bucket of this rate is stored.
    pub(super) fn is_stored(per_second: f64) -> bool {
        per_second <= STORED_UP_TO_PER_SECOND
    }

    /// Returns the units that arrive in a millisecond, rounded down, so that the rate is never
    /// exceeded.
    fn per_milli(per_second: f64) -> u64 {
        (per_second * (TOKEN / 1_000) as f64).max(1.0) as u64
    }

    fn units(&self) -> u64 {
        self.millionths.saturating_mul(MILLIONTH).saturating_add(self.rest)
    }

    fn set_units(&mut self, units: u64) {
        (self.millionths, self.rest) = (units / MILLIONTH, units % MILLIONTH);
    }

    /// Returns the number of whole tokens in the bucket at `now`.
    pub(super) fn tokens(&mut self, per_second: f64, now: UnixMillis) -> u32 {
        let rate = Self::per_milli(per_second);
        // If the clock has gone back, nothing is added, and filling continues from the new time.
        let filled = self.filled.unwrap_or(now);
        let millis = u64::try_from(now.since(filled)).unwrap_or(0);
        let full = TOKEN.max(rate.saturating_mul(FULL_IN_MILLIS));
        let units = self.units().saturating_add(rate.saturating_mul(millis)).min(full);
        self.set_units(units);
        self.filled = Some(now);
        u32::try_from(units / TOKEN).unwrap_or(u32::MAX)
    }

    /// Continues at another rate with what the bucket has, up to what a bucket of that rate holds. A
    /// bucket that started empty after each change would never have a token if the rate changes
    /// more often than tokens arrive.
    pub(super) fn change_rate(&mut self, former: f64, per_second: f64, now: UnixMillis) {
        self.tokens(former, now);
        self.tokens(per_second, now);
    }

    /// Takes tokens out of the bucket.
    pub(super) fn take(&mut self, tokens: u32) {
        self.set_units(self.units().saturating_sub(u64::from(tokens).saturating_mul(TOKEN)));
    }

    /// Returns how many milliseconds it takes until the bucket has `tokens`, as if its capacity
    /// were unlimited.
    pub(super) fn wait(&self, per_second: f64, tokens: u32) -> u64 {
        u64::from(tokens)
            .saturating_mul(TOKEN)
            .saturating_sub(self.units())
            .div_ceil(Self::per_milli(per_second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixMillis = UnixMillis::new(1_764_000_000_000);

    #[test]
    fn a_bucket_starts_empty_and_holds_a_quarter_of_a_second() {
        let mut bucket = Bucket::default();
        assert_eq!(bucket.tokens(100.0, START), 0);
        assert_eq!(bucket.wait(100.0, 2), 20);
        assert_eq!(bucket.tokens(100.0, START.plus(19)), 1);
        assert_eq!(bucket.tokens(100.0, START.plus(3_600_000)), 25);
        bucket.take(25);
        assert_eq!(bucket.tokens(100.0, START), 0, "the clock has gone back");
        assert_eq!(bucket.tokens(100.0, START.plus(10)), 1, "filling continues");
    }

    #[test]
    fn a_slow_bucket_holds_one_token() {
        let mut bucket = Bucket::default();
        assert_eq!(bucket.tokens(0.001, START), 0);
        assert_eq!(bucket.wait(0.001, 1), 1_000_000);
        assert_eq!(bucket.tokens(0.001, START.plus(999_999)), 0);
        assert_eq!(bucket.tokens(0.001, START.plus(9_000_000)), 1);
    }

    #[test]
    fn a_new_rate_keeps_what_its_bucket_holds() {
        let mut bucket = Bucket::default();
        assert_eq!(bucket.tokens(1.0, START), 0);
        bucket.change_rate(1.0, 2.0, START.plus(600));
        assert_eq!(bucket.tokens(2.0, START.plus(799)), 0);
        assert_eq!(bucket.tokens(2.0, START.plus(800)), 1);
        bucket.change_rate(2.0, 100.0, START.plus(10_000));
        assert_eq!(bucket.tokens(100.0, START.plus(10_000)), 1);
        assert_eq!(bucket.tokens(100.0, START.plus(20_000)), 25);
        bucket.change_rate(100.0, 0.001, START.plus(20_000));
        assert_eq!(bucket.tokens(0.001, START.plus(20_000)), 1);
        bucket.take(1);
        assert_eq!(bucket.tokens(0.001, START.plus(30_000)), 0);
    }

    /// Earlier versions store millionths, and read no others.
    #[test]
    fn a_stored_bucket_goes_on_where_it_was() {
        let earlier = r#"{"millionths":250000,"filled":1764000000000}"#;
        let mut bucket: Bucket = serde_json::from_str(earlier).unwrap();
        assert_eq!(serde_json::to_string(&bucket).unwrap(), earlier);
        assert_eq!(bucket.wait(0.001, 1), 750_000);
        assert_eq!(bucket.tokens(0.0015, START.plus(1)), 0);
        let stored = serde_json::to_string(&bucket).unwrap();
        assert_eq!(stored, r#"{"millionths":250001,"rest":500000,"filled":1764000000001}"#);
        assert_eq!(serde_json::from_str::<Bucket>(&stored).unwrap(), bucket);
    }
}
