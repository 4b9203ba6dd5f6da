//! Requests that add tasks.

use crate::definitions::Moment;
use crate::invariants::violated;
use crate::model::{Schedule, Version};
use crate::renewals;
use crate::world::{Dropped, World};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Effects, EngineError, Gathering, StorageError};
use scheduler_model::bounds::REMEMBER_MILLIS;
use scheduler_model::format::page::{Flags, PageBuilder};
use scheduler_model::idempotency::{IdempotencyKey, RequestSeed};
use scheduler_model::numbers::LaneNumber;
use scheduler_model::protocol::{Append, AppendReply, Terms};
use scheduler_model::routing::id_hash;
use scheduler_model::task::Record;
use std::collections::BTreeMap;

/// Returns what the coordinator would send for these versions.
pub(crate) fn append_of(
    world: &World,
    versions: &[u64],
    fresh: bool,
    once: Option<IdempotencyKey>,
) -> Append {
    let mut builders: BTreeMap<Option<&str>, PageBuilder> = BTreeMap::new();
    let mut schedules = Vec::new();
    for version in versions.iter().map(|n| world.model.version(*n)) {
        let due = match version.schedule {
            Schedule::Once(..) if version.says_paused == Some(true) => UnixMillis::PAUSED,
            Schedule::Once(time, _) => UnixMillis::new(version.due(time)),
            Schedule::None => UnixMillis::NEVER,
            Schedule::Recurring(_) => {
                let mut record = Vec::new();
                let paused = version.says_paused.filter(|says| *says);
                Record { paused, ..Record::parse(&version.record).unwrap() }.write(&mut record);
                schedules.push(record);
                continue;
            }
        };
        let record = Record::parse(&version.record).unwrap();
        let flags = if version.queue.is_some() { Flags::TO_QUEUE } else { Flags::TASK }
            .with_priority(record.priority());
        let flags = if record.is_conditional() { flags.and(Flags::CONDITIONAL) } else { flags };
        let key = version.key.filter(|_| !due.is_never());
        let builder = builders.entry(key).or_default();
        assert!(
            builder.push(id_hash(&version.id), due, flags, |out| out
                .extend_from_slice(&version.record))
        );
    }
    let (mut pages, mut keys) = (Vec::new(), Vec::new());
    for (key, builder) in builders {
        keys.extend(key.map(str::to_owned));
        let lane = key.map_or(LaneNumber::MAIN, |_| LaneNumber::new(keys.len() as u8));
        pages.extend(builder.finish().into_iter().map(|mut page| {
            page.directory.set_lane(lane);
            page
        }));
    }
    let hashes = |of: fn(&Version) -> bool| -> Vec<u64> {
        versions
            .iter()
            .map(|n| world.model.version(*n))
            .filter(|version| of(version))
            .map(|version| id_hash(&version.id))
            .collect()
    };
    let open_anchors = hashes(|version| version.open_anchor);
    let said_paused = hashes(|version| version.says_paused.is_some());
    let terms = Terms { once, keys, open_anchors, said_paused, ..Terms::default() };
    let append = Append { fresh, pages, schedules, terms, ..Append::default() };
    Append::decode(&append.encode()).expect("an append reads back")
}

/// Every third request has an `Idempotency-Key`: the number of its first version. A repeat has the
/// same first version.
fn once_of(versions: &[u64]) -> Option<IdempotencyKey> {
    let first = versions.first().filter(|first| *first % 3 == 0)?;
    let made = RequestSeed { at: UnixMillis::ZERO, random: [3; 16] };
    Some(
        IdempotencyKey::new(&first.to_string(), "append", &format!("{versions:?}"), made)
            .expect("a valid key"),
    )
}

/// Appends the versions, sometimes as several requests that share a commit.
pub(crate) fn append(
    world: &mut World,
    at: usize,
    versions: &[u64],
    fresh: bool,
) -> Result<(), Dropped> {
    let once = once_of(versions);
    let per_request = if world.random.chance(200) {
        1 + world.random.below(4) as usize
    } else {
        versions.len().max(1)
    };
    // A shard that is short of lanes may refuse one of several requests.
    let is_whole = once.is_some() || world.is_short_of_lanes();
    let per_request = if is_whole { versions.len().max(1) } else { per_request };
    let mut gathering = Gathering::default();
    for part in versions.chunks(per_request) {
        if gathering.add(append_of(world, part, fresh, once.clone())).is_some() {
            violated(
                "gathers-what-is-disjoint",
                "two requests with different ids cannot share a commit",
            );
        }
    }
    let requests = gathering.into_requests();
    world.model.pauses = renewals::pauses(&world.shards[at].storage);
    world.input(
        at,
        false,
        |engine, now, storage| {
            let (replies, effects) = engine.append_all(requests, now, storage)?;
            let mut sum = AppendReply::default();
            let are_several = replies.len() > 1;
            for reply in replies {
                // The reference cannot apply a commit of only some of the requests, which the
                // engine has made. So the engine restarts from storage.
                let is_part = are_several && matches!(reply, Err(EngineError::TooManyLanes { .. }));
                let reply = reply.map_err(|problem| {
                    if is_part { StorageError(problem.to_string()).into() } else { problem }
                })?;
                sum.created += reply.created;
                sum.replaced += reply.replaced;
                sum.running += reply.running;
                sum.went_on += reply.went_on;
                sum.done_before = reply.done_before;
            }
            Ok((sum, effects))
        },
        |world, reply, effects| {
            if let Some(once) = &once {
                let done = world.model.taken.get(&(at, once.key)).copied();
                let done = done
                    .filter(|(when, _)| world.now.since(*when) < REMEMBER_MILLIS)
                    .map(|(_, reply)| reply);
                let expected = done.map(|done| AppendReply {
                    done_before: Some(once.made),
                    running: 0,
                    ..done
                });
                if expected.is_some_and(|expected| *reply != expected)
                    || expected.is_none() && reply.done_before.is_some()
                {
                    violated("done-once", format!("{reply:?}; expected {expected:?}"));
                }
                if expected.is_some() {
                    if *effects != Effects::default() {
                        violated("done-once", format!("a repeat does {effects:?}"));
                    }
                    return;
                }
                world.model.taken.insert((at, once.key), (world.now, *reply));
            }
            // From the time of the request, or after what was dispatched if the clock has gone
            // back.
            let moment = Moment::of(world, at);
            let (replaced, running, owed) =
                world.model.append(at, versions, (fresh, false), moment);
            world.settle_definitions(at, &owed, moment.start);
            if (reply.created, reply.replaced, reply.running)
                != (versions.len() as u64, replaced, running)
            {
                let tasks = format!(
                    "{} tasks; {replaced} replace another and {running} one in flight",
                    versions.len()
                );
                violated("append-counts", format!("{reply:?} for {tasks}"));
            }
        },
    )?;
    Ok(())
}
