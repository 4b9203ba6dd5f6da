//! The stored formats (pages, envelopes and the history) and what they consist of.

pub mod codec;
pub mod envelope;
pub mod hex;
pub mod history;
pub mod page;
