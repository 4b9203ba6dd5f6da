//! Who may do what: API keys with scopes, namespaces with quotas.
//!
//! The registry holds both; it is small, and one object keeps it for a deployment. Every instance
//! of the coordinator has a [`Directory`] of all of it, some seconds old at most, and lets a
//! [`Holder`] pass or not by that: so no request waits for the one object, and its failure is not
//! theirs. The keys in the deployment's secret do not depend on it at all.

mod directory;
mod fair_memory;
mod gate;
mod guesses;
mod key;
mod messages;
mod namespace_input;
mod quota;
mod token;

pub use directory::{Cached, DIRECTORY_FRESH_MILLIS, DIRECTORY_LASTS_MILLIS, Directory, Settings};
pub use fair_memory::{FairMemory, MemoryUse};
pub use gate::{Denied, Holder, NAMESPACE_HEADER, OwnKey};
pub use guesses::Guesses;
pub use key::{Key, KeyUse, NewKey, Reach, Scope, ShownKey, USE_MILLIS};
pub use messages::{DeleteNamespace, Entry, Refused};
pub use namespace_input::NamespaceInput;
pub use quota::Used;
pub use quota::{Quota, Share};
pub use token::{KeyId, TOKEN_PREFIX, Token};

/// The binding of the registry's Durable Object namespace.
pub const REGISTRY_BINDING: &str = "REGISTRY";
/// The name of the one object in it.
pub const REGISTRY_NAME: &str = "registry";

/// The requests that the registry takes, as paths of POSTs with JSON. A refusal is answered with
/// status 409 and [`Refused`].
pub mod paths {
    /// Body: the version that is known, or null; answer: a [`super::Directory`], or null when it is
    /// still that.
    pub const READ: &str = "/read";
    /// Body: an [`super::Entry`] to add; answer: whether it is new.
    pub const PUT: &str = "/put";
    /// Body: a list of [`super::KeyUse`]; answer: how many of them were stored.
    pub const USED: &str = "/used";
    /// Body [`super::KeyId`]; answer whether there was such a key.
    pub const REVOKE: &str = "/revoke";
    /// Body [`super::DeleteNamespace`], or a namespace's name from a coordinator of an earlier
    /// version; answer whether there was one.
    pub const DELETE_NAMESPACE: &str = "/delete-namespace";
}
