//! A quick look at the text of a record, before it is parsed.
//!
//! Parsing a record takes a few microseconds, most of them for its payload. A search looks at
//! thousands of records, and few of them match. So it first looks for bytes that the text of a
//! record must contain if the filter matches it.

use memchr::memmem;
use scheduler_model::protocol::Filter;
use scheduler_model::record_id::leading_id;

/// What the text of a record must contain.
#[derive(Debug, Default)]
pub(super) struct Sieve {
    prefix: Option<String>,
    /// In lower case.
    text: Option<String>,
    tags: [Option<String>; 2],
    has_error: bool,
}

impl Sieve {
    /// Returns what a [folded](Filter::folded) filter requires.
    pub(super) fn of(filter: &Filter) -> Self {
        Self {
            prefix: filter.prefix.clone(),
            text: filter.text.clone(),
            tags: [filter.tag.clone(), filter.other_tag.clone()],
            has_error: filter.error.is_some(),
        }
    }

    /// Returns whether the filter may match this record. If this returns false, it does not match.
    pub(super) fn may_match(&self, record: &[u8]) -> bool {
        if let Some(prefix) = &self.prefix
            && let Some(id) = leading_id(record)
            && !id.starts_with(prefix.as_str())
        {
            return false;
        }
        // Every version writes the error of an attempt under this name.
        if self.has_error && memmem::find(record, b"\"error\":").is_none() {
            return false;
        }
        if self.text.is_none() && self.tags.iter().all(Option::is_none) {
            return true;
        }
        // Every version writes the id, the description and the tags before the callback.
        let head = match memmem::find(record, b"\"callback\":") {
            Some(end) => record.get(..end).unwrap_or(record),
            None => record,
        };
        // An escape or a letter outside ASCII may fold to a letter of the text.
        if memchr::memchr(b'\\', head).is_some() {
            return true;
        }
        self.tags.iter().flatten().all(|tag| memmem::find(head, tag.as_bytes()).is_some())
            && self.text.as_ref().is_none_or(|text| !head.is_ascii() || contains(head, text))
    }
}

/// Returns whether ASCII bytes contain this lower-case text, in upper or lower case.
fn contains(bytes: &[u8], text: &str) -> bool {
    let text = text.as_bytes();
    let Some(first) = text.first() else { return true };
    let is_at = |at: usize| {
        bytes.get(at..at + text.len()).is_some_and(|found| found.eq_ignore_ascii_case(text))
    };
    memchr::memchr2_iter(*first, first.to_ascii_uppercase(), bytes).any(is_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::matches_record;
    use proptest::prelude::*;
    use scheduler_model::task::Record;

    fn filter(name: &str, value: &str) -> Filter {
        let value = Some(value.to_owned());
        match name {
            "prefix" => Filter { prefix: value, ..Filter::default() },
            "text" => Filter { text: value, ..Filter::default() },
            "tag" => Filter { tag: value, ..Filter::default() },
            _ => Filter { error: value, ..Filter::default() },
        }
        .folded()
    }

    #[test]
    fn most_records_that_do_not_match_need_not_be_read() {
        let record = br#"{"time":5,"id":"Order-7","description":"Remind","tags":["mail"],"callback":{"type":"handler","name":"log"},"payload":{"x":"error"}}"#;
        for (name, value, may) in [
            ("prefix", "Order-", true),
            ("prefix", "order-", false),
            ("text", "remind", true),
            ("text", "ORDER-7", true),
            ("text", "handler", false),
            ("text", "remindé", false),
            ("tag", "mail", true),
            ("tag", "Mail", false),
            ("error", "503", false),
        ] {
            assert_eq!(Sieve::of(&filter(name, value)).may_match(record), may, "{name} {value}");
        }
        assert!(Sieve::of(&Filter::default()).may_match(record));
    }

    /// Generates texts of few different characters, among them some that fold or need an escape.
    fn text(most: usize) -> impl Strategy<Value = String> {
        let letter = prop_oneof![
            4 => prop_oneof![Just('a'), Just('b'), Just('A'), Just('k'), Just('S')],
            1 => prop_oneof![Just('\u{212A}'), Just('ſ'), Just('İ'), Just('ß'), Just('é'), Just('"'), Just('\\'), Just('\n')],
        ];
        proptest::collection::vec(letter, 1..most).prop_map(|letters| letters.into_iter().collect())
    }

    proptest! {
        /// Checks that every record that the filter matches passes the sieve, however it is
        /// escaped.
        #[test]
        fn nothing_that_matches_is_left_out(
            id in text(5),
            description in text(5),
            tag in text(4),
            error in text(4),
            wanted in text(3),
            name in prop_oneof![Just("prefix"), Just("text"), Just("tag"), Just("error")],
            is_escaped: bool,
        ) {
            let written = |text: &str| {
                let json = serde_json::to_string(text).unwrap();
                if is_escaped { json.replace('a', "\\u0061") } else { json }
            };
            let record = format!(
                r#"{{"time":5,"id":{},"description":{},"tags":[{}],"callback":{{"type":"handler"}},"error":{}}}"#,
                written(&id), written(&description), written(&tag), written(&error),
            );
            let filter = filter(name, &wanted);
            let is_match = matches_record(&filter, &Record::parse(record.as_bytes()).unwrap());
            prop_assert!(!is_match || Sieve::of(&filter).may_match(record.as_bytes()), "{record}");
        }
    }
}
