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
    /// The hashes of the first `hashed` requests. Most bulk requests are committed alone, so the
    /// hashes of a request are collected only when another one follows.
    hashes: HashSet<u64>,
    hashed: usize,
    bytes: usize,
}

impl Gathering {
    /// Adds a request. Returns the request if it must wait for the next commit.
    #[must_use]
    pub fn add(&mut self, request: Append) -> Option<Append> {
        let bytes = request.bytes();
        let is_too_large = self.bytes.saturating_add(bytes) > MAX_REQUEST_BYTES;
        if !self.requests.is_empty() && (is_too_large || self.has_any_of(&request)) {
            return Some(request);
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.requests.push(request);
        None
    }

    /// Returns whether an id or the key of `request` occurs in a request that was added.
    fn has_any_of(&mut self, request: &Append) -> bool {
        for added in self.requests.iter().skip(self.hashed) {
            self.hashes.extend(hashes_of(added));
        }
        self.hashed = self.requests.len();
        hashes_of(request).any(|hash| self.hashes.contains(&hash))
    }

    /// Returns the requests for [`crate::Engine::append_all`].
    pub fn into_requests(self) -> Vec<Append> {
        self.requests
    }
}

/// Returns the hashes of the ids of a request, and of its `Idempotency-Key`.
fn hashes_of(request: &Append) -> impl Iterator<Item = u64> {
    let of_pages =
        request.pages.iter().flat_map(|page| page.directory.iter().map(|entry| entry.hash));
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
    of_pages.chain(of_schedules).chain(of_key)
}
