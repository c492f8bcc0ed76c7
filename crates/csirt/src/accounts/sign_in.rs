//! Sign-in: the same answer in the same time whether an account is unknown, switched off, or its password wrong.

use std::net::IpAddr;
use std::time::Duration;

use model::{Id, Timestamp};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter};

use super::entity::sign_in_attempt::{ActiveModel, Column, Entity, Model};
use super::{
    Account, Lifetime, PASSWORD_MAX_BYTES, Secret, TotpKey, by_name_in, canonical_name, password, session, totp,
};
use crate::Error;
use crate::records::{Actor, Change, Records};

/// How many attempts may fail within `window`. Chosen by us after the OWASP Authentication Cheat Sheet: low enough that a
/// password of 12 characters is never guessed, and by pair first, so that a stranger cannot lock a duty officer out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// On one account from one network.
    pub pair: u32,
    /// From one network on whatever account.
    pub network: u32,
    /// On one account from wherever: only against many networks at once.
    pub account: u32,
    /// How far back attempts count.
    pub window: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pair: 5,
            network: 30,
            account: 100,
            window: Duration::from_secs(15 * 60),
        }
    }
}

/// What a person typed, and from where.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// The account's name.
    pub name: &'a str,
    /// The password.
    pub password: &'a str,
    /// The code of the second factor, or a recovery code, where given.
    pub code: Option<&'a str>,
    /// Where the browser is.
    pub address: IpAddr,
    /// What the browser says it is.
    pub agent: &'a str,
}

/// What came of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignIn {
    /// Signed in: the token goes into the cookie and is shown nowhere else.
    Done {
        /// Who.
        account: Box<Account>,
        /// The token of the session.
        token: Secret,
    },
    /// The password is right; ask for the code and sign in again with both.
    CodeNeeded,
    /// Name, password or code is wrong. It does not say which.
    Refused,
}

/// Signs a person in. Fails with `TooMany` when too many attempts failed; nothing is looked at then.
pub async fn sign_in(
    records: &Records,
    limits: &Limits,
    lifetime: &Lifetime,
    key: &TotpKey,
    credentials: Credentials<'_>,
) -> Result<SignIn, Error> {
    let name: String = canonical_name(credentials.name).chars().take(64).collect();
    let network = network(credentials.address);
    // Counted before it is looked at, so that many attempts at once cannot slip through.
    let attempt = count(records, limits, &name, &network).await?;

    let known = by_name_in(records.db(), &name)
        .await?
        .filter(|row| row.disabled_at_us.is_none());
    let hash = known.as_ref().map(|row| row.password_hash.clone());
    // An overlong one is hashed as the empty one, which is nobody's.
    let typed = if credentials.password.len() <= PASSWORD_MAX_BYTES {
        credentials.password
    } else {
        ""
    };
    let right = password::verify(typed, hash.clone()).await;
    let Some(known) = known.filter(|_| right) else {
        tracing::info!(%network, "sign-in refused");
        return Ok(SignIn::Refused);
    };

    let account = Account::try_from(known)?;
    let mut change = records.begin(account.actor()).await?;
    // Read again: the account may have been switched off or its code used while the password was hashed.
    let row = super::row(change.db(), account.id).await?;
    if row.disabled_at_us.is_some() || Some(&row.password_hash) != hash.as_ref() {
        return Ok(SignIn::Refused);
    }
    if row.totp_confirmed {
        let Some(code) = credentials.code.filter(|code| !code.trim().is_empty()) else {
            forget(&change, Column::Id.eq(attempt.to_string())).await?;
            change.commit_quietly().await?;
            return Ok(SignIn::CodeNeeded);
        };
        if !totp::take(&mut change, key, row, code).await? {
            tracing::info!(account = %account.id, %network, "second factor refused");
            return Ok(SignIn::Refused);
        }
    }
    forget(&change, pair(&name, &network)).await?;
    let token = session::begin(
        &mut change,
        lifetime,
        account.id,
        credentials.address,
        credentials.agent,
    )
    .await?;
    change.commit().await?;
    Ok(SignIn::Done {
        account: Box::new(account),
        token,
    })
}

/// Notes an attempt, or fails with `TooMany`.
async fn count(records: &Records, limits: &Limits, name: &str, network: &str) -> Result<Id<Attempt>, Error> {
    let mut change = records.begin(Actor::Public).await?;
    let now = change.now();
    let since = now - limits.window;
    forget(&change, Column::AtUs.lte(since.as_microsecond())).await?;
    for (filter, limit) in [
        (pair(name, network), limits.pair),
        (Condition::all().add(Column::Network.eq(network)), limits.network),
        (Condition::all().add(Column::Name.eq(name)), limits.account),
    ] {
        let failed = Entity::find().filter(filter).all(change.db()).await?;
        if failed.len() >= limit as usize {
            let free = failed.iter().map(|attempt| attempt.at_us).min().unwrap_or_default();
            return Err(Error::TooMany {
                wait_secs: seconds_until_free(now, free, limits.window),
            });
        }
    }
    let id: Id<Attempt> = change.new_id();
    let row = Model {
        id: id.to_string(),
        name: name.to_owned(),
        network: network.to_owned(),
        at_us: now.as_microsecond(),
    };
    Entity::insert(ActiveModel::from(row).reset_all())
        .exec_without_returning(change.db())
        .await?;
    change.commit_quietly().await?;
    Ok(id)
}

fn pair(name: &str, network: &str) -> Condition {
    Condition::all()
        .add(Column::Name.eq(name))
        .add(Column::Network.eq(network))
}

/// A noun of its own for the ids of attempts.
struct Attempt;

async fn forget(change: &Change, which: impl sea_orm::sea_query::IntoCondition) -> Result<(), Error> {
    Entity::delete_many()
        .filter(which.into_condition())
        .exec(change.db())
        .await?;
    Ok(())
}

fn seconds_until_free(now: Timestamp, oldest_us: i64, window: Duration) -> u64 {
    let over_us = oldest_us.saturating_add(i64::try_from(window.as_micros()).unwrap_or(i64::MAX));
    u64::try_from(over_us.saturating_sub(now.as_microsecond()))
        .unwrap_or(0)
        .div_ceil(1_000_000)
        .max(1)
}

/// What one subscriber usually has: an IPv4 address, or the /64 of an IPv6 address.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_subscriber_counts_as_one_network() {
        assert_eq!(network("192.0.2.1".parse().unwrap()), "192.0.2.1");
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), "192.0.2.1");
        assert_eq!(network("2001:db8:1:2:3::9".parse().unwrap()), "2001:db8:1:2::/64");
    }
}
