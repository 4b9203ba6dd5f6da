//! Waits that targets request (`Retry-After`). Dispatchers whose clocks differ from the shard's
//! report them.

use crate::regressions::{NOW, Pair, record};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::protocol::{Failure, Report};

/// How far the dispatcher's clock is ahead of the shard's, in milliseconds.
const AHEAD: [i64; 5] = [-86_400_000, -600_000, 0, 600_000, 86_400_000];

/// Returns when the next attempt of a task is, if its first attempt has failed with `failure` and
/// is reported a second after it was dispatched.
fn next_attempt(failure: Failure) -> i64 {
    let mut pair = Pair::new();
    // The back-off of a second lets the requested wait decide. The retry time of ten minutes bounds
    // it.
    let retry = r#""retry":{"minBackoffSeconds":1,"jitter":0,"maxDurationSeconds":600},"payload""#;
    pair.append([("a".to_owned(), NOW, record("a", NOW, 0).replacen("\"payload\"", retry, 1))]);
    let sent = pair.wake(NOW).sends;
    let failed = vec![Failure { index: 0, error: "HTTP 429".to_owned(), ..failure }];
    pair.report(&Report { seq: sent[0].seq, failed, ..Report::default() }, NOW.plus(1_000));
    let next = pair.engine.next_wakeup().unwrap();
    pair.restart();
    assert_eq!(pair.engine.next_wakeup(), Some(next));
    next.since(NOW)
}

/// A dispatcher ten minutes ahead delayed the attempt by ten minutes more. A dispatcher behind did
/// not wait.
#[test]
fn a_wait_in_seconds_counts_by_the_shards_clock() {
    for ahead in AHEAD {
        for (wait, expected) in [
            (120_000, 121_000),
            (500, 2_000),
            (0, 2_000),
            (-5, 2_000),
            (3_600_000, 601_000),
            (i64::MAX, 601_000),
        ] {
            // The report also has the time by the dispatcher's own clock, for shards of earlier
            // versions.
            let not_before = Some(NOW.plus(1_000 + ahead).plus(wait));
            assert_eq!(
                next_attempt(Failure { wait_millis: Some(wait), not_before, ..Failure::default() }),
                expected,
                "{ahead}"
            );
        }
    }
}

/// A date comes from the target. It means the same whatever clock the dispatcher has.
#[test]
fn a_date_counts_as_it_is() {
    for (date, expected) in [(90_000, 90_000), (-90_000, 2_000), (3_600_000, 601_000)] {
        assert_eq!(
            next_attempt(Failure { not_before: Some(NOW.plus(date)), ..Failure::default() }),
            expected
        );
    }
    assert_eq!(
        next_attempt(Failure { not_before: Some(UnixMillis::new(i64::MAX)), ..Failure::default() }),
        601_000
    );
}
