//! Recurring tasks under a new law of their zone, which may move runs to before the watermark: see
//! `docs/schedules.md`.
//!
//! The tables of time zones themselves determine recurring tasks. So the tests replace the zone in
//! storage, between a stop and a start, by one whose clock is some hours off, as if a release had
//! moved it.

use crate::laws::{Given, HOUR, LAWS, NOW, Shard};
use crate::random::Random;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::Write;
use scheduler_model::format::envelope::Envelope;
use scheduler_model::numbers::ScheduleNumber;
use scheduler_model::protocol::{Append, Report, Status};
use scheduler_model::task::Record;

const DAY: i64 = 24 * HOUR;
/// 2025-11-25T00:00:00Z, eight hours after the shard started.
const MIDNIGHT: i64 = NOW.get() + 8 * HOUR;

/// Returns the name of the zone while its clock is `hours_behind` UTC.
fn zone(hours_behind: i64) -> String {
    format!("Etc/GMT+{hours_behind}")
}

fn add(shard: &mut Shard, id: &str, schedule: &str, hours_behind: i64) {
    let zone = zone(hours_behind);
    let record = format!(
        r#"{{"id":"{id}",{schedule},"timezone":"{zone}","callback":{{"type":"handler","name":"log"}}}}"#
    );
    let append = Append { schedules: vec![record.into_bytes()], ..Append::default() };
    let (_, effects) = shard.engine.append(append, shard.now, &shard.storage).unwrap();
    shard.commit(&effects, false);
}

/// Restarts the shard under a law by which the zone's clock is `hours_behind` UTC.
fn restart(shard: &mut Shard, was_behind: i64, hours_behind: i64) {
    let replaced = |record: &[u8]| {
        let text = std::str::from_utf8(record).unwrap();
        text.replace(&zone(was_behind), &zone(hours_behind)).into_bytes()
    };
    let rows = shard.storage.schedules.iter();
    let rows: Vec<_> =
        rows.map(|(number, row)| (ScheduleNumber::new(*number), replaced(&row.record))).collect();
    let writes =
        rows.into_iter().map(|(number, record)| Write::SetSchedule { number, since: None, record });
    shard.storage.apply(&writes.collect::<Vec<_>>());
    shard.restart(LAWS[0]);
}

fn fired_until(shard: &mut Shard, at: i64) -> Vec<(String, i64)> {
    shard.now = UnixMillis::new(at);
    let observed = shard.engine.observe(shard.now);
    shard.storage.apply(&observed.writes);
    let fired = shard.settle();
    let envelopes = shard.storage.outbox.iter().filter(|(_, row)| row.destination.is_some());
    for seq in envelopes.map(|(seq, _)| *seq).collect::<Vec<_>>() {
        let text = shard.storage.outbox[&seq].text.clone();
        assert!(Envelope::parse(std::str::from_utf8(&text).unwrap()).is_ok());
        let effects = shard
            .engine
            .report(&Report { seq, ..Report::default() }, shard.now, &shard.storage)
            .unwrap();
        shard.commit(&effects, false);
    }
    fired
}

fn run(id: &str, time: i64) -> (String, i64) {
    (id.to_owned(), time)
}

/// Returns a shard at midnight, eight hours after it started.
fn at_midnight() -> Shard {
    let mut shard = Shard::new(LAWS[0]);
    assert_eq!(fired_until(&mut shard, MIDNIGHT), []);
    shard
}

const NINE: &str = r#""cron":"0 9 * * *""#;

#[test]
fn a_run_that_a_law_moves_before_the_watermark_is_skipped() {
    let mut shard = at_midnight();
    add(&mut shard, "nine", NINE, 8);
    let watermark = MIDNIGHT + 16 * HOUR + HOUR / 2;
    shard.append(&[("once".into(), Given::instant(UnixMillis::new(watermark)))], 0);
    assert_eq!(fired_until(&mut shard, watermark), [run("once", watermark)]);
    // By the old law, nine o'clock would be at 17:00Z. By the new law it was at 16:00Z.
    restart(&mut shard, 8, 7);
    assert_eq!(fired_until(&mut shard, MIDNIGHT + DAY), []);
    assert_eq!(
        fired_until(&mut shard, MIDNIGHT + DAY + 16 * HOUR),
        [run("nine", MIDNIGHT + DAY + 16 * HOUR)]
    );
}

#[test]
fn a_run_between_the_watermark_and_now_fires_at_once() {
    let mut shard = at_midnight();
    add(&mut shard, "nine", NINE, 8);
    // Nothing has fired, so the watermark is behind now.
    assert_eq!(fired_until(&mut shard, MIDNIGHT + 16 * HOUR + HOUR / 2), []);
    restart(&mut shard, 8, 7);
    let now = shard.now.get();
    assert_eq!(fired_until(&mut shard, now), [run("nine", MIDNIGHT + 16 * HOUR)]);
    assert_eq!(fired_until(&mut shard, MIDNIGHT + DAY), []);
}

#[test]
fn a_run_that_has_fired_fires_again_if_a_law_moves_it_later() {
    let mut shard = at_midnight();
    add(&mut shard, "nine", NINE, 7);
    assert_eq!(fired_until(&mut shard, MIDNIGHT + 16 * HOUR), [run("nine", MIDNIGHT + 16 * HOUR)]);
    restart(&mut shard, 7, 8);
    assert_eq!(fired_until(&mut shard, MIDNIGHT + DAY), [run("nine", MIDNIGHT + 17 * HOUR)]);
    // Back to the other law: the run that fired at 17:00Z is only later than the one at 16:00Z of
    // the same day.
    restart(&mut shard, 8, 7);
    assert_eq!(
        fired_until(&mut shard, MIDNIGHT + 2 * DAY),
        [run("nine", MIDNIGHT + DAY + 16 * HOUR)]
    );
}

/// An interval and bounds at local times move with the law. A task whose last run is moved to
/// before the watermark is removed.
#[test]
fn anchors_and_the_ends_of_schedules_move_too() {
    let local = |field: &str| {
        format!(
            r#""local":{{"{field}":"2025-11-25T09:30:00"}},"{field}":{}"#,
            MIDNIGHT + 17 * HOUR + HOUR / 2
        )
    };
    let every = format!(r#""everySeconds":86400,{}"#, local("anchor"));
    let ended = format!(r#"{NINE},{}"#, local("endAt"));
    let counted =
        format!(r#"{NINE},"maxRuns":1,"firstRun":{0},"finalRun":{0}"#, MIDNIGHT + 17 * HOUR);
    for (schedule, goes_on) in [(every, true), (ended, false), (counted, false)] {
        for watermark in [16 * HOUR - 1, 16 * HOUR + 45 * 60_000] {
            let mut shard = at_midnight();
            add(&mut shard, "a", &schedule, 8);
            shard.append(
                &[("once".into(), Given::instant(UnixMillis::new(MIDNIGHT + watermark)))],
                0,
            );
            assert_eq!(
                fired_until(&mut shard, MIDNIGHT + watermark),
                [run("once", MIDNIGHT + watermark)]
            );
            restart(&mut shard, 8, 7);
            let time = MIDNIGHT + 16 * HOUR + if goes_on { HOUR / 2 } else { 0 };
            let fired = fired_until(&mut shard, MIDNIGHT + DAY);
            assert_eq!(
                fired,
                if watermark < 16 * HOUR { vec![run("a", time)] } else { vec![] },
                "{schedule} from {watermark}"
            );
            let item = shard.engine.get("a", &shard.storage).unwrap();
            assert_eq!(
                item.map(|item| item.status),
                goes_on.then_some(Status::Scheduled),
                "{schedule} from {watermark}"
            );
            let fired = fired_until(&mut shard, MIDNIGHT + 2 * DAY);
            assert_eq!(
                fired,
                if goes_on { vec![run("a", time + DAY)] } else { vec![] },
                "{schedule} from {watermark}"
            );
        }
    }
}

/// Tasks at some hours of each day, laws, one-shot tasks that move the watermark, and restarts,
/// compared with the rule itself: what fires is what the current law has between the watermark and
/// now.
#[test]
fn recurring_tasks_follow_every_law() {
    let (mut skipped, mut again) = (0, 0);
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let mut shard = Shard::new(LAWS[0]);
        let mut behind = 8;
        let mut tasks: Vec<(String, i64, i64)> = Vec::new();
        // No two of them are at the same minute, and no one-shot task is at such a minute.
        for minute in 0..1 + random.below(3) as i64 {
            let hour = random.below(24) as i64;
            let id = format!("task-{minute}");
            add(&mut shard, &id, &format!(r#""cron":"{minute} {hour} * * *""#), behind);
            tasks.push((id, hour, minute));
        }
        let times =
            |(_, hour, minute): &(String, i64, i64), behind: i64, after: i64, until: i64| {
                let first = MIDNIGHT + (hour + behind) * HOUR + minute * 60_000;
                (-3..20)
                    .map(move |day| first + day * DAY)
                    .filter(move |time| (after + 1..=until).contains(time))
                    .collect::<Vec<_>>()
            };
        let mut fired_before: Vec<(String, i64)> = Vec::new();
        for step in 0..20 {
            let (from, law) = (shard.now.get(), random.range(5, 10));
            let watermark = shard.storage.watermark.due.get().max(NOW.get());
            if random.chance(400) {
                for task in &tasks {
                    skipped += times(task, law, NOW.get(), watermark).len() as u64;
                }
                restart(&mut shard, behind, law);
                behind = law;
            }
            let at = from + random.range(1, 12) * HOUR + 30_000;
            if random.chance(500) {
                shard.append(
                    &[(format!("once-{step}"), Given::instant(UnixMillis::new(at - 5_000)))],
                    0,
                );
            }
            let mut fired = fired_until(&mut shard, at);
            fired.retain(|(id, _)| id.starts_with("task"));
            fired.sort();
            let later = shard.now.get();
            let mut expected: Vec<(String, i64)> = Vec::new();
            for task in &tasks {
                expected.extend(
                    times(task, behind, watermark, later)
                        .into_iter()
                        .map(|time| (task.0.clone(), time)),
                );
            }
            expected.sort();
            assert_eq!(fired, expected, "seed {seed}, step {step}");
            again += fired
                .iter()
                .filter(|(id, time)| {
                    fired_before
                        .iter()
                        .any(|(of, before)| of == id && (1..DAY).contains(&(time - before)))
                })
                .count();
            fired_before = fired;
        }
        for (id, _, _) in &tasks {
            let item = shard.engine.get(id, &shard.storage).unwrap().unwrap();
            assert!(
                Record::parse(item.record.get().as_bytes())
                    .is_ok_and(|record| record.is_recurring())
            );
        }
    }
    assert!(skipped > 100 && again > 10, "{skipped} left out, {again} came again");
}
