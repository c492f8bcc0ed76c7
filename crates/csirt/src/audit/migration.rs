//! The table of the audit chain.

use crate::records::migration::{Migration, Table};

pub(crate) const MIGRATION: Migration = Migration {
    name: "0001_audit",
    tables: &[Table {
        name: "audit",
        comment: "Who changed which field of what, from what to what; append-only, each row bound to the one before by its hash",
        columns: "
            seq BIGINT NOT NULL PRIMARY KEY, -- 1, 2, 3 without gaps
            at_us BIGINT NOT NULL, -- microseconds since 1970, UTC
            actor TEXT NOT NULL, -- system, public, account:ID or party:ID
            noun TEXT NOT NULL,
            noun_id TEXT NOT NULL,
            field TEXT NOT NULL,
            old TEXT,
            new TEXT,
            previous TEXT NOT NULL, -- hash of the row before; 64 zeros at the first
            hash TEXT NOT NULL -- SHA-256 in hexadecimal over the JSON array of the nine columns before",
    }],
    statements: &["CREATE INDEX audit_of ON audit (noun, noun_id, seq)"],
    sqlite: &[
        "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
    ],
    postgres: &[
        "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$",
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
            FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
    ],
};
