//! Checks that hold for any text given as an envelope. The fuzz target and the ordinary tests share
//! them.

use scheduler_model::bounds::MAX_PAGE_TASKS;
use scheduler_model::format::envelope::{Envelope, EnvelopeBuilder};
use scheduler_model::task::{Callback, Record};

/// Input: the text of a queue message.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(envelope) = Envelope::parse(text) else {
        return;
    };
    let mut builder =
        EnvelopeBuilder::new(envelope.shard, envelope.seq, envelope.fired_at, MAX_PAGE_TASKS);
    for task in &envelope.tasks {
        builder.push(|out| out.extend_from_slice(task.get().as_bytes()));
        check_record(task.get());
    }
    let again = String::from_utf8(builder.finish()).expect("UTF-8");
    let read = Envelope::parse(&again).expect("a written envelope can be parsed again");
    assert_eq!(
        (read.shard, read.seq, read.fired_at),
        (envelope.shard, envelope.seq, envelope.fired_at)
    );
    let texts = |envelope: &Envelope<'_>| {
        envelope.tasks.iter().map(|task| task.get().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(texts(&read), texts(&envelope));
}

/// Returns JSON without the white space between its tokens.
fn without_spaces(json: &str) -> String {
    let (mut in_string, mut is_escaped) = (false, false);
    json.chars()
        .filter(|c| {
            let is_space = !in_string && c.is_ascii_whitespace();
            match c {
                '"' if !is_escaped => in_string = !in_string,
                _ => {}
            }
            is_escaped = in_string && !is_escaped && *c == '\\';
            !is_space
        })
        .collect()
}

fn check_record(text: &str) {
    let Ok(record) = Record::parse(text.as_bytes()) else {
        return;
    };
    let mut out = Vec::new();
    record.write(&mut out);
    let again = Record::parse(&out).expect("a written record can be parsed again");
    assert_eq!(
        (again.occurrence_key(), again.attempt_number()),
        (record.occurrence_key(), record.attempt_number())
    );
    // A record is written on one line, so white space with a line break in it is removed. Nothing
    // else changes.
    assert_eq!(
        again.payload.map(|raw| without_spaces(raw.get())),
        record.payload.map(|raw| without_spaces(raw.get()))
    );
    assert!(!out.contains(&b'\n') && !out.contains(&b'\r'));
    // A callback that cannot be parsed makes the record fail; it must not panic.
    let _ = Callback::parse(record.callback.get());
}
