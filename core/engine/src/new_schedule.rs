//! The recurring tasks of a request.

use crate::continued::{Pause, continued_text};
use crate::error::EngineError;
use crate::policy::Verdict;
use scheduler_calendar::schedule::{Occurrence, Schedule};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::bounds::MAX_CATCH_UP_RUNS;
use scheduler_model::routing::id_hash;
use scheduler_model::schedule::Policies;
use scheduler_model::task::{Callback, Record};

/// What the shard needs of a recurring task's record.
pub(super) struct ReadSchedule {
    pub(super) id: String,
    pub(super) schedule: Box<Schedule>,
    pub(super) to_queue: bool,
    pub(super) paused: bool,
    pub(super) priority: u8,
    pub(super) policies: Policies,
    pub(super) limit_key: Option<String>,
    pub(super) record_bytes: u32,
    /// For a task of a request, the time of the request.
    created_at: Option<UnixMillis>,
    /// The first counted run, if runs are counted. Also `None` if only the last run is known; then
    /// the last run stays.
    counted_from: Option<Option<UnixMillis>>,
}

pub(super) fn read_schedule(record: &[u8]) -> Result<ReadSchedule, String> {
    let record_bytes = u32::try_from(record.len()).unwrap_or(u32::MAX);
    let record =
        Record::parse(record).map_err(|problem| format!("a recurring task's record: {problem}"))?;
    let schedule =
        record.schedule().schedule(id_hash(&record.id)).map_err(|problem| problem.to_string())?;
    let callback = Callback::parse(record.callback.get()).map_err(|problem| problem.to_string())?;
    let is_counted =
        record.max_runs.is_some() && (record.first_run.is_some() || record.final_run.is_none());
    Ok(ReadSchedule {
        schedule: Box::new(schedule),
        to_queue: callback.is_queue(),
        paused: record.is_paused(),
        priority: record.priority(),
        policies: record.policies(),
        limit_key: record.limit_key.as_deref().map(str::to_owned),
        record_bytes,
        created_at: record.created_at,
        counted_from: is_counted.then_some(record.first_run),
        id: record.id.into_owned(),
    })
}

/// A new recurring task.
pub(super) struct NewSchedule {
    pub(super) read: ReadSchedule,
    pub(super) record: Vec<u8>,
    /// Occurrences that are due after this time belong to the task.
    pub(super) since: UnixMillis,
    /// The first occurrence, or `None` if the end of the schedule has passed.
    pub(super) next: Option<Occurrence>,
    /// Runs whose time has passed since the request was first sent, because that first request may
    /// have been lost.
    pub(super) owed: Vec<(Occurrence, Verdict)>,
    /// Whether its first run came due between the request and `since`. Then the task begins with a
    /// later run than the one that the sender has computed.
    pub(super) begins_later: bool,
}

impl NewSchedule {
    /// Returns this task as the continuation of the task with the record `stored`, and whether its
    /// record has changed. `was_paused` is whether that task was paused.
    pub(super) fn continuing(
        mut self,
        stored: &[u8],
        was_paused: bool,
    ) -> Result<(Self, bool), EngineError> {
        let pause = Pause::of(was_paused, self.read.paused);
        let record = continued_text(&self.record, stored, pause)?;
        let is_changed = record != self.record;
        self.read.record_bytes = u32::try_from(record.len()).unwrap_or(u32::MAX);
        self.record = record;
        Ok((self, is_changed))
    }

    /// Parses a recurring task. Occurrences that are due after `since` belong to it. If its runs
    /// are counted and the first run in the record has passed, the count starts at its first
    /// occurrence. But if the request was sent `again`, the count stays, and the runs whose time
    /// has passed are owed under their keys.
    pub(super) fn new(record: Vec<u8>, since: UnixMillis, again: bool) -> Result<Self, String> {
        let mut read = read_schedule(&record)?;
        let requested = read.created_at.map_or(since, |at| at.min(since));
        let planned = read.schedule.next_after(requested);
        let begins_later = planned.is_some_and(|run| run.due <= since);
        let next = if begins_later { read.schedule.next_after(since) } else { planned };
        if read.counted_from.is_none_or(|first| first == next.map(|next| next.time)) {
            return Ok(Self { read, record, since, next, owed: Vec::new(), begins_later });
        }
        if let Some(first) = read.counted_from.flatten().filter(|first| again && *first <= since) {
            let run = read.schedule.occurrence(first);
            let runs = std::iter::successors(Some(run), |run| read.schedule.following(run.time));
            let owed = runs
                .take_while(|run| run.due <= since)
                .take(MAX_CATCH_UP_RUNS)
                .map(|run| (run, Verdict::Fire))
                .collect();
            return Ok(Self { read, record, since, next, owed, begins_later });
        }
        let mut given = Record::parse(&record).map_err(|problem| problem.to_string())?;
        let mut fields = given.schedule();
        let settled =
            fields.settle(id_hash(&given.id), since).map_err(|problem| problem.to_string())?;
        let (first_run, final_run) = (fields.first_run, fields.final_run);
        (given.first_run, given.final_run) = (first_run, final_run);
        let mut counted = Vec::with_capacity(record.len() + 64);
        given.write(&mut counted);
        read.record_bytes = u32::try_from(counted.len()).unwrap_or(u32::MAX);
        let next = settled.map(|(schedule, first)| {
            *read.schedule = schedule;
            first
        });
        let begins_later = begins_later || read.counted_from.flatten().is_some();
        Ok(Self { read, record: counted, since, next, owed: Vec::new(), begins_later })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_whose_first_run_came_due_before_it_was_stored_says_so() {
        let at = |millis: i64| UnixMillis::new(1_764_000_000_000 + millis);
        let new = |more: &str, since| {
            let record = format!(
                r#"{{"id":"a","everySeconds":5,"anchor":{},"callback":{{"type":"handler","name":"log"}}{more}}}"#,
                at(0)
            );
            let new = NewSchedule::new(record.into_bytes(), at(since), false).unwrap();
            (new.begins_later, new.next.map(|next| next.time.since(at(0))))
        };
        let created = |millis| format!(r#","createdAt":{}"#, at(millis));
        assert_eq!(new(&created(4_999), 5_001), (true, Some(10_000)));
        assert_eq!(new(&created(4_999), 5_000), (true, Some(10_000)));
        assert_eq!(new(&created(5_000), 5_001), (false, Some(10_000)));
        assert_eq!(new(&created(4_990), 4_999), (false, Some(5_000)));
        // The clock of the shard is behind.
        assert_eq!(new(&created(5_001), 4_999), (false, Some(5_000)));
        assert_eq!(new("", 5_001), (false, Some(10_000)));
        // Counted runs are counted from the first one that fires.
        let counted = format!(r#","maxRuns":3,"firstRun":{},"finalRun":{}"#, at(5_000), at(15_000));
        assert_eq!(new(&counted, 5_001), (true, Some(10_000)));
        assert_eq!(new(&counted, 4_999), (false, Some(5_000)));
        // The shard counts them first.
        assert_eq!(new(r#","maxRuns":3"#, 5_001), (false, Some(10_000)));
    }
}
