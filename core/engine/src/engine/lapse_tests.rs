use crate::Keep;
use crate::engine::lanes::tests::Pair;

/// Tasks that had expired took the tokens of a rate, and the slots of a limit, before they were
/// judged: under overload nothing ran any more.
#[test]
fn under_overload_a_limit_is_used_up_by_runs() {
    let skips = r#""misfire":{"policy":"skip","graceSeconds":3},"#;
    let expires = r#""expireAfterSeconds":3,"#;
    for rest in [expires, skips] {
        // Two runs a second, in three ways.
        for (concurrency, per_second, runs_for) in
            [(None, Some(2.0), 100), (Some(1), None, 450), (Some(3), Some(2.0), 100)]
        {
            let mut pair = Pair::new(usize::MAX);
            pair.limit_both("k", concurrency, per_second);
            let (mut handed_on, begun) = (Vec::new(), pair.now);
            for n in 0..600 {
                pair.create("k", &format!("task-{n}"), Some(pair.now), rest);
                handed_on.append(&mut pair.live(begun.plus(100 * (n + 1)), runs_for).0);
            }
            let late = handed_on.iter().filter(|at| at.since(begun) >= 30_000).count();
            let of = format!(
                "{} runs, {late} of them in the second half, under {concurrency:?} {per_second:?} {rest}",
                handed_on.len()
            );
            assert!((100..=136).contains(&handed_on.len()) && late >= 50, "{of}");
            assert!(
                pair.engine.stats(pair.now).waiting_for_limits <= 35,
                "what has lapsed does not wait"
            );
        }
    }
}

/// Each task that had expired was dropped in a commit of its own, when a slot was free for it.
#[test]
fn what_has_lapsed_is_dropped_in_bulk_and_asks_for_nothing() {
    let mut pair = Pair::new(usize::MAX);
    pair.limit_both("k", Some(1), None);
    for n in 0..2_000 {
        pair.create("k", &format!("task-{n}"), Some(pair.now), r#""expireAfterSeconds":1,"#);
    }
    pair.now = pair.now.plus(60_000);
    let before = pair.writes();
    let (handed_on, wakeups) = pair.live(pair.now.plus(5_000), 100);
    assert_eq!((handed_on.len(), pair.told_waiting), (0, 0));
    let pages = 2_000 * 150 / scheduler_model::bounds::OPEN_PAGE_BYTES + 1;
    assert!(
        wakeups <= 5 && pair.writes() - before <= 2 * pages + 10,
        "{wakeups} wake-ups, {} rows",
        pair.writes() - before
    );
    assert_eq!(pair.engine.stats(pair.now).counters.expired, 2_000);
    assert_eq!(pair.engine.next_wakeup(), None);
}

/// A task that waits lapses at its time, whatever stands before it and however long the run takes
/// that it waits for.
#[test]
fn a_task_lapses_when_its_time_comes() {
    for (rest, outcome) in [
        (r#""expireAfterSeconds":7,"#, "expired"),
        (r#""misfire":{"policy":"skip","graceSeconds":7},"#, "skipped"),
        (r#""misfire":{"policy":"dead-letter","graceSeconds":7},"#, "dead-lettered"),
    ] {
        let mut pair = Pair::keeping(usize::MAX, Keep::All);
        pair.limit_both("k", Some(1), None);
        let begun = pair.now;
        for id in ["runs", "waits"] {
            pair.create("k", id, Some(begun), "");
        }
        pair.create("k", "lapses", Some(begun.plus(1)), rest);
        let (handed_on, wakeups) = pair.live(begun.plus(7_000), 60_000);
        assert!(handed_on.len() == 1 && wakeups < 20, "{handed_on:?}, {wakeups} wake-ups");
        assert!(pair.outcomes("lapses").is_empty());
        pair.live(begun.plus(7_200), 60_000);
        let outcomes = pair.outcomes("lapses");
        assert_eq!(outcomes.len(), 1, "{rest}");
        assert_eq!(outcomes[0].0, outcome, "{outcomes:?}");
        assert_eq!(pair.engine.stats(pair.now).waiting_for_limits, 1);
    }
}

/// More than one look takes in: nothing is taken for alive that was not looked at, and every task
/// comes to its end.
#[test]
fn a_backlog_beyond_one_look_is_judged_in_several() {
    let mut pair = Pair::new(usize::MAX);
    pair.limit_both("k", Some(50), None);
    let fill = format!(r#""expireAfterSeconds":5,"payload":"{}","#, "x".repeat(20_000));
    for n in 0..300 {
        pair.create(
            "k",
            &format!("task-{n}"),
            Some(pair.now.plus(if n < 200 { 0 } else { 58_000 })),
            &fill,
        );
    }
    pair.now = pair.now.plus(60_000);
    let (handed_on, wakeups) = pair.live(pair.now.plus(20_000), 100);
    assert_eq!((handed_on.len(), pair.engine.stats(pair.now).counters.expired), (100, 200));
    assert!(wakeups < 100, "{wakeups} wake-ups");
}
