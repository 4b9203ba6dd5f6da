//! Counts the memory of all shards in one isolate.
//!
//! The platform gives 128 MB to an isolate, not to a shard, and may run several shards in one
//! isolate. Each shard counts the memory of its engine, by namespace. If the sum reaches its bound,
//! or if a namespace holds more than its fair share (see [`FairMemory`]), the shards refuse
//! everything that adds tasks (HTTP 507) until tasks have fired or were cancelled. Without this, an
//! isolate that runs out of memory would end all its shards and their requests. Stored data is
//! loaded, whatever its size.
//!
//! When the platform evicts an object, its shard stays in memory until JavaScript's collector runs.
//! If the object starts again in the same isolate before that, its new shard drops the engine of
//! the former one ([`Resident`]). It does not use that engine, because a write of it may have been
//! lost with the object: only the storage is certain.

use scheduler_engine::Engine;
use scheduler_model::access::{FairMemory, MemoryUse};
use scheduler_model::namespace::ShardName;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

/// A shard is counted exactly again when its number of entries has changed by this many since the
/// last count, or by a 32nd if that is more, because a count examines every page. In between, each
/// entry counts as [`ENTRY_BYTES`].
const RECOUNT_ENTRIES: usize = 4_096;

/// The same for recurring tasks. Each takes 250 to 1,200 bytes. So at most 0.3 MB of a shard are
/// not counted. A count of a shard's 20,000 recurring tasks takes a fifth of a millisecond.
const RECOUNT_SCHEDULES: usize = 256;

/// The approximate size of an entry; see `core/engine/tests/memory.rs`.
const ENTRY_BYTES: usize = 40;

/// A shard with fewer entries than this is counted at each input, because its memory is freed some
/// time after its tasks are gone.
const SMALL_ENTRIES: usize = 256;

thread_local! {
    /// The memory that the loaded shards of this isolate hold.
    static HELD: RefCell<FairMemory> = const { RefCell::new(FairMemory::NONE) };
    /// The newest shard of each object, by the id of the object.
    static RESIDENTS: RefCell<BTreeMap<String, Weak<Resident>>> = const { RefCell::new(BTreeMap::new()) };
}

/// What a shard holds in memory.
pub(crate) struct Resident {
    /// The engine, while it is loaded.
    pub(crate) engine: Rc<RefCell<Option<Engine>>>,
    /// Its part of the isolate's memory.
    pub(crate) account: Account,
}

impl Resident {
    /// Returns an empty resident for the object with this id and name, and drops the engine of the
    /// object's former one.
    pub(crate) fn enter(id: String, name: Option<&str>) -> Rc<Self> {
        let new = Rc::new(Self { engine: Rc::default(), account: Account::of(name) });
        let former = RESIDENTS.with_borrow_mut(|residents| {
            residents.retain(|_, of| of.strong_count() > 0);
            residents.insert(id, Rc::downgrade(&new))
        });
        if let Some(former) = former.and_then(|former| former.upgrade())
            && let Ok(mut engine) = former.engine.try_borrow_mut()
        {
            *engine = None;
            former.account.clear();
        }
        new
    }
}

/// The part of one shard in the sum.
pub(crate) struct Account {
    namespace: String,
    /// The numbers of entries and recurring tasks, and the bytes, at the last count.
    entries: Cell<usize>,
    schedules: Cell<usize>,
    base: Cell<usize>,
    /// The bytes of the sum that belong to this shard.
    bytes: Cell<usize>,
}

impl Account {
    /// Returns the account of the shard named `name`. This program names every shard. A shard
    /// without a name would be a namespace of its own.
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

    /// Counts the memory of `engine`.
    pub(crate) fn note(&self, engine: &Engine) {
        let (entries, schedules) = (engine.entries(), engine.schedules());
        let counted = self.entries.get();
        if self.base.get() == 0
            || entries < SMALL_ENTRIES
            || entries < counted / 2
            || entries.abs_diff(counted) >= RECOUNT_ENTRIES.max(counted / 32)
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

    /// Sets the count to zero, because the engine is dropped.
    pub(crate) fn clear(&self) {
        self.base.set(0);
        self.set(0);
    }

    /// Returns how many of the `most` bytes of this isolate the shards of the namespace hold, and
    /// how many the other shards hold.
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
