//! Patterns of similar errors.

/// The longest pattern, in characters. A longer text says more about one failure than about its
/// kind.
const MAX_PATTERN_CHARS: usize = 200;
/// The least characters of a word with a digit that may be an id.
const LEAST_ID_CHARS: usize = 8;
/// The least characters of a word with a digit within it that is always an id. No word of a
/// language is so long and has one.
const LEAST_LONG_ID_CHARS: usize = 16;

/// Returns the pattern of an error: its text with `<n>` in place of each number and `<id>` in place
/// of each id, so that similar failures have the same pattern. The status after `HTTP` stays.
///
/// A word of at least eight characters is an id if it is a hexadecimal number, or if digits and
/// letters alternate in it. A long word is also an id if a letter follows a digit once. `-` and `_`
/// are parts of words.
pub fn pattern_of(error: &str) -> String {
    let mut pattern = String::with_capacity(error.len().min(4 * MAX_PATTERN_CHARS));
    let mut rest = error;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| is_word(c) != is_word(first)).unwrap_or(rest.len());
        let (part, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
        rest = behind;
        let has_number = is_word(first) && part.bytes().any(|byte| byte.is_ascii_digit());
        if !has_number || is_status(part) && pattern.ends_with("HTTP ") {
            pattern.push_str(part);
        } else if is_id(part) {
            pattern.push_str("<id>");
        } else {
            push_with_numbers(part, &mut pattern);
        }
    }
    // A number with one or more points, such as an address or a duration, is one number.
    while pattern.contains("<n>.<n>") {
        pattern = pattern.replace("<n>.<n>", "<n>");
    }
    if let Some((end, _)) = pattern.char_indices().nth(MAX_PATTERN_CHARS) {
        pattern.truncate(end);
        pattern.push('…');
    }
    pattern
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}

fn is_status(word: &str) -> bool {
    word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_id(word: &str) -> bool {
    let is_hex = || word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let has_letter = word.bytes().any(|byte| byte.is_ascii_alphabetic());
    let least_turns = if word.len() >= LEAST_LONG_ID_CHARS { 1 } else { 2 };
    has_letter && word.len() >= LEAST_ID_CHARS && (is_hex() || turns(word) >= least_turns)
}

/// Returns how often a letter follows a digit within a word. In ids they alternate; in names such
/// as `user-17` the digits are at the end.
fn turns(word: &str) -> usize {
    let bytes = word.as_bytes();
    let turns = bytes.windows(2).filter(|pair| match pair {
        [one, other] => one.is_ascii_digit() && other.is_ascii_alphabetic(),
        _ => false,
    });
    turns.count()
}

/// Appends a word, with `<n>` in place of each row of digits.
fn push_with_numbers(word: &str, pattern: &mut String) {
    let mut was_digit = false;
    for c in word.chars() {
        let is_digit = c.is_ascii_digit();
        if !is_digit {
            pattern.push(c);
        } else if !was_digit {
            pattern.push_str("<n>");
        }
        was_digit = is_digit;
    }
}

/// A text to search in errors: a part of them, in upper or lower case, or the pattern of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorText {
    /// The text in lower case.
    part: String,
    /// The pattern; `None` if the text is not a pattern.
    pattern: Option<String>,
}

impl ErrorText {
    /// Prepares a text.
    pub fn new(text: &str) -> Self {
        let is_pattern = text.contains("<n>") || text.contains("<id>") || text.ends_with('…');
        Self { part: text.to_lowercase(), pattern: is_pattern.then(|| text.to_owned()) }
    }

    /// Returns whether the text occurs in an error, or in its pattern.
    pub fn is_in(&self, error: &str) -> bool {
        contains_folded(error, &self.part)
            || self.pattern.as_ref().is_some_and(|pattern| pattern_of(error) == *pattern)
    }
}

/// Returns whether `text` contains `folded`, which must be in lower case.
fn contains_folded(text: &str, folded: &str) -> bool {
    if text.is_ascii() {
        let mut parts = text.as_bytes().windows(folded.len().max(1));
        return folded.is_empty() || parts.any(|part| part.eq_ignore_ascii_case(folded.as_bytes()));
    }
    text.to_lowercase().contains(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_errors_have_the_same_pattern() {
        for (error, pattern) in [
            ("HTTP 503 after 1203 ms", "HTTP 503 after <n> ms"),
            ("HTTP 503 after 988 ms", "HTTP 503 after <n> ms"),
            ("HTTP 404 after 988 ms", "HTTP 404 after <n> ms"),
            ("no answer in 30.5 s", "no answer in <n> s"),
            (
                "HTTP 500 from http://127.0.0.1:8790/orders/17/items: no",
                "HTTP 500 from http://<n>:<n>/orders/<n>/items: no",
            ),
            (
                "HTTP 500 from https://a.example/u/0198c0de-1234-7abc-8def-0123456789ab: no",
                "HTTP 500 from https://a.example/u/<id>: no",
            ),
            ("trace 4f2c9aa01b3d77e1 of user-17", "trace <id> of user-<n>"),
            ("request req_8Jk2mQ9xT4vB7nLp failed", "request <id> failed"),
            ("commit deadbeef1 and facade", "commit <id> and facade"),
            ("{\"id\":\"pa8wf8kgox\"}", "{\"id\":\"<id>\"}"),
            ("No such customer: cus_wteedpk3vHetAa", "No such customer: <id>"),
            ("id 01JF2Z8QK4T6V9W1X3Y5A7B9CD", "id <id>"),
            ("utf8-to-utf16 of user-17 on node12", "utf<n>-to-utf<n> of user-<n> on node<n>"),
            ("no digits at all", "no digits at all"),
            ("überall 7 Fehler", "überall <n> Fehler"),
            ("", ""),
        ] {
            assert_eq!(pattern_of(error), pattern, "{error}");
        }
    }

    #[test]
    fn a_pattern_is_bounded() {
        let pattern = pattern_of(&"é 7".repeat(1_000));
        assert_eq!(pattern.chars().count(), MAX_PATTERN_CHARS + 1);
        assert!(pattern.ends_with('…'));
    }

    #[test]
    fn an_error_is_found_in_upper_and_lower_case() {
        for (text, folded, is_found) in [
            ("Timeout", "timeout", true),
            ("a TIMEOUT b", "timeout", true),
            ("time", "timeout", false),
            ("", "x", false),
            ("x", "", true),
            ("GRÜSSE", "grüsse", true),
            ("abc", "é", false),
        ] {
            assert_eq!(contains_folded(text, folded), is_found, "{text} {folded}");
        }
    }

    #[test]
    fn a_pattern_finds_the_errors_of_its_group() {
        let errors = [
            "No such customer: cus_8a7bd6c5e",
            "No such customer: cus_1b2c3d4e5",
            "No such order: 7",
        ];
        let found = |text: &str| {
            let text = ErrorText::new(text);
            errors.map(|error| text.is_in(error))
        };
        assert_eq!(found(&pattern_of(errors[0])), [true, true, false]);
        assert_eq!(found("no SUCH"), [true; 3]);
        assert_eq!(found("No such order: <n>"), [false, false, true]);
        assert_eq!(found("order: <n>"), [false; 3]);
        let long = "é 7".repeat(1_000);
        assert!(ErrorText::new(&pattern_of(&long)).is_in(&long));
    }
}
