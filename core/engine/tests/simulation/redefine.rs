//! Clients that define a task again: patches, `PUT` with conditions, and repeated definitions.
//!
//! The task and the change are drawn when the request is carried out, from a number that was drawn
//! when it was planned.

use crate::clients::record_of;
use crate::definitions::Moment;
use crate::invariants::{key_of, violated};
use crate::late::Late;
use crate::limits::KEYS;
use crate::model::{Schedule, Version, What, firing_of};
use crate::operations::{Answer, append_of};
use crate::random::Random;
use crate::renewals;
use crate::schedules::{PutOff, Recurring};
use crate::world::{Dropped, World};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Effects, EngineError};
use scheduler_model::protocol::{AppendReply, Expected, ListItem, Status};
use scheduler_model::routing::id_hash;
use scheduler_model::schedule::ScheduleFields;
use scheduler_model::task::{Record, version_of};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// How a definition is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As a patch of the task that was read.
    Patch,
    /// As a whole definition for the version that was read.
    IfMatch,
    /// As a whole definition with the schedule of the task, whatever its version.
    Again,
    /// As a definition for the case that nothing waits.
    IfNoneMatch,
}

/// Defines one of the tasks of a shard again.
pub(crate) fn redefine(world: &mut World, at: usize, draw: u64) -> Result<Answer, Dropped> {
    let mut random = Random::new(draw);
    let waiting = world.shards[at].storage.waiting();
    if waiting.is_empty() {
        return Ok(Answer::Shown);
    }
    let chosen = renewals::chosen(&mut random, &waiting, &world.model).clone();
    let id = chosen.record.facts().id.to_string();
    redefine_id(world, at, &id, &mut random)
}

impl World {
    /// Returns what a shard answers to a read of an id, as a client that changes it reads it.
    pub(crate) fn get(&mut self, at: usize, id: &str) -> Result<Option<ListItem>, Dropped> {
        self.input(
            at,
            false,
            |engine, _, storage| Ok((engine.get(id, storage)?, Effects::default())),
            |_, _, _| {},
        )
    }
}

/// Defines a waiting task again. Does nothing if none waits with this id.
pub(crate) fn redefine_id(
    world: &mut World,
    at: usize,
    id: &str,
    random: &mut Random,
) -> Result<Answer, Dropped> {
    let item = world.get(at, id)?;
    let Some(item) = item.filter(|item| !matches!(item.status, Status::Running | Status::Dead))
    else {
        return Ok(Answer::Shown);
    };
    let kind = *random.pick(&[
        Kind::Patch,
        Kind::Patch,
        Kind::IfMatch,
        Kind::Again,
        Kind::Again,
        Kind::IfNoneMatch,
    ]);
    let is_stale = random.chance(100);
    let Some((n, version)) = drawn(world, random, kind, &item) else { return Ok(Answer::Shown) };
    world.trace(|| format!("{at}: {kind:?} of {id} as {n}: {version:?}"));
    world.model.versions.push(version);
    define(world, at, kind, n, &item, is_stale)
}

/// Sends a version of the task that was read.
pub(crate) fn define(
    world: &mut World,
    at: usize,
    kind: Kind,
    n: u64,
    item: &ListItem,
    is_stale: bool,
) -> Result<Answer, Dropped> {
    let mut append = append_of(world, &[n], false, None);
    let read = version_of(item.record.get().as_bytes());
    append.expected = match kind {
        Kind::Patch | Kind::IfMatch => Some(Expected::Version(if is_stale { !read } else { read })),
        Kind::Again => None,
        Kind::IfNoneMatch => Some(Expected::Absent),
    };
    append.terms.tasks_only = kind == Kind::Patch;
    world.model.pauses = renewals::pauses(&world.shards[at].storage);
    let would_end = world.model.would_end(n, Moment::of(world, at));
    let is_conflict = match kind {
        Kind::Patch => is_stale || is_attempt(world, at, item),
        Kind::IfMatch => is_stale,
        Kind::Again => false,
        Kind::IfNoneMatch => true,
    };
    // A request that names no version starts the task over.
    let is_end = would_end && !is_conflict && kind != Kind::Again;
    let is_refused = is_conflict || is_end;
    let was_due = due_run(world, at, item);
    world.input(
        at,
        false,
        |engine, now, storage| match engine.append(append, now, storage) {
            Ok((reply, effects)) => Ok((Some(reply), effects)),
            Err(EngineError::Conflict(_)) if is_conflict => Ok((None, Effects::default())),
            Err(EngineError::WouldEnd) if is_end => Ok((None, Effects::default())),
            Err(problem) => Err(problem),
        },
        |world, reply: &Option<AppendReply>, _| {
            if reply.is_none() != is_refused {
                violated("redefines-what-is-expected", format!("{reply:?} for {kind:?} of {item:?}"));
            }
            world.redefined += 1;
            world.model.ends += u64::from(would_end);
            let Some(reply) = reply else { return };
            if let Some(time) = was_due {
                stays_due(world, at, n, time);
            }
            let moment = Moment::of(world, at);
            let is_version = matches!(kind, Kind::Patch | Kind::IfMatch);
            let (replaced, running, owed) = world.model.append(at, &[n], (false, is_version), moment);
            world.settle_definitions(at, &owed, moment.start);
            if (reply.created, reply.replaced, reply.running) != (1, replaced, running) {
                violated(
                    "append-counts",
                    format!("{reply:?} for {kind:?} of {item:?}, which replaces {replaced}, {running} running"),
                );
            }
        },
    )?;
    Ok(Answer::Shown)
}

/// Returns the time of the one-shot task that was read, if it is due.
fn due_run(world: &World, at: usize, item: &ListItem) -> Option<i64> {
    let waiting = world.shards[at].storage.waiting();
    let stored = waiting.iter().find(|waiting| waiting.position == item.position)?;
    let (firing, what) = key_of(stored);
    (what == What::First && stored.position.due <= world.now).then_some(firing.time)
}

/// `due-runs-stay-due`: a definition with the time of a due one-shot task leaves it due, unless it
/// pauses the task.
fn stays_due(world: &World, at: usize, n: u64, time: i64) {
    let storage = &world.shards[at].storage;
    for waiting in storage.waiting() {
        let (firing, what) = key_of(&waiting);
        if (firing.version, firing.time, what) != (n, time, What::First) {
            continue;
        }
        let dispatched = storage.dispatched_up_to(waiting.position.page).plus(1);
        let late_since = waiting.record.facts().late_since;
        if late_since.unwrap_or_default().max(waiting.position.due) > world.now.max(dispatched) {
            violated("due-runs-stay-due", format!("{waiting:?} was due at {}", world.now));
        }
    }
}

/// Returns whether storage says that what was read is an attempt of a run and not a task.
fn is_attempt(world: &World, at: usize, item: &ListItem) -> bool {
    let waiting = world.shards[at].storage.waiting();
    let stored = waiting
        .iter()
        .find(|waiting| waiting.position == item.position)
        .expect("what is shown is stored");
    let is_attempt = matches!(key_of(stored).1, What::Again | What::PausedAgain | What::Held);
    if is_attempt != item.is_attempt {
        violated("get-answers", format!("{item:?} of {stored:?}"));
    }
    is_attempt
}

/// Returns another version of the task that is shown. Returns `None` if its schedule has no future
/// run, because the coordinator refuses such a version.
fn drawn(
    world: &World,
    random: &mut Random,
    kind: Kind,
    item: &ListItem,
) -> Option<(u64, Version)> {
    let now = world.now.get();
    let stored = Record::parse(item.record.get().as_bytes()).unwrap();
    let n = world.model.versions.len() as u64;
    let mut version = world.model.version(firing_of(&stored).version).clone();
    version.description = format!("Many of {n}");
    let has_new_schedule = matches!(kind, Kind::Patch | Kind::IfMatch) && random.chance(250);
    let mut put_off = match version.schedule {
        Schedule::Once(_, put_off) | Schedule::Recurring(Recurring { put_off, .. }) => put_off,
        Schedule::None => PutOff::default(),
    };
    if random.chance(200) {
        put_off = PutOff::drawn(random);
    }
    if has_new_schedule {
        version.schedule = match random.below(4) {
            0 => Schedule::None,
            1 => Schedule::Once(now + random.range(-1_000, 20_000), put_off),
            2 => Schedule::Recurring(renewals::short(&mut random.fork(), now)),
            _ => Schedule::Recurring(Recurring::plain(random)),
        };
    }
    match &mut version.schedule {
        Schedule::Once(_, of) | Schedule::Recurring(Recurring { put_off: of, .. }) => *of = put_off,
        Schedule::None => {}
    }
    if !has_new_schedule && !item.is_attempt {
        renewals::draw_items(&mut random.fork(), &mut version, now);
    }
    let recurs = matches!(version.schedule, Schedule::Recurring(_));
    let is_none = matches!(version.schedule, Schedule::None);
    // Here a task with a limit key has no policies, and a task with policies has no limit key.
    if version.key.is_none() && random.chance(200) {
        version.late = Late::drawn(random, recurs);
    } else if version.late.is_none() && version.queue.is_none() && random.chance(200) {
        version.key = if random.chance(300) { None } else { Some(*random.pick(&KEYS)) };
    }
    version.late = version.late.fitting(recurs, is_none);
    version.open_anchor = kind == Kind::Again && random.chance(500);
    let is_paused = item.status == Status::Paused && !item.is_attempt;
    version.says_paused = match random.below(10) {
        _ if is_none => None,
        0 => Some(false),
        1 => Some(true),
        // The patch applies to the task as it is shown.
        _ if kind == Kind::Patch && is_paused => Some(true),
        _ => None,
    };
    renewals::draw_pause(&mut random.fork().fork_again(), &mut version, is_paused);
    let begins = has_new_schedule || item.is_attempt;
    if let Schedule::Recurring(recurring) = version.schedule
        && begins
        && recurring.first(&version.id, now).is_none()
    {
        return None;
    }
    version.record = if begins {
        // The schedule of an attempt is that of its run, so the definition states its own.
        record_of(&version, n, world.now, 0)
    } else {
        with_fields(&stored, &version, n)
    };
    if matches!(kind, Kind::Again | Kind::IfNoneMatch) && !counts_anew(&mut version, now) {
        return None;
    }
    Some((n, version))
}

/// Counts the runs of a whole definition from now on, as the coordinator does for a request that
/// names no version. Returns false if it has no run, because the coordinator refuses it.
fn counts_anew(version: &mut Version, now: i64) -> bool {
    let mut record = Record::parse(&version.record).unwrap();
    if !record.is_recurring() {
        return true;
    }
    let mut fields = record.schedule();
    let settled = fields.settle(id_hash(&version.id), UnixMillis::new(now)).unwrap();
    let (first_run, final_run) = (fields.first_run, fields.final_run);
    (record.first_run, record.final_run) = (first_run, final_run);
    let mut text = Vec::new();
    record.write(&mut text);
    let has_run = settled.is_some();
    version.record = text;
    has_run
}

/// Returns the record of a version with the schedule of the stored record.
fn with_fields(stored: &Record<'_>, version: &Version, n: u64) -> Vec<u8> {
    let payload = RawValue::from_string(format!(r#"{{"n":{n},"fill":""}}"#)).unwrap();
    let mut fields = ScheduleFields::default();
    if let Schedule::Once(_, put_off) | Schedule::Recurring(Recurring { put_off, .. }) =
        version.schedule
    {
        crate::schedules::note_put_off(put_off, &mut fields);
    }
    let exclude = match version.schedule {
        Schedule::Recurring(recurring) => recurring.exclude_json(),
        _ => None,
    };
    let exclude = exclude.map(|exclude| RawValue::from_string(exclude).unwrap());
    let misfire = version.late.misfire();
    version.late.note(&misfire, &mut fields);
    let mut out = Vec::new();
    Record {
        description: Some(Cow::Borrowed(&version.description)),
        payload: Some(&payload),
        limit_key: version.key.map(Cow::Borrowed),
        exclude: exclude.as_deref(),
        jitter_seconds: fields.jitter_seconds,
        window_seconds: fields.window_seconds,
        misfire: fields.misfire,
        overlap: fields.overlap,
        expire_after_seconds: fields.expire_after_seconds,
        first_run: None,
        attempt: None,
        failed_at: None,
        error: None,
        replayed_at: None,
        late_since: None,
        not_before: None,
        ..stored.clone().unpaused()
    }
    .write(&mut out);
    out
}
