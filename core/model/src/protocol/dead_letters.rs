//! Messages that read, replay and discard single dead letters.

use super::ListItem;
use crate::dead_letter::DeadLetterId;
use serde::{Deserialize, Serialize};

/// Dead letters to replay or to discard.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLettersRequest {
    /// The ids of the dead letters.
    pub letters: Vec<DeadLetterId>,
    /// Changes before the replay; `None` if the dead letters are replayed unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<ChangedLetter>,
}

/// The parts of a dead letter that a replay may change, as they are after the change. Both are JSON
/// texts that the sender has checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedLetter {
    /// The callback.
    pub callback: String,
    /// The payload; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

/// The result for one dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LetterOutcome {
    /// It was replayed or discarded.
    Done,
    /// There is no such dead letter, or no longer.
    NotFound,
    /// With the changes, its record would be too large.
    TooLarge,
}

/// The reply to a request for dead letters.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLettersReply {
    /// The results for the first dead letters of the request. The sender repeats the request for
    /// the others.
    pub outcomes: Vec<LetterOutcome>,
    /// The requeued run, if the request replays a single dead letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ListItem>,
}
