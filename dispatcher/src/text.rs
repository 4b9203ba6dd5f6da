//! Formats texts for headers, errors and the log.

use scheduler_model::protocol::MAX_EXCERPT_BYTES;
use serde::Serialize;
use std::fmt::Write;

/// The longest part of a URL that an error shows, in bytes.
const SHOWN_URL_BYTES: usize = 200;
/// The longest part of a payload that the log shows, in bytes.
const SHOWN_PAYLOAD_BYTES: usize = 1_024;

/// Returns `text` in a form that a header can carry, and that differs for different texts.
/// Everything but visible ASCII is percent-encoded, and so is `%`. Spaces are encoded too, because
/// a header loses spaces at its ends.
pub(crate) fn header_value(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Returns `text` for a header that people read: one line of at most [`MAX_EXCERPT_BYTES`], with
/// `?` for each character that is not ASCII.
pub(crate) fn ascii_line(text: &str) -> String {
    let ascii: String = text
        .chars()
        .take(MAX_EXCERPT_BYTES)
        .map(|c| match c {
            c if c.is_ascii_control() => ' ',
            c if c.is_ascii() => c,
            _ => '?',
        })
        .collect();
    ascii.trim().to_owned()
}

/// Returns the part of a URL that an error and the log may show. It omits the query and the
/// fragment, because they may hold secrets.
pub(crate) fn shown_url(url: &str) -> &str {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    cut(url.get(..end).unwrap_or(url), SHOWN_URL_BYTES)
}

/// Returns the longest prefix of `text` with at most `bytes` bytes.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

/// Returns the start of an answer's body as one line for people. Each character that is not visible
/// becomes a space, and several spaces become one. A character that is cut at the end is omitted.
/// The result is at most as long as `bytes`, and at most [`MAX_EXCERPT_BYTES`].
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let bytes = bytes.get(..MAX_EXCERPT_BYTES).unwrap_or(bytes);
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for word in chunk
            .valid()
            .split(|c: char| c.is_whitespace() || c.is_control() || is_invisible(c))
            .filter(|word| !word.is_empty())
        {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
        }
    }
    // A space in place of a stray byte may have made the text longer than the bytes.
    cut(&out, MAX_EXCERPT_BYTES).to_owned()
}

/// Returns whether a character is invisible but moves or hides its neighbors.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffd}')
}

/// Returns a firing as one line of JSON, which the platform's log search can parse. The payload is
/// a string with its JSON text, cut to its limit.
pub(crate) fn log_line(
    id: &str,
    time: i64,
    stage: Option<&str>,
    attempt: u32,
    payload: &str,
) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        // Tools for JSON logs use these two fields.
        level: &'static str,
        message: &'static str,
        id: &'a str,
        time: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        stage: Option<&'a str>,
        attempt: u32,
        payload: &'a str,
    }
    let line = Line {
        level: "info",
        message: "task fired",
        id,
        time,
        stage,
        attempt,
        payload: cut(payload, SHOWN_PAYLOAD_BYTES),
    };
    // Strings and numbers can always be serialized.
    serde_json::to_string(&line).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_carry_any_id() {
        for (text, header) in [
            ("order-7@1764000000000", "order-7@1764000000000"),
            ("a b@5", "a%20b@5"),
            ("100%@5", "100%25@5"),
            ("100%25@5", "100%2525@5"),
            ("späť@5", "sp%C3%A4%C5%A5@5"),
            ("{a}/?\"@5", "{a}/?\"@5"),
            ("a\r\nb", "a%0D%0Ab"),
        ] {
            assert_eq!(header_value(text), header);
        }
    }

    #[test]
    fn an_error_for_a_header_is_one_short_line() {
        assert_eq!(ascii_line(" HTTP 503:\r\nsp\u{e4}t\0"), "HTTP 503:  sp?t");
        assert_eq!(ascii_line(&"\u{e4}".repeat(9_999)).len(), MAX_EXCERPT_BYTES);
    }

    #[test]
    fn a_shown_url_has_no_query_and_is_cut() {
        assert_eq!(shown_url("https://a.example/x?key=1#y"), "https://a.example/x");
        assert_eq!(shown_url("https://a.example/x#y?z"), "https://a.example/x");
        assert_eq!(shown_url(&format!("https://a.example/{}", "ä".repeat(500))).len(), 200);
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut("aä", 2), "a");
        assert_eq!(cut("aä", 3), "aä");
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn an_excerpt_is_one_line_of_visible_text() {
        for (bytes, expected) in [
            (&b""[..], ""),
            (b"  busy\r\n\ttry later\0 ", "busy try later"),
            (b"{\"error\": \"no\"}", "{\"error\": \"no\"}"),
            (b"\x1b[31mred\x1b[0m", "[31mred [0m"),
            (b"a\xffb\xfe\xfd", "a b"),
            ("sp\u{e4}t \u{202e}x\u{feff}".as_bytes(), "sp\u{e4}t x"),
            (b"cut \xe2\x82", "cut"),
            (b"\xff\xff\xff", ""),
        ] {
            assert_eq!(excerpt(bytes), expected, "{bytes:?}");
        }
        assert_eq!(excerpt(&[b'x'; 1_000]), "x".repeat(MAX_EXCERPT_BYTES));
        assert_eq!(
            excerpt("\u{e4}".repeat(500).as_bytes()),
            "\u{e4}".repeat(MAX_EXCERPT_BYTES / 2)
        );
        for byte in 0..=255 {
            assert!(excerpt(&[b'a', byte, byte, b'b'].repeat(100)).len() <= MAX_EXCERPT_BYTES);
        }
    }

    #[test]
    fn the_log_is_one_line_with_a_bounded_payload() {
        let line = log_line("a\"b", 5, None, 2, "{\n\"n\": 1}");
        assert_eq!(
            line,
            r#"{"level":"info","message":"task fired","id":"a\"b","time":5,"attempt":2,"payload":"{\n\"n\": 1}"}"#
        );
        assert!(log_line("a", 5, Some("onSuccess"), 1, &"x".repeat(60_000)).len() < 1_200);
    }
}
