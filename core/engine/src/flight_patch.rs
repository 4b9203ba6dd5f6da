//! A patch of a one-shot task that has an attempt in flight.

use crate::decisions::FlightRef;
use scheduler_model::task::{Record, version_of};

/// The record of the further attempts of a run in flight.
pub(super) struct FlightPatch {
    pub(super) flight: FlightRef,
    pub(super) record: Vec<u8>,
    pub(super) is_paused: bool,
}

impl FlightPatch {
    /// Returns the version of the task that readers see from now on.
    pub(super) fn version(&self) -> u64 {
        let shown = Record::parse(&self.record).ok().filter(|_| self.is_paused).map(|record| {
            let mut shown = Vec::new();
            Record { paused: Some(true), ..record }.write(&mut shown);
            shown
        });
        version_of(shown.as_ref().unwrap_or(&self.record))
    }
}
