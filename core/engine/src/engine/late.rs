//! What is due and may not fire any more: missed runs, runs that come while the one before goes on, runs that have expired.

use super::history::Ended;
use super::outcome::PutBack;
use super::remains::Remains;
use super::tasks::{CaughtUp, EntryRef, MemSchedule};
use super::{Effects, Engine, EngineError, Reader};
use scheduler_calendar::schedule::{Occurrence, Schedule};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_CATCH_UP_RUNS;
use scheduler_model::format::page::Flags;
use scheduler_model::schedule::{Misfire, Overlap, Policies};
use scheduler_model::task::{Record, write_occurrence};
use std::borrow::Cow;
use std::collections::HashSet;

/// Most bytes of held runs that one event lets go. An envelope may end with 2,048 small runs, after each of which a large one waits.
const MAX_RELEASED_BYTES: usize = 4_000_000;

/// What is to become of something that is due.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Verdict {
    /// It is handed on.
    #[default]
    Fire,
    /// It waits for the end of the run before.
    Hold,
    /// It does not fire, for this reason.
    Skip(String),
    /// It comes too late to start, for this reason.
    Expire(String),
    /// It is kept as a dead letter, for this reason.
    DeadLetter(String),
    /// Its destination does not answer: it waits until then.
    Wait(UnixMillis),
}

/// Something due that is not handed on: its record, whether it is a further attempt, and what becomes of it.
pub(super) struct Dropped {
    pub(super) record: Vec<u8>,
    pub(super) hash: u64,
    pub(super) flags: Flags,
    pub(super) verdict: Verdict,
}

impl Dropped {
    /// Whether a run that had begun ends with it.
    fn ends_a_run(&self) -> bool {
        self.flags.has(Flags::RETRY) && !matches!(self.verdict, Verdict::Wait(_))
    }
}

/// What is to become of an entry that is due, by its record.
pub(super) fn judge(record: &[u8], flags: Flags, now: UnixMillis) -> Result<Verdict, EngineError> {
    judge_until(record, flags, now).map(|(verdict, _)| verdict)
}

/// As [`judge`], and until when one that would fire would still do so.
pub(super) fn judge_until(record: &[u8], flags: Flags, now: UnixMillis) -> Result<(Verdict, UnixMillis), EngineError> {
    let record = Record::parse(record).map_err(|problem| EngineError::Corrupt(format!("a record that is due: {problem}")))?;
    let policies = record.policies();
    let late = now.since(record.start());
    if let Some(expired) = expired(policies, late) {
        let error = record.error.as_deref().unwrap_or_default();
        let verdict = if has_failed(&record) {
            Verdict::DeadLetter(format!("{expired}; the last attempt had failed: {error}"))
        } else {
            Verdict::Expire(expired)
        };
        return Ok((verdict, now));
    }
    let expires = policies.expire_after_millis.map_or(UnixMillis::NEVER, |limit| record.start().plus(limit + 1));
    // What has been handed on once was not missed, nor is a run that was requested.
    if flags.has(Flags::RETRY) || record.replayed_at.is_some() || matches!(policies.misfire, Misfire::Fire | Misfire::FireOnce) {
        return Ok((Verdict::Fire, expires));
    }
    if late <= policies.grace_millis {
        return Ok((Verdict::Fire, expires.min(record.start().plus(policies.grace_millis + 1))));
    }
    let is_skipped = policies.misfire == Misfire::Skip;
    Ok((if is_skipped { Verdict::Skip(missed(late)) } else { Verdict::DeadLetter(missed(late)) }, now))
}

/// Whether it has run, and failed: then it is not passed over in silence.
pub(super) fn has_failed(record: &Record<'_>) -> bool {
    record.attempt_number() > 1
}

fn missed(late: i64) -> String {
    format!("missed: it would have fired {} s late", late / 1_000)
}

fn expired(policies: Policies, late: i64) -> Option<String> {
    policies
        .expire_after_millis
        .filter(|limit| late > *limit)
        .map(|_| format!("expired: it would have started {} s late", late / 1_000))
}

/// The verdict on the occurrence of a schedule that is due, without a look at what is running; and the last of those that it settles,
/// for those after it may be left out with it.
///
/// Each wake-up judges anew: a run that was the last of those missed, and for which there was no room, is not the last any more when others
/// have been missed after it.
pub(super) fn judge_occurrence(of: &mut MemSchedule, occurrence: Occurrence, now: UnixMillis) -> (Verdict, Occurrence) {
    let policies = of.policies;
    let late = now.since(occurrence.due);
    let schedule = of.schedule.as_ref();
    if expired(policies, late).is_some() {
        let limit = policies.expire_after_millis.unwrap_or(0);
        let last = schedule.last_due_until(occurrence, now.plus(-limit - 1));
        let reason = late_and_others("expired: it would have started", late, occurrence, last);
        return (Verdict::Expire(reason), last);
    }
    let is_kept = of.caught_up.now == now && occurrence.due <= of.caught_up.to;
    if late <= policies.grace_millis || is_kept {
        return (if late > policies.grace_millis { verdict_on_missed(policies, late) } else { Verdict::Fire }, occurrence);
    }
    let last = schedule.last_due_until(occurrence, now.plus(-policies.grace_millis - 1));
    let first = first_to_fire(schedule, policies.misfire, occurrence, last);
    if first == Some(occurrence) {
        // Until the last one that was missed, nothing more is left out.
        of.caught_up = CaughtUp { now, to: last.due };
        return (verdict_on_missed(policies, late), occurrence);
    }
    let skipped = first.map_or(last, |first| schedule.last_due_until(occurrence, first.due.plus(-1)));
    of.caught_up = CaughtUp { now, to: last.due };
    (Verdict::Skip(late_and_others("missed: it would have fired", late, occurrence, skipped)), skipped)
}

/// Of the occurrences from `first` to `last`, all of which were missed, the first that is not left out.
fn first_to_fire(schedule: &Schedule, misfire: Misfire, first: Occurrence, last: Occurrence) -> Option<Occurrence> {
    match misfire {
        Misfire::Skip => None,
        Misfire::FireOnce => Some(last),
        Misfire::Fire | Misfire::DeadLetter => Some(schedule.last_runs(first, last, MAX_CATCH_UP_RUNS)),
    }
}

fn late_and_others(what: &str, late: i64, first: Occurrence, last: Occurrence) -> String {
    and_others(format!("{what} {} s late", late / 1_000), first, last)
}

/// Adds to the reason why a run is left out that others are left out with it.
pub(super) fn and_others(why: String, first: Occurrence, last: Occurrence) -> String {
    if first == last { why } else { format!("{why}; so would all runs up to that of {}", last.time) }
}

/// Returns the verdict on a run that was missed and is not skipped. `late` is in milliseconds.
fn verdict_on_missed(policies: Policies, late: i64) -> Verdict {
    if policies.misfire == Misfire::DeadLetter { Verdict::DeadLetter(missed(late)) } else { Verdict::Fire }
}

/// The occurrences of a schedule that a pause has held up, where its policy makes up for them, with the verdict on each. Those that are left
/// out together, or have expired, are one, at the first.
pub(super) fn missed_in_pause(
    schedule: &Schedule,
    policies: Policies,
    paused_at: UnixMillis,
    now: UnixMillis,
) -> Vec<(Occurrence, Verdict)> {
    let mut settled = Vec::new();
    let is_due = |run: &Occurrence| policies.catches_up && run.due <= now;
    let late = |run: Occurrence| now.since(run.due);
    let Some(mut first) = schedule.next_after(paused_at).filter(is_due) else { return settled };
    if let (Some(_), Some(limit)) = (expired(policies, late(first)), policies.expire_after_millis) {
        let last = schedule.last_due_until(first, now.plus(-limit - 1));
        settled.push((first, Verdict::Expire(late_and_others("expired: it would have started", late(first), first, last))));
        let Some(next) = schedule.following(last.time).filter(is_due) else { return settled };
        first = next;
    }
    let mut begin = Some(first);
    if late(first) > policies.grace_millis {
        let last = schedule.last_due_until(first, now.plus(-policies.grace_millis - 1));
        begin = first_to_fire(schedule, policies.misfire, first, last).or_else(|| schedule.following(last.time).filter(is_due));
    }
    // A task whose runs must not overlap makes up for one.
    let most = if policies.overlap == Overlap::Allow { MAX_CATCH_UP_RUNS } else { 1 };
    let last = schedule.last_due_until(first, now);
    begin = begin.map(|begin| schedule.last_runs(begin, last, most));
    if begin != Some(first) {
        let left_out = begin.map_or(last, |begin| schedule.last_due_until(first, begin.due.plus(-1)));
        settled.push((first, Verdict::Skip(late_and_others("missed: it would have fired", late(first), first, left_out))));
    }
    let runs = std::iter::successors(begin, |run| schedule.following(run.time)).take_while(|run| run.time <= last.time);
    settled.extend(runs.map(|run| {
        let is_missed = late(run) > policies.grace_millis;
        (run, if is_missed { verdict_on_missed(policies, late(run)) } else { Verdict::Fire })
    }));
    settled
}

/// Runs of a recurring task outside of its order: to be put among the tasks, and dropped.
#[derive(Default)]
pub(super) struct RunsAside {
    pub(super) back: PutBack,
    pub(super) dropped: Vec<Dropped>,
    /// How many they are, and the bytes of their records.
    pub(super) runs: usize,
    pub(super) bytes: usize,
}

/// Of which task, and how, runs are added outside of its order.
pub(super) struct Aside<'a> {
    pub(super) record: &'a [u8],
    pub(super) hash: u64,
    pub(super) to_queue: bool,
    pub(super) overlap: Overlap,
    /// Their lateness counts from now.
    pub(super) starts_now: bool,
}

impl Engine {
    /// Whether a run of the task of this id is handed on or waits for a further attempt, or its follow-up does.
    pub(super) fn is_running(&self, hash: u64) -> bool {
        self.in_flight.contains_key(&hash)
            || self.tasks.find(hash).any(|at| {
                let flags = self.flags_of(at);
                flags.has(Flags::RETRY) && !flags.has(Flags::DEAD_LETTER) && self.due_of(at) != UnixMillis::HELD
            })
    }

    pub(super) fn held_of(&self, hash: u64) -> impl Iterator<Item = EntryRef> + '_ {
        self.tasks.find(hash).filter(|at| self.due_of(*at) == UnixMillis::HELD)
    }

    /// The verdict on an occurrence that would fire, by what runs already: what is stored, and what `fired` in this firing.
    pub(super) fn judge_overlap(
        &self,
        hash: u64,
        overlap: Overlap,
        fired: &mut HashSet<u64>,
        held: &mut HashSet<u64>,
    ) -> Verdict {
        if overlap == Overlap::Allow {
            return Verdict::Fire;
        }
        if !self.is_running(hash) && !fired.contains(&hash) {
            fired.insert(hash);
            return Verdict::Fire;
        }
        let waits_already = held.contains(&hash) || self.held_of(hash).next().is_some();
        if overlap == Overlap::QueueOne && !waits_already {
            held.insert(hash);
            return Verdict::Hold;
        }
        let why = if waits_already { " and the next waits already" } else { "" };
        Verdict::Skip(format!("overlap: the run before has not ended{why}"))
    }

    /// Adds runs of a recurring task outside of its order, as far as what runs already lets them.
    pub(super) fn run_aside(&self, of: &Aside<'_>, runs: Vec<(Occurrence, Verdict)>, now: UnixMillis, aside: &mut RunsAside) {
        let flags = if of.to_queue { Flags::TO_QUEUE } else { Flags::TASK };
        let (mut fired, mut held) = (HashSet::new(), HashSet::new());
        for (run, mut verdict) in runs {
            let mut text = Vec::with_capacity(of.record.len() + 24);
            write_occurrence(of.record, run.time, &mut text);
            aside.runs += 1;
            aside.bytes += text.len();
            if verdict == Verdict::Fire {
                verdict = self.judge_overlap(of.hash, of.overlap, &mut fired, &mut held);
            }
            match (verdict, Record::parse(&text)) {
                (Verdict::Fire, Ok(record)) => {
                    let replayed_at = Some(now).filter(|_| of.starts_now && record.is_conditional());
                    aside.back.push(&Record { replayed_at, ..record }, now, flags.and(Flags::RETRY));
                }
                (verdict, _) => aside.dropped.push(Dropped { record: text, hash: of.hash, flags, verdict }),
            }
        }
    }

    /// Takes in runs outside of their order.
    pub(super) fn put_aside(
        &mut self,
        aside: RunsAside,
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<(), EngineError> {
        self.put_in(aside.back, effects);
        if aside.dropped.is_empty() {
            return Ok(());
        }
        self.drop_late(&aside.dropped, now, reader, effects)
    }

    /// Keeps, counts and tells what a firing did not hand on, and adds what follows the runs that end with that.
    pub(super) fn drop_late(
        &mut self,
        dropped: &[Dropped],
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<(), EngineError> {
        let (mut remains, mut holds) = (Remains::default(), PutBack::default());
        let mut waiting = Vec::new();
        let mut ended = Vec::with_capacity(dropped.len());
        // Of these ids a run has ended here; what is to wait for it need not.
        let freed: HashSet<u64> = dropped.iter().filter(|dropped| dropped.ends_a_run()).map(|dropped| dropped.hash).collect();
        for Dropped { record, hash, flags, verdict } in dropped {
            let record =
                Record::parse(record).map_err(|problem| EngineError::Corrupt(format!("a record that is due: {problem}")))?;
            let to_queue = if flags.has(Flags::TO_QUEUE) { Flags::TO_QUEUE } else { Flags::TASK };
            let end = match verdict {
                Verdict::Fire => continue,
                Verdict::Hold => {
                    waiting.push((record, *hash, to_queue.and(Flags::RETRY)));
                    continue;
                }
                Verdict::Wait(until) => {
                    self.keep_waiting(&record, *until, to_queue.and(Flags::RETRY), &mut remains);
                    continue;
                }
                Verdict::Skip(reason) => {
                    self.state.counters.skipped += 1;
                    Ended::Skipped(reason)
                }
                Verdict::Expire(reason) => {
                    self.state.counters.expired += 1;
                    Ended::Expired(reason)
                }
                Verdict::DeadLetter(reason) => {
                    let dead = Record { failed_at: Some(now), error: Some(Cow::Borrowed(reason)), ..record.clone() };
                    self.keep_dead(&dead, to_queue, &mut remains);
                    Ended::Failed { dead: true, error: Cow::Borrowed(reason) }
                }
            };
            ended.push((record, end));
        }
        self.follow_up(now, None, &ended, now, &mut remains);
        self.keep_outcomes(now, None, &ended, now, effects);
        self.put_remains(remains, now, effects)?;
        for (record, hash, flags) in waiting {
            let is_free = freed.contains(&hash) && !self.is_running(hash);
            holds.push(&record, if is_free { now } else { UnixMillis::HELD }, flags);
        }
        self.release_held(freed.iter().copied(), now, reader, effects)?;
        self.put_in(holds, effects);
        Ok(())
    }

    /// Lets go what an event before has left because of its size.
    pub(super) fn release_rest(
        &mut self,
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<(), EngineError> {
        let rest = std::mem::take(&mut self.to_release);
        self.release_held(rest.into_iter(), now, reader, effects)
    }

    /// Notes the held runs whose wait is over, at start-up: a restart came before they were let go.
    pub(super) fn find_unreleased(&mut self) {
        if self.tasks.counts().held > 0 {
            self.to_release = self.tasks.held_hashes().filter(|hash| !self.is_running(*hash)).collect();
        }
    }

    /// Lets go what waits for the end of a run of these ids, where none goes on; as much as one event may, and the rest at the next
    /// wake-up.
    pub(super) fn release_held(
        &mut self,
        hashes: impl Iterator<Item = u64>,
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<(), EngineError> {
        if self.tasks.counts().held == 0 {
            return Ok(());
        }
        let (mut released, mut back, mut seen) = (Vec::new(), PutBack::default(), HashSet::new());
        let mut bytes = 0;
        for hash in hashes {
            if !seen.insert(hash) || self.is_running(hash) {
                continue;
            }
            let Some(at) = self.held_of(hash).next() else { continue };
            if bytes >= MAX_RELEASED_BYTES {
                self.to_release.insert(hash);
                continue;
            }
            bytes += self.tasks.record_bytes(at);
            // While its task is paused, it waits for the end of that instead.
            let mut schedules = self.tasks.find(hash).filter(|at| at.page == 0).filter_map(|at| self.tasks.schedule(at.index));
            let due = if schedules.any(|schedule| schedule.paused_at.is_some()) { UnixMillis::PAUSED } else { now };
            let text = self.record_of(at, reader)?;
            let record = Record::parse(&text).map_err(|problem| EngineError::Corrupt(format!("a held record: {problem}")))?;
            if let Some(key) = record.limit_key.as_deref().filter(|_| !due.is_never())
                && self.lanes.have_room_for(std::iter::once(key)).is_err()
            {
                // It would fire without a slot.
                self.lanes.hold_back(hash);
                continue;
            }
            back.push(&record, due, self.flags_of(at));
            released.push(at);
        }
        self.kill(&released, effects);
        self.put_in(back, effects);
        Ok(())
    }
}

#[cfg(test)]
#[path = "late_tests.rs"]
mod tests;
