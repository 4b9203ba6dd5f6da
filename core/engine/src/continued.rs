//! When and by whom a task was created, kept by the definition that continues it.

use crate::error::EngineError;
use scheduler_model::task::Record;

/// Returns the record of the definition `given` that continues the task of the record `stored`.
///
/// # Errors
/// If one of them is no record.
pub(super) fn continued_text(given: &[u8], stored: &[u8]) -> Result<Vec<u8>, EngineError> {
    let given =
        Record::parse(given).map_err(|problem| EngineError::BadRequest(problem.to_string()))?;
    let former = Record::parse(stored)
        .map_err(|problem| EngineError::Corrupt(format!("a task's record: {problem}")))?;
    Ok(continued(&given, &former, stored))
}

/// Returns the record of the definition `given` that continues the task `former`, whose text is
/// `stored`. It keeps when and by whom the task was created. It was updated when its request came,
/// unless it changes nothing.
pub(super) fn continued(given: &Record<'_>, former: &Record<'_>, stored: &[u8]) -> Vec<u8> {
    let written = |updated_at| {
        let mut text = Vec::with_capacity(stored.len());
        let kept = Record {
            created_at: former.created_at,
            created_by: former.created_by.clone(),
            updated_at,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(given: &str, stored: &str) -> String {
        let read = |text: &'static str| Record::parse(text.as_bytes()).unwrap();
        let (given, stored) = (given.to_owned().leak(), stored.to_owned().leak());
        let text = continued(&read(given), &read(stored), stored.as_bytes());
        String::from_utf8(text).unwrap()
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
            // An earlier release has stored it.
            ("", r#","updatedAt":9"#),
        ] {
            let stored = |priority| record(priority, stored);
            assert_eq!(of(&record(2, given), &stored(1)), record(2, updated));
            // The same definition again changes nothing.
            assert_eq!(of(&record(1, given), &stored(1)), stored(1));
        }
        // One that says nothing of when it came leaves the time as it was.
        assert_eq!(
            of(&record(2, ""), &record(1, r#","createdAt":3"#)),
            record(2, r#","createdAt":3"#)
        );
    }
}
