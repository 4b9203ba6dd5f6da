//! Judges a run: finds the broken promises and their tasks.

use serde::Serialize;

use super::entry::Flags;
use super::{Arrival, Entry, Fate, Group, Kind, Ledger, Via};

/// The kinds of defects of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Class {
    /// It was accepted and due, but did not fire within the grace.
    Lost,
    /// It fired or was received before its time.
    Early,
    /// It fired for another time than the requested one.
    WrongTime,
    /// It was cancelled but fired.
    FiredThoughCancelled,
    /// It was overwritten, but the old version fired.
    FiredThoughReplaced,
    /// A cancel or overwrite was answered with "already fired", but it never fired, so it was
    /// wrongly cancelled.
    NeverFiredThoughAnswered,
    /// A cancel or overwrite was answered with "already fired" or "not found" before the task was
    /// due.
    DeniedWhilePending,
    /// It was refused, although the request was right.
    Rejected,
    /// It was refused but fired.
    FiredThoughRejected,
    /// It fired under another id, or as a webhook with another idempotency key than that of its
    /// occurrence.
    WrongIdentity,
    /// An occurrence of a recurring task is missing.
    CronGap,
}

/// One broken promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Defect {
    pub(crate) class: Class,
    /// The id, or an empty text if the server never named the task.
    pub(crate) id: String,
    /// The number of the entry, as in the payload.
    pub(crate) n: usize,
    /// The due time in epoch milliseconds, or 0 for a recurring task.
    pub(crate) due: i64,
    pub(crate) detail: String,
}

/// The numbers of entries by their ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts {
    /// Requests to create a task, including new versions.
    pub(crate) sent: u64,
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    /// Entries without a usable answer. They may or may not exist, and nothing is required of them.
    pub(crate) unanswered: u64,
    /// Entries that were accepted after they were due. They are not in the lateness figures.
    pub(crate) accepted_after_due: u64,
    pub(crate) cancelled: u64,
    /// Cancels and overwrites that were too late.
    pub(crate) already_fired: u64,
    /// Entries in bulk cancels that stopped some of their members.
    pub(crate) cancelled_in_groups: u64,
    pub(crate) overwritten: u64,
    /// Entries that may or may not fire.
    pub(crate) undecided: u64,
    /// One-shot entries that were received.
    pub(crate) fired: u64,
    /// Entries that must fire and still have time. There are some only if the run was interrupted.
    pub(crate) still_pending: u64,
    pub(crate) cron_tasks: u64,
    pub(crate) cron_occurrences: u64,
    /// Entries with a handler that must have run, which only the server's counters show.
    pub(crate) handler_expected: u64,
}

/// The judgement on a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) counts: Counts,
    pub(crate) defects: Vec<Defect>,
    /// `firedAt - time` in milliseconds, for firings in envelopes.
    pub(crate) shard_lateness: Vec<i64>,
    /// `received - time` in milliseconds.
    pub(crate) consumer_lateness: Vec<i64>,
    pub(crate) webhook_lateness: Vec<i64>,
    pub(crate) duplicates: super::Duplicates,
    pub(crate) strangers: u64,
    /// The number of distinct occurrences received.
    pub(crate) received: u64,
    /// The most occurrences received within one second of the clock.
    pub(crate) peak_second: u64,
    /// The first and last arrival, and the earliest due time, of the one-shot entries received, in
    /// epoch milliseconds.
    pub(crate) first_received: Option<i64>,
    pub(crate) last_received: Option<i64>,
    pub(crate) first_due: Option<i64>,
}

impl Ledger {
    /// Judges all entries at `now`, in epoch milliseconds. An entry is lost if it had to fire more
    /// than `grace` ms ago and was not received.
    pub(crate) fn verdict(&self, now: i64, grace: i64) -> Verdict {
        let mut verdict = Verdict {
            duplicates: self.duplicates,
            strangers: self.strangers,
            received: self.received,
            peak_second: self.per_second.values().copied().max().unwrap_or(0),
            ..Verdict::default()
        };
        for (n, entry) in self.entries.iter().enumerate() {
            verdict.count(entry);
            verdict.judge_flags(n, entry);
            match entry.kind {
                Kind::Once => verdict.judge_once(n, entry, now, grace),
                Kind::Cron { .. } => {}
            }
        }
        for group in &self.groups {
            self.judge_group(&mut verdict, group, now, grace);
        }
        self.judge_crons(&mut verdict, now - grace);
        verdict.defects.sort_by_key(|one| (one.class, one.n));
        verdict
    }

    /// Judges a bulk cancel with a mixed answer, which is binding for the number of its members
    /// that fire, but not for which of them do.
    fn judge_group(&self, verdict: &mut Verdict, group: &Group, now: i64, grace: i64) {
        if !self.is_seen(group) {
            verdict.counts.handler_expected += group.fired as u64;
            return;
        }
        let members = || group.members.iter().filter_map(|&n| Some((n as usize, self.entry(n)?)));
        let count = group.members.len();
        let detail = format!(
            "of a bulk cancel of {count} tasks, answered with {} already fired",
            group.fired
        );

        let fired = members().filter(|(_, entry)| entry.first.is_some()).count();
        let too_many = fired.saturating_sub(group.fired);
        let mut suspects: Vec<_> = members().filter(|(_, entry)| entry.first.is_some()).collect();
        suspects.sort_by_key(|(_, entry)| entry.first.map_or(0, |first| -first.received));
        for &(n, entry) in suspects.iter().take(too_many) {
            verdict.defect(
                Class::FiredThoughCancelled,
                n,
                entry,
                format!("{detail}; {fired} fired"),
            );
        }

        let too_few = group.fired.saturating_sub(fired);
        if now > group.answered + grace {
            let mut suspects: Vec<_> =
                members().filter(|(_, entry)| entry.first.is_none()).collect();
            suspects.sort_by_key(|(_, entry)| entry.due);
            for &(n, entry) in suspects.iter().take(too_few) {
                verdict.defect(
                    Class::NeverFiredThoughAnswered,
                    n,
                    entry,
                    format!("{detail}; {fired} fired"),
                );
            }
        } else {
            verdict.counts.still_pending += too_few as u64;
        }

        let due = members().filter(|(_, entry)| entry.due <= group.answered).count();
        let denied = group.fired.saturating_sub(due);
        let pending = members().filter(|(_, entry)| entry.due > group.answered).take(denied);
        for (n, entry) in pending {
            verdict.defect(
                Class::DeniedWhilePending,
                n,
                entry,
                format!("{detail}, but {due} were due"),
            );
        }
    }

    fn judge_crons(&self, verdict: &mut Verdict, limit: i64) {
        for (&n, log) in &self.crons {
            let Some(entry) = self.entry(n) else { continue };
            let n = n as usize;
            let missing: Vec<i64> = log.missing(entry.answered, limit).collect();
            if let Some(first) = missing.first() {
                let detail = format!("{} occurrences missing, the first {first}", missing.len());
                verdict.defect(Class::CronGap, n, entry, detail);
            }
            for time in log.off_time(entry.sent).take(1) {
                verdict.defect(
                    Class::WrongTime,
                    n,
                    entry,
                    format!("{time} is not one of its occurrences"),
                );
            }
            for time in log.after_deletion().take(1) {
                let deleted = log.delete_answered.unwrap_or(0);
                let detail = format!("occurrence {time} fired, deletion answered at {deleted}");
                verdict.defect(Class::FiredThoughCancelled, n, entry, detail);
            }
            if log.delete_refused {
                let detail = "its deletion was answered with not found".to_owned();
                verdict.defect(Class::DeniedWhilePending, n, entry, detail);
            }
            verdict.counts.cron_occurrences += log.occurrences.len() as u64;
            for (&time, arrival) in log.occurrences.range(entry.answered..) {
                verdict.lateness(entry.via, time, *arrival);
            }
        }
    }
}

impl Verdict {
    fn judge_once(&mut self, n: usize, entry: &Entry, now: i64, grace: i64) {
        match entry.first {
            Some(first) => {
                self.counts.fired += 1;
                self.arrival(entry, first);
                self.judge_fired(n, entry, first, grace);
            }
            None if entry.via == Via::HandlerNoop => {
                self.counts.handler_expected += u64::from(entry.must_fire());
            }
            None if !entry.must_fire() => {}
            None if now <= entry.must_fire_from() + grace => self.counts.still_pending += 1,
            None => {
                let detail = format!("not received {} ms after it was due", now - entry.due);
                let class = match entry.fate {
                    Fate::AlreadyFired { .. } => Class::NeverFiredThoughAnswered,
                    _ => Class::Lost,
                };
                self.defect(class, n, entry, detail);
            }
        }
    }

    fn judge_fired(&mut self, n: usize, entry: &Entry, first: Arrival, grace: i64) {
        let at = match first.at_shard {
            Some(at) => format!("fired at {at}, received at {}", first.received),
            None => format!("received at {}", first.received),
        };
        match &entry.fate {
            Fate::Cancelled => self.defect(Class::FiredThoughCancelled, n, entry, at),
            Fate::Rejected(_) => self.defect(Class::FiredThoughRejected, n, entry, at),
            // Only the shard's clock shows which came first. A webhook has no such time, so only a
            // firing that was due after the answer to the overwrite is certainly wrong.
            Fate::Replaced { sent, answered } => {
                let wrong = first.at_shard.map_or(entry.due > *answered, |fired| fired > *sent);
                if wrong {
                    let detail =
                        format!("{at}, but the overwrite sent at {sent} replaced it by {answered}");
                    self.defect(Class::FiredThoughReplaced, n, entry, detail);
                }
            }
            Fate::Overwritten { answered } => {
                let wrong = first.at_shard.map_or(entry.due > *answered, |fired| fired > *answered);
                if wrong {
                    let detail = format!("{at}, but the overwrite was answered at {answered}");
                    self.defect(Class::FiredThoughReplaced, n, entry, detail);
                }
            }
            _ if entry.must_fire() && first.received > entry.must_fire_from() + grace => {
                let late = first.received - entry.due;
                self.defect(
                    Class::Lost,
                    n,
                    entry,
                    format!("received {late} ms late, past the grace"),
                );
            }
            _ => {}
        }
    }

    fn judge_flags(&mut self, n: usize, entry: &Entry) {
        let flags = entry.flags;
        let arrival = entry.first.map_or_else(String::new, |first| {
            let shard = first.at_shard.map_or_else(String::new, |at| format!("fired at {at}, "));
            format!("{shard}received at {}", first.received)
        });
        if flags.has(Flags::EARLY) {
            self.defect(Class::Early, n, entry, arrival.clone());
        }
        if flags.has(Flags::WRONG_TIME) {
            self.defect(
                Class::WrongTime,
                n,
                entry,
                format!("its record has another time; {arrival}"),
            );
        }
        // A task whose creation the client repeated may rightly exist under two generated ids.
        if flags.has(Flags::OTHER_ID) && !flags.has(Flags::REPEATED) {
            self.defect(
                Class::WrongIdentity,
                n,
                entry,
                format!("fired under another id; {arrival}"),
            );
        }
        if flags.has(Flags::WRONG_KEY) {
            let detail = "the Idempotency-Key is not <id>@<time>".to_owned();
            self.defect(Class::WrongIdentity, n, entry, detail);
        }
        if flags.has(Flags::DENIED_BEFORE_DUE) {
            let detail = "a cancel or overwrite was answered with already fired before it was due"
                .to_owned();
            self.defect(Class::DeniedWhilePending, n, entry, detail);
        }
        if let Fate::Rejected(why) = &entry.fate {
            self.defect(Class::Rejected, n, entry, why.to_string());
        }
    }

    fn count(&mut self, entry: &Entry) {
        let counts = &mut self.counts;
        let tally = match entry.fate {
            Fate::Unsent => return,
            Fate::Sent | Fate::Unanswered => &mut counts.unanswered,
            Fate::Rejected(_) => &mut counts.rejected,
            Fate::Accepted => &mut counts.accepted,
            Fate::Changing | Fate::Either => &mut counts.undecided,
            Fate::Cancelled => &mut counts.cancelled,
            Fate::AlreadyFired { .. } => &mut counts.already_fired,
            Fate::Replaced { .. } | Fate::Overwritten { .. } => &mut counts.overwritten,
            Fate::InGroup(_) => &mut counts.cancelled_in_groups,
        };
        *tally += 1;
        counts.sent += 1;
        let was_accepted = entry.answered != 0;
        if was_accepted && entry.fate != Fate::Accepted {
            counts.accepted += 1;
        }
        match entry.kind {
            Kind::Once if was_accepted && !entry.was_in_time() => counts.accepted_after_due += 1,
            Kind::Once => {}
            Kind::Cron { .. } => counts.cron_tasks += 1,
        }
    }

    fn arrival(&mut self, entry: &Entry, first: Arrival) {
        let least =
            |known: Option<i64>, value: i64| Some(known.map_or(value, |known| known.min(value)));
        self.first_received = least(self.first_received, first.received);
        self.last_received = self.last_received.max(Some(first.received));
        self.first_due = least(self.first_due, entry.due);
        if entry.was_in_time() {
            self.lateness(entry.via, entry.due, first);
        }
    }

    fn lateness(&mut self, via: Via, due: i64, arrival: Arrival) {
        self.shard_lateness.extend(arrival.at_shard.map(|at| at - due));
        match via {
            Via::Webhook => self.webhook_lateness.push(arrival.received - due),
            Via::Consumer | Via::HandlerNoop => self.consumer_lateness.push(arrival.received - due),
        }
    }

    fn defect(&mut self, class: Class, n: usize, entry: &Entry, detail: String) {
        let id = entry.id.as_deref().unwrap_or_default().to_owned();
        self.defects.push(Defect { class, id, n, due: entry.due, detail });
    }
}
