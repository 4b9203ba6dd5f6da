//! `PATCH`, or `PUT` with `If-Match`, of a one-shot task with an attempt in flight.
//!
//! The attempt ends as it was dispatched. If the time stays the same, further attempts use the new
//! record, which is stored beside the envelope, and the count of attempts continues. A new time, or
//! another kind of schedule, means another run: the run in flight gets no further attempt, and the
//! task waits for its new time.

use super::Engine;
use crate::continued::{Pause, continued};
use crate::decisions::{Decision, FlightRef, Stop};
use crate::effects::{Effects, Write};
use crate::error::EngineError;
use crate::flight_patch::FlightPatch;
use crate::pause_mark::PauseMark;
use crate::reader::Reader;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::Page;
use scheduler_model::protocol::EventKind;
use scheduler_model::task::Record;

impl Engine {
    /// Returns the patch of the run in flight. Returns `None` if the task waits for a new time
    /// instead. `pages` are the pages of the request.
    ///
    /// # Errors
    /// Returns an error if the task cannot be patched, or if storage fails or is damaged.
    pub(super) fn patch_of(
        &self,
        flight: FlightRef,
        pages: &[Page],
        reader: &dyn Reader,
    ) -> Result<Option<FlightPatch>, EngineError> {
        let stored = self.record_in_flight(flight, reader)?;
        let former = Record::parse(&stored).map_err(|problem| {
            EngineError::Corrupt(format!("envelope {}: {problem}", flight.seq))
        })?;
        if former.is_recurring() || former.stage.is_some() {
            return Err(EngineError::Conflict(
                "what runs is a run of a task that is gone; it cannot be changed",
            ));
        }
        let Some((page, entry)) =
            pages.first().and_then(|page| Some((page, page.directory.get(0)?)))
        else {
            return Ok(None);
        };
        let start = entry.offset as usize;
        let text = page.body.get(start..start + entry.len as usize).unwrap_or_default();
        let given = Record::parse(text)
            .map_err(|problem| EngineError::BadRequest(format!("a record: {problem}")))?;
        if given.time.is_none() || !given.has_time_of(&former) {
            return Ok(None);
        }
        let is_paused = entry.due == UnixMillis::PAUSED;
        let mark = if self.decisions.at(flight).is_paused() {
            self.decisions.mark_of(flight).cloned()
        } else {
            PauseMark::of_request(&given)
        };
        let mark = mark.filter(|_| is_paused);
        // The time names the run, even if a changed law has moved it since.
        let start = former.start();
        let Record { time, attempt, failed_at, first_attempt_at, replayed_at, late_since, .. } =
            former;
        let given = Record { replayed_at, late_since, ..given.unpaused() };
        // A shorter delay does not change when the run was due.
        let late_since = Some(start)
            .filter(|start| given.is_conditional() && *start > given.start())
            .or(late_since);
        let error = former.error.clone();
        let patched =
            Record { time, attempt, failed_at, error, first_attempt_at, late_since, ..given };
        let record = continued(&patched, &former, &stored, Pause::None);
        if !self.decisions.has_room_for_patch(flight, record.len()) {
            return Err(EngineError::Conflict(
                "an attempt of the task is in flight, and so are others of the same message, which were changed to as much as it may hold; change the task when its attempt has ended",
            ));
        }
        Ok(Some(FlightPatch { flight, record, is_paused, mark }))
    }

    pub(super) fn patch_flight(
        &mut self,
        patch: FlightPatch,
        now: UnixMillis,
        effects: &mut Effects,
    ) {
        let FlightPatch { flight, record, is_paused, mark } = patch;
        self.events.note_text(EventKind::Updated, &record, now);
        let decision = self.decisions.at(flight);
        let decision =
            Decision { stop: is_paused.then_some(Stop::Paused), patched: true, ..decision };
        let marks = mark.into_iter().map(|mark| (flight, mark)).collect();
        self.decide([(flight, decision)], marks, effects);
        self.decisions.note_patch(flight, record.len());
        effects.writes.push(Write::Patch { seq: flight.seq, index: flight.index, record });
    }
}
