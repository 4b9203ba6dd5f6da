//! The answer to a change of one task: the task after the change, and what the change did.

use crate::response::Answer;
use scheduler_calendar::time::UnixMillis;
use scheduler_model::listing::write_task;
use scheduler_model::protocol::ListItem;
use scheduler_model::task::{version_of, write_text};
use serde::Serialize;

/// The members of an answer that are not those of the task.
struct Members {
    /// The first member: its name and its value.
    outcome: (&'static str, bool),
    is_running: bool,
}

/// Returns the answer to a pause, a resume, a run or a reschedule.
pub(crate) fn changed(
    id: &str,
    task: Option<&ListItem>,
    changed: bool,
    is_running: bool,
) -> Answer {
    let members = Members { outcome: ("changed", changed), is_running };
    match task {
        Some(task) => {
            let text = members.beside(&task.status, task.due(), task.record.get());
            Answer::json(200, text).with_version(version_of(task.record.get().as_bytes()))
        }
        None => Answer::json(200, members.alone(id)),
    }
}

/// Returns the answer to a cancel: the task as it was before, without a due time.
pub(crate) fn cancelled(id: &str, task: Option<&ListItem>, is_running: bool) -> Answer {
    let members = Members { outcome: ("cancelled", true), is_running };
    let text = match task {
        Some(task) => members.beside(&"cancelled", UnixMillis::NEVER, task.record.get()),
        None => members.alone(id),
    };
    Answer::json(200, text)
}

impl Members {
    /// Writes the members that come first, without the closing brace.
    fn write(&self, out: &mut Vec<u8>) {
        let (name, value) = self.outcome;
        out.extend_from_slice(format!("{{\"{name}\":{value},").as_bytes());
        if self.is_running {
            out.extend_from_slice(b"\"running\":true,");
        }
    }

    /// Returns the task with these members before its own.
    fn beside(&self, status: &impl Serialize, due: UnixMillis, record: &str) -> Vec<u8> {
        let (mut text, mut task) = (Vec::with_capacity(record.len() + 96), Vec::new());
        self.write(&mut text);
        write_task(status, due, record, &mut task);
        text.extend_from_slice(task.get(1..).unwrap_or_default());
        text
    }

    /// Returns these members and the id, if the shard did not show the task.
    fn alone(&self, id: &str) -> Vec<u8> {
        let mut text = Vec::new();
        self.write(&mut text);
        text.extend_from_slice(b"\"id\":");
        write_text(id, &mut text);
        text.push(b'}');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduler_model::position::Position;
    use scheduler_model::protocol::Status;
    use serde_json::value::RawValue;

    #[test]
    fn a_change_answers_with_the_task_and_a_cancel_with_what_it_was() {
        let record = r#"{"time":1764000000000,"id":"a","callback":{},"payload":{"n":1.50}}"#;
        let item = ListItem {
            position: Position { due: UnixMillis::new(9), page: 1, index: 0 },
            due: None,
            status: Status::Scheduled,
            is_running: false,
            is_attempt: false,
            is_cancelled: false,
            record: RawValue::from_string(record.to_owned()).unwrap(),
        };
        let text = |answer: Answer| String::from_utf8(answer.body().to_vec()).unwrap();
        let rest = &record[1..];
        assert_eq!(
            text(changed("a", Some(&item), false, false)),
            format!(r#"{{"changed":false,"status":"scheduled","due":9,"kind":"once",{rest}"#)
        );
        assert_eq!(
            text(cancelled("a", Some(&item), true)),
            format!(
                r#"{{"cancelled":true,"running":true,"status":"cancelled","kind":"once",{rest}"#
            )
        );
        assert_eq!(text(changed("a\"", None, true, false)), r#"{"changed":true,"id":"a\""}"#);
        assert_eq!(text(cancelled("a", None, false)), r#"{"cancelled":true,"id":"a"}"#);
    }
}
