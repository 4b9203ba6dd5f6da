//! API keys.

use crate::answer::Problem;
use crate::settings;
use subtle::ConstantTimeEq;
use worker::{Env, Request};

/// Lets a request pass that carries one of the configured keys as a bearer token.
pub(crate) fn check(request: &Request, env: &Env) -> Result<(), Problem> {
    let header = request.headers().get("authorization").ok().flatten();
    verify(header.as_deref(), &settings::api_keys(env))
}

fn verify(header: Option<&str>, keys: &[String]) -> Result<(), Problem> {
    if keys.is_empty() {
        return Err(Problem::unauthorized("no API key is configured, so everything is refused; set the secret API_KEYS"));
    }
    let Some((scheme, token)) = header.and_then(|header| header.split_once(' ')) else {
        return Err(Problem::unauthorized("send the header Authorization: Bearer <key>"));
    };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Problem::unauthorized("send the header Authorization: Bearer <key>"));
    }
    // Every key is compared in full, so that the time tells nothing of how much was right.
    let matches = keys.iter().fold(0, |found, key| found | key.as_bytes().ct_eq(token.trim().as_bytes()).unwrap_u8());
    if matches == 1 { Ok(()) } else { Err(Problem::unauthorized("the API key is not a known one")) }
}

#[cfg(test)]
mod tests {
    use super::verify;

    #[test]
    fn only_a_configured_key_opens() {
        let keys = ["one".to_owned(), "two".to_owned()];
        assert!(verify(Some("Bearer two"), &keys).is_ok());
        assert!(verify(Some("bearer one"), &keys).is_ok());
        for wrong in [None, Some(""), Some("two"), Some("Basic two"), Some("Bearer "), Some("Bearer tw"), Some("Bearer three")] {
            assert!(verify(wrong, &keys).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn without_a_configured_key_nothing_opens() {
        assert!(verify(Some("Bearer "), &[]).is_err());
        assert!(verify(None, &[]).is_err());
    }
}
