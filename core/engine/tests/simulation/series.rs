//! The series of the shards: a second count of the events in each minute and in each hour, which is
//! never shortened.

use crate::circuits::stores_state;
use crate::invariants::violated;
use crate::world::World;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Effects, Write};
use scheduler_model::format::series::StoredSeries;
use scheduler_model::meter::message_operations;
use scheduler_model::protocol::{Counters, SeriesRequest};
use scheduler_model::series::{Counts, Resolution};
use std::collections::BTreeMap;

/// Tasks that were created, fired, succeeded, handed over and failed, and queue operations.
type Counted = [u64; 6];

fn add(sum: &mut Counted, more: &Counted) {
    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

/// The counts by minute and by hour.
#[derive(Debug, Default, Clone)]
struct Kept {
    minutes: BTreeMap<i64, Counted>,
    hours: BTreeMap<i64, Counted>,
}

impl Kept {
    fn of(&mut self, by: Resolution) -> &mut BTreeMap<i64, Counted> {
        match by {
            Resolution::Minute => &mut self.minutes,
            Resolution::Hour => &mut self.hours,
        }
    }

    fn add(&mut self, now: UnixMillis, counted: &Counted) {
        for by in [Resolution::Minute, Resolution::Hour] {
            add(self.of(by).entry(by.number(now)).or_default(), counted);
        }
    }

    /// Moves the counts of future points to the present one, and drops points that are too old.
    fn turn_to(&mut self, now: UnixMillis) {
        for by in [Resolution::Minute, Resolution::Hour] {
            let (number, first) = (by.number(now), by.first(now));
            let points = self.of(by);
            let later = points.split_off(&(number + 1));
            for counted in later.values() {
                add(points.entry(number).or_default(), counted);
            }
            points.retain(|number, _| *number >= first);
        }
    }
}

/// The second count of one shard.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    live: Kept,
    /// The count when the shard last stored its state.
    stored: Kept,
    /// The counters of the engine that this count includes; `None` if the engine has just started.
    seen: Option<Counters>,
    /// The time of the last input.
    now: Option<UnixMillis>,
}

impl Ledger {
    /// Adds the growth of the counters. Fired tasks are counted from the writes instead.
    fn count(&mut self, counters: Counters) {
        let of = |counters: &Counters| {
            let Counters { created, fired, succeeded, handed_over, failed, .. } = *counters;
            [created, fired, succeeded, handed_over, failed, 0]
        };
        let before = of(&self.seen.replace(counters.clone()).unwrap_or_default());
        let Some(now) = self.now else { return };
        let mut grown = of(&counters);
        if grown.iter().zip(&before).any(|(now, before)| now < before) {
            // The shard was purged, which resets its counts.
            self.live = Kept::default();
            return;
        }
        grown.iter_mut().zip(&before).for_each(|(now, before)| *now -= before);
        // These are counted from the writes.
        grown[1] = 0;
        self.live.add(now, &grown);
    }

    /// Drops the counts that the lost engine has not stored.
    pub(crate) fn restart(&mut self) {
        (self.live, self.seen, self.now) = (self.stored.clone(), None, None);
    }
}

impl World {
    /// Records the time of an input, before the engine does.
    pub(crate) fn ledger_observes(&mut self, at: usize) {
        let Some(engine) = self.shards[at].engine.as_ref() else { return };
        let (now, ledger) = (self.now, &mut self.ledgers[at]);
        let minute = |time| Resolution::Minute.number(time);
        if ledger.now.map(minute) == Some(minute(now)) {
            return;
        }
        let counters = engine.stats(now).counters;
        if ledger.seen.is_some() {
            ledger.count(counters);
        } else {
            ledger.seen = Some(counters);
        }
        ledger.now = Some(now);
        ledger.live.turn_to(now);
    }

    /// Counts the effects of an input after they are committed.
    pub(crate) fn count_in_ledger(&mut self, at: usize, effects: &Effects) {
        let Some(engine) = self.shards[at].engine.as_ref() else { return };
        let (now, ledger) = (self.now, &mut self.ledgers[at]);
        ledger.count(engine.stats(now).counters);
        let mut fired = Counted::default();
        for write in &effects.writes {
            if let Write::InsertEnvelope { hashes, .. } = write {
                fired[1] += hashes.len() as u64 / 8;
            }
        }
        // A redelivery is a message, too.
        fired[5] = effects.sends.iter().map(|sent| message_operations(sent.text.len())).sum();
        ledger.live.add(now, &fired);
        self.store_ledger(at, effects);
    }

    /// Records that a commit has stored the state.
    pub(crate) fn store_ledger(&mut self, at: usize, effects: &Effects) {
        if stores_state(effects) {
            let ledger = &mut self.ledgers[at];
            ledger.stored = ledger.live.clone();
        }
    }

    /// `series-are-what-was-counted`: the points of an engine agree with those of the second count.
    pub(crate) fn series_agree(&mut self, at: usize) {
        let Some(engine) = self.shards[at].engine.as_mut() else { return };
        for by in [Resolution::Minute, Resolution::Hour] {
            let reply = engine.series(&SeriesRequest { by }, self.now);
            let series = StoredSeries::from_text(&reply.series).expect("it is as it was written");
            let mut shown = BTreeMap::new();
            for point in series.points(by).to_vec() {
                let Counts { created, fired, succeeded, handed_over, failed, .. } = point.counts;
                let counted =
                    [created, fired, succeeded, handed_over, failed, point.counts.queue_operations];
                if point.counts.lateness.total() != fired {
                    violated("series-are-what-was-counted", format!("lateness in {point:?}"));
                }
                if counted != Counted::default() {
                    shown.insert(point.number, counted);
                }
            }
            let mut kept = self.ledgers[at].live.of(by).clone();
            kept.retain(|_, counted| *counted != Counted::default());
            if shown != kept {
                violated(
                    "series-are-what-was-counted",
                    format!("{by:?} of shard {at}: {shown:?}, but counted {kept:?}"),
                );
            }
        }
    }
}
