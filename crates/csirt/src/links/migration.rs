//! The tables of links and answers.

use crate::records::migration::{Migration, Table};

pub(crate) const MIGRATION: Migration = Migration {
    name: "0014_links",
    tables: &[
        Table {
            name: "link",
            comment: "Ways to a request's page without an account; the token itself is kept nowhere",
            columns: "
            id TEXT NOT NULL PRIMARY KEY,
            request_id TEXT NOT NULL REFERENCES request (id),
            notice_id TEXT, -- the notice that carries it; NULL for one given by hand
            hash TEXT NOT NULL UNIQUE, -- SHA-256 of the token in hexadecimal
            made_at_us BIGINT NOT NULL,
            expires_at_us BIGINT NOT NULL,
            revoked_at_us BIGINT",
        },
        Table {
            name: "answer",
            comment: "What parties answered by their links, also what moved nothing",
            columns: "
            id TEXT NOT NULL PRIMARY KEY,
            request_id TEXT NOT NULL REFERENCES request (id),
            at_us BIGINT NOT NULL,
            kind TEXT NOT NULL,
            answer TEXT NOT NULL, -- JSON
            idempotency TEXT NOT NULL, -- hidden field of the form, so that a double click is one answer
            moved_to TEXT, -- state that it moved the request to; NULL when it was only noted
            UNIQUE (request_id, idempotency)",
        },
    ],
    statements: &[
        "CREATE INDEX link_of ON link (request_id)",
        "CREATE INDEX answer_of ON answer (request_id, at_us)",
    ],
    sqlite: &[],
    postgres: &[],
};
