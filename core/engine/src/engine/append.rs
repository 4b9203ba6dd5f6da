//! Appending tasks to the shard.

use super::Engine;
use crate::budget::MAX_FIRING_TASKS;
use crate::changes::Changes;
use crate::checked::{Checked, key_of};
use crate::effects::{Effects, Write};
use crate::error::{EngineError, contradiction};
use crate::flight_patch::FlightPatch;
use crate::mem_schedule::{CaughtUp, MemSchedule};
use crate::new_schedule::{NewSchedule, ReadSchedule};
use crate::reader::Reader;
use crate::runs_aside::{Aside, RunsAside};
use scheduler_calendar::schedule::Occurrence;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{MAX_SCHEDULES_PER_SHARD, PAGE_TARGET_BYTES};
use scheduler_model::format::page::{Page, PageBuilder};
use scheduler_model::numbers::LaneNumber;
use scheduler_model::protocol::{Append, AppendReply, EventKind, Expected};
use std::collections::{BTreeMap, HashSet};

impl Engine {
    /// Accepts the tasks of one request, as [`Engine::append_all`] does. A request that must be
    /// done in parts fails with [`EngineError::Unfinished`], and the effects of its first part are
    /// lost.
    ///
    /// # Errors
    /// Returns an error if the shard is full or the request is invalid. Then nothing has changed.
    /// After a storage error, and after [`EngineError::Unfinished`], the caller must drop the
    /// engine.
    pub fn append(
        &mut self,
        append: Append,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(AppendReply, Effects), EngineError> {
        let (mut replies, effects) = self.append_all(vec![append], now, reader)?;
        let reply = replies
            .pop()
            .unwrap_or_else(|| Err(EngineError::BadRequest("there was no request".to_owned())))?;
        Ok((reply, effects))
    }

    /// Accepts the tasks of requests that arrive together. They share one commit and its rows. A
    /// task atomically replaces the waiting task with the same id: a reader sees one of the two,
    /// and only the new one fires. A task whose time is at or before the watermark gets the first
    /// free place after the watermark, but its record keeps the requested time.
    ///
    /// Assumes that no two requests have the same id (see [`crate::Gathering`]). A request is
    /// refused if the shard is full or the request is invalid. Then it changes nothing, and the
    /// other requests are accepted. A request that fails with [`EngineError::Unfinished`] has done
    /// a part of its changes to existing tasks (`engine/parts.rs`), and its sender repeats it.
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged; the caller must then drop the engine.
    pub fn append_all(
        &mut self,
        requests: Vec<Append>,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(Vec<Result<AppendReply, EngineError>>, Effects), EngineError> {
        let (mut effects, mut replies) = (Effects::default(), Vec::with_capacity(requests.len()));
        let (mut pages, mut schedules) = (Vec::new(), Vec::new());
        let mut changes = Changes::default();
        let (mut asked, mut asked_schedules, mut taken) = (0, 0, 0);
        self.forget_lanes();
        // Occurrences start after everything that was dispatched, even if the clock has gone back.
        let since = now.max(self.state.watermark.due);
        for mut request in requests {
            let terms = std::mem::take(&mut request.terms);
            match self.recall(terms.once.as_ref(), now, reader) {
                Ok(None) if terms.recall_only => {
                    replies.push(Ok(AppendReply::default()));
                    continue;
                }
                Ok(None) => {}
                Ok(Some(done)) => {
                    replies.push(Ok(done));
                    continue;
                }
                Err(problem @ EngineError::KeyReused) => {
                    replies.push(Err(problem));
                    continue;
                }
                Err(problem) => return Err(problem),
            }
            let tasks: usize = request.pages.iter().map(|page| page.directory.len()).sum();
            let recurring = request.schedules.len();
            let is_version = matches!(request.expected, Some(Expected::Version(_)));
            let checked = self.check(request, &terms, since, now, reader).and_then(|checked| {
                // What replaces another task needs no room of its own.
                let added = tasks.saturating_sub(checked.replaced_entries());
                let added_schedules =
                    checked.schedules.len().saturating_sub(checked.replaced_schedules());
                self.has_room(asked + added, asked_schedules + added_schedules)?;
                self.lanes.have_room_for(checked.keys(&terms.keys))?;
                self.allows(&terms, asked + asked_schedules, &checked, now)?;
                let (runs, fits) = self.fits(&checked, &changes);
                if runs > 0 {
                    self.has_room(
                        asked + added + changes.aside.runs + runs.min(MAX_FIRING_TASKS),
                        0,
                    )?;
                }
                Ok((checked, fits))
            });
            replies.push(match checked {
                Ok((checked, false)) => {
                    self.do_part(checked, is_version, now, reader, &mut changes, &mut effects)?;
                    Err(EngineError::Unfinished)
                }
                Ok((mut checked, true)) => {
                    // What they replace is removed at once, and they are added at the end.
                    asked += tasks;
                    asked_schedules += checked.schedules.len();
                    taken += 1;
                    let patch = checked.patch.take();
                    let is_patch = u64::from(patch.is_some());
                    let patched = patch.as_ref().map(|patch| patch.record.as_slice());
                    let unanswered = tasks + recurring == 1
                        && self.circuits.is_any_open()
                        && patched
                            .or_else(|| checked.first_record())
                            .is_some_and(|record| self.is_unanswered(record));
                    let reply = AppendReply {
                        created: (tasks + recurring) as u64,
                        replaced: self.count_tasks(&checked.replaced, &checked.flights)
                            + checked.going_on.len() as u64
                            + is_patch,
                        running: checked.flights.len() as u64 + is_patch,
                        patched: patch.as_ref().map(FlightPatch::version),
                        went_on: checked.went_on,
                        unanswered,
                        done_before: None,
                    };
                    self.state.counters.created += reply.created;
                    self.state.counters.replaced += reply.replaced;
                    self.note_created(&checked, now);
                    self.kill(&checked.replaced, &mut effects);
                    self.cancel_flights(&checked.flights, &mut effects);
                    if let Some(patch) = patch {
                        self.patch_flight(patch, now, &mut effects);
                    }
                    for (flight, change) in std::mem::take(&mut checked.flight_changes) {
                        self.change_flight(flight, change, now, reader, &mut changes)?;
                    }
                    for (at, change) in std::mem::take(&mut checked.attempts) {
                        self.plan_change(at, change, now, reader, &mut changes)?;
                    }
                    // Owed runs must not overlap the attempts that the end of this commit requeues,
                    // so they are planned while these attempts still exist.
                    for going in std::mem::take(&mut checked.going_on) {
                        self.carry_on(going, now, &mut changes.aside, &mut effects);
                    }
                    for schedule in &mut checked.schedules {
                        self.run_owed(schedule, now, &mut changes.aside);
                    }
                    // Entries are removed before new ones are added, because adding moves entries.
                    self.kill(&std::mem::take(&mut changes.killed), &mut effects);
                    self.settle(&terms, &reply, now, &mut effects);
                    self.assign_lanes(&mut checked, &terms.keys);
                    pages.append(&mut checked.pages);
                    schedules.append(&mut checked.schedules);
                    Ok(reply)
                }
                Err(problem) if problem.drops_engine() => return Err(problem),
                Err(refused) => Err(refused),
            });
        }
        self.unsaved |= taken > 0;
        for page in if taken > 1 { join(pages)? } else { pages } {
            self.add_page(page, &mut effects);
        }
        for schedule in schedules {
            self.add_schedule(schedule, &mut effects);
        }
        self.carry_out_changes(changes, now, reader, &mut effects)?;
        self.save_lanes(&mut effects);
        Ok((replies, effects))
    }

    /// Creates the lanes that a request needs, and assigns its pages to them. A page names its key
    /// by its place in `keys`.
    fn assign_lanes(&mut self, checked: &mut Checked, keys: &[String]) {
        for page in &mut checked.pages {
            let lane = self.lane_for(key_of(page, keys));
            page.directory.set_lane(lane);
        }
        for key in
            checked.schedules.iter().filter_map(|schedule| schedule.read.limit_key.as_deref())
        {
            self.lanes.reserve(key);
        }
    }

    /// Records an event for each task of a request: created, or updated if it replaces a task with
    /// the same id.
    fn note_created(&mut self, checked: &Checked, now: UnixMillis) {
        if !self.events.is_on(now) {
            return;
        }
        let waiting = checked.replaced.iter().filter_map(|at| self.tasks.hash_of(*at));
        let in_flight = checked.flights.iter().filter_map(|flight| self.hash_of_flight(*flight));
        let replaced: HashSet<u64> = waiting.chain(in_flight).collect();
        let kind = |hash: u64| {
            if replaced.contains(&hash) { EventKind::Updated } else { EventKind::Created }
        };
        for page in &checked.pages {
            for entry in page.directory.iter() {
                let start = entry.offset as usize;
                let record = page.body.get(start..start + entry.len as usize).unwrap_or_default();
                self.events.note_text(kind(entry.hash), record, now);
            }
        }
        for schedule in &checked.schedules {
            let kind = kind(self.id_hash(&schedule.read.id));
            self.events.note_text(kind, &schedule.record, now);
        }
        for going in &checked.going_on {
            self.events.note_text(EventKind::Updated, &going.record, now);
        }
    }

    /// Checks that `asked` more tasks and `recurring` more recurring tasks fit. No more always fit,
    /// even if further attempts have filled the shard beyond its limit.
    pub(super) fn has_room(&self, asked: usize, recurring: usize) -> Result<(), EngineError> {
        let held = self.tasks.held();
        if asked > 0 && held + asked > self.config.max_entries {
            let dead = self.tasks.counts().dead_letters;
            return Err(EngineError::Full { held, dead, asked, limit: self.config.max_entries });
        }
        if recurring > 0 && self.tasks.schedules() + recurring > MAX_SCHEDULES_PER_SHARD {
            return Err(EngineError::TooManySchedules {
                held: self.tasks.schedules(),
                asked: recurring,
            });
        }
        Ok(())
    }

    /// Adds the runs that a new recurring task owes.
    fn run_owed(&self, schedule: &mut NewSchedule, now: UnixMillis, aside: &mut RunsAside) {
        let owed = std::mem::take(&mut schedule.owed);
        if owed.is_empty() {
            return;
        }
        let (read, record) = (&schedule.read, &schedule.record);
        let (hash, overlap) = (self.id_hash(&read.id), read.policies.overlap);
        self.run_aside(
            &Aside { record, hash, to_queue: read.to_queue, overlap, starts_now: false },
            owed,
            now,
            aside,
        );
    }

    fn add_schedule(&mut self, schedule: NewSchedule, effects: &mut Effects) {
        let NewSchedule { read, record, since, next, .. } = schedule;
        // A task whose schedule has already ended is not stored.
        if next.is_none() {
            return;
        }
        let number = self.next_schedule();
        effects.writes.push(Write::InsertSchedule { number, since, record });
        let (next, paused_at) = (next.filter(|_| !read.paused), read.paused.then_some(since));
        let schedule = self.in_memory(read, next, paused_at);
        self.tasks.insert_schedule(number, schedule);
    }

    /// Returns the in-memory form of a recurring task.
    pub(super) fn in_memory(
        &mut self,
        read: ReadSchedule,
        next: Option<Occurrence>,
        paused_at: Option<UnixMillis>,
    ) -> MemSchedule {
        MemSchedule {
            hash: self.id_hash(&read.id),
            next,
            schedule: read.schedule,
            to_queue: read.to_queue,
            paused_at,
            priority: read.priority,
            policies: read.policies,
            caught_up: CaughtUp::default(),
            lane: self.lane_for(read.limit_key.as_deref()),
            record_bytes: read.record_bytes,
        }
    }
}

/// Joins the smaller pages of several requests so that they share rows.
///
/// # Errors
/// [`EngineError::Contradiction`] if a record of a page is longer than that page may be.
fn join(pages: Vec<Page>) -> Result<Vec<Page>, EngineError> {
    let (mut joined, mut builders) = (Vec::new(), BTreeMap::<LaneNumber, PageBuilder>::new());
    for page in pages {
        if page.body.len() > PAGE_TARGET_BYTES / 2 {
            joined.push(page);
            continue;
        }
        let builder = builders.entry(page.directory.lane()).or_default();
        for entry in page.directory.iter() {
            let start = entry.offset as usize;
            let record = page.body.get(start..start + entry.len as usize).unwrap_or_default();
            // The record comes from a page, so it is not empty, and it is at most half a page long.
            if !builder
                .push(entry.hash, entry.due, entry.flags, |out| out.extend_from_slice(record))
            {
                return Err(contradiction("a record of a request does not fit a page"));
            }
        }
    }
    for (lane, builder) in builders {
        joined.extend(builder.finish().into_iter().map(|mut page| {
            page.directory.set_lane(lane);
            page
        }));
    }
    Ok(joined)
}

#[cfg(test)]
#[path = "append_tests.rs"]
mod tests;
