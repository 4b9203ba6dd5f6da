//! The history: how attempts ended. One row contains many of them.
//!
//! The body of a row is a sequence of **chunks**, so that it grows by appending. A chunk contains
//! the outcomes of one envelope. All numbers are little-endian. [`super::codec`] reads and writes
//! varints, signed numbers and texts.
//!
//! ```text
//! chunk  version:u8  length:u32 of what follows  count:u16  content
//! of version 1, the content is
//!        fired:i64  reported:i64  count × hash:u32  count × entry
//! of version 2, the content is
//!        fired:i64  reported:i64  count × hash:u32  texts:varint  texts × text  count × entry
//! entry  length:varint of what follows
//!        outcome:u8  flags:u8  id:text  time:signed from fired  attempt:varint
//!        if flags & 1:  started:signed from fired  millis:varint
//!        if flags & 2:  status:varint
//!        if flags & 4:  error:text
//!        if flags & 8:  excerpt:text
//!        if flags & 16: stage:text
//!        of version 2
//!        if flags & 32: target:varint, its kind plus 8 × the place of its name among the texts
//!        if flags & 64: tags:varint  tags × varint, their places among the texts
//!        flags & 128:   it was not dispatched
//!        if outcome = 6: by:varint, 1 + the place of the name of the API key; 0 if not known.
//!                        Its time means nothing, and its attempt is 0
//!        what a later version adds
//! text   length:varint  UTF-8
//! ```
//!
//! The texts of a chunk are shared by its entries, which usually have one target and the same tags.
//! The hashes are the low halves of [`crate::routing::id_hash`]. A search for one id compares them
//! and skips the other entries. A chunk with an unknown version is skipped, but its entries count.

mod outcome;
mod read;
mod run;
#[cfg(test)]
mod tests;
mod write;

pub use outcome::Outcome;
pub use read::{HistoryError, Searched, newest_first, search};
pub use run::{Past, Ran, Run, Target, TargetKind};
pub use write::ChunkBuilder;
