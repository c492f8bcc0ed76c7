//! Answers SQL about a lake: read-only, bounded in time and memory, over views whose columns are documented.
//!
//! The list of a table's files comes from the `lake` room; DataFusion plans and reads them. What is known of a file prunes it
//! before it is opened, and the statistics in it prune row groups and pages. Nothing is written, neither to the lake nor to the disk.
//!
//! [`Cluster`] has it answered by several machines, [`FlightSql`] for other programs over the network.
//!
//! It stands beside `dnscert` as a binary of its own, `dnscert-sql`: docs/decisions/0023-sql-beside.md.

mod cluster;
mod engine;
mod error;
mod flight;
mod format;
mod functions;
mod kept;
mod location;
mod ranges;
mod sketches;
mod statement;
mod statement_process;
mod table;
mod views;

pub use cluster::{Cluster, Executor, execute, schedule};
pub use engine::{Answer, Engine, Limits};
pub use error::{Error, Place};
pub use flight::{FlightSql, Token, serve};
pub use format::{Format, Written, write, write_columns};
pub use functions::{FOR_PEOPLE, Function};
pub use location::Location;
pub use statement_process::{GRACE, failure};
pub use views::{Column, VIEWS, View};
