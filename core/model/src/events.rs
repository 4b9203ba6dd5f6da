//! The stream of events for readers: server-sent events, and the cursor with which a reader
//! continues.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use crate::format::codec::varint;
use crate::format::hex;
use crate::protocol::{EventsReply, FeedPosition, SeenEvent};
use crate::routing::ShardId;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt::Write;
use twox_hash::XxHash64;

/// The name of the event that says that events may be missing.
pub const GAP: &str = "gap";

/// What an event's `data` holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Event")]
pub struct EventData<'a> {
    /// What happened, the same as the event's name.
    pub r#type: &'a str,
    /// The event's own name. An event that is repeated after a reader was cut off has the same one.
    pub key: String,
    /// When it happened, milliseconds since 1970.
    pub at: i64,
    /// The task's id. Gaps and events of circuits have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
    /// The task's tags.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    #[schemars(with = "Option<Vec<String>>")]
    pub tags: &'a [String],
    /// The requested time, milliseconds since 1970. Events of a recurring task itself have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<i64>,
    /// `onSuccess` or `onFailure`, if the event is about a follow-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<&'a str>,
    /// The number of the attempt, from 1. Gaps and events of circuits have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// What went wrong, or why a circuit has changed.
    #[serde(skip_serializing_if = "str::is_empty")]
    #[schemars(with = "Option<String>")]
    pub error: &'a str,
    /// The destination, in events of circuits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<&'a str>,
}

/// How far a reader has read on each of the shards that it watches. Its text has hexadecimal
/// digits: a hash of the shards' names, 4 bytes; then the incarnation and the number of each shard
/// as varints. An incarnation is written as the difference from the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsCursor {
    positions: Vec<Option<FeedPosition>>,
}

impl EventsCursor {
    /// Returns a cursor from now on for `shards` shards.
    pub fn start(shards: usize) -> Self {
        Self { positions: vec![None; shards] }
    }

    /// Parses the cursor of a reader of these shards. Returns `None` for an invalid cursor, or one
    /// of other shards, because nobody knows what the reader has missed.
    pub fn parse(text: &str, shards: &[ShardId]) -> Option<Self> {
        let bytes = hex::decode_all(text)?;
        let (hash, mut rest) = bytes.split_first_chunk::<4>()?;
        if *hash != hash_of_shards(shards) {
            return None;
        }
        let (mut positions, mut last) = (Vec::with_capacity(shards.len()), 0_i64);
        for _ in shards {
            last = last.checked_add(varint::take_signed(&mut rest).ok()?)?;
            let next = varint::take(&mut rest).ok()?;
            positions.push(Some(FeedPosition { incarnation: UnixMillis::new(last), next }));
        }
        rest.is_empty().then_some(Self { positions })
    }

    /// Returns the text of the cursor, or `None` before every shard has answered.
    pub fn text(&self, shards: &[ShardId]) -> Option<String> {
        let mut bytes = hash_of_shards(shards).to_vec();
        let mut last = 0_i64;
        for position in &self.positions {
            let FeedPosition { incarnation, next } = (*position)?;
            varint::put_signed(incarnation.get().wrapping_sub(last), &mut bytes);
            varint::put(next, &mut bytes);
            last = incarnation.get();
        }
        Some(hex::encode(&bytes))
    }

    /// Returns the position at which a shard must continue.
    pub fn position(&self, at: usize) -> Option<FeedPosition> {
        self.positions.get(at).copied().flatten()
    }

    /// Records how far a shard was read.
    pub fn advance(&mut self, at: usize, to: FeedPosition) {
        if let Some(position) = self.positions.get_mut(at) {
            *position = Some(to);
        }
    }
}

pub(crate) fn hash_of_shards(shards: &[ShardId]) -> [u8; 4] {
    let names: String = shards.iter().map(|shard| format!("{shard} ")).collect();
    (XxHash64::oneshot(0, names.as_bytes()) as u32).to_le_bytes()
}

/// Writes the answer of a shard as server-sent events, the gap first. Does not write the cursor
/// that must follow: see [`write_cursor`].
pub fn write_events(shard: ShardId, reply: &EventsReply, now: UnixMillis, out: &mut String) {
    let incarnation = reply.next.incarnation;
    if reply.is_gap {
        write_gap(&format!("{shard}:{incarnation}:gap"), now, out);
    }
    for event in &reply.events {
        let SeenEvent { number, kind, at, id, tags, time, stage, attempt, error, destination } =
            event;
        let is_of_task = destination.is_none();
        let name = serde_json::to_value(kind)
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default();
        let data = EventData {
            r#type: &name,
            key: format!("{shard}:{incarnation}:{number}"),
            at: at.get(),
            id: is_of_task.then_some(id),
            tags,
            time: time.map(UnixMillis::get),
            stage: stage.as_deref(),
            attempt: is_of_task.then_some(*attempt),
            error,
            destination: destination.as_deref(),
        };
        write_event(&data, out);
    }
}

/// Writes that events may be missing.
pub fn write_gap(key: &str, now: UnixMillis, out: &mut String) {
    let key = key.to_owned();
    let data = EventData {
        r#type: GAP,
        key,
        at: now.get(),
        id: None,
        tags: &[],
        time: None,
        stage: None,
        attempt: None,
        error: "",
        destination: None,
    };
    write_event(&data, out);
}

fn write_event(data: &EventData<'_>, out: &mut String) {
    // JSON text has no line breaks, and these types can always be encoded.
    let text = serde_json::to_string(data).unwrap_or_default();
    let _ = write!(out, "event: {}\ndata: {text}\n\n", data.r#type);
}

/// Writes the cursor into the block of the last event in `out`. If there is no event, writes a
/// block of its own. That sets the `Last-Event-ID` of a reader that follows the specification, and
/// other readers ignore it.
pub fn write_cursor(cursor: &EventsCursor, shards: &[ShardId], out: &mut String) {
    let Some(text) = cursor.text(shards) else { return };
    let last_line = out.strip_suffix("\n\n").and_then(|blocks| blocks.rsplit('\n').next());
    if last_line.is_some_and(|line| line.starts_with("data: ")) {
        // Removes the blank line that ends the block.
        out.pop();
    }
    let _ = write!(out, "id: {text}\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::EventKind;

    const SHARDS: [ShardId; 3] = [
        ShardId { epoch: 2, index: 0 },
        ShardId { epoch: 2, index: 1 },
        ShardId { epoch: 1, index: 0 },
    ];

    fn at(incarnation: i64, next: u64) -> FeedPosition {
        FeedPosition { incarnation: UnixMillis::new(incarnation), next }
    }

    #[test]
    fn the_schema_requires_no_member_that_may_be_left_out() {
        let mut text = String::new();
        write_gap("key", UnixMillis::new(7), &mut text);
        let data = text.split_once("data: ").unwrap().1;
        let shown: serde_json::Value = serde_json::from_str(data.trim_end()).unwrap();
        let schema = schemars::schema_for!(EventData<'_>);
        for name in schema.get("required").unwrap().as_array().unwrap() {
            assert!(shown.get(name.as_str().unwrap()).is_some(), "{name} in {shown}");
        }
    }

    #[test]
    fn a_cursor_can_be_parsed_and_one_of_other_shards_is_none() {
        let mut cursor = EventsCursor::start(3);
        assert_eq!(cursor.text(&SHARDS), None);
        let positions =
            [at(1_764_000_000_000, 0), at(1_763_999_999_000, u64::MAX), at(i64::MAX, 1 << 40)];
        for (n, position) in positions.into_iter().enumerate() {
            cursor.advance(n, position);
        }
        let text = cursor.text(&SHARDS).unwrap();
        assert_eq!(EventsCursor::parse(&text, &SHARDS), Some(cursor));
        for other in [&SHARDS[..2], &[SHARDS[0], SHARDS[1], SHARDS[1]]] {
            assert_eq!(EventsCursor::parse(&text, other), None);
        }
        for n in 0..text.len() {
            assert_eq!(EventsCursor::parse(&text[..n], &SHARDS), None, "cut at {n}");
        }
        for bad in ["", "x", "zz", "é", &format!("{text}00"), &"ff".repeat(60)] {
            assert_eq!(EventsCursor::parse(bad, &SHARDS), None, "{bad}");
        }
    }

    #[test]
    fn a_cursor_of_many_shards_is_short() {
        let shards: Vec<_> = (0..16).map(|index| ShardId { epoch: 1, index }).collect();
        let mut cursor = EventsCursor::start(16);
        (0..16).for_each(|n| cursor.advance(n, at(1_764_000_000_000 + n as i64 * 37, 10_000)));
        assert!(cursor.text(&shards).unwrap().len() <= 150);
    }

    #[test]
    fn events_are_written_as_the_specification_says() {
        let event = SeenEvent {
            number: 7,
            kind: EventKind::DeadLettered,
            at: UnixMillis::new(5),
            id: "a\nb".into(),
            tags: vec!["x".into()],
            time: Some(UnixMillis::new(3)),
            stage: Some("onFailure".to_owned()),
            attempt: 2,
            error: "no".into(),
            destination: None,
        };
        let circuit = SeenEvent {
            number: 8,
            kind: EventKind::CircuitHalfOpen,
            id: String::new(),
            tags: Vec::new(),
            time: None,
            stage: None,
            attempt: 0,
            destination: Some("https://a.example".to_owned()),
            ..event.clone()
        };
        let reply = EventsReply {
            events: vec![event, circuit],
            next: at(1, 9),
            is_gap: true,
            has_more: false,
        };
        let mut out = String::new();
        write_events(SHARDS[0], &reply, UnixMillis::new(9), &mut out);
        assert_eq!(
            out,
            concat!(
                "event: gap\ndata: {\"type\":\"gap\",\"key\":\"2-0:1:gap\",\"at\":9}\n\n",
                "event: dead-lettered\ndata: {\"type\":\"dead-lettered\",\"key\":\"2-0:1:7\",\"at\":5,\"id\":\"a\\nb\",\"tags\":[\"x\"],",
                "\"time\":3,\"stage\":\"onFailure\",\"attempt\":2,\"error\":\"no\"}\n\n",
                "event: circuit-half-open\ndata: {\"type\":\"circuit-half-open\",\"key\":\"2-0:1:8\",\"at\":5,\"error\":\"no\",",
                "\"destination\":\"https://a.example\"}\n\n"
            )
        );
        let mut cursor = EventsCursor::start(1);
        cursor.advance(0, at(1, 8));
        let id = format!("id: {}\n\n", cursor.text(&SHARDS[..1]).unwrap());
        assert!(id.ends_with("0208\n\n"), "{id}");
        // Parsers ignore a block without data, and the id in it.
        let with_cursor = |mut text: String| {
            write_cursor(&cursor, &SHARDS[..1], &mut text);
            text
        };
        assert_eq!(with_cursor(out.clone()), format!("{}{id}", out.strip_suffix('\n').unwrap()));
        let mut gap = "retry: 1000\n\n".to_owned();
        write_gap("cursor", UnixMillis::new(9), &mut gap);
        assert_eq!(with_cursor(gap.clone()), format!("{}{id}", gap.strip_suffix('\n').unwrap()));
        for without_event in ["", "retry: 1000\n\n"] {
            assert_eq!(with_cursor(without_event.to_owned()), format!("{without_event}{id}"));
        }
    }
}
