//! What happens to late and overlapping runs by the reference, which goes through the runs one by
//! one.

use crate::invariants::what_of;
use crate::model::{Firing, Model, What};
use crate::random::Random;
use crate::storage::Waiting;
use scheduler_calendar::schedule::{Occurrence, Schedule};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_CATCH_UP_RUNS;
use scheduler_model::format::page::Flags;
use scheduler_model::schedule::{Misfire, Overlap, Policies, ScheduleFields};
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// The policies of a task for late and overlapping runs: the misfire policy as JSON, the grace and
/// the expiry in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Late {
    misfire: Option<&'static str>,
    overlap: Option<Overlap>,
    pub(crate) expire: Option<i64>,
}

const MISFIRES: [&str; 6] = [
    r#"{"policy":"fire","graceSeconds":1}"#,
    r#"{"policy":"fire-once","graceSeconds":1}"#,
    r#"{"policy":"skip","graceSeconds":2}"#,
    r#"{"policy":"skip","graceSeconds":0.1}"#,
    r#"{"policy":"dead-letter","graceSeconds":1}"#,
    r#"{"policy":"fire-once","graceSeconds":0}"#,
];

impl Late {
    pub(crate) fn drawn(random: &mut Random, recurs: bool) -> Self {
        Self {
            misfire: random.chance(600).then(|| *random.pick(&MISFIRES)),
            overlap: (recurs && random.chance(500))
                .then(|| *random.pick(&[Overlap::Allow, Overlap::Skip, Overlap::QueueOne])),
            expire: random.chance(300).then(|| *random.pick(&[500, 5_000, 60_000])),
        }
    }

    /// Returns a policy for missed runs only.
    pub(crate) fn missed(misfire: Option<&'static str>) -> Self {
        Self { misfire, ..Self::default() }
    }

    /// Returns the same with an expiry, milliseconds.
    pub(crate) fn expiring(self, after: i64) -> Self {
        Self { expire: Some(after), ..self }
    }

    pub(crate) fn is_none(self) -> bool {
        self.misfire.is_none() && self.overlap.is_none() && self.expire.is_none()
    }

    /// Removes what a task that does not recur, or does not fire by itself, cannot have.
    pub(crate) fn fitting(self, recurs: bool, is_none: bool) -> Self {
        if is_none {
            Self::default()
        } else {
            Self { overlap: self.overlap.filter(|_| recurs), ..self }
        }
    }

    pub(crate) fn misfire(self) -> Option<Box<RawValue>> {
        self.misfire.map(|misfire| RawValue::from_string(misfire.to_owned()).expect("JSON"))
    }

    /// Writes the policies into the fields of a record.
    pub(crate) fn note<'a>(
        self,
        misfire: &'a Option<Box<RawValue>>,
        fields: &mut ScheduleFields<'a>,
    ) {
        fields.misfire = misfire.as_deref();
        fields.overlap = self.overlap;
        fields.expire_after_seconds = self.expire.map(|millis| millis as f64 / 1_000.0);
    }
}

/// What must happen to a due entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Fires,
    Held,
    Skipped,
    Expired,
    Dead,
    /// The run waits for its destination until this time.
    Waits(i64),
}

/// A due entry and what happens to it. For a recurring task, also the later runs that are passed
/// over with it.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    pub(crate) waiting: Waiting,
    pub(crate) fate: Fate,
    pub(crate) passed_over: Vec<i64>,
    /// As the record says, which is read once.
    pub(crate) priority: u8,
    pub(crate) is_keyed: bool,
}

impl Due {
    pub(crate) fn new(waiting: Waiting, fate: Fate, passed_over: Vec<i64>) -> Self {
        let record = waiting.record.facts();
        let (priority, is_keyed) = (record.priority, record.limit_key.is_some());
        Self { waiting, fate, passed_over, priority, is_keyed }
    }
}

/// Returns the runs of a schedule that a wake-up at `now` settles, from `next` on. Ignores
/// overlaps.
pub(crate) fn settle(
    schedule: &Schedule,
    of: Policies,
    next: Option<Occurrence>,
    now: UnixMillis,
) -> Vec<(Occurrence, Fate, Vec<i64>)> {
    let until_now: Vec<Occurrence> =
        std::iter::successors(next, |run| schedule.following(run.time))
            .take_while(|run| run.due <= now)
            .collect();
    let expires =
        |run: &Occurrence| of.expire_after_millis.is_some_and(|limit| now.since(run.due) > limit);
    let is_missed = |run: &Occurrence| now.since(run.due) > of.grace_millis;
    // Due times rise: expired runs come first, then missed runs, then the others.
    let (expired, rest) =
        until_now.split_at(until_now.iter().take_while(|run| expires(run)).count());
    let (missed, others) = rest.split_at(rest.iter().take_while(|run| is_missed(run)).count());
    let kept = match of.misfire {
        Misfire::Skip => 0,
        Misfire::FireOnce => 1,
        Misfire::Fire | Misfire::DeadLetter => MAX_CATCH_UP_RUNS,
    };
    let (skipped, missed) = missed.split_at(missed.len().saturating_sub(kept));
    let mut settled = Vec::new();
    for (group, fate) in [(expired, Fate::Expired), (skipped, Fate::Skipped)] {
        if let Some((first, others)) = group.split_first() {
            settled.push((*first, fate, others.iter().map(|run| run.time.get()).collect()));
        }
    }
    let late = if of.misfire == Misfire::DeadLetter { Fate::Dead } else { Fate::Fires };
    settled.extend(missed.iter().map(|run| (*run, late, Vec::new())));
    settled.extend(others.iter().map(|run| (*run, Fate::Fires, Vec::new())));
    settled
}

/// Returns what happens to the runs that came due in a pause, from `next` on, if the task has a
/// policy for them.
pub(crate) fn made_up(
    schedule: &Schedule,
    of: Policies,
    next: Option<Occurrence>,
    now: UnixMillis,
) -> Vec<(Occurrence, Fate)> {
    if !of.catches_up {
        return Vec::new();
    }
    let settled = settle(schedule, of, next, now);
    let settled: Vec<_> = settled.into_iter().map(|(run, fate, _)| (run, fate)).collect();
    // Dropped runs come first, those of one kind as one item. Then come the runs that fire, of
    // which only the last few do.
    let (mut dropped, kept): (Vec<_>, Vec<_>) =
        settled.into_iter().partition(|(_, fate)| matches!(fate, Fate::Skipped | Fate::Expired));
    let most = if of.overlap == Overlap::Allow { MAX_CATCH_UP_RUNS } else { 1 };
    let (skipped, made_up) = kept.split_at(kept.len().saturating_sub(most));
    if let Some((run, _)) = skipped.first()
        && dropped.iter().all(|(_, fate)| *fate != Fate::Skipped)
    {
        dropped.push((*run, Fate::Skipped));
    }
    dropped.extend(made_up);
    dropped
}

/// Returns what happens to a due entry of a page.
pub(crate) fn fate_of_entry(model: &Model, waiting: &Waiting, now: UnixMillis) -> Fate {
    let (record, firing) = (waiting.record.facts(), waiting.record.firing());
    let policies = record.policies;
    let due = model.version(firing.version).due(record.time.unwrap().get());
    let start = record
        .replayed_at
        .map_or(due, UnixMillis::get)
        .max(record.late_since.map_or(i64::MIN, UnixMillis::get));
    let late = now.get() - start;
    // A run that was dispatched before, or that was requested, is not missed.
    let is_again = waiting.entry.is_some_and(|entry| entry.flags.has(Flags::RETRY))
        || record.replayed_at.is_some();
    if policies.expire_after_millis.is_some_and(|limit| late > limit) {
        return if firing.attempt > 1 { Fate::Dead } else { Fate::Expired };
    }
    match policies.misfire {
        Misfire::Skip if !is_again && late > policies.grace_millis => Fate::Skipped,
        Misfire::DeadLetter if !is_again && late > policies.grace_millis => Fate::Dead,
        _ => Fate::Fires,
    }
}

/// Settles overlaps among due entries, in their order.
pub(crate) fn settle_overlaps(model: &Model, due: &mut [Due]) {
    let (mut started, mut held) = (BTreeSet::new(), BTreeSet::new());
    for due in due {
        let record = due.waiting.record.facts();
        let (id, overlap) = (record.id.to_string(), record.policies.overlap);
        if due.waiting.entry.is_some() {
            if what_of(&due.waiting) == What::Again {
                started.insert(id);
            }
            continue;
        }
        if due.fate != Fate::Fires || overlap == Overlap::Allow {
            continue;
        }
        // A further attempt that is due and not settled yet still waits, in the model, too.
        if !model.is_running(&id) && started.insert(id.clone()) {
            continue;
        }
        let is_taken = held.contains(&id)
            || model.waiting_of(&id).iter().any(|((_, what), _)| *what == What::Held);
        due.fate =
            if overlap == Overlap::QueueOne && !is_taken { Fate::Held } else { Fate::Skipped };
        if due.fate == Fate::Held {
            held.insert(id);
        }
    }
}

/// Returns the firing of a due entry.
pub(crate) fn firing_due(due: &Due) -> Firing {
    due.waiting.record.firing()
}
