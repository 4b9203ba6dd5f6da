//! Tasks for tests.

use scheduler_calendar::time::UnixMillis;
use scheduler_model::format::page::{Flags, PageBuilder};
use scheduler_model::protocol::Append;
use scheduler_model::routing::id_hash;

/// Returns the record of a task for a handler. `more` contains further members, each after a comma:
/// `,"priority":9`.
pub fn record(id: &str, time: UnixMillis, more: &str) -> String {
    format!(r#"{{"time":{time},"id":"{id}"{more},"callback":{{"type":"handler","name":"log"}}}}"#)
}

/// Returns the record of a recurring task for a handler. `fields` contains the members of its
/// schedule and others: `"everySeconds":1,"anchor":0`.
pub fn recurring(id: &str, fields: &str) -> String {
    format!(r#"{{"id":"{id}",{fields},"callback":{{"type":"handler","name":"log"}}}}"#)
}

/// Returns an append of tasks for the dispatchers. Each task has an id, a due time and a record.
pub fn append<I: AsRef<str>, R: AsRef<[u8]>>(
    tasks: impl IntoIterator<Item = (I, UnixMillis, R)>,
) -> Append {
    append_flagged(tasks.into_iter().map(|(id, due, record)| (id, due, Flags::TASK, record)))
}

/// Returns an append of tasks with these flags.
pub fn append_flagged<I: AsRef<str>, R: AsRef<[u8]>>(
    tasks: impl IntoIterator<Item = (I, UnixMillis, Flags, R)>,
) -> Append {
    let mut builder = PageBuilder::default();
    for (id, due, flags, record) in tasks {
        let is_taken = builder
            .push(id_hash(id.as_ref()), due, flags, |out| out.extend_from_slice(record.as_ref()));
        assert!(is_taken, "the record of {} is too large for a page", id.as_ref());
    }
    Append { pages: builder.finish(), ..Append::default() }
}
