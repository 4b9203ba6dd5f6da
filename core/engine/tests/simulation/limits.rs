//! The limiter of a run's keys, the messages to it, and the bounds that must hold.

use crate::invariants::violated;
use crate::random::Random;
use crate::world::{Event, World};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::limiter::Limiter;
use scheduler_engine::{Destination, Effects, Write};
use scheduler_model::bounds::MAX_LANES;
use scheduler_model::limit::Limit;
use scheduler_model::protocol::limiter::{Answer, LimiterRequest, Named, RequestNumber};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The keys that tasks of a run may name. The last one never has a limit.
pub(crate) const KEYS: [&str; 3] = ["a key", "käy/2", "free"];

/// Returns keys that come and go with their tasks. Those that may have a limit are among them.
pub(crate) fn many_keys(count: usize) -> &'static [&'static str] {
    static MANY: OnceLock<Vec<&'static str>> = OnceLock::new();
    let made = |n: usize| -> &'static str { Box::leak(format!("key {n}").into_boxed_str()) };
    let all = MANY.get_or_init(|| KEYS.into_iter().chain((KEYS.len()..300).map(made)).collect());
    &all[..count.min(all.len())]
}

/// How long a task of a key may be due while the key has a free slot, in milliseconds. Its shard
/// sends a request within a second, and may get the answer a second later, from a limiter that
/// waits three seconds for a silent shard. An unused slot is returned after a second.
const FREE_SLOT_MILLIS: i64 = 10_000;
/// The same just after faults. A shard whose requests were not answered may wait fifteen seconds.
const AFTER_FAULTS_MILLIS: i64 = 40_000;

/// How long a shard that has dispatched its maximum keeps a slot of each key, in milliseconds: ten
/// seconds, and two in which it still sends requests.
const KEPT_SLOT_MILLIS: i64 = 12_000;

/// How many times rarer a shard crashes at the answer of a limiter than at a request.
const CRASHES_OF_ANSWERS: u64 = 5;

/// The limiter with its storage, and what it has answered.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    limiter: Limiter,
    rows: BTreeMap<String, String>,
    lives: u64,
    /// All limits that each key had; the current one is last.
    had: BTreeMap<&'static str, Vec<Limit>>,
    /// When runs of each key were dispatched under its current rate.
    dispatched: BTreeMap<&'static str, Vec<i64>>,
    /// The number of dispatched runs with a key.
    pub(crate) runs: u64,
    /// How often a run waited for a lane after an input.
    pub(crate) without_lane: u64,
    /// Since when tasks of each key wait although the key has room.
    idle_since: BTreeMap<&'static str, UnixMillis>,
    /// How many tasks each shard has dispatched.
    dispatched_of: BTreeMap<usize, usize>,
    /// Since when each shard has dispatched its maximum, and nothing was reported.
    full_since: BTreeMap<usize, UnixMillis>,
}

impl Limits {
    /// Sets the limit of a key.
    pub(crate) fn set(&mut self, key: &'static str, limit: Limit, now: UnixMillis) {
        let named = Named { key: key.to_owned(), limit };
        let (_, write) = self.limiter.put(named, now).expect("there is room");
        self.store([write]);
        self.had.entry(key).or_default().push(limit);
        self.dispatched.remove(key);
    }

    fn store(&mut self, writes: impl IntoIterator<Item = scheduler_engine::limiter::Write>) {
        use scheduler_engine::limiter::Write;
        for write in writes {
            match write {
                Write::Put { name, record } => drop(self.rows.insert(name, record)),
                Write::Delete { name } => {
                    assert!(self.rows.remove(&name).is_some(), "a deleted row is stored")
                }
                Write::Clear => self.rows.clear(),
            }
        }
    }

    /// Returns the rate of a key, in runs per second.
    pub(crate) fn rate_of(&self, key: &str) -> Option<f64> {
        self.had.get(key).and_then(|had| had.last()?.per_second)
    }

    /// Returns how many runs of a key were dispatched from `from` to before `to`.
    pub(crate) fn runs_between(&self, key: &str, from: UnixMillis, to: UnixMillis) -> usize {
        let times = self.dispatched.get(key).map_or(&[][..], Vec::as_slice);
        times.iter().filter(|at| (from.get()..to.get()).contains(*at)).count()
    }

    /// Returns the slots that no shard has returned.
    pub(crate) fn slots(&self) -> u64 {
        KEYS.iter().map(|key| self.limiter.slots(key)).sum()
    }

    /// `rate-holds`: no window of time has more runs than the rate allows.
    pub(crate) fn rate_holds(&self) {
        for (key, times) in &self.dispatched {
            let Some(rate) = self.had.get(key).and_then(|had| had.last()?.per_second) else {
                continue;
            };
            for (first, from) in times.iter().enumerate() {
                for (last, to) in times.iter().enumerate().skip(first) {
                    let (runs, most) =
                        (last - first + 1, rate * ((to - from) as f64 / 1_000.0 + 1.0) + 1.0);
                    if runs as f64 > most {
                        violated(
                            "rate-holds",
                            format!(
                                "{runs} runs of {key} within {} ms at {rate} a second",
                                to - from
                            ),
                        );
                    }
                }
            }
        }
    }
}

/// Returns a limit that a client of a run may set.
pub(crate) fn drawn(random: &mut Random) -> Limit {
    match random.below(3) {
        0 => Limit { concurrency: None, per_second: Some(*random.pick(&[0.5, 3.0, 40.0])) },
        1 => Limit { concurrency: Some(1 + random.below(4) as u32), per_second: None },
        _ => Limit {
            concurrency: Some(1 + random.below(3) as u32),
            per_second: Some(*random.pick(&[2.0, 20.0])),
        },
    }
}

impl World {
    pub(crate) fn plan_asks(&mut self, at: usize, effects: &Effects) {
        for ask in &effects.asks {
            let asked = LimiterRequest {
                key: ask.key.clone(),
                shard: self.shards[at].name.clone(),
                ask: ask.request,
            };
            // The shard may learn that its request has failed while the request is still in flight.
            if self.random.chance(self.faults.report_lost) {
                self.may_ask(at, true);
                let when = self.now.plus(self.random.range(1, 3_000));
                let (key, number) = (ask.key.clone(), ask.request.number);
                self.plan(when, Event::Told { shard: at, key, number, answer: None });
            }
            if self.random.chance(self.faults.report_lost) {
                continue;
            }
            let copies = 1 + u64::from(self.random.chance(self.faults.report_repeated));
            for _ in 0..copies {
                let when = self.now.plus(self.random.range(1, self.faults.message_delay));
                self.plan(when, Event::Ask { shard: at, asked: asked.clone() });
            }
        }
    }

    /// Restarts the limiter from its rows.
    pub(crate) fn restart_limiter(&mut self) {
        self.limits.lives += 1;
        let rows = self.limits.rows.values().cloned();
        self.limits.limiter =
            Limiter::load(rows, self.limits.lives).expect("the limiter can be loaded");
    }

    /// Handles a request at a limiter.
    pub(crate) fn ask_limiter(
        &mut self,
        at: usize,
        asked: &LimiterRequest,
        until: Option<UnixMillis>,
    ) {
        if self.random.chance(self.faults.evict) {
            self.restart_limiter();
        }
        let (answer, writes) = self.limits.limiter.ask(asked, self.now_of_limiter());
        let is_changed = !writes.is_empty();
        self.limits.store(writes);
        self.trace(|| format!("limiter: {asked:?}: {answer:?}"));
        if is_changed {
            self.ask_held_again();
        }
        if answer.is_some_and(|answer| answer.lacks_slots(&asked.ask))
            && self.hold_question(at, asked, until)
        {
            return;
        }
        if self.random.chance(self.faults.report_lost) {
            return;
        }
        let copies = 1 + u64::from(self.random.chance(self.faults.report_repeated));
        for _ in 0..copies {
            let when = self.now.plus(self.random.range(1, self.faults.message_delay));
            let (key, number) = (asked.key.clone(), asked.ask.number);
            self.plan(when, Event::Told { shard: at, key, number, answer: Some(answer) });
        }
    }

    /// Handles the limiter's answer at a shard, or the failure of the request.
    pub(crate) fn limiter_answered(
        &mut self,
        at: usize,
        key: &str,
        number: RequestNumber,
        answer: Option<Option<Answer>>,
    ) {
        self.trace(|| format!("{at}: answer for {key}, {number:?}: {answer:?}"));
        // Crashes depend on time, not on messages. Otherwise a shard with many lanes, each of which
        // sends a request after each start, would crash more often the more it crashes.
        let faults = self.faults;
        self.faults.crash_before_commit /= CRASHES_OF_ANSWERS;
        self.faults.crash_after_commit /= CRASHES_OF_ANSWERS;
        // A failure applies to the next request.
        let _ = self.input(
            at,
            false,
            |engine, now, _| {
                match answer {
                    Some(answer) => engine.limit_answered(key, number, answer.as_ref(), now),
                    None => engine.limit_failed(key, number, now),
                }
                Ok(((), Effects::default()))
            },
            |_, (), _| {},
        );
        self.faults = faults;
    }

    /// `concurrency-holds`: over all shards, no more runs of a key are in flight than a limit of
    /// the key allowed.
    pub(crate) fn limits_hold(&mut self, at: usize, effects: &Effects) {
        for write in &effects.writes {
            let Write::InsertEnvelope { destination: Destination::Lane(lane), hashes, .. } = write
            else {
                continue;
            };
            let key = self.shards[at].storage.key_of_lane(*lane);
            self.limits.runs += hashes.len() as u64 / 8;
            let Some(key) = KEYS.iter().find(|known| **known == key) else { continue };
            self.limits.idle_since.remove(key);
            let times = std::iter::repeat_n(self.true_now().get(), hashes.len() / 8);
            self.limits.dispatched.entry(key).or_default().extend(times);
        }
        for key in KEYS {
            let in_flight: usize =
                self.shards.iter().map(|shard| shard.storage.in_flight_of(key)).sum();
            let Some(had) = self.limits.had.get(key) else { continue };
            let most = had
                .iter()
                .map(|limit| limit.concurrency.map_or(usize::MAX, |most| most as usize))
                .max()
                .unwrap_or(0);
            if in_flight > most {
                violated(
                    "concurrency-holds",
                    format!("{in_flight} runs of {key:?} are in flight; at most {most}"),
                );
            }
        }
    }

    /// Counts the shards that keep a slot of a key because they recently had room for its tasks.
    fn kept_slots(&self, key: &str, due: UnixMillis) -> usize {
        let is_recent = |since: &UnixMillis| self.now.since(*since) < KEPT_SLOT_MILLIS;
        let full = self.limits.full_since.iter().filter(|(_, since)| is_recent(since));
        full.filter(|(at, _)| self.shards[**at].storage.waits_in_lane(key, due)).count()
    }

    /// `free-slots-are-used`: while a limit leaves room, no due task waits for long.
    pub(crate) fn free_slots_are_used(&mut self, is_faultless: bool) {
        for (at, shard) in self.shards.iter().enumerate() {
            let dispatched = shard.storage.dispatched();
            let before = self.limits.dispatched_of.insert(at, dispatched).unwrap_or(0);
            if self.config.dispatch_room(dispatched) > 0 {
                self.limits.full_since.remove(&at);
            } else if dispatched < before {
                self.limits.full_since.insert(at, self.now);
            } else {
                self.limits.full_since.entry(at).or_insert(self.now);
            }
        }
        let due = self.now.plus(-self.config.fire_gap_millis);
        for key in KEYS {
            let limit = self.limits.had.get(key).and_then(|had| had.last().copied());
            let in_flight: usize =
                self.shards.iter().map(|shard| shard.storage.in_flight_of(key)).sum();
            let concurrency = limit.and_then(|limit| limit.concurrency);
            let has_room = concurrency
                .is_none_or(|most| in_flight + self.kept_slots(key, due) < most as usize);
            let is_idle = has_room
                && self.shards.iter().any(|shard| {
                    // A shard whose dispatchers have their maximum has no room for any.
                    self.config.dispatch_room(shard.storage.dispatched()) > 0
                        && shard.storage.waits_in_lane(key, due)
                });
            if !is_idle || self.faults.message_lost > 0 {
                self.limits.idle_since.remove(key);
                continue;
            }
            let since = *self.limits.idle_since.entry(key).or_insert(self.now);
            let rate = limit.and_then(|limit| limit.per_second);
            let for_tokens =
                rate.map_or(0, |rate| (2_000.0 * (self.shards.len() as f64 + 1.0) / rate) as i64);
            let most =
                for_tokens + if is_faultless { FREE_SLOT_MILLIS } else { AFTER_FAULTS_MILLIS };
            if self.now.since(since) > most {
                violated(
                    "free-slots-are-used",
                    format!(
                        "tasks of {key:?} have been waiting since {since}, while {in_flight} are in flight"
                    ),
                );
            }
        }
    }

    /// Returns whether a shard has lanes for so few keys that some runs wait for one.
    pub(crate) fn is_short_of_lanes(&self) -> bool {
        self.config.max_lanes < MAX_LANES
    }

    /// `lanes-are-used`: a run waits for a lane only while its key has none and all are taken. A shard
    /// that can give it one `rests` no longer.
    pub(crate) fn lanes_are_used(&mut self, at: usize, rests: bool) {
        if !self.is_short_of_lanes() {
            return;
        }
        let storage = &self.shards[at].storage;
        let keys = storage.keys_without_lane();
        self.limits.without_lane += keys.len() as u64;
        for key in keys.into_iter().filter(|_| rests) {
            if storage.has_lane(&key) || storage.lanes() < self.config.max_lanes {
                violated("lanes-are-used", format!("a run of {key:?} waits for a lane"));
            }
        }
    }

    /// Sets the limit of a key while its tasks wait.
    pub(crate) fn change_limit(&mut self) {
        let key = KEYS[self.random.below(2) as usize];
        let limit = drawn(&mut self.random);
        self.trace(|| format!("limit of {key}: {limit:?}"));
        self.limits.set(key, limit, self.now);
        (0..self.shards.len()).for_each(|at| self.may_ask(at, false));
        self.ask_held_again();
        // What the limiter granted to a shard under the former rate stays valid for a while.
        self.limits.dispatched.insert(key, Vec::new());
        self.rate_from = self.now.plus(scheduler_model::protocol::limiter::NO_RATE_MILLIS);
    }

    pub(crate) fn forget_early_rates(&mut self) {
        let from: UnixMillis = self.rate_from;
        self.limits.dispatched.values_mut().for_each(|times| times.retain(|at| *at > from.get()));
    }
}
