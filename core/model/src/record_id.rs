//! Reads the id of a record from its beginning.
//!
//! A record may have 116,000 bytes, and a shard may search thousands of records for an id.

use crate::words::plain_ascii;
use std::borrow::Cow;

/// The length of a record's beginning, in bytes. It has room for the time and an id of 256 bytes
/// with a few escapes.
pub const HEAD_BYTES: u32 = 512;

/// Returns the id of a whole record.
pub fn id_of_record(record: &[u8]) -> Option<Cow<'_, str>> {
    leading_id(record).or_else(|| id_in(record).ok().map(Cow::Owned))
}

/// Reads the id of a whole record with a JSON reader.
pub fn id_in(record: &[u8]) -> Result<String, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct IdOnly {
        id: String,
    }
    serde_json::from_slice::<IdOnly>(record).map(|read| read.id)
}

/// Returns the bytes of the id with which a record begins, if it is plain ASCII, as most ids are.
pub(crate) fn leading_ascii_id(record: &[u8]) -> Option<&[u8]> {
    let text = leading_quoted(record)?.get(1..)?;
    let end = plain_ascii(text);
    if text.get(end) == Some(&b'"') { text.get(..end) } else { None }
}

/// Returns the id at the beginning of a record, after its time. Returns `None` if the record begins
/// with anything else, or if the id does not end within these bytes.
pub fn leading_id(head: &[u8]) -> Option<Cow<'_, str>> {
    let quoted = leading_quoted(head)?;
    let text = quoted.get(1..)?;
    let first = memchr::memchr2(b'"', b'\\', text)?;
    if text.get(first) == Some(&b'"') {
        return std::str::from_utf8(text.get(..first)?).ok().map(Cow::Borrowed);
    }
    let mut is_escaped = false;
    let end = text.iter().position(|byte| {
        let ends = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    })?;
    serde_json::from_slice(quoted.get(..end + 2)?).ok().map(Cow::Owned)
}

/// Returns the part of a record from the quote at which its id begins. Returns `None` if the record
/// does not begin with a time and an id.
fn leading_quoted(head: &[u8]) -> Option<&[u8]> {
    let rest = head.strip_prefix(b"{")?;
    let rest = match rest.strip_prefix(b"\"time\":") {
        Some(time) => {
            let digits = time.iter().position(|byte| !byte.is_ascii_digit())?;
            time.get(digits..)?.strip_prefix(b",")?
        }
        None => rest,
    };
    rest.strip_prefix(b"\"id\":").filter(|quoted| quoted.first() == Some(&b'"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_from_the_beginning_or_not_at_all() {
        for (record, id) in [
            (r#"{"id":"a","cron":"* * * * *"}"#, Some("a")),
            (r#"{"time":1764000000000,"id":"a b","callback":{}}"#, Some("a b")),
            (r#"{"time":0,"id":"q\"\\","x":"y"}"#, Some("q\"\\")),
            (r#"{"time":0,"id":"\u00e9\\\\","x":"y"}"#, Some("é\\\\")),
            (r#"{"id":""}"#, Some("")),
            (r#"{"id":"cut o"#, None),
            (r#"{"id":"a\"#, None),
            (r#"{"time":17640"#, None),
            (r#"{"time":-5,"id":"a"}"#, None),
            (r#"{"cron":"id","id":"a"}"#, None),
            (r#"{"id":7}"#, None),
            ("", None),
        ] {
            assert_eq!(leading_id(record.as_bytes()).as_deref(), id, "{record}");
            let plain = id.filter(|_| !record.contains(r"\"));
            assert_eq!(leading_ascii_id(record.as_bytes()), plain.map(str::as_bytes), "{record}");
        }
    }

    #[test]
    fn the_id_from_the_beginning_is_that_of_the_record() {
        for id in ["a", "é\n\t", "\u{1}\u{7f}", "\\\\\"", "\\", "\u{1F600}", "x y/z"] {
            for time in ["", r#""time":5,"#] {
                let record = format!(
                    r#"{{{time}"id":{},"callback":{{"id":"other"}}}}"#,
                    serde_json::to_string(id).unwrap()
                );
                let read = leading_id(record.as_bytes());
                assert_eq!(read.as_deref(), Some(id));
                assert_eq!(id_in(record.as_bytes()).ok().as_deref(), read.as_deref());
                let plain = leading_ascii_id(record.as_bytes());
                assert_eq!(
                    plain,
                    Some(id.as_bytes()).filter(|id| id.is_ascii() && !record.contains('\\')),
                    "{record}"
                );
            }
        }
    }
}
