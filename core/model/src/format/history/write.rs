//! Writes a chunk.

use super::run::Run;
use crate::format::codec::{put_text, varint};
use crate::routing::id_hash;
use scheduler_calendar::time::UnixMillis;
use std::ops::Range;

/// The version of written chunks.
pub(super) const VERSION: u8 = 2;
/// The version, the length and the count.
const HEAD_BYTES: usize = 7;
/// The number of a chunk's texts that the builder searches for an equal one. It bounds the work. A
/// shared text is usually among the first ones.
const MAX_SEARCHED_TEXTS: usize = 64;

pub(super) const RAN: u8 = 1;
pub(super) const STATUS: u8 = 2;
pub(super) const ERROR: u8 = 4;
pub(super) const EXCERPT: u8 = 8;
pub(super) const STAGE: u8 = 16;
pub(super) const TARGET: u8 = 32;
pub(super) const TAGS: u8 = 64;
pub(super) const NOT_DISPATCHED: u8 = 128;

/// The code of [`super::Outcome::Cancelled`]. Its entries contain the name of the API key.
pub(super) const CANCELLED: u8 = 6;

/// The texts that the entries of a chunk share.
#[derive(Debug, Default)]
struct Texts {
    /// The encoded texts.
    bytes: Vec<u8>,
    count: usize,
    /// The ranges of the first texts in `bytes`.
    searched: Vec<Range<usize>>,
}

impl Texts {
    /// Returns the place of a text. Adds the text unless it is among the first ones.
    fn place(&mut self, text: &str) -> u64 {
        let is_it = |range: &Range<usize>| self.bytes.get(range.clone()) == Some(text.as_bytes());
        if let Some(place) = self.searched.iter().position(is_it) {
            return place as u64;
        }
        put_text(text, &mut self.bytes);
        if self.searched.len() < MAX_SEARCHED_TEXTS {
            self.searched.push(self.bytes.len() - text.len()..self.bytes.len());
        }
        self.count += 1;
        self.count as u64 - 1
    }
}

/// Writes one chunk.
#[derive(Debug)]
pub struct ChunkBuilder {
    fired_at: UnixMillis,
    reported_at: UnixMillis,
    hashes: Vec<u8>,
    texts: Texts,
    entries: Vec<u8>,
    entry: Vec<u8>,
}

impl ChunkBuilder {
    /// Starts the chunk of one envelope.
    pub fn new(fired_at: UnixMillis, reported_at: UnixMillis) -> Self {
        let (hashes, texts) = (Vec::new(), Texts::default());
        Self { fired_at, reported_at, hashes, texts, entries: Vec::new(), entry: Vec::new() }
    }

    /// Returns the number of bytes of the chunk so far.
    pub fn bytes(&self) -> usize {
        let texts = varint_bytes(self.texts.count as u64) + self.texts.bytes.len();
        HEAD_BYTES + 2 * size_of::<i64>() + self.hashes.len() + texts + self.entries.len()
    }

    /// Returns whether the chunk contains no run.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Adds a run. A chunk counts up to 65,535 runs; further ones are dropped. A chunk that fits a
    /// row has far fewer, because a run takes more than ten bytes.
    pub fn push(&mut self, run: &Run<'_>) {
        if self.hashes.len() / 4 >= usize::from(u16::MAX) {
            return;
        }
        self.hashes.extend_from_slice(&short_hash(&run.id));
        let out = &mut self.entry;
        out.clear();
        out.push(run.outcome.code());
        let flag = |flag, holds| if holds { flag } else { 0 };
        out.push(
            flag(RAN, run.ran.is_some())
                | flag(STATUS, run.status.is_some())
                | flag(ERROR, !run.error.is_empty())
                | flag(EXCERPT, !run.excerpt.is_empty())
                | flag(STAGE, !run.stage.is_empty())
                | flag(TARGET, run.target.is_some())
                | flag(TAGS, !run.tags.is_empty())
                | flag(NOT_DISPATCHED, !run.was_dispatched),
        );
        put_text(&run.id, out);
        varint::put_signed(run.time.map_or(0, |time| time.since(self.fired_at)), out);
        varint::put(u64::from(run.attempt), out);
        if let Some(ran) = run.ran {
            varint::put_signed(ran.started_at.since(self.fired_at), out);
            varint::put(u64::from(ran.millis), out);
        }
        if let Some(status) = run.status {
            varint::put(u64::from(status), out);
        }
        for text in [&run.error, &run.excerpt, &run.stage] {
            if !text.is_empty() {
                put_text(text, out);
            }
        }
        if let Some(target) = &run.target {
            let place = self.texts.place(&target.name);
            varint::put(place << 3 | u64::from(target.kind.code()), out);
        }
        if !run.tags.is_empty() {
            varint::put(run.tags.len() as u64, out);
            for tag in &run.tags {
                varint::put(self.texts.place(tag), out);
            }
        }
        if run.outcome.code() == CANCELLED {
            let is_known = !run.by.is_empty();
            varint::put(if is_known { 1 + self.texts.place(&run.by) } else { 0 }, out);
        }
        varint::put(self.entry.len() as u64, &mut self.entries);
        self.entries.append(&mut self.entry);
    }

    /// Returns the bytes of the chunk, or `None` if it has no runs.
    pub fn finish(self) -> Option<Vec<u8>> {
        // `push` counts up to 65,535 runs.
        let count = u16::try_from(self.hashes.len() / 4).ok().filter(|count| *count > 0)?;
        debug_assert!(u32::try_from(self.entries.len()).is_ok(), "a chunk is larger than a row");
        let bytes = self.bytes();
        let length = u32::try_from(bytes - HEAD_BYTES + size_of_val(&count)).ok()?;
        let mut out = Vec::with_capacity(bytes);
        out.push(VERSION);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&self.fired_at.get().to_le_bytes());
        out.extend_from_slice(&self.reported_at.get().to_le_bytes());
        out.extend_from_slice(&self.hashes);
        varint::put(self.texts.count as u64, &mut out);
        out.extend_from_slice(&self.texts.bytes);
        out.extend_from_slice(&self.entries);
        Some(out)
    }
}

/// Returns how many bytes a number takes.
fn varint_bytes(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

pub(super) fn short_hash(id: &str) -> [u8; 4] {
    (id_hash(id) as u32).to_le_bytes()
}
