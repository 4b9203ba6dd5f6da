//! The engine: see the crate.

mod admission;
mod append;
mod backlog;
mod cancel;
mod change;
mod check;
mod circuit;
mod clock;
mod decide;
mod ended;
mod entries;
mod events;
mod explain;
mod fire;
mod flights;
mod follow_up;
mod go_on;
mod history;
mod lanes;
mod lapse;
mod lateness;
mod law;
mod load;
mod moved;
mod numbers;
mod outcome;
mod pages;
mod parts;
mod patch;
mod plan;
mod policy;
mod purge;
mod query;
mod remains;
mod sending;
mod stopped;

use crate::budget::MAX_IN_FLIGHT_TASKS;
use crate::circuits::Circuits;
use crate::config::Config;
use crate::decisions::Decisions;
use crate::effects::Effects;
use crate::ended::EndedSchedules;
use crate::event_buffer::EventBuffer;
use crate::history::Log;
use crate::idempotency::Remembered;
use crate::lanes::Lanes;
use crate::outbox::InFlight;
use crate::replan::ToReplan;
use crate::state::State;
use crate::tasks::Tasks;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::id_key::IdKey;
use scheduler_model::meter::Meter;
use scheduler_model::position::Position;
use scheduler_model::protocol::ShardStats;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

/// A shard: its timers, its watermark, its outbox.
#[derive(Debug)]
pub struct Engine {
    shard: String,
    config: Config,
    id_key: IdKey,
    tasks: Tasks,
    lanes: Lanes,
    circuits: Circuits,
    log: Log,
    feed: EventBuffer,
    outbox: BTreeMap<u64, InFlight>,
    /// What was decided about what is in it.
    decided: Decisions,
    /// When to send what again; an entry stands if the outbox agrees.
    resends: BinaryHeap<Reverse<(UnixMillis, u64)>>,
    /// By hash of the id, how many occurrences are handed on and not done.
    in_flight: HashMap<u64, u32>,
    /// Tasks in envelopes for the dispatchers.
    dispatched: usize,
    state: State,
    /// The newest outbox row holds the state; whether its envelope is done already.
    newest_is_cleared: bool,
    /// Whether counts have changed that are not stored yet.
    unsaved: bool,
    last_fired_at: Option<UnixMillis>,
    /// The time of the last input; later than every time before the first.
    seen: UnixMillis,
    /// The page that small appends to the main order extend, while it lives.
    open_page: Option<u32>,
    last_page: u32,
    last_schedule: u32,
    /// Of these ids a run has ended, and the next that is held is yet to be let go.
    to_release: BTreeSet<u64>,
    /// How many keys are stored, by period.
    remembered: Remembered,
    /// The pages with one-shot tasks that may have to be planned by another law.
    to_replan: ToReplan,
    /// Recurring tasks of which a start has found no run to come.
    ended: EndedSchedules,
    /// What the shards of the isolate hold together, and what they may hold, bytes. Whoever runs the engine says so.
    isolate: Option<(usize, usize)>,
}

impl Engine {
    /// Returns the hash of an id in this shard's index.
    pub(super) fn id_hash(&self, id: &str) -> u64 {
        self.id_key.hash(id)
    }

    /// When the engine wants [`Engine::wake`] to be called; `None` when it waits for nothing. A time in the past means now.
    pub fn next_wakeup(&mut self) -> Option<UnixMillis> {
        let fire = self.next_due().map(|due| match self.last_fired_at {
            Some(last) => due.max(last.plus(self.config.fire_gap_millis)),
            None => due,
        });
        let release = (!self.to_release.is_empty() || self.can_release_for_lanes()).then_some(UnixMillis::ZERO);
        let replan = self.to_replan.goes_on_at();
        let ended = self.ended.wants_to_wake_at();
        [fire, self.next_resend(), self.next_ask(), self.next_lapse(), release, replan, ended].into_iter().flatten().min()
    }

    /// When the earliest task that may fire is due.
    fn next_due(&mut self) -> Option<UnixMillis> {
        if self.in_flight_tasks() >= MAX_IN_FLIGHT_TASKS {
            return None;
        }
        let may_dispatch = self.dispatch_room() > 0;
        let head = self.tasks.head().filter(|head| !head.due.is_never() && (may_dispatch || self.tasks.is_for_queue(*head)));
        let of_lanes = self.next_fire_of_lanes();
        head.map(|head| head.due).into_iter().chain(of_lanes).min()
    }

    /// Tasks that may be handed to the dispatchers, beside those that are.
    fn dispatch_room(&self) -> usize {
        self.config.max_dispatched.saturating_sub(self.dispatched)
    }

    fn next_resend(&mut self) -> Option<UnixMillis> {
        while let Some(Reverse((at, seq))) = self.resends.peek().copied() {
            if self.outbox.get(&seq).is_some_and(|envelope| envelope.resend_at == at) {
                return Some(at);
            }
            self.resends.pop();
        }
        None
    }

    fn in_flight_tasks(&self) -> usize {
        self.in_flight.len()
    }

    /// Everything at or before this position has been handed on.
    pub fn watermark(&self) -> Position {
        self.state.watermark
    }

    /// Whether nothing is pending and nothing on its way.
    pub fn is_idle(&mut self) -> bool {
        self.next_wakeup().is_none()
    }

    /// Whether counts have changed since they were last stored. Firing stores them; the shell calls [`Engine::save`] when
    /// none comes for a while. A crash loses what was counted meanwhile, and nothing else.
    pub fn is_unsaved(&self) -> bool {
        self.unsaved
    }

    /// Stores the counts: one row.
    pub fn save(&mut self) -> Effects {
        Effects { writes: vec![self.save_state()], ..Effects::default() }
    }

    /// The state, to be stored.
    fn encode_state(&mut self) -> Vec<u8> {
        self.unsaved = false;
        self.state.lanes = self.lanes.store();
        self.state.circuits = self.circuits.stored();
        self.state.encode()
    }

    /// Where the shell counts what the platform bills. It is stored with the next firing.
    pub fn meter_mut(&mut self) -> &mut Meter {
        &mut self.state.meter
    }

    /// Counts a repair: the watchdog has found the shard overdue, or the alarm could not be set.
    pub fn count_repair(&mut self) {
        self.state.counters.repairs += 1;
    }

    /// Notes how many bytes the shards of the isolate hold together, this one among them, and how many they may hold.
    pub fn observe_isolate(&mut self, held: usize, limit: usize) {
        self.isolate = Some((held, limit));
    }

    /// Returns how many entries of pending tasks and dead letters the shard holds in memory.
    pub fn entries(&self) -> usize {
        self.tasks.held()
    }

    /// Returns the bytes of memory that the shard holds, by the sizes of what is allocated.
    pub fn memory_bytes(&self) -> usize {
        self.tasks.memory_bytes() + self.log.memory_bytes() + self.feed.memory_bytes()
    }

    /// The shard in numbers.
    pub fn stats(&self, now: UnixMillis) -> ShardStats {
        let counts = self.tasks.counts();
        ShardStats {
            last_envelope: self.state.last_seq,
            pending: (counts.scheduled + counts.held + self.tasks.schedules() - self.tasks.paused_schedules()) as u64,
            in_flight: self.outbox.values().map(|envelope| envelope.hashes.len() as u64).sum(),
            schedules: self.tasks.schedules() as u64,
            unscheduled: counts.unscheduled as u64,
            paused: (counts.paused + self.tasks.paused_schedules()) as u64,
            dead_letters: counts.dead_letters as u64,
            overdue: self.tasks.overdue(now.plus(-self.config.fire_gap_millis)),
            waiting_for_limits: self.waiting_for_limits(now),
            memory_bytes: self.memory_bytes() as u64,
            counters: self.state.counters.clone(),
            lateness: self.state.lateness.clone(),
            meter: self.state.meter,
            circuits: self.circuits.stats(now),
        }
    }
}
