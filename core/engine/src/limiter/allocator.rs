//! Divides the limit of one key among shards. Sans I/O: takes a request and the time, returns an
//! answer.

use super::HEARD_MILLIS;
use super::bucket::Bucket;
use scheduler_calendar::ordered::sort_by_key;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::limit::Limit;
use scheduler_model::protocol::limiter::{
    Answer, Conversation, HeldBy, LeaseRequest, NO_LIMIT, RequestNumber,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The bounds of the wait for a shard without a token, in milliseconds. The lower bound is the time
/// of a firing. The upper bound limits how long a changed limit goes unnoticed.
const TOKEN_WAIT_MILLIS: std::ops::RangeInclusive<u64> = 20..=1_000;
/// The wait for a shard without a slot, in milliseconds. The shell of the limiter has already held
/// its request.
const SLOT_WAIT_MILLIS: u32 = 100;
/// How long the limiter remembers a shard that has returned everything, in milliseconds. A
/// forgotten shard starts a new conversation.
pub(super) const REMEMBER_MILLIS: i64 = 3_600_000;

/// Divides a limit among shards.
///
/// **Invariant.** The `slots` noted here for a shard are at least the slots that the shard counts
/// as its own. They decrease only by a request that is newer than all before it, that states the
/// lower number, and whose answer is the only one that the shard will still accept. They increase
/// before the answer is sent. Grants never raise the sum over all shards above the limit. Within a
/// [`Conversation`], the request with the higher number is newer. A request that names another
/// conversation is not carried out.
#[derive(Debug, Default)]
pub struct Allocator {
    limit: Option<Limit>,
    shards: BTreeMap<String, Share>,
    bucket: Bucket,
    /// The number of turns so far in which shards got slots or tokens.
    turns: u64,
}

/// The share of a shard, and what the shard has reported last.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    slots: u32,
    number: RequestNumber,
    /// The conversation that its requests must name. Not stored: after a restart, the limiter
    /// starts another one.
    conversation: Option<Conversation>,
    /// The conversation that the limiter has offered to the shard.
    offered: Option<Conversation>,
    in_flight: u32,
    waiting: u32,
    heard: UnixMillis,
    /// The turn in which the shard started to hold slots, or to wait for its first one.
    since: u64,
    /// The turn in which the shard started to wait for tokens.
    waits_for_tokens: Option<u64>,
}

impl Share {
    /// Returns whether the shard holds slots, and whether it holds none and waits for some.
    fn standing(&self) -> (bool, bool) {
        (self.slots > 0, self.slots == 0 && self.waiting > 0)
    }

    fn is_heard(&self, now: UnixMillis) -> bool {
        now.since(self.heard) < HEARD_MILLIS
    }

    /// Returns whether the shard waits for its first slot.
    fn waits_for_first_slot(&self, now: UnixMillis) -> bool {
        self.slots == 0 && self.waiting > 0 && self.is_heard(now)
    }

    /// Returns how many slots the shard could use.
    fn demand(&self, now: UnixMillis) -> u32 {
        self.in_flight.saturating_add(if self.is_heard(now) { self.waiting } else { 0 })
    }
}

/// Creates names for conversations. It uses no name twice.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Conversations {
    /// Random for each incarnation of the limiter.
    nonce: u64,
    begun: u64,
}

impl Conversations {
    pub(super) fn new(nonce: u64) -> Self {
        Self { nonce, begun: 0 }
    }

    fn next(&mut self) -> Conversation {
        self.begun += 1;
        Conversation(self.nonce, self.begun)
    }
}

/// The stored part of a shard's share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoredShare {
    pub(super) slots: u32,
    pub(super) number: RequestNumber,
    pub(super) at: UnixMillis,
}

impl Allocator {
    /// Returns the limit, or `None` if the key has none.
    pub fn limit(&self) -> Option<Limit> {
        self.limit
    }

    /// Sets the limit. Shards keep their slots until they report lower numbers.
    pub fn set(&mut self, limit: Limit, now: UnixMillis) {
        let (former, rate) = (self.rate(), limit.per_second);
        match (former, rate) {
            (None, _) => self.bucket = Bucket::WITH_FIRST,
            (Some(before), Some(after)) if former != rate => {
                self.bucket.change_rate(before, after, now);
            }
            _ => {}
        }
        self.limit = Some(limit);
    }

    /// Removes the limit. Shards keep their slots until they report lower numbers.
    pub fn remove(&mut self) {
        self.limit = None;
    }

    fn rate(&self) -> Option<f64> {
        self.limit.and_then(|limit| limit.per_second)
    }

    /// Returns the part of the bucket to store, or `None` if the bucket of this rate is not stored.
    pub(super) fn stored_bucket(&self) -> Option<Bucket> {
        self.rate().filter(|rate| Bucket::is_stored(*rate)).map(|_| self.bucket)
    }

    /// Restores the stored limit, with its bucket if that was stored.
    pub(super) fn load_limit(&mut self, limit: Limit, bucket: Option<Bucket>) {
        self.limit = Some(limit);
        self.bucket =
            bucket.filter(|_| self.rate().is_some_and(Bucket::is_stored)).unwrap_or_default();
    }

    pub(super) fn load_share(&mut self, shard: String, stored: &StoredShare) {
        // The limiter does not know the shard's runs in flight. Until the shard reports them, all
        // slots may be in use.
        let share = Share {
            slots: stored.slots,
            number: stored.number,
            in_flight: stored.slots,
            heard: stored.at,
            ..Share::default()
        };
        self.shards.insert(shard, share);
    }

    /// Returns the slots of all shards. They exceed the limit only if it was lowered and some
    /// shards have not returned slots yet.
    pub fn slots(&self) -> u64 {
        self.shards.values().map(|share| u64::from(share.slots)).sum()
    }

    /// Returns whether the key has no limit and no shard is remembered.
    pub fn is_forgotten(&self) -> bool {
        self.limit.is_none() && self.shards.is_empty()
    }

    /// Returns the shards that hold or need slots.
    pub fn held(&self) -> impl Iterator<Item = HeldBy> + '_ {
        self.shards.iter().filter(|(_, share)| share.slots > 0 || share.waiting > 0).map(
            |(shard, share)| HeldBy {
                shard: shard.clone(),
                slots: (share.slots != NO_LIMIT).then_some(share.slots),
                // Unknown after a restart of the limiter.
                in_flight: if share.in_flight == NO_LIMIT { 0 } else { share.in_flight },
                waiting: share.waiting,
            },
        )
    }

    /// Handles the request of a shard. Returns the answer, or `None` if a newer request was handled
    /// before. Also returns the share to store, if it has changed.
    pub(super) fn ask(
        &mut self,
        shard: &str,
        ask: &LeaseRequest,
        now: UnixMillis,
        conversations: &mut Conversations,
    ) -> (Option<Answer>, Option<StoredShare>) {
        self.begin_waits_by(now);
        let former = self.shards.get(shard).copied();
        let is_of = |conversation: Option<Conversation>| {
            conversation.is_some() && conversation == ask.conversation
        };
        let is_current = is_of(former.and_then(|former| former.conversation));
        if !is_current && !is_of(former.and_then(|former| former.offered)) {
            let offered = &mut self.shards.entry(shard.to_owned()).or_default().offered;
            let conversation = *offered.get_or_insert_with(|| conversations.next());
            return (Some(Answer::begin(ask, conversation)), None);
        }
        if is_current && former.is_some_and(|former| ask.number < former.number) {
            return (None, None);
        }
        let repeated = former.filter(|former| is_current && ask.number == former.number);
        // The shard may have accepted the first answer to the same request, so the first answer
        // stays valid.
        let slots = repeated.map_or(ask.slots, |former| former.slots.max(ask.slots));
        let share = Share {
            slots,
            number: ask.number,
            conversation: ask.conversation,
            offered: former.and_then(|former| former.offered).filter(|_| is_current),
            in_flight: ask.in_flight,
            waiting: ask.waiting,
            heard: now,
            ..former.unwrap_or_default()
        };
        self.put(shard, share);
        let target = self.target(shard, now);
        let granted = self.grant(shard, slots, target, now);
        let since = self.shards.get(shard).map_or(0, |share| share.since);
        self.put(shard, Share { slots: granted, since, ..share });
        let room = granted.saturating_sub(ask.in_flight).min(ask.waiting);
        let (tokens, token_wait) = self.tokens(shard, room, now);
        let slot_wait = if room == 0 && ask.waiting > 0 { SLOT_WAIT_MILLIS } else { 0 };
        let retry_after_millis = slot_wait.max(token_wait);
        let answer = Answer {
            number: ask.number,
            slots: granted,
            target,
            tokens,
            retry_after_millis,
            conversation: None,
        };
        // A request that changed nothing need not be stored. If it arrives again, it changes
        // nothing again.
        let is_stored = ask.slots == granted && former.map_or(0, |former| former.slots) == granted;
        let stored =
            (!is_stored).then_some(StoredShare { slots: granted, number: ask.number, at: now });
        (Some(answer), stored)
    }

    /// Records a share, and the turn in which the shard started to hold slots or to wait for them.
    fn put(&mut self, shard: &str, mut share: Share) {
        let former = self.shards.get(shard);
        if former.is_none_or(|former| former.standing() != share.standing()) {
            self.turns += 1;
            share.since = self.turns;
        }
        self.shards.insert(shard.to_owned(), share);
    }

    /// Returns the slots that a shard should have. The division is max-min fair by what each shard
    /// could use. If there are more shards than slots, shards without a slot come first, and then
    /// the shards that got theirs last. So the shard that has held a slot for longest returns it
    /// after its run.
    fn target(&self, shard: &str, now: UnixMillis) -> u32 {
        let Some(limit) = self.limit.and_then(|limit| limit.concurrency) else { return NO_LIMIT };
        let mut contenders: Vec<(&str, &Share, u32)> = self
            .shards
            .iter()
            .map(|(name, share)| (name.as_str(), share, share.demand(now)))
            .filter(|(_, _, demand)| *demand > 0)
            .collect();
        if contenders.len() > limit as usize {
            sort_by_key(&mut contenders, |(_, share, _)| match share.waits_for_first_slot(now) {
                true => (false, share.since),
                false => (true, u64::MAX - share.since),
            });
            let is_among = contenders.iter().take(limit as usize).any(|(name, ..)| *name == shard);
            return u32::from(is_among);
        }
        sort_by_key(&mut contenders, |(name, _, demand)| (*demand, *name));
        let mut left = limit;
        let count = contenders.len();
        for (at, (name, _, demand)) in contenders.into_iter().enumerate() {
            // The division rounds up for the last shards, so that the whole limit is granted.
            let others = u32::try_from(count - at).unwrap_or(u32::MAX);
            let fair = demand.min(left / others);
            if name == shard {
                return fair;
            }
            left -= fair;
        }
        // The shard needs no slots.
        0
    }

    /// Returns the slots that a shard has from now on: at least `slots`, at most what the limit
    /// leaves, and none for which a shard without slots has waited longer.
    fn grant(&self, shard: &str, slots: u32, target: u32, now: UnixMillis) -> u32 {
        let Some(own) = self.shards.get(shard) else { return slots };
        let Some(limit) = self.limit.and_then(|limit| limit.concurrency) else {
            return if own.waiting > 0 { NO_LIMIT } else { slots };
        };
        let ahead = self
            .shards
            .iter()
            .filter(|(name, other)| *name != shard && other.waits_for_first_slot(now))
            .filter(|(_, other)| own.slots > 0 || other.since < own.since)
            .count();
        let free = u64::from(limit).saturating_sub(self.slots()).saturating_sub(ahead as u64);
        let wanted = own.demand(now).min(target);
        let most = u64::from(slots).saturating_add(free);
        slots.max(u32::try_from(most).unwrap_or(u32::MAX).min(wanted))
    }

    /// Returns tokens for a shard that can use up to `room`, and the wait for the missing ones.
    fn tokens(&mut self, shard: &str, room: u32, now: UnixMillis) -> (Option<u32>, u32) {
        let own = self.shards.get(shard).and_then(|share| share.waits_for_tokens);
        let Some(rate) = self.limit.and_then(|limit| limit.per_second) else { return (None, 0) };
        if room == 0 {
            self.set_waiting_for_tokens(shard, None);
            return (Some(0), 0);
        }
        let turn = own.unwrap_or(self.turns + 1);
        let others =
            self.shards.iter().filter(|(name, other)| *name != shard && other.is_heard(now));
        let waits_for_tokens: Vec<u64> =
            others.filter_map(|(_, other)| other.waits_for_tokens).collect();
        let ahead = waits_for_tokens.iter().filter(|other| **other < turn).count() as u32;
        let there = self.bucket.tokens(rate, now).saturating_sub(ahead);
        let fair = (there / (waits_for_tokens.len() as u32 + 1)).max(1);
        let tokens = room.min(there).min(fair);
        self.bucket.take(tokens);
        if tokens > 0 {
            self.set_waiting_for_tokens(shard, None);
            return (Some(tokens), 0);
        }
        self.turns = self.turns.max(turn);
        self.set_waiting_for_tokens(shard, Some(turn));
        let wait = self
            .bucket
            .wait(rate, ahead + 1)
            .clamp(*TOKEN_WAIT_MILLIS.start(), *TOKEN_WAIT_MILLIS.end());
        (Some(0), wait as u32)
    }

    fn set_waiting_for_tokens(&mut self, shard: &str, waits_for_tokens: Option<u64>) {
        if let Some(share) = self.shards.get_mut(shard) {
            share.waits_for_tokens = waits_for_tokens;
        }
    }

    /// Corrects the times after the clock has gone back: each shard sent its last request now at
    /// the latest.
    fn begin_waits_by(&mut self, now: UnixMillis) {
        self.shards.values_mut().for_each(|share| share.heard = share.heard.min(now));
    }

    /// Removes the shards that have returned everything and have sent no request since `before`.
    /// Returns their names.
    pub(super) fn forget(&mut self, before: UnixMillis) -> Vec<String> {
        let is_past = |share: &Share| share.slots == 0 && share.heard < before;
        let past: Vec<String> = self
            .shards
            .iter()
            .filter(|(_, share)| is_past(share))
            .map(|(name, _)| name.clone())
            .collect();
        self.shards.retain(|_, share| !is_past(share));
        past
    }
}

#[cfg(test)]
#[path = "allocator_tests.rs"]
mod tests;
