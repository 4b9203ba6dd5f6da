//! Wake-ups: dispatch what is due, and send again what was not reported.

use super::Engine;
use crate::budget::{
    CONDITIONAL_BYTES, MAX_FIRING_BYTES, MAX_FIRING_TASKS, MAX_IN_FLIGHT_TASKS, OCCURRENCE_BYTES,
    SKIP_SEARCH_BYTES, TIME_BYTES,
};
use crate::circuits::Gate;
use crate::due::{Due, Packed, Taken, count_repeats, waits_of};
use crate::effects::{Destination, Effects, Outgoing, Write};
use crate::entry_ref::{EntryRef, PageEntry};
use crate::error::EngineError;
use crate::lateness::MovedByWindow;
use crate::outbox::InFlight;
use crate::overlay::Overlay;
use crate::policy::{Undispatched, Verdict, judge};
use crate::reader::Reader;
use crate::spans::{ScheduleRecords, Spans};
use crate::tasks::Advanced;
use scheduler_calendar::ordered::sort_by_key;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{MAX_DISPATCH_TASKS, MAX_PAGE_TASKS};
use scheduler_model::format::envelope::EnvelopeBuilder;
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::{LaneNumber, ScheduleNumber};
use scheduler_model::protocol::EventKind;
use scheduler_model::task::write_occurrence;
use serde::Deserialize;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// The most tasks that the main order or a lane dispatches in one turn: one envelope for the
/// dispatchers.
const TURN_TASKS: usize = MAX_DISPATCH_TASKS;

impl Engine {
    /// Dispatches what is due at `now`, and sends again the envelopes whose report is overdue. Does
    /// nothing if there is neither.
    ///
    /// One call does a bounded amount of work. If [`Engine::next_wakeup`] is not later than now
    /// afterwards, there is more work.
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged. The caller must then drop the engine.
    pub fn wake(&mut self, now: UnixMillis, reader: &dyn Reader) -> Result<Effects, EngineError> {
        let mut effects = Effects::default();
        if self.to_replan.is_any() {
            // Nothing fires before all tasks are planned by the current law.
            self.replan(now, reader, &mut effects)?;
            return Ok(effects);
        }
        self.note_room(now);
        self.remove_ended(&mut effects);
        self.forget_circuits(now);
        let releases_some = self.place_in_lanes(now, reader, &mut effects)?;
        if self.release_rest(now, reader, &mut effects)? || releases_some {
            // What was released is due now. Storage has it only after this commit, so nothing can
            // read it before.
            self.ask_limiters(now, &mut effects);
            self.forget_lanes();
            return Ok(effects);
        }
        let stopped = self.resend(now, reader, &mut effects)?;
        let mut lapsed = self.take_lapsed(now, reader, &mut effects)?;
        lapsed.extend(self.take_silent(now, reader, &mut effects)?);
        self.fire(lapsed, now, reader, &mut effects)?;
        for seq in stopped {
            // This firing may hold a run until one of these runs ends. So such a run may be
            // released already.
            let body_len = |page| self.tasks.page(page).map(|page| page.body_len);
            let overlay = Overlay::new(reader, &effects.writes, body_len);
            self.end_stopped(seq, now, &overlay, &mut effects)?;
        }
        self.ask_limiters(now, &mut effects);
        self.forget_lanes();
        Ok(effects)
    }

    fn fire(
        &mut self,
        mut lapsed: Vec<Undispatched>,
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<(), EngineError> {
        // A run that lapses now was in progress until now, so runs of this firing overlap it.
        let fired = lapsed
            .iter()
            .filter(|lapsed| lapsed.flags.has(Flags::RETRY))
            .map(|lapsed| lapsed.hash)
            .collect();
        // Runs that this firing delays are added to the tasks again at its end.
        let waiting = waits_of(&lapsed);
        let Taken { mut due, delayed, skipped_until, mut spans, .. } =
            self.take_due(fired, waiting.clone(), now);
        let mut records = ScheduleRecords::default();
        self.save_skipped(&skipped_until, &mut records, reader, effects)?;
        let skipped =
            self.requeue_delayed(&delayed, (&due, &waiting), &mut records, reader, effects)?;
        lapsed.extend(skipped);
        self.drop_ended_schedules(&delayed, effects);
        if due.is_empty() {
            let must_save = !delayed.is_empty() || !lapsed.is_empty();
            if !lapsed.is_empty() {
                self.drop_late(&lapsed, now, reader, effects)?;
            }
            if must_save {
                // The watermark has passed the delayed runs, so it is stored with them (invariant
                // 2).
                effects.writes.push(self.save_state());
            }
            return Ok(());
        }
        // One commit dispatches all due tasks and moves the watermark past them, so their order in
        // the envelopes is free.
        sort_by_key(&mut due, |task| Reverse(task.priority()));
        spans.read(reader)?;
        let Packed { envelopes, dropped: late } =
            self.pack(&due, waiting, &spans, &mut records, now, reader)?;

        self.state.counters.fired += (due.len() - late.len()) as u64;
        let mut dropped = lapsed;
        dropped.extend(late);
        if !envelopes.is_empty() && self.newest_is_cleared {
            effects.writes.push(Write::DeleteEnvelope { seq: self.state.last_seq });
            self.newest_is_cleared = false;
        }
        let mut newest = None;
        for (destination, builder, hashes) in envelopes {
            let seq = self.state.last_seq.next();
            self.state.last_seq = seq;
            let text = Arc::new(builder.finish());
            self.state.meter.count_message(text.len());
            newest = Some(effects.writes.len());
            effects.writes.push(Write::InsertEnvelope {
                seq,
                destination: destination.clone(),
                text: text.clone(),
                hashes: hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect(),
                sent_at: now,
                state: None,
            });
            self.dispatch(
                seq,
                InFlight::new(destination.clone(), hashes, now, self.resend_time(now, 0)),
            );
            effects.sends.push(Outgoing { seq, destination, text });
        }
        if !dropped.is_empty() {
            self.drop_late(&dropped, now, reader, effects)?;
        }
        // Invariant 2: the state with the watermark goes into the same commit, in the newest row.
        match newest.and_then(|newest| effects.writes.get_mut(newest)) {
            Some(Write::InsertEnvelope { state, .. }) => *state = Some(self.encode_state()),
            // Nothing is dispatched, but the watermark passes the dropped runs.
            _ => effects.writes.append(&mut self.save().writes),
        }
        self.drop_fired_pages(&due, effects);
        self.drop_ended_schedules(&due, effects);
        // A firing that stopped at its own bounds is followed by the next one without a gap. If the
        // dispatchers have no more room, their reports are gathered.
        let is_small = self.dispatch_room() == 0 && !self.config.gathers_reports();
        let stopped = is_small || self.next_due().is_some_and(|due| due <= now);
        self.last_fired_at = (!stopped).then_some(now);
        Ok(())
    }

    /// Stores until when recurring tasks have skipped runs that the watermark cannot pass yet, so
    /// that a restarted shard does not record them again.
    fn save_skipped(
        &self,
        skipped_until: &[(ScheduleNumber, UnixMillis)],
        records: &mut ScheduleRecords,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<(), EngineError> {
        for (number, due) in skipped_until {
            let has_more =
                self.tasks.schedule(*number).is_some_and(|schedule| schedule.next.is_some());
            if has_more {
                let record = records.get(*number, reader)?.to_vec();
                effects.writes.push(Write::SetSchedule {
                    number: *number,
                    since: Some(*due),
                    record,
                });
            }
        }
        Ok(())
    }

    /// Pops what is due, up to the bounds of a firing. The main order and the lanes take turns,
    /// each in its own total order. `delayed_of` counts the runs of each recurring task that this
    /// firing has already delayed.
    fn take_due(
        &mut self,
        fired: HashSet<u64>,
        delayed_of: HashMap<u64, usize>,
        now: UnixMillis,
    ) -> Taken {
        let (room, settled) = (self.dispatch_room(), self.state.watermark);
        let mut taken = Taken { room, settled, fired, delayed_of, ..Taken::default() };
        let order = self.lanes.order();
        let mut is_done = false;
        while !is_done {
            is_done = true;
            for lane in &order {
                is_done &= !self.take_turn(*lane, now, &mut taken);
            }
        }
        // Runs were skipped together with an earlier one. The watermark passes them, too, if
        // nothing before them is left.
        if self.tasks.head().is_none_or(|head| head > taken.settled) {
            self.state.watermark = self.state.watermark.max(taken.settled);
            taken.skipped_until.clear();
        }
        taken
    }

    /// Takes one turn. Returns whether it took any task.
    fn take_turn(&mut self, lane: LaneNumber, now: UnixMillis, taken: &mut Taken) -> bool {
        let most = MAX_FIRING_TASKS.min(MAX_IN_FLIGHT_TASKS.saturating_sub(self.in_flight_tasks()));
        let is_main = lane == LaneNumber::MAIN;
        let turn = if is_main { TURN_TASKS } else { TURN_TASKS.min(self.lanes.room(lane, now)) };
        for at in 0..turn {
            let is_full =
                taken.due.len() + taken.delayed.len() >= most || taken.bytes >= MAX_FIRING_BYTES;
            let Some(head) = self.tasks.head_of(lane).filter(|head| !is_full && head.due <= now)
            else {
                return at > 0;
            };
            if taken.room == 0 && !self.tasks.is_for_queue(head) {
                return at > 0;
            }
            if !is_main && !self.is_head_judged(lane, head) {
                return at > 0;
            }
            let is_taken = match EntryRef::of(head) {
                EntryRef::Schedule(number) => self.take_occurrence(number, now, taken),
                EntryRef::Page(at) => self.take_entry(lane, at, now, taken),
            };
            if !is_taken {
                return at > 0;
            }
            self.set_watermark(lane, head);
        }
        turn > 0
    }

    fn take_entry(
        &mut self,
        lane: LaneNumber,
        at: PageEntry,
        now: UnixMillis,
        taken: &mut Taken,
    ) -> bool {
        let Some(entry) = self.tasks.fire_head(lane, at) else {
            self.contradicts("the head of an order does not exist");
            return false;
        };
        if !entry.flags.has(Flags::TO_QUEUE) {
            taken.room = taken.room.saturating_sub(1);
        }
        if entry.flags.has(Flags::RETRY) {
            taken.fired.insert(entry.hash);
        }
        self.lanes.dispatch(lane, 1, now);
        taken.bytes += taken.spans.add(at.page, &entry);
        if entry.flags.has(Flags::CONDITIONAL) {
            taken.bytes += CONDITIONAL_BYTES;
        }
        taken.due.push(Due::Record { lane, page: at.page, entry });
        true
    }

    /// Takes an occurrence. An occurrence with a limit key is dispatched if there is room and
    /// nothing of its lane is before it. Otherwise it waits in the lane.
    fn take_occurrence(
        &mut self,
        number: ScheduleNumber,
        now: UnixMillis,
        taken: &mut Taken,
    ) -> bool {
        let Some((lane, hash)) =
            self.tasks.schedule(number).map(|schedule| (schedule.lane, schedule.hash))
        else {
            self.contradicts("the recurring task at the head does not exist");
            return false;
        };
        let is_next = lane == LaneNumber::MAIN
            || self.lanes.room(lane, now) > 0
                && self.tasks.head_of(lane).is_none_or(|head| head.due > now);
        let may_wait = is_next
            || taken.delayed_of.get(&hash).copied().unwrap_or_default()
                < self.room_to_wait(hash, lane, now);
        let Some(Advanced { occurrence, mut verdict, settled, schedule }) =
            self.tasks.advance_schedule(number, may_wait, now)
        else {
            self.contradicts("the recurring task at the head has no occurrence");
            return false;
        };
        taken.settled = taken.settled.max(settled);
        let record_bytes = schedule.record_bytes as usize + TIME_BYTES;
        taken.bytes += record_bytes.max(OCCURRENCE_BYTES);
        if settled.due > occurrence.due {
            taken.bytes += SKIP_SEARCH_BYTES + record_bytes;
            taken.skipped_until.push((number, settled.due));
        }
        let overlap = schedule.policies.overlap;
        let (to_queue, priority) = (schedule.to_queue, schedule.priority);
        if verdict == Verdict::Fire {
            verdict = self.judge_overlap(hash, overlap, &mut taken.fired, &mut taken.held);
        }
        let fires = verdict == Verdict::Fire;
        // A run that does not fire takes no slot.
        let lane = if fires { lane } else { LaneNumber::MAIN };
        let due = Due::Occurrence { lane, number, hash, to_queue, priority, occurrence, verdict };
        if fires && !is_next {
            *taken.delayed_of.entry(hash).or_default() += 1;
            taken.delayed.push(due);
            return true;
        }
        if fires {
            taken.room = taken.room.saturating_sub(usize::from(!to_queue));
            self.lanes.dispatch(lane, 1, now);
        }
        taken.due.push(due);
        true
    }

    /// Joins records into envelopes, in firing order for each destination. `deferred` counts the
    /// runs of each task that are delayed.
    fn pack(
        &mut self,
        due: &[Due],
        mut deferred: HashMap<u64, usize>,
        spans: &Spans,
        records: &mut ScheduleRecords,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<Packed, EngineError> {
        let mut dropped = Vec::new();
        let mut closed = Vec::new();
        let mut open: BTreeMap<Destination, (EnvelopeBuilder, Vec<u64>)> = BTreeMap::new();
        let mut next_seq = self.state.last_seq;
        let mut text = Vec::new();
        let mut moved = MovedByWindow::default();
        let looks_at_circuits = self.circuits.is_any_open();
        if looks_at_circuits {
            count_repeats(due, &mut deferred);
        }
        for task in due {
            let (record, hash, flags) = match task {
                Due::Record { page, entry, .. } => {
                    (spans.record(*page, entry)?, entry.hash, entry.flags)
                }
                Due::Occurrence { number, hash, to_queue, occurrence, .. } => {
                    text.clear();
                    write_occurrence(records.get(*number, reader)?, occurrence.time, &mut text);
                    (text.as_slice(), *hash, if *to_queue { Flags::TO_QUEUE } else { Flags::TASK })
                }
            };
            let mut probes = None;
            let mut verdict = match task {
                // Entries of lanes were judged before they were popped.
                Due::Record { lane: LaneNumber::MAIN, .. } if flags.has(Flags::CONDITIONAL) => {
                    judge(record, flags, now)?
                }
                Due::Record { .. } => Verdict::Fire,
                Due::Occurrence { verdict, .. } => verdict.clone(),
            };
            if looks_at_circuits && verdict == Verdict::Fire && !flags.has(Flags::TO_QUEUE) {
                let recurs = matches!(task, Due::Occurrence { .. }).then_some(hash);
                match self.gate(record, recurs, now, &mut deferred) {
                    Gate::Pass => {}
                    Gate::Probe(destination) => probes = Some(destination),
                    Gate::Stay(stays) => verdict = stays,
                }
            }
            if verdict != Verdict::Fire {
                // The dropped run uses neither its slot nor its token.
                self.lanes.undo_dispatch(task.lane());
                dropped.push(Undispatched { record: record.to_vec(), hash, flags, verdict });
                continue;
            }
            self.count_lateness(task, record, now, &mut moved);
            self.events.note_text(EventKind::Fired, record, now);
            let destination = if task.lane() != LaneNumber::MAIN {
                Destination::Lane(task.lane())
            } else if flags.has(Flags::TO_QUEUE) {
                Destination::Queue(queue_of(record)?)
            } else {
                Destination::Dispatch
            };
            if let Some((builder, _)) = open.get(&destination)
                && !builder.has_room_for(record.len())
                && let Some((builder, hashes)) = open.remove(&destination)
            {
                closed.push((destination.clone(), builder, hashes));
            }
            let (builder, hashes) = open.entry(destination).or_insert_with_key(|destination| {
                next_seq = next_seq.next();
                let most = match destination {
                    Destination::Dispatch => MAX_DISPATCH_TASKS,
                    Destination::Lane(lane) => self.lanes.envelope_tasks(*lane),
                    Destination::Queue(_) => MAX_PAGE_TASKS,
                };
                (EnvelopeBuilder::new(&self.shard, next_seq, now, most), Vec::new())
            });
            builder.push(|out| out.extend_from_slice(record));
            hashes.push(hash);
            if let Some(destination) = probes {
                let seq = builder.seq();
                self.probed(&destination, seq, now);
            }
        }
        self.state.meter.firings_saved +=
            moved.without.len().saturating_sub(moved.with.len()) as u64;
        closed.extend(
            open.into_iter().map(|(destination, (builder, hashes))| (destination, builder, hashes)),
        );
        // An envelope gets its number with its first task. Envelopes are stored and sent in the
        // order of their numbers.
        sort_by_key(&mut closed, |(_, builder, _)| builder.seq());
        Ok(Packed { envelopes: closed, dropped })
    }

    /// Deletes recurring tasks whose last occurrence has fired, in the same commit.
    fn drop_ended_schedules(&mut self, due: &[Due], effects: &mut Effects) {
        for task in due {
            let Due::Occurrence { number, .. } = task else { continue };
            if self.tasks.schedule(*number).is_some_and(|schedule| schedule.next.is_none()) {
                effects.writes.push(Write::DeleteSchedule { number: *number });
                self.tasks.remove_schedule(*number);
            }
        }
    }

    /// Deletes pages whose last live entry has fired, in the same commit.
    fn drop_fired_pages(&mut self, due: &[Due], effects: &mut Effects) {
        let mut last = None;
        for task in due {
            let Due::Record { page, .. } = task else { continue };
            if last == Some(*page) {
                continue;
            }
            last = Some(*page);
            if let Some(has_dead) = self
                .tasks
                .page(*page)
                .filter(|page| page.live() == 0)
                .map(|page| page.has_cancelled())
            {
                effects.writes.push(Write::DeletePage { page: *page, has_dead });
                self.tasks.remove_page(*page);
            }
        }
    }
}

fn queue_of(record: &[u8]) -> Result<String, EngineError> {
    #[derive(Deserialize)]
    struct To {
        callback: Queue,
    }
    #[derive(Deserialize)]
    struct Queue {
        queue: String,
    }
    serde_json::from_slice::<To>(record)
        .map(|to| to.callback.queue)
        .map_err(|problem| EngineError::Corrupt(format!("a record's queue: {problem}")))
}
