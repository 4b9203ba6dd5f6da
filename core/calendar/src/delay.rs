//! When an occurrence fires: its nominal time, delayed by jitter and moved within a window.

use crate::time::UnixMillis;
use twox_hash::XxHash64;

/// How long an occurrence may be delayed. The nominal time names the occurrence and never changes.
/// The due time is when it fires. Takes 16 bytes.
///
/// **Jitter** delays each occurrence by a pseudo-random time up to a maximum. The time is computed
/// from a hash of the task's id and the nominal time, so it is always the same and need not be
/// stored. A **window** then moves the occurrence to the roundest second (a multiple of the highest
/// power of two) in the window. So tasks whose windows overlap fire at the same instant and share
/// firings.
///
/// An occurrence is due at least one millisecond before the nominal time of the next one. So due
/// times rise as nominal times do, and the due time of the last firing determines the next
/// occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delay {
    /// A hash of the task's id, from which the jitter is computed.
    id_hash: u64,
    jitter_millis: u32,
    window_millis: u32,
}

impl Delay {
    /// Returns a delay of up to `jitter_millis` of jitter, and then within `window_millis`, for the
    /// task with this hash of its id.
    pub fn new(id_hash: u64, jitter_millis: u32, window_millis: u32) -> Self {
        Self { id_hash, jitter_millis, window_millis }
    }

    /// Returns whether occurrences fire at their nominal times.
    pub fn is_none(self) -> bool {
        self.jitter_millis == 0 && self.window_millis == 0
    }

    /// Returns whether there is a window.
    pub fn has_window(self) -> bool {
        self.window_millis > 0
    }

    /// Returns the same delay without its window.
    #[must_use]
    pub fn without_window(self) -> Self {
        Self { window_millis: 0, ..self }
    }

    /// Returns the longest delay of an occurrence in milliseconds.
    pub fn longest(self) -> i64 {
        i64::from(self.jitter_millis) + i64::from(self.window_millis)
    }

    /// Returns when the occurrence at `time` fires. `next` is the nominal time of the next one.
    pub fn due(self, time: UnixMillis, next: Option<UnixMillis>) -> UnixMillis {
        if self.is_none() {
            return time;
        }
        let room = next.map_or(i64::MAX, |next| next.since(time).saturating_sub(1)).max(0);
        let jitter = i64::from(self.jitter_millis).min(room);
        let draw = XxHash64::oneshot(self.id_hash, &time.get().to_le_bytes());
        // The value is below 2^27, so neither conversion loses anything.
        let earliest = time.plus((draw % (jitter as u64 + 1)) as i64);
        let latest = earliest.plus(i64::from(self.window_millis)).min(time.plus(room));
        roundest_second(earliest, latest)
    }
}

/// Returns the whole second within `from..=to` that is a multiple of the highest power of two, or
/// `from` if there is no whole second.
fn roundest_second(from: UnixMillis, to: UnixMillis) -> UnixMillis {
    let first = from.get().saturating_add(999).div_euclid(1_000);
    let last = to.get().div_euclid(1_000);
    if first > last || first <= 0 {
        return from;
    }
    // The seconds from first to last agree above the highest bit in which first - 1 and last
    // differ. The number with that bit set and all lower bits clear is among them.
    let differing = (first - 1) ^ last;
    let grid = 63 - differing.leading_zeros();
    UnixMillis::new((last >> grid << grid) * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> UnixMillis {
        UnixMillis::new(millis)
    }

    #[test]
    fn the_roundest_second_is_found() {
        for (from, to, expected) in [
            (1_000, 1_000, 1_000),
            (1_001, 1_999, 1_001),
            (1_001, 2_000, 2_000),
            (5_000, 7_999, 6_000),
            (5_000, 8_000, 8_000),
            (5_000, 15_000, 8_000),
            (5_000, 16_000, 16_000),
            (9_000, 15_999, 12_000),
            (0, 5_000, 0),
        ] {
            assert_eq!(roundest_second(at(from), at(to)), at(expected), "{from} to {to}");
        }
    }

    #[test]
    fn no_second_of_the_window_is_rounder() {
        for from in 1..200 {
            for to in from..200 {
                let found = roundest_second(at(from * 1_000), at(to * 1_000)).get() / 1_000;
                let best = (from..=to).max_by_key(|second| second.trailing_zeros()).unwrap();
                assert_eq!(found, best, "{from} to {to}");
            }
        }
    }

    #[test]
    fn overlapping_windows_share_few_instants() {
        let delay = Delay::new(7, 0, 60_000);
        let instants: std::collections::BTreeSet<i64> = (0..3_600)
            .map(|second| delay.due(at(1_764_000_000_000 + second * 1_000), None).get())
            .collect();
        // One task per second for an hour: there are at most as many instants as multiples of 32 s
        // in that time.
        assert!(instants.len() <= 3_660 / 32 + 1, "{}", instants.len());
    }

    #[test]
    fn jitter_depends_only_on_the_task_and_the_occurrence() {
        let due = |id, time| Delay::new(id, 60_000, 0).due(at(time), None).get() - time;
        let by_id: std::collections::BTreeSet<i64> = (0..1_000).map(|id| due(id, 5)).collect();
        let by_time: std::collections::BTreeSet<i64> =
            (0..1_000).map(|time| due(5, time)).collect();
        assert!(by_id.len() > 950 && by_time.len() > 950);
        assert!(by_id.iter().chain(&by_time).all(|delay| (0..=60_000).contains(delay)));
        assert_eq!(due(5, 5), due(5, 5));
        // This value never changes, because it decides when stored tasks fire.
        assert_eq!(
            Delay::new(0x1234, 3_600_000, 0).due(at(1_764_000_000_000), None),
            at(1_764_002_261_515)
        );
    }
}
