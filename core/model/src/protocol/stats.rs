//! Messages with a shard's statistics.

use crate::histogram::Histogram;
use crate::meter::Meter;
use crate::numbers::EnvelopeSeq;
use scheduler_calendar::ordered::sort_by_key;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The question of the watchdog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchRequest {
    /// Whether a shard compares its alarm with its stored tasks, which it must load for that.
    /// Otherwise an alarm that lies ahead is enough.
    #[serde(default)]
    pub in_full: bool,
}

/// The reply to the watchdog: the time at which the shard must wake up next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchReply {
    /// The time at which the shard next has work.
    pub next_wakeup: Option<UnixMillis>,
    /// Whether the shard was overdue and had to be woken.
    pub repaired: bool,
}

/// Counts since the shard was created.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Counters {
    /// Tasks that were created.
    pub created: u64,
    /// Of these, tasks that replaced another task.
    pub replaced: u64,
    /// Tasks that were cancelled.
    pub cancelled: u64,
    /// Attempts that were dispatched, at runs and at follow-ups. Sending an envelope again does not
    /// count.
    pub fired: u64,
    /// Runs that succeeded. Follow-ups, and runs that went to your own queue, are counted
    /// separately.
    pub succeeded: u64,
    /// Runs that your own queue has accepted. What its consumer did with them is not known.
    pub handed_over: u64,
    /// Attempts at runs that failed.
    pub failed: u64,
    /// Follow-ups that succeeded, or that your own queue has accepted.
    pub follow_ups_succeeded: u64,
    /// Attempts at follow-ups that failed.
    pub follow_ups_failed: u64,
    /// Runs and follow-ups that failed for good.
    pub dead_lettered: u64,
    /// Dead letters that were dropped, because newer ones came or because there was no room.
    pub dead_letters_displaced: u64,
    /// Runs that did not fire, because they were missed or the previous run had not ended. Runs
    /// that were missed together count once.
    pub skipped: u64,
    /// Runs that came too late to start. Runs that were missed together count once.
    pub expired: u64,
    /// Envelopes that were sent again.
    pub redelivered: u64,
    /// Alarms that the watchdog found missing.
    pub repairs: u64,
}

impl Counters {
    /// Adds another shard's counts.
    pub fn add(&mut self, other: &Self) {
        self.created += other.created;
        self.replaced += other.replaced;
        self.cancelled += other.cancelled;
        self.fired += other.fired;
        self.succeeded += other.succeeded;
        self.handed_over += other.handed_over;
        self.failed += other.failed;
        self.follow_ups_succeeded += other.follow_ups_succeeded;
        self.follow_ups_failed += other.follow_ups_failed;
        self.dead_lettered += other.dead_lettered;
        self.dead_letters_displaced += other.dead_letters_displaced;
        self.skipped += other.skipped;
        self.expired += other.expired;
        self.redelivered += other.redelivered;
        self.repairs += other.repairs;
    }
}

/// The state of a destination's circuit, if it is not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum CircuitState {
    /// Tasks that are due for the destination wait.
    Open,
    /// The wait is over. The next run that is due is tried. While it is, the others wait for its
    /// outcome.
    HalfOpen,
}

/// The circuit of a destination that does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Circuit")]
pub struct CircuitStats {
    /// A webhook's scheme, host and port; or `service:`, `durable-object:` or `handler:` with a
    /// name.
    pub destination: String,
    /// The state. Over several shards, `open` if it is open on one.
    pub state: CircuitState,
    /// Since when it is not closed, in milliseconds since 1970; over several shards, the earliest.
    #[schemars(with = "i64")]
    pub since: UnixMillis,
    /// When the wait ends, in milliseconds since 1970. The next run that is due then is tried. While
    /// one is being tried, no other is tried before this time. Over several shards, the earliest of
    /// the circuits in this state.
    #[schemars(with = "i64")]
    pub until: UnixMillis,
    /// Attempts in a row without an answer.
    pub failures: u64,
    /// Runs that wait for it.
    pub waiting: u64,
}

impl CircuitStats {
    /// Sets the state that holds at `now`. A shard changes the state of a circuit only when it
    /// fires, so the circuit stays open after its wait while no run is due for the destination.
    fn update(&mut self, now: UnixMillis) {
        if self.until <= now {
            self.state = CircuitState::HalfOpen;
        }
    }

    /// Adds the circuit of another shard for the same destination.
    fn add(&mut self, other: &Self) {
        match (self.state, other.state) {
            (CircuitState::Open, CircuitState::HalfOpen) => {}
            (CircuitState::HalfOpen, CircuitState::Open) => {
                (self.state, self.until) = (other.state, other.until);
            }
            _ => self.until = self.until.min(other.until),
        }
        self.since = self.since.min(other.since);
        self.failures += other.failures;
        self.waiting += other.waiting;
    }
}

/// A shard's statistics.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShardStats {
    /// The number of the last envelope. Once the shard has fired more, no later state has this
    /// number.
    #[serde(default)]
    pub last_envelope: EnvelopeSeq,
    /// Tasks that wait for their time or for a further attempt. A recurring task counts once.
    pub pending: u64,
    /// Dispatched tasks whose outcome is not known yet.
    pub in_flight: u64,
    /// Recurring tasks.
    pub schedules: u64,
    /// Tasks without a schedule.
    pub unscheduled: u64,
    /// Tasks that are paused.
    pub paused: u64,
    /// Runs and follow-ups that failed for good and are kept.
    pub dead_letters: u64,
    /// Pending tasks without a limit key whose time has passed.
    pub overdue: u64,
    /// Tasks with a limit key whose time has passed and that wait for their turn.
    #[serde(default)]
    pub waiting_for_limits: u64,
    /// Bytes of memory that the shard's pending tasks take.
    pub memory_bytes: u64,
    /// Counts since the shard was created.
    pub counters: Counters,
    /// How long after their due time tasks were fired.
    pub lateness: Histogram,
    /// What the platform will bill.
    pub meter: Meter,
    /// Circuits that are not closed.
    #[serde(default)]
    pub circuits: Vec<CircuitStats>,
}

/// A request to purge what a shard keeps about deleted tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PurgeRequest {
    /// [`ShardStats::last_envelope`] when the sender read the statistics. A shard that has fired
    /// since then purges nothing, because the request is old.
    pub last_envelope: EnvelopeSeq,
}

/// The reply to a purge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgeReply {
    /// The number of tasks that the shard holds. If there are any, nothing was purged.
    pub tasks: u64,
    /// Whether nothing is left to purge.
    pub done: bool,
}

impl ShardStats {
    /// Returns the number of all tasks in the shard.
    pub fn held(&self) -> u64 {
        self.pending + self.in_flight + self.unscheduled + self.paused + self.dead_letters
    }

    /// Returns the statistics with the states of circuits that hold at `now`.
    #[must_use]
    pub fn at(mut self, now: UnixMillis) -> Self {
        self.circuits.iter_mut().for_each(|circuit| circuit.update(now));
        self
    }

    /// Adds the statistics of another shard. A destination may then have several circuits.
    fn add(&mut self, other: &Self) {
        self.pending += other.pending;
        self.in_flight += other.in_flight;
        self.schedules += other.schedules;
        self.unscheduled += other.unscheduled;
        self.paused += other.paused;
        self.dead_letters += other.dead_letters;
        self.overdue += other.overdue;
        self.waiting_for_limits += other.waiting_for_limits;
        self.memory_bytes += other.memory_bytes;
        self.counters.add(&other.counters);
        self.lateness.add(&other.lateness);
        self.meter.add(&other.meter);
        self.circuits.extend_from_slice(&other.circuits);
    }

    /// Returns the sum of the statistics of several shards. Each destination has one circuit in it,
    /// ordered by name.
    pub fn sum<'a>(shards: impl Iterator<Item = &'a Self>) -> Self {
        let mut sum = Self::default();
        shards.for_each(|shard| sum.add(shard));
        // Circuits are joined after sorting, because each shard may have thousands of destinations.
        sort_by_key(&mut sum.circuits, |circuit| circuit.destination.clone());
        sum.circuits.dedup_by(|later, earlier| {
            let is_same = later.destination == earlier.destination;
            if is_same {
                earlier.add(later);
            }
            is_same
        });
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_have_one_circuit_for_each_destination() {
        let circuit = |destination: &str, state, since, waiting| CircuitStats {
            destination: destination.to_owned(),
            state,
            since: UnixMillis::new(since),
            until: UnixMillis::new(since + 1),
            failures: 1,
            waiting,
        };
        let shard = |circuits| ShardStats { pending: 2, circuits, ..ShardStats::default() };
        let shards = [
            shard(vec![
                circuit("b", CircuitState::HalfOpen, 7, 1),
                circuit("a", CircuitState::Open, 9, 10),
            ]),
            shard(vec![circuit("b", CircuitState::Open, 5, 2)]),
            shard(vec![circuit("b", CircuitState::HalfOpen, 6, 4)]),
        ];
        let sum = ShardStats::sum(shards.iter());
        let b = CircuitStats { failures: 3, ..circuit("b", CircuitState::Open, 5, 7) };
        assert_eq!((sum.pending, &sum.circuits[1]), (6, &b));
        assert_eq!(sum.circuits[0].destination, "a");
        assert_eq!(sum.circuits.len(), 2);
    }

    #[test]
    fn a_circuit_is_half_open_once_its_wait_is_over() {
        let circuit = |state, until| CircuitStats {
            destination: "a".to_owned(),
            state,
            since: UnixMillis::new(1),
            until: UnixMillis::new(until),
            failures: 5,
            waiting: 0,
        };
        let shard = |circuit| ShardStats { circuits: vec![circuit], ..ShardStats::default() };
        let now = UnixMillis::new(10);
        for (state, until, at_now) in [
            (CircuitState::Open, 11, CircuitState::Open),
            (CircuitState::Open, 10, CircuitState::HalfOpen),
            (CircuitState::HalfOpen, 11, CircuitState::HalfOpen),
            (CircuitState::HalfOpen, 9, CircuitState::HalfOpen),
        ] {
            let circuits = shard(circuit(state, until)).at(now).circuits;
            assert_eq!(circuits, [circuit(at_now, until)], "{state:?} until {until}");
        }
        // Another shard still waits. Its wait is the one that is left.
        for ends in [[9, 20], [20, 9]] {
            let shards = ends.map(|until| shard(circuit(CircuitState::Open, until)).at(now));
            let sum = ShardStats::sum(shards.iter());
            let both = CircuitStats { failures: 10, ..circuit(CircuitState::Open, 20) };
            assert_eq!(sum.circuits, [both]);
        }
    }
}
