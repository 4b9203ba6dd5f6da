//! A shard and a limiter that always answers, for tests.

use super::*;
use crate::Reader;
use crate::error::EngineError;
use crate::limiter::Limiter;
use crate::testing::Memory;
use crate::{Config, Destination, Engine, Keep, KeyedLeaseRequest};
use scheduler_model::format::envelope::Envelope;
use scheduler_model::format::page::{Directory, Entry, Flags, PageBuilder};
use scheduler_model::limit::Limit;
use scheduler_model::numbers::{EnvelopeSeq, LaneNumber};
use scheduler_model::protocol::limiter::{LimiterRequest, Named};
use scheduler_model::protocol::{Append, CancelRequest, Report, Terms};
use scheduler_model::routing::id_hash;
use scheduler_model::task::Record;

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

/// A shard and a limiter that always answers.
pub(crate) struct Pair {
    pub(crate) engine: Engine,
    pub(crate) stored: Memory,
    pub(crate) limiter: Limiter,
    pub(crate) now: UnixMillis,
    config: Config,
    /// The sum of the waiting tasks that all requests reported to a limiter.
    pub(crate) reported_waiting: u64,
    /// When the envelopes in flight are to be reported.
    running: Vec<(UnixMillis, EnvelopeSeq)>,
}

pub(crate) fn load(stored: &Memory, max_dispatched: usize) -> Engine {
    let config = Config { history: Keep::Off, max_dispatched, ..Config::default() };
    stored.load("1-0", config)
}

impl Pair {
    pub(crate) fn new(max_dispatched: usize) -> Self {
        Self::keeping(max_dispatched, Keep::Off)
    }

    pub(crate) fn keeping(max_dispatched: usize, keep: Keep) -> Self {
        Self::with(Config { history: keep, max_dispatched, ..Config::default() })
    }

    pub(crate) fn with(config: Config) -> Self {
        let stored = Memory::default();
        let engine = stored.load("1-0", config);
        Self {
            engine,
            stored,
            limiter: Limiter::default(),
            now: NOW,
            config,
            reported_waiting: 0,
            running: Vec::new(),
        }
    }

    pub(crate) fn restart(&mut self) {
        let config = Config { max_dispatched: usize::MAX, ..self.config };
        self.engine = self.stored.load("1-0", config);
    }

    pub(crate) fn reconfigure(&mut self, config: Config) {
        self.config = config;
        self.restart();
    }

    pub(crate) fn change_within(
        &mut self,
        request: &scheduler_model::protocol::ChangeRequest,
        share: Option<scheduler_model::access::Share>,
    ) -> Result<scheduler_model::protocol::ChangeReply, EngineError> {
        let (reply, effects) = self.engine.change_among(
            request,
            scheduler_model::protocol::Among::All,
            share,
            self.now,
            &self.stored,
        )?;
        self.commit(&effects);
        Ok(reply)
    }

    /// Gives the engine an input and commits its effects.
    pub(crate) fn input<T>(
        &mut self,
        call: impl FnOnce(&mut Engine, UnixMillis, &dyn Reader) -> Result<(T, Effects), EngineError>,
    ) -> T {
        let (reply, effects) = call(&mut self.engine, self.now, &self.stored).unwrap();
        self.commit(&effects);
        reply
    }

    pub(crate) fn reader(&self) -> &dyn Reader {
        &self.stored
    }

    /// Stores the dead letters as never due, as earlier versions did, and restarts.
    pub(crate) fn age_dead_letters(&mut self) {
        for row in self.stored.pages.values_mut() {
            let aged = |mut entry: Entry| {
                if entry.flags.has(Flags::DEAD_LETTER) {
                    entry.due = UnixMillis::NEVER;
                }
                entry
            };
            let mut aged = Directory::new(row.directory.iter().map(aged).collect());
            aged.set_keyed();
            row.directory = aged;
        }
        self.restart();
    }

    /// Discards the dead letters of an id.
    pub(crate) fn discard(&mut self, id: &str) {
        let request = CancelRequest { ids: vec![id.to_owned()], if_match: None };
        let (_, effects) = self
            .engine
            .cancel_among(&request, scheduler_model::protocol::Among::Dead, self.now, &self.stored)
            .unwrap();
        self.commit(&effects);
    }

    pub(crate) fn explain(&self, id: &str) -> scheduler_model::explain::Explanation {
        self.engine.explain(id, self.now, &self.stored).unwrap()
    }

    pub(crate) fn writes(&self) -> usize {
        self.stored.writes
    }

    /// Appends one task, as a request would. `rest` contains its other members. A task with a
    /// schedule in `rest` recurs. Without a callback in `rest`, the task calls a handler.
    pub(crate) fn create(&mut self, key: &str, id: &str, time: Option<UnixMillis>, rest: &str) {
        self.try_create(key, id, time, rest).unwrap();
    }

    /// Does the same, and returns the reply. An empty `key` means no key.
    pub(crate) fn try_create(
        &mut self,
        key: &str,
        id: &str,
        time: Option<UnixMillis>,
        rest: &str,
    ) -> Result<(), EngineError> {
        let time = time.map_or_else(String::new, |time| format!("\"time\":{time},"));
        let mut builder = PageBuilder::default();
        let limit = if key.is_empty() { String::new() } else { format!(r#""limitKey":"{key}""#) };
        let callback = if rest.contains("\"callback\":") {
            ""
        } else {
            r#""callback":{"type":"handler","name":"log"},"#
        };
        let members = format!(r#"{time}"id":"{id}",{rest}{callback}{limit}"#);
        let record = format!("{{{}}}", members.trim_end_matches(','));
        let read = Record::parse(record.as_bytes()).unwrap();
        let keys = Some(key.to_owned()).filter(|key| !key.is_empty()).into_iter().collect();
        let mut append = Append { terms: Terms { keys, ..Terms::default() }, ..Append::default() };
        if read.is_recurring() {
            append.schedules.push(record.clone().into_bytes());
        } else {
            let flags = if read.is_conditional() { Flags::CONDITIONAL } else { Flags::TASK };
            let due = read.time.map_or(UnixMillis::NEVER, |_| read.due());
            assert!(
                builder
                    .push(id_hash(id), due, flags, |out| out.extend_from_slice(record.as_bytes()))
            );
            append.pages = builder.finish();
            append.pages.iter_mut().for_each(|page| {
                page.directory.set_lane(LaneNumber::new(u8::from(!key.is_empty())))
            });
        }
        let (_, effects) = self.engine.append(append, self.now, &self.stored)?;
        self.commit(&effects);
        Ok(())
    }

    pub(crate) fn cancel(&mut self, id: &str) {
        let request = CancelRequest { ids: vec![id.to_owned()], if_match: None };
        let (_, effects) = self.engine.cancel(&request, self.now, &self.stored).unwrap();
        self.commit(&effects);
    }

    pub(crate) fn status(&self, id: &str) -> Option<scheduler_model::protocol::Status> {
        self.engine.get(id, &self.stored).unwrap().map(|item| item.status)
    }

    /// Returns the outcomes and errors of a task's runs, newest first.
    pub(crate) fn outcomes(&self, id: &str) -> Vec<(String, String)> {
        let request = scheduler_model::protocol::RunsRequest::of_task(id, None, 1_000);
        let text =
            |run: &serde_json::Value, name: &str| run[name].as_str().unwrap_or_default().to_owned();
        let runs = self.engine.runs(&request, self.now, &self.stored).unwrap().items.into_iter();
        let runs =
            runs.map(|item| serde_json::from_str::<serde_json::Value>(item.run.get()).unwrap());
        runs.map(|run| (text(&run, "outcome"), text(&run, "error"))).collect()
    }

    /// Returns the ids of the tasks in flight.
    pub(crate) fn ids_in_flight(&self) -> Vec<String> {
        let rows = self.stored.outbox.values().filter(|row| row.destination.is_some());
        let texts = rows.map(|row| std::str::from_utf8(&row.text).unwrap());
        let tasks = texts.flat_map(|text| Envelope::parse(text).unwrap().tasks);
        tasks.map(|task| Record::parse(task.get().as_bytes()).unwrap().id.into_owned()).collect()
    }

    /// Returns the envelopes in flight: their numbers, and the keys of their lanes. Envelopes of
    /// the main order have none.
    pub(crate) fn envelopes_in_flight(&self) -> Vec<(EnvelopeSeq, Option<String>)> {
        let rows = self.stored.outbox.iter();
        let rows = rows.filter_map(|(seq, row)| Some((*seq, row.destination.clone()?)));
        rows.map(|(seq, to)| match to {
            Destination::Lane(lane) => {
                (seq, self.engine.lanes.describe(lane).map(|(key, _)| key.to_owned()))
            }
            _ => (seq, None),
        })
        .collect()
    }

    /// Returns the slots that all shards hold for a key.
    pub(crate) fn slots(&self, key: &str) -> u64 {
        self.limiter.slots(key)
    }

    pub(crate) fn limit(&mut self, key: &str, concurrency: u32) {
        self.limit_both(key, Some(concurrency), None);
    }

    pub(crate) fn limit_both(
        &mut self,
        key: &str,
        concurrency: Option<u32>,
        per_second: Option<f64>,
    ) {
        let limit = Limit { concurrency, per_second };
        self.limiter.put(Named { key: key.to_owned(), limit }, self.now).unwrap();
    }

    /// Wakes the shard at each requested time, as its shell does, and reports what it dispatches
    /// after `runs_for` milliseconds. Returns the times at which runs were dispatched, and the
    /// number of wake-ups.
    pub(crate) fn live(&mut self, until: UnixMillis, runs_for: i64) -> (Vec<UnixMillis>, usize) {
        let (mut dispatched, mut wakeups) = (Vec::new(), 0);
        loop {
            let next = self.engine.next_wakeup().map(|next| next.max(self.now.plus(1)));
            let ends = self.running.iter().map(|(ends, _)| *ends).min();
            let Some(at) = next.into_iter().chain(ends).min().filter(|at| *at <= until) else {
                break;
            };
            self.now = at;
            let ended: Vec<EnvelopeSeq> =
                self.running.extract_if(.., |(ends, _)| *ends <= at).map(|(_, seq)| seq).collect();
            ended.into_iter().for_each(|seq| self.report(seq));
            if next == Some(at) {
                wakeups += 1;
                for (seq, _, tasks) in self.wake() {
                    dispatched.extend(std::iter::repeat_n(at, tasks));
                    self.running.push((at.plus(runs_for), seq));
                }
            }
        }
        self.now = until;
        (dispatched, wakeups)
    }

    pub(crate) fn commit(&mut self, effects: &Effects) {
        self.stored.apply(&effects.writes);
    }

    pub(crate) fn append(
        &mut self,
        keys: &[&str],
        tasks: impl IntoIterator<Item = (usize, String)>,
    ) -> Result<(), EngineError> {
        let mut builders: Vec<PageBuilder> =
            (0..=keys.len()).map(|_| PageBuilder::default()).collect();
        for (key, id) in tasks {
            let limit = key
                .checked_sub(1)
                .map_or_else(String::new, |at| format!(r#","limitKey":"{}""#, keys[at]));
            let record = format!(
                r#"{{"time":{NOW},"id":"{id}","callback":{{"type":"handler","name":"log"}}{limit}}}"#
            );
            assert!(builders[key].push(id_hash(&id), NOW, Flags::TASK, |out| {
                out.extend_from_slice(record.as_bytes())
            }));
        }
        let pages = builders.into_iter().enumerate().flat_map(|(lane, builder)| {
            builder.finish().into_iter().map(move |mut page| {
                page.directory.set_lane(LaneNumber::new(lane as u8));
                page
            })
        });
        let terms =
            Terms { keys: keys.iter().map(|key| (*key).to_owned()).collect(), ..Terms::default() };
        let append = Append { pages: pages.collect(), terms, ..Append::default() };
        let (_, effects) = self.engine.append(append, self.now, &self.stored)?;
        self.commit(&effects);
        Ok(())
    }

    /// Wakes the shard and answers its requests. Returns the number of each new envelope, its lane
    /// (0 for the main order), and its number of tasks.
    pub(crate) fn wake(&mut self) -> Vec<(EnvelopeSeq, LaneNumber, usize)> {
        let effects = self.engine.wake(self.now, &self.stored).unwrap();
        self.commit(&effects);
        let mut asks = effects.asks;
        while let Some(KeyedLeaseRequest { key, request: ask }) = asks.pop() {
            self.reported_waiting += u64::from(ask.waiting);
            let asked = LimiterRequest { key, shard: "1-0".to_owned(), ask };
            let (answer, _) = self.limiter.ask(&asked, self.now);
            self.engine.limit_answered(&asked.key, ask.number, answer.as_ref(), self.now);
            if answer.is_some_and(|answer| answer.conversation.is_some()) {
                let mut again = self.engine.wake(self.now, &self.stored).unwrap();
                self.commit(&again);
                asks.append(&mut again.asks);
            }
        }
        let inserted = effects.writes.iter().filter_map(|write| match write {
            Write::InsertEnvelope { seq, destination, hashes, .. } => {
                let lane = if let Destination::Lane(lane) = destination {
                    *lane
                } else {
                    LaneNumber::MAIN
                };
                Some((*seq, lane, hashes.len() / 8))
            }
            _ => None,
        });
        inserted.collect()
    }

    pub(crate) fn report(&mut self, seq: EnvelopeSeq) {
        self.report_with(&Report { seq, ..Report::default() });
    }

    pub(crate) fn report_with(&mut self, report: &Report) {
        let effects = self.engine.report(report, self.now, &self.stored).unwrap();
        self.commit(&effects);
    }

    /// Reports that all tasks of an envelope have failed with this error.
    pub(crate) fn fail(&mut self, seq: EnvelopeSeq, permanent: bool, error: &str) {
        let tasks = self.stored.outbox[&seq].hashes.len() / 8;
        let failure = |index| scheduler_model::protocol::Failure {
            index,
            error: error.to_owned(),
            permanent,
            ..scheduler_model::protocol::Failure::default()
        };
        self.report_with(&Report {
            seq,
            failed: (0..tasks as u32).map(failure).collect(),
            ..Report::default()
        });
    }

    /// Returns the records that wait, and the dead letters.
    pub(crate) fn records(
        &self,
        status: scheduler_model::protocol::Status,
    ) -> Vec<serde_json::Value> {
        let filter = scheduler_model::protocol::Filter {
            status: Some(status),
            ..scheduler_model::protocol::Filter::default()
        };
        let request = scheduler_model::protocol::ListRequest {
            filter,
            limit: usize::MAX,
            ..scheduler_model::protocol::ListRequest::default()
        };
        let items = self.engine.list(&request, &self.stored).unwrap().items;
        items.iter().map(|item| serde_json::from_str(item.record.get()).unwrap()).collect()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.stored.outbox.values().map(|row| row.hashes.len() / 8).sum()
    }
}
