//! Signs webhooks as <https://www.standardwebhooks.com> specifies it, version 1.0.0: HMAC-SHA256
//! over id, time and body.
//!
//! Each namespace has a key of its own, derived from each of the deployment's keys (HKDF, RFC
//! 5869). The deployment's keys themselves sign nothing by default. A tenant who knows the key of
//! its namespace cannot sign for another namespace, and cannot make the scheduler do so.

use crate::text::header_value;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::ids::OccurrenceKey;
use scheduler_model::namespace::Namespace;
use sha2::Sha256;
use std::ops::RangeInclusive;

/// The prefix of a key's text.
const PREFIX: &str = "whsec_";
/// The length of a key, in bytes.
const KEY_BYTES: RangeInclusive<usize> = 24..=64;

/// Keys are written with padding, and read with or without it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The keys that sign webhooks.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    keys: Vec<Vec<u8>>,
    is_broken: bool,
    /// The namespaces that sign with the deployment's own keys.
    shared: Vec<String>,
}

/// The headers of a signed webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signed {
    /// `webhook-id`
    pub(crate) id: String,
    /// `webhook-timestamp`
    pub(crate) timestamp: String,
    /// `webhook-signature`
    pub(crate) signature: String,
}

impl Keys {
    /// Parses keys that are separated by commas, and uses the valid ones. For each invalid key, it
    /// also returns a problem, which names the key by its position from 1 on, because its text is a
    /// secret.
    pub(crate) fn read(text: &str) -> (Self, Vec<String>) {
        let mut problems = Vec::new();
        let mut keys = Vec::new();
        for (place, key) in text.split(',').map(str::trim).filter(|key| !key.is_empty()).enumerate()
        {
            match read_key(key) {
                Ok(key) => keys.push(key),
                Err(problem) => problems.push(format!("key {} {problem}", place + 1)),
            }
        }
        let is_broken = keys.is_empty() && !problems.is_empty();
        (Self { keys, is_broken, shared: Vec::new() }, problems)
    }

    /// Lets the namespaces in `shared` sign with the deployment's own keys; `*` means all
    /// namespaces.
    pub(crate) fn shared_by(self, shared: Vec<String>) -> Self {
        Self { shared, ..self }
    }

    /// Returns whether keys are configured but all are invalid. Then no webhook may be sent,
    /// because a receiver would refuse an unsigned webhook, or somebody would make it accept one.
    pub(crate) fn are_broken(&self) -> bool {
        self.is_broken
    }

    /// Signs a body with each key, or returns `None` if there are no keys. Several keys let
    /// receivers verify with the old or the new key during a key rotation.
    pub(crate) fn sign(
        &self,
        namespace: &Namespace,
        key: &OccurrenceKey,
        now: UnixMillis,
        body: &str,
    ) -> Option<Signed> {
        if self.keys.is_empty() {
            return None;
        }
        let id = webhook_id(namespace, key);
        let timestamp = now.get().div_euclid(1_000).to_string();
        let is_shared = self.shared.iter().any(|name| name == "*" || name == namespace.as_str());
        let sign = |key: &Vec<u8>| match is_shared {
            true => sign(key, &id, &timestamp, body),
            false => sign(&of_namespace(key, namespace)?, &id, &timestamp, body),
        };
        let signatures: Vec<String> = self.keys.iter().filter_map(sign).collect();
        Some(Signed { id, timestamp, signature: signatures.join(" ") })
    }
}

fn read_key(text: &str) -> Result<Vec<u8>, &'static str> {
    let encoded = text.strip_prefix(PREFIX).ok_or("does not begin with whsec_")?;
    let key = BASE64.decode(encoded).map_err(|_| "is not base64 after whsec_")?;
    if KEY_BYTES.contains(&key.len()) { Ok(key) } else { Err("does not have 24 to 64 bytes") }
}

/// Derives the key of a namespace with HKDF-SHA256, no salt and one block. The purpose precedes the
/// name, so that keys for other purposes, such as one destination, can be derived too.
fn of_namespace(key: &[u8], namespace: &Namespace) -> Option<[u8; 32]> {
    let extracted = hmac(&[0; 32], &[key])?;
    hmac(
        &extracted,
        &[b"durable-scheduler/webhook/namespace/", namespace.as_str().as_bytes(), &[1]],
    )
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
    // HMAC accepts keys of any length, so this does not fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    parts.iter().for_each(|part| mac.update(part));
    Some(mac.finalize().into_bytes().into())
}

/// Returns the occurrence key as `webhook-id`. Dots separate the signed parts, and callers choose
/// task ids, so every dot is escaped; otherwise a part of an id could pass for the time. If the
/// namespace is not `default`, it precedes the occurrence key, so that it is signed too. A colon in
/// an id is not escaped, but a percent sign is, so no id can look like an id of another namespace.
fn webhook_id(namespace: &Namespace, key: &OccurrenceKey) -> String {
    let id = header_value(&key.to_string()).replace('.', "%2E");
    if namespace.is_default() { id } else { format!("{namespace}%3A{id}") }
}

fn sign(key: &[u8], id: &str, timestamp: &str, body: &str) -> Option<String> {
    let parts = [id, ".", timestamp, ".", body].map(str::as_bytes);
    Some(format!("v1,{}", BASE64.encode(hmac(key, &parts)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These vectors are from the tests of the specification's reference libraries: the first has
    /// the key that most of them use, the second is from the Rust library.
    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &str = r#"{"test": 2432232314}"#;
    const VECTORS: [[&str; 5]; 2] = [
        [
            KEY,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            BODY,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ],
        [
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            "1649367553",
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ],
    ];

    #[test]
    fn the_reference_vectors() {
        for [key, id, timestamp, body, signature] in VECTORS {
            assert_eq!(
                sign(&read_key(key).unwrap(), id, timestamp, body).as_deref(),
                Some(signature)
            );
        }
    }

    #[test]
    fn every_key_signs_the_same() {
        let (keys, problems) = Keys::read(&format!(" {KEY} , whsec_{} ,", BASE64.encode([7; 32])));
        assert!(problems.is_empty());
        let occurrence =
            OccurrenceKey { id: "a".to_owned(), time: UnixMillis::new(5), stage: None };
        let keys = keys.shared_by(vec!["default".to_owned()]);
        let signed = keys
            .sign(&Namespace::DEFAULT, &occurrence, UnixMillis::new(1_614_265_330_999), BODY)
            .unwrap();
        assert_eq!((signed.id.as_str(), signed.timestamp.as_str()), ("a@5", "1614265330"));
        let (first, second) = signed.signature.split_once(' ').unwrap();
        assert_eq!(
            Some(first),
            sign(&read_key(KEY).unwrap(), "a@5", "1614265330", BODY).as_deref()
        );
        assert_eq!(Some(second), sign(&[7; 32], "a@5", "1614265330", BODY).as_deref());
    }

    #[test]
    fn a_bad_key_is_reported_and_not_used() {
        let short = BASE64.encode([1; 23]);
        let (keys, problems) = Keys::read(&format!("secret,whsec_!,whsec_{short},{KEY}"));
        assert_eq!(
            problems,
            [
                "key 1 does not begin with whsec_",
                "key 2 is not base64 after whsec_",
                "key 3 does not have 24 to 64 bytes"
            ]
        );
        assert_eq!((keys.keys.len(), keys.are_broken()), (1, false));
        let (keys, _) = Keys::read(&format!("whsec_{}", BASE64.encode([1; 65])));
        assert!(keys.are_broken());
        for none in ["", " , "] {
            let (keys, problems) = Keys::read(none);
            assert!(!keys.are_broken() && problems.is_empty());
            let key = OccurrenceKey { id: "a".to_owned(), time: UnixMillis::ZERO, stage: None };
            assert_eq!(keys.sign(&Namespace::DEFAULT, &key, UnixMillis::ZERO, ""), None);
        }
    }

    #[test]
    fn keys_are_read_with_and_without_padding() {
        let padded = BASE64.encode([1; 25]);
        assert!(padded.ends_with("=="));
        assert_eq!(
            read_key(&format!("whsec_{padded}")),
            read_key(&format!("whsec_{}", padded.trim_end_matches('=')))
        );
    }

    #[test]
    fn an_id_has_no_dot_and_stays_unique() {
        let key =
            |id: &str| OccurrenceKey { id: id.to_owned(), time: UnixMillis::new(5), stage: None };
        let id = |id: &str| webhook_id(&Namespace::DEFAULT, &key(id));
        assert_eq!(id("a.1700000000"), "a%2E1700000000@5");
        assert_eq!(id("a%2E1700000000"), "a%252E1700000000@5");
        assert_eq!(id("spät 1"), "sp%C3%A4t%201@5");
        let follow_up = OccurrenceKey { stage: Some("onSuccess".to_owned()), ..key("a") };
        assert_eq!(webhook_id(&Namespace::DEFAULT, &follow_up), "a@5/onSuccess");
        let shop: Namespace = "shop".parse().unwrap();
        assert_eq!(webhook_id(&shop, &key("a")), "shop%3Aa@5");
        for other in ["shop:a", "shop%3Aa", "shop%253Aa"] {
            assert_ne!(id(other), webhook_id(&shop, &key("a")));
        }
    }

    /// These keys are pinned, because receivers store them. They were computed with Python's hmac
    /// and hashlib, according to RFC 5869.
    #[test]
    fn a_namespace_has_a_key_of_its_own() {
        let key = read_key(KEY).unwrap();
        let of =
            |name: &str| of_namespace(&key, &name.parse().unwrap()).map(|key| BASE64.encode(key));
        assert_eq!(of("default").as_deref(), Some("c/1ci4IEqC8gnMBKMRyA+N8fX5wY3JMWmqy2++MForg="));
        assert_eq!(of("shop").as_deref(), Some("31gWAoZuRZRDCN/DED3uDaOeSCCrp0h+Bv+HnvXdClw="));

        let (keys, _) = Keys::read(KEY);
        let occurrence =
            OccurrenceKey { id: "a".to_owned(), time: UnixMillis::new(5), stage: None };
        let signature = |keys: &Keys, name: &str| {
            keys.sign(&name.parse().unwrap(), &occurrence, UnixMillis::ZERO, BODY)
                .unwrap()
                .signature
        };
        let shared = sign(&key, "shop%3Aa@5", "0", BODY).unwrap();
        assert_ne!(signature(&keys, "shop"), shared);
        assert_eq!(
            signature(&keys, "shop"),
            sign(&of_namespace(&key, &"shop".parse().unwrap()).unwrap(), "shop%3Aa@5", "0", BODY)
                .unwrap()
        );
        // Only the configured namespaces use the deployment's keys.
        let keys = keys.shared_by(vec!["shop".to_owned()]);
        assert_eq!(signature(&keys, "shop"), shared);
        assert_ne!(signature(&keys, "shop-2"), sign(&key, "shop-2%3Aa@5", "0", BODY).unwrap());
        let keys = keys.shared_by(vec!["*".to_owned()]);
        assert_eq!(signature(&keys, "shop-2"), sign(&key, "shop-2%3Aa@5", "0", BODY).unwrap());
    }
}
