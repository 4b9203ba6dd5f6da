use super::*;
use crate::engine::lanes::pair::Pair;
use crate::{Config, Keep, Write};
use scheduler_model::explain::ReasonCode;
use scheduler_model::protocol::{Change, Failure, Filter, Report, RunFilter, RunsRequest};

fn pair(history: Keep) -> Pair {
    Pair::with(Config { history, max_dispatched: usize::MAX, ..Config::default() })
}

fn cancel(pair: &mut Pair, ids: &[&str], by: Option<&str>) -> usize {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    let request = CancelRequest { ids, if_match: None };
    let (reply, effects) =
        pair.engine.cancel_by(&request, Among::All, by, pair.now, &pair.stored).unwrap();
    assert!(reply.outcomes.iter().all(|outcome| *outcome == Cancelled::Cancelled), "{reply:?}");
    history_rows(pair, &effects)
}

/// Stores the writes, and counts the rows of the history among them.
fn history_rows(pair: &mut Pair, effects: &Effects) -> usize {
    let is_history =
        |write: &&Write| matches!(write, Write::InsertHistory { .. } | Write::ExtendHistory { .. });
    let rows = effects.writes.iter().filter(is_history).count();
    pair.commit(effects);
    rows
}

fn reason(pair: &Pair, id: &str) -> Option<String> {
    let explained = pair.explain(id);
    let reason = explained.reasons.into_iter().find(|of| of.code == ReasonCode::Cancelled);
    reason.map(|of| of.detail)
}

#[test]
fn a_cancelled_task_says_by_which_key_and_when() {
    let mut pair = pair(Keep::All);
    for id in ["named", "unnamed", "untold"] {
        pair.create("", id, Some(pair.now.plus(9_000_000)), "");
    }
    assert_eq!(reason(&pair, "named"), None);
    assert_eq!(cancel(&mut pair, &["named"], Some("ops")), 1);
    assert_eq!(cancel(&mut pair, &["unnamed"], Some("")), 1);
    assert_eq!(cancel(&mut pair, &["untold"], None), 0);
    let at = pair.now.shown();
    let by = |who: &str| Some(format!("It was cancelled at {at} by {who}."));
    assert_eq!(reason(&pair, "named"), by("the API key \"ops\""));
    assert_eq!(reason(&pair, "unnamed"), by("a key of the deployment"));
    assert_eq!(reason(&pair, "untold"), None);
    // The entry has no time of a run, and no attempt.
    let request = RunsRequest::of_all(RunFilter::default(), 10);
    let reply = pair.engine.runs(&request, pair.now, &pair.stored).unwrap();
    let run: serde_json::Value = serde_json::from_str(reply.items[1].run.get()).unwrap();
    assert_eq!(
        run,
        serde_json::json!({
            "id": "named", "reportedAt": pair.now.get(), "outcome": "cancelled", "by": "ops"
        })
    );
    // Another task with the id replaces it.
    pair.create("", "named", Some(pair.now.plus(9_000_000)), "");
    assert_eq!(reason(&pair, "named"), None);
}

#[test]
fn a_cancel_of_a_run_in_flight_is_told_when_its_attempt_has_ended_too() {
    let mut pair = pair(Keep::All);
    pair.create("", "a", Some(pair.now), "");
    let (seq, ..) = pair.wake()[0];
    assert_eq!(cancel(&mut pair, &["a"], Some("ops")), 1);
    assert!(reason(&pair, "a").is_some());
    pair.now = pair.now.plus(1_000);
    pair.fail(seq, false, "no");
    assert!(reason(&pair, "a").is_some());
    // A task that has fired since then is another one.
    pair.create("", "a", Some(pair.now), "");
    let (seq, ..) = pair.wake()[0];
    assert_eq!(reason(&pair, "a"), None);
    pair.fail(seq, true, "no");
    assert_eq!(reason(&pair, "a"), None);
}

#[test]
fn cancels_cost_a_row_of_the_history_for_some_hundreds() {
    let ids: Vec<String> = (0..2_000).map(|n| format!("0198c0de-1234-7abc-8def-{n:012}")).collect();
    let names: Vec<&str> = ids.iter().map(String::as_str).collect();
    for (keep, most) in [(Keep::All, 4), (Keep::Failures, 4), (Keep::Off, 0)] {
        let mut pair = pair(keep);
        for id in &ids {
            pair.create("", id, Some(pair.now.plus(9_000_000)), "");
        }
        let rows = cancel(&mut pair, &names, Some("ops"));
        assert!(rows <= most && (rows > 0) == (most > 0), "{keep:?}: {rows}");
    }
}

#[test]
fn a_cancel_by_filter_is_recorded_if_the_filter_reads_the_records() {
    for (prefix, recorded) in [(Some("a"), 3), (None, 0)] {
        let mut pair = pair(Keep::All);
        for id in ["a1", "a2", "a3"] {
            pair.create("", id, Some(pair.now.plus(9_000_000)), "");
        }
        let filter = Filter { prefix: prefix.map(str::to_owned), ..Filter::default() };
        let tasks = ListRequest { filter, after: None, limit: 100, ..ListRequest::default() };
        let (reply, effects) =
            pair.engine.cancel_matching_by(&tasks, Some("ops"), pair.now, &pair.stored).unwrap();
        assert_eq!(reply.cancelled, 3);
        history_rows(&mut pair, &effects);
        let request = RunsRequest::of_all(RunFilter::default(), 10);
        let reply = pair.engine.runs(&request, pair.now, &pair.stored).unwrap();
        assert_eq!(reply.items.len(), recorded, "{prefix:?}");
    }
}

/// A step of a bulk cancel ended the wait of a held run, which then was due now, before the place
/// where the next step went on. So it started after the cancel. The same happened if a run in
/// flight, which a step had cancelled, was reported before the next step.
#[test]
fn a_bulk_request_in_steps_reaches_a_held_run() {
    for (fails_first, pauses) in [(true, false), (false, false), (false, true)] {
        let mut pair = pair(Keep::Off);
        let begun = pair.now;
        let rest = r#""everySeconds":10,"anchor":1764000000000,"overlap":"queue-one","retry":{"minBackoffSeconds":60,"jitter":0},"#;
        pair.create("", "a", None, rest);
        for n in 0..5 {
            pair.create("", &format!("later-{n}"), Some(begun.plus(3_600_000)), "");
        }
        pair.now = begun.plus(10_000);
        let run = pair.wake().remove(0).0;
        if fails_first {
            let failed = vec![Failure { index: 0, error: "no".to_owned(), ..Failure::default() }];
            let report = Report { seq: run, failed, ..Report::default() };
            pair.input(|engine, now, reader| Ok(((), engine.report(&report, now, reader)?)));
        }
        pair.now = begun.plus(20_500);
        assert!(pair.wake().is_empty());
        assert_eq!(pair.engine.tasks.counts().held, 1);
        let mut request = ListRequest { limit: 2, ..ListRequest::default() };
        for step in 0.. {
            let next = if pauses {
                pair.input(|engine, now, reader| {
                    engine.change_matching(&request, Change::Pause, None, now, reader)
                })
                .next
            } else {
                pair.input(|engine, now, reader| engine.cancel_matching(&request, now, reader)).next
            };
            if step == 0 && !fails_first {
                pair.report(run);
            }
            pair.now = pair.now.plus(500);
            assert!(pair.wake().is_empty(), "after step {step}");
            if next.is_none() {
                break;
            }
            request.after = next;
        }
        pair.now = pair.now.plus(7_200_000);
        assert!(pair.wake().is_empty(), "{fails_first} {pauses}");
        let stats = pair.engine.stats(pair.now);
        let paused = if pauses { 7 } else { 0 };
        assert_eq!(
            (stats.pending, pair.engine.tasks.counts().held, stats.paused),
            (0, 0, paused),
            "{stats:?}"
        );
    }
}
