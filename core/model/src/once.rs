//! `Idempotency-Key`: a create that is sent again is done once, and answered as the first time.
//!
//! Each shard that takes in a part of such a request remembers, in the same commit, the key, what was asked, and its answer.
//! One of them is the key's **home**, found by the key alone: it is asked before the others, also when no task goes there, and
//! so finds every two requests of one key, whatever is in them. What the first request made up (its time, the random part of
//! its generated ids) stands in that row too: a repeat is planned anew with these, which gives the same records and the same
//! answer, and is then carried out by exactly those shards that had not done so.
//!
//! The generated ids of such a request take the part that routing reads from the key, so that they live at its home and a
//! request with no ids of its own needs one shard.

use crate::batch::ShardAppend;
use crate::bounds::{MAX_IDEMPOTENCY_KEY_BYTES, REMEMBER_MILLIS};
use crate::ids::IdGenerator;
use crate::input::FieldError;
use crate::protocol::Append;
use crate::routing::{ShardId, ShardMap};
use scheduler_calendar::time::UnixMillis;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The header.
pub const HEADER: &str = "Idempotency-Key";

/// A request that is to be done once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Once {
    /// Names the key: the first half of its SHA-256.
    #[serde(with = "crate::format::hex")]
    pub key: [u8; 16],
    /// Names what is asked: the first half of the SHA-256 of route and body.
    #[serde(with = "crate::format::hex")]
    pub request: [u8; 16],
    /// What the request made up.
    pub made: Made,
}

/// What a request is planned with, beside its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// When it came: delays count from here.
    pub at: UnixMillis,
    /// 16 random bytes, for the ids that are generated.
    #[serde(with = "crate::format::hex")]
    pub random: [u8; 16],
}

impl Once {
    /// A request under `key`, the header's value. `route` tells requests of one body apart, as method and path do.
    ///
    /// # Errors
    /// When the key is empty, too long, or has other characters than those of ASCII that print.
    pub fn new(key: &str, route: &str, body: &str, made: Made) -> Result<Self, FieldError> {
        let detail = if key.is_empty() || key.len() > MAX_IDEMPOTENCY_KEY_BYTES {
            format!("is {} bytes long; must be 1 to {MAX_IDEMPOTENCY_KEY_BYTES}", key.len())
        } else if !key.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            "has characters that do not print; use letters, digits and punctuation of ASCII, as a UUID does".to_owned()
        } else {
            return Ok(Self { key: half(&[key]), request: half(&[route, "\n", body]), made });
        };
        Err(FieldError::new(HEADER, detail))
    }

    /// The same request, planned as the first of its key was.
    #[must_use]
    pub fn as_made(&self, made: Made) -> Self {
        Self { made, ..self.clone() }
    }

    /// Makes the ids: with the key's part where routing reads, and the request's behind it.
    pub fn ids(&self) -> IdGenerator {
        IdGenerator::of_key(&self.key, self.made.random)
    }

    /// The shard that decides over the key, which is also that of the generated ids.
    pub fn home(&self, map: &ShardMap) -> ShardId {
        map.home(self.ids().next_id().as_str())
    }

    /// Takes the home's part out of a plan; an empty one where no task goes there.
    pub fn split(&self, mut appends: Vec<ShardAppend>, map: &ShardMap) -> (ShardAppend, Vec<ShardAppend>) {
        let home = self.home(map);
        let part = match appends.iter().position(|part| part.shard == home) {
            Some(at) => appends.swap_remove(at),
            None => ShardAppend { shard: home, append: Append::default(), items: Vec::new(), first_due: UnixMillis::NEVER },
        };
        (part, appends)
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

/// Keys are filed by the period in which they came, so that those of a past one can go without a look at their ages.
const PERIOD_MILLIS: i64 = REMEMBER_MILLIS / 2;

/// The period of a time.
pub fn period(time: UnixMillis) -> i64 {
    time.get().div_euclid(PERIOD_MILLIS)
}

/// The periods in which a key may stand that is remembered at this time, newest first: those of a day, and the next, should the
/// shard's clock have gone back.
pub fn periods(now: UnixMillis) -> [i64; 4] {
    let current = period(now);
    [current + 1, current, current - 1, current - 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::routing_tag;

    const MADE: Made = Made { at: UnixMillis::new(1_764_000_000_000), random: [7; 16] };

    #[test]
    fn keys_are_checked() {
        for bad in ["", &"x".repeat(256), "späť", "a\tb"] {
            assert_eq!(
                Once::new(bad, "", "", MADE).map_err(|problem| problem.field.into_owned()),
                Err(HEADER.to_owned()),
                "{bad}"
            );
        }
        assert!(Once::new(&"x".repeat(255), "", "", MADE).is_ok());
    }

    #[test]
    fn another_body_or_route_is_another_request_of_the_same_key() {
        let of = |key, route, body| Once::new(key, route, body, MADE).unwrap();
        let one = of("k", "POST /v1/tasks", "{}");
        for other in [of("k", "POST /v1/tasks", "{ }"), of("k", "POST /v1/tasks/batch", "{}")] {
            assert_eq!(one.key, other.key);
            assert_ne!(one.request, other.request);
        }
        assert_ne!(one.key, of("l", "POST /v1/tasks", "{}").key);
    }

    #[test]
    fn ids_of_a_key_live_at_its_home_and_differ_between_requests() {
        let map: ShardMap = "16".parse().unwrap();
        let mut homes = std::collections::BTreeSet::new();
        for n in 0..200 {
            let once = Once::new(&format!("key-{n}"), "", "", MADE).unwrap();
            let other = once.as_made(Made { random: [9; 16], ..MADE });
            let (id, again, later) = (once.ids().next_id(), once.ids().next_id(), other.ids().next_id());
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
    fn a_key_is_looked_for_in_every_period_of_its_day() {
        for start in [0, 1, PERIOD_MILLIS - 1, PERIOD_MILLIS, 1_764_000_000_000] {
            let came = UnixMillis::new(start);
            for age in [-1, 0, 1, PERIOD_MILLIS, REMEMBER_MILLIS - 1] {
                assert!(periods(came.plus(age)).contains(&period(came)), "{start} {age}");
            }
            assert_ne!(period(came.plus(REMEMBER_MILLIS)), period(came), "a forgotten key may be filed again");
        }
    }
}
