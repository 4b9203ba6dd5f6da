//! What coordinator and registry say to each other.

use super::{Key, Settings};
use crate::namespace::Namespace;
use scheduler_calendar::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// Something to add, or to put in the place of what has its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Entry {
    /// A key.
    Key(Key),
    /// A namespace; one that is there keeps the time it was made.
    Namespace(Settings),
}

/// A change that is not carried out; nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Refused {
    /// The problem, the limit, and what to do.
    pub detail: String,
}

/// Which namespace is to be deleted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DeleteNamespace {
    /// The one of this name, whenever it was made.
    Named(Namespace),
    /// The one of this name that was made at this time.
    Made {
        /// Its name.
        name: Namespace,
        /// When it was made.
        created_at: UnixMillis,
    },
}

impl DeleteNamespace {
    /// Returns the name, and when the namespace was made if that is said.
    pub fn parts(self) -> (Namespace, Option<UnixMillis>) {
        match self {
            Self::Named(name) => (name, None),
            Self::Made { name, created_at } => (name, Some(created_at)),
        }
    }
}
