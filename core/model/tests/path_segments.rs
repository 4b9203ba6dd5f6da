//! Every accepted name survives in a path: percent-encoded as one segment, parsed by the parser of
//! the URL standard, and decoded.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of the test functions that clippy excepts by itself"
)]

use proptest::prelude::*;
use scheduler_model::access::KeyId;
use scheduler_model::ids::check_task_id;
use scheduler_model::limit::check_limit_key;
use scheduler_model::namespace::Namespace;
use url::Url;

/// The bytes that JavaScript's `encodeURIComponent` does not encode.
const UNRESERVED: &[u8] = b"-_.!~*'()";

/// Percent-encodes a name as a client does: everything, or what `encodeURIComponent` encodes.
fn encoded(name: &str, everything: bool) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || !everything && UNRESERVED.contains(&byte);
    name.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn decoded(segment: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), segment.as_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let digits = std::str::from_utf8(&rest[..2]).unwrap();
            out.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &rest[2..];
        } else {
            out.push(byte);
        }
    }
    out
}

/// Returns whether the name survives at the end of a path and before a verb.
fn survives(name: &str) -> bool {
    [true, false].into_iter().all(|everything| {
        let segment = encoded(name, everything);
        let comes_back = |path: String, before: &str, after: &str| {
            let url = Url::parse(&format!("https://scheduler.example{path}")).unwrap();
            let found = url.path().strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            found.is_some_and(|found| decoded(found) == name.as_bytes())
        };
        comes_back(format!("/v1/tasks/{segment}"), "/v1/tasks/", "")
            && comes_back(format!("/v1/tasks/{segment}/runs"), "/v1/tasks/", "/runs")
    })
}

fn is_accepted(name: &str) -> bool {
    check_task_id(name).is_ok()
        || check_limit_key("limitKey", name).is_ok()
        || name.parse::<Namespace>().is_ok()
        || KeyId::parse(name).is_some()
}

/// Generates texts from the special parts of paths.
fn path_like() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        ".", "..", "/", "\\", "%2e", "%2E", "%", "?", "#", " ", "+", ";", ":", "@", "a",
        "\u{3002}", "\u{e9}", "\u{200b}", "\u{feff}", "\t",
    ]);
    prop::collection::vec(part, 1..5).prop_map(|parts| parts.concat())
}

#[test]
fn dot_segments_are_refused_and_nothing_near_them() {
    for name in [".", ".."] {
        assert!(!is_accepted(name) && !survives(name), "{name}");
    }
    for name in ["...", "%2e", "%2E%2e", "a.", ".a", "./", "/..", " .", "\u{3002}"] {
        assert!(
            check_task_id(name).is_ok()
                && check_limit_key("limitKey", name).is_ok()
                && survives(name),
            "{name}"
        );
    }
}

proptest! {
    #[test]
    fn an_accepted_name_survives_a_path(name in prop_oneof![any::<String>(), path_like()]) {
        if is_accepted(&name) {
            prop_assert!(survives(&name), "{name:?}");
        }
    }

    /// Nothing else is refused: a name that survives, is short enough and has no control characters
    /// is accepted.
    #[test]
    fn a_name_that_survives_is_accepted(name in path_like()) {
        let is_plain = name.len() <= 128 && !name.chars().any(char::is_control);
        prop_assert_eq!(check_task_id(&name).is_ok(), is_plain && survives(&name), "{:?}", name);
    }
}
