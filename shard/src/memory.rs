//! What the shards of one isolate hold together.
//!
//! The platform gives 128 MB to an isolate, not to a shard, and may run several shards in one. Each shard counts what its engine holds into
//! one sum. Once that is at its bound, every shard of the isolate refuses appends (HTTP 507) until tasks have fired or were cancelled: an isolate
//! that runs out of memory takes all its shards and their requests with it. What is stored already is loaded whatever it takes.

use scheduler_core::engine::Engine;
use std::cell::Cell;

/// A shard counts anew when it holds so many more or fewer entries than it did: 160 KB of them.
const RECOUNT_ENTRIES: usize = 4_096;

thread_local! {
    /// Bytes that the loaded shards of this isolate hold.
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// What one shard has counted into the sum.
#[derive(Default)]
pub(crate) struct Account {
    entries: Cell<usize>,
    bytes: Cell<usize>,
}

impl Account {
    /// Counts what an engine holds, if that has changed by much.
    pub(crate) fn note(&self, engine: &Engine) {
        let entries = engine.entries();
        if self.bytes.get() == 0 || entries.abs_diff(self.entries.get()) >= RECOUNT_ENTRIES {
            self.entries.set(entries);
            self.set(engine.memory_bytes());
        }
    }

    /// The engine is gone.
    pub(crate) fn clear(&self) {
        self.set(0);
    }

    fn set(&self, bytes: usize) {
        HELD.set(HELD.get().saturating_sub(self.bytes.replace(bytes)) + bytes);
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Returns how many bytes the loaded shards of this isolate hold.
pub(crate) fn held() -> usize {
    HELD.get()
}
