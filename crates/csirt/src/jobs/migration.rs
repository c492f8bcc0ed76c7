//! The table of jobs.

use crate::records::migration::{Migration, Table};

pub(crate) const MIGRATION: Migration = Migration {
    name: "0002_jobs",
    tables: &[Table {
        name: "job",
        comment: "Outbox: what is still to be done because of a change; a row goes when its job is done",
        columns: "
            id TEXT NOT NULL PRIMARY KEY,
            job TEXT NOT NULL, -- JSON with the kind and ids only; also the key by which repeats fold
            enqueued_at_us BIGINT NOT NULL,
            due_at_us BIGINT NOT NULL, -- not to be begun before
            attempts BIGINT NOT NULL, -- begun so often
            lease TEXT, -- token of the runner that works on it
            lease_until_us BIGINT, -- after this the runner counts as dead and the job is free again
            last_error TEXT",
    }],
    statements: &[
        "CREATE UNIQUE INDEX job_waiting ON job (job) WHERE lease IS NULL",
        "CREATE INDEX job_due ON job (due_at_us)",
    ],
    sqlite: &[],
    postgres: &[],
};
