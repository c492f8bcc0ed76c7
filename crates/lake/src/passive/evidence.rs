//! Table `evidence`: RRsets that the answering server may not speak for, or of which that is not proven. They never enter passive
//! DNS: they are what shows that somebody tried to poison it.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, Int32Array, RecordBatch, StringArray};
use deltalake_core::kernel::{Add, LogicalFileView, StructField};
use model::{OutOfBailiwick, OutReason};

use super::rows::{
    self, COUNT, FIRST, LAST, LEVEL, RTYPE, SOURCE, Sightings, Sorted, Wanted, column, counts, joined, logged, octets,
    optional, parted, texts, times,
};
use super::run::Run;
use super::{Told, key};
use crate::delta::Logged;
use crate::row::{self, Column, Columns, Kind, delta_columns};

/// What one server said, as one source saw it. Names are in the form of `owner`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EvidenceRow {
    pub owner: String,
    pub rtype: u16,
    pub server: String,
    pub zone: Option<String>,
    pub reason: OutReason,
    pub rdata: Vec<u8>,
    /// The question that it was first said to; of two rows that are one, that of the first.
    pub question: String,
    pub source: Arc<str>,
    pub sightings: Sightings,
}

logged!(
    EvidenceRow,
    "evidence",
    "RRsets that the answering server may not speak for, by owner name; never in passive DNS"
);

const REASONS: [(OutReason, &str); 2] = [(OutReason::Outside, "outside"), (OutReason::NotProven, "not_proven")];

/// Pieces of evidence of one source in the order of the table.
pub(crate) fn evidence_rows(source: &Arc<str>, pieces: &[OutOfBailiwick]) -> Vec<EvidenceRow> {
    let row = |piece: &OutOfBailiwick| EvidenceRow {
        owner: key::reversed(&piece.name),
        rtype: piece.rtype.to_int(),
        server: piece.server.to_string(),
        zone: piece.zone.as_ref().map(key::reversed),
        reason: piece.reason,
        rdata: joined(&piece.rdata),
        question: key::reversed(&piece.question),
        source: source.clone(),
        sightings: Sightings {
            first: piece.first.as_second(),
            last: piece.last.as_second(),
            count: piece.count,
        },
    };
    rows::sorted(pieces.iter().map(row).collect())
}

impl EvidenceRow {
    /// The piece that the row is of; `None` for what no row of ours can be.
    pub fn told(self) -> Option<Told<OutOfBailiwick>> {
        let second = |seconds| jiff::Timestamp::from_second(seconds).ok();
        let zone = match &self.zone {
            None => None,
            Some(zone) => Some(key::from_reversed(zone)?),
        };
        let piece = OutOfBailiwick {
            server: self.server.parse().ok()?,
            zone,
            reason: self.reason,
            question: key::from_reversed(&self.question)?,
            name: key::from_reversed(&self.owner)?,
            rtype: rows::rtype(self.rtype),
            rdata: parted(&self.rdata)?,
            first: second(self.sightings.first)?,
            last: second(self.sightings.last)?,
            count: self.sightings.count,
        };
        Some(Told {
            source: self.source.to_string(),
            what: piece,
        })
    }
}

impl Sorted for EvidenceRow {
    const COLUMNS: &'static [Column] = &[
        column(
            "owner",
            Kind::Text,
            "Owner name, labels from the root down, each followed by a dot",
        ),
        RTYPE,
        column("server", Kind::Text, "Address of the server that said it"),
        optional(
            "zone",
            Kind::Text,
            "Zone at or above the question that the server is known to serve, in the form of `owner`; null where none is known",
        ),
        column(
            "reason",
            Kind::Text,
            "`outside`: of every zone the server could speak for; `not_proven`: nothing shows that it serves the zone",
        ),
        column(
            "rdata",
            Kind::Octets,
            "Data of all records as on the wire, each after its length in two octets",
        ),
        column(
            "question",
            Kind::Text,
            "Question that it was first said to, in the form of `owner`",
        ),
        SOURCE,
        FIRST,
        LAST,
        COUNT,
    ];
    const ORDER: &'static [&'static str] = &["owner", "rtype", "server", "zone"];

    fn order(&self, other: &Self) -> Ordering {
        fn place(row: &EvidenceRow) -> impl Ord + '_ {
            let said = (&row.owner, row.rtype, &row.server, &row.zone);
            (said, row.reason, &row.rdata, &row.source)
        }
        place(self).cmp(&place(other))
    }

    fn absorb(&mut self, other: Self) {
        if other.sightings.first < self.sightings.first {
            self.question = other.question;
        }
        self.sightings.absorb(other.sightings);
    }

    fn last(&self) -> i64 {
        self.sightings.last
    }

    fn seen_by(&self) -> Option<&str> {
        Some(&self.source)
    }

    fn to_batch(rows: &[Self]) -> RecordBatch {
        let rtypes = rows.iter().map(|row| i32::from(row.rtype));
        rows::batch::<Self>(vec![
            texts(rows.iter().map(|row| row.owner.as_str())),
            Arc::new(Int32Array::from_iter_values(rtypes)),
            texts(rows.iter().map(|row| row.server.as_str())),
            Arc::new(rows.iter().map(|row| row.zone.as_deref()).collect::<StringArray>()),
            texts(rows.iter().map(|row| row.reason.as_str())),
            octets(rows.iter().map(|row| row.rdata.as_slice())),
            texts(rows.iter().map(|row| row.question.as_str())),
            texts(rows.iter().map(|row| &*row.source)),
            times(rows.iter().map(|row| row.sightings.first)),
            times(rows.iter().map(|row| row.sightings.last)),
            counts(rows.iter().map(|row| row.sightings.count)),
        ])
    }

    fn read(batch: &RecordBatch, places: Range<usize>, wanted: &Wanted, rows: &mut Vec<Self>) -> Result<(), String> {
        let columns = Columns(batch);
        let (owners, rtypes) = (columns.texts("owner")?, columns.integers("rtype")?);
        let (servers, zones) = (columns.texts("server")?, columns.texts("zone")?);
        let (reasons, rdata) = (columns.texts("reason")?, columns.octets("rdata")?);
        let (questions, sources) = (columns.texts("question")?, columns.texts("source")?);
        let (firsts, lasts) = (columns.times("first")?, columns.times("last")?);
        let counts = columns.longs("count")?;
        for at in places {
            if !wanted.takes(rtypes.value(at), sources.value(at)) {
                continue;
            }
            rows.push(Self {
                owner: owners.value(at).to_owned(),
                rtype: row::narrow("rtype", i64::from(rtypes.value(at)))?,
                server: servers.value(at).to_owned(),
                zone: zones.is_valid(at).then(|| zones.value(at).to_owned()),
                reason: row::word("reason", reasons.value(at), &REASONS)?,
                rdata: rdata.value(at).to_vec(),
                question: questions.value(at).to_owned(),
                source: Arc::from(sources.value(at)),
                sightings: Sightings {
                    first: firsts.value(at).div_euclid(1_000_000),
                    last: lasts.value(at).div_euclid(1_000_000),
                    count: row::narrow("count", counts.value(at))?,
                },
            });
        }
        Ok(())
    }
}
