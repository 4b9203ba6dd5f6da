//! The engine of a shard, sans I/O, and the state machines of the [limiter] and the [registry].
//!
//! The engine takes an input and the time, and returns a reply and [`Effects`]: rows to write and
//! messages to send. It reads through [`Reader`], because bodies stay in storage until it needs
//! them.
//!
//! In scope: every decision about time, order, retries, cancels, limits and API keys. Not in scope:
//! clocks, randomness and the platform, which belong to the shells; HTTP, the plan of a request and
//! the stored formats, which belong to other crates.
//!
//! Rules for the shell:
//! - It carries out the effects of one input in this order: all writes in one transaction, then the
//!   sends. Before that, it calls [`Engine::check_memory`].
//! - On any error, from the engine or from storage, it drops the engine and loads a new one. So the
//!   memory always matches the storage.
//! - Before each input, and before it calls [`Engine::next_wakeup`], it calls [`Engine::observe`]
//!   with the time.
//! - After each input, it arms the alarm for [`Engine::next_wakeup`], at [`alarm_time`]. Early,
//!   late and repeated wake-ups do no harm. A failure to arm does not undo what was committed and
//!   answered: the shell tries again.
//!
//! The files of `engine/` are the methods of [`Engine`]. The other files hold its state and know
//! nothing of it.

mod alarm;
mod budget;
mod changes;
mod checked;
mod circuits;
mod config;
mod continued;
mod decisions;
mod due;
mod dues;
mod effects;
mod ended;
mod ended_run;
mod engine;
mod entry_ref;
mod envelopes;
mod error;
mod event_buffer;
mod flight_patch;
mod flights;
mod gathering;
mod history;
mod id_key;
mod idempotency;
mod index;
mod lanes;
mod lapses;
mod last_attempt;
mod lateness;
pub mod limiter;
mod mem_page;
mod mem_schedule;
mod new_items;
mod new_schedule;
mod newest_first;
mod outbox;
mod overlay;
mod pause;
mod pause_mark;
mod policy;
mod reader;
mod rebuilt_page;
mod redefinition;
pub mod registry;
mod remains;
mod replan;
mod requeue;
mod runs_aside;
mod same_definition;
mod scan;
mod searches;
mod sends;
mod sentences;
mod series;
mod sieve;
mod sizes;
mod snapshot;
mod spans;
mod state;
mod tasks;
#[cfg(any(test, feature = "test-util"))]
pub mod testing;
pub mod timers;

pub use alarm::{
    ALARM_RETRY_MILLIS, AlarmState, LONGEST_RUN_MILLIS, STAY_AWAKE_MILLIS, alarm_time, stay_awake,
};
pub use circuits::{
    FIRST_OPEN_MILLIS, FORGOTTEN_AFTER_MILLIS, LONGEST_OPEN_MILLIS, OPEN_AFTER, PROBE_MILLIS,
    PROBED_MILLIS,
};
pub use config::{Config, Keep, MAX_FIRE_GAP_MILLIS};
pub use effects::{Destination, Effects, KeyedLeaseRequest, Outgoing, Write};
pub use engine::Engine;
pub use error::{EngineError, StorageError};
pub use gathering::Gathering;
pub use id_key::{hashes_of_envelope, key_stored_page};
pub use reader::Reader;
pub use sends::Sends;
pub use snapshot::{
    Snapshot, StoredEnvelope, StoredHistory, StoredPage, StoredPatch, StoredSchedule,
};
