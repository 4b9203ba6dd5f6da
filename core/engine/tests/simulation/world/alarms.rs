//! Alarms, wake-ups and the watchdog.

use super::{Dropped, Event, World};
use crate::invariants::violated;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Engine, alarm_time};

/// 2189-01-01T00:00:00Z. The platform says that it refuses later alarms.
const FIRST_REFUSED: UnixMillis = UnixMillis::new(6_911_049_600_000);

/// Panics if the platform would refuse an alarm at this time.
pub(crate) fn platform_takes(alarm: UnixMillis, now: UnixMillis) {
    if alarm <= now || alarm >= FIRST_REFUSED {
        violated("always-armed", format!("the platform refuses an alarm at {alarm}, set at {now}"));
    }
}

impl World {
    /// Arms the alarm as the shell does: an earlier alarm stays.
    pub(super) fn arm(&mut self, at: usize) {
        let shard = &mut self.shards[at];
        let Some(wanted) = shard.engine.as_mut().and_then(Engine::next_wakeup) else { return };
        if shard.alarm.is_some_and(|armed| armed <= wanted) {
            return;
        }
        let wanted = alarm_time(wanted, self.now);
        platform_takes(wanted, self.now);
        shard.alarm = Some(wanted);
        let goes_off = wanted.plus(self.random.range(0, self.faults.alarm_late));
        if self.random.chance(self.faults.alarm_early) {
            let early = UnixMillis::new(self.random.range(self.now.get(), goes_off.get()));
            self.plan(early, Event::Alarm { shard: at, at: wanted });
        }
        if self.random.chance(self.faults.alarm_repeated) {
            let later = goes_off.plus(self.random.range(0, 3_000));
            self.plan(later, Event::Alarm { shard: at, at: wanted });
        }
        if !self.random.chance(self.faults.alarm_lost) {
            self.plan(goes_off, Event::Alarm { shard: at, at: wanted });
        }
    }

    pub(super) fn alarm(&mut self, at: usize, armed: UnixMillis) {
        if self.shards[at].alarm == Some(armed) {
            self.shards[at].alarm = None;
        }
        if self.wake(at).is_err() {
            // The platform repeats an alarm if its handler fails.
            let again = self.now.plus(self.random.range(1, 2_000));
            self.plan(again, Event::Alarm { shard: at, at: armed });
        }
    }

    pub(super) fn wake(&mut self, at: usize) -> Result<(), Dropped> {
        self.input(
            at,
            true,
            |engine, now, storage| Ok(((), engine.wake(now, storage)?)),
            |world, (), effects| {
                world.trace(|| {
                    format!(
                        "{at}: woke, {} writes, {} sends",
                        effects.writes.len(),
                        effects.sends.len()
                    )
                })
            },
        )
    }

    /// Stores the counts, as the shell does some time after they have changed.
    pub(crate) fn save(&mut self, at: usize) {
        // A crash loses counts and nothing else.
        let _ = self.input(at, false, |engine, _, _| Ok(((), engine.save())), |_, (), _| {});
    }

    fn watch(&mut self, at: usize) {
        self.load(at);
        self.observe(at);
        let wanted = self.shards[at].engine.as_mut().and_then(Engine::next_wakeup);
        self.shards[at].alarm = None;
        if wanted.is_some_and(|wanted| wanted <= self.now) {
            // The next round repeats a failed wake-up.
            let _ = self.wake(at);
        } else {
            self.arm(at);
        }
    }

    pub(super) fn watchdog(&mut self) {
        for at in 0..self.shards.len() {
            self.on_clock_of(at, |world| world.watch(at));
        }
        self.plan(self.now.plus(30_000), Event::Watchdog);
    }

    /// Returns when the engine must wake up next. Loads the engine if necessary.
    pub(crate) fn next_wakeup(&mut self, at: usize) -> Option<UnixMillis> {
        self.load(at);
        self.shards[at].engine.as_mut().and_then(Engine::next_wakeup)
    }
}
