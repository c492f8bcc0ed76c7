//! The tables of mailboxes and of the mails taken from them.

use crate::records::migration::{Migration, Table};

pub(crate) const MIGRATION: Migration = Migration {
    name: "0016_mailbox",
    tables: &[
        Table {
            name: "mailbox",
            comment: "How far a mailbox has been read, and whether it can be read at all",
            columns: "
            name TEXT NOT NULL PRIMARY KEY, -- user@host/folder
            uid_validity BIGINT, -- of the mail server; NULL until the mailbox was read to its end once
            last_uid BIGINT, -- all mails up to this UID were taken
            fetched_at_us BIGINT, -- when it was last read to its end
            failing_since_us BIGINT, -- NULL when the last try went well
            error TEXT -- what went wrong at the last try",
        },
        Table {
            name: "mail",
            comment: "A mail taken from a mailbox",
            columns: "
            id TEXT NOT NULL PRIMARY KEY,
            mailbox TEXT NOT NULL,
            uid_validity BIGINT NOT NULL,
            uid BIGINT NOT NULL,
            kind TEXT NOT NULL, -- reply, automatic, bounced, delayed, delivered, own, report, unreadable, duplicate
            digest TEXT NOT NULL, -- SHA-256 of what makes it the same mail
            message_id TEXT, -- without angle brackets
            sender TEXT NOT NULL, -- address in its From
            from_party BOOLEAN NOT NULL, -- whether the sender is an address of the party
            subject TEXT NOT NULL,
            text TEXT NOT NULL,
            attachments TEXT NOT NULL, -- JSON array of names
            reason TEXT, -- why it cannot be read
            size BIGINT NOT NULL, -- octets
            taken_at_us BIGINT NOT NULL,
            marked BOOLEAN NOT NULL, -- whether nothing is left to be told to the mail server
            request_id TEXT REFERENCES request (id),
            notice_id TEXT REFERENCES notice (id),
            report_id TEXT REFERENCES report (id),
            first_id TEXT REFERENCES mail (id), -- the mail of which this is a duplicate
            UNIQUE (mailbox, uid_validity, uid)",
        },
        Table {
            name: "mail_octets",
            comment: "A mail as it came; of one that is too large its headers",
            columns: "
            mail_id TEXT NOT NULL PRIMARY KEY REFERENCES mail (id),
            octets BYTEA NOT NULL",
        },
    ],
    statements: &[
        "CREATE INDEX mail_digest ON mail (digest)",
        "CREATE INDEX mail_request ON mail (request_id)",
        "CREATE INDEX mail_report ON mail (report_id)",
        "CREATE INDEX mail_to_mark ON mail (mailbox, uid_validity) WHERE NOT marked",
    ],
    sqlite: &[],
    postgres: &[],
};
