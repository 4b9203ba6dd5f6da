//! Scans for the tasks that a filter matches.

use crate::budget::{MAX_COUNTED, MAX_READ_BYTES, MAX_SCANNED, MAX_SCANNED_BYTES};
use crate::decisions::FlightRef;
use crate::entry_ref::EntryRef;
use crate::error::EngineError;
use crate::flights::FlightReader;
use crate::searches::Search;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::{MAX_SEARCHED_BYTES, SEARCHED_ROW_BYTES};
use scheduler_model::format::history::Outcome;
use scheduler_model::format::page::{Entry, Flags};
use scheduler_model::listing::kind_of;
use scheduler_model::position::Position;
use scheduler_model::protocol::{Filter, Kind, LastOutcome, ListItem, ListRequest, Status};
use scheduler_model::runs::ErrorText;
use scheduler_model::task::{Record, callback_type, webhook_host};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// When a search looks through a whole page and not only at the records that it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WholePages {
    /// After some records that do not match. A change reads each record that matches by itself, even
    /// if the search has looked through its page.
    AfterMisses,
    /// Also after the records of the page have cost as much one by one as the page would. So no page
    /// costs more than twice what it has to.
    IfCheaper,
    /// Always. A count looks at all entries of a page, and the next count knows its result.
    Always,
}

/// What a request has found and examined so far, and its limits.
pub(super) struct Spent {
    pub(super) matches: usize,
    pub(super) scanned: usize,
    /// The bytes of the records that were found.
    pub(super) bytes: usize,
    /// The bytes of the rows that were read to find them.
    pub(super) read: usize,
    /// Reads the attempts in flight. It reads whole envelopes, and their bytes have a bound of
    /// their own.
    pub(super) flights: FlightReader,
    /// The pages that the search has looked through.
    pub(super) search: Search,
    /// When the search looks through a whole page.
    pub(super) whole_pages: WholePages,
    most_matches: usize,
    most_scanned: usize,
    most_bytes: usize,
    most_read: usize,
    /// The least number of bytes that a row adds to `read`.
    least_row_bytes: usize,
}

impl Spent {
    /// Returns the account of a request that has read nothing yet.
    pub(super) fn nothing(request: &ListRequest) -> Self {
        Self {
            matches: 0,
            scanned: 0,
            bytes: 0,
            read: 0,
            flights: FlightReader::default(),
            search: Search::default(),
            whole_pages: WholePages::AfterMisses,
            most_matches: request.limit,
            most_scanned: MAX_SCANNED,
            most_bytes: request.max_bytes.unwrap_or(MAX_SCANNED_BYTES).min(MAX_SCANNED_BYTES),
            most_read: request.max_read.unwrap_or(MAX_READ_BYTES).min(MAX_SEARCHED_BYTES),
            // The coordinator of an earlier version sends no bound. Its requests read until
            // `MAX_READ_BYTES`.
            least_row_bytes: if request.max_read.is_some() { SEARCHED_ROW_BYTES } else { 0 },
        }
    }

    /// Returns the account of a request that lists the tasks that it finds.
    pub(super) fn listing(request: &ListRequest) -> Self {
        Self { whole_pages: WholePages::IfCheaper, ..Self::nothing(request) }
    }

    /// Returns the account of a request that counts the tasks that it finds.
    pub(super) fn counting(request: &ListRequest) -> Self {
        Self {
            most_matches: usize::MAX,
            most_scanned: MAX_COUNTED,
            most_bytes: usize::MAX,
            whole_pages: WholePages::Always,
            ..Self::nothing(request)
        }
    }

    /// Returns how many bytes a row of this size adds to the bytes that were read.
    pub(super) fn row_bytes(&self, bytes: usize) -> usize {
        bytes.max(self.least_row_bytes)
    }

    /// Returns whether a request has found or examined as much as it may.
    pub(super) fn is_all(&self) -> bool {
        self.matches >= self.most_matches
            || self.scanned >= self.most_scanned
            || self.bytes >= self.most_bytes
            || self.read >= self.most_read
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

impl Candidate {
    /// Returns whether a filter may match it, judged without its record.
    pub(super) fn may_match(&self, filter: &Filter) -> bool {
        filter.status.is_none_or(|status| status == self.status)
            && filter.paused.is_none_or(|paused| paused == (self.status == Status::Paused))
            && match (filter.kind, self.kind) {
                (Some(wanted), Some(kind)) => wanted.includes(kind),
                _ => true,
            }
            && match (filter.last_outcome, self.last_outcome()) {
                (Some(wanted), Some(outcome)) => wanted == outcome,
                _ => true,
            }
    }

    /// Returns whether the record is needed to judge a filter that [may match](Self::may_match) it.
    pub(super) fn needs_record(&self, filter: &Filter) -> bool {
        filter.reads_records()
            || filter.kind.is_some() && self.kind.is_none()
            || filter.last_outcome.is_some() && self.last_outcome().is_none()
    }

    /// Returns how its last attempt ended, if that is known without its record.
    fn last_outcome(&self) -> Option<LastOutcome> {
        known_outcome(self.status).or((!self.is_attempt).then_some(LastOutcome::None))
    }
}

/// Returns how the last attempt of an entry with this status ended, if the status determines it.
pub(super) fn known_outcome(status: Status) -> Option<LastOutcome> {
    (status == Status::Dead).then_some(LastOutcome::DeadLettered)
}

/// What a scan has found.
pub(super) enum Seen<'a> {
    /// A waiting task, a further attempt or a dead letter, with its record if the scan has read it.
    Waiting(Candidate, Option<Vec<u8>>),
    /// An attempt in flight that was not cancelled.
    InFlight(&'a InFlightMatch<'a>),
}

/// Whether a scan continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Continue,
    /// The rest begins behind what was just seen.
    StopAfter,
    /// The rest begins with what was just seen.
    StopBefore,
}

impl Then {
    /// Returns whether a scan continues if there is room for more.
    pub(super) fn if_room(has_room: bool) -> Self {
        if has_room { Self::Continue } else { Self::StopAfter }
    }
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

/// Returns whether the record is needed to judge whether the times of a filter match this entry.
/// This is the case for dead letters that earlier versions stored.
pub(super) fn needs_death(filter: &Filter, status: Status, due: UnixMillis) -> bool {
    status == Status::Dead
        && due == UnixMillis::NEVER
        && (filter.from.is_some() || filter.to.is_some())
}

/// Returns whether a [folded](Filter::folded) filter matches the record of an entry, apart from
/// `status`, `paused`, `from` and `to`. `known` is how its last attempt ended, if its status
/// determines it.
pub(super) fn matches_entry(
    filter: &Filter,
    record: &Record<'_>,
    known: Option<LastOutcome>,
) -> bool {
    matches_record(filter, record)
        && filter
            .last_outcome
            .is_none_or(|wanted| wanted == known.unwrap_or_else(|| last_outcome(record)))
}

/// Returns how the last attempt of a task ended, as far as its record says. The task is not a dead
/// letter.
fn last_outcome(record: &Record<'_>) -> LastOutcome {
    #[derive(Deserialize)]
    struct OfRun<'a> {
        #[serde(borrow)]
        outcome: Cow<'a, str>,
    }
    if record.failed_at.is_some() {
        return LastOutcome::Failed;
    }
    // The first attempt at a follow-up: the run has ended.
    let of_run = record.outcome.and_then(|of| serde_json::from_str::<OfRun<'_>>(of.get()).ok());
    let is = |outcome: Outcome| of_run.as_ref().is_some_and(|of| of.outcome == outcome.name());
    if is(Outcome::Succeeded) {
        LastOutcome::Succeeded
    } else if is(Outcome::DeadLettered) {
        LastOutcome::DeadLettered
    } else if is(Outcome::Expired) {
        LastOutcome::Expired
    } else {
        LastOutcome::None
    }
}

/// Returns whether a [folded](Filter::folded) filter matches a record. Ignores `status`, `paused`,
/// `lastOutcome`, `from` and `to`.
pub(super) fn matches_record(filter: &Filter, record: &Record<'_>) -> bool {
    let contains = |text: &str, part: &str| text.to_lowercase().contains(part);
    filter.kind.is_none_or(|wanted| wanted.includes(kind_of(record)))
        && filter.prefix.as_ref().is_none_or(|prefix| record.id.starts_with(prefix.as_str()))
        && filter.text.as_ref().is_none_or(|text| {
            contains(&record.id, text)
                || record.description.as_ref().is_some_and(|of| contains(of, text))
        })
        && filter.error.as_deref().is_none_or(|error| {
            record.error.as_deref().is_some_and(|text| ErrorText::new(error).is_in(text))
        })
        && (filter.tag.is_none() && filter.other_tag.is_none() || has_tags(filter, record))
        && filter.callback_type.is_none_or(|kind| callback_type(record.callback) == Some(kind))
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
