//! Changes that are more than one commit may write. Each part is bounded, and a crash between two
//! parts loses and repeats nothing.

mod new_items;
mod patched;
mod whole;

use crate::large::{each_second, id};
use crate::regressions::{NOW, Pair, ids};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Effects, EngineError, Write};
use scheduler_model::format::envelope::Envelope;
use scheduler_model::format::history::Outcome;
use scheduler_model::format::page::{Flags, PageBuilder};
use scheduler_model::protocol::{
    Append, Change, ChangeRequest, Changed, Expected, Filter, ListRequest, PauseReason, Status,
    Terms,
};
use scheduler_model::routing::id_hash;
use scheduler_model::task::{Record, version_of};
use std::collections::BTreeMap;

/// What a part writes: 4 MB of records, one more record, and frames.
const PART_BYTES: usize = 4_000_000 + 200_000;
const LATER: UnixMillis = UnixMillis::new(NOW.get() + 3_600_000);
const FIRE: &str = r#""misfire":{"policy":"fire","graceSeconds":1},"#;
const BURY: &str = r#""misfire":{"policy":"dead-letter","graceSeconds":1},"onFailure":{"type":"handler","name":"log"},"#;

fn written(effects: &Effects) -> usize {
    effects.writes.iter().map(Write::bytes).sum()
}

fn definition(records: &[Vec<u8>]) -> Append {
    let said_paused = (0..records.len()).map(|n| id_hash(&id(n, 5))).collect();
    Append {
        schedules: records.to_vec(),
        terms: Terms { said_paused, ..Terms::default() },
        ..Append::default()
    }
}

fn one() -> Vec<String> {
    vec![id(0, 5)]
}

impl Pair {
    /// Creates tasks that recur each second, and pauses them before their first run.
    fn paused(&mut self, tasks: usize, policy: &str, bytes: usize) -> Vec<Vec<u8>> {
        let records: Vec<_> = (0..tasks).map(|n| each_second(&id(n, 5), policy, bytes)).collect();
        self.add_all(definition(&records));
        let ids = (0..tasks).map(|n| id(n, 5)).collect();
        self.change_in_parts(ids, Change::Pause, NOW.plus(-1), PART_BYTES);
        records
    }

    /// Repeats a change until it is done, with a restart after each part. Returns the number of
    /// parts.
    fn change_in_parts(
        &mut self,
        ids: Vec<String>,
        change: Change,
        now: UnixMillis,
        most: usize,
    ) -> usize {
        self.changes_in_parts(ids, (change, None), now, most)
    }

    /// Does the same for a change with the reason of a pause.
    fn changes_in_parts(
        &mut self,
        ids: Vec<String>,
        (change, pause): (Change, Option<PauseReason>),
        now: UnixMillis,
        most: usize,
    ) -> usize {
        let mut request = ChangeRequest { ids, change, if_match: None, pause };
        let mut parts = 0;
        while !request.ids.is_empty() {
            let (reply, effects) = self.engine.change(&request, now, &self.storage).unwrap();
            assert!(written(&effects) <= most, "part {parts} writes {} bytes", written(&effects));
            self.commit(effects);
            self.restart();
            assert!(reply.in_part || !reply.outcomes.is_empty(), "part {parts} makes progress");
            let is_good =
                |outcome: &Changed| matches!(outcome, Changed::Changed | Changed::Unchanged);
            assert!(reply.outcomes.iter().all(is_good), "{:?}", reply.outcomes);
            request.ids.drain(..reply.outcomes.len());
            parts += 1;
            assert!(parts < 1_000, "the parts do not end");
        }
        parts
    }

    /// Repeats requests that arrive together until all are done, with a restart after each part.
    /// Returns the number of parts.
    fn append_in_parts(&mut self, requests: &[Append], now: UnixMillis) -> usize {
        let mut left = requests.to_vec();
        let mut parts = 0;
        while !left.is_empty() {
            let (replies, effects) =
                self.engine.append_all(left.clone(), now, &self.storage).unwrap();
            let of_request: usize =
                left.iter().flat_map(|append| &append.schedules).map(Vec::len).sum();
            assert!(
                written(&effects) <= of_request + PART_BYTES,
                "part {parts} writes {} bytes",
                written(&effects)
            );
            self.commit(effects);
            self.restart();
            let mut replies = replies.into_iter();
            left.retain(|append| match replies.next().unwrap() {
                Ok(reply) => {
                    assert_eq!(reply.replaced, append.schedules.len() as u64);
                    false
                }
                Err(EngineError::Unfinished) => true,
                Err(problem) => panic!("{problem}"),
            });
            parts += 1;
            assert!(parts < 1_000, "the parts do not end");
        }
        parts
    }

    /// Fires everything that is due. Returns how often each run fired, by its id and time.
    fn fired(&mut self, now: UnixMillis) -> BTreeMap<(String, UnixMillis), usize> {
        let mut runs = BTreeMap::new();
        for effects in self.settle(now) {
            for sent in &effects.sends {
                let envelope = Envelope::parse(std::str::from_utf8(&sent.text).unwrap()).unwrap();
                for task in envelope.tasks {
                    let record = Record::parse(task.get().as_bytes()).unwrap();
                    *runs.entry((record.id.to_string(), record.time.unwrap())).or_default() += 1;
                }
            }
        }
        runs
    }

    /// Checks that the last hundred missed runs of each task fire once, and those within the grace.
    fn fires_all_missed(&mut self, tasks: usize) {
        let runs = self.fired(LATER);
        assert!(runs.values().all(|times| *times == 1), "each run fires once");
        for n in 0..tasks {
            let of_task: Vec<_> =
                runs.keys().filter(|(of, _)| *of == id(n, 5)).map(|(_, time)| *time).collect();
            assert!((100..=103).contains(&of_task.len()), "{} runs of task {n}", of_task.len());
            assert!(
                of_task.windows(2).all(|pair| pair[0].plus(1_000) == pair[1]),
                "no run is skipped"
            );
            assert_eq!(of_task.last(), Some(&LATER), "the last run fires, too");
        }
    }

    /// Fires what [`Pair::attempts`] has added, and what else is due by then.
    fn fired_of_attempts(&mut self) -> BTreeMap<(String, UnixMillis), usize> {
        let runs = self.fired(LATER);
        runs.into_iter().filter(|((_, time), _)| *time < NOW).collect()
    }

    /// Adds attempts of one recurring task that wait until [`LATER`], each with a record of about
    /// `bytes`.
    fn attempts(&mut self, count: usize, bytes: usize) {
        let record = each_second(&id(0, 5), "", bytes);
        let mut builder = PageBuilder::default();
        for n in 0..count {
            let due = NOW.plus(-1_000 * i64::try_from(count - n).unwrap());
            let push =
                |out: &mut Vec<u8>| scheduler_model::task::write_occurrence(&record, due, out);
            assert!(builder.push(id_hash(&id(0, 5)), LATER, Flags::RETRY, push));
        }
        let (_, effects) = self
            .engine
            .append(
                Append { pages: builder.finish(), fresh: true, ..Append::default() },
                NOW,
                &self.storage,
            )
            .unwrap();
        self.storage.apply(&effects.writes);
    }
}

/// A resume of one task added a hundred runs of 116 KB in one commit, and three times that as dead
/// letters.
#[test]
fn one_large_task_is_resumed_in_parts() {
    let mut pair = Pair::new();
    pair.paused(1, FIRE, 115_000);
    let parts = pair.change_in_parts(one(), Change::Resume, LATER, PART_BYTES);
    assert!(parts >= 3, "{parts}");
    assert_eq!(pair.outcomes()[&Outcome::Skipped], 1, "one outcome covers all skipped runs");
    pair.fires_all_missed(1);

    let mut pair = Pair::new();
    pair.paused(1, BURY, 110_000);
    let parts = pair.change_in_parts(one(), Change::Resume, LATER, 3 * PART_BYTES);
    assert!(parts >= 3, "{parts}");
    let outcomes = pair.outcomes();
    assert_eq!(outcomes[&Outcome::Skipped], 1);
    assert!((98..=101).contains(&outcomes[&Outcome::DeadLettered]), "{outcomes:?}");
    assert_eq!(pair.engine.stats(LATER).dead_letters, outcomes[&Outcome::DeadLettered] as u64);
}

/// Until its last part, a resume leaves the task paused. A reader or a pause in the meantime sees a
/// paused task.
#[test]
fn a_task_that_is_resumed_in_part_is_paused() {
    let mut pair = Pair::new();
    pair.paused(1, FIRE, 115_000);
    let request = ChangeRequest { ids: one(), change: Change::Resume, if_match: None, pause: None };
    let (reply, effects) = pair.engine.change(&request, LATER, &pair.storage).unwrap();
    assert!(reply.in_part && reply.outcomes.is_empty());
    pair.commit(effects);
    assert_eq!(pair.status(&id(0, 5)), Some(Status::Paused));
    let made_up_for = pair.fired(LATER).len();
    assert!((30..=40).contains(&made_up_for), "{made_up_for}");
    // The pause continues: nothing more fires until it ends.
    let later = LATER.plus(5_000);
    assert!(pair.fired(later).is_empty());
    pair.change_in_parts(one(), Change::Resume, later, PART_BYTES);
    let rest = pair.fired(later).len();
    assert!((105..=108).contains(&(made_up_for + rest)), "{made_up_for} and {rest}");
}

/// A resume by filter examines the partly resumed task again.
#[test]
fn large_tasks_are_resumed_by_a_filter_in_parts() {
    let mut pair = Pair::new();
    pair.paused(3, FIRE, 115_000);
    let mut request = ListRequest {
        filter: Filter { prefix: Some("0".to_owned()), ..Filter::default() },
        after: None,
        limit: 20_000,
        ..ListRequest::default()
    };
    let (mut changed, mut parts) = (0, 0);
    loop {
        let (reply, effects) = pair
            .engine
            .change_matching(&request, Change::Resume, None, LATER, &pair.storage)
            .unwrap();
        assert!(written(&effects) <= PART_BYTES, "{} bytes", written(&effects));
        pair.commit(effects);
        pair.restart();
        changed += reply.changed;
        request.after = reply.next;
        parts += 1;
        assert!(parts < 100, "the parts do not end");
        if reply.next.is_none() {
            break;
        }
    }
    assert_eq!(changed, 3, "each counts once");
    assert!(parts >= 8, "{parts}");
    pair.fires_all_missed(3);
}

/// All further attempts of one id were rewritten in one commit, however many they were.
#[test]
fn many_large_attempts_of_one_task_are_paused_and_resumed_in_parts() {
    for has_task in [false, true] {
        let mut pair = Pair::new();
        if has_task {
            pair.add_all(Append {
                schedules: vec![each_second(&id(0, 5), "", 0)],
                ..Append::default()
            });
        }
        pair.attempts(300, 100_000);
        for change in [Change::Pause, Change::Resume, Change::Pause, Change::Resume] {
            let parts = pair.change_in_parts(one(), change, NOW.plus(-1), PART_BYTES);
            assert!(parts >= 7, "{parts}");
            let paused = if change == Change::Pause { 300 + u64::from(has_task) } else { 0 };
            assert_eq!(pair.engine.stats(NOW).paused, paused);
        }
        assert!(
            pair.fired(NOW.plus(-1)).is_empty(),
            "the wait before an attempt continues while it is paused"
        );
        let runs = pair.fired_of_attempts();
        assert!(runs.len() == 300 && runs.values().all(|times| *times == 1), "{} runs", runs.len());
    }
}

/// Each part read the paused attempts again for the note, and got no further.
#[test]
fn many_large_attempts_of_one_task_are_paused_with_a_note_in_parts() {
    for has_task in [false, true] {
        let mut pair = Pair::new();
        if has_task {
            pair.add_all(Append {
                schedules: vec![each_second(&id(0, 5), "", 0)],
                ..Append::default()
            });
        }
        pair.attempts(300, 100_000);
        for note in ["one", "other"] {
            let reason = PauseReason { by: None, note: Some(note.to_owned()) };
            let pause = (Change::Pause, Some(reason));
            pair.changes_in_parts(one(), pause, NOW.plus(-1), PART_BYTES);
            assert_eq!(pair.engine.stats(NOW).paused, 300 + u64::from(has_task));
        }
    }
}

/// A condition on the version applies to the whole request: a part of the request does not change
/// the version.
#[test]
fn a_version_holds_until_the_last_part() {
    let mut pair = Pair::new();
    pair.add_all(Append {
        schedules: vec![each_second(&id(0, 5), FIRE, 90_000)],
        ..Append::default()
    });
    pair.attempts(100, 100_000);
    for (change, now) in [(Change::Pause, NOW.plus(-1)), (Change::Resume, LATER)] {
        let item = pair.engine.get(&id(0, 5), &pair.storage).unwrap().unwrap();
        let if_match = Some(version_of(item.record.get().as_bytes()));
        let request = ChangeRequest { ids: one(), change, if_match, pause: None };
        let mut parts = 0;
        let outcomes = loop {
            let (reply, effects) = pair.engine.change(&request, now, &pair.storage).unwrap();
            pair.commit(effects);
            parts += 1;
            if !reply.in_part {
                break reply.outcomes;
            }
        };
        assert_eq!(outcomes, [Changed::Changed], "{change:?} in {parts} parts");
        assert!(parts >= 3);
    }
}

/// A batch of definitions that end the pauses of many tasks added a hundred runs of each in one
/// commit.
#[test]
fn a_batch_that_resumes_many_tasks_does_so_in_parts() {
    for (tasks, bytes) in [(2, 110_000), (40, 10_000), (400, 600)] {
        let mut pair = Pair::new();
        let records = pair.paused(tasks, FIRE, bytes);
        let parts = pair.append_in_parts(&[definition(&records)], LATER);
        assert!(parts >= 4, "{parts} parts of {tasks} tasks");
        assert_eq!(pair.engine.stats(LATER).paused, 0);
        pair.fires_all_missed(tasks);
    }
}

/// Requests that share a commit share its bound. A small request is done at once, whatever comes
/// before it.
#[test]
fn requests_that_come_together_share_the_bound() {
    let mut pair = Pair::new();
    let records = pair.paused(4, FIRE, 60_000);
    let requests: Vec<_> = (0..4)
        .map(|n| {
            let terms = Terms { said_paused: vec![id_hash(&id(n, 5))], ..Terms::default() };
            Append { schedules: vec![records[n].clone()], terms, ..Append::default() }
        })
        .collect();
    let (replies, _) = pair.engine.append_all(requests.clone(), LATER, &pair.storage).unwrap();
    assert!(replies.iter().all(|reply| *reply == Err(EngineError::Unfinished)));
    pair.restart();
    assert!(pair.append_in_parts(&requests, LATER) >= 4);
    pair.fires_all_missed(4);
}

/// A patch ends a pause in parts, under the version that it names.
#[test]
fn a_patch_resumes_in_parts() {
    let mut pair = Pair::new();
    let records = pair.paused(1, FIRE, 100_000);
    let stored = pair.engine.get(&id(0, 5), &pair.storage).unwrap().unwrap();
    let expected = Some(Expected::Version(version_of(stored.record.get().as_bytes())));
    let described = String::from_utf8(records[0].clone()).unwrap().replacen(
        r#""callback""#,
        r#""description":"new","callback""#,
        1,
    );
    let request = Append { expected, ..definition(&[described.into_bytes()]) };
    assert!(pair.append_in_parts(&[request], LATER) >= 3);
    assert!(
        pair.engine.get(&id(0, 5), &pair.storage).unwrap().unwrap().record.get().contains("new")
    );
    pair.fires_all_missed(1);
}

/// A definition that pauses or resumes a task with many large attempts does so in parts, too.
#[test]
fn a_definition_pauses_and_resumes_many_large_attempts_in_parts() {
    let mut pair = Pair::new();
    let running = each_second(&id(0, 5), "", 1_000);
    let paused = String::from_utf8(running.clone()).unwrap().replacen('{', r#"{"paused":true,"#, 1);
    let paused = String::from_utf8({
        let mut text = Vec::new();
        Record::parse(paused.as_bytes()).unwrap().write(&mut text);
        text
    })
    .unwrap();
    pair.add_all(Append { schedules: vec![running.clone()], ..Append::default() });
    pair.attempts(150, 100_000);
    for (record, count) in [(paused.into_bytes(), 151), (running, 0)] {
        assert!(pair.append_in_parts(&[definition(&[record])], NOW.plus(-1)) >= 4);
        assert_eq!(pair.engine.stats(NOW).paused, count);
    }
    assert_eq!(pair.fired_of_attempts().len(), 150);
}

#[test]
fn a_small_change_is_one_part() {
    let mut pair = Pair::new();
    let records = pair.paused(10, FIRE, 200);
    assert_eq!(pair.append_in_parts(&[definition(&records)], LATER), 1);
    pair.fires_all_missed(10);
    let mut pair = Pair::new();
    pair.paused(10, FIRE, 200);
    assert_eq!(
        pair.change_in_parts(
            (0..10).map(|n| id(n, 5)).collect(),
            Change::Resume,
            LATER,
            PART_BYTES
        ),
        1
    );
    assert!(!ids(&pair.wake(LATER)).is_empty());
}
