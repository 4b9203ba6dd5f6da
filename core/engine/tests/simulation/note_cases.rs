//! Marks of pauses: when they began, who asked for them, and why.

use crate::definition_tests::{PATCH, PUT, every, once};
use crate::large::each_second;
use crate::regressions::{NOW, Pair, record};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_PAUSE_NOTE_BYTES;
use scheduler_model::explain::ReasonCode;
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_model::protocol::{
    Append, Change, ChangeRequest, Changed, Failure, Filter, ListRequest, PauseReason, Report,
    RunRequest, Status,
};

/// What an answer shows of a pause: when, by whom, and why.
type Said = (Option<i64>, Option<String>, Option<String>);

fn said(at: UnixMillis, by: &str, note: &str) -> Said {
    (Some(at.get()), Some(by.to_owned()), Some(note.to_owned()))
}

const NOTHING: Said = (None, None, None);

fn reason(by: &str, note: &str) -> PauseReason {
    PauseReason { by: Some(by.to_owned()), note: Some(note.to_owned()) }
}

impl Pair {
    fn pause(&mut self, id: &str, pause: PauseReason, now: UnixMillis) -> Changed {
        let (ids, pause) = (vec![id.to_owned()], Some(pause));
        let request = ChangeRequest { ids, change: Change::Pause, if_match: None, pause };
        let (reply, effects) = self.engine.change(&request, now, &self.storage).unwrap();
        self.commit(effects);
        reply.outcomes[0]
    }

    /// Returns what a read of a task shows of its pause. Checks that a list and an explanation
    /// agree.
    fn said(&self, id: &str) -> Said {
        let of = |record: &str| -> Said {
            let record: serde_json::Value = serde_json::from_str(record).unwrap();
            let text = |name: &str| record[name].as_str().map(str::to_owned);
            (record["pausedAt"].as_i64(), text("pausedBy"), text("pauseNote"))
        };
        let read = of(self.engine.get(id, &self.storage).unwrap().unwrap().record.get());
        let filter = Filter { prefix: Some(id.to_owned()), ..Filter::default() };
        let request = ListRequest { filter, limit: 1, ..ListRequest::default() };
        let listed = self.engine.list(&request, &self.storage).unwrap().items.remove(0);
        assert_eq!(of(listed.record.get()), read);
        let explained = self.engine.explain(id, NOW, &self.storage).unwrap();
        let (at, by, note) = read.clone();
        assert_eq!(
            (explained.paused_at.map(UnixMillis::get), explained.paused_by, explained.pause_note),
            read
        );
        if let (Some(by), Some(note), Some(_)) = (by, note, at) {
            let said = explained.reasons.iter().any(|of| {
                let detail = &of.detail;
                of.code == ReasonCode::Paused && detail.contains(&by) && detail.contains(&note)
            });
            assert!(said || explained.status == Some(Status::Running), "{:?}", explained.reasons);
        }
        read
    }

    fn resumed(&mut self, id: &str, now: UnixMillis) {
        self.change_one(id, Change::Resume, now);
        assert_eq!(self.said(id), NOTHING);
    }
}

/// One-shot and recurring tasks: the note is stored with the pause, outlives a restart, and goes
/// with the pause.
#[test]
fn a_pause_says_when_who_and_why_until_it_ends() {
    let mut pair = Pair::new();
    let due = NOW.plus(60_000);
    pair.append([("once".to_owned(), due, record("once", due, 150))]);
    let append = Append { schedules: vec![each_second("again", "", 0)], ..Append::default() };
    let (_, effects) = pair.engine.append(append, NOW.plus(-1), &pair.storage).unwrap();
    pair.commit(effects);
    for id in ["once", "again"] {
        assert_eq!(pair.said(id), NOTHING);
        assert_eq!(pair.pause(id, reason("ops", "until Monday"), NOW), Changed::Changed);
        assert_eq!(pair.said(id), said(NOW, "ops", "until Monday"));
        pair.restart();
        assert_eq!(pair.said(id), said(NOW, "ops", "until Monday"));
        // Again: the same, or without a note, changes nothing; another note takes its place.
        let later = NOW.plus(500);
        assert_eq!(pair.pause(id, reason("ops", "until Monday"), later), Changed::Unchanged);
        let silent = PauseReason { by: Some("me".to_owned()), note: None };
        assert_eq!(pair.pause(id, silent, later), Changed::Unchanged);
        assert_eq!(pair.said(id), said(NOW, "ops", "until Monday"));
        assert_eq!(pair.pause(id, reason("me", "until Friday"), later), Changed::Changed);
        pair.restart();
        assert_eq!(pair.said(id), said(later, "me", "until Friday"));
        pair.resumed(id, NOW.plus(1_000));
        // The coordinator of an earlier version sends no reason.
        pair.change_one(id, Change::Pause, NOW.plus(1_100));
        assert_eq!(pair.said(id), (Some(NOW.plus(1_100).get()), None, None));
        pair.resumed(id, NOW.plus(1_200));
    }
}

/// Regression: another note moved the beginning of the pause, so the runs before it were lost.
#[test]
fn another_note_leaves_the_pause_where_it_began() {
    let mut pair = Pair::new();
    let more = r#""misfire":{"policy":"fire"},"#;
    let append = Append { schedules: vec![each_second("a", more, 0)], ..Append::default() };
    let (_, effects) = pair.engine.append(append, NOW.plus(-1), &pair.storage).unwrap();
    pair.commit(effects);
    pair.pause("a", reason("ops", "one"), NOW.plus(-1));
    pair.pause("a", reason("ops", "other"), NOW.plus(5_500));
    pair.restart();
    pair.change_one("a", Change::Resume, NOW.plus(6_500));
    let fired = crate::regressions::ids(&pair.wake(NOW.plus(6_500)));
    assert_eq!(fired.len(), 7, "those of seconds 0 to 6");
}

/// A run in flight: the decision about it has the mark, and then its further attempt.
#[test]
fn a_run_in_flight_says_it_before_and_after_its_attempt_has_failed() {
    let mut pair = Pair::new();
    let names = ["a", "b"];
    pair.append(names.map(|id| (id.to_owned(), NOW, record(id, NOW, 150))));
    pair.wake(NOW);
    let long = "x".repeat(MAX_PAUSE_NOTE_BYTES);
    assert_eq!(pair.pause("a", reason("ops", &long), NOW), Changed::Changed);
    for restarts in [false, true] {
        if restarts {
            pair.restart();
        }
        assert_eq!(pair.status("a"), Some(Status::Running));
        assert_eq!((pair.said("a"), pair.said("b")), (said(NOW, "ops", &long), NOTHING));
    }
    assert_eq!(pair.pause("a", reason("ops", &long), NOW.plus(1)), Changed::Unchanged);
    assert_eq!(pair.pause("a", reason("me", "y"), NOW.plus(2)), Changed::Changed);
    assert_eq!(pair.said("a"), said(NOW.plus(2), "me", "y"));
    let failed = [0, 1]
        .map(|index| Failure { index, error: "no".to_owned(), ..Failure::default() })
        .to_vec();
    pair.report(&Report { seq: EnvelopeSeq::new(1), failed, ..Report::default() }, NOW.plus(3));
    assert_eq!(
        (pair.status("a"), pair.status("b")),
        (Some(Status::Paused), Some(Status::Retrying))
    );
    assert_eq!((pair.said("a"), pair.said("b")), (said(NOW.plus(2), "me", "y"), NOTHING));
    pair.resumed("a", NOW.plus(4));
    let fired = pair.wake(NOW.plus(900_000));
    let is_said =
        fired.sends.iter().any(|send| memchr::memmem::find(&send.text, b"pauseNote").is_some());
    assert!(!is_said && fired.sends.len() == 1, "no message says it");
}

/// The mark ends with the pause of a run in flight, or of a task.
#[test]
fn whatever_ends_a_pause_ends_its_note() {
    let mut pair = Pair::new();
    let due = NOW.plus(60_000);
    for id in ["run", "moved", "payload"] {
        pair.append([(id.to_owned(), due, record(id, due, 150))]);
        pair.pause(id, reason("ops", "n"), NOW);
    }
    pair.change_one("run", Change::Run, NOW);
    assert_eq!(pair.said("run"), NOTHING);
    let request =
        RunRequest { ids: vec!["payload".to_owned()], if_match: None, payload: "1".to_owned() };
    let among = scheduler_model::protocol::Among::All;
    let (_, effects) = pair.engine.run_among(&request, among, None, NOW, &pair.storage).unwrap();
    pair.commit(effects);
    assert_eq!(pair.said("payload"), NOTHING);
    // It stays paused.
    pair.change_one("moved", Change::Reschedule(NOW.plus(90_000).into()), NOW);
    assert_eq!(pair.said("moved"), said(NOW, "ops", "n"));
    // A run beside a recurring task that stays paused.
    let append = Append { schedules: vec![each_second("again", "", 0)], ..Append::default() };
    let (_, effects) = pair.engine.append(append, NOW.plus(-1), &pair.storage).unwrap();
    pair.commit(effects);
    pair.pause("again", reason("ops", "n"), NOW.plus(-1));
    pair.change_one("again", Change::Run, NOW);
    let fired = pair.wake(NOW);
    assert!(fired.sends.iter().all(|send| memchr::memmem::find(&send.text, b"pause").is_none()));
    assert_eq!(pair.said("again"), said(NOW.plus(-1), "ops", "n"));
}

/// A pause by filter gives all tasks the same mark.
#[test]
fn a_pause_by_filter_says_why() {
    let mut pair = Pair::new();
    let due = NOW.plus(60_000);
    pair.append(["a1", "a2", "b1"].map(|id| (id.to_owned(), due, record(id, due, 150))));
    let filter = Filter { prefix: Some("a".to_owned()), ..Filter::default() };
    let request = ListRequest { filter, limit: 9, ..ListRequest::default() };
    let (reply, effects) =
        pair.engine.pause_matching(&request, reason("ops", "n"), NOW, &pair.storage).unwrap();
    pair.commit(effects);
    assert_eq!(reply.changed, 2);
    for (id, expected) in
        [("a1", said(NOW, "ops", "n")), ("a2", said(NOW, "ops", "n")), ("b1", NOTHING)]
    {
        assert_eq!(pair.said(id), expected, "{id}");
    }
}

/// The same definition keeps the mark, and so does a patch that leaves the task paused, also at
/// another time. A patch that pauses the task marks it with its time and its key.
#[test]
fn a_definition_keeps_what_a_pause_says_with_the_pause() {
    let paused = r#","paused":true"#;
    for (first, other, last) in [
        (every(60, 0, ""), every(90, 0, paused), every(90, 0, "")),
        (once(60_000, ""), once(90_000, paused), once(90_000, "")),
    ] {
        let mut pair = Pair::new();
        pair.define(&first, PUT, 1);
        pair.pause("a", reason("ops", "n"), NOW.plus(2));
        let kept = said(NOW.plus(2), "ops", "n");
        pair.define(&first, PUT, 3);
        assert_eq!(pair.said("a"), kept, "{first}");
        pair.define(&other, PATCH.saying(), 4);
        assert_eq!((pair.said("a"), pair.statuses()), (kept, vec![Status::Paused]), "{other}");
        pair.restart();
        pair.define(&last, PATCH.saying(), 5);
        assert_eq!(pair.said("a"), NOTHING, "{last}");
        let by_key = other.replacen('}', r#"},"createdAt":6,"createdBy":"k""#, 1);
        pair.define(&by_key, PATCH.saying(), 6);
        assert_eq!(pair.said("a"), (Some(6), Some("k".to_owned()), None), "{by_key}");
    }
}
