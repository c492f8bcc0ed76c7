//! The tables of alerts and of the signals they rest on.

use crate::records::migration::{Migration, Table};

pub(crate) const MIGRATION: Migration = Migration {
    name: "0011_alerts",
    tables: &[
        Table {
            name: "alert",
            comment: "One matter that detectors or people noticed: all signals with one key until it is dismissed or ended",
            columns: "
            id TEXT NOT NULL PRIMARY KEY,
            key TEXT NOT NULL,
            open_key TEXT UNIQUE, -- the key while new or in a case, so that two open alerts cannot share it; else NULL
            state TEXT NOT NULL, -- new, in_case, dismissed, ended
            severity BIGINT NOT NULL, -- 0 log, 1 review, 2 page: the highest so far
            detector TEXT NOT NULL,
            kind TEXT NOT NULL,
            args TEXT NOT NULL, -- JSON object of the newest signal
            zones TEXT NOT NULL, -- JSON array, sorted
            signals BIGINT NOT NULL, -- how many signals folded into it
            first_at_us BIGINT NOT NULL,
            last_at_us BIGINT NOT NULL,
            raised_at_us BIGINT NOT NULL, -- when it was kept, by the clock of the centre
            case_id TEXT REFERENCES case_file (id),
            previous_id TEXT REFERENCES alert (id), -- the last closed alert with the same key
            reason TEXT",
        },
        Table {
            name: "alert_signal",
            comment: "The signals of an alert: the first and the newest ones",
            columns: "
            id TEXT NOT NULL PRIMARY KEY,
            alert_id TEXT NOT NULL REFERENCES alert (id),
            at_us BIGINT NOT NULL,
            signal TEXT NOT NULL -- JSON",
        },
    ],
    statements: &[
        "CREATE INDEX alert_queue ON alert (state, severity, first_at_us)",
        "CREATE INDEX alert_key ON alert (key)",
        "CREATE INDEX alert_case ON alert (case_id)",
        "CREATE INDEX alert_signal_of ON alert_signal (alert_id, id)",
    ],
    sqlite: &[],
    postgres: &[],
};
