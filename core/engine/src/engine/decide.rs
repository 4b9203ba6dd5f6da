//! Storing and forgetting decisions about runs in flight.

use super::Engine;
use crate::decisions::{Decision, FlightRef, Stop};
use crate::effects::{Effects, Write};
use std::collections::BTreeSet;

impl Engine {
    /// Decides about attempts in flight: memory, and a row for each envelope that is touched.
    pub(super) fn decide(&mut self, decisions: impl IntoIterator<Item = (FlightRef, Decision)>, effects: &mut Effects) {
        let mut touched = BTreeSet::new();
        for (FlightRef { seq, index }, decision) in decisions {
            debug_assert!(self.outbox.contains_key(&seq), "envelope {seq} is not in flight");
            self.decided.insert(FlightRef { seq, index }, decision);
            touched.insert(seq);
        }
        for seq in touched {
            let decisions = self.decided.encoded(seq);
            effects.writes.push(Write::Decide { seq, decisions });
        }
    }

    /// Stops further attempts of runs for good.
    pub(super) fn cancel_flights(&mut self, flights: &[FlightRef], effects: &mut Effects) {
        let cancelled = |flight: &FlightRef| (*flight, Decision { stop: Some(Stop::Cancelled), ..self.decided.at(*flight) });
        let decisions: Vec<_> = flights.iter().map(cancelled).collect();
        self.decide(decisions, effects);
    }

    /// Forgets what was decided about an envelope, which is done.
    pub(super) fn forget_decisions(&mut self, seq: u64, effects: &mut Effects) {
        if self.decided.remove(seq) {
            effects.writes.push(Write::ForgetDecisions { seq });
        }
    }
}
