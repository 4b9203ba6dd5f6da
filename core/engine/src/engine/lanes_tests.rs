use super::*;
use crate::Reader;
use crate::error::EngineError;
use crate::limiter::Limiter;
use crate::testing::{self, Memory, record};
use crate::{Config, Destination, Engine, Keep, LimitAsk};
use scheduler_model::bounds::MAX_LANES;
use scheduler_model::format::envelope::Envelope;
use scheduler_model::format::page::{Directory, Entry, Flags, PageBuilder};
use scheduler_model::limit::Limit;
use scheduler_model::protocol::limiter::{LimiterRequest, Named};
use scheduler_model::protocol::{Append, CancelRequest, Cancelled, Report, Terms};
use scheduler_model::routing::id_hash;
use scheduler_model::task::Record;
use std::collections::BTreeMap;

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

/// A shard and a limiter that always answers.
pub(crate) struct Pair {
    pub(crate) engine: Engine,
    pub(crate) stored: Memory,
    limiter: Limiter,
    pub(crate) now: UnixMillis,
    config: Config,
    /// The sum of the waiting tasks that all requests reported to a limiter.
    pub(crate) reported_waiting: u64,
    /// When the envelopes in flight are to be reported.
    running: Vec<(UnixMillis, u64)>,
}

fn load(stored: &Memory, max_dispatched: usize) -> Engine {
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

    /// Stores the dead letters as due never, as earlier versions did, and restarts.
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
            append
                .pages
                .iter_mut()
                .for_each(|page| page.directory.set_lane(u8::from(!key.is_empty())));
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
    pub(crate) fn envelopes_in_flight(&self) -> Vec<(u64, Option<String>)> {
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

    fn limit(&mut self, key: &str, concurrency: u32) {
        self.limit_both(key, Some(concurrency), None);
    }

    pub(crate) fn limit_both(
        &mut self,
        key: &str,
        concurrency: Option<u32>,
        per_second: Option<f64>,
    ) {
        self.limiter
            .put(Named { key: key.to_owned(), limit: Limit { concurrency, per_second } })
            .unwrap();
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
            let ended: Vec<u64> =
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

    fn append(
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
                page.directory.set_lane(lane as u8);
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
    pub(crate) fn wake(&mut self) -> Vec<(u64, u8, usize)> {
        let effects = self.engine.wake(self.now, &self.stored).unwrap();
        self.commit(&effects);
        let mut asks = effects.asks;
        while let Some(LimitAsk { key, ask }) = asks.pop() {
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
                let lane = if let Destination::Lane(lane) = destination { *lane } else { 0 };
                Some((*seq, lane, hashes.len() / 8))
            }
            _ => None,
        });
        inserted.collect()
    }

    pub(crate) fn report(&mut self, seq: u64) {
        self.report_with(&Report { seq, ..Report::default() });
    }

    pub(crate) fn report_with(&mut self, report: &Report) {
        let effects = self.engine.report(report, self.now, &self.stored).unwrap();
        self.commit(&effects);
    }

    /// Reports that all tasks of an envelope have failed with this error.
    pub(crate) fn fail(&mut self, seq: u64, permanent: bool, error: &str) {
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

    fn in_flight(&self) -> usize {
        self.stored.outbox.values().map(|row| row.hashes.len() / 8).sum()
    }
}

#[test]
fn many_tasks_behind_a_limit_are_written_once() {
    let mut pair = Pair::new(usize::MAX);
    pair.limit("stripe", 10);
    pair.append(&["stripe"], (0..100_000).map(|n| (1, format!("task-{n}")))).unwrap();
    let pages = pair.stored.pages.len();
    let (mut waiting, before) = (std::collections::VecDeque::new(), pair.stored.writes);
    let mut ran = 0;
    while ran < 2_000 {
        pair.now = pair.now.plus(100);
        waiting.extend(pair.wake());
        assert!(pair.in_flight() <= 10, "{} in flight", pair.in_flight());
        assert_eq!(
            pair.engine.stats(pair.now).waiting_for_limits,
            100_000 - ran - pair.in_flight() as u64
        );
        for (seq, lane, tasks) in waiting.drain(..) {
            assert_eq!((lane, tasks), (1, 1), "with ten slots each task is an envelope of its own");
            pair.report(seq);
            ran += tasks as u64;
        }
    }
    let written = pair.stored.writes - before;
    // A task costs one row when it is dispatched and one when it is done. Deletions of empty pages
    // come on top.
    assert!(written <= 2 * ran as usize + 250, "{written} rows for {ran} tasks");
    assert!(pair.stored.pages.len() >= pages - 10);
    assert_eq!(pair.limiter.slots("stripe"), 10);
}

#[test]
fn a_restarted_shard_counts_the_runs_in_flight() {
    let mut pair = Pair::new(usize::MAX);
    pair.limit("stripe", 3);
    pair.append(&["stripe"], (0..10).map(|n| (1, format!("task-{n}")))).unwrap();
    pair.wake();
    pair.now = pair.now.plus(200);
    let dispatched = pair.wake();
    assert_eq!(dispatched.len(), 3);
    pair.engine = load(&pair.stored, usize::MAX);
    for _ in 0..50 {
        pair.now = pair.now.plus(200);
        assert!(pair.wake().is_empty(), "three are in flight");
    }
    pair.report(dispatched[0].0);
    pair.now = pair.now.plus(200);
    assert_eq!(pair.wake().len(), 1);
    // All waiting tasks are cancelled, and those in flight end. Neither the shard nor the limiter
    // keeps anything of the lane.
    let ids = (0..10).map(|n| format!("task-{n}")).collect();
    let (reply, effects) =
        pair.engine.cancel(&CancelRequest { ids, if_match: None }, pair.now, &pair.stored).unwrap();
    pair.commit(&effects);
    let cancelled =
        reply.outcomes.iter().filter(|outcome| **outcome == Cancelled::Cancelled).count();
    assert_eq!((cancelled, reply.running.len()), (9, 3));
    let seqs: Vec<u64> = pair
        .stored
        .outbox
        .iter()
        .filter(|(_, row)| row.destination.is_some())
        .map(|(seq, _)| *seq)
        .collect();
    seqs.into_iter().for_each(|seq| pair.report(seq));
    for _ in 0..20 {
        pair.now = pair.now.plus(200);
        pair.wake();
    }
    assert_eq!((pair.limiter.slots("stripe"), pair.engine.next_wakeup()), (0, None));
    let saved = pair.engine.save();
    pair.commit(&saved);
    assert!(!String::from_utf8(pair.stored.state().cloned().unwrap()).unwrap().contains("stripe"));
}

#[test]
fn a_wide_lane_has_larger_envelopes_but_never_more_than_a_tenth_of_its_slots() {
    let mut pair = Pair::new(usize::MAX);
    pair.limit("wide", 200);
    pair.append(&["wide"], (0..500).map(|n| (1, format!("task-{n}")))).unwrap();
    pair.wake();
    pair.now = pair.now.plus(200);
    let sizes: Vec<usize> = pair.wake().into_iter().map(|(_, _, tasks)| tasks).collect();
    assert_eq!(sizes, [20; 10]);
}

#[test]
fn the_dispatched_tasks_are_bounded_and_lanes_take_turns() {
    let mut pair = Pair::new(250);
    pair.limit("a", 1_000);
    pair.limit("b", 1_000);
    let tasks = (0..3_000).map(|n| (n % 3, format!("task-{n}")));
    pair.append(&["a", "b"], tasks).unwrap();
    let mut by_lane: BTreeMap<u8, usize> = BTreeMap::new();
    for _ in 0..6 {
        pair.now = pair.now.plus(200);
        let dispatched = pair.wake();
        assert!(pair.in_flight() <= 250, "{} in flight", pair.in_flight());
        for (seq, lane, tasks) in dispatched {
            *by_lane.entry(lane).or_default() += tasks;
            pair.report(seq);
        }
    }
    let (least, most) = (by_lane.values().min().unwrap(), by_lane.values().max().unwrap());
    assert!(by_lane.len() == 3 && *least >= 300 && *most <= 700, "{by_lane:?}");
}

#[test]
fn a_request_beyond_the_most_lanes_is_refused() {
    let mut pair = Pair::new(usize::MAX);
    let keys: Vec<String> = (0..MAX_LANES).map(|n| n.to_string()).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    pair.append(&keys, (1..=MAX_LANES).map(|key| (key, format!("task-{key}")))).unwrap();
    let refused = pair.append(&["one more"], [(1, "x".to_owned())]).unwrap_err();
    assert_eq!(refused, EngineError::TooManyLanes { held: MAX_LANES, asked: 1 });
    assert!(refused.to_string().contains("limitKey"), "{refused}");
    pair.append(&["7"], [(1, "x".to_owned())]).unwrap();
    pair.append(&[], [(0, "y".to_owned())]).unwrap();
    // Lanes without tasks make room.
    let ids = vec!["task-1".to_owned()];
    let (_, effects) =
        pair.engine.cancel(&CancelRequest { ids, if_match: None }, pair.now, &pair.stored).unwrap();
    pair.commit(&effects);
    pair.append(&["one more"], [(1, "z".to_owned())]).unwrap();
    pair.engine = load(&pair.stored, usize::MAX);
    assert_eq!(pair.engine.stats(NOW).waiting_for_limits, MAX_LANES as u64 + 1);
}

/// A lease that had never used its slots computed a time in the past for returning them. So the
/// shard sent a request after each reply, a thousand times per second, and ignored the limiter's
/// "wait".
#[test]
fn a_waiting_shard_sends_few_requests_per_second() {
    for (concurrency, per_second) in
        [(None, Some(0.2)), (None, Some(2.0)), (Some(3), Some(0.2)), (Some(1), None)]
    {
        let mut pair = Pair::new(usize::MAX);
        pair.limit_both("y", concurrency, per_second);
        // In each round, the lane starts with tasks that come and go. Pauses separate the rounds.
        for round in 0..3 {
            let begun = pair.now;
            pair.append(&["y"], (0..4).map(|n| (1, format!("{round}-{n}")))).unwrap();
            let (dispatched, wakeups) = pair.live(begun.plus(30_000), 5_000);
            assert_eq!(
                dispatched.len(),
                4,
                "{concurrency:?} {per_second:?}, round {round}: {dispatched:?}"
            );
            assert!(
                wakeups < 30 * 3,
                "{concurrency:?} {per_second:?}, round {round}: {wakeups} wake-ups in 30 s"
            );
            pair.live(begun.plus(7 * 60_000), 5_000);
        }
    }
}

/// A lane that was dropped with its last task and created again numbered its requests from 1. The
/// limiter remembered higher numbers and answered none of them.
#[test]
fn a_key_whose_tasks_come_and_go_is_not_starved() {
    for (concurrency, per_second) in [(Some(2), None), (None, Some(50.0)), (Some(2), Some(50.0))] {
        let mut pair = Pair::new(usize::MAX);
        pair.limit_both("z", concurrency, per_second);
        for n in 0..60 {
            pair.append(&["z"], [(1, format!("task-{n}"))]).unwrap();
            let (dispatched, _) = pair.live(pair.now.plus(500), 100);
            assert_eq!(dispatched.len(), 1, "task {n} under {concurrency:?} {per_second:?}");
        }
        // The lane is dropped when its tasks have run, when they are cancelled, and when the shard
        // restarts.
        for round in 0..4 {
            pair.live(pair.now.plus(6_000), 100);
            assert_eq!(pair.engine.next_wakeup(), None, "nothing is left of the lane");
            if round == 2 {
                pair.append(&["z"], [(1, "cancelled".to_owned())]).unwrap();
                let request = CancelRequest { ids: vec!["cancelled".to_owned()], if_match: None };
                let (_, effects) = pair.engine.cancel(&request, pair.now, &pair.stored).unwrap();
                pair.commit(&effects);
            }
            if round == 3 {
                pair.engine = load(&pair.stored, usize::MAX);
            }
            pair.append(&["z"], [(1, format!("late-{round}"))]).unwrap();
            let (dispatched, _) = pair.live(pair.now.plus(1_000), 100);
            assert_eq!(
                dispatched.len(),
                1,
                "after a pause, round {round} under {concurrency:?} {per_second:?}"
            );
        }
    }
}

/// With a second between two firings, a shard that other tasks kept busy got tokens in each reply,
/// but they had expired before its next firing.
#[test]
fn a_busy_shard_fires_before_its_tokens_end() {
    for gap in [0, 100, 1_000, i64::MAX] {
        let mut stored = Memory::default();
        let mut engine = stored.load("1-0", Config { fire_gap_millis: gap, ..Config::default() });
        let tasks = [("a", NOW), ("b", NOW.plus(1))];
        let append = testing::append(tasks.map(|(id, due)| (id, due, record(id, due, ""))));
        let (_, effects) = engine.append(append, NOW, &stored).unwrap();
        stored.apply(&effects.writes);
        assert_eq!(engine.wake(NOW, &stored).unwrap().sends.len(), 1);
        let next = engine.next_wakeup().unwrap();
        assert!(
            next < NOW.plus(scheduler_model::protocol::limiter::TOKENS_MILLIS / 2 + 1),
            "with {gap}: in {} ms",
            next.since(NOW)
        );
    }
}
