//! The engine of a shard, sans I/O.
//!
//! An input and the time go in; a reply and [`Effects`] come out: rows to write and messages to send. The shell around it
//! carries them out in that order: it applies all writes of one input in one transaction, then sends. Reading goes through
//! [`Reader`], for bodies stay in storage until they are needed.
//!
//! Rules for the shell:
//! - On any error, from here or from storage, it drops the engine and loads a new one. So what is in memory is always what is
//!   stored.
//! - Before each input, and before it asks for [`Engine::next_wakeup`], it calls [`Engine::observe`] with the time.
//! - After each input it arms the alarm for [`Engine::next_wakeup`], at [`alarm_time`]. Early, late and repeated wake-ups are no-ops or
//!   harmless. A failure to arm changes nothing of what is committed and answered: the shell tries again.

mod alarm;
mod effects;
mod engine;
mod error;
mod gathering;
pub mod limiter;
pub mod registry;
mod same_definition;
mod sizes;
pub mod timers;

pub use alarm::{ALARM_RETRY_MILLIS, AlarmState, LONGEST_RUN_MILLIS, STAY_AWAKE_MILLIS, alarm_time, stay_awake};
pub use effects::{Destination, Effects, LimitAsk, Outgoing, Write};
pub use engine::{
    Config, Engine, FIRST_OPEN_MILLIS, FORGOTTEN_AFTER_MILLIS, Keep, LONGEST_OPEN_MILLIS, MAX_FIRE_GAP_MILLIS, OPEN_AFTER,
    PROBE_MILLIS, PROBED_MILLIS, Reader, Sends, Snapshot, StoredEnvelope, StoredHistory, StoredPage, StoredPatch, StoredSchedule,
    hashes_of_envelope, key_stored_page,
};
pub use error::{EngineError, StorageError};
pub use gathering::Gathering;
