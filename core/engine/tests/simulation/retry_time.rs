//! The time from which the retries of a run count.

use crate::regressions::{NOW, Pair, ids};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::protocol::{Change, Status};

/// Fails each attempt of the task `a` from `now` on until the run is dead. Returns the number of
/// attempts.
fn attempts_until_dead(pair: &mut Pair, mut now: UnixMillis) -> u32 {
    let mut attempts = 0;
    while pair.status("a") != Some(Status::Dead) {
        let effects = pair.wake(now);
        assert_eq!(ids(&effects), ["a"]);
        attempts += 1;
        pair.fail(effects.sends[0].seq, now, now);
        pair.restart();
        now = now.plus(3_000);
    }
    attempts
}

fn with_retries_of_ten_seconds(id: &str, due: UnixMillis) -> String {
    let retry = r#"{"minBackoffSeconds":1,"jitter":0,"factor":1,"maxDurationSeconds":10}"#;
    format!(
        r#"{{"time":{due},"id":"{id}","callback":{{"type":"handler","name":"log"}},"retry":{retry}}}"#
    )
}

/// A late run, after an outage, had used up the time for its retries before it began.
#[test]
fn the_time_for_retries_begins_with_the_first_attempt() {
    for late in [0, 25 * 3_600_000, 400 * 86_400_000] {
        let mut pair = Pair::new();
        pair.append([("a".to_owned(), NOW, with_retries_of_ten_seconds("a", NOW))]);
        assert_eq!(attempts_until_dead(&mut pair, NOW.plus(late)), 5, "{late}");
    }
}

/// The same after a pause before the first attempt, and after a pause between two attempts.
#[test]
fn a_pause_uses_up_no_time_for_retries() {
    for attempts_before in [0, 2] {
        let mut pair = Pair::new();
        pair.append([(
            "a".to_owned(),
            NOW.plus(1_000),
            with_retries_of_ten_seconds("a", NOW.plus(1_000)),
        )]);
        let mut now = NOW.plus(1_000);
        for _ in 0..attempts_before {
            let effects = pair.wake(now);
            pair.fail(effects.sends[0].seq, now, now);
            now = now.plus(3_000);
        }
        pair.change_one("a", Change::Pause, now.plus(-2_500));
        let later = now.plus(30 * 3_600_000);
        pair.change_one("a", Change::Resume, later);
        assert_eq!(attempts_until_dead(&mut pair, later), 5, "{attempts_before}");
    }
}

/// If the queue of the dispatchers is down, or they are behind, the time begins when a dispatcher
/// starts the attempt, not when the shard has fired it. A wrong clock of a dispatcher does not
/// count beyond the times that the shard knows.
#[test]
fn the_time_for_retries_begins_when_a_dispatcher_starts() {
    let hour = 3_600_000;
    for (started, attempts) in
        [(NOW.plus(26 * hour), 5), (NOW, 1), (UnixMillis::ZERO, 1), (UnixMillis::LAST, 5)]
    {
        let mut pair = Pair::new();
        pair.append([("a".to_owned(), NOW, with_retries_of_ten_seconds("a", NOW))]);
        let effects = pair.wake(NOW);
        let reported = NOW.plus(26 * hour);
        pair.fail(effects.sends[0].seq, started, reported);
        pair.restart();
        let further = if pair.status("a") == Some(Status::Dead) {
            0
        } else {
            attempts_until_dead(&mut pair, reported.plus(3_000))
        };
        assert_eq!(1 + further, attempts, "{started}");
    }
}

/// A further attempt that an earlier version has stored does not say when the first one began. Then
/// the due time counts, as it did in that version.
#[test]
fn a_further_attempt_of_an_earlier_version_keeps_its_time() {
    let mut pair = Pair::new();
    let record = with_retries_of_ten_seconds("a", NOW);
    let record = format!(
        r#"{},"attempt":2,"failedAt":{NOW},"error":"no"}}"#,
        record.trim_end_matches('}').to_owned() + "}"
    );
    pair.append([("a".to_owned(), NOW.plus(2_000), record)]);
    assert_eq!(attempts_until_dead(&mut pair, NOW.plus(4_000)), 3);
}
