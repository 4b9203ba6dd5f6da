//! The ledger: what was asked of the scheduler, what it answered, and what it fired. Pure: times
//! are arguments.
//!
//! An **entry** is one version of one task (an overwrite makes a new entry with the same id). The
//! number of the entry travels in the task's payload, so a firing finds its entry without a lookup
//! by id, even when it arrives before the answer that names the id, and the versions of one id
//! cannot be confused.
//!
//! Verification rests on one rule: **every answer of the server is a promise**. Accepted means
//! "fires once at its time", cancelled means "never fires", already fired means "was or will be
//! received". Requests that race with a firing may be answered either way; the answer given then
//! binds.

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
    /// The entry number, from the payload.
    pub(crate) n: u64,
    pub(crate) id: &'a str,
    /// The record's `time`, epoch ms.
    pub(crate) time: i64,
    pub(crate) attempt: u32,
    pub(crate) arrival: Arrival,
    /// False when a webhook's `Idempotency-Key` is not the occurrence key of its body.
    pub(crate) key_matches: bool,
}

/// The same occurrence received again. Delivery is at least once, so these are counted and not
/// defects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Duplicates {
    pub(crate) total: u64,
    /// In an envelope with the same shard and sequence number: the queue or the outbox sent it
    /// again.
    pub(crate) same_envelope: u64,
    /// In another envelope: the shard fired the occurrence twice.
    pub(crate) other_envelope: u64,
    /// A later attempt of a task whose earlier attempt the dispatcher took for failed.
    pub(crate) later_attempt: u64,
    /// A webhook posted again as the first attempt.
    pub(crate) webhook: u64,
    /// The client had to repeat the request that created the task, so the server may rightly hold
    /// it twice.
    pub(crate) after_repeated_request: u64,
}

/// A bulk cancel whose answer gives only counts, and not all the same: it binds its members
/// together.
#[derive(Clone, Debug)]
struct Group {
    members: Vec<u32>,
    /// How many of them the answer said have fired (or are gone, which is the same promise).
    fired: usize,
    answered: i64,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: Vec<Entry>,
    crons: HashMap<u32, CronLog>,
    groups: Vec<Group>,
    shards: HashMap<String, u32>,
    duplicates: Duplicates,
    /// Entries that still have to fire, kept up to date so that waiting is cheap.
    owed: usize,
    /// Distinct occurrences received.
    received: u64,
    /// Firings of tasks which are not of this run.
    strangers: u64,
    /// Occurrences received per second of the wall clock.
    per_second: HashMap<i64, u64>,
    horizon: i64,
}

impl Ledger {
    /// Adds an entry that is to be scheduled, and gives its number. `due` is 0 for a recurring
    /// task.
    pub(crate) fn add(&mut self, kind: Kind, via: Via, due: i64) -> u32 {
        let n = self.next();
        if let Kind::Cron { step } = kind {
            self.crons.insert(n, CronLog::new(step));
        }
        self.entries.push(Entry::new(kind, via, due));
        n
    }

    /// The request that creates the entry leaves now.
    pub(crate) fn sent(&mut self, n: u32, at: i64) {
        self.change(n, |entry| {
            entry.sent = at;
            entry.fate = Fate::Sent;
        });
    }

    /// The server accepted it under `id`. `repeated`: an earlier try of the same request may have
    /// worked too.
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

    /// The server refused the item.
    pub(crate) fn rejected(&mut self, n: u32, why: &str) {
        self.change(n, |entry| entry.fate = Fate::Rejected(why.into()));
    }

    /// No usable answer came: the task may exist or not.
    pub(crate) fn unanswered(&mut self, n: u32) {
        self.change(n, |entry| entry.fate = Fate::Unanswered);
    }

    /// A cancel or overwrite of the entry leaves now; until it is answered, firing and not firing
    /// are both right.
    pub(crate) fn change_sent(&mut self, n: u32) {
        self.change(n, |entry| entry.fate = Fate::Changing);
    }

    /// A cancel of one entry was answered.
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

    /// A bulk cancel was answered with `cancelled` of its members stopped and all others gone or
    /// fired.
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

    /// An overwrite of the entry was answered; the new version has its own entry.
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

    /// A recurring task's deletion leaves now: occurrences near it are neither demanded nor
    /// forbidden.
    pub(crate) fn cron_delete_sent(&mut self, n: u32, at: i64) {
        if let Some(log) = self.crons.get_mut(&n) {
            log.delete_sent = Some(at);
        }
        self.horizon = self.horizon.max(at);
    }

    /// The deletion of a recurring task was answered. `found` is false for 404 and 409, which is
    /// wrong for one that was accepted.
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

    /// Returns the number of a shard's name, to keep arrivals small.
    pub(crate) fn shard_number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.shards.get(name) {
            return number;
        }
        let number = u32::try_from(self.shards.len()).unwrap_or(u32::MAX);
        self.shards.insert(name.to_owned(), number);
        number
    }

    /// A firing of a task that is not of this run: an earlier run's, or another client's.
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

    /// Changes an entry and keeps what depends on it: the number owed and the horizon.
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

    /// One-shot entries that must fire and have not, those of undecided bulk cancels included.
    pub(crate) fn owed(&self) -> usize {
        let seen = self.groups.iter().filter(|group| self.is_seen(group));
        let in_groups: usize =
            seen.map(|group| group.fired.saturating_sub(self.fired_in(group))).sum();
        self.owed + in_groups
    }

    /// Recurring occurrences up to `limit` that must have been received and have not.
    pub(crate) fn cron_missing(&self, limit: i64) -> usize {
        self.crons
            .iter()
            .filter_map(|(&n, log)| Some(log.missing(self.entry(n)?.answered, limit).count()))
            .sum()
    }

    /// Returns the moment at which the last entry becomes due: after it and the grace nothing may
    /// be missing.
    pub(crate) fn horizon(&self) -> i64 {
        self.horizon
    }

    /// Distinct occurrences received so far.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Returns the recurring tasks that exist, or may exist since their creation was never
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

    /// Returns the id of an entry, once the server has named it.
    pub(crate) fn id(&self, n: u32) -> Option<&str> {
        self.entry(n)?.id.as_deref()
    }

    /// Returns the number the next entry will have.
    pub(crate) fn next(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    /// Returns whether the server has accepted the entry, and nothing has been asked about it
    /// since.
    pub(crate) fn is_accepted(&self, n: u32) -> bool {
        self.entry(n).is_some_and(|entry| entry.fate == Fate::Accepted)
    }

    /// See `Entry`.
    pub(crate) fn entry(&self, n: u32) -> Option<&Entry> {
        self.entries.get(n as usize)
    }

    /// Returns whether the sink sees the firings of a group. A run through handlers has no other
    /// tasks.
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
