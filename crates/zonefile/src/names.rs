//! A snapshot name by name, with the zone cut that each name is at or below.

use std::collections::BTreeMap;
use std::io;

use crate::sorted::{Row, Rows};
use domain::base::iana::Rtype;

/// Records of one name that are held at once. A message, and so an RRset, has fewer than 10,000 (65,535 octets); more at one
/// name come from no zone, and would be held in memory.
const MOST_RECORDS: usize = 100_000;

/// Where a name stands in its zone (RFC 9499 §7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At the apex.
    Apex,
    /// In the zone's own data.
    Within,
    /// At the top of a delegated zone.
    Cut,
    /// Below the cut of this key: glue, or what cannot be seen.
    Below(Vec<u8>),
}

/// The data of one RRset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RrsetAt {
    /// The lowest TTL of its records (RFC 2181 §5.2), in seconds.
    pub ttl: u32,
    /// Data of its records in canonical form and order.
    pub rdata: Vec<Vec<u8>>,
}

/// One name with all that it has.
#[derive(Debug)]
pub(crate) struct Owner {
    pub key: Vec<u8>,
    pub place: Place,
    pub rrsets: BTreeMap<u16, RrsetAt>,
}

/// The names of a zone in canonical order.
pub(crate) struct Names {
    apex: Vec<u8>,
    rows: Rows,
    /// The first record of the next name.
    ahead: Option<Row>,
    cut: Option<Vec<u8>>,
}

impl Names {
    pub fn new(apex: Vec<u8>, rows: Rows) -> io::Result<Self> {
        let mut names = Self {
            apex,
            rows,
            ahead: None,
            cut: None,
        };
        names.ahead = names.next_within()?;
        Ok(names)
    }

    fn next_within(&mut self) -> io::Result<Option<Row>> {
        while let Some(row) = self.rows.next_row()? {
            if row.owner.starts_with(&self.apex) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    pub fn next_owner(&mut self) -> io::Result<Option<Owner>> {
        let Some(first) = self.ahead.take() else {
            return Ok(None);
        };
        let key = first.owner.clone();
        let mut rrsets: BTreeMap<u16, RrsetAt> = BTreeMap::new();
        let (mut row, mut count) = (Some(first), 0);
        while let Some(now) = row.take_if(|row| row.owner == key) {
            count += 1;
            if count > MOST_RECORDS {
                let name = crate::sorted::name(&key);
                return Err(io::Error::other(format!(
                    "`{name}` has more than {MOST_RECORDS} records"
                )));
            }
            let rrset = rrsets.entry(now.rtype).or_insert(RrsetAt {
                ttl: now.ttl,
                rdata: Vec::new(),
            });
            rrset.ttl = rrset.ttl.min(now.ttl);
            rrset.rdata.push(now.rdata);
            row = self.next_within()?;
        }
        self.ahead = row;
        let place = self.place(&key, rrsets.contains_key(&Rtype::NS.to_int()));
        Ok(Some(Owner { key, place, rrsets }))
    }

    fn place(&mut self, key: &[u8], has_ns: bool) -> Place {
        if key == self.apex {
            return Place::Apex;
        }
        match &self.cut {
            Some(cut) if key.starts_with(cut) => Place::Below(cut.clone()),
            _ if has_ns => {
                self.cut = Some(key.to_vec());
                Place::Cut
            }
            _ => Place::Within,
        }
    }
}
