//! What remains of the runs that one commit ends.

use crate::entry_ref::EntryRef;
use crate::requeue::RequeuedRecords;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Flags;
use scheduler_model::task::Record;
use std::collections::{HashMap, VecDeque};

/// What remains of the runs that one commit ends.
#[derive(Default)]
pub(super) struct Remains {
    /// Records that wait for their time, or until their task is resumed.
    pub(super) back: RequeuedRecords,
    pub(super) of: HashMap<u64, OfId>,
    /// The new dead letters, in order of arrival; `None` if another one has replaced it.
    pub(super) letters: Vec<Option<Letter>>,
    pub(super) kept_letters: usize,
    /// Stored dead letters to remove.
    pub(super) gone: Vec<EntryRef>,
    pub(super) surplus: usize,
    /// Follow-ups without room, which become dead letters at once, with the reason.
    pub(super) stillborn: Vec<(Vec<u8>, String)>,
}

/// A new dead letter.
pub(super) struct Letter {
    pub(super) died: UnixMillis,
    pub(super) time: Option<UnixMillis>,
    pub(super) stage: Option<String>,
    pub(super) flags: Flags,
    pub(super) text: Vec<u8>,
}

impl Letter {
    /// Returns whether the dead letter is of the same run and stage.
    fn is_of(&self, record: &Record<'_>) -> bool {
        self.time == record.time && self.stage.as_deref() == record.stage.as_deref()
    }
}

/// What the shard holds of one id.
#[derive(Default)]
pub(super) struct OfId {
    /// Further attempts, follow-ups, and runs that wait otherwise.
    pub(super) runs: usize,
    /// Stored dead letters with the time of death, oldest first. The time is unknown for those that
    /// earlier versions stored.
    pub(super) dead: VecDeque<(Option<UnixMillis>, EntryRef)>,
    /// New dead letters, by their index in [`Remains::letters`].
    pub(super) letters: VecDeque<usize>,
}

impl Remains {
    /// Returns the time of death of the run of this record: when it failed, or some milliseconds
    /// later if the id has a dead letter of that time that could be of the same run. So no two dead
    /// letters have the same [`DeadLetterId`](scheduler_model::dead_letter::DeadLetterId). Two runs
    /// that were requested within a millisecond have the same time.
    pub(super) fn free_death(&self, hash: u64, record: &Record<'_>) -> UnixMillis {
        let mut died = record.failed_at.unwrap_or(UnixMillis::ZERO);
        let Some(of) = self.of.get(&hash) else { return died };
        let new = || of.letters.iter().filter_map(|at| self.letters.get(*at)?.as_ref());
        while of.dead.iter().any(|(of, _)| *of == Some(died))
            || new().any(|letter| letter.died == died && letter.is_of(record))
        {
            died = died.plus(1);
        }
        died
    }

    /// Removes the oldest dead letter of an id. Returns whether there was one.
    pub(super) fn displace(&mut self, hash: u64) -> bool {
        let Some(of) = self.of.get_mut(&hash) else { return false };
        if let Some((_, at)) = of.dead.pop_front() {
            self.gone.push(at);
            return true;
        }
        let Some(letter) = of.letters.pop_front().and_then(|at| self.letters.get_mut(at)) else {
            return false;
        };
        *letter = None;
        self.kept_letters -= 1;
        true
    }
}
