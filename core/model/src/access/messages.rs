//! The messages between coordinator and registry.

use super::{Key, Settings};
use crate::namespace::Namespace;
use scheduler_calendar::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// An entry to add, or to replace the one with the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Entry {
    /// A key.
    Key(Key),
    /// A namespace. An existing one keeps the time of its creation.
    Namespace(Settings),
}

/// A refused change. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Refused {
    /// The problem, the limit, and what to do.
    pub detail: String,
}

/// The namespace to delete.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DeleteNamespace {
    /// The namespace with this name, whenever it was created.
    Named(Namespace),
    /// The namespace with this name if it was created at this time.
    Made {
        /// Its name.
        name: Namespace,
        /// When it was created.
        created_at: UnixMillis,
    },
}

impl DeleteNamespace {
    /// Returns the name and, if given, the time of creation.
    pub fn parts(self) -> (Namespace, Option<UnixMillis>) {
        match self {
            Self::Named(name) => (name, None),
            Self::Made { name, created_at } => (name, Some(created_at)),
        }
    }
}

/// Asks whether the deployment may have a shard map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapQuestion {
    /// The value of `SHARD_MAP`.
    pub map: String,
    /// Whether the sender has found no task that the map would hide.
    pub is_checked: bool,
}

/// The registry's answer about a shard map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MapAnswer {
    /// Every stored task is found with it. The registry remembers it.
    Settled,
    /// It would hide the tasks of this map.
    Changed(String),
    /// The deployment is older than the memory of the registry, so the sender must look for tasks
    /// that the map would hide.
    Unknown,
}
