//! `Idempotency-Key`: a repeated create takes effect once, and gets the answer of the first one.
//!
//! Each shard that accepts a part of such a request stores three things in the same commit: the
//! key, a hash of the request, and its answer. One of these shards is the **home** of the key,
//! which depends on the key alone. The coordinator sends the request to it first, even if none of
//! the tasks belongs there. So any two requests with one key meet there, whatever they contain. The
//! row also stores the [seed](RequestSeed) of the first request: its time, and the random part of
//! its generated ids. The coordinator plans a repeat with this seed, so the records and the answer
//! are the same, and exactly the shards that have not carried out their part do so.
//!
//! The routing part of a generated id comes from the key. So these ids belong to the home of the
//! key, and a request without ids of its own needs one shard.

use crate::bounds::{MAX_IDEMPOTENCY_KEY_BYTES, REMEMBER_MILLIS};
use crate::ids::IdGenerator;
use crate::input::FieldError;
use crate::routing::{ShardId, ShardMap};
use scheduler_calendar::time::UnixMillis;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The name of the header.
pub const HEADER: &str = "Idempotency-Key";

/// A request that takes effect once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyKey {
    /// Identifies the key: the first half of its SHA-256.
    #[serde(with = "crate::format::hex")]
    pub key: [u8; 16],
    /// Identifies the request: the first half of the SHA-256 of route and body.
    #[serde(with = "crate::format::hex")]
    pub request: [u8; 16],
    /// The seed with which the request was planned.
    pub made: RequestSeed,
}

/// The values, in addition to the text of a request, with which it is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestSeed {
    /// When the request arrived. Delays count from here.
    pub at: UnixMillis,
    /// 16 random bytes for generated ids.
    #[serde(with = "crate::format::hex")]
    pub random: [u8; 16],
}

impl IdempotencyKey {
    /// Returns a request with the value `key` of the header. `route` distinguishes requests with
    /// the same body, as method and path do.
    ///
    /// # Errors
    /// Returns an error if the key is empty, too long, or has a character that is not printable
    /// ASCII.
    pub fn new(key: &str, route: &str, body: &str, made: RequestSeed) -> Result<Self, FieldError> {
        let detail = if key.is_empty() || key.len() > MAX_IDEMPOTENCY_KEY_BYTES {
            format!("is {} bytes long; must be 1 to {MAX_IDEMPOTENCY_KEY_BYTES}", key.len())
        } else if !key.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            "has characters that do not print; use letters, digits and punctuation of ASCII, as a UUID does".to_owned()
        } else {
            return Ok(Self { key: half(&[key]), request: half(&[route, "\n", body]), made });
        };
        Err(FieldError::new(HEADER, detail))
    }

    /// Returns the same request, planned with the seed of the first request with its key.
    #[must_use]
    pub fn as_made(&self, made: RequestSeed) -> Self {
        Self { made, ..self.clone() }
    }

    /// Returns the generator of ids. The routing part comes from the key, and the rest from the
    /// request.
    pub fn ids(&self) -> IdGenerator {
        IdGenerator::of_key(&self.key, self.made.random)
    }

    /// Returns the shard that decides about the key. The generated ids belong to it, too.
    pub fn home(&self, map: &ShardMap) -> ShardId {
        map.home(self.ids().next_id().as_str())
    }
}

fn half(parts: &[&str]) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let (head, _) = digest.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
    *head
}

/// The length of a period, in milliseconds. A key is stored with the period in which it arrived, so
/// a shard can drop the keys of a past period without reading their ages.
const PERIOD_MILLIS: i64 = REMEMBER_MILLIS / 2;

/// Returns the period of a time.
pub fn period(time: UnixMillis) -> i64 {
    time.get().div_euclid(PERIOD_MILLIS)
}

/// Returns the periods, newest first, of the keys that are remembered at this time: those of a day,
/// and the next one, because the clock of the shard may have gone back.
pub fn periods(now: UnixMillis) -> [i64; 4] {
    let current = period(now);
    [current + 1, current, current - 1, current - 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::routing_tag;

    const MADE: RequestSeed =
        RequestSeed { at: UnixMillis::new(1_764_000_000_000), random: [7; 16] };

    #[test]
    fn keys_are_checked() {
        for bad in ["", &"x".repeat(256), "späť", "a\tb"] {
            assert_eq!(
                IdempotencyKey::new(bad, "", "", MADE)
                    .map_err(|problem| problem.field.into_owned()),
                Err(HEADER.to_owned()),
                "{bad}"
            );
        }
        assert!(IdempotencyKey::new(&"x".repeat(255), "", "", MADE).is_ok());
    }

    #[test]
    fn another_body_or_route_is_another_request_of_the_same_key() {
        let of = |key, route, body| IdempotencyKey::new(key, route, body, MADE).unwrap();
        let one = of("k", "POST /v1/tasks", "{}");
        for other in [of("k", "POST /v1/tasks", "{ }"), of("k", "POST /v1/tasks/batch", "{}")] {
            assert_eq!(one.key, other.key);
            assert_ne!(one.request, other.request);
        }
        assert_ne!(one.key, of("l", "POST /v1/tasks", "{}").key);
    }

    #[test]
    fn ids_of_a_key_belong_to_its_home_and_differ_between_requests() {
        let map: ShardMap = "16".parse().unwrap();
        let mut homes = std::collections::BTreeSet::new();
        for n in 0..200 {
            let once = IdempotencyKey::new(&format!("key-{n}"), "", "", MADE).unwrap();
            let other = once.as_made(RequestSeed { random: [9; 16], ..MADE });
            let (id, again, later) =
                (once.ids().next_id(), once.ids().next_id(), other.ids().next_id());
            assert_eq!(id, again);
            assert_ne!(id, later);
            assert_eq!(routing_tag(id.as_str()).len(), 18);
            assert_eq!(routing_tag(id.as_str()), routing_tag(later.as_str()));
            assert_eq!(map.home(id.as_str()), once.home(&map));
            homes.insert(once.home(&map));
        }
        assert_eq!(homes.len(), 16);
    }

    #[test]
    fn a_key_is_searched_in_every_period_of_its_day() {
        for start in [0, 1, PERIOD_MILLIS - 1, PERIOD_MILLIS, 1_764_000_000_000] {
            let came = UnixMillis::new(start);
            for age in [-1, 0, 1, PERIOD_MILLIS, REMEMBER_MILLIS - 1] {
                assert!(periods(came.plus(age)).contains(&period(came)), "{start} {age}");
            }
            assert_ne!(
                period(came.plus(REMEMBER_MILLIS)),
                period(came),
                "a forgotten key may be stored again"
            );
        }
    }
}
