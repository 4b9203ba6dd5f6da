//! `overload-is-used-up`: tasks of a key arrive faster than its limit lets them run, and some
//! expire or are missed. The runs must still use up the limit.
//!
//! The seed of a case determines the limit, the shards, the delays of messages, the arrivals and
//! the policies of tasks. By construction, every shard has a live task at every moment
//! ([`Case::batch`]). Runs are counted in windows. Shards and the limiter restart between windows.

use crate::clients::record_of;
use crate::faults::Faults;
use crate::invariants::violated;
use crate::late::Late;
use crate::limits::KEYS;
use crate::model::{Schedule, Version};
use crate::operations::Request;
use crate::random::Random;
use crate::regressions::NOW;
use crate::schedules::PutOff;
use crate::world::{Event, World};
use crate::world_cases::plain;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::limiter::{HOLD_MILLIS, RENEW_MILLIS};
use scheduler_engine::{Config, Keep};
use scheduler_model::limit::Limit;
use scheduler_model::protocol::Change;

const KEY: &str = KEYS[0];
/// The windows of a case. Something may restart before each of them.
const WINDOWS: usize = 2;
/// The least runs of a window.
const RUNS_OF_A_WINDOW: f64 = 8.0;

/// The most milliseconds by which a wake-up or a send is late.
const LATE_MILLIS: f64 = 5.0;
/// The least milliseconds for which a limiter without a token lets a shard wait
/// (`TOKEN_WAIT_MILLIS` in `limiter/allocator.rs`).
const LEAST_WAIT_MILLIS: f64 = 20.0;
/// The milliseconds for which a limiter without a slot lets a shard wait (`SLOT_WAIT_MILLIS`
/// there).
const SLOT_WAIT_MILLIS: f64 = 100.0;
/// The most milliseconds for which a limiter keeps a place for a silent shard (`HEARD_MILLIS` in
/// `limiter/mod.rs`).
const HEARD_MILLIS: f64 = 3_000.0;

/// If a shard restarts before a send, the slot is in use until the envelope is sent again. This is
/// less than the test waits after a restart, in milliseconds.
const VISIBILITY_MILLIS: i64 = 1_000;

/// How long a task may wait, in milliseconds, and the misfire policies with the same meaning.
const PATIENCE: [(i64, [&str; 2]); 3] = [
    (
        600,
        [
            r#"{"policy":"skip","graceSeconds":0.6}"#,
            r#"{"policy":"dead-letter","graceSeconds":0.6}"#,
        ],
    ),
    (
        1_000,
        [r#"{"policy":"skip","graceSeconds":1}"#, r#"{"policy":"dead-letter","graceSeconds":1}"#],
    ),
    (
        3_000,
        [r#"{"policy":"skip","graceSeconds":3}"#, r#"{"policy":"dead-letter","graceSeconds":3}"#],
    ),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rate,
    Slots,
    Both,
}

#[derive(Debug)]
struct Case {
    limit: Limit,
    shards: usize,
    /// The longest delay of a message between shard, limiter and dispatcher, milliseconds.
    message_delay: i64,
    fire_gap: i64,
    /// The milliseconds between two batches of arrivals: at most a third of the tasks' patience.
    interval: i64,
    /// The tasks of each batch beyond those that are needed.
    surplus: u64,
    late: Late,
}

impl Case {
    fn drawn(random: &mut Random, kind: Kind) -> Self {
        let shards = 1 + random.below(3) as usize;
        // Higher rates need more tasks than a test has time for: with several shards, each shard
        // needs them all, and with slots the windows are long.
        let rates: &[f64] = match (kind, shards) {
            (Kind::Both, _) => &[0.5, 1.0, 2.0, 4.0],
            (_, 1) => &[0.5, 1.0, 2.0, 4.0, 7.0, 15.0, 40.0],
            _ => &[0.5, 1.0, 2.0, 4.0, 7.0, 15.0],
        };
        let per_second = (kind != Kind::Slots).then(|| *random.pick(rates));
        // With fewer slots than shards, a slot moves from shard to shard, which takes about a
        // second each time.
        let concurrency = (kind != Kind::Rate).then(|| shards as u32 + random.below(5) as u32);
        let (patience, misfires) = *random.pick(&PATIENCE);
        let late = match random.below(3) {
            0 => Late::default().expiring(patience),
            1 => Late::missed(Some(*random.pick(&misfires))),
            _ => Late::missed(Some(*random.pick(&misfires))).expiring(patience + 500),
        };
        Self {
            limit: Limit { concurrency, per_second },
            shards,
            message_delay: *random.pick(&[5, 20, 50]),
            // Without a gap and a rate, runs end faster than the test can create tasks.
            fire_gap: if kind == Kind::Slots { 100 } else { *random.pick(&[0, 100]) },
            interval: *random.pick(&[150, 200]),
            surplus: *random.pick(&[0, 1, 5]),
            late,
        }
    }

    /// Returns how many tasks arrive at a shard at a time: more than the key can run until the next
    /// arrival, so that one of them still waits then. In `t` seconds, a rate allows `R * (t + 1) +
    /// 1` runs (docs/limits.md). A slot is used once in each firing, and firings are a gap apart.
    fn batch(&self) -> u64 {
        let seconds = self.interval as f64 / 1_000.0;
        let by_rate = self.limit.per_second.map(|rate| (rate * (seconds + 1.0)).ceil() as u64 + 2);
        let by_slots = self
            .limit
            .concurrency
            .map(|slots| u64::from(slots) * (self.interval / self.fire_gap.max(1) + 1) as u64 + 1);
        by_rate.or(by_slots).unwrap_or(1) + self.surplus
    }

    /// Returns the longest time from when a token is in the bucket until a request takes it, in
    /// milliseconds. First the answer to the previous request is in flight. Then its tokens wait
    /// for the gap between firings, or the shard waits as the answer says. Then the request is in
    /// flight. A shard that finds the token reserved for another shard sends one more request, so
    /// with several shards the time is doubled.
    fn latency(&self) -> f64 {
        let once =
            (2 * self.message_delay + self.fire_gap) as f64 + LEAST_WAIT_MILLIS + LATE_MILLIS;
        if self.shards > 1 { 2.0 * once } else { once }
    }

    /// Returns the longest time from one use of a slot to the next, in milliseconds: the envelope
    /// and the report are in flight, and the next firing is a gap later.
    fn slot_cycle(&self) -> f64 {
        (2 * self.message_delay + self.fire_gap) as f64 + LATE_MILLIS
    }

    /// Returns the longest time from one taking of tokens to the next, in seconds. An empty bucket
    /// has a token after `1 / R`. With `concurrency`, a shard without a free slot sends its next
    /// request when it renews, the limiter holds the request for a while, and the shard may have to
    /// wait for a slot.
    fn token_cycle(&self) -> f64 {
        let for_slots =
            RENEW_MILLIS as f64 + HOLD_MILLIS as f64 + SLOT_WAIT_MILLIS + self.slot_cycle();
        let for_slots = if self.limit.concurrency.is_some() { for_slots } else { 0.0 };
        self.limit.per_second.map_or(0.0, |rate| 1.0 / rate)
            + (self.latency() + for_slots) / 1_000.0
    }

    /// Returns the least runs per second that the limit must allow, and the longest cycle in
    /// seconds. A window may lose three cycles: one that began before it, one that ends after it,
    /// and one in between.
    ///
    /// A rate: the bucket contains up to `max(1, R / 4)` tokens. While it is not full, nothing is
    /// lost, and the key has `R` per second. A cycle in which it is full yields at least one token,
    /// and at least the contents of the bucket except a part of a token, or one token for each
    /// other shard. With `concurrency` in addition, a cycle yields at least one token. Slots: each
    /// is used once in a cycle.
    fn least(&self) -> (f64, f64) {
        let cycle = self.token_cycle();
        match (self.limit.per_second, self.limit.concurrency) {
            (Some(rate), None) => {
                (rate.min((rate / 4.0 - self.shards as f64).max(1.0) / cycle), cycle)
            }
            (Some(_), Some(_)) => (1.0 / cycle, cycle),
            (None, slots) => {
                let cycle = self.slot_cycle() / 1_000.0;
                (f64::from(slots.unwrap_or(0)) / cycle, cycle)
            }
        }
    }
}

struct Overload {
    world: World,
    case: Case,
    /// Whether clients request runs that wait.
    requests: bool,
}

/// A client requests a run of one task of each so many batches.
const BATCHES_OF_A_REQUEST: i64 = 8;

impl Overload {
    fn new(seed: u64, kind: Kind) -> Self {
        let mut random = Random::new(seed);
        let case = Case::drawn(&mut random, kind);
        let names = (0..case.shards).map(|at| format!("{}-{at}", case.shards)).collect();
        let config = Config {
            fire_gap_millis: case.fire_gap,
            visibility_millis: VISIBILITY_MILLIS,
            history: Keep::Off,
            ..Config::default()
        };
        let faults = Faults { message_delay: case.message_delay, ..Faults::NONE };
        let mut world = World::new(random, names, config, faults, NOW, false);
        world.plan(NOW, Event::Watchdog);
        world.limits.set(KEY, case.limit, NOW);
        Self { world, case, requests: seed % 2 == 1 }
    }

    /// Lets tasks arrive and the world continue for `millis`.
    fn live(&mut self, millis: f64) {
        let end = self.world.now.plus(millis.ceil() as i64);
        while self.world.now < end {
            (0..self.case.shards).for_each(|at| self.arrive(at));
            let next = self.world.now.plus(self.case.interval);
            while self.world.next_event().is_some_and(|at| at <= next) {
                self.world.step();
            }
            self.world.now = next;
        }
    }

    fn arrive(&mut self, shard: usize) {
        let first = self.world.model.versions.len() as u64;
        let versions: Vec<u64> = (first..first + self.case.batch()).collect();
        for n in &versions {
            let due = Schedule::Once(self.world.now.get(), PutOff::default());
            let mut version = Version {
                shard,
                id: format!("task-{n}"),
                key: Some(KEY),
                late: self.case.late,
                ..plain(due)
            };
            version.record = record_of(&version, *n, self.world.now, 0);
            self.world.model.versions.push(version);
        }
        assert!(self.world.carry_out(&Request::Append { shard, versions, fresh: true }).is_ok());
        let batches = self.world.now.since(NOW) / self.case.interval;
        if self.requests && batches % BATCHES_OF_A_REQUEST == 0 {
            let back = (batches / BATCHES_OF_A_REQUEST % 50) as usize;
            let of_shard = |version: &&Version| version.shard == shard;
            let chosen = self.world.model.versions.iter().rev().filter(of_shard).nth(back);
            let ids: Vec<String> = chosen.map(|version| version.id.clone()).into_iter().collect();
            let request = Request::Change { shard, ids, change: Change::Run };
            assert!(self.world.carry_out(&request).is_ok());
        }
    }

    /// Restarts some of the shards and the limiter.
    fn restart_some(&mut self) {
        for at in 0..self.case.shards {
            if self.world.random.chance(400) {
                self.world.evict(at);
            }
        }
        if self.world.random.chance(400) {
            self.world.restart_limiter();
        }
    }

    /// Counts the runs of a window. Returns them with the least that there must be.
    fn window(&mut self) -> (UnixMillis, usize, f64) {
        let (per_second, cycle) = self.case.least();
        // What a restart has lost is noticed when shards renew and when the limiter stops waiting
        // for them.
        self.live(RENEW_MILLIS as f64 + HOLD_MILLIS as f64 + HEARD_MILLIS + 2_000.0 * cycle);
        let from = self.world.now;
        self.live(1_000.0 * (RUNS_OF_A_WINDOW / per_second + 3.0 * cycle));
        let seconds = self.world.now.since(from) as f64 / 1_000.0;
        (
            from,
            self.world.limits.runs_between(KEY, from, self.world.now),
            per_second * (seconds - 3.0 * cycle) - 1.0,
        )
    }
}

/// Runs the cases of some seeds, and prints how many times the least the runs were.
fn overload(kind: Kind, seeds: u64) {
    let (mut lowest, mut tasks) = (f64::MAX, 0);
    for seed in 0..seeds {
        let mut overload = Overload::new(seed, kind);
        for _ in 0..WINDOWS {
            overload.restart_some();
            let (from, runs, least) = overload.window();
            lowest = lowest.min(runs as f64 / least);
            if (runs as f64) < least {
                let millis = overload.world.now.since(from);
                let detail = format!(
                    "seed {seed}: {runs} runs in {millis} ms, at least {least:.1} expected: {:?}",
                    overload.case
                );
                violated("overload-is-used-up", detail);
            }
        }
        overload.world.limits.rate_holds();
        tasks += overload.world.model.versions.len();
    }
    println!(
        "{kind:?}: {seeds} cases, {tasks} tasks, the fewest runs were {lowest:.2} times the least"
    );
}

#[test]
fn runs_use_up_a_rate() {
    overload(Kind::Rate, 200);
}

#[test]
fn runs_use_all_slots() {
    overload(Kind::Slots, 60);
}

#[test]
fn runs_use_up_a_rate_with_slots() {
    overload(Kind::Both, 40);
}
