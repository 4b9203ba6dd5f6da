//! The world around the engines: shells with storage and alarm, queues, dispatchers, consumers, a
//! watchdog and clocks.

mod alarms;
mod clocks;

pub(crate) use alarms::platform_takes;

use crate::circuits::stores_state;
use crate::faults::{Faults, Outage};
use crate::history::history_agrees;
use crate::in_flight::envelopes_of;
use crate::invariants::{engine_agrees, firing, storage_agrees, violated, wakes_in_time};
use crate::limits::Limits;
use crate::model::{Model, Send};
use crate::operations::Request;
use crate::questions::Questions;
use crate::random::Random;
use crate::readers::Readers;
use crate::room::Room;
use crate::series::Ledger;
use crate::storage::Storage;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Config, Effects, Engine, EngineError, Outgoing, Write};
use scheduler_model::bounds::MAX_LANES;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::limiter::{LimiterRequest, RequestNumber};
use scheduler_model::protocol::{Report, limiter};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

/// Returns how long a shard with this number of lanes does not crash again after a crash, in
/// milliseconds. With many lanes, the time suffices to send a request for each of them, if messages
/// are as slow as light faults allow. With a few, the shard crashes at most twice per second.
pub(crate) const fn settles_in(lanes: usize) -> i64 {
    match lanes {
        0..=5 => 0,
        6..=10 => 500,
        _ => 3_000,
    }
}

/// An event at its time.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Client {
        request: Request,
        tries: u32,
    },
    Alarm {
        shard: usize,
        at: UnixMillis,
    },
    Send {
        shard: usize,
        incarnation: u64,
        outgoing: Outgoing,
    },
    Sent {
        shard: usize,
        incarnation: u64,
        seq: EnvelopeSeq,
        taken: Option<bool>,
    },
    Message {
        shard: usize,
        message: Outgoing,
    },
    Report {
        shard: usize,
        report: Report,
    },
    Save {
        shard: usize,
    },
    Ask {
        shard: usize,
        asked: LimiterRequest,
    },
    AskAgain {
        number: u64,
    },
    Told {
        shard: usize,
        key: String,
        number: RequestNumber,
        answer: Option<Option<limiter::Answer>>,
    },
    Watchdog,
    /// A clock steps: that of a shard, or the limiter's, which comes after those of the shards.
    Clock {
        of: usize,
        offset: i64,
    },
}

/// An input was not carried out, or nobody knows whether it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dropped;

#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) name: String,
    pub(crate) storage: Storage,
    pub(crate) engine: Option<Engine>,
    /// The number of engines so far. What an engine has planned is dropped with it.
    pub(crate) incarnation: u64,
    /// When the last engine was lost, by the true time.
    lost_at: Option<UnixMillis>,
    alarm: Option<UnixMillis>,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) faults: Faults,
    pub(crate) config: Config,
    pub(crate) now: UnixMillis,
    pub(crate) shards: Vec<Shard>,
    pub(crate) model: Model,
    pub(crate) limits: Limits,
    pub(crate) questions: Questions,
    /// The second count of each shard.
    pub(crate) ledgers: Vec<Ledger>,
    /// The time from which the newest rates hold.
    pub(crate) rate_from: UnixMillis,
    /// By time, then in the order of planning.
    events: BTreeMap<u64, Event>,
    agenda: BinaryHeap<Reverse<(UnixMillis, u64)>>,
    planned: u64,
    /// Sends and repeats of each envelope minus its deliveries. Never below zero.
    pub(crate) due_deliveries: HashMap<(usize, EnvelopeSeq), i64>,
    /// Destinations that do not answer.
    pub(crate) silent: BTreeSet<&'static str>,
    pub(crate) outages: Vec<Outage>,
    /// By how much the clock of each shard is ahead; the last one is the limiter's.
    offsets: Vec<i64>,
    /// By how much `now` is ahead, while something happens by the clock of a shard.
    pub(crate) shift: i64,
    /// How often a watermark was moved back.
    pub(crate) turned_back: u64,
    /// Whether the dispatchers leave some tasks undone.
    pub(crate) leaves_undone: u64,
    pub(crate) redelivered: u64,
    /// Decides whether and when a client changes what a wake-up has dispatched. It is separate, so
    /// that it moves no other draw.
    pub(crate) meddling: Random,
    /// How often a client does so, permille of the wake-ups that dispatch anything.
    pub(crate) meddles: u64,
    /// Definitions that replaced a task, or that were refused as they must be.
    pub(crate) redefined: u64,
    /// Whether this run has no faults.
    pub(crate) is_faultless: bool,
    pub(crate) readers: Readers,
    pub(crate) traced: bool,
}

impl World {
    pub(crate) fn new(
        random: Random,
        names: Vec<String>,
        config: Config,
        faults: Faults,
        now: UnixMillis,
        traced: bool,
    ) -> Self {
        let offsets = vec![0; names.len() + 1];
        let ledgers = names.iter().map(|_| Ledger::default()).collect();
        let shard = |name| Shard {
            name,
            storage: Storage::default(),
            engine: None,
            incarnation: 0,
            lost_at: None,
            alarm: None,
        };
        Self {
            random,
            faults,
            config,
            now,
            shards: names.into_iter().map(shard).collect(),
            model: Model::with(Room::of(config)),
            limits: Limits::default(),
            questions: Questions::default(),
            ledgers,
            rate_from: now,
            events: BTreeMap::new(),
            agenda: BinaryHeap::new(),
            planned: 0,
            due_deliveries: HashMap::new(),
            silent: BTreeSet::new(),
            outages: Vec::new(),
            offsets,
            shift: 0,
            turned_back: 0,
            leaves_undone: 0,
            redelivered: 0,
            meddling: Random::new(0),
            meddles: 0,
            redefined: 0,
            is_faultless: false,
            readers: Readers::new(0),
            traced,
        }
    }

    pub(crate) fn trace(&self, text: impl FnOnce() -> String) {
        if self.traced {
            println!("{:>9} {}", self.now.get() % 1_000_000_000, text());
        }
    }

    pub(crate) fn plan(&mut self, at: UnixMillis, event: Event) {
        self.planned += 1;
        self.events.insert(self.planned, event);
        self.agenda.push(Reverse((at.max(self.now).plus(-self.shift), self.planned)));
    }

    /// Carries out the next event. Returns whether there was one other than the watchdog's round.
    pub(crate) fn step(&mut self) -> bool {
        let Some(Reverse((at, number))) = self.agenda.pop() else { return false };
        let Some(event) = self.events.remove(&number) else { return true };
        self.now = at;
        let shard = match &event {
            Event::Alarm { shard, .. }
            | Event::Message { shard, .. }
            | Event::Report { shard, .. } => Some(*shard),
            _ => None,
        };
        let is_watchdog = matches!(event, Event::Watchdog);
        match event {
            Event::Client { request, tries } => self.client(request, tries),
            Event::Alarm { shard, at } => self.on_clock_of(shard, |world| world.alarm(shard, at)),
            Event::Send { shard, incarnation, outgoing } => self.send(shard, incarnation, outgoing),
            Event::Sent { shard, incarnation, seq, taken } => self
                .on_clock_of(shard, |world| world.queue_answered(shard, incarnation, seq, taken)),
            Event::Message { shard, message } => self.message(shard, &message),
            Event::Report { shard, report } => {
                self.on_clock_of(shard, |world| world.report(shard, &report))
            }
            Event::Save { shard } => self.on_clock_of(shard, |world| world.save(shard)),
            Event::Ask { shard, asked } => self.ask_limiter(shard, &asked, None),
            Event::AskAgain { number } => self.ask_again(number),
            Event::Told { shard, key, number, answer } => {
                self.on_clock_of(shard, |world| {
                    world.limiter_answered(shard, &key, number, answer)
                });
            }
            Event::Watchdog => self.watchdog(),
            Event::Clock { of, offset } => self.clock_steps(of, offset),
        }
        // The watchdog wakes shards whose alarm was lost, so it also ends a time without tasks that wait.
        if shard.is_some() || is_watchdog {
            self.free_slots_are_used(self.is_faultless);
        }
        if let Some(shard) = shard
            && self.crashes(shard, self.faults.evict)
        {
            self.on_clock_of(shard, |world| world.evict(shard));
        }
        true
    }

    /// Returns when the next event happens.
    pub(crate) fn next_event(&self) -> Option<UnixMillis> {
        self.agenda.peek().map(|Reverse((at, _))| *at)
    }

    /// Returns whether a client still plans a request or a repetition.
    pub(crate) fn has_requests(&self) -> bool {
        self.events.values().any(|event| matches!(event, Event::Client { .. }))
    }

    /// Returns whether nothing is planned except the watchdog's next round, and alarms that
    /// cancelled tasks may have left.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.events.values().all(|event| matches!(event, Event::Watchdog | Event::Alarm { .. }))
    }

    fn client(&mut self, request: Request, tries: u32) {
        let answer = self.carry_out(&request);
        let is_unseen = answer.is_err() || self.random.chance(self.faults.reply_lost);
        if is_unseen && tries < 4 {
            let at = self.now.plus(self.random.range(1, 2_000));
            self.plan(at, Event::Client { request: request.again(), tries: tries + 1 });
        }
    }

    /// Asks a shard for something that changes nothing. Injects no fault, so it moves no draw.
    pub(crate) fn look<T>(
        &self,
        at: usize,
        call: impl FnOnce(&Engine, UnixMillis, &Storage) -> Result<T, EngineError>,
    ) -> Result<T, Dropped> {
        let shard = &self.shards[at];
        let Some(engine) = &shard.engine else { return Err(Dropped) };
        match call(engine, self.now, &shard.storage) {
            Ok(reply) => Ok(reply),
            Err(problem) => violated("no-unexpected-errors", problem.to_string()),
        }
    }

    /// Carries out one input at a shard's shell: load, call, check, commit, arm, plan the sends.
    pub(crate) fn input<T: std::fmt::Debug>(
        &mut self,
        at: usize,
        is_wake: bool,
        call: impl FnOnce(&mut Engine, UnixMillis, &Storage) -> Result<(T, Effects), EngineError>,
        committed: impl FnOnce(&mut Self, &T, &Effects),
    ) -> Result<T, Dropped> {
        self.load(at);
        self.observe(at);
        if self.crashes(at, self.faults.read_fails) {
            self.shards[at].storage.fail_read_in.set(Some(self.random.below(3) as u32));
        }
        let now = self.now;
        let shard = &mut self.shards[at];
        let engine = shard.engine.as_mut().expect("loaded above");
        // The reads of the checks do not count.
        shard.storage.check_budget(&[], false);
        let outcome = call(engine, now, &shard.storage);
        shard.storage.fail_read_in.set(None);
        if let Err(problem) = engine.check_memory() {
            violated("no-unexpected-errors", problem.to_string());
        }
        let (reply, effects) = match outcome {
            Ok(done) => done,
            Err(EngineError::Storage(problem)) => {
                self.trace(|| format!("{at}: {problem}"));
                self.drop_engine(at);
                return Err(Dropped);
            }
            Err(EngineError::Unfinished) => {
                // Requests that are done in parts are the subject of `parts`. This one is lost.
                self.drop_engine(at);
                return Err(Dropped);
            }
            Err(EngineError::TooManyLanes { held, asked }) => {
                // The client sends the request again later.
                if held + asked <= self.config.max_lanes
                    || held > self.shards[at].storage.lanes() + MAX_LANES / 10
                {
                    violated(
                        "no-unexpected-errors",
                        format!("{held} lanes and {asked} more are too many"),
                    );
                }
                return Err(Dropped);
            }
            Err(problem) => violated("no-unexpected-errors", problem.to_string()),
        };
        if self.crashes(at, self.faults.crash_before_commit) {
            self.trace(|| format!("{at}: crash before the commit"));
            self.drop_engine(at);
            return Err(Dropped);
        }
        let mut rest_by = None;
        if is_wake {
            rest_by = firing(
                &mut self.model,
                at,
                &self.shards[at].name,
                &self.shards[at].storage,
                &effects,
                now,
                self.config,
            );
            self.ended_without_report(at, &effects);
        } else if effects.writes.iter().any(|write| matches!(write, Write::InsertEnvelope { .. })) {
            violated("fires-what-waits", "something fired without a wake-up");
        }
        self.check_resends(at, &effects);
        self.shards[at].storage.check_budget(&effects.writes, is_wake);
        let watermark = self.shards[at].storage.watermark;
        self.model.look_at_dead_letters(&self.shards[at].storage, &effects);
        self.shards[at].storage.apply(&effects.writes);
        self.limits_hold(at, &effects);
        committed(self, &reply, &effects);
        self.model.follow_ended(at, now.get(), self.config.history);
        self.oldest_give_way(at, &effects);
        self.count_in_ledger(at, &effects);
        if stores_state(&effects) {
            self.model.circuits.store(at);
        }
        if self.crashes(at, self.faults.crash_after_commit) {
            self.trace(|| format!("{at}: crash after the commit of {reply:?}"));
            self.drop_engine(at);
            return Err(Dropped);
        }
        let wanted = self.shards[at].engine.as_mut().and_then(Engine::next_wakeup);
        self.trace(|| format!("{at}: the next wake-up is at {wanted:?}"));
        self.lanes_are_used(at, wanted.is_none_or(|wanted| wanted > now));
        if let Some(rest_by) = rest_by
            && wanted.is_none_or(|wanted| wanted > rest_by)
        {
            violated(
                "firings-are-bounded",
                format!("the rest of what was due at {now} waits for {wanted:?}"),
            );
        }
        self.arm(at);
        if self.shards[at].engine.as_ref().is_some_and(Engine::is_unsaved)
            && self.random.chance(100)
        {
            let when = now.plus(self.random.range(0, 3_000));
            self.plan(when, Event::Save { shard: at });
        }
        let incarnation = self.shards[at].incarnation;
        if is_wake {
            self.count_questions(at, &effects);
            self.wakes_move(at, &effects, watermark);
        }
        if !effects.sends.is_empty() || !is_wake && !effects.writes.is_empty() {
            self.may_ask(at, false);
        }
        self.plan_asks(at, &effects);
        if is_wake && !effects.sends.is_empty() {
            self.plan_meddling(at);
        }
        for outgoing in effects.sends {
            let when = now.plus(self.random.range(0, 3));
            self.plan(when, Event::Send { shard: at, incarnation, outgoing });
        }
        Ok(reply)
    }

    /// Loads a shard's engine if necessary, and compares it with storage and with the model.
    fn load(&mut self, at: usize) {
        if self.shards[at].engine.is_none() {
            let shard = &mut self.shards[at];
            let mut engine = Engine::load(&shard.name, self.config, shard.storage.snapshot())
                .expect("storage can be loaded");
            let waiting = shard.storage.waiting();
            engine_agrees(&mut engine, &shard.storage, &waiting, self.now);
            wakes_in_time(&mut engine, &shard.storage, self.config, self.now, true);
            shard.engine = Some(engine);
            self.observe(at);
            let wanted = self.shards[at].engine.as_mut().and_then(Engine::next_wakeup);
            self.refused_goes_out(at, wanted);
            storage_agrees(&self.model, at, &waiting);
        }
    }

    /// Compares a loaded engine whose inputs are all committed.
    pub(crate) fn compare(&mut self, at: usize) {
        self.observe(at);
        let shard = &mut self.shards[at];
        let waiting = shard.storage.waiting();
        if let Some(engine) = shard.engine.as_mut() {
            engine_agrees(engine, &shard.storage, &waiting, self.now);
            wakes_in_time(engine, &shard.storage, self.config, self.now, false);
            self.model.circuits_agree(at, engine, self.now);
            let wanted = engine.next_wakeup();
            self.refused_goes_out(at, wanted);
        }
        self.series_agree(at);
        storage_agrees(&self.model, at, &waiting);
        let history = self.model.history.get_mut(&at).map_or(&mut [][..], Vec::as_mut_slice);
        history_agrees(history, &self.shards[at].storage);
    }

    /// Returns whether a shard loses its engine here. Crashes depend on time, not on messages. A
    /// shard with many lanes sends a request for each of them after each start. If each answer
    /// could cause a crash, such a shard would crash more often the more it crashes, and never
    /// complete its requests.
    pub(crate) fn crashes(&mut self, at: usize, permille: u64) -> bool {
        let settles_in = settles_in(self.shards[at].storage.lanes());
        let is_settled = self.shards[at]
            .lost_at
            .is_none_or(|lost_at| settles_in == 0 || self.true_now().since(lost_at) >= settles_in);
        self.random.chance(permille) && is_settled
    }

    pub(crate) fn drop_engine(&mut self, at: usize) {
        self.shards[at].lost_at = Some(self.true_now());
        self.shards[at].engine = None;
        self.shards[at].incarnation += 1;
        self.model.circuits.restart(at);
        self.ledgers[at].restart();
        // The shard forgets what it has not stored about its sends.
        for ((_, seq), flight) in self.model.in_flight.range_mut(envelopes_of(at)) {
            let Some(row) = self.shards[at].storage.outbox.get(seq) else { continue };
            match &mut flight.last_send {
                Send::Unanswered { after } => {
                    *after = row.sends.stored().map_or(0, |stored| stored.unsigned_abs() as u32)
                }
                Send::Refused { at, .. } | Send::Hung { at } => *at = row.sent_at.get(),
            }
        }
        self.may_ask(at, false);
    }

    pub(crate) fn evict(&mut self, at: usize) {
        self.trace(|| format!("{at}: evicted"));
        self.compare(at);
        self.drop_engine(at);
    }
}
