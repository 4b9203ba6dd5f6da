//! The stored formats: pages, envelopes and the history.

pub mod envelope;
pub mod hex;
pub mod history;
pub mod page;
