//! The tables of reports and of who sent how many.

use crate::records::migration::{Migration, Table};

pub(crate) const MIGRATION: Migration = Migration {
    name: "0015_intake",
    tables: &[
        Table {
            name: "report",
            comment: "What people reported by the public form, also what looked like spam",
            columns: "
            id TEXT NOT NULL PRIMARY KEY,
            year BIGINT NOT NULL, -- with serial: REPORT-2026-00001
            serial BIGINT NOT NULL,
            state TEXT NOT NULL, -- open, spam
            what TEXT NOT NULL,
            names TEXT NOT NULL, -- as typed
            zones TEXT NOT NULL, -- JSON array of recognised names
            addresses TEXT NOT NULL, -- JSON array of recognised addresses
            email TEXT,
            language TEXT NOT NULL,
            tlp TEXT NOT NULL,
            received_at_us BIGINT NOT NULL,
            alert_id TEXT REFERENCES alert (id),
            UNIQUE (year, serial)",
        },
        Table {
            name: "report_source",
            comment: "When which address sent the form, for the limit per address; gone when its window is over",
            columns: "
            id TEXT NOT NULL PRIMARY KEY,
            source TEXT NOT NULL, -- IPv4 address or IPv6 /64
            at_us BIGINT NOT NULL",
        },
    ],
    statements: &[
        "CREATE INDEX report_alert ON report (alert_id)",
        "CREATE INDEX report_source_of ON report_source (source, at_us)",
    ],
    sqlite: &[],
    postgres: &[],
};
