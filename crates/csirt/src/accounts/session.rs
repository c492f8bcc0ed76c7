//! Sessions: a random token in the browser's cookie, its hash here.

use std::net::IpAddr;
use std::time::Duration;

use model::{Id, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};

use super::entity::session::{ActiveModel, Column, Entity, Model};
use super::secret::{Secret, digest};
use super::{Account, get};
use crate::Error;
use crate::records::{Actor, Change, Records, column};

const TABLE: &str = "session";

/// How exactly `seen` is kept: a write for each page would be one sync of the disk for each page.
const SEEN_STEP: Duration = Duration::from_secs(60);

/// How long a session lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// Ends when nothing was asked for so long.
    pub idle: Duration,
    /// Ends so long after sign-in in any case.
    pub absolute: Duration,
}

impl Default for Lifetime {
    /// 1 hour and 12 hours: NIST SP 800-63B-4 §2.2.3 (AAL2) asks for at most 1 h idle and 24 h in all; 12 h is one long shift.
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(3600),
            absolute: Duration::from_secs(12 * 3600),
        }
    }
}

/// A sign-in that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub account: Account,
    /// When it began.
    pub created: Timestamp,
    /// When it was last used, to within a minute.
    pub seen: Timestamp,
    /// From which address it began.
    pub address: String,
    /// What the browser says it is.
    pub agent: String,
    /// A word for forms to carry against forged requests; it gives the session away to nobody.
    pub form_token: String,
}

/// The session of this token, or `None` when it has ended, never was, or its account is switched off. Marks it as used.
pub async fn session(records: &Records, lifetime: &Lifetime, token: &str) -> Result<Option<Session>, Error> {
    let hash = digest(token);
    let Some(row) = Entity::find_by_id(&hash).one(records.db()).await? else {
        return Ok(None);
    };
    let now = records.now();
    let session = read(records, row, &digest(&format!("form:{token}"))).await?;
    if session.account.disabled.is_some()
        || now >= session.created + lifetime.absolute
        || now >= session.seen + lifetime.idle
    {
        return Ok(None);
    }
    if now >= session.seen + SEEN_STEP {
        let change = records.begin(session.account.actor()).await?;
        Entity::update_many()
            .set(ActiveModel {
                seen_at_us: Set(now.as_microsecond()),
                ..Default::default()
            })
            .filter(Column::TokenHash.eq(&hash))
            .exec(change.db())
            .await?;
        change.commit_quietly().await?;
    }
    Ok(Some(session))
}

/// The sessions of an account that have not ended, newest first. Their `form_token` is empty.
pub async fn sessions(records: &Records, lifetime: &Lifetime, account: Id<Account>) -> Result<Vec<Session>, Error> {
    let now = records.now();
    let rows = Entity::find()
        .filter(Column::Account.eq(account.to_string()))
        .filter(Column::CreatedAtUs.gt((now - lifetime.absolute).as_microsecond()))
        .filter(Column::SeenAtUs.gt((now - lifetime.idle).as_microsecond()))
        .order_by_desc(Column::CreatedAtUs)
        .all(records.db())
        .await?;
    let mut sessions = Vec::with_capacity(rows.len());
    for row in rows {
        sessions.push(read(records, row, "").await?);
    }
    Ok(sessions)
}

/// Ends the session of this token. Ending one that is not there does nothing.
pub async fn sign_out(records: &Records, token: &str) -> Result<(), Error> {
    let Some(row) = Entity::find_by_id(digest(token)).one(records.db()).await? else {
        return Ok(());
    };
    let account: Id<Account> = column::parse(TABLE, "-", &row.account)?;
    let mut change = records.begin(Actor::Account(account)).await?;
    Entity::delete_by_id(row.token_hash).exec(change.db()).await?;
    change.audit("account", account, "session", Some(&row.address), None);
    change.commit().await
}

/// Ends all sessions of an account.
pub async fn sign_out_everywhere(records: &Records, actor: Actor, account: Id<Account>) -> Result<(), Error> {
    let mut change = records.begin(actor).await?;
    end_all(change.db(), account).await?;
    change.audit("account", account, "session", Some("all"), None);
    change.commit().await
}

/// Begins a session and clears away those of the account that are over in any case.
pub(super) async fn begin(
    change: &mut Change,
    lifetime: &Lifetime,
    account: Id<Account>,
    address: IpAddr,
    agent: &str,
) -> Result<Secret, Error> {
    let now = change.now();
    Entity::delete_many()
        .filter(Column::CreatedAtUs.lte((now - lifetime.absolute).as_microsecond()))
        .exec(change.db())
        .await?;
    let token = Secret::token("", change.random());
    let row = Model {
        token_hash: digest(token.reveal()),
        account: account.to_string(),
        created_at_us: now.as_microsecond(),
        seen_at_us: now.as_microsecond(),
        address: address.to_canonical().to_string(),
        agent: agent.chars().filter(|sign| !sign.is_control()).take(200).collect(),
    };
    change.audit("account", account, "session", None, Some(&row.address));
    Entity::insert(ActiveModel::from(row).reset_all())
        .exec_without_returning(change.db())
        .await?;
    Ok(token)
}

pub(super) async fn end_all(db: &DatabaseTransaction, account: Id<Account>) -> Result<(), Error> {
    Entity::delete_many()
        .filter(Column::Account.eq(account.to_string()))
        .exec(db)
        .await?;
    Ok(())
}

async fn read(records: &Records, row: Model, form_token: &str) -> Result<Session, Error> {
    Ok(Session {
        account: get(records, column::parse(TABLE, "-", &row.account)?).await?,
        created: column::time(TABLE, "-", row.created_at_us)?,
        seen: column::time(TABLE, "-", row.seen_at_us)?,
        address: row.address,
        agent: row.agent,
        form_token: form_token.to_owned(),
    })
}
