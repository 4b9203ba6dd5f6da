//! Lower-case hexadecimal text, the form of hashes and keys in JSON and in headers.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};
use std::fmt::Write;

/// Returns two digits for each byte.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Returns the `N` bytes of a text. Returns `None` for any text that [`encode`] would not return.
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !odd.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        *byte = decode_byte(*pair)?;
    }
    Some(bytes)
}

/// Returns the bytes of a text. Returns `None` for any text that [`encode`] would not return.
pub fn decode_all(text: &str) -> Option<Vec<u8>> {
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    if !odd.is_empty() {
        return None;
    }
    pairs.iter().map(|pair| decode_byte(*pair)).collect()
}

fn decode_byte([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    Some(digit(high)? << 4 | digit(low)?)
}

/// Returns the number with these hexadecimal digits of either case. Returns `None` for any other
/// text.
pub fn number(digits: &str) -> Option<u64> {
    // The standard library would also accept a sign.
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16).ok().filter(|_| is_hex)
}

/// For `#[serde(with = "crate::format::hex")]`.
///
/// # Errors
/// Returns an error if the serializer fails.
pub fn serialize<S: Serializer, const N: usize>(
    bytes: &[u8; N],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&encode(bytes))
}

/// For `#[serde(with = "crate::format::hex")]`.
///
/// # Errors
/// Returns an error if the value is not a text of `N` bytes.
pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
    deserializer: D,
) -> Result<[u8; N], D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    decode(&text)
        .ok_or_else(|| D::Error::custom(format_args!("expected {} hexadecimal digits", N * 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_encoded_decodes() {
        assert_eq!(encode(&[0, 0xab, 0x0f]), "00ab0f");
        assert_eq!(decode("00ab0f"), Some([0, 0xab, 0x0f]));
        for bad in ["", "00ab0", "00ab0f00", "00AB0F", "00ab0g", "+0ab0f", "0äb0f"] {
            assert_eq!(decode::<3>(bad), None, "{bad}");
        }
        assert_eq!(decode_all("00ab0f"), Some(vec![0, 0xab, 0x0f]));
        assert_eq!(decode_all(""), Some(Vec::new()));
        for bad in ["0", "00ab0", "00AB", "0g", "+0", "0ä"] {
            assert_eq!(decode_all(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_number_has_digits_only() {
        assert_eq!((number("0"), number("00fF")), (Some(0), Some(255)));
        assert_eq!(number("ffffffffffffffff"), Some(u64::MAX));
        for bad in ["", "+f", "-f", "g", "1ffffffffffffffff", "f "] {
            assert_eq!(number(bad), None, "{bad}");
        }
    }
}
