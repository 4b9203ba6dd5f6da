//! A create that the coordinator repeats because the answer to the first try was lost. It is not a
//! new create.

use crate::regressions::{NOW, Pair};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::envelope::Envelope;
use scheduler_model::protocol::{Append, Report, Terms};
use scheduler_model::task::Record;
use std::collections::BTreeMap;

/// Returns a task with three runs, in the three seconds after `NOW`.
fn three_runs(first: i64) -> Vec<u8> {
    let at = |seconds: i64| NOW.plus(1_000 * seconds);
    let (first, last) = (at(first), at(first + 2));
    let log = r#"{"type":"handler","name":"log"}"#;
    format!(r#"{{"id":"a","everySeconds":1,"anchor":{first},"maxRuns":3,"firstRun":{first},"finalRun":{last},"callback":{log}}}"#)
        .into_bytes()
}

fn send(pair: &mut Pair, again: bool, at: UnixMillis) {
    let append = Append {
        schedules: vec![three_runs(1)],
        terms: Terms { again, ..Terms::default() },
        ..Append::default()
    };
    let (_, effects) = pair.engine.append(append, at, &pair.storage).unwrap();
    pair.commit(effects);
    pair.restart();
}

/// Fires and reports everything that is due by then, and counts the runs by their times after
/// `NOW`.
fn run(pair: &mut Pair, until: i64, runs: &mut BTreeMap<i64, usize>) {
    while let Some(at) = pair.engine.next_wakeup().filter(|at| *at <= NOW.plus(until)) {
        let at = at.max(NOW);
        for sent in pair.wake(at).sends {
            for task in Envelope::parse(std::str::from_utf8(&sent.text).unwrap()).unwrap().tasks {
                let time = Record::parse(task.get().as_bytes()).unwrap().time.unwrap();
                *runs.entry(time.since(NOW)).or_default() += 1;
            }
            pair.report(&Report { seq: sent.seq, ..Report::default() }, at);
        }
    }
}

/// When the count started with the second try, there were up to six runs instead of three.
#[test]
fn a_second_try_counts_the_runs_of_the_first() {
    for comes_first in [true, false] {
        for second_at in [0, 500, 1_000, 1_500, 2_500, 3_000, 3_500, 60_000] {
            let (mut pair, mut runs) = (Pair::new(), BTreeMap::new());
            if comes_first {
                send(&mut pair, false, NOW);
            }
            run(&mut pair, second_at, &mut runs);
            send(&mut pair, true, NOW.plus(second_at));
            run(&mut pair, 600_000, &mut runs);
            let times: Vec<i64> = runs.keys().copied().collect();
            assert_eq!(
                times,
                [1_000, 2_000, 3_000],
                "second try at {second_at}, first came: {comes_first}"
            );
            // A run that has fired may be repeated under its key only if nothing is left of the
            // task.
            let is_gone = comes_first && second_at >= 3_000;
            assert!(
                runs.values().all(|times| *times == 1 || is_gone),
                "{runs:?}, second try at {second_at}"
            );
        }
    }
}

/// A definition that a client sends after the last run starts a new count.
#[test]
fn a_later_definition_starts_a_new_count() {
    let (mut pair, mut runs) = (Pair::new(), BTreeMap::new());
    send(&mut pair, false, NOW);
    run(&mut pair, 5_500, &mut runs);
    send(&mut pair, false, NOW.plus(5_500));
    run(&mut pair, 600_000, &mut runs);
    assert_eq!(
        runs.keys().copied().collect::<Vec<_>>(),
        [1_000, 2_000, 3_000, 6_000, 7_000, 8_000]
    );
}
