//! What happens to envelopes: queues that lose, repeat and delay them, dispatchers that run tasks
//! and report, consumers.

use crate::in_flight::envelopes_of;
use crate::invariants::violated;
use crate::model::{Send, firing_of};
use crate::storage::send_back_off;
use crate::world::{Event, World};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Destination, Effects, Outgoing, Write};
use scheduler_model::format::envelope::Envelope;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{Detail, Done, Failure, Report};
use scheduler_model::task::Record;

impl World {
    /// `redelivery-explained`: an envelope is sent again in three cases: after its time without a
    /// report, after a refused send when its back-off is over, or if the result of the send is
    /// unknown. A refused envelope was not delivered.
    pub(crate) fn check_resends(&mut self, at: usize, effects: &Effects) {
        for write in &effects.writes {
            let Write::Resent { seq, attempts, .. } = write else { continue };
            self.sent_again(at, *seq, effects);
            let row = &self.shards[at].storage.outbox[seq];
            let is_queue = row.destination.as_ref().is_some_and(|to| !to.is_reported());
            let flight = self
                .model
                .in_flight
                .get_mut(&(at, *seq))
                .expect("an envelope that is sent again is in flight");
            let silent = self.now.get() - flight.since
                >= self.config.visibility_millis << row.attempts.min(4);
            let explained = match flight.last_send {
                Send::Refused { times, at: refused_at } => {
                    let wait = send_back_off(times, self.config);
                    *attempts == row.attempts && self.now.get() >= refused_at + wait
                }
                Send::Hung { at } => {
                    *attempts == row.attempts.max(1)
                        && self.now.get() >= at + self.config.visibility_millis
                }
                Send::Unanswered { after: 0 } if is_queue => *attempts == row.attempts.max(1),
                Send::Unanswered { after: 0 } => *attempts == row.attempts + 1 && silent,
                Send::Unanswered { after } => {
                    let wait = send_back_off(after, self.config);
                    *attempts == row.attempts.max(1) && self.now.get() - flight.since >= wait
                }
            };
            if !explained {
                let detail = format!(
                    "envelope {seq} went out again at {} after {:?}",
                    self.now, flight.last_send
                );
                violated("redelivery-explained", detail);
            }
            let was_refused = matches!(flight.last_send, Send::Refused { .. });
            self.redelivered += u64::from(!was_refused);
            flight.sent_again |= !was_refused;
            flight.since = self.now.get();
            flight.last_send = match flight.last_send {
                Send::Hung { .. } => Send::Hung { at: self.now.get() },
                Send::Unanswered { after } if is_queue => Send::Unanswered { after: after + 1 },
                other => Send::Unanswered { after: other.refusals() },
            };
        }
    }

    /// `outages-end`: a refused envelope is sent again after its back-off, whatever happens to the
    /// shard in the meantime.
    pub(crate) fn refused_goes_out(&self, at: usize, wanted: Option<UnixMillis>) {
        for ((_, seq), flight) in self.model.in_flight.range(envelopes_of(at)) {
            let latest = match flight.last_send {
                Send::Refused { times, at } => at + send_back_off(times, self.config),
                Send::Hung { at } => at + self.config.visibility_millis,
                Send::Unanswered { .. } => continue,
            };
            if wanted.is_none_or(|wanted| wanted > UnixMillis::new(latest).max(self.now)) {
                let detail =
                    format!("{:?} of envelope {seq}; to be woken at {wanted:?}", flight.last_send);
                violated("outages-end", detail);
            }
        }
    }

    /// Returns whether the queue of an envelope is down. If it is, the value says whether it hangs
    /// instead of refusing.
    fn outage(&self, destination: &Destination) -> Option<bool> {
        let is_dispatch = destination.is_reported();
        let now = self.now;
        let of_it = self.outages.iter().find(|outage| {
            outage.of_dispatchers == is_dispatch && outage.from <= now && now < outage.to
        });
        of_it.map(|outage| outage.hangs)
    }

    pub(crate) fn send(&mut self, at: usize, incarnation: u64, outgoing: Outgoing) {
        if self.shards[at].incarnation != incarnation {
            return;
        }
        if self.crashes(at, self.faults.crash_around_send) {
            self.trace(|| format!("{at}: crash before the send of {}", outgoing.seq));
            return self.drop_engine(at);
        }
        let seq = outgoing.seq;
        let outage = self.outage(&outgoing.destination);
        // A queue that hangs still accepts some messages.
        let is_lost = outage == Some(true) && self.random.chance(800);
        let is_refused =
            self.random.chance(self.faults.send_refused) || outage == Some(false) || is_lost;
        let is_unknown = self.random.chance(self.faults.send_unknown);
        if !is_refused {
            self.trace(|| format!("{at}: sent {seq} to {:?}", outgoing.destination));
            // A message in a user's own queue stays there. A message to the dispatchers may be lost
            // with them.
            let can_be_lost = outgoing.destination.is_reported();
            let copies = 1 + i64::from(self.random.chance(self.faults.message_repeated));
            let copies = if can_be_lost && self.random.chance(self.faults.message_lost) {
                0
            } else {
                copies
            };
            *self.due_deliveries.entry((at, seq)).or_default() += copies;
            for _ in 0..copies {
                let when = self.now.plus(self.random.range(1, self.faults.message_delay));
                self.plan(when, Event::Message { shard: at, message: outgoing.clone() });
            }
        }
        if self.crashes(at, self.faults.crash_around_send) {
            self.trace(|| format!("{at}: crash after the send of {seq}"));
            return self.drop_engine(at);
        }
        let wait = if outage == Some(true) { 30_000 } else { self.random.range(0, 3) };
        let taken = (outage != Some(true)).then_some(!is_refused && !is_unknown);
        self.plan(self.now.plus(wait), Event::Sent { shard: at, incarnation, seq, taken });
    }

    /// Gives a shard the answer of a queue: whether it has accepted an envelope, or `None` if it
    /// does not answer.
    pub(crate) fn queue_answered(
        &mut self,
        at: usize,
        incarnation: u64,
        seq: EnvelopeSeq,
        taken: Option<bool>,
    ) {
        if self.shards[at].incarnation != incarnation {
            return;
        }
        // The outcome of the input does not matter: without a known acceptance, the envelope is
        // sent again.
        let _ = self.input(
            at,
            false,
            |engine, now, storage| match taken {
                Some(true) => Ok(((), engine.sent(seq, now, storage)?)),
                Some(false) => Ok(((), engine.send_failed(seq, now))),
                None => Ok(((), engine.send_unanswered(seq, now))),
            },
            |world, (), effects| {
                let (now, keep) = (world.now.get(), world.config.history);
                let first = Some(Send::Unanswered { after: 0 });
                let flight = world.model.in_flight.get(&(at, seq)).filter(|flight| !flight.queue);
                if taken == Some(true)
                    && flight.map(|flight| flight.last_send) == first
                    && !effects.writes.is_empty()
                {
                    violated(
                        "a-send-costs-nothing",
                        format!("envelope {seq} was accepted at once: {:?}", effects.writes),
                    );
                }
                if let Some(flight) = world.model.in_flight.get_mut(&(at, seq)) {
                    if taken != Some(true) {
                        flight.since = now;
                    }
                    flight.last_send = match taken {
                        Some(true) => Send::Unanswered { after: 0 },
                        // For a user's queue it makes no difference: what it may have accepted is
                        // sent again.
                        None if !flight.queue => Send::Hung { at: now },
                        _ => Send::Refused { times: flight.last_send.refusals() + 1, at: now },
                    };
                }
                if taken == Some(true)
                    && world.model.in_flight.get(&(at, seq)).is_some_and(|flight| flight.queue)
                {
                    world.model.finish(at, &Report { seq, ..Report::default() }, now, keep);
                }
            },
        );
    }

    /// Handles that a dispatcher, or the user's own consumer, receives an envelope.
    pub(crate) fn message(&mut self, at: usize, message: &Outgoing) {
        let left = self.due_deliveries.entry((at, message.seq)).or_default();
        *left -= 1;
        if *left < 0 {
            violated(
                "duplicates-explained",
                format!("envelope {} arrived more often than it was sent", message.seq),
            );
        }
        let envelope = Envelope::parse(std::str::from_utf8(&message.text).unwrap())
            .expect("an envelope can be parsed");
        let mut given_up = Vec::new();
        let mut report =
            Report { seq: envelope.seq, fired_at: Some(envelope.fired_at), ..Report::default() };
        for (index, task) in envelope.tasks.iter().enumerate() {
            let index = index as u32;
            let record = Record::parse(task.get().as_bytes()).unwrap();
            let firing = firing_of(&record);
            if !self.model.dispatched.contains_key(&firing) {
                violated(
                    "fires-what-waits",
                    format!("{firing:?} runs, but its firing was not committed"),
                );
            }
            let is_ours = message.destination.is_reported();
            if envelope.skip.contains(&index) {
                report.not_started.push(index);
                continue;
            }
            if is_ours && self.random.chance(self.leaves_undone) {
                report.not_started.push(index);
                continue;
            }
            if is_ours && record.expires_at().is_some_and(|end| self.now > end) {
                report.expired.push(index);
                continue;
            }
            let destination = self.model.destination_of(firing);
            let is_silent =
                destination.is_some_and(|destination| self.silent.contains(destination));
            // A dispatcher gives up a destination that did not answer twice in a row.
            if let Some(destination) = destination.filter(|_| is_silent)
                && given_up.iter().filter(|of| **of == destination).count() >= 2
                && self.random.chance(700)
            {
                report.not_started.push(index);
                continue;
            }
            *self.model.ran.entry(firing).or_default() += 1;
            let fails = self.model.version(firing.version).fails;
            if is_silent {
                given_up.extend(destination);
                report.no_answer.push(index);
                report.failed.push(Failure {
                    index,
                    error: "timed out".to_owned(),
                    ..Failure::default()
                });
                continue;
            }
            if is_ours && self.random.chance(fails) {
                let permanent = self.random.chance(100);
                // Every second target asks for a wait: a past one, a short one, or one beyond the
                // time of the policy.
                let asked = self
                    .random
                    .chance(500)
                    .then(|| self.now.plus(self.random.range(-1_000, 120_000)));
                if self.random.chance(500) {
                    let started_at = self.now.plus(-9);
                    report.details.push(Detail {
                        index,
                        status: Some(500),
                        started_at,
                        millis: 9,
                        excerpt: "no ".repeat(100),
                    });
                }
                report.failed.push(Failure {
                    index,
                    error: "HTTP 500 \"no\"\n".to_owned(),
                    permanent,
                    not_before: asked,
                    ..Failure::default()
                });
            } else if self.random.chance(300) {
                report.done.push(Done {
                    index,
                    status: Some(200),
                    started_at: self.now.plus(-7),
                    millis: 7,
                });
            }
        }
        self.trace(|| {
            format!("{at}: envelope {} of {} ran: {report:?}", message.seq, envelope.tasks.len())
        });
        if !message.destination.is_reported() || self.random.chance(self.faults.report_lost) {
            return;
        }
        if self.random.chance(self.faults.report_garbled) {
            report.not_started.extend([u32::MAX, envelope.tasks.len() as u32]);
            report.failed.extend(report.failed.first().cloned());
        }
        let copies = 1 + u64::from(self.random.chance(self.faults.report_repeated));
        for _ in 0..copies {
            let when = self.now.plus(self.random.range(1, self.faults.message_delay));
            self.plan(when, Event::Report { shard: at, report: report.clone() });
        }
    }

    pub(crate) fn report(&mut self, at: usize, report: &Report) {
        // If a report fails, the queue redelivers the dispatcher's message or the shard sends it
        // again. Nothing to do here.
        let _ = self.input(
            at,
            false,
            |engine, now, storage| Ok(((), engine.report(report, now, storage)?)),
            |world, (), _| {
                world.trace(|| format!("{at}: report of {}", report.seq));
                let (now, keep) = (world.now.get(), world.config.history);
                if world.model.in_flight.get(&(at, report.seq)).is_some_and(|flight| !flight.queue)
                {
                    world.model.finish(at, report, now, keep);
                }
            },
        );
    }
}
