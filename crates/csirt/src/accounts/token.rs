//! API tokens: a program acts for an account, reading only or changing too.

use std::fmt;
use std::str::FromStr;

use model::{Id, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::entity::api_token::{ActiveModel, Column, Entity, Model};
use super::secret::{Secret, digest};
use super::{Account, get};
use crate::Error;
use crate::records::{Actor, Records, column};

const TABLE: &str = "api_token";

/// How exactly `used` is kept, in microseconds, as with sessions.
const USED_STEP_US: i64 = 60_000_000;

/// What a token lets a program do, within what its account may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// See only.
    Read,
    /// See and change.
    Write,
}

impl Scope {
    /// `read` or `write`.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Write => "write",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope; scopes are read, write")]
pub struct ScopeError(String);

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        match text {
            "read" => Ok(Scope::Read),
            "write" => Ok(Scope::Write),
            _ => Err(ScopeError(text.to_owned())),
        }
    }
}

/// A token as its owner sees it later: all but the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub id: Id<ApiToken>,
    /// For whom it acts.
    pub account: Id<Account>,
    /// What its owner calls it.
    pub label: String,
    /// What it lets do.
    pub scope: Scope,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used, to within a minute.
    pub used: Option<Timestamp>,
    /// Since when it works no more.
    pub revoked: Option<Timestamp>,
}

/// Makes a token. The secret is shown now and never again. Fails with `NotFound`, and with `Invalid` for a bad label.
pub async fn create_token(
    records: &Records,
    actor: Actor,
    account: Id<Account>,
    label: &str,
    scope: Scope,
) -> Result<(ApiToken, Secret), Error> {
    let label = label.trim();
    if label.is_empty() || label.chars().count() > 100 || label.chars().any(char::is_control) {
        return Err(Error::invalid("label", "it must be 1 to 100 characters on one line"));
    }
    let mut change = records.begin(actor).await?;
    super::row(change.db(), account).await?;
    let id: Id<ApiToken> = change.new_id();
    let secret = Secret::token("dnscert_", change.random());
    let row = Model {
        id: id.to_string(),
        account: account.to_string(),
        label: label.to_owned(),
        scope: scope.as_str().to_owned(),
        token_hash: digest(secret.reveal()),
        created_at_us: change.now().as_microsecond(),
        used_at_us: None,
        revoked_at_us: None,
    };
    Entity::insert(ActiveModel::from(row.clone()).reset_all())
        .exec_without_returning(change.db())
        .await?;
    change.audit(
        "account",
        account,
        "api_token",
        None,
        Some(&format!("{label} ({scope})")),
    );
    change.commit().await?;
    Ok((ApiToken::try_from(row)?, secret))
}

/// The account and scope of this token, or `None` when it is unknown or revoked, or its account is switched off. Marks it
/// as used.
pub async fn by_token(records: &Records, token: &str) -> Result<Option<(Account, Scope)>, Error> {
    let found = Entity::find()
        .filter(Column::TokenHash.eq(digest(token)))
        .filter(Column::RevokedAtUs.is_null());
    let Some(row) = found.one(records.db()).await? else {
        return Ok(None);
    };
    let account = get(records, column::parse(TABLE, &row.id, &row.account)?).await?;
    if account.disabled.is_some() {
        return Ok(None);
    }
    let now_us = records.now().as_microsecond();
    if row.used_at_us.is_none_or(|used_us| now_us - used_us >= USED_STEP_US) {
        let change = records.begin(account.actor()).await?;
        Entity::update_many()
            .set(ActiveModel {
                used_at_us: Set(Some(now_us)),
                ..Default::default()
            })
            .filter(Column::Id.eq(&row.id))
            .exec(change.db())
            .await?;
        change.commit_quietly().await?;
    }
    let scope = column::parse(TABLE, &row.id, &row.scope)?;
    Ok(Some((account, scope)))
}

/// The tokens of an account, newest first, revoked ones included.
pub async fn tokens(records: &Records, account: Id<Account>) -> Result<Vec<ApiToken>, Error> {
    let rows = Entity::find()
        .filter(Column::Account.eq(account.to_string()))
        .order_by_desc(Column::Id)
        .all(records.db())
        .await?;
    rows.into_iter().map(ApiToken::try_from).collect()
}

/// Ends a token for good. Fails with `NotFound` when this account has none with this id.
pub async fn revoke_token(
    records: &Records,
    actor: Actor,
    account: Id<Account>,
    id: Id<ApiToken>,
) -> Result<(), Error> {
    let mut change = records.begin(actor).await?;
    let row = Entity::find_by_id(id.to_string())
        .filter(Column::Account.eq(account.to_string()))
        .one(change.db())
        .await?
        .ok_or_else(|| Error::not_found("token", id))?;
    if row.revoked_at_us.is_some() {
        return Ok(());
    }
    Entity::update_many()
        .set(ActiveModel {
            revoked_at_us: Set(Some(change.now().as_microsecond())),
            ..Default::default()
        })
        .filter(Column::Id.eq(&row.id))
        .exec(change.db())
        .await?;
    change.audit(
        "account",
        account,
        "api_token",
        Some(&format!("{} ({})", row.label, row.scope)),
        None,
    );
    change.commit().await
}

impl TryFrom<Model> for ApiToken {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        Ok(Self {
            id: column::parse(TABLE, &row.id, &row.id)?,
            account: column::parse(TABLE, &row.id, &row.account)?,
            scope: column::parse(TABLE, &row.id, &row.scope)?,
            created: column::time(TABLE, &row.id, row.created_at_us)?,
            used: column::time_opt(TABLE, &row.id, row.used_at_us)?,
            revoked: column::time_opt(TABLE, &row.id, row.revoked_at_us)?,
            label: row.label,
        })
    }
}
