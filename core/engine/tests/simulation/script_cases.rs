//! What the reference had wrong, as scripts: each ended with a failure though the engine did as the
//! documents say.

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

/// A task that comes while the clock is ahead, for a time that is past, and has not fired when the
/// clock is right again: it waits until the clock has come there. So does the task that goes on by
/// its definition, sent again when the clock is right.
#[test]
fn a_definition_sent_again_leaves_a_task_in_the_future_of_a_clock_that_was_ahead() {
    for kind in [Kind::Again, Kind::Patch, Kind::IfMatch] {
        let mut script = Script::new();
        script.set_ahead(AHEAD);
        // It fires just before, so that the task has to wait for the next firing.
        script.append(script.once("other", AHEAD + 1_450), 0);
        script.run_until(1_500);
        let task = script.once("late", 568);
        script.append(task.clone(), 0);
        script.set_ahead(0);
        script.run_until(2_000);
        script.define(described(&task), kind);
        script.run_until(3_000);
        // And once more: whoever goes on for a task that goes on.
        script.define(task, kind);
        script.clocks_agree();
    }
}

/// The same if the task was there before, and was rescheduled to a time that was past by the clock
/// that was ahead.
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

/// A hundred runs of a task wait for their limit, so those after them, of the last minute, are left
/// out together. The firing stops at its bound of bytes before it comes to the last of these: they
/// are left out all the same, also after a restart.
#[test]
fn runs_that_are_left_out_behind_the_end_of_a_firing() {
    for (cron, ahead, restarts) in [
        ("*/5 * * * * *", AHEAD, false),
        ("*/5 * * * * *", AHEAD, true),
        ("*/7 * * * * *", AHEAD + AHEAD / 2, true),
    ] {
        let mut script = Script::new();
        script.world.limits.set("a key", Limit { concurrency: Some(1), per_second: None });
        let every = Schedule::Recurring(Recurring::cron(cron));
        let limited = Version { schedule: every, key: Some("a key"), ..script.once("limited", 0) };
        script.append(limited, 0);
        for n in 0..150 {
            script.append(script.once(&format!("large-{n}"), ahead - 55_000 + n * 400), 30_000);
        }
        script.run_until(1_000);
        script.set_ahead(ahead);
        // At its alarm, which was set by the right clock.
        script.run_until(7_000);
        if restarts {
            script.world.on_clock_of(0, |world| world.evict(0));
        }
        script.run_until(40_000);
        script.world.on_clock_of(0, |world| world.compare(0));
    }
}
