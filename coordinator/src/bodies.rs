//! Counts the memory that requests take in an instance. Each namespace has a share: see
//! [`FairMemory`].

use crate::problem::Problem;
use scheduler_model::access::FairMemory;
use scheduler_model::bounds::{
    BODY_COPIES, LARGE_BODIES, MAX_SMALL_BODIES_BYTES, MAX_TASK_BODY_BYTES,
};
use scheduler_model::namespace::Namespace;
use scheduler_platform::settings::isolate_bytes;
use std::cell::RefCell;
use worker::Env;

thread_local! {
    /// The bodies of up to [`MAX_TASK_BODY_BYTES`]. They have memory of their own, so that imports
    /// do not keep out single tasks.
    static SMALL: RefCell<FairMemory> = const { RefCell::new(FairMemory::NONE) };
    /// The larger bodies, and the answers to readers of events.
    static LARGE: RefCell<FairMemory> = const { RefCell::new(FairMemory::NONE) };
}

/// The memory that a request is counted in.
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

    /// Returns the number of bytes that all requests together may take.
    fn most(self, env: &Env) -> usize {
        match self {
            Self::Small => MAX_SMALL_BODIES_BYTES,
            Self::Large => isolate_bytes(env).saturating_mul(LARGE_BODIES),
        }
    }

    /// Returns the bytes that are counted for a body of `bytes`.
    fn cost(self, bytes: usize) -> usize {
        match self {
            Self::Small => bytes,
            Self::Large => bytes.saturating_mul(BODY_COPIES),
        }
    }
}

/// The memory of a request, which is returned when this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    pool: Pool,
    namespace: String,
    bytes: usize,
}

impl Held {
    /// Counts a body of `bytes`, or refuses it.
    pub(crate) fn take(namespace: &Namespace, bytes: usize, env: &Env) -> Result<Self, Problem> {
        let pool = Pool::of(bytes);
        Self::take_from(pool, namespace.as_str(), pool.cost(bytes), env)
    }

    /// Counts the memory of an answer that lasts as long as its reader reads it, or refuses it.
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

    /// Replaces the count after `bytes` of the body have arrived, or refuses the body.
    pub(crate) fn grow(&mut self, bytes: usize, env: &Env) -> Result<(), Problem> {
        if self.pool == Pool::Small && Pool::of(bytes) == Pool::Large {
            *self = Self::take_from(Pool::Large, &self.namespace, Pool::Large.cost(bytes), env)?;
            return Ok(());
        }
        let most = self.pool.most(env);
        let more = self.pool.cost(bytes).saturating_sub(self.bytes);
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
