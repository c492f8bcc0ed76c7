//! The tables of vantage points.

use crate::records::migration::{Migration, Table};

pub(crate) const MIGRATION: Migration = Migration {
    name: "0017_vantage",
    tables: &[
        Table {
            name: "vantage_point",
            comment: "A place from which zones are measured; never deleted, only revoked: its samples keep naming it",
            columns: "
                id TEXT NOT NULL PRIMARY KEY,
                name TEXT NOT NULL UNIQUE, -- as it stands in samples
                operator TEXT REFERENCES organisation (id),
                region TEXT NOT NULL,
                country TEXT NOT NULL, -- ISO 3166-1 alpha-2
                city TEXT NOT NULL,
                latitude_tenths BIGINT NOT NULL, -- tenths of a degree, north positive
                longitude_tenths BIGINT NOT NULL, -- east positive
                network TEXT NOT NULL, -- in words, as attested
                asn BIGINT, -- as attested
                ipv4 BOOLEAN NOT NULL,
                ipv6 BOOLEAN NOT NULL,
                token_hash TEXT NOT NULL UNIQUE, -- SHA-256
                created_at_us BIGINT NOT NULL,
                token_at_us BIGINT NOT NULL, -- when the present token was made
                revoked_at_us BIGINT",
        },
        Table {
            name: "vantage_state",
            comment: "How a vantage point does: what it said of itself last, and what was taken from it",
            columns: "
                vantage_point TEXT NOT NULL PRIMARY KEY REFERENCES vantage_point (id),
                contact_at_us BIGINT, -- none before its first contact
                version TEXT NOT NULL, -- of its software
                clock_offset_us BIGINT, -- its clock less ours, as it measured it in its exchange with us
                round_trip_us BIGINT, -- of that exchange
                spool_parts BIGINT NOT NULL, -- parts that wait there
                spool_bytes BIGINT NOT NULL,
                oldest_part_at_us BIGINT, -- since when the oldest of them waits
                dropped_samples BIGINT NOT NULL, -- samples that its spool had no room for, since it was set up
                parts BIGINT NOT NULL, -- taken from it, since it was registered
                samples BIGINT NOT NULL, -- in these
                newest_sample_at_us BIGINT, -- time of the newest sample taken
                asked BIGINT NOT NULL, -- questions of the newest part
                answered BIGINT NOT NULL, -- of these, those answered with NOERROR or NXDOMAIN
                udp_median_us BIGINT, -- of the newest part
                refused_parts BIGINT NOT NULL,
                refused_at_us BIGINT,
                refused_reason TEXT",
        },
    ],
    statements: &[],
    sqlite: &[],
    postgres: &[],
};

pub(crate) const SENSOR: Migration = Migration {
    name: "0022_sensor",
    tables: &[],
    statements: &[
        // a vantage point that listens, and does not ask, has all four: whose data it gives and what may be done with it
        "ALTER TABLE vantage_point ADD COLUMN data_owner TEXT",
        "ALTER TABLE vantage_point ADD COLUMN licence TEXT",
        "ALTER TABLE vantage_point ADD COLUMN tlp TEXT",
        "ALTER TABLE vantage_point ADD COLUMN legal_basis TEXT",
        // packets that passed a sensor and that it could not read, since it was started
        "ALTER TABLE vantage_state ADD COLUMN lost_packets BIGINT NOT NULL DEFAULT 0",
    ],
    sqlite: &[],
    postgres: &[],
};
