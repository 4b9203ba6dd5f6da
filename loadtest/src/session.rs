//! What all parts of a run share: the server, the plan, the ledger, and what went wrong on the way.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::body::TaskWriter;
use crate::client::Api;
use crate::clock::Stopwatch;
use crate::plan::Plan;
use crate::scenario::Settings;
use crate::sink::SharedLedger;

/// Most messages of requests that failed; the rest is only counted.
const MAX_PROBLEMS: usize = 10;

/// See the module's documentation.
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

/// Requests that failed for good.
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

/// How scheduling goes.
#[derive(Debug)]
pub(crate) struct Scheduling {
    pub(crate) clock: Stopwatch,
    /// Tasks answered for, and among them those accepted.
    pub(crate) answered: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) body_bytes: AtomicU64,
    /// From the start to the latest answer, microseconds.
    pub(crate) micros: AtomicU64,
    /// Duration of each request, ms, waits for another try included.
    pub(crate) durations: Mutex<Vec<i64>>,
    /// Given up because the server did not answer any more.
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

    /// Notes an answered request for `tasks` tasks that took `millis`.
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
