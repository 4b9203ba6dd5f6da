//! Envelopes in flight, as the engine holds them in memory.

use crate::effects::Destination;
use crate::sends::Sends;
use scheduler_calendar::time::UnixMillis;

/// An envelope that was dispatched and is not done.
#[derive(Debug, Clone)]
pub(super) struct InFlight {
    pub(super) destination: Destination,
    pub(super) hashes: Vec<u64>,
    /// When it was last sent, as stored.
    pub(super) sent_at: UnixMillis,
    pub(super) resend_at: UnixMillis,
    /// How often it was sent again after a send that the queue may have accepted.
    pub(super) attempts: u32,
    pub(super) sends: Sends,
}

impl InFlight {
    pub(super) fn new(
        destination: Destination,
        hashes: Vec<u64>,
        sent_at: UnixMillis,
        resend_at: UnixMillis,
    ) -> Self {
        Self { destination, hashes, sent_at, resend_at, attempts: 0, sends: Sends::Sent }
    }
}
