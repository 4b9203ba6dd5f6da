//! The text of an API key: `dsk_<id>_<secret>`, 16 and 32 hexadecimal digits.
//!
//! The id is public and identifies the key. Only the SHA-256 of the secret is stored. The secret
//! has 128 random bits, so it cannot be guessed from the hash, and no slow hash and no salt are
//! needed.

use crate::format::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// The prefix of every key. It distinguishes keys from those in the deployment's secret, and lets
/// scanners find leaked keys.
pub const TOKEN_PREFIX: &str = "dsk_";

/// The public name of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(#[serde(with = "crate::format::hex")] [u8; 8]);

impl KeyId {
    /// Parses an id as [`fmt::Display`] writes it.
    pub fn parse(text: &str) -> Option<Self> {
        hex::decode(text).map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

/// A key as its holder has it. It does not implement `Debug`, so it cannot get into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The public part.
    pub id: KeyId,
    secret: [u8; 16],
}

impl Token {
    /// Returns a new key made of random bytes that are suitable for keys.
    pub fn new(id: [u8; 8], secret: [u8; 16]) -> Self {
        Self { id: KeyId(id), secret }
    }

    /// Parses what a holder sends. Returns `None` if it does not have the form of a key.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(TOKEN_PREFIX)?.split_once('_')?;
        Some(Self { id: KeyId::parse(id)?, secret: hex::decode(secret)? })
    }

    /// Returns the text, which the holder sees once.
    pub fn reveal(&self) -> String {
        format!("{TOKEN_PREFIX}{}_{}", self.id, hex::encode(&self.secret))
    }

    /// Returns the stored hash of the secret.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.secret).into()
    }

    /// Returns whether `digest` is the stored digest of this key. The comparison always takes the
    /// same time.
    pub fn is(&self, digest: &[u8; 32]) -> bool {
        self.digest().ct_eq(digest).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_can_be_parsed_and_only_it_matches() {
        let token = Token::new([0xab; 8], [0x0f; 16]);
        let text = token.reveal();
        assert_eq!(text, format!("dsk_{}_{}", "ab".repeat(8), "0f".repeat(16)));
        assert!(Token::parse(&text).is_some_and(|read| read == token && read.is(&token.digest())));
        assert!(!Token::new([0xab; 8], [0x0e; 16]).is(&token.digest()));
        for bad in [
            "",
            "dsk_",
            "dsk__",
            &text[1..],
            &text[..text.len() - 1],
            &format!("{text}0"),
            &text.to_uppercase(),
        ] {
            assert!(Token::parse(bad).is_none(), "{bad}");
        }
    }

    /// This digest never changes, because a change would lock out every key. It is the hash of 16
    /// zero bytes, as `sha256sum` computes it.
    #[test]
    fn golden_digest() {
        let digest = hex::encode(&Token::new([0; 8], [0; 16]).digest());
        assert_eq!(digest, "374708fff7719dd5979ec875d56cd2286f6d3cf7ec317a3b25632aab28ec37bb");
    }
}
