//! Messages that cancel and change tasks.

use super::{ListItem, ListRequest};
use crate::access::Share;
use crate::position::Position;
use scheduler_calendar::local_time::LocalTime;
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz::Tz;
use serde::{Deserialize, Serialize};

/// A cancel of tasks by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CancelRequest {
    /// The ids.
    pub ids: Vec<String>,
    /// Only tasks whose record has this version are cancelled: see [`crate::task::version_of`].
    #[serde(default)]
    pub if_match: Option<u64>,
}

/// Where a shard looks for the tasks that a request names by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Among {
    /// Among waiting tasks and attempts in flight, and among dead letters if there are none of
    /// those.
    #[default]
    All,
    /// Among waiting tasks and attempts in flight.
    Live,
    /// Among dead letters.
    Dead,
}

impl Among {
    /// Returns where to look when the request is repeated. The first request may have found
    /// everything that lives, so the repeated one does not look among dead letters.
    #[must_use]
    pub fn again(self) -> Self {
        if self == Self::All { Self::Live } else { self }
    }
}

/// A request by id that says where to look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmongRequest<R> {
    /// Where to look.
    #[serde(default)]
    pub among: Among,
    /// The share of a quota that requested runs are charged to: see [`crate::access::Quota`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// The name of the API key that cancels, for the history; empty if the key has no name. `None`
    /// if the cancel is a part of another change, which the history does not record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The request.
    #[serde(flatten)]
    pub request: R,
}

/// A cancel of tasks by filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelMatchingRequest {
    /// The filter of the tasks.
    #[serde(flatten)]
    pub tasks: ListRequest,
    /// The same as [`AmongRequest::by`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// The result of a cancel for one id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cancelled {
    /// No further attempt starts. The reply says separately whether one is in flight, which ends as
    /// it was dispatched.
    Cancelled,
    /// The task was dispatched before the cancel. Only shards of earlier versions answer this.
    AlreadyFired,
    /// There is no such task, or no longer.
    NotFound,
    /// The task's record has another version than the request requires.
    OtherVersion,
}

/// The reply to a cancel by id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CancelReply {
    /// The results, in the order of the request. If there are fewer than ids, the sender repeats
    /// the request for the other ids.
    pub outcomes: Vec<Cancelled>,
    /// The places of the results whose task has an attempt in flight. It ends, and no further one
    /// starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub running: Vec<u32>,
    /// Whether a part of the attempts in flight of the next id is cancelled. The sender repeats the
    /// request for the remaining ids.
    #[serde(default, skip_serializing_if = "is_false")]
    pub in_part: bool,
    /// The task before the cancel, if the request names one id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<ListItem>,
}

/// The reply to a cancel by filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelMatchingReply {
    /// The number of cancelled tasks.
    pub cancelled: u64,
    /// How many of them are attempts in flight. Each of them ends, and no further one starts.
    #[serde(default)]
    pub running: u64,
    /// The position at which the next request continues; `None` after the last task.
    pub next: Option<Position>,
}

/// A change of waiting tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// Nothing of the task fires until it is resumed.
    Pause,
    /// The task continues: a one-shot task at its time, or now if that has passed; a recurring one
    /// with its next occurrence.
    Resume,
    /// The task fires now: a recurring task in addition to its schedule, a task without a schedule
    /// as a copy, and a dead letter from its first attempt.
    Run,
    /// The task fires at this time instead. Not for recurring tasks.
    Reschedule(NewTime),
}

/// The time to which a task is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredTime", into = "StoredTime")]
pub struct NewTime {
    /// The instant.
    pub at: UnixMillis,
    /// The local time, and its zone, if the time was given as one.
    pub local: Option<(LocalTime, Tz)>,
}

/// A time in a message. An instant is a number, as in messages of earlier versions.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredTime {
    Instant(UnixMillis),
    Local { at: UnixMillis, local: LocalTime, timezone: String },
}

impl From<UnixMillis> for NewTime {
    fn from(at: UnixMillis) -> Self {
        Self { at, local: None }
    }
}

impl From<StoredTime> for NewTime {
    /// If the zone is unknown here, only the instant is used.
    fn from(stored: StoredTime) -> Self {
        match stored {
            StoredTime::Instant(at) => at.into(),
            StoredTime::Local { at, local, timezone } => {
                Self { at, local: timezone.parse().ok().map(|zone| (local, zone)) }
            }
        }
    }
}

impl From<NewTime> for StoredTime {
    fn from(NewTime { at, local }: NewTime) -> Self {
        match local {
            None => Self::Instant(at),
            Some((local, timezone)) => {
                Self::Local { at, local, timezone: timezone.name().to_owned() }
            }
        }
    }
}

/// Who pauses a task, and why. A shard of an earlier version pauses without it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PauseReason {
    /// The name of the API key that pauses; absent if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A change of tasks by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeRequest {
    /// The ids.
    pub ids: Vec<String>,
    /// The change.
    pub change: Change,
    /// Only tasks whose record has this version are changed: see [`crate::task::version_of`].
    pub if_match: Option<u64>,
    /// Who pauses, and why; only for a pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseReason>,
}

/// A request to run tasks now, by id, with another payload for that run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRequest {
    /// The ids.
    pub ids: Vec<String>,
    /// Only tasks whose record has this version are run: see [`crate::task::version_of`].
    pub if_match: Option<u64>,
    /// The payload, as JSON text that the sender has checked.
    pub payload: String,
}

/// The result of a change for one id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Changed {
    /// The change was carried out.
    Changed,
    /// The task was in this state already.
    Unchanged,
    /// The change does not apply to such a task.
    NotApplicable,
    /// The most runs of the task wait already, so no other was added.
    TooManyRuns,
    /// With the payload of the request, the record of the run would be too large.
    TooLarge,
    /// The task's record has another version than the request requires.
    OtherVersion,
    /// The task was dispatched, and nothing of it can be changed: a run was requested while it
    /// runs, or it was cancelled.
    AlreadyFired,
    /// There is no such task, or no longer.
    NotFound,
}

/// The reply to a change by id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeReply {
    /// The results, in the order of the request. If there are fewer than ids, the sender repeats
    /// the request for the other ids.
    pub outcomes: Vec<Changed>,
    /// The places of the results whose task has an attempt in flight. It ends, and the change
    /// applies to further attempts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub running: Vec<u32>,
    /// Whether the task of the next id is changed in part. The sender repeats the request for the
    /// remaining ids.
    #[serde(default, skip_serializing_if = "is_false")]
    pub in_part: bool,
    /// The task after the change, if the request names one id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<ListItem>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(is: &bool) -> bool {
    !is
}

/// A change of tasks by filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeMatchingRequest {
    /// The filter of the tasks.
    pub tasks: ListRequest,
    /// The change.
    pub change: Change,
    /// The share of a quota that requested runs are charged to: see [`crate::access::Quota`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// Who pauses, and why; only for a pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseReason>,
}

/// A dry run: counts the tasks that a request by filter would cancel or change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountRequest {
    /// The tasks. The limit is that of the tasks that the reply shows.
    pub tasks: ListRequest,
    /// The change; absent for a cancel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// Who pauses and why, for a pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseReason>,
}

/// The tasks that a request by filter would cancel or change.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CountReply {
    /// The number of tasks, including attempts in flight.
    pub count: u64,
    /// The number of attempts in flight among them.
    pub running: u64,
    /// Where the count stopped because it takes a bounded amount of work; `None` if it is complete.
    pub next: Option<Position>,
    /// The first of them, in the order of a list.
    pub first: Vec<ListItem>,
}

/// The reply to a change by filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeMatchingReply {
    /// The number of changed tasks.
    pub changed: u64,
    /// How many of them have an attempt in flight. It ends, and the change applies to further
    /// attempts.
    #[serde(default)]
    pub running: u64,
    /// The position at which the next request continues; `None` after the last task.
    pub next: Option<Position>,
    /// Whether tasks are left as they were, because the shard has no room for their limit keys.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This form never changes, because shards and coordinators of several versions communicate
    /// during a deploy.
    #[test]
    fn a_new_time_is_a_number_unless_it_is_a_local_time() {
        let local =
            Some(("2026-12-01T09:00".parse().unwrap(), "America/Vancouver".parse().unwrap()));
        for (time, text) in [
            (UnixMillis::new(5).into(), r#"{"reschedule":5}"#),
            (
                NewTime { at: UnixMillis::new(1_796_140_800_000), local },
                r#"{"reschedule":{"at":1796140800000,"local":"2026-12-01T09:00:00","timezone":"America/Vancouver"}}"#,
            ),
        ] {
            let change = Change::Reschedule(time);
            assert_eq!(serde_json::to_string(&change).unwrap(), text);
            assert_eq!(serde_json::from_str::<Change>(text).unwrap(), change);
        }
        let unknown = r#"{"reschedule":{"at":5,"local":"2026-12-01T09:00:00","timezone":"Mars"}}"#;
        assert_eq!(
            serde_json::from_str::<Change>(unknown).unwrap(),
            Change::Reschedule(UnixMillis::new(5).into())
        );
    }
}
