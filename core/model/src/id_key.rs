//! The key of a shard's index of ids.
//!
//! A shard finds a task by a hash of its id: in its index, in the directories of pages, and among
//! attempts in flight. Anybody can construct ids with equal unkeyed hashes
//! ([`crate::routing::id_hash`], which routing and jitter use), and lookups would examine all of
//! them. So the index uses SipHash-1-3 with a random key that the shard stores and never shows. Two
//! of a shard's 1,000,000 ids have equal hashes with a probability of 3 in 100,000,000, and nobody
//! can construct such ids.
//!
//! Requests from coordinators, and what versions before the key have stored, have unkeyed hashes.
//! The version of a page's directory says which it has. The pages of a request are keyed before
//! anything is looked up, and stored pages at the first start of this version.

use crate::format::page::{Page, PageError};
use crate::record_id::{id_of_record, leading_ascii_id};
use siphasher::sip::SipHasher13;

/// A random key, stored with the shard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IdKey([u8; 16]);

impl IdKey {
    /// Makes a key from 16 random bytes.
    pub const fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// Returns the hash of an id in the index.
    pub fn hash(&self, id: &str) -> u64 {
        self.hash_bytes(id.as_bytes())
    }

    fn hash_bytes(&self, id: &[u8]) -> u64 {
        SipHasher13::new_with_key(&self.0).hash(id)
    }

    /// Replaces the hashes of a page by keyed ones.
    ///
    /// # Errors
    /// Returns [`PageError::Entry`] if a record has no id.
    pub fn key_page(&self, page: &mut Page) -> Result<(), PageError> {
        let Page { directory, body } = page;
        directory.key(|entry| {
            let start = entry.offset as usize;
            let record = body.get(start..start + entry.len as usize)?;
            match leading_ascii_id(record) {
                Some(id) => Some(self.hash_bytes(id)),
                None => id_of_record(record).map(|id| self.hash(&id)),
            }
        })
    }
}
