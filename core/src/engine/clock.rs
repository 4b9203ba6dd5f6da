//! A clock that is wrong for a while.
//!
//! The engine believes the time that an input brings: nothing fires before its time by the shard's clock of that moment. What a clock that was
//! ahead has left behind is put right as soon as the clock is seen to have gone back:
//! - **The watermark** lies in the future, and what comes due before it would have to wait until it is reached. It is turned back to now
//!   ([`Engine::observe`]), so a task fires when it is due and no occurrence is lost. What has fired since then is marked in the rows by
//!   which a start-up would else take it for waiting: entries of pages as cancelled, recurring tasks by the start of their occurrences.
//! - **Waits that are bounded** (for a report, after a refused send, between firings, for a limiter's answer) begin now at the latest.
//! - **Tokens** of a limit's rate that were asked for before are not used.
//!
//! What was put off while the clock was ahead (a further attempt by its back-off, what was told to run) keeps the time that it was given.
//! A step back that is shorter than the time since the last input is not seen, and does no harm beyond its own length.

use super::{Effects, Engine, Sends, Write};
use crate::time::UnixMillis;
use crate::timers::Position;
use std::cmp::Reverse;

impl Engine {
    /// Notes the time. Gives what is to be written if the clock has gone back behind the watermark: rows for what has fired since, once for
    /// each step.
    pub fn observe(&mut self, now: UnixMillis) -> Effects {
        if now < self.seen {
            self.begin_waits_by(now);
        }
        self.seen = now;
        let mut effects = Effects::default();
        let mut orders: Vec<u8> = std::iter::once(0).chain(self.lanes.numbers()).collect();
        orders.retain(|lane| self.watermark_of(*lane).due > now);
        if !orders.is_empty() {
            self.turn_back(&orders, now, &mut effects);
        }
        effects
    }

    /// Turns the watermarks of these orders back. Everything that waits stands after them, so it stays as it is; what has fired and would
    /// stand after the new place is marked.
    fn turn_back(&mut self, orders: &[u8], now: UnixMillis, effects: &mut Effects) {
        let place = Position { due: now.plus(-1), page: u32::MAX, index: u32::MAX };
        for (page, bits) in self.tasks.bury_fired(place.due, orders) {
            effects.writes.push(Write::SetDead { page, bits });
        }
        if orders.contains(&0) {
            for (number, since) in self.tasks.starts_behind(place.due) {
                effects.writes.push(Write::SetSince { number, since });
            }
        }
        for lane in orders {
            self.set_watermark(*lane, place);
        }
        effects.writes.push(self.save_state());
    }

    /// What waits for a bounded time has begun to wait now, at the latest.
    fn begin_waits_by(&mut self, now: UnixMillis) {
        let is_new = self.seen == UnixMillis::new(i64::MAX);
        self.last_fired_at = self.last_fired_at.map(|last| last.min(now));
        self.feed.begin_by(now);
        self.lanes.begin_waits_by(now);
        let later: Vec<u64> = self.outbox.iter().filter(|(_, envelope)| envelope.resend_at > now).map(|(seq, _)| *seq).collect();
        for seq in later {
            let Some(envelope) = self.outbox.get(&seq) else { continue };
            let (sends, attempts) = (envelope.sends, envelope.attempts);
            let latest = match sends {
                _ if is_new => self.resend_time_of_stored(&envelope.destination, now, attempts, sends),
                Sends::Refused(_) => self.resend_time_of_stored(&envelope.destination, now, attempts, sends),
                Sends::Sent => self.resend_time(now, attempts),
                // An answer is awaited.
                Sends::SentAfter(_) | Sends::Unanswered => self.resend_time(now, 0),
            };
            let resend_at = envelope.resend_at.min(latest);
            if let Some(envelope) = self.outbox.get_mut(&seq).filter(|envelope| envelope.resend_at != resend_at) {
                envelope.resend_at = resend_at;
                self.resends.push(Reverse((resend_at, seq)));
            }
        }
        // The debt of creates, which runs ahead of the clock, does not grow by a step of it.
        if !is_new {
            self.state.used = self.state.used.moved_back(self.seen.since(now));
        }
    }
}
