//! When and by whom a task was created, after further definitions.

use crate::definition_tests::{How, NONE, PATCH, PUT, at};
use crate::regressions::Pair;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::protocol::Change;
use scheduler_model::task::{Record, version_of};

/// Returns a definition that arrived at this time, with the key of this name.
fn given(schedule: &str, priority: u8, came: i64, by: &str) -> String {
    let (time, recurrence) = match schedule.strip_prefix("time") {
        Some(millis) => (format!(r#""time":{},"#, at(millis.parse().unwrap())), String::new()),
        None => (String::new(), format!(r#","everySeconds":{schedule},"anchor":{}"#, at(60_000))),
    };
    format!(
        r#"{{{time}"id":"a"{recurrence},"callback":{{"type":"handler","name":"log"}},"priority":{priority},"createdAt":{},"createdBy":"{by}"}}"#,
        at(came)
    )
}

type Origin = (Option<UnixMillis>, Option<UnixMillis>, Option<String>);

impl Pair {
    fn origin(&self) -> Origin {
        let item = self.found().unwrap();
        let record = Record::parse(item.record.get().as_bytes()).unwrap();
        (record.created_at, record.updated_at, record.created_by.map(|by| by.into_owned()))
    }

    fn version(&self) -> u64 {
        version_of(self.found().unwrap().record.get().as_bytes())
    }
}

fn is(created: i64, updated: Option<i64>, by: &str) -> Origin {
    (Some(at(created)), updated.map(at), Some(by.to_owned()))
}

#[test]
fn a_definition_that_continues_its_task_keeps_who_created_it() {
    for (first, second, how, continues) in [
        ("5", "5", PUT, true),
        ("5", "6", PUT, false),
        ("5", "5", PATCH, true),
        ("5", "6", PATCH, true),
        ("time9000", "time9000", PUT, true),
        ("time9000", "time8000", PUT, false),
        ("time9000", "time9000", PATCH, true),
        ("time9000", "time8000", PATCH, true),
        ("time9000", "5", PUT, false),
        ("time9000", "5", PATCH, true),
        ("5", "time9000", PATCH, true),
    ] as [(&str, &str, How, bool); 11]
    {
        let mut pair = Pair::new();
        pair.define(&given(first, 1, 3, "x"), PUT, 3);
        assert_eq!(pair.origin(), is(3, None, "x"));
        let version = pair.version();
        let reply = pair.define(&given(second, 2, 7, "y"), how, 7);
        let expected = if continues { is(3, Some(7), "x") } else { is(7, None, "y") };
        assert_eq!(pair.origin(), expected, "{first} {second}");
        let explained = pair.engine.explain("a", at(7), &pair.storage).unwrap();
        let (created, updated) = (explained.created_at, explained.updated_at);
        assert_eq!((created, updated, explained.created_by), expected);
        assert_eq!(reply.went_on > 0, continues, "the answer counts continued tasks");
        assert_ne!(pair.version(), version);
        // The same definition again changes nothing, whatever key sends it.
        let version = pair.version();
        pair.define(&given(second, 2, 9, "z"), how, 9);
        assert_eq!((pair.origin(), pair.version()), (expected, version));
        pair.restart();
        assert_eq!(pair.version(), version);
    }
}

#[test]
fn a_task_in_flight_keeps_who_created_it() {
    for (second, how) in [("time0", PATCH), ("time9000", PATCH), ("5", PATCH)] {
        let mut pair = Pair::new();
        pair.define(&given("time0", 1, -5, "x"), PUT, -5);
        pair.wake(at(0));
        pair.define(&given(second, 2, 1, "y"), how, 1);
        assert_eq!(pair.origin(), is(-5, Some(1), "x"), "{second}");
    }
}

#[test]
fn a_reschedule_updates_a_task_and_a_pause_does_not() {
    let mut pair = Pair::new();
    pair.define(&given("time9000", 1, 3, "x"), PUT, 3);
    pair.change(Change::Pause, 4);
    pair.change(Change::Resume, 5);
    assert_eq!(pair.origin(), is(3, None, "x"));
    // A rescheduled task with a requested run waits for its own time again.
    pair.change(Change::Run, 5);
    pair.change(Change::Reschedule(at(9_000).into()), 5);
    assert_eq!(pair.origin(), is(3, None, "x"));
    assert_eq!(pair.runs(5), NONE);
    pair.change(Change::Reschedule(at(8_000).into()), 6);
    assert_eq!(pair.origin(), is(3, Some(6), "x"));
    assert_eq!(pair.runs(7_000), NONE);
    assert_eq!(pair.runs(8_000), [8_000]);
}
