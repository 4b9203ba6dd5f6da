use super::*;
use crate::engine::lanes::tests::Pair;
use crate::{Config, Keep};
use scheduler_model::bounds::{
    MAX_DEAD_LETTERS_OF_A_TASK, MAX_EXPLANATION_BYTES, MAX_RUNS_OF_A_TASK,
};

/// A task with 1,000 further attempts, 100 dead letters, runs in flight and a history, all with the
/// longest errors.
#[test]
fn an_explanation_names_some_of_each_kind_and_counts_the_others() {
    let mut pair =
        Pair::with(Config { history: Keep::All, max_dispatched: usize::MAX, ..Config::default() });
    let rest = r#""everySeconds":1,"anchor":1764000000000,"retry":{"maxAttempts":2,"minBackoffSeconds":36000},"#;
    // It takes three times as much in an address.
    let id = "ä".repeat(128);
    pair.create("", &id, None, rest);
    // A control character takes six bytes of JSON.
    let error = "\u{1}".repeat(500);
    for _ in 0..MAX_RUNS_OF_A_TASK + MAX_DEAD_LETTERS_OF_A_TASK + 20 {
        pair.now = pair.now.plus(1_000);
        for (seq, ..) in pair.wake() {
            pair.fail(seq, false, &error);
        }
    }
    for _ in 0..30 {
        pair.now = pair.now.plus(1_000);
        pair.wake();
    }
    let told = pair.explain(&id);
    let of = |code: ReasonCode| told.reasons.iter().filter(move |reason| reason.code == code);
    for (code, most, more) in [
        (ReasonCode::Retrying, MAX_EXPLAINED_RUNS, "And 996 more runs of it wait."),
        (
            ReasonCode::DeadLettered,
            MAX_EXPLAINED_RUNS + 1,
            "And 95 more dead letters of it are kept.",
        ),
        (ReasonCode::InFlight, MAX_EXPLAINED_RUNS + 1, "And 25 more attempts of it are in flight."),
    ] {
        assert!(
            of(code).any(|reason| reason.detail == more),
            "{code:?}: {:?}",
            of(code).next_back()
        );
        assert!(of(code).count() <= most + 1, "{code:?}: {}", of(code).count());
    }
    assert_eq!(
        (told.in_flight.len(), told.recent_runs.len()),
        (MAX_EXPLAINED_RUNS, MAX_EXPLAINED_RUNS)
    );
    let bytes = serde_json::to_vec(&told).unwrap().len();
    assert!((40_000..MAX_EXPLANATION_BYTES).contains(&bytes), "{bytes} bytes");
}

/// Runs of a recurring task that wait for a rate only. They were explained as attempts that a
/// dispatcher may have handed back.
#[test]
fn a_first_attempt_that_waits_for_its_limit_is_limited() {
    let mut pair = Pair::with(Config { max_dispatched: usize::MAX, ..Config::default() });
    pair.limit_both("k", None, Some(0.001));
    pair.create("k", "a", None, r#""everySeconds":1,"anchor":1764000000000,"#);
    pair.live(pair.now.plus(9_000), 10);
    let told = pair.explain("a");
    let limited: Vec<_> =
        told.reasons.iter().filter(|reason| reason.code == ReasonCode::Limited).collect();
    assert!(
        told.reasons.iter().all(|reason| reason.code != ReasonCode::Retrying),
        "{:?}",
        told.reasons
    );
    assert_eq!(
        limited.len(),
        MAX_EXPLAINED_RUNS,
        "the task is one of those that are explained, and the last counts the others"
    );
    assert!(
        limited[0].detail.starts_with("The run of 2025-11-24T16:00:0"),
        "{}",
        limited[0].detail
    );
    assert!(
        limited.last().unwrap().detail.ends_with(" more runs of it wait."),
        "{:?}",
        limited.last()
    );
}
