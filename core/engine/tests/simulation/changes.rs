//! Pause, resume, run now and reschedule: what they must do by the reference, and the check of what
//! they did.

use crate::in_flight::{FlightAt, FlightStep, Stop};
use crate::invariants::{key_of, violated};
use crate::lists::{Meant, meant_to_change};
use crate::model::{Firing, What};
use crate::operations::{Answer, is_more_than_a_scan};
use crate::storage::{Storage, Waiting};
use crate::world::{Dropped, World};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::position::Position;
use scheduler_model::protocol::{
    Change, ChangeRequest, Changed, CountReply, CountRequest, Filter, ListRequest, PauseReason,
};

/// What one waiting entry becomes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) take: Option<(Firing, What)>,
    pub(crate) put: Option<(Firing, What)>,
    /// The earliest time of a further attempt.
    pub(crate) not_before: Option<i64>,
    /// Whether it may fire before its time.
    pub(crate) early: bool,
    /// The time from which its lateness counts, if a run was requested.
    pub(crate) replays: Option<i64>,
    /// The time from which the time for retries counts, if the pause of a further attempt ends.
    pub(crate) resumes: Option<i64>,
}

/// Returns what a change does to one waiting entry.
pub(crate) fn step(world: &World, waiting: &Waiting, change: Change) -> Result<Step, Changed> {
    step_if(world, waiting, change, waiting.position.due <= world.now, false)
}

/// Returns what a requested run with its own payload does to one waiting entry, which may be due.
pub(crate) fn step_with_payload(world: &World, waiting: &Waiting) -> Result<Step, Changed> {
    step_if(world, waiting, Change::Run, false, true)
}

fn step_if(
    world: &World,
    waiting: &Waiting,
    change: Change,
    is_due: bool,
    has_payload: bool,
) -> Result<Step, Changed> {
    let now = world.now;
    let (firing, what) = key_of(waiting);
    let becomes = |what_then| Step {
        take: Some((firing, what)),
        put: Some((firing, what_then)),
        not_before: None,
        early: false,
        replays: None,
        resumes: None,
    };
    let resumes = (what == What::PausedAgain && firing.attempt > 1).then_some(now.get());
    let again = |firing| Step {
        resumes,
        put: Some((firing, What::Again)),
        not_before: Some(now.get()),
        ..becomes(what)
    };
    let record = waiting.record.parse();
    let has_no_time = record.is_recurring() || record.stage.is_some();
    // A run that is due keeps its place. Its lateness counts from the first request for its attempt.
    let is_requested = record.replayed_at.is_some() && record.replayed_at >= record.failed_at;
    let stays_due = waiting.position.due <= now;
    let waits = stays_due || waiting.position.due == UnixMillis::NO_LANE;
    let requested_at = record.replayed_at.filter(|_| waits && is_requested).unwrap_or(now).get();
    let replays = record.is_conditional().then_some(requested_at);
    match (change, what) {
        (Change::Pause, What::First) => Ok(becomes(What::Paused)),
        (Change::Pause, What::Again) => Ok(becomes(What::PausedAgain)),
        (Change::Pause, What::Recurring) => Ok(becomes(What::PausedRecurring)),
        (Change::Pause, What::Held)
            if !world.model.follow_their_task(&waiting.record.facts().id) =>
        {
            Ok(becomes(What::PausedAgain))
        }
        (Change::Pause, What::Unscheduled | What::Dead | What::Held) => Err(Changed::NotApplicable),
        (Change::Pause, _) => Err(Changed::Unchanged),
        (Change::Resume, What::Paused) => Ok(becomes(What::First)),
        (Change::Resume, What::PausedAgain) if world.model.was_held(firing) => {
            Ok(becomes(What::Held))
        }
        (Change::Resume, What::PausedAgain) => {
            let not_before = Some(world.model.start_of_resumed(firing, now.get()));
            Ok(Step { not_before, ..again(firing) })
        }
        (Change::Resume, What::PausedRecurring) => Ok(becomes(What::Recurring)),
        (Change::Resume, _) => Err(Changed::Unchanged),
        (Change::Run, What::Recurring | What::PausedRecurring | What::Unscheduled)
            if !world.model.has_room_for_a_run(firing) =>
        {
            Err(Changed::TooManyRuns)
        }
        (Change::Run, What::Recurring | What::PausedRecurring | What::Unscheduled) => Ok(Step {
            take: None,
            early: true,
            // The delay of the schedule is no part of a requested run.
            replays: Some(now.get()).filter(|now| {
                what != What::Unscheduled && world.model.version(firing.version).due(*now) != *now
            }),
            ..again(Firing { time: now.get(), attempt: 1, ..firing })
        }),
        (Change::Run, What::First | What::Again)
            if is_due && (is_requested || !record.is_conditional()) =>
        {
            Err(Changed::Unchanged)
        }
        (Change::Run, What::First | What::Again) if is_due => Ok(Step { replays, ..becomes(what) }),
        (Change::Run, What::First | What::Paused) => {
            Ok(Step { early: true, replays: Some(requested_at), ..becomes(What::First) })
        }
        // It waits for nothing but a lane.
        (Change::Run, What::Again)
            if waiting.position.due == UnixMillis::NO_LANE
                && !has_payload
                && record.not_before.is_none_or(|at| at <= now)
                && (record.replayed_at.is_some() || !record.is_conditional()) =>
        {
            Err(Changed::Unchanged)
        }
        (Change::Run, What::Again) if stays_due => Ok(Step { replays, ..becomes(what) }),
        (Change::Run, What::Again | What::PausedAgain | What::Held) => {
            Ok(Step { replays, ..again(firing) })
        }
        (Change::Run, What::Dead) => Ok(Step {
            early: true,
            replays: Some(now.get()),
            ..again(Firing { attempt: 1, ..firing })
        }),
        (Change::Reschedule(_), _) if has_no_time => Err(Changed::NotApplicable),
        (Change::Reschedule(time), _)
            if record.time == Some(time.at)
                && (waiting.position.due == record.due() || what == What::Paused) =>
        {
            Err(Changed::Unchanged)
        }
        // A paused task stays paused.
        (Change::Reschedule(time), What::Paused | What::PausedAgain) => Ok(Step {
            put: Some((Firing { time: time.at.get(), attempt: 1, ..firing }, What::Paused)),
            ..becomes(what)
        }),
        (Change::Reschedule(time), _) => Ok(Step {
            put: Some((Firing { time: time.at.get(), attempt: 1, ..firing }, What::First)),
            ..becomes(what)
        }),
    }
}

fn is_task(waiting: &Waiting) -> bool {
    !matches!(key_of(waiting).1, What::Again | What::PausedAgain | What::Held | What::Dead)
}

/// Returns the newest of these attempts or dead letters of one id that has a time of its own. A
/// reschedule moves this one.
fn newest_movable<'w>(found: &[&'w Waiting]) -> Option<&'w Waiting> {
    let has_time = |waiting: &&&Waiting| {
        let record = waiting.record.parse();
        !record.is_recurring() && record.stage.is_none()
    };
    let age = |waiting: &&&Waiting| {
        (waiting.record.facts().time, waiting.position.page, waiting.position.index)
    };
    found.iter().filter(has_time).max_by_key(age).copied()
}

/// Returns whether a reschedule by filter moves a waiting entry. It moves what a reschedule by the
/// id would move, so that an id never names two tasks.
fn is_moved(world: &World, at: usize, waiting: &Waiting) -> bool {
    let all = world.shards[at].storage.waiting();
    let of_id: Vec<&Waiting> =
        all.iter().filter(|other| other.record.facts().id == waiting.record.facts().id).collect();
    let (dead, live): (Vec<&Waiting>, Vec<&Waiting>) =
        of_id.into_iter().partition(|other| key_of(other).1 == What::Dead);
    if is_task(waiting) {
        return true;
    }
    let is_in_flight = !world.model.flights_of(at, &waiting.record.facts().id).is_empty();
    let newest = match (live.iter().any(|other| is_task(other)), live.is_empty()) {
        (true, _) => None,
        (false, false) => newest_movable(&live),
        (false, true) if is_in_flight => None,
        (false, true) => newest_movable(&dead),
    };
    newest.is_some_and(|newest| newest.position == waiting.position)
}

/// Returns what a change of one id must answer, and what it must do to waiting entries and attempts
/// in flight.
fn expected(
    world: &World,
    at: usize,
    id: &str,
    change: Change,
) -> (Changed, Vec<Step>, Vec<FlightStep>) {
    let is_it = |waiting: &&Waiting| *waiting.record.facts().id == *id;
    let all = world.shards[at].storage.waiting();
    let (dead, mut found): (Vec<&Waiting>, Vec<&Waiting>) =
        all.iter().filter(is_it).partition(|waiting| key_of(waiting).1 == What::Dead);
    let mut flights = world.model.flights_of(at, id);
    if found.is_empty() && flights.is_empty() {
        if dead.is_empty() && !world.model.in_flight_of(id).is_empty() {
            return (Changed::AlreadyFired, Vec::new(), Vec::new());
        }
        found = dead;
    }
    let is_task = |waiting: &&Waiting| is_task(waiting);
    let mut others = Vec::new();
    if matches!(change, Change::Run | Change::Reschedule(_)) {
        if found.iter().any(is_task) {
            found.retain(is_task);
        } else if matches!(change, Change::Reschedule(_))
            && let Some(newest) = newest_movable(&found)
        {
            found = vec![newest];
        }
        // If nothing waits, the newest attempt is the task.
        others = flights.split_off(flights.len().min(usize::from(found.is_empty())));
    }
    let results: Vec<_> = found.iter().map(|waiting| step(world, waiting, change)).collect();
    let steps: Vec<Step> =
        results.iter().filter_map(|result| result.as_ref().ok()).copied().collect();
    let of_flights: Vec<_> =
        flights.iter().map(|flight| world.model.flight_step(at, *flight, change)).collect();
    let mut flight_steps: Vec<FlightStep> =
        of_flights.iter().filter_map(|result| result.as_ref().ok()).copied().collect();
    if found.is_empty() && !flight_steps.is_empty() {
        let stopped = |flight: &FlightAt| FlightStep {
            flight: *flight,
            stop: Some(Stop::Cancelled),
            put: None,
        };
        flight_steps.extend(others.iter().map(stopped));
    }
    let refused = results.iter().filter_map(|result| result.as_ref().err());
    let refused = refused.chain(of_flights.iter().filter_map(|result| result.as_ref().err()));
    let outcome = match refused.copied().find(|other| *other != Changed::Unchanged) {
        _ if !steps.is_empty() || !flight_steps.is_empty() => Changed::Changed,
        Some(other) => other,
        None if results.is_empty() && of_flights.is_empty() => Changed::NotFound,
        None => Changed::Unchanged,
    };
    (outcome, steps, flight_steps)
}

/// Changes tasks by ids. If the answer covers the first ids only, requests the rest, as the
/// coordinator does.
pub(crate) fn change(
    world: &mut World,
    at: usize,
    ids: &[String],
    change: Change,
) -> Result<Answer, Dropped> {
    let mut rest = ids;
    loop {
        let done = change_first(world, at, rest, change)?;
        rest = &rest[done..];
        if rest.is_empty() {
            return Ok(Answer::Shown);
        }
    }
}

/// What a change must do to tasks by the reference, in the order of the ids. An id that occurs
/// twice is changed once.
struct Expected {
    outcomes: Vec<Changed>,
    running: Vec<u32>,
    steps: Vec<Step>,
    flight_steps: Vec<FlightStep>,
}

fn expected_of(world: &World, at: usize, ids: &[String], change: Change) -> Expected {
    let distinct = ids.iter().enumerate().filter(|(at, id)| !ids[..*at].contains(id));
    let (mut steps, mut flight_steps) = (Vec::new(), Vec::new());
    for (_, id) in distinct {
        let (_, of_id, of_flights) = expected(world, at, id, change);
        steps.extend(of_id);
        flight_steps.extend(of_flights);
    }
    let outcomes: Vec<Changed> = ids.iter().map(|id| expected(world, at, id, change).0).collect();
    let is_running = |(id, outcome): (&String, &Changed)| {
        matches!(outcome, Changed::Changed | Changed::Unchanged)
            && !world.model.in_flight_of(id).is_empty()
    };
    let running: Vec<u32> = (0..)
        .zip(ids.iter().zip(&outcomes))
        .filter(|(_, of)| is_running(*of))
        .map(|(place, _)| place)
        .collect();
    Expected { outcomes, running, steps, flight_steps }
}

/// Sends one request. Returns how many ids the answer covers.
fn change_first(
    world: &mut World,
    at: usize,
    ids: &[String],
    change: Change,
) -> Result<usize, Dropped> {
    let of_all = expected_of(world, at, ids, change);
    let is_large = is_more_than_a_scan(world, at);
    let by_count: Vec<Expected> = match is_large {
        true => (0..ids.len()).map(|first| expected_of(world, at, &ids[..first], change)).collect(),
        false => Vec::new(),
    };
    // Drawn from the time, so that the draws of kept seeds stay as they were.
    let by = (world.now.get() % 2 == 0).then(|| "ops".to_owned());
    let pause = (change == Change::Pause).then_some(PauseReason { by, note: None });
    let request = ChangeRequest { ids: ids.to_vec(), change, if_match: None, pause };
    let reply = world.input(
        at,
        false,
        |engine, now, storage| engine.change(&request, now, storage),
        |world, reply, _| {
            world.trace(|| format!("{at}: {change:?} of {ids:?}: {:?}", reply.outcomes));
            let done = reply.outcomes.len();
            let Expected { outcomes, running, steps, flight_steps } =
                if done > 0 { by_count.get(done).unwrap_or(&of_all) } else { &of_all };
            if (&reply.outcomes, &reply.running) != (outcomes, running) || reply.in_part {
                let expected = format!("{outcomes:?}, in flight {running:?}");
                violated(
                    "change-answers",
                    format!("{reply:?} for {change:?} of {ids:?}; expected {expected}"),
                );
            }
            world.model.room.refused_runs +=
                outcomes.iter().filter(|outcome| **outcome == Changed::TooManyRuns).count() as u64;
            world.model.decisions.by_ids +=
                if ids.len() > 1 { flight_steps.len() as u64 } else { 0 };
            world.apply(at, steps);
            world.apply_to_flights(at, flight_steps);
        },
    )?;
    Ok(reply.outcomes.len())
}

pub(crate) fn change_matching(
    world: &mut World,
    at: usize,
    filter: &Filter,
    limit: usize,
    change: Change,
) -> Result<Answer, Dropped> {
    let all = meant_to_change(world, at, filter);
    let is_reschedule = matches!(change, Change::Reschedule(_));
    let is_flight_moved = |flight: &FlightAt| {
        let id = world.model.version(world.model.firing_at(at, *flight).version).id.clone();
        let is_task = world.model.waiting_of(&id).iter().all(|((_, what), _)| *what == What::Dead);
        is_task && world.model.flights_of(at, &id).first() == Some(flight)
    };
    let what_is_done = |(_, meant): &(Position, Meant)| match meant {
        Meant::Waiting(waiting) if is_reschedule && !is_moved(world, at, waiting) => None,
        Meant::Waiting(waiting) => step(world, waiting, change).ok().map(Done::Waiting),
        Meant::InFlight(flight) if is_reschedule && !is_flight_moved(flight) => None,
        Meant::InFlight(flight) => {
            world.model.flight_step(at, *flight, change).ok().map(Done::InFlight)
        }
    };
    let would: Vec<Done> = all.iter().filter_map(what_is_done).collect();
    let running = would.iter().filter(|done| matches!(done, Done::InFlight(_))).count();
    count_matching(world, at, (filter, limit), Some(change), (would.len(), running));
    let done: Vec<Done> = all.iter().take(limit).filter_map(what_is_done).collect();
    let is_large = crate::operations::is_more_than_a_scan(world, at);
    let keys_before = keys_of(&world.shards[at].storage);
    let request =
        ListRequest { filter: filter.clone(), after: None, limit, ..ListRequest::default() };
    world.input(
        at,
        false,
        |engine, now, storage| engine.change_matching(&request, change, None, now, storage),
        |world, reply, _| {
            // A step that has reached its bound in bytes has changed the first tasks, in the same
            // order. A reschedule concerns few tasks.
            let is_part = reply.next.is_some() && is_large && !is_reschedule;
            let most = if is_part { reply.changed as usize } else { usize::MAX };
            let (mut steps, mut flight_steps) = (Vec::new(), Vec::new());
            for done in done.into_iter().take(most) {
                match done {
                    // The shard has no lane for its limit key. It may have lanes for others.
                    Done::Waiting(step) if reply.left && step.is_left(world, at, &keys_before) => {}
                    Done::Waiting(step) => steps.push(step),
                    Done::InFlight(step) => flight_steps.push(step),
                }
            }
            let (changed, running) =
                ((steps.len() + flight_steps.len()) as u64, flight_steps.len() as u64);
            let mut with_others = flight_steps.clone();
            for moved in flight_steps.iter().filter(|_| is_reschedule) {
                let version = world.model.firing_at(at, moved.flight).version;
                let id = world.model.version(version).id.clone();
                let others = world.model.flights_of(at, &id).into_iter().skip(1);
                with_others.extend(others.map(|flight| FlightStep {
                    flight,
                    stop: Some(Stop::Cancelled),
                    put: None,
                }));
            }
            let is_cut = reply.next.is_none() && all.len() > limit;
            if (reply.changed, reply.running) != (changed, running) || is_cut {
                violated(
                    "change-answers",
                    format!(
                        "{reply:?} for {change:?} of {filter:?}; expected {changed}, {running}"
                    ),
                );
            }
            world.model.decisions.by_filter += running;
            world.apply(at, &steps);
            world.apply_to_flights(at, &with_others);
        },
    )?;
    Ok(Answer::Shown)
}

/// `counts-what-changes`: a dry run counts what the request would change, and changes nothing. It
/// is skipped while the shard is not loaded.
pub(crate) fn count_matching(
    world: &World,
    at: usize,
    (filter, limit): (&Filter, usize),
    change: Option<Change>,
    expected: (usize, usize),
) {
    let tasks = ListRequest { filter: filter.clone(), limit, ..ListRequest::default() };
    let request = CountRequest { tasks, change, pause: None };
    let counted =
        world.look(at, |engine, now, storage| engine.count_matching(&request, now, storage));
    let Ok(CountReply { count, running, next, first }) = counted else { return };
    let is_sorted = first.iter().map(|item| item.position).is_sorted();
    let agrees = (count as usize, running as usize) == expected
        && first.len() == limit.min(expected.0)
        && is_sorted;
    let has_stopped = next.is_some() && count as usize <= expected.0;
    if !(agrees || has_stopped) {
        violated(
            "counts-what-changes",
            format!(
                "{count}, {running} in flight, {first:?} for {request:?}; expected {expected:?}"
            ),
        );
    }
}

fn keys_of(storage: &Storage) -> Vec<(Firing, What)> {
    storage.waiting().iter().map(key_of).collect()
}

/// What a change by filter does to one of the matching tasks.
enum Done {
    Waiting(Step),
    InFlight(FlightStep),
}

impl Step {
    /// Returns whether a shard that is short of lanes has left a task as it was. A task that waits
    /// for its time has its lane already. Several dead letters may have the same key, and one of
    /// them is moved.
    fn is_left(&self, world: &World, at: usize, keys_before: &[(Firing, What)]) -> bool {
        let (Some(before), Some((_, What::First))) = (self.take, self.put) else { return false };
        if before.1 == What::First {
            return false;
        }
        let count = |keys: &[(Firing, What)]| keys.iter().filter(|key| **key == before).count();
        let keys = keys_of(&world.shards[at].storage);
        world.is_short_of_lanes() && count(&keys) == count(keys_before)
    }
}
