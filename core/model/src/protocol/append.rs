//! Adding tasks: an append and its bytes.

use crate::access::Share;
use crate::format::codec::{CodecError, put_count, put_counted, take_array, take_counted};
use crate::format::page::{Directory, Page, PageError};
use crate::idempotency::{IdempotencyKey, RequestSeed};
use serde::{Deserialize, Serialize};

/// Records for one shard. The shard adds all of them or none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Append {
    /// Whether no task with these ids can exist, because the ids were just generated. Then the
    /// shard does not search for tasks to replace. Not set on a repeated request.
    pub fresh: bool,
    /// One-shot tasks and those without a schedule. No id occurs twice.
    pub pages: Vec<Page>,
    /// Records of recurring tasks.
    pub schedules: Vec<Vec<u8>>,
    /// For a request with one task: what the shard must have under its id.
    pub expected: Option<Expected>,
    /// The terms of the append.
    pub terms: Terms,
}

/// The terms of an append, in addition to the shard's own limits. A shard that does not know a term
/// would not follow it, so it refuses the append.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// The idempotency key: the request is carried out only once, even if it is repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub once: Option<IdempotencyKey>,
    /// The shard's share of a quota, which the append must stay within.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// The limit keys of the tasks. The lane of a page of the request is the place of its key here,
    /// from 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Hashes of the ids of tasks whose `anchor` the request leaves open, sorted if the request is
    /// planned. The coordinator has chosen an anchor in case the task is new.
    ///
    /// These hashes have no key, so anybody can create ids with equal hashes. They are compared
    /// only with hashes of ids of the same request. So a caller who sends two such ids affects only
    /// how their own tasks are read. No lookup walks through equal ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open_anchors: Vec<u64>,
    /// Hashes of the ids of tasks for which the request says whether they are paused, sorted if the
    /// request is planned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub said_paused: Vec<u64>,
    /// Whether the request was sent before, with an unknown result. Then the runs of a schedule
    /// count as that request has counted them, because it may have been carried out and its last
    /// run may have fired.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// Whether a task may not replace a further attempt. Set for a patch.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tasks_only: bool,
    /// Whether nothing is done: the sender only wants the answer of an earlier request with the
    /// same key. Set for a request that would be refused now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub recall_only: bool,
}

impl Terms {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Append {
    /// Marks the request as the coordinator's first try or as a later one, which may find its own
    /// tasks.
    pub fn begin_try(&mut self, is_first: bool) {
        self.fresh &= is_first;
        self.terms.again |= !is_first && !self.schedules.is_empty();
    }
}

/// What must be under an id before a change, so that two writers cannot undo each other's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// No task is waiting under the id.
    Absent,
    /// The record of the task has this version: see [`crate::task::version_of`].
    Version(u64),
}

/// Why bytes are not an [`Append`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The bytes have another version, or are not an append.
    #[error("not an append request of version 1")]
    Version,
    /// The bytes end early, or continue after their end.
    #[error("the append request is cut off or has bytes left over")]
    Length,
    /// A page is invalid.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The terms cannot be read.
    #[error("the terms of the append request: {0}")]
    Terms(String),
}

impl From<CodecError> for AppendError {
    // An append has no texts and no numbers of variable length, so a missing part means that the
    // bytes are truncated.
    fn from(_: CodecError) -> Self {
        Self::Length
    }
}

const APPEND_MAGIC: [u8; 3] = *b"DS\x01";
/// The values of the flag: none, [`Append::fresh`], and the two of [`Append::expected`]. The last
/// one is followed by 8 bytes.
const FLAG_FRESH: u8 = 1;
const FLAG_ABSENT: u8 = 2;
const FLAG_VERSION: u8 = 3;
/// Added to the flag if terms follow at the end.
const HAS_TERMS: u8 = 4;

impl Append {
    /// Returns the number of bytes of the tasks.
    pub fn bytes(&self) -> usize {
        let of_pages: usize =
            self.pages.iter().map(|page| page.directory.bytes().len() + page.body.len()).sum();
        of_pages + self.schedules.iter().map(Vec::len).sum::<usize>()
    }

    /// Returns the encoded append: magic and version, a flag with the expectation, then the pages
    /// and the schedules, each with a count and with lengths in 32 bits, little-endian. The terms
    /// follow as JSON, if there are any.
    pub fn encode(&self) -> Vec<u8> {
        let parts: usize = self
            .pages
            .iter()
            .map(|page| page.directory.bytes().len() + page.body.len() + 8)
            .sum::<usize>()
            + self.schedules.iter().map(|record| record.len() + 4).sum::<usize>();
        let mut out = Vec::with_capacity(parts + 12);
        out.extend_from_slice(&APPEND_MAGIC);
        let has_terms = !self.terms.is_none();
        let flag = match self.expected {
            None => u8::from(self.fresh),
            Some(Expected::Absent) => FLAG_ABSENT,
            Some(Expected::Version(_)) => FLAG_VERSION,
        };
        out.push(flag | if has_terms { HAS_TERMS } else { 0 });
        if let Some(Expected::Version(version)) = self.expected {
            out.extend_from_slice(&version.to_le_bytes());
        }
        put_count(self.pages.len(), &mut out);
        for page in &self.pages {
            put_counted(page.directory.bytes(), &mut out);
            put_counted(&page.body, &mut out);
        }
        put_count(self.schedules.len(), &mut out);
        self.schedules.iter().for_each(|record| put_counted(record, &mut out));
        if has_terms {
            // These types have no maps and are written to memory. A reader refuses empty terms.
            let terms = serde_json::to_vec(&self.terms);
            debug_assert!(terms.is_ok(), "terms cannot be encoded: {terms:?}");
            let terms = terms.unwrap_or_default();
            put_counted(&terms, &mut out);
        }
        out
    }

    /// Decodes an append.
    ///
    /// # Errors
    /// Returns an error if [`Self::encode`] could not have returned the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, AppendError> {
        let mut rest = bytes;
        let magic = take_array(&mut rest)?;
        let [flags] = take_array(&mut rest)?;
        let (flag, has_terms) = (flags & !HAS_TERMS, flags & HAS_TERMS != 0);
        if magic != APPEND_MAGIC || flag > FLAG_VERSION {
            return Err(AppendError::Version);
        }
        let expected = match flag {
            FLAG_ABSENT => Some(Expected::Absent),
            FLAG_VERSION => Some(Expected::Version(take_array(&mut rest).map(u64::from_le_bytes)?)),
            _ => None,
        };
        let mut append = Self { fresh: flag == FLAG_FRESH, expected, ..Self::default() };
        for _ in 0..take_array(&mut rest).map(u32::from_le_bytes)? {
            let directory = take_counted(&mut rest)?.to_vec();
            let body = take_counted(&mut rest)?.to_vec();
            append.pages.push(Page { directory: Directory::decode(directory, body.len())?, body });
        }
        for _ in 0..take_array(&mut rest).map(u32::from_le_bytes)? {
            append.schedules.push(take_counted(&mut rest)?.to_vec());
        }
        if has_terms {
            let terms = take_counted(&mut rest)?;
            append.terms = serde_json::from_slice(terms)
                .map_err(|problem| AppendError::Terms(problem.to_string()))?;
        }
        if rest.is_empty() { Ok(append) } else { Err(AppendError::Length) }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
pub(super) fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The result of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AppendReply {
    /// The number of added tasks.
    pub created: u64,
    /// How many of these replaced a task with the same id.
    pub replaced: u64,
    /// The number of attempts in flight of replaced or changed tasks. Each of them ends, and no
    /// further one starts unchanged.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub running: u64,
    /// The version of a task that is changed while its run is in flight. The record for its further
    /// attempts was changed, and no new task waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patched: Option<u64>,
    /// How many of the tasks are not stored as they were sent, or begin with a later run: they
    /// continue the task that they replace, or their first run came due meanwhile.
    #[serde(default)]
    pub went_on: u64,
    /// For a request with one task: whether the circuit of its destination is open on this shard.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unanswered: bool,
    /// For a request that was carried out before: the seed of that time. Nothing was done this
    /// time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_before: Option<RequestSeed>,
}

/// Which recurring tasks of an append continue waiting ones, in the order of the append. The others
/// were not added.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GoOnReply {
    /// One entry for each recurring task.
    pub went_on: Vec<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::page::{Flags, PageBuilder};
    use scheduler_calendar::time::UnixMillis;

    #[test]
    fn a_decoded_append_equals_the_encoded_one() {
        let mut builder = PageBuilder::default();
        assert!(
            builder.push(1, UnixMillis::new(5), Flags::TASK, |out| out.extend_from_slice(b"{}"))
        );
        let pages = builder.finish();
        let schedules = vec![b"{\"id\":\"a\"}".to_vec()];
        let once = IdempotencyKey {
            key: [1; 16],
            request: [2; 16],
            made: RequestSeed { at: UnixMillis::new(7), random: [0xff; 16] },
        };
        let share =
            Share { pending_tasks: Some(3), create_micros: Some(1_000_000), ..Share::default() };
        let with_terms = Terms {
            once: Some(once),
            share: Some(share),
            keys: vec!["stripe".to_owned()],
            open_anchors: vec![u64::MAX],
            said_paused: vec![7],
            again: true,
            tasks_only: true,
            recall_only: true,
        };
        for (fresh, expected, terms) in [
            (true, None, Terms::default()),
            (false, None, Terms::default()),
            (false, Some(Expected::Absent), Terms::default()),
            (false, Some(Expected::Version(u64::MAX - 1)), Terms::default()),
            (true, None, with_terms.clone()),
            (false, Some(Expected::Version(5)), with_terms),
        ] {
            let append = Append {
                fresh,
                pages: pages.clone(),
                schedules: schedules.clone(),
                expected,
                terms,
            };
            let bytes = append.encode();
            assert_eq!(Append::decode(&bytes), Ok(append));
            for cut in 0..bytes.len() {
                assert!(Append::decode(&bytes[..cut]).is_err(), "cut at {cut}");
            }
            assert_eq!(Append::decode(&[&bytes[..], b"x"].concat()), Err(AppendError::Length));
        }
    }

    #[test]
    fn an_unknown_term_is_refused() {
        let with_terms = |terms: &[u8]| {
            let mut bytes = Append {
                terms: Terms { keys: vec![String::new()], ..Terms::default() },
                ..Append::default()
            }
            .encode();
            let known = br#"{"keys":[""]}"#.len();
            bytes.truncate(bytes.len() - known - 4);
            bytes.extend_from_slice(&(terms.len() as u32).to_le_bytes());
            bytes.extend_from_slice(terms);
            Append::decode(&bytes)
        };
        assert_eq!(with_terms(b"{}"), Ok(Append::default()));
        assert_eq!(with_terms(br#"{ "share": null }"#), Ok(Append::default()));
        for terms in [br#"{"shares":1}"#.as_slice(), br#"{"once":null,"x":[]}"#, b"[]x", b""] {
            assert!(matches!(with_terms(terms), Err(AppendError::Terms(_))), "{terms:?}");
        }
    }
}
