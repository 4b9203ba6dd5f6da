//! Translates the messages of the JSON reader into terms of JSON.

use std::borrow::Cow;

/// The text after which a message states what was expected.
const EXPECTED: &str = ", expected ";

/// Rewrites a message of the JSON reader so that it names types as JSON does, not as Rust does.
/// Keeps what it repeats of the request.
pub(crate) fn in_plain_words(message: &str) -> String {
    let (found, rest) = message.rsplit_once(EXPECTED).unwrap_or((message, ""));
    let found = [
        ("invalid type: map", "invalid type: an object"),
        ("invalid type: sequence", "invalid type: a list"),
        ("invalid type: floating point", "invalid type: number"),
        ("invalid value: floating point", "invalid value: number"),
        ("unknown variant", "unknown value"),
        ("EOF while parsing", "it ends within"),
        ("expected ident", "expected a value"),
    ]
    .into_iter()
    .find_map(|(rust, plain)| Some(Cow::Owned(format!("{plain}{}", found.strip_prefix(rust)?))))
    .unwrap_or(Cow::Borrowed(found));
    if rest.is_empty() {
        return found.into_owned();
    }
    let (what, place) = rest.split_at(rest.rfind(" at line ").unwrap_or(rest.len()));
    let what = match what {
        "f32" | "f64" => "a number",
        "i8" | "i16" | "i32" | "i64" | "isize" | "u8" | "u16" | "u32" | "u64" | "usize" => {
            "a whole number"
        }
        "a map" => "an object",
        "a sequence" => "a list",
        "a boolean" => "true or false",
        "unit" => "null",
        "string or map" => "a string",
        _ if what.starts_with("struct ") => "an object",
        _ => what,
    };
    format!("{found}{EXPECTED}{what}{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_as_in_json_and_values_stay() {
        for (message, plain) in [
            (
                "invalid type: string \"x\", expected f64 at line 1 column 8",
                "invalid type: string \"x\", expected a number at line 1 column 8",
            ),
            (
                "invalid type: map, expected u32 at line 1 column 8",
                "invalid type: an object, expected a whole number at line 1 column 8",
            ),
            (
                "invalid type: sequence, expected a boolean",
                "invalid type: a list, expected true or false",
            ),
            (
                "invalid type: floating point `1.5`, expected a map",
                "invalid type: number `1.5`, expected an object",
            ),
            (
                "invalid length 1, expected struct Input with 7 elements at line 1 column 3",
                "invalid length 1, expected an object at line 1 column 3",
            ),
            (
                "unknown variant `a, expected f64`, expected `b` or `c`",
                "unknown value `a, expected f64`, expected `b` or `c`",
            ),
            (
                "EOF while parsing a value at line 1 column 0",
                "it ends within a value at line 1 column 0",
            ),
            ("expected ident at line 1 column 2", "expected a value at line 1 column 2"),
            (
                "invalid type: string \"a, expected f64\", expected a string",
                "invalid type: string \"a, expected f64\", expected a string",
            ),
        ] {
            assert_eq!(in_plain_words(message), plain);
        }
    }
}
