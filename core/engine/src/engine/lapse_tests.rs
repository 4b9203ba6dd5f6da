use crate::Keep;
use crate::engine::lanes::pair::Pair;
use crate::lapses::Lapses;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::numbers::PageNumber;
use scheduler_model::protocol::{Change, ChangeRequest};

/// Expired tasks used the tokens of a rate and the slots of a limit before they were judged, so
/// under overload nothing ran any more.
#[test]
fn an_overloaded_limit_is_used_by_runs_only() {
    let skips = r#""misfire":{"policy":"skip","graceSeconds":3},"#;
    let expires = r#""expireAfterSeconds":3,"#;
    for rest in [expires, skips] {
        // Two runs per second, in three ways.
        for (concurrency, per_second, runs_for) in
            [(None, Some(2.0), 100), (Some(1), None, 450), (Some(3), Some(2.0), 100)]
        {
            let mut pair = Pair::new(usize::MAX);
            pair.limit_both("k", concurrency, per_second);
            let (mut dispatched, begun) = (Vec::new(), pair.now);
            for n in 0..600 {
                pair.create("k", &format!("task-{n}"), Some(pair.now), rest);
                dispatched.append(&mut pair.live(begun.plus(100 * (n + 1)), runs_for).0);
            }
            let late = dispatched.iter().filter(|at| at.since(begun) >= 30_000).count();
            let of = format!(
                "{} runs, {late} of them in the second half, under {concurrency:?} {per_second:?} {rest}",
                dispatched.len()
            );
            assert!((100..=136).contains(&dispatched.len()) && late >= 50, "{of}");
            assert!(
                pair.engine.stats(pair.now).waiting_for_limits <= 35,
                "lapsed tasks do not wait"
            );
        }
    }
}

/// Each expired task was dropped in a commit of its own, when a slot was free for it.
#[test]
fn lapsed_tasks_are_dropped_in_bulk_and_request_no_slots() {
    let mut pair = Pair::new(usize::MAX);
    pair.limit_both("k", Some(1), None);
    for n in 0..2_000 {
        pair.create("k", &format!("task-{n}"), Some(pair.now), r#""expireAfterSeconds":1,"#);
    }
    pair.now = pair.now.plus(60_000);
    let before = pair.writes();
    let (dispatched, wakeups) = pair.live(pair.now.plus(5_000), 100);
    assert_eq!((dispatched.len(), pair.reported_waiting), (0, 0));
    let pages = 2_000 * 150 / scheduler_model::bounds::OPEN_PAGE_BYTES + 1;
    assert!(
        wakeups <= 5 && pair.writes() - before <= 2 * pages + 10,
        "{wakeups} wake-ups, {} rows",
        pair.writes() - before
    );
    assert_eq!(pair.engine.stats(pair.now).counters.expired, 2_000);
    assert_eq!(pair.engine.next_wakeup(), None);
}

/// A waiting task lapses at its time, whatever is before it in the lane and however long the run in
/// flight takes.
#[test]
fn a_waiting_task_lapses_on_time() {
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
        let (dispatched, wakeups) = pair.live(begun.plus(7_000), 60_000);
        assert!(dispatched.len() == 1 && wakeups < 20, "{dispatched:?}, {wakeups} wake-ups");
        assert!(pair.outcomes("lapses").is_empty());
        pair.live(begun.plus(7_200), 60_000);
        let outcomes = pair.outcomes("lapses");
        assert_eq!(outcomes.len(), 1, "{rest}");
        assert_eq!(outcomes[0].0, outcome, "{outcomes:?}");
        assert_eq!(pair.engine.stats(pair.now).waiting_for_limits, 1);
    }
}

/// The backlog is larger than one search may read. The engine treats no unread task as alive, and
/// every task ends.
#[test]
fn a_backlog_beyond_one_search_is_judged_in_several() {
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
    let (dispatched, wakeups) = pair.live(pair.now.plus(20_000), 100);
    assert_eq!((dispatched.len(), pair.engine.stats(pair.now).counters.expired), (100, 200));
    assert!(wakeups < 100, "{wakeups} wake-ups");
}

/// A search ends at a thousand tasks that may fire. The results of earlier searches for the pages
/// behind them counted on after their time, so tasks fired that had lapsed.
#[test]
fn results_of_pages_that_a_search_does_not_reach_lapse_too() {
    let mut pair = Pair::keeping(usize::MAX, Keep::All);
    pair.limit_both("k", Some(1), None);
    let begun = pair.now;
    pair.create("k", "long", Some(begun), "");
    // They are large, so that the next tasks get pages of their own.
    let fill = "x".repeat(20_000);
    let skips = format!(r#""misfire":{{"policy":"skip","graceSeconds":7}},"payload":"{fill}","#);
    for n in 0..10 {
        pair.create("k", &format!("late-{n}"), Some(begun.plus(5_000)), &skips);
    }
    pair.live(begun.plus(5_500), 30_000);
    // These are due earlier, and there are more of them than a search looks at.
    for n in 0..1_500 {
        pair.create("k", &format!("early-{n}"), Some(begun.plus(1_000)), "");
    }
    pair.live(begun.plus(20_000), 30_000);
    pair.limit_both("k", Some(5_000), None);
    let (dispatched, _) = pair.live(begun.plus(60_000), 10);
    assert_eq!(dispatched.len(), 1_500);
    for n in 0..10 {
        let outcomes = pair.outcomes(&format!("late-{n}"));
        assert_eq!(outcomes.first().map(|(outcome, _)| outcome.as_str()), Some("skipped"), "{n}");
    }
}

/// A search ended at a thousand tasks that may fire, so a task behind them did not lapse before
/// its turn.
#[test]
fn a_task_behind_a_thousand_others_lapses_on_time() {
    for (concurrency, per_second) in [(Some(1), None), (None, Some(0.1))] {
        let mut pair = Pair::keeping(usize::MAX, Keep::All);
        pair.limit_both("k", concurrency, per_second);
        let begun = pair.now;
        for n in 0..1_500 {
            pair.create("k", &format!("plain-{n}"), Some(begun), "");
        }
        let late = begun.plus(1);
        pair.create("k", "expires", Some(late), r#""expireAfterSeconds":7,"#);
        let skips = r#""misfire":{"policy":"skip","graceSeconds":7},"#;
        pair.create("k", "is-missed", Some(late), skips);
        let (_, wakeups) = pair.live(begun.plus(7_000), 60_000);
        assert!(wakeups < 20, "{wakeups} wake-ups");
        assert!(pair.outcomes("expires").is_empty() && pair.outcomes("is-missed").is_empty());
        pair.live(begun.plus(7_200), 60_000);
        for (id, outcome) in [("expires", "expired"), ("is-missed", "skipped")] {
            let outcomes = pair.outcomes(id);
            assert_eq!(
                outcomes.first().map(|(outcome, _)| outcome.as_str()),
                Some(outcome),
                "{id}"
            );
        }
    }
}

/// More waits behind the front of a lane than one search reads. Further wake-ups read the rest, and
/// then none is left over.
#[test]
fn a_search_goes_on_behind_the_front_of_a_lane() {
    let mut pair = Pair::new(usize::MAX);
    pair.limit_both("k", Some(1), None);
    let begun = pair.now;
    for n in 0..1_500 {
        pair.create("k", &format!("plain-{n}"), Some(begun), "");
    }
    let fill = format!(r#""expireAfterSeconds":20,"payload":"{}","#, "x".repeat(20_000));
    for n in 0..150 {
        pair.create("k", &format!("large-{n}"), Some(begun.plus(1)), &fill);
    }
    let (_, wakeups) = pair.live(begun.plus(20_000), 600_000);
    // One question to the limiter per second, and three megabytes in steps of one.
    assert!(wakeups < 40, "{wakeups} wake-ups");
    assert_eq!(pair.engine.stats(pair.now).counters.expired, 0);
    let (_, wakeups) = pair.live(begun.plus(21_000), 600_000);
    assert!(wakeups < 12, "{wakeups} wake-ups");
    assert_eq!(pair.engine.stats(pair.now).counters.expired, 150);
}

/// A page whose tasks lapse again and again does not keep the pages behind it from being judged.
#[test]
fn pages_behind_the_front_of_a_lane_take_turns() {
    let pages = |numbers: [u32; 3]| numbers.map(PageNumber::new).to_vec();
    let mut lapses = Lapses::default();
    assert_eq!(lapses.in_turn(pages([7, 3, 5])), pages([3, 5, 7]));
    lapses.reached = Some(PageNumber::new(3));
    assert_eq!(lapses.in_turn(pages([7, 3, 5])), pages([5, 7, 3]));
    lapses.reached = Some(PageNumber::new(9));
    assert_eq!(lapses.in_turn(pages([7, 3, 5])), pages([3, 5, 7]));
}

/// The time of a requested run of a recurring task counted from its request plus the jitter.
#[test]
fn a_requested_run_with_jitter_expires_from_its_request() {
    for delay in ["", r#""jitterSeconds":86400,"#, r#""windowSeconds":86400,"#] {
        let mut pair = Pair::keeping(usize::MAX, Keep::All);
        pair.limit_both("k", Some(1), None);
        let begun = pair.now;
        pair.create("k", "busy", Some(begun), "");
        let rest = format!(
            r#""everySeconds":172800,"anchor":{},{delay}"expireAfterSeconds":5,"#,
            begun.plus(172_800_000)
        );
        pair.create("k", "runs", None, &rest);
        pair.live(begun.plus(1_000), 600_000);
        let request = ChangeRequest {
            ids: vec!["runs".to_owned()],
            change: Change::Run,
            if_match: None,
            pause: None,
        };
        pair.change_within(&request, None).unwrap();
        pair.live(begun.plus(6_000), 600_000);
        assert!(pair.outcomes("runs").is_empty(), "{delay}");
        pair.live(begun.plus(6_200), 600_000);
        let outcomes = pair.outcomes("runs");
        assert_eq!(outcomes.len(), 1, "{delay}");
        assert_eq!(outcomes[0].0, "expired", "{delay}");
    }
}

/// A clock that was ahead and has gone back stopped a lane until it was there again.
#[test]
fn a_search_that_was_planned_by_a_clock_ahead_goes_on_now() {
    let now = UnixMillis::new(1_764_000_000_000);
    let ahead = Some(now.plus(600_000));
    let mut lapses = Lapses { look_at: ahead, resumes_at: ahead, ..Lapses::default() };
    lapses.begin_waits_by(now);
    assert_eq!((lapses.look_at(), lapses.resumes_at()), (Some(now.plus(1)), Some(now.plus(1))));
    let mut idle = Lapses::default();
    idle.begin_waits_by(now);
    assert_eq!((idle.look_at(), idle.resumes_at()), (None, None));
}
