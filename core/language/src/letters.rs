//! Tables of words that are searched by their first letter. The grammar looks up every word of a
//! phrase in many tables, and most of them have no word with its letter.

/// The letters from `a` to `z`, and one place for all other characters.
const LETTERS: usize = 27;

/// Entries in the order of the first letters of their words. Those with other characters come last.
pub(crate) struct Table<E: 'static> {
    entries: &'static [E],
    /// Where the entries of each letter begin, and where the last ones end.
    starts: [u16; LETTERS + 1],
}

const fn letter(word: &str) -> usize {
    match word.as_bytes() {
        [first @ b'a'..=b'z', ..] => (*first - b'a') as usize,
        _ => LETTERS - 1,
    }
}

/// Adds one entry. It must not come before the one of the letter `last`. Returns its letter.
const fn count(starts: &mut [u16; LETTERS + 1], word: &str, last: usize) -> usize {
    let letter = letter(word);
    assert!(letter >= last, "the words are in the order of their first letters");
    let mut at = letter + 1;
    while at <= LETTERS {
        starts[at] += 1;
        at += 1;
    }
    letter
}

/// Returns a table of words with values.
pub(crate) const fn table<T>(entries: &'static [(&'static str, T)]) -> Table<(&'static str, T)> {
    let mut starts = [0; LETTERS + 1];
    let (mut at, mut last) = (0, 0);
    while at < entries.len() {
        last = count(&mut starts, entries[at].0, last);
        at += 1;
    }
    Table { entries, starts }
}

/// Returns a table of words.
pub(crate) const fn words(entries: &'static [&'static str]) -> Table<&'static str> {
    let mut starts = [0; LETTERS + 1];
    let (mut at, mut last) = (0, 0);
    while at < entries.len() {
        last = count(&mut starts, entries[at], last);
        at += 1;
    }
    Table { entries, starts }
}

impl<E> Table<E> {
    /// Returns the entries with the first letter of `word`.
    fn beginning_like(&self, word: &str) -> &'static [E] {
        let letter = letter(word);
        let place = |at: usize| self.starts.get(at).map_or(0, |start| usize::from(*start));
        self.entries.get(place(letter)..place(letter + 1)).unwrap_or_default()
    }
}

impl<T: Copy> Table<(&'static str, T)> {
    pub(crate) fn get(&self, word: &str) -> Option<T> {
        self.beginning_like(word).iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
    }
}

impl Table<&'static str> {
    pub(crate) fn contains(&self, word: &str) -> bool {
        self.beginning_like(word).contains(&word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whatever_their_first_letter_is() {
        static NUMBERS: Table<(&str, u8)> =
            table(&[("acht", 8), ("zehn", 10), ("zwei", 2), ("östlich", 0)]);
        for (word, number) in
            [("acht", Some(8)), ("zwei", Some(2)), ("östlich", Some(0)), ("drei", None), ("", None)]
        {
            assert_eq!(NUMBERS.get(word), number, "{word}");
        }
        static SOME: Table<&str> = words(&["bis"]);
        assert!(SOME.contains("bis") && !SOME.contains("bi") && !SOME.contains("östlich"));
    }
}
