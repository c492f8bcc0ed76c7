//! How the tables come to be: each noun has one file of them, and this is the one list.
//!
//! A migration is never edited after a release: add another one to its noun. SQL is kept to what SQLite and PostgreSQL
//! both take: TEXT, BIGINT, BOOLEAN, DOUBLE PRECISION, `$1`. Where they differ, `sqlite` and `postgres` say it apart.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, MigratorTrait, SchemaManager};

use super::{Actor, Records};
use crate::Error;

/// All migrations, oldest first. A noun stands after the nouns that its tables refer to.
fn all() -> Vec<&'static Migration> {
    vec![
        &crate::audit::migration::MIGRATION,
        &crate::jobs::migration::MIGRATION,
        &crate::directory::migration::MIGRATION,
        &crate::accounts::migration::MIGRATION,
        &crate::watch::migration::MIGRATION,
        &crate::cases::migration::MIGRATION,
        &crate::alerts::migration::MIGRATION,
        &crate::requests::migration::MIGRATION,
        &crate::notices::migration::MIGRATION,
        &crate::links::migration::MIGRATION,
        &crate::intake::migration::MIGRATION,
        &crate::mailbox::migration::MIGRATION,
        &crate::vantage::migration::MIGRATION,
        &crate::lead::migration::MIGRATION,
        &crate::watch::migration::DUE,
        &crate::watch::migration::HEALTH,
        &crate::lead::migration::STANDBY,
        &crate::vantage::migration::SENSOR,
        &crate::accounts::migration::PASSIVE_ACCESS,
    ]
}

/// The table in which the migrator notes what it applied.
const APPLIED: &str = "seaql_migrations";

/// One step of the schema.
pub(crate) struct Migration {
    /// Its name for ever: `0001_audit`.
    pub name: &'static str,
    /// Tables to make.
    pub tables: &'static [Table],
    /// Indexes and whatever else both databases take.
    pub statements: &'static [&'static str],
    /// For SQLite only.
    pub sqlite: &'static [&'static str],
    /// For PostgreSQL only.
    pub postgres: &'static [&'static str],
}

/// One table.
pub(crate) struct Table {
    /// Its name.
    pub name: &'static str,
    /// What a row is, for those who look at the database with other tools.
    pub comment: &'static str,
    /// Columns and constraints, with a `--` comment at each odd one.
    pub columns: &'static str,
}

struct Step(&'static Migration);

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.0.name
    }
}

#[async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        for Table { name, comment, columns } in self.0.tables {
            // SQLite has no comments on tables, but keeps the text of the statement with the comments in it.
            db.execute_unprepared(&format!("CREATE TABLE {name} ( -- {comment}\n{columns}\n)"))
                .await?;
            if postgres {
                let quoted = comment.replace('\'', "''");
                db.execute_unprepared(&format!("COMMENT ON TABLE {name} IS '{quoted}'"))
                    .await?;
            }
        }
        let own = if postgres { self.0.postgres } else { self.0.sqlite };
        for statement in self.0.statements.iter().chain(own) {
            db.execute_unprepared(statement).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        all()
            .into_iter()
            .map(|migration| Box::new(Step(migration)) as Box<dyn MigrationTrait>)
            .collect()
    }
}

/// Applies what is not yet applied, all of it or nothing. As a change, so that two processes that start at once do not both.
pub(crate) async fn migrate(records: &Records) -> Result<(), Error> {
    let change = records.begin(Actor::System).await?;
    Migrator::up(change.db(), None).await?;
    change.commit_quietly().await
}

/// How the tables of records stand to this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    /// They are those of this program.
    Current,
    /// So many steps are still to be applied; all of them where there are no tables yet.
    Behind(usize),
    /// A newer program made them: so many of its steps this one does not know.
    Ahead(usize),
}

/// How the tables stand; reads only.
pub(crate) async fn tables(records: &Records) -> Result<Tables, Error> {
    let known: BTreeSet<String> = all().iter().map(|migration| migration.name.to_owned()).collect();
    let db = records.db();
    let mut applied = BTreeSet::new();
    if SchemaManager::new(db).has_table(APPLIED).await? {
        let sql = format!("SELECT version FROM {APPLIED}");
        for row in db
            .query_all_raw(Statement::from_string(db.get_database_backend(), sql))
            .await?
        {
            applied.insert(row.try_get::<String>("", "version")?);
        }
    }
    Ok(
        match (known.difference(&applied).count(), applied.difference(&known).count()) {
            (_, unknown @ 1..) => Tables::Ahead(unknown),
            (0, 0) => Tables::Current,
            (missing, 0) => Tables::Behind(missing),
        },
    )
}
