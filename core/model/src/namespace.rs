//! Namespaces. Each has its own set of shards.
//!
//! The Durable Object of a shard is named `<epoch>-<index>` in the namespace `default`, and
//! `<namespace>:<epoch>-<index>` in any other. Routing is the same in all of them, and no request
//! names a shard of another namespace. So ids, lists, counts and `Idempotency-Key`s of two
//! namespaces are independent. Each namespace has its own alarms, and so its own turn when much is
//! due at once.

use crate::bounds::MAX_NAMESPACE_BYTES;
use crate::routing::{ShardId, ShardIdError};
use scheduler_calendar::excerpt::Excerpt;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The name of a namespace: 1 to [`MAX_NAMESPACE_BYTES`] of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Namespace(Cow<'static, str>);

impl Namespace {
    /// The namespace that always exists.
    pub const DEFAULT: Self = Self(Cow::Borrowed("default"));

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether this is the namespace that always exists.
    pub fn is_default(&self) -> bool {
        *self == Self::DEFAULT
    }

    /// Returns the name of a shard's Durable Object.
    pub fn shard(&self, shard: ShardId) -> ShardName {
        ShardName { namespace: self.clone(), shard }
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text cannot name a namespace. The message follows the name of the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is {0}; a namespace has 1 to {MAX_NAMESPACE_BYTES} characters, each of a-z, 0-9 and -")]
pub struct NamespaceError(Excerpt);

impl FromStr for Namespace {
    type Err = NamespaceError;

    fn from_str(text: &str) -> Result<Self, NamespaceError> {
        let is_good = (1..=MAX_NAMESPACE_BYTES).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if is_good {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err(NamespaceError(Excerpt::up_to(text, MAX_NAMESPACE_BYTES)))
        }
    }
}

impl<'de> Deserialize<'de> for Namespace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A shard of a namespace: the name of its Durable Object, which its envelopes contain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardName {
    /// The namespace.
    pub namespace: Namespace,
    /// The shard within the namespace.
    pub shard: ShardId,
}

impl fmt::Display for ShardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names in the default namespace have no prefix, because they are older than namespaces.
        if self.namespace.is_default() {
            self.shard.fmt(f)
        } else {
            write!(f, "{}:{}", self.namespace, self.shard)
        }
    }
}

impl FromStr for ShardName {
    type Err = ShardIdError;

    fn from_str(text: &str) -> Result<Self, ShardIdError> {
        match text.split_once(':') {
            None => Ok(Namespace::DEFAULT.shard(text.parse()?)),
            Some((namespace, shard)) => {
                let namespace: Namespace = namespace.parse().map_err(|_| ShardIdError)?;
                // Each shard has exactly one name.
                if namespace.is_default() {
                    Err(ShardIdError)
                } else {
                    Ok(namespace.shard(shard.parse()?))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_of_the_default_namespace_keep_their_names() {
        let shard = ShardId { epoch: 1, index: 3 };
        for (namespace, name) in [("default", "1-3"), ("a", "a:1-3"), ("team-7", "team-7:1-3")] {
            let of: ShardName = namespace.parse::<Namespace>().unwrap().shard(shard);
            assert_eq!(of.to_string(), name);
            assert_eq!(name.parse(), Ok(of));
        }
        for bad in ["", "1", ":1-3", "default:1-3", "A:1-3", "a:b:1-3", "a:1-3:", "a:1"] {
            assert!(bad.parse::<ShardName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_checked() {
        for bad in ["", "A", "a b", "a:b", "ä", "a/b", "*", &"x".repeat(65)] {
            assert!(bad.parse::<Namespace>().is_err(), "{bad}");
        }
        assert!("x".repeat(64).parse::<Namespace>().is_ok());
        assert!(serde_json::from_str::<Namespace>(r#""a:b""#).is_err());
        assert_eq!(serde_json::from_str::<Namespace>(r#""a""#).unwrap().as_str(), "a");
    }
}
