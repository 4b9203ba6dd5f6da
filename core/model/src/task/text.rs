//! JSON text as a record holds it: without line breaks, and with whole numbers as integers.

use super::json_text::write_object;
use crate::input::{BoundedMap, Text, whole_of};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Returns JSON text on one line, so that records can be joined to lines. If it has a line break,
/// all white space between tokens is dropped. `json` must be valid JSON.
pub(crate) fn on_one_line(json: &str) -> Cow<'_, str> {
    if memchr::memchr2(b'\n', b'\r', json.as_bytes()).is_none() {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if matches!(c, ' ' | '\t' | '\n' | '\r') {
            continue;
        } else {
            in_string = c == '"';
        }
        out.push(c);
    }
    Cow::Owned(out)
}

/// Returns JSON text in which floats without a fraction are written as integers, because some
/// languages write each number as a float. The member `body` of the object stays as it is. `json`
/// must be valid JSON.
pub(crate) fn with_whole_numbers(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let may_be_float =
        |pair: &[u8]| matches!(pair, [digit, b'.' | b'e' | b'E'] if digit.is_ascii_digit());
    if !bytes.windows(2).any(may_be_float) {
        return Cow::Borrowed(json);
    }
    let mut out = String::new();
    let (mut at, mut written, mut depth) = (0, 0, 0_usize);
    let (mut last_string, mut in_body) = ("", false);
    while let Some(byte) = bytes.get(at) {
        let rest = json.get(at..).unwrap_or_default();
        let token = match byte {
            b'"' => {
                last_string = string_at(rest);
                last_string
            }
            b'-' | b'0'..=b'9' => rest
                .split(|c| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'))
                .next()
                .unwrap_or_default(),
            _ => "",
        };
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b':' if depth == 1 => in_body = last_string == "\"body\"",
            b',' if depth == 1 => in_body = false,
            b'-' | b'0'..=b'9' if !in_body && token.contains(['.', 'e', 'E']) => {
                if let Some(whole) = token.parse().ok().and_then(whole_of) {
                    out.push_str(json.get(written..at).unwrap_or_default());
                    out.push_str(&whole.to_string());
                    written = at + token.len();
                }
            }
            _ => {}
        }
        // A step of one byte may end within a character. The rest of the character matches none of
        // the bytes above.
        at += token.len().max(1);
    }
    out.push_str(json.get(written..).unwrap_or_default());
    Cow::Owned(out)
}

/// Returns JSON text of an object without its members that are null. Objects within it stay as they
/// are. `json` must be valid JSON.
pub(crate) fn without_nulls(json: &str) -> Cow<'_, str> {
    if memchr::memmem::find(json.as_bytes(), b"null").is_none() {
        return Cow::Borrowed(json);
    }
    type Members<'a> = BoundedMap<Text<'a>, &'a RawValue, { usize::MAX }>;
    let Ok(BoundedMap(members)) = serde_json::from_str::<Members<'_>>(json) else {
        return Cow::Borrowed(json);
    };
    let is_null = |value: &RawValue| value.get() == "null";
    if !members.iter().any(|(_, value)| is_null(value)) {
        return Cow::Borrowed(json);
    }
    let kept = members.iter().filter(|(_, value)| !is_null(value));
    let mut out = Vec::with_capacity(json.len());
    write_object(kept.map(|(name, value)| (name.0.as_ref(), value.get())), &mut out);
    // It is made of texts only.
    String::from_utf8(out).map_or(Cow::Borrowed(json), Cow::Owned)
}

/// Returns whether a record can hold a JSON text unchanged: it is on one line, and
/// [`with_whole_numbers`] and [`without_nulls`] change nothing.
pub(crate) fn is_as_stored(json: &str) -> bool {
    let written = (on_one_line(json), with_whole_numbers(json), without_nulls(json));
    matches!(written, (Cow::Borrowed(_), Cow::Borrowed(_), Cow::Borrowed(_)))
}

/// Returns the string at the start of a JSON text, with its quotes.
fn string_at(json: &str) -> &str {
    let mut escaped = false;
    let end = json.bytes().skip(1).position(|byte| {
        let is_end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        is_end
    });
    end.and_then(|end| json.get(..end + 2)).unwrap_or(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_written_as_such_outside_of_strings_and_bodies() {
        for (json, written) in [
            (
                r#"{"maxAttempts":5.0,"factor":1.5,"permanentStatuses":[404.0, 5e2,"5.0"]}"#,
                r#"{"maxAttempts":5,"factor":1.5,"permanentStatuses":[404, 500,"5.0"]}"#,
            ),
            (
                r#"{"url":"https://v1.example/5.0","timeoutSeconds" : 30.0}"#,
                r#"{"url":"https://v1.example/5.0","timeoutSeconds" : 30}"#,
            ),
            (
                r#"{"body":{"a":[5.0,"\"",{"body":1.0}]},"timeoutSeconds":3.00}"#,
                r#"{"body":{"a":[5.0,"\"",{"body":1.0}]},"timeoutSeconds":3}"#,
            ),
            (r#"{"body":5.0}"#, r#"{"body":5.0}"#),
            (r#"{"name":"body","timeoutSeconds":1E1}"#, r#"{"name":"body","timeoutSeconds":10}"#),
            (
                r#"{"a":"ä1.0","b":-2.0,"c":1e300,"d":0.5e0}"#,
                r#"{"a":"ä1.0","b":-2,"c":1e300,"d":0.5e0}"#,
            ),
            (r#"{"a\":1.5":"\\","timeoutSeconds":1.0}"#, r#"{"a\":1.5":"\\","timeoutSeconds":1}"#),
        ] {
            assert_eq!(with_whole_numbers(json), written);
            assert_eq!(with_whole_numbers(written), written, "once is enough");
        }
    }

    #[test]
    fn members_of_null_go_and_those_within_stay() {
        for (json, written) in [
            (
                r#"{"headers":null,"body":{"a":null},"url":"null"}"#,
                r#"{"body":{"a":null},"url":"null"}"#,
            ),
            (r#"{"maxAttempts": null}"#, "{}"),
            (r#"{"type":"handler","name":"null"}"#, r#"{"type":"handler","name":"null"}"#),
            (r#"{"body":[null]}"#, r#"{"body":[null]}"#),
        ] {
            assert_eq!(without_nulls(json), written);
            assert_eq!(is_as_stored(json), json == written);
        }
    }

    #[test]
    fn line_breaks_go_and_strings_stay() {
        assert_eq!(on_one_line("{ \"a\": 1 }"), "{ \"a\": 1 }");
        assert_eq!(on_one_line("{\n \"a b\\\" \\\\\": [1,\r\n\t2]\n}"), r#"{"a b\" \\":[1,2]}"#);
    }
}
