//! Shards that have dispatched as many tasks as they may, and the slots of their keys.

use crate::limits::KEYS;
use crate::model::{Schedule, Version};
use crate::regressions::NOW;
use crate::schedules::PutOff;
use crate::world::World;
use crate::world_cases::{calm_of, lose_until, plain};
use scheduler_engine::Config;
use scheduler_model::limit::Limit;

fn task(shard: usize, name: &str, due: i64, key: Option<&'static str>) -> Version {
    let schedule = Schedule::Once(NOW.get() + due, PutOff::default());
    Version { shard, id: format!("{name} of {shard}"), key, ..plain(schedule) }
}

/// Returns how many runs with a key a shard has dispatched.
fn runs_with_key(world: &World, shard: usize) -> u32 {
    let is_of = |version: &Version| version.shard == shard && version.key.is_some();
    let of = world
        .model
        .dispatched
        .iter()
        .filter(|(firing, _)| is_of(&world.model.versions[firing.version as usize]));
    of.map(|(_, times)| *times).sum()
}

/// The dispatchers lost what the first shard had sent them, so it had dispatched its maximum until
/// the visibility timeout. It still requested slots for all its due tasks, got its fair share and
/// used none of it. Meanwhile the tasks of the second shard waited, although half of the slots were
/// unused (`free-slots-are-used`).
#[test]
fn a_full_shard_leaves_its_slots_to_others() {
    let mut world =
        calm_of(2, Config { max_dispatched: 2, visibility_millis: 150_000, ..Config::default() });
    world.is_faultless = true;
    let key = KEYS[0];
    world.limits.set(key, Limit { concurrency: Some(2), per_second: None }, world.now);
    for version in [
        task(0, "first", 1_000, None),
        task(0, "second", 1_000, None),
        task(1, "lost", 1_000, Some(key)),
    ] {
        world.define(version);
    }
    for n in 0..5 {
        for (shard, due) in [(0, 2_500), (1, 6_000)] {
            world.define(task(shard, &format!("task {n}"), due, Some(key)));
        }
    }
    lose_until(&mut world, 2_000);
    world.live(30_000);
    assert_eq!(
        (runs_with_key(&world, 0), runs_with_key(&world, 1)),
        (0, 1 + 5),
        "one run of the key is lost, and one slot is free"
    );
    world.live(180_000);
    assert_eq!(runs_with_key(&world, 0), 5, "the dispatchers have room for the first shard again");
}
