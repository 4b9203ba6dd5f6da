//! What remains of the runs that one commit ends.

use crate::entry_ref::EntryRef;
use crate::requeue::RequeuedRecords;
use scheduler_model::format::page::Flags;
use std::collections::{HashMap, VecDeque};

/// What remains of the runs that one commit ends.
#[derive(Default)]
pub(super) struct Remains {
    /// Records that wait for their time or for a resume.
    pub(super) back: RequeuedRecords,
    pub(super) of: HashMap<u64, OfId>,
    /// The records of dead letters, in order of arrival; `None` if another has taken the place.
    pub(super) letters: Vec<Option<(Flags, Vec<u8>)>>,
    pub(super) kept_letters: usize,
    /// Stored dead letters to remove.
    pub(super) gone: Vec<EntryRef>,
    pub(super) surplus: usize,
    /// Follow-ups that are dead letters at once, with the reason.
    pub(super) stillborn: Vec<(Vec<u8>, String)>,
}

/// What the shard holds of one id.
#[derive(Default)]
pub(super) struct OfId {
    /// Further attempts, follow-ups, and runs that wait otherwise.
    pub(super) runs: usize,
    /// Stored dead letters, the oldest first.
    pub(super) dead: VecDeque<EntryRef>,
    /// New dead letters, by their index in [`Remains::letters`].
    pub(super) letters: VecDeque<usize>,
}

impl Remains {
    /// Removes the oldest dead letter of an id. Returns whether there was one.
    pub(super) fn displace(&mut self, hash: u64) -> bool {
        let Some(of) = self.of.get_mut(&hash) else { return false };
        if let Some(at) = of.dead.pop_front() {
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
