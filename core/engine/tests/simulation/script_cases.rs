//! Errors of the reference, as scripts. Each ended with a failure although the engine did as
//! documented.

use crate::model::{Schedule, Version};
use crate::redefine::Kind;
use crate::schedules::Recurring;
use crate::scripts::Script;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::limit::Limit;
use scheduler_model::protocol::Change;

const AHEAD: i64 = 600_000;

fn described(version: &Version) -> Version {
    Version { description: "another".to_owned(), ..version.clone() }
}

/// A task arrives while the clock is ahead, for a time that has passed by that clock, and has not
/// fired when the clock is right again. It waits until the clock reaches that time. So does the
/// task that continues by the same definition, repeated with the right clock.
#[test]
fn a_repeated_definition_leaves_a_task_at_the_time_of_a_clock_that_was_ahead() {
    for kind in [Kind::Again, Kind::Patch, Kind::IfMatch] {
        let mut script = Script::new();
        script.set_ahead(AHEAD);
        // The other task fires just before, so that this task has to wait for the next firing.
        script.append(script.once("other", AHEAD + 1_450), 0);
        script.run_until(1_500);
        let task = script.once("late", 568);
        script.append(task.clone(), 0);
        script.set_ahead(0);
        script.run_until(2_000);
        script.define(described(&task), kind);
        script.run_until(3_000);
        // The definition is repeated once more for the task that has continued.
        script.define(task, kind);
        script.clocks_agree();
    }
}

/// The same for a task that existed before and was rescheduled to a time that had passed by the
/// clock that was ahead.
#[test]
fn a_definition_of_a_task_that_was_rescheduled_while_the_clock_was_ahead() {
    let mut script = Script::new();
    script.append(script.once("moved", 900_000), 0);
    script.set_ahead(AHEAD);
    script.append(script.once("other", AHEAD + 1_450), 0);
    script.run_until(1_500);
    let to = UnixMillis::new(1_764_000_000_568);
    script.change("moved", Change::Reschedule(to.into()));
    script.set_ahead(0);
    script.run_until(2_000);
    script.define(described(&script.once("moved", 568)), Kind::Patch);
    script.clocks_agree();
}

/// A hundred runs of a task wait for their limit, so the runs of the last minute after them are
/// skipped together. The firing stops at its bound of bytes before it reaches the last of these.
/// They are skipped even so, and also after a restart.
#[test]
fn runs_are_skipped_beyond_the_end_of_a_firing() {
    for (cron, ahead, restarts) in [
        ("*/5 * * * * *", AHEAD, false),
        ("*/5 * * * * *", AHEAD, true),
        ("*/7 * * * * *", AHEAD + AHEAD / 2, true),
    ] {
        let mut script = Script::new();
        let (limit, now) = (Limit { concurrency: Some(1), per_second: None }, script.world.now);
        script.world.limits.set("a key", limit, now);
        let every = Schedule::Recurring(Recurring::cron(cron));
        let limited = Version { schedule: every, key: Some("a key"), ..script.once("limited", 0) };
        script.append(limited, 0);
        for n in 0..150 {
            script.append(script.once(&format!("large-{n}"), ahead - 55_000 + n * 400), 30_000);
        }
        script.run_until(1_000);
        script.set_ahead(ahead);
        // The shard fires at its alarm, which was set by the right clock.
        script.run_until(7_000);
        if restarts {
            script.world.on_clock_of(0, |world| world.evict(0));
        }
        script.run_until(40_000);
        script.world.on_clock_of(0, |world| world.compare(0));
    }
}
