//! The table of the lead.

use crate::records::migration::{Migration, Table};

pub(crate) const MIGRATION: Migration = Migration {
    name: "0018_lead",
    tables: &[Table {
        name: "lead",
        comment: "Which of several centres on these records does their work: one row",
        columns: "
            id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
            holder TEXT NOT NULL, -- the centre that has it; empty when it was given up
            term BIGINT NOT NULL, -- goes up with each change of hands; what an earlier term still does is refused
            beat BIGINT NOT NULL -- goes up while the holder lives",
    }],
    statements: &["INSERT INTO lead (id, holder, term, beat) VALUES (1, '', 0, 0)"],
    sqlite: &[],
    postgres: &[],
};

pub(crate) const STANDBY: Migration = Migration {
    name: "0021_lead_standby",
    tables: &[],
    statements: &[
        // goes up while a centre that could do the work stands by: a leader that is hindered gives the lead up to it
        "ALTER TABLE lead ADD COLUMN standby_beat BIGINT NOT NULL DEFAULT 0",
    ],
    sqlite: &[],
    postgres: &[],
};
