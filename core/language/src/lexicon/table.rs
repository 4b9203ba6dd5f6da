//! What a language is as data.

/// An entry of a table.
///
/// The source is one word or several, each in lower case and without umlauts; signs are words. A
/// word that ends with `~` stands for all its [`Lexicon::endings`]. `#` is a number in figures or
/// words, which the terms repeat. What follows ` | ` has to come next, in any of these words, and
/// is not taken; `#` and `@` stand there for a number and a day of the week.
pub(crate) type Entry = (&'static str, &'static str);

/// A language as tables, all in the order of their first columns.
#[derive(Debug)]
pub(crate) struct Lexicon {
    pub(super) entries: &'static [Entry],
    /// Numbers below a hundred that are one word, and what they are in terms.
    pub(super) numbers: &'static [Entry],
    /// What joins ones and tens in one word: "fünfundvierzig".
    pub(super) number_joint: Option<&'static str>,
    /// The endings of a word that is declined.
    pub(super) endings: &'static [&'static str],
    /// What stands behind a day of the week in one word: "montagabend".
    pub(super) behind_weekday: &'static [Entry],
    /// What an entry takes for granted, said to the user, by the word.
    pub(super) notes: &'static [(&'static str, &'static str)],
    /// Words that look like terms and are none.
    pub(super) ordinary: &'static [&'static str],
    /// Whether words that no table has may be terms as they are.
    pub(super) is_of_terms: bool,
    /// Whether `3.` is an ordinal.
    pub(super) has_dotted_ordinals: bool,
    pub(crate) habits: Habits,
}

/// What the grammar has to know of a language beyond its words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// Whether `5:30` is on the clock of 24 hours.
    pub(crate) has_24_hours: bool,
    /// Whether a comma separates decimals.
    pub(crate) has_decimal_comma: bool,
    /// Whether the day comes first in `3/4`.
    pub(crate) has_day_first: bool,
}

/// Writes a word as the tables have it: in lower case and without umlauts.
pub(super) fn folded(word: &str) -> String {
    let mut text = String::with_capacity(word.len() + 2);
    for c in word.chars() {
        match c {
            'ä' => text.push_str("ae"),
            'ö' => text.push_str("oe"),
            'ü' => text.push_str("ue"),
            'ß' => text.push_str("ss"),
            c => text.push(c),
        }
    }
    text
}

pub(super) fn find(table: &'static [Entry], word: &str) -> Option<&'static str> {
    let at = table.binary_search_by(|(source, _)| (*source).cmp(word)).ok()?;
    table.get(at).map(|(_, terms)| *terms)
}
