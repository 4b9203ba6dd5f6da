//! How attempts ended, as a shard keeps it: many in one row.
//!
//! A row's body is a sequence of **chunks**, so that it grows by appending. A chunk holds what one
//! envelope's outcomes were. All numbers are little-endian; [`super::codec`] reads and writes
//! varints, signed ones and texts.
//!
//! ```text
//! chunk  version:u8  length:u32 of what follows  count:u16  content
//! of version 1, the content is
//!        fired:i64  reported:i64  count × hash:u32  count × entry
//! entry  length:varint of what follows
//!        outcome:u8  flags:u8  id:text  due:signed from fired  attempt:varint
//!        if flags & 1:  started:signed from fired  millis:varint
//!        if flags & 2:  status:varint
//!        if flags & 4:  error:text
//!        if flags & 8:  excerpt:text
//!        if flags & 16: stage:text
//!        what a later version adds
//! text   length:varint  UTF-8
//! ```
//!
//! The hashes are the low halves of [`crate::routing::id_hash`]: a search for one id looks at these
//! and skips the rest. A chunk of a version that is not known is passed over, and its entries count
//! all the same.

use super::codec::{
    CodecError, put_text, take, take_array, take_counted, take_number, take_signed, take_text,
    varint,
};
use crate::routing::id_hash;
use scheduler_calendar::time::UnixMillis;
use std::borrow::Cow;

const VERSION: u8 = 1;
/// Version, length and count.
const HEAD_BYTES: usize = 7;

const RAN: u8 = 1;
const STATUS: u8 = 2;
const ERROR: u8 = 4;
const EXCERPT: u8 = 8;
const STAGE: u8 = 16;

/// How an attempt ended. Programs must expect others: later versions know more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The target took it.
    Succeeded,
    /// It failed, and is tried again.
    Failed,
    /// It failed for good: the task is kept as a dead letter.
    DeadLettered,
    /// The user's own queue has taken it; what its consumer does is not known.
    HandedOver,
    /// It was not started, since it came later than the task allows.
    Expired,
    /// It was not started, for another reason that the task gives.
    Skipped,
    /// It was written by a later version.
    Other(u8),
}

impl Outcome {
    /// Returns whether it went as it should. All else is kept also where only failures are.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Succeeded | Self::HandedOver)
    }

    /// Returns its name in answers.
    pub fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::DeadLettered => "dead-lettered",
            Self::HandedOver => "handed-over",
            Self::Expired => "expired",
            Self::Skipped => "skipped",
            Self::Other(code) => return Cow::Owned(format!("other-{code}")),
        })
    }

    fn code(self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::Failed => 1,
            Self::DeadLettered => 2,
            Self::HandedOver => 3,
            Self::Expired => 4,
            Self::Skipped => 5,
            Self::Other(code) => code,
        }
    }

    fn of_code(code: u8) -> Self {
        match code {
            0 => Self::Succeeded,
            1 => Self::Failed,
            2 => Self::DeadLettered,
            3 => Self::HandedOver,
            4 => Self::Expired,
            5 => Self::Skipped,
            other => Self::Other(other),
        }
    }
}

/// When an attempt ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ran {
    /// When it began.
    pub started_at: UnixMillis,
    /// How long it took, milliseconds.
    pub millis: u32,
}

/// One attempt and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run<'a> {
    /// The task's id.
    pub id: Cow<'a, str>,
    /// The requested time of the run.
    pub due: UnixMillis,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// When it ran, where that is known.
    pub ran: Option<Ran>,
    /// The HTTP status of the answer, where there was one.
    pub status: Option<u16>,
    /// What went wrong; empty where nothing did.
    pub error: Cow<'a, str>,
    /// How the body of an answer that is a failure begins.
    pub excerpt: Cow<'a, str>,
    /// Of a follow-up's attempt, which follow-up: see [`crate::task::Record::stage`]. Empty of a
    /// run's own.
    pub stage: Cow<'a, str>,
}

/// What a run takes in a chunk beside its texts, at most: a short hash, the entry's length, outcome
/// and flags, the numbers of the run at their longest as variable-length numbers, and the lengths
/// of its texts.
const RUN_BYTES: usize = 4 + 5 + 2 + 10 + 5 + 10 + 5 + 3 + 4 * 5;

impl Run<'_> {
    /// Returns the most bytes that the run takes in a chunk.
    pub fn most_bytes(&self) -> usize {
        RUN_BYTES + self.id.len() + self.error.len() + self.excerpt.len() + self.stage.len()
    }
}

/// A run with what its chunk says of all of its runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past<'a> {
    /// The run.
    pub run: Run<'a>,
    /// When the shard handed it on.
    pub fired_at: UnixMillis,
    /// When the shard learned of its end.
    pub reported_at: UnixMillis,
}

/// A row holds what was never written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// It ends early.
    #[error("a chunk or an entry is cut off")]
    Length,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    Text,
    /// A number is larger than what is written there.
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

/// Writes one chunk.
#[derive(Debug)]
pub struct ChunkBuilder {
    fired_at: UnixMillis,
    reported_at: UnixMillis,
    hashes: Vec<u8>,
    entries: Vec<u8>,
    entry: Vec<u8>,
}

impl ChunkBuilder {
    /// For the runs of one envelope.
    pub fn new(fired_at: UnixMillis, reported_at: UnixMillis) -> Self {
        Self { fired_at, reported_at, hashes: Vec::new(), entries: Vec::new(), entry: Vec::new() }
    }

    /// Returns how many bytes the chunk would have now.
    pub fn bytes(&self) -> usize {
        HEAD_BYTES + 2 * size_of::<i64>() + self.hashes.len() + self.entries.len()
    }

    /// Returns whether it holds no run.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Adds a run. A chunk counts up to 65,535; what is beyond is left out. A caller that keeps
    /// chunks within a row's size is far from that, since a run takes more than ten bytes.
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
                | flag(STAGE, !run.stage.is_empty()),
        );
        put_text(&run.id, out);
        varint::put_signed(run.due.since(self.fired_at), out);
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
        varint::put(self.entry.len() as u64, &mut self.entries);
        self.entries.append(&mut self.entry);
    }

    /// Returns the chunk's bytes; `None` when it has no runs.
    pub fn finish(self) -> Option<Vec<u8>> {
        // `push` counts up to 65,535 runs.
        let count = u16::try_from(self.hashes.len() / 4).ok().filter(|count| *count > 0)?;
        debug_assert!(u32::try_from(self.entries.len()).is_ok(), "a chunk is larger than a row");
        let length = u32::try_from(2 + 16 + self.hashes.len() + self.entries.len()).ok()?;
        let mut out = Vec::with_capacity(HEAD_BYTES + length as usize);
        out.push(VERSION);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&self.fired_at.get().to_le_bytes());
        out.extend_from_slice(&self.reported_at.get().to_le_bytes());
        out.extend_from_slice(&self.hashes);
        out.extend_from_slice(&self.entries);
        Some(out)
    }
}

/// A chunk's parts. Of a version that is not known, no more than its count.
struct Chunk<'a> {
    count: u32,
    known: Option<Known<'a>>,
}

struct Known<'a> {
    fired_at: UnixMillis,
    reported_at: UnixMillis,
    hashes: &'a [[u8; 4]],
    entries: &'a [u8],
}

/// Returns the runs of a row, the newest first: with their places in the row, counted from 0.
///
/// Only those of `id`, where one is given, that stand before place `before` and were reported at
/// `since` or later; at most `limit`.
///
/// # Errors
/// When the row holds what was never written there.
pub fn newest_first<'a>(
    row: &'a [u8],
    id: Option<&str>,
    before: u32,
    since: UnixMillis,
    limit: usize,
) -> Result<Vec<(u32, Past<'a>)>, HistoryError> {
    let hash = id.map(short_hash);
    let mut chunks = Vec::new();
    let (mut rest, mut first) = (row, 0_u32);
    while !rest.is_empty() && first < before {
        let chunk = take_chunk(&mut rest)?;
        let count = chunk.count;
        if let Some(known) = chunk.known.filter(|known| known.reported_at >= since) {
            chunks.push((first, known));
        }
        first = first.saturating_add(count);
    }
    let mut found = Vec::new();
    for (first, chunk) in chunks.into_iter().rev() {
        let mut of_chunk = Vec::new();
        let mut entries = chunk.entries;
        for (place, other) in (first..before).zip(chunk.hashes) {
            let length = take_number(&mut entries)?;
            let entry = take(&mut entries, length)?;
            if hash.is_none_or(|hash| hash == *other) {
                let run = take_run(entry, chunk.fired_at)?;
                if id.is_none_or(|id| run.id == id) {
                    of_chunk.push((
                        place,
                        Past { run, fired_at: chunk.fired_at, reported_at: chunk.reported_at },
                    ));
                }
            }
        }
        found.extend(of_chunk.into_iter().rev());
        if found.len() >= limit {
            found.truncate(limit);
            break;
        }
    }
    Ok(found)
}

fn take_chunk<'a>(rest: &mut &'a [u8]) -> Result<Chunk<'a>, HistoryError> {
    let version = take(rest, 1)?.first().copied().unwrap_or_default();
    let mut content = take_counted(rest)?;
    let count = take_array::<2>(&mut content).map(u16::from_le_bytes)?;
    let known = if version == VERSION {
        let fired_at = take_array::<8>(&mut content).map(i64::from_le_bytes)?;
        let reported_at = take_array::<8>(&mut content).map(i64::from_le_bytes)?;
        let hashes = take(&mut content, usize::from(count) * 4)?.as_chunks::<4>().0;
        let (fired_at, reported_at) = (UnixMillis::new(fired_at), UnixMillis::new(reported_at));
        Some(Known { fired_at, reported_at, hashes, entries: content })
    } else {
        None
    };
    Ok(Chunk { count: u32::from(count), known })
}

fn take_run(mut entry: &[u8], fired_at: UnixMillis) -> Result<Run<'_>, HistoryError> {
    let rest = &mut entry;
    let [outcome, flags] = take_array::<2>(rest)?;
    let id = take_text(rest)?;
    let due = fired_at.plus(take_signed(rest)?);
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
    Ok(Run {
        id: id.into(),
        due,
        attempt,
        outcome: Outcome::of_code(outcome),
        ran,
        status,
        error: error.into(),
        excerpt: excerpt.into(),
        stage: stage.into(),
    })
}

fn short_hash(id: &str) -> [u8; 4] {
    (id_hash(id) as u32).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRED: UnixMillis = UnixMillis::new(1_764_000_000_000);

    fn run(id: &str, outcome: Outcome) -> Run<'_> {
        Run {
            id: id.into(),
            due: FIRED.plus(-5),
            attempt: 1,
            outcome,
            ran: None,
            status: None,
            error: "".into(),
            excerpt: "".into(),
            stage: "".into(),
        }
    }

    fn failed() -> Run<'static> {
        Run {
            attempt: 300,
            ran: Some(Ran { started_at: FIRED.plus(70), millis: 1_000 }),
            status: Some(503),
            error: "no".into(),
            excerpt: "é".into(),
            ..run("b", Outcome::Failed)
        }
    }

    fn chunk(runs: &[Run<'_>], reported_at: UnixMillis) -> Vec<u8> {
        let mut builder = ChunkBuilder::new(FIRED, reported_at);
        runs.iter().for_each(|run| builder.push(run));
        builder.finish().unwrap()
    }

    /// Pinned for ever: this is what is stored.
    #[test]
    fn golden_bytes() {
        let bytes = chunk(&[run("a", Outcome::Succeeded), failed()], FIRED.plus(2_000));
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, GOLDEN);
        let found = newest_first(&bytes, None, u32::MAX, UnixMillis::ZERO, 10).unwrap();
        let past = |run| Past { run, fired_at: FIRED, reported_at: FIRED.plus(2_000) };
        assert_eq!(found, [(1, past(failed())), (0, past(run("a", Outcome::Succeeded)))]);
    }
    /// The head, the two hashes, and the two entries.
    const GOLDEN: &str = concat!(
        "0135000000020000e897b69a010000d0ef97b69a010000",
        "5b6e8ca99b9ff31a",
        "06000001610901",
        "13010f016209ac028c01e807f703026e6f02c3a9"
    );

    /// Pinned for ever: a follow-up's attempt, which versions before follow-ups read as one of the
    /// run.
    #[test]
    fn golden_bytes_of_a_follow_up() {
        let bytes = chunk(
            &[Run { stage: "onSuccess".into(), ..run("a", Outcome::Succeeded) }],
            FIRED.plus(2_000),
        );
        let hex: String = bytes[27..].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "10001001610901096f6e53756363657373");
        let found = newest_first(&bytes, Some("a"), u32::MAX, UnixMillis::ZERO, 10).unwrap();
        assert_eq!(found[0].1.run.stage, "onSuccess");
    }

    #[test]
    fn a_chunk_knows_its_size_and_a_run_the_most_that_it_takes() {
        let longest = Run {
            due: UnixMillis::new(i64::MIN),
            attempt: u32::MAX,
            ran: Some(Ran { started_at: UnixMillis::new(i64::MAX), millis: u32::MAX }),
            status: Some(u16::MAX),
            stage: "onSuccess".into(),
            ..failed()
        };
        let mut builder = ChunkBuilder::new(FIRED, FIRED);
        assert!(builder.is_empty());
        for run in [run("a", Outcome::Succeeded), failed(), longest] {
            let before = builder.bytes();
            builder.push(&run);
            assert!(
                builder.bytes() > before && builder.bytes() - before <= run.most_bytes(),
                "{run:?}"
            );
        }
        let bytes = builder.bytes();
        assert_eq!(builder.finish().map(|chunk| chunk.len()), Some(bytes));
    }

    #[test]
    fn a_search_goes_backwards_from_any_place_by_id_and_by_age() {
        let ids = |n: usize| (0..n).map(|n| if n.is_multiple_of(3) { "a" } else { "b" });
        let mut row = Vec::new();
        for n in 0..4 {
            let runs: Vec<_> = ids(5).map(|id| run(id, Outcome::Succeeded)).collect();
            row.extend(chunk(&runs, FIRED.plus(n)));
        }
        let places = |id, before, since, limit| -> Vec<u32> {
            newest_first(&row, id, before, since, limit)
                .unwrap()
                .into_iter()
                .map(|(place, _)| place)
                .collect()
        };
        assert_eq!(places(Some("a"), u32::MAX, FIRED, 100), [18, 15, 13, 10, 8, 5, 3, 0]);
        assert_eq!(places(Some("a"), 13, FIRED, 100), [10, 8, 5, 3, 0]);
        assert_eq!(places(Some("a"), 13, FIRED, 2), [10, 8]);
        assert_eq!(places(Some("a"), u32::MAX, FIRED.plus(2), 100), [18, 15, 13, 10]);
        assert_eq!(places(None, 3, FIRED, 100), [2, 1, 0]);
        assert_eq!(places(Some("c"), u32::MAX, FIRED, 100), [0; 0]);
    }

    #[test]
    fn what_a_later_version_writes_is_passed_over() {
        let mut row = chunk(&[run("a", Outcome::Other(77))], FIRED);
        // An entry with something behind what is known: its length says so.
        let grown = row.len();
        row[1] += 1;
        row[grown - 7] += 1;
        row.push(b'?');
        let mut later = chunk(&[run("a", Outcome::Succeeded), run("a", Outcome::Succeeded)], FIRED);
        later[0] = 2;
        row.extend(later);
        row.extend(chunk(&[run("a", Outcome::Skipped)], FIRED));
        let found = newest_first(&row, Some("a"), u32::MAX, UnixMillis::ZERO, 10).unwrap();
        let outcomes: Vec<_> =
            found.iter().map(|(place, past)| (*place, past.run.outcome)).collect();
        assert_eq!(outcomes, [(3, Outcome::Skipped), (0, Outcome::Other(77))]);
    }

    #[test]
    fn outcomes_keep_their_codes_and_names() {
        for code in 0..=u8::MAX {
            assert_eq!(Outcome::of_code(code).code(), code);
        }
        let named = [
            Outcome::Succeeded,
            Outcome::Failed,
            Outcome::DeadLettered,
            Outcome::HandedOver,
            Outcome::Expired,
            Outcome::Skipped,
            Outcome::Other(6),
        ];
        let names = [
            "succeeded",
            "failed",
            "dead-lettered",
            "handed-over",
            "expired",
            "skipped",
            "other-6",
        ];
        assert_eq!(named.map(Outcome::name), names);
        assert_eq!(named.map(Outcome::code), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_row_that_is_cut_off_or_changed_is_told_and_nothing_worse() {
        let row = chunk(&[run("a", Outcome::Succeeded), failed()], FIRED);
        for cut in 1..row.len() {
            assert!(
                newest_first(&row[..cut], None, u32::MAX, UnixMillis::ZERO, 10).is_err(),
                "cut at {cut}"
            );
        }
        for at in 0..row.len() {
            for bit in 0..8 {
                let mut changed = row.clone();
                changed[at] ^= 1 << bit;
                let _ = newest_first(&changed, None, u32::MAX, UnixMillis::ZERO, 10);
                let _ = newest_first(&changed, Some("b"), u32::MAX, UnixMillis::ZERO, 10);
            }
        }
    }
}
