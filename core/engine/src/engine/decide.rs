//! Storing and forgetting decisions about runs in flight.

use super::Engine;
use crate::decisions::{Decision, FlightRef, Stop};
use crate::effects::{Effects, Write};
use crate::pause_mark::PauseMark;
use scheduler_model::numbers::EnvelopeSeq;
use std::collections::{BTreeMap, BTreeSet};

impl Engine {
    /// Stores decisions about attempts in flight, and the marks of the pauses among them: in memory,
    /// and in one row for each envelope that changes.
    pub(super) fn decide(
        &mut self,
        decisions: impl IntoIterator<Item = (FlightRef, Decision)>,
        marks: BTreeMap<FlightRef, PauseMark>,
        effects: &mut Effects,
    ) {
        let mut touched = BTreeSet::new();
        for (FlightRef { seq, index }, decision) in decisions {
            debug_assert!(self.outbox.contains_key(&seq), "envelope {seq} is not in flight");
            self.decisions.insert(FlightRef { seq, index }, decision);
            touched.insert(seq);
        }
        for (flight, mark) in marks {
            debug_assert!(self.decisions.at(flight).is_paused(), "only a pause says anything");
            self.decisions.mark(flight, mark);
        }
        for seq in touched {
            let decisions = self.decisions.encoded(seq);
            effects.writes.push(Write::Decide { seq, decisions });
        }
    }

    /// Cancels runs in flight, so that no further attempt follows.
    pub(super) fn cancel_flights(&mut self, flights: &[FlightRef], effects: &mut Effects) {
        let cancelled = |flight: &FlightRef| {
            (*flight, Decision { stop: Some(Stop::Cancelled), ..self.decisions.at(*flight) })
        };
        let decisions: Vec<_> = flights.iter().map(cancelled).collect();
        self.decide(decisions, BTreeMap::new(), effects);
    }

    /// Forgets the decisions about an envelope that is done.
    pub(super) fn forget_decisions(&mut self, seq: EnvelopeSeq, effects: &mut Effects) {
        if self.decisions.remove(seq) {
            effects.writes.push(Write::ForgetDecisions { seq });
        }
    }
}
