//! Unknown names in requests.

/// The most edits between a name and the name that the caller probably means.
const MAX_EDITS: usize = 2;
/// The longest name that is compared.
const MAX_COMPARED_BYTES: usize = 64;

/// Returns the problem of a name that is not in `known`. The text follows the name. It proposes the
/// name that the caller may mean, and lists all known ones. `what` says what is named.
pub(crate) fn unknown_name(name: &str, known: &[&str], what: &str) -> String {
    if known.is_empty() {
        return format!("is not a {what}: there are none");
    }
    let hint =
        nearest(name, known).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    let start = if hint.is_empty() { "there are" } else { "There are" };
    format!("is not a {what}; {hint}{start}: {}", known.join(", "))
}

/// Returns the known name that differs only by case, hyphens and underscores, or otherwise by few
/// edits.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    if name.len() > MAX_COMPARED_BYTES {
        return None;
    }
    let name = folded(name);
    let distance = |other: &&'a str| {
        let other = folded(other);
        let edits = edits(&name, &other);
        // Two edits leave nothing of a short name.
        (edits <= MAX_EDITS && 2 * edits < name.len().max(other.len())).then_some(edits)
    };
    known.iter().filter_map(|other| Some((distance(other)?, *other))).min().map(|(_, near)| near)
}

fn folded(name: &str) -> Vec<char> {
    name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// Returns the least number of characters to insert, delete or replace to get one text from the
/// other.
fn edits(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, c) in (1..).zip(one) {
        let mut above = std::mem::replace(row.first_mut().unwrap_or(&mut 0), at);
        let mut left = at;
        for (cell, d) in row.iter_mut().skip(1).zip(other) {
            let replaced = above + usize::from(c != d);
            above = *cell;
            left = replaced.min(above + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_intended_name_is_found() {
        let known = ["id", "ids", "tags", "timezone", "delayInSeconds", "url", "callbackHost"];
        for (name, near) in [
            ("timezon", Some("timezone")),
            ("timeZone", Some("timezone")),
            ("time_zone", Some("timezone")),
            ("timezohne", Some("timezone")),
            ("delay_in_seconds", Some("delayInSeconds")),
            ("delayinsecond", Some("delayInSeconds")),
            ("tag", Some("tags")),
            ("uri", Some("url")),
            ("ID", Some("id")),
            ("to", None),
            ("zone", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(nearest(name, &known), near, "{name}");
        }
        assert_eq!(nearest(&"timezone".repeat(9), &known), None);
        assert_eq!(
            unknown_name("uri", &["url", "path"], "parameter"),
            "is not a parameter; did you mean `url`? There are: url, path"
        );
        assert_eq!(unknown_name("x", &["url"], "parameter"), "is not a parameter; there are: url");
        assert_eq!(unknown_name("x", &[], "parameter"), "is not a parameter: there are none");
    }

    #[test]
    fn edits_are_counted() {
        for (one, other, count) in [
            ("", "", 0),
            ("", "ab", 2),
            ("abc", "abc", 0),
            ("kitten", "sitting", 3),
            ("abc", "bac", 2),
        ] {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            assert_eq!(edits(&chars(one), &chars(other)), count, "{one} {other}");
            assert_eq!(edits(&chars(other), &chars(one)), count, "{other} {one}");
        }
    }
}
