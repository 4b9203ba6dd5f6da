//! Reads a row.

use super::outcome::Outcome;
use super::run::{Past, Ran, Run, Target, TargetKind};
use super::write::{
    CANCELLED, ERROR, EXCERPT, NOT_DISPATCHED, RAN, STAGE, STATUS, TAGS, TARGET, VERSION,
    short_hash,
};
use crate::format::codec::{
    CodecError, take, take_array, take_counted, take_number, take_signed, take_text,
};
use scheduler_calendar::time::UnixMillis;
use std::ops::RangeInclusive;

/// The row contains data that no version has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// The row ends early.
    #[error("a chunk or an entry is cut off")]
    Length,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    Text,
    /// A number is too large for its field.
    #[error("a number is too large")]
    Number,
}

impl From<CodecError> for HistoryError {
    fn from(error: CodecError) -> Self {
        match error {
            CodecError::Length => Self::Length,
            CodecError::Text => Self::Text,
            CodecError::Number => Self::Number,
        }
    }
}

/// The versions that this code reads.
const READ: RangeInclusive<u8> = 1..=VERSION;

/// The parts of a chunk. If its version is unknown, only the count is known.
struct Chunk<'a> {
    count: u32,
    known: Option<Known<'a>>,
}

struct Known<'a> {
    fired_at: UnixMillis,
    reported_at: UnixMillis,
    hashes: &'a [[u8; 4]],
    /// The texts that the entries share, and their number.
    texts: &'a [u8],
    count: usize,
    entries: &'a [u8],
    version: u8,
}

/// What a search found in a row.
#[derive(Debug, PartialEq, Eq)]
pub struct Searched<'a> {
    /// The runs, newest first, with their places in the row, counted from 0.
    pub found: Vec<(u32, Past<'a>)>,
    /// The number of runs before the place where the search began.
    pub count: u32,
}

/// Returns the runs of a row, newest first, with their places in the row, counted from 0.
///
/// Returns only runs of `id`, if given, that are before the place `before` and were reported at
/// `since` or later. Returns at most `limit` runs.
///
/// # Errors
/// Returns an error if the row contains data that no version has written.
pub fn newest_first<'a>(
    row: &'a [u8],
    id: Option<&str>,
    before: u32,
    since: UnixMillis,
    limit: usize,
) -> Result<Vec<(u32, Past<'a>)>, HistoryError> {
    let is_selected = |reported_at: UnixMillis| reported_at >= since;
    search(row, id, before, is_selected, |_| true, limit).map(|searched| searched.found)
}

/// Searches a row for runs before the place `before`. A run matches if it has the id `id`, if
/// given, `is_time` accepts the time of its report, and `is_run` accepts it. Returns the newest
/// `limit` of them.
///
/// # Errors
/// Returns an error if the row contains data that no version has written.
pub fn search<'a>(
    row: &'a [u8],
    id: Option<&str>,
    before: u32,
    is_time: impl Fn(UnixMillis) -> bool,
    is_run: impl Fn(&Run<'a>) -> bool,
    limit: usize,
) -> Result<Searched<'a>, HistoryError> {
    let hash = id.map(short_hash);
    let mut chunks = Vec::new();
    let (mut rest, mut first) = (row, 0_u32);
    while !rest.is_empty() && first < before {
        let chunk = take_chunk(&mut rest)?;
        let count = chunk.count;
        if let Some(known) = chunk.known.filter(|known| is_time(known.reported_at)) {
            chunks.push((first, known));
        }
        first = first.saturating_add(count);
    }
    let mut found = Vec::new();
    for (first, chunk) in chunks.into_iter().rev() {
        let mut of_chunk = Vec::new();
        let mut entries = chunk.entries;
        let mut texts = None;
        for (place, other) in (first..before).zip(chunk.hashes) {
            let length = take_number(&mut entries)?;
            let entry = take(&mut entries, length)?;
            if hash.is_some_and(|hash| hash != *other) {
                continue;
            }
            if texts.is_none() {
                texts = Some(chunk.shared()?);
            }
            let run = take_run(entry, &chunk, texts.as_deref().unwrap_or_default())?;
            if id.is_none_or(|id| run.id == id) && is_run(&run) {
                let (fired_at, reported_at) = (chunk.fired_at, chunk.reported_at);
                of_chunk.push((place, Past { run, fired_at, reported_at }));
            }
        }
        found.extend(of_chunk.into_iter().rev());
        if found.len() >= limit {
            found.truncate(limit);
            break;
        }
    }
    Ok(Searched { found, count: first.min(before) })
}

impl<'a> Known<'a> {
    /// Reads the shared texts.
    fn shared(&self) -> Result<Vec<&'a str>, HistoryError> {
        let mut rest = self.texts;
        let mut texts = Vec::new();
        for _ in 0..self.count {
            texts.push(take_text(&mut rest)?);
        }
        Ok(texts)
    }
}

fn take_chunk<'a>(rest: &mut &'a [u8]) -> Result<Chunk<'a>, HistoryError> {
    let [version] = take_array::<1>(rest)?;
    let mut content = take_counted(rest)?;
    let count = take_array::<2>(&mut content).map(u16::from_le_bytes)?;
    let known = if READ.contains(&version) {
        let fired_at = take_array::<8>(&mut content).map(i64::from_le_bytes)?;
        let reported_at = take_array::<8>(&mut content).map(i64::from_le_bytes)?;
        let hashes = take(&mut content, usize::from(count) * 4)?.as_chunks::<4>().0;
        let texts_count = if version == 1 { 0 } else { take_number(&mut content)? };
        let texts = content;
        for _ in 0..texts_count {
            let length = take_number(&mut content)?;
            take(&mut content, length)?;
        }
        Some(Known {
            fired_at: UnixMillis::new(fired_at),
            reported_at: UnixMillis::new(reported_at),
            hashes,
            texts,
            count: texts_count,
            entries: content,
            version,
        })
    } else {
        None
    };
    Ok(Chunk { count: u32::from(count), known })
}

fn take_run<'a>(
    mut entry: &'a [u8],
    chunk: &Known<'a>,
    texts: &[&'a str],
) -> Result<Run<'a>, HistoryError> {
    let rest = &mut entry;
    let fired_at = chunk.fired_at;
    let [code, flags] = take_array::<2>(rest)?;
    let outcome = Outcome::of_code(code);
    let id = take_text(rest)?;
    let time = fired_at.plus(take_signed(rest)?);
    let attempt = take_number(rest)?;
    let ran = if flags & RAN != 0 {
        Some(Ran { started_at: fired_at.plus(take_signed(rest)?), millis: take_number(rest)? })
    } else {
        None
    };
    let status = if flags & STATUS != 0 { Some(take_number(rest)?) } else { None };
    let error = if flags & ERROR != 0 { take_text(rest)? } else { "" };
    let excerpt = if flags & EXCERPT != 0 { take_text(rest)? } else { "" };
    let stage = if flags & STAGE != 0 { take_text(rest)? } else { "" };
    let text_at = |place: u64| -> Result<&'a str, HistoryError> {
        let text = usize::try_from(place).ok().and_then(|place| texts.get(place));
        text.copied().ok_or(HistoryError::Number)
    };
    let flags = if chunk.version == 1 { 0 } else { flags };
    let target = if flags & TARGET != 0 {
        let packed: u64 = take_number(rest)?;
        let kind = TargetKind::of_code((packed & 7) as u8);
        Some(Target { kind, name: text_at(packed >> 3)?.into() })
    } else {
        None
    };
    let mut tags = Vec::new();
    if flags & TAGS != 0 {
        let count: usize = take_number(rest)?;
        for _ in 0..count {
            tags.push(text_at(take_number(rest)?)?.into());
        }
    }
    let mut by = "";
    if chunk.version > 1 && code == CANCELLED {
        let place: u64 = take_number(rest)?;
        by = if let Some(place) = place.checked_sub(1) { text_at(place)? } else { "" };
    }
    Ok(Run {
        id: id.into(),
        time: Some(time).filter(|_| code != CANCELLED),
        attempt,
        outcome,
        was_dispatched: flags & NOT_DISPATCHED == 0 && outcome.has_run(),
        ran,
        status,
        error: error.into(),
        excerpt: excerpt.into(),
        stage: stage.into(),
        target,
        tags,
        by: by.into(),
    })
}
