//! The requests of clients to a shard, and the check of every answer.

mod appends;

pub(crate) use appends::{append, append_of};

use crate::changes;
use crate::circuits;
use crate::dead_letters;
use crate::held_runs;
use crate::history;
use crate::in_flight::Stop;
use crate::invariants::{key_of, storage_agrees, violated};
use crate::lists::{self, Meant, meant_to_change};
use crate::meddlers;
use crate::model::{What, firing_of, status_of};
use crate::redefine::redefine;
use crate::storage::Storage;
use crate::world::{Dropped, World};
use scheduler_engine::{Effects, Engine, Write};
use scheduler_model::bounds::MAX_EVENTS_BYTES;
use scheduler_model::position::Position;
use scheduler_model::protocol::{
    CancelRequest, Cancelled, Change, EventKind, EventsRequest, Filter, ListItem, ListRequest,
    Status,
};
use scheduler_model::task::Record;
use std::collections::BTreeSet;

/// A request to one shard.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    Append {
        shard: usize,
        versions: Vec<u64>,
        fresh: bool,
    },
    Cancel {
        shard: usize,
        ids: Vec<String>,
    },
    CancelMatching {
        shard: usize,
        filter: Filter,
        limit: usize,
    },
    Change {
        shard: usize,
        ids: Vec<String>,
        change: Change,
    },
    ChangeMatching {
        shard: usize,
        filter: Filter,
        limit: usize,
        change: Change,
    },
    Get {
        shard: usize,
        id: String,
    },
    List {
        shard: usize,
        filter: Filter,
        limit: usize,
    },
    Runs {
        shard: usize,
        id: String,
        limit: usize,
    },
    /// The runs of all shards. Which, and how many at a time, is drawn when the request is carried
    /// out.
    AllRuns {
        shard: usize,
        draw: u64,
    },
    Purge {
        shard: usize,
    },
    Redefine {
        shard: usize,
        draw: u64,
    },
    /// A change of runs in flight. Which runs, and what change, is drawn when the request is
    /// carried out.
    InFlight {
        shard: usize,
        draw: u64,
    },
    /// A change of held runs, drawn in the same way.
    Held {
        shard: usize,
        draw: u64,
    },
    Events {
        shard: usize,
    },
    /// A request for dead letters, or a run with another payload. The details are drawn when the
    /// request is carried out.
    DeadLetters {
        shard: usize,
        draw: u64,
    },
}

/// What a client learns from an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Appended,
    Cancelled(Vec<Cancelled>),
    CancelledMatching { more: bool },
    Shown,
}

impl Request {
    pub(crate) fn shard(&self) -> usize {
        match self {
            Self::Append { shard, .. }
            | Self::Cancel { shard, .. }
            | Self::CancelMatching { shard, .. }
            | Self::Change { shard, .. }
            | Self::ChangeMatching { shard, .. }
            | Self::Get { shard, .. }
            | Self::List { shard, .. }
            | Self::Runs { shard, .. }
            | Self::AllRuns { shard, .. }
            | Self::Redefine { shard, .. }
            | Self::InFlight { shard, .. }
            | Self::Held { shard, .. }
            | Self::Events { shard, .. }
            | Self::DeadLetters { shard, .. }
            | Self::Purge { shard } => *shard,
        }
    }

    /// Returns the same request for the case that its first answer was lost, so its ids may exist
    /// by now.
    pub(crate) fn again(self) -> Self {
        match self {
            Self::Append { shard, versions, .. } => Self::Append { shard, versions, fresh: false },
            other => other,
        }
    }
}

impl World {
    /// Carries out a request by the clock of its shard, and checks the answer.
    pub(crate) fn carry_out(&mut self, request: &Request) -> Result<Answer, Dropped> {
        self.on_clock_of(request.shard(), |world| {
            let outcome = carry_out(world, request);
            if world.shift > 0 {
                world.note_ahead(request);
            }
            outcome
        })
    }
}

/// Carries out a request and checks the answer.
fn carry_out(world: &mut World, request: &Request) -> Result<Answer, Dropped> {
    world.trace(|| format!("client: {request:?}"));
    match request {
        Request::Append { shard, versions, fresh } => {
            append(world, *shard, versions, *fresh).map(|()| Answer::Appended)
        }
        Request::Cancel { shard, ids } => cancel(world, *shard, ids).map(Answer::Cancelled),
        Request::CancelMatching { shard, filter, limit } => {
            cancel_matching(world, *shard, filter, *limit)
        }
        Request::Change { shard, ids, change } => changes::change(world, *shard, ids, *change),
        Request::ChangeMatching { shard, filter, limit, change } => {
            changes::change_matching(world, *shard, filter, *limit, *change)
        }
        Request::Get { shard, id } => get(world, *shard, id).map(|()| Answer::Shown),
        Request::Runs { shard, id, limit } => {
            history::runs(world, *shard, id, *limit).map(|()| Answer::Shown)
        }
        Request::AllRuns { draw, .. } => history::all_runs(world, *draw).map(|()| Answer::Shown),
        Request::Events { shard } => watch(world, *shard),
        Request::DeadLetters { shard, draw } => dead_letters::look_after(world, *shard, *draw),
        Request::Redefine { shard, draw } => redefine(world, *shard, *draw),
        Request::InFlight { shard, draw } => meddlers::meddle(world, *shard, *draw),
        Request::Held { shard, draw } => held_runs::change_held(world, *shard, *draw),
        Request::Purge { shard } => purge(world, *shard).map(|()| Answer::Shown),
        Request::List { shard, filter, limit } => {
            list(world, *shard, filter, *limit).map(|()| Answer::Shown)
        }
    }
}

/// Cancels by ids. The answer may cover the first ids only, or a part of the runs in flight of one
/// id. Then this sends a request for the rest, as the coordinator does.
pub(crate) fn cancel(
    world: &mut World,
    at: usize,
    ids: &[String],
) -> Result<Vec<Cancelled>, Dropped> {
    let mut outcomes = Vec::new();
    while outcomes.len() < ids.len() || ids.is_empty() {
        let rest = &ids[outcomes.len()..];
        let (expected, running) = world.model.cancel_outcomes(rest);
        let request = CancelRequest { ids: rest.to_vec(), if_match: None };
        let is_large = is_more_than_a_scan(world, at);
        let reply = world.input(
            at,
            false,
            |engine, now, storage| engine.cancel(&request, now, storage),
            |world, reply, effects| {
                let done = reply.outcomes.len();
                let is_part = is_large && done < rest.len() && (done > 0 || reply.in_part);
                let first = if is_part { done } else { rest.len() };
                let running = running.iter().filter(|place| (**place as usize) < first);
                let agrees =
                    reply.outcomes == expected[..first] && reply.running.iter().eq(running.clone());
                if !agrees || reply.in_part && !is_part {
                    violated(
                        "cancel-answers",
                        format!(
                            "{reply:?} for {rest:?}; expected {expected:?}, in flight {running:?}"
                        ),
                    );
                }
                world.model.decisions.by_ids +=
                    if ids.len() > 1 { running.count() as u64 } else { 0 };
                world.model.cancel(at, &rest[..first], &reply.outcomes);
                if reply.in_part {
                    world.model.cancel_in_part(at, &rest[first], effects);
                }
            },
        )?;
        outcomes.extend(reply.outcomes);
        if ids.is_empty() {
            break;
        }
    }
    Ok(outcomes)
}

pub(crate) fn cancel_matching(
    world: &mut World,
    at: usize,
    filter: &Filter,
    limit: usize,
) -> Result<Answer, Dropped> {
    let all = meant_to_change(world, at, filter);
    let in_flight = all.iter().filter(|(_, meant)| matches!(meant, Meant::InFlight(_))).count();
    changes::count_matching(world, at, (filter, limit), None, (all.len(), in_flight));
    let is_large = is_more_than_a_scan(world, at);
    let request =
        ListRequest { filter: filter.clone(), after: None, limit, ..ListRequest::default() };
    let reply = world.input(
        at,
        false,
        |engine, now, storage| engine.cancel_matching(&request, now, storage),
        |world, reply, effects| {
            world.trace(|| {
                let decided =
                    effects.writes.iter().filter(|write| matches!(write, Write::Decide { .. }));
                format!(
                    "{at}: {reply:?} of {filter:?} up to {limit}; {:?} of {all:?}",
                    decided.collect::<Vec<_>>()
                )
            });
            let is_cut = reply.next.is_none() && all.len() > limit;
            let first = all.len().min(limit);
            // A step that has reached its bound in bytes has done the first of them, in the same
            // order.
            let is_part = reply.next.is_some() && is_large;
            let goes_on = reply.next.is_some();
            let behind_of =
                |done: usize| held_behind(world, at, &all, if goes_on { done } else { all.len() });
            let count = |done: &usize| done + behind_of(*done).len();
            let is_done = |done: &usize| count(done) as u64 >= reply.cancelled;
            let done = if is_part { (0..=first).find(is_done).unwrap_or(first) } else { first };
            let behind = behind_of(done);
            let (mut killed, mut stopped) = (Vec::new(), Vec::new());
            for meant in all[..done].iter().map(|(_, meant)| meant).chain(&behind) {
                match meant {
                    Meant::Waiting(waiting) => killed.push(key_of(waiting)),
                    Meant::InFlight(flight) => stopped.push(*flight),
                }
            }
            let done = done + behind.len();
            if reply.cancelled != done as u64 || reply.running != stopped.len() as u64 || is_cut {
                violated(
                    "list-and-cancel",
                    format!("{reply:?} of {} that match {filter:?}, at most {limit}", all.len()),
                );
            }
            world.model.decisions.by_filter +=
                if filter.status.is_some() { reply.running } else { 0 };
            stopped
                .iter()
                .for_each(|flight| world.model.decide(at, *flight, Some(Stop::Cancelled)));
            killed.iter().for_each(|key| world.model.cancel_one(*key));
            for (firing, _) in killed {
                let id = world.model.version(firing.version).id.clone();
                world.model.release(&id, world.now.get());
            }
        },
    )?;
    Ok(Answer::CancelledMatching { more: reply.next.is_some() })
}

/// `reaches-held-runs`: a step of a bulk request that goes on treats the held runs of the ids of
/// which it treats something else, too: returns those among the rest of `all` that it matches.
pub(crate) fn held_behind(
    world: &World,
    at: usize,
    all: &[(Position, Meant)],
    done: usize,
) -> Vec<Meant> {
    let id_of = |meant: &Meant| match meant {
        Meant::Waiting(waiting) => waiting.record.facts().id.to_string(),
        Meant::InFlight(flight) => {
            world.model.version(world.model.firing_at(at, *flight).version).id.clone()
        }
    };
    let ids: BTreeSet<String> = all[..done].iter().map(|(_, meant)| id_of(meant)).collect();
    let is_held = |meant: &Meant| match meant {
        Meant::Waiting(waiting) => key_of(waiting).1 == What::Held,
        Meant::InFlight(_) => false,
    };
    let behind = all[done..].iter().map(|(_, meant)| meant);
    behind.filter(|meant| is_held(meant) && ids.contains(&id_of(meant))).cloned().collect()
}

/// The most bytes that a request by filter reads in one step. After that, it continues from a
/// cursor.
const MAX_SCANNED_BYTES: usize = 4_000_000;

/// Returns whether a request by filter may reach its bound in bytes before it has examined
/// everything that waits or is in flight.
pub(crate) fn is_more_than_a_scan(world: &World, at: usize) -> bool {
    let storage = &world.shards[at].storage;
    let in_flight: usize = storage.outbox.values().map(|row| row.text.len()).sum();
    let patched: usize = storage.patches.values().map(Vec::len).sum();
    let waiting: usize = storage.waiting().iter().map(|waiting| waiting.record.len()).sum();
    in_flight + patched + waiting >= MAX_SCANNED_BYTES
}

fn list(world: &mut World, at: usize, filter: &Filter, limit: usize) -> Result<(), Dropped> {
    storage_agrees(&world.model, at, &world.shards[at].storage.waiting());
    lists::list(world, at, filter, limit)
}

/// `forgets-only-what-is-gone`: while a shard holds a task, it keeps everything. Otherwise it keeps
/// nothing of deleted tasks.
fn purge(world: &mut World, at: usize) -> Result<(), Dropped> {
    let storage = &world.shards[at].storage;
    let on_their_way: usize = storage
        .outbox
        .values()
        .filter(|row| row.destination.is_some())
        .map(|row| row.hashes.len() / size_of::<u64>())
        .sum();
    let held = (storage.waiting().len() + on_their_way) as u64;
    world.input(
        at,
        false,
        |engine, _, _| Ok(engine.purge()),
        |world, reply, effects| {
            if reply.tasks != held || (held > 0 && !effects.writes.is_empty()) {
                violated(
                    "forgets-only-what-is-gone",
                    format!("{reply:?} of {held} tasks, with {:?}", effects.writes),
                );
            }
            let storage = &world.shards[at].storage;
            if held > 0 {
                return;
            }
            if !storage.remembered.is_empty()
                || storage.history.values().any(|row| !row.body.is_empty())
            {
                violated("forgets-only-what-is-gone", "keys or runs are left");
            }
            world.model.history.remove(&at);
            world.model.taken.retain(|(shard, _), _| *shard != at);
        },
    )?;
    Ok(())
}

/// `explains`: everything that is known has an explanation, and the explained next run is the
/// listed one.
fn explain(world: &mut World, at: usize, id: &str, item: Option<&ListItem>) -> Result<(), Dropped> {
    let explain = |engine: &mut Engine, now, storage: &Storage| {
        Ok((engine.explain(id, now, storage)?, Effects::default()))
    };
    let explanation = world.input(at, false, explain, |_, _, _| {})?;
    let next = item.filter(|item| item.status == Status::Scheduled).map(|item| item.position.due);
    let is_known = item.is_some() || !explanation.recent_runs.is_empty();
    if explanation.status != item.map(|item| item.status)
        || explanation.reasons.is_empty() == is_known
    {
        violated("explains", format!("{explanation:?} of {item:?}"));
    }
    if next.is_some() && explanation.next_run.map(|run| run.due) != next {
        violated("explains", format!("{:?} of {item:?}", explanation.next_run));
    }
    Ok(())
}

fn get(world: &mut World, at: usize, id: &str) -> Result<(), Dropped> {
    let item = world.get(at, id)?;
    explain(world, at, id, item.as_ref())?;
    let waiting = world.model.waiting_of(id);
    let has = |wanted: &[What]| waiting.iter().any(|((_, what), _)| wanted.contains(what));
    const TASKS: [What; 5] =
        [What::First, What::Recurring, What::Unscheduled, What::Paused, What::PausedRecurring];
    const FURTHER: [What; 3] = [What::Again, What::PausedAgain, What::Held];
    // The task itself comes before its further attempts, and waiting entries before runs in flight.
    let expected: Vec<Status> =
        match [&TASKS[..], &FURTHER[..]].into_iter().find(|wanted| has(wanted)) {
            Some(wanted) => waiting
                .iter()
                .filter(|((_, what), _)| wanted.contains(what))
                .map(|((_, what), _)| status_of(*what))
                .collect(),
            None if !world.model.in_flight_of(id).is_empty() => vec![Status::Running],
            None if has(&[What::Dead]) => vec![Status::Dead],
            None => Vec::new(),
        };
    let is_expected =
        item.as_ref().map_or(expected.is_empty(), |item| expected.contains(&item.status));
    if !is_expected {
        violated("get-answers", format!("{item:?} for {id}, expected {expected:?}"));
    }
    let Some(item) = item else { return Ok(()) };
    let firing = firing_of(&Record::parse(item.record.get().as_bytes()).unwrap());
    let is_known = match item.status {
        Status::Running => world.model.in_flight_of(id).contains(&firing),
        status => waiting.iter().any(|((known, what), _)| {
            let same = if matches!(what, What::Again | What::PausedAgain | What::Held | What::Dead)
            {
                *known == firing
            } else {
                known.version == firing.version
            };
            same && status_of(*what) == status
        }),
    };
    if !is_known {
        violated("get-answers", format!("{item:?} for {id}, of which there are {waiting:?}"));
    }
    Ok(())
}

/// `tells-what-happened`: readers get the events of known tasks, in order, and no events that did
/// not happen.
fn watch(world: &mut World, at: usize) -> Result<Answer, Dropped> {
    let from = world.model.watched.get(&at).copied();
    let request = EventsRequest {
        from,
        id: None,
        tag: None,
        kind: None,
        limit: 1_000,
        max_bytes: MAX_EVENTS_BYTES,
        wait_millis: 0,
        key: 0,
        reader: 0,
    };
    let now = world.now;
    let events = |engine: &mut Engine, now, _: &Storage| {
        Ok((engine.events(&request, now), Effects::default()))
    };
    let reply = world.input(at, false, events, |_, _, _| {})?;
    let mut last =
        from.filter(|from| from.incarnation == reply.next.incarnation).map(|from| from.next);
    for event in &reply.events {
        let is_in_order = last.is_none_or(|last| event.number >= last);
        let has_fired = event.kind != EventKind::Fired || world.model.has_fired(&event.id);
        let is_known = match event.kind {
            // An event of a circuit has a destination instead of a task.
            EventKind::CircuitOpened | EventKind::CircuitHalfOpen | EventKind::CircuitClosed => {
                event.id.is_empty()
                    && event.destination.as_deref().is_some_and(circuits::is_destination)
            }
            _ => world.model.knows(&event.id) && event.destination.is_none(),
        };
        // If the clock has gone back, events may be in its future.
        let is_past = event.at <= now || world.model.clocks_step;
        if !is_in_order || !has_fired || !is_past || !is_known {
            violated("tells-what-happened", format!("{event:?} after {last:?}"));
        }
        last = Some(event.number + 1);
    }
    world.model.watched.insert(at, reply.next);
    Ok(Answer::Shown)
}
