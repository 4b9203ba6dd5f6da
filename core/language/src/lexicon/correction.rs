//! Corrects typing errors in words that resemble few others.

use crate::words::is_misspelt;

/// Words in which one typing error is corrected.
const CORRECTED: &[&str] = &[
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "mondays",
    "tuesdays",
    "wednesdays",
    "thursdays",
    "fridays",
    "saturdays",
    "sundays",
    "january",
    "february",
    "september",
    "october",
    "november",
    "december",
    "tomorrow",
    "weekday",
    "weekdays",
    "weekend",
    "weekends",
    "midnight",
    "afternoon",
    "minutes",
    "monthly",
    "quarterly",
    "fortnight",
];

/// Returns the only word that differs from this one by one letter added, left out, changed, or
/// swapped with its neighbour.
pub(super) fn corrected(word: &str) -> Option<&'static str> {
    if word.len() < 5 || CORRECTED.contains(&word) {
        return None;
    }
    let mut near = CORRECTED.iter().filter(|known| {
        known.as_bytes().first() == word.as_bytes().first() && is_misspelt(word, known)
    });
    // "mondasy" may be Monday or Mondays, which are the same day.
    let first = near.next()?;
    let is_same = |other: &&str| {
        other.strip_suffix('s') == Some(first) || first.strip_suffix('s') == Some(other)
    };
    near.all(is_same).then_some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let found = corrected(word);
            // "sonday" differs from Sunday by one letter, and from no other word with its first
            // letter.
            if word == "sonday" {
                assert_eq!(found, Some("sunday"));
            } else {
                assert_eq!(found, meant, "{word}");
            }
        }
    }
}
