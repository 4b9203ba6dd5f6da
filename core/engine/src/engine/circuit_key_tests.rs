//! Tasks with a limit key whose destination does not answer: they use neither slots nor tokens of
//! the key.

use super::*;
use crate::Keep;
use crate::circuits::Circuit;
use crate::engine::lanes::pair::Pair;
use scheduler_model::bounds::MAX_CATCH_UP_RUNS;
use scheduler_model::numbers::{EnvelopeSeq, LaneNumber};

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);
const SILENT: &str = r#""callback":{"type":"webhook","url":"https://silent.example/x"},"#;
const EACH_SECOND: &str = r#""everySeconds":1,"anchor":1764000000000,"callback":{"type":"webhook","url":"https://silent.example/x"},"#;

/// Opens the circuit of the silent destination for `millis`.
fn silence(pair: &mut Pair, millis: i64) {
    let (until, since) = (pair.now.plus(millis), pair.now);
    let open = Some(Open { since, until, millis, probe: None, waiting: Vec::new() });
    let destination = "https://silent.example".to_owned();
    pair.engine.circuits.circuits.push(Circuit {
        destination,
        failures: OPEN_AFTER,
        last: since,
        open,
    });
}

/// The limit is one run at a time, or one run per second. A hundred tasks of the key wait without
/// slots, tokens or a commit for each.
#[test]
fn a_run_that_waits_takes_no_slot_of_its_limit() {
    for (concurrency, per_second) in [(Some(1), None), (None, Some(1.0))] {
        let mut pair = Pair::new(usize::MAX);
        pair.limit_both("k", concurrency, per_second);
        pair.engine.note_silence("handler:log", OPEN_AFTER, EnvelopeSeq::default(), pair.now);
        for n in 0..500 {
            pair.create("k", &format!("t{n}"), Some(NOW), "");
        }
        let before = pair.writes();
        let (dispatched, wakeups) = pair.live(NOW.plus(FIRST_OPEN_MILLIS - 1), 10);
        assert!(dispatched.is_empty() && pair.envelopes_in_flight().is_empty());
        assert!(
            wakeups <= 30 && pair.writes() - before <= 100,
            "{wakeups} wake-ups, {} rows",
            pair.writes() - before
        );
        assert_eq!(pair.engine.stats(pair.now).pending, 500);
        // The probe goes first and is answered. The others follow as the limit permits.
        let (dispatched, _) = pair.live(NOW.plus(FIRST_OPEN_MILLIS + 30_000), 10);
        assert!((28..=310).contains(&dispatched.len()), "{}", dispatched.len());
    }
}

/// Runs the shard in steps of a tenth of a second; each run ends at once. Returns what was
/// dispatched.
fn run(pair: &mut Pair, millis: i64) -> Vec<String> {
    let (end, mut ran) = (pair.now.plus(millis), Vec::new());
    while pair.now < end {
        pair.now = pair.now.plus(100);
        pair.wake();
        ran.extend(pair.ids_in_flight());
        pair.envelopes_in_flight().into_iter().for_each(|(seq, _)| pair.report(seq));
    }
    ran
}

#[test]
fn a_key_serves_its_other_destinations_while_one_is_silent() {
    let mut pair = Pair::new(usize::MAX);
    pair.limit_both("k", None, Some(2.0));
    silence(&mut pair, LONGEST_OPEN_MILLIS);
    (0..50).for_each(|n| pair.create("k", &format!("silent{n}"), Some(NOW.plus(n)), SILENT));
    (0..20).for_each(|n| pair.create("k", &format!("good{n}"), Some(NOW.plus(50 + n)), ""));
    let ran = run(&mut pair, 11_000);
    let good: Vec<String> = (0..20).map(|n| format!("good{n}")).collect();
    assert_eq!(ran, good, "at 2 a second");
    assert_eq!(pair.engine.stats(pair.now).pending, 50);
}

/// A run of a recurring task took a token before its destination was examined.
#[test]
fn a_recurring_run_that_waits_for_its_destination_uses_no_token() {
    let mut pair = Pair::new(usize::MAX);
    pair.limit_both("k", None, Some(8.0));
    pair.create("k", "often", None, EACH_SECOND);
    run(&mut pair, 600);
    // The shard has tokens for tasks that it can dispatch.
    ["one", "two"].iter().for_each(|id| pair.create("k", id, Some(pair.now), ""));
    pair.now = pair.now.plus(100);
    assert!(pair.wake().is_empty());
    ["one", "two"].iter().for_each(|id| pair.cancel(id));
    let room = pair.engine.lanes.room(LaneNumber::new(1), pair.now);
    assert!(room > 0);
    silence(&mut pair, LONGEST_OPEN_MILLIS);
    pair.now = NOW.plus(1_000);
    assert!(pair.wake().is_empty());
    let waiting =
        pair.engine.stats(pair.now).circuits.iter().map(|circuit| circuit.waiting).sum::<u64>();
    assert_eq!((waiting, pair.engine.lanes.room(LaneNumber::new(1), pair.now)), (1, room));
}

/// The slot of a skipped run was never released.
#[test]
fn a_recurring_run_skipped_for_its_destination_uses_no_slot() {
    let mut pair = Pair::keeping(usize::MAX, Keep::All);
    pair.limit_both("k", Some(1), None);
    pair.create("k", "often", None, EACH_SECOND);
    silence(&mut pair, LONGEST_OPEN_MILLIS);
    // These tasks keep the slot on the shard.
    let good: Vec<String> = (0..240).map(|n| format!("good{n}")).collect();
    good.iter()
        .zip(1..)
        .for_each(|(id, n)| pair.create("k", id, Some(NOW.plus(500 * n + 250)), ""));
    assert_eq!(run(&mut pair, 125_000), good);
    let skipped = ("skipped", "circuit: https://silent.example does not answer");
    let outcomes = pair.outcomes("often");
    assert!(
        outcomes
            .iter()
            .any(|(outcome, error)| outcome == skipped.0 && error.starts_with(skipped.1)),
        "{outcomes:?}"
    );
}

/// Runs that were deferred again were not counted, so as many new ones could join them each time.
#[test]
fn runs_of_a_recurring_task_with_a_key_that_wait_for_its_destination_are_bounded() {
    let mut pair = Pair::new(usize::MAX);
    pair.limit_both("k", None, Some(40.0));
    pair.create("k", "often", None, EACH_SECOND);
    silence(&mut pair, FIRST_OPEN_MILLIS);
    pair.live(NOW.plus(12_000), 10_000_000);
    assert_eq!(pair.ids_in_flight(), ["often"], "the probe");
    // Wake-ups are late, so the deferred runs come due together with the next run.
    for n in 12..125 {
        pair.now = NOW.plus(1_000 * n + 999);
        pair.wake();
    }
    let waiting = pair.engine.stats(pair.now).pending as usize - 1;
    assert!(waiting <= MAX_CATCH_UP_RUNS, "{waiting} runs wait");
}

/// A shard requested slots and tokens for runs that waited for their destination, so other shards
/// got none meanwhile.
#[test]
fn runs_that_wait_for_their_destination_request_no_slots() {
    for (concurrency, per_second) in [(Some(1), None), (None, Some(1.0))] {
        let mut pair = Pair::new(usize::MAX);
        pair.limit_both("k", concurrency, per_second);
        silence(&mut pair, LONGEST_OPEN_MILLIS);
        (0..100).for_each(|n| pair.create("k", &format!("t{n}"), Some(NOW.plus(100 * n)), SILENT));
        assert!(run(&mut pair, 20_000).is_empty());
        assert_eq!(pair.reported_waiting, 0, "under {concurrency:?} {per_second:?}");
        assert_eq!(pair.engine.stats(pair.now).circuits[0].waiting, 100);
    }
}

/// The probe that other runs wait for must be a run that has a slot.
#[test]
fn a_run_without_a_slot_does_not_delay_the_probe() {
    let mut pair = Pair::new(usize::MAX);
    pair.limit_both("full", Some(1), None);
    pair.limit_both("free", Some(1), None);
    pair.create("full", "first", Some(NOW), "");
    pair.create("free", "last", Some(NOW), "");
    pair.live(NOW.plus(2_000), 10_000_000);
    let (last, _) = pair
        .envelopes_in_flight()
        .into_iter()
        .find(|(_, key)| key.as_deref() == Some("free"))
        .unwrap();
    pair.report(last);
    assert_eq!(pair.ids_in_flight(), ["first"]);
    silence(&mut pair, 1);
    pair.create("full", "waits", Some(pair.now), SILENT);
    pair.create("free", "probe", Some(pair.now), SILENT);
    pair.live(pair.now.plus(3_000), 10_000_000);
    assert_eq!(pair.ids_in_flight(), ["first", "probe"]);
}
