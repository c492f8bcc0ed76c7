//! The secrets of second factors at rest: encrypted under a key that is not in the database.
//!
//! The server must know the secret of an authenticator app to check its codes, so a hash does not do. Who gets hold of the
//! database alone, or of a backup of it, can make no codes: the key is derived from the centre's secret file. A secret is
//! bound to its account, so rows cannot be exchanged. ChaCha20-Poly1305 (RFC 8439), HKDF-SHA-256 (RFC 5869).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use model::Id;
use rand::RngExt;
use rand::rngs::StdRng;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use std::sync::Arc;

use super::Account;
use super::secret::Secret;

/// The key under which the secrets of second factors are kept. Cheap to clone; `Debug` shows its id alone.
#[derive(Clone)]
pub struct TotpKey {
    id: String,
    key: Arc<LessSafeKey>,
}

/// Why a kept secret cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TotpKeyError {
    /// It was encrypted under another key.
    #[error("it is encrypted under the key {kept}, and the key here is {here}")]
    OtherKey {
        /// Id of the key that it was encrypted under.
        kept: String,
        /// Id of the key here.
        here: String,
    },
    /// It is none of ours, was changed, or belongs to another account.
    #[error("it is damaged, or another account's")]
    Damaged,
    /// It is not encrypted: left from a version that did not do so.
    #[error("it is not encrypted")]
    Clear,
}

/// A number of octets to be derived.
struct Octets(usize);

impl KeyType for Octets {
    fn len(&self) -> usize {
        self.0
    }
}

impl TotpKey {
    /// The key that follows from the centre's secret; always the same.
    pub fn derive(secret: &[u8]) -> Self {
        let source = Salt::new(HKDF_SHA256, b"dnscert second factors").extract(secret);
        let derive = |purpose: &[u8], octets: &mut [u8]| {
            let purpose = [purpose];
            let derived = source.expand(&purpose, Octets(octets.len()));
            derived
                .and_then(|derived| derived.fill(octets))
                .expect("32 octets are fewer than HKDF-SHA-256 can give");
        };
        let (mut key, mut id) = ([0; 32], [0; 4]);
        derive(b"key", &mut key);
        derive(b"id", &mut id);
        let key = UnboundKey::new(&CHACHA20_POLY1305, &key).expect("the key of this cipher has 32 octets");
        Self {
            id: hex::encode(id),
            key: Arc::new(LessSafeKey::new(key)),
        }
    }

    /// What tells it from other keys; gives nothing of it away.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The text that is kept: `KEY-ID.NONCE-AND-CIPHERTEXT`.
    pub(super) fn encrypt(&self, random: &mut StdRng, account: Id<Account>, secret: &Secret) -> String {
        let nonce: [u8; NONCE_LEN] = random.random();
        let mut octets = secret.reveal().as_bytes().to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound_to(account), &mut octets)
            .expect("a secret is shorter than the 256 GiB that this cipher takes");
        let kept = BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &octets].concat());
        format!("{}.{kept}", self.id)
    }

    /// The secret that a kept text holds.
    pub(super) fn decrypt(&self, account: Id<Account>, kept: &str) -> Result<Secret, TotpKeyError> {
        let Some((id, octets)) = kept.split_once('.') else {
            return Err(TotpKeyError::Clear);
        };
        if id != self.id {
            return Err(TotpKeyError::OtherKey {
                kept: id.to_owned(),
                here: self.id.clone(),
            });
        }
        let octets = BASE64_URL_SAFE_NO_PAD
            .decode(octets)
            .map_err(|_| TotpKeyError::Damaged)?;
        let (nonce, rest) = octets.split_first_chunk::<NONCE_LEN>().ok_or(TotpKeyError::Damaged)?;
        let mut rest = rest.to_vec();
        let opened = self
            .key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), bound_to(account), &mut rest)
            .map_err(|_| TotpKeyError::Damaged)?;
        let text = String::from_utf8(opened.to_vec()).map_err(|_| TotpKeyError::Damaged)?;
        Ok(Secret::from_text(text))
    }
}

impl std::fmt::Debug for TotpKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TotpKey({})", self.id)
    }
}

fn bound_to(account: Id<Account>) -> Aad<String> {
    Aad::from(format!("totp of account {account}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;

    use super::*;

    fn account(number: u128) -> Id<Account> {
        uuid::Uuid::from_u128(number).into()
    }

    fn random() -> StdRng {
        StdRng::seed_from_u64(7)
    }

    #[test]
    fn what_is_kept_shows_nothing_and_reads_back_for_its_account_alone() {
        let key = TotpKey::derive(&[7; 32]);
        let secret = Secret::from_text("JBSWY3DPEHPK3PXP".to_owned());
        let mut random = random();
        let kept = key.encrypt(&mut random, account(1), &secret);
        assert!(!kept.contains("JBSWY3DP") && kept.starts_with(key.id()));
        assert_ne!(kept, key.encrypt(&mut random, account(1), &secret), "each time another");
        assert_eq!(key.decrypt(account(1), &kept), Ok(secret));
        assert_eq!(key.decrypt(account(2), &kept), Err(TotpKeyError::Damaged));
        assert_eq!(format!("{key:?}"), format!("TotpKey({})", key.id()));
    }

    #[test]
    fn another_key_is_told_by_its_id() {
        let (key, other) = (TotpKey::derive(&[7; 32]), TotpKey::derive(&[8; 32]));
        assert_eq!(key.id(), TotpKey::derive(&[7; 32]).id());
        let kept = key.encrypt(&mut random(), account(1), &Secret::from_text("A".to_owned()));
        let error = other.decrypt(account(1), &kept).unwrap_err();
        assert!(error.to_string().contains(key.id()) && error.to_string().contains(other.id()));
        assert_eq!(key.decrypt(account(1), "JBSWY3DPEHPK3PXP"), Err(TotpKeyError::Clear));
    }

    proptest! {
        #[test]
        fn a_changed_text_is_refused(at in 9usize..80, letter in "[A-Za-z0-9_-]", text in "\\PC{0,40}") {
            let key = TotpKey::derive(&[7; 32]);
            let kept = key.encrypt(&mut random(), account(1), &Secret::from_text("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".to_owned()));
            let mut changed = kept.clone();
            let at = at.min(kept.len() - 2);
            changed.replace_range(at..=at, &letter);
            prop_assert_eq!(key.decrypt(account(1), &changed).is_ok(), changed == kept);
            prop_assert!(key.decrypt(account(1), &text).is_err());
        }
    }
}
