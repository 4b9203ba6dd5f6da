//! The ledger: the requests to the scheduler, its answers, and its firings. It has no side effects,
//! and times are arguments.
//!
//! An **entry** is one version of one task. An overwrite creates a new entry with the same id. The
//! number of the entry is in the task's payload. So a firing finds its entry without its id, even
//! if it arrives before the answer with the id, and the versions of one id cannot be confused.
//!
//! Verification has one rule: **every answer of the server is a promise**. "Accepted" promises that
//! the task fires once at its time, "cancelled" that it never fires, and "already fired" that it
//! was or will be received. A request that races with a firing may be answered either way, and then
//! its answer is binding.

mod cron;
mod entry;
mod verdict;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub(crate) use cron::CronLog;
pub(crate) use entry::{Arrival, CancelAnswer, Entry, Fate, Kind, OverwriteAnswer, Via};
pub(crate) use verdict::{Class, Counts, Defect, Verdict};

use entry::Flags;
use serde::Serialize;

/// One firing of one task, as the sink received it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fired<'a> {
    /// The entry number in the payload.
    pub(crate) n: u64,
    pub(crate) id: &'a str,
    /// The record's `time`, in epoch milliseconds.
    pub(crate) time: i64,
    pub(crate) attempt: u32,
    pub(crate) arrival: Arrival,
    /// False if a webhook's `Idempotency-Key` is not the occurrence key of its body.
    pub(crate) key_matches: bool,
}

/// The duplicates of occurrences. Delivery is at least once, so they are counted and are not
/// defects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Duplicates {
    pub(crate) total: u64,
    /// Duplicates in an envelope with the same shard and sequence number, which the queue or the
    /// outbox sent again.
    pub(crate) same_envelope: u64,
    /// Duplicates in another envelope, because the shard fired the occurrence twice.
    pub(crate) other_envelope: u64,
    /// Duplicates by a later attempt, because the dispatcher counted an earlier attempt as failed.
    pub(crate) later_attempt: u64,
    /// Webhooks that were posted again as the first attempt.
    pub(crate) webhook: u64,
    /// Duplicates of tasks whose creation the client repeated, so that the server may rightly have
    /// them twice.
    pub(crate) after_repeated_request: u64,
}

/// A bulk cancel whose answer has only counts, of more than one kind. It is binding for its members
/// together.
#[derive(Clone, Debug)]
struct Group {
    members: Vec<u32>,
    /// The number of members that have fired or are gone, which is the same promise.
    fired: usize,
    answered: i64,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: Vec<Entry>,
    crons: HashMap<u32, CronLog>,
    groups: Vec<Group>,
    shards: HashMap<String, u32>,
    duplicates: Duplicates,
    /// The number of entries that must still fire. It is kept up to date, so that waiting is cheap.
    owed: usize,
    /// The number of distinct occurrences received.
    received: u64,
    /// The number of firings of tasks that are not of this run.
    strangers: u64,
    /// The number of occurrences received in each second of the wall clock.
    per_second: HashMap<i64, u64>,
    horizon: i64,
}

impl Ledger {
    /// Adds an entry that will be created, and returns its number. `due` is 0 for a recurring task.
    pub(crate) fn add(&mut self, kind: Kind, via: Via, due: i64) -> u32 {
        let n = self.next();
        if let Kind::Cron { step } = kind {
            self.crons.insert(n, CronLog::new(step));
        }
        self.entries.push(Entry::new(kind, via, due));
        n
    }

    /// Records that the request to create the entry is sent.
    pub(crate) fn sent(&mut self, n: u32, at: i64) {
        self.change(n, |entry| {
            entry.sent = at;
            entry.fate = Fate::Sent;
        });
    }

    /// Records that the server accepted the entry under `id`. `repeated` is true if an earlier try
    /// of the same request may have been carried out too.
    pub(crate) fn accepted(&mut self, n: u32, id: &str, at: i64, repeated: bool) {
        self.change(n, |entry| {
            if repeated {
                entry.flags.set(Flags::REPEATED);
            }
            match &entry.id {
                Some(seen) if **seen != *id => entry.flags.set(Flags::OTHER_ID),
                _ => {}
            }
            entry.id = Some(id.into());
            entry.answered = at;
            entry.fate = Fate::Accepted;
        });
    }

    /// Records that the server refused the entry.
    pub(crate) fn rejected(&mut self, n: u32, why: &str) {
        self.change(n, |entry| entry.fate = Fate::Rejected(why.into()));
    }

    /// Records that there was no usable answer, so the task may or may not exist.
    pub(crate) fn unanswered(&mut self, n: u32) {
        self.change(n, |entry| entry.fate = Fate::Unanswered);
    }

    /// Records that a cancel or overwrite of the entry is sent. Until the answer, firing and not
    /// firing are both right.
    pub(crate) fn change_sent(&mut self, n: u32) {
        self.change(n, |entry| entry.fate = Fate::Changing);
    }

    /// Records the answer to a cancel of one entry.
    pub(crate) fn cancel_answered(&mut self, n: u32, answer: CancelAnswer, answered: i64) {
        self.change(n, |entry| {
            entry.fate = match answer {
                CancelAnswer::Cancelled => Fate::Cancelled,
                CancelAnswer::AlreadyFired => {
                    entry.denied_before_due(answered);
                    Fate::AlreadyFired { answered }
                }
                CancelAnswer::Ambiguous => Fate::Either,
            };
        });
    }

    /// Records the answer to a bulk cancel: `cancelled` members are stopped, and all others are
    /// gone or have fired.
    pub(crate) fn group_cancel_answered(
        &mut self,
        members: &[u32],
        cancelled: usize,
        answered: i64,
    ) {
        let fired = members.len().saturating_sub(cancelled);
        let answer = match (cancelled, fired) {
            (_, 0) => CancelAnswer::Cancelled,
            (0, _) => CancelAnswer::AlreadyFired,
            _ => {
                let group = self.groups.len();
                self.horizon = self.horizon.max(answered);
                self.groups.push(Group { members: members.to_vec(), fired, answered });
                members
                    .iter()
                    .for_each(|&n| self.change(n, |entry| entry.fate = Fate::InGroup(group)));
                return;
            }
        };
        members.iter().for_each(|&n| self.cancel_answered(n, answer, answered));
    }

    /// Records the answer to an overwrite. The new version has an entry of its own.
    pub(crate) fn overwrite_answered(
        &mut self,
        old: u32,
        answer: OverwriteAnswer,
        sent: i64,
        answered: i64,
    ) {
        self.change(old, |entry| {
            entry.fate = match answer {
                OverwriteAnswer::Replaced => Fate::Replaced { sent, answered },
                OverwriteAnswer::Created => {
                    entry.denied_before_due(answered);
                    Fate::AlreadyFired { answered }
                }
                OverwriteAnswer::Unknown => Fate::Overwritten { answered },
            };
        });
    }

    /// Records that the deletion of a recurring task is sent. Occurrences near it may or may not
    /// arrive.
    pub(crate) fn cron_delete_sent(&mut self, n: u32, at: i64) {
        if let Some(log) = self.crons.get_mut(&n) {
            log.delete_sent = Some(at);
        }
        self.horizon = self.horizon.max(at);
    }

    /// Records the answer to the deletion of a recurring task. `found` is false for 404 and 409,
    /// which are wrong for an accepted task.
    pub(crate) fn cron_delete_answered(&mut self, n: u32, found: bool, at: i64) {
        let was_accepted = self.is_accepted(n);
        if let Some(log) = self.crons.get_mut(&n) {
            if found {
                log.delete_answered = Some(at);
            } else {
                log.delete_refused = was_accepted;
            }
        }
    }

    /// Returns a number for a shard's name, so that arrivals are small.
    pub(crate) fn shard_number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.shards.get(name) {
            return number;
        }
        let number = u32::try_from(self.shards.len()).unwrap_or(u32::MAX);
        self.shards.insert(name.to_owned(), number);
        number
    }

    /// Records a firing of a task that is not of this run, but of an earlier run or another client.
    pub(crate) fn stranger(&mut self) {
        self.strangers += 1;
    }

    /// Records a firing.
    pub(crate) fn fired(&mut self, fired: &Fired<'_>) {
        let Some(n) = u32::try_from(fired.n).ok().filter(|&n| (n as usize) < self.entries.len())
        else {
            return self.stranger();
        };
        let log = self.crons.get_mut(&n);
        let recurring = log.is_some();
        let first = match log {
            Some(log) => log.record(fired),
            None => self.entries.get(n as usize).and_then(|entry| entry.first),
        };
        self.change(n, |entry| entry.record(fired, recurring));
        match first {
            None => {
                self.received += 1;
                *self.per_second.entry(fired.arrival.received.div_euclid(1000)).or_default() += 1;
            }
            Some(first) => self.count_duplicate(n, first, fired),
        }
    }

    fn count_duplicate(&mut self, n: u32, first: Arrival, fired: &Fired<'_>) {
        let repeated =
            self.entries.get(n as usize).is_some_and(|entry| entry.flags.has(Flags::REPEATED));
        let duplicates = &mut self.duplicates;
        duplicates.total += 1;
        let class = match (first.envelope, fired.arrival.envelope) {
            (Some(one), Some(other)) if one == other => &mut duplicates.same_envelope,
            _ if repeated => &mut duplicates.after_repeated_request,
            _ if fired.attempt > 1 => &mut duplicates.later_attempt,
            (Some(_), Some(_)) => &mut duplicates.other_envelope,
            _ => &mut duplicates.webhook,
        };
        *class += 1;
    }

    /// Changes an entry, and updates the number of owed entries and the horizon.
    fn change(&mut self, n: u32, change: impl FnOnce(&mut Entry)) {
        let Some(entry) = self.entries.get_mut(n as usize) else {
            return;
        };
        let before = entry.owes();
        change(entry);
        let after = entry.owes();
        self.horizon = self.horizon.max(entry.must_fire_from());
        match (before, after) {
            (false, true) => self.owed += 1,
            (true, false) => self.owed = self.owed.saturating_sub(1),
            _ => {}
        }
    }

    /// Returns the number of one-shot entries that must fire and have not, including those of
    /// undecided bulk cancels.
    pub(crate) fn owed(&self) -> usize {
        let seen = self.groups.iter().filter(|group| self.is_seen(group));
        let in_groups: usize =
            seen.map(|group| group.fired.saturating_sub(self.fired_in(group))).sum();
        self.owed + in_groups
    }

    /// Returns the number of recurring occurrences up to `limit` that must have been received and
    /// were not.
    pub(crate) fn cron_missing(&self, limit: i64) -> usize {
        self.crons
            .iter()
            .filter_map(|(&n, log)| Some(log.missing(self.entry(n)?.answered, limit).count()))
            .sum()
    }

    /// Returns the due time of the last entry. After it and the grace, nothing may be missing.
    pub(crate) fn horizon(&self) -> i64 {
        self.horizon
    }

    /// Returns the number of distinct occurrences received so far.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Returns the recurring tasks that exist, or may exist because their creation was never
    /// answered, and that have not been deleted.
    pub(crate) fn live_crons(&self) -> Vec<u32> {
        let may_exist = |n: u32| {
            let fate = self.entry(n).map(|entry| &entry.fate);
            matches!(fate, Some(Fate::Accepted | Fate::Sent | Fate::Unanswered))
        };
        let undeleted = self.crons.iter().filter(|(_, log)| log.delete_sent.is_none());
        let mut live: Vec<u32> = undeleted.map(|(&n, _)| n).filter(|&n| may_exist(n)).collect();
        live.sort_unstable();
        live
    }

    /// Returns the id of an entry, if the server has named it.
    pub(crate) fn id(&self, n: u32) -> Option<&str> {
        self.entry(n)?.id.as_deref()
    }

    /// Returns the number of the next entry.
    pub(crate) fn next(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    /// Returns whether the server has accepted the entry, and no request about it has been sent
    /// since.
    pub(crate) fn is_accepted(&self, n: u32) -> bool {
        self.entry(n).is_some_and(|entry| entry.fate == Fate::Accepted)
    }

    /// Returns the entry with this number.
    pub(crate) fn entry(&self, n: u32) -> Option<&Entry> {
        self.entries.get(n as usize)
    }

    /// Returns whether the sink receives the firings of a group. A run through handlers has no
    /// other tasks.
    fn is_seen(&self, group: &Group) -> bool {
        let seen = |&n: &u32| self.entry(n).is_none_or(|entry| entry.via != Via::HandlerNoop);
        group.members.iter().all(seen)
    }

    fn fired_in(&self, group: &Group) -> usize {
        group
            .members
            .iter()
            .filter(|&&n| self.entry(n).is_some_and(|entry| entry.first.is_some()))
            .count()
    }
}
