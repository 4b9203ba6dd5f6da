//! Requests that share a commit.

use scheduler_model::bounds::MAX_REQUEST_BYTES;
use scheduler_model::protocol::Append;
use scheduler_model::routing::id_hash;
use scheduler_model::task::Record;
use std::collections::HashSet;

/// Requests that may share a commit: no id and no `Idempotency-Key` occurs in two of them, and
/// together they are no larger than one request may be.
#[derive(Debug, Default)]
pub struct Gathering {
    requests: Vec<Append>,
    hashes: HashSet<u64>,
    bytes: usize,
}

impl Gathering {
    /// Adds a request. Returns the request if it must wait for the next commit.
    #[must_use]
    pub fn add(&mut self, request: Append) -> Option<Append> {
        let of_schedules = request
            .schedules
            .iter()
            .map(|record| Record::parse(record).map_or(0, |record| id_hash(&record.id)));
        // The result of a request with a key must be stored before the key is looked up again.
        let of_key = request
            .terms
            .once
            .iter()
            .map(|once| u64::from_le_bytes(*once.key.first_chunk().unwrap_or(&[0; 8])));
        let of_pages =
            request.pages.iter().flat_map(|page| page.directory.iter().map(|entry| entry.hash));
        let hashes: Vec<u64> = of_pages.chain(of_schedules).chain(of_key).collect();
        let bytes = request.bytes();
        let is_too_large = self.bytes.saturating_add(bytes) > MAX_REQUEST_BYTES;
        if !self.requests.is_empty()
            && (is_too_large || hashes.iter().any(|hash| self.hashes.contains(hash)))
        {
            return Some(request);
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.hashes.extend(hashes);
        self.requests.push(request);
        None
    }

    /// Returns the requests for [`crate::Engine::append_all`].
    pub fn into_requests(self) -> Vec<Append> {
        self.requests
    }
}
