//! Large events: many tasks, long ids and large records that come due, end or change together. No row may pass its bound, whatever meets
//! in one event; the storage checks each ([`crate::storage`]).

use crate::regressions::{NOW, Pair, record};
use scheduler_core::engine::{Effects, Write};
use scheduler_core::history::{Outcome, newest_first};
use scheduler_core::page::{Flags, PageBuilder};
use scheduler_core::routing::id_hash;
use scheduler_core::time::UnixMillis;
use scheduler_core::wire::{Append, Change, ChangeRequest, Changed, Filter, ListRequest};
use std::collections::BTreeMap;

/// An id of this length, another for each number.
fn id(n: usize, bytes: usize) -> String {
    format!("{n:0>bytes$}")
}

/// A one-shot task for a consumer of one's own that may not start late.
fn expiring(id: &str) -> String {
    format!(r#"{{"time":{NOW},"id":"{id}","expireAfterSeconds":1,"callback":{{"type":"queue","queue":"MINE"}}}}"#)
}

/// A task that recurs each second from `NOW` on, with a record of some `bytes`.
fn each_second(id: &str, more: &str, bytes: usize) -> Vec<u8> {
    let log = r#"{"type":"handler","name":"log"}"#;
    let head = format!(r#"{{"id":"{id}","everySeconds":1,"anchor":{NOW},{more}"callback":{log},"payload":""#);
    let fill = "x".repeat(bytes.saturating_sub(head.len() + 2));
    format!("{head}{fill}\"}}").into_bytes()
}

impl Pair {
    fn append_due(&mut self, flags: Flags, tasks: impl IntoIterator<Item = (String, String)>) {
        let mut builder = PageBuilder::default();
        for (id, record) in tasks {
            assert!(builder.push(id_hash(&id), NOW, flags, |out| out.extend_from_slice(record.as_bytes())));
        }
        self.take_in(Append { pages: builder.finish(), ..Append::default() });
    }

    fn take_in(&mut self, append: Append) {
        let (_, effects) = self.engine.append(append, NOW.plus(-1), &self.storage).unwrap();
        self.commit(effects);
    }

    /// Wakes the engine, with a restart after each time, until nothing more is to be done at `now`. Gives what each wake-up did.
    fn settle(&mut self, now: UnixMillis) -> Vec<Effects> {
        let mut done = Vec::new();
        while self.engine.next_wakeup().is_some_and(|at| at <= now) {
            done.push(self.wake(now));
            self.restart();
            assert!(done.len() < 10_000, "no end of wake-ups");
        }
        done
    }

    /// How many outcomes of each kind the history holds.
    fn outcomes(&self) -> BTreeMap<Outcome, usize> {
        let mut outcomes = BTreeMap::new();
        for row in self.storage.history.values() {
            for (_, past) in newest_first(&row.body, None, u32::MAX, UnixMillis::ZERO, usize::MAX).unwrap() {
                *outcomes.entry(past.run.outcome).or_default() += 1;
            }
        }
        outcomes
    }
}

/// Their outcomes were one row of 2 to 6 MB, which the platform refused at every wake-up.
#[test]
fn twenty_thousand_late_tasks_are_written_down_in_rows_that_fit() {
    for id_bytes in [45, 90, 256] {
        let mut pair = Pair::new();
        let tasks = (0..20_000).map(|n| id(n, id_bytes)).map(|id| (id.clone(), expiring(&id)));
        pair.append_due(Flags::TO_QUEUE.and(Flags::CONDITIONAL), tasks);
        pair.settle(NOW.plus(3_600_000));
        assert_eq!(pair.outcomes(), BTreeMap::from([(Outcome::Expired, 20_000)]), "ids of {id_bytes} bytes");
        assert!(pair.engine.is_idle() && pair.storage.pages.is_empty());
    }
}

/// So were the outcomes of runs that a resume makes up for.
#[test]
fn runs_that_a_resume_makes_up_for_are_written_down_in_rows_that_fit() {
    let mut pair = Pair::new();
    let misfire = r#""misfire":{"policy":"deadLetter","graceSeconds":1},"#;
    let ids: Vec<String> = (0..200).map(|n| id(n, 90)).collect();
    let schedules = ids.iter().map(|id| each_second(id, misfire, 0)).collect();
    pair.take_in(Append { schedules, ..Append::default() });
    let request = ChangeRequest { ids, change: Change::Pause, if_match: None };
    let (reply, effects) = pair.engine.change(&request, NOW, &pair.storage).unwrap();
    assert_eq!(reply.outcomes, [Changed::Changed; 200]);
    pair.commit(effects);
    let mut request =
        ListRequest { filter: Filter { prefix: Some("0".to_owned()), ..Filter::default() }, after: None, limit: 20_000 };
    let mut resumed = 0;
    loop {
        let (reply, effects) = pair.engine.change_matching(&request, Change::Resume, NOW.plus(3_600_000), &pair.storage).unwrap();
        pair.commit(effects);
        resumed += reply.changed;
        request.after = reply.next;
        if reply.next.is_none() {
            break;
        }
    }
    assert_eq!(resumed, 200);
    // The last hundred of each, less those within the grace, are kept as dead letters; those before them are one outcome.
    let outcomes = pair.outcomes();
    assert!(outcomes[&Outcome::DeadLettered] >= 200 * 98 && outcomes[&Outcome::Skipped] == 200, "{outcomes:?}");
}

/// And those of an envelope for a consumer of one's own, which holds up to 2,048 tasks.
#[test]
fn an_envelope_of_many_long_ids_is_written_down_in_rows_that_fit() {
    let mut pair = Pair::new();
    let tasks = (0..5_000)
        .map(|n| id(n, 256))
        .map(|id| (id.clone(), record(&id, NOW, 0).replace("handler\",\"name\":\"log", "queue\",\"queue\":\"MINE")));
    pair.append_due(Flags::TO_QUEUE, tasks);
    for sent in pair.wake(NOW).sends {
        let effects = pair.engine.sent(sent.seq, NOW, &pair.storage).unwrap();
        pair.commit(effects);
    }
    assert_eq!(pair.outcomes(), BTreeMap::from([(Outcome::HandedOver, 5_000)]));
    assert!(pair.storage.history.len() > 5_000 * 270 / 32_768);
    assert!(pair.engine.is_idle());
}

/// A write that the storage would refuse is found by the storage of these tests, also where the engine's own bound is forgotten.
#[test]
#[should_panic(expected = "the platform refuses")]
fn a_row_that_the_platform_refuses_ends_the_run() {
    let mut pair = Pair::new();
    let body = vec![b'x'; 2_000_001];
    pair.storage.apply(&[Write::InsertHistory { row: 1, newest: NOW, body }]);
}
