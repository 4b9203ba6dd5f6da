//! Definitions with new items of a calendar that end a pause in several parts.

use super::{LATER, definition, one};
use crate::large::id;
use crate::regressions::{NOW, Pair};
use scheduler_engine::EngineError;
use scheduler_model::protocol::{Append, AppendReply, Change, Expected};
use scheduler_model::task::{Record, version_of};

const FAR: &str = r#"{"dates":["2099-12-24"]}"#;
const BYTES: usize = 100_000;

/// Returns a task that fires each second from `NOW` on, in order of time: it has `runs` runs, and
/// its calendar has these items.
fn counted(runs: usize, items: &str, more: &str) -> Vec<u8> {
    let log = r#"{"type":"handler","name":"log"}"#;
    let final_run = NOW.plus(1_000 * (runs as i64 - 1));
    let text = format!(
        r#"{{"id":"{}","everySeconds":1,"anchor":{NOW},"exclude":{{"calendars":[{{"name":"c","version":"{}","items":{items}}}]}},"maxRuns":{runs},"firstRun":{NOW},"finalRun":{final_run},"misfire":{{"policy":"fire"}},{more}"callback":{log},"payload":"{}"}}"#,
        id(0, 5),
        items.len(),
        "x".repeat(BYTES)
    );
    let mut record = Vec::new();
    Record::parse(text.as_bytes()).unwrap().write(&mut record);
    record
}

/// A task with `runs` runs, paused before the first one.
fn paused(runs: usize) -> Pair {
    let mut pair = Pair::new();
    pair.add_all(definition(&[counted(runs, FAR, "")]));
    pair.change_in_parts(one(), Change::Pause, NOW.plus(-1), super::PART_BYTES);
    pair
}

fn stored(pair: &Pair) -> Option<String> {
    Some(pair.engine.get(&id(0, 5), &pair.storage).unwrap()?.record.get().to_owned())
}

impl Pair {
    /// Sends a request once, after a restart.
    fn append_once(&mut self, request: &Append, after: i64) -> Result<AppendReply, EngineError> {
        let (mut replies, effects) =
            self.engine.append_all(vec![request.clone()], NOW.plus(after), &self.storage).unwrap();
        self.commit(effects);
        self.restart();
        replies.pop().unwrap()
    }

    /// Updates the task as a change of its calendar does. This is a change of its own, so the version
    /// of the unfinished one ends.
    fn update_calendar(&mut self) {
        let record = stored(self).unwrap();
        let version = version_of(record.as_bytes());
        let items = record.replace(r#"{"times":["16:00-16:01"]}"#, FAR);
        let mut request = Append {
            expected: Some(Expected::Version(version)),
            ..definition(&[items.into_bytes()])
        };
        request.terms.tasks_only = true;
        assert_eq!(self.append_once(&request, 129_700).unwrap().replaced, 1);
        let record = stored(self).unwrap();
        assert!(record.contains(r#""paused":true"#) && !record.contains("unfinished"), "{record}");
        assert_ne!(version_of(record.as_bytes()), version);
    }

    /// Returns the seconds after `NOW` of the runs that fire until then.
    fn seconds_fired(&mut self, until: i64) -> Vec<i64> {
        let runs = self.fired(NOW.plus(until));
        assert!(runs.values().all(|times| *times == 1), "each run fires once");
        runs.keys().map(|(_, time)| time.since(NOW) / 1_000).collect()
    }
}

/// The calendar leaves out the first minute of the pause. Each part counted the runs that are left
/// by the former items, from where the part before had ended, and the task lost or won runs.
#[test]
fn all_parts_count_the_runs_by_the_new_items() {
    for by_version in [false, true] {
        for change in ["", r#""jitterSeconds":0.25,"#] {
            let mut pair = paused(124);
            let version = version_of(stored(&pair).unwrap().as_bytes());
            // `NOW` is 2025-11-24T16:00:00Z.
            let request = Append {
                expected: by_version.then_some(Expected::Version(version)),
                ..definition(&[counted(124, r#"{"times":["16:00-16:01"]}"#, change)])
            };
            let mut parts = 1;
            while let Err(problem) = pair.append_once(&request, 129_000) {
                assert_eq!(problem, EngineError::Unfinished);
                let record = stored(&pair).unwrap();
                assert_eq!(version_of(record.as_bytes()), version, "a part keeps the version");
                let read = Record::parse(record.as_bytes()).unwrap();
                assert!(read.is_paused() && read.final_run == Some(NOW.plus(183_000)));
                parts += 1;
                assert!(parts < 10, "the parts do not end");
            }
            assert!(parts >= 2, "{parts}");
            let record = stored(&pair).unwrap();
            assert!(!record.contains("unfinished") && !record.contains("paused"));
            assert_ne!(version_of(record.as_bytes()), version);
            // All 124 are left: a hundred of them were missed at most.
            let expected: Vec<i64> = (60..184).collect();
            assert_eq!(pair.seconds_fired(300_000), expected, "{change} {by_version}");
            assert!(pair.storage.schedules.is_empty());
        }
    }
}

/// The sender gives up after a part. Whatever ends the pause later continues from there.
#[test]
fn a_part_that_nobody_continues_loses_no_run() {
    let request = definition(&[counted(124, r#"{"times":["16:00-16:01"]}"#, "")]);
    for then in ["resume", "a definition", "an update of the calendar"] {
        let mut pair = paused(124);
        assert_eq!(pair.append_once(&request, 129_000), Err(EngineError::Unfinished));
        let mut runs = pair.seconds_fired(129_500);
        assert!(runs.len() > 30, "{}", runs.len());
        if then == "a definition" {
            let request = definition(&[counted(124, FAR, "")]);
            while let Err(problem) = pair.append_once(&request, 130_000) {
                assert_eq!(problem, EngineError::Unfinished);
            }
        } else {
            if then == "an update of the calendar" {
                pair.update_calendar();
            }
            let later = NOW.plus(130_000);
            pair.change_in_parts(one(), Change::Resume, later, super::PART_BYTES);
        }
        runs.extend(pair.seconds_fired(400_000));
        assert_eq!(runs, (60..184).collect::<Vec<i64>>(), "{then}");
        assert!(pair.storage.schedules.is_empty());
    }
}

/// What is left of the missed runs expires between two parts.
#[test]
fn a_task_whose_last_runs_expire_between_two_parts_ends() {
    let expires = r#""expireAfterSeconds":120,"#;
    for by_version in [false, true] {
        let mut pair = Pair::new();
        let record = counted(60, FAR, expires);
        pair.add_all(definition(std::slice::from_ref(&record)));
        pair.change_in_parts(one(), Change::Pause, NOW.plus(-1), super::PART_BYTES);
        let version = version_of(stored(&pair).unwrap().as_bytes());
        let request = Append {
            expected: by_version.then_some(Expected::Version(version)),
            ..definition(&[record])
        };
        assert_eq!(pair.append_once(&request, 100_000), Err(EngineError::Unfinished));
        let fired = pair.seconds_fired(100_500).len();
        assert!((30..50).contains(&fired), "{fired}");
        let reply = pair.append_once(&request, LATER.since(NOW)).unwrap();
        assert_eq!(reply.replaced, 1);
        assert!(pair.storage.schedules.is_empty(), "it does not start over");
    }
}
