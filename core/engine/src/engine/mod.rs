//! The engine: the struct is here, and its methods are in the files of this folder, by subject.
//!
//! The files of this folder use the types of the crate, and call one another through `self` only.
//! What several of them share (types, constants, functions) is in the files of the crate, which do
//! not know the engine.

mod admission;
mod append;
mod backlog;
mod cancel;
mod change;
mod check;
mod circuit;
mod clock;
mod count;
mod dead_letters;
mod decide;
mod ended;
mod entries;
mod events;
mod explain;
mod fire;
mod flights;
mod follow_up;
mod forecast;
mod found;
mod go_on;
mod history;
mod lanes;
mod lapse;
mod lateness;
mod law;
mod list;
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
mod renew;
mod search;
mod sending;
mod series;
mod stopped;
mod walk;

use crate::budget::MAX_IN_FLIGHT_TASKS;
use crate::circuits::Circuits;
use crate::config::Config;
use crate::decisions::Decisions;
use crate::effects::Effects;
use crate::ended::EndedSchedules;
use crate::error::EngineError;
use crate::event_buffer::EventBuffer;
use crate::history::Log;
use crate::idempotency::Remembered;
use crate::lanes::Lanes;
use crate::outbox::InFlight;
use crate::replan::ToReplan;
use crate::searches::Searches;
use crate::series::Series;
use crate::state::State;
use crate::tasks::Tasks;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::access::MemoryUse;
use scheduler_model::id_key::IdKey;
use scheduler_model::meter::Meter;
use scheduler_model::numbers::{EnvelopeSeq, LaneNumber, PageNumber, ScheduleNumber};
use scheduler_model::position::Position;
use scheduler_model::protocol::ShardStats;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

/// The engine of a shard.
#[derive(Debug)]
pub struct Engine {
    shard: String,
    config: Config,
    id_key: IdKey,
    tasks: Tasks,
    lanes: Lanes,
    circuits: Circuits,
    log: Log,
    events: EventBuffer,
    outbox: BTreeMap<EnvelopeSeq, InFlight>,
    /// The decisions about runs in the outbox.
    decisions: Decisions,
    /// When to send each envelope again. An entry is valid if the outbox has the same time.
    resends: BinaryHeap<Reverse<(UnixMillis, EnvelopeSeq)>>,
    /// The number of runs in flight by the hash of the id.
    in_flight: HashMap<u64, u32>,
    /// The number of tasks in envelopes for the dispatchers.
    dispatched: usize,
    state: State,
    series: Series,
    /// Whether the envelope of the newest row of the outbox is done. Its row stays, because it
    /// holds the state.
    newest_is_cleared: bool,
    /// Whether some counts are not stored yet.
    unsaved: bool,
    last_fired_at: Option<UnixMillis>,
    /// The time of the last input. Before the first input it is later than any time.
    seen: UnixMillis,
    /// The page that small appends to the main order extend, if there is one.
    open_page: Option<PageNumber>,
    last_page: PageNumber,
    last_schedule: ScheduleNumber,
    /// Hashes of ids: a run of each has ended, and its held run is not released yet.
    to_release: BTreeSet<u64>,
    /// The number of stored idempotency keys by period.
    remembered: Remembered,
    /// The pages with one-shot tasks that must be planned by the current law.
    to_replan: ToReplan,
    /// Recurring tasks for which the start-up found no further run.
    ended: EndedSchedules,
    /// The results of the last searches for whole pages.
    searches: Searches,
    /// The bytes that the shards of the isolate hold together, and their limit. The shell sets
    /// both.
    isolate: Option<MemoryUse>,
    /// A state that cannot occur, which a method without an error has met. See
    /// [`Engine::check_memory`].
    contradiction: Option<&'static str>,
}

impl Engine {
    /// Returns the hash of an id in this shard's index.
    pub(super) fn id_hash(&self, id: &str) -> u64 {
        self.id_key.hash(id)
    }

    /// Returns when to call [`Engine::wake`]. A time in the past means now; `None` means that
    /// nothing waits.
    pub fn next_wakeup(&mut self) -> Option<UnixMillis> {
        let fire = self.next_due().map(|due| match self.last_fired_at {
            Some(last) => due.max(last.plus(self.config.fire_gap_millis)),
            None => due,
        });
        let release = (!self.to_release.is_empty() || self.can_place()).then_some(UnixMillis::ZERO);
        let replan = self.to_replan.resumes_at();
        let ended = self.ended.wants_to_wake_at();
        [fire, self.next_resend(), self.next_ask(), self.next_lapse(), release, replan, ended]
            .into_iter()
            .flatten()
            .min()
    }

    /// Returns when the earliest task that may fire is due.
    fn next_due(&mut self) -> Option<UnixMillis> {
        if self.in_flight_tasks() >= MAX_IN_FLIGHT_TASKS {
            return None;
        }
        let may_dispatch = self.dispatch_room() > 0;
        let head = self.tasks.head().filter(|head| {
            !head.due.is_never() && (may_dispatch || self.tasks.is_for_queue(*head))
        });
        let of_lanes = self.next_fire_of_lanes();
        head.map(|head| head.due).into_iter().chain(of_lanes).min()
    }

    /// Returns how many more tasks may be dispatched now: see [`Config::dispatch_room`].
    fn dispatch_room(&self) -> usize {
        self.config.dispatch_room(self.dispatched)
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

    /// Returns the watermark. Everything at or before this position has been dispatched.
    pub fn watermark(&self) -> Position {
        self.state.watermark
    }

    /// Returns whether nothing is pending and nothing is in flight.
    pub fn is_idle(&mut self) -> bool {
        self.next_wakeup().is_none()
    }

    /// Returns whether counts have changed since they were last stored. A firing stores them.
    /// Without a firing for some time, the shell calls [`Engine::save`]. A crash loses only the
    /// counts since then.
    pub fn is_unsaved(&self) -> bool {
        self.unsaved
    }

    /// Returns the write that stores the counts: one row.
    pub fn save(&mut self) -> Effects {
        Effects { writes: vec![self.save_state()], ..Effects::default() }
    }

    /// Encodes the state, and assumes that it will be stored. If encoding fails,
    /// [`Engine::check_memory`] keeps the shell from storing the returned bytes.
    fn encode_state(&mut self) -> Vec<u8> {
        self.unsaved = false;
        self.state.lanes = self.lanes.store();
        self.state.circuits = self.circuits.stored();
        self.state.series = self.series.text(&self.totals());
        match self.state.encode() {
            Ok(state) => state,
            Err(_) => {
                self.contradicts("the state cannot be encoded");
                Vec::new()
            }
        }
    }

    /// Checks, after an input, that its effects may be carried out.
    ///
    /// # Errors
    /// [`EngineError::Contradiction`] if the input has met a state that cannot occur. The caller
    /// must then store none of its effects and drop the engine.
    pub fn check_memory(&self) -> Result<(), EngineError> {
        self.contradiction.map_or(Ok(()), |what| Err(EngineError::Contradiction(what)))
    }

    /// Records a state that cannot occur, in a method without an error. In tests and in the
    /// simulation, this panics.
    fn contradicts(&mut self, what: &'static str) {
        debug_assert!(false, "{what}");
        self.contradiction.get_or_insert(what);
    }

    /// Returns the lane for tasks with this limit key, or the main order without a key. Assumes that
    /// the caller has checked that there is room for the key: in the main order, the tasks would
    /// fire without a slot.
    fn lane_for(&mut self, key: Option<&str>) -> LaneNumber {
        let Some(key) = key else { return LaneNumber::MAIN };
        self.lanes.reserve(key).unwrap_or_else(|| {
            self.contradicts("there is no lane for a key for which there was room");
            LaneNumber::MAIN
        })
    }

    /// Returns the counts of what the platform bills. The shell adds to them, and the next firing
    /// stores them.
    pub fn meter_mut(&mut self) -> &mut Meter {
        &mut self.state.meter
    }

    /// Counts a repair: the watchdog found the shard overdue, or the alarm could not be set.
    pub fn count_repair(&mut self) {
        self.state.counters.repairs += 1;
    }

    /// Records the bytes that the shards of the isolate hold together, including this one, and
    /// their limit.
    pub fn observe_isolate(&mut self, isolate: MemoryUse) {
        self.isolate = Some(isolate);
    }

    /// Returns the number of pending tasks and dead letters that the shard holds in memory.
    pub fn entries(&self) -> usize {
        self.tasks.held()
    }

    /// Returns the number of recurring tasks that the shard holds in memory.
    pub fn schedules(&self) -> usize {
        self.tasks.schedules()
    }

    /// Returns the bytes of memory that the shard has allocated.
    pub fn memory_bytes(&self) -> usize {
        self.tasks.memory_bytes()
            + self.log.memory_bytes()
            + self.events.memory_bytes()
            + self.searches.memory_bytes()
            + self.series.memory_bytes()
    }

    /// Returns the statistics of the shard.
    pub fn stats(&self, now: UnixMillis) -> ShardStats {
        let counts = self.tasks.counts();
        ShardStats {
            last_envelope: self.state.last_seq,
            pending: (counts.scheduled + counts.held + self.tasks.schedules()
                - self.tasks.paused_schedules()) as u64,
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
