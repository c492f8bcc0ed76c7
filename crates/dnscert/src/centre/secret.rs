//! The centre's secret: 32 octets in a file that only its user reads. What it hands to browsers is sealed with it, and the
//! secrets of second factors are encrypted under a key that follows from it.
//!
//! Replacing it goes by way of `secret.next`, so that the centre may die at any point: the next one is durable before anything
//! is encrypted under it, and takes its place when everything is.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use csirt::Records;
use csirt::accounts::{self, TotpKey};
use rand::Rng as _;

/// Length of the secret in octets: 256 bits, the key size of HMAC-SHA-256 and of ChaCha20.
const LENGTH: usize = 32;

/// Reads `secret` in the data folder; makes it the first time.
pub fn read_or_make(data: &Path) -> anyhow::Result<Vec<u8>> {
    match read_present(data)? {
        Some(secret) => Ok(secret),
        None => make(data, "secret"),
    }
}

/// Reads `secret` in the data folder; `None` where there is none.
pub fn read_present(data: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    read(&data.join("secret"))
}

/// Begins to replace the secret. Where that was begun before, it goes on with the one that was made then.
pub fn begin_rotation(data: &Path) -> anyhow::Result<()> {
    read_or_make(data)?;
    if read(&data.join("secret.next"))?.is_none() {
        make(data, "secret.next")?;
    }
    Ok(())
}

/// Brings the secrets of all second factors under the present secret, and ends a rotation that was begun. Gives the secret
/// and the key that hold from now on.
pub async fn settle(data: &Path, records: &Records) -> anyhow::Result<(Vec<u8>, TotpKey)> {
    let present = read_or_make(data)?;
    let key = TotpKey::derive(&present);
    let next = read(&data.join("secret.next"))?;
    let (secret, new) = match &next {
        Some(next) => (next.clone(), TotpKey::derive(next)),
        None => (present, key.clone()),
    };
    let done = accounts::encrypt_totp_anew(records, &[key], &new)
        .await
        .context("encrypting the secrets of second factors")?;
    if done > 0 {
        tracing::info!(accounts = done, key = new.id(), "secrets of second factors encrypted");
    }
    if next.is_some() {
        end_rotation(data)?;
    }
    for (account, error) in accounts::totp_unreadable(records, &new)
        .await
        .context("reading the second factors")?
    {
        tracing::error!(
            account,
            "the second factor cannot be checked: {error}; see `dnscert doctor`"
        );
    }
    Ok((secret, new))
}

/// The old secret stays as `secret.old`: a backup of the records from before can only be used with it.
fn end_rotation(data: &Path) -> anyhow::Result<()> {
    let (present, old, next) = (data.join("secret"), data.join("secret.old"), data.join("secret.next"));
    match std::fs::remove_file(&old) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("removing `{}`", old.display()));
        }
        _ => {}
    }
    std::fs::hard_link(&present, &old).with_context(|| format!("keeping `{}`", old.display()))?;
    std::fs::rename(&next, &present).with_context(|| format!("putting `{}` in place", next.display()))?;
    sync(data)
}

fn read(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(secret) => {
            ensure!(
                secret.len() >= LENGTH,
                "`{}` has {} octets, not {LENGTH}",
                path.display(),
                secret.len()
            );
            Ok(Some(secret))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading `{}`", path.display())),
    }
}

/// Makes a secret in a file that is there as a whole or not at all. Of two processes that do so at once, both get the same.
fn make(data: &Path, name: &str) -> anyhow::Result<Vec<u8>> {
    let path = data.join(name);
    let unfinished = data.join(format!(".{name}.{}", std::process::id()));
    let mut secret = [0; LENGTH];
    rand::rng().fill_bytes(&mut secret);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)
        .with_context(|| format!("making `{}`", path.display()))?;
    let written = file
        .write_all(&secret)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::hard_link(&unfinished, &path));
    std::fs::remove_file(&unfinished).with_context(|| format!("removing `{}`", unfinished.display()))?;
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        written => written.with_context(|| format!("writing `{}`", path.display()))?,
    }
    sync(data)?;
    read(&path)?.with_context(|| format!("`{}` is gone again", path.display()))
}

fn sync(folder: &Path) -> anyhow::Result<()> {
    std::fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .with_context(|| format!("writing `{}`", folder.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::Arc;

    use csirt::Actor;
    use csirt::accounts::{NewAccount, Role};
    use model::{Language, SystemClock};

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_secret_stays_the_same_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = read_or_make(folder.path()).unwrap();
        assert_eq!(first, read_or_make(folder.path()).unwrap());
        assert_eq!(mode(&folder.path().join("secret")), 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
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

    /// Records with an account whose second factor is being set up under the present secret.
    async fn enrolled(data: &Path, database: &str) -> Records {
        let records = Records::open(database, Arc::new(SystemClock)).await.unwrap();
        let (_, key) = settle(data, &records).await.unwrap();
        let new = NewAccount {
            name: "ada".to_owned(),
            display_name: "Ada".to_owned(),
            email: "ada@cert.example".to_owned(),
            role: Role::Admin,
            organisation: None,
            language: Language::English,
            time_zone: "UTC".to_owned(),
            password: "correct horse battery".to_owned(),
        };
        let ada = accounts::create(&records, Actor::System, new).await.unwrap();
        accounts::begin_totp(&records, &key, "test", ada.id).await.unwrap();
        records
    }

    /// How many second factors `key` does not read yet.
    async fn behind(records: &Records, key: &TotpKey) -> usize {
        accounts::encrypt_totp_anew(records, &[], key).await.unwrap();
        let ada = accounts::by_name(records, "ada").await.unwrap().unwrap().id;
        let confirmed = accounts::confirm_totp(records, key, ada, "000000").await;
        usize::from(matches!(confirmed, Err(csirt::Error::Conflict { .. })))
    }

    #[tokio::test]
    async fn a_rotation_that_died_anywhere_is_ended_by_the_next_start() {
        for database in testkit::database::databases().unwrap() {
            let folder = tempfile::tempdir().unwrap();
            let data = folder.path();
            let records = enrolled(data, &database.url).await;
            let first = read_or_make(data).unwrap();
            // It dies after the next secret was made, and after everything was encrypted under that.
            begin_rotation(data).unwrap();
            let next = read(&data.join("secret.next")).unwrap().unwrap();
            begin_rotation(data).unwrap();
            let (before, after) = (TotpKey::derive(&first), TotpKey::derive(&next));
            assert_eq!(
                (behind(&records, &before).await, behind(&records, &after).await),
                (0, 1)
            );
            accounts::encrypt_totp_anew(&records, std::slice::from_ref(&before), &after)
                .await
                .unwrap();
            let (secret, key) = settle(data, &records).await.unwrap();
            assert_eq!((secret, key.id()), (next.clone(), after.id()));
            assert_eq!(behind(&records, &key).await, 0, "{}", database.engine);
            assert_eq!(behind(&records, &before).await, 1);
            assert_eq!(read_or_make(data).unwrap(), next);
            assert_eq!(std::fs::read(data.join("secret.old")).unwrap(), first);
            assert_eq!(
                std::fs::read_dir(data)
                    .unwrap()
                    .filter(|entry| {
                        entry
                            .as_ref()
                            .unwrap()
                            .file_name()
                            .to_string_lossy()
                            .starts_with("secret")
                    })
                    .count(),
                2
            );
            // A second one takes the old secret's place.
            begin_rotation(data).unwrap();
            settle(data, &records).await.unwrap();
            assert_eq!(std::fs::read(data.join("secret.old")).unwrap(), next);
            assert_eq!(mode(&data.join("secret")), 0o600);
        }
    }
}
