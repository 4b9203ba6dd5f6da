//! The record of a task whose calendar has changed.

use super::Record;
use crate::bounds::{
    MAX_EXCLUDE_TEXT_BYTES, MAX_ORIGIN_BYTES, MAX_OUTCOME_BYTES, MAX_RECORD_BYTES,
};
use crate::calendars::{Calendar, Used};
use crate::input::{FieldError, at_most};
use crate::routing::id_hash;
use crate::schedule::ScheduleFields;
use scheduler_calendar::time::UnixMillis;
use serde_json::value::RawValue;

/// What a change of a calendar does to a task.
#[derive(Debug, PartialEq, Eq)]
pub enum Renewal {
    /// The task does not use the calendar.
    NotUsed,
    /// The task has the current items of the calendar, or has no further run.
    Current,
    /// The new record of the task.
    Changed(Vec<u8>),
}

/// Returns what a change of `calendar` does to the task with this record. The new record continues
/// the task: it keeps everything but the items of the calendar, and, if runs are counted, has as
/// many left. `now` becomes its `updatedAt`.
///
/// # Errors
/// Returns an error if the task cannot have the current items of the calendar. The error names the
/// field and the limit.
pub fn renewed(record: &str, calendar: &Calendar, now: UnixMillis) -> Result<Renewal, FieldError> {
    let unreadable = |problem: serde_json::Error| FieldError::new("body", problem.to_string());
    let stored = Record::parse(record.as_bytes()).map_err(unreadable)?;
    let Some(exclude) = stored.exclude else { return Ok(Renewal::NotUsed) };
    let exclude = match Used::of(exclude.get(), calendar) {
        Used::No => return Ok(Renewal::NotUsed),
        Used::Current => return Ok(Renewal::Current),
        Used::Former(exclude) => exclude,
    };
    at_most("exclude", exclude.len(), MAX_EXCLUDE_TEXT_BYTES)?;
    let exclude = RawValue::from_string(exclude).map_err(unreadable)?;
    let former = stored.schedule();
    let mut fields = ScheduleFields { exclude: Some(&exclude), ..former.clone() };
    if !fields.continue_from(&former, id_hash(&stored.id), now)? {
        return Ok(Renewal::Current);
    }
    let given = Record {
        exclude: Some(&exclude),
        first_run: fields.first_run,
        final_run: fields.final_run,
        // The shard keeps when and by whom the task was created, and updates it now.
        created_at: Some(now),
        created_by: None,
        updated_at: None,
        ..stored.clone()
    };
    let mut text = Vec::with_capacity(record.len() + exclude.get().len());
    given.write(&mut text);
    at_most("body", text.len(), MAX_RECORD_BYTES - MAX_ORIGIN_BYTES - MAX_OUTCOME_BYTES)?;
    Ok(Renewal::Changed(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendars::CalendarInput;

    /// 2026-12-20T00:00:00Z, a Sunday.
    const NOW: UnixMillis = UnixMillis::new(1_797_724_800_000);
    const DAY: i64 = 86_400_000;

    fn calendar(items: &str) -> Calendar {
        Calendar {
            name: "de".parse().unwrap(),
            description: None,
            items: CalendarInput::parse(items).unwrap().items,
            created_at: NOW,
            updated_at: NOW,
            update: None,
        }
    }

    fn record(calendar: &Calendar, more: &str) -> String {
        let snapshot = calendar.snapshot();
        format!(
            r#"{{"id":"a","cron":"0 9 * * *","exclude":{{"calendars":[{snapshot}],"instead":"skip"}}{more},"callback":{{"type":"handler","name":"log"}},"createdAt":5,"createdBy":"k"}}"#
        )
    }

    #[test]
    fn a_task_gets_the_present_items_and_keeps_the_rest() {
        let (old, new) = (calendar(r#"{"dates":["12-24"]}"#), calendar(r#"{"dates":["12-25"]}"#));
        let stored = record(&old, r#","jitterSeconds":5,"words":"daily","paused":true"#);
        assert_eq!(renewed(&stored, &old, NOW), Ok(Renewal::Current));
        let Ok(Renewal::Changed(text)) = renewed(&stored, &new, NOW) else { panic!("no change") };
        let text = String::from_utf8(text).unwrap();
        let after = Record::parse(text.as_bytes()).unwrap();
        assert!(text.contains(&new.snapshot()) && !text.contains("12-24"), "{text}");
        assert_eq!((after.created_at, after.words.as_deref()), (Some(NOW), Some("daily")));
        assert!(after.is_paused() && after.jitter_seconds == Some(5.0));
        assert_eq!(renewed(&text, &new, NOW), Ok(Renewal::Current));
        let schedule = after.schedule().schedule(0).unwrap();
        assert!(schedule.next_excluded(NOW, NOW.plus(5 * DAY)).is_none());
        assert!(schedule.next_excluded(NOW, NOW.plus(6 * DAY)).is_some());

        let other = Calendar { name: "shop".parse().unwrap(), ..new };
        assert_eq!(renewed(&stored, &other, NOW), Ok(Renewal::NotUsed));
        let plain = r#"{"id":"a","cron":"0 9 * * *","exclude":{"dates":["12-24"]},"callback":{}}"#;
        assert_eq!(renewed(plain, &other, NOW), Ok(Renewal::NotUsed));
    }

    #[test]
    fn as_many_runs_are_left_as_before() {
        let (old, new) = (
            calendar(r#"{"dates":["2026-12-21"]}"#),
            calendar(r#"{"dates":["2026-12-22/2026-12-24"]}"#),
        );
        // Runs on 20, 22, 23 and 24 December: four of ten are left.
        let last = NOW.plus(4 * DAY + 9 * 3_600_000);
        let counted = format!(r#","maxRuns":10,"firstRun":1797066000000,"finalRun":{last}"#);
        let Ok(Renewal::Changed(text)) = renewed(&record(&old, &counted), &new, NOW) else {
            panic!("no change")
        };
        let after = Record::parse(&text).unwrap();
        // 20, 21, 25 and 26 December.
        assert_eq!(after.final_run, Some(NOW.plus(6 * DAY + 9 * 3_600_000)));
        assert_eq!((after.max_runs, after.first_run), (Some(10), None));
        // After its last run, nothing is left to change.
        assert_eq!(renewed(&record(&old, &counted), &new, last.plus(1)), Ok(Renewal::Current));
    }

    #[test]
    fn a_task_that_cannot_have_the_items_says_why() {
        let old = calendar(r#"{"dates":["12-24"]}"#);
        let every_day = calendar(r#"{"times":["08:00-10:00"]}"#);
        let problem = renewed(&record(&old, ""), &every_day, NOW).unwrap_err();
        assert_eq!(problem.field, "exclude");
        assert!(problem.detail.contains("leaves no run"), "{problem}");
        let dates: Vec<String> = (0..300).map(|n| format!("\"{}-12-24\"", 2027 + n)).collect();
        let full = calendar(&format!(r#"{{"dates":[{}]}}"#, dates.join(",")));
        let own = record(&old, "").replace(r#""instead""#, r#""dates":["12-31"],"instead""#);
        let problem = renewed(&own, &full, NOW).unwrap_err();
        assert_eq!(problem.field, "exclude.dates");
        assert!(problem.detail.contains("has 1 items, and its calendars add 300"), "{problem}");
    }
}
