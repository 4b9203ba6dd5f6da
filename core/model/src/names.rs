//! Values with names in requests and records: each is one of a short list.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A type whose values have names.
pub trait Named: Copy + 'static {
    /// The names, in the order of [`Named::VALUES`], as the API documents them.
    const NAMES: &'static [&'static str];
    /// Every value.
    const VALUES: &'static [Self];
    /// The names that records and Workers of earlier versions use for a value.
    const FORMER: &'static [(&'static str, Self)];
}

/// A value in a request. It must have its current name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given<T>(pub T);

impl<'de, T: Named> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Name { former: &[] }).map(Self)
    }
}

impl<T: JsonSchema> JsonSchema for Given<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Reads a value by its current name or the name of an earlier version, from storage or from
/// another Worker.
///
/// # Errors
/// Returns an error if no value has the name.
pub(crate) fn stored<'de, T: Named, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_str(Name { former: T::FORMER })
}

/// Reads a name. An error of a visitor has a position, which the JSON reader reports.
struct Name<T: 'static> {
    /// The names of earlier versions that are accepted, too.
    former: &'static [(&'static str, T)],
}

impl<T: Named> Visitor<'_> for Name<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
        let mut all = T::NAMES
            .iter()
            .zip(T::VALUES)
            .chain(self.former.iter().map(|(name, value)| (name, value)));
        let value = all.find(|(known, _)| **known == name).map(|(_, value)| *value);
        value.ok_or_else(|| E::unknown_variant(name, T::NAMES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Status;
    use crate::schedule::{Misfire, Overlap};
    use serde::de::DeserializeOwned;
    use std::fmt::Debug;

    fn check<T: Named + DeserializeOwned + JsonSchema + PartialEq + Debug>() {
        let read = |name: &str| serde_json::from_str::<T>(&format!("\"{name}\"")).unwrap();
        let given = |name: &str| serde_json::from_str::<Given<T>>(&format!("\"{name}\""));
        assert_eq!(T::NAMES.len(), T::VALUES.len());
        let schema = serde_json::to_string(&schemars::schema_for!(T)).unwrap();
        for (name, value) in T::NAMES.iter().zip(T::VALUES) {
            assert!(!name.contains(char::is_uppercase), "{name}");
            assert!(schema.contains(&format!("\"{name}\"")), "{name} in {schema}");
            assert_eq!((read(name), given(name).unwrap().0), (*value, *value));
        }
        for (name, value) in T::FORMER {
            assert_eq!(read(name), *value);
            let refused = given(name).unwrap_err().to_string();
            let (_, offered) = refused.split_once("expected one of").unwrap();
            assert!(!offered.contains(&format!("`{name}`")), "{refused}");
        }
        assert!(given("x").is_err() && serde_json::from_str::<Given<T>>("5").is_err());
    }

    #[test]
    fn callers_use_current_names_and_records_those_of_any_version() {
        check::<Status>();
        check::<Misfire>();
        check::<Overlap>();
    }
}
