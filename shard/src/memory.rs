//! What the shards of one isolate hold together.
//!
//! The platform gives 128 MB to an isolate, not to a shard, and may run several shards in one. Each
//! shard counts what its engine holds, by namespace. Once all of it is at its bound, or a namespace
//! holds more than it leaves to the others (see [`FairMemory`]), the shards refuse what adds tasks
//! (HTTP 507) until tasks have fired or were cancelled: an isolate that runs out of memory takes
//! all its shards and their requests with it. What is stored already is loaded whatever it takes.

use scheduler_engine::Engine;
use scheduler_model::access::{FairMemory, MemoryUse};
use scheduler_model::namespace::ShardName;
use std::cell::{Cell, RefCell};

/// A shard counts anew when it holds so many more or fewer entries than it did; between that it
/// counts on by [`ENTRY_BYTES`].
const RECOUNT_ENTRIES: usize = 4_096;

/// The same of recurring tasks, each of which takes 250 to 1,200 bytes: 0.3 MB of each shard are
/// not counted at most. To count the 20,000 of a shard takes a fifth of a millisecond.
const RECOUNT_SCHEDULES: usize = 256;

/// What an entry takes, about: see `core/engine/tests/memory.rs`.
const ENTRY_BYTES: usize = 40;

/// A shard that holds little is counted anew at each input: what it had is freed some time after
/// its tasks are gone.
const SMALL_ENTRIES: usize = 256;

thread_local! {
    /// What the loaded shards of this isolate hold.
    static HELD: RefCell<FairMemory> = const { RefCell::new(FairMemory::NONE) };
}

/// What one shard has counted into the sum.
pub(crate) struct Account {
    namespace: String,
    /// Entries, recurring tasks and bytes when it was counted last.
    entries: Cell<usize>,
    schedules: Cell<usize>,
    base: Cell<usize>,
    /// What of the sum is this shard's.
    bytes: Cell<usize>,
}

impl Account {
    /// Returns the account of a shard by its name; one without a name, which no request has, counts
    /// for itself.
    pub(crate) fn of(name: Option<&str>) -> Self {
        let name = name.unwrap_or_default();
        let namespace = name
            .parse::<ShardName>()
            .map_or_else(|_| name.to_owned(), |name| name.namespace.to_string());
        Self {
            namespace,
            entries: Cell::default(),
            schedules: Cell::default(),
            base: Cell::default(),
            bytes: Cell::default(),
        }
    }

    /// Counts what an engine holds.
    pub(crate) fn note(&self, engine: &Engine) {
        let (entries, schedules) = (engine.entries(), engine.schedules());
        let counted = self.entries.get();
        if self.base.get() == 0
            || entries < SMALL_ENTRIES
            || entries < counted / 2
            || entries.abs_diff(counted) >= RECOUNT_ENTRIES
            || schedules.abs_diff(self.schedules.get()) >= RECOUNT_SCHEDULES
        {
            self.entries.set(entries);
            self.schedules.set(schedules);
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

    /// Returns what the shards of the namespace hold, beside the others of this isolate, of `most`
    /// bytes.
    pub(crate) fn of_isolate(&self, most: usize) -> MemoryUse {
        HELD.with_borrow(|held| held.of(&self.namespace, most))
    }

    fn set(&self, bytes: usize) {
        let before = self.bytes.replace(bytes);
        if bytes == before {
            return;
        }
        HELD.with_borrow_mut(|held| {
            held.give_back(&self.namespace, before);
            held.add(&self.namespace, bytes);
        });
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.clear();
    }
}
