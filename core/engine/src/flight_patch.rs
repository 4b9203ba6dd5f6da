//! A patch of a one-shot task that has an attempt in flight.

use crate::decisions::FlightRef;
use crate::flights::paused;
use crate::pause_mark::PauseMark;
use scheduler_model::task::version_of;

/// The record of the further attempts of a run in flight.
pub(super) struct FlightPatch {
    pub(super) flight: FlightRef,
    pub(super) record: Vec<u8>,
    pub(super) is_paused: bool,
    /// The mark of its pause.
    pub(super) mark: Option<PauseMark>,
}

impl FlightPatch {
    /// Returns the version of the task that readers see from now on.
    pub(super) fn version(&self) -> u64 {
        let shown = || paused(&self.record, self.mark.as_ref(), self.flight.seq).ok();
        let shown = if self.is_paused { shown() } else { None };
        version_of(shown.as_ref().unwrap_or(&self.record))
    }
}
