//! What like errors have in common.

/// Longest pattern, characters: what follows tells more of one failure than of its kind.
const MAX_PATTERN_CHARS: usize = 200;
/// Words of so many characters with a digit among them are ids.
const LEAST_ID_CHARS: usize = 16;
/// Words of so many characters with a digit among them are ids if all are hexadecimal digits.
const LEAST_HEX_CHARS: usize = 8;

/// Returns the pattern of an error: its text, in which `<n>` stands for each number and `<id>` for
/// each id, so that like failures have the same one. The status behind `HTTP` stays.
///
/// A word that has a digit and is long, or is hexadecimal and not short, is an id. `-` and `_` are
/// parts of words.
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
    // A number with a point or several, such as an address or a duration, is one.
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
    has_letter
        && (word.len() >= LEAST_ID_CHARS && is_mixed(word)
            || word.len() >= LEAST_HEX_CHARS && is_hex())
}

/// Returns whether digits and letters take turns within a word, as in ids, and not only at its end.
fn is_mixed(word: &str) -> bool {
    let bytes = word.as_bytes();
    let turns = bytes.windows(2).filter(|pair| match pair {
        [one, other] => one.is_ascii_digit() && other.is_ascii_alphabetic(),
        _ => false,
    });
    turns.count() >= 2
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_errors_have_one_pattern_and_others_another() {
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
}
