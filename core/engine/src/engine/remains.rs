//! What remains of runs that have ended or failed (further attempts, follow-ups and dead letters),
//! and the room for it.
//!
//! Most of this does not come from a request that could be refused, so it has bounds of its own.
//! Otherwise one recurring task could fill its shard.
//!
//! | what remains | without room |
//! |---|---|
//! | a dead letter of an id that has [`Config::max_dead_letters`] | takes the place of the oldest one |
//! | a further attempt or a follow-up of an id with [`Config::max_runs`] waiting runs | is a dead letter at once |
//! | a run that a caller adds to a task of an id with as many waiting runs | is refused: [`Changed::TooManyRuns`] |
//! | any of them of a recurring task, while the shard has [`Config::max_entries`] | takes the place of the oldest dead letter of its id; else it becomes a dead letter at once, which is not kept |
//!
//! The history has the outcome of a dead letter even if the dead letter is not kept. What remains
//! of a one-shot task takes the place of its run. The order of dead letters is the order of death:
//! see `engine/dead_letters.rs`.
//!
//! [`Config::max_dead_letters`]: crate::Config::max_dead_letters
//! [`Config::max_runs`]: crate::Config::max_runs
//! [`Changed::TooManyRuns`]: scheduler_model::protocol::Changed::TooManyRuns
//! [`Config::max_entries`]: crate::Config::max_entries

use super::Engine;
use crate::budget::MAX_SURPLUS;
use crate::effects::Effects;
use crate::ended_run::Ended;
use crate::entry_ref::EntryRef;
use crate::envelopes::Dispatched;
use crate::error::EngineError;
use crate::remains::{Letter, OfId, Remains};
use crate::requeue::flags_of_record;
use scheduler_calendar::ordered::sort;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Flags;
use scheduler_model::task::Record;
use std::borrow::Cow;

impl Engine {
    fn of_id<'r>(&self, hash: u64, remains: &'r mut Remains) -> &'r mut OfId {
        remains.of.entry(hash).or_insert_with(|| {
            let mut of = OfId::default();
            let mut dead = Vec::new();
            for at in self.tasks.find(hash) {
                let flags = self.flags_of(at);
                if flags.has(Flags::DEAD_LETTER) {
                    dead.push((self.due_of(at).death(), at));
                } else if self.is_waiting_run(at) {
                    of.runs += 1;
                }
            }
            sort(&mut dead);
            of.dead = dead.into();
            of
        })
    }

    /// Returns whether an entry is a run that waits in addition to its task: a further attempt, a
    /// follow-up, or another stored run.
    fn is_waiting_run(&self, at: EntryRef) -> bool {
        let flags = self.flags_of(at);
        flags.has(Flags::RETRY)
            && !flags.has(Flags::DEAD_LETTER)
            && self.due_of(at) != UnixMillis::HELD
    }

    /// Returns whether the most runs of an id wait, so that a caller may not add another.
    pub(super) fn has_most_runs(&self, id: &str) -> bool {
        self.has_most_runs_by(self.id_hash(id))
    }

    /// Returns the same for the id of a waiting entry.
    pub(super) fn has_most_runs_of(&self, at: EntryRef) -> bool {
        self.tasks.hash_of(at).is_some_and(|hash| self.has_most_runs_by(hash))
    }

    fn has_most_runs_by(&self, hash: u64) -> bool {
        let waiting = self.tasks.find(hash).filter(|at| self.is_waiting_run(*at));
        waiting.take(self.config.max_runs).count() >= self.config.max_runs
    }

    /// Returns whether what remains of a run would exceed the limit of the shard. What remains of a
    /// one-shot task replaces its run, so it always fits.
    fn is_beyond_limit(&self, record: &Record<'_>, remains: &Remains) -> bool {
        let entries = self.tasks.held() + remains.back.len() + remains.kept_letters;
        record.is_recurring() && entries >= self.config.max_entries + remains.gone.len()
    }

    /// Requeues a run that was not started, or whose destination does not answer. There is always
    /// room for it.
    pub(super) fn keep_waiting(
        &self,
        record: &Record<'_>,
        due: UnixMillis,
        flags: Flags,
        remains: &mut Remains,
    ) {
        self.of_id(self.id_hash(&record.id), remains).runs += 1;
        remains.back.push(record, due, flags);
    }

    /// Adds a further attempt or a follow-up.
    ///
    /// # Errors
    /// Returns an error if there is no room. The error is the reason.
    pub(super) fn keep_run(
        &mut self,
        record: &Record<'_>,
        due: UnixMillis,
        flags: Flags,
        remains: &mut Remains,
    ) -> Result<(), String> {
        let hash = self.id_hash(&record.id);
        if self.of_id(hash, remains).runs >= self.config.max_runs {
            return Err(format!(
                "no room to wait: {} runs of the task wait already",
                self.config.max_runs
            ));
        }
        if self.is_beyond_limit(record, remains) {
            if !remains.displace(hash) {
                return Err("no room to wait: the shard is full".to_owned());
            }
            self.state.counters.dead_letters_displaced += 1;
        }
        self.keep_waiting(record, due, flags, remains);
        Ok(())
    }

    /// Adds a dead letter, which may replace another one.
    pub(super) fn keep_dead(
        &mut self,
        record: &Record<'_>,
        to_queue: Flags,
        remains: &mut Remains,
    ) {
        self.state.counters.dead_lettered += 1;
        let hash = self.id_hash(&record.id);
        let is_beyond_limit = self.is_beyond_limit(record, remains);
        let of = self.of_id(hash, remains);
        let count = of.dead.len() + of.letters.len();
        let most = self.config.max_dead_letters;
        if count >= most || is_beyond_limit {
            self.state.counters.dead_letters_displaced += 1;
            if !remains.displace(hash) {
                return;
            }
        }
        let surplus = count.saturating_sub(most).min(MAX_SURPLUS - remains.surplus);
        for _ in 0..surplus {
            remains.displace(hash);
        }
        remains.surplus += surplus;
        self.state.counters.dead_letters_displaced += surplus as u64;
        let died = remains.free_death(hash, record);
        let at = remains.letters.len();
        let mut text = Vec::new();
        // A run that was paused in flight does not wait to be resumed once it has failed.
        Record { failed_at: Some(died), ..record.clone().unpaused() }.write(&mut text);
        remains.letters.push(Some(Letter {
            died,
            time: record.time,
            stage: record.stage.as_deref().map(str::to_owned),
            flags: flags_of_record(record, to_queue.and(Flags::DEAD_LETTER)),
            text,
        }));
        remains.kept_letters += 1;
        self.of_id(hash, remains).letters.push_back(at);
    }

    /// Adds a follow-up. If there is no room, it becomes a dead letter at once.
    pub(super) fn keep_follow_up(
        &mut self,
        follow_up: &Record<'_>,
        due: UnixMillis,
        to_queue: Flags,
        now: UnixMillis,
        remains: &mut Remains,
    ) {
        let Err(why) = self.keep_run(follow_up, due, to_queue.and(Flags::RETRY), remains) else {
            return;
        };
        let dead =
            Record { failed_at: Some(now), error: Some(Cow::Borrowed(&why)), ..follow_up.clone() };
        self.keep_dead(&dead, to_queue, remains);
        let mut text = Vec::new();
        dead.write(&mut text);
        remains.stillborn.push((text, why));
    }

    /// Stores what remains, and the outcomes of the follow-ups that had no room.
    ///
    /// # Errors
    /// Returns an error if a record that was just written cannot be read.
    pub(super) fn put_remains(
        &mut self,
        remains: Remains,
        now: UnixMillis,
        effects: &mut Effects,
    ) -> Result<(), EngineError> {
        let Remains { mut back, letters, gone, stillborn, .. } = remains;
        // Entries are removed before new ones are added, because adding moves entries.
        self.kill(&gone, effects);
        for Letter { died, flags, text, .. } in letters.into_iter().flatten() {
            back.push_text(None, died.as_death(), flags, &text);
        }
        self.insert_requeued(back, effects);
        let mut ended = Vec::with_capacity(stillborn.len());
        for (text, why) in &stillborn {
            let record = Record::parse(text)
                .map_err(|problem| EngineError::Corrupt(format!("a follow-up: {problem}")))?;
            ended.push((record, Ended::Failed { dead: true, error: Cow::Borrowed(why) }));
        }
        self.keep_outcomes(now, None, &ended, &Dispatched::new(), now, effects);
        Ok(())
    }
}

#[cfg(test)]
#[path = "remains_tests.rs"]
mod tests;
