//! Circuits: runs for a destination that does not answer wait in the shard instead of occupying
//! dispatchers until they time out.
//!
//! A destination is a host, a binding or a handler
//! ([`scheduler_model::task::Callback::destination`]). Its circuit is **closed** while it answers.
//! After [`OPEN_AFTER`] attempts in a row without an answer, the circuit is **open** for some time.
//! Then it is **half-open**: the shard dispatches one run, the probe. The outcome of the probe
//! closes the circuit or opens it for twice the time.
//!
//! While a circuit is open, the shard requeues due runs as entries due later, in the commit in
//! which the watermark passes them. This does not count as an attempt. Callers can list, cancel and
//! change these runs like any further attempt, and they survive a restart.
//!
//! **Invariant:** a firing examines destinations only while a circuit is open. A report examines
//! them only if a destination of the shard did not answer. Open circuits are stored with the state
//! and cause no write of their own. So after a crash the shard may not know that a circuit has
//! opened or closed. That costs some attempts or one wait, but no run.

use super::Engine;
use crate::budget::{MAX_LOOK_BYTES, MAX_LOOKS};
use crate::circuits::{
    FIRST_OPEN_MILLIS, FORGOTTEN_AFTER_MILLIS, Gate, LONGEST_OPEN_MILLIS, OPEN_AFTER, Open,
    PROBE_MILLIS, PROBED_MILLIS, Probe, destination_of,
};
use crate::effects::Effects;
use crate::entry_ref::EntryRef;
use crate::envelopes::records_of;
use crate::error::{EngineError, contradiction};
use crate::policy::{Undispatched, Verdict, too_many_deferred};
use crate::reader::Reader;
use scheduler_calendar::ordered::sort_by_key;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_DEFERRED_RUNS;
use scheduler_model::explain::{Explanation, ReasonCode};
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::{EnvelopeSeq, LaneNumber};
use scheduler_model::protocol::{CircuitState, EventKind, Report};
use scheduler_model::task::{Callback, Record};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a report says about one destination.
#[derive(Default)]
struct Heard {
    is_answered: bool,
    silent: u32,
}

impl Engine {
    /// Returns whether the circuit of its destination lets a due record through. Callers call this
    /// only while a circuit is open.
    ///
    /// `recurs` is the hash of the task if the run belongs to a recurring task. While
    /// [`MAX_DEFERRED_RUNS`] runs of such a task are waiting or in flight, further runs are
    /// skipped, because each of them would add another waiting run. `deferred` counts the runs and
    /// further attempts of this firing by hash.
    pub(super) fn gate(
        &mut self,
        record: &[u8],
        recurs: Option<u64>,
        now: UnixMillis,
        deferred: &mut HashMap<u64, usize>,
    ) -> Gate {
        // A record that cannot be parsed is dispatched, because the dispatcher reports the error.
        let Some(destination) =
            Record::parse(record).ok().and_then(|record| destination_of(&record))
        else {
            return Gate::Pass;
        };
        let unfinished = recurs.map(|hash| self.unfinished_runs(hash));
        let outbox = &self.outbox;
        let Some(open) = self.circuits.open_mut(&destination) else { return Gate::Pass };
        if let (Some(hash), Some(unfinished)) = (recurs, unfinished) {
            let here = deferred.entry(hash).or_default();
            if unfinished + *here >= MAX_DEFERRED_RUNS {
                return Gate::Stay(Verdict::Skip(too_many_deferred(&destination)));
            }
            *here += 1;
        }
        // A probe that has left the outbox without a report was never started.
        let probe = open
            .probe
            .filter(|probe| outbox.contains_key(&probe.seq) || probe.seq > self.state.last_seq);
        // A time that is further away than the circuit was ever opened for was computed before the
        // clock went back.
        let longest = if open.probe.is_some() { PROBE_MILLIS } else { open.millis };
        if now >= open.until
            || open.until.since(now) > longest
            || open.probe.is_some() && probe.is_none()
        {
            return Gate::Probe(destination);
        }
        let until = probe.map_or(open.until, |probe| {
            let stretches = now.since(probe.at).max(0) / PROBED_MILLIS + 1;
            probe.at.plus(stretches * PROBED_MILLIS).min(open.until)
        });
        open.count_delayed(until, now);
        Gate::Stay(Verdict::Wait(until))
    }

    /// Returns how many runs of a recurring task wait for a further attempt, are deferred, or are
    /// in flight.
    pub(super) fn unfinished_runs(&self, hash: u64) -> usize {
        let waiting = self.tasks.find(hash).filter(|at| {
            let flags = self.flags_of(*at);
            flags.has(Flags::RETRY) && !flags.has(Flags::DEAD_LETTER)
        });
        waiting.count() + self.in_flight.get(&hash).copied().unwrap_or_default() as usize
    }

    /// Removes runs from the heads of lanes if their destination does not answer, before the engine
    /// uses or requests slots or tokens for them. Costs nothing while no circuit is open.
    /// [`Self::gate`] judges the runs that this method does not reach.
    ///
    /// # Errors
    /// Returns an error if storage fails or is damaged. The caller must then drop the engine.
    pub(super) fn take_silent(
        &mut self,
        now: UnixMillis,
        reader: &dyn Reader,
        effects: &mut Effects,
    ) -> Result<Vec<Undispatched>, EngineError> {
        let (mut taken, mut places) = (Vec::new(), Vec::new());
        if !self.circuits.is_any_open() {
            return Ok(taken);
        }
        let (mut looks, mut bytes) = (0, 0);
        let mut probed = BTreeSet::new();
        for (lane, room) in self.lanes.rooms(now) {
            if self.tasks.head_of(lane).is_none_or(|head| head.due > now) {
                continue;
            }
            // A lane without room is examined up to the first run that must request some.
            let mut left = room.max(1);
            for at in self.due_heads(lane, now) {
                if left == 0 || looks >= MAX_LOOKS || bytes >= MAX_LOOK_BYTES {
                    break;
                }
                let record = self.record_of(at, reader)?;
                looks += 1;
                bytes += record.len();
                let hash = self.tasks.hash_of(at);
                let hash = hash.ok_or_else(|| contradiction("a head of a lane does not exist"))?;
                let flags = self.flags_of(at);
                let verdict = match self.gate(&record, None, now, &mut HashMap::new()) {
                    Gate::Pass => None,
                    Gate::Probe(destination) if probed.contains(&destination) => {
                        // The first run for this destination becomes the probe. This one waits as
                        // if that probe were already in flight.
                        let until = now.plus(PROBED_MILLIS);
                        if let Some(open) = self.circuits.open_mut(&destination) {
                            open.count_delayed(until, now);
                        }
                        Some(Verdict::Wait(until))
                    }
                    Gate::Probe(destination) => {
                        if room > 0 {
                            probed.insert(destination);
                        }
                        None
                    }
                    Gate::Stay(verdict) => Some(verdict),
                };
                match verdict {
                    None => left -= 1,
                    Some(verdict) => {
                        places.push(at);
                        taken.push(Undispatched { record, hash, flags, verdict });
                    }
                }
            }
        }
        self.kill(&places, effects);
        Ok(taken)
    }

    /// Returns the first entries of a lane that are due, in the lane's order.
    fn due_heads(&self, lane: LaneNumber, now: UnixMillis) -> Vec<EntryRef> {
        let mut heads = Vec::new();
        for number in self.tasks.due_pages(lane, now) {
            let Some(page) = self.tasks.page(number) else { continue };
            let due = page.fired()..page.directory.before(now.plus(1));
            let live = due.filter(|index| page.is_live(*index)).take(MAX_LOOKS);
            heads.extend(live.map(|index| EntryRef::page(number, index)));
            if heads.len() >= MAX_LOOKS {
                break;
            }
        }
        sort_by_key(&mut heads, |at| (self.due_of(*at), *at));
        heads
    }

    /// Records that the envelope `seq` contains the probe of a destination.
    pub(super) fn probed(&mut self, destination: &str, seq: EnvelopeSeq, now: UnixMillis) {
        let Some(open) = self.circuits.open_mut(destination) else { return };
        open.probe = Some(Probe { seq, at: now });
        open.until = now.plus(PROBE_MILLIS);
        self.events.note_circuit(
            EventKind::CircuitHalfOpen,
            destination,
            "one run is let through",
            now,
        );
    }

    /// Returns whether the circuit of a record's destination is open.
    pub(super) fn is_unanswered(&self, record: &[u8]) -> bool {
        let destination = Record::parse(record).ok().and_then(|record| {
            Callback::parse(record.callback.get()).ok().and_then(|callback| callback.destination())
        });
        destination.is_some_and(|destination| self.circuits.is_open(&destination))
    }

    /// Removes circuits that no report has mentioned for a long time. Costs nothing while there are
    /// none.
    pub(super) fn forget_circuits(&mut self, now: UnixMillis) {
        let (events, unsaved, outbox) = (&mut self.events, &mut self.unsaved, &self.outbox);
        self.circuits.circuits.retain(|circuit| {
            let Some(open) = &circuit.open else {
                return now.since(circuit.last) < FORGOTTEN_AFTER_MILLIS;
            };
            let is_probed = open.probe.is_some_and(|probe| outbox.contains_key(&probe.seq));
            let stays = is_probed || now.since(open.until) < FORGOTTEN_AFTER_MILLIS;
            if !stays {
                *unsaved = true;
                events.note_circuit(
                    EventKind::CircuitClosed,
                    &circuit.destination,
                    "nothing was due for it for ten minutes",
                    now,
                );
            }
            stays
        });
    }

    /// Updates the circuits from a report. If a destination answered one attempt of the report and
    /// not another, the answer counts.
    ///
    /// # Errors
    /// Returns an error if the envelope cannot be read.
    pub(super) fn learn(
        &mut self,
        text: &[u8],
        report: &Report,
        now: UnixMillis,
    ) -> Result<(), EngineError> {
        if report.no_answer.is_empty() && self.circuits.circuits.is_empty() {
            return Ok(());
        }
        let (_, records) = records_of(text, report.seq)?;
        let mut is_left: Vec<bool> = vec![true; records.len()];
        let mut is_silent: Vec<bool> = vec![false; records.len()];
        let not_run = report.not_started.iter().chain(&report.expired);
        not_run.for_each(|index| set(&mut is_left, *index, false));
        let failed = |index: u32| report.failed.iter().any(|failure| failure.index == index);
        report
            .no_answer
            .iter()
            .filter(|index| failed(**index))
            .for_each(|index| set(&mut is_silent, *index, true));
        let mut heard: BTreeMap<String, Heard> = BTreeMap::new();
        for (at, record) in records.iter().enumerate() {
            let is_silent = is_silent.get(at).copied().unwrap_or_default();
            if !is_silent && !is_left.get(at).copied().unwrap_or_default() {
                continue;
            }
            let Some(destination) = destination_of(record) else { continue };
            let heard = heard.entry(destination).or_default();
            heard.silent += u32::from(is_silent);
            heard.is_answered |= !is_silent;
        }
        for (destination, heard) in heard {
            if heard.is_answered {
                self.close(&destination, now);
            } else {
                self.note_silence(&destination, heard.silent, report.seq, now);
            }
        }
        Ok(())
    }

    /// Closes the circuit of a destination, because it has answered.
    fn close(&mut self, destination: &str, now: UnixMillis) {
        let circuits = &mut self.circuits.circuits;
        let Some(at) = circuits.iter().position(|circuit| circuit.destination == destination)
        else {
            return;
        };
        if circuits.swap_remove(at).open.is_some() {
            self.unsaved = true;
            self.events.note_circuit(EventKind::CircuitClosed, destination, "it has answered", now);
        }
    }

    /// Counts `silent` attempts of the envelope `seq` that a destination has not answered, and
    /// opens its circuit if there were enough in a row.
    fn note_silence(&mut self, destination: &str, silent: u32, seq: EnvelopeSeq, now: UnixMillis) {
        let Some(circuit) = self.circuits.entry(destination) else { return };
        let is_old = now.since(circuit.last) >= FORGOTTEN_AFTER_MILLIS && circuit.open.is_none();
        circuit.failures = if is_old { silent } else { circuit.failures.saturating_add(silent) };
        circuit.last = now;
        let (since, millis) = match &circuit.open {
            None if circuit.failures < OPEN_AFTER => return,
            None => (now, FIRST_OPEN_MILLIS),
            Some(open) if open.probe.is_some_and(|probe| probe.seq == seq) => {
                (open.since, open.millis.saturating_mul(2).min(LONGEST_OPEN_MILLIS))
            }
            // The attempt started before the circuit opened, or it is an earlier probe that was
            // reported after a newer one was let through.
            Some(_) => return,
        };
        let waiting = circuit.open.take().map(|open| open.waiting).unwrap_or_default();
        circuit.open = Some(Open { since, until: now.plus(millis), millis, probe: None, waiting });
        let why = format!(
            "{} attempts in a row got no answer; open for {} s",
            circuit.failures,
            millis / 1_000
        );
        self.unsaved = true;
        self.events.note_circuit(EventKind::CircuitOpened, destination, &why, now);
    }

    /// Explains that a run waits, or would wait, because its destination does not answer.
    pub(super) fn explain_circuit(
        &self,
        record: &Record<'_>,
        now: UnixMillis,
        explanation: &mut Explanation,
    ) {
        if !self.circuits.is_any_open() {
            return;
        }
        let Some(destination) = destination_of(record) else { return };
        let Some(of) =
            self.circuits.stats(now).into_iter().find(|of| of.destination == destination)
        else {
            return;
        };
        let then = match of.state {
            CircuitState::Open => format!(
                "What is due for it waits until {}; then one run is let through.",
                of.until.shown()
            ),
            CircuitState::HalfOpen => {
                "One run was let through; the others wait for its outcome.".to_owned()
            }
        };
        let detail = format!(
            "Its destination {destination} has not answered {} attempts in a row, so its circuit is open on this shard since {}. {then}",
            of.failures,
            of.since.shown()
        );
        explanation.add(ReasonCode::CircuitOpen, detail);
    }
}

fn set(bits: &mut [bool], index: u32, to: bool) {
    if let Some(bit) = bits.get_mut(index as usize) {
        *bit = to;
    }
}

#[cfg(test)]
#[path = "circuit_key_tests.rs"]
mod key_tests;
#[cfg(test)]
#[path = "circuit_tests.rs"]
mod tests;
