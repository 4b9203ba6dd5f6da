//! A definition that ends a pause in several parts does the same as one that does it in one part.
//! Two tasks differ in the size of their payloads only.

use super::{PART_BYTES, definition, one};
use crate::large::id;
use crate::random::Random;
use crate::regressions::{NOW, Pair};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::EngineError;
use scheduler_model::format::envelope::Envelope;
use scheduler_model::format::history::Outcome;
use scheduler_model::protocol::{Append, Change, Expected, Report};
use scheduler_model::task::{Record, version_of};
use std::collections::BTreeMap;

const SMALL: usize = 1;
const LARGE: usize = 100_000;

/// `NOW` is Monday, 2025-11-24T16:00:00Z.
const MINUTES: [&str; 4] = [
    r#"{"dates":["2099-12-24"]}"#,
    r#"{"times":["16:00-16:01"]}"#,
    r#"{"times":["16:01-16:03"]}"#,
    r#"{"times":["16:02-16:03","16:05-16:20"]}"#,
];
const DAYS: [&str; 5] = [
    r#"{"dates":["2099-12-24"]}"#,
    r#"{"dates":["2025-11-24"]}"#,
    r#"{"dates":["2025-11-25"]}"#,
    r#"{"weekdays":["WED","THU"]}"#,
    r#"{"times":["03:00-09:00"]}"#,
];

/// What happens to a task.
#[derive(Debug)]
struct Story {
    is_hourly: bool,
    every: i64,
    runs: Option<i64>,
    instead: &'static str,
    policies: String,
    jitter: [i64; 2],
    items: [&'static str; 3],
    /// Whether the calendar changes during the pause, in runs.
    changes_at: Option<i64>,
    ends_at: i64,
    by_version: bool,
}

impl Story {
    fn drawn(random: &mut Random) -> Self {
        let is_hourly = random.chance(400);
        let item = |random: &mut Random| {
            if is_hourly { *random.pick(&DAYS) } else { *random.pick(&MINUTES) }
        };
        let misfire = *random.pick(&[
            r#"{"policy":"fire"}"#,
            r#"{"policy":"fire","graceSeconds":30}"#,
            r#"{"policy":"dead-letter"}"#,
            r#"{"policy":"dead-letter","graceSeconds":60}"#,
            r#"{"policy":"skip","graceSeconds":90}"#,
        ]);
        let expire = *random.pick(&["", "", r#""expireAfterSeconds":100,"#]);
        Self {
            is_hourly,
            every: if is_hourly { 3_600 } else { *random.pick(&[1, 2, 3]) },
            runs: random.chance(700).then(|| random.range(40, 160)),
            instead: if is_hourly { *random.pick(&["skip", "next", "previous"]) } else { "skip" },
            policies: format!(r#""misfire":{misfire},{expire}"#),
            jitter: [0; 2].map(|_| *random.pick(&[0, 0, 1, 100])),
            items: [MINUTES[0], item(random), item(random)],
            changes_at: random.chance(500).then(|| random.range(0, 90)),
            ends_at: random.range(45, 170),
            by_version: random.chance(500),
        }
    }

    fn record(&self, items: &str, jitter: i64, bytes: usize) -> Vec<u8> {
        let when = if self.is_hourly {
            r#""cron":"0 * * * *""#.to_owned()
        } else {
            format!(r#""everySeconds":{},"anchor":{NOW}"#, self.every)
        };
        let counted = self.runs.map_or_else(String::new, |runs| {
            let last = NOW.plus(1_000 * self.every * (runs - 1));
            format!(r#""maxRuns":{runs},"firstRun":{NOW},"finalRun":{last},"#)
        });
        let jitter =
            if jitter > 0 { format!(r#""jitterSeconds":{jitter},"#) } else { String::new() };
        let text = format!(
            r#"{{"id":"{}",{when},"exclude":{{"calendars":[{{"name":"c","version":"1","items":{items}}}],"instead":"{}"}},{counted}{jitter}{}"callback":{{"type":"handler","name":"log"}},"payload":"{}"}}"#,
            id(0, 5),
            self.instead,
            self.policies,
            "x".repeat(bytes)
        );
        let mut record = Vec::new();
        Record::parse(text.as_bytes()).unwrap().write(&mut record);
        record
    }

    /// Returns what comes of it: the parts, and then what must be the same for each size.
    fn play(&self, bytes: usize) -> (usize, Seen) {
        let mut pair = Pair::new();
        pair.add_all(definition(&[self.record(self.items[0], self.jitter[0], bytes)]));
        pair.change_in_parts(one(), Change::Pause, NOW.plus(-1), PART_BYTES);
        let mut answers = Vec::new();
        if let Some(runs) = self.changes_at {
            let mut request = definition(&[self.record(self.items[1], self.jitter[0], bytes)]);
            request.terms.said_paused.clear();
            answers.push(self.carry_out(&mut pair, request, runs).1);
        }
        let request = definition(&[self.record(self.items[2], self.jitter[1], bytes)]);
        let (parts, answer) = self.carry_out(&mut pair, request, self.ends_at);
        answers.push(answer);
        let schedule = pair.storage.schedules.values().next().map(|row| {
            let record = Record::parse(&row.record).unwrap();
            (record.final_run, record.is_paused(), record.unfinished_version)
        });
        let fired = pair.succeeded(NOW.plus(1_000 * self.every * (self.ends_at + 400)));
        let seen = Seen { answers, schedule, fired, outcomes: pair.outcomes() };
        (parts, seen)
    }

    /// Sends a request until it is done, each time after a restart. Returns the parts, and whether
    /// the request was accepted.
    fn carry_out(&self, pair: &mut Pair, mut request: Append, runs: i64) -> (usize, bool) {
        let now = NOW.plus(1_000 * self.every * runs + 7);
        if self.by_version {
            let stored = pair.engine.get(&id(0, 5), &pair.storage).unwrap().unwrap();
            request.expected = Some(Expected::Version(version_of(stored.record.get().as_bytes())));
        }
        for part in 1..100 {
            let (mut replies, effects) =
                pair.engine.append_all(vec![request.clone()], now, &pair.storage).unwrap();
            pair.commit(effects);
            pair.restart();
            match replies.pop().unwrap() {
                Ok(_) => return (part, true),
                Err(EngineError::WouldEnd) => return (part, false),
                Err(EngineError::Unfinished) => {}
                Err(problem) => panic!("{problem}"),
            }
        }
        panic!("the parts do not end");
    }
}

impl Pair {
    /// Fires everything that comes due until then, and reports that it succeeds. Returns how often
    /// each run has fired, by its second.
    fn succeeded(&mut self, until: UnixMillis) -> BTreeMap<i64, usize> {
        let mut fired = BTreeMap::new();
        while let Some(at) = self.engine.next_wakeup().filter(|at| *at <= until) {
            for sent in self.wake(at).sends {
                let envelope = Envelope::parse(std::str::from_utf8(&sent.text).unwrap()).unwrap();
                for task in envelope.tasks {
                    let record = Record::parse(task.get().as_bytes()).unwrap();
                    *fired.entry(record.time.unwrap().since(NOW) / 1_000).or_default() += 1;
                }
                let report = Report { seq: sent.seq, ..Report::default() };
                let effects = self.engine.report(&report, at, &self.storage).unwrap();
                self.commit(effects);
            }
        }
        fired
    }
}

#[derive(Debug, PartialEq)]
struct Seen {
    answers: Vec<bool>,
    /// The end of the schedule, whether it is paused, and whether a change is unfinished.
    schedule: Option<(Option<UnixMillis>, bool, Option<u64>)>,
    /// How often each run fires, by its second.
    fired: BTreeMap<i64, usize>,
    outcomes: BTreeMap<Outcome, usize>,
}

/// Draws another story for each seed. `SIM_STORIES` is their number.
#[test]
fn a_definition_does_the_same_in_parts() {
    let stories = std::env::var("SIM_STORIES").map_or(150, |stories| stories.parse().unwrap());
    let mut in_parts = 0;
    for seed in 0..stories {
        let story = Story::drawn(&mut Random::new(seed));
        let (_, small) = story.play(SMALL);
        let (parts, large) = story.play(LARGE);
        assert_eq!(small, large, "seed {seed}: {story:?}");
        assert!(large.fired.values().all(|times| *times == 1), "seed {seed}: {large:?}");
        in_parts += u64::from(parts > 1);
    }
    assert!(in_parts * 4 > stories, "{in_parts} of {stories} took several parts");
}
