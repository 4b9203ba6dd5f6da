//! A million ids of each of three kinds over 16 shards: every shard must be within 3 % of the mean.

#![allow(clippy::unwrap_used, reason = "a failed assumption ends the test")]

use scheduler_calendar::time::UnixMillis;
use scheduler_model::ids::IdGenerator;
use scheduler_model::routing::ShardMap;

const IDS: u64 = 1_000_000;
const SHARDS: u64 = 16;

/// splitmix64, for ids that look random and are the same in each run.
fn mixed(n: u64) -> u64 {
    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn is_balanced(kind: &str, id: impl Fn(u64) -> String) {
    let map: ShardMap = SHARDS.to_string().parse().unwrap();
    let mut counts = [0_u64; SHARDS as usize];
    for n in 0..IDS {
        counts[usize::from(map.home(&id(n)).index)] += 1;
    }
    let mean = IDS / SHARDS;
    for count in counts {
        assert!(count.abs_diff(mean) * 100 <= mean * 3, "{kind}: {counts:?} around {mean}");
    }
}

#[test]
fn counted_ids() {
    is_balanced("counted", |n| format!("user-{n}"));
}

#[test]
fn random_ids() {
    is_balanced("random", |n| format!("{:016x}", mixed(n)));
}

/// For a generated id, routing reads the part that the ids of one request share. So these are a
/// million requests, ten per millisecond.
#[test]
fn generated_ids() {
    is_balanced("generated", |n| {
        let mut random = [0; 16];
        random[..8].copy_from_slice(&mixed(n).to_be_bytes());
        random[8..].copy_from_slice(&mixed(n ^ u64::MAX).to_be_bytes());
        IdGenerator::new(UnixMillis::new(1_764_000_000_000 + n as i64 / 10), random)
            .next_id()
            .into_string()
    });
}
