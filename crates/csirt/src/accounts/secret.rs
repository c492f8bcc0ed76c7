//! Secrets that we hand out once and then only recognise: session tokens, API tokens, recovery codes.
//!
//! All are random with at least 80 bits, so a plain SHA-256 keeps them safe at rest; a slow hash is for passwords.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rand::{Rng, RngExt};
use sha2::{Digest, Sha256};

/// A secret on its way to its owner. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text to hand over.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub(super) fn from_text(text: String) -> Self {
        Self(text)
    }

    /// A token of 256 random bits with a prefix that tells secret scanners what it is.
    pub(crate) fn token(prefix: &str, random: &mut impl Rng) -> Self {
        let bits: [u8; 32] = random.random();
        Self(format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(bits)))
    }

    /// A code of 80 random bits that a person can copy from paper: `k3xw-9pqd-7ram-bz5t`.
    pub(super) fn recovery_code(random: &mut impl Rng) -> Self {
        // 32 signs without those that look alike (0 o 1 l).
        const SIGNS: &[u8; 32] = b"23456789abcdefghijkmnpqrstuvwxyz";
        let mut code = String::new();
        for place in 0..16 {
            if place > 0 && place % 4 == 0 {
                code.push('-');
            }
            code.push(SIGNS[random.random_range(0..SIGNS.len())] as char);
        }
        Self(code)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What is kept of a secret.
pub(crate) fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

/// The same for a code typed by a person: case, spaces and hyphens do not matter.
pub(super) fn digest_code(code: &str) -> String {
    let plain: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|sign| sign.to_ascii_lowercase())
        .collect();
    digest(&plain)
}
