//! What a task keeps when a new definition replaces it.
//!
//! A definition means the same task in two cases: the request names the version of the task (a
//! patch, a `PUT` with `If-Match`), or the definition has the task's schedule, as with a `PUT` that
//! every deploy repeats. Then the pending runs of the task stay: further attempts, held runs, and
//! runs that wait for their limit. If the schedule is the same, the task also keeps its place in
//! the order, so it fires at the same time as before. A recurring task then keeps its number, next
//! occurrence, counted runs and pause. A one-shot task keeps the due time that `run` has set. A
//! definition with another schedule starts a new task.

use super::Engine;
use crate::checked::given;
use crate::continued::{Pause, continued, continued_text};
use crate::decisions::FlightRef;
use crate::effects::{Effects, Write};
use crate::entry_ref::EntryRef;
use crate::error::{EngineError, contradiction};
use crate::new_schedule::{NewSchedule, read_schedule};
use crate::pause::{missed_in_pause, pause_start, same_next_run};
use crate::policy::Verdict;
use crate::reader::Reader;
use crate::rebuilt_page::{KeptEntry, rebuilt, record_in};
use crate::redefinition::{Former, GoingOn, Reading, Redefined};
use crate::runs_aside::{Aside, RunsAside};
use crate::same_definition::{LeftOpen, Same, going_on};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::{Entry, Flags, Page};
use scheduler_model::numbers::ScheduleNumber;
use scheduler_model::protocol::{Append, GoOnReply};
use scheduler_model::routing::id_hash;
use scheduler_model::task::Record;
use std::collections::BTreeMap;

impl Engine {
    /// Accepts those recurring tasks of a request that continue tasks of this shard with the same
    /// schedule, and ignores the others. A new task goes to a shard of the newest epoch, but an
    /// existing task stays where it is.
    ///
    /// # Errors
    /// As [`Engine::append`].
    pub fn go_on_here(
        &mut self,
        mut append: Append,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(Result<GoOnReply, EngineError>, Effects), EngineError> {
        let open = Reading::new(None, &append.terms);
        let mut went_on = Vec::with_capacity(append.schedules.len());
        let since = now.max(self.state.watermark.due);
        for record in &append.schedules {
            went_on.push(self.is_same_as_stored(record, &open, (since, now), reader)?);
        }
        let mut keeps = went_on.iter();
        append.schedules.retain(|_| keeps.next().copied().unwrap_or(false));
        append.pages.clear();
        (append.fresh, append.expected) = (false, None);
        if append.schedules.is_empty() {
            return Ok((Ok(GoOnReply { went_on }), Effects::default()));
        }
        let (replies, effects) = self.append_all(vec![append], now, reader)?;
        let refused = replies.into_iter().find_map(Result::err);
        Ok((refused.map_or(Ok(GoOnReply { went_on }), Err), effects))
    }

    fn is_same_as_stored(
        &self,
        record: &[u8],
        open: &Reading,
        times: (UnixMillis, UnixMillis),
        reader: &dyn Reader,
    ) -> Result<bool, EngineError> {
        let read = Record::parse(record)
            .map_err(|problem| EngineError::BadRequest(format!("a record: {problem}")))?;
        let mut found = Vec::new();
        self.find_live(&read.id, reader, &mut found)?;
        let Some(number) = found.iter().find_map(|at| at.schedule()) else { return Ok(false) };
        let stored = reader.schedule(number)?;
        let Some(same) = going_on(record, &stored, open.left_open(id_hash(&read.id)))
            .map_err(EngineError::Corrupt)?
        else {
            return Ok(false);
        };
        let has_attempts = found.iter().any(|at| at.schedule().is_none());
        let is_in_part = is_changed_in_part(&stored)?;
        let going = self.plan_same(number, same, times)?;
        Ok(going.is_some_and(|going| has_attempts || is_in_part || !going.leaves_nothing()))
    }

    /// Plans a new record for a schedule that stays the same, except for the items of its calendars.
    /// Returns `None` if these leave out all that is left of it.
    fn plan_same(
        &self,
        number: ScheduleNumber,
        same: Same,
        (since, now): (UnixMillis, UnixMillis),
    ) -> Result<Option<GoingOn>, EngineError> {
        match same {
            Same::Schedule(record) => self.plan_going_on(number, record, since, now).map(Some),
            Same::ExceptItems(record) => self.plan_with_new_items(number, record, since, now),
        }
    }

    /// Decides for each task of a request which waiting entries with its id continue. `found`
    /// contains these entries.
    pub(super) fn go_on(
        &self,
        pages: Vec<Page>,
        schedules: Vec<NewSchedule>,
        found: &[EntryRef],
        reading: &Reading,
        (since, now): (UnixMillis, UnixMillis),
        reader: &dyn Reader,
    ) -> Result<Redefined, EngineError> {
        let mut by_hash: BTreeMap<u64, Former> = BTreeMap::new();
        for at in found {
            let hash = self.tasks.hash_of(*at);
            let hash = hash.ok_or_else(|| contradiction("a task that was found does not exist"))?;
            let former = by_hash.entry(hash).or_insert(Former { task: None, attempts: Vec::new() });
            if self.flags_of(*at).has(Flags::RETRY) {
                former.attempts.push(*at);
            } else {
                former.task = Some(*at);
            }
        }
        for former in by_hash.values_mut() {
            self.sort_by_run(&mut former.attempts, reader)?;
        }
        let mut outcome = Redefined::default();
        for schedule in schedules {
            match by_hash.remove(&self.id_hash(&schedule.read.id)) {
                Some(former) => self.go_on_with_schedule(
                    schedule,
                    former,
                    reading,
                    (since, now),
                    reader,
                    &mut outcome,
                )?,
                None => outcome.schedules.push(schedule),
            }
        }
        for page in pages {
            self.go_on_with_page(page, &mut by_hash, reading, now, reader, &mut outcome)?;
        }
        Ok(outcome)
    }

    fn go_on_with_schedule(
        &self,
        schedule: NewSchedule,
        former: Former,
        reading: &Reading,
        (since, now): (UnixMillis, UnixMillis),
        reader: &dyn Reader,
        outcome: &mut Redefined,
    ) -> Result<(), EngineError> {
        let id = schedule.read.id.clone();
        let open = reading.left_open(id_hash(&id));
        let Some(task) = former.task else {
            outcome.replaced.extend(former.attempts);
            outcome.schedules.push(schedule);
            return Ok(());
        };
        let was_paused = self.is_paused(task);
        let stored = match task {
            EntryRef::Page(_) if !reading.is_version => Vec::new(),
            _ => self.record_of(task, reader)?,
        };
        let same = match task {
            EntryRef::Schedule(number) => going_on(&schedule.record, &stored, open)
                .map_err(EngineError::Corrupt)?
                .map(|same| (number, same)),
            EntryRef::Page(_) => None,
        };
        let going = same.map(|(number, same)| self.plan_same(number, same, (since, now)));
        let going = going.transpose()?;
        // The last run fell into a pause that ends here, or new items leave out all that is left. A
        // part of a request has left something.
        let is_over = match &going {
            Some(Some(going)) => {
                going.leaves_nothing()
                    && former.attempts.is_empty()
                    && !is_changed_in_part(&stored)?
            }
            Some(None) => true,
            None => false,
        };
        if is_over && reading.is_version {
            return Err(EngineError::WouldEnd);
        }
        let is_paused = match going.flatten().filter(|_| !is_over) {
            Some(going) => {
                outcome.went_on +=
                    u64::from(going.record != schedule.record || going.next != schedule.next);
                let is_paused = going.read.paused;
                outcome.going_on.push(going);
                is_paused
            }
            None => {
                outcome.replaced.push(task);
                if !reading.is_version {
                    outcome.replaced.extend(former.attempts);
                    outcome.schedules.push(schedule);
                    return Ok(());
                }
                let is_paused = schedule.read.paused;
                let (schedule, is_changed) = schedule.continuing(&stored, was_paused)?;
                outcome.went_on += u64::from(is_changed);
                outcome.schedules.push(schedule);
                is_paused
            }
        };
        outcome.change_attempts(self.id_hash(&id), former.attempts, was_paused, is_paused, open);
        Ok(())
    }

    /// Plans a new record for a schedule whose times stay the same.
    fn plan_going_on(
        &self,
        number: ScheduleNumber,
        record: Vec<u8>,
        since: UnixMillis,
        now: UnixMillis,
    ) -> Result<GoingOn, EngineError> {
        let read = read_schedule(&record).map_err(EngineError::Corrupt)?;
        let former = self.known_schedule(number)?;
        let (next, paused_at) = (former.next, former.paused_at);
        let has_same_delay = *read.schedule == *former.schedule;
        let kept = GoingOn {
            read,
            record,
            number,
            next,
            paused_at,
            since: None,
            owed: Vec::new(),
            starts_now: false,
        };
        let (schedule, policies) = (&kept.read.schedule, kept.read.policies);
        let pause = paused_at.map(|paused_at| same_next_run(&former.schedule, schedule, paused_at));
        match (pause, kept.read.paused) {
            (Some(pause), true) if paused_at == Some(pause) => Ok(kept),
            (Some(pause), true) => {
                Ok(GoingOn { paused_at: Some(pause), since: Some(pause), ..kept })
            }
            (Some(pause), false) => {
                // Runs that were missed in the pause are owed, as after a resume.
                let owed = missed_in_pause(schedule, policies, pause, now);
                let since = since.max(pause);
                let next = schedule.next_after(since);
                Ok(GoingOn { next, paused_at: None, since: Some(since), owed, ..kept })
            }
            (None, true) => {
                let since = pause_start(
                    schedule,
                    next.map(|next| schedule.occurrence(next.time)),
                    policies.catches_up,
                    since,
                );
                Ok(GoingOn { next: None, paused_at: Some(since), since: Some(since), ..kept })
            }
            (None, false) if has_same_delay => Ok(kept),
            (None, false) => {
                // The next occurrence stays the same, even if it is due by now. Two occurrences
                // have no place in the order and are owed: one whose new due time is behind the
                // watermark, and one that this change makes due.
                let Some(was) = next else { return Ok(kept) };
                let occurrence = schedule.occurrence(was.time);
                let is_owed = occurrence.due <= self.state.watermark.due
                    || was.due > since && occurrence.due <= since;
                let (next, owed) = if is_owed {
                    (schedule.following(was.time), vec![(occurrence, Verdict::Fire)])
                } else {
                    (Some(occurrence), Vec::new())
                };
                let since = next.map(|next| next.due.plus(-1));
                Ok(GoingOn { next, since, owed, starts_now: true, ..kept })
            }
        }
    }

    /// Replaces a record by the planned one.
    pub(super) fn carry_on(
        &mut self,
        going: GoingOn,
        now: UnixMillis,
        aside: &mut RunsAside,
        effects: &mut Effects,
    ) {
        let GoingOn { read, record, number, next, paused_at, since, owed, starts_now } = going;
        if !owed.is_empty() {
            let (hash, overlap) = (self.id_hash(&read.id), read.policies.overlap);
            let of = Aside { record: &record, hash, to_queue: read.to_queue, overlap, starts_now };
            self.run_aside(&of, owed, now, aside);
        }
        if next.is_none() && paused_at.is_none() {
            // The last run of the task fell into the pause or is owed, so the task is removed as if
            // its last run had fired.
            self.tasks.remove_schedule(number);
            effects.writes.push(Write::DeleteSchedule { number });
            return;
        }
        effects.writes.push(Write::SetSchedule { number, since, record });
        let schedule = self.in_memory(read, next, paused_at);
        self.tasks.change_schedule(number, schedule);
    }

    /// Decides which one-shot tasks of a page keep something of the tasks that they replace, and
    /// which replaced tasks are removed.
    fn go_on_with_page(
        &self,
        page: Page,
        by_hash: &mut BTreeMap<u64, Former>,
        reading: &Reading,
        now: UnixMillis,
        reader: &dyn Reader,
        outcome: &mut Redefined,
    ) -> Result<(), EngineError> {
        let mut kept: BTreeMap<usize, KeptEntry> = BTreeMap::new();
        for (index, entry) in page.directory.iter().enumerate() {
            let Some(former) = by_hash.remove(&entry.hash) else { continue };
            let open = reading.left_open(id_hash(&given(&page, entry)?.id));
            let Some(task) = former.task else {
                outcome.replaced.extend(former.attempts);
                continue;
            };
            let same = match task {
                EntryRef::Schedule(_) => None,
                EntryRef::Page(_) => self.kept_entry(&page, &entry, (task, open), now, reader)?,
            };
            // A request that names the version continues the task even at another time.
            let same = match same {
                None if reading.is_version => {
                    let stored = self.record_of(task, reader)?;
                    Some(continuing(&page, &entry, &stored, self.is_paused(task))?)
                }
                same => same,
            };
            outcome.replaced.push(task);
            if same.is_none() {
                outcome.replaced.extend(former.attempts);
                continue;
            }
            let due = same.as_ref().map_or(entry.due, |kept| kept.due);
            outcome.change_attempts(
                entry.hash,
                former.attempts,
                self.is_paused(task),
                due == UnixMillis::PAUSED,
                open,
            );
            if let Some(same) = same.filter(|same| same.due != entry.due || same.record.is_some()) {
                outcome.went_on += 1;
                kept.insert(index, same);
            }
        }
        if kept.is_empty() {
            outcome.pages.push(page);
        } else {
            outcome.pages.extend(rebuilt(&page, kept));
        }
        Ok(())
    }

    /// Returns what a one-shot task keeps of the task that it replaces, if both have the same time
    /// or neither has one. Returns `None` if the times differ. A run that is due stays due,
    /// whatever jitter and window the definition has.
    fn kept_entry(
        &self,
        page: &Page,
        entry: &Entry,
        (task, open): (EntryRef, LeftOpen),
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<Option<KeptEntry>, EngineError> {
        let text = self.record_of(task, reader)?;
        let former = Record::parse(&text)
            .map_err(|problem| EngineError::Corrupt(format!("{task}: {problem}")))?;
        let given = Record::parse(record_in(page, entry))
            .map_err(|problem| EngineError::BadRequest(problem.to_string()))?;
        if !given.has_time_of(&former) || former.is_recurring() {
            return Ok(None);
        }
        let was = self.due_of(task);
        // The due time, and the time from which lateness counts if it differs from the record's.
        let (due, start) = match (was, entry.due) {
            (UnixMillis::PAUSED, _) if open.pause && given.time.is_some() => {
                (UnixMillis::PAUSED, None)
            }
            (_, due) if due.is_never() => (due, None),
            // A run was requested before the pause. It continues.
            (UnixMillis::PAUSED, due) => (former.replayed_at.unwrap_or(due), None),
            (was, due) if was.is_never() => (due, None),
            // The run is due by its time or by `run`.
            (was, _) if was < former.due() || former.due() <= now => {
                (was, Some(former.start().min(was)))
            }
            // The definition makes the run due.
            (_, due) if due <= now => (now, Some(now)),
            (_, due) => (due, None),
        };
        let is_given = given.replayed_at.or(given.late_since).is_some();
        let kept = Record {
            replayed_at: former.replayed_at,
            late_since: former.late_since,
            ..given.clone()
        };
        let late_since = start
            .filter(|start| kept.is_conditional() && *start > kept.start())
            .or(former.late_since);
        let kept = if is_given { given } else { Record { late_since, ..kept } };
        let pause = Pause::of(was == UnixMillis::PAUSED, due == UnixMillis::PAUSED);
        let record = continued(&kept, &former, &text, pause);
        let record = (record != record_in(page, entry)).then_some(record);
        Ok(Some(KeptEntry { due, record }))
    }

    /// Makes the only task of a request continue the run in flight that the request names by
    /// version, and change its time.
    pub(super) fn continue_flight(
        &self,
        flight: FlightRef,
        outcome: &mut Redefined,
        reader: &dyn Reader,
    ) -> Result<(), EngineError> {
        let stored = self.record_in_flight(flight, reader)?;
        let was_paused = self.decisions.at(flight).is_paused();
        let mut pages = Vec::with_capacity(outcome.pages.len());
        for page in &outcome.pages {
            let mut kept = BTreeMap::new();
            for (index, entry) in page.directory.iter().enumerate() {
                let entry = continuing(page, &entry, &stored, was_paused)?;
                outcome.went_on += u64::from(entry.record.is_some());
                kept.insert(index, entry);
            }
            pages.extend(rebuilt(page, kept));
        }
        outcome.pages = pages;
        for schedule in std::mem::take(&mut outcome.schedules) {
            let (schedule, is_changed) = schedule.continuing(&stored, was_paused)?;
            outcome.went_on += u64::from(is_changed);
            outcome.schedules.push(schedule);
        }
        Ok(())
    }

    /// Returns whether a task is paused.
    pub(super) fn is_paused(&self, task: EntryRef) -> bool {
        match task {
            EntryRef::Schedule(number) => {
                self.tasks.schedule(number).is_some_and(|schedule| schedule.paused_at.is_some())
            }
            EntryRef::Page(_) => self.due_of(task) == UnixMillis::PAUSED,
        }
    }
}

/// Returns whether a request has changed a part of the task with this record.
fn is_changed_in_part(stored: &[u8]) -> Result<bool, EngineError> {
    let record = Record::parse(stored)
        .map_err(|problem| EngineError::Corrupt(format!("a recurring task's record: {problem}")))?;
    Ok(record.unfinished_version.is_some())
}

/// Returns an entry of a request that continues the task of the record `stored` at another time.
/// `was_paused` is whether that task was paused.
fn continuing(
    page: &Page,
    entry: &Entry,
    stored: &[u8],
    was_paused: bool,
) -> Result<KeptEntry, EngineError> {
    let given = record_in(page, entry);
    let pause = Pause::of(was_paused, entry.due == UnixMillis::PAUSED);
    let record = continued_text(given, stored, pause)?;
    Ok(KeptEntry { due: entry.due, record: (record != given).then_some(record) })
}

#[cfg(test)]
#[path = "go_on_tests.rs"]
mod tests;
