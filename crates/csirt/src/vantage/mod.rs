//! Vantage points: from where in the world zones are measured, or traffic is listened to, and how each of them does.
//!
//! A vantage point either asks, or it is a *sensor* and listens. It bears a token of its own that lets it do three things: read its plan (a sensor has none), hand over
//! what it saw, and say how it is. It is no account, so there is nothing else that the token could open. Its name stands in its samples for ever and
//! is therefore never given to another, not even after it is revoked.

mod entity;
pub(crate) mod migration;
mod place;
mod plan;
mod state;
mod terms;

use model::{Id, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

pub use place::{Coordinates, CoordinatesError, Place};
pub use plan::{PlanSettings, plan_for, zones_to_plan};
pub use state::{PartFigures, Report, Standing, State, note_part, note_refusal, report, standing, states};
pub use terms::Terms;

use crate::Error;
use crate::accounts::Secret;
use crate::accounts::digest;
use crate::directory::Organisation;
use crate::records::{Actor, Records, column};
use entity::vantage_point::{ActiveModel, Column, Entity, Model};

const TABLE: &str = "vantage_point";

/// The name under which the centre's own rounds are kept; no vantage point may have it.
pub const CENTRE: &str = "centre";

/// Longest name in characters. It stands in each of millions of samples.
const LONGEST_NAME: usize = 32;

/// A place from which zones are measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VantagePoint {
    /// Its id.
    pub id: Id<VantagePoint>,
    /// What is known of it.
    pub profile: Profile,
    /// Under which what a sensor hears may be used; `None` for one that asks.
    pub terms: Option<Terms>,
    /// When it was registered.
    pub created: Timestamp,
    /// When its present token was made.
    pub token_made: Timestamp,
    /// Since when it may hand over nothing any more.
    pub revoked: Option<Timestamp>,
}

/// What those who run a vantage point say of it. Nothing of it is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name in samples: lower-case letters, digits and hyphens, 2 to 32 characters. Never changes.
    pub name: String,
    /// Who runs it.
    pub operator: Option<Id<Organisation>>,
    /// Where it stands.
    pub place: Place,
    /// The network that it is in, in words; may be empty.
    pub network: String,
    /// Number of that network's autonomous system.
    pub asn: Option<u32>,
    /// Whether it has IPv4.
    pub ipv4: bool,
    /// Whether it has IPv6.
    pub ipv6: bool,
}

/// Registers a vantage point that asks. The token is shown now and never again. Fails with `Invalid`, with `Conflict` when the name
/// is taken (also by one that was revoked), and with `NotFound` for an operator that is not in the directory.
pub async fn create(records: &Records, actor: Actor, profile: Profile) -> Result<(VantagePoint, Secret), Error> {
    register(records, actor, profile, None).await
}

/// Registers a sensor, as [`create`] does.
pub async fn create_sensor(
    records: &Records,
    actor: Actor,
    profile: Profile,
    terms: Terms,
) -> Result<(VantagePoint, Secret), Error> {
    register(records, actor, profile, Some(terms.checked()?)).await
}

async fn register(
    records: &Records,
    actor: Actor,
    profile: Profile,
    terms: Option<Terms>,
) -> Result<(VantagePoint, Secret), Error> {
    let profile = checked(profile)?;
    let mut change = records.begin(actor).await?;
    if row_of(change.db(), &profile.name).await?.is_some() {
        return Err(Error::conflict(format!(
            "there is or was a vantage point `{}`",
            profile.name
        )));
    }
    if let Some(operator) = profile.operator {
        crate::directory::require(change.db(), operator).await?;
    }
    let secret = Secret::token(prefix(terms.is_some()), change.random());
    let vantage_point = VantagePoint {
        id: change.new_id(),
        profile,
        terms,
        created: change.now(),
        token_made: change.now(),
        revoked: None,
    };
    Entity::insert(ActiveModel::from(row(&vantage_point, &secret)).reset_all())
        .exec_without_returning(change.db())
        .await?;
    state::insert(change.db(), vantage_point.id).await?;
    let Profile { name, place, .. } = &vantage_point.profile;
    change.audit("vantage_point", vantage_point.id, "name", None, Some(name));
    change.audit(
        "vantage_point",
        vantage_point.id,
        "place",
        None,
        Some(&place.to_string()),
    );
    if let Some(terms) = &vantage_point.terms {
        change.audit(
            "vantage_point",
            vantage_point.id,
            "terms",
            None,
            Some(&terms.to_string()),
        );
    }
    change.commit().await?;
    Ok((vantage_point, secret))
}

/// How a token begins, so that who finds one knows what it is of.
fn prefix(is_sensor: bool) -> &'static str {
    match is_sensor {
        true => "dnscert_sensor_",
        false => "dnscert_probe_",
    }
}

/// Gives a vantage point another token; the one before stops working. Fails with `NotFound`, and with `Conflict` when it is
/// revoked.
pub async fn renew_token(records: &Records, actor: Actor, id: Id<VantagePoint>) -> Result<Secret, Error> {
    let mut change = records.begin(actor).await?;
    let old = require(change.db(), id).await?;
    if old.revoked_at_us.is_some() {
        return Err(Error::conflict(format!("vantage point `{}` is revoked", old.name)));
    }
    let secret = Secret::token(prefix(old.data_owner.is_some()), change.random());
    let new = ActiveModel {
        token_hash: Set(digest(secret.reveal())),
        token_at_us: Set(change.now().as_microsecond()),
        ..Default::default()
    };
    Entity::update_many()
        .set(new)
        .filter(Column::Id.eq(&old.id))
        .exec(change.db())
        .await?;
    change.audit("vantage_point", id, "token", Some("set"), Some("set anew"));
    change.commit().await?;
    Ok(secret)
}

/// Ends a vantage point for good: its token stops working, its samples stay. Fails with `NotFound`. Again does nothing.
pub async fn revoke(records: &Records, actor: Actor, id: Id<VantagePoint>) -> Result<(), Error> {
    let mut change = records.begin(actor).await?;
    let old = require(change.db(), id).await?;
    if old.revoked_at_us.is_some() {
        return Ok(());
    }
    let new = ActiveModel {
        revoked_at_us: Set(Some(change.now().as_microsecond())),
        ..Default::default()
    };
    Entity::update_many()
        .set(new)
        .filter(Column::Id.eq(&old.id))
        .exec(change.db())
        .await?;
    change.audit("vantage_point", id, "revoked", None, Some(&change.now().to_string()));
    change.commit().await
}

/// The vantage point that bears this token; `None` when it is unknown or revoked.
pub async fn by_token(records: &Records, token: &str) -> Result<Option<VantagePoint>, Error> {
    let found = Entity::find()
        .filter(Column::TokenHash.eq(digest(token)))
        .filter(Column::RevokedAtUs.is_null())
        .one(records.db())
        .await?;
    found.map(VantagePoint::try_from).transpose()
}

/// The vantage point of this name, revoked or not.
pub async fn by_name(records: &Records, name: &str) -> Result<Option<VantagePoint>, Error> {
    row_of(records.db(), name)
        .await?
        .map(VantagePoint::try_from)
        .transpose()
}

/// All vantage points in the order of names, revoked ones included.
pub async fn list(records: &Records) -> Result<Vec<VantagePoint>, Error> {
    let rows = Entity::find().order_by_asc(Column::Name).all(records.db()).await?;
    rows.into_iter().map(VantagePoint::try_from).collect()
}

async fn require(db: &impl ConnectionTrait, id: Id<VantagePoint>) -> Result<Model, Error> {
    let row = Entity::find_by_id(id.to_string()).one(db).await?;
    row.ok_or_else(|| Error::not_found("vantage point", id))
}

async fn row_of(db: &impl ConnectionTrait, name: &str) -> Result<Option<Model>, Error> {
    Ok(Entity::find().filter(Column::Name.eq(name)).one(db).await?)
}

fn checked(profile: Profile) -> Result<Profile, Error> {
    let name = profile.name.trim().to_owned();
    let is_sign = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '-';
    let is_short = (2..=LONGEST_NAME).contains(&name.len());
    if !is_short || !name.chars().all(is_sign) || name.starts_with('-') || name.ends_with('-') {
        return Err(Error::invalid(
            "name",
            format!("it must be 2 to {LONGEST_NAME} lower-case letters, digits or hyphens between them"),
        ));
    }
    if name == CENTRE {
        return Err(Error::invalid("name", "the samples of the centre itself bear it"));
    }
    let network = profile.network.trim().to_owned();
    if network.chars().count() > 100 || network.chars().any(char::is_control) {
        return Err(Error::invalid(
            "network",
            "it must be at most 100 characters on one line",
        ));
    }
    if !profile.ipv4 && !profile.ipv6 {
        return Err(Error::invalid("ipv4", "without IPv4 and IPv6 it can ask nobody"));
    }
    Ok(Profile {
        name,
        network,
        place: profile.place.checked()?,
        ..profile
    })
}

fn row(vantage_point: &VantagePoint, secret: &Secret) -> Model {
    let Profile {
        name,
        operator,
        place,
        network,
        asn,
        ipv4,
        ipv6,
    } = &vantage_point.profile;
    let terms = vantage_point.terms.as_ref();
    Model {
        id: vantage_point.id.to_string(),
        name: name.clone(),
        operator: operator.map(|operator| operator.to_string()),
        region: place.region.to_string(),
        country: place.country.clone(),
        city: place.city.clone(),
        latitude_tenths: place.coordinates.latitude_tenths().into(),
        longitude_tenths: place.coordinates.longitude_tenths().into(),
        network: network.clone(),
        asn: asn.map(i64::from),
        ipv4: *ipv4,
        ipv6: *ipv6,
        token_hash: digest(secret.reveal()),
        created_at_us: vantage_point.created.as_microsecond(),
        token_at_us: vantage_point.token_made.as_microsecond(),
        revoked_at_us: vantage_point.revoked.map(Timestamp::as_microsecond),
        data_owner: terms.map(|terms| terms.owner.clone()),
        licence: terms.map(|terms| terms.licence.clone()),
        tlp: terms.map(|terms| terms.tlp.to_string()),
        legal_basis: terms.map(|terms| terms.legal_basis.clone()),
    }
}

impl TryFrom<Model> for VantagePoint {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        let id = &row.id;
        let damaged = |error: &dyn std::fmt::Display| column::damaged(TABLE, id, error);
        let coordinates = Coordinates::from_tenths(row.latitude_tenths, row.longitude_tenths);
        let place = Place {
            region: column::parse(TABLE, id, &row.region)?,
            country: row.country.clone(),
            city: row.city.clone(),
            coordinates: coordinates.map_err(|error| damaged(&error))?,
        };
        let terms = match (row.data_owner, row.licence, &row.tlp, row.legal_basis) {
            (Some(owner), Some(licence), Some(tlp), Some(legal_basis)) => Some(Terms {
                owner,
                licence,
                tlp: column::parse(TABLE, id, tlp)?,
                legal_basis,
            }),
            _ => None,
        };
        Ok(Self {
            terms,
            id: column::parse(TABLE, id, id)?,
            created: column::time(TABLE, id, row.created_at_us)?,
            token_made: column::time(TABLE, id, row.token_at_us)?,
            revoked: column::time_opt(TABLE, id, row.revoked_at_us)?,
            profile: Profile {
                operator: column::parse_opt(TABLE, id, row.operator.as_deref())?,
                place,
                asn: row
                    .asn
                    .map(|asn| u32::try_from(asn).map_err(|error| damaged(&error)))
                    .transpose()?,
                name: row.name,
                network: row.network,
                ipv4: row.ipv4,
                ipv6: row.ipv6,
            },
        })
    }
}
