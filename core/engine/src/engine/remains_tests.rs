use super::*;
use crate::engine::lanes::pair::Pair;
use crate::{Config, EngineError, Keep};
use scheduler_model::bounds::MAX_DEAD_LETTERS_OF_A_TASK;
use scheduler_model::protocol::Status;

const EVERY: &str = r#""everySeconds":1,"anchor":1764000000000,"#;
const ONCE_AGAIN: &str = r#""retry":{"maxAttempts":2,"minBackoffSeconds":3600},"#;

fn small() -> Config {
    Config {
        max_dead_letters: 3,
        max_runs: 4,
        history: Keep::All,
        max_dispatched: usize::MAX,
        ..Config::default()
    }
}

/// Fires a recurring task `runs` times, and lets every run fail.
fn fail_runs(pair: &mut Pair, runs: usize, permanent: bool) {
    for run in 0..runs {
        pair.now = pair.now.plus(1_000);
        for (seq, ..) in pair.wake() {
            pair.fail(seq, permanent, &format!("failed {run}"));
        }
    }
}

fn errors(pair: &Pair) -> Vec<String> {
    let mut letters = pair.records(Status::Dead);
    letters.sort_by_key(|letter| letter["time"].as_i64());
    letters.iter().map(|letter| letter["error"].as_str().unwrap().to_owned()).collect()
}

/// A recurring task that failed again and again kept a dead letter for each run.
#[test]
fn a_further_dead_letter_replaces_the_oldest_of_its_id() {
    for restarts in [false, true] {
        let mut pair = Pair::with(small());
        pair.create("", "other", Some(pair.now.plus(1_000)), "");
        pair.create("", "every", None, EVERY);
        for runs in [1, 2, 4, 13] {
            fail_runs(&mut pair, runs, true);
            if restarts {
                pair.restart();
            }
        }
        let of_others = errors(&pair).len() - 3;
        assert_eq!(
            (of_others, errors(&pair)[1..].to_vec()),
            (1, ["failed 10", "failed 11", "failed 12"].map(str::to_owned).to_vec())
        );
        let counters = pair.engine.stats(pair.now).counters;
        assert_eq!((counters.dead_lettered, counters.dead_letters_displaced), (21, 17));
        // The history has the outcome of each of them.
        assert_eq!(
            pair.outcomes("every").iter().filter(|(outcome, _)| outcome == "dead-lettered").count(),
            20
        );
    }
}

#[test]
fn by_default_a_hundred_dead_letters_of_an_id_are_kept() {
    let mut pair = Pair::with(Config { max_dispatched: usize::MAX, ..Config::default() });
    pair.create("", "every", None, EVERY);
    fail_runs(&mut pair, MAX_DEAD_LETTERS_OF_A_TASK + 30, true);
    let stats = pair.engine.stats(pair.now);
    assert_eq!((stats.dead_letters, stats.counters.dead_letters_displaced), (100, 30));
    let reasons = pair.explain("every").reasons;
    assert!(
        reasons.iter().any(|reason| reason.detail.starts_with("It has 100 dead letters, the most")),
        "{reasons:?}"
    );
}

/// Some dead letters get a page of their own, and others extend the open page. The first one is
/// still the oldest.
#[test]
fn dead_letters_of_one_id_are_in_the_order_of_death() {
    let mut pair = Pair::with(small());
    pair.create("", "every", None, &format!(r#"{EVERY}"tags":["x"],"#));
    for run in 0..40_usize {
        pair.now = pair.now.plus(1_000);
        for (seq, ..) in pair.wake() {
            // The errors are short or long, so that some dead letters need a page of their own.
            let padding = if run % 3 == 1 { "\u{1}".repeat(490) } else { String::new() };
            pair.fail(seq, true, &format!("{run:02}{padding}"));
        }
        let runs: Vec<usize> =
            errors(&pair).iter().map(|error| error[..2].parse().unwrap()).collect();
        assert_eq!(runs, (run.saturating_sub(2)..=run).collect::<Vec<_>>());
    }
}

/// One commit adds more dead letters of an id than are kept.
#[test]
fn dead_letters_of_one_commit_replace_one_another() {
    let mut pair = Pair::with(small());
    pair.create(
        "",
        "every",
        None,
        &format!(r#"{EVERY}"misfire":{{"policy":"dead-letter","graceSeconds":1}},"#),
    );
    pair.now = pair.now.plus(20_500);
    while !pair.wake().is_empty() {}
    let times: Vec<_> = pair
        .records(Status::Dead)
        .iter()
        .map(|letter| letter["time"].as_i64().unwrap() % 100_000)
        .collect();
    assert_eq!(times, [17_000, 18_000, 19_000]);
    assert_eq!(pair.engine.stats(pair.now).counters.dead_letters_displaced, 16);
}

/// Earlier versions kept any number of dead letters. The surplus is removed in steps.
#[test]
fn surplus_dead_letters_of_an_earlier_version_are_removed_in_steps() {
    let config =
        Config { max_dead_letters: usize::MAX, max_dispatched: usize::MAX, ..Config::default() };
    let mut pair = Pair::with(config);
    pair.create("", "every", None, EVERY);
    fail_runs(&mut pair, 1_250, true);
    assert_eq!(pair.engine.stats(pair.now).dead_letters, 1_250);
    pair.reconfigure(Config { max_dead_letters: 100, ..config });
    assert_eq!(pair.engine.stats(pair.now).dead_letters, 1_250);
    fail_runs(&mut pair, 1, true);
    assert_eq!(pair.engine.stats(pair.now).dead_letters, 1_250 - MAX_SURPLUS as u64);
    fail_runs(&mut pair, 2, true);
    assert_eq!(pair.engine.stats(pair.now).dead_letters, 100);
    let times: Vec<_> =
        pair.records(Status::Dead).iter().map(|letter| letter["time"].as_i64().unwrap()).collect();
    let first = 1_764_000_000_000 + 1_154_000;
    assert!(times.iter().all(|time| *time >= first), "the newest are kept: {times:?}");
}

/// Further attempts of a task that fires faster than they run accumulated without a bound.
#[test]
fn a_failed_run_without_room_for_a_further_attempt_becomes_a_dead_letter() {
    let mut pair = Pair::with(small());
    pair.create("", "every", None, &format!("{EVERY}{ONCE_AGAIN}"));
    fail_runs(&mut pair, 6, false);
    assert_eq!((pair.records(Status::Retrying).len(), pair.records(Status::Dead).len()), (4, 2));
    let error =
        "no room to wait: 4 runs of the task wait already; the attempt had failed: failed 5";
    assert_eq!(errors(&pair)[1], error);
    let letter = &pair.records(Status::Dead)[1];
    assert_eq!(letter["attempt"], 1, "one attempt was made: {letter}");
    assert_eq!(pair.outcomes("every")[0], ("dead-lettered".to_owned(), error.to_owned()));
}

#[test]
fn a_follow_up_without_room_becomes_a_dead_letter() {
    let mut pair = Pair::with(small());
    let follow_up = r#""onSuccess":{"type":"handler","name":"log"},"#;
    pair.create("", "every", None, &format!("{EVERY}{ONCE_AGAIN}{follow_up}"));
    for run in 0..6 {
        pair.now = pair.now.plus(1_000);
        let seq = pair.wake()[0].0;
        if run < 4 { pair.fail(seq, false, "no") } else { pair.report(seq) }
    }
    let letters = pair.records(Status::Dead);
    assert_eq!((letters.len(), letters[0]["stage"].as_str()), (2, Some("onSuccess")));
    let outcomes: Vec<_> = pair.outcomes("every").into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(outcomes[..4], ["dead-lettered", "succeeded", "dead-lettered", "succeeded"]);
}

/// A shard at its limit accepted any number of dead letters in addition.
#[test]
fn what_remains_of_a_recurring_task_stays_within_the_limit_of_the_shard() {
    let mut pair = Pair::with(Config { max_entries: 4, max_dead_letters: 100, ..small() });
    pair.create("", "every", None, EVERY);
    pair.create("", "once", Some(pair.now.plus(1_500)), "");
    fail_runs(&mut pair, 3, true);
    // The run of the one-shot task has made room for one dead letter.
    assert_eq!((pair.engine.entries(), pair.records(Status::Dead).len()), (4, 3));
    let refused = pair.try_create("", "new", Some(pair.now.plus(1_000)), "").unwrap_err();
    assert_eq!(refused, EngineError::Full { held: 4, dead: 3, asked: 1, limit: 4 });
    let text = refused.to_string();
    assert!(
        text.contains("4 tasks, 3 of them dead letters") && text.contains("discard dead letters"),
        "{text}"
    );
    fail_runs(&mut pair, 5, true);
    assert_eq!(pair.engine.entries(), 4);
    assert!(
        errors(&pair).contains(&"failed 4".to_owned()),
        "the newest is kept: {:?}",
        errors(&pair)
    );
    // The new task has no dead letter to replace, so none is kept, and the history records the
    // outcome.
    pair.create("", "every", None, &format!("{EVERY}{ONCE_AGAIN}"));
    for letter in ["every", "every"] {
        pair.discard(letter);
    }
    for n in 0..3 {
        pair.create("", &format!("fill-{n}"), Some(pair.now.plus(9_000_000)), "");
        if pair.engine.entries() == 4 {
            break;
        }
    }
    let (before, displaced) =
        (pair.engine.entries(), pair.engine.stats(pair.now).counters.dead_letters_displaced);
    fail_runs(&mut pair, 1, false);
    assert_eq!((before, pair.engine.entries()), (4, 4));
    assert_eq!(pair.engine.stats(pair.now).counters.dead_letters_displaced, displaced + 1);
    let (outcome, error) = pair.outcomes("every").remove(0);
    assert_eq!(
        (outcome.as_str(), error.as_str()),
        ("dead-lettered", "no room to wait: the shard is full; the attempt had failed: failed 0")
    );
}

/// What remains of a one-shot task is never dropped, because a request was admitted for it.
#[test]
fn what_remains_of_a_one_shot_task_is_always_kept() {
    let mut pair = Pair::with(Config { max_entries: 2, ..small() });
    pair.create(
        "",
        "a",
        Some(pair.now.plus(1_000)),
        r#""onFailure":{"type":"handler","name":"log"},"#,
    );
    pair.now = pair.now.plus(1_000);
    let seq = pair.wake()[0].0;
    pair.create("", "b", Some(pair.now.plus(9_000)), "");
    pair.create("", "c", Some(pair.now.plus(9_000)), "");
    pair.fail(seq, true, "no");
    assert_eq!(
        (
            pair.records(Status::Dead).len(),
            pair.records(Status::Retrying).len(),
            pair.engine.entries()
        ),
        (1, 1, 4)
    );
}

/// Runs that a caller added to a task had no bound of their own.
#[test]
fn a_caller_adds_no_run_to_an_id_with_the_most_waiting_runs() {
    use scheduler_model::protocol::{Change, ChangeRequest, Changed};
    for rest in [EVERY, ""] {
        let mut pair = Pair::with(small());
        for id in ["a", "b"] {
            pair.create("", id, None, rest);
        }
        let run = |pair: &mut Pair, ids: &[&str]| {
            let ids = ids.iter().map(|id| (*id).to_owned()).collect();
            pair.change_within(&ChangeRequest { ids, change: Change::Run, if_match: None }, None)
                .unwrap()
                .outcomes
        };
        for _ in 0..4 {
            assert_eq!(run(&mut pair, &["a"]), [Changed::Changed]);
        }
        let before = pair.engine.entries();
        assert_eq!(run(&mut pair, &["a"]), [Changed::TooManyRuns]);
        assert_eq!(pair.engine.entries(), before);
        // The request still adds the runs of other ids.
        assert_eq!(
            run(&mut pair, &["a", "b", "a"]),
            [Changed::TooManyRuns, Changed::Changed, Changed::TooManyRuns]
        );
        // After some runs have fired, there is room.
        while !pair.wake().is_empty() {}
        assert_eq!(run(&mut pair, &["a"]), [Changed::Changed]);
    }
}
