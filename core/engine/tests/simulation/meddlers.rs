//! Clients that change runs in flight: cancels, pauses, patches and overwrites between a dispatch
//! and its report, by id, by ids and by filter.
//!
//! The run and the change are drawn when the request is carried out, from a number that was drawn
//! when it was planned.

use crate::changes;
use crate::clients::{QUEUES, RETRIES, record_of};
use crate::definitions::Moment;
use crate::follow_ups::{FollowUps, Stage};
use crate::in_flight::{FlightAt, envelopes_of};
use crate::invariants::violated;
use crate::late::Late;
use crate::limits::KEYS;
use crate::model::{Firing, Schedule, Version, firing_of};
use crate::operations::{self, Answer, Request, append_of};
use crate::random::Random;
use crate::redefine::redefine_id;
use crate::schedules::{PutOff, Recurring};
use crate::world::{Dropped, Event, World};
use scheduler_engine::{Effects, EngineError};
use scheduler_model::protocol::{AppendReply, Change, Expected, Filter, ListItem, Status};
use scheduler_model::task::{Record, version_of};

impl World {
    /// Plans a change of a run that was just dispatched, usually before its report.
    pub(crate) fn plan_meddling(&mut self, at: usize) {
        self.plan_changes_of_held(at);
        if !self.meddling.chance(self.meddles) {
            return;
        }
        let when = self.now.plus(self.meddling.range(0, 2 * self.faults.message_delay));
        let request = Request::InFlight { shard: at, draw: self.meddling.next() };
        self.plan(when, Event::Client { request, tries: 0 });
    }
}

/// Changes one or several runs in flight.
pub(crate) fn meddle(world: &mut World, at: usize, draw: u64) -> Result<Answer, Dropped> {
    let mut random = Random::new(draw);
    let Some(id) = drawn_id(world, &mut random, at) else { return Ok(Answer::Shown) };
    let what = random.below(10);
    world.trace(|| {
        let name = [
            "patch",
            "patch",
            "patch",
            "cancel",
            "cancel by filter",
            "change",
            "change",
            "change by filter",
            "overwrite",
        ];
        format!("{at}: {} of {id} in flight", name.get(what as usize).unwrap_or(&"define again"))
    });
    match what {
        0..3 => patch(world, at, &id, &mut random),
        3 => {
            let ids = several(world, at, id, &mut random);
            operations::cancel(world, at, &ids).map(Answer::Cancelled)
        }
        4 => operations::cancel_matching(
            world,
            at,
            &of_flights(&mut random),
            *random.pick(&[1, 2, 1_000]),
        ),
        5..7 => {
            let (ids, change) =
                (several(world, at, id, &mut random), drawn_change(world, &mut random));
            changes::change(world, at, &ids, change)
        }
        7 => {
            let (filter, change) = (of_flights(&mut random), drawn_change(world, &mut random));
            changes::change_matching(world, at, &filter, *random.pick(&[1, 2, 1_000]), change)
        }
        8 => overwrite(world, at, &id, &mut random),
        _ => redefine_id(world, at, &id, &mut random),
    }
}

/// Returns the id of a run in flight, cancelled or not.
fn drawn_id(world: &World, random: &mut Random, at: usize) -> Option<String> {
    let of_shard = world.model.in_flight.range(envelopes_of(at));
    let firings: Vec<Firing> = of_shard.flat_map(|(_, flight)| flight.as_patched()).collect();
    let firing = firings.get(random.below(firings.len() as u64) as usize)?;
    Some(world.model.version(firing.version).id.clone())
}

/// Returns an id, and sometimes others with runs in flight, some of them twice.
fn several(world: &World, at: usize, id: String, random: &mut Random) -> Vec<String> {
    let mut ids = vec![id];
    for _ in 0..*random.pick(&[0, 0, 1, 4]) {
        ids.extend(drawn_id(world, random, at));
    }
    ids
}

fn of_flights(random: &mut Random) -> Filter {
    Filter {
        status: *random.pick(&[
            Some(Status::Running),
            Some(Status::Running),
            Some(Status::Paused),
            None,
        ]),
        ..Filter::default()
    }
}

fn drawn_change(world: &World, random: &mut Random) -> Change {
    match random.below(6) {
        0..2 => Change::Pause,
        2 => Change::Resume,
        3 => Change::Run,
        _ => Change::Reschedule(world.now.plus(random.range(-1_000, 20_000)).into()),
    }
}

/// Replaces the task of a run in flight by another one.
fn overwrite(
    world: &mut World,
    at: usize,
    id: &str,
    random: &mut Random,
) -> Result<Answer, Dropped> {
    let Some((_, version)) = newest(world, at, id) else { return Ok(Answer::Shown) };
    let time = world.now.get() + random.range(-1_000, 20_000);
    let schedule = Schedule::Once(time, PutOff::default());
    let late = version.late.fitting(false, false);
    let n = add_version(
        world,
        Version { schedule, late, says_paused: None, open_anchor: false, ..version },
    );
    operations::append(world, at, &[n], false).map(|()| Answer::Appended)
}

/// Returns the newest run of an id that is in flight and was not cancelled, and its version.
fn newest(world: &World, at: usize, id: &str) -> Option<(FlightAt, Version)> {
    let flight = *world.model.flights_of(at, id).first()?;
    Some((flight, world.model.version(world.model.firing_at(at, flight).version).clone()))
}

fn add_version(world: &mut World, mut version: Version) -> u64 {
    let n = world.model.versions.len() as u64;
    version.description = format!("Many of {n}");
    version.record = record_of(&version, n, world.now, 0);
    world.model.versions.push(version);
    n
}

/// Patches a task with an attempt in flight. If the task itself waits, the patch applies to the
/// task.
fn patch(world: &mut World, at: usize, id: &str, random: &mut Random) -> Result<Answer, Dropped> {
    let item = world.get(at, id)?;
    let Some(item) = item.filter(|item| item.status != Status::Dead) else {
        return Ok(Answer::Shown);
    };
    if item.status != Status::Running {
        return redefine_id(world, at, id, random);
    }
    let shown = firing_of(&Record::parse(item.record.get().as_bytes()).unwrap());
    let flight = newest(world, at, id).map(|(flight, _)| flight);
    if flight.is_some_and(|flight| world.model.firing_at(at, flight) != shown) {
        violated("get-answers", format!("{item:?}, but the newest in flight is {flight:?}"));
    }
    let was = world.model.version(shown.version).clone();
    let Some(mut version) = patched(&was, shown, &item, world.now.get(), random) else {
        return Ok(Answer::Shown);
    };
    // A patch may name a key for which the shard has no lane.
    if world.is_short_of_lanes()
        && version.late.is_none()
        && version.queue.is_none()
        && random.chance(700)
    {
        version.key = Some(*random.pick(&KEYS));
        version.retry = *random.pick(&RETRIES[..3]);
        version.fails = *random.pick(&[500, 1_000]);
    }
    let is_same_time = matches!(version.schedule, Schedule::Once(time, _) if time == shown.time);
    let n = add_version(world, version);
    world.trace(|| {
        format!("{at}: patch in flight of {shown:?} as {n}: {:?}", world.model.version(n))
    });
    let is_stale = random.chance(100);
    let is_task = !matches!(was.schedule, Schedule::Recurring(_)) && shown.stage == Stage::Run;
    let is_refused = is_stale || flight.is_none() || !is_task;
    let read = version_of(item.record.get().as_bytes());
    let mut append = append_of(world, &[n], false, None);
    append.expected = Some(Expected::Version(if is_stale { !read } else { read }));
    append.terms.tasks_only = true;
    world.input(
        at,
        false,
        |engine, now, storage| match engine.append(append, now, storage) {
            Ok((reply, effects)) => Ok((Some(reply), effects)),
            Err(EngineError::Conflict(_)) => Ok((None, Effects::default())),
            Err(problem) => Err(problem),
        },
        |world, reply: &Option<AppendReply>, _| {
            if reply.is_none() != is_refused {
                violated(
                    "patches-what-is-in-flight",
                    format!("{reply:?} for {item:?}, of {was:?}"),
                );
            }
            let (Some(reply), Some(flight)) = (reply, flight) else { return };
            let (replaced, running) = if is_same_time {
                world.model.patch_flight(at, flight, n);
                (1, 1)
            } else {
                let moment = Moment::of(world, at);
                let (replaced, running, _) = world.model.append(at, &[n], (false, true), moment);
                (replaced, running)
            };
            if (reply.created, reply.replaced, reply.running) != (1, replaced, running) {
                violated(
                    "append-counts",
                    format!("{reply:?} for a patch of {item:?}; expected {replaced}, {running}"),
                );
            }
            if reply.patched.is_some() != is_same_time {
                violated(
                    "patches-what-is-in-flight",
                    format!("{reply:?} for {item:?}, of the same time: {is_same_time}"),
                );
            }
        },
    )?;
    Ok(Answer::Shown)
}

/// Returns the version of a run in flight with a patch. Returns `None` if its schedule has no
/// future run, because the coordinator refuses such a patch.
fn patched(
    was: &Version,
    shown: Firing,
    item: &ListItem,
    now: i64,
    random: &mut Random,
) -> Option<Version> {
    let put_off = match was.schedule {
        Schedule::Once(_, put_off) | Schedule::Recurring(Recurring { put_off, .. }) => put_off,
        Schedule::None => PutOff::default(),
    };
    let put_off = if random.chance(200) { PutOff::drawn(random) } else { put_off };
    let schedule = match random.below(10) {
        0 => Schedule::None,
        1 => Schedule::Once(now + random.range(-1_000, 20_000), put_off),
        2 => Schedule::Recurring(Recurring::plain(random)),
        // A requested run is a run of its own, at the time of the request.
        _ => Schedule::Once(shown.time, put_off),
    };
    let (recurs, is_none) =
        (matches!(schedule, Schedule::Recurring(_)), matches!(schedule, Schedule::None));
    let mut version = Version { schedule, open_anchor: false, ..was.clone() };
    if random.chance(300) {
        version.retry = *random.pick(&RETRIES);
    }
    if random.chance(300) {
        version.fails = *random.pick(&[0, 500, 1_000]);
    }
    match random.below(8) {
        0 => {
            (version.queue, version.key, version.destination) =
                (Some(*random.pick(&QUEUES)), None, None)
        }
        1 => version.queue = None,
        2 => version.follow_ups = FollowUps::drawn(random),
        3 if version.late.is_none() => version.key = Some(*random.pick(&KEYS)),
        4 => version.key = None,
        5 if version.key.is_none() => version.late = Late::drawn(random, recurs),
        _ => {}
    }
    if version.queue.is_some() {
        (version.follow_ups, version.key) = (FollowUps::default(), None);
    }
    version.late = version.late.fitting(recurs, is_none);
    version.says_paused = match random.below(10) {
        _ if is_none => None,
        0 => Some(false),
        1..3 => Some(true),
        // The patch applies to the task as it is shown.
        _ if item.record.get().contains(",\"paused\":true") => Some(true),
        _ => None,
    };
    let has_a_run = |recurring: Recurring| recurring.first(&version.id, now).is_some();
    if matches!(version.schedule, Schedule::Recurring(recurring) if !has_a_run(recurring)) {
        return None;
    }
    Some(version)
}
