//! Large events: many tasks, long ids and large records that come due, end or change together. No
//! row may exceed its bound, whatever one event combines; the storage checks each row
//! ([`crate::storage`]).

use crate::random::Random;
use crate::regressions::{NOW, Pair, ids, record};
use crate::storage::Waiting;
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::testing::append_flagged;
use scheduler_engine::{Effects, Write};
use scheduler_model::format::history::{Outcome, newest_first};
use scheduler_model::format::page::{Flags, PageBuilder};
use scheduler_model::numbers::LaneNumber;
use scheduler_model::protocol::{
    Append, CancelRequest, Cancelled, Change, ChangeRequest, Changed, Filter, ListRequest, Report,
    Terms,
};
use scheduler_model::routing::id_hash;
use std::collections::{BTreeMap, BTreeSet};

/// Returns an id of this length, a different one for each number.
pub(crate) fn id(n: usize, bytes: usize) -> String {
    format!("{n:0>bytes$}")
}

/// Returns a one-shot task for a user's own consumer that may not start late.
fn expiring(id: &str) -> String {
    format!(
        r#"{{"time":{NOW},"id":"{id}","expireAfterSeconds":1,"callback":{{"type":"queue","queue":"MINE"}}}}"#
    )
}

/// Returns a task that recurs each second from `NOW` on, with a record of about `bytes`.
pub(crate) fn each_second(id: &str, more: &str, bytes: usize) -> Vec<u8> {
    let log = r#"{"type":"handler","name":"log"}"#;
    let head = format!(
        r#"{{"id":"{id}","everySeconds":1,"anchor":{NOW},{more}"callback":{log},"payload":""#
    );
    let fill = "x".repeat(bytes.saturating_sub(head.len() + 2));
    format!("{head}{fill}\"}}").into_bytes()
}

impl Pair {
    fn append_due(&mut self, flags: Flags, tasks: impl IntoIterator<Item = (String, String)>) {
        let tasks = tasks.into_iter().map(|(id, record)| (id, NOW, flags, record));
        self.add_all(append_flagged(tasks));
    }

    pub(crate) fn add_all(&mut self, append: Append) {
        let (_, effects) = self.engine.append(append, NOW.plus(-1), &self.storage).unwrap();
        self.commit(effects);
    }

    /// Wakes the engine until there is nothing left to do at `now`, with a restart after each
    /// wake-up. Returns the effects of each wake-up.
    pub(crate) fn settle(&mut self, now: UnixMillis) -> Vec<Effects> {
        let mut done = Vec::new();
        while self.engine.next_wakeup().is_some_and(|at| at <= now) {
            done.push(self.wake(now));
            self.restart();
            assert!(done.len() < 10_000, "the wake-ups do not end");
        }
        done
    }

    /// Returns how many runs are held until the run before ends.
    fn held(&self) -> usize {
        let held = |waiting: &Waiting| waiting.position.due == UnixMillis::HELD;
        self.storage.waiting().into_iter().filter(held).count()
    }

    /// Returns how many outcomes of each kind the history contains.
    pub(crate) fn outcomes(&self) -> BTreeMap<Outcome, usize> {
        let mut outcomes = BTreeMap::new();
        for row in self.storage.history.values() {
            for (_, past) in
                newest_first(&row.body, None, u32::MAX, UnixMillis::ZERO, usize::MAX).unwrap()
            {
                *outcomes.entry(past.run.outcome).or_default() += 1;
            }
        }
        outcomes
    }
}

/// The outcomes were one row of 2 to 6 MB, which the platform refused at every wake-up.
#[test]
fn the_outcomes_of_twenty_thousand_late_tasks_fit_their_rows() {
    for id_bytes in [45, 90, 256] {
        let mut pair = Pair::new();
        let tasks = (0..20_000).map(|n| id(n, id_bytes)).map(|id| (id.clone(), expiring(&id)));
        pair.append_due(Flags::TO_QUEUE.and(Flags::CONDITIONAL), tasks);
        pair.settle(NOW.plus(3_600_000));
        assert_eq!(
            pair.outcomes(),
            BTreeMap::from([(Outcome::Expired, 20_000)]),
            "ids of {id_bytes} bytes"
        );
        assert!(pair.engine.is_idle() && pair.storage.pages.is_empty());
    }
}

/// Tasks that wait for a limit are judged separately. What one search drops is bounded, too.
#[test]
fn twenty_thousand_late_tasks_of_a_limit_are_dropped_in_parts() {
    let mut pair = Pair::new();
    let log = r#"{"type":"handler","name":"log"}"#;
    let policy = r#""misfire":{"policy":"dead-letter","graceSeconds":1},"limitKey":"slow""#;
    let mut append = append_flagged((0..20_000).map(|n| {
        let id = id(n, 5);
        let record =
            format!(r#"{{"time":{NOW},"id":"{id}",{policy},"callback":{log},"onFailure":{log}}}"#);
        (id, NOW, Flags::CONDITIONAL, record)
    }));
    append.pages.iter_mut().for_each(|page| page.directory.set_lane(LaneNumber::new(1)));
    let terms = Terms { keys: vec!["slow".to_owned()], ..Terms::default() };
    pair.add_all(Append { terms, ..append });
    let (mut now, mut wakes) = (NOW.plus(3_600_000), 0);
    while pair.engine.stats(now).dead_letters < 20_000 {
        let effects = pair.engine.wake(now, &pair.storage).unwrap();
        let written = effects.writes.iter().map(Write::bytes).sum::<usize>();
        // A wake-up writes what a search drops, three times, and the dispatched follow-ups, up to
        // the bound of a firing.
        assert!(written <= 3 * 2_200_000 + FIRING_BYTES, "{written} bytes");
        pair.commit(effects);
        (now, wakes) = (now.plus(1_000), wakes + 1);
        assert!(wakes < 1_000, "the wake-ups do not end");
    }
    assert!(wakes >= 5, "{wakes}");
}

/// The outcomes of missed runs at the end of a pause were in one row, too.
#[test]
fn the_outcomes_of_runs_missed_in_a_pause_fit_their_rows() {
    let mut pair = Pair::new();
    let misfire = r#""misfire":{"policy":"dead-letter","graceSeconds":1},"#;
    let ids: Vec<String> = (0..200).map(|n| id(n, 90)).collect();
    let schedules = ids.iter().map(|id| each_second(id, misfire, 0)).collect();
    pair.add_all(Append { schedules, ..Append::default() });
    let request = ChangeRequest { ids, change: Change::Pause, if_match: None, pause: None };
    let (reply, effects) = pair.engine.change(&request, NOW, &pair.storage).unwrap();
    assert_eq!(reply.outcomes, [Changed::Changed; 200]);
    pair.commit(effects);
    let mut request = ListRequest {
        filter: Filter { prefix: Some("0".to_owned()), ..Filter::default() },
        after: None,
        limit: 20_000,
        ..ListRequest::default()
    };
    let mut resumed = 0;
    loop {
        let (reply, effects) = pair
            .engine
            .change_matching(&request, Change::Resume, None, NOW.plus(3_600_000), &pair.storage)
            .unwrap();
        pair.commit(effects);
        resumed += reply.changed;
        request.after = reply.next;
        if reply.next.is_none() {
            break;
        }
    }
    assert_eq!(resumed, 200);
    // The last hundred runs of each task become dead letters, except those within the grace.
    // Earlier runs share one outcome.
    let outcomes = pair.outcomes();
    assert!(
        outcomes[&Outcome::DeadLettered] >= 200 * 98 && outcomes[&Outcome::Skipped] == 200,
        "{outcomes:?}"
    );
}

/// The outcomes of an envelope for a user's own consumer, with up to 2,048 tasks, were in one row,
/// too.
#[test]
fn the_outcomes_of_an_envelope_with_long_ids_fit_their_rows() {
    let mut pair = Pair::new();
    let tasks = (0..5_000).map(|n| id(n, 256)).map(|id| {
        (
            id.clone(),
            record(&id, NOW, 0).replace("handler\",\"name\":\"log", "queue\",\"queue\":\"MINE"),
        )
    });
    pair.append_due(Flags::TO_QUEUE, tasks);
    for sent in pair.wake(NOW).sends {
        let effects = pair.engine.sent(sent.seq, NOW, &pair.storage).unwrap();
        pair.commit(effects);
    }
    assert_eq!(pair.outcomes(), BTreeMap::from([(Outcome::HandedOver, 5_000)]));
    assert!(pair.storage.history.len() > 5_000 * 270 / 32_768);
    assert!(pair.engine.is_idle());
}

/// The storage of these tests refuses a write that the platform would refuse, even if the engine
/// forgets its own bound.
#[test]
#[should_panic(expected = "the platform refuses")]
fn a_row_that_the_platform_refuses_ends_the_run() {
    let mut pair = Pair::new();
    let body = vec![b'x'; 2_000_001];
    pair.storage.apply(&[Write::InsertHistory { row: 1, newest: NOW, body }]);
}

/// The most bytes that a firing may read, and may write for dispatchers: 4 MB, the rest of a page,
/// and the frames.
const FIRING_BYTES: usize = 4_000_000 + 200_000;

/// Wakes the engine and checks that it reads and writes no more than a firing may.
fn fire(pair: &mut Pair, now: UnixMillis) -> Effects {
    pair.storage.take_read_bytes();
    let effects = pair.engine.wake(now, &pair.storage).unwrap();
    let (read, written) =
        (pair.storage.take_read_bytes(), effects.writes.iter().map(Write::bytes).sum::<usize>());
    assert!(
        read <= FIRING_BYTES && written <= FIRING_BYTES,
        "a firing reads {read} and writes {written} bytes"
    );
    pair.commit(effects)
}

/// Fires everything that is due, with a restart after each firing. Returns the ids in the order in
/// which they fired.
fn fire_all(pair: &mut Pair, now: UnixMillis) -> (Vec<String>, usize) {
    let (mut fired, mut firings) = (Vec::new(), 0);
    while pair.engine.next_wakeup().is_some_and(|at| at <= now) {
        fired.extend(ids(&fire(pair, now)));
        pair.restart();
        firings += 1;
    }
    (fired, firings)
}

/// Recurring tasks counted as 1,000 bytes each, whatever their payload. So 2,000 tasks of 60 KB
/// were 120 MB in one wake-up.
#[test]
fn a_firing_of_large_recurring_tasks_is_bounded() {
    for (tasks, bytes) in [(500, 60_000), (60, 110_000), (4_500, 1_000)] {
        let mut pair = Pair::new();
        let schedules = (0..tasks)
            .map(|n| each_second(&id(n, 5), r#""maxRuns":1,"finalRun":1764000000000,"#, bytes))
            .collect();
        pair.add_all(Append { schedules, ..Append::default() });
        let (fired, firings) = fire_all(&mut pair, NOW);
        assert!(fired.is_sorted() && fired.len() == tasks, "{} of {tasks}", fired.len());
        assert!(firings >= tasks * bytes / FIRING_BYTES, "{firings} firings");
        assert!(pair.storage.schedules.is_empty());
    }
}

/// Missed runs counted in the same way. A hundred runs of each task fire after an outage.
#[test]
fn missed_runs_of_large_tasks_fire_in_bounded_firings() {
    let mut pair = Pair::new();
    let misfire = r#""misfire":{"policy":"fire","graceSeconds":1},"#;
    let schedules = (0..3).map(|n| each_second(&id(n, 5), misfire, 60_000)).collect();
    pair.add_all(Append { schedules, ..Append::default() });
    let (fired, firings) = fire_all(&mut pair, NOW.plus(500_000));
    // The last hundred missed runs, and those within the grace.
    assert!(
        (300..=310).contains(&fired.len()) && firings >= 4,
        "{} runs in {firings} firings",
        fired.len()
    );
}

/// Runs that wait for their limit, which are written to pages, counted in the same way.
#[test]
fn delaying_large_runs_is_bounded() {
    let mut pair = Pair::new();
    let schedules =
        (0..200).map(|n| each_second(&id(n, 5), r#""limitKey":"slow","#, 60_000)).collect();
    pair.add_all(Append { schedules, ..Append::default() });
    for _ in 0..10 {
        fire(&mut pair, NOW);
    }
    assert_eq!(pair.engine.stats(NOW).waiting_for_limits, 200);
}

/// A firing read 13 MB to dispatch 245 KB: two small tasks of each page, at the ends of its body,
/// and everything between them.
#[test]
fn bytes_between_the_due_records_of_a_page_count() {
    let mut pair = Pair::new();
    let later = NOW.plus(60_000);
    const PARTS: usize = 14;
    for page in 0..400 {
        // Small appends extend one page to 28 KB. Only the first and the last task are due.
        for part in 0..PARTS {
            let due = if part == 0 || part == PARTS - 1 { NOW } else { later };
            pair.append((0..4).map(|n| {
                let id = format!("{page:03}-{part:02}-{n}");
                (id.clone(), due, record(&id, due, 500))
            }));
        }
        pair.restart();
    }
    assert_eq!(pair.storage.pages.len(), 400);
    let (fired, firings) = fire_all(&mut pair, NOW);
    assert_eq!(fired.len(), 400 * 8);
    assert!(firings >= 3, "{firings}");
    let (fired, _) = fire_all(&mut pair, later);
    assert_eq!(fired.len(), 400 * 4 * (PARTS - 2));
}

/// Late tasks are written as dead letters, follow-ups and outcomes. Each wake-up stays within its
/// bound ([`Pair::wake`]).
#[test]
fn dropping_large_late_tasks_is_bounded() {
    for bytes in [0, 2_000, 60_000] {
        let mut pair = Pair::new();
        let log = r#"{"type":"handler","name":"log"}"#;
        let head = format!(
            r#""misfire":{{"policy":"dead-letter","graceSeconds":1}},"callback":{log},"onFailure":{log},"payload":"{}""#,
            "x".repeat(bytes)
        );
        let tasks = if bytes > 10_000 { 300 } else { 8_000 };
        let records = (0..tasks)
            .map(|n| id(n, 100))
            .map(|id| (id.clone(), format!(r#"{{"time":{NOW},"id":"{id}",{head}}}"#)));
        pair.append_due(Flags::CONDITIONAL, records);
        pair.settle(NOW.plus(10_000));
        assert_eq!(pair.outcomes()[&Outcome::DeadLettered], tasks);
        assert_eq!(pair.engine.stats(NOW).dead_letters, tasks as u64);
    }
}

/// Requests that name large tasks do a part at a time, and read only the id of records that they do
/// not change.
#[test]
fn requests_for_large_tasks_are_bounded() {
    let mut pair = Pair::new();
    let due = NOW.plus(60_000);
    let names: Vec<String> = (0..400).map(|n| id(n, 90)).collect();
    pair.append(names.iter().map(|id| (id.clone(), due, record(id, due, 60_000))));
    let mut left = names.clone();
    let mut commits = 0;
    while !left.is_empty() {
        let request =
            ChangeRequest { ids: left.clone(), change: Change::Pause, if_match: None, pause: None };
        let (reply, effects) = pair.engine.change(&request, NOW, &pair.storage).unwrap();
        assert!(effects.writes.iter().map(Write::bytes).sum::<usize>() <= FIRING_BYTES);
        pair.commit(effects);
        assert!(
            !reply.outcomes.is_empty()
                && reply.outcomes.iter().all(|outcome| *outcome == Changed::Changed)
        );
        left.drain(..reply.outcomes.len());
        commits += 1;
    }
    assert!(commits >= 6, "{commits}");
    let mut request = ListRequest { limit: 1_000, ..ListRequest::default() };
    let mut seen = 0;
    for most in [4_000_000, 1_000_000, 1].into_iter().cycle() {
        request.max_bytes = Some(most);
        let reply = pair.engine.list(&request, &pair.storage).unwrap();
        assert!(pair.storage.take_read_bytes() <= most + 60_000 + 200);
        seen += reply.items.len();
        request.after = reply.next;
        if reply.next.is_none() {
            break;
        }
    }
    assert_eq!(seen, 400);
    let request = CancelRequest { ids: names, if_match: None };
    let (reply, effects) = pair.engine.cancel(&request, NOW, &pair.storage).unwrap();
    assert!(pair.storage.take_read_bytes() <= 400 * 512);
    pair.commit(effects);
    assert_eq!(reply.outcomes, [Cancelled::Cancelled; 400]);
    assert!(pair.engine.is_idle() && pair.storage.pages.is_empty());
}

/// Many large runs may wait for the small runs of one envelope. They are released in parts, and a
/// restart in between forgets none.
#[test]
fn large_held_runs_are_released_in_parts() {
    for restarts in [false, true] {
        let mut pair = Pair::new();
        let names: Vec<String> = (0..100).map(|n| id(n, 5)).collect();
        let add = |pair: &mut Pair, bytes: usize| {
            let schedules = names
                .iter()
                .map(|id| each_second(id, r#""overlap":"queue-one","#, bytes))
                .collect();
            let (_, effects) = pair
                .engine
                .append(Append { schedules, ..Append::default() }, NOW.plus(-1), &pair.storage)
                .unwrap();
            pair.commit(effects);
        };
        add(&mut pair, 0);
        let effects = pair.wake(NOW);
        assert_eq!((effects.sends.len(), ids(&effects).len()), (1, 100));
        add(&mut pair, 60_000);
        let later = NOW.plus(1_000);
        for _ in 0..10 {
            pair.wake(later);
        }
        assert_eq!(pair.held(), 100);
        let report = Report { seq: effects.sends[0].seq, ..Report::default() };
        let effects = pair.engine.report(&report, later, &pair.storage).unwrap();
        assert!(effects.writes.iter().map(Write::bytes).sum::<usize>() <= FIRING_BYTES + 100_000);
        pair.commit(effects);
        assert!((1..100).contains(&pair.held()), "{}", pair.held());
        if restarts {
            pair.restart();
        }
        assert!(pair.engine.next_wakeup().is_some_and(|at| at <= later));
        for _ in 0..10 {
            pair.wake(later.plus(1));
        }
        assert_eq!(pair.held(), 0);
        assert_eq!(
            pair.storage.outbox.values().map(|row| row.hashes.len() / 8).sum::<usize>(),
            100,
            "each run is dispatched"
        );
    }
}

/// Tasks of all kinds and sizes are due or late at one instant, with restarts. Each ends once, in
/// bounded wake-ups.
#[test]
fn tasks_of_all_kinds_end_once_each() {
    for seed in 0..12 {
        let mut random = Random::new(seed);
        let mut pair = Pair::new();
        let mut all = BTreeSet::new();
        let (mut builder, mut schedules) = (PageBuilder::default(), Vec::new());
        let sizes = *random.pick(&[[0, 0, 500], [0, 5_000, 60_000], [60_000, 110_000, 0]]);
        for n in 0..*random.pick(&[100, 400, 4_000]) {
            let id = id(n, *random.pick(&[5, 90, 256]));
            let size = if n % 97 == 0 { *random.pick(&sizes) } else { sizes[n % 2].min(3_000) };
            all.insert(id.clone());
            let (callback, to) = *random.pick(&[
                (r#"{"type":"handler","name":"log"}"#, Flags::TASK),
                (r#"{"type":"queue","queue":"MINE"}"#, Flags::TO_QUEUE),
            ]);
            let (policy, is_conditional) = *random.pick(&[
                ("", false),
                (r#""expireAfterSeconds":1,"#, true),
                (r#""misfire":{"policy":"skip","graceSeconds":1},"#, true),
                (r#""misfire":{"policy":"dead-letter","graceSeconds":1},"#, true),
            ]);
            let payload = "x".repeat(size);
            let rest = format!(r#"{policy}"callback":{callback},"payload":"{payload}"}}"#);
            if random.chance(300) {
                let when =
                    format!(r#""everySeconds":1,"anchor":{NOW},"maxRuns":1,"finalRun":{NOW},"#);
                schedules.push(format!(r#"{{"id":"{id}",{when}{rest}"#).into_bytes());
            } else {
                let flags = if is_conditional { to.and(Flags::CONDITIONAL) } else { to };
                let record = format!(r#"{{"time":{NOW},"id":"{id}",{rest}"#);
                assert!(builder.push(id_hash(&id), NOW, flags, |out| {
                    out.extend_from_slice(record.as_bytes())
                }));
            }
        }
        pair.add_all(Append { pages: builder.finish(), schedules, ..Append::default() });
        let now = NOW.plus(*random.pick(&[0, 3_600_000]));
        let mut fired = 0;
        // Loop as long as something is not in flight yet.
        while !(pair.storage.pages.is_empty() && pair.storage.schedules.is_empty()) {
            let effects = pair.wake(now);
            if effects.writes.is_empty() {
                break;
            }
            for id in ids(&effects) {
                assert!(all.remove(&id), "{id} fired twice, seed {seed}");
                fired += 1;
            }
            for sent in &effects.sends {
                let effects = if sent.destination.is_reported() {
                    pair.engine
                        .report(&Report { seq: sent.seq, ..Report::default() }, now, &pair.storage)
                        .unwrap()
                } else {
                    pair.engine.sent(sent.seq, now, &pair.storage).unwrap()
                };
                pair.commit(effects);
            }
            if random.chance(300) {
                pair.restart();
            }
        }
        let outcomes = pair.outcomes();
        let dropped: usize = [Outcome::Expired, Outcome::Skipped, Outcome::DeadLettered]
            .iter()
            .filter_map(|of| outcomes.get(of))
            .sum();
        assert_eq!(all.len(), dropped, "seed {seed}: {outcomes:?}");
        assert_eq!(
            outcomes.values().sum::<usize>(),
            fired + dropped,
            "seed {seed}: each ends once"
        );
    }
}
