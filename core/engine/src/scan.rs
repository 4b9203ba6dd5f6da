//! Scans for the tasks that a filter matches.

use crate::budget::{MAX_SCANNED, MAX_SCANNED_BYTES};
use crate::decisions::FlightRef;
use crate::entry_ref::EntryRef;
use crate::error::EngineError;
use crate::flights::FlightReader;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::{Entry, Flags};
use scheduler_model::listing::kind_of;
use scheduler_model::position::Position;
use scheduler_model::protocol::{Filter, Kind, ListItem, ListRequest, Status};
use scheduler_model::runs::ErrorText;
use scheduler_model::task::{Record, webhook_host};
use serde_json::value::RawValue;

/// What a request has found and examined so far.
#[derive(Default)]
pub(super) struct Spent {
    pub(super) matches: usize,
    pub(super) scanned: usize,
    /// The bytes of the examined records.
    pub(super) bytes: usize,
    /// Reads the attempts in flight. It reads whole envelopes, and their bytes have the same bound.
    pub(super) flights: FlightReader,
}

impl Spent {
    /// Returns whether a request has found or examined as much as it may.
    pub(super) fn is_all(&self, request: &ListRequest) -> bool {
        let most_bytes = request.max_bytes.unwrap_or(MAX_SCANNED_BYTES).min(MAX_SCANNED_BYTES);
        self.matches >= request.limit
            || self.scanned >= MAX_SCANNED
            || self.bytes >= most_bytes
            || self.flights.bytes >= MAX_SCANNED_BYTES
    }
}

/// A task that a list may contain.
pub(super) struct Candidate {
    pub(super) position: Position,
    pub(super) at: EntryRef,
    pub(super) status: Status,
    pub(super) is_attempt: bool,
    /// The kind, if it is known without the record.
    pub(super) kind: Option<Kind>,
}

/// What a scan has found.
pub(super) enum Seen<'a> {
    /// A waiting task, a further attempt or a dead letter, with its record if the scan has read it.
    Waiting(Candidate, Option<Vec<u8>>),
    /// An attempt in flight that was not cancelled.
    InFlight(&'a InFlightMatch<'a>),
}

/// An attempt in flight that a scan has found.
pub(super) struct InFlightMatch<'a> {
    pub(super) flight: FlightRef,
    pub(super) position: Position,
    pub(super) due: UnixMillis,
    /// Whether its further attempts wait to be resumed.
    pub(super) is_paused: bool,
    /// The record of its further attempts, without `paused` and the attempt number.
    pub(super) text: &'a [u8],
    pub(super) record: Record<'a>,
}

/// Returns the status of an entry, and its kind if that is known without the record. A further
/// attempt or a dead letter may belong to a one-shot or to a recurring task.
pub(super) fn status_of(entry: &Entry) -> (Status, Option<Kind>) {
    if entry.flags.has(Flags::DEAD_LETTER) {
        (Status::Dead, None)
    } else if entry.due == UnixMillis::HELD {
        (Status::Held, None)
    } else if entry.due == UnixMillis::PAUSED {
        (Status::Paused, None)
    } else if entry.flags.has(Flags::RETRY) {
        (Status::Retrying, None)
    } else if entry.due == UnixMillis::NEVER {
        (Status::Unscheduled, Some(Kind::NoSchedule))
    } else {
        (Status::Scheduled, Some(Kind::Once))
    }
}

/// Returns the item of a list for a task with this record.
pub(super) fn item_of(candidate: Candidate, record: Vec<u8>) -> Result<ListItem, EngineError> {
    let corrupt = |problem: String| EngineError::Corrupt(format!("{}: {problem}", candidate.at));
    let record = String::from_utf8(record).map_err(|problem| corrupt(problem.to_string()))?;
    let record = RawValue::from_string(record).map_err(|problem| corrupt(problem.to_string()))?;
    let Candidate { position, status, is_attempt, .. } = candidate;
    Ok(ListItem {
        position,
        due: None,
        status,
        is_running: false,
        is_attempt,
        is_cancelled: false,
        record,
    })
}

/// Returns the first due time, not before `due`, of entries that a filter may match by their times
/// and their status. Returns `None` if there is none.
///
/// The times of a filter are compared with due times, and for dead letters with the times of death.
/// A held or paused run has its time in the record. The records of dead letters that earlier
/// versions stored contain the time of death.
pub(super) fn next_due(filter: &Filter, due: UnixMillis) -> Option<UnixMillis> {
    let wants_dead = filter.status.is_none_or(|status| status == Status::Dead);
    let wants_live = filter.status != Some(Status::Dead);
    let from = filter.from.unwrap_or(UnixMillis::ZERO);
    if wants_live && due < UnixMillis::FIRST_DEATH {
        let next = due.max(from);
        if filter.to.is_none_or(|to| next < to) {
            return Some(next);
        }
    }
    if wants_dead && due < UnixMillis::HELD {
        let next = due.max(from.as_death());
        if filter.to.is_none_or(|to| next < to.as_death()) {
            return Some(next);
        }
    }
    Some(due.max(if wants_live { UnixMillis::HELD } else { UnixMillis::NEVER }))
}

/// Returns whether only the record of this entry says if it matches the times of a filter. This is
/// the case for dead letters that earlier versions stored.
pub(super) fn needs_death(filter: &Filter, status: Status, due: UnixMillis) -> bool {
    status == Status::Dead
        && due == UnixMillis::NEVER
        && (filter.from.is_some() || filter.to.is_some())
}

/// Returns whether the run of this record failed for good at the times of a filter.
pub(super) fn matches_death(filter: &Filter, record: &Record<'_>) -> bool {
    let died = record.failed_at.unwrap_or(UnixMillis::ZERO);
    filter.from.is_none_or(|from| died >= from) && filter.to.is_none_or(|to| died < to)
}

/// Returns whether a [folded](Filter::folded) filter matches a record. Ignores `status`, `from` and
/// `to`.
pub(super) fn matches_record(filter: &Filter, record: &Record<'_>) -> bool {
    let contains = |text: Option<&str>, part: &str| {
        text.is_some_and(|text| text.to_lowercase().contains(part))
    };
    filter.kind.is_none_or(|wanted| wanted.includes(kind_of(record)))
        && filter.prefix.as_ref().is_none_or(|prefix| record.id.starts_with(prefix.as_str()))
        && filter.text.as_ref().is_none_or(|text| contains(record.description.as_deref(), text))
        && filter.error.as_deref().is_none_or(|error| {
            record.error.as_deref().is_some_and(|text| ErrorText::new(error).is_in(text))
        })
        && (filter.tag.is_none() && filter.other_tag.is_none() || has_tags(filter, record))
        && filter.callback_host.as_ref().is_none_or(|host| {
            webhook_host(record.callback).is_some_and(|callback| callback == *host)
        })
}

fn has_tags(filter: &Filter, record: &Record<'_>) -> bool {
    let tags = record.tags.and_then(|tags| serde_json::from_str::<Vec<String>>(tags.get()).ok());
    let has = |tag: &Option<String>| {
        tag.as_ref().is_none_or(|tag| tags.as_ref().is_some_and(|tags| tags.contains(tag)))
    };
    has(&filter.tag) && has(&filter.other_tag)
}
