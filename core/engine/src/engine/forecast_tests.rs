use super::*;
use crate::Config;
use crate::engine::lanes::pair::Pair;
use crate::testing::{self, Memory, record, recurring};
use scheduler_model::protocol::{Append, Change, ChangeRequest};

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);
const MINUTE: i64 = 60_000;

/// Returns an engine with recurring tasks that have these schedules.
fn with_schedules<S: AsRef<str>>(fields: impl IntoIterator<Item = S>) -> Engine {
    let mut memory = Memory::default();
    let mut engine = memory.load("1-0", Config::default());
    let schedules = fields
        .into_iter()
        .enumerate()
        .map(|(n, fields)| recurring(&format!("task-{n}"), fields.as_ref()).into_bytes());
    let append = Append { schedules: schedules.collect(), ..Append::default() };
    let (_, effects) = engine.append(append, NOW, &memory).unwrap();
    memory.apply(&effects.writes);
    engine
}

/// Counts the occurrences of all recurring tasks one by one.
fn one_by_one(engine: &Engine, buckets: &Buckets) -> Vec<u64> {
    let mut counts = vec![0; buckets.len()];
    for (_, schedule) in engine.tasks.all_schedules() {
        let mut next = schedule.next;
        while let Some(run) = next.filter(|run| run.due < buckets.to()) {
            if let Some(bucket) = buckets.at(run.due) {
                counts[bucket] += 1;
            }
            next = schedule.schedule.following(run.time);
        }
    }
    counts
}

fn hours(count: i64) -> Buckets {
    Buckets::divide(NOW, NOW.plus(count * 60 * MINUTE), count as usize)
}

const SOME: [&str; 7] = [
    r#""cron":"*/7 * * * *""#,
    r#""cron":"30 1 * * *","timezone":"Europe/London""#,
    r#""cron":["0 9 * * *","0 9,17 * * MON-FRI"],"timezone":"America/New_York""#,
    r#""everySeconds":90,"anchor":1764000000000"#,
    r#""everySeconds":90,"anchor":1764000000000,"jitterSeconds":45"#,
    r#""everySeconds":1,"anchor":1764000005000,"endAt":1764003605000"#,
    r#""rrule":"FREQ=HOURLY;BYMINUTE=0,20,40;COUNT=50","startAt":1764000000000"#,
];

#[test]
fn runs_of_recurring_tasks_are_counted_as_if_one_by_one() {
    let engine = with_schedules(SOME);
    for buckets in [
        hours(48),
        Buckets::divide(NOW, NOW.plus(86_400_000), 7),
        Buckets::divide(NOW.plus(-MINUTE), NOW.plus(3 * MINUTE), 500),
        // Entries that are due before the first bucket or at the end of the last are not counted.
        Buckets::divide(NOW.plus(5_000), NOW.plus(6_000), 1),
        Buckets::divide(NOW.plus(30 * 86_400_000), NOW.plus(31 * 86_400_000), 24),
    ] {
        let reply = engine.forecast(&buckets).unwrap();
        assert_eq!(reply.recurring, one_by_one(&engine, &buckets));
        assert_eq!(reply.counted_until, buckets.to());
        assert!(reply.one_shot.iter().all(|count| *count == 0));
    }
}

/// With any number of steps, everything up to `counted_until` is counted, and nothing is counted
/// twice.
#[test]
fn a_count_that_stops_says_where() {
    let engine = with_schedules(SOME);
    let buckets = hours(48);
    let all = one_by_one(&engine, &buckets);
    let (mut ends, mut last) = (std::collections::BTreeSet::new(), UnixMillis::ZERO);
    for most_steps in (0..30_000).step_by(61) {
        let reply = engine.forecast_within(&buckets, most_steps).unwrap();
        let until = reply.counted_until;
        assert!(until >= last, "more steps count no less");
        for (bucket, count) in reply.recurring.iter().enumerate() {
            assert!(*count <= all[bucket], "{most_steps} steps, bucket {bucket}");
            if buckets.end(bucket) <= until {
                assert_eq!(*count, all[bucket], "{most_steps} steps, bucket {bucket}");
            }
        }
        assert!(until == buckets.to() || until == buckets.start(buckets.at(until).unwrap()));
        last = until;
        ends.insert(until);
    }
    assert_eq!((ends.first(), ends.last()), (Some(&NOW), Some(&buckets.to())));
    assert!(ends.len() > 20, "it stops in many places");
}

/// Forecasts the most recurring tasks of a shard, each of them due every minute.
#[test]
fn a_full_shard_is_counted_in_a_bounded_number_of_steps() {
    let engine = with_schedules((0..20_000).map(|_| r#""cron":"* * * * *""#));
    let buckets = Buckets::divide(NOW, NOW.plus(86_400_000), 288);
    let before = steps_taken();
    let reply = engine.forecast(&buckets).unwrap();
    assert!(steps_taken() - before <= MAX_FORECAST_STEPS + 1_000);
    let counted: u64 = reply.recurring.iter().sum();
    assert!(counted * FORECAST_RUN_STEPS <= MAX_FORECAST_STEPS + 1_000, "{counted} runs");
    // It has made progress: each of the 20,000 tasks has some counted runs.
    assert!(reply.counted_until >= NOW.plus(5 * MINUTE), "{}", reply.counted_until);
    assert!(reply.counted_until < buckets.to());
}

/// Counting whole buckets makes a year of runs of each second no more work than a few runs.
#[test]
fn runs_of_an_interval_are_computed() {
    let engine = with_schedules((0..100).map(|_| r#""everySeconds":1,"anchor":1764000000000"#));
    let buckets = Buckets::divide(NOW.plus(1), NOW.plus(366 * 86_400_000), 366);
    let reply = engine.forecast(&buckets).unwrap();
    assert_eq!(reply.counted_until, buckets.to());
    let runs: u64 = reply.recurring.iter().sum();
    assert_eq!(runs, 100 * (366 * 86_400 - 1));
}

#[test]
fn what_waits_for_its_time_counts_and_nothing_else() {
    let mut pair = Pair::new(usize::MAX);
    let now = pair.now;
    pair.limit_both("k", Some(1), None);
    let at = |minutes: i64| Some(now.plus(minutes * MINUTE));
    pair.create("", "in-the-first", at(1), "");
    pair.create("", "in-the-second", at(61), "");
    pair.create("", "paused", at(2), "");
    pair.create("", "cancelled", at(3), "");
    pair.create("", "later", at(300), "");
    pair.create("k", "of-a-key-1", at(5), "");
    pair.create("k", "of-a-key-2", at(5), "");
    pair.create(
        "",
        "fails",
        Some(now),
        r#""retry":{"minBackoffSeconds":4000,"maxBackoffSeconds":4000,"jitter":0},"#,
    );
    let every = r#""everySeconds":1800,"anchor":1764000000000,"#;
    pair.create("", "half-hourly", None, every);
    pair.create("", "paused-too", None, every);
    pair.create("", "no-schedule", None, "");
    pair.cancel("cancelled");
    for id in ["paused", "paused-too"] {
        let request = ChangeRequest {
            ids: vec![id.to_owned()],
            change: Change::Pause,
            if_match: None,
            pause: None,
        };
        pair.input(|engine, now, reader| engine.change(&request, now, reader));
    }
    let buckets = Buckets::divide(now, now.plus(180 * MINUTE), 3);
    let counts = |pair: &Pair| {
        let reply = pair.engine.forecast(&buckets).unwrap();
        (reply.one_shot, reply.recurring)
    };
    assert_eq!(counts(&pair), (vec![4, 1, 0], vec![1, 2, 2]));
    pair.restart();
    assert_eq!(counts(&pair), (vec![4, 1, 0], vec![1, 2, 2]), "after a start as well");
    // The attempt in flight has fired, and its further attempt is due again.
    let flights = pair.wake();
    assert_eq!(counts(&pair).0, [3, 1, 0]);
    pair.fail(flights[0].0, false, "no");
    assert_eq!(counts(&pair).0, [3, 2, 0]);
    // Runs of a key that wait for a slot count at their due times.
    pair.now = now.plus(6 * MINUTE);
    pair.live(now.plus(6 * MINUTE + 1_000), 3_600_000);
    assert_eq!(counts(&pair).0, [1, 2, 0]);
}

#[test]
fn a_division_that_nothing_makes_is_refused() {
    let engine = with_schedules(SOME);
    let too_many = Buckets::divide(NOW, NOW.plus(86_400_000), 1_001);
    assert!(matches!(engine.forecast(&too_many), Err(EngineError::BadRequest(_))));
    let backwards: Buckets = serde_json::from_str(r#"{"from":2,"to":1,"bucketMillis":1}"#).unwrap();
    assert!(matches!(engine.forecast(&backwards), Err(EngineError::BadRequest(_))));
}

/// With many small buckets, and pages with cancelled entries, each live entry counts once.
#[test]
fn entries_count_once_whatever_their_page_and_bucket() {
    let mut memory = Memory::default();
    let mut engine = memory.load("1-0", Config::default());
    let due = |n: i64| NOW.plus(1 + n * 7_919 % 60_000);
    let tasks = (0..3_000).map(|n| {
        let id = format!("task-{n}");
        let record = record(&id, due(n), "");
        (id, due(n), record)
    });
    let (_, effects) = engine.append(testing::append(tasks), NOW, &memory).unwrap();
    memory.apply(&effects.writes);
    let request = scheduler_model::protocol::CancelRequest {
        ids: (0..3_000).step_by(3).map(|n| format!("task-{n}")).collect(),
        if_match: None,
    };
    let (_, effects) = engine.cancel(&request, NOW, &memory).unwrap();
    memory.apply(&effects.writes);
    let fired = engine.wake(NOW.plus(10_000), &memory).unwrap();
    memory.apply(&fired.writes);
    for most in [1, 3, 60, 1_000] {
        let buckets = Buckets::divide(NOW.plus(5_000), NOW.plus(50_000), most);
        let mut expected = vec![0; buckets.len()];
        for n in (0..3_000).filter(|n| n % 3 > 0 && due(*n) > NOW.plus(10_000)) {
            if let Some(bucket) = buckets.at(due(n)) {
                expected[bucket] += 1;
            }
        }
        assert_eq!(engine.forecast(&buckets).unwrap().one_shot, expected, "{most} buckets");
        assert_eq!(
            memory.load("1-0", Config::default()).forecast(&buckets).unwrap().one_shot,
            expected
        );
    }
}
