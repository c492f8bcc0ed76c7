//! What an account may see of passive DNS: how confidential, of which sources, and how often it may ask.
//!
//! A partner who asks by program is an account like any other. Its keys and its page share what is set here.

use model::{Id, Timestamp, Tlp};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, EntityTrait};

use super::entity::passive_access::{ActiveModel, Column, Entity, Model};
use super::{Account, row};
use crate::Error;
use crate::records::{Actor, Change, Records, column};

const TABLE: &str = "passive_access";

/// Seconds of a day, after which a quota begins anew: at midnight UTC, as DNSDB has it.
const DAY: i64 = 86_400;

/// What an account may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassiveAccess {
    /// Sources of this label and of wider ones; `TLP:AMBER+STRICT` at most, since `TLP:RED` is for named recipients.
    pub tlp: Tlp,
    /// Only of these sources, by their words; `None` for all.
    pub sources: Option<Vec<String>>,
    /// Look-ups a day at most; `None` for any number.
    pub quota: Option<u32>,
}

impl Default for PassiveAccess {
    /// That of the team: all that may be seen by anybody.
    fn default() -> Self {
        Self {
            tlp: Tlp::AmberStrict,
            sources: None,
            quota: None,
        }
    }
}

impl PassiveAccess {
    fn check(&self) -> Result<(), Error> {
        if self.tlp > Tlp::AmberStrict {
            return Err(Error::invalid("tlp", "it may be TLP:AMBER+STRICT at most"));
        }
        let is_word = |word: &String| !word.trim().is_empty() && !word.chars().any(char::is_control);
        match &self.sources {
            Some(sources) if sources.is_empty() || !sources.iter().all(is_word) => {
                Err(Error::invalid("sources", "each must be a word, and there must be one"))
            }
            _ => Ok(()),
        }
    }
}

/// How much of its quota an account has left today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Look-ups a day.
    pub quota: u32,
    /// Those that are left.
    pub remaining: u32,
    /// When it begins anew.
    pub resets: Timestamp,
}

impl Allowance {
    fn of(quota: u32, used: i64, day: i64) -> Result<Self, Error> {
        Ok(Self {
            quota,
            remaining: quota.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX)),
            resets: column::time(TABLE, day, (day + 1) * DAY * 1_000_000)?,
        })
    }
}

/// What an account may see.
pub async fn passive_access(records: &Records, account: Id<Account>) -> Result<PassiveAccess, Error> {
    let row = Entity::find_by_id(account.to_string()).one(records.db()).await?;
    row.map_or_else(|| Ok(PassiveAccess::default()), PassiveAccess::try_from)
}

/// Sets what an account may see. What it has used of today's quota stays used. Fails with `NotFound` and `Invalid`.
pub async fn set_passive_access(
    records: &Records,
    actor: Actor,
    account: Id<Account>,
    access: &PassiveAccess,
) -> Result<(), Error> {
    access.check()?;
    let mut change = records.begin(actor).await?;
    row(change.db(), account).await?;
    let old = Entity::find_by_id(account.to_string()).one(change.db()).await?;
    let new = Model {
        account: account.to_string(),
        tlp: access.tlp.as_str().to_owned(),
        sources: access.sources.as_ref().map(column::to_json),
        quota: access.quota.map(i64::from),
        day: old.as_ref().map_or(0, |old| old.day),
        used: old.as_ref().map_or(0, |old| old.used),
    };
    let text = |number: Option<i64>| number.map(|number| number.to_string());
    let (old_tlp, old_sources, old_quota) = match &old {
        Some(old) => (Some(old.tlp.as_str()), old.sources.as_deref(), text(old.quota)),
        None => (None, None, None),
    };
    change.audit("account", account, "passive_tlp", old_tlp, Some(&new.tlp));
    change.audit(
        "account",
        account,
        "passive_sources",
        old_sources,
        new.sources.as_deref(),
    );
    change.audit(
        "account",
        account,
        "passive_quota",
        old_quota.as_deref(),
        text(new.quota).as_deref(),
    );
    save(&change, new).await?;
    change.commit().await
}

/// How much is left of an account's quota; `None` for one that has none.
pub async fn allowance(records: &Records, account: Id<Account>) -> Result<Option<Allowance>, Error> {
    let Some(row) = Entity::find_by_id(account.to_string()).one(records.db()).await? else {
        return Ok(None);
    };
    let today = day_of(records.now());
    let quota = PassiveAccess::try_from(row.clone())?.quota;
    let used = if row.day == today { row.used } else { 0 };
    quota.map(|quota| Allowance::of(quota, used, today)).transpose()
}

/// Takes one look-up off an account's quota. `Err` holds when it begins anew if none is left; an account without a quota
/// costs no writing.
pub async fn take_look_up(records: &Records, account: Id<Account>) -> Result<Result<(), Allowance>, Error> {
    match allowance(records, account).await? {
        None => return Ok(Ok(())),
        Some(spent) if spent.remaining == 0 => return Ok(Err(spent)),
        Some(_) => {}
    }
    // read again: another look-up may have taken the last
    let change = records.begin(Actor::Account(account)).await?;
    let Some(row) = Entity::find_by_id(account.to_string()).one(change.db()).await? else {
        return Ok(Ok(()));
    };
    let today = day_of(change.now());
    let used = if row.day == today { row.used } else { 0 };
    if let Some(quota) = PassiveAccess::try_from(row.clone())?.quota {
        let left = Allowance::of(quota, used, today)?;
        if left.remaining == 0 {
            return Ok(Err(left));
        }
    }
    let used = Model {
        day: today,
        used: used + 1,
        ..row
    };
    save(&change, used).await?;
    change.commit_quietly().await?;
    Ok(Ok(()))
}

fn day_of(time: Timestamp) -> i64 {
    time.as_second().div_euclid(DAY)
}

async fn save(change: &Change, row: Model) -> Result<(), Error> {
    let columns = [Column::Tlp, Column::Sources, Column::Quota, Column::Day, Column::Used];
    let newer = OnConflict::column(Column::Account).update_columns(columns).to_owned();
    Entity::insert(ActiveModel::from(row).reset_all())
        .on_conflict(newer)
        .exec_without_returning(change.db())
        .await?;
    Ok(())
}

impl TryFrom<Model> for PassiveAccess {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        let damaged = |quota: i64| u32::try_from(quota).map_err(|error| column::damaged(TABLE, &row.account, error));
        Ok(Self {
            tlp: column::parse(TABLE, &row.account, &row.tlp)?,
            sources: (row.sources.as_deref())
                .map(|text| column::json(TABLE, &row.account, text))
                .transpose()?,
            quota: row.quota.map(damaged).transpose()?,
        })
    }
}
