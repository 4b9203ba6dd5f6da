//! One attempt, as the history stores it.

use super::outcome::Outcome;
use scheduler_calendar::time::UnixMillis;
use std::borrow::Cow;

/// When an attempt ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ran {
    /// When it began.
    pub started_at: UnixMillis,
    /// How long it took, in milliseconds.
    pub millis: u32,
}

/// The kind of a target: the type of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// A URL.
    Webhook,
    /// Another Worker.
    Service,
    /// A Durable Object.
    DurableObject,
    /// A handler that was registered at build time.
    Handler,
    /// The user's own queue.
    Queue,
    /// A later version wrote this kind.
    Other(u8),
}

impl TargetKind {
    /// Every known kind, with its name.
    pub const NAMES: [(Self, &'static str); 5] = [
        (Self::Webhook, "webhook"),
        (Self::Service, "service"),
        (Self::DurableObject, "durable-object"),
        (Self::Handler, "handler"),
        (Self::Queue, "queue"),
    ];

    /// Returns the type of the callback.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, _)| *kind == self).map_or("other", |(_, name)| name)
    }

    /// Returns the number in the stored format, which is below 8.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Webhook => 0,
            Self::Service => 1,
            Self::DurableObject => 2,
            Self::Handler => 3,
            Self::Queue => 4,
            Self::Other(code) => code & 7,
        }
    }

    pub(super) fn of_code(code: u8) -> Self {
        let known = Self::NAMES.iter().find(|(kind, _)| kind.code() == code);
        known.map_or(Self::Other(code), |(kind, _)| *kind)
    }
}

/// What an attempt called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'a> {
    /// The type of the callback.
    pub kind: TargetKind,
    /// The host of a webhook, the binding, the name of the handler, or the queue.
    pub name: Cow<'a, str>,
}

/// One attempt and its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run<'a> {
    /// The task's id.
    pub id: Cow<'a, str>,
    /// The requested time of the run; `None` for a cancelled task.
    pub time: Option<UnixMillis>,
    /// The number of the attempt, from 1; 0 for a cancelled task.
    pub attempt: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it was dispatched.
    pub was_dispatched: bool,
    /// When it ran, if that is known.
    pub ran: Option<Ran>,
    /// The HTTP status of the answer, if there was one.
    pub status: Option<u16>,
    /// The error; empty if there was none.
    pub error: Cow<'a, str>,
    /// The beginning of the body of an answer that means failure.
    pub excerpt: Cow<'a, str>,
    /// For an attempt of a follow-up, the stage: see [`crate::task::Record::stage`]. Empty for the
    /// run itself.
    pub stage: Cow<'a, str>,
    /// What it called. `None` if it called nothing, or if an earlier version wrote the entry.
    pub target: Option<Target<'a>>,
    /// The tags of the task. Empty if an earlier version wrote the entry.
    pub tags: Vec<Cow<'a, str>>,
    /// The name of the API key that cancelled the task. Empty if it is unknown.
    pub by: Cow<'a, str>,
}

/// The most bytes of a run in a chunk, without its texts: a short hash, the entry's length, outcome
/// and flags, the longest numbers of the run, the lengths of its texts, and the places of its
/// target, its tags and its API key.
const RUN_BYTES: usize = 4 + 5 + 2 + 10 + 5 + 10 + 5 + 3 + 4 * 5 + 4 * 5;
/// The most bytes of a shared text in a chunk in addition to the text itself: its length, and its
/// place.
const SHARED_BYTES: usize = 5 + 5;

impl<'a> Run<'a> {
    /// Returns the entry of a cancelled task. `by` is the name of an API key, or empty.
    pub fn cancelled(id: &'a str, by: &'a str) -> Self {
        Self {
            id: Cow::Borrowed(id),
            time: None,
            attempt: 0,
            outcome: Outcome::Cancelled,
            was_dispatched: false,
            ran: None,
            status: None,
            error: Cow::Borrowed(""),
            excerpt: Cow::Borrowed(""),
            stage: Cow::Borrowed(""),
            target: None,
            tags: Vec::new(),
            by: Cow::Borrowed(by),
        }
    }

    /// Returns the most bytes that the run takes in a chunk.
    pub fn most_bytes(&self) -> usize {
        let shared = |text: &str| SHARED_BYTES + text.len();
        let target = self.target.as_ref().map_or(0, |target| shared(&target.name));
        let tags: usize = self.tags.iter().map(|tag| shared(tag)).sum();
        let texts = self.id.len() + self.error.len() + self.excerpt.len() + self.stage.len();
        RUN_BYTES + texts + target + tags + shared(&self.by)
    }
}

/// A run with what its chunk says about all of its runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past<'a> {
    /// The run.
    pub run: Run<'a>,
    /// When the shard dispatched the run. If it did not, when the shard decided that.
    pub fired_at: UnixMillis,
    /// When the shard learned of the outcome.
    pub reported_at: UnixMillis,
}
