//! A shard of the cases of two epochs, and its dispatchers.

use crate::invariants::what_of;
use crate::model::{Firing, What, firing_of};
use crate::random::Random;
use crate::storage::{Storage, Waiting};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Config, Effects, Engine, Outgoing};
use scheduler_model::format::envelope::Envelope;
use scheduler_model::protocol::{Failure, Report};
use scheduler_model::task::Record;
use std::collections::BTreeMap;

/// A shard with its storage.
pub(super) struct Place {
    pub(super) engine: Engine,
    pub(super) storage: Storage,
    /// The envelopes to be reported, and when.
    pub(super) running: Vec<(UnixMillis, Outgoing)>,
    pub(super) fired: BTreeMap<Firing, u32>,
}

pub(super) fn load(storage: &Storage) -> Engine {
    let config = Config { max_dispatched: usize::MAX, fire_gap_millis: 0, ..Config::default() };
    Engine::load("1-0", config, storage.snapshot()).unwrap()
}

/// Returns whether an attempt fails. The result is the same on the twin.
fn fails(firing: Firing) -> bool {
    let drawn = Random::new(
        firing.version ^ firing.time.cast_unsigned() ^ u64::from(firing.attempt).rotate_left(32),
    )
    .next();
    drawn % 5 < 2
}

impl Place {
    pub(super) fn new() -> Self {
        let storage = Storage::default();
        Self { engine: load(&storage), storage, running: Vec::new(), fired: BTreeMap::new() }
    }

    pub(super) fn commit(&mut self, effects: Effects) -> bool {
        let writes = !effects.writes.is_empty();
        self.storage.apply(&effects.writes);
        writes
    }

    /// Fires what is due, and reports what has run for `runs_for` milliseconds.
    pub(super) fn live(&mut self, now: UnixMillis, runs_for: i64) {
        self.report(now);
        while self.wake(now, runs_for) {
            self.report(now);
        }
    }

    /// Reports the envelopes that have ended by now.
    pub(super) fn report(&mut self, now: UnixMillis) {
        for (_, sent) in self.running.extract_if(.., |(ends, _)| *ends <= now).collect::<Vec<_>>() {
            let envelope = Envelope::parse(std::str::from_utf8(&sent.text).unwrap()).unwrap();
            let is_failed = |task: &str| fails(firing_of(&Record::parse(task.as_bytes()).unwrap()));
            let failed = (0..).zip(&envelope.tasks).filter(|(_, task)| is_failed(task.get()));
            let failed = failed
                .map(|(index, _)| Failure { index, error: "no".to_owned(), ..Failure::default() })
                .collect();
            let report = Report { seq: sent.seq, failed, ..Report::default() };
            let effects = self.engine.report(&report, now, &self.storage).unwrap();
            self.commit(effects);
        }
    }

    /// Fires what is due. It is reported `runs_for` milliseconds later. Returns whether there was
    /// anything to do.
    pub(super) fn wake(&mut self, now: UnixMillis, runs_for: i64) -> bool {
        if self.engine.next_wakeup().is_none_or(|at| at > now) {
            return false;
        }
        let effects = self.engine.wake(now, &self.storage).unwrap();
        let sends = effects.sends.clone();
        self.commit(effects);
        for sent in sends {
            for task in Envelope::parse(std::str::from_utf8(&sent.text).unwrap()).unwrap().tasks {
                *self
                    .fired
                    .entry(firing_of(&Record::parse(task.get().as_bytes()).unwrap()))
                    .or_default() += 1;
            }
            self.running.push((now.plus(runs_for), sent));
        }
        true
    }

    /// Returns the number of waiting entries and runs in flight under an id, without dead letters.
    pub(super) fn lives(&self, id: &str) -> usize {
        let waiting = self
            .holds()
            .into_iter()
            .filter(|(of, what, _)| of == id && *what != What::Dead)
            .count();
        let is_of_id = |task: &&serde_json::value::RawValue| {
            Record::parse(task.get().as_bytes()).unwrap().id == id
        };
        let texts = self.running.iter().map(|(_, sent)| std::str::from_utf8(&sent.text).unwrap());
        waiting
            + texts.flat_map(|text| Envelope::parse(text).unwrap().tasks).filter(is_of_id).count()
    }

    /// Returns what waits under each id.
    pub(super) fn holds(&self) -> Vec<(String, What, String)> {
        let one = |waiting: &Waiting| {
            let text = String::from_utf8_lossy(&waiting.record).into_owned();
            (waiting.record.facts().id.to_string(), what_of(waiting), text)
        };
        self.storage.waiting().iter().map(one).collect()
    }
}
