use super::*;
use crate::engine::lanes::pair::Pair;
use crate::{Config, Keep};
use scheduler_model::bounds::{
    MAX_DEAD_LETTERS_OF_A_TASK, MAX_EXPLANATION_BYTES, MAX_RUNS_OF_A_TASK,
};
use scheduler_model::explain::Reason;
use scheduler_model::protocol::{Change, ChangeRequest, Failure, Report};

/// The task has 1,000 further attempts, 100 dead letters, runs in flight and a history, all with
/// the longest errors.
#[test]
fn an_explanation_details_some_runs_of_each_kind_and_counts_the_others() {
    let mut pair =
        Pair::with(Config { history: Keep::All, max_dispatched: usize::MAX, ..Config::default() });
    let rest = r#""everySeconds":1,"anchor":1764000000000,"retry":{"maxAttempts":2,"minBackoffSeconds":36000},"#;
    // In a URL, this id takes three times as many bytes.
    let id = "ä".repeat(128);
    pair.create("", &id, None, rest);
    // In JSON, a control character takes six bytes.
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
    let explanation = pair.explain(&id);
    let of =
        |code: ReasonCode| explanation.reasons.iter().filter(move |reason| reason.code == code);
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
        (explanation.in_flight.len(), explanation.recent_runs.len()),
        (MAX_EXPLAINED_RUNS, MAX_EXPLAINED_RUNS)
    );
    let bytes = serde_json::to_vec(&explanation).unwrap().len();
    assert!((40_000..MAX_EXPLANATION_BYTES).contains(&bytes), "{bytes} bytes");
}

#[test]
fn the_error_of_a_dead_letter_ends_with_one_full_stop() {
    let mut pair = Pair::new(usize::MAX);
    for (id, error) in [("a", "out of order"), ("b", "out of order."), ("c", "out of order...")] {
        let due = pair.now.plus(1_000);
        pair.create("", id, Some(due), "");
        pair.now = due;
        for (seq, ..) in pair.wake() {
            pair.fail(seq, true, error);
        }
        let detail = of_code(&pair, id, ReasonCode::DeadLettered).unwrap();
        assert!(detail.contains(", at attempt 1: out of order. Replay it with POST "), "{detail}");
    }
}

/// Runs of a recurring task that wait only for a rate were explained as attempts that a dispatcher
/// may have returned.
#[test]
fn a_first_attempt_that_waits_for_its_limit_is_limited() {
    let mut pair = Pair::with(Config { max_dispatched: usize::MAX, ..Config::default() });
    pair.limit_both("k", None, Some(0.001));
    pair.create("k", "a", None, r#""everySeconds":1,"anchor":1764000000000,"#);
    pair.live(pair.now.plus(9_000), 10);
    let explanation = pair.explain("a");
    let limited: Vec<_> =
        explanation.reasons.iter().filter(|reason| reason.code == ReasonCode::Limited).collect();
    assert!(
        explanation.reasons.iter().all(|reason| reason.code != ReasonCode::Retrying),
        "{:?}",
        explanation.reasons
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

fn of_code(pair: &Pair, id: &str, code: ReasonCode) -> Option<String> {
    let reasons = pair.explain(id).reasons;
    reasons.into_iter().find(|reason| reason.code == code).map(|reason| reason.detail)
}

/// All of these tasks were explained as fired.
#[test]
fn the_explanation_of_an_ended_task_says_how_it_ended() {
    let mut pair =
        Pair::with(Config { history: Keep::All, max_dispatched: usize::MAX, ..Config::default() });
    let (now, hour_ago) = (pair.now, pair.now.plus(-3_600_000));
    pair.create("", "skipped", Some(hour_ago), r#""misfire":{"policy":"skip"},"#);
    pair.create("", "expired", Some(hour_ago), r#""expireAfterSeconds":9,"#);
    pair.create("", "good", Some(now), "");
    pair.create("", "bad", Some(now.plus(200)), r#""retry":{"maxAttempts":1},"#);
    pair.create("", "cancelled", Some(now.plus(400)), "");
    for (seq, ..) in pair.wake() {
        pair.report(seq);
    }
    for error in ["HTTP 500", "HTTP 503"] {
        pair.now = pair.now.plus(200);
        let sent = pair.wake();
        assert_eq!(sent.len(), 1);
        pair.fail(sent[0].0, false, error);
    }
    assert_eq!(of_code(&pair, "bad", ReasonCode::Done), None, "its dead letter is kept");
    pair.discard("bad");
    // The cancel was requested without a key, so the history has no entry of it.
    pair.cancel("cancelled");
    let rest = "Nothing of the task waits or runs.";
    for (id, code, detail) in [
        (
            "skipped",
            ReasonCode::Skipped,
            format!("The run of 2025-11-24T15:00:00Z was skipped at 2025-11-24T16:00:00Z: missed: it would have fired 3600 s late. {rest}"),
        ),
        (
            "expired",
            ReasonCode::Expired,
            format!("The run of 2025-11-24T15:00:00Z expired at 2025-11-24T16:00:00Z: it would have started 3600 s late. {rest}"),
        ),
        (
            "good",
            ReasonCode::Done,
            format!("The run of 2025-11-24T16:00:00Z succeeded at 2025-11-24T16:00:00Z, at attempt 1. {rest}"),
        ),
        (
            "bad",
            ReasonCode::Done,
            "The run of 2025-11-24T16:00:00.200Z failed for good at 2025-11-24T16:00:00.200Z, at attempt 1: HTTP 500. Its dead letter has been discarded.".to_owned(),
        ),
        (
            "cancelled",
            ReasonCode::Done,
            "The run of 2025-11-24T16:00:00.400Z failed at 2025-11-24T16:00:00.400Z, at attempt 1: HTTP 503. No further attempt follows.".to_owned(),
        ),
    ] {
        let reasons = pair.explain(id).reasons;
        assert_eq!(reasons, [Reason { code, detail }], "{id}");
    }
}

/// The explanation said that the task fires at a time in the past.
#[test]
fn a_task_that_waits_for_its_limit_is_explained_as_due() {
    let mut pair = Pair::with(Config { max_dispatched: usize::MAX, ..Config::default() });
    pair.limit_both("k", Some(1), None);
    let due = pair.now.plus(1_000);
    for id in ["first", "second"] {
        pair.create("k", id, Some(due), "");
    }
    let fires = Some("It fires at 2025-11-24T16:00:01Z.".to_owned());
    assert_eq!(of_code(&pair, "second", ReasonCode::Scheduled), fires);
    pair.live(due.plus(2_000), 600_000);
    let was_due = Some("It was due at 2025-11-24T16:00:01Z and waits for its turn.".to_owned());
    assert_eq!(of_code(&pair, "second", ReasonCode::Scheduled), was_due);
    let limited = of_code(&pair, "second", ReasonCode::Limited).unwrap();
    let counts = "on its shard 1 run of the key is in flight, and 1 task waits.";
    assert!(limited.contains(counts), "{limited}");
}

#[test]
fn an_explanation_names_what_delays_a_run() {
    let mut pair = Pair::with(Config { max_dispatched: usize::MAX, ..Config::default() });
    pair.limit_both("k", Some(1), None);
    let (now, later) = (pair.now, pair.now.plus(7_000));
    let delay_of = |pair: &Pair, id: &str| of_code(pair, id, ReasonCode::PutOff);
    pair.create("", "jitter", Some(later), r#""jitterSeconds":600,"#);
    pair.create("", "window", Some(later), r#""windowSeconds":600,"#);
    pair.create("", "both", None, r#""cron":"5 * * * *","jitterSeconds":600,"windowSeconds":600,"#);
    pair.create("", "neither", Some(later), "");
    for (id, time, why) in [
        ("jitter", "16:00:07Z", "jitterSeconds puts it off"),
        ("window", "16:00:07Z", "windowSeconds puts it off"),
        ("both", "16:05:00Z", "jitterSeconds and windowSeconds put it off"),
    ] {
        let detail = format!("The time of this run is 2025-11-24T{time}: {why}.");
        assert_eq!(delay_of(&pair, id), Some(detail));
    }
    assert_eq!(delay_of(&pair, "neither"), None);
    // The first task has fired, so the order places the second after it.
    pair.create("k", "first", Some(now), "");
    pair.live(now.plus(1_000), 600_000);
    let hour_ago = now.plus(-3_600_000);
    pair.create("k", "past", Some(hour_ago), &format!(r#""createdAt":{},"#, pair.now));
    let detail = "The time of this run is 2025-11-24T15:00:00Z, which was past when it was given.";
    assert_eq!(delay_of(&pair, "past").as_deref(), Some(detail));
}

#[test]
fn an_explanation_names_the_run_that_is_left_out_or_moved() {
    let mut pair = Pair::with(Config::default());
    let excluded = |pair: &Pair, id: &str| of_code(pair, id, ReasonCode::Excluded);
    // It is 16:00 on Monday, 24 November 2025.
    let daily = r#""cron":"0 17 * * *","exclude":{"dates":["11-24/11-25"]},"#;
    pair.create("", "skips", None, daily);
    let monday = r#""cron":"0 17 24 11 *","exclude":{"dates":["11-24/11-25"],"instead":"next"},"#;
    pair.create("", "moves", None, monday);
    pair.create("", "neither", None, r#""cron":"0 17 * * *","exclude":{"dates":["12-24"]},"#);
    let left_out = "exclude leaves out the run at 2025-11-24T17:00:00Z.";
    assert_eq!(excluded(&pair, "skips").as_deref(), Some(left_out));
    let moved = "exclude has moved this run from 2025-11-24T17:00:00Z to 2025-11-26T17:00:00Z.";
    assert_eq!(excluded(&pair, "moves").as_deref(), Some(moved));
    assert_eq!(excluded(&pair, "neither"), None);
    let next = |pair: &Pair, id: &str| pair.explain(id).next_run.unwrap().time.shown();
    assert_eq!(next(&pair, "skips"), "2025-11-26T17:00:00Z");
    assert_eq!(next(&pair, "neither"), "2025-11-24T17:00:00Z");
}

/// The explanation said that these runs were requested, wait for a destination, or come back from a
/// dispatcher.
#[test]
fn a_waiting_first_attempt_is_explained_by_what_is_known() {
    let mut pair = Pair::with(Config { max_dispatched: usize::MAX, ..Config::default() });
    pair.create("", "dead", Some(pair.now), r#""retry":{"maxAttempts":1},"#);
    pair.create("", "back", Some(pair.now), "");
    let sent = pair.wake();
    assert_eq!(sent.iter().map(|(_, _, tasks)| tasks).sum::<usize>(), 2);
    let seq = sent[0].0;
    let failed = Failure { index: 0, error: "HTTP 500".to_owned(), ..Failure::default() };
    pair.report_with(&Report {
        seq,
        failed: vec![failed],
        not_started: vec![1],
        ..Report::default()
    });
    pair.now = pair.now.plus(50);
    let ids = vec!["dead".to_owned()];
    let request = ChangeRequest { ids, change: Change::Run, if_match: None, pause: None };
    pair.change_within(&request, None).unwrap();
    let requested = of_code(&pair, "dead", ReasonCode::Retrying).unwrap();
    let start = "The run of 2025-11-24T16:00:00Z was requested at 2025-11-24T16:00:00.050Z; it ";
    assert!(requested.starts_with(start), "{requested}");
    let back = of_code(&pair, "back", ReasonCode::Retrying).unwrap();
    let was_due = "The run of 2025-11-24T16:00:00Z was due at 2025-11-24T16:00:00";
    assert!(back.starts_with(was_due) && back.ends_with("and waits for its turn."), "{back}");
}
