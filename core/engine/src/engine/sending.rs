//! Redelivery of envelopes that a queue has not accepted or that no dispatcher has reported.
//!
//! A send ends in one of three ways:
//! - **Accepted.** The shard waits for the report for the visibility timeout, which doubles with
//!   each redelivery.
//! - **Refused.** The envelope has not left the shard, so none of its runs can have started. The
//!   shard retries after a short back-off, which does not count as a redelivery.
//! - **Unanswered,** because the queue hung or the connection was lost. The queue may have accepted
//!   the envelope. The shard waits for a dispatcher's report as if it had, but without doubling. It
//!   sends to a user's own queue again after the back-off.
//!
//! A send that the queue accepts at once writes no row in addition to that of its firing. Any other
//! send writes a row when its result is known and a row when it is repeated, so that a restarted
//! shard knows both.

use super::Engine;
use crate::budget::{MAX_ENDED_BYTES, MAX_RESENDS};
use crate::effects::{Destination, Effects, Outgoing, Write};
use crate::error::{EngineError, contradiction};
use crate::outbox::InFlight;
use crate::reader::Reader;
use crate::sends::Sends;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_ENVELOPE_BYTES;
use scheduler_model::numbers::EnvelopeSeq;
use std::cmp::Reverse;
use std::sync::Arc;

/// The first wait after a queue refused a message, in milliseconds. The wait doubles each time, up
/// to the visibility timeout.
const SEND_RETRY_MILLIS: i64 = 1_000;

/// The most doublings of the visibility timeout for the wait before a redelivery.
const MAX_RESEND_DOUBLINGS: u32 = 4;

impl Engine {
    /// Adds an envelope that is in flight now.
    pub(super) fn dispatch(&mut self, seq: EnvelopeSeq, envelope: InFlight) {
        for hash in &envelope.hashes {
            *self.in_flight.entry(*hash).or_default() += 1;
        }
        if envelope.destination.is_reported() {
            self.dispatched += envelope.hashes.len();
        }
        self.resends.push(Reverse((envelope.resend_at, seq)));
        self.outbox.insert(seq, envelope);
    }

    /// Returns when an envelope that was sent at `sent_at`, and was redelivered `attempts` times,
    /// is redelivered again.
    pub(super) fn resend_time(&self, sent_at: UnixMillis, attempts: u32) -> UnixMillis {
        let doublings = attempts.min(MAX_RESEND_DOUBLINGS);
        sent_at.plus(self.config.visibility_millis.saturating_mul(1 << doublings))
    }

    /// Returns how long an envelope waits after `refusals` refusals in a row.
    fn send_back_off(&self, refusals: u32) -> i64 {
        SEND_RETRY_MILLIS
            .saturating_mul(1 << refusals.saturating_sub(1).min(20))
            .min(self.config.visibility_millis)
    }

    /// Returns when a stored envelope is sent again after a restart.
    pub(super) fn resend_time_of_stored(
        &self,
        destination: &Destination,
        sent_at: UnixMillis,
        attempts: u32,
        sends: Sends,
    ) -> UnixMillis {
        match (sends, destination) {
            (Sends::Sent, Destination::Dispatch | Destination::Lane(_)) => {
                self.resend_time(sent_at, attempts)
            }
            // After a crash, the shard does not know whether the user's queue accepted the
            // envelope, so it sends the envelope again at once.
            (Sends::Sent | Sends::Unanswered, Destination::Queue(_)) => sent_at,
            (Sends::Unanswered, Destination::Dispatch | Destination::Lane(_)) => {
                sent_at.plus(self.config.visibility_millis)
            }
            (Sends::Refused(times) | Sends::SentAfter(times), _) => {
                sent_at.plus(self.send_back_off(times))
            }
        }
    }

    /// Handles that the dispatchers' queue has accepted an envelope. Forgets earlier refusals.
    pub(super) fn taken(&mut self, seq: EnvelopeSeq, now: UnixMillis, effects: &mut Effects) {
        // A report may have ended the envelope before the answer of the queue arrived.
        let Some(envelope) = self.outbox.get(&seq) else { return };
        if envelope.sends == Sends::Sent {
            return;
        }
        let resend_at = self.resend_time(now, envelope.attempts);
        self.resends.push(Reverse((resend_at, seq)));
        if let Some(envelope) = self.outbox.get_mut(&seq) {
            (envelope.sends, envelope.resend_at) = (Sends::Sent, resend_at);
            effects.writes.push(Write::SendEnded { seq, at: None, sends: Sends::Sent });
        }
    }

    /// Records that the queue has refused an envelope. The shard sends it again soon.
    pub fn send_failed(&mut self, seq: EnvelopeSeq, now: UnixMillis) -> Effects {
        // A report may have ended the envelope before.
        let Some(envelope) = self.outbox.get(&seq) else { return Effects::default() };
        let refusals = envelope.sends.refusals().saturating_add(1);
        self.send_once_more(seq, Sends::Refused(refusals), self.send_back_off(refusals), now)
    }

    /// Records that the queue has not answered in time. It may have accepted the envelope.
    pub fn send_unanswered(&mut self, seq: EnvelopeSeq, now: UnixMillis) -> Effects {
        // A report may have ended the envelope before.
        let Some(envelope) = self.outbox.get(&seq) else { return Effects::default() };
        if envelope.destination.is_reported() {
            return self.send_once_more(seq, Sends::Unanswered, self.config.visibility_millis, now);
        }
        self.send_failed(seq, now)
    }

    fn send_once_more(
        &mut self,
        seq: EnvelopeSeq,
        sends: Sends,
        wait: i64,
        now: UnixMillis,
    ) -> Effects {
        let resend_at = now.plus(wait);
        if let Some(envelope) = self.outbox.get_mut(&seq) {
            (envelope.sends, envelope.sent_at, envelope.resend_at) = (sends, now, resend_at);
        }
        self.resends.push(Reverse((resend_at, seq)));
        Effects {
            writes: vec![Write::SendEnded { seq, at: Some(now), sends }],
            ..Effects::default()
        }
    }

    /// Sends again the envelopes whose report is overdue, and refused envelopes that have waited.
    /// Returns the envelopes whose runs were all stopped, which end instead.
    pub(super) fn resend(
        &mut self,
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<Vec<EnvelopeSeq>, EngineError> {
        let mut stopped = Vec::new();
        // An envelope that ends is read once more, with all patched records of its tasks.
        let mut bytes_to_end = 0;
        for _ in 0..MAX_RESENDS {
            if bytes_to_end >= MAX_ENDED_BYTES {
                break;
            }
            let Some(at) = self.next_resend().filter(|at| *at <= now) else { break };
            let Some(Reverse((_, seq))) = self.resends.pop() else { break };
            if self.outbox.get(&seq).is_none_or(|envelope| envelope.resend_at != at) {
                continue;
            }
            let Some(text) = self.text_to_send_again(seq, reader.envelope(seq)?, effects)? else {
                stopped.push(seq);
                bytes_to_end += MAX_ENVELOPE_BYTES + self.decisions.patched_bytes(seq);
                continue;
            };
            let text = Arc::new(text);
            let Some(envelope) = self.outbox.get_mut(&seq) else {
                return Err(contradiction("an envelope that is sent again is done"));
            };
            // A redelivery follows a send that the queue may have accepted. Only an accepted send
            // makes the next wait longer.
            let (attempts, sends) = match envelope.sends {
                Sends::Refused(times) => (envelope.attempts, Sends::SentAfter(times)),
                // A user's queue may not have accepted the envelope before a crash. If the send
                // itself caused the crash, the count keeps the next send from coming at once.
                Sends::Sent | Sends::SentAfter(_) if !envelope.destination.is_reported() => (
                    envelope.attempts.max(1),
                    Sends::SentAfter(envelope.sends.refusals().saturating_add(1)),
                ),
                Sends::Sent => (envelope.attempts.saturating_add(1), Sends::Sent),
                unknown => (envelope.attempts.max(1), unknown),
            };
            let is_redelivery = !matches!(envelope.sends, Sends::Refused(_));
            (envelope.attempts, envelope.sends) = (attempts, sends);
            let destination = envelope.destination.clone();
            // The other envelopes wait for the answer of a queue, which may give none.
            let resend_at = self.resend_time(now, if sends == Sends::Sent { attempts } else { 0 });
            if let Some(envelope) = self.outbox.get_mut(&seq) {
                (envelope.sent_at, envelope.resend_at) = (now, resend_at);
            }
            self.resends.push(Reverse((resend_at, seq)));
            self.state.counters.redelivered += u64::from(is_redelivery);
            self.state.meter.count_message(text.len());
            effects.writes.push(Write::Resent { seq, sent_at: now, attempts, sends });
            effects.sends.push(Outgoing { seq, destination, text });
        }
        Ok(stopped)
    }
}
