//! The tables of cases, their notes and their evidence.

use crate::records::migration::{Migration, Table};

pub(crate) const MIGRATION: Migration = Migration {
    name: "0010_cases",
    tables: &[
        Table {
            name: "case_file",
            comment: "One incident as the team works on it; `case` alone is a word of SQL",
            columns: "
            id TEXT NOT NULL PRIMARY KEY,
            year BIGINT NOT NULL, -- with serial: DNSCERT-2026-00001
            serial BIGINT NOT NULL,
            title TEXT NOT NULL,
            tlp TEXT NOT NULL,
            state TEXT NOT NULL, -- open, closed
            severity TEXT NOT NULL, -- the highest of its alerts
            zones TEXT NOT NULL, -- JSON array, sorted
            fault_at_us BIGINT NOT NULL, -- time of the earliest signal
            detected_at_us BIGINT NOT NULL, -- when the earliest alert was kept
            opened_at_us BIGINT NOT NULL,
            opened_by TEXT NOT NULL,
            closed_at_us BIGINT,
            closing TEXT, -- the reason given at closing
            UNIQUE (year, serial)",
        },
        Table {
            name: "case_note",
            comment: "What people wrote into a case",
            columns: "
            id TEXT NOT NULL PRIMARY KEY,
            case_id TEXT NOT NULL REFERENCES case_file (id),
            at_us BIGINT NOT NULL,
            actor TEXT NOT NULL,
            text TEXT NOT NULL",
        },
        Table {
            name: "case_evidence",
            comment: "What was measured or given: never changed, known by its hash",
            columns: "
            id TEXT NOT NULL PRIMARY KEY,
            case_id TEXT NOT NULL REFERENCES case_file (id),
            request_id TEXT, -- of one request, or of the whole case
            title TEXT NOT NULL,
            text TEXT NOT NULL,
            json TEXT NOT NULL,
            sha256 TEXT NOT NULL, -- over title, text and json with a line feed after each
            at_us BIGINT NOT NULL",
        },
    ],
    statements: &[
        "CREATE INDEX case_file_state ON case_file (state, opened_at_us)",
        "CREATE INDEX case_note_of ON case_note (case_id, at_us)",
        "CREATE INDEX case_evidence_of ON case_evidence (case_id, at_us)",
    ],
    sqlite: &[],
    postgres: &[],
};
