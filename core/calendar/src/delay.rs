//! When an occurrence fires, by its nominal time: put off by jitter, moved within a window.

use crate::time::UnixMillis;
use twox_hash::XxHash64;

/// How long an occurrence may be put off. The nominal time names the occurrence and never changes;
/// the due time is when it fires. 16 bytes.
///
/// **Jitter** puts each occurrence off by a pseudo-random amount of up to so much, drawn from a
/// hash of the task's id and the nominal time: the same each time it is asked for, so that it need
/// not be stored. A **window** then moves it to the roundest second (a multiple of the highest
/// power of two) that the window holds: tasks whose windows overlap come to the same instant and
/// share firings.
///
/// Neither reaches the next occurrence: what would is cut to one millisecond before it. So due
/// times rise as nominal ones do, and the due time of the last firing tells which occurrence is
/// next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delay {
    /// A hash of the id, from which jitter is drawn.
    id_hash: u64,
    jitter_millis: u32,
    window_millis: u32,
}

impl Delay {
    /// Up to `jitter_millis` of jitter, then within `window_millis`, for the task whose id has this
    /// hash.
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

    /// Returns the same without its window.
    #[must_use]
    pub fn without_window(self) -> Self {
        Self { window_millis: 0, ..self }
    }

    /// Returns the most that an occurrence is put off by, milliseconds.
    pub fn longest(self) -> i64 {
        i64::from(self.jitter_millis) + i64::from(self.window_millis)
    }

    /// Returns when the occurrence at `time` fires, where `next` is the nominal time of the one
    /// after it.
    pub fn due(self, time: UnixMillis, next: Option<UnixMillis>) -> UnixMillis {
        if self.is_none() {
            return time;
        }
        let room = next.map_or(i64::MAX, |next| next.since(time).saturating_sub(1)).max(0);
        let jitter = i64::from(self.jitter_millis).min(room);
        let draw = XxHash64::oneshot(self.id_hash, &time.get().to_le_bytes());
        // Below 2^27, so both conversions hold.
        let earliest = time.plus((draw % (jitter as u64 + 1)) as i64);
        let latest = earliest.plus(i64::from(self.window_millis)).min(time.plus(room));
        roundest_second(earliest, latest)
    }
}

/// Returns the whole second within `from..=to` that is a multiple of the highest power of two;
/// `from` where there is none.
fn roundest_second(from: UnixMillis, to: UnixMillis) -> UnixMillis {
    let first = from.get().saturating_add(999).div_euclid(1_000);
    let last = to.get().div_euclid(1_000);
    if first > last || first <= 0 {
        return from;
    }
    // The seconds from first to last agree above the highest bit in which first - 1 and last
    // differ, and where that bit is set all lower bits can be clear.
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
    fn it_is_the_roundest_of_all() {
        for from in 1..200 {
            for to in from..200 {
                let found = roundest_second(at(from * 1_000), at(to * 1_000)).get() / 1_000;
                let best = (from..=to).max_by_key(|second| second.trailing_zeros()).unwrap();
                assert_eq!(found, best, "{from} to {to}");
            }
        }
    }

    #[test]
    fn windows_that_overlap_come_to_few_instants() {
        let delay = Delay::new(7, 0, 60_000);
        let instants: std::collections::BTreeSet<i64> = (0..3_600)
            .map(|second| delay.due(at(1_764_000_000_000 + second * 1_000), None).get())
            .collect();
        // An hour of tasks, one a second: no more instants than there are multiples of 32 s from
        // the first to the last window's end.
        assert!(instants.len() <= 3_660 / 32 + 1, "{}", instants.len());
    }

    #[test]
    fn jitter_differs_between_tasks_and_occurrences_and_not_between_askings() {
        let due = |id, time| Delay::new(id, 60_000, 0).due(at(time), None).get() - time;
        let by_id: std::collections::BTreeSet<i64> = (0..1_000).map(|id| due(id, 5)).collect();
        let by_time: std::collections::BTreeSet<i64> =
            (0..1_000).map(|time| due(5, time)).collect();
        assert!(by_id.len() > 950 && by_time.len() > 950);
        assert!(by_id.iter().chain(&by_time).all(|delay| (0..=60_000).contains(delay)));
        assert_eq!(due(5, 5), due(5, 5));
        // Pinned for ever: it decides when what is stored fires.
        assert_eq!(
            Delay::new(0x1234, 3_600_000, 0).due(at(1_764_000_000_000), None),
            at(1_764_002_261_515)
        );
    }
}
