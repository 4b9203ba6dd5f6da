//! Dead letters by their own ids: list, replay and discard.
//!
//! A dead letter is an entry of a page. Its due time is [`UnixMillis::as_death`] of the time at
//! which the run failed for good. So the order of entries is the order of death, and the time of
//! death is known without reading the record. Earlier versions stored dead letters as never due;
//! only their records say when they died. Requests by filter scan all tasks in order: see
//! `engine/query.rs`.

use super::Engine;
use super::found::Found;
use super::plan::{json_text, replayed};
use crate::changes::Changes;
use crate::effects::Effects;
use crate::entry_ref::EntryRef;
use crate::error::EngineError;
use crate::lateness::leading_time;
use crate::newest_first::newest_in;
use crate::reader::Reader;
use crate::requeue::queue_flag;
use crate::scan::{Candidate, Spent, item_of};
use crate::timers::TimerHeap;
use scheduler_calendar::ordered::sort_by_key;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_RECORD_BYTES;
use scheduler_model::dead_letter::DeadLetterId;
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::PageNumber;
use scheduler_model::position::Position;
use scheduler_model::protocol::{
    ChangedLetter, DeadLettersReply, DeadLettersRequest, EventKind, Filter, LetterOutcome,
    ListItem, ListReply, ListRequest, Status,
};
use scheduler_model::task::Record;
use std::collections::HashSet;

impl Engine {
    /// Returns the dead letters with this hash of the id, newest first.
    pub(super) fn dead_letters_of(&self, hash: u64) -> Vec<EntryRef> {
        let mut letters: Vec<EntryRef> =
            self.tasks.find(hash).filter(|at| self.is_dead_letter(*at)).collect();
        sort_by_key(&mut letters, |at| (std::cmp::Reverse(self.due_of(*at).death()), *at));
        letters
    }

    /// Returns a page of the dead letters that a filter matches, newest first. The positions in the
    /// reply are places in this order. Ignores the status of the filter.
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged.
    pub fn dead_letters(
        &self,
        request: &ListRequest,
        reader: &dyn Reader,
    ) -> Result<ListReply, EngineError> {
        let mut reply = ListReply::default();
        if self.tasks.counts().dead_letters == 0 {
            return Ok(reply);
        }
        let filter = &Filter { status: None, ..request.filter.folded() };
        let following = |number: PageNumber, after: Option<Position>| {
            let page = self.tasks.page(number)?;
            let index = newest_in(page, number, filter, after)?;
            let due = page.directory.get(index)?.due;
            Some(EntryRef::page(number, index).position(due).newest_first())
        };
        let after = request.after.map(|place| self.unranked(place.newest_first()));
        let mut spent = Spent::listing(request);
        spent.search = self.searches.take(filter);
        let pages = self.tasks.pages().filter_map(|(number, _)| following(number, after));
        let mut merge = TimerHeap::of_at_most(self.tasks.pages().count(), pages);
        let (mut last, mut found) = (None, Vec::new());
        while let Some(place) = merge.pop() {
            if spent.is_all() {
                reply.next = last;
                break;
            }
            let position = place.newest_first();
            let place = self.ranked(position).newest_first();
            last = Some(place);
            if let Some(next) = following(PageNumber::new(position.page), Some(position)) {
                merge.push(next);
            }
            let candidate = self.candidate(EntryRef::of(position));
            spent.scanned += 1;
            let Some(record) = self.look_at(&candidate, filter, &mut spent, reader)? else {
                continue;
            };
            spent.matches += 1;
            if record.is_none() {
                spent.bytes += self.tasks.record_bytes(candidate.at);
            }
            found.push(Found::waiting(letter_at(candidate.at, place), record)?);
        }
        self.searches.keep(spent.search);
        reply.searched = spent.scanned as u64;
        reply.items = self.read_found(found, reader)?.into_iter().map(shown).collect();
        Ok(reply)
    }

    /// Returns the dead letter with this id.
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged.
    pub fn dead_letter(
        &self,
        letter: &DeadLetterId,
        reader: &dyn Reader,
    ) -> Result<Option<ListItem>, EngineError> {
        let Some((at, record)) = self.find_letter(letter, &mut 0, reader)? else {
            return Ok(None);
        };
        let place = Position { due: self.due_of(at), page: 0, index: 0 };
        item_of(letter_at(at, place), record).map(shown).map(Some)
    }

    /// Finds a dead letter, and returns its record. Adds the bytes that it reads to `looked_at`.
    fn find_letter(
        &self,
        letter: &DeadLetterId,
        looked_at: &mut usize,
        reader: &dyn Reader,
    ) -> Result<Option<(EntryRef, Vec<u8>)>, EngineError> {
        let due = letter.failed_at.as_death();
        for at in self.tasks.find(self.id_hash(&letter.task)) {
            let is_then = self.due_of(at) == due || self.due_of(at) == UnixMillis::NEVER;
            if !self.is_dead_letter(at) || !is_then {
                continue;
            }
            let head = self.head_of(at, reader)?;
            *looked_at += head.len();
            if leading_time(&head).unwrap_or(UnixMillis::ZERO) != letter.time {
                continue;
            }
            let record = self.record_of(at, reader)?;
            *looked_at += record.len();
            if Record::parse(&record).is_ok_and(|record| DeadLetterId::of(&record) == *letter) {
                return Ok(Some((at, record)));
            }
        }
        Ok(None)
    }

    /// Requeues dead letters. Each starts again with its first attempt, with its task as it was
    /// when the run died, or with the changes of the request. If there are too many for one commit,
    /// the reply covers the first ones only, and the caller repeats the request for the rest.
    ///
    /// # Errors
    /// Returns an error if the shard has no room for their limit keys. Then nothing has changed. If
    /// storage fails or is damaged, the caller must drop the engine.
    pub fn replay(
        &mut self,
        request: &DeadLettersRequest,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(DeadLettersReply, Effects), EngineError> {
        let mut changes = Changes::default();
        let (mut reply, mut seen) = (DeadLettersReply::default(), HashSet::new());
        for letter in &request.letters {
            if changes.is_full() {
                break;
            }
            if !seen.insert(letter) {
                reply.outcomes.push(LetterOutcome::NotFound);
                continue;
            }
            let found = self.find_letter(letter, &mut changes.looked_at, reader)?;
            let Some((at, text)) = found else {
                reply.outcomes.push(LetterOutcome::NotFound);
                continue;
            };
            let corrupt = |problem: serde_json::Error| {
                EngineError::Corrupt(format!("the dead letter {letter}: {problem}"))
            };
            let record = Record::parse(&text).map_err(corrupt)?;
            let record = match &request.changed {
                Some(changed) => changed_letter(record, changed)?,
                None => record,
            };
            let (record, mut requeued) = (replayed(record, now), Vec::new());
            record.write(&mut requeued);
            // The stored record contains an error, so it may be larger than a new record.
            if request.changed.is_some() && requeued.len() > MAX_RECORD_BYTES.max(text.len()) {
                reply.outcomes.push(LetterOutcome::TooLarge);
                continue;
            }
            changes.killed.push(at);
            changes.written += requeued.len();
            // The attempts may have been sent elsewhere: a patch in flight can have changed the
            // destination.
            changes.back.push(&record, now, queue_flag(&record).and(Flags::RETRY));
            reply.outcomes.push(LetterOutcome::Done);
            if request.letters.len() == 1 {
                let place = Position { due: now, page: 0, index: 0 };
                reply.item = Some(item_of(
                    Candidate {
                        position: place,
                        at,
                        status: Status::Retrying,
                        is_attempt: true,
                        kind: None,
                    },
                    requeued,
                )?);
            }
        }
        let mut effects = Effects::default();
        self.have_room_for(&changes)?;
        self.carry_out_changes(changes, now, reader, &mut effects)?;
        Ok((reply, effects))
    }

    /// Discards dead letters. If there are too many for one commit, the reply covers the first ones
    /// only, and the caller repeats the request for the rest.
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged. The caller must then drop the engine.
    pub fn discard(
        &mut self,
        request: &DeadLettersRequest,
        now: UnixMillis,
        reader: &dyn Reader,
    ) -> Result<(DeadLettersReply, Effects), EngineError> {
        let (mut changes, mut effects) = (Changes::default(), Effects::default());
        let (mut reply, mut seen) = (DeadLettersReply::default(), HashSet::new());
        for letter in &request.letters {
            if changes.room_to_look() == 0 {
                break;
            }
            let is_new = seen.insert(letter);
            let found = match is_new {
                true => self.find_letter(letter, &mut changes.looked_at, reader)?,
                false => None,
            };
            reply.outcomes.push(match found {
                Some((at, record)) => {
                    if self.events.is_on(now) {
                        self.events.note_text(EventKind::Discarded, &record, now);
                    }
                    changes.killed.push(at);
                    LetterOutcome::Done
                }
                None => LetterOutcome::NotFound,
            });
        }
        self.kill(&changes.killed, &mut effects);
        self.state.counters.cancelled += changes.killed.len() as u64;
        self.unsaved |= !changes.killed.is_empty();
        Ok((reply, effects))
    }
}

/// Returns the dead letter at `at`, with its place in the order of the newest first.
fn letter_at(at: EntryRef, place: Position) -> Candidate {
    Candidate { position: place, at, status: Status::Dead, is_attempt: false, kind: None }
}

/// Returns a dead letter as a list shows it. Its place is not a due time.
fn shown(item: ListItem) -> ListItem {
    ListItem { due: Some(UnixMillis::NEVER), ..item }
}

/// Returns the record of a dead letter with the changes of a replay.
fn changed_letter<'a>(
    record: Record<'a>,
    changed: &'a ChangedLetter,
) -> Result<Record<'a>, EngineError> {
    let callback = json_text(&changed.callback)?;
    let payload = changed.payload.as_deref().map(json_text).transpose()?;
    Ok(Record { callback, payload, ..record })
}

#[cfg(test)]
#[path = "dead_letters_tests.rs"]
mod tests;
