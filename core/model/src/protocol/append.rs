//! Adding tasks: an append and its bytes.

use crate::access::Share;
use crate::format::codec::{CodecError, put_count, put_counted, take_array, take_counted};
use crate::format::page::{Directory, Page, PageError};
use crate::idempotency::{Once, RequestSeed};
use serde::{Deserialize, Serialize};

/// Records for one shard, of which it adds all or none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Append {
    /// Whether no task of these ids can exist, because the ids were just generated. Saves the
    /// search for tasks to replace. Not set on a request that is sent again.
    pub fresh: bool,
    /// One-shot tasks and those without a schedule. No id occurs twice.
    pub pages: Vec<Page>,
    /// Records of recurring tasks.
    pub schedules: Vec<Vec<u8>>,
    /// For a request with one task: what must be under its id.
    pub expected: Option<Expected>,
    /// The terms of the append.
    pub terms: Terms,
}

/// The terms of an append, besides the shard's own limits. A shard that does not know a term would
/// not keep it, so it refuses the append.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// Carry it out once only, whatever is repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub once: Option<Once>,
    /// Keep within the shard's share of a quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// The limit keys that pages of the request name as their lane, by their place here, from 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Hashes of the ids of tasks whose `anchor` the request leaves open; in order if the request
    /// is planned. The coordinator has chosen an anchor in case the task is new.
    ///
    /// Anybody can create ids with equal hashes, because these have no key. They are compared only
    /// with hashes of ids of the same request, so a caller who sends two such ids changes how their
    /// own tasks are read, and nothing else. No lookup walks through equal ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open_anchors: Vec<u64>,
    /// Hashes of the ids of tasks for which the request says whether they are paused; as for the
    /// anchors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub said_paused: Vec<u64>,
    /// Whether the request was sent before, with an unknown result. Then the runs of a schedule
    /// count as that request has counted them: it may have been carried out, and its last run may
    /// have fired.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// Whether to refuse to replace a further attempt by a task, as a patch must.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tasks_only: bool,
}

impl Terms {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Append {
    /// Marks it as the coordinator's first try or a later one, which may meet its own tasks.
    pub fn begin_try(&mut self, is_first: bool) {
        self.fresh &= is_first;
        self.terms.again |= !is_first && !self.schedules.is_empty();
    }
}

/// What must be under an id for a change to be made, so that two writers cannot undo each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// No task is waiting under it.
    Absent,
    /// The record of the task under it has this version: see [`crate::task::version_of`].
    Version(u64),
}

/// Why bytes are not an [`Append`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Another version, or no such request at all.
    #[error("not an append request of version 1")]
    Version,
    /// Ends early, or goes on after its end.
    #[error("the append request is cut off or has bytes left over")]
    Length,
    /// A page in it is invalid.
    #[error(transparent)]
    Page(#[from] PageError),
    /// Its terms cannot be read.
    #[error("the terms of the append request: {0}")]
    Terms(String),
}

impl From<CodecError> for AppendError {
    // An append has no texts and no numbers of variable length: what is not there is cut off.
    fn from(_: CodecError) -> Self {
        Self::Length
    }
}

const APPEND_MAGIC: [u8; 3] = *b"DS\x01";
/// The values of the flag: none, [`Append::fresh`], and the two of [`Append::expected`], the last
/// one followed by 8 bytes.
const FLAG_FRESH: u8 = 1;
const FLAG_ABSENT: u8 = 2;
const FLAG_VERSION: u8 = 3;
/// Added to the flag if terms follow at the end.
const HAS_TERMS: u8 = 4;

impl Append {
    /// Returns the bytes of its tasks.
    pub fn bytes(&self) -> usize {
        let of_pages: usize =
            self.pages.iter().map(|page| page.directory.bytes().len() + page.body.len()).sum();
        of_pages + self.schedules.iter().map(Vec::len).sum::<usize>()
    }

    /// Returns the request's bytes: magic and version, a flag with what is expected, then the pages
    /// and the schedules, each counted and with lengths in 32 bits, little-endian; then the terms
    /// as JSON, if there are any.
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
            // These types have no maps and write to memory. A reader refuses empty terms.
            let terms = serde_json::to_vec(&self.terms);
            debug_assert!(terms.is_ok(), "terms cannot be encoded: {terms:?}");
            let terms = terms.unwrap_or_default();
            put_counted(&terms, &mut out);
        }
        out
    }

    /// Reads a request's bytes.
    ///
    /// # Errors
    /// On any bytes that [`Self::encode`] could not have given.
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
    /// Tasks added.
    pub created: u64,
    /// How many of these replaced a task of the same id.
    pub replaced: u64,
    /// Attempts in flight of replaced or changed tasks: each of them ends, and no other starts
    /// unchanged.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub running: u64,
    /// For a change of one task that is in flight and goes on: its version. The record of its
    /// further attempts was changed, and nothing waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patched: Option<u64>,
    /// How many of these go on as the task that they replace, and are therefore stored differently
    /// from what was sent.
    #[serde(default)]
    pub went_on: u64,
    /// Of a request with one task: whether the circuit of its destination is open on this shard.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unanswered: bool,
    /// For a request that was carried out before: the random choices of that time. Nothing was done
    /// this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_before: Option<RequestSeed>,
}

/// Which recurring tasks of an append continue the waiting ones, in its order. The others were not
/// added.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GoOnReply {
    /// One for each.
    pub went_on: Vec<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::page::{Flags, PageBuilder};
    use scheduler_calendar::time::UnixMillis;

    #[test]
    fn an_append_reads_back() {
        let mut builder = PageBuilder::default();
        assert!(
            builder.push(1, UnixMillis::new(5), Flags::TASK, |out| out.extend_from_slice(b"{}"))
        );
        let pages = builder.finish();
        let schedules = vec![b"{\"id\":\"a\"}".to_vec()];
        let once = Once {
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
    fn a_term_that_is_not_known_is_refused() {
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
