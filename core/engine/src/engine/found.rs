//! The items that a list has found, with and without their records.

use super::Engine;
use crate::entry_ref::EntryRef;
use crate::error::EngineError;
use crate::reader::Reader;
use crate::scan::{Candidate, item_of};
use scheduler_model::protocol::ListItem;

/// An item that a list has found.
pub(super) enum Found {
    /// An item with its record.
    Read(ListItem),
    /// An entry whose record is read later, together with others of its page.
    Unread(Candidate),
}

impl Found {
    /// Returns a waiting entry, with its record if that was read.
    ///
    /// # Errors
    /// Returns an error if the record is not valid JSON.
    pub(super) fn waiting(
        candidate: Candidate,
        record: Option<Vec<u8>>,
    ) -> Result<Self, EngineError> {
        Ok(match record {
            Some(record) => Self::Read(item_of(candidate, record)?),
            None => Self::Unread(candidate),
        })
    }
}

impl Engine {
    /// Returns the size of the record of an item, in bytes.
    pub(super) fn bytes_of(&self, found: &Found) -> usize {
        match found {
            Found::Read(item) => item.record.get().len(),
            Found::Unread(candidate) => self.tasks.record_bytes(candidate.at),
        }
    }

    /// Reads the records that were not read yet.
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged.
    pub(super) fn read_found(
        &self,
        found: Vec<Found>,
        reader: &dyn Reader,
    ) -> Result<Vec<ListItem>, EngineError> {
        let unread = (0..).zip(&found).filter_map(|(at, of)| match of {
            Found::Read(_) => None,
            Found::Unread(candidate) => Some((at, candidate.at)),
        });
        let (places, entries): (Vec<usize>, Vec<EntryRef>) = unread.unzip();
        let mut records: Vec<Option<Vec<u8>>> = vec![None; found.len()];
        self.read_records(&entries, reader, |at, record| {
            if let Some(slot) = places.get(at).and_then(|place| records.get_mut(*place)) {
                *slot = Some(record);
            }
            Ok(())
        })?;
        let all = found.into_iter().zip(records);
        all.map(|(of, record)| match of {
            Found::Read(item) => Ok(item),
            Found::Unread(candidate) => item_of(candidate, record.unwrap_or_default()),
        })
        .collect()
    }
}
