//! Integers of a request.

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// 2^53. Up to this number, a float is the integer that was written.
const MAX_WHOLE_FLOAT: f64 = 9_007_199_254_740_992.0;

/// An integer of a request. Some languages write each number as a float, so `5.0` means 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole<T>(pub(crate) T);

/// Returns the integer that a float without a fraction represents.
pub(crate) fn whole_of(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= MAX_WHOLE_FLOAT).then_some(number as i64)
}

/// Reads an optional field that contains an integer: for `deserialize_with`.
pub(crate) fn whole<'de, T: TryFrom<i64>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::<Whole<T>>::deserialize(deserializer)?.map(|whole| whole.0))
}

impl<'de, T: TryFrom<i64>> Deserialize<'de> for Whole<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Integer<T>(PhantomData<T>);
        impl<T: TryFrom<i64>> Visitor<'_> for Integer<T> {
            type Value = Whole<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let unused = 64 - 8 * size_of::<T>().min(8);
                let (least, most) = match T::try_from(-1) {
                    Ok(_) => (i64::MIN >> unused, i64::MAX.cast_unsigned() >> unused),
                    // The check of the field states its largest value.
                    Err(_) if unused == 0 => {
                        return f.write_str("a whole number that is not negative");
                    }
                    Err(_) => (0, u64::MAX >> unused),
                };
                write!(f, "a whole number from {least} to {most}")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Whole<T>, E> {
                T::try_from(number)
                    .map(Whole)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(number), &self))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Whole<T>, E> {
                let refused = || E::invalid_value(serde::de::Unexpected::Unsigned(number), &self);
                let read = i64::try_from(number).ok().and_then(|number| T::try_from(number).ok());
                read.map(Whole).ok_or_else(refused)
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Whole<T>, E> {
                match whole_of(number) {
                    Some(number) => self.visit_i64(number),
                    None => Err(E::invalid_value(serde::de::Unexpected::Float(number), &self)),
                }
            }
        }
        // A reader of any value would name the first item of a list instead of the list.
        deserializer.deserialize_f64(Integer(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_without_a_fraction_is_an_integer() {
        let read = |text: &str| {
            serde_json::from_str::<Whole<u8>>(text)
                .map(|whole| whole.0)
                .map_err(|problem| problem.to_string())
        };
        for (text, number) in [("5", 5), ("5.0", 5), ("0.0", 0), ("-0.0", 0), ("2.55e2", 255)] {
            assert_eq!(read(text), Ok(number), "{text}");
        }
        for bad in [
            "5.5",
            "-1",
            "-1.0",
            "256",
            "256.0",
            "1e300",
            "18446744073709551615",
            "\"5\"",
            "null",
            "[]",
        ] {
            assert!(read(bad).unwrap_err().contains("a whole number from 0 to 255"), "{bad}");
        }
        let expected = |problem: serde_json::Error| {
            problem.to_string().rsplit_once("expected ").unwrap().1.to_owned()
        };
        for (expected, range) in [
            (
                serde_json::from_str::<Whole<u64>>("[]").map_err(expected).unwrap_err(),
                "that is not negative",
            ),
            (
                serde_json::from_str::<Whole<i8>>("[]").map_err(expected).unwrap_err(),
                "from -128 to 127",
            ),
        ] {
            assert!(expected.starts_with(&format!("a whole number {range}")), "{expected}");
        }
    }
}
