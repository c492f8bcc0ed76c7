//! The secret with which this centre seals what it hands to browsers: 32 octets in a file that only its user reads.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use rand::Rng as _;

/// Length of the secret in octets: 256 bits, the key size of HMAC-SHA-256.
const LENGTH: usize = 32;

/// Reads `secret` in the data folder; makes it the first time.
pub fn read_or_make(data: &Path) -> anyhow::Result<Vec<u8>> {
    let path = data.join("secret");
    match std::fs::read(&path) {
        Ok(secret) => {
            ensure!(
                secret.len() >= LENGTH,
                "`{}` has {} octets, not {LENGTH}",
                path.display(),
                secret.len()
            );
            Ok(secret)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut secret = vec![0; LENGTH];
            rand::rng().fill_bytes(&mut secret);
            let mut file = std::fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
                .with_context(|| format!("making `{}`", path.display()))?;
            file.write_all(&secret)
                .and_then(|()| file.sync_all())
                .with_context(|| format!("writing `{}`", path.display()))?;
            Ok(secret)
        }
        Err(error) => Err(error).with_context(|| format!("reading `{}`", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_secret_stays_the_same_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = read_or_make(folder.path()).unwrap();
        assert_eq!(first, read_or_make(folder.path()).unwrap());
        let mode = std::fs::metadata(folder.path().join("secret"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn half_a_secret_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), b"short").unwrap();
        assert!(
            read_or_make(folder.path())
                .unwrap_err()
                .to_string()
                .contains("5 octets")
        );
    }
}
