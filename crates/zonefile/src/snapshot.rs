//! One zone file: which zone it is of, how large, whether its digest agrees, and what speaks against it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use domain::base::iana::Rtype;
use model::Name;
use model::zonemd::{Integrity, ZoneDigest, Zonemd};

use crate::Error;
use crate::entries::{self, End};
use crate::names::Names;
use crate::sorted::{self, Row, Sorted, Sorter};

/// SOA and ZONEMD records of a file that are looked at. A zone has one SOA, and a ZONEMD for each algorithm.
const MOST_AT_APEX: usize = 16;

/// How files are read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What names without a final dot are below, before the first `$ORIGIN`; `None` if there are none such.
    pub origin: Option<Name>,
    /// Octets of records that are held in memory while they are sorted; the others are on disk meanwhile. 64 MiB are a million
    /// records of a registry. More spares the disk, less makes more files of it.
    pub memory: usize,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            origin: None,
            memory: 64 << 20,
        }
    }
}

/// What the ZONEMD of a zone says (RFC 8976).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// There is none.
    None,
    /// It agrees: the zone is whole.
    Agrees,
    /// It does not: records are missing, added or changed.
    Differs,
    /// It belongs to another serial than that of the SOA.
    OtherSerial,
    /// There are several of one hash algorithm.
    Twice,
    /// None has a scheme and an algorithm that can be computed here.
    Unknown,
    /// Signatures were taken out of the file, so no digest over them can agree.
    Stripped,
}

impl Digest {
    /// One word: `none`, `agrees`, `differs`, `other-serial`, `twice`, `unknown` or `stripped`.
    pub fn as_str(self) -> &'static str {
        match self {
            Digest::None => "none",
            Digest::Agrees => "agrees",
            Digest::Differs => "differs",
            Digest::OtherSerial => "other-serial",
            Digest::Twice => "twice",
            Digest::Unknown => "unknown",
            Digest::Stripped => "stripped",
        }
    }
}

/// What speaks against taking a file for its whole zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No records.
    #[error("it is empty")]
    Empty,
    /// Something in it cannot be read, and what follows was not.
    #[error("line {line}: {reason}; nothing behind it was read")]
    Broken {
        /// The line, counted from 1; 0 when it is not known.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The last line is not ended.
    #[error("its last line is not ended, as in a file that was cut off")]
    CutOff,
    /// No SOA.
    #[error("it has no SOA record")]
    NoSoa,
    /// Several, and they differ.
    #[error("it has several SOA records that differ")]
    SeveralSoa,
    /// No NS at the apex.
    #[error("the zone `{0}` has no NS records at its apex")]
    NoApexNs(Name),
    /// Its ZONEMD says so.
    #[error("its digest (ZONEMD) does not agree: records are missing, added or changed")]
    DigestDiffers,
    /// Its ZONEMD is of another edition.
    #[error("its digest (ZONEMD) is of serial {zonemd}, its SOA has {soa} (RFC 8976 §4)")]
    DigestOfOtherSerial {
        /// The serial in the ZONEMD.
        zonemd: u32,
        /// The serial in the SOA.
        soa: u32,
    },
    /// It has ZONEMD that differ in the digest or the serial alone.
    #[error("it has several digests (ZONEMD) of hash algorithm {0}, so none of them counts (RFC 8976 §4)")]
    SeveralDigests(u8),
    /// Too many names are gone.
    #[error("{gone} of {of} names are gone, more than {limit} %")]
    NamesGone {
        /// How many are not there any more.
        gone: u64,
        /// How many there were.
        of: u64,
        /// How many of a hundred may go.
        limit: u8,
    },
    /// It is older than what it is compared with.
    #[error("its serial {after} is older than {before} (RFC 1982)")]
    Older {
        /// The serial of the first.
        before: u32,
        /// The serial of the second.
        after: u32,
    },
    /// It is neither newer nor older than what it is compared with: half the circle of serials lies between them.
    #[error("its serial {after} is neither newer nor older than {before} (RFC 1982 §3.2)")]
    NotComparable {
        /// The serial of the first.
        before: u32,
        /// The serial of the second.
        after: u32,
    },
    /// It differs from what it is compared with, and has the same serial.
    #[error("its serial {after} is not newer than {before}, and its records differ (RFC 1982)")]
    NotNewer {
        /// The serial of the first.
        before: u32,
        /// The serial of the second.
        after: u32,
    },
}

/// One zone file, read and sorted.
pub struct Snapshot {
    /// The file.
    pub path: PathBuf,
    /// The apex: the owner of the SOA; without one the highest owner.
    pub zone: Name,
    /// Serial of its SOA.
    pub serial: Option<u32>,
    /// Records of the zone, each once.
    pub records: u64,
    /// Owner names. Those that have but signatures and hashes (RRSIG, NSEC3) do not count: a new salt replaces all of them.
    pub names: u64,
    /// Records that are not at or below the apex; they are left out.
    pub outside: u64,
    /// What its ZONEMD says.
    pub digest: Digest,
    /// What speaks against it, gravest first.
    pub faults: Vec<Fault>,
    pub(crate) sorted: Sorted,
}

/// What is known of a file before its records are sorted.
#[derive(Default)]
struct Heads {
    soas: BTreeSet<(Vec<u8>, Vec<u8>)>,
    zonemds: Vec<(Vec<u8>, Zonemd)>,
}

impl Snapshot {
    /// Reads a file, packed or not. What is wrong in it are `faults`; an error is one of opening it, or of the disk.
    pub fn read(path: &Path, reading: &Reading) -> Result<Self, Error> {
        let opened = entries::open(path);
        let mut source = opened.map_err(|source| Error::Open {
            path: path.to_owned(),
            source,
        })?;
        let failed = |source| Error::Sort {
            path: path.to_owned(),
            source,
        };
        let mut sorter = Sorter::new(reading.memory);
        let mut heads = Heads::default();
        let end = entries::read(source.as_mut(), reading.origin.as_ref(), |record| {
            let row = Row::of(&record);
            heads.note(&row);
            sorter.push(&row)
        });
        let end = end.map_err(failed)?;
        let sorted = sorter.finish().map_err(failed)?;
        judge(path, end, heads, sorted).map_err(failed)
    }

    /// The snapshot name by name.
    pub(crate) fn owners(&self) -> io::Result<Names> {
        Names::new(sorted::key(self.zone.as_wire()), self.sorted.rows()?)
    }
}

impl Heads {
    fn note(&mut self, row: &Row) {
        match row.rtype() {
            Rtype::SOA if self.soas.len() < MOST_AT_APEX => {
                self.soas.insert((row.owner.clone(), row.rdata.clone()));
            }
            Rtype::ZONEMD if self.zonemds.len() < MOST_AT_APEX => {
                let zonemd = Zonemd::parse(&row.rdata).map(|zonemd| (row.owner.clone(), zonemd));
                self.zonemds
                    .extend(zonemd.filter(|zonemd| !self.zonemds.contains(zonemd)));
            }
            _ => {}
        }
    }
}

fn judge(path: &Path, end: End, heads: Heads, sorted: Sorted) -> io::Result<Snapshot> {
    let mut faults = Vec::new();
    let first = sorted.rows()?.next_row()?;
    if first.is_none() {
        faults.push(Fault::Empty);
    }
    if let Some(stop) = end.stop {
        faults.push(Fault::Broken {
            line: stop.line,
            reason: stop.reason,
        });
    }
    if !end.has_final_newline {
        faults.push(Fault::CutOff);
    }
    match heads.soas.len() {
        0 if first.is_some() => faults.push(Fault::NoSoa),
        0 | 1 => {}
        _ => faults.push(Fault::SeveralSoa),
    }
    let soa = heads.soas.first();
    let apex = soa
        .map(|(owner, _)| owner.clone())
        .or(first.map(|row| row.owner))
        .unwrap_or_default();
    let zone = sorted::name(&apex);
    let serial = soa.and_then(|(_, rdata)| serial(rdata));
    let zonemds: Vec<Zonemd> = heads
        .zonemds
        .into_iter()
        .filter(|(owner, _)| *owner == apex)
        .map(|(_, z)| z)
        .collect();

    let algorithms = zonemds
        .iter()
        .filter(|zonemd| zonemd.is_supported())
        .map(|zonemd| zonemd.algorithm);
    let mut digest = ZoneDigest::new(&zone, algorithms);
    let mut counts = Counts::default();
    let mut rows = sorted.rows()?;
    let mut owner = zone.clone();
    while let Some(row) = rows.next_row()? {
        if !row.owner.starts_with(&apex) {
            counts.outside += 1;
            continue;
        }
        if counts.turn_to(&row.owner) {
            owner = sorted::name(&row.owner);
        }
        counts.take(&row, &apex);
        if !zonemds.is_empty() {
            digest.push(&owner, row.rtype(), row.ttl, &row.rdata);
        }
    }
    counts.turn_to(&[]);
    if counts.records > 0 && !counts.has_apex_ns {
        faults.push(Fault::NoApexNs(zone.clone()));
    }
    let (digest, fault) = match digest.compare(&zonemds, serial) {
        _ if zonemds.is_empty() => (Digest::None, None),
        Integrity::Whole => (Digest::Agrees, None),
        Integrity::Broken if counts.unsigned_proofs > 0 => (Digest::Stripped, None),
        Integrity::Broken => (Digest::Differs, Some(Fault::DigestDiffers)),
        // a file without an SOA is refused for that
        Integrity::OtherSerial(zonemd) => (
            Digest::OtherSerial,
            serial.map(|soa| Fault::DigestOfOtherSerial { zonemd, soa }),
        ),
        Integrity::Twice(algorithm) => (Digest::Twice, Some(Fault::SeveralDigests(algorithm))),
        Integrity::Unknown => (Digest::Unknown, None),
    };
    faults.extend(fault);
    Ok(Snapshot {
        path: path.to_owned(),
        zone,
        serial,
        records: counts.records,
        names: counts.names,
        outside: counts.outside,
        digest,
        faults,
        sorted,
    })
}

/// The serial of SOA data: the first of the five numbers at its end (RFC 1035 §3.3.13).
pub(crate) fn serial(rdata: &[u8]) -> Option<u32> {
    let at = rdata.len().checked_sub(20)?;
    Some(u32::from_be_bytes(rdata.get(at..at + 4)?.try_into().ok()?))
}

/// What is counted while the records of a zone pass in their order.
#[derive(Default)]
struct Counts {
    records: u64,
    names: u64,
    outside: u64,
    has_apex_ns: bool,
    /// Names with NSEC or NSEC3 that no signature covers: these were taken out.
    unsigned_proofs: u64,
    owner: Option<Vec<u8>>,
    is_name: bool,
    has_proof: bool,
    has_signed_proof: bool,
}

impl Counts {
    /// Goes on to another owner; whether it is another.
    fn turn_to(&mut self, owner: &[u8]) -> bool {
        if self.owner.as_deref() == Some(owner) {
            return false;
        }
        self.names += u64::from(self.is_name);
        self.unsigned_proofs += u64::from(self.has_proof && !self.has_signed_proof);
        (self.is_name, self.has_proof, self.has_signed_proof) = (false, false, false);
        self.owner = Some(owner.to_vec());
        true
    }

    fn take(&mut self, row: &Row, apex: &[u8]) {
        self.records += 1;
        self.is_name |= counts_as_name(row.rtype());
        self.has_apex_ns |= row.rtype() == Rtype::NS && row.owner == apex;
        self.has_proof |= matches!(row.rtype(), Rtype::NSEC | Rtype::NSEC3);
        let covers = row
            .rdata
            .first_chunk()
            .map(|covered| Rtype::from_int(u16::from_be_bytes(*covered)));
        self.has_signed_proof |= row.rtype() == Rtype::RRSIG && matches!(covers, Some(Rtype::NSEC | Rtype::NSEC3));
    }
}

/// Whether a record of this type makes its owner a name of the zone's.
pub(crate) fn counts_as_name(rtype: Rtype) -> bool {
    !matches!(rtype, Rtype::RRSIG | Rtype::NSEC3)
}
