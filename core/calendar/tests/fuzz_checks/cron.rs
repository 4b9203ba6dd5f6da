//! Checks that hold for any text given as a cron schedule. The fuzz target and the ordinary tests
//! share them.

use scheduler_calendar::cron::CronSchedule;
use scheduler_calendar::time::UnixMillis;

/// The occurrences that are checked from one start.
const ROUNDS: usize = 8;

/// Input, one per line: the expression, the time zone (may be empty or absent), and the start in
/// Unix milliseconds.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut lines = text.split('\n');
    let expr = lines.next().unwrap_or_default();
    let zone = lines.next().filter(|zone| !zone.is_empty());
    let start = lines.next().and_then(|start| start.trim().parse().ok());

    let schedule = match CronSchedule::parse(expr, zone) {
        Ok(schedule) => schedule,
        Err(error) => {
            assert!(matches!(error.field(), "cron" | "timezone"));
            // An error repeats at most a part of the caller's text.
            assert!(error.to_string().len() < 1_000, "{error}");
            return;
        }
    };
    let mut after = UnixMillis::new(start.unwrap_or(0));
    for _ in 0..ROUNDS {
        let Some(next) = schedule.next_after(after) else {
            return;
        };
        assert!(next > after, "{next:?} is not after {after:?}");
        assert!(next <= UnixMillis::LAST);
        assert_eq!(next.get() % 1000, 0);
        // There is nothing in between, so every start before the occurrence leads to it.
        for between in [next.plus(-1), next.plus(-1_000), next.plus(-next.since(after) / 2)] {
            if (after..next).contains(&between) {
                assert_eq!(schedule.next_after(between), Some(next), "from {between:?}");
            }
        }
        after = next;
    }
}
