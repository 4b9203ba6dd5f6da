//! A phrase as tokens: words, numbers, symbols and quoted text, each with its place.

use crate::Span;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    /// Digits only.
    Number,
    /// One other character.
    Symbol,
    /// The text between double quotes.
    Quoted,
}

/// A piece of the phrase.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// The text in lower case, with straight apostrophes; for a quoted text, as written.
    pub(crate) text: String,
    pub(crate) span: Span,
    /// Whether no space comes before it.
    pub(crate) is_glued: bool,
}

impl Token {
    /// Returns its value if it is a number of at most ten digits.
    pub(crate) fn value(&self) -> Option<u32> {
        if self.kind == Kind::Number && self.text.len() <= 10 {
            self.text.parse().ok()
        } else {
            None
        }
    }

    pub(crate) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }
}

/// Returns the tokens of a phrase, in order.
pub(crate) fn tokens(phrase: &str) -> Vec<Token> {
    tokens_by(phrase, |text, closing| text.find(closing))
}

/// Does the same. `find` returns the place of the first of these characters in a text.
fn tokens_by(phrase: &str, mut find: impl FnMut(&str, &[char]) -> Option<usize>) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    // A character that was not found once is not in the rest either, so the text is not searched
    // for it again.
    let mut missing: Option<&[char]> = None;
    let mut rest = phrase.char_indices().peekable();
    let mut end_of_last = 0;
    while let Some((start, first)) = rest.next() {
        if first.is_whitespace() {
            continue;
        }
        if let Some(closing) = closing_quotes(first).filter(|closing| !is_missing(missing, closing))
        {
            let inner = start + first.len_utf8();
            let length = phrase.get(inner..).and_then(|text| find(text, closing));
            if length.is_none() {
                missing = Some(closing);
            }
            if let Some(text) = length.and_then(|length| phrase.get(inner..inner + length)) {
                let end = inner + text.len();
                while rest.next_if(|(at, _)| *at <= end).is_some() {}
                let end = rest.peek().map_or(phrase.len(), |(at, _)| *at);
                tokens.push(Token {
                    kind: Kind::Quoted,
                    text: text.to_owned(),
                    span: Span { start, end },
                    is_glued: false,
                });
                end_of_last = end;
                continue;
            }
        }
        let kind = kind_of(first);
        let mut end = start + first.len_utf8();
        if kind != Kind::Symbol {
            while let Some((at, c)) = rest.next_if(|(_, c)| continues(kind, *c)) {
                end = at + c.len_utf8();
            }
        }
        let written = phrase.get(start..end).unwrap_or_default();
        let text = match kind {
            Kind::Symbol => straight(first).to_string(),
            Kind::Number => written.to_owned(),
            _ => lower(written),
        };
        tokens.push(Token {
            kind,
            text,
            span: Span { start, end },
            is_glued: start > 0 && end_of_last == start,
        });
        end_of_last = end;
    }
    tokens
}

/// Returns the characters that close a quote.
fn closing_quotes(open: char) -> Option<&'static [char]> {
    match open {
        '"' => Some(&['"']),
        '“' => Some(&['”', '"']),
        '„' => Some(&['“', '”', '"']),
        _ => None,
    }
}

/// Returns whether a text without `missing` also has none of `closing`.
fn is_missing(missing: Option<&[char]>, closing: &[char]) -> bool {
    missing.is_some_and(|missing| closing.iter().all(|close| missing.contains(close)))
}

fn kind_of(first: char) -> Kind {
    match first {
        '0'..='9' => Kind::Number,
        c if c.is_alphabetic() => Kind::Word,
        _ => Kind::Symbol,
    }
}

fn continues(kind: Kind, c: char) -> bool {
    match kind {
        Kind::Number => c.is_ascii_digit(),
        _ => c.is_alphabetic() || matches!(c, '_' | '\'' | '’'),
    }
}

/// Returns a word in lower case, with straight apostrophes and none at its end.
fn lower(word: &str) -> String {
    let mut text = word.to_lowercase();
    if !text.is_ascii() {
        text = text.replace('’', "'");
    }
    text.truncate(text.trim_end_matches('\'').len());
    text
}

/// Replaces every kind of dash by a minus.
fn straight(symbol: char) -> char {
    match symbol {
        '–' | '—' | '‑' | '−' => '-',
        symbol => symbol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that a missing closing quote is searched for once for each kind of quote.
    #[test]
    fn open_quotes_are_searched_once() {
        for open in ["“", "„", "\"", "“„\"", "\"“„", "“ a \" b „ c ", "„a” “"]
        {
            let phrase = open.repeat(2_000);
            let mut searched = 0;
            let tokens = tokens_by(&phrase, |text, closing| {
                let found = text.find(closing);
                searched += found.unwrap_or(text.len());
                found
            });
            assert!(!tokens.is_empty());
            assert!(searched <= 2 * phrase.len(), "{open}: {searched} of {} bytes", phrase.len());
        }
        let quoted: Vec<_> = tokens("“a” „b\" \"c\" “ d")
            .into_iter()
            .map(|token| (token.kind, token.text))
            .collect();
        let of = |kind, text: &str| (kind, text.to_owned());
        let expected = [
            of(Kind::Quoted, "a"),
            of(Kind::Quoted, "b"),
            of(Kind::Quoted, "c"),
            of(Kind::Symbol, "“"),
            of(Kind::Word, "d"),
        ];
        assert_eq!(quoted, expected);
    }
}
