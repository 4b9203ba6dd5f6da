//! The limits of some keys of a namespace, sans I/O: takes a request, returns an answer and the
//! rows to write.

use super::allocator::{Allocator, Conversations, REMEMBER_MILLIS, StoredShare};
use super::bucket::Bucket;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{MAX_LANES, MAX_LIMITS_PER_LIMITER, MAX_LISTED_HOLDERS};
use scheduler_model::limit::Limit;
use scheduler_model::protocol::limiter::{
    Answer, HeldBy, LimitShown, LimiterRequest, Named, Refused, Seen,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A change of the storage, which is a table of names and records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Stores the record under the name.
    Put {
        /// The name.
        name: String,
        /// The record, JSON.
        record: String,
    },
    /// Deletes the record of this name.
    Delete {
        /// The name.
        name: String,
    },
    /// Deletes all records.
    Clear,
}

/// The stored form of a limit.
#[derive(Debug, Serialize, Deserialize)]
struct StoredLimit {
    #[serde(flatten)]
    named: Named,
    /// The bucket of a slow rate after the last token was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bucket: Option<Bucket>,
}

/// The content of a row.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Stored {
    Limit(StoredLimit),
    Share {
        key: String,
        shard: String,
        #[serde(flatten)]
        share: StoredShare,
    },
}

/// The limits of some keys, and the shares of the shards.
#[derive(Debug, Default)]
pub struct Limiter {
    keys: BTreeMap<String, Allocator>,
    conversations: Conversations,
    /// Identifies the current content.
    seen: Seen,
    /// When keys without a limit and without shares were last removed.
    swept: UnixMillis,
}

/// How often the limiter removes keys without a limit and without shares, in milliseconds.
const SWEEP_MILLIS: i64 = 3_600_000;
/// Above this number of keys, the limiter removes unused keys sooner. Otherwise, a caller who names
/// new keys again and again would fill the limiter for an hour. The number is that of the lanes of
/// sixteen shards, which take a megabyte.
const MANY_KEYS: usize = 16 * MAX_LANES;
/// With more keys than [`MANY_KEYS`]: how often the limiter removes unused keys, and the time after
/// which it forgets a returned share, in milliseconds. A shard that uses such a key again starts a
/// new conversation, which costs it one more request.
const CROWDED_SWEEP_MILLIS: i64 = 10_000;

fn name_of_limit(key: &str) -> String {
    format!("limit/{key}")
}

/// Returns the name of the row of a share. The name of a shard has no slash.
fn name_of_share(key: &str, shard: &str) -> String {
    format!("share/{shard}/{key}")
}

fn put(name: String, stored: &Stored) -> Write {
    // The shell stores no empty record.
    let record = serde_json::to_string(stored);
    debug_assert!(record.is_ok(), "{name} cannot be encoded: {record:?}");
    Write::Put { name, record: record.unwrap_or_default() }
}

impl Limiter {
    /// Loads the limiter from the records of all rows. `nonce` must be random, so that it differs
    /// for each incarnation of the limiter.
    ///
    /// # Errors
    /// Returns an error if a record cannot be read.
    pub fn load(records: impl IntoIterator<Item = String>, nonce: u64) -> Result<Self, String> {
        let seen = Seen { incarnation: nonce, changes: 0 };
        let mut limiter =
            Self { conversations: Conversations::new(nonce), seen, ..Self::default() };
        for record in records {
            let stored = serde_json::from_str(&record)
                .map_err(|problem| format!("the record {record:?}: {problem}"))?;
            match stored {
                Stored::Limit(StoredLimit { named: Named { key, limit }, bucket }) => {
                    limiter.keys.entry(key).or_default().load_limit(limit, bucket);
                }
                Stored::Share { key, shard, share } => {
                    limiter.keys.entry(key).or_default().load_share(shard, &share)
                }
            }
        }
        Ok(limiter)
    }

    /// Handles the request of a shard for a key. Returns `None` in place of an answer if a newer
    /// request was handled before.
    pub fn ask(&mut self, asked: &LimiterRequest, now: UnixMillis) -> (Option<Answer>, Vec<Write>) {
        let mut writes = self.sweep(now);
        let allocator = self.keys.entry(asked.key.clone()).or_default();
        let (answer, share) = allocator.ask(&asked.shard, &asked.ask, now, &mut self.conversations);
        if let Some(share) = share {
            let stored =
                Stored::Share { key: asked.key.clone(), shard: asked.shard.clone(), share };
            writes.push(put(name_of_share(&asked.key, &asked.shard), &stored));
        }
        if answer.is_some_and(|answer| answer.tokens.is_some_and(|tokens| tokens > 0)) {
            // The write is committed before the answer is sent, so that a restart grants no token
            // again.
            writes.extend(
                stored_limit(&asked.key, allocator).filter(|_| allocator.stored_bucket().is_some()),
            );
        }
        self.seen.changes += u64::from(!writes.is_empty());
        (answer, writes)
    }

    /// Removes the shards that returned everything long ago, and then the keys without a limit and
    /// shares.
    fn sweep(&mut self, now: UnixMillis) -> Vec<Write> {
        let mut writes = Vec::new();
        self.swept = self.swept.min(now);
        let (every, age) = match self.keys.len() {
            ..=MANY_KEYS => (SWEEP_MILLIS, REMEMBER_MILLIS),
            _ => (CROWDED_SWEEP_MILLIS, CROWDED_SWEEP_MILLIS),
        };
        if now.since(self.swept) >= every {
            self.swept = now;
            for (key, allocator) in &mut self.keys {
                let forgotten = allocator.forget(now.plus(-age)).into_iter();
                writes.extend(
                    forgotten.map(|shard| Write::Delete { name: name_of_share(key, &shard) }),
                );
            }
            self.keys.retain(|_, allocator| !allocator.is_forgotten());
        }
        writes
    }

    /// Sets the limit of a key. Returns whether the key had none before. Callers may repeat this.
    ///
    /// # Errors
    /// Returns an error if the limiter has the most limits already.
    pub fn put(&mut self, named: Named, now: UnixMillis) -> Result<(bool, Write), Refused> {
        let is_new = self.keys.get(&named.key).is_none_or(|known| known.limit().is_none());
        let count = self.keys.values().filter(|known| known.limit().is_some()).count();
        if is_new && count >= MAX_LIMITS_PER_LIMITER {
            let detail = format!(
                "the keys of a namespace are spread over several limiters by their hash, and one of them has {count} limits, which is the most; delete limits that are not needed"
            );
            return Err(Refused { detail });
        }
        let allocator = self.keys.entry(named.key.clone()).or_default();
        allocator.set(named.limit, now);
        self.seen.changes += 1;
        let stored = StoredLimit { bucket: allocator.stored_bucket(), named };
        Ok((is_new, put(name_of_limit(&stored.named.key), &Stored::Limit(stored))))
    }

    /// Removes the limit of a key. Returns `None` if it has none. The shares of its shards stay
    /// noted, in case a limit is set again.
    pub fn delete(&mut self, key: &str) -> Option<Write> {
        let allocator = self.keys.get_mut(key)?;
        allocator.limit()?;
        allocator.remove();
        if allocator.is_forgotten() {
            self.keys.remove(key);
        }
        self.seen.changes += 1;
        Some(Write::Delete { name: name_of_limit(key) })
    }

    /// Returns the limit of a key, or `None` if it has none.
    pub fn get(&self, key: &str) -> Option<LimitShown> {
        self.keys.get(key).and_then(|allocator| shown(key, allocator))
    }

    /// Returns all limits in the order of their keys, each with its sums over all shards. Together
    /// they name at most [`MAX_LISTED_HOLDERS`] shards.
    pub fn list(&self) -> Vec<LimitShown> {
        let mut left = MAX_LISTED_HOLDERS;
        let shown = self.keys.iter().filter_map(|(key, allocator)| shown(key, allocator));
        let cut = shown.map(|mut limit| {
            limit.shards.truncate(left);
            left -= limit.shards.len();
            limit
        });
        cut.collect()
    }

    /// Returns an identifier of the current content, for [`Limiter::clear_as_seen`].
    pub fn seen(&self) -> Seen {
        self.seen
    }

    /// Deletes everything if nothing has changed since `seen`. Otherwise returns `None`. So a late
    /// clear does not affect a namespace that was created again.
    pub fn clear_as_seen(&mut self, seen: Seen) -> Option<Write> {
        (seen == self.seen).then(|| self.clear())
    }

    /// Deletes everything.
    pub fn clear(&mut self) -> Write {
        self.keys.clear();
        self.seen.changes += 1;
        Write::Clear
    }

    /// Returns the slots that all shards hold for a key, without those that mean "no limit".
    pub fn slots(&self, key: &str) -> u64 {
        self.keys.get(key).map_or(0, Allocator::slots)
    }
}

/// Returns the row of a key's limit.
fn stored_limit(key: &str, allocator: &Allocator) -> Option<Write> {
    let named = Named { key: key.to_owned(), limit: allocator.limit()? };
    Some(put(
        name_of_limit(key),
        &Stored::Limit(StoredLimit { named, bucket: allocator.stored_bucket() }),
    ))
}

fn shown(key: &str, allocator: &Allocator) -> Option<LimitShown> {
    let Limit { concurrency, per_second } = allocator.limit()?;
    let shards: Vec<HeldBy> = allocator.held().collect();
    Some(LimitShown {
        key: key.to_owned(),
        concurrency,
        per_second,
        in_flight: shards.iter().map(|held| u64::from(held.in_flight)).sum(),
        waiting: shards.iter().map(|held| u64::from(held.waiting)).sum(),
        in_effect: concurrency.is_none_or(|most| allocator.slots() <= u64::from(most)),
        shards,
    })
}

#[cfg(test)]
#[path = "faults_tests.rs"]
mod faults_tests;
#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
