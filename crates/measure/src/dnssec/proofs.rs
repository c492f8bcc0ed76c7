//! Proofs that this process has worked out before. Each server shows the same signature, several test cases look at it, and all
//! zones below one parent meet that of its keys; to verify it costs a hundred times what it costs to look it up.
//!
//! A proof depends on octets alone and not on time, so what is remembered is what working it out again would give.

use std::sync::{LazyLock, Mutex};

use sha2::{Digest as _, Sha256};

use super::{Dnskey, Proof};
use crate::generations::Generations;

/// Proofs remembered at most. Chosen by us: some 3 MB, and many times what the zones need that are checked
/// at one time.
/// Fewer are worked out again; more would stay long after their zones are done.
const REMEMBERED: usize = 40_000;

static KNOWN: LazyLock<Mutex<Generations<About, Proof>>> =
    LazyLock::new(|| Mutex::new(Generations::with_room(REMEMBERED)));

/// Whether `key` made `signature` over `signed`, as `work_out` says it unless that is known.
pub(super) fn remembered(key: &Dnskey, signed: &[u8], signature: &[u8], work_out: impl FnOnce() -> Proof) -> Proof {
    let about = about(key, signed, signature);
    let known = || KNOWN.lock().expect("no holder of this lock panics");
    if let Some(proof) = known().get(&about) {
        return *proof;
    }
    let proof = work_out();
    known().insert(about, proof);
    proof
}

/// What a proof is about, as a hash of which nobody finds two of a kind.
type About = [u8; 32];

fn about(key: &Dnskey, signed: &[u8], signature: &[u8]) -> About {
    let mut hash = Sha256::new();
    // the algorithm of the signature is among what is signed (RFC 4034 §3.1.8.1)
    hash.update([key.algorithm().to_int()]);
    // with its length before each part, no octet of one can be taken for one of the next
    for part in [key.public_key(), signature, signed] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use domain::base::iana::SecurityAlgorithm;

    use super::*;

    fn key(algorithm: u8, octets: &[u8]) -> Dnskey {
        Dnskey::new(256, 3, SecurityAlgorithm::from_int(algorithm), octets.to_vec()).unwrap()
    }

    #[test]
    fn a_proof_is_worked_out_once_for_the_same_octets() {
        let mut times = 0;
        for _ in 0..3 {
            let proof = remembered(&key(13, b"key"), b"signed", b"signature", || {
                times += 1;
                Proof::Holds
            });
            assert_eq!(proof, Proof::Holds);
        }
        assert_eq!(times, 1);
    }

    #[test]
    fn octets_that_differ_anywhere_or_are_cut_elsewhere_are_another_proof() {
        let all = [
            about(&key(13, b"key"), b"signed", b"signature"),
            about(&key(14, b"key"), b"signed", b"signature"),
            about(&key(13, b"kez"), b"signed", b"signature"),
            about(&key(13, b"key"), b"signee", b"signature"),
            about(&key(13, b"key"), b"signed", b"signaturf"),
            about(&key(13, b"keys"), b"signed", b"ignature"),
            about(&key(13, b"key"), b"esigned", b"signatur"),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[..at].contains(one), "{at}");
        }
    }
}
