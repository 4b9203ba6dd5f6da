//! A shard's engine under a virtual clock, in a world with every kind of fault.
//!
//! The seed of a run determines clients, their requests, the outcome of tasks, and the faults of
//! shells, queues, alarms and dispatchers. After every input, the writes are compared with an
//! oracle ([`model`]) and with an independent reading of storage ([`storage`]). At the end the
//! faults stop, and all work must end with nothing lost. A seed that fails prints how to replay it.
//! Of ten seeds, two are without faults, four have few and four have many.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption ends the test"
)]

mod backlogs;
mod changes;
mod circuits;
mod clients;
mod clocks;
mod counted_cases;
mod dead_letters;
mod definition_tests;
mod definitions;
mod delay_cases;
mod delivery;
mod endings;
mod far;
mod faults;
mod follow_ups;
mod forecast;
mod full_cases;
mod history;
mod in_flight;
mod in_flight_cases;
mod invariants;
mod large;
mod late;
mod law_cases;
mod law_recurring;
mod laws;
mod limits;
mod list_cases;
mod lists;
mod many;
mod meddlers;
mod model;
mod moved_cases;
mod note_cases;
mod operations;
mod origin_cases;
mod outages;
mod overload;
mod parts;
mod patched_cases;
mod paused_cases;
mod questions;
mod random;
mod readers;
mod reads;
mod redefine;
mod regressions;
mod renewals;
mod requested_cases;
mod requeued;
mod retry_after;
mod retry_time;
mod room;
mod runner;
mod schedules;
mod script_cases;
mod scripts;
mod search_cases;
mod second_tries;
mod series;
mod storage;
mod stored;
mod twins;
mod two_epochs;
mod world;
mod world_cases;

/// The seeds of an ordinary test run. `SIM_SEEDS` sets another number, and `SIM_FROM` another first
/// seed. `make simulate` runs a million.
const SEEDS: u64 = 10_000;
/// The number of failing seeds that ends a run. `SIM_FAILURES` sets another number.
const MOST_FAILURES: u64 = 20;

#[test]
fn seeds() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (from, seeds) = (number("SIM_FROM").unwrap_or(0), number("SIM_SEEDS").unwrap_or(SEEDS));
    let most_failures = number("SIM_FAILURES").unwrap_or(MOST_FAILURES);
    let run = many::run_many(from..from.saturating_add(seeds), most_failures as usize);
    println!("{seeds} seeds: {run:?}");
    assert!(run.limited > seeds * 3, "the simulation hardly limits anything: {run:?}");
    // A few seeds prove nothing about the following counts.
    if seeds < 1_000 {
        return;
    }
    assert!(
        run.without_lane > seeds / 100,
        "the simulation hardly leaves runs without a lane: {run:?}"
    );
    assert!(run.put_off > seeds / 2, "the simulation hardly defers anything: {run:?}");
    assert!(
        run.put_off_of_keys > seeds / 2,
        "the simulation hardly defers runs with a limit key: {run:?}"
    );
    let in_flight = run.decisions;
    assert!(
        in_flight.patched > seeds / 15,
        "the simulation hardly patches runs in flight: {run:?}"
    );
    assert!(in_flight.paused > seeds / 10, "the simulation hardly pauses runs in flight: {run:?}");
    assert!(in_flight.cancelled > seeds, "the simulation hardly cancels runs in flight: {run:?}");
    assert!(
        in_flight.by_ids > seeds / 10,
        "the simulation hardly changes several runs in flight at once: {run:?}"
    );
    assert!(
        in_flight.by_filter > seeds / 5,
        "the simulation hardly changes runs in flight by filter: {run:?}"
    );
    assert!(run.displaced > seeds / 10, "the simulation hardly displaces dead letters: {run:?}");
    assert!(
        run.replayed > seeds / 20 && run.discarded > seeds / 50,
        "the simulation hardly replays or discards dead letters: {run:?}"
    );
    assert!(
        run.with_payload > seeds / 20,
        "the simulation hardly runs anything with another payload: {run:?}"
    );
    assert!(
        run.refused_runs > seeds / 200,
        "the simulation hardly refuses runs that callers add: {run:?}"
    );
    assert!(
        run.without_room > seeds / 50,
        "the simulation hardly leaves runs without room: {run:?}"
    );
    assert!(run.held_up > seeds, "the simulation hardly gives the dispatchers too much: {run:?}");
    assert!(run.redefined > seeds * 3, "the simulation hardly defines anything again: {run:?}");
    assert!(
        run.renewals > seeds / 100,
        "the simulation hardly changes the calendars of tasks: {run:?}"
    );
    assert!(
        run.ends > seeds / 1_000,
        "the simulation hardly ends pauses with nothing left: {run:?}"
    );
    assert!(
        run.lists > seeds && run.shown_by_lists > seeds * 2,
        "the simulation hardly reads lists while something happens: {run:?}"
    );
    assert!(run.turned_back > seeds / 50, "the simulation hardly turns clocks back: {run:?}");
    assert!(run.fired > seeds * 10, "the simulation hardly fires anything: {run:?}");
}

/// Replays one seed with a trace: `SIM_SEED=123 cargo test -p scheduler-engine --test simulation
/// replay -- --nocapture`.
#[test]
fn replay() {
    if let Some(seed) = std::env::var("SIM_SEED").ok().and_then(|text| text.parse().ok()) {
        println!("{:?}", runner::run(seed, true));
    }
}
