//! The memory that requests take of an instance, of which all of them have a share: see
//! [`FairMemory`].

use crate::problem::Problem;
use scheduler_model::access::FairMemory;
use scheduler_model::bounds::{MAX_SMALL_BODIES_BYTES, MAX_TASK_BODY_BYTES};
use scheduler_model::namespace::Namespace;
use scheduler_platform::settings::isolate_bytes;
use std::cell::RefCell;
use worker::Env;

thread_local! {
    /// Bodies of up to [`MAX_TASK_BODY_BYTES`]. They have memory of their own, so that imports do
    /// not keep out single tasks.
    static SMALL: RefCell<FairMemory> = const { RefCell::new(FairMemory::NONE) };
    /// Larger bodies, and the answers to readers of events.
    static LARGE: RefCell<FairMemory> = const { RefCell::new(FairMemory::NONE) };
}

/// Which memory a request takes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pool {
    Small,
    Large,
}

impl Pool {
    fn of(bytes: usize) -> Self {
        if bytes > MAX_TASK_BODY_BYTES { Self::Large } else { Self::Small }
    }

    fn with<T>(self, change: impl FnOnce(&mut FairMemory) -> T) -> T {
        match self {
            Self::Small => SMALL.with_borrow_mut(change),
            Self::Large => LARGE.with_borrow_mut(change),
        }
    }

    /// Returns how much all requests may take. Large bodies may take as much as the shards of an
    /// isolate.
    fn most(self, env: &Env) -> usize {
        match self {
            Self::Small => MAX_SMALL_BODIES_BYTES,
            Self::Large => isolate_bytes(env),
        }
    }
}

/// What a request takes, until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    pool: Pool,
    namespace: String,
    bytes: usize,
}

impl Held {
    /// Counts a body of so many bytes, or refuses it.
    pub(crate) fn take(namespace: &Namespace, bytes: usize, env: &Env) -> Result<Self, Problem> {
        Self::take_from(Pool::of(bytes), namespace.as_str(), bytes, env)
    }

    /// Counts what an answer takes that is sent for as long as its reader likes, or refuses it.
    pub(crate) fn answer(namespace: &Namespace, bytes: usize, env: &Env) -> Result<Self, Problem> {
        Self::take_from(Pool::Large, namespace.as_str(), bytes, env)
    }

    fn take_from(pool: Pool, namespace: &str, bytes: usize, env: &Env) -> Result<Self, Problem> {
        let most = pool.most(env);
        if !pool.with(|held| held.take(namespace, bytes, most)) {
            return Err(Problem::crowded());
        }
        Ok(Self { pool, namespace: namespace.to_owned(), bytes })
    }

    /// Counts the body anew, of which so many bytes have come, or refuses it.
    pub(crate) fn grow(&mut self, bytes: usize, env: &Env) -> Result<(), Problem> {
        if self.pool == Pool::Small && Pool::of(bytes) == Pool::Large {
            *self = Self::take_from(Pool::Large, &self.namespace, bytes, env)?;
            return Ok(());
        }
        let (more, most) = (bytes.saturating_sub(self.bytes), self.pool.most(env));
        if !self.pool.with(|held| held.take(&self.namespace, more, most)) {
            return Err(Problem::crowded());
        }
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.pool.with(|held| held.give_back(&self.namespace, self.bytes));
    }
}
