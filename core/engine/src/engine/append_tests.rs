use super::*;
use crate::Gathering;
use crate::testing::{Memory, append, record, recurring};
use crate::{Config, Snapshot};
use scheduler_model::task::Record;
use scheduler_model::task::version_of;

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

fn request(ids: impl Iterator<Item = u32>, padding: usize) -> Append {
    let padding = format!(r#","payload":"{}""#, "x".repeat(padding));
    append(ids.map(|n| {
        let id = format!("task-{n}");
        let record = record(&id, UnixMillis::new(5), &padding);
        (id, NOW.plus(i64::from(n)), record)
    }))
}

fn engine() -> Engine {
    Engine::load("1-0", Config::default(), Snapshot::default()).unwrap()
}

#[test]
fn single_tasks_that_arrive_together_share_a_row() {
    let requests: Vec<Append> = (0..50).map(|n| request(n..n + 1, 20)).collect();
    let mut engine = engine();
    let (replies, effects) = engine.append_all(requests, NOW, &Memory::default()).unwrap();
    assert!(
        replies
            .iter()
            .all(|reply| *reply == Ok(AppendReply { created: 1, ..AppendReply::default() }))
    );
    assert_eq!((effects.writes.len(), engine.stats(NOW).pending), (1, 50));
}

#[test]
fn large_pages_stay_as_they_are() {
    let requests = vec![request(0..300, 120), request(1_000..1_010, 20), request(2_000..2_010, 20)];
    let large = requests[0].pages[0].body.clone();
    assert!(large.len() > PAGE_TARGET_BYTES / 2);
    let (_, effects) = engine().append_all(requests, NOW, &Memory::default()).unwrap();
    assert_eq!(effects.writes.len(), 2);
    assert!(matches!(&effects.writes[0], Write::InsertPage { body, .. } if *body == large));
}

#[test]
fn a_refused_request_does_not_affect_the_others() {
    let bad = Append { schedules: vec![b"{}".to_vec()], ..request(5..6, 0) };
    let mut engine = engine();
    let (replies, _) = engine
        .append_all(vec![request(1..2, 0), bad, request(2..4, 0)], NOW, &Memory::default())
        .unwrap();
    assert!(matches!(replies[1], Err(EngineError::BadRequest(_))), "{replies:?}");
    assert!(replies[0].is_ok() && replies[2].is_ok());
    assert_eq!((engine.stats(NOW).pending, engine.stats(NOW).counters.created), (3, 3));
}

/// A full shard refused every request that replaces a task.
#[test]
fn a_full_shard_takes_what_replaces_a_task() {
    let config = Config { max_entries: 2, ..Config::default() };
    let mut engine = Engine::load("1-0", config, Snapshot::default()).unwrap();
    let mut stored = Memory::default();
    let mut send = |requests: Vec<Append>| {
        let (replies, effects) = engine.append_all(requests, NOW, &stored).unwrap();
        stored.apply(&effects.writes);
        replies.into_iter().map(|reply| reply.map(|reply| reply.replaced)).collect::<Vec<_>>()
    };
    assert_eq!(send(vec![request(1..3, 0)]), [Ok(0)]);
    let full = |held, asked| Err(EngineError::Full { held, dead: 0, asked, limit: 2 });
    // The requests of one commit share its room.
    let requests = vec![request(2..4, 0), request(1..3, 0), request(3..4, 0)];
    assert_eq!(send(requests), [full(2, 1), Ok(2), full(0, 3)]);
}

/// A deploy that sends all of its recurring tasks again was refused if they were more than half of
/// what a shard may hold.
#[test]
fn a_shard_with_the_most_recurring_tasks_takes_their_definitions_again() {
    let define = |every: u32, count: usize| Append {
        schedules: (0..count)
            .map(|n| {
                recurring(&format!("r-{n}"), &format!(r#""everySeconds":{every},"anchor":{NOW}"#))
                    .into_bytes()
            })
            .collect(),
        ..Append::default()
    };
    let (mut engine, mut stored) = (engine(), Memory::default());
    for (every, replaced) in [(3_600, 0), (3_600, 20_000), (7_200, 20_000)] {
        let request = define(every, MAX_SCHEDULES_PER_SHARD);
        let (reply, effects) = engine.append(request, NOW, &stored).unwrap();
        stored.apply(&effects.writes);
        assert_eq!(reply.replaced, replaced, "every {every} seconds");
        let refused = engine.append(define(60, MAX_SCHEDULES_PER_SHARD + 1), NOW, &stored);
        let held = MAX_SCHEDULES_PER_SHARD;
        assert_eq!(refused.unwrap_err(), EngineError::TooManySchedules { held, asked: 1 });
    }
}

fn cron(cron: &str, description: &str) -> Vec<u8> {
    recurring("r", &format!(r#""cron":"{cron}","description":"{description}""#)).into_bytes()
}

fn define(record: Vec<u8>, expected: Option<Expected>) -> Append {
    Append { schedules: vec![record], expected, ..Append::default() }
}

#[test]
fn a_definition_with_the_same_schedule_keeps_the_run_that_is_due() {
    let first = cron("*/10 * * * * *", "one");
    let late = NOW.plus(25_000);
    let version = Some(Expected::Version(version_of(&first)));
    for (record, expected, next) in [
        // The run is due since NOW + 10 s. It stays due, both for a caller who names the version
        // and for one who does not.
        (cron("*/10 * * * * *", "two"), version, NOW.plus(10_000)),
        (cron("*/10 * * * * *", "two"), None, NOW.plus(10_000)),
        (cron("*/15 * * * * *", "two"), version, NOW.plus(30_000)),
        (cron("*/15 * * * * *", "two"), None, NOW.plus(30_000)),
    ] {
        let (mut engine, mut stored) = (engine(), Memory::default());
        let (_, effects) = engine.append(define(first.clone(), None), NOW, &stored).unwrap();
        stored.apply(&effects.writes);
        let started = effects.writes.iter().find_map(|write| match write {
            Write::InsertSchedule { since, .. } => Some(*since),
            _ => None,
        });
        let (reply, effects) = engine.append(define(record, expected), late, &stored).unwrap();
        assert_eq!((reply.created, reply.replaced), (1, 1));
        assert_eq!(engine.next_wakeup(), Some(next));
        let since = effects.writes.iter().find_map(|write| match write {
            Write::InsertSchedule { since, .. } => Some(*since),
            Write::SetSchedule { since, .. } => since.or(started),
            _ => None,
        });
        assert!(since.is_some_and(|since| since < next), "a restarted engine finds the same run");
    }
}

#[test]
fn a_changed_delay_neither_repeats_nor_skips_a_run() {
    let with = |more: &str| {
        recurring("r", &format!(r#""everySeconds":10,"anchor":{NOW}{more}"#)).into_bytes()
    };
    let mut owed_runs = 0;
    for (first, second) in [
        ("", r#","windowSeconds":7"#),
        (r#","jitterSeconds":9"#, ""),
        (r#","windowSeconds":9"#, r#","jitterSeconds":8"#),
    ] {
        for moment in (12_000..42_000).step_by(500) {
            let (mut engine, mut stored) = (engine(), Memory::default());
            let (_, effects) = engine.append(define(with(first), None), NOW, &stored).unwrap();
            stored.apply(&effects.writes);
            let mut times = Vec::new();
            let mut wake = |engine: &mut Engine, stored: &mut Memory, at: i64| {
                let effects = engine.wake(NOW.plus(at), stored).unwrap();
                stored.apply(&effects.writes);
                for write in effects.writes {
                    let Write::InsertEnvelope { text, .. } = write else { continue };
                    let envelope = scheduler_model::format::envelope::Envelope::parse(
                        std::str::from_utf8(&text).unwrap(),
                    )
                    .unwrap();
                    times.extend(envelope.tasks.iter().map(|task| {
                        Record::parse(task.get().as_bytes()).unwrap().time.unwrap().since(NOW)
                    }));
                }
            };
            (0..moment).step_by(1_000).for_each(|at| wake(&mut engine, &mut stored, at));
            // Other tasks have moved the watermark as far as possible.
            engine.state.watermark.due = NOW.plus((moment - 1) / 1_000 * 1_000);
            let version = Some(Expected::Version(version_of(&with(first))));
            let (_, effects) =
                engine.append(define(with(second), version), NOW.plus(moment), &stored).unwrap();
            stored.apply(&effects.writes);
            let owed = effects.writes.iter().find_map(|write| match write {
                Write::InsertPage { body, .. } => {
                    Some(Record::parse(body).unwrap().time.unwrap().since(NOW))
                }
                _ => None,
            });
            if let Some(owed_time) = owed {
                assert_eq!(times.last().map_or(owed_time, |last| last + 10_000), owed_time);
                assert!(engine.next_wakeup().unwrap() <= NOW.plus(moment));
                owed_runs += 1;
                continue;
            }
            (moment..80_000).step_by(1_000).for_each(|at| wake(&mut engine, &mut stored, at));
            assert_eq!(
                times,
                (0..=7)
                    .map(|n| n * 10_000)
                    .skip(usize::from(times[0] > 0))
                    .take(times.len())
                    .collect::<Vec<_>>(),
                "{first} to {second} at {moment}"
            );
            assert!(times.len() >= 6);
        }
    }
    assert!(owed_runs > 0);
}

#[test]
fn a_definition_equal_to_the_stored_one_changes_nothing() {
    const GIVEN: &str = r#","createdAt":1764000005000"#;
    let of = |is_recurring: bool, space: &str, paused: bool, origin: &str| {
        let more = format!(r#","payload":{{"a":{space}1}}"#);
        // The record is as the model writes it. The place of a one-shot task, not its record, says
        // whether it is paused.
        let flag = if paused && is_recurring { r#","paused":true"# } else { "" };
        let callback = r#""callback":{"type":"handler","name":"log"}"#;
        let schedule = if is_recurring {
            r#""id":"r","cron":"* * * * *""#.to_owned()
        } else {
            format!(r#""time":{},"id":"r""#, NOW.plus(9_000))
        };
        let text = format!("{{{schedule},{callback}{more}{flag}{origin}}}");
        if is_recurring {
            return define(text.into_bytes(), None);
        }
        let due = if paused { UnixMillis::PAUSED } else { NOW.plus(9_000) };
        append([("r", due, text)])
    };
    let stored_as = |stored: &Memory, engine: &Engine| {
        let item = engine.get("r", stored).unwrap().unwrap();
        item.record.get().to_owned()
    };
    for is_recurring in [true, false] {
        let (mut engine, mut stored) = (engine(), Memory::default());
        let take =
            |engine: &mut Engine, stored: &mut Memory, mut append: Append, says_paused: bool| {
                if says_paused {
                    append.terms.said_paused = vec![scheduler_model::routing::id_hash("r")];
                }
                let (_, effects) = engine.append(append, NOW.plus(5_000), stored).unwrap();
                stored.apply(&effects.writes);
            };
        take(&mut engine, &mut stored, of(is_recurring, " ", false, r#","createdAt":3"#), false);
        let first = stored_as(&stored, &engine);
        take(&mut engine, &mut stored, of(is_recurring, "", false, GIVEN), false);
        assert_eq!(stored_as(&stored, &engine), first, "white space");
        let pause = scheduler_model::protocol::ChangeRequest {
            ids: vec!["r".to_owned()],
            change: scheduler_model::protocol::Change::Pause,
            if_match: None,
            pause: None,
        };
        let (_, effects) = engine.change(&pause, NOW.plus(1_000), &stored).unwrap();
        stored.apply(&effects.writes);
        let paused = stored_as(&stored, &engine);
        take(&mut engine, &mut stored, of(is_recurring, "", true, GIVEN), true);
        assert_eq!(stored_as(&stored, &engine), paused, "a pause");
        take(&mut engine, &mut stored, of(is_recurring, "-", true, GIVEN), true);
        assert!(stored_as(&stored, &engine).contains("updatedAt"), "another payload");
    }
}

#[test]
fn requests_with_a_common_id_do_not_share_a_commit() {
    let mut gathering = Gathering::default();
    assert_eq!(gathering.add(request(1..3, 0)), None);
    assert_eq!(gathering.add(request(3..5, 0)), None);
    assert_eq!(gathering.add(request(4..6, 0)), Some(request(4..6, 0)));
    let each_minute = |id: &str| define(recurring(id, r#""cron":"* * * * *""#).into_bytes(), None);
    assert!(
        gathering.add(each_minute("task-1")).is_some(),
        "a schedule and a one-shot task of one id"
    );
    assert_eq!(gathering.add(each_minute("task-9")), None);
    assert_eq!(gathering.into_requests().len(), 3);
}
