//! Destinations that stop answering and come back, and what their circuits must do by the
//! reference: the rules of `docs/circuits.md`.

use crate::follow_ups::Stage;
use crate::invariants::violated;
use crate::late::{Due, Fate, firing_due};
use crate::model::{Firing, Model, What};
use crate::random::Random;
use crate::requeued::Requeued;
use crate::storage::Storage;
use crate::world::World;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Effects, Engine, Write};
use scheduler_model::bounds::MAX_CATCH_UP_RUNS;
use scheduler_model::format::page::Flags;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::Report;
use std::collections::{BTreeMap, BTreeSet};

/// The destinations, each with a callback that it answers.
pub(crate) const DESTINATIONS: [(&str, &str); 4] = [
    ("https://a.example", r#"{"type":"webhook","url":"https://a.example/hook"}"#),
    (
        "https://a.example",
        r#"{"type":"webhook","url":"https://A.example:443/other?x=1","method":"PUT"}"#,
    ),
    ("http://a.example:8080", r#"{"type":"webhook","url":"http://a.example:8080/hook"}"#),
    ("service:MAIL", r#"{"type":"service","binding":"MAIL","function":"send"}"#),
];

pub(crate) fn is_destination(name: &str) -> bool {
    DESTINATIONS.iter().any(|(known, _)| *known == name)
}

/// The attempts in a row without an answer after which a circuit opens.
const IN_A_ROW: u32 = 5;
/// The first and the longest time for which it opens, in milliseconds.
const OPEN: (i64, i64) = (10_000, 300_000);
/// A probe without news is followed by another after this time.
const PROBE: i64 = 120_000;
/// Runs that come due while a probe is in flight wait until the end of a stretch of this length.
const STRETCH: i64 = 10_000;
/// A circuit without news for this time is forgotten.
const FORGOTTEN: i64 = 600_000;
/// The same if the dispatchers take a few tasks at a time, and messages to them were lost.
const HELD_UP: i64 = 10_000_000;
/// The time within which a probe to a destination that is back is answered: a message, a report and
/// a stretch.
const ANSWERED: i64 = STRETCH + 20_000;
/// How long after every destination is back a run may still be deferred: the rest of the time for
/// which a circuit was open or waited for a probe, and the time for a message, a report and a
/// stretch.
const BACK_WITHIN: i64 = OPEN.1 + PROBE + STRETCH + 20_000;

#[derive(Debug, Clone, Default)]
struct Circuit {
    failures: u32,
    last: i64,
    open: Option<Open>,
}

#[derive(Debug, Clone)]
struct Open {
    until: i64,
    millis: i64,
    /// When the probe was let through, and its envelope.
    probe: Option<(i64, Option<EnvelopeSeq>)>,
}

/// The circuits of all shards.
#[derive(Debug, Default)]
pub(crate) struct Circuits {
    known: BTreeMap<(usize, &'static str), Circuit>,
    /// The circuits that a restarted shard finds.
    stored: BTreeMap<(usize, &'static str), Circuit>,
    /// The time since which every destination answers again.
    back_since: Option<i64>,
    /// The number of deferred runs.
    pub(crate) put_off: u64,
    /// The number of deferred runs with a limit key.
    pub(crate) put_off_of_keys: u64,
}

impl Circuits {
    /// Handles that a commit has stored the state of a shard.
    pub(crate) fn store(&mut self, shard: usize) {
        self.stored.retain(|(of, _), _| *of != shard);
        let open =
            self.known.iter().filter(|((of, _), circuit)| *of == shard && circuit.open.is_some());
        self.stored.extend(open.map(|(key, circuit)| (*key, circuit.clone())));
    }

    /// Handles that a shard has lost its memory.
    pub(crate) fn restart(&mut self, shard: usize) {
        self.known.retain(|(of, _), _| *of != shard);
        let stored = self.stored.iter().filter(|((of, _), _)| *of == shard);
        self.known.extend(stored.map(|(key, circuit)| (*key, circuit.clone())));
    }
}

/// Returns whether a commit stores the shard's state.
pub(crate) fn stores_state(effects: &Effects) -> bool {
    effects.writes.iter().any(|write| {
        matches!(
            write,
            Write::InsertEnvelope { state: Some(_), .. }
                | Write::ClearEnvelope { .. }
                | Write::SaveState { .. }
        )
    })
}

impl Model {
    /// Returns the destination of a firing that may fall silent.
    pub(crate) fn destination_of(&self, firing: Firing) -> Option<&'static str> {
        let of = self.version(firing.version).destination.filter(|_| firing.stage == Stage::Run)?;
        Some(DESTINATIONS[of].0)
    }

    /// Handles a report of an envelope in flight.
    pub(crate) fn hear(&mut self, shard: usize, report: &Report, now: i64) {
        let Some(flight) = self.in_flight.get(&(shard, report.seq)).filter(|flight| !flight.queue)
        else {
            return;
        };
        let mut heard: BTreeMap<&'static str, (bool, u32)> = BTreeMap::new();
        for (index, firing) in (0..).zip(&flight.tasks) {
            let Some(destination) = self.destination_of(*firing) else { continue };
            if report.not_started.contains(&index) || report.expired.contains(&index) {
                continue;
            }
            let (is_answered, silent) = heard.entry(destination).or_default();
            if report.no_answer.contains(&index) { *silent += 1 } else { *is_answered = true }
        }
        for (destination, (is_answered, silent)) in heard {
            let key = (shard, destination);
            if is_answered {
                self.circuits.known.remove(&key);
                continue;
            }
            let circuit = self.circuits.known.entry(key).or_default();
            if circuit.open.is_none() && now - circuit.last >= FORGOTTEN {
                circuit.failures = 0;
            }
            circuit.failures += silent;
            circuit.last = now;
            let millis = match &circuit.open {
                None if circuit.failures >= IN_A_ROW => OPEN.0,
                Some(Open { millis, probe: Some((_, seq)), .. }) if *seq == Some(report.seq) => {
                    (2 * millis).min(OPEN.1)
                }
                _ => continue,
            };
            circuit.open = Some(Open { until: now + millis, millis, probe: None });
        }
    }

    /// Returns whether a shard has an open circuit.
    pub(crate) fn has_open_circuits(&self, shard: usize) -> bool {
        self.circuits.known.iter().any(|((of, _), circuit)| *of == shard && circuit.open.is_some())
    }

    /// Returns whether the circuit of a firing's destination is open.
    pub(crate) fn is_silent(&self, shard: usize, firing: Firing) -> bool {
        self.silent_destination_of(shard, firing).is_some()
    }

    /// Returns the destination of a firing, if its circuit is open.
    fn silent_destination_of(&self, shard: usize, firing: Firing) -> Option<&'static str> {
        let circuit = |destination: &&'static str| self.circuits.known.get(&(shard, *destination));
        self.destination_of(firing).filter(|destination| {
            circuit(destination).is_some_and(|circuit| circuit.open.is_some())
        })
    }

    /// Returns until when a run waits that is due for a destination with an open circuit. Returns
    /// `None` if the run may be the probe.
    fn waits_until(&self, shard: usize, destination: &'static str, now: i64) -> Option<i64> {
        let open = self.circuits.known.get(&(shard, destination))?.open.as_ref()?;
        let is_in_flight = |seq: Option<EnvelopeSeq>| {
            seq.is_none_or(|seq| self.in_flight.contains_key(&(shard, seq)))
        };
        let in_flight = open.probe.filter(|(_, seq)| is_in_flight(*seq));
        // A time that is further away than the circuit was ever opened for was computed before the
        // clock went back.
        let longest = if open.probe.is_some() { PROBE } else { open.millis };
        let is_open = now < open.until && open.until - now <= longest;
        match in_flight {
            Some((at, _)) if is_open => {
                Some((at + ((now - at).max(0) / STRETCH + 1) * STRETCH).min(open.until))
            }
            None if open.probe.is_none() && is_open => Some(open.until),
            _ => None,
        }
    }

    /// Handles that a run goes to a destination: if its circuit is open, the run is the probe.
    fn begin_probe(&mut self, shard: usize, destination: &'static str, now: i64) {
        let open = self
            .circuits
            .known
            .get_mut(&(shard, destination))
            .and_then(|circuit| circuit.open.as_mut());
        let Some(open) = open else { return };
        open.probe = Some((now, None));
        open.until = now + PROBE;
    }

    /// Forgets circuits of a shard that had no news for a long time.
    fn forget_circuits(&mut self, shard: usize, now: i64) {
        let in_flight = &self.in_flight;
        self.circuits.known.retain(|(of, _), circuit| {
            let heard = match &circuit.open {
                _ if *of != shard => return true,
                None => circuit.last,
                Some(Open { probe: Some((_, Some(seq))), .. })
                    if in_flight.contains_key(&(shard, *seq)) =>
                {
                    return true;
                }
                Some(open) => open.until,
            };
            now - heard < FORGOTTEN
        });
    }

    /// Settles which runs of a wake-up wait for their destination. The writes of the wake-up say
    /// which runs of lanes it has reached, and which of them is a probe.
    pub(crate) fn settle_circuits(
        &mut self,
        shard: usize,
        due: &mut [Due],
        (effects, storage): (&Effects, &Storage),
        now: i64,
    ) {
        self.forget_circuits(shard, now);
        if !self.has_open_circuits(shard) {
            return;
        }
        let mut requeued = Requeued::read(effects, storage);
        let mut left: Vec<usize> = Vec::new();
        for (at, of) in
            due.iter().enumerate().filter(|(_, of)| of.is_keyed && of.fate == Fate::Fires)
        {
            if !requeued.take_dispatched(&of.waiting.record) {
                left.push(at);
                continue;
            }
            let Some(destination) = self.silent_destination_of(shard, firing_due(of)) else {
                continue;
            };
            if let Some(until) = self.waits_until(shard, destination, now) {
                let circuit = &self.circuits.known[&(shard, destination)];
                violated(
                    "nothing-to-the-silent",
                    format!("{of:?} went to {destination} before {until}: {circuit:?}"),
                );
            }
            self.begin_probe(shard, destination, now);
        }
        self.settle_without_keys(shard, due, &mut requeued, now);
        self.settle_lanes(shard, due, left, &mut requeued, now);
    }

    /// Settles the runs without a limit key, in their order.
    fn settle_without_keys(
        &mut self,
        shard: usize,
        due: &mut [Due],
        requeued: &mut Requeued<'_>,
        now: i64,
    ) {
        let mut waiting: BTreeMap<String, usize> = BTreeMap::new();
        for due in due.iter_mut().filter(|due| !due.is_keyed && due.fate == Fate::Fires) {
            let firing = firing_due(due);
            let Some(destination) = self.silent_destination_of(shard, firing) else { continue };
            let id = self.version(firing.version).id.clone();
            if due.waiting.entry.is_none() {
                let again = |what| matches!(what, What::Again | What::PausedAgain | What::Held);
                let before: u32 = self
                    .waiting_of(&id)
                    .iter()
                    .filter(|((_, what), _)| again(*what))
                    .map(|(_, count)| *count)
                    .sum();
                let here = waiting.entry(id.clone()).or_default();
                if before as usize + self.in_flight_of(&id).len() + *here >= MAX_CATCH_UP_RUNS {
                    due.fate = Fate::Skipped;
                    continue;
                }
                *here += 1;
            }
            match self.waits_until(shard, destination, now) {
                None => self.begin_probe(shard, destination, now),
                Some(until) => {
                    let stored = requeued.take_stored(&due.waiting.record, now);
                    self.note_wait(shard, due, destination, (stored, until), now);
                }
            }
        }
    }

    /// Settles the runs of lanes that have not fired. The writes of the wake-up say which of them
    /// were requeued; the rest waits for its turn. If no probe went although one may go, other runs
    /// wait for it only if a run for the destination is left in its lane.
    fn settle_lanes(
        &mut self,
        shard: usize,
        due: &mut [Due],
        left: Vec<usize>,
        requeued: &mut Requeued<'_>,
        now: i64,
    ) {
        let (mut stay, mut wait_for_probe) = (BTreeSet::new(), BTreeSet::new());
        for at in left {
            let of = &mut due[at];
            let silent = self.silent_destination_of(shard, firing_due(of));
            let Some(stored) = requeued.take_stored(&of.waiting.record, now) else {
                stay.extend(silent);
                continue;
            };
            // An occurrence that found no slot is requeued after what its lane has passed, so it
            // may be due a moment later.
            let waits_for_slot = of.waiting.entry.is_none() && stored <= now + 1;
            if waits_for_slot
                && silent.is_none_or(|destination| {
                    self.waits_until(shard, destination, now) != Some(stored)
                })
            {
                continue;
            }
            let Some(destination) = silent else {
                violated(
                    "waits-for-the-silent-only",
                    format!("{of:?} was deferred to {stored}; {:?}", self.circuits),
                )
            };
            let until = self.waits_until(shard, destination, now).unwrap_or_else(|| {
                wait_for_probe.insert(destination);
                now + STRETCH
            });
            self.circuits.put_off_of_keys += 1;
            self.note_wait(shard, of, destination, (Some(stored), until), now);
        }
        if let Some(destination) = wait_for_probe.difference(&stay).next() {
            violated(
                "waits-for-the-silent-only",
                format!("runs wait for a probe to {destination}, and none goes"),
            );
        }
    }

    /// Records that a run waits for its destination until a time. `stored` is its stored due time.
    fn note_wait(
        &mut self,
        shard: usize,
        due: &mut Due,
        destination: &str,
        (stored, until): (Option<i64>, i64),
        now: i64,
    ) {
        self.circuits.put_off += 1;
        if stored != Some(until) {
            let circuits = &self.circuits;
            violated(
                "waits-as-long-as-documented",
                format!("{due:?} is deferred to {stored:?}, expected {until}: {circuits:?}"),
            );
        }
        // A run that was deferred by a clock ahead waits for that clock's time.
        let ahead = if self.clocks_step { 600_000 } else { 0 };
        // The same holds for a run for which the dispatchers have had no room until now.
        let ahead = ahead + if self.held_up > 0 { HELD_UP } else { 0 };
        let latest = self.circuits.back_since.map_or(i64::MAX, |since| since + BACK_WITHIN + ahead);
        // A run that has waited for its limit may be the first that is let through, however late.
        let open =
            self.circuits.known.iter().find(|((of, name), _)| *of == shard && *name == destination);
        let probe = open.and_then(|(_, circuit)| circuit.open.as_ref()?.probe);
        if now > latest && probe.is_none_or(|(at, _)| now - at > ANSWERED) {
            violated(
                "back-in-time",
                format!("{:?} of {destination} still waits at {now}", firing_due(due)),
            );
        }
        due.fate = Fate::Waits(until);
    }

    /// Handles that an envelope with this firing was committed.
    pub(crate) fn let_through(&mut self, shard: usize, firing: Firing, seq: EnvelopeSeq) {
        let Some(destination) = self.destination_of(firing) else { return };
        let open = self
            .circuits
            .known
            .get_mut(&(shard, destination))
            .and_then(|circuit| circuit.open.as_mut());
        if let Some((_, of)) = open.and_then(|open| open.probe.as_mut()) {
            if of.is_some() {
                violated(
                    "nothing-to-the-silent",
                    format!("{firing:?} went to {destination}, which has a probe on its way"),
                );
            }
            *of = Some(seq);
        }
    }

    /// Handles that a due run waits for its destination.
    pub(crate) fn wait_for_destination(&mut self, due: &Due, until: i64) {
        let firing = firing_due(due);
        let what = match due.waiting.entry {
            None => None,
            Some(entry) if entry.flags.has(Flags::RETRY) => Some(What::Again),
            Some(_) => Some(What::First),
        };
        self.defer(firing, what, until);
    }

    /// `circuits-agree`: a shard shows exactly the open circuits.
    pub(crate) fn circuits_agree(&self, shard: usize, engine: &Engine, now: UnixMillis) {
        let shown: BTreeSet<_> = engine
            .stats(now)
            .circuits
            .iter()
            .map(|of| (of.destination.clone(), of.until.get(), of.failures))
            .collect();
        let of_shard = self.circuits.known.iter().filter(|((of, _), _)| *of == shard);
        let known: BTreeSet<_> = of_shard
            .filter_map(|((_, destination), circuit)| {
                let open = circuit.open.as_ref()?;
                Some(((*destination).to_owned(), open.until, u64::from(circuit.failures)))
            })
            .collect();
        if shown != known {
            violated("circuits-agree", format!("shown {shown:?}, known {known:?}"));
        }
    }
}

impl World {
    /// Makes a destination stop answering, or come back.
    pub(crate) fn turn_destination(&mut self, random: &mut Random) {
        let (destination, _) = *random.pick(&DESTINATIONS);
        if !self.silent.remove(destination) {
            self.silent.insert(destination);
        }
        let silent = self.silent.clone();
        self.trace(|| format!("silent: {silent:?}"));
    }

    /// Makes all destinations answer from now on.
    pub(crate) fn wake_destinations(&mut self) {
        self.silent.clear();
        self.model.circuits.back_since = Some(self.now.get());
    }
}
