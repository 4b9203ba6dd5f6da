//! Lists of waiting tasks, of attempts in flight, and of dead letters.
//!
//! A list has one order. A waiting entry is listed by its due time. An attempt in flight is listed
//! by the time at which its envelope was last sent, because the shard knows the due times of its
//! records only from the text of the envelope. An envelope is not sent before its tasks are due,
//! and a further attempt or a dead letter follows the attempt. So a task moves only forward in the
//! list while it fires and fails, and a caller who reads the list page by page does not miss it.
//!
//! The same list in descending order has the mirror images of these places
//! ([`Position::from_the_end`]). A task that moves forward in the meantime may pass a caller who
//! reads in this order.
//!
//! If a task waits while a run of it is in flight, such as a recurring one, the list shows that run
//! with the task if it shows the task.

use super::Engine;
use super::found::Found;
use super::walk::Direction;
use crate::decisions::FlightRef;
use crate::error::EngineError;
use crate::flights::paused;
use crate::reader::Reader;
use crate::scan::{Candidate, InFlightMatch, Seen, Spent, Then, matches_entry};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::position::Position;
use scheduler_model::protocol::{Filter, ListItem, ListReply, ListRequest, Status};
use scheduler_model::record_id::id_in;
use scheduler_model::task::Record;
use serde_json::value::RawValue;

impl Engine {
    /// Returns a page of the tasks that a filter matches, in the order of the list. The first page
    /// of a list without a filter has the number of all its items.
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged.
    pub fn list(
        &self,
        request: &ListRequest,
        reader: &dyn Reader,
    ) -> Result<ListReply, EngineError> {
        self.list_in(Direction::Forward, request, reader)
    }

    /// Returns a page of the same list from the last task to the first. The positions of the reply
    /// are places in this order: see [`Position::from_the_end`].
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged.
    pub fn list_from_the_end(
        &self,
        request: &ListRequest,
        reader: &dyn Reader,
    ) -> Result<ListReply, EngineError> {
        self.list_in(Direction::Backward, request, reader)
    }

    fn list_in(
        &self,
        direction: Direction,
        request: &ListRequest,
        reader: &dyn Reader,
    ) -> Result<ListReply, EngineError> {
        let filter = request.filter.folded();
        let mut spent = Spent::listing(request);
        let mut found = Vec::new();
        // The tasks of the page that may have a run in flight, with the hashes of their ids.
        let mut may_run: Vec<(usize, u64)> = Vec::new();
        let next = self.scan(request, direction, true, &mut spent, reader, |spent, seen| {
            match seen {
                Seen::Waiting(candidate, record) => {
                    let hash = self.tasks.hash_of(candidate.at).filter(|hash| {
                        self.is_task(candidate.at) && self.in_flight.contains_key(hash)
                    });
                    may_run.extend(hash.map(|hash| (found.len(), hash)));
                    found.push(Found::waiting(candidate, record)?);
                }
                Seen::InFlight(flight) => {
                    if self.is_shown_with_task(&flight.record, &filter, spent, reader)? {
                        return Ok(Then::Continue);
                    }
                    found.push(Found::Read(self.item_in_flight(flight)?));
                }
            }
            spent.matches += 1;
            Ok(Then::Continue)
        })?;
        let items = self.read_found(found, reader)?.into_iter();
        let mut items: Vec<ListItem> = items.map(|item| self.placed(item, direction)).collect();
        let flights = self.flights_of(may_run.iter().map(|(_, hash)| *hash));
        for (place, hash) in may_run {
            if let (Some(item), Some(of)) = (items.get_mut(place), flights.by_hash.get(&hash)) {
                item.is_running = !self.not_cancelled(of).is_empty();
            }
        }
        let (total, searched) = (self.total_of(request), spent.scanned as u64);
        Ok(ListReply { items, next, total, searched })
    }

    /// Returns whether an attempt that was not cancelled is in flight under an id with this hash.
    pub(super) fn has_flight_of_hash(&self, hash: u64) -> bool {
        let flights = self.flights_of(std::iter::once(hash));
        flights.by_hash.values().any(|of| !self.not_cancelled(of).is_empty())
    }

    /// Returns the number of items of a whole list, if the request is for the first page of a list
    /// without a filter.
    fn total_of(&self, request: &ListRequest) -> Option<u64> {
        if request.after.is_some() || request.filter != Filter::default() {
            return None;
        }
        let is_alone = |hash: u64| !self.tasks.find(hash).any(|at| self.is_task(at));
        let alone = self.outbox.iter().map(|(seq, envelope)| {
            let listed = (0..).zip(&envelope.hashes).filter(|(index, hash)| {
                is_alone(**hash)
                    && self.is_listed(FlightRef { seq: *seq, index: *index }, &request.filter)
            });
            listed.count()
        });
        Some((self.tasks.held() + alone.sum::<usize>()) as u64)
    }

    /// Returns whether a list shows this run in flight as a part of its task, because that task
    /// waits and the filter matches it.
    fn is_shown_with_task(
        &self,
        run: &Record<'_>,
        filter: &Filter,
        spent: &mut Spent,
        reader: &dyn Reader,
    ) -> Result<bool, EngineError> {
        for at in self.tasks.find(self.id_hash(&run.id)).filter(|at| self.is_task(*at)) {
            let candidate = self.candidate(at);
            let Some(record) = self.look_at(&candidate, filter, spent, reader)? else { continue };
            let id = match record {
                Some(record) => id_in(&record)
                    .map_err(|problem| EngineError::Corrupt(format!("{at}: {problem}")))?,
                None => self.id_of(at, reader)?,
            };
            if id == run.id {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns whether a filter may match an attempt in flight, judged without its record.
    pub(super) fn is_listed(&self, flight: FlightRef, filter: &Filter) -> bool {
        let decision = self.decisions.at(flight);
        !decision.is_cancelled()
            && filter.paused.is_none_or(|paused| paused == decision.is_paused())
            && match filter.status {
                None | Some(Status::Running) => true,
                Some(Status::Paused) => decision.is_paused(),
                Some(_) => false,
            }
    }

    /// Calls `found` for an attempt in flight if the [folded](Filter::folded) filter matches it.
    /// Returns the result of `found`, or continues if the filter does not match.
    pub(super) fn look_at_flight(
        &self,
        flight: FlightRef,
        position: Position,
        filter: &Filter,
        spent: &mut Spent,
        reader: &dyn Reader,
        found: impl FnOnce(&mut Spent, Seen<'_>) -> Result<Then, EngineError>,
    ) -> Result<Then, EngineError> {
        let decision = self.decisions.at(flight);
        let text = if decision.patched {
            reader.patched(flight.seq, flight.index)?
        } else {
            spent.flights.dispatched(flight, reader)?
        };
        spent.bytes += text.len();
        let record = Record::parse(&text).map_err(|problem| {
            EngineError::Corrupt(format!("envelope {}: {problem}", flight.seq))
        })?;
        let due = record.due_in_flight();
        let is_meant = filter.from.is_none_or(|from| due >= from)
            && filter.to.is_none_or(|to| due < to)
            && matches_entry(filter, &record, None);
        if !is_meant {
            return Ok(Then::Continue);
        }
        let is_paused = decision.is_paused();
        let of = InFlightMatch { flight, position, due, is_paused, text: &text, record };
        found(spent, Seen::InFlight(&of))
    }

    /// Returns the time of a waiting entry that `from` and `to` of a filter apply to: its due time;
    /// if it is paused or held, the requested time; for a dead letter, the time of death. Returns
    /// `None` if it has no such time.
    pub(super) fn time_of(
        &self,
        candidate: &Candidate,
        record: Option<&[u8]>,
        spent: &mut Spent,
        reader: &dyn Reader,
    ) -> Result<Option<UnixMillis>, EngineError> {
        let due = candidate.position.due;
        if !due.is_never() {
            return Ok(Some(due));
        }
        match (candidate.status, record) {
            (Status::Dead, None) => Ok(due.death()),
            (Status::Dead, Some(record)) => Ok(due.death().or_else(|| {
                Record::parse(record).ok().map(|record| record.failed_at.unwrap_or_default())
            })),
            (Status::Paused | Status::Held | Status::Retrying, _) => {
                let head = self.head_of(candidate.at, reader)?;
                spent.read += spent.row_bytes(head.len());
                Ok(crate::lateness::leading_time(&head))
            }
            _ => Ok(None),
        }
    }

    /// Returns the item of a list for an attempt in flight.
    pub(super) fn item_in_flight(&self, of: &InFlightMatch<'_>) -> Result<ListItem, EngineError> {
        let seq = of.flight.seq;
        let text = if of.is_paused {
            paused(of.text, self.decisions.mark_of(of.flight), seq)?
        } else {
            of.text.to_vec()
        };
        let corrupt = |problem: String| EngineError::Corrupt(format!("envelope {seq}: {problem}"));
        let text = String::from_utf8(text).map_err(|problem| corrupt(problem.to_string()))?;
        let record = RawValue::from_string(text).map_err(|problem| corrupt(problem.to_string()))?;
        Ok(ListItem {
            position: of.position,
            due: Some(of.due),
            status: Status::Running,
            is_running: false,
            is_attempt: true,
            is_cancelled: false,
            record,
        })
    }
}

impl Engine {
    /// Returns an item with its place in a list of this direction.
    fn placed(&self, item: ListItem, direction: Direction) -> ListItem {
        let position = self.place_of(item.position, direction);
        match direction {
            Direction::Forward | Direction::Changing => item,
            Direction::Backward => ListItem { due: Some(item.due()), position, ..item },
        }
    }
}
