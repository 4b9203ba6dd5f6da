//! What coordinator, dispatcher and shard say to each other: the contract of the Durable Object, in one place.
//!
//! An append is binary, for it carries pages as they will be stored; everything else is small and JSON.

use crate::access::Share;
use crate::histogram::Histogram;
use crate::meter::Meter;
use crate::once::{Made, Once};
use crate::page::{Directory, Page, PageError};
use crate::time::UnixMillis;
use crate::timers::Position;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The binding of the shards' Durable Object namespace.
pub const SHARDS_BINDING: &str = "SHARDS";
/// The binding of the queue to the dispatchers.
pub const DISPATCH_QUEUE_BINDING: &str = "DISPATCH_QUEUE";

/// The requests that a shard takes, as paths of POSTs.
pub mod paths {
    /// Body [`super::Append`]; answer [`super::AppendReply`].
    pub const APPEND: &str = "/append";
    /// Body [`super::GetRequest`]; answer [`super::ListItem`] or null.
    pub const GET: &str = "/get";
    /// Body [`super::CancelRequest`]; answer [`super::CancelReply`].
    pub const CANCEL: &str = "/cancel";
    /// Body [`super::ListRequest`]; answer [`super::ListReply`].
    pub const LIST: &str = "/list";
    /// Body [`super::ListRequest`]; answer [`super::CancelMatchingReply`].
    pub const CANCEL_MATCHING: &str = "/cancel-matching";
    /// Body [`super::ChangeRequest`]; answer [`super::ChangeReply`].
    pub const CHANGE: &str = "/change";
    /// Body [`super::ChangeMatchingRequest`]; answer [`super::ChangeMatchingReply`].
    pub const CHANGE_MATCHING: &str = "/change-matching";
    /// Body [`super::RunsRequest`]; answer [`super::RunsReply`].
    pub const RUNS: &str = "/runs";
    /// Body [`super::GetRequest`]; answer [`crate::explain::Explanation`].
    pub const EXPLAIN: &str = "/explain";
    /// Body [`super::EventsRequest`]; answer [`super::EventsReply`].
    pub const EVENTS: &str = "/events";
    /// Body [`super::Report`]; answer null.
    pub const REPORT: &str = "/report";
    /// No body; answer [`super::ShardStats`].
    pub const STATS: &str = "/stats";
    /// No body; answer [`super::PurgeReply`].
    pub const PURGE: &str = "/purge";
    /// No body; answer [`super::WatchReply`].
    pub const WATCH: &str = "/watch";
}

/// Records to take in, for one shard, all or none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Append {
    /// That no task of these ids can exist, since the ids were just made: spares the look for one to replace. Not set on a
    /// request that is sent again.
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

/// On which terms an append is carried out, beside the shard's own limits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// Once only, whatever is repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub once: Option<Once>,
    /// Within the shard's share of a quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
}

impl Terms {
    fn is_none(&self) -> bool {
        *self == Self::default()
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

const APPEND_MAGIC: [u8; 3] = *b"DS\x01";
/// The values of the flag: nothing special, [`Append::fresh`], and what is expected, the last one followed by 8 bytes.
const FLAG_FRESH: u8 = 1;
const FLAG_ABSENT: u8 = 2;
const FLAG_VERSION: u8 = 3;
/// Added to the flag where terms follow at the end.
const HAS_TERMS: u8 = 4;

impl Append {
    /// The request's bytes: magic and version, a flag with what is expected, then the pages and the schedules, each counted and with
    /// lengths in 32 bits, little-endian; then the terms as JSON, if there are any.
    pub fn encode(&self) -> Vec<u8> {
        let parts: usize = self.pages.iter().map(|page| page.directory.bytes().len() + page.body.len() + 8).sum::<usize>()
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
        // Every part comes out of a request of at most MAX_REQUEST_BYTES, so its length has 32 bits.
        let count = |out: &mut Vec<u8>, n: usize| out.extend_from_slice(&u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes());
        count(&mut out, self.pages.len());
        for page in &self.pages {
            count(&mut out, page.directory.bytes().len());
            out.extend_from_slice(page.directory.bytes());
            count(&mut out, page.body.len());
            out.extend_from_slice(&page.body);
        }
        count(&mut out, self.schedules.len());
        for record in &self.schedules {
            count(&mut out, record.len());
            out.extend_from_slice(record);
        }
        if has_terms {
            // These types have no maps and write to memory: this does not fail.
            let terms = serde_json::to_vec(&self.terms).unwrap_or_default();
            count(&mut out, terms.len());
            out.extend_from_slice(&terms);
        }
        out
    }

    /// Reads a request's bytes.
    ///
    /// # Errors
    /// On any bytes that [`Self::encode`] could not have given.
    pub fn decode(bytes: &[u8]) -> Result<Self, AppendError> {
        let (magic, rest) = bytes.split_first_chunk::<3>().ok_or(AppendError::Length)?;
        let (flags, mut rest) = rest.split_first().ok_or(AppendError::Length)?;
        let (flag, has_terms) = (flags & !HAS_TERMS, flags & HAS_TERMS != 0);
        if *magic != APPEND_MAGIC || flag > FLAG_VERSION {
            return Err(AppendError::Version);
        }
        let expected = match flag {
            FLAG_ABSENT => Some(Expected::Absent),
            FLAG_VERSION => {
                let (version, after) = rest.split_first_chunk::<8>().ok_or(AppendError::Length)?;
                rest = after;
                Some(Expected::Version(u64::from_le_bytes(*version)))
            }
            _ => None,
        };
        let mut append = Self { fresh: flag == FLAG_FRESH, expected, ..Self::default() };
        for _ in 0..take_u32(&mut rest)? {
            let directory = take_bytes(&mut rest)?.to_vec();
            let body = take_bytes(&mut rest)?.to_vec();
            append.pages.push(Page { directory: Directory::decode(directory, body.len())?, body });
        }
        for _ in 0..take_u32(&mut rest)? {
            append.schedules.push(take_bytes(&mut rest)?.to_vec());
        }
        if has_terms {
            let terms = take_bytes(&mut rest)?;
            append.terms = serde_json::from_slice(terms).map_err(|problem| AppendError::Terms(problem.to_string()))?;
        }
        if rest.is_empty() { Ok(append) } else { Err(AppendError::Length) }
    }
}

fn take_u32(rest: &mut &[u8]) -> Result<u32, AppendError> {
    let (head, tail) = rest.split_first_chunk::<4>().ok_or(AppendError::Length)?;
    *rest = tail;
    Ok(u32::from_le_bytes(*head))
}

fn take_bytes<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], AppendError> {
    let len = take_u32(rest)? as usize;
    let (head, tail) = rest.split_at_checked(len).ok_or(AppendError::Length)?;
    *rest = tail;
    Ok(head)
}

/// What an append did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AppendReply {
    /// Tasks taken in.
    pub created: u64,
    /// Of these, how many took the place of a task of the same id.
    pub replaced: u64,
    /// Of a request that was carried out before: what that one had made up. Nothing was done this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_before: Option<Made>,
}

/// One task is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetRequest {
    /// The task's id.
    pub id: String,
}

/// Tasks are to be cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CancelRequest {
    /// Their ids.
    pub ids: Vec<String>,
    /// Only tasks whose record has this version: see [`crate::task::version_of`].
    #[serde(default)]
    pub if_match: Option<u64>,
}

/// What became of a cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cancelled {
    /// It will not fire (again).
    Cancelled,
    /// It was handed on before; the cancel came too late.
    AlreadyFired,
    /// There is no such task (any more).
    NotFound,
    /// The task's record has another version than was asked for.
    OtherVersion,
}

/// What became of each, in the order of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelReply {
    /// One for each id.
    pub outcomes: Vec<Cancelled>,
}

/// What became of a cancel by filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelMatchingReply {
    /// How many were cancelled.
    pub cancelled: u64,
    /// Where to go on; `None` when all have been seen.
    pub next: Option<Position>,
}

/// A change of tasks that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// Nothing of it fires until it is resumed.
    Pause,
    /// It goes on: a one-shot task at its time, at once if that is past; a recurring one with its next occurrence.
    Resume,
    /// It fires now. A recurring task does so beside its schedule, one without a schedule stays, a dead letter starts anew.
    Run,
    /// It fires at this time instead. Not for recurring tasks.
    Reschedule(UnixMillis),
}

/// Tasks are to be changed, by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeRequest {
    /// Their ids.
    pub ids: Vec<String>,
    /// What is to happen to them.
    pub change: Change,
    /// Only tasks whose record has this version: see [`crate::task::version_of`].
    pub if_match: Option<u64>,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Changed {
    /// It was carried out.
    Changed,
    /// The task was so already.
    Unchanged,
    /// Such a task cannot be changed so.
    NotApplicable,
    /// The task's record has another version than was asked for.
    OtherVersion,
    /// It was handed on before, and nothing of it waits.
    AlreadyFired,
    /// There is no such task (any more).
    NotFound,
}

/// What became of each, in the order of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeReply {
    /// One for each id.
    pub outcomes: Vec<Changed>,
}

/// Tasks are to be changed, by filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeMatchingRequest {
    /// Which tasks.
    pub tasks: ListRequest,
    /// What is to happen to them.
    pub change: Change,
}

/// What became of a change by filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeMatchingReply {
    /// How many were changed.
    pub changed: u64,
    /// Where to go on; `None` when all have been seen.
    pub next: Option<Position>,
}

/// What a task is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Status {
    /// For its time.
    Scheduled,
    /// For a further attempt.
    Retrying,
    /// For the end of the run before.
    Held,
    /// For the outcome of what was handed on.
    Fired,
    /// To be resumed.
    Paused,
    /// For nothing: it failed for good.
    Dead,
    /// For nothing: it has no schedule.
    Unscheduled,
}

/// What kind of schedule a task has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Kind {
    /// It fires once.
    Once,
    /// It fires again and again: any of the next three.
    Recurring,
    /// It fires again and again, by cron expressions.
    Cron,
    /// It fires again and again, at an interval.
    Every,
    /// It fires again and again, by a rule of RFC 5545.
    Rrule,
    /// It does not fire by itself.
    NoSchedule,
}

impl Kind {
    /// Whether a task of kind `other` is meant.
    pub fn includes(self, other: Self) -> bool {
        self == other || self == Self::Recurring && matches!(other, Self::Cron | Self::Every | Self::Rrule)
    }
}

/// Which tasks are meant: those that fulfil every part that is given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Filter {
    /// The id starts with this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The description contains this, upper and lower case alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The tags include this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The kind of schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Due at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i64>")]
    pub from: Option<UnixMillis>,
    /// Due before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i64>")]
    pub to: Option<UnixMillis>,
}

impl Filter {
    /// Whether it takes a look into the record to tell.
    pub fn reads_records(&self) -> bool {
        self.prefix.is_some() || self.text.is_some() || self.tag.is_some()
    }
}

/// A part of the list is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ListRequest {
    /// Which tasks.
    pub filter: Filter,
    /// Those after this position only.
    pub after: Option<Position>,
    /// At most so many.
    pub limit: usize,
}

/// A task as a list shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListItem {
    /// Where it stands in the order of firing.
    pub position: Position,
    /// What it waits for.
    pub status: Status,
    /// The stored record.
    pub record: Box<RawValue>,
}

/// A part of the list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListReply {
    /// In the order of firing.
    pub items: Vec<ListItem>,
    /// Everything up to here has been looked at; `None` when there is nothing beyond.
    pub next: Option<Position>,
}

/// A place in a shard's history, the later the higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunPosition {
    /// The row.
    pub row: u64,
    /// Its place in the row.
    pub place: u32,
}

/// A part of a task's history is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunsRequest {
    /// The task's id.
    pub id: String,
    /// Those before this position only.
    pub before: Option<RunPosition>,
    /// At most so many.
    pub limit: usize,
}

/// A run as the API shows it, and its place.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunItem {
    /// Its place.
    pub position: RunPosition,
    /// When the shard learned of its end, which the runs are in order of.
    pub reported_at: UnixMillis,
    /// A [`TaskRun`]; its text goes through unread, so that a newer shard may say more.
    pub run: Box<RawValue>,
}

/// How an attempt went, as the API shows it. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Run")]
pub struct TaskRun<'a> {
    /// The occurrence: the time that was asked for.
    pub due: i64,
    /// Which attempt at it this was, from 1.
    pub attempt: u32,
    /// When it was handed on.
    pub fired_at: i64,
    /// When it began; absent where that is not known, as of what goes to a queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<i64>,
    /// When it ended; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<i64>,
    /// When its outcome was taken down.
    pub reported_at: i64,
    /// How it ended: `succeeded`, `failed` (and is tried again), `dead-lettered` (failed for good), `handed-over` (to your queue),
    /// `expired` or `skipped` (not started). Expect others: later versions may add some.
    pub outcome: Cow<'a, str>,
    /// The HTTP status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'a, str>>,
    /// How the body of the answer begins, on one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<Cow<'a, str>>,
}

/// A part of a task's history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunsReply {
    /// The newest first.
    pub items: Vec<RunItem>,
    /// Everything from here on has been looked at; `None` when there is nothing before.
    pub next: Option<RunPosition>,
}

/// What can happen to a task, for those who watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum EventKind {
    /// It was taken in, or took the place of another.
    Created,
    /// It was cancelled.
    Cancelled,
    /// It waits to be resumed.
    Paused,
    /// It goes on.
    Resumed,
    /// It fires at another time.
    Rescheduled,
    /// It was handed on.
    Fired,
    /// An attempt succeeded.
    Succeeded,
    /// An attempt failed, and there will be another.
    Failed,
    /// It failed for good.
    DeadLettered,
    /// Your queue has taken it.
    HandedOver,
    /// A run did not fire: it was missed, or the one before had not ended.
    Skipped,
    /// A run came too late to start.
    Expired,
}

/// A place among a shard's events: of which life of its memory, and the number of the event that comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedPosition {
    /// When the shard began to note events.
    pub life: UnixMillis,
    /// How many there were before, since then.
    pub next: u64,
}

/// Events are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventsRequest {
    /// From here on; `None`: from now on.
    pub from: Option<FeedPosition>,
    /// Of this task only.
    pub id: Option<String>,
    /// Of tasks with this tag only.
    pub tag: Option<String>,
    /// Of this kind only.
    pub kind: Option<EventKind>,
    /// At most so many.
    pub limit: usize,
    /// While there are none, how long to wait for some, milliseconds; at most [`crate::limits::MAX_EVENTS_WAIT_MILLIS`].
    pub wait_millis: u32,
}

/// An event as a shard tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenEvent {
    /// Its number in the life of the answer's position.
    pub number: u64,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: UnixMillis,
    /// The task's id.
    pub id: String,
    /// The task's tags.
    pub tags: Vec<String>,
    /// The occurrence; of a recurring task itself there is none.
    pub due: Option<UnixMillis>,
    /// Which attempt it is about.
    pub attempt: u32,
    /// What went wrong.
    pub error: String,
}

/// A shard's events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventsReply {
    /// In the order in which they happened.
    pub events: Vec<SeenEvent>,
    /// Where to go on.
    pub next: FeedPosition,
    /// Whether there may have been others between the position that was asked for and these.
    pub is_gap: bool,
}

/// What a dispatcher has to say of an envelope. What it does not name has succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The envelope.
    pub seq: u64,
    /// Those that failed.
    #[serde(default)]
    pub failed: Vec<Failure>,
    /// Indexes of those that the dispatcher did not come to.
    #[serde(default)]
    pub not_started: Vec<u32>,
    /// Indexes of those that had expired when the dispatcher came to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expired: Vec<u32>,
    /// How the attempts that failed went; at most one for each of `failed`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
    /// How the attempts that succeeded went. One that is not named got no HTTP status, began at `quick_at`, and took less than a
    /// millisecond.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<Done>,
    /// When those began that succeeded and are not named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quick_at: Option<UnixMillis>,
}

/// How an attempt that failed went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    /// Its index in the envelope.
    pub index: u32,
    /// The HTTP status of the answer, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// When it began.
    pub started_at: UnixMillis,
    /// How long it took, milliseconds.
    pub millis: u32,
    /// How the answer's body begins: at most [`MAX_EXCERPT_BYTES`], on one line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub excerpt: String,
}

/// How an attempt that succeeded went. There is one for nearly every webhook, so it is written as a list: index, HTTP status (0
/// where there was none), when it began, how long it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u32, u16, UnixMillis, u32)", into = "(u32, u16, UnixMillis, u32)")]
pub struct Done {
    /// Its index in the envelope.
    pub index: u32,
    /// The HTTP status of the answer, where there was one.
    pub status: Option<u16>,
    /// When it began.
    pub started_at: UnixMillis,
    /// How long it took, milliseconds.
    pub millis: u32,
}

impl From<(u32, u16, UnixMillis, u32)> for Done {
    fn from((index, status, started_at, millis): (u32, u16, UnixMillis, u32)) -> Self {
        Self { index, status: (status != 0).then_some(status), started_at, millis }
    }
}

impl From<Done> for (u32, u16, UnixMillis, u32) {
    fn from(done: Done) -> Self {
        (done.index, done.status.unwrap_or(0), done.started_at, done.millis)
    }
}

/// One task's failed attempt.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Its index in the envelope.
    pub index: u32,
    /// What went wrong, for people; cut to [`MAX_ERROR_CHARS`].
    pub error: String,
    /// That trying again cannot help.
    #[serde(default)]
    pub permanent: bool,
    /// The target asked not to be called again before this time (`Retry-After`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<UnixMillis>,
}

/// Characters that are kept of an error.
pub const MAX_ERROR_CHARS: usize = 500;
/// Bytes that are kept of the body of an answer that is a failure: enough for a message, and little beside a record.
pub const MAX_EXCERPT_BYTES: usize = 256;

/// What a shard's alarm should be set to, as the watchdog asks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchReply {
    /// When the shard next has something to do.
    pub next_wakeup: Option<UnixMillis>,
    /// Whether it was overdue and had to be woken.
    pub repaired: bool,
}

/// Counts since the shard was made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Counters {
    /// Tasks taken in.
    pub created: u64,
    /// Of these, those that took the place of another.
    pub replaced: u64,
    /// Tasks cancelled.
    pub cancelled: u64,
    /// Firings handed on: every attempt counts, a redelivery does not.
    pub fired: u64,
    /// Firings that ended well.
    pub succeeded: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Occurrences that failed for good.
    pub dead_lettered: u64,
    /// Runs that did not fire: missed, or the one before had not ended. Many that were missed together count once.
    pub skipped: u64,
    /// Runs that came too late to start; many that were missed together count once.
    pub expired: u64,
    /// Envelopes sent again.
    pub redelivered: u64,
    /// Alarms that the watchdog found missing.
    pub repairs: u64,
}

impl Counters {
    /// Adds another shard's counts.
    pub fn add(&mut self, other: &Self) {
        self.created += other.created;
        self.replaced += other.replaced;
        self.cancelled += other.cancelled;
        self.fired += other.fired;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.dead_lettered += other.dead_lettered;
        self.skipped += other.skipped;
        self.expired += other.expired;
        self.redelivered += other.redelivered;
        self.repairs += other.repairs;
    }
}

/// A shard's state in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShardStats {
    /// Tasks that wait for their time or a further attempt; recurring ones count once.
    pub pending: u64,
    /// Tasks handed on whose outcome is not known.
    pub in_flight: u64,
    /// Recurring tasks.
    pub schedules: u64,
    /// Tasks without a schedule.
    pub unscheduled: u64,
    /// Tasks that wait to be resumed.
    pub paused: u64,
    /// Occurrences that failed for good and are kept.
    pub dead_letters: u64,
    /// Pending tasks whose time is past.
    pub overdue: u64,
    /// Bytes of memory that the shard's pending tasks take.
    pub memory_bytes: u64,
    /// Counts since the shard was made.
    pub counters: Counters,
    /// From a task's time to its firing.
    pub lateness: Histogram,
    /// What the platform will bill.
    pub meter: Meter,
}

/// What a shard has forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgeReply {
    /// Tasks that it holds: while there are any, nothing is forgotten.
    pub tasks: u64,
    /// Whether nothing is left to forget.
    pub done: bool,
}

impl ShardStats {
    /// Tasks in all, whatever they wait for.
    pub fn held(&self) -> u64 {
        self.pending + self.in_flight + self.unscheduled + self.paused + self.dead_letters
    }

    /// Adds another shard's numbers.
    pub fn add(&mut self, other: &Self) {
        self.pending += other.pending;
        self.in_flight += other.in_flight;
        self.schedules += other.schedules;
        self.unscheduled += other.unscheduled;
        self.paused += other.paused;
        self.dead_letters += other.dead_letters;
        self.overdue += other.overdue;
        self.memory_bytes += other.memory_bytes;
        self.counters.add(&other.counters);
        self.lateness.add(&other.lateness);
        self.meter.add(&other.meter);
    }
}

/// A shard's refusal, as the body of its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardError {
    /// Whose fault, and whether trying again helps.
    pub kind: ShardErrorKind,
    /// The problem, the limit, and what to do.
    pub detail: String,
    /// When it makes sense to try again, seconds from now; where the kind does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u32>,
}

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShardErrorKind {
    /// The shard holds as many tasks as it may. HTTP 507.
    Full,
    /// A quota is used up: the caller must wait. HTTP 429.
    Quota,
    /// The key of the request stands for another one. HTTP 409.
    KeyReused,
    /// The request does not hold: the sender's mistake. HTTP 400.
    Request,
    /// What stands under the id is not what was expected. HTTP 412.
    Conflict,
    /// The platform failed: try again. HTTP 500.
    Storage,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Flags, PageBuilder};

    #[test]
    fn an_append_reads_back() {
        let mut builder = PageBuilder::default();
        assert!(builder.push(1, UnixMillis::new(5), Flags::TASK, |out| out.extend_from_slice(b"{}")));
        let pages = builder.finish();
        let schedules = vec![b"{\"id\":\"a\"}".to_vec()];
        let once = Once { key: [1; 16], request: [2; 16], made: Made { at: UnixMillis::new(7), random: [0xff; 16] } };
        let share = Share { pending_tasks: Some(3), create_micros: Some(1_000_000) };
        let with_terms = Terms { once: Some(once), share: Some(share) };
        for (fresh, expected, terms) in [
            (true, None, Terms::default()),
            (false, None, Terms::default()),
            (false, Some(Expected::Absent), Terms::default()),
            (false, Some(Expected::Version(u64::MAX - 1)), Terms::default()),
            (true, None, with_terms.clone()),
            (false, Some(Expected::Version(5)), with_terms),
        ] {
            let append = Append { fresh, pages: pages.clone(), schedules: schedules.clone(), expected, terms };
            let bytes = append.encode();
            assert_eq!(Append::decode(&bytes), Ok(append));
            for cut in 0..bytes.len() {
                assert!(Append::decode(&bytes[..cut]).is_err(), "cut at {cut}");
            }
            assert_eq!(Append::decode(&[&bytes[..], b"x"].concat()), Err(AppendError::Length));
        }
    }

    /// Pinned: dispatcher and shard may be of different deployments for a moment.
    #[test]
    fn a_reports_bytes() {
        let started_at = UnixMillis::new(1_764_000_000_000);
        let report = Report {
            seq: 42,
            failed: vec![Failure { index: 1, error: "no".to_owned(), permanent: false, not_before: Some(started_at.plus(9)) }],
            not_started: vec![2],
            expired: vec![4],
            details: vec![Detail { index: 1, status: Some(503), started_at, millis: 7, excerpt: "busy".to_owned() }],
            done: vec![
                Done { index: 0, status: Some(204), started_at, millis: 12 },
                Done { index: 3, status: None, started_at, millis: 5 },
            ],
            quick_at: Some(started_at),
        };
        let text = r#"{"seq":42,"failed":[{"index":1,"error":"no","permanent":false,"notBefore":1764000000009}],"notStarted":[2],"expired":[4],"details":[{"index":1,"status":503,"startedAt":1764000000000,"millis":7,"excerpt":"busy"}],"done":[[0,204,1764000000000,12],[3,0,1764000000000,5]],"quickAt":1764000000000}"#;
        assert_eq!(serde_json::to_string(&report).unwrap(), text);
        assert_eq!(serde_json::from_str::<Report>(text).unwrap(), report);
        // Of the first version.
        let text = r#"{"seq":42,"failed":[{"index":5,"error":"no"}]}"#;
        let report = serde_json::from_str::<Report>(text).unwrap();
        assert_eq!(report.failed, [Failure { index: 5, error: "no".to_owned(), ..Failure::default() }]);
    }
}
