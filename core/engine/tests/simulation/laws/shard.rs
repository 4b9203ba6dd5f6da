//! A shard under a law: its engine, its storage, and the tasks that it gets.

use crate::invariants::what_of;
use crate::model::What;
use crate::regressions::ids;
use crate::storage::{Storage, Waiting};
use scheduler_calendar::local_time::{Law, LocalTime};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Config, Effects, Engine, Write};
use scheduler_model::format::envelope::Envelope;
use scheduler_model::format::page::{Flags, PageBuilder};
use scheduler_model::numbers::LaneNumber;
use scheduler_model::protocol::{Append, Change, ChangeRequest, Terms};
use scheduler_model::routing::id_hash;
use scheduler_model::task::Record;

pub(crate) const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);
pub(crate) const HOUR: i64 = 3_600_000;
pub(super) const ZONES: [&str; 3] = ["America/Vancouver", "Asia/Tokyo", "Europe/London"];

/// Returns the law by which Vancouver's clock is `H` hours slower than by the tables, Tokyo's is
/// `H` hours faster, and London's is unchanged.
fn by<const H: i64>(local: LocalTime, zone: &str) -> Option<UnixMillis> {
    let instant = local.instant(zone.parse().ok()?)?;
    Some(instant.plus(match zone {
        "America/Vancouver" => H * HOUR,
        "Asia/Tokyo" => -H * HOUR,
        _ => 0,
    }))
}

pub(crate) const LAWS: [Law; 4] = [
    Law { release: "2026a", instant: by::<0> },
    Law { release: "2026b", instant: by::<1> },
    Law { release: "2026c", instant: by::<-1> },
    Law { release: "2026d", instant: by::<3> },
];

/// An engine and its storage, under a law.
pub(crate) struct Shard {
    pub(crate) engine: Engine,
    pub(crate) storage: Storage,
    pub(crate) now: UnixMillis,
    pub(crate) law: Law,
}

/// A task as a client sends it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given {
    pub(crate) at: UnixMillis,
    pub(crate) local: Option<(LocalTime, &'static str)>,
    pub(crate) paused: bool,
    pub(crate) fields: &'static str,
    pub(crate) key: Option<&'static str>,
}

pub(crate) fn load(storage: &Storage, law: Law) -> Engine {
    let config =
        Config { max_dispatched: usize::MAX, fire_gap_millis: 0, law, ..Config::default() };
    Engine::load("1-0", config, storage.snapshot()).unwrap()
}

pub(crate) fn fired_by(effects: &Effects) -> Vec<(String, i64)> {
    let mut fired = Vec::new();
    for write in &effects.writes {
        let Write::InsertEnvelope { text, .. } = write else { continue };
        let envelope = Envelope::parse(std::str::from_utf8(text).unwrap()).unwrap();
        fired.extend(envelope.tasks.iter().map(|task| {
            let record = Record::parse(task.get().as_bytes()).unwrap();
            (record.id.clone().into_owned(), record.time.unwrap().get())
        }));
    }
    assert_eq!(fired.len(), ids(effects).len());
    fired
}

impl Given {
    /// Returns a task at a local time.
    pub(crate) fn local(text: &str, zone: &'static str, law: &Law) -> Self {
        let local: LocalTime = text.parse().unwrap();
        let at = (law.instant)(local, zone).unwrap();
        Self { at, local: Some((local, zone)), paused: false, fields: "", key: None }
    }

    /// Returns a task at an instant.
    pub(crate) fn instant(at: UnixMillis) -> Self {
        Self { at, local: None, paused: false, fields: "", key: None }
    }

    pub(crate) fn record(&self, id: &str, fill: usize) -> String {
        let local = self.local.map_or_else(String::new, |(local, zone)| {
            format!(r#""timezone":"{zone}","local":{{"time":"{local}"}},"#)
        });
        let key = self.key.map_or_else(String::new, |key| format!(r#","limitKey":"{key}""#));
        let (time, fields, fill) = (self.at, self.fields, "x".repeat(fill));
        format!(
            r#"{{"time":{time},"id":"{id}",{local}{fields}"callback":{{"type":"handler","name":"log"}},"payload":"{fill}"{key}}}"#
        )
    }
}

impl Shard {
    pub(crate) fn new(law: Law) -> Self {
        let storage = Storage::default();
        let mut engine = load(&storage, law);
        engine.observe(NOW);
        Self { engine, storage, now: NOW, law }
    }

    /// Restarts from storage, under a law.
    pub(crate) fn restart(&mut self, law: Law) {
        self.law = law;
        self.engine = load(&self.storage, law);
        let observed = self.engine.observe(self.now);
        self.storage.apply(&observed.writes);
    }

    pub(crate) fn commit(&mut self, effects: &Effects, is_wake: bool) {
        self.storage.check_budget(&effects.writes, is_wake);
        self.storage.apply(&effects.writes);
    }

    pub(crate) fn append(&mut self, tasks: &[(String, Given)], fill: usize) {
        let mut builder = PageBuilder::default();
        let key = tasks.iter().find_map(|(_, given)| given.key);
        for (id, given) in tasks {
            let text = given.record(id, fill);
            let record = Record::parse(text.as_bytes()).unwrap();
            let due = if given.paused { UnixMillis::PAUSED } else { record.due() };
            let flags = if record.is_conditional() { Flags::CONDITIONAL } else { Flags::TASK };
            let flags = flags.with_local(given.local.is_some());
            assert!(
                builder.push(id_hash(id), due, flags, |out| out.extend_from_slice(text.as_bytes()))
            );
        }
        let mut pages = builder.finish();
        pages
            .iter_mut()
            .for_each(|page| page.directory.set_lane(LaneNumber::new(u8::from(key.is_some()))));
        let terms =
            Terms { keys: key.into_iter().map(str::to_owned).collect(), ..Terms::default() };
        let append = Append { fresh: false, pages, terms, ..Append::default() };
        let append = Append::decode(&append.encode()).unwrap();
        let (_, effects) = self.engine.append(append, self.now, &self.storage).unwrap();
        self.commit(&effects, false);
    }

    pub(crate) fn change(&mut self, id: &str, change: Change) {
        let request =
            ChangeRequest { ids: vec![id.to_owned()], change, if_match: None, pause: None };
        let (_, effects) = self.engine.change(&request, self.now, &self.storage).unwrap();
        self.commit(&effects, false);
    }

    pub(crate) fn wake(&mut self) -> Effects {
        let effects = self.engine.wake(self.now, &self.storage).unwrap();
        self.commit(&effects, true);
        effects
    }

    /// Wakes the shard until no wake-up is due, in steps of at least a millisecond. Returns the ids
    /// that have fired, and the times of their runs.
    pub(crate) fn settle(&mut self) -> Vec<(String, i64)> {
        let mut fired = Vec::new();
        for _ in 0..10_000 {
            if self.engine.next_wakeup().is_none_or(|next| next > self.now) {
                return fired;
            }
            let effects = self.wake();
            fired.extend(fired_by(&effects));
            self.now = self.now.plus(1);
            let observed = self.engine.observe(self.now);
            self.storage.apply(&observed.writes);
        }
        panic!("the wake-ups do not end");
    }

    /// Returns the waiting record of an id, without dead letters, and when it is due.
    pub(crate) fn waiting(&self, id: &str) -> Option<(UnixMillis, String)> {
        let waiting = self.storage.waiting();
        let is_it =
            |waiting: &Waiting| what_of(waiting) != What::Dead && *waiting.record.facts().id == *id;
        let found = waiting.into_iter().find(is_it)?;
        Some((found.position.due, String::from_utf8(found.record.to_vec()).unwrap()))
    }

    pub(super) fn has_local(&self) -> bool {
        self.storage.pages.values().any(|row| row.directory.has_local())
    }

    /// Returns the release that the stored state names.
    pub(crate) fn stored_law(&self) -> Option<String> {
        let state = self.storage.outbox.values().rev().find_map(|row| row.state.as_ref())?;
        let state: serde_json::Value = serde_json::from_slice(state).unwrap();
        state["law"].as_str().map(str::to_owned)
    }
}
