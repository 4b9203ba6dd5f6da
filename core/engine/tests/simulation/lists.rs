//! The items that a list must show, according to the documents and storage: waiting tasks, runs in
//! flight and dead letters, in one order.

use crate::in_flight::{FlightAt, Stop};
use crate::invariants::{key_of, violated};
use crate::model::{What, status_of};
use crate::storage::{Storage, Waiting};
use crate::world::{Dropped, World};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Effects, Engine};
use scheduler_model::format::envelope::Envelope;
use scheduler_model::position::Position;
use scheduler_model::protocol::{Filter, ListItem, ListReply, ListRequest, Status};
use scheduler_model::task::Record;
use serde_json::Value;

/// The matches of a filter.
#[derive(Debug, Clone)]
pub(crate) enum Meant {
    Waiting(Waiting),
    InFlight(FlightAt),
}

/// An item as the API shows it.
#[derive(Debug, PartialEq)]
struct Shown {
    position: Position,
    due: UnixMillis,
    status: Status,
    is_running: bool,
    record: Value,
}

/// Returns the items that a filter matches on a shard, in the order of a list.
pub(crate) fn meant(world: &World, at: usize, filter: &Filter) -> Vec<(Position, Meant)> {
    let storage = &world.shards[at].storage;
    let mut waiting = storage.waiting();
    waiting.retain(|waiting| {
        let (firing, what) = key_of(waiting);
        world.model.matches(filter, firing, what, time_of(waiting))
            && says(filter, what, &serde_json::from_slice(&waiting.record).unwrap())
    });
    let flights = world
        .model
        .flights_matching(at, filter)
        .into_iter()
        .filter(|flight| says(filter, What::Again, &record_of(storage, *flight)))
        .map(|flight| (place_of(storage, flight), Meant::InFlight(flight)));
    let waiting = waiting.into_iter().map(|waiting| (waiting.position, Meant::Waiting(waiting)));
    let mut all: Vec<_> = waiting.chain(flights).collect();
    all.sort_by_key(|(position, _)| *position);
    all
}

/// Returns the same in the order of a change of many: first the recurring tasks by their numbers,
/// then the runs that wait for a lane, then the others.
pub(crate) fn meant_to_change(world: &World, at: usize, filter: &Filter) -> Vec<(Position, Meant)> {
    let mut all = meant(world, at, filter);
    all.sort_by_key(|(position, meant)| match meant {
        Meant::Waiting(waiting) if waiting.entry.is_none() => {
            (false, Position { due: UnixMillis::NO_LANE, ..*position })
        }
        _ => (position.due != UnixMillis::NO_LANE, *position),
    });
    all
}

/// Returns the time with which `from` and `to` of a filter are compared.
fn time_of(waiting: &Waiting) -> Option<UnixMillis> {
    let what = key_of(waiting).1;
    let of = |name: &str| {
        let record: Value = serde_json::from_slice(&waiting.record).unwrap();
        record[name].as_i64().map(UnixMillis::new)
    };
    match what {
        What::Dead => of("failedAt"),
        What::Held | What::Paused | What::PausedAgain => of("time"),
        What::Unscheduled | What::PausedRecurring => None,
        What::Again if waiting.position.due == UnixMillis::NO_LANE => of("time"),
        What::First | What::Again | What::Recurring => Some(waiting.position.due),
    }
}

/// Returns whether a record matches the tags, callback, error and last outcome of a filter.
fn says(filter: &Filter, what: What, record: &Value) -> bool {
    let has_tag = |tag: &String| {
        record["tags"].as_array().is_some_and(|tags| tags.iter().any(|other| other == tag))
    };
    let error = record["error"].as_str().map(str::to_lowercase);
    [&filter.tag, &filter.other_tag].into_iter().flatten().all(has_tag)
        && filter
            .error
            .as_ref()
            .is_none_or(|part| error.is_some_and(|error| error.contains(&part.to_lowercase())))
        && filter.callback_type.is_none_or(|wanted| {
            serde_json::to_value(wanted).unwrap() == record["callback"]["type"]
        })
        && filter.last_outcome.is_none_or(|wanted| {
            serde_json::to_value(wanted).unwrap() == last_outcome(what, record)
        })
        && filter.callback_host.as_ref().is_none_or(|host| {
            let url = record["callback"]["url"].as_str();
            url.is_some_and(|url| url.split('/').nth(2) == Some(host.as_str()))
        })
}

/// Returns how the last attempt of a task ended, from what waits and from its record.
fn last_outcome(what: What, record: &Value) -> &str {
    match (what, record["stage"].as_str()) {
        (What::Dead, _) => "dead-lettered",
        (What::Recurring | What::PausedRecurring | What::Unscheduled, _) => "none",
        _ if record["attempt"].as_u64().is_some_and(|attempt| attempt > 1) => "failed",
        (_, None) => "none",
        (_, Some(_)) => record["outcome"]["outcome"].as_str().unwrap(),
    }
}

/// Returns the record for further attempts of a run in flight, from storage.
fn record_of(storage: &Storage, (seq, index): FlightAt) -> Value {
    if let Some(patched) = storage.patches.get(&(seq, index as u32)) {
        return serde_json::from_slice(patched).unwrap();
    }
    let text = std::str::from_utf8(&storage.outbox[&seq].text).unwrap();
    serde_json::from_str(Envelope::parse(text).unwrap().tasks[index].get()).unwrap()
}

/// Returns the place of a run in flight: the time at which its envelope was sent, after everything
/// that is due then.
fn place_of(storage: &Storage, (seq, index): FlightAt) -> Position {
    let number = seq.get() << 16 | index as u64;
    Position {
        due: storage.outbox[&seq].sent_at,
        page: 1 << 31 | (number >> 32) as u32,
        index: number as u32,
    }
}

fn is_task(what: What) -> bool {
    matches!(
        what,
        What::First | What::Recurring | What::Unscheduled | What::Paused | What::PausedRecurring
    )
}

/// Returns the items of the whole list.
fn expected(world: &World, at: usize, filter: &Filter) -> Vec<Shown> {
    let model = &world.model;
    let all = meant(world, at, filter);
    let id_of = |flight| model.version(model.firing_at(at, flight).version).id.as_str();
    let tasks: Vec<&str> = all
        .iter()
        .filter_map(|(_, meant)| match meant {
            Meant::Waiting(waiting) if is_task(key_of(waiting).1) => {
                Some(&*waiting.record.facts().id)
            }
            _ => None,
        })
        .collect();
    let shown = |(position, meant): &(Position, Meant)| match meant {
        Meant::Waiting(waiting) => {
            let what = key_of(waiting).1;
            let id = &*waiting.record.facts().id;
            Some(Shown {
                position: *position,
                due: position.due,
                status: status_of(what),
                is_running: is_task(what) && !model.flights_of(at, id).is_empty(),
                record: serde_json::from_slice(&waiting.record).unwrap(),
            })
        }
        // The run is shown with its task.
        Meant::InFlight(flight) if tasks.contains(&id_of(*flight)) => None,
        Meant::InFlight(flight) => {
            let mut record = record_of(&world.shards[at].storage, *flight);
            if model.stop_of(at, *flight) == Some(Stop::Paused) {
                record["paused"] = true.into();
            }
            Some(Shown {
                position: *position,
                due: model.due_in_flight(at, *flight),
                status: Status::Running,
                is_running: false,
                record,
            })
        }
    };
    all.iter().filter_map(shown).collect()
}

fn shown(item: &ListItem) -> Shown {
    let mut record: Value = serde_json::from_str(item.record.get()).unwrap();
    if item.status == Status::Running {
        // The mark of the pause of a run in flight is in no record.
        for name in ["pausedAt", "pausedBy", "pauseNote"] {
            record.as_object_mut().unwrap().remove(name);
        }
    }
    Shown {
        position: item.position,
        due: item.due(),
        status: item.status,
        is_running: item.is_running,
        record,
    }
}

/// `list-and-cancel`: a list that is read to its end shows what the filter matches, each task once
/// and in order. The same holds in descending order, and if each page examines little.
pub(crate) fn list(
    world: &mut World,
    at: usize,
    filter: &Filter,
    limit: usize,
) -> Result<(), Dropped> {
    let mut expected = expected(world, at, filter);
    let read = |world: &mut World, request: &ListRequest| {
        let list = |engine: &mut Engine, _, storage: &Storage| {
            Ok((engine.list(request, storage)?, Effects::default()))
        };
        world.input(at, false, list, |_, _, _| {})
    };
    let request = ListRequest { filter: filter.clone(), limit, ..ListRequest::default() };
    check(world, &request, &expected, read)?;
    // This injects no fault, so it changes no random draw.
    let little = ListRequest { max_read: Some(1), ..request.clone() };
    check(world, &little, &expected, |world, request| {
        world.look(at, |engine, _, storage| engine.list(request, storage))
    })?;
    expected.reverse();
    // From the end, an index counts the entries of the page that are due at the same time.
    let pages = &world.shards[at].storage.pages;
    for Shown { position, .. } in &mut expected {
        let first = pages.get(&position.page).map_or(0, |row| row.directory.before(position.due));
        *position = Position { index: position.index - first as u32, ..*position }.from_the_end();
    }
    for request in [&request, &little] {
        check(world, request, &expected, |world, request| {
            world.look(at, |engine, _, storage| engine.list_from_the_end(request, storage))
        })?;
    }
    Ok(())
}

/// Reads a list page by page.
fn check(
    world: &mut World,
    first: &ListRequest,
    expected: &[Shown],
    read: impl Fn(&mut World, &ListRequest) -> Result<ListReply, Dropped>,
) -> Result<(), Dropped> {
    let (filter, limit) = (&first.filter, first.limit);
    let mut request = first.clone();
    let (mut items, mut total, mut searched) = (Vec::new(), None, 0);
    loop {
        let reply = read(world, &request)?;
        if reply.items.len() > limit || reply.items.len() as u64 > reply.searched {
            violated("list-and-cancel", format!("{reply:?} for a limit of {limit}"));
        }
        for item in &reply.items {
            says_of_pauses_only(item);
        }
        items.extend(reply.items.iter().map(shown));
        total = total.or(reply.total);
        searched += reply.searched;
        let after = request.after;
        request.after = match reply.next {
            Some(next) if after.is_none_or(|after| next > after) => Some(next),
            Some(next) => {
                violated("list-and-cancel", format!("the cursor goes from {after:?} to {next:?}"))
            }
            None => break,
        };
    }
    if items != expected {
        violated(
            "list-and-cancel",
            format!("{first:?} shows\n{items:?}\ninstead of\n{expected:?}"),
        );
    }
    let is_whole = *filter == Filter::default();
    let is_total = total == is_whole.then_some(items.len() as u64);
    if !is_total || is_whole && searched < items.len() as u64 {
        violated("list-and-cancel", format!("a total of {total:?} for {} items", items.len()));
    }
    Ok(())
}

/// `notes-are-of-pauses`: only paused tasks have the mark of a pause.
fn says_of_pauses_only(item: &ListItem) {
    let record = Record::parse(item.record.get().as_bytes()).unwrap();
    let is_paused = item.status == Status::Paused || record.is_paused();
    let says = record.paused_at.is_some() || record.pause_note.is_some();
    if says && !is_paused || record.paused_at.is_none() && record.pause_note.is_some() {
        violated("notes-are-of-pauses", format!("{item:?}"));
    }
}
