//! Short runs of the whole simulation in which the reference itself was wrong. They have no faults
//! except those that a test requests.

use crate::clients::record_of;
use crate::definitions::SaysPaused;
use crate::faults::Faults;
use crate::follow_ups::FollowUps;
use crate::late::Late;
use crate::model::{Schedule, Version};
use crate::operations::Request;
use crate::random::Random;
use crate::regressions::NOW;
use crate::schedules::{PutOff, Recurring};
use crate::world::{Event, World, settles_in};
use scheduler_engine::Config;
use scheduler_model::protocol::{Change, Filter, Status};

/// Returns a world of one shard without faults.
pub(crate) fn calm() -> World {
    calm_with(Config::default())
}

fn calm_with(config: Config) -> World {
    calm_of(1, config)
}

/// Returns a world of this many shards.
pub(crate) fn calm_of(shards: usize, config: Config) -> World {
    let config = Config { fire_gap_millis: 0, ..config };
    let names = (0..shards).map(|index| format!("1-{index}")).collect();
    let mut world = World::new(Random::new(1), names, config, Faults::NONE, NOW, false);
    world.model.clocks_step = true;
    world.plan(NOW, Event::Watchdog);
    world
}

/// Returns a task with the id "a" that no client has requested yet.
pub(crate) fn plain(schedule: Schedule) -> Version {
    Version {
        shard: 0,
        id: "a".to_owned(),
        schedule,
        late: Late::default(),
        queue: None,
        key: None,
        destination: None,
        follow_ups: FollowUps::default(),
        description: String::new(),
        retry: r#"{"maxAttempts":1}"#,
        fails: 0,
        open_anchor: false,
        says_paused: None,
        record: Vec::new(),
    }
}

impl World {
    pub(crate) fn ask(&mut self, request: &Request) {
        assert!(self.carry_out(request).is_ok(), "{request:?}");
        self.compare(request.shard());
    }

    /// Sends a definition, and compares the shard with the reference.
    pub(crate) fn define(&mut self, version: Version) {
        self.define_large(version, 0);
    }

    /// Does the same with a payload of `fill` bytes.
    fn define_large(&mut self, version: Version, fill: usize) {
        let n = self.model.versions.len() as u64;
        let mut version = version;
        version.record = record_of(&version, n, self.now, fill);
        let shard = version.shard;
        self.model.versions.push(version);
        self.ask(&Request::Append { shard, versions: vec![n], fresh: false });
    }

    /// Lets everything happen until `until` after [`NOW`], and compares the shards with the
    /// reference.
    pub(crate) fn live(&mut self, until: i64) {
        while self.next_event().is_some_and(|at| at <= NOW.plus(until)) {
            self.step();
        }
        self.now = NOW.plus(until);
        (0..self.shards.len()).for_each(|at| self.compare(at));
    }

    /// Sets the clock of the first shard ahead by `offset` from now on.
    fn is_ahead(&mut self, offset: i64) {
        self.plan(self.now, Event::Clock { of: 0, offset });
        self.step();
    }

    fn change(&mut self, change: Change) {
        self.ask(&Request::Change { shard: 0, ids: vec!["a".to_owned()], change });
    }

    fn runs(&self) -> u32 {
        self.model.dispatched.values().sum()
    }
}

fn each_seven_seconds(
    put_off: PutOff,
    says_paused: SaysPaused,
    misfire: Option<&'static str>,
) -> Version {
    let mut recurring = Recurring::cron("*/7 * * * * *");
    recurring.put_off = put_off;
    let late = Late::missed(misfire);
    Version { says_paused, late, ..plain(Schedule::Recurring(recurring)) }
}

const AT_ONCE: PutOff = PutOff { jitter: 0, window: 0 };
const LATER: PutOff = PutOff { jitter: 100_000, window: 0 };
const MADE_UP_FOR: Option<&str> = Some(r#"{"policy":"fire-once","graceSeconds":0}"#);

/// A clock was ahead, and the runs of ten minutes have fired by it. A definition then begins a
/// pause. Another one brings a policy and ends the pause. None of the fired runs belongs to the
/// pause, but the reference was owed one.
#[test]
fn a_pause_after_a_jump_owes_no_run_that_has_fired() {
    for by_definition in [true, false] {
        let mut world = calm();
        world.define(each_seven_seconds(AT_ONCE, None, None));
        world.live(1_000);
        world.is_ahead(600_000);
        world.live(32_000);
        world.is_ahead(0);
        let fired = world.runs();
        assert!(fired > 80, "{fired}");
        world.live(33_000);
        if by_definition {
            world.define(each_seven_seconds(AT_ONCE, Some(true), None));
        } else {
            world.change(Change::Pause);
        }
        world.live(60_000);
        world.define(each_seven_seconds(LATER, None, MADE_UP_FOR));
        world.live(61_000);
        if by_definition {
            world.define(each_seven_seconds(LATER, Some(false), MADE_UP_FOR));
        } else {
            world.change(Change::Resume);
        }
        world.live(100_000);
        assert_eq!(world.runs(), fired, "by definition: {by_definition}");
    }
}

/// One definition pauses a task and delays its runs for longer. By the new delay, the last fired
/// run would be due in the pause, so the reference was owed it.
#[test]
fn a_pause_with_a_new_delay_owes_no_run_that_has_fired() {
    let mut world = calm();
    world.define(each_seven_seconds(AT_ONCE, None, MADE_UP_FOR));
    world.live(14_001);
    let fired = world.runs();
    world.define(each_seven_seconds(LATER, Some(true), MADE_UP_FOR));
    world.live(18_000);
    world.define(each_seven_seconds(LATER, Some(false), MADE_UP_FOR));
    world.live(18_500);
    assert_eq!(world.runs(), fired);
}

/// The same if that run was before the start of the task.
#[test]
fn a_pause_with_a_new_delay_owes_no_run_from_before_the_task() {
    let mut world = calm();
    world.live(14_001);
    world.define(each_seven_seconds(AT_ONCE, None, MADE_UP_FOR));
    world.define(each_seven_seconds(LATER, Some(true), MADE_UP_FOR));
    world.live(18_000);
    world.define(each_seven_seconds(LATER, Some(false), MADE_UP_FOR));
    world.live(18_500);
    assert_eq!(world.runs(), 0);
}

/// Makes the dispatchers lose everything that is sent to them until `until` after [`NOW`]. No
/// client sends requests in this time.
pub(crate) fn lose_until(world: &mut World, until: i64) {
    world.faults.message_lost = 1_000;
    world.live(until);
    world.faults = Faults::NONE;
}

/// There was room for one task, and the dispatchers lost it. The last missed run, which was to
/// fire, waited behind it while further runs were missed. It fired in addition to the last one of
/// these.
#[test]
fn the_last_run_missed_behind_a_bound_fires() {
    for restart in [false, true] {
        let mut world =
            calm_with(Config { max_dispatched: 1, visibility_millis: 15_000, ..Config::default() });
        let late = Late::missed(MADE_UP_FOR);
        world.define(Version {
            late,
            ..plain(Schedule::Recurring(Recurring::cron("*/5 * * * * *")))
        });
        for due in [22_000, 31_000] {
            world.define(Version {
                id: due.to_string(),
                ..plain(Schedule::Once(NOW.get() + due, PutOff::default()))
            });
        }
        world.live(21_500);
        lose_until(&mut world, 22_500);
        assert_eq!(world.runs(), 4 + 1);
        // The first lost task is sent again, and makes room for the second.
        world.live(37_004);
        lose_until(&mut world, 37_500);
        assert_eq!(
            world.runs(),
            4 + 2,
            "the runs of 25 s and 30 s are skipped, and that of 35 s waits"
        );
        if restart {
            world.evict(0);
        }
        world.live(54_000);
        let of = |time: i64| {
            world
                .model
                .dispatched
                .keys()
                .any(|firing| firing.version == 0 && firing.time == NOW.get() + time)
        };
        assert_eq!(
            (of(35_000), of(45_000), of(50_000)),
            (false, false, true),
            "restarted: {restart}"
        );
    }
}

/// The same for a task whose last hundred missed runs fire.
#[test]
fn the_last_hundred_runs_missed_behind_a_bound_fire() {
    let mut world =
        calm_with(Config { max_dispatched: 1, visibility_millis: 150_000, ..Config::default() });
    let late = Late::missed(Some(r#"{"policy":"fire","graceSeconds":0}"#));
    world.define(Version { late, ..plain(Schedule::Recurring(Recurring::cron("* * * * * *"))) });
    world.live(1_500);
    lose_until(&mut world, 2_500);
    world.live(152_004);
    lose_until(&mut world, 152_500);
    world.live(302_500);
    let times: Vec<i64> =
        world.model.dispatched.keys().map(|firing| (firing.time - NOW.get()) / 1_000).collect();
    assert!(times.iter().all(|time| !(60..202).contains(time)), "{times:?}");
    assert!(times.contains(&203) || times.contains(&202), "{times:?}");
}

/// One request reads runs in flight up to a bound in bytes. The reference did not know that: 113 of
/// 140 were cancelled.
#[test]
fn large_runs_in_flight_are_changed_by_a_filter_in_steps() {
    let fired = Filter { status: Some(Status::Running), ..Filter::default() };
    let (all, limit) = (Filter::default(), 1_000);
    let cancel =
        |filter: &Filter| Request::CancelMatching { shard: 0, filter: filter.clone(), limit };
    let change =
        |change| Request::ChangeMatching { shard: 0, filter: fired.clone(), limit, change };
    for (request, is_change) in
        [(cancel(&fired), false), (cancel(&all), false), (change(Change::Pause), true)]
    {
        let mut world = calm();
        for n in 0..80 {
            // Two wake-ups dispatch this many tasks.
            let due = Schedule::Once(NOW.get() + 1_000 + 200 * (n % 2), PutOff::default());
            world.define_large(Version { id: format!("large {n}"), ..plain(due) }, 58_000);
        }
        lose_until(&mut world, 2_000);
        assert_eq!(
            world.model.in_flight.values().map(|flight| flight.tasks.len()).sum::<usize>(),
            80
        );
        world.ask(&request);
        let decided = world.model.decisions.cancelled + world.model.decisions.paused;
        assert!((60..80).contains(&decided), "{decided}");
        world.ask(&request);
        let decided = world.model.decisions.cancelled + world.model.decisions.paused;
        // A paused run is still in flight, so without its cursor the request covers it again.
        assert_eq!(decided == 80, !is_change, "{decided}");
        world.live(400_000);
    }
}

/// A shard sends a request for each of its lanes after a start. When each answer could crash it, a
/// shard with 250 lanes crashed a hundred times per second, and none of its runs ended. One with
/// eight lanes crashed forty times per second during a rest of minutes.
#[test]
fn crashes_of_a_shard_with_many_lanes_depend_on_time_not_on_messages() {
    for (lanes, expected) in [
        (5, (0..100).collect::<Vec<i64>>()),
        (8, vec![0, 9, 18, 27, 36, 45, 54, 63, 72, 81, 90, 99]),
        (250, vec![0, 50]),
    ] {
        let mut world = calm();
        let keys = crate::limits::many_keys(lanes);
        for (n, key) in (0..).zip(keys) {
            let due = Schedule::Once(NOW.get() + 100_000, PutOff::default());
            world.define(Version { id: format!("task {n}"), key: Some(*key), ..plain(due) });
        }
        let mut lives = Vec::new();
        for at in 0..100 {
            world.now = NOW.plus(at * settles_in(250) / 50);
            if world.crashes(0, 1_000) {
                world.drop_engine(0);
                lives.push(at);
            }
        }
        assert_eq!(lives, expected, "{lanes} lanes");
    }
}
