//! Runs many seeds on all cores, and reports the progress and all failing seeds.

use crate::runner::{Run, run};
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The seeds between two lines of progress.
const PROGRESS: u64 = 10_000;
/// The most bytes of a failure in the summary. The whole text is printed when the failure occurs.
const SUMMARY_BYTES: usize = 300;

impl Run {
    fn add(&mut self, other: Self) {
        self.events += other.events;
        self.tasks += other.tasks;
        self.fired += other.fired;
        self.limited += other.limited;
        self.without_lane += other.without_lane;
        self.put_off += other.put_off;
        self.put_off_of_keys += other.put_off_of_keys;
        self.held_up += other.held_up;
        self.turned_back += other.turned_back;
        self.redefined += other.redefined;
        self.renewals += other.renewals;
        self.ends += other.ends;
        self.decisions.add(other.decisions);
        (self.displaced, self.without_room) =
            (self.displaced + other.displaced, self.without_room + other.without_room);
        self.refused_runs += other.refused_runs;
        self.replayed += other.replayed;
        self.discarded += other.discarded;
        self.with_payload += other.with_payload;
        self.lists += other.lists;
        self.shown_by_lists += other.shown_by_lists;
    }
}

/// The progress of a run of many seeds.
#[derive(Default)]
struct Progress {
    next: u64,
    running: BTreeSet<u64>,
    done: u64,
    failures: BTreeMap<u64, String>,
}

/// Runs seeds on as many threads as there are cores. A failing seed does not end the run until
/// `most_failures` have failed, so that one run shows every kind of failure. Panics at the end if
/// any seed has failed.
pub(crate) fn run_many(seeds: Range<u64>, most_failures: usize) -> Run {
    let progress = Mutex::new(Progress { next: seeds.start, ..Progress::default() });
    let lock =
        || -> MutexGuard<'_, Progress> { progress.lock().unwrap_or_else(PoisonError::into_inner) };
    let begin = || {
        let mut progress = lock();
        let seed = progress.next;
        (seed < seeds.end && progress.failures.len() < most_failures).then(|| {
            progress.next += 1;
            progress.running.insert(seed);
            seed
        })
    };
    let end = |seed, failure: Option<String>| {
        let mut progress = lock();
        progress.running.remove(&seed);
        progress.done += 1;
        progress.failures.extend(failure.map(|failure| (seed, failure)));
        if progress.done.is_multiple_of(PROGRESS) && seeds.end - seeds.start > PROGRESS {
            let (first, failed) = (
                progress.running.first().copied().unwrap_or(progress.next),
                progress.failures.len(),
            );
            eprintln!(
                "{} seeds have run, {failed} failed; `make simulate FROM={first}` goes on there",
                progress.done
            );
        }
    };
    let work = || {
        let mut sum = Run::default();
        while let Some(seed) = begin() {
            match catch_unwind(AssertUnwindSafe(|| run(seed, false))) {
                Ok(run) => {
                    sum.add(run);
                    end(seed, None);
                }
                Err(problem) => {
                    eprintln!("seed {seed} failed; replay it with its trace:\n  {}", replay(seed));
                    end(seed, Some(text_of(problem.as_ref())));
                }
            }
        }
        sum
    };
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get).max(2);
    let sum = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let mut sum = Run::default();
        for thread in threads {
            sum.add(thread.join().unwrap_or_else(|problem| std::panic::resume_unwind(problem)));
        }
        sum
    });
    let progress = lock();
    for (seed, failure) in &progress.failures {
        println!("seed {seed}: {failure}\n  {}", replay(*seed));
    }
    assert!(
        progress.failures.is_empty(),
        "{} of {} seeds failed",
        progress.failures.len(),
        progress.done
    );
    sum
}

fn replay(seed: u64) -> String {
    format!(
        "SIM_SEED={seed} cargo test -p scheduler-engine --test simulation replay -- --nocapture"
    )
}

/// Returns the beginning of a panic's message.
fn text_of(problem: &(dyn Any + Send)) -> String {
    let text = problem.downcast_ref::<String>().map(String::as_str);
    let text = text
        .or_else(|| problem.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message");
    let end = text
        .char_indices()
        .map(|(at, _)| at)
        .take_while(|at| *at <= SUMMARY_BYTES)
        .last()
        .unwrap_or(0);
    if text.len() > SUMMARY_BYTES { format!("{}...", &text[..end]) } else { text.to_owned() }
}
