use super::*;
use crate::circuits::Circuit;
use crate::testing::{Memory, append_flagged};
use crate::{Config, Effects, Keep, Snapshot, Write};
use scheduler_model::bounds::{MAX_CIRCUITS, MAX_EVENTS_BYTES};
use scheduler_model::format::envelope::Envelope;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{Append, EventsRequest, Failure};

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);
const HANGS: &str = "https://hangs.example";

/// A shard, its storage, and a clock.
struct Shard {
    engine: Engine,
    stored: Memory,
    now: UnixMillis,
}

/// An envelope in flight: its number, and the occurrence key and attempt of each of its tasks.
type Sent = (EnvelopeSeq, Vec<(String, u32)>);

fn config() -> Config {
    Config { history: Keep::Off, ..Config::default() }
}

impl Shard {
    fn new() -> Self {
        Self {
            engine: Engine::load("1-0", config(), Snapshot::default()).unwrap(),
            stored: Memory::default(),
            now: NOW,
        }
    }

    fn commit(&mut self, effects: Effects) -> Vec<Sent> {
        self.stored.apply(&effects.writes);
        let task = |task: &&serde_json::value::RawValue| {
            let record = Record::parse(task.get().as_bytes()).unwrap();
            (record.occurrence_key().to_string(), record.attempt_number())
        };
        let inserted = effects.writes.iter().filter_map(|write| match write {
            Write::InsertEnvelope { seq, text, .. } => {
                let envelope = Envelope::parse(std::str::from_utf8(text).unwrap()).unwrap();
                Some((*seq, envelope.tasks.iter().map(task).collect()))
            }
            _ => None,
        });
        inserted.collect()
    }

    fn restart(&mut self) {
        self.engine = self.stored.load("1-0", config());
    }

    /// Adds webhooks to a host, due now.
    fn add(&mut self, host: &str, ids: impl IntoIterator<Item = String>, more: &str) {
        let now = self.now;
        let tasks = ids.into_iter().map(|id| {
            let record = format!(
                r#"{{"time":{now},"id":"{id}"{more},"callback":{{"type":"webhook","url":"{host}/x"}},"retry":{{"maxAttempts":50,"minBackoffSeconds":1,"factor":1,"jitter":0}}}}"#
            );
            let is_conditional = Record::parse(record.as_bytes()).unwrap().is_conditional();
            let flags = if is_conditional { Flags::CONDITIONAL } else { Flags::TASK };
            (id, now, flags, record)
        });
        let append = append_flagged(tasks);
        let (_, effects) = self.engine.append(append, self.now, &self.stored).unwrap();
        self.commit(effects);
    }

    fn add_every_second(&mut self, host: &str, more: &str) {
        let anchor = self.now;
        let record = format!(
            r#"{{"id":"often","everySeconds":1,"anchor":{anchor}{more},"callback":{{"type":"webhook","url":"{host}/x"}}}}"#
        );
        let append = Append { schedules: vec![record.into_bytes()], ..Append::default() };
        let (_, effects) = self.engine.append(append, self.now, &self.stored).unwrap();
        self.commit(effects);
    }

    /// Wakes the engine until nothing more is due now.
    fn wake(&mut self) -> Vec<Sent> {
        let mut sent = Vec::new();
        for _ in 0..100 {
            let effects = self.engine.wake(self.now, &self.stored).unwrap();
            sent.extend(self.commit(effects));
            if self.engine.next_wakeup().is_none_or(|at| at > self.now) {
                return sent;
            }
        }
        panic!("the wake-ups at {} do not end", self.now);
    }

    fn wait(&mut self, millis: i64) -> Vec<Sent> {
        self.now = self.now.plus(millis);
        self.wake()
    }

    fn report(&mut self, report: &Report) {
        let effects = self.engine.report(report, self.now, &self.stored).unwrap();
        self.commit(effects);
    }

    /// Reports that no task of an envelope was answered.
    fn silent(&mut self, sent: &Sent) {
        let all: Vec<u32> = (0..sent.1.len() as u32).collect();
        let failed = all.iter().map(|index| Failure {
            index: *index,
            error: "timed out".to_owned(),
            ..Failure::default()
        });
        self.report(&Report {
            seq: sent.0,
            failed: failed.collect(),
            no_answer: all,
            ..Report::default()
        });
    }

    fn well(&mut self, sent: &Sent) {
        self.report(&Report { seq: sent.0, ..Report::default() });
    }

    /// Opens the circuit: a destination leaves five runs at once unanswered.
    fn open(&mut self) {
        self.add(HANGS, (0..5).map(|n| format!("first-{n}")), "");
        let sent = self.wake();
        assert_eq!(sent.len(), 1);
        self.silent(&sent[0]);
        assert_eq!(self.state(), Some((CircuitState::Open, FIRST_OPEN_MILLIS)));
    }

    /// Returns the state of the circuit, and the milliseconds for which it stays so.
    fn state(&self) -> Option<(CircuitState, i64)> {
        let of =
            self.engine.stats(self.now).circuits.into_iter().find(|of| of.destination == HANGS)?;
        Some((of.state, of.until.since(self.now)))
    }

    fn waiting(&self) -> u64 {
        self.engine.stats(self.now).circuits.iter().map(|of| of.waiting).sum()
    }
}

fn ids(sent: &[Sent]) -> Vec<String> {
    sent.iter()
        .flat_map(|(_, tasks)| tasks.iter().map(|(key, attempt)| format!("{key}#{attempt}")))
        .collect()
}

#[test]
fn runs_for_a_silent_destination_wait_and_the_rest_is_dispatched() {
    let mut shard = Shard::new();
    shard.open();
    let due = shard.now;
    shard.add(HANGS, (0..3).map(|n| format!("later-{n}")), "");
    shard.add("https://good.example", ["good".to_owned()], "");
    assert_eq!(ids(&shard.wait(100)), [format!("good@{due}#1")]);
    assert_eq!(shard.waiting(), 3);
    // The retries of the first five, due after a second, wait, too.
    assert!(shard.wait(1_400).is_empty());
    assert_eq!((shard.waiting(), shard.engine.stats(shard.now).pending), (8, 8));
    let explanation = shard.engine.explain("later-1", shard.now, &shard.stored).unwrap();
    assert!(
        explanation.reasons.iter().any(|reason| reason.code == ReasonCode::CircuitOpen),
        "{explanation:?}"
    );
    assert!(shard.wait(8_000).is_empty(), "nothing is dispatched while the circuit is open");
    let probe = shard.wait(500);
    assert_eq!(ids(&probe).len(), 1);
    assert_eq!(shard.state(), Some((CircuitState::HalfOpen, PROBE_MILLIS)));
    shard.now = shard.now.plus(200);
    shard.well(&probe[0]);
    assert_eq!(shard.state(), None);
    // The waiting runs are dispatched within the stretch, with the attempt number they had.
    let mut gone: Vec<String> = ids(&probe);
    gone.extend(ids(&shard.wait(PROBED_MILLIS - 200)));
    gone.sort();
    let mut expected: Vec<String> = (0..3).map(|n| format!("later-{n}@{due}#1")).collect();
    expected.extend((0..5).map(|n| format!("first-{n}@{NOW}#2")));
    expected.sort();
    assert_eq!(gone, expected);
}

#[test]
fn the_open_time_doubles_up_to_the_longest() {
    let mut shard = Shard::new();
    shard.open();
    for wait in [10, 20, 40, 80, 160, 300, 300] {
        assert_eq!(shard.state(), Some((CircuitState::Open, wait * 1_000)));
        assert!(shard.wait(wait * 1_000 - 1).is_empty());
        let probe = shard.wait(1);
        assert_eq!(ids(&probe).len(), 1, "{probe:?}");
        // The others wait while the probe is in flight.
        assert!(shard.wait(9_000).is_empty());
        shard.silent(&probe[0]);
    }
    assert_eq!(shard.engine.stats(shard.now).pending, 5, "none is lost");
}

#[test]
fn four_silent_attempts_or_an_answer_among_them_open_nothing() {
    let mut shard = Shard::new();
    for _ in 0..10 {
        shard.add(
            HANGS,
            (0..4).map(|n| format!("{}-{n}", shard.now)).collect::<Vec<_>>(),
            r#","description":"x""#,
        );
        let sent = shard.wake();
        let failed = (0..3).map(|index| Failure {
            index,
            error: "timed out".to_owned(),
            permanent: true,
            ..Failure::default()
        });
        shard.report(&Report {
            seq: sent[0].0,
            failed: failed.collect(),
            no_answer: vec![0, 1, 2],
            ..Report::default()
        });
        assert_eq!(shard.state(), None);
        shard.now = shard.now.plus(500);
    }
    // A failure with a status is an answer, too.
    shard.add(HANGS, (0..50).map(|n| format!("failing-{n}")), "");
    let sent = shard.wake();
    let failed =
        (0..50).map(|index| Failure { index, error: "HTTP 500".to_owned(), ..Failure::default() });
    shard.report(&Report { seq: sent[0].0, failed: failed.collect(), ..Report::default() });
    assert_eq!(shard.state(), None);
    assert_eq!(shard.wait(1_000).len(), 1);
}

#[test]
fn a_restart_keeps_open_circuits_for_which_runs_wait() {
    let mut shard = Shard::new();
    shard.open();
    shard.add(HANGS, ["later".to_owned()], "");
    assert!(shard.wait(100).is_empty());
    shard.restart();
    assert_eq!(
        (shard.state(), shard.waiting()),
        (Some((CircuitState::Open, FIRST_OPEN_MILLIS - 100)), 1)
    );
    let probe = shard.wait(FIRST_OPEN_MILLIS - 100);
    assert_eq!(ids(&probe).len(), 1);
    // Half-open: the probe is still in flight.
    shard.restart();
    assert_eq!(shard.state(), Some((CircuitState::HalfOpen, PROBE_MILLIS)));
    assert!(shard.wait(1).is_empty());
    shard.well(&probe[0]);
    shard.restart();
    assert_eq!(shard.state(), None);
    assert_eq!(ids(&shard.wait(PROBED_MILLIS)).len(), 5);
}

#[test]
fn another_probe_follows_one_that_was_not_started() {
    let mut shard = Shard::new();
    shard.open();
    let probe = shard.wait(FIRST_OPEN_MILLIS);
    assert_eq!(ids(&probe).len(), 1);
    shard.report(&Report { seq: probe[0].0, not_started: vec![0], ..Report::default() });
    let again = shard.wait(100);
    assert_eq!(ids(&again), ids(&probe));
    // The engine does not wait forever for a lost probe.
    let next = shard.wait(PROBE_MILLIS);
    assert_eq!(ids(&next).len(), 1);
    assert_ne!(ids(&next), ids(&probe));
    // The lost probe comes back after all, but only the newest probe counts.
    shard.silent(&again[0]);
    assert_eq!(shard.state(), Some((CircuitState::HalfOpen, PROBE_MILLIS)));
    shard.silent(&next[0]);
    assert_eq!(shard.state(), Some((CircuitState::Open, 2 * FIRST_OPEN_MILLIS)));
}

#[test]
fn silence_from_before_the_opening_does_not_double_the_time() {
    let mut shard = Shard::new();
    shard.add(HANGS, (0..150).map(|n| format!("many-{n}")), "");
    let sent = shard.wake();
    assert_eq!(sent.len(), 2);
    shard.silent(&sent[0]);
    shard.silent(&sent[1]);
    assert_eq!(shard.state(), Some((CircuitState::Open, FIRST_OPEN_MILLIS)));
    // An answer to an attempt that was already in flight closes the circuit.
    let mut shard = Shard::new();
    shard.add(HANGS, (0..150).map(|n| format!("many-{n}")), "");
    let sent = shard.wake();
    shard.silent(&sent[0]);
    shard.well(&sent[1]);
    assert_eq!(shard.state(), None);
}

#[test]
fn a_hundred_runs_of_a_recurring_task_wait_and_the_rest_is_skipped() {
    let mut shard = Shard::new();
    shard.open();
    shard.add_every_second(HANGS, "");
    let mut probes = 0;
    for _ in 0..400 {
        for sent in shard.wait(1_000) {
            assert_eq!(sent.1.len(), 1);
            probes += 1;
            shard.silent(&sent);
        }
    }
    assert!(probes >= 5);
    let stats = shard.engine.stats(shard.now);
    // Subtract the first five runs and the schedule itself; what is left are the waiting runs.
    let waiting = stats.pending - 6;
    assert!(
        (MAX_DEFERRED_RUNS as u64 - 10..=MAX_DEFERRED_RUNS as u64).contains(&waiting),
        "{waiting}"
    );
    assert!((290..=400).contains(&(stats.counters.skipped + waiting)), "{stats:?}");
}

#[test]
fn a_run_that_waits_for_its_destination_is_still_going_on() {
    let mut shard = Shard::new();
    shard.open();
    shard.add_every_second(HANGS, r#","overlap":"skip""#);
    for _ in 0..5 {
        assert!(shard.wait(1_000).is_empty());
    }
    let stats = shard.engine.stats(shard.now);
    assert_eq!((stats.pending - 6, stats.counters.skipped), (1, 4));
}

#[test]
fn a_run_that_waits_for_its_destination_can_expire_but_is_not_missed() {
    let mut shard = Shard::new();
    shard.open();
    shard.add(HANGS, ["expires".to_owned()], r#","expireAfterSeconds":5"#);
    shard.add(HANGS, ["late".to_owned()], r#","misfire":{"policy":"skip","graceSeconds":1}"#);
    assert!(shard.wait(100).is_empty());
    let probe = shard.wait(FIRST_OPEN_MILLIS - 100);
    shard.well(&probe[0]);
    let mut gone = ids(&probe);
    gone.extend(ids(&shard.wait(PROBED_MILLIS)));
    assert!(gone.iter().any(|key| key.starts_with("late@")), "{gone:?}");
    assert!(!gone.iter().any(|key| key.starts_with("expires@")), "{gone:?}");
    let counters = shard.engine.stats(shard.now).counters;
    assert_eq!((counters.expired, counters.skipped), (1, 0));
}

#[test]
fn readers_of_events_see_each_change_of_a_circuit() {
    let mut shard = Shard::new();
    let request = |from| EventsRequest {
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
    let from = shard.engine.events(&request(None), shard.now).next;
    shard.open();
    let probe = shard.wait(FIRST_OPEN_MILLIS);
    shard.silent(&probe[0]);
    let probe = shard.wait(2 * FIRST_OPEN_MILLIS);
    shard.well(&probe[0]);
    let reply = shard.engine.events(&request(Some(from)), shard.now);
    let kinds: Vec<_> = reply
        .events
        .iter()
        .filter(|event| event.destination.as_deref() == Some(HANGS))
        .map(|event| event.kind)
        .collect();
    use EventKind::{CircuitClosed, CircuitHalfOpen, CircuitOpened};
    assert_eq!(
        kinds,
        [CircuitOpened, CircuitHalfOpen, CircuitOpened, CircuitHalfOpen, CircuitClosed]
    );
}

#[test]
fn circuits_are_bounded_and_forgotten() {
    let mut shard = Shard::new();
    for n in 0..MAX_CIRCUITS + 8 {
        let host = format!("https://h{n}.example");
        shard.add(&host, (0..5).map(|of| format!("{n}-{of}")), "");
    }
    for sent in shard.wake() {
        shard.silent(&sent);
    }
    assert_eq!(shard.engine.stats(shard.now).circuits.len(), MAX_CIRCUITS);
    // A closed circuit with one or two failures makes room for another.
    let mut shard = Shard::new();
    for n in 0..MAX_CIRCUITS + 8 {
        shard.add(&format!("https://h{n}.example"), [format!("one-{n}")], "");
    }
    shard.wake().iter().for_each(|sent| shard.silent(sent));
    assert_eq!(shard.engine.circuits.circuits.len(), MAX_CIRCUITS);
    shard.now = shard.now.plus(100);
    shard.open();
    assert_eq!(shard.engine.circuits.circuits.len(), MAX_CIRCUITS);
    // Circuits that no report mentions are forgotten.
    let mut shard = Shard::new();
    shard.add(HANGS, (0..5).map(|n| format!("once-{n}")), r#","expireAfterSeconds":1"#);
    let sent = shard.wake();
    shard.silent(&sent[0]);
    assert!(shard.state().is_some());
    shard.wait(FIRST_OPEN_MILLIS + FORGOTTEN_AFTER_MILLIS - 1);
    assert!(shard.state().is_some());
    shard.wait(1);
    assert_eq!(shard.state(), None);
}

/// A state without circuits, from an earlier version, can be read, and so can one with a circuit.
#[test]
fn a_stored_circuit_can_be_read() {
    let circuit = Circuit {
        destination: HANGS.to_owned(),
        failures: 7,
        last: NOW,
        open: Some(Open {
            since: NOW,
            until: NOW.plus(9),
            millis: 10,
            probe: Some(Probe { seq: EnvelopeSeq::new(3), at: NOW }),
            waiting: vec![(NOW, 2)],
        }),
    };
    let text = r#"{"destination":"https://hangs.example","failures":7,"last":1764000000000,"open":{"since":1764000000000,"until":1764000000009,"millis":10,"probe":{"seq":3,"at":1764000000000},"waiting":[[1764000000000,2]]}}"#;
    assert_eq!(serde_json::to_string(&circuit).unwrap(), text);
    assert_eq!(serde_json::from_str::<Circuit>(text).unwrap(), circuit);
    assert_eq!(
        serde_json::from_str::<crate::state::State>("{}").unwrap(),
        crate::state::State::default()
    );
}
