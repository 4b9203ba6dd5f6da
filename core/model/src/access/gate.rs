//! Decides whether a request is admitted.

use super::key::{Reach, Scope};
use crate::namespace::{Namespace, NamespaceError};
use scheduler_calendar::time::UnixMillis;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

/// The header by which a request names its namespace.
pub const NAMESPACE_HEADER: &str = "Scheduler-Namespace";

/// The holder of the key in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The scopes of the key.
    pub scopes: BTreeSet<Scope>,
    /// The namespaces of the key.
    pub reach: Reach,
    /// The name of the key; `None` for one of the deployment's secret.
    pub name: Option<String>,
}

/// The reason why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// HTTP 401.
    #[error("the API key is unknown")]
    UnknownKey,
    /// HTTP 401.
    #[error("the API key expired at {}; create a new one", .0.shown())]
    Expired(UnixMillis),
    /// HTTP 403.
    #[error("the API key does not have the scope \"{0}\", which this request needs")]
    Scope(Scope),
    /// HTTP 403.
    #[error(
        "the API key is not for the namespace \"{0}\"; name one of its own in the header {NAMESPACE_HEADER}"
    )]
    Reach(Namespace),
    /// HTTP 403. The new key would reach further than its creator's.
    #[error(
        "the API key is not for the namespace \"{0}\"; give only namespaces of its own in the field namespaces"
    )]
    Grant(Namespace),
    /// HTTP 403.
    #[error("the API key is not for every namespace (\"*\"), which this request needs")]
    ReachAll,
    /// HTTP 422.
    #[error("{0}")]
    Name(NamespaceError),
    /// HTTP 404.
    #[error("there is no namespace \"{0}\"")]
    NoNamespace(Namespace),
    /// HTTP 404, for a holder who may create the namespace.
    #[error("there is no namespace \"{0}\"; create it with PUT /v1/namespaces/{0}")]
    CreateNamespace(Namespace),
}

impl Holder {
    /// Returns the holder of a key of the deployment's secret, who may do everything.
    pub fn of_the_deployment() -> Self {
        Self {
            scopes: [Scope::Read, Scope::Write, Scope::Admin].into(),
            reach: Reach::All,
            name: None,
        }
    }

    /// Returns the namespace of a request: the one that it names, otherwise the only one of the
    /// key, otherwise `default`. A request that needs `admin`, or no scope, belongs to no
    /// particular namespace. [`Self::may_grant`] decides how far it may reach.
    ///
    /// # Errors
    /// Returns an error if the key lacks the scope, or does not cover the namespace.
    pub fn admit(&self, needed: Option<Scope>, named: Option<&str>) -> Result<Namespace, Denied> {
        match needed {
            Some(needed) if !self.scopes.contains(&needed) => Err(Denied::Scope(needed)),
            None | Some(Scope::Admin) => Ok(Namespace::DEFAULT),
            Some(Scope::Read | Scope::Write) => self.namespace(named),
        }
    }

    /// Returns the namespace of a request whose parts need scopes of their own.
    ///
    /// # Errors
    /// Returns an error if the key is not for the namespace.
    pub fn namespace(&self, named: Option<&str>) -> Result<Namespace, Denied> {
        let namespace = match named {
            Some(name) => name.trim().parse().map_err(Denied::Name)?,
            None => self.reach.only().cloned().unwrap_or(Namespace::DEFAULT),
        };
        if self.reach.has(&namespace) { Ok(namespace) } else { Err(Denied::Reach(namespace)) }
    }

    /// Checks that this holder may create or revoke a key with this reach. Nobody can grant more
    /// than they have.
    ///
    /// # Errors
    /// Returns an error if the key would reach further.
    pub fn may_grant(&self, reach: &Reach) -> Result<(), Denied> {
        match reach {
            reach if self.reach.covers(reach) => Ok(()),
            Reach::All => Err(Denied::ReachAll),
            Reach::Only(names) => match names.iter().find(|name| !self.reach.has(name)) {
                Some(name) => Err(Denied::Grant(name.clone())),
                None => Ok(()),
            },
        }
    }

    /// Returns the refusal of this holder's request for a missing namespace. The refusal explains
    /// how to create the namespace only if the holder may do so.
    pub fn without_namespace(&self, denied: Denied) -> Denied {
        match denied {
            Denied::NoNamespace(name)
                if self.scopes.contains(&Scope::Admin) && self.reach == Reach::All =>
            {
                Denied::CreateNamespace(name)
            }
            denied => denied,
        }
    }
}

/// What the key of a request may do.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(description = "What the key of the request may do.")]
pub struct OwnKey<'a> {
    /// What it is for. Absent for a key of the secret `API_KEYS`, which has no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    /// What it may do.
    #[schemars(with = "Vec<Scope>")]
    scopes: &'a BTreeSet<Scope>,
    /// Where; `["*"]` for every namespace.
    #[schemars(with = "Vec<String>")]
    namespaces: &'a Reach,
}

impl<'a> From<&'a Holder> for OwnKey<'a> {
    fn from(holder: &'a Holder) -> Self {
        Self { name: holder.name.as_deref(), scopes: &holder.scopes, namespaces: &holder.reach }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(scopes: &[Scope], names: &[&str]) -> Holder {
        let reach = serde_json::from_value(serde_json::json!(names)).unwrap();
        Holder { scopes: scopes.iter().copied().collect(), reach, name: None }
    }

    #[test]
    fn a_request_uses_the_namespace_it_names_or_that_of_its_key() {
        let of = |names: &[&str], named| {
            holder(&[Scope::Read], names)
                .admit(Some(Scope::Read), named)
                .map(|name| name.to_string())
        };
        assert_eq!(of(&["a"], None).as_deref(), Ok("a"));
        assert_eq!(of(&["a", "default"], None).as_deref(), Ok("default"));
        assert_eq!(of(&["*"], None).as_deref(), Ok("default"));
        assert_eq!(of(&["*"], Some(" b ")).as_deref(), Ok("b"));
        assert_eq!(of(&["a", "b"], Some("b")).as_deref(), Ok("b"));
        assert_eq!(of(&["a", "b"], None), Err(Denied::Reach(Namespace::DEFAULT)));
        assert!(matches!(of(&["a"], Some("b")), Err(Denied::Reach(_))));
        assert!(matches!(of(&["*"], Some("B:1")), Err(Denied::Name(_))));
        assert!(holder(&[Scope::Admin], &["a", "b"]).admit(Some(Scope::Admin), None).is_ok());
    }

    #[test]
    fn scopes_do_not_include_each_other_and_a_missing_one_is_named() {
        let all = [Scope::Read, Scope::Write, Scope::Admin];
        for has in all {
            for needed in all {
                let outcome = holder(&[has], &["*"]).admit(Some(needed), None);
                assert_eq!(outcome.is_ok(), has == needed, "{has} {needed}");
                if let Err(problem) = outcome {
                    assert!(
                        problem.to_string().contains(&format!("{:?}", needed.to_string())),
                        "{problem}"
                    );
                }
            }
            assert!(Holder::of_the_deployment().admit(Some(has), Some("a")).is_ok());
        }
    }

    #[test]
    fn a_request_without_a_scope_passes_with_every_key() {
        for scope in [Scope::Read, Scope::Write, Scope::Admin] {
            assert_eq!(
                holder(&[scope], &["a", "b"]).admit(None, Some("c")),
                Ok(Namespace::DEFAULT)
            );
        }
    }

    #[test]
    fn nobody_grants_more_than_they_have() {
        let of = |own: &[&str], given: &[&str]| {
            holder(&[Scope::Admin], own).may_grant(&holder(&[], given).reach)
        };
        assert_eq!(of(&["*"], &["*"]), Ok(()));
        assert_eq!(of(&["a", "b"], &["b"]), Ok(()));
        assert_eq!(of(&["a"], &["*"]), Err(Denied::ReachAll));
        assert!(
            matches!(of(&["a"], &["a", "b"]), Err(Denied::Grant(name)) if name.as_str() == "b")
        );
        // The namespaces of a new key are in the body.
        let hint = of(&["a"], &["b"]).unwrap_err().to_string();
        assert!(
            hint.contains("the field namespaces") && !hint.contains(NAMESPACE_HEADER),
            "{hint}"
        );
    }

    #[test]
    fn only_a_holder_who_may_create_a_namespace_learns_how() {
        let says_how = |scopes: &[Scope], names: &[&str]| {
            let denied =
                holder(scopes, names).without_namespace(Denied::NoNamespace("a".parse().unwrap()));
            denied.to_string().contains("PUT")
        };
        assert!(says_how(&[Scope::Read, Scope::Admin], &["*"]));
        assert!(!says_how(&[Scope::Read, Scope::Write], &["*"]));
        assert!(!says_how(&[Scope::Read, Scope::Admin], &["a"]));
        assert!(!says_how(&[Scope::Read, Scope::Write], &["a"]));
    }
}
