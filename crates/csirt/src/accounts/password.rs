//! Passwords: argon2id, one at a time on a thread of its own.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::{Rng, RngExt};
use tokio::sync::Semaphore;

use crate::Error;

/// 19 MiB, 2 passes, 1 lane: argon2id as the OWASP Password Storage Cheat Sheet asks at least (2025). Lower, and a
/// stolen table is guessed faster; higher, and sign-in needs more memory than the smallest machines we serve have.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes computed at once, chosen by us: bounds the memory (76 MiB) that a flood of sign-ins can take.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// Shortest password in characters (NIST SP 800-63B asks for 8 with a second factor; 12 is chosen by us for those without).
pub const MIN_CHARS: usize = 12;

/// Longest password in octets, so that nobody has us hash a book.
pub const MAX_BYTES: usize = 1024;

/// A hash of nothing anybody knows: verified for unknown accounts, so that they take as long as known ones.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGtub3dzIGl0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Fails with `Invalid` when the password is too short, too long, or holds the account's name.
pub(super) fn check_strength(password: &str, name: &str) -> Result<(), Error> {
    let wrong = |reason: String| Err(Error::invalid("password", reason));
    if password.chars().count() < MIN_CHARS {
        return wrong(format!("it has fewer than {MIN_CHARS} characters"));
    }
    if password.len() > MAX_BYTES {
        return wrong(format!("it has more than {MAX_BYTES} octets"));
    }
    if password.to_lowercase().contains(name) {
        return wrong("it holds the account's name".to_owned());
    }
    Ok(())
}

/// The hash in the PHC string format.
pub(super) async fn hash(password: &str, random: &mut impl Rng) -> String {
    let salt: [u8; 16] = random.random();
    let password = password.to_owned();
    on_own_thread(move || {
        let salt = SaltString::encode_b64(&salt).expect("16 octets are a salt");
        argon2()
            .hash_password(password.as_bytes(), &salt)
            .expect("our parameters are in range")
            .to_string()
    })
    .await
}

/// Whether the password is the one of the hash; without a hash always no, in the same time.
pub(super) async fn verify(password: &str, hash: Option<String>) -> bool {
    let known = hash.is_some();
    let (password, hash) = (password.to_owned(), hash.unwrap_or_else(|| NOBODY.to_owned()));
    let right = on_own_thread(move || {
        let hash = PasswordHash::new(&hash);
        hash.is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
    })
    .await;
    known && right
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("our parameters are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

async fn on_own_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let _place = AT_ONCE.acquire().await.expect("this semaphore is never closed");
    tokio::task::spawn_blocking(work)
        .await
        .expect("hashing does not panic and is not cancelled")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_another_is_not() {
        let first = hash("correct horse battery", &mut rand::rng()).await;
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{first}");
        assert_ne!(first, hash("correct horse battery", &mut rand::rng()).await, "salted");
        assert!(verify("correct horse battery", Some(first.clone())).await);
        assert!(!verify("correct horse batterY", Some(first)).await);
        assert!(!verify("correct horse battery", None).await);
        assert!(!verify("correct horse battery", Some("nonsense".to_owned())).await);
    }

    #[test]
    fn the_hash_of_nobody_is_worked_on_like_any_other() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        assert_eq!(Params::try_from(&nobody).unwrap().m_cost(), MEMORY_KIB);
    }

    #[test]
    fn weak_passwords_are_refused() {
        for password in ["short", "elevenchars", "my-name-is-ADA-lovelace", &"x".repeat(1025)] {
            assert!(check_strength(password, "ada").is_err(), "{password}");
        }
        assert!(check_strength("twelve chars", "ada").is_ok());
    }
}
