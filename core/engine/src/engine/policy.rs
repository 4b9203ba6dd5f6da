//! Applies the policies of late runs: runs that are not dispatched, runs outside of their order,
//! and held runs.

use super::Engine;
use crate::budget::MAX_RELEASED_BYTES;
use crate::effects::{Effects, Write};
use crate::ended_run::Ended;
use crate::entry_ref::EntryRef;
use crate::envelopes::Dispatched;
use crate::error::EngineError;
use crate::overlay::Overlay;
use crate::policy::{Undispatched, Verdict};
use crate::reader::Reader;
use crate::remains::Remains;
use crate::requeue::RequeuedRecords;
use crate::runs_aside::{Aside, RunAside, RunsAside};
use scheduler_calendar::schedule::Occurrence;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Flags;
use scheduler_model::schedule::Overlap;
use scheduler_model::task::{Record, write_occurrence};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

impl Engine {
    /// Returns whether a run with this hash of its id, or a follow-up of such a run, is in flight
    /// or waits for a further attempt.
    pub(super) fn is_running(&self, hash: u64) -> bool {
        self.in_flight.contains_key(&hash)
            || self.tasks.find(hash).any(|at| {
                let flags = self.flags_of(at);
                flags.has(Flags::RETRY)
                    && !flags.has(Flags::DEAD_LETTER)
                    && self.due_of(at) != UnixMillis::HELD
            })
    }

    pub(super) fn held_of(&self, hash: u64) -> impl Iterator<Item = EntryRef> + '_ {
        self.tasks.find(hash).filter(|at| self.due_of(*at) == UnixMillis::HELD)
    }

    /// Returns whether the shard has a recurring task with the id of this entry.
    pub(super) fn is_of_schedule(&self, at: EntryRef) -> bool {
        let hash = self.tasks.hash_of(at);
        hash.is_some_and(|hash| self.tasks.find(hash).any(|other| other.schedule().is_some()))
    }

    /// Returns whether the task with this hash of its id is paused.
    fn is_task_paused(&self, hash: u64) -> bool {
        self.tasks.find(hash).any(|at| {
            let is_task = !self.flags_of(at).has(Flags::RETRY) && !self.is_dead_letter(at);
            is_task && self.is_paused(at)
        })
    }

    /// Judges a due occurrence by the runs that are in progress: stored runs, and runs that this
    /// firing has `fired` or `held`.
    pub(super) fn judge_overlap(
        &self,
        hash: u64,
        overlap: Overlap,
        fired: &mut HashSet<u64>,
        held: &mut HashSet<u64>,
    ) -> Verdict {
        if overlap == Overlap::Allow {
            return Verdict::Fire;
        }
        if !self.is_running(hash) && !fired.contains(&hash) {
            fired.insert(hash);
            return Verdict::Fire;
        }
        let waits_already = held.contains(&hash) || self.held_of(hash).next().is_some();
        if overlap == Overlap::QueueOne && !waits_already {
            held.insert(hash);
            return Verdict::Hold;
        }
        let why = if waits_already { " and the next waits already" } else { "" };
        Verdict::Skip(format!("overlap: the run before has not ended{why}"))
    }

    /// Plans runs of a recurring task outside of its order, if its overlap policy permits them.
    pub(super) fn run_aside(
        &self,
        of: &Aside<'_>,
        runs: Vec<(Occurrence, Verdict)>,
        now: UnixMillis,
        aside: &mut RunsAside,
    ) {
        let flags = if of.to_queue { Flags::TO_QUEUE } else { Flags::TASK };
        let (mut fired, mut held) = (HashSet::new(), HashSet::new());
        for (run, mut verdict) in runs {
            let mut text = Vec::with_capacity(of.record.len() + 24);
            write_occurrence(of.record, run.time, &mut text);
            aside.runs += 1;
            aside.bytes += text.len();
            if verdict == Verdict::Fire {
                verdict = self.judge_overlap(of.hash, of.overlap, &mut fired, &mut held);
            }
            let fires = Record::parse(&text).ok().filter(|_| verdict == Verdict::Fire);
            let fires = fires.map(|record| {
                let replayed_at = Some(now).filter(|_| of.starts_now && record.is_conditional());
                (record.limit_key.map(Cow::into_owned), replayed_at)
            });
            match fires {
                Some((limit_key, replayed_at)) => aside.fires.push(RunAside {
                    text,
                    hash: of.hash,
                    flags,
                    occurrence: run,
                    limit_key,
                    replayed_at,
                }),
                None => {
                    aside.dropped.push(Undispatched { record: text, hash: of.hash, flags, verdict })
                }
            }
        }
    }

    /// Stores runs that are added outside of their order, as far as they may wait. Records the
    /// others.
    pub(super) fn put_aside(
        &mut self,
        aside: RunsAside,
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<(), EngineError> {
        let RunsAside { fires, mut dropped, .. } = aside;
        dropped.extend(self.requeue_aside(fires, now, effects)?);
        if dropped.is_empty() {
            return Ok(());
        }
        self.drop_late(&dropped, now, reader, effects)
    }

    /// Records, counts and publishes due runs that were not dispatched. Adds the follow-ups of runs
    /// that end here.
    pub(super) fn drop_late(
        &mut self,
        dropped: &[Undispatched],
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<(), EngineError> {
        let (mut remains, mut holds) = (Remains::default(), RequeuedRecords::default());
        let mut waiting = Vec::new();
        let mut ended = Vec::with_capacity(dropped.len());
        // A run of each of these ids ends here, so a held run of the id can be released.
        let freed: HashSet<u64> = dropped
            .iter()
            .filter(|dropped| dropped.ends_a_run())
            .map(|dropped| dropped.hash)
            .collect();
        for Undispatched { record, hash, flags, verdict } in dropped {
            let record = Record::parse(record).map_err(|problem| {
                EngineError::Corrupt(format!("a record that is due: {problem}"))
            })?;
            let to_queue = if flags.has(Flags::TO_QUEUE) { Flags::TO_QUEUE } else { Flags::TASK };
            let end = match verdict {
                Verdict::Fire => continue,
                Verdict::Hold => {
                    waiting.push((record, *hash, to_queue.and(Flags::RETRY)));
                    continue;
                }
                Verdict::Wait(until) => {
                    self.keep_waiting(&record, *until, to_queue.and(Flags::RETRY), &mut remains);
                    continue;
                }
                Verdict::Skip(reason) => {
                    self.state.counters.skipped += 1;
                    Ended::Skipped(reason)
                }
                Verdict::Expire(reason) => {
                    self.state.counters.expired += 1;
                    Ended::Expired(reason)
                }
                Verdict::DeadLetter(reason) => {
                    let dead = Record {
                        failed_at: Some(now),
                        error: Some(Cow::Borrowed(reason)),
                        ..record.clone()
                    };
                    self.keep_dead(&dead, to_queue, &mut remains);
                    Ended::Failed { dead: true, error: Cow::Borrowed(reason) }
                }
            };
            ended.push((record, end));
        }
        self.follow_up(now, None, &ended, now, &mut remains);
        self.keep_outcomes(now, None, &ended, &Dispatched::new(), now, effects);
        self.put_remains(remains, now, effects)?;
        for (record, hash, flags) in waiting {
            let is_free = freed.contains(&hash) && !self.is_running(hash);
            holds.push(&record, if is_free { now } else { UnixMillis::HELD }, flags);
        }
        self.release_held(freed.iter().copied(), now, reader, effects)?;
        self.insert_requeued(holds, effects);
        Ok(())
    }

    /// Releases the held runs that an earlier event did not release because of their size. Returns
    /// whether it released any.
    pub(super) fn release_rest(
        &mut self,
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<bool, EngineError> {
        let rest = std::mem::take(&mut self.to_release);
        self.release_held(rest.into_iter(), now, reader, effects)
    }

    /// Releases those of the runs that this commit holds again which wait for no run: see
    /// [`Engine::release_held`].
    pub(super) fn release_again(
        &mut self,
        hashes: BTreeSet<u64>,
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<(), EngineError> {
        if hashes.is_empty() {
            return Ok(());
        }
        let body_len = |page| self.tasks.page(page).map(|page| page.body_len);
        let overlay = Overlay::new(reader, &effects.writes, body_len);
        self.release_held(hashes.into_iter(), now, &overlay, effects).map(drop)
    }

    /// Collects, at start-up, the held runs whose wait has ended but that were not released before
    /// the restart, and the runs that wait for a lane.
    pub(super) fn find_unreleased(&mut self) {
        if self.tasks.counts().held > 0 {
            let held = self.tasks.hashes_due(UnixMillis::HELD);
            self.to_release = held.filter(|hash| !self.is_running(*hash)).collect();
            self.find_without_lane();
        }
    }

    /// Releases the held runs of these ids if no run of the id is in progress. Releases at most as
    /// many bytes as one event may, and none that is new in this commit and that the reader cannot
    /// read. The next wake-up releases the rest. Returns whether it released any.
    pub(super) fn release_held(
        &mut self,
        hashes: impl Iterator<Item = u64>,
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<bool, EngineError> {
        if self.tasks.counts().held == 0 {
            return Ok(false);
        }
        let (mut released, mut back, mut seen) =
            (Vec::new(), RequeuedRecords::default(), HashSet::new());
        let mut bytes = 0;
        for hash in hashes {
            if !seen.insert(hash) || self.is_running(hash) {
                continue;
            }
            let mut held: Vec<EntryRef> = self.held_of(hash).collect();
            self.sort_by_run(&mut held, reader)?;
            let Some(at) = held.first().copied() else { continue };
            let is_unread = !reader.reads_the_commit() && self.is_new(at, effects)?;
            if bytes >= MAX_RELEASED_BYTES || is_unread {
                self.to_release.insert(hash);
                continue;
            }
            bytes += self.tasks.record_bytes(at);
            // If its task is paused, the run waits until the task is resumed.
            let due = if self.is_task_paused(hash) { UnixMillis::PAUSED } else { now };
            let text = self.record_of(at, reader)?;
            let record = Record::parse(&text)
                .map_err(|problem| EngineError::Corrupt(format!("a held record: {problem}")))?;
            // Earlier versions also held a retry whose key had no lane. It keeps the end of its
            // back-off.
            let waits_until = record.not_before.filter(|at| !due.is_never() && *at > now);
            let record =
                if due.is_never() { record } else { Record { not_before: None, ..record } };
            back.push(&record, waits_until.unwrap_or(due), self.flags_of(at));
            released.push(at);
        }
        self.kill(&released, effects);
        self.insert_requeued(back, effects);
        Ok(!released.is_empty())
    }

    /// Returns whether a commit adds this entry, so that storage does not have it yet.
    fn is_new(&self, at: EntryRef, effects: &Effects) -> Result<bool, EngineError> {
        let EntryRef::Page(place) = at else { return Ok(false) };
        let mut added = 0;
        for write in &effects.writes {
            match write {
                Write::InsertPage { page, .. } if *page == place.page => return Ok(true),
                Write::ExtendPage { page, tail, .. } if *page == place.page => added += tail.len(),
                _ => {}
            }
        }
        let body_len = self.tasks.page(place.page).map_or(0, |page| page.body_len as usize);
        Ok(added > 0 && self.entry(place)?.offset as usize + added >= body_len)
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
