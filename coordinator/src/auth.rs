//! Authenticates requests, and finds the namespace that a request is about.
//!
//! The keys in the deployment's secret need no lookup. Other keys, and namespaces except `default`,
//! are looked up in this instance's copy of the registry.

use crate::clients::registry;
use crate::problem::{Problem, ProblemType};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::access::{Guesses, Holder, NAMESPACE_HEADER, Quota, Scope, Token};
use scheduler_model::namespace::Namespace;
use scheduler_platform::settings;
use std::cell::RefCell;
use subtle::ConstantTimeEq;
use worker::{Env, Request};

/// A key of this length cannot be guessed: 24 letters and digits have some 120 bits.
const LONG_KEY_BYTES: usize = 24;

thread_local! {
    /// The count of wrong keys, which all requests of this instance share.
    static GUESSES: RefCell<Guesses> = const { RefCell::new(Guesses::NONE) };
}

/// The caller of a request, and the namespace that the request is for.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) holder: Holder,
    pub(crate) namespace: Namespace,
    /// The quota of the namespace.
    pub(crate) quota: Quota,
}

/// What a request needs of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needed {
    /// Any valid key.
    Key,
    /// A key for the namespace. The handler checks the scopes.
    Namespace,
    /// A key with this scope in the namespace.
    Scope(Scope),
}

/// Admits a request if its key, sent as a bearer token, has what is `needed` in the namespace that
/// the request is about.
pub(crate) async fn admit(
    request: &Request,
    env: &Env,
    needed: Needed,
    now: UnixMillis,
) -> Result<Caller, Problem> {
    let header = |name| request.headers().get(name).ok().flatten();
    // The platform sets this header. Locally, every caller has the address of this machine, which
    // is ignored.
    let address = header("cf-connecting-ip")
        .filter(|address| !matches!(address.as_str(), "127.0.0.1" | "::1"));
    let is_spent = address
        .as_deref()
        .is_some_and(|address| GUESSES.with_borrow(|guesses| guesses.are_spent(address, now)));
    let authorization = header("authorization");
    let key = authorization.as_deref().and_then(token_of);
    let holder = match (holder(authorization.as_deref(), env, now).await, address) {
        // A long key is admitted even if another caller with the same address has sent wrong keys.
        (Ok(_), _) if is_spent && key.is_some_and(|key| key.len() < LONG_KEY_BYTES) => {
            return Err(Problem::guessing());
        }
        (Err(problem), Some(address))
            if problem.kind == ProblemType::Unauthorized && authorization.is_some() =>
        {
            if is_spent {
                return Err(Problem::guessing());
            }
            GUESSES.with_borrow_mut(|guesses| guesses.note(&address, now));
            return Err(problem);
        }
        (holder, _) => holder?,
    };
    let named = header(NAMESPACE_HEADER);
    let namespace = match needed {
        Needed::Key => holder.admit(None, named.as_deref()),
        Needed::Namespace => holder.namespace(named.as_deref()),
        Needed::Scope(scope) => holder.admit(Some(scope), named.as_deref()),
    }?;
    let quota = if namespace.is_default() {
        Quota::default()
    } else {
        let directory =
            registry::directory(env, |known| known.settings(&namespace).is_some()).await?;
        directory.quota(&namespace).map_err(|denied| holder.without_namespace(denied))?
    };
    Ok(Caller { holder, namespace, quota })
}

/// Returns the holder of the key in the header of a request.
async fn holder(
    authorization: Option<&str>,
    env: &Env,
    now: UnixMillis,
) -> Result<Holder, Problem> {
    match verify(authorization, &settings::api_keys(env))? {
        Sent::KeyOfTheDeployment => Ok(Holder::of_the_deployment()),
        Sent::Token(token) => {
            let directory =
                registry::directory(env, |known| known.holder(&token, now).is_ok()).await?;
            let holder = directory.holder(&token, now)?;
            registry::note_use(&directory, token.id, now);
            Ok(holder)
        }
    }
}

/// The kind of key that a request has.
enum Sent {
    /// One of the keys in the secret of the deployment.
    KeyOfTheDeployment,
    /// A token that the registry may know.
    Token(Token),
}

/// Returns the API key in the header `Authorization`. The case of the scheme does not matter.
pub(crate) fn token_of(header: &str) -> Option<&str> {
    let bearer = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    bearer.map(|(_, token)| token.trim())
}

fn verify(header: Option<&str>, keys: &[String]) -> Result<Sent, Problem> {
    let Some(token) = header.and_then(token_of) else {
        return Err(Problem::unauthorized("send the header Authorization: Bearer <key>"));
    };
    // Every key is compared in full, so that the time of the comparison does not reveal how much of
    // the key is right.
    let matches = keys
        .iter()
        .fold(0, |found, key| found | key.as_bytes().ct_eq(token.as_bytes()).unwrap_u8());
    if matches == 1 {
        return Ok(Sent::KeyOfTheDeployment);
    }
    match Token::parse(token) {
        Some(token) => Ok(Sent::Token(token)),
        None if keys.is_empty() => Err(Problem::unauthorized(
            "no API key is configured, and only keys that were created earlier are valid; set the secret API_KEYS",
        )),
        None => Err(Problem::unauthorized("the API key is unknown")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_configured_key_is_accepted() {
        let keys = ["one".to_owned(), "two".to_owned()];
        for right in ["Bearer two", "bearer one", "Bearer  two "] {
            assert!(matches!(verify(Some(right), &keys), Ok(Sent::KeyOfTheDeployment)), "{right}");
        }
        for wrong in [
            None,
            Some(""),
            Some("two"),
            Some("Basic two"),
            Some("Bearer "),
            Some("Bearer tw"),
            Some("Bearer three"),
        ] {
            assert!(verify(wrong, &keys).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn without_a_configured_key_nothing_is_accepted() {
        assert!(verify(Some("Bearer "), &[]).is_err());
        assert!(verify(None, &[]).is_err());
    }

    #[test]
    fn other_keys_are_looked_up_in_the_registry() {
        let key = Token::new([1; 8], [2; 16]).reveal();
        assert!(
            matches!(verify(Some(&format!("Bearer {key}")), &[]), Ok(Sent::Token(token)) if token.reveal() == key)
        );
        // A token may also be in the secret.
        assert!(matches!(
            verify(Some(&format!("Bearer {key}")), std::slice::from_ref(&key)),
            Ok(Sent::KeyOfTheDeployment)
        ));
        assert!(verify(Some(&format!("Bearer {key}0")), &[]).is_err());
    }
}
