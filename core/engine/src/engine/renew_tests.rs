use super::*;
use crate::testing::{Memory, recurring};
use crate::{Config, Snapshot};
use scheduler_model::format::envelope::Envelope;
use scheduler_model::protocol::{Append, Change, ChangeRequest, Changed, Expected, Report, Terms};
use scheduler_model::routing::id_hash;
use scheduler_model::task::{Record, version_of};

/// 2025-11-24T16:00:00Z, a Monday.
const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const NONE: [i64; 0] = [];

/// Nothing that the tests come to.
const FAR: &str = r#"{"dates":["2099-12-24"]}"#;

struct Shard {
    engine: Engine,
    stored: Memory,
    /// The members of the task other than what it leaves out.
    fields: String,
    instead: &'static str,
}

impl Shard {
    /// Returns a shard with a task whose calendar has these items.
    fn new(fields: &str, instead: &'static str, items: &str) -> Self {
        let engine = Engine::load("1-0", Config::default(), Snapshot::default()).unwrap();
        let fields = fields.to_owned();
        let mut shard = Self { engine, stored: Memory::default(), fields, instead };
        shard.append(items, "", None, 0);
        shard
    }

    fn record(&self, items: &str, more: &str) -> String {
        // Here the version of a calendar is the length of its items.
        let (version, instead) = (items.len(), self.instead);
        let exclude = format!(
            r#"{{"calendars":[{{"name":"c","version":"{version}","items":{items}}}],"instead":"{instead}"}}"#
        );
        recurring("a", &format!(r#"{},"exclude":{exclude}{more}"#, self.fields))
    }

    fn append(&mut self, items: &str, more: &str, expected: Option<u64>, after: i64) {
        let says_paused = expected.is_some();
        let append = Append {
            schedules: vec![self.record(items, more).into_bytes()],
            expected: expected.map(Expected::Version),
            terms: Terms {
                said_paused: says_paused.then(|| id_hash("a")).into_iter().collect(),
                tasks_only: expected.is_some(),
                ..Terms::default()
            },
            ..Append::default()
        };
        let (_, effects) = self.engine.append(append, NOW.plus(after), &self.stored).unwrap();
        self.stored.apply(&effects.writes);
    }

    fn stored_record(&self) -> String {
        self.engine.get("a", &self.stored).unwrap().unwrap().record.get().to_owned()
    }

    /// Changes the items of the calendar, as the update of tasks does.
    fn renew(&mut self, items: &str, after: i64) {
        let stored = self.stored_record();
        let read = Record::parse(stored.as_bytes()).unwrap();
        let final_run =
            read.final_run.map_or_else(String::new, |at| format!(r#","finalRun":{at}"#));
        let paused = if read.is_paused() { r#","paused":true"# } else { "" };
        self.append(
            items,
            &format!("{final_run}{paused}"),
            Some(version_of(stored.as_bytes())),
            after,
        );
        self.restart();
    }

    fn restart(&mut self) {
        self.engine = self.stored.load("1-0", Config::default());
    }

    fn change(&mut self, change: Change, after: i64) {
        let request =
            ChangeRequest { ids: vec!["a".to_owned()], change, if_match: None, pause: None };
        let (reply, effects) = self.engine.change(&request, NOW.plus(after), &self.stored).unwrap();
        assert_eq!(reply.outcomes, [Changed::Changed]);
        self.stored.apply(&effects.writes);
    }

    /// Wakes the shard whenever it asks for it, and reports that all runs succeed. Returns the times
    /// of the runs.
    fn runs(&mut self, until: i64) -> Vec<i64> {
        let mut times = Vec::new();
        while let Some(at) = self.engine.next_wakeup().filter(|at| *at <= NOW.plus(until)) {
            let effects = self.engine.wake(at, &self.stored).unwrap();
            self.stored.apply(&effects.writes);
            for outgoing in &effects.sends {
                let text = std::str::from_utf8(&outgoing.text).unwrap();
                let envelope = Envelope::parse(text).unwrap();
                times.extend(envelope.tasks.iter().map(|task| {
                    let record = Record::parse(task.get().as_bytes()).unwrap();
                    record.time.unwrap().since(NOW)
                }));
                let report = Report { seq: outgoing.seq, ..Report::default() };
                let effects = self.engine.report(&report, at, &self.stored).unwrap();
                self.stored.apply(&effects.writes);
            }
        }
        times.sort_unstable();
        times
    }
}

const HOURLY: &str = r#""cron":"0 * * * *""#;

/// Returns the runs of an hourly task, in hours, that is paused from 0.5 to 4.5. Its calendar changes
/// at 3.5 and leaves out other times.
fn paused_meanwhile(misfire: &str, former: &str, new: &str) -> Vec<i64> {
    let mut shard = Shard::new(&format!("{HOURLY}{misfire}"), "skip", former);
    shard.change(Change::Pause, HOUR / 2);
    shard.renew(new, 3 * HOUR + HOUR / 2);
    assert_eq!(shard.runs(4 * HOUR), NONE, "it is paused");
    shard.change(Change::Resume, 4 * HOUR + HOUR / 2);
    shard.restart();
    shard.runs(5 * HOUR + MINUTE).into_iter().map(|run| run / HOUR).collect()
}

#[test]
fn the_new_items_decide_about_the_runs_that_a_pause_has_missed() {
    let (six, seven) = (r#"{"times":["18:00-18:30"]}"#, r#"{"times":["19:00-19:30"]}"#);
    let fire = r#","misfire":{"policy":"fire"}"#;
    assert_eq!(paused_meanwhile(fire, FAR, six), [1, 3, 4, 5]);
    assert_eq!(paused_meanwhile(fire, six, seven), [1, 2, 4, 5]);
    assert_eq!(paused_meanwhile(fire, six, FAR), [1, 2, 3, 4, 5]);
    let once = r#","misfire":{"policy":"fire-once"}"#;
    assert_eq!(paused_meanwhile(once, FAR, six), [4, 5]);
    assert_eq!(paused_meanwhile(once, FAR, r#"{"times":["20:00-20:30"]}"#), [3, 5]);
    for none in ["", r#","misfire":{"policy":"skip"}"#] {
        assert_eq!(paused_meanwhile(none, FAR, six), [5], "{none}");
    }
}

#[test]
fn a_pause_keeps_its_begin_when_a_calendar_changes() {
    // Without a policy for missed runs, too: a patch may give the task one.
    let mut shard = Shard::new(HOURLY, "skip", FAR);
    shard.change(Change::Pause, HOUR / 2);
    shard.renew(r#"{"times":["18:00-18:30"]}"#, 2 * HOUR + HOUR / 2);
    shard.fields = format!(r#"{HOURLY},"misfire":{{"policy":"fire"}}"#);
    shard.append(
        r#"{"times":["18:00-18:30"]}"#,
        "",
        Some(version_of(shard.stored_record().as_bytes())),
        3 * HOUR + HOUR / 2,
    );
    assert_eq!(shard.runs(4 * HOUR), [HOUR, 3 * HOUR, 4 * HOUR]);
}

/// The definition that ends the pause has the new items, before the update comes to the task.
#[test]
fn a_definition_with_new_items_means_the_same_task() {
    let mut shard =
        Shard::new(&format!(r#"{HOURLY},"maxRuns":5,"misfire":{{"policy":"fire"}}"#), "skip", FAR);
    let mut runs = shard.runs(HOUR);
    shard.change(Change::Pause, HOUR + HOUR / 2);
    let says_unpaused = Some(version_of(shard.stored_record().as_bytes()));
    shard.append(r#"{"times":["18:00-18:30"]}"#, "", says_unpaused, 3 * HOUR + HOUR / 2);
    runs.extend(shard.runs(3 * HOUR + HOUR / 2));
    assert_eq!(runs, [HOUR, 3 * HOUR]);
    // As with a deploy, a request that names no version.
    shard.append(r#"{"times":["20:00-21:30"]}"#, "", None, 3 * HOUR + HOUR / 2);
    assert_eq!(shard.runs(DAY), [6 * HOUR, 7 * HOUR, 8 * HOUR]);
}

#[test]
fn as_many_counted_runs_are_left_as_the_task_has_not_come_to() {
    let three = r#"{"times":["18:00-18:30"]}"#;
    for (misfire, missed) in [(r#","misfire":{"policy":"fire"}"#, vec![2, 4]), ("", vec![])] {
        let fields = format!(r#"{HOURLY},"maxRuns":7{misfire}"#);
        let mut shard = Shard::new(&fields, "skip", FAR);
        assert_eq!(shard.runs(HOUR), [HOUR]);
        shard.change(Change::Pause, HOUR + HOUR / 2);
        // Six are left after that of 17:00: three of them in the pause, of which one goes.
        shard.renew(r#"{"times":["19:00-19:30"]}"#, 4 * HOUR + HOUR / 2);
        shard.change(Change::Resume, 4 * HOUR + HOUR / 2 + MINUTE);
        let expected: Vec<i64> =
            missed.into_iter().chain(5..=8).map(|hour: i64| hour * HOUR).collect();
        assert_eq!(shard.runs(DAY), expected, "{misfire}");
        assert!(shard.engine.get("a", &shard.stored).unwrap().is_none());
    }
    // The task is not paused, and a run is due that the new items leave out.
    let mut shard = Shard::new(&format!(r#"{HOURLY},"maxRuns":3"#), "skip", FAR);
    assert_eq!(shard.runs(HOUR), [HOUR]);
    shard.renew(three, 2 * HOUR + MINUTE);
    assert_eq!(shard.runs(DAY), [3 * HOUR, 4 * HOUR]);
}

#[test]
fn a_run_that_is_due_stays_due_unless_the_new_items_leave_it_out() {
    let mut shard = Shard::new(HOURLY, "skip", FAR);
    shard.renew(r#"{"times":["20:00-20:30"]}"#, HOUR + MINUTE);
    assert_eq!(shard.runs(HOUR + 2 * MINUTE), [HOUR]);
    shard.renew(r#"{"times":["18:00-18:30"]}"#, 2 * HOUR + MINUTE);
    assert_eq!(shard.runs(3 * HOUR), [3 * HOUR]);
}

/// The run of Monday has fired. By the new items it would be on Tuesday.
#[test]
fn a_run_that_has_fired_does_not_fire_again_on_another_day() {
    let monday = r#"{"dates":["2025-11-24"]}"#;
    for (cron, more) in [
        (r#""0 17 * * MON""#, vec![7 * DAY + HOUR]),
        // Only the second run of the day has not fired.
        (r#"["0 17 * * MON","0 19 * * MON"]"#, vec![DAY + 3 * HOUR, 7 * DAY + HOUR]),
        // The run of Tuesday is the day's own.
        (r#""0 17 * * *""#, vec![DAY + HOUR, 2 * DAY + HOUR]),
    ] {
        for is_paused in [false, true] {
            let fields = format!(r#""cron":{cron},"misfire":{{"policy":"fire"}}"#);
            let mut shard = Shard::new(&fields, "next", FAR);
            assert_eq!(shard.runs(HOUR), [HOUR], "{cron}");
            if is_paused {
                shard.change(Change::Pause, HOUR + MINUTE);
            }
            shard.renew(monday, 2 * HOUR);
            if is_paused {
                shard.change(Change::Resume, 2 * HOUR + MINUTE);
            }
            assert_eq!(shard.runs(*more.last().unwrap()), more, "{cron}, paused: {is_paused}");
        }
    }
    // What has not fired moves.
    let mut shard = Shard::new(r#""cron":"0 17 * * MON""#, "next", FAR);
    shard.renew(monday, MINUTE);
    assert_eq!(shard.runs(2 * DAY), [DAY + HOUR]);
    // It has moved, and moves on.
    let mut shard = Shard::new(r#""cron":"0 17 * * MON""#, "next", monday);
    shard.renew(r#"{"dates":["2025-11-24/2025-11-25"]}"#, DAY);
    assert_eq!(shard.runs(3 * DAY), [2 * DAY + HOUR]);
    // It has moved and fired.
    let mut shard = Shard::new(r#""cron":"0 17 * * MON""#, "next", monday);
    assert_eq!(shard.runs(2 * DAY), [DAY + HOUR]);
    shard.renew(r#"{"dates":["2025-11-24/2025-11-26"]}"#, 2 * DAY);
    assert_eq!(shard.runs(7 * DAY + HOUR), [7 * DAY + HOUR]);
}

/// The delay of a run ends before the next run. Without that one, it is longer.
#[test]
fn a_longer_delay_does_not_repeat_a_run_that_has_fired() {
    let fields = format!(r#""cron":["0 * * * *","1 * * * *"],"jitterSeconds":{}"#, 600);
    for is_paused in [false, true] {
        let mut shard = Shard::new(&fields, "skip", FAR);
        assert_eq!(shard.runs(HOUR - 1), [0, MINUTE]);
        assert_eq!(shard.runs(HOUR + MINUTE - 1), [HOUR]);
        if is_paused {
            shard.change(Change::Pause, HOUR + MINUTE - 1);
        }
        shard.renew(r#"{"times":["17:01-17:02"]}"#, HOUR + MINUTE - 1);
        if is_paused {
            shard.change(Change::Resume, HOUR + MINUTE);
        }
        assert_eq!(shard.runs(2 * HOUR + MINUTE - 1), [2 * HOUR], "paused: {is_paused}");
    }
}
