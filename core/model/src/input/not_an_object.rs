//! The error of another value in place of an object, with an object to write instead.

use crate::bounds::MAX_CALENDAR_NAME_BYTES;

/// The longest value that becomes part of the proposed object.
const MAX_REPEATED_BYTES: usize = 200;

/// Returns the problem of a field that must contain an object and contains a string, a number or a
/// list. `detail` is the reader's error in plain words. Returns `None` for any other error, and for
/// fields without a typical object.
pub(super) fn not_an_object(field: &str, detail: &str) -> Option<String> {
    let found = detail.strip_prefix("invalid type: ")?.strip_suffix(", expected an object")?;
    let kind = match found.split([' ', '`']).next()? {
        "string" => "a string",
        "integer" | "number" => "a number",
        "boolean" => "true or false",
        _ if found == "a list" => "a list",
        _ => return None,
    };
    let name = field.rsplit(['.', ']']).next().unwrap_or(field);
    Some(format!("is {kind}; write an object, such as {}", example(name, given(found))?))
}

/// Returns the string that was found, if it needs no escapes.
fn given(found: &str) -> Option<&str> {
    let text = found.strip_prefix("string \"")?.strip_suffix('"')?;
    let is_plain = !text.contains(['"', '\\']) && text.len() <= MAX_REPEATED_BYTES;
    is_plain.then_some(text)
}

/// Returns an object for the field with this name. Contains the value that was given, if it fits.
fn example(name: &str, given: Option<&str>) -> Option<String> {
    let webhook = |url: &str| format!(r#"{{"type":"webhook","url":"{url}"}}"#);
    let is_url = |text: &&str| ["https://", "http://"].iter().any(|start| text.starts_with(start));
    let is_calendar = |text: &&str| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        (1..=MAX_CALENDAR_NAME_BYTES).contains(&text.len()) && text.bytes().all(is_part)
    };
    let fixed = match name {
        "callback" | "onSuccess" | "onFailure" => {
            return Some(webhook(given.filter(is_url).unwrap_or("https://example.com/hook")));
        }
        "exclude" => {
            return Some(given.filter(is_calendar).map_or_else(
                || r#"{"dates":["2026-12-24"]}"#.to_owned(),
                |name| format!(r#"{{"calendars":["{name}"]}}"#),
            ));
        }
        "filter" => r#"{"prefix":"order-"}"#,
        "headers" => r#"{"X-Source":"scheduler"}"#,
        "misfire" => r#"{"policy":"skip"}"#,
        "quota" => r#"{"pendingTasks":10000}"#,
        "retry" => r#"{"maxAttempts":5}"#,
        _ => return None,
    };
    Some(fixed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_to_write_is_proposed() {
        let string = r#"invalid type: string "http://localhost:3000", expected an object"#;
        let host = r#"invalid type: string "localhost:3000", expected an object"#;
        let number = "invalid type: integer `3`, expected an object";
        let list = "invalid type: a list, expected an object";
        let calendar = r#"invalid type: string "de-holidays", expected an object"#;
        for (field, detail, problem) in [
            (
                "callback",
                string,
                r#"is a string; write an object, such as {"type":"webhook","url":"http://localhost:3000"}"#,
            ),
            (
                "tasks[2].onFailure",
                host,
                r#"is a string; write an object, such as {"type":"webhook","url":"https://example.com/hook"}"#,
            ),
            ("retry", number, r#"is a number; write an object, such as {"maxAttempts":5}"#),
            ("exclude", list, r#"is a list; write an object, such as {"dates":["2026-12-24"]}"#),
            (
                "exclude",
                calendar,
                r#"is a string; write an object, such as {"calendars":["de-holidays"]}"#,
            ),
        ] {
            assert_eq!(not_an_object(field, detail).as_deref(), Some(problem), "{field}");
        }
        for (field, detail) in [
            ("body", list),
            ("retry", "invalid type: integer `3`, expected a list"),
            ("retry", "invalid type: null, expected an object"),
        ] {
            assert_eq!(not_an_object(field, detail), None, "{field}: {detail}");
        }
    }
}
