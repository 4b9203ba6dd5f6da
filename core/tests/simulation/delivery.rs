//! What becomes of envelopes: queues that lose, repeat and delay, dispatchers that run tasks and report, consumers.

use crate::invariants::violated;
use crate::model::firing_of;
use crate::world::{Event, World};
use scheduler_core::engine::{Effects, Outgoing, Write};
use scheduler_core::envelope::Envelope;
use scheduler_core::task::Record;
use scheduler_core::wire::{Detail, Done, Failure, Report};

impl World {
    /// `redelivery-explained`: an envelope goes out again only after its time without a report, or after a failed send.
    pub(crate) fn check_resends(&mut self, at: usize, effects: &Effects) {
        for write in &effects.writes {
            let Write::Resent { seq, attempts, .. } = write else { continue };
            self.redelivered += 1;
            self.sent_again(at, *seq, effects);
            let row = &self.shards[at].storage.outbox[seq];
            let silent = self.now.since(row.sent_at) >= self.config.visibility_millis << row.attempts.min(4);
            let is_faulty = self.refused.contains(&(at, *seq));
            let is_queue = row.destination.as_ref().is_some_and(|to| !to.is_reported());
            if *attempts != row.attempts + 1 || !(silent || is_faulty || is_queue) {
                violated("redelivery-explained", format!("envelope {seq} went out again at {}", self.now));
            }
        }
    }

    pub(crate) fn send(&mut self, at: usize, life: u64, outgoing: Outgoing) {
        if self.shards[at].life != life {
            return;
        }
        if self.random.chance(self.faults.crash_around_send) {
            self.trace(|| format!("{at}: crash before the send of {}", outgoing.seq));
            return self.drop_engine(at);
        }
        let seq = outgoing.seq;
        let is_refused = self.random.chance(self.faults.send_refused);
        let is_unknown = self.random.chance(self.faults.send_unknown);
        if !is_refused {
            self.trace(|| format!("{at}: sent {seq} to {:?}", outgoing.destination));
            // What a user's own queue has taken is that queue's to keep; what goes to the dispatchers may be lost with them.
            let can_be_lost = outgoing.destination.is_reported();
            let copies = 1 + i64::from(self.random.chance(self.faults.message_repeated));
            let copies = if can_be_lost && self.random.chance(self.faults.message_lost) { 0 } else { copies };
            *self.due_deliveries.entry((at, seq)).or_default() += copies;
            for _ in 0..copies {
                let when = self.now.plus(self.random.range(1, self.faults.message_delay));
                self.plan(when, Event::Message { shard: at, message: outgoing.clone() });
            }
        }
        if self.random.chance(self.faults.crash_around_send) {
            self.trace(|| format!("{at}: crash after the send of {seq}"));
            return self.drop_engine(at);
        }
        let when = self.now.plus(self.random.range(0, 3));
        self.plan(when, Event::Sent { shard: at, life, seq, taken: !is_refused && !is_unknown });
    }

    pub(crate) fn told(&mut self, at: usize, life: u64, seq: u64, taken: bool) {
        if self.shards[at].life != life {
            return;
        }
        if !taken {
            self.refused.insert((at, seq));
        }
        // The outcome of the input does not matter: what is not known to be taken goes out again.
        let _ = self.input(
            at,
            false,
            |engine, now, storage| {
                let effects = if taken { engine.sent(seq, now, storage)? } else { Effects::default() };
                if !taken {
                    engine.send_failed(seq, now);
                }
                Ok(((), effects))
            },
            |world, (), _| {
                let (now, keep) = (world.now.get(), world.config.history);
                if taken && world.model.in_flight.get(&(at, seq)).is_some_and(|flight| flight.queue) {
                    world.model.finish(at, &Report { seq, ..Report::default() }, now, keep);
                }
            },
        );
    }

    /// A dispatcher, or the user's own consumer, gets an envelope.
    pub(crate) fn message(&mut self, at: usize, message: &Outgoing) {
        let left = self.due_deliveries.entry((at, message.seq)).or_default();
        *left -= 1;
        if *left < 0 {
            violated("duplicates-explained", format!("envelope {} came more often than it was sent", message.seq));
        }
        let envelope = Envelope::parse(std::str::from_utf8(&message.text).unwrap()).expect("an envelope can be read");
        let mut report = Report { seq: envelope.seq, ..Report::default() };
        let mut given_up = Vec::new();
        for (index, task) in envelope.tasks.iter().enumerate() {
            let index = index as u32;
            let record = Record::parse(task.get().as_bytes()).unwrap();
            let firing = firing_of(&record);
            if !self.model.handed_on.contains_key(&firing) {
                violated("fires-what-waits", format!("{firing:?} runs, but its firing was not committed"));
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
            let is_silent = destination.is_some_and(|destination| self.silent.contains(destination));
            // A dispatcher gives a destination up that was silent twice in a row.
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
                report.failed.push(Failure { index, error: "timed out".to_owned(), ..Failure::default() });
                continue;
            }
            if is_ours && self.random.chance(fails) {
                let permanent = self.random.chance(100);
                // Every second target asks for a wait: a past one, a short one, or one past the policy's time.
                let asked = self.random.chance(500).then(|| self.now.plus(self.random.range(-1_000, 120_000)));
                if self.random.chance(500) {
                    let started_at = self.now.plus(-9);
                    report.details.push(Detail { index, status: Some(500), started_at, millis: 9, excerpt: "no ".repeat(100) });
                }
                report.failed.push(Failure { index, error: "HTTP 500 \"no\"\n".to_owned(), permanent, not_before: asked });
            } else if self.random.chance(300) {
                report.done.push(Done { index, status: Some(200), started_at: self.now.plus(-7), millis: 7 });
            }
        }
        self.trace(|| format!("{at}: envelope {} of {} ran: {report:?}", message.seq, envelope.tasks.len()));
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
        // A dispatcher whose report fails has its message redelivered or the shard sends again: nothing to do here.
        let _ = self.input(
            at,
            false,
            |engine, now, storage| Ok(((), engine.report(report, now, storage)?)),
            |world, (), _| {
                world.trace(|| format!("{at}: report of {}", report.seq));
                let (now, keep) = (world.now.get(), world.config.history);
                if world.model.in_flight.get(&(at, report.seq)).is_some_and(|flight| !flight.queue) {
                    world.model.finish(at, report, now, keep);
                }
            },
        );
    }
}
