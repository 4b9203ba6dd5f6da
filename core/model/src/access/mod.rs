//! Access: API keys with scopes, and namespaces with quotas.
//!
//! The registry holds both. They are small, so one object keeps them for a deployment. Every
//! instance of the coordinator has a [`Directory`] of them, which is at most a few seconds old, and
//! uses it to decide whether a [`Holder`] may pass. So no request waits for that object, and its
//! failure does not make requests fail. The keys in the deployment's secret do not depend on the
//! registry at all.

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
pub use messages::{DeleteNamespace, Entry, MapAnswer, MapQuestion, Refused};
pub use namespace_input::NamespaceInput;
pub use quota::Used;
pub use quota::{Quota, Share};
pub use token::{KeyId, TOKEN_PREFIX, Token};

/// The binding of the registry's Durable Object namespace.
pub const REGISTRY_BINDING: &str = "REGISTRY";
/// The name of the only object in it.
pub const REGISTRY_NAME: &str = "registry";

/// The requests to the registry, as paths of POSTs with JSON. The answer to a refused request has
/// status 409 and a [`Refused`].
pub mod paths {
    /// Body: the known version, or null. Answer: a [`super::Directory`], or null if the version is
    /// current.
    pub const READ: &str = "/read";
    /// Body: an [`super::Entry`] to add. Answer: whether it is new.
    pub const PUT: &str = "/put";
    /// Body: a list of [`super::KeyUse`]. Answer: how many of them were stored.
    pub const USED: &str = "/used";
    /// Body: a [`super::KeyId`]. Answer: whether there was such a key.
    pub const REVOKE: &str = "/revoke";
    /// Body: a [`super::DeleteNamespace`], or the name of a namespace from a coordinator of an
    /// earlier version. Answer: whether there was one.
    pub const DELETE_NAMESPACE: &str = "/delete-namespace";
    /// For the registry without a jurisdiction. Body: the jurisdiction that the deployment should
    /// have, or an empty string. Answer: the one that it has. The first request decides it for
    /// good.
    pub const SETTLE: &str = "/settle";
    /// For the same registry, before [`SETTLE`]. Body: a [`super::MapQuestion`]. Answer: a
    /// [`super::MapAnswer`].
    pub const SETTLE_SHARDS: &str = "/settle-shards";
}
