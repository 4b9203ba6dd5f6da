//! Keeps when and by whom a task was created if a new definition continues it.

use crate::error::EngineError;
use crate::pause_mark::PauseMark;
use scheduler_model::json_equality::is_same_json;
use scheduler_model::task::Record;
use serde_json::value::RawValue;

/// What a definition that continues a task does to its pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pause {
    /// The task is not paused any more, or was not.
    None,
    /// The task stays paused.
    Stays,
    /// The definition pauses the task.
    Begins,
}

impl Pause {
    /// Returns this from whether the task was paused before and is paused now.
    pub(super) fn of(was_paused: bool, is_paused: bool) -> Self {
        match (was_paused, is_paused) {
            (_, false) => Self::None,
            (true, true) => Self::Stays,
            (false, true) => Self::Begins,
        }
    }
}

/// Returns the record of the definition `given`, which continues the task of the record `stored`.
///
/// # Errors
/// Returns an error if one of them is not a valid record.
pub(super) fn continued_text(
    given: &[u8],
    stored: &[u8],
    pause: Pause,
) -> Result<Vec<u8>, EngineError> {
    let given =
        Record::parse(given).map_err(|problem| EngineError::BadRequest(problem.to_string()))?;
    let former = Record::parse(stored)
        .map_err(|problem| EngineError::Corrupt(format!("a task's record: {problem}")))?;
    Ok(continued(&given, &former, stored, pause))
}

/// Returns the record of the definition `given`, which continues the task `former`, whose text is
/// `stored`. The record keeps when and by whom the task was created, and the stored text of each
/// member with the same value. Its `updatedAt` is the time of the request, unless the definition
/// changes nothing. The mark of a pause belongs to the pause, not to the definition. Neither does the
/// version of an unfinished change.
pub(super) fn continued<'a>(
    given: &Record<'a>,
    former: &Record<'a>,
    stored: &[u8],
    pause: Pause,
) -> Vec<u8> {
    let mark = match pause {
        Pause::None => None,
        Pause::Stays => PauseMark::of(former),
        Pause::Begins => PauseMark::of_request(given),
    };
    let given = with_texts_of(given, former);
    let given = match &mark {
        Some(mark) => mark.on(given),
        None => given,
    };
    let written = |updated_at| {
        let mut text = Vec::with_capacity(stored.len());
        let kept = Record {
            created_at: former.created_at,
            created_by: former.created_by.clone(),
            updated_at,
            unfinished_version: None,
            ..given.clone()
        };
        kept.write(&mut text);
        text
    };
    let unchanged = written(former.updated_at);
    match given.created_at {
        Some(at) if unchanged != stored => written(Some(at)),
        _ => unchanged,
    }
}

/// Returns the definition with the texts of the task that it continues wherever both are the same
/// JSON value. White space and the order of members do not matter.
fn with_texts_of<'a>(given: &Record<'a>, former: &Record<'a>) -> Record<'a> {
    let same = |given: &'a RawValue, former: &'a RawValue| {
        if is_same_json(given.get(), former.get()) { former } else { given }
    };
    let text = |given: Option<&'a RawValue>, former: Option<&'a RawValue>| match (given, former) {
        (Some(given), Some(former)) => Some(same(given, former)),
        (given, _) => given,
    };
    Record {
        cron: text(given.cron, former.cron),
        misfire: text(given.misfire, former.misfire),
        tags: text(given.tags, former.tags),
        callback: same(given.callback, former.callback),
        on_success: text(given.on_success, former.on_success),
        on_failure: text(given.on_failure, former.on_failure),
        retry: text(given.retry, former.retry),
        payload: text(given.payload, former.payload),
        ..given.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(given: &str, stored: &str) -> String {
        let read = |text: &'static str| Record::parse(text.as_bytes()).unwrap();
        let (given, stored) = (given.to_owned().leak(), stored.to_owned().leak());
        let text = continued(&read(given), &read(stored), stored.as_bytes(), Pause::None);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn what_a_pause_says_stays_with_the_pause() {
        let record = |more: &str| format!(r#"{{"time":5,"id":"a","callback":{{}}{more}}}"#);
        let read = |text: &str| Record::parse(text.to_owned().leak().as_bytes()).unwrap();
        let stored = record(r#","pausedAt":4,"pausedBy":"a","pauseNote":"n","createdAt":3"#);
        let given = record(r#","createdAt":9,"createdBy":"b""#);
        for (pause, expected) in [
            (Pause::Stays, stored.clone()),
            (Pause::None, record(r#","createdAt":3,"updatedAt":9"#)),
            (Pause::Begins, record(r#","pausedAt":9,"pausedBy":"b","createdAt":3,"updatedAt":9"#)),
        ] {
            let text = continued(&read(&given), &read(&stored), stored.as_bytes(), pause);
            assert_eq!(String::from_utf8(text).unwrap(), expected, "{pause:?}");
        }
    }

    #[test]
    fn a_definition_keeps_who_created_its_task() {
        let record = |priority: u8, origin: &str| {
            format!(r#"{{"time":5,"id":"a","callback":{{}},"priority":{priority}{origin}}}"#)
        };
        let given = r#","createdAt":9,"createdBy":"b""#;
        for (stored, updated) in [
            (
                r#","createdAt":3,"createdBy":"a""#,
                r#","createdAt":3,"updatedAt":9,"createdBy":"a""#,
            ),
            (r#","createdAt":3,"updatedAt":4"#, r#","createdAt":3,"updatedAt":9"#),
            // An earlier release has stored the task.
            ("", r#","updatedAt":9"#),
        ] {
            let stored = |priority| record(priority, stored);
            assert_eq!(of(&record(2, given), &stored(1)), record(2, updated));
            // A repeated definition changes nothing.
            assert_eq!(of(&record(1, given), &stored(1)), stored(1));
        }
        // A definition in another notation changes nothing, either.
        let spaced = |space: &str, origin: &str| {
            let members = r#""tags":["a",~"b"],"callback":{"type":~"handler"},"onSuccess":{"type":~"handler"},"onFailure":{~},"retry":{"factor":~2},"payload":{"a":~1}"#;
            let members = members.replace('~', space);
            format!(
                r#"{{"id":"a","cron":["1 * * * *",{space}"2 * * * *"],"misfire":{{{space}}},{members}{origin}}}"#
            )
        };
        let stored = spaced(" ", r#","createdAt":3"#);
        assert_eq!(of(&spaced("", given), &stored), stored);
        // If a definition changes one member, the other members stay as they are stored.
        let other = spaced("", given).replace(r#""factor":2"#, r#""factor":2.5"#);
        let updated = spaced(" ", r#","createdAt":3,"updatedAt":9"#);
        assert_eq!(of(&other, &stored), updated.replace(r#""factor": 2"#, r#""factor":2.5"#));
        // A definition without a time of its request leaves the time as it was.
        assert_eq!(
            of(&record(2, ""), &record(1, r#","createdAt":3"#)),
            record(2, r#","createdAt":3"#)
        );
    }
}
