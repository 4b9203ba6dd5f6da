//! Questions to limiters: how often shards ask, how a limiter lets them wait, and that every
//! wake-up moves the next one.

use crate::invariants::violated;
use crate::world::{Event, World};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::limiter::HOLD_MILLIS;
use scheduler_engine::{Effects, Write};
use scheduler_model::position::Position;
use scheduler_model::protocol::limiter::LimiterRequest;
use std::collections::{BTreeMap, HashMap};

/// Questions of one key that a shard may ask a second while nothing happens to it: one by each of
/// its reasons to ask.
const A_SECOND: f64 = 3.0;
/// Those that it may ask for each event: it has something to tell, something to give back, and
/// something to ask for.
const AN_EVENT: f64 = 3.0;
/// Those that it may ask at once, after a time without any.
const AT_ONCE: f64 = 12.0;
/// A request that was not answered is asked again, and an answer that was lost costs another
/// question.
const FOR_A_FAULT: f64 = 2.0;

/// How many questions a shard may still ask of a key.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    questions: f64,
    since: UnixMillis,
}

/// The questions of a run.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    allowed: HashMap<(usize, String), Allowance>,
    /// Those that wait at the limiter for a slot.
    held: BTreeMap<u64, (usize, LimiterRequest, UnixMillis)>,
    last_held: u64,
    /// How many there were.
    pub(crate) asked: u64,
}

impl World {
    /// `wakes-move`: after a wake-up the next one is later than now, unless this one fired, sent or
    /// wrote something, or has passed something that did not fire: `before` is the watermark before
    /// it.
    pub(crate) fn wakes_move(&mut self, at: usize, effects: &Effects, before: Position) {
        let is_news = |write: &Write| !matches!(write, Write::SaveState { .. });
        let has_moved = !effects.sends.is_empty() || effects.writes.iter().any(is_news);
        let has_moved = has_moved || self.shards[at].storage.watermark > before;
        let next = self.shards[at].engine.as_mut().and_then(scheduler_engine::Engine::next_wakeup);
        if !has_moved && next.is_some_and(|next| next <= self.now) {
            violated(
                "wakes-move",
                format!("woken at {} for nothing, and wants to be woken at {next:?}", self.now),
            );
        }
    }

    /// `questions-are-bounded`: a few a second of each shard and key, and a few for each thing that
    /// happens to the shard.
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
            // A token that a firing comes too late for is asked for again.
            allowed.questions += seconds * (A_SECOND + 2.0 * rate);
            allowed.questions = allowed.questions.min(4.0 * AT_ONCE) - 1.0;
            allowed.since = now;
            if allowed.questions < 0.0 {
                violated(
                    "questions-are-bounded",
                    format!("shard {at} asks too often for {:?}", ask.key),
                );
            }
        }
    }

    /// Something has happened to a shard, after which it may ask.
    pub(crate) fn may_ask(&mut self, at: usize, is_fault: bool) {
        let more = if is_fault { FOR_A_FAULT } else { AN_EVENT };
        for ((shard, _), allowed) in &mut self.questions.allowed {
            if *shard == at {
                allowed.questions += more;
            }
        }
    }

    /// Lets a question that finds no slot wait at the limiter, which answers when something has
    /// changed, or when the time is over.
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

    /// Something has changed at the limiter.
    pub(crate) fn ask_held_again(&mut self) {
        let numbers: Vec<u64> = self.questions.held.keys().copied().collect();
        let now = self.now;
        numbers.into_iter().for_each(|number| self.plan(now, Event::AskAgain { number }));
    }

    /// A question that waited is asked again, unless it was answered.
    pub(crate) fn ask_again(&mut self, number: u64) {
        if let Some((shard, asked, until)) = self.questions.held.remove(&number) {
            self.ask_limiter(shard, &asked, Some(until));
        }
    }
}
