//! Zone files: what a zone delegates, as of the time of its file.

use std::path::Path;

use anyhow::Context as _;
use capture::Sink as _;
use jiff::Timestamp;
use serde::Serialize;
use zonefile::{Reading, Snapshot};

use super::keep::Keeping;
use super::{NotKept, chain, hash};
use crate::commands::sweep::grouped;

/// What became of a zone file.
#[derive(Debug, Serialize)]
pub(super) struct ZoneReceipt {
    /// The file.
    pub input: String,
    /// `zone`.
    pub form: &'static str,
    /// Its octets.
    pub octets: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// The zone.
    pub zone: String,
    /// Serial of its SOA.
    pub serial: u32,
    /// When the file was the zone: when it was written.
    pub time: Timestamp,
    /// Records of the zone.
    pub records: u64,
    /// Records that are not of the zone.
    pub outside: u64,
    /// RRsets of delegations, which are kept.
    pub rrsets: u64,
}

/// Reads a zone file and keeps what it delegates. `None` for a file without a SOA, which is none; an error for one of which
/// something says that it is not the whole zone.
pub(super) fn zone(path: &Path, sink: &mut Keeping) -> anyhow::Result<Option<ZoneReceipt>> {
    let failed = || format!("reading `{}` as a zone file", path.display());
    let about = std::fs::metadata(path).with_context(failed)?;
    let time = Timestamp::try_from(about.modified().with_context(failed)?).with_context(failed)?;
    let snapshot = Snapshot::read(path, &Reading::default())?;
    let Some(serial) = snapshot.serial else {
        return Ok(None);
    };
    if !snapshot.faults.is_empty() {
        let faults: Vec<String> = snapshot.faults.iter().map(ToString::to_string).collect();
        anyhow::bail!(
            "`{}`: the zone `{}` is refused: {}; `dnscert zone import --force` keeps it all the same",
            path.display(),
            snapshot.zone,
            faults.join("; ")
        );
    }
    let mut rrsets = 0;
    snapshot.delegations(time, |rrset| {
        rrsets += 1;
        sink.rrset(rrset).map_err(|error| {
            anyhow::Error::from(NotKept {
                input: path.display().to_string(),
                reason: chain(&*error),
            })
        })
    })?;
    Ok(Some(ZoneReceipt {
        input: path.display().to_string(),
        form: "zone",
        octets: about.len(),
        sha256: hash(path, u64::MAX).with_context(failed)?,
        zone: snapshot.zone.to_string(),
        serial,
        time,
        records: snapshot.records,
        outside: snapshot.outside,
        rrsets,
    }))
}

/// A receipt for people.
pub(super) fn table_of_zone(receipt: &ZoneReceipt) -> String {
    [
        format!("{} (zone, {} octets)", receipt.input, grouped(receipt.octets)),
        format!(
            "  {:10} {} {}, as of {:.0}",
            "zone", receipt.zone, receipt.serial, receipt.time
        ),
        format!(
            "  {:10} {}, {} outside of the zone left out",
            "records",
            grouped(receipt.records),
            grouped(receipt.outside)
        ),
        format!("  {:10} {} of delegations", "RRsets", grouped(receipt.rrsets)),
        format!("  {:10} {}", "sha256", receipt.sha256),
    ]
    .join("\n")
}
