//! Strings and objects of a request, borrowed from its text if possible.

use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A string of a request, borrowed from its text unless it has escapes. (A `Cow` within an `Option`
/// is always copied.)
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(inline, description = "")]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// Implements reading a JSON object into a struct of options, as the derive with
/// `deny_unknown_fields` does. The fields of the last parts, which most tasks do not have, are in
/// boxes that are allocated for the first of their fields. The reason is that a request may have
/// 20,000 tasks and moves each of them several times. An unknown member is refused unless
/// `$is_ignored` returns true for it.
macro_rules! read_object {
    ($type:ident, $what:literal, ignoring $is_ignored:expr, { $($name:literal => $field:ident),+ $(,)? }
     $(, $box:ident: { $($rare:literal => $slot:ident),+ $(,)? })+ $(,)?) => {
        impl $type<'_> {
            /// The names of the members.
            pub(crate) const MEMBERS: &'static [&'static str] = &[$($name,)+ $($($rare,)+)+];
        }

        impl<'de: 'a, 'a> serde::Deserialize<'de> for $type<'a> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(serde::Deserialize)]
                #[serde(field_identifier)]
                #[allow(non_camel_case_types, reason = "named as the fields are")]
                enum Field {
                    $(#[serde(rename = $name)] $field,)+
                    $($(#[serde(rename = $rare)] $slot,)+)+
                    Other(String),
                }
                struct Object;
                impl<'de> serde::de::Visitor<'de> for Object {
                    type Value = $type<'de>;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($what)
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut read = $type::default();
                        while let Some(field) = map.next_key::<Field>()? {
                            match field {
                                $(Field::$field => $crate::input::put(&mut read.$field, $name, &mut map)?,)+
                                $($(Field::$slot => {
                                    $crate::input::put(&mut read.$box.get_or_insert_default().$slot, $rare, &mut map)?;
                                })+)+
                                Field::Other(name) if $is_ignored(name.as_str()) => {
                                    map.next_value::<serde::de::IgnoredAny>()?;
                                }
                                Field::Other(name) => {
                                    return Err(serde::de::Error::unknown_field(&name, $type::MEMBERS));
                                }
                            }
                        }
                        Ok(read)
                    }
                }
                deserializer.deserialize_map(Object)
            }
        }
    };
}
pub(crate) use read_object;

/// Reads the value of a field into its slot, which must be empty. Null leaves the slot empty.
pub(crate) fn put<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    slot: &mut Option<T>,
    name: &'static str,
    map: &mut A,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return Err(A::Error::duplicate_field(name));
    }
    *slot = map.next_value()?;
    Ok(())
}
