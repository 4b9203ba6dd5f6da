//! Sets of HTTP statuses, with which a task lists those that end its retries.

use crate::input::{no_list, quoted, whole_of};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

/// The statuses of failed answers.
const STATUSES: RangeInclusive<u16> = 300..=599;
/// The most entries of a list. A longer list cannot be useful.
const MAX_ENTRIES: usize = 100;
/// Statuses of the class 4xx that mean "not now" (RFC 9110, 8470 and 6585). The class does not
/// include them, but a list may name their numbers.
const NOT_NOW: [u16; 3] = [408, 425, 429];

/// HTTP statuses from 300 to 599. In a request, a list of numbers and classes: `[404, "5xx"]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusSet {
    /// A bit for each status, from 300 on.
    bits: [u64; 5],
}

impl StatusSet {
    /// Returns whether this status is in the set.
    pub fn contains(&self, status: u16) -> bool {
        place(status)
            .is_some_and(|(word, bit)| self.bits.get(word).is_some_and(|word| word & bit != 0))
    }

    fn insert(&mut self, status: u16) {
        if let Some((word, bit)) = place(status)
            && let Some(word) = self.bits.get_mut(word)
        {
            *word |= bit;
        }
    }

    fn insert_class(&mut self, class: &str) -> bool {
        let first = match class {
            "3xx" => 300,
            "4xx" => 400,
            "5xx" => 500,
            _ => return false,
        };
        (first..first + 100)
            .filter(|status| !NOT_NOW.contains(status))
            .for_each(|status| self.insert(status));
        true
    }
}

/// Returns the word and the mask of a status.
fn place(status: u16) -> Option<(usize, u64)> {
    let at = STATUSES.contains(&status).then(|| status - STATUSES.start())?;
    Some((usize::from(at / 64), 1 << (at % 64)))
}

const EXPECTED: &str = r#"a status from 300 to 599, or one of "3xx", "4xx" and "5xx""#;

/// An entry of the list.
enum Entry {
    Status(u16),
    Class(String),
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntryVisitor;
        impl<'de> Visitor<'de> for EntryVisitor {
            type Value = Entry;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(EXPECTED)
            }
            fn visit_u64<E: Error>(self, status: u64) -> Result<Entry, E> {
                match u16::try_from(status) {
                    Ok(status) if STATUSES.contains(&status) => Ok(Entry::Status(status)),
                    _ => Err(E::custom(format_args!("is {status}; must be {EXPECTED}"))),
                }
            }
            fn visit_f64<E: Error>(self, status: f64) -> Result<Entry, E> {
                match whole_of(status).and_then(|status| u64::try_from(status).ok()) {
                    Some(whole) => self.visit_u64(whole),
                    None => Err(E::custom(format_args!("is {status}; must be {EXPECTED}"))),
                }
            }
            fn visit_str<E: Error>(self, class: &str) -> Result<Entry, E> {
                if StatusSet::default().insert_class(class) {
                    Ok(Entry::Class(class.to_owned()))
                } else {
                    let class = quoted(class, 64);
                    Err(E::custom(format_args!("is {class}; must be {EXPECTED}")))
                }
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Entry, A::Error> {
                Err(no_list(list, &self))
            }
        }
        deserializer.deserialize_any(EntryVisitor)
    }
}

impl<'de> Deserialize<'de> for StatusSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SetVisitor;
        impl<'de> Visitor<'de> for SetVisitor {
            type Value = StatusSet;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of up to {MAX_ENTRIES}, each {EXPECTED}")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<StatusSet, A::Error> {
                let mut set = StatusSet::default();
                for count in 0.. {
                    match entries.next_element()? {
                        None => break,
                        Some(_) if count == MAX_ENTRIES => {
                            return Err(A::Error::custom(format_args!(
                                "has more than {MAX_ENTRIES} entries"
                            )));
                        }
                        Some(Entry::Status(status)) => set.insert(status),
                        Some(Entry::Class(class)) => {
                            set.insert_class(&class);
                        }
                    }
                }
                Ok(set)
            }
        }
        deserializer.deserialize_seq(SetVisitor)
    }
}

impl JsonSchema for StatusSet {
    fn schema_name() -> Cow<'static, str> {
        "StatusSet".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "maxItems": MAX_ENTRIES,
            "items": {
                "anyOf": [
                    { "type": "integer", "minimum": STATUSES.start(), "maximum": STATUSES.end() },
                    { "type": "string", "enum": ["3xx", "4xx", "5xx"] }
                ]
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> StatusSet {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn numbers_and_classes_are_in_the_set_and_nothing_else() {
        let given = set(r#"[300, 404, 599, "5xx"]"#);
        for status in 0..=u16::MAX {
            let expected = matches!(status, 300 | 404 | 500..=599);
            assert_eq!(given.contains(status), expected, "{status}");
        }
        assert!((0..1_000).all(|status| !set("[]").contains(status)));
    }

    #[test]
    fn a_class_does_not_include_statuses_that_mean_not_now() {
        let class = set(r#"["4xx"]"#);
        for status in 400..500 {
            assert_eq!(class.contains(status), !NOT_NOW.contains(&status), "{status}");
        }
        assert!(set(r#"["4xx", 429]"#).contains(429));
        assert!(set("[404.0]").contains(404));
    }

    #[test]
    fn an_error_lists_the_valid_statuses() {
        for (text, problem) in [
            ("[200]", "is 200; must be a status from 300 to 599"),
            ("[600]", "is 600"),
            ("[70000]", "is 70000"),
            ("[-1]", "expected a status from 300"),
            ("[404.5]", "is 404.5; must be a status from 300"),
            ("[-404.0]", "is -404; must be"),
            (r#"["2xx"]"#, r#"is "2xx"; must be"#),
            (r#"["404"]"#, r#"is "404"; must be"#),
            ("[[]]", "expected a status from 300"),
            ("404", "expected a list of up to 100"),
            (r#""4xx""#, "expected a list"),
            (&format!("[{}404]", "404,".repeat(100)), "has more than 100 entries"),
        ] {
            let found = serde_json::from_str::<StatusSet>(text).unwrap_err().to_string();
            assert!(found.contains(problem), "{text}: {found}");
        }
        assert!(set(&format!("[{}404]", "404,".repeat(99))).contains(404));
    }
}
