//! What the engine does when the clock goes back.
//!
//! The engine trusts the time of each input: no task fires before its time by the shard's clock at
//! that moment. When the clock goes back, the engine corrects all state that depends on the earlier
//! time:
//! - **The watermark** is in the future, so tasks due before it would wait until the clock reaches
//!   it. [`Engine::observe`] moves it back to now, so that a task fires when it is due and no
//!   occurrence is lost. It marks what has fired since then, because a restart would otherwise
//!   treat it as waiting: it marks entries of pages as cancelled and gives recurring tasks a later
//!   start of their occurrences.
//! - **Bounded waits** (for a report, after a refused send, between firings, for a limiter's
//!   answer) begin now at the latest.
//! - **Tokens** of a rate that were requested before are discarded.
//! - **Points of the series** that are in the future join the current one (see `series.rs`).
//!
//! A time that was computed while the clock was ahead (the back-off of a further attempt, the due
//! time that `run` sets) stays as it is. The engine does not notice a step back that is shorter
//! than the time since the last input. Such a step delays a task by its own length at most.

use super::Engine;
use crate::effects::{Effects, Write};
use crate::sends::Sends;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::numbers::{EnvelopeSeq, LaneNumber};
use scheduler_model::position::Position;
use std::cmp::Reverse;

impl Engine {
    /// Records the time of an input. If the clock has gone back behind the watermark, returns rows
    /// that mark what has fired since; it does so once for each step back.
    pub fn observe(&mut self, now: UnixMillis) -> Effects {
        if now < self.seen {
            self.begin_waits_by(now);
        }
        self.seen = now;
        self.note_series(now);
        let mut effects = Effects::default();
        let mut orders: Vec<LaneNumber> =
            std::iter::once(LaneNumber::MAIN).chain(self.lanes.numbers()).collect();
        orders.retain(|lane| self.watermark_of(*lane).due > now);
        if !orders.is_empty() {
            self.turn_back(&orders, now, &mut effects);
        }
        effects
    }

    /// Moves the watermarks of these orders back to now. Waiting tasks are after the old watermarks
    /// and do not change. Marks entries after the new watermarks that have already fired.
    fn turn_back(&mut self, orders: &[LaneNumber], now: UnixMillis, effects: &mut Effects) {
        let place = Position { due: now.plus(-1), page: u32::MAX, index: u32::MAX };
        for (page, bits) in self.tasks.cancel_fired(place.due, orders) {
            effects.writes.push(Write::SetDead { page, bits });
        }
        if orders.contains(&LaneNumber::MAIN) {
            for (number, since) in self.tasks.starts_behind(place.due) {
                effects.writes.push(Write::SetSince { number, since });
            }
        }
        for lane in orders {
            self.set_watermark(*lane, place);
        }
        effects.writes.push(self.save_state());
    }

    /// Limits all bounded waits: each begins now at the latest.
    fn begin_waits_by(&mut self, now: UnixMillis) {
        let is_new = self.seen == UnixMillis::new(i64::MAX);
        self.last_fired_at = self.last_fired_at.map(|last| last.min(now));
        self.events.begin_by(now);
        self.lanes.begin_waits_by(now);
        let later: Vec<EnvelopeSeq> = self
            .outbox
            .iter()
            .filter(|(_, envelope)| envelope.resend_at > now)
            .map(|(seq, _)| *seq)
            .collect();
        for seq in later {
            let Some(envelope) = self.outbox.get(&seq) else {
                return self.contradicts("an envelope has left the outbox meanwhile");
            };
            let (sends, attempts) = (envelope.sends, envelope.attempts);
            let latest = match sends {
                _ if is_new => {
                    self.resend_time_of_stored(&envelope.destination, now, attempts, sends)
                }
                Sends::Refused(_) => {
                    self.resend_time_of_stored(&envelope.destination, now, attempts, sends)
                }
                Sends::Sent => self.resend_time(now, attempts),
                // The envelope waits for a report.
                Sends::SentAfter(_) | Sends::Unanswered => self.resend_time(now, 0),
            };
            let resend_at = envelope.resend_at.min(latest);
            if let Some(envelope) =
                self.outbox.get_mut(&seq).filter(|envelope| envelope.resend_at != resend_at)
            {
                envelope.resend_at = resend_at;
                self.resends.push(Reverse((resend_at, seq)));
            }
        }
        // The debt of creates runs ahead of the clock. It must not grow by a step of the clock.
        if !is_new {
            self.state.used = self.state.used.moved_back(self.seen.since(now));
        }
    }
}
