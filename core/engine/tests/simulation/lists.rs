//! What a list must show, by the documents and by storage: waiting tasks, runs in flight and dead
//! letters, in one order.

use crate::in_flight::{FlightAt, Stop};
use crate::invariants::{key_of, violated};
use crate::model::{What, status_of};
use crate::storage::{Storage, Waiting};
use crate::world::{Dropped, World};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::Effects;
use scheduler_model::format::envelope::Envelope;
use scheduler_model::position::Position;
use scheduler_model::protocol::{Filter, ListItem, ListRequest, Status};
use serde_json::Value;

/// What a filter matches.
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

/// Returns what a filter matches on a shard, in the order of a list.
pub(crate) fn meant(world: &World, at: usize, filter: &Filter) -> Vec<(Position, Meant)> {
    let storage = &world.shards[at].storage;
    let mut waiting = storage.waiting();
    waiting.retain(|waiting| {
        let (firing, what) = key_of(waiting);
        world.model.matches(filter, firing, what, time_of(waiting))
            && says(filter, &serde_json::from_slice(&waiting.record).unwrap())
    });
    let flights = world
        .model
        .flights_matching(at, filter)
        .into_iter()
        .filter(|flight| says(filter, &record_of(storage, *flight)))
        .map(|flight| (place_of(storage, flight), Meant::InFlight(flight)));
    let waiting = waiting.into_iter().map(|waiting| (waiting.position, Meant::Waiting(waiting)));
    let mut all: Vec<_> = waiting.chain(flights).collect();
    all.sort_by_key(|(position, _)| *position);
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
        What::First | What::Again | What::Recurring => Some(waiting.position.due),
    }
}

/// Returns whether a record matches the tags, host and error of a filter.
fn says(filter: &Filter, record: &Value) -> bool {
    let has_tag = |tag: &String| {
        record["tags"].as_array().is_some_and(|tags| tags.iter().any(|other| other == tag))
    };
    let error = record["error"].as_str().map(str::to_lowercase);
    [&filter.tag, &filter.other_tag].into_iter().flatten().all(has_tag)
        && filter
            .error
            .as_ref()
            .is_none_or(|part| error.is_some_and(|error| error.contains(&part.to_lowercase())))
        && filter.callback_host.as_ref().is_none_or(|host| {
            let url = record["callback"]["url"].as_str();
            url.is_some_and(|url| url.split('/').nth(2) == Some(host.as_str()))
        })
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
    let number = seq << 16 | index as u64;
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
    Shown {
        position: item.position,
        due: item.due(),
        status: item.status,
        is_running: item.is_running,
        record: serde_json::from_str(item.record.get()).unwrap(),
    }
}

/// `list-and-cancel`: a list that is read to its end shows what the filter matches, each task once
/// and in order.
pub(crate) fn list(
    world: &mut World,
    at: usize,
    filter: &Filter,
    limit: usize,
) -> Result<(), Dropped> {
    let expected = expected(world, at, filter);
    let (mut items, mut after, mut total) = (Vec::new(), None, None);
    loop {
        let request = ListRequest { filter: filter.clone(), after, limit, max_bytes: None };
        let reply = world.input(
            at,
            false,
            |engine, _, storage| Ok((engine.list(&request, storage)?, Effects::default())),
            |_, _, _| {},
        )?;
        if reply.items.len() > limit {
            violated(
                "list-and-cancel",
                format!("{} items for a limit of {limit}", reply.items.len()),
            );
        }
        items.extend(reply.items.iter().map(shown));
        total = total.or(reply.total);
        after = match reply.next {
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
            format!("{filter:?} by {limit} shows\n{items:?}\ninstead of\n{expected:?}"),
        );
    }
    let is_whole = *filter == Filter::default();
    if total != is_whole.then_some(items.len() as u64) {
        violated("list-and-cancel", format!("a total of {total:?} for {} items", items.len()));
    }
    Ok(())
}
