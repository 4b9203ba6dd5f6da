//! The text of an API key: `dsk_<id>_<secret>`, 16 and 32 hexadecimal digits.
//!
//! The id is public and finds the key. Of the secret only the SHA-256 is kept: with 128 random bits
//! it cannot be guessed from that, so no slow hash and no salt are needed.

use crate::format::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// How every key begins: tells it from the keys in the deployment's secret, and lets scanners of
/// leaked secrets find it.
pub const TOKEN_PREFIX: &str = "dsk_";

/// The public name of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(#[serde(with = "crate::format::hex")] [u8; 8]);

impl KeyId {
    /// Reads an id as [`fmt::Display`] writes it.
    pub fn parse(text: &str) -> Option<Self> {
        hex::decode(text).map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

/// A key as its holder has it. Not `Debug`, so that it does not get into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Its public part.
    pub id: KeyId,
    secret: [u8; 16],
}

impl Token {
    /// Returns a new one, of random bytes that are fit for keys.
    pub fn new(id: [u8; 8], secret: [u8; 16]) -> Self {
        Self { id: KeyId(id), secret }
    }

    /// Reads what a holder sends; `None` for what is no such key at all.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(TOKEN_PREFIX)?.split_once('_')?;
        Some(Self { id: KeyId::parse(id)?, secret: hex::decode(secret)? })
    }

    /// Returns the text, shown to the holder once.
    pub fn reveal(&self) -> String {
        format!("{TOKEN_PREFIX}{}_{}", self.id, hex::encode(&self.secret))
    }

    /// Returns what is stored of the secret.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.secret).into()
    }

    /// Returns whether this is the key whose stored digest is `digest`. Takes the same time
    /// whatever differs.
    pub fn is(&self, digest: &[u8; 32]) -> bool {
        self.digest().ct_eq(digest).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_only_it_opens() {
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

    /// Pinned: a change would shut every key out. The hash is that of 16 zero bytes, as `sha256sum`
    /// gives it.
    #[test]
    fn golden_digest() {
        let digest = hex::encode(&Token::new([0; 8], [0; 16]).digest());
        assert_eq!(digest, "374708fff7719dd5979ec875d56cd2286f6d3cf7ec317a3b25632aab28ec37bb");
    }
}
