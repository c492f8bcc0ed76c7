//! The second factor: time-based one-time passwords (RFC 6238), each taken once, and recovery codes for a lost device.

use model::Id;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use totp_rs::{Algorithm, TOTP};

use super::entity::{account, recovery_code};
use super::secret::{Secret, digest_code};
use super::{Account, TotpKey, TotpKeyError, row};
use crate::Error;
use crate::records::{Actor, Change, Records, column};

/// What every authenticator app takes (RFC 6238 §1.2, §4): SHA-1, 6 digits, 30 s.
const STEP_SECS: u64 = 30;
const DIGITS: usize = 6;

/// Steps before and after the present one whose code is taken, for clocks that are off and slow fingers (RFC 6238 §5.2).
const SKEW: i64 = 1;

/// Octets of the secret: 160 bits (RFC 4226 §4, R6).
const SECRET_BYTES: usize = 20;

/// Recovery codes handed out at once.
const RECOVERY_CODES: usize = 10;

/// What an authenticator app needs. Shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The secret in base32, to be typed.
    pub secret: Secret,
    /// The same as an `otpauth://` URL, for a QR code.
    pub url: Secret,
}

/// Makes a new secret for an account. It counts only once [`confirm_totp`] has seen a code of it. Fails with `NotFound`, and
/// with `Conflict` when the account has a second factor already.
pub async fn begin_totp(records: &Records, key: &TotpKey, issuer: &str, id: Id<Account>) -> Result<Enrolment, Error> {
    let mut change = records.begin(Actor::Account(id)).await?;
    let row = row(change.db(), id).await?;
    if row.totp_confirmed {
        return Err(Error::conflict("the account has a second factor; remove it first"));
    }
    let mut bits = vec![0; SECRET_BYTES];
    rand::Rng::fill_bytes(change.random(), &mut bits);
    // A colon would part the label of the URL.
    let issuer = issuer.replace(':', " ");
    let totp = TOTP::new(
        Algorithm::SHA1,
        DIGITS,
        SKEW as u8,
        STEP_SECS,
        bits,
        Some(issuer),
        row.name.clone(),
    )
    .map_err(|error| Error::invalid("issuer", error))?;
    let secret = Secret::from_text(totp.get_secret_base32());
    let kept = key.encrypt(change.random(), id, &secret);
    set_secret(&change, id, kept).await?;
    change.audit("account", id, "totp", None, Some("begun"));
    change.commit().await?;
    Ok(Enrolment {
        secret,
        url: Secret::from_text(totp.get_url()),
    })
}

/// Switches the second factor on when `code` is of the secret made by [`begin_totp`], and hands out the recovery codes.
/// Fails with `NotFound`, with `Conflict` when no enrolment was begun, and with `Invalid` for a wrong code.
pub async fn confirm_totp(records: &Records, key: &TotpKey, id: Id<Account>, code: &str) -> Result<Vec<Secret>, Error> {
    let mut change = records.begin(Actor::Account(id)).await?;
    let row = row(change.db(), id).await?;
    let Some(kept) = row.totp_secret.filter(|_| !row.totp_confirmed) else {
        return Err(Error::conflict("no enrolment was begun"));
    };
    // Begun under a key that is gone: what is left is to begin anew.
    let secret = key
        .decrypt(id, &kept)
        .map_err(|error| Error::conflict(format!("the enrolment cannot be read: {error}")))?;
    let step = matching_step(&secret, change.now(), code)?.ok_or_else(|| Error::invalid("code", "it is not right"))?;
    let confirmed = account::ActiveModel {
        totp_confirmed: Set(true),
        totp_last_step: Set(Some(step)),
        ..Default::default()
    };
    update(&change, id, confirmed).await?;
    let codes: Vec<Secret> = (0..RECOVERY_CODES)
        .map(|_| Secret::recovery_code(change.random()))
        .collect();
    let rows = codes.iter().map(|code| recovery_code::ActiveModel {
        account: Set(id.to_string()),
        code_hash: Set(digest_code(code.reveal())),
    });
    recovery_code::Entity::insert_many(rows)
        .exec_without_returning(change.db())
        .await?;
    change.audit("account", id, "totp", Some("begun"), Some("on"));
    change.commit().await?;
    Ok(codes)
}

/// Takes the second factor and its recovery codes away. Fails with `NotFound`.
pub async fn remove_totp(records: &Records, actor: Actor, id: Id<Account>) -> Result<(), Error> {
    let mut change = records.begin(actor).await?;
    let old = row(change.db(), id).await?;
    let off = account::ActiveModel {
        totp_secret: Set(None),
        totp_confirmed: Set(false),
        totp_last_step: Set(None),
        ..Default::default()
    };
    update(&change, id, off).await?;
    recovery_code::Entity::delete_many()
        .filter(recovery_code::Column::Account.eq(id.to_string()))
        .exec(change.db())
        .await?;
    change.audit("account", id, "totp", old.totp_confirmed.then_some("on"), None);
    change.commit().await
}

/// Whether `code` is good for this account now. A good one is used up within `change`: it is never taken again. Where the
/// kept secret cannot be read, recovery codes still open the account: they need no key.
pub(super) async fn take(change: &mut Change, key: &TotpKey, row: account::Model, code: &str) -> Result<bool, Error> {
    let id: Id<Account> = column::parse("account", &row.id, &row.id)?;
    let Some(kept) = &row.totp_secret else {
        return Ok(false);
    };
    let step = match key.decrypt(id, kept) {
        Ok(secret) => matching_step(&secret, change.now(), code)?,
        Err(error) => {
            tracing::error!(account = %id, "the secret of the second factor cannot be read: {error}");
            None
        }
    };
    if let Some(step) = step {
        if row.totp_last_step.is_some_and(|last| step <= last) {
            return Ok(false);
        }
        update(
            change,
            id,
            account::ActiveModel {
                totp_last_step: Set(Some(step)),
                ..Default::default()
            },
        )
        .await?;
        return Ok(true);
    }
    let used = recovery_code::Entity::delete_many()
        .filter(recovery_code::Column::Account.eq(&row.id))
        .filter(recovery_code::Column::CodeHash.eq(digest_code(code)))
        .exec(change.db())
        .await?;
    if used.rows_affected > 0 {
        change.audit("account", id, "recovery_code", Some("unused"), Some("used"));
    }
    Ok(used.rows_affected > 0)
}

/// Brings all kept secrets under `to`: those that are not encrypted yet, and those under one of `from`. Returns how many that
/// were. Repeating it does nothing. What cannot be read stays as it is: see [`totp_unreadable`].
pub async fn encrypt_totp_anew(records: &Records, from: &[TotpKey], to: &TotpKey) -> Result<usize, Error> {
    let mut change = records.begin(Actor::System).await?;
    let mut done = 0;
    for row in with_secret(change.db()).await? {
        let id: Id<Account> = column::parse("account", &row.id, &row.id)?;
        let kept = row.totp_secret.unwrap_or_default();
        let (secret, old) = match to.decrypt(id, &kept) {
            Err(TotpKeyError::Clear) => (Secret::from_text(kept), "none"),
            Err(TotpKeyError::OtherKey { .. }) => {
                let read = from
                    .iter()
                    .find_map(|key| Some((key.decrypt(id, &kept).ok()?, key.id())));
                let Some(read) = read else { continue };
                read
            }
            Ok(_) | Err(TotpKeyError::Damaged) => continue,
        };
        let kept = to.encrypt(change.random(), id, &secret);
        set_secret(&change, id, kept).await?;
        change.audit("account", id, "totp_key", Some(old), Some(to.id()));
        done += 1;
    }
    if done > 0 {
        change.commit().await?;
    }
    Ok(done)
}

/// Names of the accounts whose second factor cannot be checked with this key, and why. They can sign in by a recovery
/// code, or have the factor removed.
pub async fn totp_unreadable(records: &Records, key: &TotpKey) -> Result<Vec<(String, TotpKeyError)>, Error> {
    let mut unreadable = Vec::new();
    for row in with_secret(records.db()).await? {
        let id: Id<Account> = column::parse("account", &row.id, &row.id)?;
        let kept = row.totp_secret.as_deref().unwrap_or_default();
        if let Err(error) = key.decrypt(id, kept)
            && row.totp_confirmed
        {
            unreadable.push((row.name, error));
        }
    }
    Ok(unreadable)
}

async fn with_secret(db: &impl ConnectionTrait) -> Result<Vec<account::Model>, Error> {
    Ok(account::Entity::find()
        .filter(account::Column::TotpSecret.is_not_null())
        .order_by_asc(account::Column::Name)
        .all(db)
        .await?)
}

async fn set_secret(change: &Change, id: Id<Account>, kept: String) -> Result<(), Error> {
    let new = account::ActiveModel {
        totp_secret: Set(Some(kept)),
        ..Default::default()
    };
    update(change, id, new).await
}

/// The number of the step whose code this is, the newest first.
fn matching_step(secret: &Secret, now: model::Timestamp, code: &str) -> Result<Option<i64>, Error> {
    let bits = totp_rs::Secret::Encoded(secret.reveal().to_owned())
        .to_bytes()
        .map_err(|error| column::damaged("account", "totp_secret", format!("{error:?}")))?;
    let totp = TOTP::new(
        Algorithm::SHA1,
        DIGITS,
        SKEW as u8,
        STEP_SECS,
        bits,
        None,
        String::new(),
    )
    .map_err(|error| column::damaged("account", "totp_secret", error))?;
    let typed: String = code.chars().filter(char::is_ascii_digit).collect();
    let present = now.as_second() / STEP_SECS as i64;
    let steps = (present - SKEW..=present + SKEW).rev().filter(|step| *step >= 0);
    Ok(steps.fold(None, |found, step| {
        let right = same(&totp.generate(step as u64 * STEP_SECS), &typed);
        found.or(right.then_some(step))
    }))
}

/// Compares in a time that does not tell where the first difference is.
fn same(right: &str, typed: &str) -> bool {
    right.len() == typed.len()
        && right
            .bytes()
            .zip(typed.bytes())
            .fold(0, |differ, (a, b)| differ | (a ^ b))
            == 0
}

async fn update(change: &Change, id: Id<Account>, new: account::ActiveModel) -> Result<(), Error> {
    account::Entity::update_many()
        .set(new)
        .filter(account::Column::Id.eq(id.to_string()))
        .exec(change.db())
        .await?;
    Ok(())
}
