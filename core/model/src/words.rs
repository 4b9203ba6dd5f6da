//! Searches bytes of a JSON string, eight at a time.

const ONES: u64 = u64::MAX / 255;
const HIGH: u64 = ONES << 7;

/// Returns a word with the high bit set for each byte that is less than `n`, which is at most 128.
/// Bytes from 128 on are not marked. A byte after the first marked one may be marked by mistake.
const fn less(word: u64, n: u64) -> u64 {
    word.wrapping_sub(ONES * n) & !word & HIGH
}

/// Marks each quote and each backslash.
const fn quote_or_backslash(word: u64) -> u64 {
    less(word ^ (ONES * b'"' as u64), 1) | less(word ^ (ONES * b'\\' as u64), 1)
}

/// Returns whether these bytes need an escape in a JSON string: a quote, a backslash or a control
/// character.
pub(crate) fn needs_escape(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    words.iter().any(|word| {
        let word = u64::from_le_bytes(*word);
        less(word, 0x20) | quote_or_backslash(word) != 0
    }) || rest.iter().any(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\')
}

/// Returns the number of bytes before the first quote, backslash or byte that is not ASCII, or the
/// number of all bytes.
pub(crate) fn plain_ascii(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let ends = quote_or_backslash(word) | word & HIGH;
        if ends != 0 {
            return 8 * at + ends.trailing_zeros() as usize / 8;
        }
    }
    let ends = rest.iter().position(|byte| !byte.is_ascii() || *byte == b'"' || *byte == b'\\');
    8 * words.len() + ends.unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Generates bytes, many of them at the limits of the searched ranges.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![
            8 => b'a'..=b'z',
            1 => prop_oneof![Just(b'"'), Just(b'\\'), Just(0x1f), Just(0x20), Just(0x21), Just(0x23), Just(0x5b), Just(0x5d), Just(0x7f), Just(0x80)],
            1 => any::<u8>(),
        ];
        proptest::collection::vec(byte, 0..40)
    }

    proptest! {
        #[test]
        fn a_search_by_words_finds_the_same_as_one_by_bytes(bytes in bytes()) {
            let escaped = |byte: &u8| matches!(byte, 0..0x20 | b'"' | b'\\');
            prop_assert_eq!(needs_escape(&bytes), bytes.iter().any(escaped));
            let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0x80..);
            prop_assert_eq!(plain_ascii(&bytes), bytes.iter().position(ends).unwrap_or(bytes.len()));
        }
    }
}
