//! Computes how long an invocation starts tasks.

use scheduler_model::bounds::MAX_TIMEOUT_SECONDS;

/// The time limit of the platform for one batch, in seconds.
const INVOCATION_SECONDS: u32 = 900;

/// The number of tries to send one report. [`REPORT_TRY_SECONDS`] limits each.
pub(crate) const REPORT_TRIES: u32 = 5;
/// The time limit of one try, in seconds. A shard answers in milliseconds, and starts in less than
/// a second.
pub(crate) const REPORT_TRY_SECONDS: u32 = 20;
/// The wait before the second try, in milliseconds. It doubles before each further try.
pub(crate) const REPORT_FIRST_WAIT_MILLIS: u64 = 100;

/// The longest time for which an invocation starts tasks, in seconds. The task that is started last
/// then has its whole timeout, its report has every try (with 1.5 s of waits between them), and two
/// minutes remain before the platform ends the invocation.
const LONGEST_SECONDS: u32 = 600;
const _: () = assert!(
    LONGEST_SECONDS + MAX_TIMEOUT_SECONDS + REPORT_TRIES * REPORT_TRY_SECONDS + 120
        < INVOCATION_SECONDS
);

/// The part of the visibility timeout that must remain after the last start, in milliseconds: the
/// longest task, and 20 s for the delivery of the message and its report.
const TAIL_MILLIS: i64 = (MAX_TIMEOUT_SECONDS as i64 + 20) * 1_000;

/// Returns for how many milliseconds after its start an invocation starts tasks. Shards send an
/// envelope without a report again after `visibility_millis`.
///
/// The result is at most 10 minutes, so that everything is reported within the platform's 15. If
/// the visibility timeout allows it, the report arrives before the shard sends the envelope again;
/// otherwise, all tasks of a slow envelope would run twice. If the timeout is shorter, the result
/// is half of it, so that every invocation starts some tasks.
pub fn start_window_millis(visibility_millis: i64) -> i64 {
    let before_redelivery =
        visibility_millis.saturating_sub(TAIL_MILLIS).max(visibility_millis / 2);
    before_redelivery.clamp(1, i64::from(LONGEST_SECONDS) * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_ends_before_a_redelivery_and_before_the_platforms_limit() {
        for (visibility_seconds, window_seconds) in
            [(300, 220), (3_600, 600), (160, 80), (100, 50), (2, 1)]
        {
            assert_eq!(
                start_window_millis(visibility_seconds * 1_000),
                window_seconds * 1_000,
                "{visibility_seconds}"
            );
        }
    }

    #[test]
    fn any_timeout_leaves_a_window() {
        for visibility in [i64::MIN, -1, 0, 1, i64::MAX] {
            assert!((1..=600_000).contains(&start_window_millis(visibility)), "{visibility}");
        }
    }
}
