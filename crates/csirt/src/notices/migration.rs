//! The tables of notices and of the attempts to hand them over.

use crate::records::migration::{Migration, Table};

pub(crate) const MIGRATION: Migration = Migration {
    name: "0013_notices",
    tables: &[
        Table {
            name: "notice",
            comment: "One message of a request, as it was written when it was queued",
            columns: "
            id TEXT NOT NULL PRIMARY KEY,
            request_id TEXT NOT NULL REFERENCES request (id),
            kind TEXT NOT NULL, -- ask, reminder, thanks
            state TEXT NOT NULL, -- queued, sent, delivered, bounced, failed
            language TEXT NOT NULL,
            recipients TEXT NOT NULL, -- JSON array of mail addresses
            subject TEXT NOT NULL,
            body TEXT NOT NULL, -- {LINK} stands where the mail has the link
            evidence_text TEXT NOT NULL,
            evidence_json TEXT NOT NULL,
            message_id TEXT NOT NULL UNIQUE, -- without angle brackets
            in_reply_to TEXT, -- Message-ID of the first notice of the request
            queued_at_us BIGINT NOT NULL,
            sent_at_us BIGINT,
            last_error TEXT",
        },
        Table {
            name: "notice_attempt",
            comment: "Attempts to hand a notice over, written down before they begin",
            columns: "
            id TEXT NOT NULL PRIMARY KEY,
            notice_id TEXT NOT NULL REFERENCES notice (id),
            begun_at_us BIGINT NOT NULL,
            ended_at_us BIGINT, -- NULL: under way, or the centre died meanwhile and nobody knows
            result TEXT -- accepted, refused, failed, with the words of the relay",
        },
    ],
    statements: &[
        "CREATE INDEX notice_of ON notice (request_id, queued_at_us)",
        "CREATE INDEX notice_attempt_of ON notice_attempt (notice_id, begun_at_us)",
    ],
    sqlite: &[],
    postgres: &[],
};
