//! Compares whether two JSON texts have the same value.

use crate::input::{BoundedMap, Text};
use scheduler_calendar::ordered::sort_by_key;
use serde_json::value::RawValue;

/// Bounds what a comparison reads, as a multiple of the texts. Each nesting level whose text
/// differs is read once more.
const MAX_READS: usize = 32;

/// Returns whether two JSON texts have the same value. White space, escapes and the order of
/// members do not matter. Numbers are compared as they are written. Texts that differ at a very
/// deep level may count as different.
pub fn is_same_json(one: &str, other: &str) -> bool {
    is_same(one, other, &mut (MAX_READS * (one.len() + other.len())))
}

fn is_same(one: &str, other: &str, budget: &mut usize) -> bool {
    if one == other {
        return true;
    }
    let Some(left) = budget.checked_sub(one.len() + other.len()) else { return false };
    *budget = left;
    match (one.as_bytes().first(), other.as_bytes().first()) {
        (Some(b'{'), Some(b'{')) => {
            let (Some(one), Some(other)) = (members_of(one), members_of(other)) else {
                return false;
            };
            one.len() == other.len()
                && one.iter().zip(&other).all(|((name, value), (other_name, other))| {
                    name == other_name && is_same(value.get(), other.get(), budget)
                })
        }
        (Some(b'['), Some(b'[')) => {
            let read = serde_json::from_str::<Vec<&RawValue>>;
            let (Ok(one), Ok(other)) = (read(one), read(other)) else { return false };
            one.len() == other.len()
                && one
                    .iter()
                    .zip(&other)
                    .all(|(one, other)| is_same(one.get(), other.get(), budget))
        }
        (Some(b'"'), Some(b'"')) => {
            let read = serde_json::from_str::<Text<'_>>;
            matches!((read(one), read(other)), (Ok(one), Ok(other)) if one == other)
        }
        _ => false,
    }
}

/// Returns the members of an object, sorted by name. Members with the same name keep their order.
fn members_of(json: &str) -> Option<Vec<(Text<'_>, &RawValue)>> {
    let members = serde_json::from_str::<BoundedMap<Text<'_>, &RawValue, { usize::MAX }>>(json);
    let mut members = members.ok()?.0;
    sort_by_key(&mut members, |(name, _)| name.0.clone());
    Some(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn the_same_value_is_written_in_several_ways() {
        for (one, other) in [
            (r#"{"a":1,"b":[1,{"c":null}]}"#, "{ \"b\" : [ 1, { \"c\": null }],\n\"a\": 1 }"),
            (r#""\u0061\/""#, r#""a/""#),
            (r#"{"\u0061":1}"#, r#"{"a":1}"#),
            ("{}", "{ }"),
            ("[]", "[ ]"),
            (r#"{"k":1,"k":2}"#, r#"{"k":1, "k":2}"#),
        ] {
            assert!(is_same_json(one, other), "{one} and {other}");
        }
        for (one, other) in [
            ("1", "1.0"),
            ("12345678901234567890123", "12345678901234567890124"),
            ("1", "\"1\""),
            ("null", "{}"),
            ("[1,2]", "[2,1]"),
            ("[1]", "[1,1]"),
            (r#"{"a":1}"#, r#"{"a":1,"b":1}"#),
            (r#"{"a":1}"#, r#"{"b":1}"#),
            (r#"{"a":{"b":1}}"#, r#"{"a":{"b":2}}"#),
            (r#"{"k":1,"k":2}"#, r#"{"k":2,"k":1}"#),
            (r#"{"k":1,"k":2}"#, r#"{"k":2}"#),
            (r#""a""#, r#""b""#),
        ] {
            assert!(!is_same_json(one, other), "{one} and {other}");
        }
    }

    #[test]
    fn a_comparison_reads_a_bounded_number_of_bytes() {
        let nested = |space: &str| format!("{}{space}1{}", "[".repeat(50_000), "]".repeat(50_000));
        assert!(!is_same_json(&nested(""), &nested(" ")));
        assert!(is_same_json(&nested(""), &nested("")));
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            (0_u8..3).prop_map(Value::from),
            Just(Value::Null),
            "[a\"]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map("[ab]", inner, 0..3)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn equality_is_that_of_values(one in json(), other in json()) {
            let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
            prop_assert_eq!(is_same_json(&one.to_string(), &pretty(&other)), one == other);
            prop_assert!(is_same_json(&one.to_string(), &pretty(&one)));
        }
    }
}
