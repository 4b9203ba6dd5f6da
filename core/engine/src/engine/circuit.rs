//! Circuits: runs for a destination that does not answer wait in the shard, instead of occupying
//! dispatchers until they time out.
//!
//! A destination is a host, a binding or a handler
//! ([`scheduler_model::task::Callback::destination`]). Its circuit is **closed** while it answers;
//! **open** for some time after [`OPEN_AFTER`] attempts in a row got no answer; then **half-open**:
//! the shard dispatches one run, the probe, whose outcome closes the circuit or opens it for twice
//! the time.
//!
//! The shard requeues runs that come due meanwhile as entries due later, in the commit in which the
//! watermark passes them, and counts no attempt. They can be listed, cancelled and changed like any
//! further attempt, and survive a restart.
//!
//! **Invariant:** a firing examines destinations only while a circuit is open, and a report only if
//! a destination of the shard was silent. Open circuits are stored with the state and cause no
//! write of their own: after a crash the shard may not know that one has opened or closed, which
//! costs some attempts or one wait, but no run.

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
use crate::policy::{Undispatched, Verdict};
use crate::reader::Reader;
use scheduler_calendar::ordered::sort_by_key;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_DEFERRED_RUNS;
use scheduler_model::explain::{Explanation, ReasonCode};
use scheduler_model::format::page::Flags;
use scheduler_model::protocol::{CircuitState, EventKind, Report};
use scheduler_model::task::{Callback, Record};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a report says of a destination.
#[derive(Default)]
struct Heard {
    is_answered: bool,
    silent: u32,
}

impl Engine {
    /// Returns what the circuit of its destination says of a record that is due and would be
    /// dispatched. To be called while any is open.
    ///
    /// Of a recurring task, whose runs have this hash, no run is let through or put off while
    /// [`MAX_DEFERRED_RUNS`] go on: each would add one that waits. `deferred` counts those of this
    /// firing by hash, its further attempts among them.
    pub(super) fn gate(
        &mut self,
        record: &[u8],
        recurs: Option<u64>,
        now: UnixMillis,
        deferred: &mut HashMap<u64, usize>,
    ) -> Gate {
        // A record that cannot be read is dispatched: the dispatcher reports the error.
        let Some(destination) =
            Record::parse(record).ok().and_then(|record| destination_of(&record))
        else {
            return Gate::Pass;
        };
        let going_on = recurs.map(|hash| self.going_on(hash));
        let outbox = &self.outbox;
        let Some(open) = self.circuits.open_mut(&destination) else { return Gate::Pass };
        if let (Some(hash), Some(going_on)) = (recurs, going_on) {
            let here = deferred.entry(hash).or_default();
            if going_on + *here >= MAX_DEFERRED_RUNS {
                return Gate::Stay(Verdict::Skip(format!(
                    "circuit: {destination} does not answer, and {MAX_DEFERRED_RUNS} runs of the task wait already"
                )));
            }
            *here += 1;
        }
        // One that is not on its way any more, and was not heard of, was not started.
        let probe = open
            .probe
            .filter(|probe| outbox.contains_key(&probe.seq) || probe.seq > self.state.last_seq);
        // A time further away than it was ever opened for is of a clock that has gone back since.
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
        open.put_off(until, now);
        Gate::Stay(Verdict::Wait(until))
    }

    /// Returns how many runs of a recurring task wait for a further attempt, or were put off, or
    /// are on their way.
    fn going_on(&self, hash: u64) -> usize {
        let waiting = self.tasks.find(hash).filter(|at| {
            let flags = self.flags_of(*at);
            flags.has(Flags::RETRY) && !flags.has(Flags::DEAD_LETTER)
        });
        waiting.count() + self.in_flight.get(&hash).copied().unwrap_or_default() as usize
    }

    /// Removes runs from the heads of lanes that must wait for their destination, before slots or
    /// tokens are used or asked for. Costs nothing while no circuit is open. [`Self::gate`] judges
    /// the runs that this does not reach.
    ///
    /// # Errors
    /// When storage fails or is damaged; the engine must then be dropped.
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
            // Without room, up to the first that is to ask for some.
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
                        // The first that was found is let through; this one waits as if that were
                        // on its way.
                        let until = now.plus(PROBED_MILLIS);
                        if let Some(open) = self.circuits.open_mut(&destination) {
                            open.put_off(until, now);
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
    fn due_heads(&self, lane: u8, now: UnixMillis) -> Vec<EntryRef> {
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

    /// Notes the probe of a destination, which is in this envelope.
    pub(super) fn probed(&mut self, destination: &str, seq: u64, now: UnixMillis) {
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

    /// Returns whether the circuit of the destination that a record calls is open.
    pub(super) fn is_unanswered(&self, record: &[u8]) -> bool {
        let destination = Record::parse(record).ok().and_then(|record| {
            Callback::parse(record.callback.get()).ok().and_then(|callback| callback.destination())
        });
        destination.is_some_and(|destination| self.circuits.is_open(&destination))
    }

    /// Removes circuits without a report for a long time. Costs nothing while there are none.
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

    /// Learns from a report which destinations have answered and which have not. An answer counts
    /// more than silence beside it.
    ///
    /// # Errors
    /// When the envelope cannot be read.
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

    /// Notes that a destination has answered.
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

    /// Notes attempts, reported with the envelope `seq`, to which a destination has not answered.
    fn note_silence(&mut self, destination: &str, silent: u32, seq: u64, now: UnixMillis) {
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
            // An attempt from before it opened, or a probe that came back after another was let
            // through.
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

    /// Adds that something waits, or would wait, because its destination does not answer.
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
