//! Taking tasks in: an append and its bytes.

use crate::access::Share;
use crate::format::codec::{CodecError, put_count, put_counted, take_array, take_counted};
use crate::format::page::{Directory, Page, PageError};
use crate::idempotency::{Once, RequestSeed};
use serde::{Deserialize, Serialize};

/// Records to take in, for one shard, all or none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Append {
    /// That no task of these ids can exist, since the ids were just made: spares the look for one
    /// to replace. Not set on a request that is sent again.
    pub fresh: bool,
    /// One-shot tasks and those without a schedule. No id stands twice.
    pub pages: Vec<Page>,
    /// Records of recurring tasks.
    pub schedules: Vec<Vec<u8>>,
    /// Of a request with one task: what must stand under its id.
    pub expected: Option<Expected>,
    /// On which terms.
    pub terms: Terms,
}

/// On which terms an append is carried out, beside the shard's own limits. A term that the shard
/// does not know would not be kept, so it is refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// Once only, whatever is repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub once: Option<Once>,
    /// Within the shard's share of a quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// The keys of limits that pages of the request name by their place here, from 1, as their
    /// lane.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Hashes of the ids of tasks whose `anchor` the request leaves open; of a planned request, in
    /// order. The coordinator has settled one, for the case that the task is new.
    ///
    /// Anybody can make ids whose hashes are equal: these have no key. They are compared with
    /// hashes of ids of the same request only, so who sends two such ids changes how their own
    /// tasks are read, and nothing else; lookups do not go through equal ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open_anchors: Vec<u64>,
    /// Hashes of the ids of tasks of which the request says whether they are paused: as of the
    /// anchors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub said_paused: Vec<u64>,
    /// Says that the request was sent before, and that it is not known what became of it. Runs of a
    /// schedule count as that request has counted them: it may have been carried out, and its last
    /// run may have fired.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// Refuses to replace a further attempt by a task, as a patch must.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tasks_only: bool,
}

impl Terms {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Append {
    /// Makes it what a coordinator sends in its first try, or in a later one: that may meet its own
    /// tasks.
    pub fn begin_try(&mut self, is_first: bool) {
        self.fresh &= is_first;
        self.terms.again |= !is_first && !self.schedules.is_empty();
    }
}

/// What must stand under an id for a change to be made: two writers cannot undo each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// No task waits under it.
    Absent,
    /// A task waits under it whose record has this version: see [`crate::task::version_of`].
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
    /// A page in it does not hold.
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
/// The values of the flag: nothing special, [`Append::fresh`], and what is expected, the last one
/// followed by 8 bytes.
const FLAG_FRESH: u8 = 1;
const FLAG_ABSENT: u8 = 2;
const FLAG_VERSION: u8 = 3;
/// Added to the flag where terms follow at the end.
const HAS_TERMS: u8 = 4;

impl Append {
    /// How many bytes its tasks are.
    pub fn bytes(&self) -> usize {
        let of_pages: usize =
            self.pages.iter().map(|page| page.directory.bytes().len() + page.body.len()).sum();
        of_pages + self.schedules.iter().map(Vec::len).sum::<usize>()
    }

    /// The request's bytes: magic and version, a flag with what is expected, then the pages and the
    /// schedules, each counted and with lengths in 32 bits, little-endian; then the terms as JSON,
    /// if there are any.
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
            // These types have no maps and write to memory: this does not fail.
            let terms = serde_json::to_vec(&self.terms).unwrap_or_default();
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

/// What an append did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AppendReply {
    /// Tasks taken in.
    pub created: u64,
    /// Of these, how many took the place of a task of the same id.
    pub replaced: u64,
    /// Attempts in flight of what was replaced or changed: each of them ends, and no other starts
    /// as it was.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub running: u64,
    /// Of a change of one task that is in flight and goes on: its version. The record of its
    /// further attempts was changed, and nothing waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patched: Option<u64>,
    /// Of these, how many go on as the task that they replace, and are therefore stored otherwise
    /// than they were sent.
    #[serde(default)]
    pub went_on: u64,
    /// Of a request that was carried out before: what that one had made up. Nothing was done this
    /// time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_before: Option<RequestSeed>,
}

/// Which recurring tasks of an append went on as those that wait, in its order. The others were not
/// taken in.
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
