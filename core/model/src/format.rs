//! The stored formats (pages, envelopes and the history) and their parts.

pub mod codec;
pub mod envelope;
pub mod hex;
pub mod history;
pub mod page;
