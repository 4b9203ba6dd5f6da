//! Who sends a request, and what it is about.
//!
//! The keys of the deployment's secret need nothing but it. Other keys, and namespaces beside
//! `default`, are looked up in what this instance knows of the registry.

use crate::clients::registry;
use crate::problem::{Problem, ProblemType};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::access::{Guesses, Holder, NAMESPACE_HEADER, Quota, Scope, Token};
use scheduler_model::namespace::Namespace;
use scheduler_platform::settings;
use std::cell::RefCell;
use subtle::ConstantTimeEq;
use worker::{Env, Request};

/// A key of this length is not guessed: 24 letters and digits have some 120 bits.
const LONG_KEY_BYTES: usize = 24;

thread_local! {
    /// Wrong keys, for all requests of this instance.
    static GUESSES: RefCell<Guesses> = const { RefCell::new(Guesses::NONE) };
}

/// Who sends a request, and for which namespace.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) holder: Holder,
    pub(crate) namespace: Namespace,
    /// The namespace's.
    pub(crate) quota: Quota,
}

/// What a request needs of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needed {
    /// That there is one.
    Key,
    /// That it is for the namespace. What the request does needs scopes of its own.
    Namespace,
    /// That it has the scope, in the namespace.
    Scope(Scope),
}

/// Admits a request if its key, sent as a bearer token, has what is needed in the namespace that the
/// request is about.
pub(crate) async fn admit(
    request: &Request,
    env: &Env,
    needed: Needed,
    now: UnixMillis,
) -> Result<Caller, Problem> {
    let header = |name| request.headers().get(name).ok().flatten();
    // The platform says who asks. Locally that is this machine, for everybody.
    let address = header("cf-connecting-ip")
        .filter(|address| !matches!(address.as_str(), "127.0.0.1" | "::1"));
    let is_spent = address
        .as_deref()
        .is_some_and(|address| GUESSES.with_borrow(|guesses| guesses.are_spent(address, now)));
    let authorization = header("authorization");
    let key = authorization.as_deref().and_then(token_of);
    let holder = match (holder(authorization.as_deref(), env, now).await, address) {
        // Who shares the address with somebody who guesses is not shut out.
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

/// Returns whose key stands in the header of a request.
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

/// What stands in a request for a key.
enum Sent {
    /// One of those in the secret.
    KeyOfTheDeployment,
    /// One that the registry may know.
    Token(Token),
}

/// Returns the API key of the header `Authorization`, however its scheme is written.
pub(crate) fn token_of(header: &str) -> Option<&str> {
    let bearer = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    bearer.map(|(_, token)| token.trim())
}

fn verify(header: Option<&str>, keys: &[String]) -> Result<Sent, Problem> {
    let Some(token) = header.and_then(token_of) else {
        return Err(Problem::unauthorized("send the header Authorization: Bearer <key>"));
    };
    // Every key is compared in full, so that the time tells nothing of how much was right.
    let matches = keys
        .iter()
        .fold(0, |found, key| found | key.as_bytes().ct_eq(token.as_bytes()).unwrap_u8());
    if matches == 1 {
        return Ok(Sent::KeyOfTheDeployment);
    }
    match Token::parse(token) {
        Some(token) => Ok(Sent::Token(token)),
        None if keys.is_empty() => Err(Problem::unauthorized(
            "no API key is configured, so there is none but those made earlier; set the secret API_KEYS",
        )),
        None => Err(Problem::unauthorized("the API key is not a known one")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_configured_key_opens() {
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
    fn without_a_configured_key_nothing_opens() {
        assert!(verify(Some("Bearer "), &[]).is_err());
        assert!(verify(None, &[]).is_err());
    }

    #[test]
    fn other_keys_are_for_the_registry_to_know() {
        let key = Token::new([1; 8], [2; 16]).reveal();
        assert!(
            matches!(verify(Some(&format!("Bearer {key}")), &[]), Ok(Sent::Token(token)) if token.reveal() == key)
        );
        // One may also be put into the secret.
        assert!(matches!(
            verify(Some(&format!("Bearer {key}")), std::slice::from_ref(&key)),
            Ok(Sent::KeyOfTheDeployment)
        ));
        assert!(verify(Some(&format!("Bearer {key}0")), &[]).is_err());
    }
}
