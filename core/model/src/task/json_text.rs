//! Writers of JSON text.

use crate::words::needs_escape;
use serde::Serialize;

/// Appends a value as JSON.
pub(super) fn write_json(value: impl Serialize, out: &mut Vec<u8>) {
    // Numbers, strings and local times can always be written as JSON, and a vector accepts all
    // bytes.
    let written = serde_json::to_writer(out, &value);
    debug_assert!(written.is_ok(), "a value cannot be encoded: {written:?}");
}

/// Appends `text` as a JSON string. Most texts need no escape, so they are searched for one eight
/// bytes at a time.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    if needs_escape(text.as_bytes()) {
        return write_json(text, out);
    }
    out.reserve(text.len() + 2);
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Writes an object with these members.
pub(super) fn write_object<'a>(
    members: impl Iterator<Item = (&'a str, &'a str)>,
    out: &mut Vec<u8>,
) {
    let mut before = b'{';
    for (name, value) in members {
        out.push(before);
        write_text(name, out);
        out.push(b':');
        out.extend_from_slice(value.as_bytes());
        before = b',';
    }
    if before == b'{' {
        out.push(before);
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_as_the_general_serializer_writes_them() {
        for special in
            ['"', '\\', '\n', '\0', '\u{1f}', ' ', '~', '\u{7f}', '\u{80}', 'ä', '\u{2028}', '😀']
        {
            for before in 0..10 {
                for after in 0..10 {
                    let text = format!("{}{special}{}", "a".repeat(before), "z".repeat(after));
                    let mut out = Vec::new();
                    write_text(&text, &mut out);
                    assert_eq!(
                        String::from_utf8(out).unwrap(),
                        serde_json::to_string(&text).unwrap()
                    );
                }
            }
        }
    }
}
