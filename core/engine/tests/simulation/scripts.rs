//! Runs that follow a script instead of draws, with every check of the simulation. They are cases
//! of its reference.

use crate::clients::record_of;
use crate::faults::Faults;
use crate::invariants::nothing_is_late;
use crate::model::{Schedule, Version};
use crate::operations::{Answer, Request};
use crate::random::Random;
use crate::redefine::{Kind, define};
use crate::schedules::PutOff;
use crate::world::{Event, World};
use crate::world_cases::plain;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::Config;
use scheduler_model::protocol::Change;

const START: UnixMillis = UnixMillis::new(1_764_000_000_000);

/// One shard and its world, without faults. Times are milliseconds from the start, by the right
/// clock.
pub(crate) struct Script {
    pub(crate) world: World,
}

impl Script {
    pub(crate) fn new() -> Self {
        let names = vec!["1-0".to_owned()];
        let mut world =
            World::new(Random::new(0), names, Config::default(), Faults::NONE, START, false);
        world.plan(START.plus(30_000), Event::Watchdog);
        world.model.clocks_step = true;
        Self { world }
    }

    /// Lets everything happen until a time.
    pub(crate) fn run_until(&mut self, time: i64) {
        while self.world.next_event().is_some_and(|at| at <= START.plus(time)) {
            self.world.step();
        }
        self.world.now = START.plus(time);
    }

    /// Sets the shard's clock ahead by `millis` from now on.
    pub(crate) fn set_ahead(&mut self, millis: i64) {
        let now = self.world.now;
        self.world.plan(now, Event::Clock { of: 0, offset: millis });
        self.run_until(now.since(START));
    }

    /// Returns a task that fires once, at this time.
    pub(crate) fn once(&self, id: &str, time: i64) -> Version {
        let schedule = Schedule::Once(START.plus(time).get(), PutOff::default());
        Version { id: id.to_owned(), ..plain(schedule) }
    }

    /// Gives a version its number and its record of about `bytes`.
    fn number(&mut self, version: Version, bytes: usize) -> u64 {
        let n = self.world.model.versions.len() as u64;
        let record = record_of(&version, n, self.world.now, bytes);
        self.world.model.versions.push(Version { record, ..version });
        n
    }

    pub(crate) fn append(&mut self, version: Version, bytes: usize) {
        let n = self.number(version, bytes);
        self.ask(&Request::Append { shard: 0, versions: vec![n], fresh: false });
    }

    pub(crate) fn change(&mut self, id: &str, change: Change) {
        self.ask(&Request::Change { shard: 0, ids: vec![id.to_owned()], change });
    }

    fn ask(&mut self, request: &Request) {
        let answer = self.world.carry_out(request);
        assert!(answer.is_ok(), "{request:?}");
    }

    /// Defines a task again.
    pub(crate) fn define(&mut self, version: Version, kind: Kind) {
        let n = self.number(version, 0);
        let answer = self.world.on_clock_of(0, |world| {
            let id = world.model.version(n).id.clone();
            let item = world.shards[0]
                .engine
                .as_ref()
                .unwrap()
                .get(&id, &world.shards[0].storage)
                .unwrap()
                .expect("the task waits");
            define(world, 0, kind, n, &item, false)
        });
        assert_eq!(answer, Ok(Answer::Shown));
    }

    /// Sets all clocks right. A minute later, nothing that is due may wait.
    pub(crate) fn clocks_agree(&mut self) {
        let agree = self.world.now;
        self.world.set_clocks();
        self.run_until(agree.since(START) + 61_000);
        self.world.compare(0);
        nothing_is_late(&self.world.shards[0].storage, &self.world.model.brought_ahead, agree);
    }
}
