//! What an error repeats of a text that somebody else wrote.

use std::borrow::Cow;
use std::fmt;

/// The most characters that [`Excerpt::of`] shows.
const SHOWN_CHARS: usize = 40;

/// A text as an error quotes it. If only a part is shown, the excerpt marks the place with "…" and
/// ends with the length of the whole text, because a part may look like another valid value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    shown: String,
    /// The number of characters of the whole text, if only a part is shown.
    whole: Option<usize>,
}

impl Excerpt {
    /// Returns an excerpt with the first characters of a text.
    pub fn of(text: &str) -> Self {
        Self::up_to(text, SHOWN_CHARS)
    }

    /// Returns an excerpt with at most the first `limit` characters of a text.
    pub fn up_to(text: &str, limit: usize) -> Self {
        match text.char_indices().nth(limit) {
            None => Self::shortened(text, Cow::Borrowed(text)),
            Some((end, _)) => {
                let head = text.get(..end).unwrap_or_default();
                Self::shortened(text, Cow::Owned(format!("{head}…")))
            }
        }
    }

    /// Returns the excerpt that shows `shown` of a text. `shown` is the whole text, or a part of it
    /// with "…" in place of the rest.
    pub fn shortened(text: &str, shown: Cow<'_, str>) -> Self {
        let whole = (shown != text).then(|| text.chars().count());
        Self { shown: shown.into_owned(), whole }
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown)?;
        match self.whole {
            Some(chars) => write!(f, " ({chars} characters)"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_says_that_it_is_one() {
        for (text, limit, shown) in [
            ("abc", 3, r#""abc""#),
            ("abcd", 3, r#""abc…" (4 characters)"#),
            ("äöüß", 3, r#""äöü…" (4 characters)"#),
            ("a\"b", 9, r#""a\"b""#),
            // A text that contains "…" itself was not cut.
            ("ab…", 3, r#""ab…""#),
            ("", 3, r#""""#),
        ] {
            assert_eq!(Excerpt::up_to(text, limit).to_string(), shown);
        }
        assert_eq!(Excerpt::of(&"a".repeat(40)).to_string().len(), 42);
        assert!(Excerpt::of(&"a".repeat(41)).to_string().ends_with("a…\" (41 characters)"));
        assert_eq!(
            Excerpt::shortened("abcdef", "a…f".into()).to_string(),
            "\"a…f\" (6 characters)"
        );
    }
}
