use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

use crate::{World, on_each_database};

async fn rows(db: &DatabaseConnection, sql: &str, columns: &[&str]) -> Vec<Vec<String>> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| {
            columns
                .iter()
                .map(|column| row.try_get::<String>("", column).unwrap())
                .collect()
        })
        .collect()
}

/// Table → its columns with type and whether they may be empty, in their order.
async fn tables(world: &World) -> BTreeMap<String, Vec<String>> {
    let db = Database::connect(&world.database.url).await.unwrap();
    let sql = match db.get_database_backend() {
        DbBackend::Sqlite => {
            "SELECT m.name AS tab, c.name AS col, lower(c.type) AS kind, CASE c.\"notnull\" WHEN 1 THEN 'NO' ELSE 'YES' END AS empty
            FROM sqlite_master m, pragma_table_info(m.name) c
            WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid"
        }
        _ => {
            "SELECT table_name::text AS tab, column_name::text AS col, data_type::text AS kind, is_nullable::text AS empty
            FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
        }
    };
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows(&db, sql, &["tab", "col", "kind", "empty"]).await {
        let [table, column, kind, empty] = &row[..] else {
            unreachable!("four columns were asked for")
        };
        let empty = if empty == "YES" { " or none" } else { "" };
        tables
            .entry(table.clone())
            .or_default()
            .push(format!("{column} {kind}{empty}"));
    }
    // The migrator's own table, in its own way on each database.
    tables.remove("seaql_migrations");
    tables
}

#[tokio::test]
async fn the_tables_are_as_agreed_and_the_same_in_both_databases() {
    on_each_database(async |world| {
        let text: Vec<String> = tables(world)
            .await
            .into_iter()
            .map(|(table, columns)| format!("{table}\n    {}", columns.join("\n    ")))
            .collect();
        insta::assert_snapshot!("tables", text.join("\n"));
    })
    .await;
}

#[tokio::test]
async fn every_table_says_what_a_row_is() {
    on_each_database(async |world| {
        let db = Database::connect(&world.database.url).await.unwrap();
        let sql = match db.get_database_backend() {
            DbBackend::Sqlite => {
                "SELECT name, CASE WHEN sql LIKE '%( -- %' THEN 'said' ELSE '' END AS comment FROM sqlite_master
                WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            }
            _ => {
                "SELECT relname::text AS name, coalesce(obj_description(oid, 'pg_class'), '') AS comment FROM pg_class
                WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            }
        };
        for row in rows(&db, sql, &["name", "comment"]).await {
            assert!(row[0] == "seaql_migrations" || !row[1].is_empty(), "{row:?}");
        }
    })
    .await;
}
