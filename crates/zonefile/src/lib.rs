//! Zone files (RFC 1035 §5) as snapshots of a zone: read in a stream, put into canonical order, judged, and compared.
//!
//! | module | what it does |
//! |---|---|
//! | `entries` | octets, decompressed, to records |
//! | `sorted` | records to canonical order (RFC 4034 §6), on disk beyond a bound of memory |
//! | `snapshot` | one zone file: its apex, serial and ZONEMD, and what makes it doubtful |
//! | `names` | a snapshot name by name, with the cut that each lies below |
//! | `difference` | two snapshots: what became of each RRset, delegations apart |
//! | `incoming` | a zone that comes from a server, whole or as what changed, and the file that becomes of it |
//! | `delegations` | what passive DNS and the table of zone changes keep of them |
//!
//! Names are compared without regard to case, data in canonical form; RRsets have no order, and their TTL is the lowest of
//! their records.

mod delegations;
mod difference;
mod entries;
mod incoming;
mod names;
mod snapshot;
mod sorted;

use std::path::PathBuf;

pub use difference::{Change, Difference, Kind, Limits, Part, Serials, Without};
pub use incoming::{Applied, Changes, Incoming, Unfit};
pub use names::{Place, RrsetAt};
pub use snapshot::{Digest, Fault, Reading, Snapshot};

/// What went wrong, apart from what a zone file says.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be opened.
    #[error("opening the zone file `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Records beyond the bound of memory could not be put on disk, or read from there.
    #[error("sorting the records of `{}` on disk", path.display())]
    Sort {
        /// The zone file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A zone could not be written.
    #[error("writing the zone into `{}`", path.display())]
    Write {
        /// The zone file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Two snapshots are not of one zone.
    #[error("one file is of the zone `{before}`, the other of `{after}`")]
    OtherZone {
        /// The zone of the first.
        before: model::Name,
        /// The zone of the second.
        after: model::Name,
    },
}
