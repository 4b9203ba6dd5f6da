//! A record as targets and readers see it: without the members that they may not see.

use super::record::UNFINISHED;
use super::{HIDDEN, ON_FAILURE, ON_SUCCESS, write_text};
use crate::bounds::MIN_TIME_MILLIS;
use crate::calendars::with_names;
use crate::format::envelope::Envelope;
use crate::input::{BoundedMap, ShownTime, Text};
use crate::schedule::TIMES;
use scheduler_calendar::time::UnixMillis;
use schemars::Schema;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::borrow::Cow;

/// Bounds the members of a record and of a callback, with room for those of later versions.
const MAX_MEMBERS: usize = 256;

/// The members of a record that differ between the attempts of one run.
const OF_ATTEMPTS: [&str; 13] = [
    "paused",
    "pausedAt",
    "pausedBy",
    "pauseNote",
    UNFINISHED,
    "attempt",
    "failedAt",
    "error",
    "firstAttemptAt",
    "replayedAt",
    "lateSince",
    "notBefore",
    "updatedAt",
];

/// The members of a record that are for readers of the API only.
const OF_API: [&str; 2] = ["createdBy", "words"];

/// The members in a record for which a text is rewritten for a consumer: the headers of targets,
/// and the calendars of what it leaves out.
const REWRITTEN: [&str; 2] = ["headers", "calendars"];

type Members<'a> = BoundedMap<Text<'a>, &'a RawValue, MAX_MEMBERS>;

/// What a reader sees of the headers of a target.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Headers {
    Nothing,
    Names,
    Whole,
}

/// Returns the parts of a record that a request sends, which are the same on every attempt of one
/// run. Leaves out the headers of targets, because they may hold API keys.
pub fn for_request(record: &str) -> String {
    let is_sent = |name: &str| !OF_ATTEMPTS.contains(&name) && !OF_API.contains(&name);
    rewritten(record, is_sent, Headers::Nothing)
}

/// Returns the parts of a record that a function or a consumer gets: with the members about
/// attempts, and without the headers of targets.
pub fn for_consumer(record: &str) -> Cow<'_, str> {
    if is_rewritten(record) {
        Cow::Owned(rewritten(record, |name| !OF_API.contains(&name), Headers::Nothing))
    } else {
        Cow::Borrowed(record)
    }
}

/// Returns a record with [`HIDDEN`] in place of the value of each header of its targets.
pub fn with_hidden_headers(record: &str) -> Cow<'_, str> {
    if has(record, "headers") {
        Cow::Owned(rewritten(record, |_| true, Headers::Names))
    } else {
        Cow::Borrowed(record)
    }
}

/// Returns a record with the names of the calendars whose snapshots it has.
pub fn with_calendar_names(record: &str) -> Cow<'_, str> {
    if has(record, "calendars") {
        Cow::Owned(rewritten(record, |_| true, Headers::Whole))
    } else {
        Cow::Borrowed(record)
    }
}

/// Returns a record with its times as answers show them: see [`ShownTime`]. Leaves out two marks of
/// the engine: the `notBefore` of a run that was held, and the version of an unfinished change.
pub fn with_shown_times(record: &str) -> Cow<'_, str> {
    let Ok(members) = serde_json::from_str::<Members<'_>>(record) else {
        return Cow::Borrowed(record);
    };
    let held = UnixMillis::HELD.to_string();
    let is_shown = |(Text(name), value): &(Text<'_>, &RawValue)| match name.as_ref() {
        "notBefore" => value.get() != held,
        name => name != UNFINISHED,
    };
    let shown = members.0.into_iter().filter(is_shown);
    let text = written(shown, record.len(), |name, value, out| {
        match value.get().parse::<i64>().ok().filter(|_| TIMES.contains(&name)) {
            Some(millis) => {
                // Writing to a Vec does not fail.
                let _ = serde_json::to_writer(out, &ShownTime::from(UnixMillis::new(millis)));
            }
            None => out.extend_from_slice(value.get().as_bytes()),
        }
    });
    Cow::Owned(text)
}

/// Describes the times of a record as [`with_shown_times`] writes them, in the schema of an answer.
pub fn describe_shown_times(schema: &mut Schema) {
    const TEXT: &str = "RFC 3339 if a request would refuse the number: before 1973-03-03, and if the number reads as a date.";
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for name in TIMES {
        let Some(property) = properties.get_mut(name).and_then(Value::as_object_mut) else {
            continue;
        };
        let said = property.get("description").and_then(Value::as_str).unwrap_or_default();
        let said = json!(format!("{said} {TEXT}"));
        property.insert("description".to_owned(), said);
        property.insert("type".to_owned(), json!(["integer", "string"]));
        property.insert("minimum".to_owned(), json!(MIN_TIME_MILLIS));
        property.remove("format");
    }
}

/// Returns whether a consumer may get another text than this one, which is a record or has records.
fn is_rewritten(text: &str) -> bool {
    REWRITTEN.iter().chain(&OF_API).any(|name| has(text, name))
}

/// Returns the text of an envelope as a user's own consumer gets it: see [`for_consumer`].
pub fn envelope_for_consumer(text: &str) -> Cow<'_, str> {
    let is_for_them = !is_rewritten(text);
    // A shard's name has no quotes, so the first match is the envelope's own member.
    let tasks = "\"tasks\":[";
    let (false, Ok(envelope), Some(at)) = (is_for_them, Envelope::parse(text), text.find(tasks))
    else {
        return Cow::Borrowed(text);
    };
    let mut out = text.get(..at + tasks.len()).unwrap_or_default().to_owned();
    for (place, task) in envelope.tasks.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        out.push_str(&for_consumer(task.get()));
    }
    out.push_str("]}");
    Cow::Owned(out)
}

/// Returns whether a text may have a member of this name. A match may also be in the payload.
fn has(text: &str, name: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), format!("\"{name}\":").as_bytes()).is_some()
}

/// Returns a record with the members that `is_kept` accepts. For a text that is not a record,
/// returns an empty object.
fn rewritten(record: &str, is_kept: impl Fn(&str) -> bool, headers: Headers) -> String {
    let write = |members: Members<'_>| {
        let kept = members.0.into_iter().filter(|(Text(name), _)| is_kept(name));
        written(kept, record.len(), |name, value, out| match name {
            "callback" | ON_SUCCESS | ON_FAILURE if headers != Headers::Whole => {
                write_target(value, headers, out);
            }
            "exclude" => out.extend_from_slice(with_names(value.get()).as_bytes()),
            _ => out.extend_from_slice(value.get().as_bytes()),
        })
    };
    serde_json::from_str(record).map_or_else(|_| "{}".to_owned(), write)
}

/// Writes a target without its headers, or with their names only.
fn write_target(target: &RawValue, headers: Headers, out: &mut Vec<u8>) {
    let Ok(members) = serde_json::from_str::<Members<'_>>(target.get()) else {
        out.extend_from_slice(b"{}");
        return;
    };
    let kept = members
        .0
        .into_iter()
        .filter(|(Text(name), _)| headers == Headers::Names || name != "headers");
    let text = written(kept, target.get().len(), |name, value, out| {
        match serde_json::from_str::<Members<'_>>(value.get()) {
            Ok(given) if name == "headers" => {
                let names = given.0.into_iter();
                let hidden = written(names, 0, |_, _, out| write_text(HIDDEN, out));
                out.extend_from_slice(hidden.as_bytes());
            }
            _ => out.extend_from_slice(value.get().as_bytes()),
        }
    });
    out.extend_from_slice(text.as_bytes());
}

/// Writes an object of these members, with the value that `write` writes for each.
fn written<'a>(
    members: impl Iterator<Item = (Text<'a>, &'a RawValue)>,
    bytes: usize,
    write: impl Fn(&str, &RawValue, &mut Vec<u8>),
) -> String {
    let mut out = Vec::with_capacity(bytes + 2);
    for (Text(name), value) in members {
        out.push(if out.is_empty() { b'{' } else { b',' });
        write_text(&name, &mut out);
        out.push(b':');
        write(&name, value, &mut out);
    }
    out.extend_from_slice(if out.is_empty() { b"{}" } else { b"}" });
    // It is made of texts only.
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = r#"{"time":5,"id":"a\"b","callback":{"type":"webhook","url":"https://a.example","headers":{"x-api-key":"secret","b":"secret"},"body":{"headers":{"a":1}}},"onFailure":{"type":"webhook","headers":{"c":"secret"},"url":"https://b.example"},"payload":{"headers": {"n":1.50}}}"#;

    /// The same run at a later attempt, after a pause and a replay.
    fn later() -> String {
        let fields = FIRST.strip_suffix('}').unwrap();
        format!(
            r#"{fields},"paused":true,"pausedAt":8,"pausedBy":"k","pauseNote":"n","attempt":3,"failedAt":7,"error":"no","firstAttemptAt":6,"replayedAt":9,"lateSince":1,"notBefore":2,"updatedAt":3,"createdBy":"k"}}"#
        )
    }

    #[test]
    fn a_request_sends_the_same_on_every_attempt_and_no_header() {
        let sent = r#"{"time":5,"id":"a\"b","callback":{"type":"webhook","url":"https://a.example","body":{"headers":{"a":1}}},"onFailure":{"type":"webhook","url":"https://b.example"},"payload":{"headers": {"n":1.50}}}"#;
        assert_eq!(for_request(FIRST), sent);
        assert_eq!(for_request(&later()), sent);
        assert_eq!(for_request("17"), "{}");
    }

    #[test]
    fn a_consumer_gets_the_attempt_and_no_header() {
        let got = for_consumer(FIRST);
        assert!(!got.contains("secret") && got.contains("https://b.example"), "{got}");
        let later = later();
        let got = for_consumer(&later);
        assert!(got.ends_with(r#""notBefore":2,"updatedAt":3}"#), "{got}");
        let plain = r#"{"time":5,"id":"a","callback":{"type":"queue","queue":"Q"},"attempt":2}"#;
        assert!(matches!(for_consumer(plain), Cow::Borrowed(text) if text == plain));
    }

    #[test]
    fn an_envelope_for_a_consumer_has_no_header() {
        let of = |tasks: &str| {
            format!(r#"{{"v":1,"shard":"1-3","seq":42,"firedAt":5,"tasks":[{tasks}]}}"#)
        };
        let plain = r#"{"time":5,"id":"a","callback":{"type":"queue","queue":"Q"}}"#;
        let text = of(&[plain, FIRST].join(","));
        let got = envelope_for_consumer(&text);
        assert_eq!(got, of(&[plain, &for_consumer(FIRST)].join(",")));
        assert_eq!(Envelope::parse(&got).unwrap().tasks.len(), 2);
        let text = of(plain);
        assert!(matches!(envelope_for_consumer(&text), Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn everybody_sees_the_names_of_calendars() {
        let stored = r#"{"id":"a","exclude":{"dates":["12-24"],"calendars":[{"name":"de","version":"1","items":{"dates":["12-25"]}}]},"callback":{"url":"u","headers":{"a":"1"}},"payload":{"calendars":[{"name":"x"}]}}"#;
        let shown = r#"{"id":"a","exclude":{"dates":["12-24"],"calendars":["de"]},"callback":{"url":"u","headers":{"a":"1"}},"payload":{"calendars":[{"name":"x"}]}}"#;
        assert_eq!(with_calendar_names(stored), shown);
        assert_eq!(with_calendar_names(shown), shown);
        let sent = shown.replace(r#","headers":{"a":"1"}"#, "");
        assert_eq!((for_request(stored), for_consumer(stored).into_owned()), (sent.clone(), sent));
        let hidden = shown.replace(r#""1""#, &format!("\"{HIDDEN}\""));
        assert_eq!(with_hidden_headers(stored), hidden);
        let plain = r#"{"id":"a","exclude":{"dates":["12-24"]},"callback":{}}"#;
        assert!(matches!(with_calendar_names(plain), Cow::Borrowed(text) if text == plain));
    }

    #[test]
    fn a_reader_who_may_not_see_headers_sees_their_names() {
        let shown = with_hidden_headers(FIRST);
        assert_eq!(
            shown,
            FIRST.replace(r#":"secret""#, r#":"<hidden>""#),
            "everything else is as it was"
        );
        let plain = r#"{"id":"a","callback":{}}"#;
        assert!(matches!(with_hidden_headers(plain), Cow::Borrowed(text) if text == plain));
    }
}
