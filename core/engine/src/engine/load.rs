//! Start-up from storage. It reads directories, recurring tasks and the hashes of the outbox, but
//! no record of a page.

use super::Engine;
use crate::circuits::Circuits;
use crate::config::{Config, MAX_FIRE_GAP_MILLIS};
use crate::decisions::Decisions;
use crate::effects::Destination;
use crate::ended::EndedSchedules;
use crate::entry_ref::EntryRef;
use crate::error::EngineError;
use crate::event_buffer::EventBuffer;
use crate::history::Log;
use crate::lanes::Lanes;
use crate::mem_schedule::{CaughtUp, MemSchedule};
use crate::new_schedule::read_schedule;
use crate::outbox::InFlight;
use crate::replan::ToReplan;
use crate::searches::Searches;
use crate::series::Series;
use crate::snapshot::{Snapshot, StoredEnvelope, StoredPage, StoredSchedule};
use crate::state::State;
use crate::tasks::Tasks;
use scheduler_calendar::ordered::collected;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Directory;
use scheduler_model::numbers::{LaneNumber, PageNumber, ScheduleNumber};
use scheduler_model::series::Counts;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

impl Engine {
    /// Returns the engine of a stored shard, or of a new one if the snapshot is empty. `shard` is
    /// its name in envelopes.
    ///
    /// # Errors
    /// Returns an error if storage contains data that the engine has not written.
    pub fn load(shard: &str, config: Config, snapshot: Snapshot) -> Result<Self, EngineError> {
        let config =
            Config { fire_gap_millis: config.fire_gap_millis.min(MAX_FIRE_GAP_MILLIS), ..config };
        let mut state = match &snapshot.state {
            Some(bytes) => State::decode(bytes)
                .map_err(|problem| EngineError::Corrupt(format!("state: {problem}")))?,
            None => State::default(),
        };
        let totals = Counts::of(&state.counters, &state.meter, &state.lateness);
        let series = Series::load(snapshot.state.as_deref().unwrap_or_default(), &totals);
        // The new incarnation is stored before the first request to a limiter.
        state.incarnation = state.incarnation.saturating_add(1);
        let mut in_flight = BTreeMap::new();
        for envelope in &snapshot.envelopes {
            if let Some(Destination::Lane(lane)) = envelope.destination {
                *in_flight.entry(lane).or_default() += (envelope.hashes.len() / 8) as u32;
            }
        }
        let lanes = Lanes::load(std::mem::take(&mut state.lanes), &in_flight, config.max_lanes);
        let circuits = Circuits::load(std::mem::take(&mut state.circuits));
        let mut engine = Self {
            shard: shard.to_owned(),
            config,
            id_key: snapshot.id_key,
            tasks: Tasks::default(),
            lanes,
            circuits,
            log: Log::load(snapshot.history),
            events: EventBuffer::default(),
            outbox: BTreeMap::new(),
            decisions: Decisions::load(&snapshot.decisions, &snapshot.patches)
                .map_err(EngineError::Corrupt)?,
            resends: BinaryHeap::new(),
            in_flight: HashMap::new(),
            dispatched: 0,
            state,
            series,
            newest_is_cleared: false,
            unsaved: false,
            last_fired_at: None,
            seen: UnixMillis::new(i64::MAX),
            open_page: None,
            last_page: PageNumber::default(),
            last_schedule: ScheduleNumber::default(),
            to_release: BTreeSet::new(),
            remembered: collected(snapshot.remembered),
            to_replan: ToReplan::default(),
            searches: Searches::default(),
            isolate: None,
            contradiction: None,
            ended: EndedSchedules::default(),
        };
        engine.load_pages(snapshot.pages)?;
        engine.compare_law();
        for schedule in &snapshot.schedules {
            engine.load_schedule(schedule)?;
        }
        for envelope in snapshot.envelopes {
            engine.load_envelope(envelope);
        }
        engine.find_unreleased();
        engine.last_page = engine.tasks.last_page();
        Ok(engine)
    }

    fn load_pages(&mut self, pages: Vec<StoredPage>) -> Result<(), EngineError> {
        let mut loaded = Vec::with_capacity(pages.len());
        for page in pages {
            let directory =
                Directory::decode(page.directory, page.body_len as usize).map_err(|problem| {
                    EngineError::Corrupt(format!("page {}: {problem}", page.page))
                })?;
            if !directory.is_keyed() {
                return Err(EngineError::Corrupt(format!(
                    "page {} has hashes without the shard's key",
                    page.page
                )));
            }
            let lane = directory.lane();
            if lane != LaneNumber::MAIN && !self.lanes.contains(lane) {
                return Err(EngineError::Corrupt(format!(
                    "page {} is in lane {lane}, which does not exist",
                    page.page
                )));
            }
            let watermark = self.watermark_of(lane);
            // Invariant 1: everything at or before the watermark in the total order was dispatched.
            let (before, through) =
                (directory.before(watermark.due), directory.before(watermark.due.plus(1)));
            let fired = match page.page.get().cmp(&watermark.page) {
                std::cmp::Ordering::Less => through,
                std::cmp::Ordering::Greater => before,
                // The index is clamped, because another page may have got the number after the page
                // of the watermark was deleted.
                std::cmp::Ordering::Equal => (watermark.index as usize + 1).clamp(before, through),
            };
            let dead =
                page.dead.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
            loaded.push((page.page, directory, page.body_len, fired, dead));
        }
        self.tasks.reserve(
            loaded
                .iter()
                .map(|(_, directory, _, fired, _)| directory.len().saturating_sub(*fired))
                .sum(),
        );
        for (number, directory, body_len, fired, dead) in loaded {
            self.tasks.insert_page(number, directory, body_len, fired, dead);
            self.note_lapses(number);
        }
        Ok(())
    }

    /// Loads a stored recurring task that was not in the snapshot. Callers do this before any other
    /// input, so a start-up holds one record at a time.
    ///
    /// # Errors
    /// Returns an error if storage contains data that the engine has not written.
    pub fn load_schedule(&mut self, stored: &StoredSchedule) -> Result<(), EngineError> {
        let read = read_schedule(&stored.record).map_err(EngineError::Corrupt)?;
        let watermark = self.state.watermark;
        // The first of its own occurrences after the watermark.
        let mut next = if read.paused {
            None
        } else {
            read.schedule.next_after(stored.since.max(watermark.due.plus(-1)))
        };
        if let Some(occurrence) = next
            && EntryRef::Schedule(stored.number).position(occurrence.due) <= watermark
        {
            next = read.schedule.following(occurrence.time);
        }
        if next.is_none() && !read.paused {
            self.ended.note(stored.number);
        }
        let schedule = MemSchedule {
            hash: self.id_hash(&read.id),
            next,
            schedule: read.schedule,
            to_queue: read.to_queue,
            paused_at: read.paused.then_some(stored.since),
            priority: read.priority,
            policies: read.policies,
            caught_up: CaughtUp::default(),
            lane: self.lane_for(read.limit_key.as_deref()),
            record_bytes: read.record_bytes,
        };
        self.tasks.insert_schedule(stored.number, schedule);
        self.last_schedule = self.last_schedule.max(stored.number);
        Ok(())
    }

    fn load_envelope(&mut self, stored: StoredEnvelope) {
        match stored.destination {
            Some(destination) => {
                let hashes = stored
                    .hashes
                    .as_chunks::<8>()
                    .0
                    .iter()
                    .map(|hash| u64::from_le_bytes(*hash))
                    .collect();
                let (attempts, sends) = (stored.attempts, stored.sends);
                let resend_at =
                    self.resend_time_of_stored(&destination, stored.sent_at, attempts, sends);
                self.dispatch(
                    stored.seq,
                    InFlight {
                        attempts,
                        sends,
                        ..InFlight::new(destination, hashes, stored.sent_at, resend_at)
                    },
                );
            }
            None => self.newest_is_cleared |= stored.seq == self.state.last_seq,
        }
    }
}
