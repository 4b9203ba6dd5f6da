//! What tests of the engine share, here and in other crates: storage in memory ([`Memory`]), and
//! tasks to put into it ([`append`], [`record`]).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test helpers panic if an assumption fails"
)]

mod memory;
mod rows;
mod tasks;

pub use memory::Memory;
pub use rows::{EnvelopeRow, HistoryRow, PageRow, ScheduleRow};
pub use tasks::{append, append_flagged, record, recurring};
