//! Runs one seed.

use crate::clients::Clients;
use crate::faults::{Faults, Outage, clock_steps};
use crate::held_runs::HeldCounts;
use crate::in_flight::Decisions;
use crate::invariants::{at_rest, no_duplicates, nothing_is_late, violated};
use crate::limits::{self, KEYS};
use crate::operations::{Answer, Request};
use crate::random::Random;
use crate::readers::Readers;
use crate::world::{Event, World};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Config, Keep};
use scheduler_model::protocol::{Filter, Kind};
use scheduler_model::routing::ShardMap;

/// The most events of a run. The work of a run that needs more does not end.
const MAX_EVENTS: u64 = 300_000;
/// 2025-11-24T16:00:00Z.
const START: UnixMillis = UnixMillis::new(1_764_000_000_000);

/// The counts of one run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) events: u64,
    pub(crate) tasks: u64,
    pub(crate) fired: u64,
    /// The runs with a limit key among these.
    pub(crate) limited: u64,
    /// How often a run waited for a lane of its key after an input.
    pub(crate) without_lane: u64,
    /// Runs that were deferred because their destination did not answer.
    pub(crate) put_off: u64,
    /// The runs with a limit key among these.
    pub(crate) put_off_of_keys: u64,
    /// How often a wake-up left due tasks because the dispatchers had their maximum.
    pub(crate) held_up: u64,
    /// How often a watermark was moved back because a clock had gone back.
    pub(crate) turned_back: u64,
    /// Definitions that replaced a task.
    pub(crate) redefined: u64,
    /// Tasks that have continued with other items of their calendar.
    pub(crate) renewals: u64,
    /// Definitions that would have ended a pause with nothing left.
    pub(crate) ends: u64,
    /// Decisions about runs in flight.
    pub(crate) decisions: Decisions,
    /// Pauses of held runs whose recurring task has ended.
    pub(crate) held_runs: HeldCounts,
    /// Requests for runs that were due and whose lateness counts from then on.
    pub(crate) requested_due: u64,
    /// Dead letters that others replaced, and runs that found no room to wait.
    pub(crate) displaced: u64,
    pub(crate) without_room: u64,
    pub(crate) refused_runs: u64,
    pub(crate) replayed: u64,
    pub(crate) discarded: u64,
    pub(crate) with_payload: u64,
    /// Lists that were read while something happened, and what they had to show.
    pub(crate) lists: u64,
    pub(crate) shown_by_lists: u64,
}

/// Runs a seed to its end. Panics if an invariant is broken.
pub(crate) fn run(seed: u64, traced: bool) -> Run {
    let mut random = Random::new(seed);
    let faults = match seed % 10 {
        0 | 1 => Faults::NONE,
        2..6 => Faults::LIGHT,
        _ => Faults::HEAVY,
    };
    let is_faultless = seed % 10 <= 1;
    let map: ShardMap = random.pick(&["1", "1", "1", "3"]).parse().expect("a valid shard map");
    let names: Vec<String> = map.all().map(|shard| shard.to_string()).collect();
    let config = Config {
        visibility_millis: *random.pick(&[1_000, 5_000, 30_000]),
        fire_gap_millis: *random.pick(&[0, 100, 1_000]),
        history: *random.pick(&[Keep::All, Keep::All, Keep::Failures, Keep::Off]),
        ..Config::default()
    };
    let clients = Clients::new(&mut random, map, names.clone());
    let faults = if clients.has_many_keys() && !is_faultless { Faults::LIGHT } else { faults };
    // In some runs the dispatchers take a few tasks at a time. With many keys, each key would wait
    // for its turn behind the others.
    let mut bounds = Random::new(seed.rotate_left(41) ^ 0x626f_756e_6473);
    let is_bounded = bounds.chance(200) && !clients.has_many_keys();
    let config = if is_bounded {
        Config { max_dispatched: *bounds.pick(&[1, 3, 20, 40]), ..config }
    } else {
        config
    };
    // In some runs a shard has lanes for few keys.
    let mut lanes = Random::new(seed.rotate_left(17) ^ 0x006c_616e_6573);
    let config = if clients.has_keys() && !clients.has_many_keys() && lanes.chance(500) {
        Config { max_lanes: *lanes.pick(&[1, 1, 2]), ..config }
    } else {
        config
    };
    // In some runs an id has little room for dead letters, or for waiting runs.
    let mut room = Random::new(seed.rotate_left(11) ^ 0x726f_6f6d);
    let config = if room.chance(400) {
        Config {
            max_dead_letters: *room.pick(&[1, 2, 3]),
            max_runs: *room.pick(&[1, 2, 5, 1_000]),
            ..config
        }
    } else {
        config
    };
    // In most runs, searches look through whole pages early, as they do in large shards.
    let mut misses = Random::new(seed.rotate_left(31) ^ 0x6d69_7373_6573);
    let config = Config { misses_before_pages: *misses.pick(&[0, 1, 16]), ..config };
    let mut world = World::new(random, names, config, faults, START, traced);
    world.leaves_undone = *world.random.pick(&[0, 0, 50]);
    world.is_faultless = is_faultless;
    let mut own = world.random.fork();
    for key in KEYS.iter().take(2) {
        world.limits.set(key, limits::drawn(&mut own), START);
    }
    let changes_limits = own.chance(200);
    let mut shaky = Random::new(seed ^ 0x7075_745f_6f66_6621);
    let falls_silent = *shaky.pick(&[0, 0, 100, 300]);
    if !is_faultless {
        let mut queues = Random::new(!seed);
        world.outages = Outage::drawn(&mut queues, START);
        if !world.outages.is_empty() && queues.chance(500) {
            world.config.visibility_millis = 300_000;
        }
    }
    world.readers = Readers::new(seed);
    world.meddling = Random::new(seed.rotate_left(23) ^ 0x6d65_6464_6c65);
    world.meddles = *world.meddling.pick(&[0, 50, 400]);
    if world.is_short_of_lanes() {
        world.meddles = 400;
    }
    world.trace(|| {
        format!("seed {seed}: {faults:?} {:?} {clients:?} {:?}", world.config, world.outages)
    });
    world.plan(START.plus(30_000), Event::Watchdog);
    let clocks = world.shards.len() + 1;
    let steps = if is_faultless {
        Vec::new()
    } else {
        clock_steps(&mut Random::new(seed ^ 0x6c6f_636b), START, clocks)
    };
    world.model.clocks_step = !steps.is_empty();
    for (at, of, offset) in &steps {
        world.plan(*at, Event::Clock { of: *of, offset: *offset });
    }

    let mut run = Run::default();
    let mut next = START;
    // Sometimes the clients rest for so long that more runs of a task are delayed than may wait.
    let rests_at = own.chance(20).then(|| own.below(20));
    let requests = 5 + world.random.below(40);
    for at in 0..requests {
        if rests_at == Some(at) {
            next = next.plus(own.range(100_000, 400_000));
        }
        // Some requests come at once, and some after a pause.
        let pause = *world.random.pick(&[0, 10, 500, 2_000]);
        next = next.plus(world.random.range(0, pause));
        clients.plan(&mut world, next);
        if changes_limits && own.chance(100) {
            world.change_limit();
        }
        if shaky.chance(falls_silent) {
            world.turn_destination(&mut shaky);
        }
        live_until(&mut world, next, &mut run);
    }
    world.meddles = 0;
    // Faults continue while queues are down, so that outages and restarts coincide.
    let outages_end = world.outages.iter().map(|outage| outage.to).max().unwrap_or(START);
    live_until(&mut world, next.plus(5_000), &mut run);
    if outages_end > world.now {
        // Recurring tasks are removed, because they would fire without end.
        world.faults = Faults::NONE;
        end_recurring(&mut world);
        world.faults = if faults.evict > Faults::LIGHT.evict { Faults::LIGHT } else { faults };
        live_until(&mut world, outages_end, &mut run);
    }

    world.trace(|| "no more faults".to_owned());
    // In some runs destinations stay silent for a while after the clients have stopped.
    let silent_for = if world.silent.is_empty() { 0 } else { *shaky.pick(&[0, 20_000, 60_000]) };
    let until = world.now.plus(silent_for);
    live_until(&mut world, until, &mut run);
    world.faults = Faults::NONE;
    world.wake_destinations();
    world.set_clocks();
    while world.has_requests() {
        step(&mut world, &mut run);
    }
    // What waits for the dispatchers may be late even then.
    if !steps.is_empty() && !is_bounded {
        let agree = world.now;
        live_until(&mut world, agree.plus(61_000), &mut run);
        (0..world.shards.len()).for_each(|at| {
            nothing_is_late(&world.shards[at].storage, &world.model.brought_ahead, agree)
        });
    }
    end_recurring(&mut world);
    while !world.is_at_rest() || (0..world.shards.len()).any(|at| world.next_wakeup(at).is_some()) {
        step(&mut world, &mut run);
    }
    if world.limits.slots() > 0 {
        violated("drains-to-empty", format!("{} slots were not returned", world.limits.slots()));
    }
    world.forget_early_rates();
    // The rate of a limit holds only by clocks without steps.
    if steps.is_empty() {
        world.limits.rate_holds();
    }
    (0..world.shards.len()).for_each(|at| world.compare(at));
    // The state without dropped lanes is stored, too. Otherwise a limiter gets one more request
    // after a restart.
    (0..world.shards.len()).for_each(|at| world.save(at));
    for shard in 0..world.shards.len() {
        let _ = world.carry_out(&Request::Purge { shard });
        world.compare(shard);
    }
    (0..world.shards.len()).for_each(|at| world.evict(at));
    let wakeups: Vec<_> = (0..world.shards.len()).map(|at| world.next_wakeup(at)).collect();
    let shards: Vec<_> = world.shards.iter().map(|shard| &shard.storage).zip(wakeups).collect();
    at_rest(&world.model, &shards);
    if is_faultless {
        no_duplicates(&world.model);
        if world.redelivered > 0 {
            violated(
                "exactly-once-without-faults",
                format!("{} envelopes were sent again", world.redelivered),
            );
        }
    }
    run.turned_back = world.turned_back;
    run.held_up = world.model.held_up;
    run.held_runs = world.model.held_runs.counts;
    run.requested_due = world.model.requested_due;
    run.limited = world.limits.runs;
    run.without_lane = world.limits.without_lane;
    run.put_off = world.model.circuits.put_off;
    run.put_off_of_keys = world.model.circuits.put_off_of_keys;
    (run.redefined, run.renewals, run.ends) =
        (world.redefined, world.model.renewals, world.model.ends);
    run.decisions = world.model.decisions;
    (run.displaced, run.without_room) = (world.model.room.displaced, world.model.room.without_room);
    run.refused_runs = world.model.room.refused_runs;
    let letters = &world.model.letters;
    (run.replayed, run.discarded, run.with_payload) =
        (letters.replayed, letters.discarded, letters.with_payload);
    (run.lists, run.shown_by_lists) = (world.readers.lists, world.readers.shown);
    run.tasks = world.model.versions.len() as u64;
    run.fired = world.model.dispatched.values().map(|times| u64::from(*times)).sum();
    run
}

fn live_until(world: &mut World, until: UnixMillis, run: &mut Run) {
    while world.next_event().is_some_and(|at| at <= until) {
        step(world, run);
    }
}

fn step(world: &mut World, run: &mut Run) {
    world.step();
    world.read_on();
    run.events += 1;
    if run.events > MAX_EVENTS {
        let wanted: Vec<_> = (0..world.shards.len()).map(|at| world.next_wakeup(at)).collect();
        violated(
            "drains-to-empty",
            format!(
                "work is left at {} after {MAX_EVENTS} events; the next wake-up is at {wanted:?}",
                world.now
            ),
        );
    }
}

/// Cancels recurring tasks, because they would fire without end. What is cancelled here never fires
/// again, further attempts included.
fn end_recurring(world: &mut World) {
    for shard in 0..world.shards.len() {
        let filter = Filter { kind: Some(Kind::Recurring), ..Filter::default() };
        let request = Request::CancelMatching { shard, filter, limit: 50 };
        while let Ok(Answer::CancelledMatching { more: true }) = world.carry_out(&request) {}
    }
}
