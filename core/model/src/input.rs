//! Reads requests within bounds.
//!
//! Callers choose the length of a text, and JSON items of two bytes take a hundred times as much in
//! memory. So a visitor reads every list and every object of a request and stops at the first item
//! too many ([`Bounded`], [`BoundedMap`]). A raw value is measured before it is read (`at_most`),
//! and everything of a request that an answer repeats is cut ([`cut`], [`quoted`]).
//! `core/model/tests/request_budget.rs` attacks every field of every body that the API's types
//! describe, and counts the bytes in memory.

mod error;
mod json_path;
mod not_an_object;
mod parse;
mod plain_words;
mod shown_time;
mod text;
mod time_input;
mod unknown;
mod whole;

pub use error::FieldError;
pub(crate) use parse::{parse_naming_the_field, parse_object, parse_object_taking, unreadable};
pub(crate) use plain_words::in_plain_words;
pub use shown_time::ShownTime;
pub(crate) use text::{Text, put, read_object};
pub use time_input::parse_time;
pub(crate) use time_input::{GivenTime, InstantInput, TimeInput};
pub(crate) use unknown::unknown_name;
pub(crate) use whole::{Whole, whole, whole_of};

use crate::bounds::{MAX_ERROR_FIELD_BYTES, MAX_NESTING, MAX_PATCH_MEMBERS, MAX_SMALL_BODY_BYTES};
use scheduler_calendar::excerpt::Excerpt;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, Deserializer, Error, Expected, IgnoredAny, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// The beginning of the error of a list with too many items.
pub(crate) const TOO_MANY: &str = "has more than ";

/// A list of a request, with at most `N` items. Reading stops at the first item too many.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bounded<T, const N: usize>(pub Vec<T>);

/// The members of an object of a request, in order, at most `N`. Reading stops at the first member
/// too many. A name may occur twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BoundedMap<K, V, const N: usize>(pub Vec<(K, V)>);

/// An object of a request. The derived readers of structs would also accept a list of the fields'
/// values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Object<T>(pub(crate) T);

struct OfMembers<T>(PhantomData<T>);

struct AtMost<T> {
    limit: usize,
    items: PhantomData<T>,
}

struct AtMostMembers<K, V> {
    limit: usize,
    members: PhantomData<(K, V)>,
}

fn too_many<E: Error>(limit: usize) -> E {
    E::custom(format_args!("{TOO_MANY}{limit} items, which is the limit"))
}

/// Returns the error of a list in place of another value. Reads the list to its end, so that the
/// path of the error names the value and not its first item.
pub(crate) fn no_list<'de, A: SeqAccess<'de>>(mut list: A, expected: &dyn Expected) -> A::Error {
    loop {
        match list.next_element::<IgnoredAny>() {
            Ok(Some(_)) => {}
            Ok(None) => return A::Error::invalid_type(Unexpected::Seq, expected),
            Err(problem) => return problem,
        }
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for OfMembers<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OfMembers(PhantomData)).map(Self)
    }
}

/// Reads an optional field that must not be null: for `deserialize_with`, together with `default`.
pub(crate) fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Reads an optional field that contains an object: for `deserialize_with`.
pub(crate) fn optional_object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|object| object.0))
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for AtMost<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut given: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while items.len() < self.limit {
            match given.next_element()? {
                Some(item) => items.push(item),
                None => return Ok(items),
            }
        }
        match given.next_element::<IgnoredAny>()? {
            Some(_) => Err(too_many(self.limit)),
            None => Ok(items),
        }
    }
}

impl<'de, T: Deserialize<'de>, const N: usize> Deserialize<'de> for Bounded<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(AtMost { limit: N, items: PhantomData }).map(Self)
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for AtMostMembers<K, V> {
    type Value = Vec<(K, V)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut given: A) -> Result<Vec<(K, V)>, A::Error> {
        let mut members = Vec::new();
        while members.len() < self.limit {
            match given.next_entry()? {
                Some(member) => members.push(member),
                None => return Ok(members),
            }
        }
        match given.next_entry::<IgnoredAny, IgnoredAny>()? {
            Some(_) => Err(too_many(self.limit)),
            None => Ok(members),
        }
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>, const N: usize> Deserialize<'de>
    for BoundedMap<K, V, N>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AtMostMembers { limit: N, members: PhantomData }).map(Self)
    }
}

impl<T: JsonSchema, const N: usize> JsonSchema for Bounded<T, N> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Vec::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Vec::<T>::json_schema(generator);
        schema.insert("maxItems".to_owned(), N.into());
        schema
    }
}

/// Checks the length of a text before it is used.
///
/// # Errors
/// Returns an error if the text is too long. The error names the field, its length and the limit.
pub(crate) fn at_most(field: &'static str, bytes: usize, limit: usize) -> Result<(), FieldError> {
    if bytes > limit {
        return Err(FieldError::new(field, format!("is {bytes} bytes long; the limit is {limit}")));
    }
    Ok(())
}

/// Checks a long body that contains a list of ids, before it is parsed. Everything except the ids
/// must be short, so that no error is long.
///
/// # Errors
/// Returns an error if a member is too long. The error names it, and the limit.
pub(crate) fn check_beside_ids(text: &str) -> Result<(), FieldError> {
    if text.len() <= MAX_SMALL_BODY_BYTES {
        return Ok(());
    }
    if !text.trim_ascii_start().starts_with('{') {
        return Err(FieldError::new("body", "must be a JSON object"));
    }
    let members: BoundedMap<Text<'_>, &RawValue, MAX_PATCH_MEMBERS> = serde_json::from_str(text)
        .map_err(|problem| unreadable("body".into(), &problem.to_string()))?;
    for (Text(name), value) in members.0 {
        at_most("body", name.len(), MAX_ERROR_FIELD_BYTES)?;
        if name != "ids" || !value.get().starts_with('[') {
            let bytes = value.get().len();
            if bytes > MAX_SMALL_BODY_BYTES {
                let detail = format!("is {bytes} bytes long; the limit is {MAX_SMALL_BODY_BYTES}");
                return Err(FieldError::new(name.into_owned(), detail));
            }
        }
    }
    Ok(())
}

/// Checks the ids of tasks in a body.
///
/// # Errors
/// Returns an error if an id is empty. The error names the first such id.
pub(crate) fn check_ids<const N: usize>(
    ids: Option<&Bounded<String, N>>,
) -> Result<(), FieldError> {
    match ids.and_then(|ids| ids.0.iter().position(String::is_empty)) {
        Some(at) => Err(FieldError::new(format!("ids[{at}]"), "is empty; give an id")),
        None => Ok(()),
    }
}

/// Checks how deep the objects and lists of a JSON text are nested.
///
/// # Errors
/// Returns an error if they are too deep. The error names the field and the limit.
pub(crate) fn check_nesting(field: &'static str, json: &str) -> Result<(), FieldError> {
    // Each level takes two bytes.
    if json.len() <= 2 * MAX_NESTING {
        return Ok(());
    }
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    if deepest > MAX_NESTING {
        let detail =
            format!("is {deepest} levels of objects and lists deep; the limit is {MAX_NESTING}");
        return Err(FieldError::new(field, detail));
    }
    Ok(())
}

/// Shortens a text that may repeat what a caller has sent, to at most `limit` bytes of JSON with
/// its escapes. The beginning and the end stay, and the middle becomes "…", because an error states
/// its problem before or after the value.
pub fn cut<'a>(text: impl Into<Cow<'a, str>>, limit: usize) -> Cow<'a, str> {
    let text = text.into();
    if within(text.chars(), limit) == text.len() {
        return text;
    }
    let end = limit / 4;
    let head = within(text.chars(), limit.saturating_sub(end + '…'.len_utf8()));
    let tail = text.len() - within(text.chars().rev(), end);
    Cow::Owned(format!(
        "{}…{}",
        text.get(..head).unwrap_or_default(),
        text.get(tail..).unwrap_or_default()
    ))
}

/// Quotes a text that may repeat what a caller has sent. Shortens it to at most `limit` bytes, as
/// [`cut`] does, and then states its length.
pub fn quoted(text: &str, limit: usize) -> Excerpt {
    Excerpt::shortened(text, cut(text, limit))
}

/// Returns the number of bytes of the first characters that take at most `limit` bytes in a JSON
/// text.
fn within(chars: impl Iterator<Item = char>, limit: usize) -> usize {
    let (mut bytes, mut left) = (0, limit);
    for char in chars {
        let written = match char {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '\0'..' ' => 6,
            _ => char.len_utf8(),
        };
        if written > left {
            break;
        }
        left -= written;
        bytes += char.len_utf8();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_up_to_its_limit() {
        let read = |text: &str| {
            serde_json::from_str::<Bounded<u8, 3>>(text).map_err(|problem| problem.to_string())
        };
        assert_eq!(read("[]"), Ok(Bounded(vec![])));
        assert_eq!(read("[1,2,3]"), Ok(Bounded(vec![1, 2, 3])));
        assert!(read("[1,2,3,4]").unwrap_err().starts_with("has more than 3 items"));
        // Items after the limit are not examined.
        assert!(read(r#"[1,2,3,"x",["#).unwrap_err().starts_with("has more than 3 items"));
        assert!(read("{}").unwrap_err().contains("a list"));
    }

    #[test]
    fn an_object_is_read_up_to_its_limit() {
        let read = |text: &str| {
            serde_json::from_str::<BoundedMap<String, u8, 2>>(text)
                .map_err(|problem| problem.to_string())
        };
        assert_eq!(
            read(r#"{"a":1,"a":2}"#),
            Ok(BoundedMap(vec![("a".to_owned(), 1), ("a".to_owned(), 2)]))
        );
        assert!(read(r#"{"a":1,"b":2,"c":3}"#).unwrap_err().starts_with("has more than 2 items"));
        assert!(read("[]").unwrap_err().contains("an object"));
    }

    #[test]
    fn levels_are_counted_outside_of_texts() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(check_nesting("payload", &nested(MAX_NESTING)), Ok(()));
        assert!(
            check_nesting("payload", &nested(MAX_NESTING + 1))
                .unwrap_err()
                .detail
                .contains("101 levels")
        );
        let objects =
            format!("{}1{}", r#"{"a":"#.repeat(MAX_NESTING + 1), "}".repeat(MAX_NESTING + 1));
        assert!(check_nesting("payload", &objects).is_err());
        assert_eq!(
            check_nesting("payload", &format!(r#"["{}\"["]"#, "[{".repeat(MAX_NESTING))),
            Ok(())
        );
        assert_eq!(check_nesting("payload", &format!("[{}]", vec!["[]"; 1_000].join(","))), Ok(()));
    }

    #[test]
    fn a_long_text_keeps_its_ends() {
        assert_eq!(cut("abc", 3), "abc");
        for (text, limit) in
            [("a".repeat(1_000), 100), ("é".repeat(1_000), 101), ("\u{10ffff}".repeat(1_000), 99)]
        {
            let text = format!("begin {text} end");
            let short = cut(text.as_str(), limit);
            assert!(
                short.len() <= limit && short.starts_with("begin") && short.ends_with(" end"),
                "{short}"
            );
        }
        assert!(cut("é".repeat(9), 3).len() <= 3);
    }

    #[test]
    fn the_length_of_a_cut_text_is_that_of_its_json() {
        let written = |text: &str| serde_json::to_string(text).unwrap().len() - 2;
        for text in (0..=0x7f).chain([0xe9, 0x2028, 0x10_ffff]).filter_map(char::from_u32) {
            for (count, limit) in [(1, 6), (100, 100), (100, 599), (1_000, 720), (16, 96)] {
                let text = text.to_string().repeat(count);
                let short = cut(text.as_str(), limit);
                assert!(written(&short) <= limit, "{short:?}");
                assert_eq!(short == text, written(&text) <= limit, "{text:?}");
                // The cut removes little more than necessary.
                assert!(short == text || written(&short) + 12 > limit, "{short:?}");
            }
        }
    }
}
