//! The tables of the directory.

use crate::records::migration::{Migration, Table};

pub(crate) const MIGRATION: Migration = Migration {
    name: "0003_directory",
    tables: &[
        Table {
            name: "organisation",
            comment: "Whom to reach: an organisation with its people and channels",
            columns: "
                id TEXT NOT NULL PRIMARY KEY,
                handle TEXT NOT NULL UNIQUE, -- by which import files know it
                name TEXT NOT NULL,
                profile TEXT NOT NULL, -- JSON, the same as in export files
                created_at_us BIGINT NOT NULL,
                updated_at_us BIGINT NOT NULL",
        },
        Table {
            name: "responsibility",
            comment: "What an organisation answers for: the index over the profiles by which targets are routed",
            columns: "
                organisation TEXT NOT NULL REFERENCES organisation (id),
                kind TEXT NOT NULL,
                value TEXT NOT NULL, -- canonical: A-labels, printed address or prefix, number
                role TEXT NOT NULL,
                PRIMARY KEY (kind, value, organisation, role)",
        },
    ],
    statements: &["CREATE INDEX responsibility_organisation ON responsibility (organisation)"],
    sqlite: &[],
    postgres: &[],
};
