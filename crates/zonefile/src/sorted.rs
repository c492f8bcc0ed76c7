//! Records in canonical order, whatever their number: in memory up to a bound, beyond it as sorted runs on disk.
//!
//! The key of a record is its owner, from the root down, each label escaped and ended by an octet of zero, so that the order
//! of octets is that of RFC 4034 §6.1 and a name and all below it begin alike; then a zero and the type.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::sync::Arc;

use domain::base::iana::Rtype;
use domain::base::name::ToLabelIter;
use domain::base::rdata::ComposeRecordData;
use domain::base::{Record, RecordData, ToName};
use model::Name;
use tempfile::NamedTempFile;

/// One record. Orders by owner, type and data as ZONEMD does (RFC 8976 §3.3.2), then by TTL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    /// The key of the owner.
    pub owner: Vec<u8>,
    pub rtype: u16,
    /// Data in canonical form (RFC 4034 §6.2).
    pub rdata: Vec<u8>,
    pub ttl: u32,
}

impl Row {
    pub fn of<N: ToName, D: RecordData + ComposeRecordData>(record: &Record<N, D>) -> Self {
        let mut rdata = Vec::with_capacity(32);
        let Ok(()) = record.data().compose_canonical_rdata(&mut rdata);
        Self {
            owner: key(record.owner()),
            rtype: record.rtype().to_int(),
            rdata,
            ttl: record.ttl().as_secs(),
        }
    }

    pub fn rtype(&self) -> Rtype {
        Rtype::from_int(self.rtype)
    }
}

/// The key of a name: the keys of all below it begin with it, and no others.
pub(crate) fn key(name: &impl ToLabelIter) -> Vec<u8> {
    let labels: Vec<_> = name.iter_labels().filter(|label| !label.is_root()).collect();
    let mut key = Vec::with_capacity(32);
    for label in labels.iter().rev() {
        for octet in label.as_slice() {
            match octet.to_ascii_lowercase() {
                low @ (0 | 1) => key.extend([1, low + 1]),
                octet => key.push(octet),
            }
        }
        key.push(0);
    }
    key
}

/// The name of a key made by [`key`].
pub(crate) fn name(key: &[u8]) -> Name {
    let mut wire = Vec::with_capacity(key.len() + 1);
    for label in key
        .split_last()
        .map_or(&[][..], |(_, labels)| labels)
        .split(|octet| *octet == 0)
        .rev()
    {
        let start = wire.len();
        wire.push(0);
        let mut octets = label.iter();
        while let Some(octet) = octets.next() {
            wire.push(if *octet == 1 {
                octets.next().map_or(0, |low| low - 1)
            } else {
                *octet
            });
        }
        wire[start] = (wire.len() - start - 1) as u8;
    }
    if key.is_empty() {
        wire.clear();
    }
    wire.push(0);
    let wire = domain::base::Name::from_octets(wire).expect("a key is made of a name");
    Name::from_wire(&wire)
}

/// Takes records in any order.
pub(crate) struct Sorter {
    memory: usize,
    gathered: Gathered,
    runs: Vec<NamedTempFile>,
}

/// Records in memory: their octets one after the other, and where each begins.
#[derive(Default)]
struct Gathered {
    octets: Vec<u8>,
    starts: Vec<u32>,
}

/// Octets before the data of a gathered record: lengths of key and data, type, TTL.
const HEAD: usize = 2 + 2 + 2 + 4;

struct View<'a> {
    owner: &'a [u8],
    rtype: u16,
    rdata: &'a [u8],
    ttl: u32,
}

impl View<'_> {
    fn order(&self, other: &View) -> Ordering {
        (self.owner, self.rtype, self.rdata, self.ttl).cmp(&(other.owner, other.rtype, other.rdata, other.ttl))
    }

    fn to_row(&self) -> Row {
        Row {
            owner: self.owner.to_vec(),
            rtype: self.rtype,
            rdata: self.rdata.to_vec(),
            ttl: self.ttl,
        }
    }
}

impl Gathered {
    fn push(&mut self, row: &Row) {
        self.starts.push(self.octets.len() as u32);
        let length = |octets: &[u8]| u16::try_from(octets.len()).unwrap_or(u16::MAX).to_be_bytes();
        self.octets.extend(length(&row.owner));
        self.octets.extend(length(&row.rdata));
        self.octets.extend(row.rtype.to_be_bytes());
        self.octets.extend(row.ttl.to_be_bytes());
        self.octets.extend_from_slice(&row.owner);
        self.octets
            .extend_from_slice(&row.rdata[..row.rdata.len().min(usize::from(u16::MAX))]);
    }

    fn view(&self, start: u32) -> View<'_> {
        let octets = &self.octets[start as usize..];
        let short = |at: usize| u16::from_be_bytes([octets[at], octets[at + 1]]);
        let (key, data) = (usize::from(short(0)), usize::from(short(2)));
        View {
            owner: &octets[HEAD..HEAD + key],
            rtype: short(4),
            rdata: &octets[HEAD + key..HEAD + key + data],
            ttl: u32::from_be_bytes([octets[6], octets[7], octets[8], octets[9]]),
        }
    }

    fn sort(&mut self) {
        let mut starts = std::mem::take(&mut self.starts);
        starts.sort_unstable_by(|a, b| self.view(*a).order(&self.view(*b)));
        self.starts = starts;
    }

    fn size(&self) -> usize {
        self.octets.len() + 4 * self.starts.len()
    }
}

impl Sorter {
    /// Takes up to `memory` octets of records (4 GiB at most) before it puts them on disk.
    pub fn new(memory: usize) -> Self {
        Self {
            memory: memory.min(u32::MAX as usize - (1 << 20)),
            gathered: Gathered::default(),
            runs: Vec::new(),
        }
    }

    pub fn push(&mut self, row: &Row) -> io::Result<()> {
        self.gathered.push(row);
        if self.gathered.size() >= self.memory {
            self.put_on_disk()?;
        }
        Ok(())
    }

    fn put_on_disk(&mut self) -> io::Result<()> {
        self.gathered.sort();
        let mut run = NamedTempFile::new()?;
        let mut out = BufWriter::new(run.as_file_mut());
        for start in &self.gathered.starts {
            let view = self.gathered.view(*start);
            let start = *start as usize;
            out.write_all(&self.gathered.octets[start..start + HEAD + view.owner.len() + view.rdata.len()])?;
        }
        out.flush()?;
        drop(out);
        self.runs.push(run);
        self.gathered = Gathered::default();
        Ok(())
    }

    pub fn finish(mut self) -> io::Result<Sorted> {
        if !self.runs.is_empty() && !self.gathered.starts.is_empty() {
            self.put_on_disk()?;
        }
        self.gathered.sort();
        Ok(Sorted {
            gathered: Arc::new(self.gathered),
            runs: Arc::new(self.runs),
        })
    }
}

/// Records in canonical order, to be gone through any number of times.
#[derive(Clone)]
pub(crate) struct Sorted {
    gathered: Arc<Gathered>,
    runs: Arc<Vec<NamedTempFile>>,
}

impl Sorted {
    /// The records, each once: of those that differ in TTL alone the one with the lowest.
    pub fn rows(&self) -> io::Result<Rows> {
        let mut runs = Vec::with_capacity(self.runs.len());
        for run in self.runs.iter() {
            runs.push(BufReader::with_capacity(64 << 10, run.reopen()?));
        }
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (at, run) in runs.iter_mut().enumerate() {
            heads.extend(read(run)?.map(|row| Reverse((row, at))));
        }
        Ok(Rows {
            sorted: self.clone(),
            at: 0,
            runs,
            heads,
            before: None,
        })
    }
}

/// Records in canonical order.
pub(crate) struct Rows {
    sorted: Sorted,
    /// How many of those in memory were given.
    at: usize,
    runs: Vec<BufReader<File>>,
    /// The next record of each run.
    heads: BinaryHeap<Reverse<(Row, usize)>>,
    before: Option<Row>,
}

impl Rows {
    fn next_of_any(&mut self) -> io::Result<Option<Row>> {
        let Some(Reverse((row, at))) = self.heads.pop() else {
            let gathered = &self.sorted.gathered;
            let row = gathered.starts.get(self.at).map(|start| gathered.view(*start).to_row());
            self.at += 1;
            return Ok(row);
        };
        self.heads
            .extend(read(&mut self.runs[at])?.map(|row| Reverse((row, at))));
        Ok(Some(row))
    }

    pub fn next_row(&mut self) -> io::Result<Option<Row>> {
        while let Some(row) = self.next_of_any()? {
            let is_again =
                |before: &Row| (&before.owner, before.rtype, &before.rdata) == (&row.owner, row.rtype, &row.rdata);
            if !self.before.as_ref().is_some_and(is_again) {
                self.before = Some(row.clone());
                return Ok(Some(row));
            }
        }
        Ok(None)
    }
}

/// The next record of a run.
fn read(run: &mut impl Read) -> io::Result<Option<Row>> {
    let mut head = [0; HEAD];
    match run.read_exact(&mut head) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let short = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let mut owner = vec![0; usize::from(short(0))];
    let mut rdata = vec![0; usize::from(short(2))];
    run.read_exact(&mut owner)?;
    run.read_exact(&mut rdata)?;
    Ok(Some(Row {
        owner,
        rtype: short(4),
        rdata,
        ttl: u32::from_be_bytes([head[6], head[7], head[8], head[9]]),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels() -> impl Strategy<Value = Name> {
        let label = proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(2), Just(b'a'), any::<u8>()], 1..6);
        proptest::collection::vec(label, 0..5).prop_map(|labels| {
            let mut wire: Vec<u8> = labels
                .iter()
                .flat_map(|label| [&[label.len() as u8][..], label].concat())
                .collect();
            wire.push(0);
            Name::from_wire(&domain::base::Name::from_octets(wire).unwrap())
        })
    }

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        let row = (labels(), 1u16..4, proptest::collection::vec(any::<u8>(), 0..3), 0u32..3);
        let row = row.prop_map(|(owner, rtype, rdata, ttl)| Row {
            owner: key(owner.as_wire()),
            rtype,
            rdata,
            ttl,
        });
        proptest::collection::vec(row, 0..60)
    }

    proptest! {
        #[test]
        fn keys_stand_in_the_order_of_names_and_lead_back_to_them(a in labels(), b in labels()) {
            let (of_a, of_b) = (key(a.as_wire()), key(b.as_wire()));
            prop_assert_eq!(of_a.cmp(&of_b), a.cmp(&b));
            prop_assert_eq!(of_a.starts_with(&of_b), a.is_at_or_below(&b));
            prop_assert_eq!(name(&of_a), a);
        }

        #[test]
        fn records_come_sorted_and_once_whether_memory_holds_them_or_not(rows in rows(), memory in 1usize..2000) {
            let mut sorter = Sorter::new(memory);
            rows.iter().for_each(|row| sorter.push(row).unwrap());
            let sorted = sorter.finish().unwrap();
            let mut expected = rows.clone();
            expected.sort();
            expected.dedup_by(|b, a| (&a.owner, a.rtype, &a.rdata) == (&b.owner, b.rtype, &b.rdata));
            for _ in 0..2 {
                let mut found = Vec::new();
                let mut rows = sorted.rows().unwrap();
                while let Some(row) = rows.next_row().unwrap() {
                    found.push(row);
                }
                prop_assert_eq!(&found, &expected);
            }
        }
    }
}
