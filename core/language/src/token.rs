//! A phrase as tokens: words, numbers, symbols and quoted text, each with its place.

use crate::Span;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    /// Digits only.
    Number,
    /// One character of something else.
    Symbol,
    /// What stands between double quotes, without them.
    Quoted,
}

/// A piece of the phrase.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// In lower case, with straight apostrophes; as it was written if it is quoted.
    pub(crate) text: String,
    pub(crate) span: Span,
    /// Whether no space stands before it.
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
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = phrase.char_indices().peekable();
    let mut end_of_last = 0;
    while let Some((start, first)) = rest.next() {
        if first.is_whitespace() {
            continue;
        }
        if let Some(close) = closing_quote(first) {
            let inner = start + first.len_utf8();
            let length = phrase.get(inner..).and_then(|text| text.find([close, '"']));
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
        let text = written.to_lowercase().replace('’', "'").trim_end_matches('\'').to_owned();
        let text = if kind == Kind::Symbol { straight(first).to_string() } else { text };
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

fn closing_quote(open: char) -> Option<char> {
    match open {
        '"' => Some('"'),
        '“' | '„' => Some('”'),
        _ => None,
    }
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

/// Every kind of dash is a minus.
fn straight(symbol: char) -> char {
    match symbol {
        '–' | '—' | '‑' | '−' => '-',
        symbol => symbol,
    }
}
