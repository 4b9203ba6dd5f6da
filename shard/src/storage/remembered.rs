//! Counts the remembered `Idempotency-Key`s at start-up, without reading all of them.
//!
//! A key is a part of a SHA-256, so the keys of a period are spread evenly. If a period has many,
//! their number follows from how close together the first ones are.

use super::values::{number, optional_blob};
use super::{Row, Sql};
use scheduler_engine::StorageError;
use worker::SqlStorageValue as Value;

/// The most keys of a period that a start-up reads. An estimate from this number has a standard
/// deviation of 1/64. Four standard deviations, 1/16, are added to it, so it is hardly ever too
/// low, or more than 1/8 too high.
const MAX_READ: i64 = 4_096;

impl Sql {
    /// Returns the number of remembered keys by period. A number up to [`MAX_READ`] is exact. A
    /// larger one is an estimate that is more likely too high than too low, so that the engine
    /// forgets all keys of a period.
    pub(super) fn remembered_keys(&self) -> Result<Vec<(i64, u64)>, StorageError> {
        let mut counts = Vec::new();
        let mut last = None;
        while let Some(period) = self.period_after(last)? {
            let first = "SELECT count(*), max(key) FROM
                (SELECT key FROM remembered WHERE period = ? ORDER BY key LIMIT ?)";
            let row = self.exec(first, vec![period.into(), MAX_READ.into()])?;
            let mut row = row.into_iter().next().unwrap_or_default().into_iter();
            let read = u64::try_from(number(row.next())?).unwrap_or(0);
            let highest = optional_blob(row.next())?;
            counts.push((period, keys(read, &highest)));
            last = Some(period);
        }
        Ok(counts)
    }

    /// Returns the first period after `last` that has keys. It reads one row.
    fn period_after(&self, last: Option<i64>) -> Result<Option<i64>, StorageError> {
        let query = "SELECT period FROM remembered WHERE period > ? ORDER BY period LIMIT 1";
        let row: Option<Row> = self
            .exec(query, vec![Value::from(last.unwrap_or(i64::from(i32::MIN)))])?
            .into_iter()
            .next();
        row.map(|row| number(row.into_iter().next())).transpose()
    }
}

/// Returns the number of keys of a period whose first `read` keys end at `highest`.
fn keys(read: u64, highest: &[u8]) -> u64 {
    let Some(highest) = highest.first_chunk().filter(|_| read >= MAX_READ as u64) else {
        return read;
    };
    // `read - 1` keys are below the highest one, in this part of the range of all keys.
    let part = (u64::from_be_bytes(*highest) as f64 + 1.0) / 2.0_f64.powi(64);
    let estimate = (read - 1) as f64 / part;
    // A cast of a float that is too large gives the largest integer.
    ((estimate * 17.0 / 16.0) as u64).max(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the first `MAX_READ` of `count` keys, which a generator with this seed spreads.
    fn highest_of(count: u64, seed: u64) -> (u64, [u8; 16]) {
        let mut state = seed;
        let mut keys: Vec<u64> = (0..count)
            .map(|_| {
                // SplitMix64.
                state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
                let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                z ^ (z >> 31)
            })
            .collect();
        keys.sort_unstable();
        keys.truncate(MAX_READ as usize);
        let mut highest = [0; 16];
        highest[..8].copy_from_slice(&keys.last().copied().unwrap_or_default().to_be_bytes());
        (keys.len() as u64, highest)
    }

    #[test]
    fn few_keys_are_counted_and_many_are_estimated() {
        for count in [0, 1, 4_095] {
            let (read, highest) = highest_of(count, 7);
            assert_eq!(keys(read, &highest), count);
        }
        for count in [4_096, 5_000, 50_000, 500_000] {
            for seed in 0..20 {
                let (read, highest) = highest_of(count, seed);
                let estimate = keys(read, &highest);
                assert!((count..=count + count / 8).contains(&estimate), "{count}: {estimate}");
            }
        }
    }

    #[test]
    fn keys_that_nobody_has_spread_give_no_fewer_than_were_read() {
        for highest in [[0; 16], [0xFF; 16]] {
            assert!(keys(4_096, &highest) >= 4_096);
        }
        assert_eq!(keys(4_096, &[]), 4_096);
    }
}
