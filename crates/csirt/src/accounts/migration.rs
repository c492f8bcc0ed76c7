//! The tables of accounts.

use crate::records::migration::{Migration, Table};

pub(crate) const MIGRATION: Migration = Migration {
    name: "0004_accounts",
    tables: &[
        Table {
            name: "account",
            comment: "A person who can sign in; never deleted, only switched off",
            columns: "
                id TEXT NOT NULL PRIMARY KEY,
                name TEXT NOT NULL UNIQUE, -- what is typed to sign in, in lower case
                display_name TEXT NOT NULL,
                email TEXT NOT NULL,
                role TEXT NOT NULL,
                organisation TEXT REFERENCES organisation (id),
                language TEXT NOT NULL,
                time_zone TEXT NOT NULL,
                password_hash TEXT NOT NULL, -- argon2id, PHC string
                totp_secret TEXT, -- encrypted: KEY-ID.NONCE-AND-CIPHERTEXT; enrolment begun or done
                totp_confirmed BOOLEAN NOT NULL, -- asked for at sign-in only when true
                totp_last_step BIGINT, -- number of the newest 30 s step whose code was taken: none at or before it counts again
                created_at_us BIGINT NOT NULL,
                disabled_at_us BIGINT",
        },
        Table {
            name: "recovery_code",
            comment: "Stands in for a TOTP device that was lost; goes when it is used",
            columns: "
                account TEXT NOT NULL REFERENCES account (id),
                code_hash TEXT NOT NULL, -- SHA-256
                PRIMARY KEY (account, code_hash)",
        },
        Table {
            name: "session",
            comment: "A sign-in that lasts; goes at sign-out",
            columns: "
                token_hash TEXT NOT NULL PRIMARY KEY, -- SHA-256
                account TEXT NOT NULL REFERENCES account (id),
                created_at_us BIGINT NOT NULL,
                seen_at_us BIGINT NOT NULL, -- to within a minute
                address TEXT NOT NULL,
                agent TEXT NOT NULL",
        },
        Table {
            name: "api_token",
            comment: "Lets a program act for an account",
            columns: "
                id TEXT NOT NULL PRIMARY KEY,
                account TEXT NOT NULL REFERENCES account (id),
                label TEXT NOT NULL,
                scope TEXT NOT NULL, -- read or write
                token_hash TEXT NOT NULL UNIQUE, -- SHA-256
                created_at_us BIGINT NOT NULL,
                used_at_us BIGINT, -- to within a minute
                revoked_at_us BIGINT",
        },
        Table {
            name: "sign_in_attempt",
            comment: "A sign-in that failed or is under way, for the limits; goes when their window is over",
            columns: "
                id TEXT NOT NULL PRIMARY KEY,
                name TEXT NOT NULL, -- as typed: such an account need not exist
                network TEXT NOT NULL, -- IPv4 address, or the /64 of an IPv6 address
                at_us BIGINT NOT NULL",
        },
    ],
    statements: &[
        "CREATE INDEX session_account ON session (account)",
        "CREATE INDEX api_token_account ON api_token (account)",
        "CREATE INDEX sign_in_attempt_at ON sign_in_attempt (at_us)",
    ],
    sqlite: &[],
    postgres: &[],
};

pub(crate) const PASSIVE_ACCESS: Migration = Migration {
    name: "0023_passive_access",
    tables: &[Table {
        name: "passive_access",
        comment: "What an account may see of passive DNS; without a row, what the team may",
        columns: "
            account TEXT NOT NULL PRIMARY KEY REFERENCES account (id),
            tlp TEXT NOT NULL, -- sources of this label and of wider ones
            sources TEXT, -- a list of words in JSON; none for all sources
            quota BIGINT, -- look-ups a day; none for any number
            day BIGINT NOT NULL, -- the day, UTC, counted from 1970, of which the next column is
            used BIGINT NOT NULL -- look-ups of that day, counted while there is a quota",
    }],
    statements: &[],
    sqlite: &[],
    postgres: &[],
};
