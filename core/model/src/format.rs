//! The stored formats (pages, envelopes, the history and the series) and their parts.

pub mod codec;
pub mod envelope;
pub mod hex;
pub mod history;
pub mod page;
pub mod series;
