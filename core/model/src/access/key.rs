//! API keys: what a key may do, in which namespaces, and until when.

use super::token::{KeyId, Token};
use crate::bounds::{MAX_KEY_NAME_BYTES, MAX_KEY_NAMESPACES, MAX_KEY_SCOPES};
use crate::input::{Bounded, FieldError, InstantInput, ShownTime, TimeInput, parse_object};
use crate::namespace::Namespace;
use scheduler_calendar::ordered::collected;
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;
use std::fmt;

/// What a key may do. None includes another.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Scope {
    /// Look at tasks and numbers.
    Read,
    /// Create, change and cancel tasks; set and lift limits.
    Write,
    /// Make and revoke keys that reach no further than its own; with a reach of `*`, namespaces and
    /// their quotas too.
    Admin,
}

impl Scope {
    /// Returns the scope that a request needs: `admin` for paths of keys and namespaces, `read` for
    /// any other GET or HEAD, and `write` for the rest.
    pub fn needed(method: &str, path: &str) -> Self {
        let is_under = |root: &str| {
            path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if is_under("/v1/keys") || is_under("/v1/namespaces") {
            Self::Admin
        } else if method.eq_ignore_ascii_case("GET")
            || method.eq_ignore_ascii_case("HEAD")
            || path == "/v1/preview"
            || path == "/v1/parse"
        {
            Self::Read
        } else {
            Self::Write
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        })
    }
}

/// The namespaces of a key: a list of names, or `["*"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All namespaces, including future ones.
    All,
    /// These namespaces, at least one.
    Only(BTreeSet<Namespace>),
}

const ALL: &str = "*";

impl Reach {
    /// Makes a reach from a list of names.
    ///
    /// # Errors
    /// Returns an error if the list is invalid. The error names the invalid item or what the list
    /// lacks.
    fn of<T: AsRef<str>>(names: &[T]) -> Result<Self, FieldError> {
        if let [only] = names
            && only.as_ref() == ALL
        {
            return Ok(Self::All);
        }
        if names.is_empty() || names.len() > MAX_KEY_NAMESPACES {
            let detail = format!(
                "has {} names; give 1 to {MAX_KEY_NAMESPACES}, or [\"*\"] for all",
                names.len()
            );
            return Err(FieldError::new("namespaces", detail));
        }
        let named = names.iter().enumerate().map(|(at, name)| {
            let name = name.as_ref();
            if name == ALL {
                return Err(FieldError::new(
                    "namespaces",
                    "has \"*\" together with names; use it alone, because it means all namespaces",
                ));
            }
            name.parse().map_err(|problem: crate::namespace::NamespaceError| {
                FieldError::new(format!("namespaces[{at}]"), problem.to_string())
            })
        });
        named.collect::<Result<_, _>>().map(Self::Only)
    }

    /// Returns whether the reach contains this namespace.
    pub fn has(&self, namespace: &Namespace) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(namespace),
        }
    }

    /// Returns whether the reach contains all of `other`.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::Only(_), Self::All) => false,
            (Self::Only(own), Self::Only(theirs)) => theirs.is_subset(own),
        }
    }

    /// Returns the namespace of the reach if there is exactly one.
    pub fn only(&self) -> Option<&Namespace> {
        match self {
            Self::Only(names) if names.len() == 1 => names.first(),
            _ => None,
        }
    }
}

impl Serialize for Reach {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => [ALL].serialize(serializer),
            Self::Only(names) => names.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Reach {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(&Vec::<String>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A key to create.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(description = "A key to create.")]
pub struct NewKey<'a> {
    /// What it is for, in the caller's words. The limit is in bytes of UTF-8.
    #[schemars(length(min = 1, max = MAX_KEY_NAME_BYTES))]
    name: String,
    /// What it may do.
    #[schemars(length(min = 1))]
    scopes: Bounded<Scope, MAX_KEY_SCOPES>,
    /// Where: names, or `["*"]` for every namespace. Those named need not exist yet.
    #[schemars(length(min = 1))]
    namespaces: Bounded<String, MAX_KEY_NAMESPACES>,
    /// When the key expires. Without it, the key never expires; null is refused.
    #[serde(borrow, default, deserialize_with = "crate::input::not_null")]
    #[schemars(with = "Option<InstantInput>")]
    expires_at: Option<TimeInput<'a>>,
}

impl<'a> NewKey<'a> {
    /// Parses the body of a request.
    ///
    /// # Errors
    /// Returns an error if a field cannot be read. The error names it.
    pub fn parse(text: &'a str) -> Result<Self, FieldError> {
        parse_object(text, "")
    }

    /// Checks the new key, and makes it the record of `token`.
    ///
    /// # Errors
    /// Returns an error if a field is invalid. The error names it.
    pub fn check(self, token: &Token, now: UnixMillis) -> Result<Key, FieldError> {
        if self.name.is_empty()
            || self.name.len() > MAX_KEY_NAME_BYTES
            || self.name.chars().any(char::is_control)
        {
            let detail =
                format!("must be 1 to {MAX_KEY_NAME_BYTES} bytes long, without control characters");
            return Err(FieldError::new("name", detail));
        }
        if self.scopes.0.is_empty() {
            return Err(FieldError::new("scopes", "is empty; give some of read, write, admin"));
        }
        let expires_at = self.expires_at.map(|time| time.instant("expiresAt")).transpose()?;
        if expires_at.is_some_and(|at| at <= now) {
            return Err(FieldError::new(
                "expiresAt",
                "is in the past; leave it out for a key that does not expire",
            ));
        }
        Ok(Key {
            id: token.id,
            digest: token.digest(),
            name: self.name,
            scopes: collected(self.scopes.0),
            namespaces: Reach::of(&self.namespaces.0)?,
            created_at: now,
            expires_at,
            last_used_at: None,
        })
    }
}

/// A key in its stored form, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// The public part.
    pub id: KeyId,
    /// The SHA-256 of the secret part.
    #[serde(with = "crate::format::hex")]
    pub digest: [u8; 32],
    /// The purpose of the key.
    pub name: String,
    /// The scopes of the key.
    pub scopes: BTreeSet<Scope>,
    /// The namespaces of the key.
    pub namespaces: Reach,
    /// The time at which it was created.
    pub created_at: UnixMillis,
    /// The time at which it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<UnixMillis>,
    /// When the key was last used; may be up to [`USE_MILLIS`] behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<UnixMillis>,
}

/// A use of a key is stored if the stored use is older than this, in milliseconds. So there is at
/// most one row per hour for each key.
pub const USE_MILLIS: i64 = 3_600_000;

impl Key {
    /// Returns whether to store a use at `now`.
    pub fn stores_use(&self, now: UnixMillis) -> bool {
        self.last_used_at.is_none_or(|last| now.since(last) >= USE_MILLIS)
    }
}

/// A use of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUse {
    /// The key that was used.
    pub id: KeyId,
    /// The time of the use.
    pub at: UnixMillis,
}

/// A key as the API shows it: nothing that it could be found out from.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Key", description = "A key, without its secret.")]
pub struct ShownKey<'a> {
    /// Its name in this API; also the middle part of the key itself.
    #[schemars(with = "String")]
    id: KeyId,
    /// What it is for.
    name: &'a str,
    /// What it may do.
    #[schemars(with = "Vec<Scope>")]
    scopes: &'a BTreeSet<Scope>,
    /// Where; `["*"]` for every namespace.
    #[schemars(with = "Vec<String>")]
    namespaces: &'a Reach,
    /// When it was made.
    #[schemars(with = "i64")]
    created_at: UnixMillis,
    /// When the key expires: milliseconds since 1970, or RFC 3339 if a request would refuse the
    /// number, because it reads as a date. Absent if it never expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<ShownTime>,
    /// When the key was last used, up to an hour behind. Absent if it was never used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i64>")]
    last_used_at: Option<UnixMillis>,
}

impl<'a> From<&'a Key> for ShownKey<'a> {
    fn from(key: &'a Key) -> Self {
        Self {
            id: key.id,
            name: &key.name,
            scopes: &key.scopes,
            namespaces: &key.namespaces,
            created_at: key.created_at,
            expires_at: key.expires_at.map(ShownTime::from),
            last_used_at: key.last_used_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis::new(1_764_000_000_000);

    fn made(text: &str) -> Result<Key, FieldError> {
        NewKey::parse(text)?.check(&Token::new([1; 8], [2; 16]), NOW)
    }

    #[test]
    fn each_request_needs_its_scope() {
        for (method, path, scope) in [
            ("GET", "/v1/tasks", Scope::Read),
            ("GET", "/v1/stats", Scope::Read),
            ("HEAD", "/v1/tasks/a", Scope::Read),
            ("HEAD", "/v1/keys", Scope::Admin),
            ("POST", "/v1/tasks", Scope::Write),
            ("POST", "/v1/preview", Scope::Read),
            ("POST", "/v1/parse", Scope::Read),
            ("DELETE", "/v1/tasks/keys", Scope::Write),
            ("GET", "/v1/keys", Scope::Admin),
            ("DELETE", "/v1/keys/abc", Scope::Admin),
            ("PUT", "/v1/namespaces/a", Scope::Admin),
            ("GET", "/v1/keysmith", Scope::Read),
            ("GET", "/v1/limits/stripe", Scope::Read),
            ("PUT", "/v1/limits/stripe", Scope::Write),
        ] {
            assert_eq!(Scope::needed(method, path), scope, "{method} {path}");
        }
    }

    #[test]
    fn a_key_is_checked_and_stored_without_its_secret() {
        let key = made(
            r#"{"name":"ci","scopes":["write","read","read"],"namespaces":["b","a"],"expiresAt":"2040-01-01T00:00:00Z"}"#,
        );
        let key = key.unwrap();
        let stored = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<Key>(&stored).unwrap(), key);
        assert!(!stored.contains(&crate::format::hex::encode(&[2; 16])), "the secret is stored");
        let shown = serde_json::to_value(ShownKey::from(&key)).unwrap();
        assert_eq!(shown["scopes"], serde_json::json!(["read", "write"]));
        assert_eq!(shown["namespaces"], serde_json::json!(["a", "b"]));
        assert!(shown.get("digest").is_none());
        let all = made(r#"{"name":"a","scopes":["admin"],"namespaces":["*"]}"#).unwrap();
        assert_eq!((all.namespaces, all.expires_at), (Reach::All, None));
    }

    #[test]
    fn an_error_names_the_invalid_field() {
        for (text, field) in [
            (r#"{"name":"","scopes":["read"],"namespaces":["*"]}"#, "name"),
            (r#"{"name":"a","scopes":[],"namespaces":["*"]}"#, "scopes"),
            (r#"{"name":"a","scopes":["all"],"namespaces":["*"]}"#, "scopes[0]"),
            (r#"{"name":"a","scopes":["read"],"namespaces":[]}"#, "namespaces"),
            (r#"{"name":"a","scopes":["read"],"namespaces":["a","*"]}"#, "namespaces"),
            (r#"{"name":"a","scopes":["read"],"namespaces":["a","B"]}"#, "namespaces[1]"),
            (
                r#"{"name":"a","scopes":["read"],"namespaces":["*"],"expiresAt":1764000000000}"#,
                "expiresAt",
            ),
            (
                r#"{"name":"a","scopes":["read"],"namespaces":["*"],"expiresAt":"soon"}"#,
                "expiresAt",
            ),
            (r#"{"name":"a","scopes":["read"],"namespaces":["*"],"expiresAt":null}"#, "expiresAt"),
            (r#"{"name":"a","scopes":["read"],"namespaces":["*"],"admin":true}"#, "admin"),
            ("7", "body"),
        ] {
            assert_eq!(
                made(text).map_err(|problem| problem.field.into_owned()),
                Err(field.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_reach_covers_the_namespaces_in_it() {
        let of = |names: &[&str]| Reach::of(names).unwrap();
        assert!(of(&["*"]).covers(&of(&["a"])) && of(&["*"]).covers(&of(&["*"])));
        assert!(
            of(&["a", "b"]).covers(&of(&["b"]))
                && !of(&["a"]).covers(&of(&["a", "b"]))
                && !of(&["a"]).covers(&of(&["*"]))
        );
        assert_eq!(of(&["a"]).only().map(Namespace::as_str), Some("a"));
        assert_eq!((of(&["a", "b"]).only(), of(&["*"]).only()), (None, None));
    }
}
