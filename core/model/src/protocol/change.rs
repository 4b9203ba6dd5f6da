//! Cancelling and changing tasks that wait.

use super::{ListItem, ListRequest};
use crate::access::Share;
use crate::position::Position;
use scheduler_calendar::local_time::LocalTime;
use scheduler_calendar::time::UnixMillis;
use scheduler_calendar::tz::Tz;
use serde::{Deserialize, Serialize};

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

/// Among what a shard looks for the tasks that a request names by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Among {
    /// What waits or is on its way, and dead letters where there is none of that.
    #[default]
    All,
    /// What waits or is on its way.
    Live,
    /// Dead letters.
    Dead,
}

impl Among {
    /// Returns where to look when the request is sent again. The first one may have found all that
    /// lives, so dead letters are not its business any more.
    #[must_use]
    pub fn again(self) -> Self {
        if self == Self::All { Self::Live } else { self }
    }
}

/// A request by id that says where to look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmongRequest<R> {
    /// Where.
    #[serde(default)]
    pub among: Among,
    /// What runs that are asked for are charged to: see [`crate::access::Quota`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// The name of the API key that asks for a cancel, for the history; empty if it has none.
    /// Without it, the cancel is a part of another change, and the history does not tell of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The request.
    #[serde(flatten)]
    pub request: R,
}

/// Tasks are to be cancelled, by filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelMatchingRequest {
    /// Which tasks.
    #[serde(flatten)]
    pub tasks: ListRequest,
    /// As [`AmongRequest::by`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What became of a cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cancelled {
    /// No attempt of it starts any more. The reply says apart whether one is in flight, which runs
    /// to its end.
    Cancelled,
    /// It was dispatched before the cancel. Only shards of earlier versions answer this.
    AlreadyFired,
    /// There is no such task (any more).
    NotFound,
    /// The task's record has another version than the request requires.
    OtherVersion,
}

/// What became of each, in the order of the request.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CancelReply {
    /// One for each id. If there are fewer, they are for the first ids, and the sender repeats the
    /// request for the others.
    pub outcomes: Vec<Cancelled>,
    /// The places of the outcomes whose task has an attempt in flight: it ends, and no other
    /// starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub running: Vec<u32>,
    /// Whether a part of the attempts in flight of the id after the last outcome is cancelled. The
    /// sender repeats the request for the ids that are left.
    #[serde(default, skip_serializing_if = "is_false")]
    pub in_part: bool,
    /// The task before the cancel, if the request names one id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<ListItem>,
}

/// What became of a cancel by filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelMatchingReply {
    /// How many were cancelled.
    pub cancelled: u64,
    /// Of these, how many attempts in flight: each of them ends, and no other starts.
    #[serde(default)]
    pub running: u64,
    /// The position at which the next request continues; `None` after the last task.
    pub next: Option<Position>,
}

/// A change of tasks that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// Nothing of it fires until it is resumed.
    Pause,
    /// It goes on: a one-shot task at its time, at once if that is past; a recurring one with its
    /// next occurrence.
    Resume,
    /// It fires now: a recurring task in addition to its schedule, a task without a schedule as a
    /// copy, and a dead letter from its first attempt.
    Run,
    /// It fires at this time instead. Not for recurring tasks.
    Reschedule(NewTime),
}

/// The time to which a task is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredTime", into = "StoredTime")]
pub struct NewTime {
    /// The instant.
    pub at: UnixMillis,
    /// The local time that was given, and its zone.
    pub local: Option<(LocalTime, Tz)>,
}

/// A time as it is sent: a number if it is an instant, as earlier versions send each.
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
    /// A zone that is not known here leaves the instant.
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

/// What a pause says beside when it began. A shard of an earlier version pauses without it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PauseReason {
    /// The name of the API key that pauses; absent if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
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
    /// What a pause says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseReason>,
}

/// Tasks to run now, by id, with another payload for that run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRequest {
    /// Their ids.
    pub ids: Vec<String>,
    /// Only tasks whose record has this version: see [`crate::task::version_of`].
    pub if_match: Option<u64>,
    /// The payload, as JSON text that the sender has checked.
    pub payload: String,
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
    /// As many runs of the task wait as may, so that another was not added.
    TooManyRuns,
    /// With the payload of the request, the record of the run would be too large.
    TooLarge,
    /// The task's record has another version than was asked for.
    OtherVersion,
    /// It was dispatched before, and nothing of it is left to change: a run was requested while it
    /// runs, or it was cancelled.
    AlreadyFired,
    /// There is no such task (any more).
    NotFound,
}

/// What became of each, in the order of the request.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeReply {
    /// One for each id. If there are fewer, they are for the first ids, and the sender repeats the
    /// request for the others.
    pub outcomes: Vec<Changed>,
    /// The places of the outcomes whose task has an attempt in flight: it ends, and the change
    /// holds for the attempts after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub running: Vec<u32>,
    /// Whether the task of the id after the last outcome is changed in part. The sender repeats the
    /// request for the ids that are left.
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

/// Tasks are to be changed, by filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeMatchingRequest {
    /// Which tasks.
    pub tasks: ListRequest,
    /// What is to happen to them.
    pub change: Change,
    /// What runs that are asked for are charged to: see [`crate::access::Quota`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// What a pause says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseReason>,
}

/// It is to be counted what a request by filter would cancel or change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountRequest {
    /// Which tasks. The limit is of those that the reply shows.
    pub tasks: ListRequest,
    /// What would happen to them; absent: they would be cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

/// What a request by filter would cancel or change.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CountReply {
    /// How many tasks, attempts in flight included.
    pub count: u64,
    /// Of these, how many attempts in flight.
    pub running: u64,
    /// Where the count has stopped, because it takes a bounded amount of work; `None` if it is
    /// complete.
    pub next: Option<Position>,
    /// The first of them, in the order of a list.
    pub first: Vec<ListItem>,
}

/// What became of a change by filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeMatchingReply {
    /// How many were changed.
    pub changed: u64,
    /// How many of these are runs with an attempt in flight: it ends, and the change holds for the
    /// attempts after it.
    #[serde(default)]
    pub running: u64,
    /// Where to go on; `None` when all have been seen.
    pub next: Option<Position>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pinned: shards and coordinators of several versions talk to each other during a deploy.
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
