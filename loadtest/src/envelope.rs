//! Parses what the scheduler fires: envelopes with many tasks, and webhook bodies with one.
//!
//! The sink spends most of its time here, so ids are borrowed from the body, and other fields are
//! skipped.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// One queue message: records that a shard dispatched together.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow)]
    pub(crate) shard: Cow<'a, str>,
    pub(crate) seq: u64,
    #[serde(rename = "firedAt")]
    pub(crate) fired_at: i64,
    #[serde(borrow)]
    pub(crate) tasks: Vec<Record<'a>>,
}

/// The parts of a fired task that verification needs.
#[derive(Debug, Deserialize)]
pub(crate) struct Record<'a> {
    /// The expected due time in epoch milliseconds.
    pub(crate) time: i64,
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
    #[serde(default)]
    pub(crate) payload: Mark,
    /// Absent on the first attempt.
    #[serde(default = "first_attempt")]
    pub(crate) attempt: u32,
}

fn first_attempt() -> u32 {
    1
}

/// The mark of this tool in a payload: the run, and the number of the task in it. The payload of
/// another client's task, whatever its JSON type, becomes an empty mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) run: Option<u64>,
    pub(crate) n: Option<u64>,
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MarkVisitor)
    }
}

struct MarkVisitor;

impl<'de> Visitor<'de> for MarkVisitor {
    type Value = Mark;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Mark, A::Error> {
        let mut mark = Mark::default();
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Run => mark.run = map.next_value::<LooseNumber>()?.0,
                Key::N => mark.n = map.next_value::<LooseNumber>()?.0,
                Key::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(mark)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Mark, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Mark::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Mark, E> {
        Ok(Mark::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Mark, E> {
        Ok(Mark::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Mark, E> {
        Ok(Mark::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Mark, E> {
        Ok(Mark::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Mark, E> {
        Ok(Mark::default())
    }

    fn visit_unit<E>(self) -> Result<Mark, E> {
        Ok(Mark::default())
    }
}

/// A key of the payload. It is an enum, so that no key is copied.
enum Key {
    Run,
    N,
    Other,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a key")
            }

            fn visit_str<E>(self, key: &str) -> Result<Key, E> {
                Ok(match key {
                    "run" => Key::Run,
                    "n" => Key::N,
                    _ => Key::Other,
                })
            }
        }
        deserializer.deserialize_identifier(KeyVisitor)
    }
}

/// A whole number, or `None` for any other value, which another client may have under the same key.
struct LooseNumber(Option<u64>);

impl<'de> Deserialize<'de> for LooseNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&serde_json::value::RawValue>::deserialize(deserializer)?;
        Ok(Self(text.get().parse().ok()))
    }
}

/// Returns the envelopes of a body with one envelope per line. Blank lines are skipped.
///
/// # Errors
/// Returns the number of the first invalid line, and the problem.
pub(crate) fn parse_lines(body: &[u8]) -> Result<Vec<Envelope<'_>>, String> {
    body.split(|&byte| byte == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(at, line)| {
            serde_json::from_slice(line).map_err(|error| format!("line {}: {error}", at + 1))
        })
        .collect()
}

/// Returns the record in a webhook's body.
///
/// # Errors
/// Returns the problem with the body.
pub(crate) fn parse_record(body: &[u8]) -> Result<Record<'_>, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelopes_are_parsed_line_by_line() {
        let body = concat!(
            r#"{"v":1,"shard":"1-3","seq":42,"firedAt":17,"tasks":[{"time":5,"id":"a\"b","tags":["x"],"#,
            r#""callback":{"type":"queue","queue":"Q"},"payload":{"run":9,"n":7,"pad":"x"},"attempt":2},{"time":6,"id":"c"}]}"#,
            "\n\n",
            r#"{"v":1,"shard":"1-4","seq":1,"firedAt":18,"tasks":[]}"#,
            "\n",
        );
        let envelopes = parse_lines(body.as_bytes()).unwrap();
        assert_eq!(envelopes.len(), 2);
        let first = &envelopes[0];
        assert_eq!((first.shard.as_ref(), first.seq, first.fired_at), ("1-3", 42, 17));
        assert_eq!(first.tasks[0].id, "a\"b");
        assert_eq!(first.tasks[0].payload, Mark { run: Some(9), n: Some(7) });
        assert_eq!((first.tasks[0].attempt, first.tasks[1].attempt), (2, 1));
        assert!(matches!(first.tasks[1].id, Cow::Borrowed("c")));
        assert_eq!(first.tasks[1].payload, Mark::default());
    }

    #[test]
    fn a_payload_of_another_client_is_not_an_error() {
        for payload in [
            "1",
            "-1",
            "1.5",
            "true",
            "null",
            "\"s\"",
            "[1,{\"n\":2}]",
            r#"{"n":"x","run":{"a":[1]},"b":2}"#,
        ] {
            let body = format!(r#"{{"time":5,"id":"a","payload":{payload}}}"#);
            let record = parse_record(body.as_bytes()).unwrap();
            assert_eq!(record.payload, Mark::default(), "{payload}");
        }
    }

    #[test]
    fn an_invalid_line_is_named() {
        let error = parse_lines(
            b"{\"v\":1,\"shard\":\"a\",\"seq\":1,\"firedAt\":1,\"tasks\":[]}\nnonsense",
        )
        .unwrap_err();
        assert!(error.starts_with("line 2: "), "{error}");
    }
}
