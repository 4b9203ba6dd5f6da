//! Routing: which shard a task belongs to.
//!
//! `shard = xxh64(tag) mod shards`, where the tag of an id is
//! - the part within the first `{…}` of the id, if there is one and it is not empty (the convention
//!   of Redis Cluster's hash tags). So `{order-7}:remind` and `{order-7}:cancel` are on the same
//!   shard;
//! - otherwise, for an id in the form of a version 7 UUID, its first 18 characters (the time and 12
//!   more bits). The ids that are generated for one request have these in common, so the tasks of a
//!   request make dense pages on one shard;
//! - otherwise the whole id.
//!
//! The number of shards belongs to an **epoch** of the [`ShardMap`]. Raising it starts a new epoch:
//! new tasks go to the newest one, lookups search the newest first, and the shards of older epochs
//! drain. The golden vectors in the tests fix all of this, because a change would make every stored
//! task unreachable.

use crate::bounds::{MAX_EPOCHS, MAX_SHARDS};
use std::fmt;
use std::str::FromStr;
use twox_hash::XxHash64;

/// The characters of a version 7 UUID that routing reads: `tttttttt-tttt-7rrr`.
const UUID_TAG_CHARS: usize = 18;

/// Returns the 64-bit hash of a task id, which is its name in a page's directory.
pub fn id_hash(id: &str) -> u64 {
    XxHash64::oneshot(0, id.as_bytes())
}

/// Returns the part of an id that determines its shard; see the module's description.
pub fn routing_tag(id: &str) -> &str {
    if let Some(open) = id.find('{') {
        let rest = &id[open + 1..];
        if let Some(close) = rest.find('}').filter(|close| *close > 0) {
            return &rest[..close];
        }
    }
    if is_uuid_v7(id) { &id[..UUID_TAG_CHARS] } else { id }
}

/// Returns whether `id` is written as a version 7 UUID: 8-4-4-4-12 hexadecimal digits with a 7 in
/// the place of the version.
fn is_uuid_v7(id: &str) -> bool {
    let b = id.as_bytes();
    b.len() == 36
        && b[14] == b'7'
        && b.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The name of a shard: its epoch, from 1, and its index in it, written `<epoch>-<index>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId {
    /// The epoch, from 1.
    pub epoch: u16,
    /// From 0 to the epoch's number of shards, exclusive.
    pub index: u16,
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.index)
    }
}

/// The text is not the name of a shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a shard is named <epoch>-<index>, like 1-3")]
pub struct ShardIdError;

impl FromStr for ShardId {
    type Err = ShardIdError;
    fn from_str(text: &str) -> Result<Self, ShardIdError> {
        let (epoch, index) = text.split_once('-').ok_or(ShardIdError)?;
        Ok(Self {
            epoch: epoch.parse().map_err(|_| ShardIdError)?,
            index: index.parse().map_err(|_| ShardIdError)?,
        })
    }
}

/// Why a text is not a shard map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShardMapError {
    /// The text is not a number.
    #[error("SHARD_MAP: {0:?} is not a number of shards; write one per epoch, like 16 or 16,32")]
    NotANumber(String),
    /// There are zero or too many shards.
    #[error("SHARD_MAP: {0} shards; an epoch has 1 to {MAX_SHARDS}")]
    Count(u32),
    /// There are too many epochs.
    #[error("SHARD_MAP: {0} epochs; at most {MAX_EPOCHS} can be asked: drain and drop the oldest")]
    Epochs(usize),
}

/// The number of shards of each epoch, oldest first. Written as the environment variable
/// `SHARD_MAP`: `16`, or `16,32` after raising it. Once an old epoch has drained, it is dropped by
/// writing `-` for it: `-,32`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardMap {
    /// The number of shards of epoch `index + 1`; 0 for a dropped epoch. The last one is not 0.
    epochs: Vec<u16>,
}

impl FromStr for ShardMap {
    type Err = ShardMapError;
    fn from_str(text: &str) -> Result<Self, ShardMapError> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        if parts.len() > MAX_EPOCHS {
            return Err(ShardMapError::Epochs(parts.len()));
        }
        let mut epochs = Vec::with_capacity(parts.len());
        for (at, part) in parts.iter().enumerate() {
            if *part == "-" && at + 1 < parts.len() {
                epochs.push(0);
                continue;
            }
            let count: u32 =
                part.parse().map_err(|_| ShardMapError::NotANumber((*part).to_owned()))?;
            match u16::try_from(count) {
                Ok(shards) if shards > 0 && count <= MAX_SHARDS => epochs.push(shards),
                _ => return Err(ShardMapError::Count(count)),
            }
        }
        Ok(Self { epochs })
    }
}

impl ShardMap {
    /// Returns the shard of a new task with this id, which is in the newest epoch.
    pub fn home(&self, id: &str) -> ShardId {
        self.home_of(id, id_hash(id))
    }

    /// Returns the same for an id whose [`id_hash`] is known.
    pub(crate) fn home_of(&self, id: &str, hash: u64) -> ShardId {
        let tag = routing_tag(id);
        let hash = if tag.len() == id.len() { hash } else { id_hash(tag) };
        self.by_hash(hash).next().unwrap_or(ShardId { epoch: 1, index: 0 })
    }

    /// Returns the shards on which `id` may be found: one in each epoch, newest first.
    pub fn homes(&self, id: &str) -> impl Iterator<Item = ShardId> + '_ {
        self.by_hash(id_hash(routing_tag(id)))
    }

    fn by_hash(&self, hash: u64) -> impl Iterator<Item = ShardId> + '_ {
        self.by_epoch()
            .rev()
            .map(move |(epoch, shards)| ShardId { epoch, index: (hash % u64::from(shards)) as u16 })
    }

    /// Returns all shards, those of the newest epoch first.
    pub fn all(&self) -> impl Iterator<Item = ShardId> + '_ {
        self.by_epoch()
            .rev()
            .flat_map(|(epoch, shards)| (0..shards).map(move |index| ShardId { epoch, index }))
    }

    /// Returns the map after `self` became `next`, if every stored task is still found: the numbers
    /// of all epochs are the same, apart from dropped ones and new ones at the end. An epoch that
    /// was dropped may come back with its own number only.
    pub fn followed_by(&self, next: &Self) -> Option<Self> {
        let kept = next.epochs.iter().enumerate().map(|(at, shards)| {
            match (self.epochs.get(at), shards) {
                (Some(before), 0) => Some(*before),
                (Some(0) | None, shards) => Some(*shards),
                (Some(before), shards) => (before == shards).then_some(*shards),
            }
        });
        let epochs: Vec<u16> = kept.collect::<Option<_>>()?;
        (epochs.len() >= self.epochs.len()).then_some(Self { epochs })
    }

    /// Returns whether there is only one epoch, so that a task cannot be on an older shard.
    pub fn is_single(&self) -> bool {
        self.by_epoch().count() == 1
    }

    /// Returns the number of shards over which new tasks are spread.
    pub fn shards(&self) -> u16 {
        self.epochs.last().copied().unwrap_or(1)
    }

    fn by_epoch(&self) -> impl DoubleEndedIterator<Item = (u16, u16)> + '_ {
        (1u16..)
            .zip(self.epochs.iter().copied())
            .collect::<Vec<_>>()
            .into_iter()
            .filter(|(_, shards)| *shards > 0)
    }
}

/// Written as [`FromStr`] reads it.
impl fmt::Display for ShardMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, shards) in self.epochs.iter().enumerate() {
            f.write_str(if at > 0 { "," } else { "" })?;
            if *shards == 0 { f.write_str("-")? } else { shards.fmt(f)? }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "routing_collisions.rs"]
pub(crate) mod collisions;

#[cfg(test)]
mod tests {
    use super::*;

    /// These values never change, because a task is found only by them. The xxHash project
    /// publishes the hash of "a".
    #[test]
    fn golden_vectors() {
        let map: ShardMap = "16".parse().unwrap();
        let wide: ShardMap = "16,64".parse().unwrap();
        for (id, hash, tag, narrow_home, wide_home) in [
            ("a", 0xd24e_c4f1_a98c_6e5b_u64, "a", "1-11", "2-27"),
            ("order-1", 0x3baf_4120_aa43_a0ad, "order-1", "1-13", "2-45"),
            ("{order-1}:remind", 0x09d6_f548_3579_2e63, "order-1", "1-13", "2-45"),
            ("späť", 0x2229_443b_ccdd_a8e7, "späť", "1-7", "2-39"),
            (
                "019ab689-b800-7fff-bfff-ffffffffffff",
                0x2fb2_b89c_efd6_09d7,
                "019ab689-b800-7fff",
                "1-15",
                "2-15",
            ),
        ] {
            assert_eq!(id_hash(id), hash, "{id}");
            assert_eq!(routing_tag(id), tag);
            assert_eq!(map.home(id).to_string(), narrow_home, "{id}");
            assert_eq!(wide.home(id).to_string(), wide_home, "{id}");
        }
    }

    #[test]
    fn tags() {
        assert_eq!(routing_tag("{a}b{c}"), "a");
        assert_eq!(routing_tag("x{}y"), "x{}y");
        assert_eq!(routing_tag("x{y"), "x{y");
        assert_eq!(routing_tag("x}y{z}"), "z");
        assert_eq!(
            routing_tag("019ab689-b800-4fff-bfff-ffffffffffff"),
            "019ab689-b800-4fff-bfff-ffffffffffff"
        );
    }

    #[test]
    fn epochs_are_searched_newest_first() {
        let map: ShardMap = "16,64".parse().unwrap();
        let homes: Vec<u16> = map.homes("a").map(|shard| shard.epoch).collect();
        assert_eq!(homes, [2, 1]);
        assert_eq!(map.all().count(), 80);
        let dropped: ShardMap = "-,64".parse().unwrap();
        assert_eq!(dropped.homes("a").map(|shard| shard.epoch).collect::<Vec<_>>(), [2]);
        assert!(dropped.is_single() && !map.is_single());
    }

    #[test]
    fn a_map_that_hides_stored_tasks_does_not_follow() {
        let follow = |before: &str, next: &str| {
            let before: ShardMap = before.parse().unwrap();
            before.followed_by(&next.parse().unwrap()).map(|map| map.to_string())
        };
        for (before, next, known) in [
            ("16", "16", "16"),
            ("16", "16,8", "16,8"),
            ("16,8", "-,8", "16,8"),
            ("16,8", "-,8,4", "16,8,4"),
            // An epoch that was dropped is still known.
            ("16,8", "16,8", "16,8"),
            ("-,8", "4,8", "4,8"),
        ] {
            assert_eq!(follow(before, next).as_deref(), Some(known), "{before} then {next}");
        }
        for (before, next) in
            [("16", "8"), ("16", "32"), ("16", "8,16"), ("16,8", "16"), ("16,8", "8,8")]
        {
            assert_eq!(follow(before, next), None, "{before} then {next}");
        }
    }

    #[test]
    fn bad_maps_are_refused() {
        for bad in ["", "x", "0", "513", "16,", "16,-", "1,1,1,1,1,1,1,1,1", "-1", "99999999999"] {
            assert!(bad.parse::<ShardMap>().is_err(), "{bad}");
        }
    }

    #[test]
    fn shard_ids_can_be_parsed() {
        let shard = ShardId { epoch: 2, index: 31 };
        assert_eq!(shard.to_string().parse(), Ok(shard));
        assert!("2".parse::<ShardId>().is_err());
    }
}
