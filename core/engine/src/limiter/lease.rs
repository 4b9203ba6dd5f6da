//! A shard's side of the limit of a key: what it holds, when it sends requests, and what it may
//! dispatch.

use super::{FIRST_RETRY_MILLIS, HOLD_MILLIS, LINGER_MILLIS, LONGEST_RETRY_MILLIS, RENEW_MILLIS};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::protocol::limiter::{
    Answer, Conversation, LeaseRequest, NO_RATE_MILLIS, RequestNumber, TOKENS_MILLIS,
};

/// A shard gives up a request without an answer after this time, in milliseconds, because whatever
/// it waits for may be gone.
const GIVEN_UP_MILLIS: i64 = HOLD_MILLIS + 4_000;

/// What a shard holds of the limit of a key. [`LeaseRequest`] states the rules that it follows.
#[derive(Debug, Clone)]
pub struct Lease {
    /// The slots that the shard counts as its own. There are at least as many as runs `in_flight`.
    slots: u32,
    /// The slots that the shard should have, by the limiter's last answer.
    target: u32,
    in_flight: u32,
    /// The runs that the shard may dispatch before `tokens_end`; `None` means any number.
    tokens: Option<u32>,
    tokens_end: UnixMillis,
    asked: Option<(RequestNumber, UnixMillis)>,
    /// The conversation that the limiter expects in requests.
    conversation: Option<Conversation>,
    /// How many answers in a row have started a new conversation.
    begun: u32,
    /// Whether the limiter is known to have noted exactly `slots`.
    is_noted: bool,
    /// What the last request asked for: the runs in flight plus the waiting ones.
    wanted: u32,
    /// Whether the limiter may grant more to a copy of the last request than in the answer that the
    /// shard accepted. The limiter then notes slots that the shard does not know of.
    may_be_given_more: bool,
    answered_at: UnixMillis,
    /// When it makes sense to request again what was not granted.
    retry_at: UnixMillis,
    /// The earliest time of the next request, after requests without an answer.
    back_off_until: UnixMillis,
    failures: u32,
    /// When a run was last dispatched or ended, or slots were last added.
    used_at: UnixMillis,
}

impl Lease {
    /// Creates a lease with `in_flight` runs in the outbox. `was_held` says whether the limiter may
    /// have noted slots.
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

    /// Returns the number of runs that are dispatched and not reported.
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Returns the slots that the shard counts as its own.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Returns whether the shard holds nothing, has nothing in flight, and the limiter knows this.
    pub fn is_over(&self) -> bool {
        self.slots == 0
            && self.in_flight == 0
            && self.is_noted
            && !self.may_be_given_more
            && self.asked.is_none()
    }

    /// Returns how many runs the shard may dispatch now.
    pub fn room(&self, now: UnixMillis) -> u32 {
        let tokens = if now < self.tokens_end { self.tokens.unwrap_or(u32::MAX) } else { 0 };
        tokens.min(self.slots.saturating_sub(self.in_flight))
    }

    /// Corrects the times after the clock has gone back. A bounded wait counts from now at the
    /// latest. Tokens that were requested before expire, because their age is unknown.
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

    /// Records runs that are dispatched. Assumes that there is room for them.
    pub fn dispatch(&mut self, runs: u32, now: UnixMillis) {
        if runs == 0 {
            return;
        }
        self.in_flight = self.in_flight.saturating_add(runs);
        self.tokens = self.tokens.map(|tokens| tokens.saturating_sub(runs));
        self.used_at = now;
    }

    /// Undoes [`Self::dispatch`] for runs that the same firing does not dispatch after all. Their
    /// slots and tokens are free again.
    pub fn undo_dispatch(&mut self, runs: u32) {
        self.in_flight = self.in_flight.saturating_sub(runs);
        self.tokens = self.tokens.map(|tokens| tokens.saturating_add(runs));
    }

    /// Records runs that have ended.
    pub fn end(&mut self, runs: u32, now: UnixMillis) {
        if runs == 0 {
            return;
        }
        self.in_flight = self.in_flight.saturating_sub(runs);
        self.used_at = now;
    }

    /// Returns whether a due run could be dispatched. Ignores whether tokens have expired.
    fn has_room(&self) -> bool {
        self.slots > self.in_flight && self.tokens != Some(0)
    }

    /// Returns when the shard may dispatch the next task, which is due at `head`. The tokens may
    /// have expired by then. [`Self::wants_to_ask`] finds that out.
    pub fn fire_at(&self, head: Option<UnixMillis>) -> Option<UnixMillis> {
        head.filter(|_| self.has_room())
    }

    /// Returns when the shard needs to send a request if the next task is due at `head`. A time in
    /// the past means now.
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
        // A request for nothing revokes what a copy of the last request was granted. So does a
        // request for the head.
        let end_copies = self.answered_at.plus(RENEW_MILLIS);
        let end_copies = Some(end_copies)
            .filter(|at| self.may_be_given_more && head.is_none_or(|due| due > *at));
        [for_head, give_back, tell, end_copies]
            .into_iter()
            .flatten()
            .min()
            .map(|at| at.max(self.back_off_until))
    }

    /// Returns whether to send a request now if the next task is due at `head`. Gives up a request
    /// that got no answer.
    pub fn wants_to_ask(&mut self, head: Option<UnixMillis>, now: UnixMillis) -> bool {
        if let Some((number, at)) = self.asked
            && now.since(at) >= GIVEN_UP_MILLIS
        {
            self.fail(number, now);
        }
        // Expired tokens are dropped.
        if now >= self.tokens_end {
            self.tokens = Some(0);
        }
        self.asked.is_none() && self.ask_at(head).is_some_and(|at| at <= now)
    }

    /// Returns whether the shard has had unused slots for a second in which no run started or
    /// ended.
    pub fn is_unused(&self, now: UnixMillis) -> bool {
        self.slots > self.in_flight && now.since(self.used_at) >= LINGER_MILLIS
    }

    /// Returns when the shard returns unused slots. If it has never used its slots, the time counts
    /// from the answer that granted them. If it counted from the last use alone, it would be in the
    /// past, and a request would follow every answer.
    fn idle_at(&self) -> UnixMillis {
        self.used_at.max(self.answered_at).plus(LINGER_MILLIS)
    }

    /// Returns the request with this number, for a shard with `waiting` due tasks. The slots that
    /// the request returns no longer count as the shard's own.
    pub fn ask(&mut self, number: RequestNumber, waiting: u32, now: UnixMillis) -> LeaseRequest {
        let is_idle = waiting == 0 && now >= self.idle_at();
        let keep = if is_idle { 0 } else { self.target };
        self.slots = self.slots.min(keep.max(self.in_flight));
        self.asked = Some((number, now));
        self.is_noted = false;
        self.wanted = if waiting == 0 { 0 } else { self.in_flight.saturating_add(waiting) };
        LeaseRequest {
            number,
            slots: self.slots,
            in_flight: self.in_flight,
            waiting,
            conversation: self.conversation,
        }
    }

    /// Handles the limiter's answer. An answer to an older request, or a repeated one, changes
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

    /// Starts a conversation. The shard sends its request again: at once the first time, later
    /// after a wait.
    fn begin(&mut self, answer: &Answer, now: UnixMillis) {
        self.conversation = answer.conversation;
        // The limiter can be reached, so earlier requests without an answer do not make this wait
        // longer.
        self.failures = self.begun.saturating_sub(1);
        if self.begun > 0 {
            self.fail(answer.number, now);
        }
        self.asked = None;
        self.begun = self.begun.saturating_add(1);
    }

    /// Records that the request with this number got no answer.
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
