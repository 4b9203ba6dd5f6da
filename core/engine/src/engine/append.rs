//! Taking tasks in.

use super::change::Changes;
use super::decided::FlightRef;
use super::fire::MAX_FIRING_TASKS;
use super::go_on::{GoingOn, Outcome, Reading};
use super::late::{Aside, RunsAside};
use super::new_schedule::{NewSchedule, ReadSchedule};
use super::patched::FlightPatch;
use super::tasks::{CaughtUp, EntryRef, MemSchedule};
use super::{Effects, Engine, EngineError, Reader, Write};
use scheduler_calendar::schedule::Occurrence;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{
    MAX_PAGE_TASKS, MAX_SCHEDULES_PER_SHARD, OPEN_PAGE_APPEND_BYTES, OPEN_PAGE_BYTES, PAGE_TARGET_BYTES,
};
use scheduler_model::format::page::{Entry, Flags, Page, PageBuilder};
use scheduler_model::protocol::{Append, AppendReply, Change, EventKind, Expected, Terms};
use scheduler_model::task::Record;
use std::collections::{BTreeMap, BTreeSet};

/// A request that holds, with what was read of it.
pub(super) struct Checked {
    pages: Vec<Page>,
    schedules: Vec<NewSchedule>,
    /// Recurring tasks that stay where they are, with another record.
    pub(super) going_on: Vec<GoingOn>,
    replaced: Vec<EntryRef>,
    /// Further attempts that are paused or resumed with their task.
    pub(super) attempts: Vec<(EntryRef, Change)>,
    /// The same, of runs of which an attempt is in flight.
    pub(super) flight_changes: Vec<(FlightRef, Change)>,
    /// Attempts in flight, whose runs end with these.
    flights: Vec<FlightRef>,
    /// What becomes of the one task of the request, where that is in flight and goes on.
    patch: Option<FlightPatch>,
    went_on: u64,
}

impl Checked {
    /// How many tasks it has.
    pub(super) fn tasks(&self) -> usize {
        self.pages.iter().map(|page| page.directory.len()).sum::<usize>() + self.schedules.len() + self.going_on.len()
    }

    /// How many tasks and attempts make room for them.
    pub(super) fn replaced(&self) -> usize {
        self.replaced.len() + self.going_on.len()
    }

    /// The keys of limits that it has tasks of.
    fn keys<'a>(&'a self, keys: &'a [String]) -> impl Iterator<Item = &'a str> {
        let of_new = self.schedules.iter().map(|schedule| &schedule.read);
        let of_schedules = of_new.chain(self.going_on.iter().map(|going| &going.read));
        let of_schedules = of_schedules.filter_map(|read| read.limit_key.as_deref());
        self.pages.iter().filter_map(|page| key_of(page, keys)).chain(of_schedules)
    }
}

/// The record of an entry of a page of a request.
pub(super) fn given(page: &Page, entry: Entry) -> Result<Record<'_>, EngineError> {
    let start = entry.offset as usize;
    let text = page.body.get(start..start + entry.len as usize).unwrap_or_default();
    Record::parse(text).map_err(|problem| EngineError::BadRequest(format!("a record: {problem}")))
}

/// The key that a page of a request names, by its place from 1.
fn key_of<'a>(page: &Page, keys: &'a [String]) -> Option<&'a str> {
    keys.get(usize::from(page.directory.lane()).checked_sub(1)?).map(String::as_str)
}

impl Engine {
    /// Takes one request's tasks in: [`Engine::append_all`] of it alone. For callers who resume nothing large: the effects of a part are
    /// lost with the error.
    ///
    /// # Errors
    /// When the shard is full or the request does not hold, nothing has changed. After a storage error, and after
    /// [`EngineError::Unfinished`], the engine must be dropped.
    pub fn append(
        &mut self,
        append: Append,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(AppendReply, Effects), EngineError> {
        let (mut replies, effects) = self.append_all(vec![append], now, reader)?;
        let reply = replies.pop().unwrap_or_else(|| Err(EngineError::BadRequest("there was no request".to_owned())))?;
        Ok((reply, effects))
    }

    /// Takes in the tasks of requests that came together, in one commit and in shared rows. A task takes the place of the one of
    /// the same id that waits, atomically: a reader sees the one or the other, and only the new one fires. A time at or before the
    /// watermark gets the first free place after it; the record keeps the time that was asked for.
    ///
    /// No id may stand in two of the requests (see [`Gathering`]). One that is refused, because the shard is full or because it does
    /// not hold, changes nothing and leaves the others good. One that is refused as unfinished has done a part of what it changes beside
    /// its tasks ([`super::parts`]): its sender repeats it.
    ///
    /// # Errors
    /// When storage fails or is damaged; the engine must then be dropped.
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
        // Occurrences start after everything that has been handed on, should the clock have gone back.
        let since = now.max(self.state.watermark.due);
        for mut request in requests {
            let terms = std::mem::take(&mut request.terms);
            match self.recall(terms.once.as_ref(), now, reader) {
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
            let checked = self
                .has_room(asked + tasks, asked_schedules + recurring)
                .and_then(|()| self.check(request, &terms, since, now, reader))
                .and_then(|checked| {
                    self.lanes.have_room_for(checked.keys(&terms.keys))?;
                    self.allows(&terms, asked + asked_schedules, &checked, now)?;
                    let (runs, fits) = self.fits(&checked, &changes);
                    if runs > 0 {
                        self.has_room(asked + tasks + changes.aside.runs + runs.min(MAX_FIRING_TASKS), 0)?;
                    }
                    Ok((checked, fits))
                });
            replies.push(match checked {
                Ok((checked, false)) => {
                    self.do_part(checked, is_version, now, reader, &mut changes, &mut effects)?;
                    Err(EngineError::Unfinished)
                }
                Ok((mut checked, true)) => {
                    asked += tasks;
                    asked_schedules += recurring;
                    taken += 1;
                    let patch = checked.patch.take();
                    let is_patch = u64::from(patch.is_some());
                    let reply = AppendReply {
                        created: (tasks + recurring) as u64,
                        replaced: self.count_tasks(&checked.replaced, &checked.flights)
                            + checked.going_on.len() as u64
                            + is_patch,
                        running: checked.flights.len() as u64 + is_patch,
                        patched: patch.as_ref().map(FlightPatch::version),
                        went_on: checked.went_on,
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
                    // Before the attempts are taken out, which are put back at the end of the commit: owed runs must not overlap them.
                    for going in std::mem::take(&mut checked.going_on) {
                        self.carry_on(going, now, &mut changes.aside, &mut effects);
                    }
                    for schedule in &mut checked.schedules {
                        self.run_owed(schedule, now, &mut changes.aside);
                    }
                    // Before anything is added, which would move entries.
                    self.kill(&std::mem::take(&mut changes.killed), &mut effects);
                    self.settle(&terms, &reply, now, &mut effects);
                    self.assign_lanes(&mut checked, &terms.keys);
                    pages.append(&mut checked.pages);
                    schedules.append(&mut checked.schedules);
                    Ok(reply)
                }
                Err(problem @ (EngineError::Storage(_) | EngineError::Corrupt(_))) => return Err(problem),
                Err(refused) => Err(refused),
            });
        }
        self.unsaved |= taken > 0;
        for page in if taken > 1 { join(pages) } else { pages } {
            self.add_page(page, &mut effects);
        }
        for schedule in schedules {
            self.add_schedule(schedule, &mut effects);
        }
        self.carry_out_changes(changes, now, reader, &mut effects)?;
        self.save_lanes(&mut effects);
        Ok((replies, effects))
    }

    /// Makes the lanes that a request needs, and puts its pages, which name their key by its place among the request's, into them.
    fn assign_lanes(&mut self, checked: &mut Checked, keys: &[String]) {
        for page in &mut checked.pages {
            let lane = key_of(page, keys).and_then(|key| self.lanes.reserve(key)).unwrap_or(0);
            page.directory.set_lane(lane);
        }
        for key in checked.schedules.iter().filter_map(|schedule| schedule.read.limit_key.as_deref()) {
            self.lanes.reserve(key);
        }
    }

    fn note_created(&mut self, checked: &Checked, now: UnixMillis) {
        if !self.feed.is_on(now) {
            return;
        }
        for page in &checked.pages {
            for entry in page.directory.iter() {
                let start = entry.offset as usize;
                let record = page.body.get(start..start + entry.len as usize).unwrap_or_default();
                self.feed.note_text(EventKind::Created, record, now);
            }
        }
        let records = checked.schedules.iter().map(|schedule| &schedule.record);
        for record in records.chain(checked.going_on.iter().map(|going| &going.record)) {
            self.feed.note_text(EventKind::Created, record, now);
        }
    }

    /// That so many more tasks, and recurring ones, find room.
    pub(super) fn has_room(&self, asked: usize, recurring: usize) -> Result<(), EngineError> {
        let held = self.tasks.held();
        if held + asked > self.config.max_entries {
            let dead = self.tasks.counts().dead_letters;
            return Err(EngineError::Full { held, dead, asked, limit: self.config.max_entries });
        }
        if self.tasks.schedules() + recurring > MAX_SCHEDULES_PER_SHARD {
            return Err(EngineError::TooManySchedules { held: self.tasks.schedules(), asked: recurring });
        }
        Ok(())
    }

    fn check(
        &self,
        mut request: Append,
        terms: &Terms,
        since: UnixMillis,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<Checked, EngineError> {
        let read = |record: Vec<u8>| NewSchedule::new(record, since, terms.again).map_err(EngineError::BadRequest);
        let schedules = request.schedules.into_iter().map(read).collect::<Result<Vec<_>, EngineError>>()?;
        for page in &mut request.pages {
            let keyed = self.id_key.key_page(page);
            keyed.map_err(|problem| EngineError::BadRequest(format!("a page: {problem}")))?;
        }
        let found = if request.fresh { Vec::new() } else { self.find_replaced(&request.pages, &schedules, reader)? };
        let in_flight = if request.fresh { Vec::new() } else { self.ids_in_flight(&request.pages, &schedules)? };
        // What waits comes first: of what is in flight only the rest is asked for.
        let mut flights = if found.is_empty() { self.flights_of_ids(&in_flight, |_| true, reader)? } else { Vec::new() };
        if let Some(expected) = request.expected {
            self.check_expected(expected, terms.tasks_only, &found, &flights, reader)?;
        }
        let (given, moved) = self.by_law(request.pages, now);
        let mut outcome = if found.is_empty() {
            Outcome { pages: given, schedules, ..Outcome::default() }
        } else {
            self.go_on(given, schedules, &found, &Reading::new(request.expected, terms), (since, now), reader)?
        };
        let (mut patch, mut flight_changes) = (None, Vec::new());
        if !found.is_empty() {
            let attempts = std::mem::take(&mut outcome.of_attempts);
            // Where runs go on, those in flight do so too, and are paused and resumed with the others.
            for flight in self.flights_of_ids(&in_flight, |hash| attempts.get(&hash) != Some(&None), reader)? {
                match self.hash_of_flight(flight).and_then(|hash| attempts.get(&hash).copied()).flatten() {
                    Some(change) => flight_changes.push((flight, change)),
                    None => flights.push(flight),
                }
            }
        } else if let (Some(newest), Some(Expected::Version(_))) = (flights.first(), request.expected) {
            patch = self.patch_of(*newest, &outcome.pages, reader)?;
            if patch.is_some() {
                // Nothing new waits.
                flights.clear();
                outcome.pages.clear();
            }
        }
        let Outcome { pages, schedules, going_on, replaced, attempts, went_on, .. } = outcome;
        let went_on = went_on + moved;
        Ok(Checked { pages, schedules, going_on, replaced, attempts, flight_changes, flights, patch, went_on })
    }

    fn check_expected(
        &self,
        expected: Expected,
        tasks_only: bool,
        found: &[EntryRef],
        flights: &[FlightRef],
        reader: &dyn Reader,
    ) -> Result<(), EngineError> {
        let version = self.version_among(found, flights.first(), reader)?;
        let is_attempt = !found.is_empty() && found.iter().all(|at| self.flags_of(*at).has(Flags::RETRY));
        match (expected, version) {
            (Expected::Absent, Some(_)) if found.is_empty() => {
                Err(EngineError::Conflict("an attempt of a task of this id is in flight"))
            }
            (Expected::Absent, Some(_)) => Err(EngineError::Conflict("a task waits under this id already")),
            (Expected::Absent, None) => Ok(()),
            (Expected::Version(_), None) => Err(EngineError::Conflict("no task waits under this id (any more)")),
            (Expected::Version(_), Some(_)) if tasks_only && is_attempt => {
                Err(EngineError::Conflict("what waits under this id is an attempt of a run, and no task"))
            }
            (Expected::Version(wanted), Some(version)) if version == wanted => Ok(()),
            (Expected::Version(_), Some(_)) => Err(EngineError::Conflict("the task was changed meanwhile; read it again")),
        }
    }

    /// The waiting tasks whose ids the request gives again. Entries are found by hash, then compared by id.
    fn find_replaced(
        &self,
        pages: &[Page],
        schedules: &[NewSchedule],
        reader: &dyn Reader,
    ) -> Result<Vec<EntryRef>, EngineError> {
        let mut replaced = Vec::new();
        for page in pages {
            for entry in page.directory.iter() {
                if self.tasks.find(entry.hash).next().is_some() {
                    self.find_live(&given(page, entry)?.id, reader, &mut replaced)?;
                }
            }
        }
        for schedule in schedules {
            self.find_live(&schedule.read.id, reader, &mut replaced)?;
        }
        Ok(replaced)
    }

    /// The ids that the request gives of which attempts may be in flight.
    fn ids_in_flight(&self, pages: &[Page], schedules: &[NewSchedule]) -> Result<Vec<String>, EngineError> {
        let mut ids = Vec::new();
        if self.in_flight.is_empty() {
            return Ok(ids);
        }
        for page in pages {
            for entry in page.directory.iter().filter(|entry| self.in_flight.contains_key(&entry.hash)) {
                ids.push(given(page, entry)?.id.into_owned());
            }
        }
        let of_schedules = schedules.iter().map(|schedule| &schedule.read.id);
        ids.extend(of_schedules.filter(|id| self.in_flight.contains_key(&self.id_hash(id))).cloned());
        Ok(ids)
    }

    /// Adds the task that waits under `id`, and its further attempts, to `found`. A dead letter does not wait.
    pub(super) fn find_live(&self, id: &str, reader: &dyn Reader, found: &mut Vec<EntryRef>) -> Result<(), EngineError> {
        for at in self.tasks.find(self.id_hash(id)) {
            if !self.is_dead_letter(at) && self.id_of(at, reader)? == id {
                found.push(at);
            }
        }
        Ok(())
    }

    pub(super) fn is_dead_letter(&self, at: EntryRef) -> bool {
        self.flags_of(at).has(Flags::DEAD_LETTER)
    }

    pub(super) fn flags_of(&self, at: EntryRef) -> Flags {
        self.tasks.page(at.page).and_then(|page| page.directory.get(at.index as usize)).map_or(Flags::TASK, |entry| entry.flags)
    }

    /// The stored record of a live entry or a schedule.
    pub(super) fn record_of(&self, at: EntryRef, reader: &dyn Reader) -> Result<Vec<u8>, EngineError> {
        if at.page == 0 {
            return Ok(reader.schedule(at.index)?);
        }
        let entry = self
            .tasks
            .page(at.page)
            .and_then(|page| page.directory.get(at.index as usize))
            .ok_or_else(|| EngineError::Corrupt(format!("page {} has no entry {}", at.page, at.index)))?;
        Ok(reader.body(at.page, entry.offset, entry.len)?)
    }

    /// Cancels live entries and schedules: memory, and a row for each page or schedule that is touched.
    pub(super) fn kill(&mut self, refs: &[EntryRef], effects: &mut Effects) {
        let mut touched = BTreeSet::new();
        for at in refs {
            if at.page == 0 {
                self.tasks.remove_schedule(at.index);
                effects.writes.push(Write::DeleteSchedule { number: at.index });
            } else {
                let had_dead = self.tasks.page(at.page).is_some_and(|page| page.has_dead());
                touched.insert((at.page, had_dead));
                self.tasks.kill(*at);
            }
        }
        let mut last = None;
        for (number, had_dead) in touched {
            // `had_dead` as it was at the first kill: (page, false) sorts before (page, true).
            if last == Some(number) {
                continue;
            }
            last = Some(number);
            let Some(page) = self.tasks.page(number) else { continue };
            if page.live() == 0 {
                effects.writes.push(Write::DeletePage { page: number, has_dead: had_dead });
                self.tasks.remove_page(number);
            } else {
                effects.writes.push(Write::SetDead { page: number, bits: page.dead_bits() });
            }
        }
    }

    /// Takes in a page whose hashes are keyed: small ones extend the open page, others stand alone.
    pub(super) fn add_page(&mut self, mut page: Page, effects: &mut Effects) {
        if page.directory.is_empty() {
            return;
        }
        page.directory.set_keyed();
        // The first free place after the watermark: strictly later than everything that has been handed on.
        let lane = page.directory.lane();
        page.directory.raise_to(self.watermark_of(lane).due.plus(1));
        if page.body.len() <= OPEN_PAGE_APPEND_BYTES
            && let Some(number) = self.open_page_for(&page)
        {
            self.extend(number, page, effects);
            return;
        }
        let number = self.next_page();
        if page.body.len() <= OPEN_PAGE_APPEND_BYTES {
            *self.open_page(lane) = Some(number);
        } else if page.directory.iter().any(|entry| entry.flags.has(Flags::DEAD_LETTER)) {
            // Later ones come to stand behind these: see `remains`.
            *self.open_page(lane) = None;
        }
        let body_len = page.body.len() as u32;
        effects.writes.push(Write::InsertPage { page: number, directory: page.directory.bytes().to_vec(), body: page.body });
        self.note_law(number, &page.directory, effects);
        self.tasks.insert_page(number, page.directory, body_len, 0, Vec::new());
        self.note_lapses(number);
    }

    /// The open page, if it can take this one. A page with cancelled entries takes no more, for their bits would have to move.
    fn open_page_for(&mut self, more: &Page) -> Option<u32> {
        let number = (*self.open_page(more.directory.lane()))?;
        let page = self.tasks.page(number)?;
        // The number may have been given to another page meanwhile.
        let fits = page.directory.lane() == more.directory.lane()
            && page.body_len as usize + more.body.len() <= OPEN_PAGE_BYTES
            && page.directory.len() + more.directory.len() <= MAX_PAGE_TASKS
            && !page.has_dead();
        fits.then_some(number)
    }

    fn extend(&mut self, number: u32, more: Page, effects: &mut Effects) {
        self.note_law(number, &more.directory, effects);
        let offset = self.tasks.page(number).map_or(0, |page| page.body_len);
        for entry in more.directory.iter() {
            self.tasks.insert_entry(number, scheduler_model::format::page::Entry { offset: offset + entry.offset, ..entry });
        }
        let Some(page) = self.tasks.page(number) else { return };
        effects.writes.push(Write::ExtendPage { page: number, directory: page.directory.bytes().to_vec(), tail: more.body });
        self.note_lapses(number);
    }

    /// Adds the runs that a new recurring task owes.
    fn run_owed(&self, schedule: &mut NewSchedule, now: UnixMillis, aside: &mut RunsAside) {
        let owed = std::mem::take(&mut schedule.owed);
        if owed.is_empty() {
            return;
        }
        let (read, record) = (&schedule.read, &schedule.record);
        let (hash, overlap) = (self.id_hash(&read.id), read.policies.overlap);
        self.run_aside(&Aside { record, hash, to_queue: read.to_queue, overlap, starts_now: false }, owed, now, aside);
    }

    fn add_schedule(&mut self, schedule: NewSchedule, effects: &mut Effects) {
        let NewSchedule { read, record, since, next, .. } = schedule;
        // One that has ended before it was stored is gone, as a task is that has fired.
        if next.is_none() {
            return;
        }
        let number = self.next_schedule();
        effects.writes.push(Write::InsertSchedule { number, since, record });
        let (next, paused_at) = (next.filter(|_| !read.paused), read.paused.then_some(since));
        let schedule = self.in_memory(read, next, paused_at);
        self.tasks.insert_schedule(number, schedule);
    }

    /// A recurring task as memory has it.
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
            lane: read.limit_key.as_deref().and_then(|key| self.lanes.reserve(key)).unwrap_or(0),
            record_bytes: read.record_bytes,
        }
    }
}

/// Joins the smaller pages of several requests, so that they share rows.
fn join(pages: Vec<Page>) -> Vec<Page> {
    let (mut joined, mut builders) = (Vec::new(), BTreeMap::<u8, PageBuilder>::new());
    for page in pages {
        if page.body.len() > PAGE_TARGET_BYTES / 2 {
            joined.push(page);
            continue;
        }
        let builder = builders.entry(page.directory.lane()).or_default();
        for entry in page.directory.iter() {
            let start = entry.offset as usize;
            let record = page.body.get(start..start + entry.len as usize).unwrap_or_default();
            // It was in a page, so it is neither empty nor, at half a page, too long.
            let _ = builder.push(entry.hash, entry.due, entry.flags, |out| out.extend_from_slice(record));
        }
    }
    for (lane, builder) in builders {
        joined.extend(builder.finish().into_iter().map(|mut page| {
            page.directory.set_lane(lane);
            page
        }));
    }
    joined
}

#[cfg(test)]
#[path = "append_tests.rs"]
mod tests;
