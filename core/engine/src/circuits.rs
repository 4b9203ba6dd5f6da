//! The circuits of a shard: what it knows of destinations that do not answer.

use crate::policy::Verdict;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_CIRCUITS;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{CircuitState, CircuitStats};
use scheduler_model::task::{Callback, Record};
use serde::{Deserialize, Serialize};

/// The attempts in a row without an answer after which a circuit opens: one fewer than an
/// invocation of a dispatcher makes at once.
pub const OPEN_AFTER: u32 = 5;

/// How long a circuit opens at first, in milliseconds. Each probe without an answer doubles this.
pub const FIRST_OPEN_MILLIS: i64 = 10_000;

/// How long a circuit opens at most, in milliseconds. Waiting runs may be late by this time after
/// the destination answers again.
pub const LONGEST_OPEN_MILLIS: i64 = 300_000;

/// How long the shard waits for a probe before it dispatches another, in milliseconds: the longest
/// timeout of an attempt, and the same again for the queue and the report.
pub const PROBE_MILLIS: i64 = 120_000;

/// While a probe is in flight, due runs are delayed to the next multiple of this time since the
/// probe began, in milliseconds.
pub const PROBED_MILLIS: i64 = 10_000;

/// A circuit that no report has mentioned for this time is removed, in milliseconds.
pub const FORGOTTEN_AFTER_MILLIS: i64 = 600_000;

/// A destination that did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Circuit {
    pub(super) destination: String,
    /// Attempts in a row without an answer.
    pub(super) failures: u32,
    /// When the last of these attempts was reported.
    pub(super) last: UnixMillis,
    /// `None` while the circuit is closed.
    pub(super) open: Option<Open>,
}

/// The state of a circuit that is not closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Open {
    /// When it opened.
    pub(super) since: UnixMillis,
    /// No run passes before this time. While a probe is in flight, no second run passes before it.
    pub(super) until: UnixMillis,
    /// How long the circuit opened for the last time, in milliseconds.
    pub(super) millis: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) probe: Option<Probe>,
    /// The delayed runs: until when, and how many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) waiting: Vec<(UnixMillis, u32)>,
}

/// A probe: its envelope, and when it was dispatched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Probe {
    pub(super) seq: EnvelopeSeq,
    pub(super) at: UnixMillis,
}

impl Open {
    /// Counts a run that is delayed until `until`.
    pub(super) fn count_delayed(&mut self, until: UnixMillis, now: UnixMillis) {
        self.waiting.retain(|(until, _)| *until > now);
        match self.waiting.iter_mut().find(|(of, _)| *of == until) {
            Some((_, runs)) => *runs = runs.saturating_add(1),
            None => self.waiting.push((until, 1)),
        }
    }

    fn waiting(&self, now: UnixMillis) -> u64 {
        self.waiting
            .iter()
            .filter(|(until, _)| *until > now)
            .map(|(_, runs)| u64::from(*runs))
            .sum()
    }
}

/// The circuits of a shard. A destination that answers has none.
#[derive(Debug, Default)]
pub(super) struct Circuits {
    pub(super) circuits: Vec<Circuit>,
}

/// What a circuit does with a due run.
pub(super) enum Gate {
    /// The run is dispatched.
    Pass,
    /// The run is dispatched as the probe of this destination.
    Probe(String),
    /// The run waits or is skipped.
    Stay(Verdict),
}

impl Circuits {
    pub(super) fn load(circuits: Vec<Circuit>) -> Self {
        Self { circuits }
    }

    /// Returns the open circuits, which are stored.
    pub(super) fn stored(&self) -> Vec<Circuit> {
        self.circuits.iter().filter(|circuit| circuit.open.is_some()).cloned().collect()
    }

    pub(super) fn is_any_open(&self) -> bool {
        self.circuits.iter().any(|circuit| circuit.open.is_some())
    }

    pub(super) fn is_open(&self, destination: &str) -> bool {
        self.circuits
            .iter()
            .any(|circuit| circuit.destination == destination && circuit.open.is_some())
    }

    pub(super) fn open_mut(&mut self, destination: &str) -> Option<&mut Open> {
        let circuit =
            self.circuits.iter_mut().find(|circuit| circuit.destination == destination)?;
        circuit.open.as_mut()
    }

    /// Returns the circuit of a destination, and creates it if there is none. Returns `None` if the
    /// most circuits are open already.
    pub(super) fn entry(&mut self, destination: &str) -> Option<&mut Circuit> {
        if let Some(at) =
            self.circuits.iter().position(|circuit| circuit.destination == destination)
        {
            return self.circuits.get_mut(at);
        }
        if self.circuits.len() >= MAX_CIRCUITS {
            let closed =
                self.circuits.iter().enumerate().filter(|(_, circuit)| circuit.open.is_none());
            let (least, _) = closed.min_by_key(|(_, circuit)| (circuit.failures, circuit.last))?;
            self.circuits.swap_remove(least);
        }
        self.circuits.push(Circuit {
            destination: destination.to_owned(),
            failures: 0,
            last: UnixMillis::ZERO,
            open: None,
        });
        self.circuits.last_mut()
    }

    pub(super) fn stats(&self, now: UnixMillis) -> Vec<CircuitStats> {
        let stats = |circuit: &Circuit| {
            let open = circuit.open.as_ref()?;
            Some(CircuitStats {
                destination: circuit.destination.clone(),
                state: if open.probe.is_some() {
                    CircuitState::HalfOpen
                } else {
                    CircuitState::Open
                },
                since: open.since,
                until: open.until,
                failures: u64::from(circuit.failures),
                waiting: open.waiting(now),
            })
        };
        self.circuits.iter().filter_map(stats).collect()
    }
}

/// Returns the destination of a record.
pub(super) fn destination_of(record: &Record<'_>) -> Option<String> {
    Callback::parse(record.callback.get()).ok()?.destination()
}
