//! A new law of a time zone, in single cases: see `docs/schedules.md`.

use crate::laws::{Given, HOUR, LAWS, NOW, Shard, fired_by};
use scheduler_calendar::local_time::{Law, LocalTime};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::testing;
use scheduler_model::bounds::MAX_EVENTS_BYTES;
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::{EnvelopeSeq, LaneNumber};
use scheduler_model::protocol::{
    Append, Change, ChangeRequest, Changed, EventKind, EventsRequest, Expected, Failure, Filter,
    ListRequest, NewTime, Report, Status,
};
use scheduler_model::task::Record;

const VANCOUVER: &str = "America/Vancouver";
/// Nine o'clock on December 1 in Vancouver, by the law of 2026.
const NINE: UnixMillis = UnixMillis::new(1_796_140_800_000);

/// Converts by the tables of the time before Vancouver kept its clocks at -07:00.
fn before_2026(local: LocalTime, zone: &str) -> Option<UnixMillis> {
    let instant = local.instant(zone.parse().ok()?)?;
    Some(if zone == VANCOUVER { instant.plus(HOUR) } else { instant })
}

const BEFORE: Law = Law { release: "2025b", instant: before_2026 };

fn nine(law: &Law) -> Given {
    Given::local("2026-12-01T09:00", VANCOUVER, law)
}

fn at(shard: &mut Shard, now: UnixMillis) -> Vec<String> {
    shard.now = now;
    shard.engine.observe(now);
    shard.settle().into_iter().map(|(id, _)| id).collect()
}

fn due_of(shard: &Shard, id: &str) -> UnixMillis {
    shard.waiting(id).unwrap().0
}

/// This case uses the current tables instead of a law of the test.
#[test]
fn nine_o_clock_in_vancouver_moves_with_the_law_of_2026() {
    let mut shard = Shard::new(BEFORE);
    let seconds = Given::local("2026-12-01T09:00:30", VANCOUVER, &BEFORE);
    let tokyo = Given::local("2026-12-02T02:00", "Asia/Tokyo", &BEFORE);
    let plain = Given::instant(NINE.plus(HOUR));
    shard.append(
        &[
            ("a".into(), nine(&BEFORE)),
            ("b".into(), seconds),
            ("tokyo".into(), tokyo),
            ("plain".into(), plain),
        ],
        0,
    );
    assert_eq!(due_of(&shard, "a"), NINE.plus(HOUR));
    assert_eq!(shard.stored_law().as_deref(), Some("2025b"));
    shard.restart(Law::default());
    let watch = |shard: &mut Shard, from| {
        let request = EventsRequest {
            from,
            id: None,
            tag: None,
            kind: None,
            limit: 9,
            max_bytes: MAX_EVENTS_BYTES,
            wait_millis: 0,
            key: 0,
            reader: 0,
        };
        let now = shard.now;
        shard.engine.events(&request, now)
    };
    let from = watch(&mut shard, None).next;
    assert_eq!(shard.settle(), []);
    let events: Vec<_> = watch(&mut shard, Some(from))
        .events
        .into_iter()
        .map(|event| (event.kind, event.id))
        .collect();
    assert_eq!(
        events,
        [(EventKind::Rescheduled, "a".into()), (EventKind::Rescheduled, "b".into())]
    );
    assert_eq!((due_of(&shard, "a"), due_of(&shard, "b")), (NINE, NINE.plus(30_000)));
    let shown = shard.waiting("a").unwrap().1;
    assert!(
        shown.contains(&format!(r#"{{"time":{NINE},"id":"a","timezone":"{VANCOUVER}","local":{{"time":"2026-12-01T09:00:00"}}"#))
    );
    assert_eq!(shard.stored_law().as_deref(), Some(scheduler_calendar::tz::release()));
    assert!(at(&mut shard, NINE.plus(-1)).is_empty());
    assert_eq!(at(&mut shard, NINE), ["a"]);
    assert_eq!(at(&mut shard, NINE.plus(30_000)), ["b"]);
    // Tokyo's law has not changed.
    assert_eq!(at(&mut shard, NINE.plus(HOUR)), ["tokyo", "plain"]);
}

#[test]
fn a_law_can_delay_a_task_whose_old_time_has_passed() {
    let mut shard = Shard::new(LAWS[0]);
    shard.append(&[("a".into(), nine(&LAWS[0]))], 0);
    // Nobody has woken the shard since the old time of the task.
    shard.now = NINE.plus(1_000);
    shard.restart(LAWS[1]);
    assert_eq!(shard.settle(), []);
    assert_eq!(at(&mut shard, NINE.plus(HOUR)), ["a"]);
}

#[test]
fn a_task_that_a_law_moves_into_the_past_fires_at_once() {
    for fields in ["", r#""expireAfterSeconds":60,"#, r#""misfire":{"policy":"skip"},"#] {
        let mut shard = Shard::new(LAWS[0]);
        shard.append(
            &[
                ("a".into(), Given { fields, ..nine(&LAWS[0]) }),
                ("other".into(), Given::instant(NINE.plus(-HOUR))),
            ],
            0,
        );
        shard.now = NINE.plus(-HOUR / 2);
        shard.engine.observe(shard.now);
        // The watermark is behind the new time.
        assert_eq!(shard.settle(), [("other".to_owned(), NINE.get() - HOUR)]);
        shard.restart(LAWS[2]);
        let expected = [("a".to_owned(), NINE.get() - HOUR)];
        assert_eq!(shard.settle(), expected, "{fields}");
        // The task never fires a second time, whatever law follows.
        for law in LAWS {
            shard.restart(law);
            assert_eq!(at(&mut shard, NINE.plus(5 * HOUR)), [] as [&str; 0], "{fields}");
        }
    }
}

/// A task that was late before the law changed is late after it.
#[test]
fn a_new_law_does_not_undo_that_a_run_was_missed() {
    let mut shard = Shard::new(LAWS[0]);
    let fields = r#""misfire":{"policy":"skip"},"#;
    shard.append(&[("a".into(), Given { fields, ..nine(&LAWS[0]) })], 0);
    shard.now = NINE.plus(HOUR);
    shard.restart(LAWS[2]);
    assert_eq!(shard.settle(), []);
    assert!(shard.waiting("a").is_none());
    assert_eq!(shard.engine.stats(shard.now).counters.skipped, 1);
}

#[test]
fn a_paused_task_is_resumed_at_its_new_time() {
    let mut shard = Shard::new(LAWS[0]);
    shard.append(
        &[("a".into(), nine(&LAWS[0])), ("b".into(), Given { paused: true, ..nine(&LAWS[0]) })],
        0,
    );
    shard.change("a", Change::Pause);
    shard.restart(LAWS[1]);
    assert_eq!(shard.settle(), []);
    for id in ["a", "b"] {
        let (due, record) = shard.waiting(id).unwrap();
        assert_eq!(
            (due, Record::parse(record.as_bytes()).unwrap().time),
            (UnixMillis::PAUSED, Some(NINE.plus(HOUR)))
        );
        shard.change(id, Change::Resume);
        assert_eq!(due_of(&shard, id), NINE.plus(HOUR));
    }
    shard.restart(LAWS[0]);
    assert_eq!(shard.settle(), []);
    assert_eq!(at(&mut shard, NINE), ["a", "b"]);
}

#[test]
fn a_requested_run_fires_under_a_new_law() {
    let mut shard = Shard::new(LAWS[0]);
    shard.append(&[("a".into(), nine(&LAWS[0]))], 0);
    shard.change("a", Change::Run);
    shard.restart(LAWS[3]);
    assert_eq!(shard.settle(), [("a".to_owned(), NINE.get())]);
}

#[test]
fn a_reschedule_to_a_local_time_stores_the_local_time() {
    let local: LocalTime = "2026-12-01T09:00".parse().unwrap();
    let to = NewTime { at: NINE, local: Some((local, VANCOUVER.parse().unwrap())) };
    let mut shard = Shard::new(LAWS[0]);
    shard.append(
        &["one", "many", "back"].map(|id| (id.to_owned(), Given::instant(NOW.plus(HOUR)))),
        0,
    );
    shard.change("one", Change::Reschedule(to));
    let tasks = ListRequest {
        filter: Filter { prefix: Some("many".into()), ..Filter::default() },
        limit: 9,
        ..ListRequest::default()
    };
    let (reply, effects) = shard
        .engine
        .change_matching(&tasks, Change::Reschedule(to), None, NOW, &shard.storage)
        .unwrap();
    assert_eq!(reply.changed, 1);
    shard.commit(&effects, false);
    // The task is rescheduled to an instant and back. The mark follows the local time.
    shard.change("back", Change::Reschedule(to));
    shard.change("back", Change::Reschedule(NINE.into()));
    assert!(!shard.waiting("back").unwrap().1.contains("timezone"));
    // The same time in another form is a change. The same time in the same form is none.
    for (id, to, outcome) in
        [("one", to, Changed::Unchanged), ("back", NINE.into(), Changed::Unchanged)]
    {
        let request = ChangeRequest {
            ids: vec![id.to_owned()],
            change: Change::Reschedule(to),
            if_match: None,
            pause: None,
        };
        assert_eq!(
            shard.engine.change(&request, NOW, &shard.storage).unwrap().0.outcomes,
            [outcome]
        );
    }
    shard.restart(LAWS[1]);
    assert_eq!(shard.settle(), []);
    assert_eq!(
        ["one", "many", "back"].map(|id| due_of(&shard, id)),
        [NINE.plus(HOUR), NINE.plus(HOUR), NINE]
    );
}

/// The name of a run is `<id>@<time>`, so what has fired keeps its time.
#[test]
fn further_attempts_and_dead_letters_keep_the_time_of_their_run() {
    let mut shard = Shard::new(LAWS[0]);
    let fields = r#""retry":{"maxAttempts":2,"minBackoffSeconds":7200,"jitter":0},"onFailure":{"type":"handler","name":"log"},"#;
    shard.append(&[("a".into(), Given { fields, ..nine(&LAWS[0]) })], 0);
    assert_eq!(at(&mut shard, NINE), ["a"]);
    // The run is in flight.
    shard.restart(LAWS[1]);
    assert_eq!(shard.settle(), []);
    for seq in [1, 2] {
        let failed = vec![Failure { index: 0, error: "no".to_owned(), ..Failure::default() }];
        let effects = shard
            .engine
            .report(
                &Report { seq: EnvelopeSeq::new(seq), failed, ..Report::default() },
                shard.now,
                &shard.storage,
            )
            .unwrap();
        shard.commit(&effects, false);
        shard.restart(LAWS[2 + usize::from(seq == 2)]);
        let now = shard.now.plus(2 * HOUR);
        // The second attempt fires, and then the follow-up of the run, with the same time.
        assert_eq!(at(&mut shard, now), ["a"]);
    }
    assert_eq!(shard.engine.get("a", &shard.storage).unwrap().unwrap().status, Status::Running);
    for waiting in shard.storage.waiting() {
        assert_eq!(Record::parse(&waiting.record).unwrap().time, Some(NINE), "a dead letter");
    }
    assert!(shard.storage.pages.values().all(|row| !row.directory.has_local()));
}

/// A patch that keeps the local time keeps the run, even if a law has moved that time.
#[test]
fn a_patch_in_flight_starts_no_second_run_under_a_new_law() {
    let mut shard = Shard::new(LAWS[0]);
    shard.append(&[("a".into(), nine(&LAWS[0]))], 0);
    assert_eq!(at(&mut shard, NINE), ["a"]);
    shard.restart(LAWS[1]);
    let given = Given { fields: r#""description":"patched","#, ..nine(&LAWS[1]) };
    let version = |shard: &Shard| {
        let item = shard.engine.get("a", &shard.storage).unwrap().unwrap();
        scheduler_model::task::version_of(item.record.get().as_bytes())
    };
    let record = given.record("a", 0);
    let expected = Some(Expected::Version(version(&shard)));
    let tasks = [("a", given.at, Flags::LOCAL, record)];
    let append = Append { expected, ..testing::append_flagged(tasks) };
    let (reply, effects) = shard.engine.append(append, shard.now, &shard.storage).unwrap();
    assert!(reply.patched.is_some());
    shard.commit(&effects, false);
    assert_eq!(at(&mut shard, NINE.plus(2 * HOUR)), [] as [&str; 0]);
    let failed = vec![Failure { index: 0, error: "no".to_owned(), ..Failure::default() }];
    let effects = shard
        .engine
        .report(
            &Report { seq: EnvelopeSeq::new(1), failed, ..Report::default() },
            shard.now,
            &shard.storage,
        )
        .unwrap();
    shard.commit(&effects, false);
    let now = shard.now.plus(HOUR);
    shard.now = now;
    shard.engine.observe(now);
    assert_eq!(shard.settle(), [("a".to_owned(), NINE.get())]);
}

#[test]
fn a_task_with_a_limit_key_stays_in_its_lane() {
    let mut shard = Shard::new(LAWS[0]);
    shard.append(&[("a".into(), Given { key: Some("k"), ..nine(&LAWS[0]) })], 0);
    shard.restart(LAWS[1]);
    assert_eq!(shard.settle(), []);
    assert_eq!(due_of(&shard, "a"), NINE.plus(HOUR));
    assert!(
        shard
            .storage
            .pages
            .values()
            .all(|row| row.directory.lane() != LaneNumber::MAIN && row.directory.has_local())
    );
}

/// A record of an earlier version has the local time but its entry has no mark. It keeps its
/// instant until it is written again.
#[test]
fn a_task_without_the_mark_keeps_its_instant() {
    let mut shard = Shard::new(LAWS[0]);
    let append = testing::append([("a", NINE, nine(&LAWS[0]).record("a", 0))]);
    let (_, effects) = shard.engine.append(append, NOW, &shard.storage).unwrap();
    shard.commit(&effects, false);
    shard.restart(LAWS[1]);
    assert_eq!(shard.settle(), []);
    assert_eq!(due_of(&shard, "a"), NINE);
    // When the record is written again, its entry gets the mark.
    shard.change("a", Change::Pause);
    shard.change("a", Change::Resume);
    shard.restart(LAWS[3]);
    assert_eq!(shard.settle(), []);
    assert_eq!(due_of(&shard, "a"), NINE.plus(3 * HOUR));
}

/// During a deploy, the coordinator may have an earlier version than the shard.
#[test]
fn a_task_planned_by_another_law_is_planned_by_the_shard_s_law() {
    let mut shard = Shard::new(LAWS[1]);
    let fields = r#""expireAfterSeconds":60,"#;
    let tasks = [
        ("a".to_owned(), nine(&LAWS[0])),
        ("paused".to_owned(), Given { paused: true, ..nine(&LAWS[0]) }),
        ("conditional".to_owned(), Given { fields, ..nine(&LAWS[0]) }),
        ("plain".to_owned(), Given::instant(NINE)),
    ];
    shard.append(&tasks, 0);
    let dues = tasks.map(|(id, _)| due_of(&shard, &id));
    assert_eq!(dues, [NINE.plus(HOUR), UnixMillis::PAUSED, NINE.plus(HOUR), NINE]);
    shard.change("paused", Change::Resume);
    assert_eq!(due_of(&shard, "paused"), NINE.plus(HOUR));
}

/// A start-up under another release costs nothing for tasks without local times: no read, no write,
/// no wake-up.
#[test]
fn a_shard_without_local_times_does_nothing_for_a_new_law() {
    let mut shard = Shard::new(LAWS[0]);
    for part in 0..20_i64 {
        let tasks: Vec<_> =
            (0..1_000).map(|n| (format!("t{part}-{n}"), Given::instant(NINE.plus(n)))).collect();
        shard.append(&tasks, 20);
    }
    shard.storage.check_budget(&[], true);
    shard.restart(LAWS[1]);
    assert_eq!(shard.engine.next_wakeup(), Some(NINE));
    assert!(shard.wake().writes.is_empty());
    assert_eq!(shard.storage.take_read_bytes(), 0);
    // A task at a local time costs its own page.
    shard.append(&[("a".into(), nine(&LAWS[1]))], 0);
    assert_eq!(shard.stored_law().as_deref(), Some("2026b"));
    shard.storage.take_read_bytes();
    shard.engine = crate::laws::load(&shard.storage, LAWS[0]);
    let effects = shard.engine.wake(NOW, &shard.storage).unwrap();
    assert!(shard.storage.take_read_bytes() < 1_000 && effects.writes.len() < 6);
}

/// Twenty megabytes of tasks at local times are planned in parts, each within the bounds of a
/// wake-up. Crashes in between lose nothing.
#[test]
fn many_tasks_are_planned_again_in_parts() {
    let mut shard = Shard::new(LAWS[0]);
    let many = 20_i64;
    for part in 0..many {
        let tasks: Vec<_> = (0..1_000).map(|n| (format!("t{part}-{n}"), nine(&LAWS[0]))).collect();
        shard.append(&tasks, 1_000);
    }
    shard.append(&[("plain".into(), Given::instant(NOW))], 0);
    shard.restart(LAWS[1]);
    let (mut parts, mut crashes) = (0, 0);
    while shard.stored_law().as_deref() != Some("2026b") {
        parts += 1;
        assert!(parts < 200, "the planning starts over and over");
        let next = shard.engine.next_wakeup().unwrap();
        assert!(next <= shard.now.plus(1), "the next part follows at once");
        shard.now = shard.now.max(next);
        shard.engine.observe(shard.now);
        let fired = fired_by(&shard.wake());
        assert!(fired.is_empty(), "{} tasks fired by the old law", fired.len());
        assert_ne!(
            shard.stored_law().as_deref(),
            Some("2026a"),
            "a half-planned shard has no release"
        );
        if parts % 3 == 0 && crashes < 4 {
            crashes += 1;
            shard.restart(LAWS[1]);
        }
    }
    assert!(parts > 5, "{parts}");
    let waiting = shard.storage.waiting();
    assert_eq!(waiting.len() as i64, many * 1_000 + 1);
    assert!(
        waiting
            .iter()
            .all(|waiting| waiting.position.due == NINE.plus(HOUR) || waiting.position.due == NOW)
    );
    shard.now = shard.now.plus(1);
    shard.engine.observe(shard.now);
    assert_eq!(shard.settle(), [("plain".to_owned(), NOW.get())]);
}
