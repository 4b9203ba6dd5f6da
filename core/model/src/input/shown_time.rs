//! Times as answers show them, so that a request may repeat what an answer shows.

use super::time_input::{TimeInput, is_in_millis};
use crate::bounds::MIN_TIME_MILLIS;
use scheduler_calendar::time::UnixMillis;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// A time as an answer shows it: milliseconds since 1970, or RFC 3339 if a request would refuse the
/// number. The reader takes both forms, and any number: earlier versions show all times as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownTime(UnixMillis);

impl ShownTime {
    /// Returns whether the time is shown as text.
    pub fn is_text(self) -> bool {
        !is_in_millis(self.0.get())
    }

    /// Returns the milliseconds since 1970.
    pub const fn millis(self) -> i64 {
        self.0.get()
    }
}

impl From<UnixMillis> for ShownTime {
    fn from(time: UnixMillis) -> Self {
        Self(time)
    }
}

impl Serialize for ShownTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_text() {
            serializer.serialize_str(&self.0.shown())
        } else {
            serializer.serialize_i64(self.0.get())
        }
    }
}

impl<'de> Deserialize<'de> for ShownTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match TimeInput::deserialize(deserializer)? {
            TimeInput::Millis(millis) => Ok(Self(UnixMillis::new(millis))),
            other => other.instant("time").map(Self).map_err(D::Error::custom),
        }
    }
}

impl JsonSchema for ShownTime {
    fn schema_name() -> Cow<'static, str> {
        "ShownTime".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["integer", "string"], "minimum": MIN_TIME_MILLIS })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_that_a_request_refuses_is_shown_as_text() {
        for (millis, shown) in [
            (0, "\"1970-01-01T00:00:00Z\""),
            (7, "\"1970-01-01T00:00:00.007Z\""),
            (99_999_999_999, "\"1973-03-03T09:46:39.999Z\""),
            (100_000_000_000, "100000000000"),
            // The number reads as a date.
            (209_912_240_930, "\"1976-08-26T12:57:20.930Z\""),
            (20_991_224_093_000, "\"2635-03-09T23:34:53Z\""),
            (1_764_000_000_000, "1764000000000"),
            (UnixMillis::LAST.get(), "253402300799999"),
        ] {
            let time = ShownTime::from(UnixMillis::new(millis));
            assert_eq!(serde_json::to_string(&time).unwrap(), shown);
            assert_eq!(serde_json::from_str::<ShownTime>(shown).unwrap(), time);
            assert_eq!(serde_json::from_str::<ShownTime>(&millis.to_string()).unwrap(), time);
        }
    }

    proptest! {
        #[test]
        fn a_request_takes_every_shown_time(
            millis in prop_oneof![
                0..=UnixMillis::LAST.get(),
                0..200_000_000_000_i64,
                197_001_010_000..220_001_010_000_i64,
                19_700_101_000_000..22_000_101_000_000_i64,
            ],
        ) {
            let time = UnixMillis::new(millis);
            let shown = serde_json::to_string(&ShownTime::from(time)).unwrap();
            let given: TimeInput<'_> = serde_json::from_str(&shown).unwrap();
            prop_assert_eq!(given.instant("time"), Ok(time), "{}", shown);
        }
    }
}
