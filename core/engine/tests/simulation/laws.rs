//! Changing laws of time zones: one-shot tasks at local times, against a reference that knows
//! nothing of pages.
//!
//! A run draws tasks at local times and at instants, changes by clients, releases of the time
//! zones, restarts and crashes. The rules are those of `docs/schedules.md`: a task at a local time
//! fires once, at the instant that the current law assigns to its time, or at once if a law has
//! moved it into the past.

mod shard;

use scheduler_model::numbers::EnvelopeSeq;
use shard::ZONES;
pub(crate) use shard::{Given, HOUR, LAWS, NOW, Shard, fired_by, load};

use crate::random::Random;
use scheduler_calendar::local_time::{Law, LocalTime};
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz::Tz;
use scheduler_model::format::envelope::Envelope;
use scheduler_model::protocol::{CancelRequest, Change, Failure, NewTime, Report};
use scheduler_model::task::Record;
use std::collections::BTreeMap;

/// What the rules say about a task.
#[derive(Debug, Clone, Copy)]
struct Known {
    local: Option<(LocalTime, &'static str)>,
    time: i64,
    /// When it fires; `None` while it is paused.
    due: Option<i64>,
    jitters: bool,
    /// Whether the task has fired. Then its time is the name of its run.
    is_again: bool,
    /// Whether a run was requested. Then its time is the name of that run.
    is_requested: bool,
    /// The earliest start of its further attempt, even if the task was paused in the meantime.
    not_before: i64,
}

impl Known {
    /// Returns when the task is due by its own time.
    fn own_due(&self, id: &str) -> i64 {
        let fields = if self.jitters { JITTER } else { "" };
        let given = Given {
            at: UnixMillis::new(self.time),
            local: self.local,
            paused: false,
            fields,
            key: None,
        };
        Record::parse(given.record(id, 0).as_bytes()).unwrap().due().get()
    }

    fn follow(&mut self, id: &str, law: &Law, watermark: i64) {
        let own = self.own_due(id);
        let waits_for_its_time = self.due.is_none_or(|due| due == own) && !self.is_requested;
        let Some((local, zone)) = self.local.filter(|_| waits_for_its_time && !self.is_again)
        else {
            return;
        };
        let time = (law.instant)(local, zone).unwrap().get();
        if time != self.time {
            self.time = time;
            let due = self.own_due(id);
            self.due = self.due.map(|_| due.max(watermark + 1));
        }
    }
}

const JITTER: &str = r#""jitterSeconds":900,"#;
const RETRY: &str = r#""retry":{"maxAttempts":2,"minBackoffSeconds":60,"jitter":0},"#;

/// The counts of a run.
#[derive(Debug, Default)]
struct Sum {
    fired: u64,
    moved: u64,
    moved_into_the_past: u64,
    laws: u64,
    crashes: u64,
}

/// Runs one seed.
fn run(seed: u64, sum: &mut Sum) {
    let mut random = Random::new(seed);
    let mut shard = Shard::new(LAWS[0]);
    let mut known: BTreeMap<String, Known> = BTreeMap::new();
    let mut made = 0_u64;
    for _ in 0..10 + random.below(50) {
        let at = shard.now;
        let watermark = |shard: &Shard| shard.storage.watermark.due.get();
        match random.below(12) {
            0..4 => {
                let mut tasks = Vec::new();
                for _ in 0..1 + random.below(4) {
                    made += 1;
                    let id = if random.chance(200) {
                        format!("same-{}", random.below(3))
                    } else {
                        format!("made-{made}")
                    };
                    if tasks.iter().any(|(known, _)| *known == id) {
                        continue;
                    }
                    let jitters = random.chance(300);
                    let fields = if jitters { JITTER } else { RETRY };
                    let mut given = drawn(&mut random, at, &shard.law);
                    (given.fields, given.paused) = (fields, random.chance(100));
                    // The same time again would mean the same task: see `definitions`.
                    if known
                        .get(&id)
                        .is_some_and(|of| of.time == given.at.get() || of.local == given.local)
                    {
                        continue;
                    }
                    let time = given.at.get();
                    let mut of = Known {
                        local: given.local,
                        time,
                        due: None,
                        jitters,
                        is_again: false,
                        is_requested: false,
                        not_before: 0,
                    };
                    if !given.paused {
                        of.due = Some(of.own_due(&id).max(watermark(&shard) + 1));
                    }
                    known.insert(id.clone(), of);
                    tasks.push((id, given));
                }
                shard.append(&tasks, random.below(3_000) as usize);
            }
            4 => {
                let Some(id) = any(&mut random, &known) else { continue };
                let of = known.get_mut(&id).unwrap();
                if let Some(due) = of.due.take() {
                    of.not_before = due;
                }
                shard.change(&id, Change::Pause);
            }
            5 => {
                let Some(id) = any(&mut random, &known) else { continue };
                let of = known.get_mut(&id).unwrap();
                if of.due.is_none() {
                    let due = match (of.is_again, of.is_requested) {
                        (true, _) => of.not_before.max(at.get()),
                        (false, true) => at.get(),
                        (false, false) => of.own_due(&id),
                    };
                    of.due = Some(due.max(watermark(&shard) + 1));
                }
                shard.change(&id, Change::Resume);
            }
            6 => {
                let Some(id) = any(&mut random, &known) else { continue };
                let of = known.get_mut(&id).unwrap();
                if of.due.is_none_or(|due| due > at.get()) {
                    of.due = Some(at.get().max(watermark(&shard) + 1));
                    of.is_requested = !of.is_again;
                }
                shard.change(&id, Change::Run);
            }
            7 => {
                let Some(id) = any(&mut random, &known) else { continue };
                let of = known.get_mut(&id).unwrap();
                let to = drawn(&mut random, at, &shard.law);
                let was_due = of.due;
                (of.local, of.time, of.is_again, of.is_requested) =
                    (to.local, to.at.get(), false, false);
                of.due = was_due.map(|_| of.own_due(&id).max(watermark(&shard) + 1));
                let local = to.local.map(|(local, zone)| (local, zone.parse::<Tz>().unwrap()));
                shard.change(&id, Change::Reschedule(NewTime { at: to.at, local }));
            }
            8 => {
                let Some(id) = any(&mut random, &known) else { continue };
                known.remove(&id);
                let request = CancelRequest { ids: vec![id], if_match: None };
                let (_, effects) = shard.engine.cancel(&request, at, &shard.storage).unwrap();
                shard.commit(&effects, false);
            }
            // A wake-up that is not committed, and then a restart, usually under another law.
            _ => {
                if random.chance(300) {
                    drop(shard.engine.wake(at, &shard.storage));
                    sum.crashes += 1;
                }
                let law = *random.pick(&LAWS);
                sum.laws += u64::from(law.release != shard.law.release);
                shard.restart(law);
                // The shard may restart before anything has woken it, or after the first part of
                // the planning.
                if random.chance(300)
                    && shard.has_local()
                    && shard.stored_law().as_deref() != Some(law.release)
                {
                    follow(&shard, &mut known, sum);
                    assert_eq!(
                        fired_by(&shard.wake()),
                        [],
                        "seed {seed}: nothing fires by the old law"
                    );
                    let law = if random.chance(500) { law } else { *random.pick(&LAWS) };
                    shard.restart(law);
                }
            }
        }
        if random.chance(700) {
            shard.now = shard.now.plus(random.range(0, 2 * HOUR));
            let observed = shard.engine.observe(shard.now);
            shard.storage.apply(&observed.writes);
            compare(&mut shard, &mut known, &mut random, sum, seed);
        }
    }
    shard.now = shard.now.plus(48 * HOUR);
    let observed = shard.engine.observe(shard.now);
    shard.storage.apply(&observed.writes);
    for _ in 0..3 {
        compare(&mut shard, &mut known, &mut random, sum, seed);
        shard.now = shard.now.plus(HOUR);
        shard.engine.observe(shard.now);
    }
    assert!(known.values().all(|of| of.due.is_none()), "seed {seed}: left over: {known:?}");
}

/// Lets the shard finish its work, and compares what has fired and what waits with the reference.
fn compare(
    shard: &mut Shard,
    known: &mut BTreeMap<String, Known>,
    random: &mut Random,
    sum: &mut Sum,
    seed: u64,
) {
    let at = shard.now;
    follow(shard, known, sum);
    let mut expected: Vec<(String, i64)> = Vec::new();
    for (id, of) in known.iter() {
        expected.extend(of.due.filter(|due| *due <= at.get()).map(|_| (id.clone(), of.time)));
    }
    let mut fired = shard.settle();
    let later = shard.now.get();
    // Tasks that came due while the shard worked may have fired, too.
    let late = |(id, _): &(String, i64)| {
        known.get(id).is_some_and(|of| of.due.is_some_and(|due| due > at.get() && due <= later))
    };
    let came_due: Vec<(String, i64)> = fired.iter().filter(|task| late(task)).cloned().collect();
    expected.extend(came_due);
    expected.sort();
    fired.sort();
    assert_eq!(fired, expected, "seed {seed} at {at} under {}", shard.law.release);
    sum.fired += fired.len() as u64;
    let envelopes: Vec<EnvelopeSeq> = shard
        .storage
        .outbox
        .iter()
        .filter(|(_, row)| row.destination.is_some())
        .map(|(seq, _)| *seq)
        .collect();
    for seq in envelopes {
        let text = shard.storage.outbox[&seq].text.clone();
        let envelope = Envelope::parse(std::str::from_utf8(&text).unwrap()).unwrap();
        let mut failed = Vec::new();
        for (index, task) in (0..).zip(&envelope.tasks) {
            let record = Record::parse(task.get().as_bytes()).unwrap();
            let of = known.get_mut(record.id.as_ref()).unwrap();
            // A task with jitter has no retry policy of its own, and does not fail here.
            let fails = !of.jitters && random.chance(300);
            if fails {
                failed.push(Failure { index, error: "no".to_owned(), ..Failure::default() });
            }
            if fails && !of.is_again {
                // The next attempt follows a minute later, whatever the law.
                (of.is_again, of.due) = (true, Some(later + 60_000));
            } else {
                known.remove(record.id.as_ref());
            }
        }
        let report = Report { seq, failed, ..Report::default() };
        let effects = shard.engine.report(&report, shard.now, &shard.storage).unwrap();
        shard.commit(&effects, false);
    }
    for (id, of) in known.iter() {
        let (due, record) =
            shard.waiting(id).unwrap_or_else(|| panic!("seed {seed}: {id} is lost: {of:?}"));
        let record = Record::parse(record.as_bytes()).unwrap();
        let is_same = record.time == Some(UnixMillis::new(of.time))
            && due == of.due.map_or(UnixMillis::PAUSED, UnixMillis::new)
            && record.local.and_then(|local| local.time) == of.local.map(|(local, _)| local);
        assert!(is_same, "seed {seed}: {id} waits until {due} as {record:?}; expected {of:?}");
    }
    // A crash at this point loses nothing.
    assert!(
        !shard.has_local() || shard.stored_law().as_deref() == Some(shard.law.release),
        "seed {seed}: {:?}",
        shard.stored_law()
    );
}

/// Updates the reference when the shard wakes up: a new law moves what waits.
fn follow(shard: &Shard, known: &mut BTreeMap<String, Known>, sum: &mut Sum) {
    if shard.stored_law().as_deref() == Some(shard.law.release) {
        return;
    }
    let (watermark, now) = (shard.storage.watermark.due.get(), shard.now.get());
    for (id, of) in known {
        let was = *of;
        of.follow(id, &shard.law, watermark);
        sum.moved += u64::from(was.time != of.time);
        sum.moved_into_the_past +=
            u64::from(was.due.is_some_and(|due| due > now) && of.due < Some(now));
    }
}

fn any(random: &mut Random, known: &BTreeMap<String, Known>) -> Option<String> {
    let at = random.below(known.len() as u64) as usize;
    known.keys().nth(at).cloned()
}

/// Returns a time from an hour ago to six hours ahead, usually a local one.
fn drawn(random: &mut Random, now: UnixMillis, law: &Law) -> Given {
    let at = now.plus(random.range(-HOUR, 6 * HOUR) / 60_000 * 60_000);
    if random.chance(300) {
        return Given::instant(at);
    }
    let zone = *random.pick(&ZONES);
    let tz: Tz = zone.parse().unwrap();
    let second = at.get().div_euclid(1_000);
    let local = chrono::DateTime::from_timestamp(second + tz.offset_at(second), 0).unwrap();
    Given::local(&local.format("%Y-%m-%dT%H:%M:%S").to_string(), zone, law)
}

/// Runs many seeds. `LAW_SEEDS` sets their number, and `LAW_SEED` selects a single one.
#[test]
fn tasks_at_local_times_follow_every_law() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("LAW_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("LAW_SEEDS").unwrap_or(2_000),
    };
    let (mut sum, runs) = (Sum::default(), seeds.end - seeds.start);
    seeds.for_each(|seed| run(seed, &mut sum));
    println!("{runs} seeds: {sum:?}");
    let enough = [sum.fired, sum.moved, sum.laws].iter().all(|count| *count > runs);
    assert!(
        runs == 1 || enough && sum.moved_into_the_past > runs / 10 && sum.crashes > runs / 4,
        "{sum:?}"
    );
}
