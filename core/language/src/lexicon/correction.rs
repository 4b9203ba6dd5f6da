//! Typing errors. One is corrected in words that resemble few others. In another word about time,
//! it is a reason to refuse the phrase.

use super::Lexicon;
use super::table::folded;
use crate::words::is_misspelt;

/// Writes a word without the dots of its umlauts. "tgälich" is one error away from "taglich".
fn plain(word: &str) -> String {
    let letter = |c| match c {
        'ä' => 'a',
        'ö' => 'o',
        'ü' => 'u',
        'ß' => 's',
        c => c,
    };
    word.chars().map(letter).collect()
}

/// Returns whether one of the first two letters is the same, and the lengths are nearly so, as they
/// are if there is one error.
fn may_be_near(word: &str, known: &str) -> bool {
    if word.len().abs_diff(known.len()) > 1 {
        return false;
    }
    match (word.as_bytes(), known.as_bytes()) {
        ([w0, w1, ..], [k0, k1, ..]) => w0 == k0 || w1 == k1 || w0 == k1 || w1 == k0,
        _ => true,
    }
}

impl Lexicon {
    /// Returns the word about time that this one may be with one typing error.
    pub(crate) fn misspelt(&self, word: &str) -> Option<&'static str> {
        // A shorter word has too many neighbors.
        if word.len() < 4 {
            return None;
        }
        let plain = (!word.is_ascii()).then(|| plain(word));
        let word: &str = &folded(word);
        if self.is_ordinary(word) {
            return None;
        }
        let is_near = |known: &&&str| {
            may_be_near(word, known) && is_misspelt(word, known)
                || plain.as_deref().is_some_and(|plain| is_misspelt(plain, known))
        };
        let near = self.about_time.iter().find(is_near).copied();
        near.or_else(|| self.day_and_part(word))
    }

    /// Returns the part of the day if a word may be a day of the week with it:
    /// "dienstagnachmittag".
    fn day_and_part(&self, word: &str) -> Option<&'static str> {
        let parts = || self.behind_weekday.iter().map(|(part, _)| *part);
        let is_day = |day: &str| self.corrected.iter().any(|known| is_misspelt(day, known));
        let behind_part = parts().find(|part| word.strip_suffix(part).is_some_and(is_day));
        behind_part.or_else(|| {
            let mut rests = self.corrected.iter().filter_map(|day| word.strip_prefix(day));
            rests.find_map(|rest| parts().find(|part| is_misspelt(rest, part)))
        })
    }

    /// Returns the only word that differs from this one by one letter added, left out, changed, or
    /// swapped with its neighbor.
    pub(super) fn corrected(&self, word: &str) -> Option<&'static str> {
        if word.len() < 5 || self.corrected.contains(&word) || self.is_ordinary(word) {
            return None;
        }
        let mut near = self.corrected.iter().filter(|known| {
            known.as_bytes().first() == word.as_bytes().first() && is_misspelt(word, known)
        });
        // "mondas" may be Monday or Mondays.
        let (first, other) = (*near.next()?, near.next().copied());
        let is_plural = word.ends_with('s') || word.ends_with("sy");
        match other {
            None => Some(first),
            Some(other) if near.next().is_none() && other.strip_suffix('s') == Some(first) => {
                Some(if is_plural { other } else { first })
            }
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Language;

    #[test]
    fn one_error_is_corrected_and_two_are_not() {
        for (word, meant) in [
            ("mnoday", Some("monday")),
            ("mondey", Some("monday")),
            ("wednsday", Some("wednesday")),
            ("thurdsay", Some("thursday")),
            ("saterday", Some("saturday")),
            ("tuesdy", Some("tuesday")),
            ("tomorow", Some("tomorrow")),
            ("febuary", Some("february")),
            ("sonday", None),
            ("mondya", Some("monday")),
            ("mdonay", None),
            ("monday", None),
            ("money", None),
            ("", None),
        ] {
            let found = Language::English.lexicon().corrected(word);
            // "sonday" differs by one letter from Sunday, and from no other word with the same
            // first letter.
            if word == "sonday" {
                assert_eq!(found, Some("sunday"));
            } else {
                assert_eq!(found, meant, "{word}");
            }
        }
    }
}
