//! Sealed marks: short texts that only this centre can have made, with the time they were made.
//!
//! They carry the proof that a form came from our own page. A mark is bound to a purpose (the session, or the form of a
//! person who has none), and each mark differs from the last even for one session, so compression of a page tells
//! nothing about it.

use hmac::{Hmac, Mac};
use jiff::Timestamp;
use sha2::Sha256;

/// The centre's secret for sealing; not printable.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A secret of at least 32 random octets; the same over restarts, or open forms lose their proof.
    pub fn new(octets: impl Into<Vec<u8>>) -> Self {
        Self(octets.into())
    }

    /// A new mark for `purpose`, made at `now`.
    pub fn seal(&self, purpose: &str, now: Timestamp) -> String {
        let nonce: u64 = rand::random();
        let body = format!("{:x}.{nonce:016x}", now.as_second());
        format!(
            "{body}.{}",
            hex::encode(self.mac(purpose, &body).finalize().into_bytes())
        )
    }

    /// When the mark was made, or `None` when it is not ours, for another purpose, or from the future.
    pub fn opened(&self, mark: &str, purpose: &str, now: Timestamp) -> Option<Timestamp> {
        let (body, mac) = mark.rsplit_once('.')?;
        self.mac(purpose, body).verify_slice(&hex::decode(mac).ok()?).ok()?;
        let second = i64::from_str_radix(body.split_once('.')?.0, 16).ok()?;
        let made = Timestamp::from_second(second).ok()?;
        (made <= now).then_some(made)
    }

    fn mac(&self, purpose: &str, body: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(body.as_bytes());
        mac
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_mark_opens_for_its_purpose_only_and_tells_when_it_was_made() {
        let secret = Secret::new([7; 32]);
        let mark = secret.seal("report", now());
        assert_eq!(secret.opened(&mark, "report", now()), Some(now()));
        assert_eq!(secret.opened(&mark, "answer", now()), None);
        assert_eq!(Secret::new([8; 32]).opened(&mark, "report", now()), None);
        assert_ne!(secret.seal("report", now()), mark, "two marks never look the same");
    }

    proptest! {
        #[test]
        fn a_forged_mark_never_opens_and_never_panics(mark in ".{0,120}") {
            prop_assert_eq!(Secret::new([7; 32]).opened(&mark, "report", now()), None);
        }
    }
}
