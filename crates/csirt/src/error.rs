//! What can go wrong when the records are asked or changed.

use sea_orm::DbErr;

/// Why an action was not done. `Display` never shows the source: log the chain, show the text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or the asker may not know of it.
    #[error("there is no {what}")]
    NotFound {
        /// What was looked for: ``account `ada` ``.
        what: String,
    },
    /// The actor may not do this.
    #[error("not allowed: {reason}")]
    Forbidden {
        /// Which rule forbids it.
        reason: String,
    },
    /// The thing is in a state in which this cannot be done; read it again and decide anew.
    #[error("in conflict with what is there: {reason}")]
    Conflict {
        /// What stands in the way.
        reason: String,
    },
    /// An input is wrong. The one who gave it can mend it.
    #[error("`{field}` is not right: {reason}")]
    Invalid {
        /// Name of the input: `email`.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Too many attempts. Try again later.
    #[error("too many attempts, wait {wait_secs} s")]
    TooMany {
        /// Seconds until an attempt is looked at again.
        wait_secs: u64,
    },
    /// Another centre has taken over the work on these records; this one must not go on with it. Nothing was changed.
    #[error("{} has taken over the work", if holder.is_empty() { "another centre" } else { holder })]
    Superseded {
        /// The centre that leads; empty when none does.
        holder: String,
    },
    /// The database failed or could not be reached. Nothing was changed.
    #[error("the records could not be read or written")]
    Store(#[source] DbErr),
    /// What is stored breaks our own rules: damage or a bug. Shown on the health page, never skipped.
    #[error("table `{table}`, row `{row}` is damaged: {reason}")]
    Inconsistent {
        /// Name of the table.
        table: &'static str,
        /// Primary key of the row.
        row: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl From<DbErr> for Error {
    fn from(source: DbErr) -> Self {
        Error::Store(source)
    }
}

impl Error {
    /// A `NotFound` for the `noun` with this key.
    pub fn not_found(noun: &str, key: impl std::fmt::Display) -> Self {
        Error::NotFound {
            what: format!("{noun} `{key}`"),
        }
    }

    /// An `Invalid` for `field`.
    pub fn invalid(field: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        Error::Invalid {
            field: field.into(),
            reason: reason.to_string(),
        }
    }

    /// A `Conflict`.
    pub fn conflict(reason: impl Into<String>) -> Self {
        Error::Conflict { reason: reason.into() }
    }

    /// A `Forbidden`.
    pub fn forbidden(reason: impl Into<String>) -> Self {
        Error::Forbidden { reason: reason.into() }
    }
}
