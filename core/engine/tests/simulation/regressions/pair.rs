//! A shard's engine and its storage, for short sequences of inputs.

use crate::storage::Storage;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::testing;
use scheduler_engine::{Config, Effects, Engine, Write};
use scheduler_model::format::envelope::Envelope;
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{Change, ChangeRequest, Changed, Detail, Failure, Report, Status};
use scheduler_model::task::Record;

pub(crate) const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

/// An engine and its storage, with no faults except those that a test requests.
pub(crate) struct Pair {
    pub(crate) engine: Engine,
    pub(crate) storage: Storage,
}

fn load(storage: &Storage) -> Engine {
    // The bound on dispatched tasks is off, so that the bounds of a firing decide.
    Engine::load(
        "1-0",
        Config { max_dispatched: usize::MAX, ..Config::default() },
        storage.snapshot(),
    )
    .unwrap()
}

pub(crate) fn record(id: &str, due: UnixMillis, fill: usize) -> String {
    let head = format!(
        r#"{{"time":{due},"id":"{id}","callback":{{"type":"handler","name":"log"}},"payload":""#
    );
    let fill = fill.saturating_sub(head.len() + 2);
    format!("{head}{}\"}}", "x".repeat(fill))
}

pub(crate) fn ids(effects: &Effects) -> Vec<String> {
    let mut ids = Vec::new();
    for write in &effects.writes {
        let Write::InsertEnvelope { text, .. } = write else { continue };
        let envelope = Envelope::parse(std::str::from_utf8(text).unwrap()).unwrap();
        ids.extend(
            envelope
                .tasks
                .iter()
                .map(|task| Record::parse(task.get().as_bytes()).unwrap().id.into_owned()),
        );
    }
    ids
}

impl Pair {
    pub(crate) fn new() -> Self {
        let storage = Storage::default();
        Self { engine: load(&storage), storage }
    }

    pub(crate) fn commit(&mut self, effects: Effects) -> Effects {
        self.storage.check_budget(&effects.writes, false);
        self.storage.apply(&effects.writes);
        effects
    }

    pub(crate) fn restart(&mut self) {
        self.engine = load(&self.storage);
    }

    pub(crate) fn reconfigure(&mut self, config: Config) {
        self.engine = Engine::load("1-0", config, self.storage.snapshot()).unwrap();
    }

    pub(crate) fn append(&mut self, tasks: impl IntoIterator<Item = (String, UnixMillis, String)>) {
        self.append_flagged(tasks, Flags::TASK);
    }

    pub(crate) fn append_flagged(
        &mut self,
        tasks: impl IntoIterator<Item = (String, UnixMillis, String)>,
        flags: Flags,
    ) {
        let tasks = tasks.into_iter().map(|(id, due, record)| (id, due, flags, record));
        let append = testing::append_flagged(tasks);
        let (_, effects) = self.engine.append(append, NOW, &self.storage).unwrap();
        self.commit(effects);
    }

    pub(crate) fn wake(&mut self, now: UnixMillis) -> Effects {
        let effects = self.engine.wake(now, &self.storage).unwrap();
        self.storage.check_budget(&effects.writes, true);
        self.commit(effects)
    }

    pub(crate) fn report(&mut self, report: &Report, now: UnixMillis) {
        let effects = self.engine.report(report, now, &self.storage).unwrap();
        self.commit(effects);
    }

    /// Reports that the first task of an envelope has failed, in an attempt that began at `started`
    /// by the dispatcher's clock.
    pub(crate) fn fail(&mut self, seq: EnvelopeSeq, started: UnixMillis, now: UnixMillis) {
        let failed = vec![Failure { index: 0, error: "no".to_owned(), ..Failure::default() }];
        let details = vec![Detail {
            index: 0,
            status: None,
            started_at: started,
            millis: 0,
            excerpt: String::new(),
        }];
        self.report(&Report { seq, failed, details, ..Report::default() }, now);
    }

    pub(crate) fn change_one(&mut self, id: &str, change: Change, now: UnixMillis) {
        let request =
            ChangeRequest { ids: vec![id.to_owned()], change, if_match: None, pause: None };
        let (reply, effects) = self.engine.change(&request, now, &self.storage).unwrap();
        assert_eq!(reply.outcomes, [Changed::Changed]);
        self.commit(effects);
    }

    pub(crate) fn status(&self, id: &str) -> Option<Status> {
        self.engine.get(id, &self.storage).unwrap().map(|item| item.status)
    }
}
