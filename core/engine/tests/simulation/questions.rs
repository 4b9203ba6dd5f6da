//! Requests to limiters: how often shards send them, how long a limiter holds them, and that every
//! wake-up moves the next one.

use crate::invariants::violated;
use crate::world::{Event, World};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::limiter::HOLD_MILLIS;
use scheduler_engine::{Effects, Write};
use scheduler_model::position::Position;
use scheduler_model::protocol::limiter::LimiterRequest;
use std::collections::{BTreeMap, HashMap};

/// The requests for one key that a shard may send per second while nothing happens to it: one for
/// each of its reasons.
const A_SECOND: f64 = 3.0;
/// The requests that a shard may send for each event: to report something, to return something, and
/// to request something.
const AN_EVENT: f64 = 3.0;
/// The requests that a shard may send at once, after a time without any.
const AT_ONCE: f64 = 12.0;
/// A request without an answer is sent again, and a lost answer costs another request.
const FOR_A_FAULT: f64 = 2.0;

/// How many requests a shard may still send for a key.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    questions: f64,
    since: UnixMillis,
}

/// The requests of a run.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    allowed: HashMap<(usize, String), Allowance>,
    /// The requests that wait at the limiter for a slot.
    held: BTreeMap<u64, (usize, LimiterRequest, UnixMillis)>,
    last_held: u64,
    /// The number of requests so far.
    pub(crate) asked: u64,
}

impl World {
    /// `wakes-move`: after a wake-up, the next one is later than now, unless this one fired, sent
    /// or wrote something, or moved the watermark. `before` is the watermark before the wake-up.
    pub(crate) fn wakes_move(&mut self, at: usize, effects: &Effects, before: Position) {
        let is_news = |write: &Write| !matches!(write, Write::SaveState { .. });
        let has_moved = !effects.sends.is_empty() || effects.writes.iter().any(is_news);
        let has_moved = has_moved || self.shards[at].storage.watermark > before;
        let next = self.shards[at].engine.as_mut().and_then(scheduler_engine::Engine::next_wakeup);
        if !has_moved && next.is_some_and(|next| next <= self.now) {
            violated(
                "wakes-move",
                format!("the wake-up at {} did nothing, and the next one is at {next:?}", self.now),
            );
        }
    }

    /// `questions-are-bounded`: each shard sends a few requests per second and key, and a few for
    /// each event.
    pub(crate) fn count_questions(&mut self, at: usize, effects: &Effects) {
        for ask in &effects.asks {
            self.questions.asked += 1;
            let rate = self.limits.rate_of(&ask.key).unwrap_or(0.0);
            let now = self.true_now();
            let allowed = self
                .questions
                .allowed
                .entry((at, ask.key.clone()))
                .or_insert(Allowance { questions: AT_ONCE, since: now });
            let seconds = now.since(allowed.since) as f64 / 1_000.0;
            // A token that expires before the next firing is requested again.
            allowed.questions += seconds * (A_SECOND + 2.0 * rate);
            allowed.questions = allowed.questions.min(4.0 * AT_ONCE) - 1.0;
            allowed.since = now;
            if allowed.questions < 0.0 {
                violated(
                    "questions-are-bounded",
                    format!("shard {at} sends too many requests for {:?}", ask.key),
                );
            }
        }
    }

    /// Allows further requests of a shard after an event or a fault.
    pub(crate) fn may_ask(&mut self, at: usize, is_fault: bool) {
        let more = if is_fault { FOR_A_FAULT } else { AN_EVENT };
        for ((shard, _), allowed) in &mut self.questions.allowed {
            if *shard == at {
                allowed.questions += more;
            }
        }
    }

    /// Holds a request without a free slot at the limiter, which answers when something has changed
    /// or the time is over.
    pub(crate) fn hold_question(
        &mut self,
        at: usize,
        asked: &LimiterRequest,
        until: Option<UnixMillis>,
    ) -> bool {
        let until = until.unwrap_or(self.now.plus(HOLD_MILLIS));
        if until <= self.now {
            return false;
        }
        self.questions.last_held += 1;
        let number = self.questions.last_held;
        self.questions.held.insert(number, (at, asked.clone(), until));
        self.plan(until, Event::AskAgain { number });
        true
    }

    /// Repeats the held requests, because something has changed at the limiter.
    pub(crate) fn ask_held_again(&mut self) {
        let numbers: Vec<u64> = self.questions.held.keys().copied().collect();
        let now = self.now;
        numbers.into_iter().for_each(|number| self.plan(now, Event::AskAgain { number }));
    }

    /// Repeats a held request, unless it was answered.
    pub(crate) fn ask_again(&mut self, number: u64) {
        if let Some((shard, asked, until)) = self.questions.held.remove(&number) {
            self.ask_limiter(shard, &asked, Some(until));
        }
    }
}
