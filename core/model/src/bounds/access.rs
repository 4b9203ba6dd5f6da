//! The bounds of what a deployment has: shards, namespaces and API keys.

use super::requests::MAX_LIST_BYTES;

/// The most scopes that a request may list for a key: each one twice.
pub const MAX_KEY_SCOPES: usize = 6;

/// The most shards of an epoch. A request for all of them takes 512 of the 10,000 subrequests of an
/// invocation, and 1,024 if there are two such epochs.
pub const MAX_SHARDS: u32 = 512;
/// The most epochs of a shard map. A lookup that finds nothing asks one shard of each epoch.
pub const MAX_EPOCHS: usize = 8;

/// The longest name of a namespace. It is part of the name of each of its shards, and so of each of
/// its envelopes.
pub const MAX_NAMESPACE_BYTES: usize = 64;
/// The most namespaces besides `default`. With 16 shards each, they make 4,096 shards for the
/// watchdog, which asks up to [`WATCHED_PER_ROUND`] of them in a round.
pub const MAX_NAMESPACES: usize = 256;
/// The most shards that the watchdog asks in one round: as many as 32 requests at a time complete
/// within a few seconds.
pub const WATCHED_PER_ROUND: usize = 800;
/// The minutes between two rounds of the watchdog, as the cron trigger in `wrangler.toml` has them.
/// A round is needed only after the platform has lost an alarm.
pub const WATCH_EVERY_MINUTES: i64 = 5;
/// The most API keys. Every instance of the coordinator holds all of them, some 300 bytes each: 1.4
/// MB.
pub const MAX_KEYS: usize = 4_500;
/// The number of keys that are reserved for keys of every namespace (`*`), which only the operator
/// can create. So a tenant cannot use up the last ones.
pub const OPERATOR_KEYS: usize = 200;
/// The most keys that name a namespace. A tenant with a key of the scope `admin` can create this
/// many.
pub const MAX_KEYS_PER_NAMESPACE: usize = 100;
/// The number of keys that any namespace can have, however many the others have.
pub const GUARANTEED_KEYS_PER_NAMESPACE: usize = 8;
/// While there are fewer keys than this, a namespace may have more than the guaranteed ones.
pub const FREE_KEYS: usize = 2_000;

// Beyond FREE_KEYS, each namespace, including `default`, adds no more than its guaranteed keys.
const _: () = assert!(
    FREE_KEYS + (MAX_NAMESPACES + 1) * GUARANTEED_KEYS_PER_NAMESPACE + OPERATOR_KEYS <= MAX_KEYS
);

// A list of all keys fits MAX_LIST_BYTES: each key takes 150 bytes, its name, which escapes may
// double, and the names of its namespaces.
const _: () = assert!(
    MAX_KEYS * (150 + 2 * MAX_KEY_NAME_BYTES)
        + (MAX_NAMESPACES + 1) * MAX_KEYS_PER_NAMESPACE * (MAX_NAMESPACE_BYTES + 3)
        <= MAX_LIST_BYTES
);

/// The longest name of an API key.
pub const MAX_KEY_NAME_BYTES: usize = 128;
/// The most namespaces that a key may name. For more, there is `*`.
pub const MAX_KEY_NAMESPACES: usize = 32;
