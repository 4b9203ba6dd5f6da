//! What the engine holds in memory of an envelope in flight.

use crate::effects::Destination;
use crate::sends::Sends;
use scheduler_calendar::time::UnixMillis;

/// An envelope that was handed on and is not done.
#[derive(Debug, Clone)]
pub(super) struct InFlight {
    pub(super) destination: Destination,
    pub(super) hashes: Vec<u64>,
    pub(super) resend_at: UnixMillis,
    /// How often it has been sent again after a send that the queue may have taken.
    pub(super) attempts: u32,
    pub(super) sends: Sends,
}

impl InFlight {
    pub(super) fn new(destination: Destination, hashes: Vec<u64>, resend_at: UnixMillis) -> Self {
        Self { destination, hashes, resend_at, attempts: 0, sends: Sends::Sent }
    }
}
