//! What can go wrong with a question, and whether it is the question's fault.

use std::fmt;
use std::io;
use std::time::Duration;

use datafusion::common::{DataFusionError, Span};

/// Why a question has no answer, or not the whole of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tables of the lake could not be read from their logs.
    #[error("cannot read the lake")]
    Lake(#[from] lake::Error),
    /// The statement is not one that can be answered.
    #[error("{}{message}", place.map(|place| format!("{place}: ")).unwrap_or_default())]
    Sql {
        /// What is wrong.
        message: String,
        /// Where in the statement, when that is known.
        place: Option<Place>,
    },
    /// The statement names a table that is not there.
    #[error("there is no table `{name}`; there are {}", there.join(", "))]
    NoTable {
        /// The name.
        name: String,
        /// The tables that are there.
        there: Vec<String>,
    },
    /// The statement would do more than read.
    #[error("{what} is refused: only SELECT, EXPLAIN, SHOW and DESCRIBE are answered")]
    Refused {
        /// The statement's first word.
        what: String,
    },
    /// The answer takes more memory than it may.
    #[error("the answer takes more than {} MB of memory", limit >> 20)]
    Memory {
        /// Octets that it may take.
        limit: usize,
    },
    /// The answer takes more time than it may.
    #[error("the answer takes more than {} s", limit.as_secs_f64())]
    Time {
        /// Time that it may take.
        limit: Duration,
    },
    /// A file of the lake could not be read.
    #[error("cannot read a file of the lake")]
    Read(#[source] Box<DataFusionError>),
    /// The cluster's scheduler could not be reached.
    #[error("cannot reach the scheduler {scheduler}")]
    Unreachable {
        /// Its address.
        scheduler: String,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The cluster took the question and did not answer it.
    #[error("the cluster of {scheduler} could not answer: {message}")]
    Cluster {
        /// Address of its scheduler.
        scheduler: String,
        /// What it says.
        message: String,
    },
    /// A part of a cluster, or the server of Flight SQL, cannot work or not any more.
    #[error("cannot run the {what}")]
    Serve {
        /// Which.
        what: &'static str,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer could not be written.
    #[error("cannot write the answer")]
    Write(#[source] io::Error),
}

/// A place in a statement, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character of the line.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl Error {
    /// Whether another statement is needed, and not another time or another limit.
    pub fn is_of_statement(&self) -> bool {
        matches!(self, Self::Sql { .. } | Self::NoTable { .. } | Self::Refused { .. })
    }

    /// What is wrong, and what it comes of.
    pub fn whole(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(source) = cause {
            text.push_str(&format!(": {source}"));
            cause = source.source();
        }
        text
    }

    /// What DataFusion says, in our words.
    pub(crate) fn of(error: DataFusionError, memory: usize) -> Self {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => return Self::Memory { limit: memory },
            DataFusionError::IoError(_) | DataFusionError::ObjectStore(_) | DataFusionError::ParquetError(_) => {
                return Self::Read(Box::new(error));
            }
            _ => {}
        }
        if let Some(diagnostic) = error.diagnostic() {
            let helps = diagnostic.helps.iter().map(|help| &help.message);
            let notes = diagnostic.notes.iter().map(|note| &note.message);
            let more: String = notes.chain(helps).map(|more| format!("; {more}")).collect();
            return Self::Sql {
                message: format!("{}{more}", diagnostic.message),
                place: diagnostic.span.and_then(place),
            };
        }
        let root = error.find_root();
        let text = match root {
            // without the words of DataFusion for the kind of error
            DataFusionError::Plan(text) | DataFusionError::Execution(text) | DataFusionError::NotImplemented(text) => {
                text.clone()
            }
            DataFusionError::SQL(error, _) => error.to_string(),
            other => other.to_string(),
        };
        let (message, place) = parted(&text);
        Self::Sql {
            message: message.to_owned(),
            place,
        }
    }
}

/// An empty span has line 0.
fn place(span: Span) -> Option<Place> {
    let place = Place {
        line: usize::try_from(span.start.line).ok()?,
        column: usize::try_from(span.start.column).ok()?,
    };
    (place.line > 0).then_some(place)
}

/// A message of the parser, which says the place in words at its end.
fn parted(text: &str) -> (&str, Option<Place>) {
    let text = text.strip_prefix("sql parser error: ").unwrap_or(text);
    let place = || {
        let (message, place) = text.rsplit_once(" at Line: ")?;
        let (line, column) = place.split_once(", Column: ")?;
        let place = Place {
            line: line.parse().ok()?,
            column: column.parse().ok()?,
        };
        Some((message, Some(place)))
    };
    place().unwrap_or((text, None))
}
