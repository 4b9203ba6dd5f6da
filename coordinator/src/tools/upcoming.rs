//! The next runs of a task.

use super::answers::Task;
use super::shapes::{NextRun, iso};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::schedule::{PreviewRun, preview};

/// The number of runs that are shown: enough to see a rhythm.
const SHOWN: usize = 3;

/// Returns the next runs of a task. `text` is the task as the API shows it.
pub(super) fn of(text: &str, task: &Task<'_>, now: UnixMillis) -> Vec<NextRun> {
    match task.status.as_ref() {
        "scheduled" => by_schedule(text, task, now),
        // A delayed attempt is one run, whatever the schedule of its task is.
        "retrying" | "held" => task.due.map(at).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn at(due: i64) -> NextRun {
    let time = iso(due);
    NextRun {
        local: time.clone(),
        time,
        timezone: "UTC".to_owned(),
        fires_at: None,
        clock_change: None,
    }
}

/// Returns the runs that follow from the schedule of a task.
fn by_schedule(text: &str, task: &Task<'_>, now: UnixMillis) -> Vec<NextRun> {
    let members = text.trim_ascii_start().strip_prefix('{').unwrap_or_default();
    let Ok(shown) = preview(&format!("{{\"count\":{SHOWN},{members}"), now) else {
        return task.due.map(at).into_iter().collect();
    };
    let timezone = shown.timezone;
    // A preview counts runs from now, but a task with a limited number of runs knows its last one.
    let last = task.final_run.unwrap_or(i64::MAX);
    let is_to_come = |run: &PreviewRun| run.time.get() <= last;
    shown.runs.into_iter().filter(is_to_come).map(|run| next_run(run, timezone)).collect()
}

fn next_run(run: PreviewRun, timezone: &str) -> NextRun {
    NextRun {
        time: run.time.shown(),
        local: run.local,
        timezone: timezone.to_owned(),
        fires_at: (run.due != run.time).then(|| run.due.shown()),
        clock_change: run.explanation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::answers::read;

    /// 2026-11-25, 10:00 in UTC.
    const NOW: UnixMillis = UnixMillis::new(1_795_600_800_000);

    fn times(text: &str) -> Vec<String> {
        let task: Task<'_> = read(text).unwrap();
        of(text, &task, NOW).into_iter().map(|run| run.local).collect()
    }

    #[test]
    fn three_runs_are_shown_on_the_clock_of_the_schedule() {
        let cron = r#"{"status":"scheduled","due":1796029200000,"kind":"cron","id":"a","cron":"0 10 * * MON","timezone":"Europe/Berlin","callback":{"type":"handler","name":"log"}}"#;
        let expected =
            ["2026-11-30T10:00:00+01:00", "2026-12-07T10:00:00+01:00", "2026-12-14T10:00:00+01:00"];
        assert_eq!(times(cron), expected);
        let counted =
            cron.replace(r#""id""#, r#""maxRuns":9,"firstRun":1,"finalRun":1796634000000,"id""#);
        assert_eq!(times(&counted), expected[..2]);
        let once = r#"{"status":"scheduled","due":1796029200000,"kind":"once","time":1796029200000,"id":"a","callback":{}}"#;
        assert_eq!(times(once), ["2026-11-30T09:00:00+00:00"]);
        let task: Task<'_> = read(cron).unwrap();
        assert_eq!(of(cron, &task, NOW)[0].time, "2026-11-30T09:00:00Z");
    }

    #[test]
    fn what_does_not_fire_by_itself_has_no_runs() {
        for status in ["paused", "dead-lettered", "unscheduled", "cancelled", "running"] {
            let text =
                format!(r#"{{"status":"{status}","due":5,"kind":"cron","cron":"0 10 * * *"}}"#);
            assert_eq!(times(&text), Vec::<String>::new(), "{status}");
        }
        let retrying = r#"{"status":"retrying","due":1796029200000,"kind":"cron","time":1796029100000,"cron":"0 10 * * *"}"#;
        assert_eq!(times(retrying), ["2026-11-30T09:00:00Z"]);
    }
}
