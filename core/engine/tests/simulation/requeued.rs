//! What a wake-up does with runs with a limit key, read from its writes. The reference cannot know
//! which runs of a lane the wake-up reaches.

use crate::storage::Storage;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Destination, Effects, Write};
use scheduler_model::format::envelope::Envelope;
use scheduler_model::format::history::{Outcome, newest_first};
use scheduler_model::format::page::Directory;
use std::collections::HashMap;

/// The records that a wake-up has dispatched from lanes, and those that it has requeued, each with
/// its due time.
pub(crate) struct Requeued<'a> {
    dispatched: HashMap<&'a [u8], u32>,
    stored: HashMap<&'a [u8], Vec<i64>>,
}

impl<'a> Requeued<'a> {
    pub(crate) fn read(effects: &'a Effects, storage: &Storage) -> Self {
        let mut read = Self { dispatched: HashMap::new(), stored: HashMap::new() };
        let mut lens: HashMap<u32, usize> = HashMap::new();
        for write in &effects.writes {
            match write {
                Write::InsertEnvelope { destination: Destination::Lane(_), text, .. } => {
                    let envelope = Envelope::parse(std::str::from_utf8(text).unwrap())
                        .expect("an envelope can be parsed");
                    for task in envelope.tasks {
                        *read.dispatched.entry(task.get().as_bytes()).or_default() += 1;
                    }
                }
                Write::InsertPage { page, directory, body } => {
                    lens.insert(page.get(), body.len());
                    read.note(directory, body, 0);
                }
                Write::ExtendPage { page, directory, tail } => {
                    let of_stored = || storage.pages[&page.get()].body.len();
                    let len = lens.entry(page.get()).or_insert_with(of_stored);
                    read.note(directory, tail, *len);
                    *len += tail.len();
                }
                _ => {}
            }
        }
        read
    }

    /// Adds the entries of a directory whose records are in this text, which begins at `start`.
    fn note(&mut self, directory: &[u8], text: &'a [u8], start: usize) {
        let directory = Directory::decode(directory.to_vec(), start + text.len()).unwrap();
        for entry in directory.iter().filter(|entry| entry.offset as usize >= start) {
            let at = entry.offset as usize - start;
            self.stored
                .entry(&text[at..at + entry.len as usize])
                .or_default()
                .push(entry.due.get());
        }
    }

    /// Returns whether a record was dispatched from a lane. Each dispatch is returned once.
    pub(crate) fn take_dispatched(&mut self, record: &[u8]) -> bool {
        let Some(left) = self.dispatched.get_mut(record).filter(|left| **left > 0) else {
            return false;
        };
        *left -= 1;
        true
    }

    /// Returns when a requeued record is due, if that is after `now`. Each is returned once.
    pub(crate) fn take_stored(&mut self, record: &[u8], now: i64) -> Option<i64> {
        let dues = self.stored.get_mut(record)?;
        let at = dues.iter().position(|due| *due > now)?;
        Some(dues.swap_remove(at))
    }
}

/// Returns whether a wake-up writes into the history that the run of this id and time was skipped.
pub(crate) fn is_recorded_as_skipped(effects: &Effects, id: &str, time: UnixMillis) -> bool {
    effects.writes.iter().any(|write| {
        let (Write::InsertHistory { body: text, .. } | Write::ExtendHistory { tail: text, .. }) =
            write
        else {
            return false;
        };
        let kept = newest_first(text, Some(id), u32::MAX, UnixMillis::ZERO, usize::MAX)
            .expect("a row can be decoded");
        kept.iter()
            .any(|(_, past)| past.run.time == Some(time) && past.run.outcome == Outcome::Skipped)
    })
}
