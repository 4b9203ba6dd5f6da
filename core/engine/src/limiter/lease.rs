//! A shard's side of a key's limit: what it has, when to ask, and what it may dispatch.

use super::{FIRST_RETRY_MILLIS, HOLD_MILLIS, LINGER_MILLIS, LONGEST_RETRY_MILLIS, RENEW_MILLIS};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::protocol::limiter::{
    Answer, Ask, Conversation, NO_RATE_MILLIS, RequestNumber, TOKENS_MILLIS,
};

/// A request that has had no answer for so long is given up, milliseconds: what waited for it may
/// have died.
const GIVEN_UP_MILLIS: i64 = HOLD_MILLIS + 4_000;

/// What a shard has of a key's limit. See [`Ask`] for what it must keep to.
#[derive(Debug, Clone)]
pub struct Lease {
    /// What it takes itself to have; at least `in_flight`.
    slots: u32,
    /// What it should have, as the limiter said last.
    target: u32,
    in_flight: u32,
    /// Runs that it may dispatch before `tokens_end`; `None`: any number.
    tokens: Option<u32>,
    tokens_end: UnixMillis,
    asked: Option<(RequestNumber, UnixMillis)>,
    /// What the limiter wants its requests to name.
    conversation: Option<Conversation>,
    /// How often the limiter has answered with a new conversation, one after the other.
    begun: u32,
    /// Whether the limiter is known to have noted `slots` and no more.
    is_noted: bool,
    /// What it asked for last: the runs in flight, and those that waited.
    wanted: u32,
    /// Whether a copy of its last request may get more than the answer that it took: the limiter
    /// then notes slots that it does not know of.
    may_be_given_more: bool,
    answered_at: UnixMillis,
    /// When there is a point in asking for what was not given.
    retry_at: UnixMillis,
    /// Not before: the limiter did not answer.
    back_off_until: UnixMillis,
    failures: u32,
    /// When a run was last dispatched or ended, or slots were added.
    used_at: UnixMillis,
}

impl Lease {
    /// One of which `in_flight` runs are in the outbox. `was_held`: whether the limiter may have
    /// noted more, or anything.
    pub fn new(in_flight: u32, was_held: bool) -> Self {
        Self {
            slots: in_flight,
            target: in_flight,
            in_flight,
            tokens: Some(0),
            tokens_end: UnixMillis::ZERO,
            asked: None,
            conversation: None,
            begun: 0,
            is_noted: !was_held && in_flight == 0,
            wanted: 0,
            may_be_given_more: false,
            answered_at: UnixMillis::ZERO,
            retry_at: UnixMillis::ZERO,
            back_off_until: UnixMillis::ZERO,
            failures: 0,
            used_at: UnixMillis::ZERO,
        }
    }

    /// Runs dispatched and not reported.
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// The slots that it takes itself to have.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Whether nothing is held, nothing in flight, and the limiter knows.
    pub fn is_over(&self) -> bool {
        self.slots == 0
            && self.in_flight == 0
            && self.is_noted
            && !self.may_be_given_more
            && self.asked.is_none()
    }

    /// Runs that it may dispatch now.
    pub fn room(&self, now: UnixMillis) -> u32 {
        let tokens = if now < self.tokens_end { self.tokens.unwrap_or(u32::MAX) } else { 0 };
        tokens.min(self.slots.saturating_sub(self.in_flight))
    }

    /// The clock has gone back. What waits for a bounded time has begun to wait now, at the latest;
    /// tokens that were asked for before end, since nobody can tell how old they are.
    pub(crate) fn begin_waits_by(&mut self, now: UnixMillis) {
        self.tokens_end = self.tokens_end.min(now);
        self.tokens = Some(0);
        self.answered_at = self.answered_at.min(now);
        self.used_at = self.used_at.min(now);
        self.retry_at = self.retry_at.min(now.plus(RENEW_MILLIS));
        self.back_off_until = self.back_off_until.min(now.plus(LONGEST_RETRY_MILLIS));
        if let Some((_, at)) = &mut self.asked {
            *at = (*at).min(now);
        }
    }

    /// Notes runs that are dispatched; no more than there is room for.
    pub fn dispatch(&mut self, runs: u32, now: UnixMillis) {
        if runs == 0 {
            return;
        }
        self.in_flight = self.in_flight.saturating_add(runs);
        self.tokens = self.tokens.map(|tokens| tokens.saturating_sub(runs));
        self.used_at = now;
    }

    /// Undoes [`Self::dispatch`] for runs of the same firing that are not dispatched after all.
    /// Their slots and tokens are free again.
    pub fn take_back(&mut self, runs: u32) {
        self.in_flight = self.in_flight.saturating_sub(runs);
        self.tokens = self.tokens.map(|tokens| tokens.saturating_add(runs));
    }

    /// Notes runs that have ended.
    pub fn end(&mut self, runs: u32, now: UnixMillis) {
        if runs == 0 {
            return;
        }
        self.in_flight = self.in_flight.saturating_sub(runs);
        self.used_at = now;
    }

    /// Whether something could be dispatched, if it was due, as far as is known without the time.
    fn has_room(&self) -> bool {
        self.slots > self.in_flight && self.tokens != Some(0)
    }

    /// When it may hand something on, if the next task is due at `head`. Of tokens that have ended
    /// by then it learns when it is about to ask.
    pub fn fire_at(&self, head: Option<UnixMillis>) -> Option<UnixMillis> {
        head.filter(|_| self.has_room())
    }

    /// When it wants to ask, if the next task is due at `head`. A time in the past means now.
    pub fn ask_at(&self, head: Option<UnixMillis>) -> Option<UnixMillis> {
        if let Some((_, at)) = self.asked {
            return Some(at.plus(GIVEN_UP_MILLIS));
        }
        let for_head = head.map(|due| {
            let has_its_part = self.slots >= self.target && self.slots > 0;
            let renew = if self.has_room() || (self.slots <= self.in_flight && has_its_part) {
                self.answered_at.plus(RENEW_MILLIS)
            } else {
                self.retry_at
            };
            renew.max(due)
        });
        let is_too_much = self.slots > self.target.max(self.in_flight);
        let idle_at = self.idle_at();
        let give_back = if is_too_much {
            Some(self.answered_at)
        } else {
            Some(idle_at).filter(|idle_at| {
                self.slots > self.in_flight && head.is_none_or(|due| due > *idle_at)
            })
        };
        let tell = (!self.is_noted).then_some(UnixMillis::ZERO);
        // A request for nothing ends what a copy of the last one was given. One for the head does
        // so, too.
        let end_copies = self.answered_at.plus(RENEW_MILLIS);
        let end_copies = Some(end_copies)
            .filter(|at| self.may_be_given_more && head.is_none_or(|due| due > *at));
        [for_head, give_back, tell, end_copies]
            .into_iter()
            .flatten()
            .min()
            .map(|at| at.max(self.back_off_until))
    }

    /// Whether to ask now, if the next task is due at `head`; a request that had no answer is given
    /// up.
    pub fn wants_to_ask(&mut self, head: Option<UnixMillis>, now: UnixMillis) -> bool {
        if let Some((number, at)) = self.asked
            && now.since(at) >= GIVEN_UP_MILLIS
        {
            self.fail(number, now);
        }
        // Tokens that have ended are none.
        if now >= self.tokens_end {
            self.tokens = Some(0);
        }
        self.asked.is_none() && self.ask_at(head).is_some_and(|at| at <= now)
    }

    /// Whether it has had unused slots for a second, in which no run has begun or ended.
    pub fn is_unused(&self, now: UnixMillis) -> bool {
        self.slots > self.in_flight && now.since(self.used_at) >= LINGER_MILLIS
    }

    /// Returns when slots that nothing uses are given back. A lease that got its slots and never
    /// used them counts from the answer that brought them: counted from its last use alone, the
    /// time would lie in the past and every answer would be followed by a question.
    fn idle_at(&self) -> UnixMillis {
        self.used_at.max(self.answered_at).plus(LINGER_MILLIS)
    }

    /// Returns the request with this number, of a shard with `waiting` tasks that are due. What it
    /// gives back it takes itself no longer to have.
    pub fn ask(&mut self, number: RequestNumber, waiting: u32, now: UnixMillis) -> Ask {
        let is_idle = waiting == 0 && now >= self.idle_at();
        let keep = if is_idle { 0 } else { self.target };
        self.slots = self.slots.min(keep.max(self.in_flight));
        self.asked = Some((number, now));
        self.is_noted = false;
        self.wanted = if waiting == 0 { 0 } else { self.in_flight.saturating_add(waiting) };
        Ask {
            number,
            slots: self.slots,
            in_flight: self.in_flight,
            waiting,
            conversation: self.conversation,
        }
    }

    /// The limiter's answer. One that is not to the newest request, or comes twice, changes
    /// nothing.
    pub fn answered(&mut self, answer: &Answer, now: UnixMillis) {
        let Some((_, asked_at)) = self.asked.filter(|(number, _)| *number == answer.number) else {
            return;
        };
        if answer.conversation.is_some() {
            return self.begin(answer, now);
        }
        self.begun = 0;
        self.asked = None;
        self.is_noted = true;
        if answer.slots > self.slots {
            self.used_at = now;
        }
        (self.slots, self.target) = (answer.slots, answer.target);
        self.may_be_given_more = answer.slots < self.wanted;
        self.tokens = answer.tokens;
        self.tokens_end =
            asked_at.plus(if answer.tokens.is_some() { TOKENS_MILLIS } else { NO_RATE_MILLIS });
        self.answered_at = now;
        self.retry_at = now.plus(i64::from(answer.retry_after_millis));
        (self.back_off_until, self.failures) = (UnixMillis::ZERO, 0);
    }

    /// Begins a conversation: asks again, at once for the first time, else after a while.
    fn begin(&mut self, answer: &Answer, now: UnixMillis) {
        self.conversation = answer.conversation;
        // The limiter can be reached: what it has not answered before makes this wait no longer.
        self.failures = self.begun.saturating_sub(1);
        if self.begun > 0 {
            self.fail(answer.number, now);
        }
        self.asked = None;
        self.begun = self.begun.saturating_add(1);
    }

    /// The request of this number was not answered.
    pub fn fail(&mut self, number: RequestNumber, now: UnixMillis) {
        if self.asked.is_some_and(|(asked, _)| asked == number) {
            self.asked = None;
            let wait = FIRST_RETRY_MILLIS
                .saturating_mul(1 << self.failures.min(10))
                .min(LONGEST_RETRY_MILLIS);
            self.failures = self.failures.saturating_add(1);
            self.back_off_until = now.plus(wait);
        }
    }
}
