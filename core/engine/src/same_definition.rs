//! Compares the definition of a recurring task with the stored one: whether both have the same
//! schedule.

use crate::continued::{Pause, continued};
use scheduler_model::calendars::with_snapshots_of;
use scheduler_model::routing::id_hash;
use scheduler_model::schedule::LocalTimes;
use scheduler_model::task::Record;
use serde_json::value::RawValue;

/// What a definition leaves open. The task that continues by it keeps these values.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LeftOpen {
    /// The definition names no anchor. The anchor in its record was chosen when the request
    /// arrived.
    pub(super) anchor: bool,
    /// The definition does not say whether the task is paused.
    pub(super) pause: bool,
}

/// The record of a task that continues by another definition.
pub(super) enum Same {
    /// Both definitions have the same schedule.
    Schedule(Vec<u8>),
    /// The items of a calendar differ. The record does not say where counted runs begin and end.
    ExceptItems(Vec<u8>),
}

/// Returns the record of the task that continues by the definition `given`. It has the anchor, the
/// counted runs and the pause of `stored` if the definition leaves them open. Returns `None` if the
/// schedules are not equal, because then a new task starts.
///
/// Schedules are equal if their rules name the same times and leave out the same, in whatever
/// notation, and their anchors, `startAt`, `endAt` and `maxRuns` are equal. Delays and the policies
/// for late runs do not matter.
pub(super) fn going_on(
    given: &[u8],
    stored: &[u8],
    open: LeftOpen,
) -> Result<Option<Same>, String> {
    let read = |text| {
        Record::parse(text).map_err(|problem| format!("a recurring task's record: {problem}"))
    };
    let (mut given, text) = (read(given)?, stored);
    let stored = read(text)?;
    // Bounds that were given as local times are compared by the current law.
    let has_same_bounds = (given.max_runs, given.schedule().bounds())
        == (stored.max_runs, stored.schedule().bounds());
    if !has_same_bounds || !given.is_recurring() || !stored.is_recurring() {
        return Ok(None);
    }
    if open.anchor && stored.every_seconds.is_some() {
        given.anchor = stored.anchor;
        keep_local_anchor(&mut given, &stored);
    }
    (given.first_run, given.final_run) = (stored.first_run, stored.final_run);
    let hash = id_hash(&given.id);
    let schedule = |record: &Record<'_>| {
        record.schedule().schedule(hash).map_err(|problem| problem.to_string())
    };
    let of_given = schedule(&given)?;
    let has_same_items = of_given.has_times_of(&schedule(&stored)?);
    if !has_same_items {
        let Some(exclude) = with_items_of(&given, &stored)? else { return Ok(None) };
        let with_items = Record { exclude: Some(&exclude), ..stored.clone() };
        // The items of calendars and the task's own may exceed a limit together.
        if !schedule(&with_items).is_ok_and(|stored| of_given.has_times_of(&stored)) {
            return Ok(None);
        }
        (given.first_run, given.final_run) = (None, None);
    }
    if open.pause {
        given.paused = stored.paused;
    }
    let pause = Pause::of(stored.is_paused(), given.is_paused());
    let record = continued(&given, &stored, text, pause);
    Ok(Some(if has_same_items { Same::Schedule(record) } else { Same::ExceptItems(record) }))
}

/// Returns what `stored` leaves out, with the items that the same calendars have in `given`. Returns
/// `None` if the two do not name the same calendars.
fn with_items_of(given: &Record<'_>, stored: &Record<'_>) -> Result<Option<Box<RawValue>>, String> {
    let (Some(given), Some(stored)) = (given.exclude, stored.exclude) else { return Ok(None) };
    let exclude = with_snapshots_of(stored.get(), given.get()).map(RawValue::from_string);
    exclude.transpose().map_err(|problem| problem.to_string())
}

/// Keeps the local time of the anchor. If the definition has another zone, the anchor keeps its
/// instant instead. What a definition without a zone leaves out is in UTC.
fn keep_local_anchor<'a>(given: &mut Record<'a>, stored: &Record<'a>) {
    let anchor = stored.local.and_then(|local| local.anchor);
    let is_open = given.timezone.is_none() && given.exclude.is_none();
    let has_its_zone = is_open || given.timezone == stored.timezone;
    let anchor = anchor.filter(|_| has_its_zone);
    if anchor.is_some() {
        given.timezone.clone_from(&stored.timezone);
    }
    given.local = LocalTimes { anchor, ..given.local.unwrap_or_default() }.unless_empty();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(fields: &str) -> String {
        format!(r#"{{"id":"a",{fields},"callback":{{"type":"handler","name":"log"}}}}"#)
    }

    fn goes_on(given: &str, stored: &str, open: LeftOpen) -> Option<String> {
        match going_on(record(given).as_bytes(), record(stored).as_bytes(), open).unwrap()? {
            Same::Schedule(record) => Some(String::from_utf8(record).unwrap()),
            Same::ExceptItems(record) => panic!("{}", String::from_utf8(record).unwrap()),
        }
    }

    const OPEN: LeftOpen = LeftOpen { anchor: true, pause: true };
    const SAID: LeftOpen = LeftOpen { anchor: false, pause: false };

    #[test]
    fn the_task_keeps_what_a_definition_leaves_open() {
        let stored = r#""everySeconds":5,"anchor":7000,"maxRuns":3,"firstRun":7000,"finalRun":17000,"paused":true"#;
        let given =
            r#""everySeconds":5,"anchor":9000,"maxRuns":3,"firstRun":9000,"finalRun":19000"#;
        assert_eq!(
            goes_on(given, stored, OPEN),
            Some(
                record(stored)
                    .replace(r#","paused":true"#, "")
                    .replace("}}", r#"},"paused":true}"#)
            )
        );
        assert_eq!(goes_on(given, stored, SAID), None, "another anchor is another schedule");
        let unpaused = goes_on(given, stored, LeftOpen { anchor: true, pause: false }).unwrap();
        assert!(unpaused.contains(r#""anchor":7000"#) && !unpaused.contains("paused"));
        // A definition may name the stored anchor.
        let given =
            r#""everySeconds":5.0,"anchor":7000,"maxRuns":3,"firstRun":12000,"finalRun":22000"#;
        let kept = goes_on(given, stored, SAID).unwrap();
        assert!(kept.contains(r#""finalRun":17000"#));
        // The record is as an earlier version stored it.
        let stored = stored.replace("finalRun", "lastRun");
        assert_eq!(goes_on(given, &stored, SAID), Some(kept));
    }

    /// The records are as if a law had moved Vancouver's clock by an hour since the task was
    /// stored.
    #[test]
    fn a_new_law_does_not_make_the_same_local_times_another_schedule() {
        let zone = r#""timezone":"America/Vancouver""#;
        let bounded = |hour: i64, local: &str| {
            let (start, end) =
                (1_796_140_800_000 + hour * 3_600_000, 1_796_745_600_000 + hour * 3_600_000);
            format!(
                r#""cron":"0 9 * * *",{zone},"local":{{{local}}},"startAt":{start},"endAt":{end},"maxRuns":3"#
            )
        };
        let local = r#""startAt":"2026-12-01T09:00:00","endAt":"2026-12-08T09:00:00""#;
        assert!(goes_on(&bounded(0, local), &bounded(1, local), OPEN).is_some());
        let other = r#""startAt":"2026-12-01T10:00:00","endAt":"2026-12-08T09:00:00""#;
        assert_eq!(goes_on(&bounded(0, other), &bounded(0, local), OPEN), None);
        // A task keeps an open anchor in the form in which it was given.
        let anchored = format!(
            r#"{zone},"local":{{"anchor":"2026-12-01T09:00:00"}},"everySeconds":60,"anchor":1796144400000"#
        );
        let kept = goes_on(r#""everySeconds":60,"anchor":1796000000000"#, &anchored, OPEN).unwrap();
        assert_eq!(kept, record(&anchored));
        let moved = r#""timezone":"UTC","everySeconds":60,"anchor":1796000000000"#;
        assert!(goes_on(moved, &anchored, OPEN).is_none_or(|kept| !kept.contains("local")));
    }

    #[test]
    fn what_is_left_out_belongs_to_the_schedule() {
        let cron = r#""cron":"0 9 * * *","exclude":{"dates":["12-24/12-26"],"weekdays":["SAT"]}"#;
        for same in [
            cron,
            r#""cron":"0 09 * * *","exclude":{"weekdays":["sat"],"dates":["12-26","12-24","12-25"]}"#,
            r#""cron":"0 9 * * *","timezone":"Etc/UTC","exclude":{"weekdays":["SAT"],"dates":["12-24/12-26"],"instead":"skip"}"#,
        ] {
            assert!(goes_on(same, cron, OPEN).is_some(), "{same}");
        }
        for other in [
            r#""cron":"0 9 * * *""#,
            r#""cron":"0 9 * * *","exclude":{"dates":["12-24/12-26"]}"#,
            r#""cron":"0 9 * * *","exclude":{"dates":["12-24/12-26"],"weekdays":["SAT"],"instead":"next"}"#,
            r#""cron":"0 9 * * *","timezone":"Europe/London","exclude":{"dates":["12-24/12-26"],"weekdays":["SAT"]}"#,
        ] {
            assert_eq!(goes_on(other, cron, OPEN), None, "{other}");
            assert_eq!(goes_on(cron, other, OPEN), None, "{other}");
        }
        // A definition without a zone does not take over that of the anchor.
        let every = r#""everySeconds":60,"anchor":1796115600000,"exclude":{"dates":["12-24"]}"#;
        let local = format!(
            r#""timezone":"Europe/Berlin","local":{{"anchor":"2026-12-01T10:00:00"}},{every}"#
        );
        assert_eq!(goes_on(every, &local, OPEN), None);
        assert!(goes_on(&format!(r#""timezone":"Europe/Berlin",{every}"#), &local, OPEN).is_some());
    }

    #[test]
    fn the_meaning_of_a_schedule_counts() {
        let cron = r#""cron":"0 9 * * MON","timezone":"Europe/London""#;
        for same in [
            cron,
            r#""cron":"0 09 * * 1","timezone":"Europe/London","jitterSeconds":5,"overlap":"skip","misfire":{"policy":"skip"}"#,
        ] {
            assert!(goes_on(same, cron, OPEN).is_some(), "{same}");
        }
        let list = r#""cron":["0 9 * * *","30 9 * * *"],"paused":true,"maxRuns":3,"firstRun":32400000,"finalRun":118800000"#;
        for same in [
            r#""cron":["30 9 * * *","0 9 * * *"],"maxRuns":3"#,
            r#""cron":["0,30 9 * * *"],"timezone":"UTC","maxRuns":3"#,
            r#""cron":" */30 09 * * * ","maxRuns":3"#,
        ] {
            let kept = goes_on(same, list, OPEN).unwrap();
            assert!(
                kept.contains(r#""finalRun":118800000"#) && kept.contains(r#""paused":true"#),
                "{kept}"
            );
        }
        let rule = r#""rrule":"FREQ=MONTHLY;BYDAY=1MO,-1FR;BYHOUR=9,17","startAt":1000"#;
        assert!(
            goes_on(
                r#""rrule":"BYHOUR=17,9;BYDAY=-1FR,1MO,1MO;FREQ=MONTHLY","startAt":1000"#,
                rule,
                OPEN
            )
            .is_some()
        );
        let rule = r#""rrule":"FREQ=DAILY;COUNT=9","startAt":1000,"finalRun":691201000"#;
        for other in [
            r#""cron":"0 9 * * MON""#,
            r#""cron":"0 9 * * MON","timezone":"Europe/London","endAt":4000000000000"#,
            r#""cron":"0 9 * * MON","timezone":"Europe/London","maxRuns":5"#,
            r#""everySeconds":5,"anchor":7000"#,
            rule,
        ] {
            assert_eq!(goes_on(other, cron, OPEN), None, "{other}");
            assert_eq!(goes_on(cron, other, OPEN), None, "{other}");
        }
        assert!(goes_on(rule, rule, OPEN).is_some());
        assert_eq!(goes_on(r#""rrule":"FREQ=DAILY;COUNT=8","startAt":1000"#, rule, OPEN), None);
        assert_eq!(goes_on(r#""time":5"#, cron, OPEN), None);
        assert_eq!(goes_on(cron, r#""time":5"#, OPEN), None);
    }
}
