//! Who may sign in, and what each may do.
//!
//! An account has a role, and a role its rights: whoever acts for an account asks [`Account::require`] first. Accounts
//! are switched off, never deleted, so that the audit chain keeps speaking of somebody.

mod entity;
pub(crate) mod migration;
mod passive_access;
mod password;
mod role;
mod secret;
mod session;
mod sign_in;
mod token;
mod totp;
mod totp_key;

use model::{Id, Language, Timestamp};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};

pub use passive_access::{Allowance, PassiveAccess, allowance, passive_access, set_passive_access, take_look_up};
pub use password::{MAX_BYTES as PASSWORD_MAX_BYTES, MIN_CHARS as PASSWORD_MIN_CHARS};
pub use role::{Capability, Role, RoleError};
pub use secret::Secret;
pub(crate) use secret::digest;
pub use session::{Lifetime, Session, session, sessions, sign_out, sign_out_everywhere};
pub use sign_in::{Credentials, Limits, SignIn, sign_in};
pub use token::{ApiToken, Scope, by_token, create_token, revoke_token, tokens};
pub use totp::{Enrolment, begin_totp, confirm_totp, encrypt_totp_anew, remove_totp, totp_unreadable};
pub use totp_key::{TotpKey, TotpKeyError};

use crate::Error;
use crate::directory::Organisation;
use crate::records::{Actor, Change, Records, column};
use entity::account::{ActiveModel, Column, Entity, Model};

const TABLE: &str = "account";

/// A person who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: Id<Account>,
    /// What is typed to sign in: lower-case letters, digits, `.`, `_`, `-`, `@`.
    pub name: String,
    /// How others see the person.
    pub display_name: String,
    /// Where mail reaches the person.
    pub email: String,
    /// What the person is to the centre.
    pub role: Role,
    /// The organisation of a constituent.
    pub organisation: Option<Id<Organisation>>,
    /// The language of pages.
    pub language: Language,
    /// The IANA time zone in which times are shown.
    pub time_zone: String,
    /// Whether sign-in asks for a second factor.
    pub totp: bool,
    /// When it was made.
    pub created: Timestamp,
    /// Since when it is switched off.
    pub disabled: Option<Timestamp>,
}

impl Account {
    /// Whether the account may do this. One that is switched off may nothing.
    pub fn may(&self, capability: Capability) -> bool {
        self.disabled.is_none() && self.role.may(capability)
    }

    /// Fails with `Forbidden` when it may not.
    pub fn require(&self, capability: Capability) -> Result<(), Error> {
        if self.may(capability) {
            return Ok(());
        }
        Err(Error::forbidden(format!(
            "the role {} has not the right {capability:?}",
            self.role
        )))
    }

    /// The account as the one who acts.
    pub fn actor(&self) -> Actor {
        Actor::Account(self.id)
    }
}

/// What a new account is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// What is typed to sign in; taken in lower case.
    pub name: String,
    /// How others see the person.
    pub display_name: String,
    /// Where mail reaches the person.
    pub email: String,
    /// What the person is to the centre.
    pub role: Role,
    /// The organisation; a constituent must have one.
    pub organisation: Option<Id<Organisation>>,
    /// The language of pages.
    pub language: Language,
    /// IANA time zone.
    pub time_zone: String,
    /// At least [`PASSWORD_MIN_CHARS`] characters.
    pub password: String,
}

/// Makes an account. Fails with `Invalid`, or with `Conflict` when the name is taken.
pub async fn create(records: &Records, actor: Actor, new: NewAccount) -> Result<Account, Error> {
    check(&new)?;
    let name = canonical_name(&new.name);
    let hash = password::hash(&new.password, &mut records.fork_random()).await;

    let mut change = records.begin(actor).await?;
    if by_name_in(change.db(), &name).await?.is_some() {
        return Err(Error::conflict(format!("there is an account `{name}`")));
    }
    if let Some(organisation) = new.organisation {
        crate::directory::require(change.db(), organisation).await?;
    }
    let id: Id<Account> = change.new_id();
    let row = Model {
        id: id.to_string(),
        name,
        display_name: new.display_name.trim().to_owned(),
        email: new.email.trim().to_owned(),
        role: new.role.as_str().to_owned(),
        organisation: new.organisation.map(|organisation| organisation.to_string()),
        language: new.language.code().to_owned(),
        time_zone: new.time_zone,
        password_hash: hash,
        totp_secret: None,
        totp_confirmed: false,
        totp_last_step: None,
        created_at_us: change.now().as_microsecond(),
        disabled_at_us: None,
    };
    Entity::insert(ActiveModel::from(row.clone()).reset_all())
        .exec_without_returning(change.db())
        .await?;
    change.audit("account", id, "name", None, Some(&row.name));
    change.audit("account", id, "role", None, Some(&row.role));
    change.audit("account", id, "organisation", None, row.organisation.as_deref());
    change.commit().await?;
    Account::try_from(row)
}

/// Whether an account can be made of this, as far as that can be told without the records. Fails with `Invalid`.
pub fn check(new: &NewAccount) -> Result<(), Error> {
    let name = canonical_name(&new.name);
    check_name(&name)?;
    check_person(&new.display_name, &new.email, &new.time_zone)?;
    check_organisation(new.role, new.organisation)?;
    password::check_strength(&new.password, &name)
}

/// The account with this id. Fails with `NotFound`.
pub async fn get(records: &Records, id: Id<Account>) -> Result<Account, Error> {
    row(records.db(), id).await?.try_into()
}

/// The account with this sign-in name, or `None`.
pub async fn by_name(records: &Records, name: &str) -> Result<Option<Account>, Error> {
    by_name_in(records.db(), &canonical_name(name))
        .await?
        .map(Account::try_from)
        .transpose()
}

/// All accounts by name, those switched off included.
pub async fn list(records: &Records) -> Result<Vec<Account>, Error> {
    let rows = Entity::find().order_by_asc(Column::Name).all(records.db()).await?;
    rows.into_iter().map(Account::try_from).collect()
}

/// What a person may change of their own account, and an administrator of any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// How others see the person.
    pub display_name: String,
    /// Where mail reaches the person.
    pub email: String,
    /// The language of pages.
    pub language: Language,
    /// IANA time zone.
    pub time_zone: String,
}

/// Changes the profile of an account. Fails with `NotFound` or `Invalid`.
pub async fn update(records: &Records, actor: Actor, id: Id<Account>, profile: Profile) -> Result<Account, Error> {
    check_person(&profile.display_name, &profile.email, &profile.time_zone)?;
    let mut change = records.begin(actor).await?;
    let old = row(change.db(), id).await?;
    let new = Model {
        display_name: profile.display_name.trim().to_owned(),
        email: profile.email.trim().to_owned(),
        language: profile.language.code().to_owned(),
        time_zone: profile.time_zone,
        ..old.clone()
    };
    change.audit(
        "account",
        id,
        "display_name",
        Some(&old.display_name),
        Some(&new.display_name),
    );
    change.audit("account", id, "email", Some(&old.email), Some(&new.email));
    change.audit("account", id, "language", Some(&old.language), Some(&new.language));
    change.audit("account", id, "time_zone", Some(&old.time_zone), Some(&new.time_zone));
    save(change, new).await
}

/// Changes role and organisation. Fails with `NotFound`, with `Invalid` for a constituent without an organisation, and
/// with `Conflict` when no administrator would be left.
pub async fn set_role(
    records: &Records,
    actor: Actor,
    id: Id<Account>,
    role: Role,
    organisation: Option<Id<Organisation>>,
) -> Result<Account, Error> {
    check_organisation(role, organisation)?;
    let mut change = records.begin(actor).await?;
    let old = row(change.db(), id).await?;
    if role != Role::Admin {
        keep_an_admin(change.db(), &old).await?;
    }
    if let Some(organisation) = organisation {
        crate::directory::require(change.db(), organisation).await?;
    }
    let new = Model {
        role: role.as_str().to_owned(),
        organisation: organisation.map(|organisation| organisation.to_string()),
        ..old.clone()
    };
    change.audit("account", id, "role", Some(&old.role), Some(&new.role));
    change.audit(
        "account",
        id,
        "organisation",
        old.organisation.as_deref(),
        new.organisation.as_deref(),
    );
    save(change, new).await
}

/// Switches an account off: its sessions end and its tokens stop working. Fails with `NotFound`, and with `Conflict`
/// when no administrator would be left.
pub async fn disable(records: &Records, actor: Actor, id: Id<Account>) -> Result<Account, Error> {
    let mut change = records.begin(actor).await?;
    let old = row(change.db(), id).await?;
    keep_an_admin(change.db(), &old).await?;
    if old.disabled_at_us.is_some() {
        return old.try_into();
    }
    let new = Model {
        disabled_at_us: Some(change.now().as_microsecond()),
        ..old
    };
    session::end_all(change.db(), id).await?;
    change.audit("account", id, "disabled", None, Some(&change.now().to_string()));
    save(change, new).await
}

/// Switches an account on again. Fails with `NotFound`.
pub async fn enable(records: &Records, actor: Actor, id: Id<Account>) -> Result<Account, Error> {
    let mut change = records.begin(actor).await?;
    let old = row(change.db(), id).await?;
    let since = column::time_opt(TABLE, id, old.disabled_at_us)?.map(|time| time.to_string());
    change.audit("account", id, "disabled", since.as_deref(), None);
    save(
        change,
        Model {
            disabled_at_us: None,
            ..old
        },
    )
    .await
}

/// Sets a new password and ends all sessions of the account. Fails with `NotFound`, and with `Invalid` for a weak one.
/// Whoever changes their own password proves the old one first by [`check_password`].
pub async fn set_password(records: &Records, actor: Actor, id: Id<Account>, password: &str) -> Result<(), Error> {
    let name = get(records, id).await?.name;
    password::check_strength(password, &name)?;
    let hash = password::hash(password, &mut records.fork_random()).await;
    let mut change = records.begin(actor).await?;
    let old = row(change.db(), id).await?;
    session::end_all(change.db(), id).await?;
    change.audit("account", id, "password", Some("set"), Some("set anew"));
    save(
        change,
        Model {
            password_hash: hash,
            ..old
        },
    )
    .await?;
    Ok(())
}

/// Whether this is the account's password. Fails with `NotFound`. Not limited by itself: only for who has signed in.
pub async fn check_password(records: &Records, id: Id<Account>, password: &str) -> Result<bool, Error> {
    let hash = row(records.db(), id).await?.password_hash;
    Ok(password.len() <= PASSWORD_MAX_BYTES && password::verify(password, Some(hash)).await)
}

async fn save(change: Change, new: Model) -> Result<Account, Error> {
    let account = Account::try_from(new.clone())?;
    let all = ActiveModel::from(new).reset_all();
    Entity::update(all).exec(change.db()).await?;
    change.commit().await?;
    Ok(account)
}

async fn row(db: &impl ConnectionTrait, id: Id<Account>) -> Result<Model, Error> {
    Entity::find_by_id(id.to_string())
        .one(db)
        .await?
        .ok_or_else(|| Error::not_found("account", id))
}

async fn by_name_in(db: &impl ConnectionTrait, name: &str) -> Result<Option<Model>, Error> {
    Ok(Entity::find().filter(Column::Name.eq(name)).one(db).await?)
}

/// Fails when `account` is the last administrator who can sign in.
async fn keep_an_admin(db: &impl ConnectionTrait, account: &Model) -> Result<(), Error> {
    if account.role != Role::Admin.as_str() || account.disabled_at_us.is_some() {
        return Ok(());
    }
    let others = Entity::find()
        .filter(Column::Role.eq(Role::Admin.as_str()))
        .filter(Column::DisabledAtUs.is_null())
        .filter(Column::Id.ne(&account.id))
        .count(db)
        .await?;
    if others == 0 {
        return Err(Error::conflict("this is the last administrator"));
    }
    Ok(())
}

fn canonical_name(name: &str) -> String {
    name.trim().to_lowercase()
}

fn check_name(name: &str) -> Result<(), Error> {
    let good = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || "._-@".contains(sign);
    if name.is_empty() || name.len() > 64 || !name.chars().all(good) {
        return Err(Error::invalid(
            "name",
            "it must be 1 to 64 letters a-z, digits or . _ - @",
        ));
    }
    Ok(())
}

fn check_person(display_name: &str, email: &str, time_zone: &str) -> Result<(), Error> {
    let display_name = display_name.trim();
    if display_name.is_empty() || display_name.chars().count() > 200 || display_name.chars().any(char::is_control) {
        return Err(Error::invalid(
            "display_name",
            "it must be 1 to 200 characters on one line",
        ));
    }
    crate::directory::check_email(email.trim()).map_err(|reason| Error::invalid("email", reason))?;
    crate::directory::check_time_zone(time_zone).map_err(|reason| Error::invalid("time_zone", reason))
}

fn check_organisation(role: Role, organisation: Option<Id<Organisation>>) -> Result<(), Error> {
    if role == Role::Constituent && organisation.is_none() {
        return Err(Error::invalid(
            "organisation",
            "a constituent belongs to an organisation",
        ));
    }
    Ok(())
}

impl TryFrom<Model> for Account {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        Ok(Self {
            id: column::parse(TABLE, &row.id, &row.id)?,
            role: column::parse(TABLE, &row.id, &row.role)?,
            organisation: column::parse_opt(TABLE, &row.id, row.organisation.as_deref())?,
            language: column::parse(TABLE, &row.id, &row.language)?,
            created: column::time(TABLE, &row.id, row.created_at_us)?,
            disabled: column::time_opt(TABLE, &row.id, row.disabled_at_us)?,
            name: row.name,
            display_name: row.display_name,
            email: row.email,
            time_zone: row.time_zone,
            totp: row.totp_confirmed,
        })
    }
}
