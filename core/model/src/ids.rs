//! Ids: of tasks and of their occurrences, and how new ones are generated.

use crate::bounds::MAX_ID_BYTES;
use scheduler_calendar::time::UnixMillis;
use std::borrow::Cow;
use std::fmt;
use uuid::Uuid;

/// Why a text is not a task id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The id is empty.
    #[error("is empty; give 1 to {MAX_ID_BYTES} bytes, or leave it out to have one generated")]
    Empty,
    /// The id has more than [`MAX_ID_BYTES`].
    #[error("is {0} bytes long; the limit is {MAX_ID_BYTES}")]
    TooLong(usize),
    /// The id has a control character (U+0000 to U+001F, U+007F to U+009F), which could not be
    /// shown or sent in a header.
    #[error("has a control character at byte {0}; use printable characters")]
    Control(usize),
    /// The id is `.` or `..`, which every URL parser treats as a step within the path,
    /// percent-encoded or not.
    #[error("is {0:?}, which cannot be part of a URL path; use another")]
    Dots(String),
}

/// Returns whether a percent-encoded name can be a segment of a URL path. This is the case for
/// every text except the dot segments of the URL standard. Every name in a path that a caller
/// chooses is checked by this function: task ids and limit keys.
pub(crate) fn is_path_segment(name: &str) -> bool {
    !matches!(name, "." | "..")
}

/// Checks that `id` can name a task: 1 to [`MAX_ID_BYTES`] bytes of UTF-8 without control
/// characters, and neither `.` nor `..`.
pub fn check_task_id(id: &str) -> Result<(), IdError> {
    if id.is_empty() {
        return Err(IdError::Empty);
    }
    if id.len() > MAX_ID_BYTES {
        return Err(IdError::TooLong(id.len()));
    }
    if !is_path_segment(id) {
        return Err(IdError::Dots(id.to_owned()));
    }
    // Nearly every id is plain ASCII, which this check recognizes without decoding.
    if id.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Ok(());
    }
    match id.char_indices().find(|(_, c)| c.is_control()) {
        Some((at, _)) => Err(IdError::Control(at)),
        None => Ok(()),
    }
}

/// The id of a task in a request: given by the caller, or generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskId<'a> {
    /// The caller's id. It is borrowed from the text of the request if it has no escapes there.
    Given(Cow<'a, str>),
    /// A generated id.
    Generated(GeneratedId),
}

const UUID_CHARS: usize = uuid::fmt::Hyphenated::LENGTH;

/// The text of a generated id, without an allocation, because a request may need 20,000 of them. It
/// is aligned to words, because [`str::from_utf8`] then checks it word by word; otherwise the check
/// takes four times as long.
#[derive(Debug, Clone, PartialEq, Eq)]
#[repr(align(8))]
pub struct GeneratedId([u8; UUID_CHARS]);

impl TaskId<'_> {
    /// Returns the id.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Given(id) => id,
            // Hexadecimal digits and hyphens are ASCII.
            Self::Generated(GeneratedId(text)) => str::from_utf8(text).unwrap_or_default(),
        }
    }

    /// Returns the length of the id in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Given(id) => id.len(),
            Self::Generated(_) => UUID_CHARS,
        }
    }

    /// Returns whether no task with this id can exist yet.
    pub fn is_generated(&self) -> bool {
        matches!(self, Self::Generated(_))
    }

    /// Converts the id into an owned text.
    pub fn into_string(self) -> String {
        match self {
            Self::Given(id) => id.into_owned(),
            Self::Generated(_) => self.as_str().to_owned(),
        }
    }
}

/// The name of one firing: the task's id and the nominal time, `<id>@<time>`, followed by the stage
/// for a follow-up. It is the same for every retry and redelivery, so a receiver that remembers it
/// can run each occurrence once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OccurrenceKey {
    /// The task's id.
    pub id: String,
    /// The nominal time.
    pub time: UnixMillis,
    /// The stage of a follow-up: `onSuccess` or `onFailure`.
    pub stage: Option<String>,
}

impl fmt::Display for OccurrenceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.id, self.time)?;
        // The key of a run ends with a digit, so no other id leads to the same key.
        self.stage.as_ref().map_or(Ok(()), |stage| write!(f, "/{stage}"))
    }
}

/// Generates the ids of one request: UUIDs of version 7 (RFC 9562) in rising order that differ only
/// in their last 62 bits.
///
/// Their first 18 characters are equal (the time and 12 random bits). Routing reads only these (see
/// [`crate::routing`]), so the generated tasks of a request go to one shard, and its page there is
/// dense.
#[derive(Debug, Clone)]
pub struct IdGenerator {
    millis: u64,
    random: u128,
}

impl IdGenerator {
    /// Returns a generator. `random` must be 16 fresh random bytes for each request.
    pub fn new(now: UnixMillis, random: [u8; 16]) -> Self {
        Self { millis: u64::try_from(now.get()).unwrap_or(0), random: u128::from_be_bytes(random) }
    }

    /// Returns the generator for a request with an `Idempotency-Key`. The routing part comes from
    /// the hash of the key, so that the ids of a repeat go to the same shard. Such ids do not rise
    /// with time.
    pub fn of_key(key: &[u8; 16], random: [u8; 16]) -> Self {
        let (key, low) =
            (u128::from_be_bytes(*key), u128::from_be_bytes(random) & ((1 << 116) - 1));
        Self { millis: (key >> 80) as u64, random: key << 48 >> 116 << 116 | low }
    }

    /// Returns the next id.
    pub fn next_id(&mut self) -> TaskId<'static> {
        let mut text = [0; UUID_CHARS];
        self.next_uuid().hyphenated().encode_lower(&mut text);
        TaskId::Generated(GeneratedId(text))
    }

    fn next_uuid(&mut self) -> Uuid {
        let high = u128::from(self.millis & 0xffff_ffff_ffff) << 80
            | 0x7 << 76
            | (self.random >> 116) << 64;
        let low = self.random & 0x3fff_ffff_ffff_ffff;
        // The counter starts at a random number and wraps within the 62 bits, so ids are unique for
        // any number that a request can have.
        self.random = self.random & !0x3fff_ffff_ffff_ffff | (low + 1) & 0x3fff_ffff_ffff_ffff;
        Uuid::from_u128(high | 0b10 << 62 | low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked() {
        assert_eq!(check_task_id(""), Err(IdError::Empty));
        assert_eq!(check_task_id(&"x".repeat(257)), Err(IdError::TooLong(257)));
        assert_eq!(check_task_id("a\nb"), Err(IdError::Control(1)));
        assert_eq!(check_task_id(&"x".repeat(256)), Ok(()));
        assert_eq!(check_task_id("späť/{a}?"), Ok(()));
        assert_eq!(check_task_id("."), Err(IdError::Dots(".".to_owned())));
        assert_eq!(check_task_id(".."), Err(IdError::Dots("..".to_owned())));
        for good in ["...", "a/..", "../a", "%2e", ".%2E", " .", "./"] {
            assert_eq!(check_task_id(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn generated_ids_are_version_7_unique_and_share_their_routing_part() {
        let mut generator = IdGenerator::new(UnixMillis::new(1_764_000_000_000), [0xff; 16]);
        let ids: Vec<Uuid> = (0..1000).map(|_| generator.next_uuid()).collect();
        assert_eq!(ids[0].to_string(), "019ab697-e800-7fff-bfff-ffffffffffff");
        for id in &ids {
            assert_eq!(id.get_version_num(), 7);
            assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
            assert_eq!(id.to_string()[..18], ids[0].to_string()[..18]);
        }
        assert_eq!(generator.next_id().as_str()[..18], ids[0].to_string()[..18]);
        let unique: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
    }
}
