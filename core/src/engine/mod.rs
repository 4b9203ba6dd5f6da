//! The engine of a shard, sans I/O.
//!
//! An input and the time go in; a reply and [`Effects`] come out: rows to write and messages to send. The shell around it
//! carries them out in that order: it applies all writes of one input in one transaction, then sends. Reading goes through
//! [`Reader`], for bodies stay in storage until they are needed.
//!
//! Rules for the shell:
//! - On any error, from here or from storage, it drops the engine and loads a new one. So what is in memory is always what is
//!   stored.
//! - Before each input, and before it asks for [`Engine::next_wakeup`], it calls [`Engine::observe`] with the time.
//! - After each input it arms the alarm for [`Engine::next_wakeup`], at [`alarm_time`]. Early, late and repeated wake-ups are no-ops or
//!   harmless. A failure to arm changes nothing of what is committed and answered: the shell tries again.

mod alarm;
mod append;
mod backlog;
mod change;
mod circuit;
mod clock;
mod decided;
mod explain;
mod feed;
mod fire;
mod flights;
mod follow_up;
mod go_on;
mod history;
mod id_of;
mod index;
mod lanes;
mod lapse;
mod late;
mod law;
mod load;
mod numbers;
mod outcome;
mod overlay;
mod parts;
mod patched;
mod purge;
mod query;
mod same_definition;
mod sending;
mod sizes;
mod spans;
mod state;
mod stopped;
mod tasks;
mod terms;

pub use alarm::alarm_time;
pub use append::Gathering;
pub use circuit::{FIRST_OPEN_MILLIS, FORGOTTEN_AFTER_MILLIS, LONGEST_OPEN_MILLIS, OPEN_AFTER, PROBE_MILLIS, PROBED_MILLIS};
pub use history::{Keep, StoredHistory};
pub use load::{Snapshot, StoredEnvelope, StoredPage, StoredPatch, StoredSchedule};
pub use sending::Sends;

use crate::flow::Ask;
use crate::limits::{MAX_DISPATCHED_TASKS, MAX_LANES, MAX_PENDING_PER_SHARD, MAX_REMEMBERED_PER_SHARD, MAX_SCHEDULES_PER_SHARD};
use crate::local_time::Law;
use crate::meter::Meter;
use crate::time::UnixMillis;
use crate::timers::Position;
use crate::wire::ShardStats;
use state::State;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;
use tasks::Tasks;

/// How a shard behaves in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// An envelope for the dispatchers that was not reported for so long is sent again, milliseconds.
    pub visibility_millis: i64,
    /// Least time between two firings, milliseconds: what comes due meanwhile shares envelopes and rows. A task that
    /// comes due after a pause is not held up.
    pub fire_gap_millis: i64,
    /// What is kept of how attempts end.
    pub history: Keep,
    /// Most tasks that the shard has handed to the dispatchers and not had reported: see [`MAX_DISPATCHED_TASKS`].
    pub max_dispatched: usize,
    /// By which one-shot tasks at a local time are planned.
    pub law: Law,
}

impl Default for Config {
    /// 5 minutes of visibility: a dispatcher has a batch done in that time or is gone. 100 ms between firings: half of
    /// what a person notices, and at 1,000 tasks a second it makes 100 tasks share each row.
    fn default() -> Self {
        Self {
            visibility_millis: 300_000,
            fire_gap_millis: 100,
            history: Keep::All,
            max_dispatched: MAX_DISPATCHED_TASKS,
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
    /// What is remembered of a key in the first of these periods that has it (see [`crate::once`]).
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

/// Storage failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("storage: {0}")]
pub struct StorageError(pub String);

/// Why an input was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// No room for more pending tasks.
    #[error(
        "the shard holds {held} tasks and {asked} more would pass its limit of {MAX_PENDING_PER_SHARD}; raise the number of shards (SHARD_MAP), or wait until tasks have fired"
    )]
    Full {
        /// Tasks it holds.
        held: usize,
        /// Tasks to be added.
        asked: usize,
    },
    /// No room for more recurring tasks.
    #[error(
        "the shard holds {held} recurring tasks and {asked} more would pass its limit of {MAX_SCHEDULES_PER_SHARD}; raise the number of shards (SHARD_MAP)"
    )]
    TooManySchedules {
        /// Recurring tasks it holds.
        held: usize,
        /// To be added.
        asked: usize,
    },
    /// No room for tasks of another key.
    #[error(
        "the shard has tasks of {held} keys of limits (limitKey) and {asked} more would pass its limit of {MAX_LANES}; wait until those of some keys are done, use fewer keys, or raise the number of shards (SHARD_MAP)"
    )]
    TooManyLanes {
        /// Keys that it has tasks of.
        held: usize,
        /// To be added.
        asked: usize,
    },
    /// As many tasks wait as the shard's share of a quota allows.
    #[error(
        "the namespace's quota pendingTasks is used up: of this shard's share of {share}, {waiting} tasks wait, and {asked} more would pass it; wait until tasks have fired, cancel some, or raise the quota"
    )]
    PendingQuota {
        /// The shard's share.
        share: u64,
        /// Tasks that wait.
        waiting: usize,
        /// Tasks to be added.
        asked: usize,
        /// Seconds until the next task is due.
        retry_after_seconds: u32,
    },
    /// Tasks were created as fast as the shard's share of a quota allows.
    #[error(
        "the namespace's quota createsPerSecond is used up on this shard; create tasks again in {wait_millis} ms, or raise the quota"
    )]
    RateQuota {
        /// Milliseconds until the next may be taken.
        wait_millis: i64,
    },
    /// The key of a request has another request behind it.
    #[error("the Idempotency-Key was used for another request within the last day; take a new key for each request")]
    KeyReused,
    /// No room for more keys.
    #[error(
        "the shard remembers {MAX_REMEMBERED_PER_SHARD} values of Idempotency-Key, which is its limit; send requests without one, wait a day, or raise the number of shards (SHARD_MAP)"
    )]
    TooManyKeys,
    /// A part of the request is done, and the rest is more than one commit may write.
    #[error(
        "the request changes more than the shard writes in one step; it has done a part of it, so send the request again until it is done"
    )]
    Unfinished,
    /// The request holds what the coordinator's checks would not have let through.
    #[error("{0}")]
    BadRequest(String),
    /// What stands under the id is not what was expected.
    #[error("{0}")]
    Conflict(&'static str),
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Storage holds what was never written there.
    #[error("stored data cannot be read: {0}; restore the shard from a point in time before it was damaged")]
    Corrupt(String),
}

/// A change of what is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// A new page.
    InsertPage {
        /// Its number.
        page: u32,
        /// See [`crate::page`].
        directory: Vec<u8>,
        /// Its records.
        body: Vec<u8>,
    },
    /// The open page gets a new directory and more body.
    ExtendPage {
        /// Its number.
        page: u32,
        /// The whole new directory.
        directory: Vec<u8>,
        /// To be added behind the body.
        tail: Vec<u8>,
    },
    /// A page of which nothing is alive goes, and its dead bits with it.
    DeletePage {
        /// Its number.
        page: u32,
        /// Whether dead bits of it are stored.
        has_dead: bool,
    },
    /// Which entries of a page are cancelled: bit `i` of the little-endian words, for entry `i`.
    SetDead {
        /// The page's number.
        page: u32,
        /// The bits.
        bits: Vec<u8>,
    },
    /// A new recurring task.
    InsertSchedule {
        /// Its number.
        number: u32,
        /// Occurrences after this time are its own.
        since: UnixMillis,
        /// Its record.
        record: Vec<u8>,
    },
    /// A recurring task gets another record.
    SetSchedule {
        /// Its number.
        number: u32,
        /// Occurrences after this time are its own; `None` leaves that as it is.
        since: Option<UnixMillis>,
        /// Its record.
        record: Vec<u8>,
    },
    /// A recurring task begins later: its record stays.
    SetSince {
        /// Its number.
        number: u32,
        /// Occurrences after this time are its own.
        since: UnixMillis,
    },
    /// A recurring task goes.
    DeleteSchedule {
        /// Its number.
        number: u32,
    },
    /// A request that was carried out under a key. Written in the commit that carries it out.
    Remember {
        /// The period it is filed under.
        period: i64,
        /// The key's hash.
        key: [u8; 16],
        /// What to know of it.
        value: Vec<u8>,
    },
    /// Some keys of a period go.
    Forget {
        /// The period.
        period: i64,
        /// How many; the period has at least as many.
        count: u64,
    },
    /// An envelope on its way, with the state that it leads to. **Invariant 2:** watermark and outbox change together.
    InsertEnvelope {
        /// Its number.
        seq: u64,
        /// Where it goes.
        destination: Destination,
        /// Its text.
        text: Arc<Vec<u8>>,
        /// The hash of each task's id, 8 bytes each, little-endian.
        hashes: Vec<u8>,
        /// When it is sent.
        sent_at: UnixMillis,
        /// The shard's state from here on, if this is the last envelope of its firing.
        state: Option<Vec<u8>>,
    },
    /// The newest envelope is done: its text goes, its state stays.
    ClearEnvelope {
        /// Its number.
        seq: u64,
        /// The state from here on.
        state: Vec<u8>,
    },
    /// The state alone, in the newest row of the outbox; a shard that has not fired yet gets a row 0 for it.
    SaveState {
        /// The newest row's number.
        seq: u64,
        /// The state.
        state: Vec<u8>,
    },
    /// An envelope is done.
    DeleteEnvelope {
        /// Its number.
        seq: u64,
    },
    /// What was decided about the tasks of an envelope in flight, in place of what was decided before.
    Decide {
        /// Its number.
        seq: u64,
        /// The decisions, by index.
        decisions: Vec<u8>,
    },
    /// The further attempts of a task in flight have this record.
    Patch {
        /// The envelope's number.
        seq: u64,
        /// The task's index in it.
        index: u32,
        /// The record.
        record: Vec<u8>,
    },
    /// Decisions and patches of an envelope go: it is done.
    ForgetDecisions {
        /// Its number.
        seq: u64,
    },
    /// A new row of the history: see [`crate::history`].
    InsertHistory {
        /// Its number.
        row: u64,
        /// When its newest outcome was reported.
        newest: UnixMillis,
        /// Its chunks.
        body: Vec<u8>,
    },
    /// The newest row of the history grows.
    ExtendHistory {
        /// Its number.
        row: u64,
        /// When its newest outcome was reported.
        newest: UnixMillis,
        /// To be added behind the body.
        tail: Vec<u8>,
    },
    /// The rows of the history up to this one go.
    DropHistory {
        /// The last of them.
        up_to: u64,
    },
    /// An envelope is sent again.
    Resent {
        /// Its number.
        seq: u64,
        /// When.
        sent_at: UnixMillis,
        /// How often it has been sent again after a send that the queue may have taken.
        attempts: u32,
        /// What is known of its last sends.
        sends: Sends,
    },
    /// A queue has refused an envelope, has not answered, or has taken it after one of these.
    SendEnded {
        /// Its number.
        seq: u64,
        /// When it was not taken, which takes the place of when it was sent.
        at: Option<UnixMillis>,
        /// What is known of its last sends.
        sends: Sends,
    },
}

/// Where an envelope goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Destination {
    /// To the dispatchers; done when they report it.
    Dispatch,
    /// To the dispatchers, out of this lane: see [`lanes`].
    Lane(u8),
    /// Through this producer binding to the user's own consumer; done when the queue has taken it.
    Queue(String),
}

/// An envelope to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Its number.
    pub seq: u64,
    /// Where it goes.
    pub destination: Destination,
    /// Its text.
    pub text: Arc<Vec<u8>>,
}

impl Destination {
    /// Whether it is for the dispatchers, who report it.
    pub fn is_reported(&self) -> bool {
        !matches!(self, Self::Queue(_))
    }
}

/// A question to the limiter of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitAsk {
    /// The key.
    pub key: String,
    /// What is asked.
    pub ask: Ask,
}

/// What the shell has to do, in this order: all writes in one transaction, then the sends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    /// Changes of storage.
    pub writes: Vec<Write>,
    /// Messages. For each, the shell calls [`Engine::sent`], [`Engine::send_failed`] or [`Engine::send_unanswered`] afterwards.
    pub sends: Vec<Outgoing>,
    /// Questions to limiters. For each, the shell calls [`Engine::limit_answered`] or [`Engine::limit_failed`] afterwards. Only a wake-up
    /// has any.
    pub asks: Vec<LimitAsk>,
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
}

impl EngineError {
    /// When it makes sense to send the request again, where that can be said; seconds from now.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        match self {
            Self::PendingQuota { retry_after_seconds, .. } => Some(*retry_after_seconds),
            Self::RateQuota { wait_millis } => u32::try_from(wait_millis.saturating_add(999) / 1_000).ok(),
            _ => None,
        }
    }
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
        [fire, self.next_resend(), self.next_ask(), self.next_lapse(), release, replan].into_iter().flatten().min()
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

    /// The shard in numbers.
    pub fn stats(&self, now: UnixMillis) -> ShardStats {
        let counts = self.tasks.counts();
        ShardStats {
            pending: (counts.scheduled + counts.held + self.tasks.schedules() - self.tasks.paused_schedules()) as u64,
            in_flight: self.outbox.values().map(|envelope| envelope.hashes.len() as u64).sum(),
            schedules: self.tasks.schedules() as u64,
            unscheduled: counts.unscheduled as u64,
            paused: (counts.paused + self.tasks.paused_schedules()) as u64,
            dead_letters: counts.dead_letters as u64,
            overdue: self.tasks.overdue(now.plus(-self.config.fire_gap_millis)),
            waiting_for_limits: self.waiting_for_limits(now),
            memory_bytes: (self.tasks.memory_bytes() + self.log.memory_bytes() + self.feed.memory_bytes()) as u64,
            counters: self.state.counters.clone(),
            lateness: self.state.lateness.clone(),
            meter: self.state.meter,
            circuits: self.circuits.stats(now),
        }
    }
}
