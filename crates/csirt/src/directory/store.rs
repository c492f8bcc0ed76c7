//! Reads and writes organisations; writing notes each difference in the audit chain.

use std::collections::BTreeMap;

use model::Id;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::Value;

use super::entity::{organisation, responsibility};
use super::profile::{Channel, Profile, Responsibility};
use super::{Organisation, Responsible};
use crate::Error;
use crate::records::{Change, column};

const TABLE: &str = "organisation";

/// Values in one `IN (…)`: below what SQLite takes as parameters.
const BATCH: usize = 500;

pub(super) async fn by_id(db: &impl ConnectionTrait, id: Id<Organisation>) -> Result<Option<Organisation>, Error> {
    organisation::Entity::find_by_id(id.to_string())
        .one(db)
        .await?
        .map(read)
        .transpose()
}

pub(super) async fn by_handle(db: &impl ConnectionTrait, handle: &str) -> Result<Option<Organisation>, Error> {
    let found = organisation::Entity::find()
        .filter(organisation::Column::Handle.eq(handle))
        .one(db)
        .await?;
    found.map(read).transpose()
}

pub(super) async fn all(db: &impl ConnectionTrait) -> Result<Vec<Organisation>, Error> {
    let rows = organisation::Entity::find()
        .order_by_asc(organisation::Column::Handle)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

pub(super) async fn by_ids(db: &impl ConnectionTrait, ids: &[Id<Organisation>]) -> Result<Vec<Organisation>, Error> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(BATCH) {
        let texts = ids.iter().map(|id| id.to_string());
        let rows = organisation::Entity::find()
            .filter(organisation::Column::Id.is_in(texts))
            .all(db)
            .await?;
        for row in rows {
            found.push(read(row)?);
        }
    }
    Ok(found)
}

/// Who answers for any of these values, or for anything at all without them.
pub(super) async fn responsible(
    db: &impl ConnectionTrait,
    values: Option<&[String]>,
) -> Result<Vec<Responsible>, Error> {
    let mut rows = Vec::new();
    match values {
        None => rows = responsibility::Entity::find().all(db).await?,
        Some(values) => {
            for values in values.chunks(BATCH) {
                let some = responsibility::Column::Value.is_in(values);
                rows.extend(responsibility::Entity::find().filter(some).all(db).await?);
            }
        }
    }
    rows.into_iter()
        .map(|row| {
            let place = format!("{}:{}", row.kind, row.value);
            Ok(Responsible {
                organisation: column::parse("responsibility", &place, &row.organisation)?,
                kind: column::parse("responsibility", &place, &row.kind)?,
                role: column::parse("responsibility", &place, &row.role)?,
                value: row.value,
            })
        })
        .collect()
}

/// Writes a canonical profile as a new organisation, or over `old`. Without a difference it writes nothing.
pub(super) async fn save(
    change: &mut Change,
    old: Option<&Organisation>,
    profile: Profile,
) -> Result<Organisation, Error> {
    if let Some(old) = old.filter(|old| old.profile == profile) {
        return Ok(old.clone());
    }
    let now = change.now();
    let organisation = Organisation {
        id: old.map_or_else(|| change.new_id(), |old| old.id),
        created: old.map_or(now, |old| old.created),
        updated: now,
        profile,
    };
    let row = organisation::Model {
        id: organisation.id.to_string(),
        handle: organisation.profile.handle.clone(),
        name: organisation.profile.name.clone(),
        profile: column::to_json(&organisation.profile),
        created_at_us: organisation.created.as_microsecond(),
        updated_at_us: organisation.updated.as_microsecond(),
    };
    let row = organisation::ActiveModel::from(row).reset_all();
    match old {
        None => drop(
            organisation::Entity::insert(row)
                .exec_without_returning(change.db())
                .await?,
        ),
        Some(_) => drop(organisation::Entity::update(row).exec(change.db()).await?),
    }
    index(change, &organisation).await?;
    note(
        change,
        organisation.id,
        old.map(|old| &old.profile),
        &organisation.profile,
    );
    Ok(organisation)
}

/// Brings the index of responsibilities in line with the profile.
async fn index(change: &Change, organisation: &Organisation) -> Result<(), Error> {
    responsibility::Entity::delete_many()
        .filter(responsibility::Column::Organisation.eq(organisation.id.to_string()))
        .exec(change.db())
        .await?;
    for some in organisation.profile.responsibilities.chunks(BATCH) {
        let rows = some.iter().map(|responsibility| {
            responsibility::ActiveModel::from(responsibility::Model {
                organisation: organisation.id.to_string(),
                kind: responsibility.kind.to_string(),
                value: responsibility.value.clone(),
                role: responsibility.role.to_string(),
            })
            .reset_all()
        });
        responsibility::Entity::insert_many(rows)
            .exec_without_returning(change.db())
            .await?;
    }
    Ok(())
}

/// Notes every field and every part that differs.
fn note(change: &mut Change, id: Id<Organisation>, old: Option<&Profile>, new: &Profile) {
    let (before, after) = (old.map(fields).unwrap_or_default(), fields(new));
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let (old, new) = (before.get(name), after.get(name));
        change.audit(
            "organisation",
            id,
            name,
            old.map(String::as_str),
            new.map(String::as_str),
        );
    }
}

/// A profile as flat texts: each field by its name, each part by its kind and key.
fn fields(profile: &Profile) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    if let Ok(Value::Object(object)) = serde_json::to_value(profile) {
        for (name, value) in object {
            match value {
                Value::Array(_) if name != "languages" => {}
                Value::String(text) => drop(fields.insert(name, text)),
                other => drop(fields.insert(name, other.to_string())),
            }
        }
    }
    for person in &profile.people {
        fields.insert(format!("person {}", person.name), column::to_json(person));
    }
    for channel in &profile.channels {
        let Channel {
            kind,
            value,
            purpose,
            person,
            ..
        } = channel;
        let whose = if person.is_empty() {
            String::new()
        } else {
            format!(" of {person}")
        };
        fields.insert(
            format!("channel {kind} {value} {purpose}{whose}"),
            column::to_json(channel),
        );
    }
    for responsibility in &profile.responsibilities {
        let Responsibility { kind, value, role, .. } = responsibility;
        fields.insert(
            format!("responsibility {kind} {value} {role}"),
            column::to_json(responsibility),
        );
    }
    fields
}

fn read(row: organisation::Model) -> Result<Organisation, Error> {
    Ok(Organisation {
        id: column::parse(TABLE, &row.id, &row.id)?,
        profile: column::json(TABLE, &row.id, &row.profile)?,
        created: column::time(TABLE, &row.id, row.created_at_us)?,
        updated: column::time(TABLE, &row.id, row.updated_at_us)?,
    })
}
