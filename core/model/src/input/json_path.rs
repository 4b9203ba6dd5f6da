//! Finds the path of the field at which a reader of JSON has stopped.

use crate::bounds::MAX_NESTING;
use std::fmt::Write as _;

/// The object or list that contains a value.
enum Holder<'a> {
    /// An object, with the name of the member that was read last, as it is written.
    Object { member: Option<&'a str> },
    /// A list, with the index of the item that was read last.
    List { item: usize },
}

/// Returns the path of the value at which the reader of `json` has met `problem`, such as
/// `callback.headers.a` or `tags[3]`. An empty path means the whole text. A name with escapes keeps
/// them. Beyond a depth of [`MAX_NESTING`], the path names the object or list at that depth.
///
/// A reader that follows the path while it reads would be compiled again for every type.
pub(super) fn path_of(problem: &serde_json::Error, json: &str) -> String {
    let end = offset(json, problem);
    // A syntax error is reported after the first byte of the invalid value.
    let has_opened =
        problem.is_syntax() && json.get(..end).is_some_and(|read| read.ends_with(['[', '{']));
    written(&holders_at(json, end - usize::from(has_opened)))
}

/// Returns the path of the list or object with an item too many, at which the reader of `json` has
/// met `problem`.
pub(super) fn path_of_holder(problem: &serde_json::Error, json: &str) -> String {
    let end = offset(json, problem);
    let mut holders = holders_at(json, end);
    // The reader has looked for the end of the list or object. If the end has not come, the
    // innermost one is still open.
    let has_ended = json.get(..end).unwrap_or(json).trim_ascii_end().ends_with([']', '}']);
    if !has_ended {
        holders.pop();
    }
    written(&holders)
}

/// Returns how many bytes the reader had read when it met `problem`.
fn offset(json: &str, problem: &serde_json::Error) -> usize {
    let lines_before = json.split_inclusive('\n').take(problem.line().saturating_sub(1));
    lines_before.map(str::len).sum::<usize>() + problem.column()
}

/// Returns the objects and lists that are open after the first `end` bytes of a JSON text,
/// outermost first.
fn holders_at(json: &str, end: usize) -> Vec<Holder<'_>> {
    let mut holders: Vec<Holder<'_>> = Vec::new();
    // The number of open ones that are too deep for the path.
    let mut deeper = 0_usize;
    let mut string_start = None;
    let mut escaped = false;
    let mut expects_name = false;
    for (at, byte) in json.bytes().enumerate().take(end) {
        if let Some(start) = string_start {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    string_start = None;
                    if deeper == 0
                        && expects_name
                        && let Some(Holder::Object { member }) = holders.last_mut()
                    {
                        *member = json.get(start..at);
                        expects_name = false;
                    }
                }
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => string_start = Some(at + 1),
            b'{' | b'[' if deeper > 0 || holders.len() == MAX_NESTING => deeper += 1,
            b'}' | b']' if deeper > 0 => deeper -= 1,
            b'{' => {
                holders.push(Holder::Object { member: None });
                expects_name = true;
            }
            b'[' => holders.push(Holder::List { item: 0 }),
            b'}' | b']' => {
                holders.pop();
                expects_name = false;
            }
            b',' if deeper == 0 => match holders.last_mut() {
                Some(Holder::Object { member }) => {
                    *member = None;
                    expects_name = true;
                }
                Some(Holder::List { item }) => *item += 1,
                None => {}
            },
            _ => {}
        }
    }
    holders
}

fn written(holders: &[Holder<'_>]) -> String {
    let mut path = String::new();
    for holder in holders {
        match holder {
            Holder::Object { member: Some(name) } if path.is_empty() => path.push_str(name),
            Holder::Object { member: Some(name) } => _ = write!(path, ".{name}"),
            Holder::Object { member: None } => {}
            Holder::List { item } => _ = write!(path, "[{item}]"),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Bounded;
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::Value;
    use std::collections::BTreeMap;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "it is only read into")]
    struct Outer {
        number: Option<u8>,
        list: Option<Vec<Option<Inner>>>,
        map: Option<BTreeMap<String, Inner>>,
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "it is only read into")]
    struct Inner {
        number: u8,
        text: Option<String>,
        numbers: Option<Vec<u8>>,
        inner: Option<Box<Inner>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum Kind {
        One,
        Two,
    }

    fn path<T: for<'de> Deserialize<'de> + std::fmt::Debug>(json: &str) -> String {
        path_of(&serde_json::from_str::<T>(json).unwrap_err(), json)
    }

    #[test]
    fn a_path_names_the_invalid_value() {
        for (json, expected) in [
            (r#"{"number":"1"}"#, "number"),
            (r#"{"number":300}"#, "number"),
            (r#"{"number" : {"a":[1]}}"#, "number"),
            (
                r#"{"list":[null,{"number":1},{"number":1,"numbers":[1,2,"x"]}]}"#,
                "list[2].numbers[2]",
            ),
            ("{\n  \"list\": [\n    {\"text\": \"a\"}\n  ]\n}", "list[0]"),
            (r#"{"map":{"a,{[\"b":{"number":1},"c":{"number":true}}}"#, "map.c.number"),
            (r#"{"kind":"three"}"#, "kind"),
            (r#"{"other":1}"#, "other"),
            (r#"{"number":1,"number":2}"#, "number"),
            (r#"{"number":1,}"#, ""),
            (r#"{"list":[1"#, "list[0]"),
            (r#"{"map":{"a":{"number":tru"#, "map.a.number"),
            ("[1]", ""),
            (r#"{"kind":[]}"#, "kind"),
            ("", ""),
        ] {
            assert_eq!(path::<Outer>(json), expected, "{json}");
        }
    }

    #[test]
    fn a_list_that_is_too_long_is_named_itself() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "it is only read into")]
        struct Lists {
            tags: Bounded<Value, 2>,
            lists: Vec<Bounded<Value, 2>>,
        }
        for (json, expected) in [
            (r#"{"tags":[1,2,3]}"#, "tags"),
            (r#"{"tags":[1,2,3 , 4]}"#, "tags"),
            (r#"{"tags":[[],{},[1,2]]}"#, "tags"),
            (r#"{"tags":[[],{},{"a":1},3]}"#, "tags"),
            (r#"{"tags":[],"lists":[[],[1],[1,2,3]]}"#, "lists[2]"),
            (r#"{"tags":[],"lists":[[],[1],[1,2,3,4]]}"#, "lists[2]"),
        ] {
            let problem = serde_json::from_str::<Lists>(json).unwrap_err();
            assert_eq!(path_of_holder(&problem, json), expected, "{json}");
        }
    }

    #[test]
    fn a_deeply_nested_value_is_named_by_an_outer_list() {
        let json = format!("{}{}", "[".repeat(100_000), r#"{"a":1,"b":[2,3],"#);
        let holders = holders_at(&json, json.len());
        assert_eq!(holders.len(), MAX_NESTING);
        assert_eq!(written(&holders), "[0]".repeat(MAX_NESTING));
    }

    /// Generates JSON that is like an [`Outer`], with some wrong types and names.
    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            4 => (0_u64..300).prop_map(Value::from),
            2 => Just(Value::Null),
            1 => "[a-z\"\\\\{,]{0,3}".prop_map(Value::from),
            1 => Just(Value::Bool(true)),
        ];
        let name = prop_oneof![8 => "number|text|numbers|inner|list|map", 1 => "[a-z{\\[,]{1,3}"];
        leaf.prop_recursive(5, 40, 5, move |inner| {
            prop_oneof![
                1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                3 => proptest::collection::btree_map(name.clone(), inner, 0..4).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        /// A reader that follows the path while it reads finds the same path.
        #[test]
        fn a_path_is_the_one_that_a_reader_follows(json in json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) }.unwrap();
            let plain = serde_json::from_str::<Outer>(&text);
            let mut reader = serde_json::Deserializer::from_str(&text);
            let followed = serde_path_to_error::deserialize::<_, Outer>(&mut reader);
            match (plain, followed) {
                (Ok(_), Ok(_)) => {}
                (Err(plain), Err(followed)) => {
                    let expected = followed.path().to_string();
                    prop_assert_eq!(path_of(&plain, &text), if expected == "." { "" } else { &expected }, "{}", text);
                }
                (plain, followed) => prop_assert!(false, "{plain:?} and {followed:?}"),
            }
        }
    }
}
