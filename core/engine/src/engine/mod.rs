//! The engine: see the crate.

mod append;
mod backlog;
mod change;
mod circuit;
mod clock;
mod decided;
mod ended;
mod explain;
mod feed;
mod fire;
mod flights;
mod follow_up;
mod go_on;
mod history;
mod id_key;
mod id_of;
mod index;
mod lanes;
mod lapse;
mod late;
mod lateness;
mod law;
mod load;
mod moved;
mod new_schedule;
mod numbers;
mod outcome;
mod overlay;
mod parts;
mod patched;
mod purge;
mod query;
mod remains;
mod sending;
mod spans;
mod state;
mod stopped;
mod tasks;
mod terms;

pub use circuit::{FIRST_OPEN_MILLIS, FORGOTTEN_AFTER_MILLIS, LONGEST_OPEN_MILLIS, OPEN_AFTER, PROBE_MILLIS, PROBED_MILLIS};
pub use history::{Keep, StoredHistory};
pub use id_key::{hashes_of_envelope, key_stored_page};
pub use load::{Snapshot, StoredEnvelope, StoredPage, StoredPatch, StoredSchedule};
pub use sending::Sends;

use crate::effects::{Destination, Effects, LimitAsk, Outgoing, Write};
use crate::error::{EngineError, StorageError};
use scheduler_calendar::local_time::Law;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{
    DEFAULT_VISIBILITY_MILLIS, MAX_DEAD_LETTERS_OF_A_TASK, MAX_DISPATCHED_TASKS, MAX_PENDING_PER_SHARD, MAX_RUNS_OF_A_TASK,
};
use scheduler_model::id_key::IdKey;
use scheduler_model::meter::Meter;
use scheduler_model::position::Position;
use scheduler_model::protocol::ShardStats;
use scheduler_model::protocol::limiter::TOKENS_MILLIS;
use state::State;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use tasks::Tasks;

/// The longest [`Config::fire_gap_millis`]: with a longer one the tokens of a rate end before the shard fires again, so a shard that is kept
/// busy by other tasks never uses any.
pub const MAX_FIRE_GAP_MILLIS: i64 = TOKENS_MILLIS / 2;

/// How a shard behaves in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// An envelope for the dispatchers that was not reported for so long is sent again, milliseconds.
    pub visibility_millis: i64,
    /// Least time between two firings, milliseconds: what comes due meanwhile shares envelopes and rows. A task that
    /// comes due after a pause is not held up. Cut to [`MAX_FIRE_GAP_MILLIS`].
    pub fire_gap_millis: i64,
    /// What is kept of how attempts end.
    pub history: Keep,
    /// Most tasks that the shard has handed to the dispatchers and not had reported: see [`MAX_DISPATCHED_TASKS`].
    pub max_dispatched: usize,
    /// Most dead letters that are kept of one id, at least one: see [`MAX_DEAD_LETTERS_OF_A_TASK`].
    pub max_dead_letters: usize,
    /// Most runs of one id that wait, after which one more is no longer tried again: see [`MAX_RUNS_OF_A_TASK`].
    pub max_runs: usize,
    /// Most tasks, further attempts and dead letters: see [`MAX_PENDING_PER_SHARD`].
    pub max_entries: usize,
    /// By which one-shot tasks at a local time are planned.
    pub law: Law,
}

impl Default for Config {
    /// 100 ms between firings: half of what a person notices, and at 1,000 tasks a second it makes 100 tasks share each row.
    fn default() -> Self {
        Self {
            visibility_millis: DEFAULT_VISIBILITY_MILLIS,
            fire_gap_millis: 100,
            history: Keep::All,
            max_dispatched: MAX_DISPATCHED_TASKS,
            max_dead_letters: MAX_DEAD_LETTERS_OF_A_TASK,
            max_runs: MAX_RUNS_OF_A_TASK,
            max_entries: MAX_PENDING_PER_SHARD,
            law: Law::default(),
        }
    }
}

/// Reads of what is stored. Synchronous, as a Durable Object's SQL is.
pub trait Reader {
    /// `len` bytes of the body of a page from `offset`.
    ///
    /// # Errors
    /// When storage fails or has no such bytes.
    fn body(&self, page: u32, offset: u32, len: u32) -> Result<Vec<u8>, StorageError>;
    /// The record of a recurring task.
    ///
    /// # Errors
    /// When storage fails or has no such schedule.
    fn schedule(&self, number: u32) -> Result<Vec<u8>, StorageError>;
    /// The first `len` bytes of the record of a recurring task; all of a shorter one.
    ///
    /// # Errors
    /// When storage fails or has no such schedule.
    fn schedule_head(&self, number: u32, len: u32) -> Result<Vec<u8>, StorageError> {
        let mut record = self.schedule(number)?;
        record.truncate(len as usize);
        Ok(record)
    }
    /// The text of an envelope.
    ///
    /// # Errors
    /// When storage fails or has no such envelope.
    fn envelope(&self, seq: u64) -> Result<Vec<u8>, StorageError>;
    /// What is remembered of a key in the first of these periods that has it (see [`scheduler_model::idempotency`]).
    ///
    /// # Errors
    /// When storage fails. A reader that does not say otherwise fails, rather than take every request for new.
    fn remembered(&self, key: &[u8; 16], periods: &[i64]) -> Result<Option<Vec<u8>>, StorageError> {
        let _ = (key, periods);
        Err(StorageError("this storage does not remember keys".to_owned()))
    }
    /// The record that the further attempts of a task in flight have, by envelope and index: see [`Write::Patch`].
    ///
    /// # Errors
    /// When storage fails or has no such record. A reader that does not say otherwise has none.
    fn patched(&self, seq: u64, index: u32) -> Result<Vec<u8>, StorageError> {
        Err(StorageError(format!("this storage has no patch of task {index} of envelope {seq}")))
    }
    /// The body of a row of the history.
    ///
    /// # Errors
    /// When storage fails or has no such row.
    fn history(&self, row: u64) -> Result<Vec<u8>, StorageError>;
}

/// An envelope that was handed on and is not done.
#[derive(Debug, Clone)]
struct InFlight {
    destination: Destination,
    hashes: Vec<u64>,
    resend_at: UnixMillis,
    /// How often it has been sent again after a send that the queue may have taken.
    attempts: u32,
    sends: Sends,
}

impl InFlight {
    fn new(destination: Destination, hashes: Vec<u64>, resend_at: UnixMillis) -> Self {
        Self { destination, hashes, resend_at, attempts: 0, sends: Sends::Sent }
    }
}

/// A shard: its timers, its watermark, its outbox.
#[derive(Debug)]
pub struct Engine {
    shard: String,
    config: Config,
    id_key: IdKey,
    tasks: Tasks,
    lanes: lanes::Lanes,
    circuits: circuit::Circuits,
    log: history::Log,
    feed: feed::Feed,
    outbox: BTreeMap<u64, InFlight>,
    /// What was decided about what is in it.
    decided: decided::Decided,
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
    remembered: terms::Remembered,
    /// The pages with one-shot tasks that may have to be planned by another law.
    to_replan: law::ToReplan,
    /// Recurring tasks of which a start has found no run to come.
    ended: ended::Ended,
    /// What the shards of the isolate hold together, and what they may hold, bytes. Whoever runs the engine says so.
    isolate: Option<(usize, usize)>,
}

impl Engine {
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
        if self.in_flight_tasks() >= fire::MAX_IN_FLIGHT_TASKS {
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
