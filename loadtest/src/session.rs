//! The state that all parts of a run share: the server, the plan, the ledger, and the problems.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::body::TaskWriter;
use crate::client::Api;
use crate::clock::Stopwatch;
use crate::plan::Plan;
use crate::scenario::Settings;
use crate::sink::SharedLedger;

/// The most messages about failed requests that are kept. The others are only counted.
const MAX_PROBLEMS: usize = 10;

/// See the module.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) api: Api,
    pub(crate) settings: Settings,
    pub(crate) plan: Plan,
    pub(crate) writer: TaskWriter,
    pub(crate) ledger: SharedLedger,
    pub(crate) problems: Problems,
    pub(crate) scheduling: Scheduling,
}

/// The requests that failed after all retries.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    count: AtomicU64,
    first: Mutex<Vec<String>>,
}

impl Problems {
    pub(crate) fn add(&self, problem: String) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        if first.len() < MAX_PROBLEMS {
            first.push(problem);
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn first(&self) -> Vec<String> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The progress of scheduling.
#[derive(Debug)]
pub(crate) struct Scheduling {
    pub(crate) clock: Stopwatch,
    /// The numbers of answered and of accepted tasks.
    pub(crate) answered: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) body_bytes: AtomicU64,
    /// The time from the start to the latest answer, in microseconds.
    pub(crate) micros: AtomicU64,
    /// The duration of each request in milliseconds, including the waits before retries.
    pub(crate) durations: Mutex<Vec<i64>>,
    /// Whether scheduling was given up because the server no longer answered.
    pub(crate) given_up: AtomicBool,
}

impl Scheduling {
    pub(crate) fn start() -> Self {
        Self {
            clock: Stopwatch::start(),
            answered: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            body_bytes: AtomicU64::new(0),
            micros: AtomicU64::new(0),
            durations: Mutex::new(Vec::new()),
            given_up: AtomicBool::new(false),
        }
    }

    /// Records an answered request for `tasks` tasks that took `millis`.
    pub(crate) fn request_answered(&self, tasks: u64, accepted: u64, bytes: usize, millis: i64) {
        self.answered.fetch_add(tasks, Ordering::Relaxed);
        self.accepted.fetch_add(accepted, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.body_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        let micros = u64::try_from(self.clock.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_max(micros, Ordering::Relaxed);
        self.durations.lock().unwrap_or_else(PoisonError::into_inner).push(millis);
    }
}
