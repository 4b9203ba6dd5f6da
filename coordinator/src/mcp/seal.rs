//! States that a client keeps for the server: a number, its expiry, and a proof that this server
//! wrote it for this caller and this purpose.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use scheduler_calendar::time::UnixMillis;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How long a state is valid, in milliseconds: the time that a user has to answer a question.
const LASTS_MILLIS: i64 = 600_000;

/// Separates this use of the secrets from others.
const LABEL: &[u8] = b"durable-scheduler mcp request state 1";

/// A key that seals.
#[derive(Clone)]
pub(crate) struct Seal([u8; 32]);

/// Why a state is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// This server did not write it for this caller and this purpose.
    Forged,
    /// It has expired.
    Late,
}

impl Seal {
    /// Derives a key from secrets. One of them identifies the caller, so the state of one caller is
    /// invalid for another.
    pub(crate) fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = Sha256::new();
        hash.update(LABEL);
        for secret in secrets {
            hash.update((secret.len() as u64).to_be_bytes());
            hash.update(secret.as_bytes());
        }
        Self(hash.finalize().into())
    }

    /// Seals a number for a purpose.
    pub(crate) fn seal(&self, number: u64, purpose: &str, now: UnixMillis) -> String {
        let plain = format!("{:x}.{number:x}", now.plus(LASTS_MILLIS).get());
        let proof = self.proof(&plain, purpose).map(|proof| BASE64.encode(proof));
        format!("{plain}.{}", proof.unwrap_or_default())
    }

    /// Returns the number in a state for this purpose.
    ///
    /// # Errors
    /// Returns an error if the state was not written for this purpose, or has expired.
    pub(crate) fn open(&self, sealed: &str, purpose: &str, now: UnixMillis) -> Result<u64, Broken> {
        let (plain, proof) = sealed.rsplit_once('.').ok_or(Broken::Forged)?;
        let proof = BASE64.decode(proof).map_err(|_| Broken::Forged)?;
        let expected = self.proof(plain, purpose).ok_or(Broken::Forged)?;
        if !bool::from(expected.as_slice().ct_eq(&proof)) {
            return Err(Broken::Forged);
        }
        let (until, number) = plain.split_once('.').ok_or(Broken::Forged)?;
        let until = i64::from_str_radix(until, 16).map_err(|_| Broken::Forged)?;
        if now > UnixMillis::new(until) {
            return Err(Broken::Late);
        }
        u64::from_str_radix(number, 16).map_err(|_| Broken::Forged)
    }

    /// Returns the proof of a text. This does not fail, because a key of any length is valid.
    fn proof(&self, plain: &str, purpose: &str) -> Option<[u8; 32]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(plain.as_bytes());
        mac.update(b"\n");
        mac.update(purpose.as_bytes());
        Some(mac.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis::new(1_800_000_000_000);

    #[test]
    fn what_is_sealed_opens_for_the_same_caller_and_purpose_only() {
        let seal = Seal::of(["deployment", "caller"]);
        let sealed = seal.seal(17, "cancel a", NOW);
        assert_eq!(seal.open(&sealed, "cancel a", NOW), Ok(17));
        assert_eq!(seal.open(&sealed, "cancel b", NOW), Err(Broken::Forged));
        for other in [
            Seal::of(["deployment", "other"]),
            Seal::of(["caller", "deployment"]),
            Seal::of(["deploymentcaller"]),
            Seal::of(["deployment", "caller", ""]),
        ] {
            assert_eq!(other.open(&sealed, "cancel a", NOW), Err(Broken::Forged));
        }
    }

    #[test]
    fn what_is_changed_or_late_does_not_open() {
        let seal = Seal::of(["a"]);
        let sealed = seal.seal(1, "p", NOW);
        assert_eq!(seal.open(&sealed, "p", NOW.plus(LASTS_MILLIS)), Ok(1));
        assert_eq!(seal.open(&sealed, "p", NOW.plus(LASTS_MILLIS + 1)), Err(Broken::Late));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'1' { b'2' } else { b'1' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(seal.open(&changed, "p", NOW), Err(Broken::Forged), "{changed}");
        }
        for text in ["", ".", "..", "a.b.c", &format!("{sealed}-TAMPERED"), &sealed[1..]] {
            assert_eq!(seal.open(text, "p", NOW), Err(Broken::Forged), "{text}");
        }
    }
}
