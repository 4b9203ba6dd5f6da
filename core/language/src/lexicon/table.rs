//! The data of a language.

use std::borrow::Cow;

/// An entry of a table: words, and the terms for them.
///
/// The words are in lower case and without umlauts. Symbols count as words. A word that ends with
/// `~` matches with any of [`Lexicon::endings`]. `#` matches a number in figures or words, and the
/// terms repeat it. One of the words after ` | ` must come next and is not replaced; there, `#` and
/// `@` match a number and a day of the week.
pub(crate) type Entry = (&'static str, &'static str);

/// A language as tables, each sorted by its first column.
#[derive(Debug)]
pub(crate) struct Lexicon {
    pub(super) entries: &'static [Entry],
    /// Numbers below a hundred in one word, with their terms.
    pub(super) numbers: &'static [Entry],
    /// The part between ones and tens in one word: "fünfundvierzig".
    pub(super) number_joint: Option<&'static str>,
    /// The endings of declined words.
    pub(super) endings: &'static [&'static str],
    /// The parts after a day of the week in one word: "montagabend".
    pub(super) behind_weekday: &'static [Entry],
    /// The assumptions of entries, as texts for the user, by first word or whole.
    pub(super) notes: &'static [(&'static str, &'static str)],
    /// Words that look like words about time but are not, in order.
    pub(super) ordinary: &'static [&'static str],
    /// Words in which one typing error is corrected: days, months, and words that resemble few
    /// others.
    pub(super) corrected: &'static [&'static str],
    /// Words about time. A word that is one typing error away from one of them and is not
    /// `ordinary` may change the schedule.
    pub(super) about_time: &'static [&'static str],
    /// Whether a word that is in no table may be a term itself.
    pub(super) is_of_terms: bool,
    /// Whether `3.` is an ordinal.
    pub(super) has_dotted_ordinals: bool,
    pub(crate) habits: Habits,
}

/// The conventions of a language that are not about words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// Whether `5:30` is on the 24-hour clock.
    pub(crate) has_24_hours: bool,
    /// Whether a comma separates decimals.
    pub(crate) has_decimal_comma: bool,
    /// Whether the day comes first in `3/4`.
    pub(crate) has_day_first: bool,
}

/// Writes a word as the tables have it: in lower case and without umlauts.
pub(super) fn folded(word: &str) -> Cow<'_, str> {
    if word.is_ascii() {
        return Cow::Borrowed(word);
    }
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
    Cow::Owned(text)
}

pub(super) fn find(table: &'static [Entry], word: &str) -> Option<&'static str> {
    let at = table.binary_search_by(|(source, _)| (*source).cmp(word)).ok()?;
    table.get(at).map(|(_, terms)| *terms)
}
