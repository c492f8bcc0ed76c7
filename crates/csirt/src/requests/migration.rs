//! The tables of parties, requests and verdicts.

use crate::records::migration::{Migration, Table};

pub(crate) const MIGRATION: Migration = Migration {
    name: "0012_requests",
    tables: &[
        Table {
            name: "party",
            comment: "An organisation as it takes part in a case, with how it is reached there",
            columns: "
            id TEXT NOT NULL PRIMARY KEY,
            case_id TEXT NOT NULL REFERENCES case_file (id),
            organisation_id TEXT, -- of the directory; NULL for one that is not in it
            name TEXT NOT NULL,
            addresses TEXT NOT NULL, -- JSON array of mail addresses
            language TEXT NOT NULL,
            time_zone TEXT NOT NULL, -- IANA name
            because TEXT NOT NULL -- why it was chosen",
        },
        Table {
            name: "request",
            comment: "One ask to one party, decided by a check",
            columns: "
            id TEXT NOT NULL PRIMARY KEY,
            case_id TEXT NOT NULL REFERENCES case_file (id),
            number BIGINT NOT NULL, -- the 2 of DNSCERT-2026-00001/2
            party_id TEXT NOT NULL REFERENCES party (id),
            ask TEXT NOT NULL,
            zone TEXT NOT NULL,
            check_json TEXT NOT NULL, -- JSON of the check that decides it
            language TEXT NOT NULL,
            deadline_at_us BIGINT NOT NULL,
            state TEXT NOT NULL,
            state_at_us BIGINT NOT NULL, -- since when
            created_at_us BIGINT NOT NULL,
            notified_at_us BIGINT, -- the first notice left
            acknowledged_at_us BIGINT, -- the first answer
            done_at_us BIGINT, -- the last time the party said so
            verified_at_us BIGINT,
            reminders BIGINT NOT NULL,
            reminded_at_us BIGINT,
            overruled TEXT, -- JSON: who, why, when
            verdict TEXT, -- JSON of the last one
            call_me TEXT, -- number and time at which the party wants to be called
            UNIQUE (case_id, number)",
        },
        Table {
            name: "request_verdict",
            comment: "What measurement said of a request; the same again only counts up",
            columns: "
            id TEXT NOT NULL PRIMARY KEY,
            request_id TEXT NOT NULL REFERENCES request (id),
            at_us BIGINT NOT NULL, -- the first of them
            last_at_us BIGINT NOT NULL, -- the last of them
            repeats BIGINT NOT NULL, -- how many said the same one after the other
            state TEXT NOT NULL,
            verdict TEXT NOT NULL, -- JSON of the last of them
            evidence TEXT NOT NULL -- text of the last of them",
        },
    ],
    statements: &[
        "CREATE INDEX party_case ON party (case_id)",
        "CREATE INDEX request_state ON request (state)",
        "CREATE INDEX request_party ON request (party_id)",
        "CREATE INDEX request_verdict_of ON request_verdict (request_id, at_us)",
    ],
    sqlite: &[],
    postgres: &[],
};
