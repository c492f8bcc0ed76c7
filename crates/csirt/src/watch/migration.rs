//! The tables of the watch list.

use crate::records::migration::{Migration, Table};

pub(crate) const MIGRATION: Migration = Migration {
    name: "0005_watch",
    tables: &[
        Table {
            name: "watched_zone",
            comment: "A zone that is measured again and again, with how it should be delegated",
            columns: "
                id TEXT NOT NULL PRIMARY KEY,
                zone TEXT NOT NULL UNIQUE, -- A-labels
                expected TEXT, -- JSON; none until somebody says or confirms it
                interval_secs BIGINT NOT NULL,
                region TEXT,
                organisation TEXT REFERENCES organisation (id),
                enabled BOOLEAN NOT NULL,
                created_at_us BIGINT NOT NULL",
        },
        Table {
            name: "zone_state",
            comment: "What the last round of measuring found of a watched zone",
            columns: "
                watched_zone TEXT NOT NULL PRIMARY KEY REFERENCES watched_zone (id),
                at_us BIGINT NOT NULL, -- beginning of the round
                worst TEXT, -- worst level of its findings; none without findings
                findings TEXT NOT NULL, -- JSON
                seen TEXT, -- JSON of the delegation as the parent gave it; none where it gave none
                servers TEXT NOT NULL, -- JSON, as the measuring room writes it
                detectors TEXT NOT NULL, -- JSON, the memory of the detectors
                failures BIGINT NOT NULL, -- rounds in a row that could not test the zone
                untestable TEXT, -- why the last one could not
                changed_at_us BIGINT NOT NULL -- since when the worst level is what it is",
        },
        Table {
            name: "announcement",
            comment: "A change that those responsible announced: what it brings is no alarm",
            columns: "
                id TEXT NOT NULL PRIMARY KEY,
                zone TEXT NOT NULL, -- A-labels; need not be watched yet
                from_at_us BIGINT NOT NULL,
                until_at_us BIGINT NOT NULL,
                expected TEXT, -- JSON of the delegation afterwards; none when anything may come
                announced_by TEXT NOT NULL, -- who, in words
                actor TEXT NOT NULL,
                note TEXT NOT NULL,
                created_at_us BIGINT NOT NULL,
                withdrawn_at_us BIGINT",
        },
    ],
    statements: &[
        "CREATE INDEX zone_state_at ON zone_state (at_us)",
        "CREATE INDEX announcement_zone ON announcement (zone, until_at_us)",
    ],
    sqlite: &[],
    postgres: &[],
};

pub(crate) const DUE: Migration = Migration {
    name: "0019_watch_due",
    tables: &[],
    statements: &[
        // when the next round is due, so that a look at what is due reads an index and not every zone
        "ALTER TABLE watched_zone ADD COLUMN due_at_us BIGINT NOT NULL DEFAULT 0",
        "CREATE INDEX watched_zone_due ON watched_zone (due_at_us) WHERE enabled",
    ],
    sqlite: &[],
    postgres: &[],
};

pub(crate) const HEALTH: Migration = Migration {
    name: "0020_zone_health",
    tables: &[],
    statements: &[
        // how a zone does, beside what was found: lists and counts over many thousand zones read no findings. A zone is
        // unknown until its first round after this step.
        "ALTER TABLE zone_state ADD COLUMN health TEXT NOT NULL DEFAULT 'unknown'",
        "ALTER TABLE zone_state ADD COLUMN secured BOOLEAN",
    ],
    sqlite: &[],
    postgres: &[],
};
