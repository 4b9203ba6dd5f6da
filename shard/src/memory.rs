//! What the shards of one isolate hold together.
//!
//! The platform gives 128 MB to an isolate, not to a shard, and may run several shards in one. Each shard counts what its engine holds into
//! one sum. Once that is at its bound, every shard of the isolate refuses what adds tasks (HTTP 507) until tasks have fired or were cancelled: an
//! isolate that runs out of memory takes all its shards and their requests with it. What is stored already is loaded whatever it takes.

use scheduler_engine::Engine;
use std::cell::Cell;

/// A shard counts anew when it holds so many more or fewer entries than it did; between that it counts on by [`ENTRY_BYTES`].
const RECOUNT_ENTRIES: usize = 4_096;

/// What an entry takes, about: see `core/engine/tests/memory.rs`.
const ENTRY_BYTES: usize = 40;

/// A shard that holds little is counted anew at each input: what it had is freed some time after its tasks are gone.
const SMALL_ENTRIES: usize = 256;

thread_local! {
    /// Bytes that the loaded shards of this isolate hold.
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// What one shard has counted into the sum.
#[derive(Default)]
pub(crate) struct Account {
    /// Entries and bytes when it was counted last.
    entries: Cell<usize>,
    base: Cell<usize>,
    /// What of the sum is this shard's.
    bytes: Cell<usize>,
}

impl Account {
    /// Counts what an engine holds.
    pub(crate) fn note(&self, engine: &Engine) {
        let entries = engine.entries();
        let counted = self.entries.get();
        if self.base.get() == 0
            || entries < SMALL_ENTRIES
            || entries < counted / 2
            || entries.abs_diff(counted) >= RECOUNT_ENTRIES
        {
            self.entries.set(entries);
            self.base.set(engine.memory_bytes());
            self.set(self.base.get());
        } else {
            let more = entries.saturating_sub(counted) * ENTRY_BYTES;
            let less = counted.saturating_sub(entries) * ENTRY_BYTES;
            self.set((self.base.get() + more).saturating_sub(less));
        }
    }

    /// The engine is gone.
    pub(crate) fn clear(&self) {
        self.base.set(0);
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
