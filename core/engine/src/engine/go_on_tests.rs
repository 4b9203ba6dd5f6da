use super::*;
use crate::testing::{Memory, recurring};
use crate::{Config, Snapshot};
use scheduler_model::protocol::{
    AppendReply, Change, ChangeRequest, Changed, Expected, Failure, Report, Status, Terms,
};
use scheduler_model::task::version_of;

const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

struct Shard {
    engine: Engine,
    stored: Memory,
    fields: String,
}

impl Shard {
    /// Returns a shard with a task with two runs, one and two seconds after `NOW`.
    fn new(more: &str) -> Self {
        let engine = Engine::load("1-0", Config::default(), Snapshot::default()).unwrap();
        let anchor = NOW.plus(1_000);
        let fields = format!(r#""everySeconds":1,"anchor":{anchor},"maxRuns":2{more}"#);
        let mut shard = Self { engine, stored: Memory::default(), fields };
        shard.define(None, 0).unwrap();
        shard
    }

    /// Sends the definition, whose runs are counted from then on, and says that it is not paused.
    fn request(&self, version: Option<u64>, after: i64) -> Append {
        let (first, last) = (NOW.plus(after + 1_000), NOW.plus(after + 2_000));
        let fields = format!(r#"{},"firstRun":{first},"finalRun":{last}"#, self.fields);
        Append {
            schedules: vec![recurring("a", &fields).into_bytes()],
            expected: version.map(Expected::Version),
            terms: Terms {
                said_paused: vec![id_hash("a")],
                tasks_only: version.is_some(),
                ..Terms::default()
            },
            ..Append::default()
        }
    }

    fn define(&mut self, version: Option<u64>, after: i64) -> Result<AppendReply, EngineError> {
        let request = self.request(version, after);
        let (reply, effects) = self.engine.append(request, NOW.plus(after), &self.stored)?;
        self.stored.apply(&effects.writes);
        Ok(reply)
    }

    /// Sends the definition for the version that is stored.
    fn patch(&mut self, after: i64) -> Result<AppendReply, EngineError> {
        self.define(Some(version_of(self.record().unwrap().as_bytes())), after)
    }

    fn record(&self) -> Option<String> {
        let item = self.engine.get("a", &self.stored).unwrap();
        item.map(|item| item.record.get().to_owned())
    }

    fn status(&self) -> Option<Status> {
        self.engine.get("a", &self.stored).unwrap().map(|item| item.status)
    }

    fn change(&mut self, change: Change, after: i64) {
        let request =
            ChangeRequest { ids: vec!["a".to_owned()], change, if_match: None, pause: None };
        let (reply, effects) = self.engine.change(&request, NOW.plus(after), &self.stored).unwrap();
        assert_eq!(reply.outcomes, [Changed::Changed]);
        self.stored.apply(&effects.writes);
    }

    /// Returns how many runs have fired until then.
    fn fired(&mut self, until: i64) -> u64 {
        while let Some(at) = self.engine.next_wakeup().filter(|at| *at <= NOW.plus(until)) {
            let effects = self.engine.wake(at, &self.stored).unwrap();
            self.stored.apply(&effects.writes);
            for outgoing in &effects.sends {
                let report = Report { seq: outgoing.seq, ..Report::default() };
                let effects = self.engine.report(&report, at, &self.stored).unwrap();
                self.stored.apply(&effects.writes);
            }
        }
        self.engine.stats(NOW).counters.fired
    }
}

const SKIPS: [&str; 3] = [
    "",
    r#","misfire":{"policy":"skip","graceSeconds":1}"#,
    r#","misfire":{"policy":"fire"},"expireAfterSeconds":1"#,
];

#[test]
fn a_request_by_version_that_leaves_nothing_of_a_paused_task_is_refused() {
    for more in SKIPS {
        let mut shard = Shard::new(more);
        shard.change(Change::Pause, 500);
        let stored = shard.record();
        assert_eq!(shard.patch(60_000), Err(EngineError::WouldEnd), "{more}");
        assert_eq!((shard.record(), shard.status()), (stored, Some(Status::Paused)));
        assert_eq!((shard.fired(60_000), shard.engine.next_wakeup()), (0, None));
        // A resume ends the task.
        shard.change(Change::Resume, 60_001);
        assert_eq!((shard.fired(90_000), shard.status()), (0, None), "{more}");
    }
    // One run is left.
    let mut shard = Shard::new("");
    shard.change(Change::Pause, 500);
    assert_eq!(shard.patch(1_500).map(|reply| reply.replaced), Ok(1));
    assert_eq!((shard.status(), shard.fired(90_000)), (Some(Status::Scheduled), 1));
}

#[test]
fn a_definition_that_leaves_nothing_of_a_paused_task_starts_it_over() {
    for more in SKIPS {
        let mut shard = Shard::new(more);
        shard.change(Change::Pause, 500);
        let here = shard.request(None, 60_000);
        let (reply, effects) =
            shard.engine.go_on_here(here, NOW.plus(60_000), &shard.stored).unwrap();
        assert_eq!(reply, Ok(GoOnReply { went_on: vec![false] }), "{more}");
        assert_eq!(effects, Effects::default());
        let reply = shard.define(None, 60_000).unwrap();
        assert_eq!((reply.created, reply.replaced, reply.went_on), (1, 1, 0), "{more}");
        assert_eq!(shard.status(), Some(Status::Scheduled));
        let first = format!(r#""firstRun":{}"#, NOW.plus(61_000));
        assert!(shard.record().unwrap().contains(&first), "{more}");
        assert_eq!((shard.fired(90_000), shard.status()), (2, None), "{more}");
    }
}

#[test]
fn missed_runs_fire_or_are_kept_when_a_definition_ends_the_pause() {
    for by_version in [true, false] {
        for (policy, fired, status) in
            [("fire", 2, None), ("fire-once", 1, None), ("dead-letter", 0, Some(Status::Dead))]
        {
            let mut shard = Shard::new(&format!(r#","misfire":{{"policy":"{policy}"}}"#));
            shard.change(Change::Pause, 500);
            let version = by_version.then(|| version_of(shard.record().unwrap().as_bytes()));
            shard.define(version, 90_000).unwrap();
            assert_eq!((shard.fired(200_000), shard.status()), (fired, status), "{policy}");
        }
    }
}

#[test]
fn a_further_attempt_is_left_of_a_paused_task() {
    for by_version in [true, false] {
        let mut shard = Shard::new(r#","retry":{"minBackoffSeconds":60}"#);
        let effects = shard.engine.wake(NOW.plus(1_000), &shard.stored).unwrap();
        shard.stored.apply(&effects.writes);
        let failed = vec![Failure { index: 0, error: "no".to_owned(), ..Failure::default() }];
        let report = Report { seq: effects.sends[0].seq, failed, ..Report::default() };
        let effects = shard.engine.report(&report, NOW.plus(1_100), &shard.stored).unwrap();
        shard.stored.apply(&effects.writes);
        shard.change(Change::Pause, 1_500);
        let version = by_version.then(|| version_of(shard.record().unwrap().as_bytes()));
        shard.define(version, 10_000).unwrap();
        assert_eq!(shard.status(), Some(Status::Retrying));
        assert_eq!((shard.fired(300_000), shard.status()), (2, None));
    }
}
