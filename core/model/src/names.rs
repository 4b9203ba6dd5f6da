//! Values that a request and a record name: one of a short list.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A type whose values have names.
pub trait Named: Copy + 'static {
    /// The names in the order of [`Named::VALUES`], as the API documents them.
    const NAMES: &'static [&'static str];
    /// Every value.
    const VALUES: &'static [Self];
    /// Names by which records and Workers of earlier versions know a value.
    const FORMER: &'static [(&'static str, Self)];
}

/// A value as a caller names it: by a name of today.
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

/// Reads a value by its name of today or of an earlier version: what is stored, and what another
/// Worker says.
///
/// # Errors
/// If no value has the name.
pub(crate) fn stored<'de, T: Named, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_str(Name { former: T::FORMER })
}

/// Reads a name. The reader of JSON knows where the error of a visitor is.
struct Name<T: 'static> {
    /// The names of earlier versions that are taken, too.
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
    fn callers_use_the_names_of_today_and_records_those_of_any_version() {
        check::<Status>();
        check::<Misfire>();
        check::<Overlap>();
    }
}
