//! Decisions about a run while an attempt of it is in flight, by the documents: the attempt ends,
//! and no other starts. A cancelled run ends with it. A paused run waits to be resumed, and so does
//! its follow-up.

use crate::changes::Step;
use crate::follow_ups::Stage;
use crate::invariants::violated;
use crate::model::{Firing, Flight, Model, Schedule, Send, What};
use crate::world::World;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Effects, Write};
use scheduler_model::format::envelope::Envelope;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{Change, Changed, Filter, Status};
use scheduler_model::task::Record;
use std::collections::BTreeMap;
use std::ops::Range;

/// Why no further attempt of a run starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Cancelled,
    Paused,
}

/// An attempt in flight: the number of its envelope, and its index in it.
pub(crate) type FlightAt = (EnvelopeSeq, usize);

/// Returns the range of the envelopes of a shard among those of all shards.
pub(crate) fn envelopes_of(shard: usize) -> Range<(usize, EnvelopeSeq)> {
    (shard, EnvelopeSeq::default())..(shard + 1, EnvelopeSeq::default())
}

/// The decisions about an envelope's tasks, by index, and whether the last message to its queue
/// omits the task.
#[derive(Debug, Clone, Default)]
pub(crate) struct Decided(BTreeMap<usize, (Option<Stop>, bool)>);

impl Decided {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn stop(&self, index: usize) -> Option<Stop> {
        self.0.get(&index).and_then(|(stop, _)| *stop)
    }

    pub(crate) fn omitted(&self) -> Vec<usize> {
        self.0.iter().filter(|(_, (_, omitted))| *omitted).map(|(index, _)| *index).collect()
    }

    fn stopped(&self) -> Vec<usize> {
        self.0.iter().filter(|(_, (stop, _))| stop.is_some()).map(|(index, _)| *index).collect()
    }
}

/// How many decisions there were about runs in flight, over all shards.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decisions {
    pub(crate) cancelled: u64,
    pub(crate) paused: u64,
    pub(crate) patched: u64,
    /// Of the cancelled, paused and resumed runs, how many by a filter, and how many by several
    /// ids.
    pub(crate) by_filter: u64,
    pub(crate) by_ids: u64,
}

impl Decisions {
    pub(crate) fn add(&mut self, other: Self) {
        self.cancelled += other.cancelled;
        self.paused += other.paused;
        self.patched += other.patched;
        self.by_filter += other.by_filter;
        self.by_ids += other.by_ids;
    }
}

impl Flight {
    /// Returns the runs of the envelope with the patches that came after they were dispatched.
    pub(crate) fn as_patched(&self) -> impl Iterator<Item = Firing> + '_ {
        (0..)
            .zip(&self.tasks)
            .map(|(index, firing)| self.patched.get(&index).copied().unwrap_or(*firing))
    }
}

/// What a change does to a run in flight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlightStep {
    pub(crate) flight: FlightAt,
    pub(crate) stop: Option<Stop>,
    pub(crate) put: Option<(Firing, What)>,
}

impl Model {
    pub(crate) fn firing_at(&self, shard: usize, (seq, index): FlightAt) -> Firing {
        self.in_flight[&(shard, seq)].as_patched().nth(index).expect("the envelope has this index")
    }

    pub(crate) fn stop_of(&self, shard: usize, (seq, index): FlightAt) -> Option<Stop> {
        self.in_flight[&(shard, seq)].decided.stop(index)
    }

    /// Returns the attempts in flight on a shard that were not cancelled, in the order of dispatch.
    fn flights(&self, shard: usize) -> Vec<FlightAt> {
        let of_shard = self.in_flight.range(envelopes_of(shard));
        let all = of_shard
            .flat_map(|((_, seq), flight)| (0..flight.tasks.len()).map(|index| (*seq, index)));
        all.filter(|flight| self.stop_of(shard, *flight) != Some(Stop::Cancelled)).collect()
    }

    /// Returns the attempts in flight of an id, newest envelope first.
    pub(crate) fn flights_of(&self, shard: usize, id: &str) -> Vec<FlightAt> {
        let mut flights = self.flights(shard);
        flights.retain(|flight| self.version(self.firing_at(shard, *flight).version).id == id);
        flights.sort_by_key(|(seq, index)| (std::cmp::Reverse(*seq), *index));
        flights
    }

    /// Returns when the run of an attempt was due, or was requested.
    pub(crate) fn due_in_flight(&self, shard: usize, (seq, index): FlightAt) -> UnixMillis {
        let firing = self.firing_at(shard, (seq, index));
        let requested = self.in_flight[&(shard, seq)].replayed[index];
        UnixMillis::new(requested.unwrap_or_else(|| self.version(firing.version).due(firing.time)))
    }

    /// Returns the attempts in flight that a filter matches. An attempt in flight is `running`, and
    /// also `paused` if it was paused.
    pub(crate) fn flights_matching(&self, shard: usize, filter: &Filter) -> Vec<FlightAt> {
        let is_selected = |flight: &FlightAt| {
            let firing = self.firing_at(shard, *flight);
            let is_status = match filter.status {
                None | Some(Status::Running) => true,
                Some(Status::Paused) => self.stop_of(shard, *flight) == Some(Stop::Paused),
                Some(_) => false,
            };
            let is_paused = self.stop_of(shard, *flight) == Some(Stop::Paused);
            let is_as_paused = filter.paused.is_none_or(|wanted| wanted == is_paused);
            let due = self.due_in_flight(shard, *flight);
            let rest = Filter { status: None, paused: None, ..filter.clone() };
            is_status && is_as_paused && self.matches(&rest, firing, What::Again, Some(due))
        };
        self.flights(shard).into_iter().filter(is_selected).collect()
    }

    /// Handles a committed decision about a run in flight.
    pub(crate) fn decide(&mut self, shard: usize, (seq, index): FlightAt, stop: Option<Stop>) {
        let Some(flight) = self.in_flight.get_mut(&(shard, seq)) else { return };
        match stop {
            Some(Stop::Cancelled) => self.decisions.cancelled += 1,
            Some(Stop::Paused) => self.decisions.paused += 1,
            None => {}
        }
        flight.decided.0.entry(index).or_default().0 = stop;
    }

    /// Handles a committed partial cancel of the runs in flight of an id. It covers the runs in the
    /// envelopes that were read, except the newest, whose version is compared until the end. Each
    /// part must cancel at least one run.
    pub(crate) fn cancel_in_part(&mut self, shard: usize, id: &str, effects: &Effects) {
        let is_read = |seq: EnvelopeSeq| {
            effects
                .writes
                .iter()
                .any(|write| matches!(write, Write::Decide { seq: of, .. } if *of == seq))
        };
        let cancelled: Vec<FlightAt> = self
            .flights_of(shard, id)
            .into_iter()
            .skip(1)
            .filter(|(seq, _)| is_read(*seq))
            .collect();
        if cancelled.is_empty() {
            violated("cancel-answers", format!("a part of the cancel of {id} cancels nothing"));
        }
        for flight in cancelled {
            self.decide(shard, flight, Some(Stop::Cancelled));
        }
    }

    /// Handles a committed patch of a run in flight. It continues as a run of version `n` with its
    /// time, its count of attempts, and what is known of its start.
    pub(crate) fn patch_flight(&mut self, shard: usize, flight: FlightAt, n: u64) {
        let was = self.firing_at(shard, flight);
        let firing = Firing { version: n, ..was };
        let (id, says_paused) = (self.version(n).id.clone(), self.version(n).says_paused);
        self.by_id.entry(id).or_default().push(n);
        self.gone.insert(n, "has fired");
        // The run has started, so its time has come, whatever its delay is now.
        let first = |firing: Firing| Firing { attempt: 1, ..firing };
        self.early.insert(first(firing));
        if let Some(at) = self.replayed.get(&first(was)).copied() {
            self.replayed.insert(first(firing), at);
        }
        // The start of its lateness does not change with the delay.
        let due = self.version(was.version).due(was.time);
        let is_conditional = Record::parse(&self.version(n).record).unwrap().is_conditional();
        if let Some(of) = self.in_flight.get_mut(&(shard, flight.0)).filter(|_| is_conditional) {
            let start = of.replayed[flight.1].unwrap_or(due);
            of.late_since[flight.1] = of.late_since[flight.1].max(Some(start));
        }
        if let Some(times) = self.first_attempts.get(&first(was)).cloned() {
            self.first_attempts.insert(first(firing), times);
        }
        self.decisions.patched += 1;
        self.decide(shard, flight, (says_paused == Some(true)).then_some(Stop::Paused));
        let of = self.in_flight.get_mut(&(shard, flight.0)).expect("what is patched is in flight");
        of.patched.insert(flight.1, firing);
    }

    /// Returns what a change does to a run in flight. The attempt itself ends in any case.
    pub(crate) fn flight_step(
        &self,
        shard: usize,
        flight: FlightAt,
        change: Change,
    ) -> Result<FlightStep, Changed> {
        let firing = self.firing_at(shard, flight);
        let is_paused = self.stop_of(shard, flight) == Some(Stop::Paused);
        let has_no_time = matches!(self.version(firing.version).schedule, Schedule::Recurring(_))
            || firing.stage != Stage::Run;
        match change {
            Change::Pause if !is_paused => {
                Ok(FlightStep { flight, stop: Some(Stop::Paused), put: None })
            }
            Change::Resume if is_paused => Ok(FlightStep { flight, stop: None, put: None }),
            Change::Pause | Change::Resume => Err(Changed::Unchanged),
            // The run has started already.
            Change::Run => Err(Changed::AlreadyFired),
            Change::Reschedule(_) if has_no_time => Err(Changed::NotApplicable),
            Change::Reschedule(time) if time.at.get() == firing.time => Err(Changed::Unchanged),
            Change::Reschedule(time) => {
                let what = if is_paused { What::Paused } else { What::First };
                let put = Some((Firing { time: time.at.get(), attempt: 1, ..firing }, what));
                Ok(FlightStep { flight, stop: Some(Stop::Cancelled), put })
            }
        }
    }
}

impl World {
    pub(crate) fn apply_to_flights(&mut self, at: usize, steps: &[FlightStep]) {
        for FlightStep { flight, stop, put } in steps {
            self.model.decide(at, *flight, *stop);
            if put.is_some() {
                self.model.step(&Step {
                    take: None,
                    put: *put,
                    not_before: None,
                    early: false,
                    replays: None,
                    resumes: None,
                });
            }
        }
    }

    /// `stopped-never-starts`: when an envelope is sent again, no stopped run of it starts.
    pub(crate) fn sent_again(&mut self, at: usize, seq: EnvelopeSeq, effects: &Effects) {
        let outgoing = effects
            .sends
            .iter()
            .find(|outgoing| outgoing.seq == seq)
            .expect("an envelope that is sent again is among the sends");
        let envelope = Envelope::parse(std::str::from_utf8(&outgoing.text).unwrap())
            .expect("an envelope can be parsed");
        let Some(flight) = self.model.in_flight.get_mut(&(at, seq)) else { return };
        let stopped = flight.decided.stopped();
        let all = flight.tasks.len();
        if stopped.len() == all {
            violated(
                "stopped-never-starts",
                format!("envelope {seq} went out again, though all of it was stopped"),
            );
        }
        let firing = |task: &&serde_json::value::RawValue| {
            crate::model::firing_of(&Record::parse(task.get().as_bytes()).unwrap())
        };
        let sent: Vec<Firing> = envelope.tasks.iter().map(firing).collect();
        let (expected, skip): (Vec<Firing>, Vec<u32>) = if flight.queue {
            let left =
                flight.tasks.iter().enumerate().filter(|(index, _)| !stopped.contains(index));
            (left.map(|(_, firing)| *firing).collect(), Vec::new())
        } else {
            (flight.tasks.clone(), stopped.iter().map(|index| *index as u32).collect())
        };
        if sent != expected || envelope.skip != skip {
            let detail =
                format!("envelope {seq} went out again with {sent:?}, without {:?}", envelope.skip);
            violated(
                "stopped-never-starts",
                format!("{detail}; expected {expected:?}, without {skip:?}"),
            );
        }
        if flight.queue {
            for (index, (stop, omitted)) in &mut flight.decided.0 {
                *omitted = stop.is_some() && *index < all;
            }
        }
    }

    /// Handles envelopes that a wake-up has ended without a report. All of their runs were stopped,
    /// and nobody has reported them in time.
    pub(crate) fn ended_without_report(&mut self, at: usize, effects: &Effects) {
        for write in &effects.writes {
            let (Write::DeleteEnvelope { seq } | Write::ClearEnvelope { seq, .. }) = write else {
                continue;
            };
            let Some(flight) = self.model.in_flight.remove(&(at, *seq)) else { continue };
            let row = &self.shards[at].storage.outbox[seq];
            let is_late = self.now.get() - flight.since
                >= self.config.visibility_millis << row.attempts.min(4);
            let is_faulty = flight.last_send != (Send::Unanswered { after: 0 }) || flight.queue;
            if flight.decided.stopped().len() < flight.tasks.len() || !(is_late || is_faulty) {
                violated(
                    "nothing-lost",
                    format!("envelope {seq} ended without a report: {flight:?}"),
                );
            }
            for (index, firing) in flight.as_patched().enumerate() {
                if flight.decided.stop(index) == Some(Stop::Paused) {
                    self.model.put(firing, What::PausedAgain);
                }
            }
            for firing in flight.as_patched() {
                let id = self.model.version(firing.version).id.clone();
                self.model.release(&id, self.now.get());
            }
        }
    }
}
